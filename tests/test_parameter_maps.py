"""Planes of two parameters, and basins while one parameter changes."""

from __future__ import annotations

import numpy as np
import pytest
from test_basins import Wells

import fastopt as fo
from fastopt import memory
from fastopt.basins import Attractors, parameters
from fastopt.basins.continuation import Tracks
from fastopt.basins.plane_picture import edges, is_geometric

RATES, MOMENTA = np.geomspace(1e-3, 10, 12), np.array([0.0, 0.5, 0.9])
OVER = {"learning_rate": RATES, "momentum": MOMENTA}
BOWL = fo.Bowl()
ADAM_OVER = {"beta1": [0.0, 0.9], "beta2": [0.9, 0.99, 0.999]}


@pytest.fixture(scope="module")
def cloud():
    return np.asarray(fo.starts.Uniform(-3, 3, 40, dim=2))


@pytest.fixture(scope="module")
def plane(cloud):
    return fo.parameter_map(fo.Momentum, BOWL, cloud, OVER, max_steps=500)


def test_each_cell_tells_what_became_of_its_runs(plane, cloud):
    for i, momentum in enumerate(MOMENTA):
        for j, rate in enumerate(RATES):
            runs = fo.run(fo.Momentum(rate, momentum), BOWL, cloud, max_steps=500)
            diverged = runs.status == fo.Status.DIVERGED
            assert plane.converged[i, j] == runs.success.mean()
            assert plane.diverged[i, j] == diverged.mean()
            for found, values in [
                (plane.steps[i, j], runs.steps[runs.success]),
                (plane.fun[i, j], runs.fun[~diverged]),
            ]:
                expected = values.mean() if values.size else np.nan
                np.testing.assert_allclose(found, expected, rtol=1e-12, equal_nan=True)
    assert (plane.names, plane.starts) == (("learning_rate", "momentum"), 40)


def test_one_start_gives_its_own_steps():
    plane = fo.parameter_map(fo.Momentum, BOWL, [-7.0, 2.0], OVER, max_steps=500)
    rule = fo.Momentum(RATES[None, :], momentum=MOMENTA[:, None])
    runs = fo.run(rule, BOWL, [-7.0, 2.0], max_steps=500)
    np.testing.assert_array_equal(plane.steps, np.where(runs.success, runs.steps, np.nan))
    np.testing.assert_array_equal(plane.converged == 1, runs.success)


def test_parts_change_nothing(plane, cloud, monkeypatch):
    monkeypatch.setattr(parameters, "_MOST_RUNS", 7)
    again = fo.parameter_map(fo.Momentum, BOWL, cloud, OVER, max_steps=500, threads=1)
    np.testing.assert_array_equal(again.converged, plane.converged)
    np.testing.assert_array_equal(again.steps, plane.steps)
    np.testing.assert_allclose(again.fun, plane.fun, rtol=1e-12)


def test_the_best_has_the_least_expected_running_time(plane):
    with np.errstate(divide="ignore"):
        cost = np.nan_to_num(plane.steps) + 500 * (1 - plane.converged) / plane.converged
    i, j = np.unravel_index(cost.argmin(), cost.shape)
    assert plane.best() == {"learning_rate": RATES[j], "momentum": MOMENTA[i]}
    none = fo.parameter_map(fo.Momentum, BOWL, [3, 3], OVER, max_steps=1)
    assert np.isnan(list(none.best().values())).all()
    assert "diverged" in repr(none)


def test_fixed_parameters_are_those_of_all_runs():
    plane = fo.parameter_map(fo.Adam, BOWL, [1.0, 1.0], ADAM_OVER, fixed={"learning_rate": 0.1})
    runs = fo.run(fo.Adam(0.1, beta1=0.9, beta2=0.99), BOWL, [1.0, 1.0])
    assert plane.steps[1, 1] == runs.steps
    assert plane.rule_text == "Adam(learning_rate=0.1)"


def test_a_plane_is_read_back_equal(plane, tmp_path):
    plane.save(tmp_path / "plane.npz")
    read = fo.ParameterMap.load(tmp_path / "plane.npz")
    for name in ("x", "y", "converged", "diverged", "steps", "fun"):
        np.testing.assert_array_equal(getattr(read, name), getattr(plane, name))
    assert repr(read) == repr(plane)
    with pytest.raises(ValueError, match="holds no basin map"):
        fo.BasinMap.load(tmp_path / "plane.npz")


@pytest.mark.parametrize("what", ["", "steps", "fun", "converged", "diverged"])
def test_planes_are_drawn_with_logarithmic_axes_where_values_are(plane, what, tmp_path):
    figure = plane.plot(what)
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_yscale()) == ("log", "linear")
    figure.savefig(tmp_path / "plane.png", dpi=50)


def test_cells_lie_between_their_neighbours():
    np.testing.assert_allclose(
        edges(np.array([1.0, 10, 100])), 10 ** np.array([-0.5, 0.5, 1.5, 2.5])
    )
    np.testing.assert_allclose(edges(np.array([1.0, 2, 4.5])), [0.5, 1.5, 3.25, 5.75])
    assert not is_geometric(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(edges(np.array([2.0])), [1, 3])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            {"over": {"lerning_rate": RATES, "momentum": MOMENTA}},
            r"did you mean 'learning_rate'\? It has learning_rate, momentum",
        ),
        (
            {"over": {"learning_rate": RATES, "nesterov": [0, 1]}},
            "nesterov: Momentum has no such n",
        ),
        ({"over": {"learning_rate": RATES}}, "must give the values of 2 parameters"),
        ({"over": {"learning_rate": RATES, "momentum": []}}, r"has shape \(0,\).*list of numbers"),
        ({"over": {"learning_rate": RATES, "momentum": 0.5}}, "must be a list of numbers"),
        ({"over": {"learning_rate": [-1, 1], "momentum": [0]}}, r"learning_rate.*must be > 0"),
        ({"fixed": {"momentum": 0.5}}, r"momentum: is in over= and in fixed="),
        (
            {"rule_class": fo.Adam, "over": ADAM_OVER, "fixed": {"learning_rate": [0.1, 0.2]}},
            r"fixed\['learning_rate'\] has shape \(2,\): must be one value",
        ),
        ({"fixed": {"beta7": 0.5}}, "beta7: Momentum has no such parameter; it has learning_rate"),
        ({"start": [1.0, 2.0, 3.0]}, "the last axis must be 2 long"),
        ({"start": np.zeros((0, 2))}, "start: must be at least one"),
        ({"rule_class": fo.Langevin, "over": {"learning_rate": [1], "temperature": [1]}}, "draws"),
    ],
)
def test_bad_planes_are_refused(arguments, error):
    given = {"rule_class": fo.Momentum, "surface": BOWL, "start": [1.0, 1.0], "over": OVER}
    with pytest.raises(ValueError, match=error):
        fo.parameter_map(**given | arguments)
    with pytest.raises(TypeError, match="must be a class such as"):
        fo.parameter_map(fo.Momentum(), BOWL, [1.0, 1.0], OVER)
    with pytest.raises(TypeError, match="surface='bowl': must be one such as"):
        fo.parameter_map(fo.Momentum, "bowl", [1.0, 1.0], OVER)


# -- continuation ------------------------------------------------------------------------

RISING = {"learning_rate": [0.5, 0.9, 1.1, 1.15, 1.2]}


@pytest.fixture(scope="module")
def rising():
    """On the wells, a fixed point of each side that becomes a cycle at a rate of 1."""
    return fo.basins.continuation(
        fo.GradientDescent, Wells(), RISING, bounds=[-1.2, 1.2], shape=20, max_steps=1500, reach=0.3
    )


def test_attractors_keep_their_numbers_from_frame_to_frame(rising):
    kinds = rising.found.kinds
    assert kinds[:2] == ("minimum", "minimum")
    assert set(kinds[2:]) == {"cycle"}
    assert rising.share[:2, :2].tolist() == [[0.5, 0.5]] * 2
    assert (rising.share[2:, :2] == 0).all()
    for period in (2, 4):
        of_period = rising.found.periods == period
        assert of_period.sum() in (0, 2)
    twos = np.flatnonzero(rising.found.periods == 2)
    np.testing.assert_allclose(rising.share[2:4, twos], 0.5)
    np.testing.assert_allclose(rising.share.sum(axis=1), 1)
    for frame, share in zip(rising.frames, rising.share, strict=True):
        np.testing.assert_allclose(share, frame.fractions().value)
        # A cycle of the left side has a number of the left side throughout.
        left = np.unique(frame.labels[:, 0])
        assert (rising.found.points[left, 0] < 0).all()


def test_an_attractor_is_followed_from_where_it_was_last_seen():
    def one(x, *others):
        points = np.array([[x], *([y] for y in others)])
        count = len(points)
        ones = tuple(points[:, None])
        kinds, names = ("minimum",) * count, ("",) * count
        return Attractors(points, np.zeros(count), kinds, names, ones, ones, cell=0.01)

    tracks = Tracks(reach=0.3, dim=1)
    assert tracks.add(one(0.0, 5.0)).tolist() == [0, 1]
    assert tracks.add(one(0.25)).tolist() == [0]
    assert tracks.add(one(5.1, 0.5)).tolist() == [1, 0]
    assert tracks.add(one(0.9, 0.75)).tolist() == [2, 0]
    np.testing.assert_array_equal(tracks.first.points[:, 0], [0.0, 5.0, 0.9])


def test_frames_are_the_maps_themselves(rising):
    alone = fo.basin_map(
        fo.GradientDescent(1.1), Wells(), bounds=[-1.2, 1.2], shape=20, max_steps=1500
    )
    np.testing.assert_array_equal(rising.frames[2].steps, alone.steps)
    places = rising.found.points[rising.frames[2].labels]
    # The same attractor, as it was when it was first found.
    np.testing.assert_allclose(places, alone.attractors[alone.labels], atol=1e-9)


def test_a_continuation_over_a_cloud_has_intervals():
    starts = np.asarray(fo.starts.Uniform(-1.2, 1.2, 300, dim=2))
    made = fo.basins.continuation(
        fo.GradientDescent, Wells(), RISING, starts, max_steps=1500, reach=0.3
    )
    assert (made.low <= made.share).all()
    assert (made.share <= made.high).all()
    shares = fo.basin_fractions(fo.GradientDescent(0.5), Wells(), starts)
    np.testing.assert_array_equal(made.share[0, :2], shares.value[:2])
    np.testing.assert_allclose(made.high[0, :2], shares.high[:2])
    np.testing.assert_allclose(made.high[0, 2:], shares.high[-1])  # of none of 300
    with pytest.raises(ValueError, match="frames are of a cloud"):
        made.save_animation("x.gif")


def test_a_continuation_is_drawn_as_bands_and_as_an_animation(rising, tmp_path):
    from PIL import Image

    rising.plot().savefig(tmp_path / "bands.png", dpi=50)
    rising.save_animation(tmp_path / "maps.gif")
    with Image.open(tmp_path / "maps.gif") as picture:
        times = []
        for k in range(picture.n_frames):  # equal ones in succession are one
            picture.seek(k)
            times.append(picture.info["duration"])
        assert len(times) > 2
        assert sum(times) == 150 * len(rising.values)
        assert picture.size[0] == 280  # the captions would not fit into the map's 20
    assert "cycle of 2" in repr(rising)
    with pytest.raises(ValueError, match=r"must end in \.gif"):
        rising.save_animation(tmp_path / "maps.png")


def test_bad_continuations_are_refused():
    for over, options, error in [
        (OVER, {}, "must give the values of one parameter"),
        (RISING, {"fixed": {"learning_rate": 1}}, "is in over= and in fixed="),
        (RISING, {"reach": -1}, "reach=-1: must be finite and >= 0"),
        ({"rate": [1]}, {}, "rate: GradientDescent has no such numeric parameter"),
        (RISING, {"progressive": True}, "progressive=True: each frame must be one map"),
        (RISING, {"shape": 0}, r"shape\[0\]=0: must be >= 1"),
    ]:
        with pytest.raises(ValueError, match=error):
            fo.basins.continuation(fo.GradientDescent, Wells(), over, **options)
    with pytest.raises(TypeError, match="surface='wells': must be one such as"):
        fo.basins.continuation(fo.GradientDescent, "wells", RISING)


def test_frames_that_are_more_than_there_is_memory_for_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10**9)
    with pytest.raises(MemoryError, match=r"5 maps of 16,000,000 pixels needs 1\.28 GB"):
        fo.basins.continuation(fo.GradientDescent, Wells(), RISING, shape=4000)
    starts = fo.starts.Uniform(0, 1, 30_000_000, dim=2)
    with pytest.raises(MemoryError, match=r"5 times 30,000,000 starts needs 1\.2 GB"):
        fo.basins.continuation(fo.GradientDescent, Wells(), RISING, starts)


def test_a_continuation_in_which_all_runs_diverge_has_no_basins(tmp_path):
    over = {"learning_rate": [100.0, 200.0]}
    made = fo.basins.continuation(fo.GradientDescent, Wells(), over, shape=8)
    np.testing.assert_array_equal(made.share, [[0, 1]] * 2)
    assert made.found.points.shape == (0, 2)
    made.plot().savefig(tmp_path / "bands.png", dpi=50)
    made.save_animation(tmp_path / "maps.gif")


def test_flat_regions_are_followed_by_what_they_cover():
    over = {"learning_rate": [0.05, 0.051, 0.052]}
    made = fo.basins.continuation(fo.GradientDescent, fo.ScalarFactorisation(), over, shape=64)
    assert made.found.kinds == ("flat", "flat", "saddle")
    np.testing.assert_array_equal(made.share, made.share[[0, 0, 0]])


def test_pieces_of_a_flat_region_are_one():
    def regions(*extents):
        points = np.array([extent[0] for extent in extents])
        k = len(points)
        names = ("flat",) * k, ("",) * k, tuple(points[:, None])
        return Attractors(points, np.zeros(k), *names, tuple(extents), cell=0.1)

    line = np.stack([np.linspace(0, 1, 21), np.zeros(21)], -1)
    above, below = line + np.array([0, 1]), line - np.array([0, 1])
    tracks = Tracks(reach=0.3, dim=2)
    assert tracks.add(regions(line, above)).tolist() == [0, 1]
    assert tracks.add(regions(line[:5], line[9:], above)).tolist() == [0, 0, 1]
    assert tracks.add(regions(above[15:], line[10:], below)).tolist() == [1, 0, 2]
