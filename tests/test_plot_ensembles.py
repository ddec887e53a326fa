"""Pictures of many runs with theory beside them."""

from __future__ import annotations

import numpy as np
import pytest

import fastopt as fo
from fastopt import plot_statistics

SPECTRUM, RULE = fo.spectra.uniform(0.1, 1.0), fo.GradientDescent(0.5)


@pytest.fixture(scope="module")
def by_dim():
    """Runs by dimension, and the halting time that theory predicts."""
    runs = {}
    for dim in (5, 20, 80):
        family = fo.RandomQuadratics(dim, 100, SPECTRUM, rotation="axis")
        starts = np.asarray(fo.starts.Normal(0.0, dim**-0.5, n=200, dim=dim)).reshape(100, 2, dim)
        options = {"stop": fo.Stop(gradient=1e-3), "record": fo.Record(every=10)}
        runs[dim] = fo.run(RULE, family, starts, max_steps=120, **options)
    return runs, fo.theory.halting_time(RULE, SPECTRUM, gradient=1e-3)


def bars_of(figure):
    """(bottom, top) of each bar: by share of runs, then by dimension."""
    (ax,) = figure.axes
    return np.array([[(b.get_y(), b.get_y() + b.get_height()) for b in c] for c in ax.containers])


def test_halting_times_are_drawn_as_they_are(by_dim):
    runs, predicted = by_dim
    figure = plot_statistics.halting_times(runs, predicted, "title")
    bars = bars_of(figure)
    for k, one in enumerate(runs.values()):
        for row, share in zip(bars, (0.98, 0.9, 0.5), strict=True):
            at = [(1 - share) / 2, (1 + share) / 2]
            ends = np.quantile(one.steps, np.round(at, 9), method="inverted_cdf") / predicted
            np.testing.assert_allclose(row[k], ends)
    (ax,) = figure.axes
    lines = {line.get_label(): line for line in ax.lines}
    assert set(lines["theory"].get_ydata()) == {1.0}
    medians = [np.quantile(one.steps, 0.5, method="inverted_cdf") for one in runs.values()]
    np.testing.assert_allclose(lines["median"].get_ydata(), np.array(medians) / predicted)
    assert [t.get_text().split()[0] for t in ax.get_xticklabels()] == ["5", "20", "80"]
    # They concentrate, about the prediction.
    widths = bars[1, :, 1] - bars[1, :, 0]
    assert widths[0] > widths[1] > 1.5 * widths[2]
    assert abs(medians[-1] / predicted - 1) < 0.05
    low, high = ax.get_ylim()
    assert low < bars.min() < 1 < bars.max() < high


def test_each_dimension_may_have_a_prediction_of_its_own(by_dim):
    runs, predicted = by_dim
    own = {dim: predicted * k for k, dim in enumerate(runs, 1)}
    bars, same = (bars_of(plot_statistics.halting_times(runs, given)) for given in (own, predicted))
    np.testing.assert_allclose(bars * np.array([1, 2, 3])[None, :, None], same)


def test_runs_that_did_not_halt_are_later_than_all(by_dim):
    runs, predicted = by_dim
    family = runs[5].surface
    starts = np.asarray(fo.starts.Normal(0.0, 5**-0.5, n=100, dim=5)).reshape(100, 1, 5)
    slow = fo.run(RULE, family, starts, max_steps=30, stop=fo.Stop(gradient=1e-3))
    assert 0.1 < slow.success.mean() < 0.9
    figure = plot_statistics.halting_times({5: slow}, predicted)
    assert bars_of(figure)[0, 0, 1] == pytest.approx(figure.axes[0].get_ylim()[1])


def test_a_wide_range_has_a_logarithmic_axis(by_dim):
    runs, _ = by_dim
    figure = plot_statistics.halting_times(runs, {5: 50.0, 20: 50.0, 80: 2.0})
    assert figure.axes[0].get_yscale() == "log"
    bars = bars_of(figure)
    assert figure.axes[0].get_ylim()[0] < bars.min() < bars.max() < figure.axes[0].get_ylim()[1]


def test_what_cannot_be_drawn_is_refused(by_dim):
    runs, predicted = by_dim
    draw = plot_statistics.halting_times
    never = fo.run(RULE, runs[5].surface, [[1.0] * 5], max_steps=0)
    for given, steps, words in (
        ({}, predicted, "no runs: must be of one or more dimensions"),
        (runs, np.inf, "predicted=inf: must be finite and > 0"),
        (runs, 0, r"predicted=0\.0: must be finite and > 0"),
        (runs, {5: 1.0}, "must have a number of steps for dimension 20"),
        ({5: never}, predicted, r"runs\[5\]: none has converged .*; raise max_steps"),
    ):
        with pytest.raises(ValueError, match=words):
            draw(given, steps)


def test_bands_of_several_runs_have_a_panel_each(by_dim):
    runs, _ = by_dim
    labelled = {f"{dim} coordinates": one for dim, one in runs.items()}
    means = {f"{dim} coordinates": np.linspace(1, 0.1, 121) * dim for dim in runs}
    figure = plot_statistics.loss_band(labelled, means)
    assert [ax.get_title(loc="left") for ax in figure.axes] == list(labelled)
    for ax, (label, one) in zip(figure.axes, labelled.items(), strict=True):
        lines = {line.get_label(): line.get_ydata() for line in ax.lines}
        np.testing.assert_array_equal(lines["theory: mean"], means[label][::10])
        np.testing.assert_allclose(lines["mean"], one.trajectory_fun.mean(axis=(1, 2)))
    plain = plot_statistics.loss_band(labelled)
    assert [len(ax.lines) for ax in plain.axes] == [1, 1, 1]
    with pytest.raises(ValueError, match="must be a mapping with the labels 5 coord"):
        plot_statistics.loss_band(labelled, np.ones(121))
    with pytest.raises(ValueError, match="no runs: must be one or more"):
        plot_statistics.loss_band({})


def test_a_prediction_that_diverges_leaves_the_picture(by_dim, tmp_path):
    runs, _ = by_dim
    known = plot_statistics.loss_band(runs[20]).axes[0].get_ylim()
    near, far = np.full(121, 50 * known[1]), np.geomspace(1, 1e308, 121)
    figure = plot_statistics.loss_band(runs[20], near)
    assert figure.axes[0].get_ylim()[1] == pytest.approx(100 * known[1])
    figure = plot_statistics.loss_band(runs[20], np.append(far[:-1], np.inf))
    low, high = figure.axes[0].get_ylim()
    assert low == pytest.approx(known[0])
    assert high < 1e4 * known[1]
    figure.savefig(tmp_path / "far.png")
