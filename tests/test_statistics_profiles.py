"""Runtime distributions, profiles and rates, against their definitions and worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from made_up import make_runs

import fastopt as fo
from fastopt.statistics import (
    Counts,
    convergence_rate,
    data_profile,
    ecdf,
    ert,
    performance_profile,
)

# -- ECDF over targets and surfaces ------------------------------------------------------

PROBLEM = st.lists(st.one_of(st.integers(0, 30), st.just(math.inf)), min_size=1, max_size=8)


def counts_of(times):
    """Runs that converged at these steps; where inf, at the budget of 40 they had not."""
    hits = [t for t in times if t < math.inf]
    return Counts.from_steps(converged=hits, censored=[40] * (len(times) - len(hits)))


@given(st.lists(PROBLEM, min_size=1, max_size=4))
def test_ecdf_is_the_share_of_problems_and_runs(problems):
    """COCO's formula, the sum over problems and their K runs, each problem repeated to one K."""
    found = ecdf(map(counts_of, problems))
    K = math.lcm(*map(len, problems))
    times = np.concatenate([np.repeat(times, K // len(times)) for times in problems])
    for budget in (0, 1, 5.5, 17, 30, 39, 40):
        assert found.at(budget) == pytest.approx((times <= budget).mean(), rel=1e-12)
    assert found.pairs == len(problems)
    assert found.observed == max(t if t < math.inf else 40 for times in problems for t in times)
    assert max(map(len, repr(found).splitlines())) <= 80


def test_ecdf_worked_by_hand():
    """Two surfaces of 2 and 4 coordinates, two targets each."""
    problems = [counts_of(t) for t in ([2, 4], [6, math.inf], [8, 16], [math.inf, math.inf])]
    found = ecdf(problems, per_dim=True, dim=[2, 2, 4, 4])
    # Of the 8 runs: at 1, 2, 3 (of 2 coordinates) and 2, 4 (of 4); 3 never.
    assert found.budget.tolist() == [0, 1, 2, 3, 4, 20]
    assert found.share.tolist() == [0, 1 / 8, 3 / 8, 4 / 8, 5 / 8, 5 / 8]
    assert found.observed == 20


def test_ecdf_of_runs_takes_every_target_and_the_dimension():
    starts = np.random.default_rng(0).uniform(-2, 2, (5, 4))
    runs = fo.run(fo.GradientDescent(0.1), fo.Sphere(4), starts, max_steps=50)
    assert ecdf(runs).pairs == 1
    np.testing.assert_array_equal(ecdf(runs).budget[1:], np.unique(runs.steps))
    steps = np.stack([runs.steps // 4, np.full(5, -1)], axis=-1)
    object.__setattr__(runs, "targets", np.array([1.0, 0.0]))
    object.__setattr__(runs, "target_steps", steps)
    found = ecdf([runs, runs], per_dim=True)
    assert found.pairs == 4
    assert found.share[-1] == 0.5
    np.testing.assert_array_equal(np.unique(steps[:, 0]) / 4, found.budget[1:-1])


def test_simulated_restarts_leave_successes_as_they_are():
    problem = counts_of([10, 20, 30, math.inf])
    plain, simulated = ecdf(problem), ecdf(problem, restarts=True, draws=20_000)
    assert simulated.at([10, 20, 30, 39]).tolist() == plain.at([10, 20, 30, 39]).tolist()
    assert simulated.share[-1] == pytest.approx(1, rel=1e-12)
    # A failed run takes 40 steps; then each of the four comes next with the same probability.
    for budget, share in ((50, 1 / 4), (60, 2 / 4), (70, 3 / 4), (90, 13 / 16)):
        assert simulated.at(budget) == pytest.approx(3 / 4 + share / 4, abs=0.003)
    assert simulated.observed == 40
    assert (
        ecdf(problem, restarts=True, seed=1).share.size != ecdf(problem, restarts=True).share.size
    )


def test_the_mean_of_simulated_restarts_is_ert():
    for problem in (counts_of([3, 9, math.inf, math.inf]), counts_of([5] + [math.inf] * 30)):
        found = ecdf(problem, restarts=True, draws=20_000)
        mean = float((found.budget * np.diff(found.share, prepend=0)).sum())
        assert mean == pytest.approx(ert(problem).value, rel=0.02)


def test_restarts_of_what_never_succeeds_do_not_end():
    none = counts_of([math.inf])
    assert ecdf(none, restarts=True).share.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([],), "runs is empty: must hold one batch or more"),
        ((Counts([], [], [], []),), "a batch holds no runs"),
        ((counts_of([1]), {"per_dim": True}), "counts do not know their dim; give dim="),
        ((counts_of([1]), {"dim": 2}), "dim=2: goes with per_dim=True"),
        ((counts_of([1]), {"per_dim": True, "dim": [1, 2]}), "dim holds 2: must be 1"),
    ],
)
def test_ecdf_refuses(arguments, reason):
    batches, options = arguments[0], arguments[1] if len(arguments) > 1 else {}
    with pytest.raises(ValueError, match=reason):
        ecdf(batches, **options)


# -- performance profiles ----------------------------------------------------------------

COSTS = st.lists(
    st.lists(st.sampled_from([0, 1, 2, 3, 5, 8, math.inf]), min_size=3, max_size=3), max_size=12
)


@given(COSTS.filter(len))
def test_performance_profile_is_its_definition(costs):
    found = performance_profile(costs)
    for tau in (1, 1.2, 2, 3, 8, 1e9):
        for solver in range(3):
            solved = sum(row[solver] < math.inf and row[solver] <= tau * min(row) for row in costs)
            assert found.at(tau)[solver] == solved / len(costs)
    assert found.at(0.5).tolist() == [0, 0, 0]
    assert found.share.shape == (found.tau.size, 3)
    assert max(map(len, repr(found).splitlines())) <= 80


def test_performance_profile_of_runs():
    starts = fo.starts.Uniform([-6, -6], [6, 6], n=40, seed=1)
    runs = {
        name: fo.run(fo.GradientDescent(rate), fo.Himmelblau(), starts, max_steps=60)
        for name, rate in (("slow", 0.005), ("fast", 0.02))
    }
    found = performance_profile(runs)
    costs = [np.where(r.success, r.steps, np.inf) for r in runs.values()]
    expected = performance_profile(np.stack(costs, axis=1), names=["slow", "fast"])
    assert repr(found) == repr(expected)
    np.testing.assert_array_equal(found.share, expected.share)
    same = performance_profile(dict(zip(runs, costs, strict=True)))
    np.testing.assert_array_equal(found.share, same.share)
    assert 0 < runs["fast"].success.mean() == found.share[-1, 1]


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        ([[1, math.nan]], "costs holds nan: must be >= 0, and inf for a failure"),
        ([[1, -1]], "costs holds -1.0: must be >= 0"),
        ({}, "costs is empty: must hold one solver or more"),
        ([1, 2], r"costs has shape \(2,\): must be \(problems, solvers\)"),
        ({"a": [1, 2], "b": [1]}, r"the shapes a: \(2,\), b: \(1,\)"),
    ],
)
def test_performance_profile_refuses(costs, reason):
    with pytest.raises(ValueError, match=reason):
        performance_profile(costs)
    with pytest.raises(ValueError, match="1 names for 2 solvers"):
        performance_profile([[1, 2]], names=["a"])


# -- data profiles -----------------------------------------------------------------------


def recorded(rate, surface, starts, **options):
    options = {"record": fo.Record(every=1), "max_steps": 30, "stop": None} | options
    return fo.run(fo.GradientDescent(rate), surface, starts, **options)


@pytest.fixture(scope="module")
def solvers():
    """Three rates on two surfaces, one of which makes runs diverge; one start is nan."""
    starts = np.random.default_rng(1).uniform(-4, 4, (20, 2))
    starts[7] = np.nan
    surfaces = (fo.Himmelblau(), fo.Bowl())
    return {r: [recorded(r, s, starts) for s in surfaces] for r in (0.003, 0.01, 0.09)}


@pytest.mark.parametrize("tau", [0.0, 1e-3, 0.1, 0.5])
@pytest.mark.parametrize("best", ["found", "known"])
def test_data_profile_is_its_definition(solvers, tau, best):
    found = data_profile({str(rate): runs for rate, runs in solvers.items()}, tau, best=best)
    assert found.problems == 40
    solved = {rate: [] for rate in solvers}
    for surface in (0, 1):
        for k in range(20):
            curves = {rate: runs[surface].trajectory_fun[:, k] for rate, runs in solvers.items()}
            everything = [f for curve in curves.values() for f in curve if math.isfinite(f)]
            least = min(everything, default=math.nan) if best == "found" else 0.0
            for rate, curve in curves.items():
                start = curve[0]
                hits = [t for t, f in enumerate(curve) if start - f >= (1 - tau) * (start - least)]
                solved[rate].append(hits[0] / 3 if hits else math.inf)
    for budget in (0, 1, 2.5, 5, 10):
        expected = [np.mean(np.array(times) <= budget) for times in solved.values()]
        assert found.at(budget).tolist() == expected
    assert 0 < found.share[-1].max() < 1
    assert max(map(len, repr(found).splitlines())) <= 80


def test_data_profile_refuses():
    surface, starts = fo.Himmelblau(), [[1.0, 1.0], [2.0, 2.0]]
    good = recorded(0.01, surface, starts)
    cases = [
        (
            recorded(0.01, surface, starts, record=None),
            "b: no steps were recorded; give fo.run record=",
        ),
        (
            recorded(0.01, surface, starts, record=fo.Record([5])),
            "b was recorded from step 5 on: must be 0",
        ),
        (recorded(0.01, surface, [[1.0, 1.0], [2.0, 3.0]]), "a and b have recorded different"),
        (recorded(0.01, surface, starts[:1]), r"a has shape \(2,\) and b \(1,\)"),
        ([good, good], "a has 1, b has 2: must be runs on the same surfaces"),
    ]
    for other, reason in cases:
        with pytest.raises(ValueError, match=reason):
            data_profile({"a": good, "b": other})
    with pytest.raises(ValueError, match=r"tau=1.0: must be < 1"):
        data_profile({"a": good}, 1)
    with pytest.raises(ValueError, match="best='least': must be 'found' or 'known'"):
        data_profile({"a": good}, best="least")
    with pytest.raises(ValueError, match="runs is empty"):
        data_profile({})


# -- rates -------------------------------------------------------------------------------


def with_values(values, steps=None, status=fo.Status.MAX_STEPS, surface=None):
    """Runs whose recorded values are these, (k, runs)."""
    values = np.asarray(values, float)
    k, n = values.shape
    return make_runs(
        x=np.zeros((n, 2)),
        fun=values[-1],
        steps=np.full(n, k - 1) if steps is None else np.array(steps),
        status=np.full(n, status, np.int8),
        trajectory=np.zeros((k, n, 2)),
        trajectory_fun=values,
        trajectory_steps=np.arange(k),
        surface=fo.Bowl() if surface is None else surface,
        max_steps=k - 1,
    )


def test_linear_rates_are_those_of_theory():
    surface = fo.Quadratic(np.diag([1.0, 100.0]))
    runs = recorded(2 / 101, surface, [[1.0, 1.0], [2.0, -1.0]], max_steps=400)
    distance = convergence_rate(runs, quantity="distance")
    value = convergence_rate(runs)
    assert distance.value == pytest.approx(99 / 101, rel=1e-6)
    assert value.value == pytest.approx((99 / 101) ** 2, rel=1e-6)
    assert distance.r_squared == pytest.approx(1, abs=1e-9)
    assert convergence_rate(runs, "best").model == "linear"


def test_sublinear_rates_are_fitted_in_both_logarithms():
    t = np.arange(60.0)[:, None]
    with np.errstate(divide="ignore"):
        values = np.where(t > 0, [3.0, 5.0] / t ** [1.5, 2.5], 9.0)
    found = convergence_rate(with_values(values), "sublinear")
    assert found.value == pytest.approx(2.0)
    np.testing.assert_allclose(found.per_run, [1.5, 2.5])
    half = scipy.stats.t.ppf(0.975, 1) * np.std([1.5, 2.5], ddof=1) / math.sqrt(2)
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half))
    assert convergence_rate(with_values(values), "best").model == "sublinear"


def test_one_run_has_the_interval_of_its_line():
    rng = np.random.default_rng(0)
    t = np.arange(40)
    values = np.exp(-0.1 * t + rng.normal(0, 0.05, 40))[:, None]
    line = scipy.stats.linregress(t, np.log(values[:, 0]))
    half = scipy.stats.t.ppf(0.95, 38) * line.stderr
    found = convergence_rate(with_values(values), confidence=0.9)
    ends = np.exp([line.slope, line.slope - half, line.slope + half])
    assert (found.value, found.low, found.high) == pytest.approx(tuple(ends), rel=1e-10)
    assert found.r_squared == pytest.approx(line.rvalue**2)
    part = scipy.stats.linregress(t[10:31], np.log(values[10:31, 0]))
    assert convergence_rate(with_values(values), between=(10, 30)).value == pytest.approx(
        math.exp(part.slope)
    )


def test_several_runs_are_one_observation_each():
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.05, 0.2, 12)
    values = np.exp(-rates * np.arange(30)[:, None])
    found = convergence_rate(with_values(values))
    expected = scipy.stats.ttest_1samp(-rates, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(expected)))
    np.testing.assert_allclose(found.per_run, np.exp(-rates))
    assert (found.runs, found.per_run.shape) == (12, (12,))
    assert "12 runs" in repr(found)


def test_what_is_not_part_of_the_descent_is_not_fitted():
    """After its last step, at the level of rounding, and in runs that diverged."""
    surface = fo.Bowl().shifted([0.0, 0.0])
    t = np.arange(30.0)
    ended = np.maximum(0.5**t, 0.5**12)
    expected = convergence_rate(with_values(0.5 ** t[:, None])).value
    runs = with_values(np.stack([ended, 0.9**t], axis=1), steps=[12, 29])
    np.testing.assert_allclose(convergence_rate(runs).per_run, [expected, 0.9])
    lost = with_values(np.stack([0.5**t, 2.0**t], axis=1))
    lost.status[1] = fo.Status.DIVERGED
    found = convergence_rate(lost)
    assert (found.runs, found.value) == (1, pytest.approx(0.5))
    assert math.isnan(found.per_run[1])
    gone = with_values(np.where(t < 10, 0.5**t, 0.0)[:, None])
    assert convergence_rate(gone).value == pytest.approx(0.5)
    offset = fo.SixHumpCamel()
    noisy = np.maximum(0.1 ** t[:, None], 2e-15) + offset.fun_min
    assert convergence_rate(with_values(noisy, surface=offset)).value == pytest.approx(
        0.1, rel=0.02
    )
    assert surface.fun_min == 0


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"model": "cubic"}, ValueError, "model='cubic': must be 'linear', 'sublinear' or"),
        ({"quantity": "time"}, ValueError, "quantity='time': must be 'value' or 'distance'"),
        ({"between": (5, 2)}, ValueError, r"between\[1\]=2: must be >= 5"),
        ({"between": 5}, TypeError, "between=5: must be the first and the last step"),
        ({"between": (5, 6)}, ValueError, "no run has 3 recorded points to fit between steps 5"),
    ],
)
def test_rates_refuse(options, error, reason):
    with pytest.raises(error, match=reason):
        convergence_rate(with_values(0.5 ** np.arange(9.0)[:, None]), **options)


def test_rates_need_a_record_and_a_minimum():
    surface = fo.surfaces.from_sympy("x**2 + y**2")
    runs = fo.run(fo.GradientDescent(0.1), surface, [[1.0, 1.0]], max_steps=5)
    with pytest.raises(ValueError, match=r"runs: no steps were recorded; give fo.run record="):
        convergence_rate(runs)
    with pytest.raises(TypeError, match="runs: a Counts: must be Runs, with a record"):
        convergence_rate(Counts.of(runs))
    values = with_values(0.5 ** np.arange(9.0)[:, None], surface=surface)
    for quantity, reason in (("value", "fun_min is nan"), ("distance", "no minimum of")):
        with pytest.raises(ValueError, match=reason):
            convergence_rate(values, quantity=quantity)
    with pytest.raises(ValueError, match="fun_min is nan"):
        data_profile({"a": values}, best="known")
