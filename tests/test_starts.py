"""Starting points against plain oracles, and what must not change them: n, chunks, pickling."""

from __future__ import annotations

import math
import pickle
import re
import subprocess
import sys
import time
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import qmc

from fastopt import starts
from fastopt.starts import Grid, Normal, Sobol, Starts, Uniform

BILLION, TRILLION = 10**9, 10**12
RANDOM = (Uniform, Sobol, Normal)


def make(cls: type, dim: int, n: int = TRILLION, seed: int = 3) -> Starts:
    """A batch whose coordinates have different ranges."""
    ramp = np.arange(1.0, dim + 1)
    if cls is Grid:
        return Grid(-ramp, 2 * ramp, round(n ** (1 / dim)) + 1)
    return cls(-ramp, 2 * ramp, n, seed)


# -- chunks ------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    cls=st.sampled_from([*RANDOM, Grid]),
    dim=st.sampled_from([1, 2, 3, 7, 10]),
    first=st.integers(0, BILLION),
    cuts=st.lists(st.integers(0, 200), max_size=4),
    piece=st.sampled_from([1, 7, 100, 1 << 16]),
)
def test_any_chunking_gives_the_rows_of_the_whole(cls, dim, first, cuts, piece):
    batch = make(cls, dim)
    whole = batch.chunk(first, first + 200)
    ends = [0, *sorted(cuts), 200]
    with mock.patch.object(starts, "_PIECE", piece):
        parts = [batch.chunk(first + a, first + b) for a, b in pairwise(ends)]
    assert whole.shape == (200, dim)
    assert whole.dtype == np.float64
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert len({row.tobytes() for row in whole}) == 200


@pytest.mark.parametrize("cls", [*RANDOM, Grid])
def test_chunks_beyond_one_piece(cls):
    batch = make(cls, 3, 50_000)
    whole = batch.chunk(0, batch.size)
    assert batch.size * 3 > 2 * starts._PIECE
    for i in (0, 21_844, 21_845, 43_690, batch.size - 1):
        assert whole[i].tobytes() == batch.chunk(i, i + 1).tobytes()


@pytest.mark.parametrize("cls", RANDOM)
@pytest.mark.parametrize("n", [BILLION, TRILLION])
def test_starts_do_not_depend_on_n(cls, n):
    few = make(cls, 3, 10)
    assert few.chunk(0, 10).tobytes() == make(cls, 3, n).chunk(0, 10).tobytes()
    assert few.chunk(0, 10).tobytes() != make(cls, 3, 10, seed=4).chunk(0, 10).tobytes()


@pytest.mark.parametrize("cls", [*RANDOM, Grid])
def test_a_trillion_starts_cost_nothing_and_the_last_no_more_than_the_first(cls):
    make(cls, 2).chunk(0, 10)  # compiles, imports, scrambles
    begin = time.perf_counter()
    batch = make(cls, 2)
    last = batch.chunk(batch.size - 10, batch.size)
    assert time.perf_counter() - begin < 0.1
    assert last.shape == (10, 2)
    with pytest.raises(MemoryError, match=r"as an array needs 16 TB"):
        np.asarray(batch)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (-1, 2, "a=-1: must be >= 0 (Uniform)"),
        (0, 11, "b=11: must be <= 10 (Uniform)"),
        (5, 3, "a=5, b=3: a must be <= b (Uniform)"),
    ],
)
def test_a_chunk_outside_the_batch_is_refused(a, b, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Uniform(0, 1, 10).chunk(a, b)


# -- distributions -----------------------------------------------------------------------


def words_of(seed: int, count: int) -> np.ndarray:
    """Uniform numbers from NumPy's generator, drawn from the beginning in one go."""
    raw = np.random.Philox(key=seed).random_raw(count)
    return np.array([int(word) // 2048 / 2**53 for word in raw])


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_uniform_takes_the_documented_words(dim, seed):
    batch = Uniform(-1, 3, 50, seed, dim=dim)
    expected = -1 + 4 * words_of(seed, 50 * dim).reshape(50, dim)
    assert np.array_equal(np.asarray(batch), expected)
    assert np.array_equal(batch.chunk(17, 23), expected[17:23])


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_normal_takes_the_documented_words(dim):
    m = dim + dim % 2
    u = words_of(5, 50 * m).reshape(50, m // 2, 2)
    expected = np.empty((50, m))
    for i in range(50):
        for k in range(m // 2):
            radius = math.sqrt(-2 * math.log(1 - u[i, k, 0]))
            expected[i, 2 * k] = radius * math.cos(2 * math.pi * u[i, k, 1])
            expected[i, 2 * k + 1] = radius * math.sin(2 * math.pi * u[i, k, 1])
    ramp = np.arange(1.0, dim + 1)
    points = np.asarray(Normal(ramp, 2 * ramp, 50, seed=5))
    np.testing.assert_allclose(points, ramp + 2 * ramp * expected[:, :dim], rtol=1e-14, atol=1e-14)


def test_normal_at_the_ends_of_the_uniform_numbers():
    ends = np.array([0.0, 0.0, 0.0, 0.5, 1 - 2.0**-53, 0.0, 1 - 2.0**-53, 1 - 2.0**-53])
    with mock.patch.object(starts, "_uniforms", return_value=ends):
        points = Normal(0, 1, 4, dim=2).chunk(0, 4)
    farthest = math.sqrt(2 * 53 * math.log(2))
    expected = [[0, 0], [0, 0], [farthest, 0], [farthest, 0]]
    np.testing.assert_allclose(points, expected, atol=1e-14)
    assert farthest < 8.6


@pytest.mark.parametrize("cls", [Uniform, Sobol])
def test_high_is_never_reached(cls):
    above = np.nextafter(1.0, 2.0)
    points = cls(1.0, above, 1000).chunk(0, 1000)
    assert (points == 1.0).all()
    points = make(cls, 3).chunk(0, 100_000)
    low, high = -np.arange(1.0, 4), 2 * np.arange(1.0, 4)
    assert (points >= low).all()
    assert (points < high).all()
    assert (points.min(axis=0) < low + 1e-3).all()
    assert (points.max(axis=0) > high - 1e-3).all()


@pytest.mark.parametrize(
    ("batch", "distribution"),
    [
        (Uniform(-2, 3, TRILLION, seed=1, dim=5), stats.uniform(-2, 5)),
        (Normal(2, 3, TRILLION, seed=1, dim=5), stats.norm(2, 3)),
    ],
    ids=["uniform", "normal"],
)
@pytest.mark.parametrize("first", [0, TRILLION - 20_000])
def test_coordinates_are_independent_and_distributed_as_promised(batch, distribution, first):
    points = batch.chunk(first, first + 20_000)
    for k in range(5):
        assert stats.kstest(points[:, k], distribution.cdf).pvalue > 1e-3
    # Uniform marginals: counts in 8 x 8 cells for each pair of coordinates, and of neighbours.
    cells = (8 * distribution.cdf(points)).astype(int)
    pairs = [(cells[:, k], cells[:, j]) for k in range(5) for j in range(k)]
    pairs += [(cells[:-1, k], cells[1:, j]) for k in range(5) for j in range(5)]
    for one, other in pairs:
        counts = np.bincount(8 * one + other, minlength=64)
        assert stats.chisquare(counts).pvalue > 1e-4


# -- Sobol -------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 2, 9])
def test_sobol_is_scipys_sequence(dim):
    engine = qmc.Sobol(dim, bits=53, rng=11)
    expected = np.concatenate((engine.random(2**16), engine.random(1000)))
    batch = Sobol(0, 1, TRILLION, seed=11, dim=dim)
    assert np.array_equal(batch.chunk(0, len(expected)), expected)
    assert np.array_equal(batch.chunk(65_530, 65_541), expected[65_530:65_541])


def test_sobol_far_out_is_the_definition_of_the_sequence():
    engine = qmc.Sobol(2, bits=53, rng=11)
    batch = Sobol(0, 1, 2**53, seed=11, dim=2)
    for i in (2**32 - 1, 2**32, TRILLION, 2**53 - 1):
        for k in range(2):
            word, gray = int(engine._shift[k]), i ^ i >> 1
            for bit in range(53):
                word ^= int(engine._sv[k, bit]) * (gray >> bit & 1)
            assert batch.chunk(i, i + 1)[0, k] == word / 2**53


def test_sobol_is_evener_than_independent_starts():
    even, random = (cls(0, 1, 1024, dim=3).chunk(0, 1024) for cls in (Sobol, Uniform))
    assert qmc.discrepancy(even) < 0.02 * qmc.discrepancy(random)
    for k in range(3):  # one in each 1024th, here and in any later aligned block
        later = Sobol(0, 1024, TRILLION, dim=3).chunk(2**30, 2**30 + 1024)
        assert sorted(later[:, k].astype(int)) == list(range(1024))


def test_sobol_dim_limit_is_scipys():
    assert Sobol._most_dim == qmc.Sobol.MAXDIM


def test_scipy_is_not_imported_before_it_is_needed():
    code = "import fastopt.starts, sys; assert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- Grid --------------------------------------------------------------------------------


def test_grid_is_linspace_along_each_axis():
    batch = Grid([-1.1, 0, 2], [0.7, 1e-3, 3], (7, 10, 49))
    axes = [np.linspace(-1.1, 0.7, 7), np.linspace(0, 1e-3, 10), np.linspace(2, 3, 49)]
    expected = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    assert np.array_equal(np.asarray(batch), expected)
    assert batch.shape == (7, 10, 49)


def test_grid_axis_of_one_point_is_in_the_middle():
    points = np.asarray(Grid([-1, 0, 7], [3, 1, 7], (1, 2, 1)))
    assert points.tolist() == [[[[1, 0, 7]], [[1, 1, 7]]]]


def test_grid_ends_are_exact_on_a_long_axis():
    batch = Grid(0.1, 0.7, TRILLION)
    assert batch.chunk(0, 1) == 0.1
    assert batch.chunk(TRILLION - 1, TRILLION) == 0.7


@pytest.mark.parametrize(
    ("batch", "shape"),
    [
        (Grid(0, 1, 5), (5,)),
        (Grid(0, 1, 5, dim=2), (5, 5)),
        (Grid(0, 1, (5, 6)), (5, 6)),
        (Grid([0, 0], 1, 5), (5, 5)),
        (Grid([0, 0], 1, np.array([5, 6])), (5, 6)),
    ],
)
def test_grid_shape_and_dim_fill_each_other_in(batch, shape):
    assert batch.shape == shape
    assert all(type(m) is int for m in batch.shape)
    assert np.asarray(batch).shape == (*shape, len(shape))


# -- the object --------------------------------------------------------------------------


def test_numbers_and_arrays_broadcast_to_dim():
    assert Uniform(0, 1, 5).dim == 1
    assert Uniform(0, 1, 5, dim=4).dim == 4
    assert Normal([0, 1, 2], 1, 5).dim == 3
    bounds = np.array([[-1.0, 1], [-2, 2]])
    batch = Uniform(*bounds.T, n=np.int64(5), seed=np.uint64(2))
    assert (batch.shape, batch.dim, batch.size) == ((5,), 2, 5)
    bounds[:] = 7
    assert batch.low.tolist() == [-1, -2]


def test_array_protocol():
    batch = Uniform([0, 1], [1, 2], 4)
    whole = batch.chunk(0, 4)
    assert np.array_equal(np.asarray(batch), whole)
    assert np.array_equal(np.asarray(batch, np.float32), whole.astype(np.float32))
    assert batch.__array__(np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy=False: there is no array to share"):
        np.array(batch, copy=False)


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        (Uniform(-5, 5, 100_000, dim=2), "Uniform([-5. -5.], [5. 5.], n=100000, seed=0)"),
        (Normal([1 / 3], 1, 3, 4), "Normal([0.3333333333333333], [1.], n=3, seed=4)"),
        (
            Sobol(0, 1, 2, dim=99),
            "Sobol([0. 0. 0. ... 0. 0. 0.], [1. 1. 1. ... 1. 1. 1.], n=2, seed=0)",
        ),
        (Grid([0, 0], [1, 2], (3, 4)), "Grid([0. 0.], [1. 2.], shape=(3, 4))"),
    ],
)
def test_repr(batch, text):
    assert repr(batch) == text


@pytest.mark.parametrize("cls", [*RANDOM, Grid])
def test_immutable_and_picklable(cls):
    batch = make(cls, 3)
    copy = pickle.loads(pickle.dumps(batch))
    assert repr(copy) == repr(batch)
    assert copy.chunk(5, 9).tobytes() == batch.chunk(5, 9).tobytes()
    for each in (batch, copy):
        with pytest.raises(AttributeError, match="is immutable"):
            each.dim = 2
        with pytest.raises(ValueError, match="read-only"):
            getattr(each, each._parameters[0])[0] = 1


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: Uniform(5, -5, 1), "low=5.0, high=-5.0: low must be < high (Uniform)"),
        (lambda: Sobol([0, 3], [1, 3], 1), "low[1]=3.0, high[1]=3.0: low must be < high (Sobol)"),
        (lambda: Grid(1, 1, 2), "low=1.0, high=1.0: low must be < high (Grid)"),
        (lambda: Grid(2, 1, 1), "low=2.0, high=1.0: low must be < high (Grid)"),
        (lambda: Normal(0, [1, -1], 1), "std[1]=-1.0: must be > 0 (Normal)"),
        (lambda: Normal(0, 0, 1, dim=3), "std=0.0: must be > 0 (Normal)"),
        (
            lambda: Uniform(0, [1, math.inf], 1),
            "high[1]=inf: must be finite, and at most 1e300 in magnitude (Uniform)",
        ),
        (
            lambda: Normal(math.nan, 1, 1),
            "mean=nan: must be finite, and at most 1e300 in magnitude (Normal)",
        ),
        (
            lambda: Grid(-1e308, 1e308, 2),
            "low=-1e+308: must be finite, and at most 1e300 in magnitude (Grid)",
        ),
        (lambda: Uniform(0, 1, 0), "n=0: must be >= 1 (Uniform)"),
        (
            lambda: Normal(0, 1, 2**62, dim=2),
            "n=4611686018427387904: must be <= 2,305,843,009,213,693,952 (Normal)",
        ),
        (
            lambda: Sobol(0, 1, 2**53 + 1),
            "n=9007199254740993: must be <= 9,007,199,254,740,992 (Sobol)",
        ),
        (lambda: Uniform(0, 1, 1, seed=-1), "seed=-1: must be >= 0 (Uniform)"),
        (
            lambda: Normal(0, 1, 1, seed=2**64),
            "seed=18446744073709551616: must be <= 18,446,744,073,709,551,615 (Normal)",
        ),
        (lambda: Uniform(0, 1, 1, dim=0), "dim=0: must be >= 1 (Uniform)"),
        (lambda: Sobol(0, 1, 1, dim=21_202), "dim=21202: must be <= 21,201 (Sobol)"),
        (
            lambda: Uniform([0, 0], [1, 1, 1], 1),
            "low has shape (2,), high has shape (3,): must broadcast to (dim,) (Uniform)",
        ),
        (
            lambda: Normal([0, 0], 1, 1, dim=3),
            "mean has shape (2,), std has shape (): must broadcast to (3,) (Normal)",
        ),
        (
            lambda: Uniform([[0, 0]], 1, 1),
            "low has shape (1, 2), high has shape (): must broadcast to (dim,) (Uniform)",
        ),
        (
            lambda: Uniform([], 1, 1),
            "low has shape (0,), high has shape (): must broadcast to (dim,) (Uniform)",
        ),
        (lambda: Grid(0, 1, (3, 0)), "shape[1]=0: must be >= 1 (Grid)"),
        (lambda: Grid(0, 1, 0), "shape=0: must be >= 1 (Grid)"),
        (lambda: Grid(0, 1, ()), "shape=(): must have one entry for each coordinate (Grid)"),
        (
            lambda: Grid(0, 1, (3, 3), dim=3),
            "shape=(3, 3): must have one entry for each coordinate (Grid)",
        ),
        (
            lambda: Grid([0, 0, 0], 1, (3, 3)),
            "low has shape (3,), high has shape (): must broadcast to (2,) (Grid)",
        ),
        (
            lambda: Grid(0, 1, (2**31, 2**31)),
            "shape=(2147483648, 2147483648): must be <= 2**62 / dim points (Grid)",
        ),
    ],
)
def test_values_that_are_refused(make_it, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_it()


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: Uniform("0", 1, 1), "low='0': must be a number or an array of numbers (Uniform)"),
        (lambda: Normal(0, None, 1), "std=None: must be a number or an array of numbers (Normal)"),
        (lambda: Sobol(True, 2, 1), "low=True: must be a number or an array of numbers (Sobol)"),
        (
            lambda: Grid([[0], [0, 1]], 2, 1),
            "low=[[0], [0, 1]]: must be a number or an array of numbers (Grid)",
        ),
        (lambda: Uniform(0, 1, 2.0), "n=2.0: must be a whole number (Uniform)"),
        (lambda: Uniform(0, 1, True), "n=True: must be a whole number (Uniform)"),
        (lambda: Sobol(0, 1, 1, seed=1.5), "seed=1.5: must be a whole number (Sobol)"),
        (lambda: Normal(0, 1, 1, seed=False), "seed=False: must be a whole number (Normal)"),
        (lambda: Normal(0, 1, 1, dim=2.0), "dim=2.0: must be a whole number (Normal)"),
        (lambda: Grid(0, 1, 2.5), "shape=2.5: must be a whole number (Grid)"),
        (lambda: Grid(0, 1, "ab"), "shape[0]='a': must be a whole number (Grid)"),
    ],
)
def test_types_that_are_refused(make_it, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        make_it()
