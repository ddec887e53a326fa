"""Pictures of statistics."""

from __future__ import annotations

import numpy as np
import pytest

import fastopt as fo
from fastopt import plot_statistics, statistics


@pytest.fixture(scope="module")
def runs():
    surface = fo.Himmelblau()
    starts = fo.starts.Uniform(*surface.bounds.T, n=200, seed=3)
    rules = {"gradient_descent": fo.GradientDescent(0.01), "adam": fo.Adam(0.1, beta1=0.8)}
    options = {"max_steps": 300, "record": fo.Record(every=10)}
    return {name: fo.run(rule, surface, starts, **options) for name, rule in rules.items()}


def lines_of(figure):
    """(x, y) of each line of the only panel."""
    (ax,) = figure.axes
    return [np.array(line.get_data(), float) for line in ax.lines]


def test_hitting_times_are_drawn_as_they_are(runs):
    times = {name: statistics.hitting_time(one) for name, one in runs.items()}
    figure = plot_statistics.hitting_times(times, "title")
    (ax,) = figure.axes
    for (x, y), time in zip(lines_of(figure), times.values(), strict=True):
        inside = x > ax.get_xlim()[0]
        np.testing.assert_allclose(y[inside], time.at(x[inside]))
        assert x[-1] <= time.steps[-1] or time.left == 0
    assert len(ax.collections) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(times)
    # Of gradient descent no run is left; of the other some are, and nobody knows more of them.
    ends = [
        (x[-1] == ax.get_xlim()[1], time.left > 0)
        for (x, _), time in zip(lines_of(figure), times.values(), strict=True)
    ]
    assert ends == [(True, False), (False, True)]
    single = plot_statistics.hitting_times(times["adam"])
    np.testing.assert_array_equal(lines_of(single)[0][1][-1], times["adam"].cdf[-1])


def test_a_band_is_that_of_the_interval(runs):
    time = statistics.hitting_time(runs["gradient_descent"])
    figure = plot_statistics.hitting_times(time)
    (band,) = figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    at = (corners[:, 0] > figure.axes[0].get_xlim()[0]) & (corners[:, 0] < time.steps[-1])
    known = np.concatenate([time.low, time.high])
    assert np.isin(np.round(corners[at, 1], 12), np.round(known, 12)).all()


def test_a_long_curve_is_thinned_to_what_can_be_told_apart():
    steps = np.arange(1, 100_001)
    counts = statistics.Counts(steps, np.ones_like(steps), 0 * steps, 0 * steps)
    time = statistics.hitting_time(counts)
    ((x, y),) = lines_of(plot_statistics.hitting_times(time))
    assert 2000 < x.size < 5000
    inside = (x >= 1000) & (x < 100_000)  # at its edges the axis cuts a little
    np.testing.assert_allclose(y[inside], time.at(x[inside]))
    assert np.diff(np.log(x[inside])).max() < 0.01
    assert y[-1] == 1


def test_profiles_are_drawn_as_they_are(runs):
    profile = statistics.performance_profile(runs)
    figure = plot_statistics.performance_profile(profile)
    for (x, y), column in zip(lines_of(figure), range(2), strict=True):
        np.testing.assert_allclose(y[1:], profile.at(x[1:])[:, column])
    assert figure.axes[0].get_xlim()[0] == 1
    profile = statistics.data_profile(runs, 0.1)
    figure = plot_statistics.data_profile(profile)
    low = figure.axes[0].get_xlim()[0]
    for (x, y), column in zip(lines_of(figure), range(2), strict=True):
        np.testing.assert_allclose(y[x > low], profile.at(x[x > low])[:, column])
    assert "τ = 0.1" in figure.axes[0].get_ylabel()


def test_an_ecdf_has_a_cross_where_simulation_begins(runs):
    plain = statistics.ecdf(runs["adam"], per_dim=True)
    figure = plot_statistics.ecdf(plain)
    assert figure.axes[0].get_xlabel() == "steps / dim"
    assert len(figure.axes[0].lines) == 1
    whole = statistics.ecdf(runs["adam"])
    with pytest.raises(ValueError, match="per_dim must be the same for all"):
        plot_statistics.ecdf({"one": plain, "other": whole})
    counts = statistics.Counts([10, 100], [8, 0], [0, 0], [0, 2])
    simulated = statistics.ecdf(counts, restarts=True)
    figure = plot_statistics.ecdf({"rule": simulated})
    cross = figure.axes[0].lines[1]
    assert cross.get_marker() == "x"
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (100, 0.8)


def test_loss_bands_hold_so_many_runs(runs):
    one = runs["gradient_descent"]
    figure = plot_statistics.loss_band(one, shares=(0.8,))
    (ax,) = figure.axes
    f = one.trajectory_fun
    np.testing.assert_array_equal(
        ax.lines[0].get_ydata(), np.quantile(f, 0.5, axis=1, method="inverted_cdf")
    )
    corners = ax.collections[0].get_paths()[0].vertices
    for share in (0.1, 0.9):
        ends = np.quantile(f, share, axis=1, method="inverted_cdf")
        assert np.isin(ends[1:-1], corners[:, 1]).all()
    assert ax.get_yscale() == "log"


def test_a_prediction_is_drawn_over_the_loss(runs):
    one = runs["gradient_descent"]
    every = np.linspace(9, 1, 301)
    for prediction in (every, every[one.trajectory_steps]):
        figure = plot_statistics.loss_band(one, prediction, label="a law")
        lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
        assert list(lines) == ["median", "mean", "a law"]
        np.testing.assert_array_equal(lines["a law"], every[::10])
        np.testing.assert_allclose(lines["mean"], one.trajectory_fun.mean(axis=1))
    with pytest.raises(ValueError, match=r"prediction has shape \(7,\): must be \(301,\)"):
        plot_statistics.loss_band(one, np.ones(7))
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        plot_statistics.loss_band(one, shares=(50, 90))


def test_loss_of_runs_that_diverge_and_of_an_unknown_minimum():
    saddle = fo.surfaces.from_sympy("x**2 - y**2")
    options = {"record": fo.Record(every=50), "max_steps": 2000, "stop": None}
    runs = fo.run(fo.GradientDescent(0.1), saddle, [[1.0, 1.0], [1.0, 0.0]], **options)
    figure = plot_statistics.loss_band(runs)
    assert figure.axes[0].get_yscale() == "linear"
    assert figure.axes[0].get_ylabel() == "loss"
    bare = fo.run(fo.GradientDescent(0.1), saddle, [1.0, 0.0], max_steps=1)
    with pytest.raises(ValueError, match="no steps were recorded"):
        plot_statistics.loss_band(bare)


def test_curves_of_different_events_are_not_drawn_together(runs):
    one = runs["adam"]
    times = {
        event: statistics.hitting_time(one, event=event) for event in ("converged", "diverged")
    }
    with pytest.raises(ValueError, match="event and confidence must be the same for all"):
        plot_statistics.hitting_times(times)
    figure = plot_statistics.hitting_times(times["diverged"])
    assert figure.axes[0].get_ylabel() == "share of runs diverged, 95% intervals"


def test_pictures_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no curves: must be one or more"):
        plot_statistics.hitting_times({})
