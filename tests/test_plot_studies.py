"""Pictures of a study's result."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from study_checks import TWO_BY_TWO, study_of_targets

import fastopt as fo
from fastopt import plot_statistics, statistics


@pytest.fixture(scope="module")
def result():
    return study_of_targets()[1]


@pytest.fixture(scope="module")
def plane():
    rates, momenta = np.geomspace(1e-3, 1e-1, 4), np.array([0.9, 0.0, 0.5])
    rule = fo.Momentum(rates[:, None], momentum=momenta)
    options = {"targets": [1.0], "max_steps": 60, "stop": fo.Stop(gradient=0.1)}
    return fo.Study([rule], [fo.Himmelblau()], 50, **options).run()


def lines_of(ax):
    """(x, y) of each line of a panel, but for what is drawn left of it."""
    low = ax.get_xlim()[0]
    lines = [np.array(line.get_data(), float) for line in ax.lines]
    return [(x[x > low], y[x > low]) for x, y in lines]


@pytest.mark.parametrize("target", [None, 1])
@pytest.mark.parametrize("kind", ["hitting_times", "survival"])
def test_times_have_a_panel_for_each_surface(kind, target, result):
    figure = result.plot(kind, "title", target=target)
    assert [ax.get_title(loc="left") for ax in figure.axes] == result.surfaces
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [f"descent(learning_rate={x:g})" for x in (0.0005, 0.01, 0.5)] + ["momentum"]
    for ax, surface in zip(figure.axes, result.surfaces, strict=True):
        cells = result.select(surface=surface).cells()
        assert len(ax.collections) == len(cells)
        for (x, y), cell in zip(lines_of(ax), cells, strict=True):
            share = statistics.hitting_time(cell.counts(target)).at(x)
            np.testing.assert_allclose(y, share if kind == "hitting_times" else 1 - share)
    word = {"hitting_times": "converged", "survival": "not converged"}[kind]
    assert figure.axes[0].get_ylabel() == f"share of runs {word}, 95% intervals"


def test_survival_begins_with_all_runs_and_bands_hold_it(result):
    time = statistics.hitting_time(result.select("momentum", "himmelblau"))
    figure = plot_statistics.survival(time)
    (ax,) = figure.axes
    assert ax.lines[0].get_ydata()[0] == 1
    corners = ax.collections[0].get_paths()[0].vertices
    known = np.concatenate([1 - time.low, 1 - time.high])
    inside = (corners[:, 0] > ax.get_xlim()[0]) & (corners[:, 0] < time.steps[-1])
    assert inside.any()
    assert np.isin(np.round(corners[inside, 1], 12), np.round(known, 12)).all()


@pytest.mark.parametrize("per_dim", [False, True])
def test_an_ecdf_has_a_curve_for_each_rule(per_dim, result):
    some = result.select(learning_rate=0.01)
    figure = some.plot("ecdf", per_dim=per_dim)
    (ax,) = figure.axes
    for (x, y), rule in zip(lines_of(ax), some.rules, strict=True):
        known = statistics.ecdf(some.select(rule), per_dim=per_dim)
        np.testing.assert_allclose(y, known.at(x))
    assert ax.get_xlabel() == ("steps / dim" if per_dim else "steps")
    assert some.plot("ecdf", restarts=True).axes[0].lines[-1].get_marker() == "x"


def test_a_profile_is_that_of_running_times(result):
    figure = result.tuned().plot("performance_profile", target=1)
    known = statistics.performance_profile(result.tuned(), target=1)
    (ax,) = figure.axes
    for (x, y), column in zip(lines_of(ax), range(2), strict=True):
        np.testing.assert_allclose(y, known.at(x)[:, column])
    assert ax.get_ylabel() == "share of problems (2)"


def test_loss_bands_are_the_quantiles_that_were_kept(result):
    some = result.select(learning_rate=[0.01, 0.5])
    figure = some.plot("loss_band", shares=(0.8,))
    cells = some.cells()
    assert len(figure.axes) == len(cells) == 6
    assert figure.axes[0].get_title(loc="left") == "descent(learning_rate=0.01) on himmelblau"
    for ax, cell in zip(figure.axes, cells, strict=True):
        steps, quantiles = cell.loss_quantiles([0.1, 0.5, 0.9])
        assert ax.lines[0].get_xdata().tolist() == steps.tolist() == list(range(0, 121, 10))
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), quantiles[:, 1])
        corners = ax.collections[0].get_paths()[0].vertices[:, 1]
        ends = quantiles[1:-1, [0, 2]]
        assert np.isin(ends[np.isfinite(ends)], corners).all()
        assert ax.get_yscale() == "log"


def test_runs_that_diverge_leave_the_picture_at_its_top(result):
    part = result.select("descent", "rosenbrock", learning_rate=0.5)
    _, quantiles = part.loss_quantiles(shares=[0.5, 0.95])
    assert quantiles[0, 1] < 1e7
    assert quantiles[1, 1] > 1e20
    figure = part.plot("loss_band")
    assert quantiles[0, 1] < figure.axes[0].get_ylim()[1] <= 2.1e6 * quantiles[0, 1]
    figure.savefig(io.BytesIO())  # without a warning of what overflows


def test_losses_beyond_all_numbers_are_above_the_picture():
    options = {"stop": fo.Stop(gradient=1e-8, escape=1e250), "max_steps": 20}
    rule, record = fo.GradientDescent(0.5), fo.Record(every=10)
    result = fo.Study([rule], [fo.Himmelblau()], 20, record=record, **options).run()
    assert not np.isfinite(result.loss_quantiles()[1][1]).any()
    figure = result.plot("loss_band")
    (ax,) = figure.axes
    for band in ax.collections:
        x, y = band.get_paths()[0].vertices.T
        assert y[x == 20].min() > ax.get_ylim()[1]
    figure.savefig(io.BytesIO())


def test_a_prediction_goes_over_the_band_of_a_study(result):
    some = result.select("momentum", "himmelblau")
    figure = plot_statistics.loss_band(some, np.linspace(9, 1, 121), label="a law")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines) == ["median", "a law"]
    np.testing.assert_array_equal(lines["a law"].get_ydata(), np.linspace(9, 1, 121)[::10])


@pytest.mark.parametrize("target", [None, 0])
@pytest.mark.parametrize("what", ["converged", "diverged", "steps"])
def test_a_map_over_two_parameters(what, target, plane):
    figure = plane.plot("success_map", what=what, target=target)
    ax = figure.axes[0]
    values = ax.collections[0].get_array()
    assert values.shape == (3, 4)
    for row, momentum in enumerate([0.0, 0.5, 0.9]):
        for column, rate in enumerate(np.geomspace(1e-3, 1e-1, 4)):
            counts = plane.counts(target=target, learning_rate=rate, momentum=momentum)
            known = {
                "converged": counts.successes / 50,
                "diverged": counts.diverged.sum() / 50,
                "steps": np.repeat(counts.steps, counts.converged).mean()
                if counts.successes
                else math.nan,
            }[what]
            found = values[row, column]
            assert np.isnan(known) if found is np.ma.masked else found == pytest.approx(known)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "momentum")
    assert ax.get_xscale() == "log"
    assert figure.get_suptitle() == "momentum on himmelblau"


def test_a_curve_over_one_parameter_on_each_surface(result):
    figure = result.select("descent").plot("success_map", target=1)
    (ax,) = figure.axes
    assert [line.get_label() for line in ax.lines] == list(TWO_BY_TWO["surfaces"])
    for line, band, surface in zip(ax.lines, ax.collections, result.surfaces, strict=True):
        rates, shares = line.get_data()
        assert rates == pytest.approx([0.0005, 0.01, 0.5])
        known = [
            statistics.success_rate(result.select("descent", surface, learning_rate=rate), target=1)
            for rate in rates
        ]
        assert list(shares) == [share.value for share in known]
        corners = band.get_paths()[0].vertices[:, 1]
        assert np.isin([[share.low, share.high] for share in known], corners).all()
    figure = result.select("descent", "rosenbrock").plot("success_map", what="diverged")
    assert figure.axes[0].get_ylabel() == "share of runs diverged, 95% intervals"
    assert figure.axes[0].lines[0].get_ydata()[-1] == 1


REFUSED = {
    "kind": (lambda r, p: r.plot("pie"), r"kind='pie': must be one of 'hitting_times', 'survival"),
    "what": (lambda r, p: p.plot("success_map", what="fun"), "what='fun': must be one of conv"),
    "rules": (lambda r, p: r.plot("success_map"), r"the rules descent, momentum: must be of one"),
    "nothing varies": (
        lambda r, p: r.select("momentum").plot("success_map"),
        "no parameter of momentum with several values",
    ),
    "steps along one": (
        lambda r, p: r.select("descent").plot("success_map", what="steps"),
        "what='steps': goes with two parameters, not learning_rate alone",
    ),
    "no study": (lambda r, p: plot_statistics.success_map(3), "a int: must be the result of a st"),
    "no record": (lambda r, p: p.select(momentum=0.0).plot("loss_band"), "nothing was recorded"),
    "target of times": (
        lambda r, p: plot_statistics.survival(statistics.hitting_time(p.tuned()), target=0),
        r"target=0: goes with the result of a study \(survival\)",
    ),
    "per_dim of curves": (
        lambda r, p: plot_statistics.ecdf(statistics.ecdf(p.tuned()), per_dim=True),
        "go with the result of a study",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(what, result, plane):
    draw, message = REFUSED[what]
    with pytest.raises((TypeError, ValueError), match=message):
        draw(result, plane)


def test_more_than_can_be_told_apart_is_refused():
    rule = fo.GradientDescent(np.geomspace(1e-3, 1e-2, 33))
    options = {"record": fo.Record(steps=[0, 2]), "max_steps": 2}
    result = fo.Study([rule], [fo.Himmelblau()], 3, **options).run()
    for kind in ("hitting_times", "ecdf", "performance_profile"):
        with pytest.raises(ValueError, match=r"33 curves: must be at most 32; result\.tuned\(\)"):
            result.plot(kind)
        assert result.tuned().plot(kind)
    with pytest.raises(ValueError, match=r"33 panels: must be at most 24; result\.select"):
        result.plot("loss_band")


def test_a_map_of_two_parameters_is_of_one_surface():
    rule = fo.Momentum(np.array([[0.001], [0.01]]), momentum=np.array([0.0, 0.5]))
    surfaces = {"one": fo.Himmelblau(), "other": fo.Himmelblau()}
    result = fo.Study([rule], surfaces, 3, max_steps=2).run()
    with pytest.raises(ValueError, match="the surfaces one, other: must be of one, for two param"):
        result.plot("success_map")
