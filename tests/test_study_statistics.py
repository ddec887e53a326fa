"""The statistics of a study's result, against those of the runs that it counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from study_checks import TWO_BY_TWO, runs_of, study_of_targets

import fastopt as fo
from fastopt import statistics
from fastopt.study import study as study_module

RULES = {
    ("descent", 0.0005): fo.GradientDescent(0.0005),
    ("descent", 0.01): fo.GradientDescent(0.01),
    ("descent", 0.5): fo.GradientDescent(0.5),
    ("momentum", None): fo.Momentum(0.002),
}
CELLS = [(*key, surface) for key in RULES for surface in TWO_BY_TWO["surfaces"]]


@pytest.fixture(scope="module")
def result():
    return study_of_targets()[1]


def cell_of(result, rule, rate, surface):
    setting = {} if rate is None else {"learning_rate": rate}
    return result.select(rule, surface, **setting)


@pytest.mark.parametrize("target", [None, 0, 1, 2])
@pytest.mark.parametrize(("rule", "rate", "surface"), CELLS)
def test_statistics_of_a_cell_are_those_of_its_runs(result, rule, rate, surface, target):
    runs, cell = runs_of(RULES[rule, rate], surface), cell_of(result, rule, rate, surface)
    assert cell.counts(target=target) == statistics.Counts.of(runs, target)
    for of in (statistics.success_rate, statistics.ert):
        np.testing.assert_equal(vars(of(cell, target=target)), vars(of(runs, target=target)))
    ours, theirs = (statistics.hitting_time(one, target=target) for one in (cell, runs))
    np.testing.assert_array_equal(ours.cdf, theirs.cdf)
    assert ours.median.interval() == theirs.median.interval()


def test_every_kind_of_end_is_there(result):
    for kind in ("converged", "diverged", "max_steps", "stopped"):
        assert sum(row[kind] for row in result.rows(targets=True)) > 100


def test_several_seeds_are_one_cell_together():
    study = fo.Study({"l": fo.Langevin(0.002)}, [fo.Himmelblau()], 50, max_steps=9, seeds=[0, 7])
    result = study.run()
    each = [statistics.success_rate(result.select(seed=seed)).value for seed in (0, 7)]
    together = statistics.success_rate(result)
    assert together.value == np.mean(each)
    assert len(result.select(seed=[7, 0]).cells()) == 1
    assert result.select(seed=7).seeds == [7]


def test_a_table_has_a_row_for_each_cell(result):
    table = statistics.table(result, target=1)
    known = {
        f"{rule}(learning_rate={rate:g})" if rate else rule: statistics.table(
            {"x": runs_of(RULES[rule, rate], "rosenbrock")}, target=1
        ).rows["x"]
        for rule, rate in RULES
    }
    assert list(table.rows) == [
        f"{name} on {surface}"
        for name, surface in [
            *((name, s) for s in TWO_BY_TWO["surfaces"] for name in list(known)[:3]),
            *(("momentum", s) for s in TWO_BY_TWO["surfaces"]),
        ]
    ]
    for name, row in known.items():
        assert repr(table.rows[f"{name} on rosenbrock"]) == repr(row)
    assert max(map(len, repr(table).splitlines())) <= 80
    alone = statistics.table(result.select("descent", "rosenbrock"))
    assert list(alone.rows) == list(known)[:3]


def test_log_rank_between_the_rules_on_a_surface(result):
    some = result.select(surface="himmelblau", learning_rate=0.01)
    found = statistics.logrank(some, target=1)
    rules = [RULES["descent", 0.01], RULES["momentum", None]]
    known = statistics.logrank(*(runs_of(rule, "himmelblau") for rule in rules), target=1)
    assert found.p_value == known.p_value
    assert found.names == ("descent", "momentum")
    assert "  descent   " in repr(found)
    each = [some.select("descent"), some.select("momentum")]
    assert statistics.logrank(*each, target=1).statistic == known.statistic


@pytest.mark.parametrize("options", [{}, {"per_dim": True}, {"per_dim": True, "restarts": True}])
def test_an_ecdf_over_all_surfaces_and_targets(result, options):
    found = statistics.ecdf(result.select("momentum"), **options)
    runs = [runs_of(RULES["momentum", None], surface) for surface in TWO_BY_TWO["surfaces"]]
    known = statistics.ecdf(runs, **options)
    assert found.pairs == known.pairs == 6
    np.testing.assert_array_equal(found.at(known.budget), known.share)
    assert found.observed == 120 / (2 if options else 1)
    mixed = statistics.ecdf([result.select("momentum", "himmelblau"), runs[1]], **options)
    np.testing.assert_array_equal(mixed.at(known.budget), known.share)


def test_a_curve_ends_with_the_steps_that_runs_had_not_with_those_they_took():
    study = fo.Study([fo.GradientDescent(0.01)], [fo.Himmelblau()], 20, stop=fo.Stop(gradient=9.0))
    assert statistics.ecdf(study.run()).budget[-1] == 10_000


def test_performance_profiles_take_running_times(result):
    some = result.select(learning_rate=[0.01, 0.0005])
    found = statistics.performance_profile(some)
    names = ("descent(learning_rate=0.0005)", "descent(learning_rate=0.01)", "momentum")
    assert found.names == names
    keys = [("descent", 0.0005), ("descent", 0.01), ("momentum", None)]
    costs = []
    for surface in TWO_BY_TWO["surfaces"]:
        for target in range(3):
            row = []
            for key in keys:
                runs = runs_of(RULES[key], surface)
                hits = runs.target_steps[:, target]
                steps = np.where(hits >= 0, hits, runs.steps).sum()
                row.append(steps / (hits >= 0).sum() if (hits >= 0).any() else math.inf)
            costs.append(row)
    known = statistics.performance_profile(costs, names)
    np.testing.assert_allclose(found.tau, known.tau)
    np.testing.assert_array_equal(found.share, known.share)
    assert found.problems == 6
    assert statistics.performance_profile(some, target=1).problems == 2


def quadratic_study(stop, **options):
    surface = fo.Quadratic([[2.0, 0.0], [0.0, 2.0]])
    starts = fo.starts.Uniform(1, 30, n=101, seed=2, dim=2)
    options = {"max_steps": 300, "record": fo.Record(every=5), "stop": stop} | options
    return fo.Study([fo.GradientDescent(0.02)], [surface], starts, **options).run()


def test_the_rate_of_a_quantile():
    # f falls by (1 - 0.02 * 2)^2 a step, from every start.
    exact = 0.96**2
    for quantile in (None, 0.1, 0.9):
        rate = statistics.convergence_rate(quadratic_study(None), quantile=quantile)
        assert rate.value == pytest.approx(exact, rel=1e-4)
        assert rate.low < rate.value < rate.high < rate.low * 1.0005
        assert rate.model == "linear"
        assert rate.runs == 101
    # Half have stopped after some 160 steps: from there on the median does not move.
    stopped = quadratic_study(fo.Stop(gradient=0.1))
    assert 120 < statistics.hitting_time(stopped).quantile(0.5) < 200
    rate = statistics.convergence_rate(stopped, "best")
    assert rate.value == pytest.approx(exact, rel=1e-3)
    assert rate.model == "linear"
    early = statistics.convergence_rate(stopped, between=(0, 40))
    assert early.value == pytest.approx(exact, rel=2e-3)


def test_a_rate_needs_points_a_minimum_and_one_cell(result):
    of = statistics.convergence_rate
    with pytest.raises(ValueError, match="nothing was recorded"):
        of(quadratic_study(None, record=None))
    with pytest.raises(ValueError, match=r"quantile=1\.5: must be between 0 and 1"):
        of(quadratic_study(None), quantile=1.5)
    with pytest.raises(ValueError, match="must be 'value' of a study's result"):
        of(quadratic_study(None), quantity="distance")
    with pytest.raises(ValueError, match="2 recorded steps before so many runs stopped"):
        of(quadratic_study(fo.Stop(gradient=0.1), record=fo.Record(every=100)))
    with pytest.raises(ValueError, match="goes with a study's result"):
        of(runs_of(fo.Momentum(0.002), "himmelblau"), quantile=0.5)
    saddle = fo.surfaces.from_sympy("x**2 - 3*x + y**4")
    options = {"max_steps": 5, "record": fo.Record(every=1)}
    study = fo.Study([fo.GradientDescent(0.01)], {"f": saddle}, [[1.0, 1.0]], **options)
    with pytest.raises(ValueError, match="f: its minimum is not known"):
        of(study.run())
    with pytest.raises(ValueError, match=r"a Result of 8 cells \(.*\.\.\.\): must be of one"):
        of(result)


REFUSED = {
    "rate of all": (
        lambda r: statistics.success_rate(r),
        r"8 cells \(descent\(learning_rate=0\.0005\) on him.*result\.select\(rule, surf",
    ),
    "time of all": (lambda r: statistics.hitting_time(r), r"must be of one.*\(hitting_time\)"),
    "ecdf of rules": (
        lambda r: statistics.ecdf(r),
        r"4 rules or settings \(descent.*result\.select\(rule=\.\.\.\)",
    ),
    "dim": (lambda r: statistics.ecdf(r, per_dim=True, dim=2), "a study's result knows its dim"),
    "surfaces": (
        lambda r: statistics.logrank(r),
        r"the surfaces himmelblau, rosenbrock: must be of one; result\.select\(surface",
    ),
    "one group": (lambda r: statistics.logrank(r.select("momentum", "rosenbrock")), "1 group:"),
    "names": (lambda r: statistics.performance_profile(r, ["a"]), "a Result has its own"),
    "compare": (
        lambda r: statistics.compare(r.select("momentum"), r.select("descent")),
        r"runs_a is a Result, which keeps no.*study\.rerun\(rule.*study\.compare.*\(compare\)",
    ),
    "compare many": (lambda r: statistics.compare_many(r), r"runs is a Result.*study\.rerun"),
    "data profile": (
        lambda r: statistics.data_profile(r),
        r"study\.rerun\(rule, surface, range\(1000\), record=fo\.Record\(every=1\)\)",
    ),
    "costs": (
        lambda r: statistics.performance_profile({"a": r.select("momentum")}),
        "a is a Result, which keeps no single runs",
    ),
    "target": (lambda r: r.counts("momentum", "rosenbrock", target=3), "target=3: must be <= 2"),
    "half": (lambda r: r.counts("momentum", "rosenbrock", target=1.5), "target=1.5: must be a wh"),
    "word": (lambda r: r.counts("momentum", "rosenbrock", target="x"), "target='x': must be a wh"),
    "shares": (
        lambda r: r.loss_quantiles("momentum", "rosenbrock", [0.5, 1.5]),
        r"shares=\[0\.5, 1\.5\]: must be numbers from 0 to 1",
    ),
    "below": (lambda r: r.loss_quantiles("momentum", "rosenbrock", [-1]), "from 0 to 1"),
    "no rule": (lambda r: r.select("adam"), "rule='adam': must be one of 'descent', 'momentum'"),
    "nothing": (lambda r: r.select(rule=[]), r"\[\]: must hold at least one"),
    "no dimension": (lambda r: r.select(beta=1), "beta: no such dimension; there is learning_rate"),
    "none at all": (lambda r: r.select("momentum", beta=1), "beta: no such dimension; there is no"),
    "no value": (
        lambda r: r.select(learning_rate=[0.01, 3]),
        r"descent: learning_rate=3: must be one of 0\.0005, 0\.01, 0\.5",
    ),
    "flat index": (
        lambda r: study_of_targets()[0].rerun("momentum", "himmelblau", [[0, 1]]),
        r"index has shape \(1, 2\): must be \(k,\)",
    ),
    "half index": (
        lambda r: study_of_targets()[0].rerun("momentum", "himmelblau", [0.5]),
        r"index=0\.5: must be a whole number",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_result_cannot_answer_is_refused_with_a_remedy(what, result):
    ask, message = REFUSED[what]
    with pytest.raises((TypeError, ValueError), match=message):
        ask(result)


@pytest.mark.parametrize("target", [None, 1])
def test_rules_are_compared_from_all_starts(target, monkeypatch):
    study = study_of_targets()[0]
    setting = {"learning_rate": 0.01}
    known = [runs_of(RULES[key], "himmelblau") for key in (("descent", 0.01), ("momentum", None))]
    expected = statistics.compare(*known, names=("descent", "momentum"), target=target)
    ask = {"setting": setting, "target": target}
    assert study.compare("descent", "momentum", "himmelblau", **ask) == expected
    assert expected.first_a > 0 < expected.first_b
    monkeypatch.setattr(study_module, "_COMPARED", 37)  # in parts that do not come out even
    assert study.compare("descent", "momentum", "himmelblau", **ask) == expected


def test_comparisons_that_a_study_cannot_make_are_refused():
    study = study_of_targets()[0]
    with pytest.raises(ValueError, match=r"'adam'.*must be one of"):
        study.compare("descent", "adam", "himmelblau", setting={"learning_rate": 0.01})
    with pytest.raises(ValueError, match="target=3: must be <= 2"):
        study.compare("momentum", "momentum", "himmelblau", target=3)


def test_the_remedy_for_comparisons_works(result):
    study = study_of_targets()[0]
    runs = {
        "descent": study.rerun("descent", "himmelblau", range(200), learning_rate=0.01),
        "momentum": study.rerun("momentum", "himmelblau", range(200)),
    }
    found = statistics.compare_many(runs).rows[0]
    rules = [RULES["descent", 0.01], RULES["momentum", None]]
    known = [runs_of(rule, "himmelblau") for rule in rules]
    first, second = (np.where(one.success, one.steps, np.inf) for one in known)
    assert found.first_a == (first < second).sum() > 0


# -- parts -------------------------------------------------------------------------------


def test_a_part_is_a_result_of_its_own(result):
    part = result.select(surface="rosenbrock", learning_rate=[0.5, 0.01])
    assert [(c.rule, c.surface, c.setting) for c in part.cells()] == [
        ("descent", "rosenbrock", {"learning_rate": 0.01}),
        ("descent", "rosenbrock", {"learning_rate": 0.5}),
        ("momentum", "rosenbrock", {}),
    ]
    assert part.runs == part.planned == 600
    for cell in part.cells():
        assert cell.counts() == result.counts(cell.rule, "rosenbrock", **cell.setting)
    again = part.select("descent", learning_rate=0.5)
    assert again.counts() == result.counts("descent", "rosenbrock", learning_rate=0.5)
    assert part.to_xarray().learning_rate.values.tolist() == [0.002, 0.01, 0.5]
    assert result.select().digest == result.digest != part.digest


def test_planes_are_cut_along_both_dimensions():
    rates, momenta = np.array([0.001, 0.003, 0.01]), np.array([0.0, 0.5])
    rule = fo.Momentum(rates[:, None], momentum=momenta)
    result = fo.Study([rule], [fo.Himmelblau()], 30, max_steps=100).run()
    two = [(rate, momentum) for rate in (0.001, 0.01) for momentum in (0.0, 0.5)]
    for part, points in (
        (result.select(momentum=0.5), [(rate, 0.5) for rate in rates]),
        (result.select(learning_rate=[0.01, 0.001]), two),
    ):
        found = [tuple(cell.setting.values()) for cell in part.cells()]
        assert found == points
        for cell in part.cells():
            assert cell.counts() == result.counts(**cell.setting)


@pytest.mark.parametrize("target", [None, 2])
def test_tuned_rules_have_the_least_running_time(result, target):
    tuned = result.tuned(target)
    for surface in TWO_BY_TWO["surfaces"]:
        costs = {
            rate: statistics.ert(cell_of(result, "descent", rate, surface), target=target).value
            for rule, rate in RULES
            if rule == "descent"
        }
        (cell,) = tuned.select("descent", surface).cells()
        assert costs[cell.setting["learning_rate"]] == min(costs.values())
        assert math.isfinite(min(costs.values()))
    # Which setting it is, is no part of its name.
    assert statistics.performance_profile(tuned).names == ("descent", "momentum")


def test_rules_with_other_settings_on_each_surface_are_no_solvers_of_a_profile():
    rules = {"plane": fo.GradientDescent([0.1, 0.2]), "space": fo.GradientDescent([0.001, 0.1])}
    surfaces = {"plane": fo.Himmelblau(), "space": fo.Rosenbrock(dim=3)}
    result = fo.Study({"descent": rules}, surfaces, 5, max_steps=5).run()
    with pytest.raises(ValueError, match=r"learning_rate=0\.001\): not on plane, .*tuned"):
        statistics.performance_profile(result)
    assert statistics.performance_profile(result.tuned()).names == ("descent",)


def test_an_unfinished_study_is_not_compared(tmp_path):
    study, _ = study_of_targets()
    study.run(tmp_path, chunk=600)
    (tmp_path / "chunk-000002.bin").unlink()
    result = fo.study.load(tmp_path)
    assert result.runs == result.planned - 200
    for ask in (statistics.performance_profile, statistics.ecdf, statistics.logrank):
        with pytest.raises(ValueError, match="momentum on himmelblau: there are no runs yet; run"):
            ask(result)
    assert math.isnan(statistics.success_rate(result.select("momentum", "himmelblau")).value)
    assert "momentum           himmelblau                0\n" in repr(result)


# -- tables ------------------------------------------------------------------------------


def test_rows_of_targets(result):
    rows = result.rows(targets=True)
    assert len(rows) == 8 * 3
    for row in rows:
        rate = row.get("learning_rate")
        cell = cell_of(result, row["rule"], rate, row["surface"])
        target = TWO_BY_TWO["targets"].index(row["target"])
        counts = cell.counts(target=target)
        assert row["converged"] == counts.successes
        assert row["stopped"] == counts.stopped.sum()
        assert row["runs"] == 200
        time = statistics.hitting_time(counts)
        numbers = (time.median.value, time.median.low, time.median.high)
        assert (row["median_steps"], row["median_low"], row["median_high"]) == numbers
    frame = result.to_pandas(targets=True)
    assert frame.target.tolist() == TWO_BY_TWO["targets"] * 8
    assert "target" not in result.to_pandas()


def test_labelled_counts_of_targets(result):
    data = result.to_xarray(per_target_step=True)
    assert "target_counts" not in result.to_xarray()
    cell = data.sel(rule="descent", surface="rosenbrock", learning_rate=0.01)
    for target in range(3):
        counts = result.counts("descent", "rosenbrock", target=target, learning_rate=0.01)
        of_target = cell.target_counts.isel(target=target)
        assert of_target.sum() == 200
        for outcome in ("converged", "diverged", "censored", "stopped"):
            own = of_target.sel(outcome=outcome, target_step=counts.steps).values
            assert own.tolist() == getattr(counts, outcome).tolist()
    row = next(r for r in result.rows(targets=True) if r["surface"] == "rosenbrock")
    first = data.sel(rule="descent", surface="rosenbrock", learning_rate=0.0005).isel(target=0)
    assert first.target_median_high == row["median_high"]


def test_the_tables_for_a_terminal(result):
    lines = repr(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "2 rules on 2 surfaces, 8 cells, 1,600 runs"
    place = lines.index("share of runs that came within so much of the minimum")
    assert lines[place + 1].split() == ["1e+02", "1", "0.001"]
    shares = [
        statistics.success_rate(result.counts("momentum", "rosenbrock", target=target))
        for target in range(3)
    ]
    assert lines[-1].split() == ["momentum", "rosenbrock", *(s.text(s.value) for s in shares)]
    one = repr(result.select("momentum", "himmelblau"))
    assert one.startswith("1 rule on 1 surface, 1 cell, 200 runs\n")
    assert "least ERT" not in one


def test_what_all_diverged_never_converges(result):
    part = result.select("descent", "rosenbrock", learning_rate=0.5)
    assert part.counts().diverged.sum() == 200
    row = repr(part).splitlines()[2]
    assert row.split() == ["descent", "rosenbrock", "200", "0%", "never", "inf"]
    assert statistics.table(part).rows["descent"].median.text(math.inf) == "never"
