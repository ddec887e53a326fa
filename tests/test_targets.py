"""The first steps at which targets are reached, against looking at every step of every run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import same_bits

import fastopt as fo
import fastopt.slices
from fastopt.stopping import target_levels

LOG = np.logspace(2, -8, 51)
# Unsorted, some of them twice, above every start and below all that is ever reached.
MIXED = np.random.default_rng(5).permutation([*np.logspace(3, -14, 40), *LOG[::5], 0.0, 1e300])
RESULTS = ("x", "fun", "grad_norm", "steps", "status")


def first_steps(values, last, targets, fun_min, dtype="float64"):
    """By the definition: *values* (steps, n) of runs that end at the steps *last* (n,)."""
    found = np.full((values.shape[1], len(targets)), -1)
    real = np.dtype(dtype).type
    with np.errstate(over="ignore"):
        limits = [min(real(target), np.finfo(dtype).max) for target in targets]
    for run, end in enumerate(last):
        for place, limit in enumerate(limits):
            for t in range(end + 1):
                if values[t, run] - real(fun_min) <= limit:
                    found[run, place] = t
                    break
    return found


def compare(rule, surface, starts, targets=MIXED, threads=1, record=None, **options):
    """Run with targets, and without but keeping every step; the definition decides."""
    runs = fo.run(rule, surface, starts, targets=targets, threads=threads, record=record, **options)
    plain = fo.run(rule, surface, starts, record=fo.Record(every=1), **options)
    for name in RESULTS:
        assert same_bits(getattr(runs, name), getattr(plain, name)), name
    values = plain.trajectory_fun.reshape(len(plain.trajectory_fun), -1)
    dtype = options.get("dtype", "float64")
    expected = first_steps(values, plain.steps.ravel(), targets, surface.fun_min, dtype)
    assert same_bits(runs.target_steps, expected.reshape(*runs.steps.shape, len(targets)))
    assert same_bits(runs.targets, np.asarray(targets, float))
    if record is not None:
        assert same_bits(runs.trajectory, plain.trajectory[runs.trajectory_steps])
    return runs


def starts_of(surface, n=70, reach=2.0):
    rng = np.random.default_rng(9)
    spread = rng.choice([0.1, 1.0, reach], (n, 1))
    starts = surface.minima[0] + rng.normal(size=(n, surface.dim)) * spread
    starts[3], starts[n - 7], starts[5] = np.nan, 1e11, surface.minima[0]
    return starts


STOPS = {
    "none": None,
    "gradient": fo.Stop(gradient=1e-2),
    "value": fo.Stop(value=1e-4),
    "distance": fo.Stop(distance=1e-2),
    "all": fo.Stop(gradient=1e-2, value=1e-4, distance=1e-2),
}
PAIRS = {
    "fused": (fo.GradientDescent(0.01), fo.Himmelblau()),
    "staged": (fo.Momentum(1e-3), fo.Rosenbrock(dim=10)),
    "iterated": (fo.BFGS(), fo.Rosenbrock()),
}
CASES = [("fused", stop, "float64") for stop in STOPS]
CASES += [("staged", "none", "float64")]
CASES += [pytest.param("staged", "value", "float32", marks=pytest.mark.slow)]
CASES += [("iterated", "gradient", "float64")]


@pytest.mark.parametrize(("pair", "stop", "dtype"), CASES)
def test_targets_are_those_of_looking_at_every_step(pair, stop, dtype):
    rule, surface = PAIRS[pair]
    starts = starts_of(surface, reach=8.0 if pair == "fused" else 2.0)
    for max_steps in (0, 1, 33, 300):
        runs = compare(rule, surface, starts, max_steps=max_steps, stop=STOPS[stop], dtype=dtype)
    statuses = {*runs.status.tolist()}
    assert statuses >= {fo.Status.DIVERGED, fo.Status.CONVERGED if stop != "none" else 1}
    assert len(np.unique(runs.target_steps)) > 20


@pytest.mark.parametrize(("dtype", "stop"), [("float64", "none"), ("float32", "gradient")])
def test_a_rule_that_goes_up_and_down(dtype, stop):
    surface = fo.Rosenbrock()
    options = {"stop": STOPS[stop], "dtype": dtype, "max_steps": 200}
    runs = compare(fo.Adam(0.2), surface, starts_of(surface), **options)
    assert (runs.target_steps > 0).any()


# -- known steps -------------------------------------------------------------------------

# On the sphere, whose gradient is 2 x, a learning rate of 1/4 halves x: all numbers are exact.
HALVING, SPHERE = fo.GradientDescent(0.25), fo.Sphere(2)


@pytest.mark.parametrize("stop", [None, fo.Stop(distance=1.0), fo.Stop(gradient=0.0)])
@pytest.mark.parametrize("max_steps", [0, 1, 31, 32, 33, 64, 255, 256, 257, 400])
def test_known_steps(max_steps, stop):
    # Run k is 2^k long and so 2^(k - t) at step t, when its value is 4^(k - t).
    k = np.arange(-20, 33)
    levels = np.arange(40, -300, -7)  # the target 4^m is reached at step k - m
    targets = 4.0**levels
    runs = fo.run(
        HALVING, SPHERE, 2.0 ** k[:, None] * [0, 1], max_steps=max_steps, stop=stop, targets=targets
    )
    first = np.maximum(k[:, None] - levels, 0)
    ended_early = stop is not None and stop.distance is not None
    last = np.minimum(np.maximum(k, 0), max_steps) if ended_early else np.full(len(k), max_steps)
    assert same_bits(runs.steps, last)
    assert same_bits(runs.target_steps, np.where(first <= last[:, None], first, -1))


def test_equal_is_reached_and_an_ulp_below_is_not():
    value = float(fo.run(HALVING, SPHERE, [0.3, 0.7], max_steps=0, stop=None).fun)
    targets = [value, np.nextafter(value, 0), np.nextafter(value, 9)]
    runs = fo.run(HALVING, SPHERE, [0.3, 0.7], max_steps=5, stop=None, targets=targets)
    assert runs.target_steps.tolist() == [0, 1, 0]


class Hill(fo.surfaces.PointSurface):
    """The further out the lower, with a slope that doubles x at a rate of 1/4."""

    name = "test_hill"

    def __init__(self):
        super().__init__(1, [-1.0, 1.0], [[0.0]], 0.0)

    @staticmethod
    def kernel_value(q, x):
        return 1.0 / (x[0] * x[0])

    @staticmethod
    def kernel_gradient(q, x):
        return (-4.0 * x[0],)


class Cliff(Hill):
    """Slope 1; the value is not a number below 0, and lower still, but for that, below -9."""

    name = "test_cliff"

    @staticmethod
    def kernel_value(q, x):
        return -9.0 if x[0] <= -9.0 else math.sqrt(x[0])

    @staticmethod
    def kernel_gradient(q, x):
        return (1.0,)


@pytest.mark.parametrize("max_steps", [33, 64, 90, 300])
@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=0.0)])
def test_the_point_at_which_a_run_diverges_counts(stop, max_steps):
    # 2^k long, so 2^(k + t) at step t; beyond 10^10 from 2^34 on.
    k = np.arange(-70, 40)
    levels = np.arange(64, 80)  # 4^-m is reached at step m - k, and 2 m is at most 2 * 34
    targets = 4.0 ** -(levels / 2)
    starts = 2.0 ** k[:, None]
    rule = fo.GradientDescent(0.25)
    runs = fo.run(rule, Hill(), starts, max_steps=max_steps, stop=stop, targets=targets)
    last = np.minimum(np.maximum(34 - k, 0), max_steps)
    assert same_bits(runs.steps, last)
    first = np.maximum(-(-levels // 2) - k[:, None], 0)
    assert same_bits(runs.target_steps, np.where(first <= last[:, None], first, -1))
    at_the_end = runs.target_steps == runs.steps[:, None]
    assert (at_the_end & (runs.status == fo.Status.DIVERGED)[:, None]).sum() > 30


class Abyss(Hill):
    """Of value -inf at 0, where slope 1 leads."""

    name = "test_abyss"

    @staticmethod
    def kernel_value(q, x):
        return -1.0 / abs(x[0]) if x[0] > 0.0 else -math.inf

    @staticmethod
    def kernel_gradient(q, x):
        return (1.0 if x[0] > 0.0 else 0.0,)


@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=0.5)])
def test_minus_infinity_reaches_all(stop):
    k = np.arange(70)
    surface = Abyss()
    surface.fun_min = -0.5  # reached at x = 2, with an ulp of doubt nowhere
    runs = fo.run(
        fo.GradientDescent(0.5), surface, k[:, None] / 2.0, max_steps=90, stop=stop,
        targets=[0.0, 0.25],
    )  # fmt: skip
    assert same_bits(runs.target_steps, np.maximum(k[:, None] - [4, 8], 0))


def test_nan_reaches_nothing_and_hides_nothing():
    k = np.arange(80)
    targets = [5.0, 0.0, 1e300]
    rule = fo.GradientDescent(0.5)
    runs = compare(rule, Cliff(), k[:, None] / 2.0, targets, max_steps=99, stop=None)
    assert same_bits(runs.target_steps[:, 1], np.where(k >= 0, k, -1))
    lost = fo.run(rule, Cliff(), [[-1.0], [np.nan]], max_steps=5, stop=None, targets=targets)
    assert (lost.target_steps == -1).all()
    # What comes after nan counts again.
    late = fo.run(rule, Cliff(), [[-1.0]], max_steps=50, stop=None, targets=targets)
    assert (late.target_steps == 16).all()


for _cls in (Hill, Cliff, Abyss):
    del fo.surfaces.base.registry[_cls.name]  # not to be listed in other tests


# -- with everything else that a run can have --------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"record": fo.Record(steps=[0, 1, 7, 31, 33, 40, 77, 119])},
        {"record": fo.Record(every=3), "stop": None},
        {"rule": fo.GradientDescent(fo.schedules.Cosine(0.01, steps=120))},
        {"rule": fo.GradientDescent(np.geomspace(1e-4, 2e-2, 70))},
        {"noise": fo.noise.gaussian(0.5), "seed": 3},
        {"surface": fo.Himmelblau().boxed([0.0, 2.5])},
        {"surface": fo.StyblinskiTang(2), "rule": fo.GradientDescent(5e-3)},
    ],
    ids=["odd records", "records", "schedule", "parameters", "noise", "box", "fun_min"],
)
def test_with_other_options(options):
    surface = options.pop("surface", fo.Himmelblau())
    rule = options.pop("rule", fo.GradientDescent(0.01))
    options = {"max_steps": 120, "stop": STOPS["gradient"]} | options
    if math.isnan(surface.fun_min):
        surface.fun_min = 0.0
    runs = compare(rule, surface, starts_of(fo.Himmelblau(), reach=4.0), **options)
    assert (runs.target_steps > 0).any()


@pytest.mark.parametrize("targets", [[1.0], LOG, LOG[::-1], [1e-3] * 3 + [7, 0]])
def test_any_number_in_any_order(targets):
    surface = fo.Himmelblau()
    runs = compare(fo.GradientDescent(0.01), surface, starts_of(surface), targets, max_steps=90)
    assert runs.targets.dtype == np.float64
    assert runs.target_steps.dtype == np.int64


def test_the_same_for_any_threads_slices_and_tiles(cut):
    surface = fo.Himmelblau()
    starts = np.random.default_rng(2).uniform(-6, 6, (300, 2))
    arguments = (fo.GradientDescent(0.01), surface, starts)
    options = {"targets": MIXED, "max_steps": 200}
    whole = fo.run(*arguments, **options, threads=1)
    for runs_a_slice, lanes in ((1, 32), (7, 64), (101, 512), (1 << 16, 64)):
        cut(runs_a_slice, lanes)
        runs = fo.run(*arguments, **options, threads=3)
        for name in (*RESULTS, "target_steps"):
            assert same_bits(getattr(runs, name), getattr(whole, name))


@pytest.mark.parametrize("n", [20, 40, 100, 130, 300])
def test_batches_that_fill_the_groups_of_neither_block(n):
    """With targets, blocks advance other numbers of runs together than without."""
    starts = starts_of(fo.Himmelblau(), n)
    compare(fo.Momentum(0.01), fo.Himmelblau(), starts, LOG[::5], max_steps=100)


def test_the_same_where_the_driver_comes_back_often(monkeypatch):
    surface = fo.Himmelblau()
    starts = np.random.default_rng(2).uniform(-6, 6, (300, 2))
    arguments = (fo.GradientDescent(0.01), surface, starts)
    options = {"targets": MIXED, "max_steps": 200}
    whole = fo.run(*arguments, **options)
    monkeypatch.setattr(fastopt.slices, "_FIRST_BUDGET", 1)
    monkeypatch.setattr(fastopt.slices, "_PERIOD", 1e-9)
    assert same_bits(fo.run(*arguments, **options).target_steps, whole.target_steps)


# -- arguments and results ---------------------------------------------------------------


def test_shapes_follow_the_batch():
    for shape in ((), (1,), (3, 2), (0,)):
        starts = np.zeros((*shape, 2))
        runs = fo.run(HALVING, SPHERE, starts, max_steps=3, targets=[1.0, 0.5])
        assert runs.target_steps.shape == (*shape, 2)
    none = fo.run(HALVING, SPHERE, [1.0, 1.0], max_steps=3)
    assert none.targets is None
    assert none.target_steps is None


def test_xarray_has_the_targets():
    starts = np.ones((3, 2, 2))
    data = fo.run(HALVING, SPHERE, starts, max_steps=9, targets=[1.0, 1e-2]).to_xarray()
    assert data["target_steps"].dims == ("run_0", "run_1", "target")
    assert (data["target_steps"].sel(target=1e-2) == 4).all()
    assert "target" not in fo.run(HALVING, SPHERE, starts, max_steps=9).to_xarray()


def test_whole_numbers_and_later_changes_of_the_argument():
    targets = np.array([1, 0])
    runs = fo.run(HALVING, SPHERE, [2.0, 0.0], max_steps=3, targets=targets)
    targets[0] = 7
    assert same_bits(runs.targets, np.array([1.0, 0.0]))
    assert runs.target_steps.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        ([], ValueError, r"targets has shape \(0,\): must be \(k,\), with k from 1 to 10,000"),
        (1.0, ValueError, r"targets has shape \(\): must be \(k,\)"),
        ([[1.0]], ValueError, r"targets has shape \(1, 1\)"),
        (np.ones(10_001), ValueError, r"targets has shape \(10001,\)"),
        ([1.0, math.nan], ValueError, r"targets\[1\]=nan: must be finite and >= 0"),
        ([math.inf], ValueError, r"targets=inf: must be finite"),
        ([1.0, -1e-9], ValueError, r"targets\[1\]=-1e-09: must be finite and >= 0"),
        (["1"], TypeError, "targets=.*must be an array of numbers"),
        ([True], TypeError, "targets=.*must be an array of numbers"),
        ([[1.0], [1.0, 2.0]], TypeError, "targets=.*must be an array of numbers"),
        ([1j], TypeError, "targets=.*must be an array of numbers"),
    ],
)
def test_bad_targets_are_refused(targets, error, message):
    with pytest.raises(error, match=message):
        fo.run(HALVING, SPHERE, [1.0, 1.0], targets=targets)


def test_an_unknown_minimum_is_refused_and_can_be_given():
    surface = fo.Himmelblau().boxed([0.0, 1.0])
    assert math.isnan(surface.fun_min)
    with pytest.raises(ValueError, match=r"fun_min is nan.*set its fun_min, if you know it"):
        fo.run(HALVING, surface, [1.0, 1.0], targets=[1.0])
    surface.fun_min = 100.0
    runs = fo.run(HALVING, surface, [1.0, 1.0], max_steps=1, targets=[10.0])
    assert runs.target_steps == 0


def test_results_that_do_not_fit_are_refused():
    starts = fo.starts.Uniform(-1, 1, 10**9, dim=2)
    with pytest.raises(MemoryError, match=r"10,000 targets needs 80.* TB.*take fewer targets"):
        fo.run(HALVING, SPHERE, starts, targets=np.ones(10_000))


@given(
    fun_min=st.sampled_from([0.0, 1.0, -78.332331407542831, 1e-30, -1e20, 3e300, -1e39]),
    target=st.floats(0, 1e300) | st.sampled_from([78.332331407542831, 5e-324, 1e39]),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_levels_are_the_highest_values_that_reach_a_target(fun_min, target, dtype):
    real = np.dtype(dtype).type
    surface = fo.Sphere(2)
    surface.fun_min = fun_min
    (level,) = target_levels(np.array([target]), surface, dtype)
    assert level.dtype == dtype
    with np.errstate(over="ignore"):
        least, limit = real(fun_min), min(real(target), np.finfo(dtype).max)
        above = np.nextafter(level, real(np.inf))
        if np.isfinite(least):
            assert level - least <= limit
            assert not above - least <= limit or np.isinf(above)
