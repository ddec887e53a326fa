"""Maps of basins: attractors, labels, planes, files."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from test_theory import Cycling

import fastopt as fo
from fastopt.basins import census, running
from fastopt.basins.cells import Cells, components
from fastopt.surfaces import PointSurface

HIMMELBLAU, NEWTON, DESCENT = fo.Himmelblau(), fo.Newton(), fo.GradientDescent(0.01)
QUARTIC = fo.HarmonicQuartic()


class Wells(PointSurface):
    """(x² - 1)²/4 + y²/2: minima at (±1, 0), and gradient descent never crosses x = 0."""

    name = "test_wells"

    def __init__(self):
        super().__init__(2, [-2.0, 2.0], [[-1.0, 0.0], [1.0, 0.0]], 0.0)

    @staticmethod
    def kernel_value(q, x):
        x, y = x
        return 0.25 * (x * x - 1.0) * (x * x - 1.0) + 0.5 * y * y

    @staticmethod
    def kernel_gradient(q, x):
        x, y = x
        return x * (x * x - 1.0), y


class Degenerate(PointSurface):
    """x⁴ + y⁴: the Hessian vanishes at the minimum, which is not said to be known."""

    name = "test_degenerate"

    def __init__(self):
        super().__init__(2, [-2.0, 2.0])

    @staticmethod
    def kernel_value(q, x):
        return x[0] ** 4 + x[1] ** 4

    @staticmethod
    def kernel_gradient(q, x):
        return 4.0 * x[0] ** 3, 4.0 * x[1] ** 3


for _cls in (Wells, Degenerate):
    del fo.surfaces.base.registry[_cls.name]  # not to be listed in other tests


@pytest.fixture(scope="module")
def himmelblau():
    return fo.basin_map(DESCENT, HIMMELBLAU, shape=(96, 128))


def same(one, other):
    """Whether two maps are equal to the last bit."""
    arrays = ("labels", "steps", "fun", "attractors", "bounds", "frame")
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        and getattr(one, name).dtype == getattr(other, name).dtype
        for name in arrays
    ) and (one.found.kinds, one.found.matched) == (other.found.kinds, other.found.matched)


# -- where runs end ----------------------------------------------------------------------


def test_each_pixel_has_the_label_of_the_minimum_that_its_run_ends_at(himmelblau):
    assert himmelblau.found.matched == tuple(f"minima[{k}]" for k in range(4))
    assert himmelblau.found.kinds == ("minimum",) * 4
    np.testing.assert_array_equal(himmelblau.attractors, HIMMELBLAU.minima)
    starts = np.stack(np.meshgrid(himmelblau.x, himmelblau.y), -1)
    runs = fo.run(DESCENT, HIMMELBLAU, starts)
    distances = np.linalg.norm(runs.x[:, :, None] - HIMMELBLAU.minima, axis=-1)
    np.testing.assert_array_equal(himmelblau.labels, distances.argmin(-1))
    np.testing.assert_array_equal(himmelblau.steps, runs.steps)
    np.testing.assert_array_equal(himmelblau.fun, runs.fun)
    assert himmelblau.labels.dtype == himmelblau.steps.dtype == np.int32


def test_pixels_are_centred_and_rows_go_up():
    window = {"bounds": [[0, 4], [-3, 3]], "shape": (3, 2)}
    basins = fo.basin_map(DESCENT, HIMMELBLAU, max_steps=0, **window)
    np.testing.assert_allclose(basins.x, [1, 3])
    np.testing.assert_allclose(basins.y, [-2, 0, 2])
    np.testing.assert_allclose(basins.spacing, [2, 2])
    starts = [[[x, y] for x in (1, 3)] for y in (-2, 0, 2)]
    np.testing.assert_allclose(basins.fun, HIMMELBLAU.value(starts), atol=1e-12)
    assert (basins.labels[2, 1], basins.steps[2, 1]) == (0, 0)  # (3, 2) is a minimum
    assert (basins.labels == -2).sum() == 5


def test_a_straight_boundary_is_exact():
    rule = fo.GradientDescent(0.1)
    basins = fo.basin_map(rule, Wells(), shape=(50, 64))
    np.testing.assert_array_equal(basins.labels, np.repeat([[0] * 32 + [1] * 32], 50, axis=0))
    odd = fo.basin_map(rule, Wells(), shape=(10, 65))
    assert odd.found.kinds == ("minimum", "minimum", "saddle")
    np.testing.assert_allclose(odd.attractors[2], [0, 0], atol=1e-7)
    assert (odd.labels[:, 32] == 2).all()
    assert (odd.labels == 2).sum() == 10


def test_gradient_flow_ends_where_an_ode_solver_ends():
    basins = fo.basin_map(fo.GradientFlow(), HIMMELBLAU, shape=14)

    def slope(_, x):
        a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
        return -4 * a * x[0] - 2 * b, -2 * a - 4 * b * x[1]

    for i, y in enumerate(basins.y):
        for j, x in enumerate(basins.x):
            end = solve_ivp(slope, (0, 3), (x, y), "LSODA", rtol=1e-8, atol=1e-8).y[:, -1]
            nearest = np.linalg.norm(HIMMELBLAU.minima - end, axis=1).argmin()
            assert basins.labels[i, j] == nearest


def test_newtons_map_is_that_of_the_roots_of_unity():
    basins = fo.basin_map(NEWTON, QUARTIC, shape=200)
    z = basins.x + 1j * basins.y[:, None]
    for _ in range(80):
        z = z - (z**3 - 1) / (3 * z**2)
    roots = np.exp(2j * np.pi * np.arange(3) / 3)
    nearest = np.abs(z[..., None] - roots).argmin(-1)
    assert (basins.labels == nearest).mean() > 0.9995  # rounding decides on the boundary
    assert basins.found.matched == ("saddles[0]", "saddles[1]", "saddles[2]")


def test_newtons_basins_have_equal_shares():
    rng = np.random.default_rng(5)
    z = 2 * np.sqrt(rng.random(20_000)) * np.exp(2j * np.pi * rng.random(20_000))
    shares = fo.basin_fractions(NEWTON, QUARTIC, np.stack([z.real, z.imag], -1))
    assert (shares.low[:3] <= 1 / 3).all()
    assert (shares.high[:3] >= 1 / 3).all()
    assert shares.value.sum() == pytest.approx(1)
    # A third of a turn takes each basin to the next.
    turned = z * np.exp(2j * np.pi / 3)
    others = fo.basin_fractions(NEWTON, QUARTIC, np.stack([turned.real, turned.imag], -1))
    moved = np.array([1, 2, 0])[shares.labels]
    assert (others.labels == moved).mean() > 0.9995


def test_minima_saddles_and_the_maximum_are_told_apart():
    basins = fo.basin_map(NEWTON, HIMMELBLAU, shape=64)
    assert basins.found.kinds == ("minimum",) * 4 + ("saddle",) * 4 + ("maximum",)
    found = [
        (kind, float(np.linalg.eigvalsh(HIMMELBLAU.hessian(point)).prod()))
        for kind, point in zip(basins.found.kinds, basins.attractors, strict=True)
    ]
    assert all((product < 0) == (kind == "saddle") for kind, product in found)


def test_a_valley_of_minima_is_one_flat_region_a_branch():
    basins = fo.basin_map(fo.GradientDescent(0.05), fo.ScalarFactorisation(), shape=64)
    # Where y = -x, runs end at the saddle between the branches.
    assert basins.found.kinds == ("flat", "flat", "saddle")
    right = basins.x[None] + basins.y[:, None] > 0
    middle = np.abs(basins.x[None] + basins.y[:, None]) > 0.5
    assert len(np.unique(basins.labels[right & middle])) == 1
    assert len(np.unique(basins.labels[~right & middle])) == 1


def test_a_valley_is_flat_too_where_runs_stop_by_their_value():
    rule, stop = fo.GradientDescent(0.05), fo.Stop(value=1e-10)
    basins = fo.basin_map(rule, fo.ScalarFactorisation(), shape=64, stop=stop)
    assert basins.kinds == ("flat", "flat")
    # Where y = -x, runs end at a saddle, which is not as low.
    sums = basins.x[None] + basins.y[:, None]
    expected = np.where(np.abs(sums) < 1e-9, -2, np.where(sums > 0, 0, 1))
    np.testing.assert_array_equal(basins.labels, expected)
    wells = fo.basin_map(DESCENT, HIMMELBLAU, shape=(96, 128), stop=stop)
    assert wells.kinds == ("minimum",) * 4


def test_a_plateau_is_one_flat_region():
    basins = fo.basin_map(DESCENT, fo.Easom(), bounds=[[-30, 30]] * 2, shape=100)
    assert "flat" in basins.found.kinds
    flat = basins.found.kinds.index("flat")
    far = np.hypot(basins.x[None] - np.pi, basins.y[:, None] - np.pi) > 8
    assert (basins.labels[far] == flat).all()
    assert (basins.steps[far] == 0).all()
    assert basins.found.kinds.count("flat") == 1


def test_a_degenerate_minimum_is_a_minimum():
    settings = {"max_steps": 100_000, "stop": fo.Stop(gradient=1e-5)}
    basins = fo.basin_map(fo.GradientDescent(0.02), Degenerate(), shape=32, **settings)
    assert basins.found.kinds == ("minimum",)
    assert (basins.labels == 0).all()
    np.testing.assert_allclose(basins.attractors, 0, atol=0.02)


def test_runs_that_rest_within_the_tolerance_belong_to_their_minimum():
    # The kinks of Ackley's function keep the gradient's norm near 2.
    rule = fo.GradientDescent(1e-4)
    bounds = [[-0.2, 0.2]] * 2
    rests = fo.basin_map(rule, fo.Ackley(), bounds, shape=8, max_steps=3000)
    assert rests.found.matched == ("minima[0]",)
    assert (rests.labels == 0).all()
    assert (rests.steps == 3000).all()
    not_looked = fo.basin_map(rule, fo.Ackley(), bounds, 8, max_steps=3000, longest_cycle=0)
    assert (not_looked.labels == -2).all()


def test_ends_all_around_a_minimum_are_one_attractor():
    stop = fo.Stop(distance=0.01)
    basins = fo.basin_map(fo.Adam(0.1), fo.Rosenbrock(), shape=32, stop=stop)
    assert basins.tolerance == 0.02
    assert basins.matched == ("minima[0]",)


def test_minima_at_the_sides_of_a_box_are_minima():
    boxed = HIMMELBLAU.boxed([0, 5])
    basins = fo.basin_map(DESCENT, boxed, shape=32)
    assert basins.kinds == ("minimum",) * 3
    for x, y in basins.attractors[1:]:
        # Level along the side, and uphill away from it.
        slope = HIMMELBLAU.gradient([x, y])
        assert sorted(np.array([x, y]) == 0) == [False, True]
        inward = slope[[x == 0, y == 0]]
        assert inward > 1
        np.testing.assert_allclose(slope[[x != 0, y != 0]], 0, atol=1e-7)


def test_single_precision_finds_the_same(himmelblau):
    stop = fo.Stop(gradient=1e-3)
    basins = fo.basin_map(DESCENT, HIMMELBLAU, shape=(96, 128), dtype="float32", stop=stop)
    assert basins.fun.dtype == np.float32
    assert basins.matched == himmelblau.matched
    assert (basins.labels == himmelblau.labels).mean() > 0.98


def test_slow_runs_are_unresolved_and_far_ones_diverged():
    slow = fo.basin_map(fo.GradientDescent(1e-7), HIMMELBLAU, shape=8, max_steps=300)
    assert (slow.labels == -2).all()
    assert slow.attractors.shape == (0, 2)
    fast = fo.basin_map(fo.GradientDescent(1.0), HIMMELBLAU, shape=8)
    assert (fast.labels == -1).mean() > 0.9


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ([-0.99496, -4e-12], "(-0.995, 0)"),
        ([1234567.0, 0.1], "(1.235e+06, 0)"),
        ([0.0, -0.0], "(0, 0)"),
        ([3e-9, 1e-9, 0, 5], "(0, 0, 0, ...)"),
    ],
)
def test_points_are_said_to_four_digits_of_the_largest(point, text):
    assert fo.basins.attractors.say_point(np.array(point)) == text


# -- cycles ------------------------------------------------------------------------------


def test_the_heavy_balls_cycle_is_an_attractor_of_its_own():
    starts = np.linspace(-5, 5, 101)[:, None]
    ball = fo.HeavyBall(mu=1.0, L=25.0)
    shares = fo.basin_fractions(ball, Cycling(), starts, max_steps=4000)
    assert shares.found.kinds == ("minimum", "cycle")
    expected = np.sort([792 / 1225, -2208 / 1225, 2592 / 1225])
    np.testing.assert_allclose(np.sort(shares.found.orbits[1][:, 0]), expected, rtol=1e-6)
    np.testing.assert_allclose(shares.attractors[1], expected[0], rtol=1e-6)
    inside = (starts[:, 0] > 3.07) & (starts[:, 0] < 3.46)  # the paper's interval
    assert (shares.labels[inside] == 1).all()
    runs = fo.run(ball, Cycling(), starts, max_steps=4000)
    np.testing.assert_array_equal(shares.labels == 0, runs.success)


def test_gradient_descent_at_the_edge_goes_to_and_fro():
    # On x⁴/4 - x²/2 from small steps to the edge of chaos: x -> x - 1.2 (x³ - x).
    shares = fo.basin_fractions(
        fo.GradientDescent(1.2), Wells(), [[0.3, 0.1], [-0.3, 0.2], [1.1, 0]], max_steps=2000
    )
    assert shares.found.kinds == ("cycle", "cycle")
    for orbit in shares.found.orbits:
        x = orbit[:, 0]
        np.testing.assert_allclose(x - 1.2 * (x**3 - x), np.roll(x, -1), rtol=1e-9)
    assert len({len(orbit) for orbit in shares.found.orbits}) == 1
    assert shares.labels[0] == shares.labels[2] != shares.labels[1]


# -- independence ------------------------------------------------------------------------


def test_threads_and_parts_change_no_bit(himmelblau, cut, monkeypatch):
    assert same(himmelblau, fo.basin_map(DESCENT, HIMMELBLAU, shape=(96, 128), threads=1))
    cut(runs=100, lanes=32)
    monkeypatch.setattr(running, "_MOST_STARTS", 5 * 128)
    assert same(himmelblau, fo.basin_map(DESCENT, HIMMELBLAU, shape=(96, 128), threads=3))


@pytest.mark.parametrize("surface", [Wells(), fo.ScalarFactorisation()], ids=lambda s: s.name)
def test_parts_change_no_bit_where_there_are_cycles_and_valleys(surface, monkeypatch):
    rate = 1.2 if surface.name == "test_wells" else 0.05
    settings = {"bounds": [-1.2, 1.2], "shape": 24, "max_steps": 2000}
    whole = fo.basin_map(fo.GradientDescent(rate), surface, **settings)
    monkeypatch.setattr(running, "_MOST_STARTS", 48)
    monkeypatch.setattr(census, "_ROOM", 2000)
    assert same(whole, fo.basin_map(fo.GradientDescent(rate), surface, **settings))


def test_the_order_of_starts_is_no_matter():
    starts = np.asarray(fo.starts.Uniform(-2, 2, n=3000, seed=3, dim=2))
    order = np.random.default_rng(4).permutation(len(starts))
    rule = fo.GradientDescent(1.2)
    one, other = (
        fo.basin_fractions(rule, Wells(), points, max_steps=1500)
        for points in (starts, starts[order])
    )
    np.testing.assert_array_equal(one.labels[order], other.labels)
    np.testing.assert_array_equal(one.attractors, other.attractors)


@given(
    points=st.lists(st.tuples(*[st.integers(-30, 30)] * 2), min_size=1, max_size=40),
    cut_at=st.integers(0, 40),
    seed=st.integers(0, 5),
)
def test_groups_depend_on_the_points_alone(points, cut_at, seed):
    array = np.array(points, float) / 4

    def grouped(*parts):
        cells = Cells(2, 1.0)
        numbers = []
        for part in parts:
            number = np.zeros(len(part), np.int32)
            cells.sort(part, number)
            cells.tally(number, np.abs(part).sum(axis=1), part)
            numbers.append(number)
        groups = components(len(cells), cells.neighbours())[np.concatenate(numbers)]
        return groups, cells

    groups, cells = grouped(array)
    apart = np.abs(array[:, None] - array).max(-1)
    assert (groups[:, None] == groups)[apart <= 1.0].all()
    # By brute force: two points are joined by a chain of points whose cells touch.
    place = np.floor(array + 0.381966011250105)
    touch = np.abs(place[:, None] - place).max(-1) <= 1
    reach = np.linalg.matrix_power(touch.astype(float), len(array)) > 0
    np.testing.assert_array_equal(groups[:, None] == groups, reach)
    order = np.random.default_rng(seed).permutation(len(array))
    again, others = grouped(array[order][:cut_at], array[order][cut_at:])
    np.testing.assert_array_equal(again[:, None] == again, reach[order][:, order])
    best = {tuple(p): tuple(x) for p, x in zip(cells.places, cells.points, strict=True)}
    assert best == {tuple(p): tuple(x) for p, x in zip(others.places, others.points, strict=True)}


def test_of_ends_with_one_gradient_the_first_in_lexicographic_order_is_kept():
    points = np.array([[0.1, 0.3], [0.3, 0.1], [0.1, 0.2], [0.2, 0.0]])
    norms = np.array([0.4, 0.4, 0.4, 0.5])
    for order in ([0, 1, 2, 3], [2, 1, 0, 3], [3, 0, 2, 1]):
        cells = Cells(2, 1.0)
        numbers = np.zeros(4, np.int32)
        cells.sort(points[order], numbers)
        cells.tally(numbers, norms[order], points[order])
        np.testing.assert_array_equal(cells.points, [[0.1, 0.2]])


def test_cycles_of_two_periods_through_one_point_are_two():
    counted = census.Census(Wells(), 0.01, 1e-8, 0.01, 8)
    two = counted._enter_orbits(np.array([[[0.0, 0.0], [1.0, 1.0]]]))
    three = counted._enter_orbits(np.array([[[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]]))
    again = counted._enter_orbits(np.array([[[0.0, 0.004], [1.0, 1.0]]]))
    found, label_of = counted.group()
    np.testing.assert_array_equal(found.periods, [2, 3])
    assert label_of[np.concatenate([two, three, again])].tolist() == [0, 1, 0]


def test_cells_grow_and_forget():
    cells = Cells(1, 0.5)
    points = np.arange(5000.0)[:, None]
    numbers = np.zeros(5000, np.int32)
    cells.sort(points, numbers)
    np.testing.assert_array_equal(numbers, np.arange(5000))
    kept = cells.drop(4000, np.arange(1000) % 2 == 0)
    assert len(cells) == 4500
    again = np.zeros(5000, np.int32)
    cells.sort(points, again)
    np.testing.assert_array_equal(again[:4000], numbers[:4000])
    np.testing.assert_array_equal(again[4001::2], kept[1::2])
    assert len(set(again.tolist())) == 5000


# -- planes ------------------------------------------------------------------------------


def test_a_plane_through_a_point_of_a_surface_of_more_coordinates():
    surface = fo.Rastrigin(dim=4)
    rule = fo.GradientDescent(0.002)
    window = {"bounds": [-2.2, 2.2], "shape": 20, "max_steps": 2000}
    basins = fo.basin_map(rule, surface, slice=fo.basins.Plane([0, 1, 0, 1], axes=(2, 0)), **window)
    starts = np.zeros((20, 20, 4))
    starts[..., 1], starts[..., 3] = 1, 1
    starts[..., 2], starts[..., 0] = np.meshgrid(basins.x, basins.y)
    runs = fo.run(rule, surface, starts, max_steps=2000)
    np.testing.assert_allclose(basins.attractors[basins.labels], runs.x, atol=1e-6)
    assert same(
        fo.basin_map(rule, surface, slice=(1, 3), **window),
        fo.basin_map(rule, surface, slice=fo.basins.Plane(np.zeros(4), axes=(1, 3)), **window),
    )


def test_a_plane_along_two_directions():
    u, v = [1, 1, 0], [0, 1, 2]
    plane = fo.basins.Plane([0.5, 0, 0], directions=[u, v])
    basins = fo.basin_map(
        fo.GradientDescent(0.1), fo.Sphere(dim=3), bounds=[[-1, 1], [0, 2]], shape=4, slice=plane
    )
    a, b = np.meshgrid(basins.x, basins.y)
    starts = np.array([0.5, 0, 0]) + a[..., None] * u + b[..., None] * v
    runs = fo.run(fo.GradientDescent(0.1), fo.Sphere(dim=3), starts)
    np.testing.assert_array_equal(basins.steps, runs.steps)


def test_a_zoom_is_the_map_of_its_window(himmelblau):
    window = [[-1, 1], [-0.5, 0.5]]
    direct = fo.basin_map(DESCENT, HIMMELBLAU, window, (20, 30))
    assert same(himmelblau.zoom(window, (20, 30)), direct)
    assert himmelblau.zoom(window).shape == himmelblau.shape


def test_previews_come_before_the_whole(himmelblau):
    maps = list(fo.basin_map(DESCENT, HIMMELBLAU, shape=(96, 128), progressive=True))
    assert [m.shape for m in maps] == [(12, 16), (24, 32), (48, 64), (96, 128)]
    assert same(maps[-1], himmelblau)
    assert same(maps[0], fo.basin_map(DESCENT, HIMMELBLAU, shape=(12, 16)))


def test_a_refined_map_runs_only_what_is_near_a_boundary(monkeypatch):
    rule, shape = fo.GradientFlow(), (300, 277)
    full = fo.basin_map(rule, HIMMELBLAU, shape=shape)
    refined = fo.basin_map(rule, HIMMELBLAU, shape=shape, refine=True)
    assert (full.refined, refined.refined) == (False, True)
    assert refined.share_run < 0.4
    assert f"refined: {refined.share_run:.1%} of them run" in repr(refined)
    np.testing.assert_array_equal(refined.labels, full.labels)
    assert refined.wrong_share() == refined.wrong_share(full) == 0
    ran = refined.steps == full.steps
    assert ran[::8, ::8].all()
    edge = fo.basins.dimension.boundary(full.labels)
    assert ran[edge].all()
    monkeypatch.setattr(running, "_MOST_STARTS", 500)
    assert same(refined, fo.basin_map(rule, HIMMELBLAU, shape=shape, refine=True))


def test_what_a_refined_map_gets_wrong_is_measured():
    full = fo.basin_map(fo.Momentum(0.008), HIMMELBLAU, shape=128, max_steps=2000)
    refined = fo.basin_map(fo.Momentum(0.008), HIMMELBLAU, shape=128, max_steps=2000, refine=True)
    wrong = (refined.attractors[refined.labels] != full.attractors[full.labels]).any(axis=-1)
    wrong |= (refined.labels < 0) != (full.labels < 0)
    assert 0 < refined.wrong_share(full) < 0.05
    assert refined.wrong_share(full) == wrong.mean()
    with pytest.raises(ValueError, match="must have the window"):
        refined.wrong_share(full.zoom([0, 1]))


# -- files -------------------------------------------------------------------------------


def test_a_saved_map_is_read_back_equal(tmp_path):
    settings = {"bounds": [-1.2, 1.2], "shape": 24, "max_steps": 800}
    made = fo.basin_map(fo.GradientDescent(1.2), Wells(), **settings)
    assert "cycle" in made.found.kinds
    made.save(tmp_path / "map.npz")
    read = fo.BasinMap.load(tmp_path / "map.npz")
    assert same(made, read)
    for name in ("orbits", "extents"):
        pairs = zip(getattr(made.found, name), getattr(read.found, name), strict=True)
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)
    assert made.found.cell == read.found.cell > 0
    assert (read.rule_text, read.tolerance) == (made.rule_text, made.tolerance)
    assert (read.settings.stop, read.settings.max_steps) == (made.settings.stop, 800)
    assert repr(read) == repr(made)
    assert [path.name for path in tmp_path.iterdir()] == ["map.npz"]
    with pytest.raises(ValueError, match=r"read from a file.*fo\.basin_map"):
        read.zoom([0, 1])


def test_damaged_and_foreign_files_are_refused(himmelblau, tmp_path):
    path = tmp_path / "map.npz"
    himmelblau.save(path)
    whole = path.read_bytes()
    load = fo.BasinMap.load
    for k in range(0, len(whole), max(len(whole) // 300, 1)):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 255]) + whole[k + 1 :])
        # Or it is a byte that says nothing, such as a file's date.
        with contextlib.suppress(ValueError):
            assert same(load(path), himmelblau)
    path.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="is no basin map, or damaged"):
        load(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ValueError, match="holds no basin map"):
        load(path)
    path.write_bytes(whole)
    with np.load(path) as file:
        contents = {name: file[name] for name in file.files}
    changed = contents | {"labels": contents["labels"] + 1}
    np.savez(path, **changed)
    with pytest.raises(ValueError, match="is damaged"):
        load(path)
    header = json.loads(contents["header"].tobytes()) | {"version": 3}
    np.savez(path, **contents | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(ValueError, match=r"version 3: must be 2.*make it again"):
        load(path)
    path.write_text("no archive")
    with pytest.raises(ValueError, match=r"is no basin map, or damaged \(no \.npz file\)"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; make it"):
        himmelblau.save(tmp_path / "nowhere" / "map.npz")
    with pytest.raises(ValueError, match=r"must end in \.npz"):
        himmelblau.save(tmp_path / "map.png")


# -- bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"bounds": [[1, 1], [0, 2]]}, r"bounds\[0\]=\[1.0, 1.0\].*lower than the second"),
        ({"bounds": [2, 1]}, r"bounds=\[2.0, 1.0\].*lower than the second"),
        ({"bounds": [[0, np.inf], [0, 1]]}, "bounds.*must be finite"),
        ({"bounds": [[1, 2], [3]]}, r"bounds=\[\[1, 2\], \[3\]\]: must be \(2, 2\)"),
        ({"bounds": [1, 2, 3]}, r"bounds has shape \(3,\): must be \(2, 2\)"),
        ({"shape": 0}, r"shape\[0\]=0: must be >= 1"),
        ({"shape": (5, 0)}, r"shape\[1\]=0: must be >= 1"),
        ({"shape": (1, 2, 3)}, r"shape=\(1, 2, 3\): must be \(rows, columns\)"),
        ({"shape": 10**6}, r"must be <= 2,147,483,648 pixels"),
        ({"slice": (0, 2)}, r"slice: axes=\(0, 2\), but Himmelblau\(\) has 2 coordinates"),
        ({"slice": (1, 1)}, "two different coordinates"),
        ({"slice": 3}, "must be two coordinates"),
        ({"slice": fo.basins.Plane([1, 2, 3])}, "point has 3 coordinates, but.*has 2"),
        ({"slice": fo.basins.Plane(directions=[[1, 0], [0, 1]])}, "give bounds="),
        ({"tolerance": 0}, "tolerance=0: must be finite and > 0"),
        ({"longest_cycle": -1}, "longest_cycle=-1: must be >= 0"),
        ({"max_steps": -1}, "max_steps=-1: must be >= 0"),
    ],
)
def test_bad_windows_and_settings_are_refused(options, error):
    with pytest.raises(ValueError, match=error):
        fo.basin_map(DESCENT, HIMMELBLAU, **options)


def test_what_has_no_basins_is_refused():
    with pytest.raises(ValueError, match=r"one value of each parameter.*fo\.parameter_map"):
        fo.basin_map(fo.GradientDescent([0.1, 0.2]), HIMMELBLAU)
    spectrum = fo.spectra.log_uniform(condition=10)
    ensemble = fo.RandomQuadratics(dim=2, count=3, spectrum=spectrum)
    with pytest.raises(ValueError, match=r"is an ensemble of .*: must be one surface"):
        fo.basin_map(DESCENT, ensemble)
    with pytest.raises(ValueError, match="draws random numbers"):
        fo.basin_map(fo.Langevin(), HIMMELBLAU)
    with pytest.raises(ValueError, match=r"1 coordinate.*fo\.basin_fractions"):
        fo.basin_map(DESCENT, Cycling())
    with pytest.raises(TypeError, match="stop=None: must say when"):
        fo.basin_map(DESCENT, HIMMELBLAU, stop=None)
    with pytest.raises(TypeError, match=r"rule=.*must be one"):
        fo.basin_map(fo.GradientDescent, HIMMELBLAU)
    for surface in ("himmelblau", fo.Himmelblau):
        with pytest.raises(TypeError, match=r"surface=.*must be one such as fo\.Himmelblau"):
            fo.basin_fractions(DESCENT, surface, [[1.0, 2.0]])
    with pytest.raises(ValueError, match="the last axis must be 2 long"):
        fo.basin_fractions(DESCENT, HIMMELBLAU, fo.starts.Uniform(0, 1, 10, dim=3))
    with pytest.raises(ValueError, match="starts: must be at least one"):
        fo.basin_fractions(DESCENT, HIMMELBLAU, np.zeros((0, 2)))
    with pytest.raises(ValueError, match="give axes= or directions="):
        fo.basins.Plane(axes=(0, 1), directions=[[1, 0], [0, 1]])
    with pytest.raises(ValueError, match="not parallel"):
        fo.basins.Plane(directions=[[1, 0], [2, 0]])


def test_a_map_larger_than_memory_is_refused(monkeypatch):
    monkeypatch.setattr(fo.basins.making.memory, "available", lambda: 10**9)
    with pytest.raises(MemoryError, match=r"map of 40,000 x 40,000 pixels needs 25.6 GB"):
        fo.basin_map(DESCENT, HIMMELBLAU, shape=40_000)


def test_too_many_places_are_refused(monkeypatch):
    monkeypatch.setattr("fastopt.basins.cells.MOST_CELLS", 1024)
    with pytest.raises(ValueError, match=r"more than 1,024 places.*larger tolerance="):
        fo.basin_map(fo.GradientDescent(0.05), fo.ScalarFactorisation(), shape=64, tolerance=1e-9)
