"""Philox against the numbers of its authors, and what is made of it against probability."""

from __future__ import annotations

import numpy as np
import pytest
from numba import types
from scipy import stats

from fastopt.kernels.compile import compile_entry
from fastopt.kernels.lanes import put
from fastopt.kernels.philox import normals, uniforms
from fastopt.kernels.philox import philox as kernel

WORD = 0xFFFFFFFF


def philox(counter, key):
    """Salmon et al. (2011), section 3.4, with whole numbers."""
    (a, b, c, d), (key_0, key_1) = counter, key
    for _ in range(10):
        p, r = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = r >> 32 ^ b ^ key_0, r & WORD, p >> 32 ^ d ^ key_1, p & WORD
        key_0, key_1 = key_0 + 0x9E3779B9 & WORD, key_1 + 0xBB67AE85 & WORD
    return a, b, c, d


# Counter, key and words: "philox4x32 10" in Random123's file of known answers.
KNOWN = [
    "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1",
]


def normal_pair(u, v, d):
    """Box and Muller's normal numbers of two uniform ones, from the half axis that d chooses."""
    along, across = np.cos(np.pi / 2 * (v - 0.5)), np.sin(np.pi / 2 * (v - 0.5))
    along = np.where(d & 2, -along, along)
    radius = np.sqrt(-2 * np.log(u))
    return radius * np.where(d & 1, across, along), radius * np.where(d & 1, along, across)


def _words(asked, given):
    for j in range(asked.shape[1]):
        words = kernel(asked[0, j], asked[1, j], asked[2, j], asked[3, j], asked[4, j], asked[5, j])
        for k in range(4):
            given[k, j] = words[k]


def _draw(what):
    def draw(out, first, run, step, key_0, key_1):
        for j in range(out.shape[1]):
            place = first + j
            pair = what(*kernel(place & WORD, place >> 32, run, step, key_0, key_1))
            put(out, 0, 0, j, pair[0])
            put(out, 1, 1, j, pair[1])

    return draw


@pytest.fixture(scope="module")
def words():
    """Words (4, n) of counters and keys (6, n)."""
    matrix = types.int64[:, ::1]
    entry = compile_entry(
        _words, "float64", types.void(matrix, matrix), "test-words", from_python=True
    )

    def call(asked):
        given = np.zeros((4, asked.shape[1]), np.int64)
        entry.call(np.ascontiguousarray(asked, np.int64), given)
        return given

    return call


@pytest.fixture(scope="module")
def draw():
    """``draw(normals, n, dtype)``: two rows of n numbers, of counters from *first* on."""
    entries = {}

    def call(what, n, dtype="float64", first=0, run=0, step=0, key=(1, 2)):
        if (what, dtype) not in entries:
            matrix = getattr(types, dtype)[:, ::1]
            signature = types.void(matrix, *[types.int64] * 5)
            label = f"test-{what.__name__}-{dtype}"
            entries[what, dtype] = compile_entry(
                _draw(what), dtype, signature, label, from_python=True
            )
        out = np.zeros((2, n), dtype)
        entries[what, dtype].call(out, first, run, step, *key)
        return out

    return call


# -- words -------------------------------------------------------------------------------


def test_known_answers(words):
    table = np.array([[int(word, 16) for word in line.split()] for line in KNOWN]).T
    assert np.array_equal(words(table[:6]), table[6:])
    for column in table.T.tolist():
        assert list(philox(column[:4], column[4:6])) == column[6:]


def test_random_counters_and_keys(words):
    asked = np.random.default_rng(4).integers(0, 2**32, (6, 1000))
    expected = [philox(column[:4], column[4:]) for column in asked.T.tolist()]
    assert np.array_equal(words(asked), np.transpose(expected))


def test_rounds_are_vectorised_by_the_short_product(tmp_path, monkeypatch):
    matrix = types.float64[:, ::1]
    signature = types.void(matrix, *[types.int64] * 5)
    # Only what was compiled in this process has a text.
    monkeypatch.setenv("FASTOPT_CACHE_DIR", str(tmp_path / "cache"))
    entry = compile_entry(_draw(normals), "float64", signature, "test-assembly", from_python=True)
    text = entry.assembly()
    assert text.count("pmuludq") >= 18
    assert "pmullq" not in text


# -- uniform numbers ---------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "bits"), [("float64", 53), ("float32", 24)])
def test_uniform_numbers_are_odd_multiples_in_the_open_interval(draw, words, dtype, bits):
    u = draw(uniforms, 100_000, dtype)
    assert u.min() > 0
    assert u.max() < 1
    odd = u.astype(np.float64) * 2.0**bits
    assert np.all(odd % 2 == 1)
    asked = np.zeros((6, 5), np.int64)
    asked[0], asked[4:] = np.arange(5), [[1], [2]]
    a, b, c, d = words(asked).astype("u8")
    if bits == 53:
        expected = [(high << 32 | low) >> 12 for high, low in ((a, b), (c, d))]
    else:
        expected = [a >> 9, c >> 9]
    assert np.array_equal((odd[:, :5] - 1) / 2, expected)


def test_the_extreme_words_give_neither_0_nor_1():
    def extreme(out):
        for j in range(out.shape[1]):
            low, high = uniforms(0, 0, WORD, WORD)
            put(out, 0, 0, j, low)
            put(out, 1, 1, j, high)

    for dtype, bits in (("float64", 53), ("float32", 24)):
        signature = types.void(getattr(types, dtype)[:, ::1])
        out = np.zeros((2, 1), dtype)
        compile_entry(extreme, dtype, signature, "test-extreme", from_python=True).call(out)
        assert out.ravel().tolist() == [2.0**-bits, 1 - 2.0**-bits]


# -- normal numbers ----------------------------------------------------------------------


def check_normal(z):
    """Moments to the fourth within 5 standard errors, and Kolmogorov's distance."""
    n = z.size
    # Standard errors of the means of z, z², z³, z⁴ are the roots of 1, 2, 15, 96 over n.
    for power, (mean, variance) in enumerate([(0, 1), (1, 2), (0, 15), (3, 96)], 1):
        found = np.mean(z.astype(np.float64) ** power)
        assert abs(found - mean) < 5 * np.sqrt(variance / n), power
    z = np.sort(z.ravel())
    share = stats.norm.cdf(z)
    distance = max(np.max(np.arange(1, n + 1) / n - share), np.max(share - np.arange(n) / n))
    assert stats.kstwobign.sf(distance * np.sqrt(n)) > 1e-3


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_million_normal_numbers(draw, dtype):
    z = draw(normals, 500_000, dtype)
    assert z.dtype == dtype
    check_normal(z)
    # The two of a pair are independent, as are their sizes.
    for a, b in ((z[0], z[1]), (z[0] ** 2, z[1] ** 2)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(a.size)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_normal_numbers_are_those_of_the_formula(draw, words, dtype):
    n = 10_000
    u, v = draw(uniforms, n, dtype).astype(np.float64)
    asked = np.zeros((6, n), np.int64)
    asked[0], asked[4], asked[5] = np.arange(n), 1, 2
    exact = np.stack(normal_pair(u, v, words(asked)[3]))
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(draw(normals, n, dtype), exact, rtol=4 * eps, atol=4 * eps)


def test_neighbours_are_not_correlated(draw):
    n = 200_000
    streams = [
        draw(normals, n),
        draw(normals, n, first=1),
        draw(normals, n, run=1),
        draw(normals, n, step=1),
        draw(normals, n, key=(2, 2)),
        draw(normals, n, key=(1, 3)),
    ]
    rows = np.concatenate([stream[:1] for stream in streams])
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 5 / np.sqrt(n)
    squares = np.corrcoef(rows**2) - np.eye(len(rows))
    assert np.abs(squares).max() < 5 / np.sqrt(n)
    z = streams[0].ravel()
    for lag in (1, 2, 3, 7, 64, 512):
        assert abs(np.corrcoef(z[lag:], z[:-lag])[0, 1]) < 5 / np.sqrt(n)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_hundred_million_normal_numbers(draw, dtype):
    part, parts = 5_000_000, 10
    beyond, tails = np.array([3.0, 4.0, 5.0, 5.5]), 0
    # Counts in equally likely bins, of the size of Kolmogorov's test on all numbers.
    edges = stats.norm.ppf(np.linspace(0, 1, 2001))
    counts = np.zeros(2000)
    for k in range(parts):
        z = draw(normals, part, dtype, first=k * part)
        if k == 0:
            check_normal(z)
        counts += np.histogram(z, edges)[0]
        tails = tails + np.array([[np.sum(z > t), np.sum(z < -t)] for t in beyond])
    n = 2 * part * parts
    distance = np.abs(np.cumsum(counts) / n - np.linspace(0, 1, 2001)[1:]).max()
    assert stats.kstwobign.sf(distance * np.sqrt(n)) > 1e-3
    assert stats.chisquare(counts).pvalue > 1e-3
    expected = n * stats.norm.sf(beyond)
    # 29 beyond 5 standard deviations on each side; Poisson's distribution.
    allowed = 5 * np.sqrt(expected) + 1
    if dtype == "float32":
        allowed += 0.02 * expected  # the radius comes in steps there
    assert np.all(np.abs(tails - expected[:, None]) < allowed[:, None])
    if dtype == "float64":
        assert np.all(tails > 0)
