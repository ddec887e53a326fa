"""Counts, success rates, hitting times and running times, against their definitions.

The oracles work on one number for each run, and know nothing of counts.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import fastopt as fo
from fastopt.statistics import Counts, ert, hitting_time, success_rate

CONVERGED, MAX_STEPS, DIVERGED = fo.Status.CONVERGED, fo.Status.MAX_STEPS, fo.Status.DIVERGED
CENSORED = MAX_STEPS

# (step, how it ended) of each run: few distinct steps, so that there are ties of all kinds.
RUNS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(list(fo.Status))), max_size=40)


def counts_of(runs):
    """Counts of (step, status) pairs."""
    steps = {status: [t for t, ended in runs if ended is status] for status in fo.Status}
    return Counts.from_steps(steps[CONVERGED], steps[DIVERGED], steps[MAX_STEPS])


def example(seed=0, n=200, budgets=(30, 60)):
    """Runs with ties, divergence, and two budgets."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 80, n)
    status = np.where(rng.random(n) < 0.3, DIVERGED, CONVERGED)
    budget = rng.choice(budgets, n)
    late = steps > budget
    return [
        (int(min(t, b)), CENSORED if over else fo.Status(s))
        for t, b, over, s in zip(steps, budget, late, status, strict=True)
    ]


# -- counts ------------------------------------------------------------------------------


@given(RUNS, st.randoms(use_true_random=False))
def test_counts_merged_in_any_order_are_those_of_all_runs(runs, random):
    shuffled = runs[:]
    random.shuffle(shuffled)
    cuts = sorted(random.randrange(len(runs) + 1) for _ in range(4))
    ends = zip([0, *cuts], [*cuts, len(runs)], strict=True)
    parts = [counts_of(shuffled[a:b]) for a, b in ends]
    whole = counts_of(runs)
    assert sum(parts) == whole
    assert Counts.merge(reversed(parts)) == whole
    assert whole.runs == len(runs)
    assert whole.successes == sum(ended is CONVERGED for _, ended in runs)
    assert whole.total_steps == sum(t for t, _ in runs)
    budgets = [t for t, ended in runs if ended is CENSORED]
    assert whole.budget == (max(budgets) if budgets else None)
    assert [getattr(whole, name).dtype for name in ("steps", "converged", "stopped")] == ["i8"] * 3


def test_total_steps_do_not_overflow():
    counts = Counts([10**12], [0], [0], [10**9])
    assert counts.total_steps == 10**21


@pytest.fixture(scope="module")
def runs():
    starts = fo.starts.Uniform([-6, -6], [6, 6], n=60, seed=1)
    return fo.run(fo.GradientDescent(0.012), fo.Himmelblau(), starts, max_steps=60)


def test_counts_of_runs(runs):
    counts = Counts.of(runs)
    ends = zip(runs.steps.tolist(), map(fo.Status, runs.status), strict=True)
    assert counts == counts_of(list(ends))
    assert counts.successes == runs.success.sum()
    assert 0 < counts.successes < 60


def with_targets(runs):
    """The runs as they are with three targets, at made-up steps."""
    steps = np.full((*runs.steps.shape, 3), -1)
    steps[..., 0] = runs.steps // 2
    steps[:30, ..., 1] = runs.steps[:30] // 3
    object.__setattr__(runs, "targets", np.array([10.0, 1.0, 0.1]))
    object.__setattr__(runs, "target_steps", steps)
    return runs


def test_counts_of_a_target():
    starts = fo.starts.Uniform([-6, -6], [6, 6], n=60, seed=1)
    runs = with_targets(fo.run(fo.GradientDescent(0.012), fo.Himmelblau(), starts, max_steps=60))
    first, second, third = (Counts.of(runs, target) for target in range(3))
    assert first == Counts.from_steps(converged=runs.steps // 2)
    rest, ended = runs.steps[30:], runs.status[30:]
    assert second == Counts.from_steps(
        runs.steps[:30] // 3,
        diverged=rest[ended == DIVERGED],
        censored=rest[ended == MAX_STEPS],
        stopped=rest[ended == CONVERGED],
    )
    assert (third.successes, third.runs) == (0, 60)
    assert "stopped" in repr(third)
    # A run that stopped elsewhere will never reach the target.
    assert hitting_time(second).method == "Aalen-Johansen"
    assert success_rate(runs, target=1).value == 0.5
    with pytest.raises(ValueError, match=r"target=3: must be <= 2"):
        Counts.of(runs, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        (([1, 1], [1, 1], [0, 0], [0, 0]), ValueError, "steps are not ascending"),
        (([2, 1], [1, 1], [0, 0], [0, 0]), ValueError, "steps are not ascending"),
        (([1, 2], [1], [0, 0], [0, 0]), ValueError, r"converged has shape \(1,\): must be \(2,\)"),
        (([1], [-1], [0], [0]), ValueError, "converged holds -1: must be >= 0"),
        (([-1], [1], [0], [0]), ValueError, "steps holds -1: must be >= 0"),
        (([[1]], [[1]], [[0]], [[0]]), ValueError, r"steps has shape \(1, 1\): must be \(1,\)"),
        (([1.5], [1], [0], [0]), TypeError, "steps has dtype float64: must be whole numbers"),
    ],
)
def test_counts_refuse(arguments, error, reason):
    with pytest.raises(error, match=reason):
        Counts(*arguments)


@pytest.mark.parametrize("statistic", [success_rate, ert, hitting_time])
def test_what_is_neither_runs_nor_counts_is_refused(statistic, runs):
    with pytest.raises(TypeError, match="a list: must be Runs"):
        statistic([1, 2])
    with pytest.raises(ValueError, match=r"these runs have no targets; run them with"):
        statistic(runs, target=0)
    with pytest.raises(ValueError, match="counts are those of one target already"):
        statistic(Counts.of(runs), target=0)
    with pytest.raises(ValueError, match=r"confidence=95.0: must be < 1; 95% is 0.95"):
        statistic(runs, confidence=95)
    with pytest.raises(ValueError, match=r"confidence=0: must be finite and > 0"):
        statistic(runs, confidence=0)


# -- success rate ------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 30), (7, 30), (30, 30), (10**8, 10**9)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_success_rate_is_wilsons(k, n, confidence):
    found = success_rate(Counts([5, 9], [k, 0], [0, 0], [0, n - k]), confidence=confidence)
    expected = scipy.stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert found.value == k / n
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=1e-12, abs=1e-15)
    assert (found.low == 0, found.high == 1) == (k == 0, k == n)
    other = success_rate(Counts([5, 9], [0, 0], [k, 0], [0, n - k]), event="diverged")
    assert other.value == k / n


def test_success_rate_of_no_runs():
    found = success_rate(Counts([], [], [], []))
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0, 1)
    assert repr(found) == "- [95%: 0% to 100%]"


# -- hitting times -----------------------------------------------------------------------


def kaplan_meier(runs):
    """cdf and Greenwood's sum after each step: each run looked at again at each step."""
    survival, greenwood, rows = 1.0, 0.0, {0: (0.0, 0.0)}
    for t in sorted({t for t, _ in runs}):
        n = sum(other >= t for other, _ in runs)
        d = sum(other == t and ended is CONVERGED for other, ended in runs)
        survival *= 1 - d / n
        greenwood += d / (n * (n - d)) if n > d else 0.0
        rows[t] = (1 - survival, greenwood)
    return rows


def aalen_johansen(runs):
    """cdf after each step: the share still going times the hazard."""
    going, incidence, rows = 1.0, 0.0, {0: 0.0}
    for t in sorted({t for t, _ in runs}):
        n = sum(other >= t for other, _ in runs)
        d = sum(other == t and ended is CONVERGED for other, ended in runs)
        k = sum(other == t and ended is DIVERGED for other, ended in runs)
        incidence += going * d / n
        going *= 1 - (d + k) / n
        rows[t] = incidence
    return rows


@given(RUNS.filter(len))
def test_the_cdf_is_that_of_each_estimator_by_its_definition(runs):
    found = hitting_time(counts_of(runs))
    expected = aalen_johansen(runs)
    assert found.steps.tolist() == list(expected)
    np.testing.assert_allclose(found.cdf, list(expected.values()), rtol=1e-13, atol=1e-15)
    at_risk = [sum(other >= t for other, _ in runs) for t in expected]
    assert found.at_risk.tolist() == at_risk
    as_if = [(t, CENSORED if ended is DIVERGED else ended) for t, ended in runs]
    found = hitting_time(counts_of(runs), competing="censored")
    expected = kaplan_meier(as_if)
    assert found.method == "Kaplan-Meier"
    np.testing.assert_allclose(found.cdf, [F for F, _ in expected.values()], rtol=1e-13, atol=1e-15)
    never = [(10**6 if ended is DIVERGED else t, ended) for t, ended in runs]
    expected = kaplan_meier([(t, CENSORED if e is DIVERGED else e) for t, e in never])
    found = hitting_time(counts_of(runs), competing="never")
    for t, (F, _) in expected.items():
        assert found.at(min(t, found.steps[-1])) == pytest.approx(F, rel=1e-13, abs=1e-15)


@given(RUNS.filter(len))
def test_with_one_budget_the_cdf_is_the_share_of_runs_to_the_last_bit(runs):
    budget = 13
    runs = [(budget if ended is CENSORED else t, ended) for t, ended in runs]
    for competing in ("risk", "never"):
        found = hitting_time(counts_of(runs), competing=competing)
        for t, F in zip(found.steps, found.cdf, strict=True):
            assert sum(s <= t and ended is CONVERGED for s, ended in runs) / len(runs) == F
    # The other way round, the two kinds of ends change places.
    swapped = {CONVERGED: DIVERGED, DIVERGED: CONVERGED, CENSORED: CENSORED}
    other = hitting_time(counts_of([(t, swapped[ended]) for t, ended in runs]))
    found = hitting_time(counts_of(runs), event="diverged")
    np.testing.assert_array_equal(found.cdf, other.cdf)
    np.testing.assert_array_equal(found.low, other.low)


@given(RUNS.filter(len), st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]))
def test_quantiles_are_the_first_step_by_which_so_many_had_converged(runs, q):
    runs = [(13 if ended is CENSORED else t, ended) for t, ended in runs]
    times = sorted(t if ended is CONVERGED else math.inf for t, ended in runs)
    found = hitting_time(counts_of(runs))
    expected = np.quantile(times, q, method="inverted_cdf")
    assert found.quantile(q) == expected
    interval = found.quantile_interval(q)
    assert interval.value == expected
    assert interval.low <= interval.value <= interval.high


def test_kaplan_meier_is_that_of_scipy():
    runs = [(t, ended) for t, ended in example() if ended is not DIVERGED]
    durations = [t for t, _ in runs]
    events = np.array([ended is CONVERGED for _, ended in runs])
    uncensored, right = np.array(durations)[events], np.array(durations)[~events]
    data = scipy.stats.CensoredData(uncensored=uncensored, right=right)
    expected = scipy.stats.ecdf(data).cdf
    found = hitting_time(counts_of(runs))
    np.testing.assert_allclose(found.at(expected.quantiles), expected.probabilities, rtol=1e-13)
    interval = expected.confidence_interval(method="log-log")
    inside = (expected.probabilities > 0) & (expected.probabilities < 1)
    place = np.searchsorted(found.steps, expected.quantiles[inside])
    np.testing.assert_allclose(found.low[place], interval.low.probabilities[inside], rtol=1e-12)
    np.testing.assert_allclose(found.high[place], interval.high.probabilities[inside], rtol=1e-12)


def test_without_censoring_the_variances_are_those_of_a_share():
    runs = [(t, DIVERGED if ended is DIVERGED else CONVERGED) for t, ended in example()]
    z = scipy.stats.norm.ppf(0.975)
    found = hitting_time(counts_of(runs))
    F = found.cdf[found.cdf > 0]
    reach = z * np.sqrt(F * (1 - F) / len(runs)) / (F * -np.log(F))
    np.testing.assert_allclose(found.low[found.cdf > 0], F ** np.exp(reach), rtol=1e-9)
    np.testing.assert_allclose(found.high[found.cdf > 0], F ** np.exp(-reach), rtol=1e-9)
    found = hitting_time(counts_of(runs), competing="never")
    S = 1 - found.cdf[found.cdf > 0]
    reach = z * np.sqrt(S * (1 - S) / len(runs)) / (S * -np.log(S))
    np.testing.assert_allclose(found.low[found.cdf > 0], 1 - S ** np.exp(-reach), rtol=1e-9)
    np.testing.assert_allclose(found.high[found.cdf > 0], 1 - S ** np.exp(reach), rtol=1e-9)


# Of lifelines 0.30.3: KaplanMeierFitter, AalenJohansenFitter (which has no ties of converged
# and diverged runs here) and restricted_mean_survival_time.
STORED = Counts(
    steps=[2, 3, 5, 8, 9, 13, 20],
    converged=[1, 0, 3, 0, 2, 1, 0],
    diverged=[0, 2, 0, 1, 0, 0, 0],
    censored=[0, 0, 1, 2, 0, 0, 3],
)
KM_CDF = [0, 0.0625, 0.0625, 0.278846153846154, 0.278846153846154, 0.519230769230769]
KM_CDF += [0.639423076923077] * 2
KM_LOW = [0, 0.00904685825533358, 0.00904685825533358, 0.114424456056638, 0.114424456056638]
KM_LOW += [0.259755766566202, 0.354470063679117, 0.354470063679117]
KM_HIGH = [0, 0.367654558261097, 0.367654558261097, 0.584978151330286, 0.584978151330286]
KM_HIGH += [0.831912128076518, 0.907198454173793, 0.907198454173793]
KM_MEDIAN, KM_MEAN = (9, 5, math.inf), 9.13942307692308
AJ_CDF = [0, 0.0625, 0.0625, 0.25, 0.25, 0.435185185185185, 0.527777777777778, 0.527777777777778]
AJ_LOW = [0, 0.00409816532132047, 0.00409816532132047, 0.0775371047405283, 0.0775371047405283]
AJ_LOW += [0.172237155728817, 0.234678021020614, 0.234678021020614]
AJ_HIGH = [0, 0.246994462218279, 0.246994462218279, 0.471616563850963, 0.471616563850963]
AJ_HIGH += [0.674662043992112, 0.754454434867649, 0.754454434867649]


def test_stored_values_of_lifelines_kaplan_meier():
    found = hitting_time(STORED, competing="censored")
    np.testing.assert_allclose(found.cdf, KM_CDF, rtol=1e-12)
    np.testing.assert_allclose(found.low[1:], KM_LOW[1:], rtol=1e-12)
    np.testing.assert_allclose(found.high[1:], KM_HIGH[1:], rtol=1e-12)
    assert found.median.value == KM_MEDIAN[0]
    assert (found.median.low, found.median.high) == KM_MEDIAN[1:]
    assert found.restricted_mean(12).value == pytest.approx(KM_MEAN, rel=1e-12)


def test_stored_values_of_lifelines_aalen_johansen():
    found = hitting_time(STORED)
    np.testing.assert_allclose(found.cdf, AJ_CDF, rtol=1e-12)
    np.testing.assert_allclose(found.low[1:], AJ_LOW[1:], rtol=1e-10)
    np.testing.assert_allclose(found.high[1:], AJ_HIGH[1:], rtol=1e-10)


def test_the_interval_where_nothing_or_everything_has_happened():
    """Wilson's, whose oracle is SciPy's; elsewhere these intervals have no width."""
    n = 12

    def wilson(k):
        return scipy.stats.binomtest(k, n).proportion_ci(method="wilson")

    none = hitting_time(Counts([100], [0], [0], [n]))
    assert none.cdf.tolist() == [0, 0]
    np.testing.assert_allclose(none.high, wilson(0).high, rtol=1e-12)
    assert none.low.tolist() == [0, 0]
    every = hitting_time(Counts([3, 100], [4, 8], [0, 0], [0, 0]))
    assert every.cdf[-1] == 1
    assert every.low[-1] == pytest.approx(wilson(n).low, rel=1e-12)
    assert every.high[-1] == 1
    lost = hitting_time(Counts([3], [0], [n], [0]))
    np.testing.assert_allclose(lost.high, wilson(0).high, rtol=1e-12)
    assert repr(lost.median) == "never [95%: never]"
    # Of those that were censored before nobody knows.
    fewer = hitting_time(Counts([5, 100], [0, 0], [0, 0], [4, n - 4]))
    bound = scipy.stats.binomtest(0, n - 4).proportion_ci(method="wilson").high
    assert fewer.high[-1] == pytest.approx(bound, rel=1e-12)


def test_what_is_censored_is_shown():
    time = hitting_time(Counts([50, 10_000], [40, 0], [0, 0], [0, 60]))
    assert repr(time.median) == "> 10,000 [95%: 50 to > 10,000]"
    assert math.isinf(time.quantile(0.5))
    assert time.quantile(0.4) == 50
    lost = hitting_time(Counts([50, 10_000], [20, 0], [70, 0], [0, 10]))
    assert str(lost.median) == "never [95%: never]"
    some = hitting_time(Counts([50, 100], [1, 0], [3, 0], [0, 1]), competing="never")
    assert (str(some.quantile_interval(0.9))[:5], str(some.quantile_interval(0.3))[:5]) == (
        "never",
        "> 100",
    )
    few = Counts([50], [1], [3], [0])
    for competing, text in (("never", "never"), ("censored", "> 50")):
        p90 = hitting_time(few, competing=competing).quantile_interval(0.9)
        assert p90.text(p90.value) == text
    assert time.at([0, 49, 50, 10_000, 10_001]).tolist()[:4] == [0, 0, 0.4, 0.4]
    assert math.isnan(time.at(10_001))
    assert hitting_time(few).at(10**6) == 0.25
    assert max(map(len, repr(time).splitlines())) <= 80
    assert "40.0% converged by step 10,000" in repr(time)


def test_hitting_time_of_no_runs():
    time = hitting_time(Counts([], [], [], []))
    assert math.isnan(time.cdf[0])
    assert math.isnan(time.quantile(0.5))
    assert (time.low[0], time.high[0]) == (0, 1)
    assert (
        repr(time).splitlines()[0] == "Hitting time of 0 runs (Kaplan-Meier): - converged by step 0"
    )
    assert math.isnan(time.restricted_mean().value)


def test_one_run():
    time = hitting_time(Counts([7], [1], [0], [0]))
    assert time.quantile([0.1, 1.0]).tolist() == [7, 7]
    assert time.median.high == math.inf
    assert time.restricted_mean(7).value == 7


@settings(max_examples=50)
@given(RUNS.filter(len), st.integers(1, 20))
def test_without_censoring_the_restricted_mean_is_a_mean(runs, until):
    runs = [(t, ended) for t, ended in runs if ended is not CENSORED] or [(3, CONVERGED)]
    times = [min(t, until) if ended is CONVERGED else until for t, ended in runs]
    found = hitting_time(counts_of(runs)).restricted_mean(until)
    assert found.value == pytest.approx(np.mean(times), rel=1e-12)
    assert found.std_error == pytest.approx(np.std(times) / np.sqrt(len(times)), abs=1e-7)


def test_the_standard_error_of_the_restricted_mean_is_greenwoods():
    runs = [(t, ended) for t, ended in example() if ended is not DIVERGED]
    curve, until = kaplan_meier(runs), 50
    edges = [t for t in curve if t < until]
    variance = 0.0
    for place, t in enumerate(edges):
        later = [*edges[place:], until]
        area = sum((1 - curve[a][0]) * (b - a) for a, b in itertools.pairwise(later))
        n = sum(other >= t for other, _ in runs)
        d = sum(other == t and ended is CONVERGED for other, ended in runs)
        variance += area**2 * d / (n * (n - d))
    found = hitting_time(counts_of(runs)).restricted_mean(until)
    assert found.std_error == pytest.approx(math.sqrt(variance), rel=1e-12)
    half = scipy.stats.norm.ppf(0.975) * found.std_error
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_the_restricted_mean_is_refused_beyond_what_was_observed():
    time = hitting_time(Counts([50, 100], [4, 0], [0, 0], [0, 6]))
    assert time.restricted_mean().until == 100
    with pytest.raises(ValueError, match=r"until=101: must be at most 100, the last step"):
        time.restricted_mean(101)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"event": "censored"}, "event='censored': must be 'converged' or 'diverged'"),
        ({"competing": "risky"}, "competing='risky': must be 'risk', 'censored' or 'never'"),
    ],
)
def test_hitting_time_refuses(options, reason):
    with pytest.raises(ValueError, match=reason):
        hitting_time(STORED, **options)
    with pytest.raises(ValueError, match=r"q=1.5: must be above 0 and at most 1"):
        hitting_time(STORED).quantile(1.5)


# -- expected running time ---------------------------------------------------------------


@given(RUNS.filter(len))
def test_ert_is_all_steps_over_the_successes(runs):
    found = ert(counts_of(runs), resamples=5)
    successes = sum(ended is CONVERGED for _, ended in runs)
    total = sum(t for t, _ in runs)
    assert found.value == (total / successes if successes else math.inf)
    assert found.successes == successes


def test_the_interval_of_ert_is_that_of_drawing_runs_anew():
    runs = example(n=60)
    steps = np.array([t for t, _ in runs])
    good = np.array([ended is CONVERGED for _, ended in runs])
    drawn = np.random.default_rng(1).integers(0, 60, (40_000, 60))
    expected = np.quantile(steps[drawn].sum(1) / good[drawn].sum(1), [0.025, 0.975])
    found = ert(counts_of(runs), resamples=40_000)
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=0.01)
    assert ert(counts_of(runs)) == ert(counts_of(runs))
    assert ert(counts_of(runs)) != ert(counts_of(runs), seed=1)


def test_ert_without_a_success_and_without_runs():
    found = ert(Counts([40, 100], [0, 0], [5, 0], [0, 15]))
    high = scipy.stats.binomtest(0, 20).proportion_ci(method="wilson").high
    assert (found.value, found.high) == (math.inf, math.inf)
    assert found.low == pytest.approx(85 / high)
    assert math.isnan(ert(Counts([], [], [], [])).value)
    # Some of the draws hold no success; there is nothing to interpolate to.
    rare = ert(Counts([4, 100], [1, 0], [0, 0], [0, 9]))
    assert (rare.value, rare.high) == (904, math.inf)


def test_ert_of_many_runs_takes_no_longer():
    many = Counts(np.arange(50), np.full(50, 2 * 10**7), np.zeros(50, int), np.zeros(50, int))
    found = ert(many)
    assert found.value == 24.5
    assert found.high - found.low < 0.01


# -- what is imported --------------------------------------------------------------------


def test_statistics_are_imported_when_asked_for():
    code = (
        "import sys, fastopt as fo; from fastopt.cli import main; main(['--help']);"
        "assert 'fastopt.statistics' not in sys.modules; fo.statistics.hitting_time;"
        "sys.exit({m for m in sys.modules if m.startswith(('scipy.s', 'matplotlib'))} or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_has_no_other_attributes():
    with pytest.raises(AttributeError, match="module 'fastopt' has no attribute 'nope'"):
        _ = fo.nope
