"""Paired comparisons and the log-rank test, against their definitions and SciPy's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import make_runs

import fastopt as fo
from fastopt.statistics import Counts, compare, compare_many, hitting_time, holm, logrank

CONVERGED, MAX_STEPS, DIVERGED = fo.Status.CONVERGED, fo.Status.MAX_STEPS, fo.Status.DIVERGED
BUDGET = 9
TIMES = st.one_of(st.integers(0, BUDGET), st.just(math.inf))


def made_up(times, max_steps=BUDGET, lost=DIVERGED, **changes):
    """Runs that converged at these steps; where inf, they are lost or out of steps."""
    times = np.asarray(times, float)
    good = np.isfinite(times)
    status = np.where(good, CONVERGED, np.where(np.arange(times.size) % 2, MAX_STEPS, lost))
    return make_runs(
        steps=np.where(good, times, max_steps).astype(np.int64),
        status=status.astype(np.int8),
        max_steps=max_steps,
        **changes,
    )


# -- comparisons -------------------------------------------------------------------------


def difference(a, b):
    """How much later b is than a: infinite, or none if neither ever came."""
    return 0.0 if a == b else b - a


def signed_rank_by_enumeration(differences):
    """The share of all signs whose rank sum is as far from the middle as the one found."""
    left = [d for d in differences if d]
    if not left:
        return 1.0
    ranks = scipy.stats.rankdata(np.abs(left))
    half = ranks.sum() / 2
    found = abs(sum(rank for rank, d in zip(ranks, left, strict=True) if d > 0) - half)
    signs = itertools.product([0, 1], repeat=len(left))
    far = [abs(np.dot(chosen, ranks) - half) >= found - 1e-9 for chosen in signs]
    return np.mean(far)


@settings(max_examples=60)
@given(st.lists(st.tuples(TIMES, TIMES), max_size=9))
def test_a_comparison_is_what_its_definitions_say(pairs):
    a, b = ([pair[k] for pair in pairs] for k in (0, 1))
    found = compare(made_up(a), made_up(b), names=("one", "other"))
    assert (found.a, found.b, found.budget, found.pairs) == ("one", "other", BUDGET, len(pairs))
    good = [(x < math.inf, y < math.inf) for x, y in pairs]
    assert found.both == good.count((True, True))
    assert found.only_a == good.count((True, False))
    assert found.only_b == good.count((False, True))
    assert found.neither == good.count((False, False))
    differences = [difference(x, y) for x, y in pairs]
    signs = [np.sign(d) for d in differences]
    assert (found.first_a, found.first_b, found.ties) == tuple(map(signs.count, (1, -1, 0)))
    for p, k, m in (
        (found.mcnemar, found.only_a, found.only_b),
        (found.sign, found.first_a, found.first_b),
    ):
        assert p == pytest.approx(scipy.stats.binomtest(k, k + m).pvalue if k + m else 1.0)
    assert found.wilcoxon == pytest.approx(signed_rank_by_enumeration(differences), rel=1e-12)
    assert max(map(len, repr(found).splitlines())) <= 80


@pytest.mark.parametrize("n", [12, 50, 51, 400])
def test_wilcoxons_p_is_scipys(n):
    rng = np.random.default_rng(n)
    # Distinct differences, for SciPy's exact values know no ties.
    sizes = rng.permutation(np.arange(1, n + 1))
    a = np.full(n, n)
    b = a + sizes * np.where(rng.random(n) < 0.6, 1, -1)
    found = compare(made_up(a, max_steps=2 * n), made_up(b, max_steps=2 * n))
    method = "exact" if n <= 50 else "asymptotic"
    expected = scipy.stats.wilcoxon(a - b, correction=False, method=method)
    assert found.wilcoxon == pytest.approx(expected.pvalue, rel=1e-10)


def test_wilcoxons_p_of_many_ties_is_scipys_with_infinities_as_one_rank():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 9, (2, 300)).astype(float)
    a[rng.random(300) < 0.1] = math.inf
    b[rng.random(300) < 0.2] = math.inf
    differences = np.array([difference(x, y) for x, y in zip(a, b, strict=True)])
    finite = np.clip(differences, -1000, 1000)
    expected = scipy.stats.wilcoxon(finite, correction=False, method="asymptotic").pvalue
    assert compare(made_up(a), made_up(b)).wilcoxon == pytest.approx(expected, rel=1e-10)


def test_what_converged_after_the_smaller_budget_has_not():
    a, b = made_up([3, math.inf, 5], max_steps=6), made_up([8, 4, 5], max_steps=20)
    found = compare(a, b)
    assert found.budget == 6
    assert (found.both, found.only_a, found.only_b) == (1, 1, 1)
    assert compare(b, a).only_b == 1


def test_a_comparison_of_runs_from_the_same_starts():
    starts = fo.starts.Uniform([-6, -6], [6, 6], n=40, seed=1)
    options = {"max_steps": 60, "record": fo.Record(steps=[0])}
    runs = [fo.run(fo.GradientDescent(r), fo.Himmelblau(), starts, **options) for r in (5e-3, 0.02)]
    found = compare(*runs)
    assert (
        found.first_a
        == (
            np.where(runs[0].success, runs[0].steps, np.inf)
            < np.where(runs[1].success, runs[1].steps, np.inf)
        ).sum()
    )
    other = fo.starts.Uniform([-6, -6], [6, 6], n=40, seed=2)
    elsewhere = fo.run(fo.GradientDescent(0.02), fo.Himmelblau(), other, **options)
    with pytest.raises(ValueError, match="runs_a and runs_b have recorded different starts"):
        compare(runs[0], elsewhere)


def test_targets_are_compared():
    a, b = made_up([3, 4]), made_up([4, 3])
    for runs, steps in ((a, [[1, 5], [2, -1]]), (b, [[1, 7], [2, -1]])):
        object.__setattr__(runs, "targets", np.array([1.0, 0.1]))
        object.__setattr__(runs, "target_steps", np.array(steps))
    assert compare(a, b, target=0).ties == 2
    assert (compare(a, b, target=1).first_a, compare(a, b, target=1).neither) == (1, 1)


@pytest.mark.parametrize(
    ("other", "error", "reason"),
    [
        (made_up([1, 2, 3]), ValueError, r"runs_a has shape \(2,\) and runs_b \(3,\)"),
        (made_up([1, 2], surface=fo.Matyas()), ValueError, r"runs_a is on Bowl\(\) and runs_b on"),
        (Counts([1], [2], [0], [0]), TypeError, "runs_b is a Counts: must be Runs"),
    ],
)
def test_what_are_not_pairs_is_refused(other, error, reason):
    with pytest.raises(error, match=reason):
        compare(made_up([1, 2]), other)


# -- several -----------------------------------------------------------------------------


def test_several_are_compared_two_by_two_and_adjusted():
    rng = np.random.default_rng(3)
    runs = {name: made_up(rng.integers(0, 9, 60) + k) for k, name in enumerate("xyz")}
    found = compare_many(runs)
    assert [(row.a, row.b) for row in found.rows] == [("x", "y"), ("x", "z"), ("y", "z")]
    plain = [compare(runs[row.a], runs[row.b]) for row in found.rows]
    for test in ("mcnemar", "sign", "wilcoxon"):
        adjusted = holm([getattr(row, test) for row in plain])
        assert [getattr(row, test) for row in found.rows] == adjusted.tolist()
    assert found.rows[0].adjusted == 3
    lines = repr(found).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    with pytest.raises(ValueError, match="runs holds 1: must hold two or more"):
        compare_many({"x": runs["x"]})


@given(st.lists(st.sampled_from([0.0, 0.002, 0.004, 0.01, 0.012, 0.03, 0.06, 0.2]), max_size=8))
def test_holm_rejects_what_its_steps_reject(p):
    adjusted = holm(p)
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for place, k in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
            if p[k] * (len(p) - place) > level:
                break
            rejected.add(k)
        assert set(np.flatnonzero(adjusted <= level)) == rejected


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        holm([0.1, math.nan])


# -- log-rank ----------------------------------------------------------------------------


def log_rank(groups):
    """Chi-squared by the definition; a group is a list of (step, whether it converged)."""
    k = len(groups)
    excess, variance = np.zeros(k), np.zeros((k, k))
    for t in sorted({t for group in groups for t, hit in group if hit}):
        n = np.array([sum(s >= t for s, _ in group) for group in groups], float)
        d = np.array([sum(s == t and hit for s, hit in group) for group in groups], float)
        share = n / n.sum()
        excess += d - d.sum() * share
        scale = d.sum() * (n.sum() - d.sum()) / max(n.sum() - 1, 1)
        variance += scale * (np.diag(share) - np.outer(share, share))
    return float(excess @ np.linalg.pinv(variance) @ excess)


GROUP = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(list(fo.Status))), min_size=1)


@given(st.lists(GROUP, min_size=2, max_size=4), st.sampled_from(["never", "censored"]))
def test_log_rank_is_that_of_its_definition(groups, competing):
    counts = [
        Counts.from_steps(*([t for t, e in g if e is s] for s in (CONVERGED, DIVERGED, MAX_STEPS)))
        for g in groups
    ]
    found = logrank(*counts, competing=competing)
    forever = 10**6 if competing == "never" else 0
    plain = [[(max(t, forever * (e is DIVERGED)), e is CONVERGED) for t, e in g] for g in groups]
    expected = log_rank(plain)
    assert found.statistic == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.degrees == len(groups) - 1
    assert found.p_value == pytest.approx(scipy.stats.chi2.sf(expected, found.degrees), abs=1e-9)
    assert found.observed.tolist() == [c.successes for c in counts]
    assert found.expected.sum() == pytest.approx(found.observed.sum())


def test_log_rank_of_two_is_scipys():
    rng = np.random.default_rng(4)
    groups, data = [], []
    for scale in (20, 30):
        t = rng.exponential(scale, 50).astype(int)
        hit = t < 40
        groups.append(Counts.from_steps(converged=t[hit], censored=np.full((~hit).sum(), 40)))
        data.append(scipy.stats.CensoredData(t[hit], right=np.full((~hit).sum(), 40)))
    found, expected = logrank(*groups), scipy.stats.logrank(*data)
    assert found.statistic == pytest.approx(expected.statistic**2, rel=1e-10)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-8)
    assert "1 degree" in repr(found)


def test_log_rank_where_nothing_converged_and_what_it_refuses():
    none = Counts([9], [0], [2], [3])
    assert logrank(none, none).p_value == 1
    with pytest.raises(ValueError, match="1 group: must be two or more"):
        logrank(none)
    with pytest.raises(ValueError, match="group 1 holds no runs"):
        logrank(none, Counts([], [], [], []))
    with pytest.raises(ValueError, match="competing='risk': must be 'never' or 'censored'"):
        logrank(none, none, competing="risk")


# -- lifelines ---------------------------------------------------------------------------


def expanded(counts, events):
    """A duration and a code for each run: 0 for censored, then 1, 2, ... for each of *events*."""
    kinds = [counts.censored, *(getattr(counts, name) for name in events)]
    durations = np.concatenate([np.repeat(counts.steps, kind) for kind in kinds])
    return durations, np.repeat(np.arange(len(kinds)), [kind.sum() for kind in kinds])


def sample(seed, step):
    """Counts with several budgets, that converge at even and diverge at odd steps."""
    rng = np.random.default_rng(seed)
    t = rng.geometric(0.05, 300) * step
    budget = rng.choice([20, 40, 80], 300) * step
    late, lost = t > budget, rng.random(300) < 0.2
    return Counts.from_steps(t[~late & ~lost], t[~late & lost] + 1, budget[late])


@pytest.mark.peers
def test_curves_are_those_of_lifelines(lifelines):
    from lifelines.utils import restricted_mean_survival_time

    for seed in range(5):
        counts = sample(seed, step=2)
        plain = Counts(counts.steps, counts.converged, 0 * counts.diverged, counts.censored)
        durations, code = expanded(plain, ["converged"])
        theirs = lifelines.KaplanMeierFitter().fit(durations, code)
        ours = hitting_time(plain)
        frame = theirs.confidence_interval_cumulative_density_.loc[ours.steps].to_numpy()
        inside = (ours.cdf > 0) & (ours.cdf < 1)
        cdf = theirs.cumulative_density_.loc[ours.steps].to_numpy().ravel()
        np.testing.assert_allclose(ours.cdf, cdf, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(ours.low[inside], frame[inside, 0], rtol=1e-9)
        np.testing.assert_allclose(ours.high[inside], frame[inside, 1], rtol=1e-9)
        assert ours.median.value == theirs.median_survival_time_
        mean = restricted_mean_survival_time(theirs, 60)
        assert ours.restricted_mean(60).value == pytest.approx(mean, rel=1e-9)
        durations, code = expanded(counts, ["converged", "diverged"])
        theirs = lifelines.AalenJohansenFitter().fit(durations, code, event_of_interest=1)
        ours = hitting_time(counts)
        cdf = theirs.cumulative_density_.loc[ours.steps].to_numpy().ravel()
        np.testing.assert_allclose(ours.cdf, cdf, rtol=1e-10, atol=1e-12)
        frame = theirs.confidence_interval_.loc[ours.steps].to_numpy()
        inside = ours.cdf > 0
        np.testing.assert_allclose(ours.low[inside], frame[inside, 0], rtol=1e-7)
        np.testing.assert_allclose(ours.high[inside], frame[inside, 1], rtol=1e-7)


@pytest.mark.peers
def test_log_rank_is_that_of_lifelines(lifelines):
    from lifelines.statistics import multivariate_logrank_test

    groups = [sample(seed, step) for seed, step in ((1, 2), (2, 2), (3, 4))]
    for competing in ("never", "censored"):
        columns = [[], [], []]
        for place, counts in enumerate(groups):
            t, code = expanded(counts, ["converged", "diverged"])
            if competing == "never":
                t = np.where(code == 2, 10**6, t)
            for column, values in zip(columns, (t, np.full(t.size, place), code == 1), strict=True):
                column.append(values)
        theirs = multivariate_logrank_test(*map(np.concatenate, columns))
        ours = logrank(*groups, competing=competing)
        assert ours.statistic == pytest.approx(theirs.test_statistic, rel=1e-9)
        assert ours.p_value == pytest.approx(theirs.p_value, rel=1e-8)
