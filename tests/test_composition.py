"""Surfaces made of others: moved, scaled, summed, with noisy values, in a box."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
from oracles import derivative, same_bits
from surface_checks import CHECKS, EPS, Case, check_undercutting, every_case
from test_philox import normal_pair, philox

import fastopt as fo
from fastopt.kernels.block import build_block, build_evaluation
from fastopt.survey import Surveyor

_rng = np.random.default_rng(12)


def uniform(low, high, size):
    """Random points that are a test's own: which other tests run changes nothing."""
    return np.random.default_rng(5).uniform(low, high, size)


# Of 3 coordinates the kernels are written out coordinate by coordinate, of 6 they are not.
TURN = {dim: oracles.rotation(dim, _rng) for dim in (2, 3, 6)}
OFFSET = _rng.uniform(-1, 1, 6)
FACTORS = _rng.uniform(0.5, 2, 6)


def turned(value, dim):
    return lambda x: value(x @ TURN[dim])


def shifted(value):
    return lambda x: value(x - OFFSET[: x.shape[-1]])


def stretched(value):
    return lambda x: value(x / FACTORS[: x.shape[-1]])


def nest(dim):
    """Every kind of layer, and their oracle."""
    turn, offset, factors = TURN[dim], OFFSET[:dim], FACTORS[:dim]
    surface = fo.Rosenbrock(dim).rotated(turn).shifted(offset).scaled(value=0.5, x=factors)
    surface = (surface + fo.StyblinskiTang(dim).rotated(turn)).shifted(0.25)

    def value(x):
        y = x - 0.25
        valley = oracles.rosenbrock((y / factors - offset) @ turn)
        return 0.5 * valley + oracles.styblinski_tang(y @ turn)

    return Case(surface, value, cancelling=1e3, cancelling_slopes=1e3)


BIG = {"cancelling": 1e3, "cancelling_slopes": 1e3}
CASES = [
    Case(fo.Himmelblau().shifted(OFFSET[:2]), shifted(oracles.himmelblau), **BIG),
    Case(fo.Himmelblau().rotated(TURN[2]), turned(oracles.himmelblau, 2), **BIG),
    Case(fo.Himmelblau().scaled(x=FACTORS[:2]), stretched(oracles.himmelblau), **BIG),
    Case(fo.Himmelblau().scaled(value=3.0), lambda x: 3 * oracles.himmelblau(x), **BIG),
    Case(fo.Rastrigin(2) + fo.Sphere(2), lambda x: oracles.rastrigin(x) + oracles.sphere(x), **BIG),
    nest(3),
    nest(6),
]
NESTS = CASES[-2:]
# With little to compile: one whose kernels are written out, one over tiles.
SMALL = [fo.Beale().rotated(TURN[2]), fo.Rosenbrock(6).rotated(TURN[6]) + fo.Sphere(6)]


@every_case(CASES)
@pytest.mark.parametrize("check", [c for c in CHECKS if c is not check_undercutting])
def test_surface(case, check):
    check(case)


@every_case(CASES[:4])
def test_no_point_undercuts_the_least_value(case):
    check_undercutting(case, n=10**5)


# -- what is carried over ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "to"),
    [
        (lambda s: s.shifted(OFFSET[:2]), lambda p: p + OFFSET[:2]),
        (lambda s: s.rotated(TURN[2]), lambda p: p @ TURN[2].T),
        (lambda s: s.scaled(x=FACTORS[:2]), lambda p: p * FACTORS[:2]),
        (lambda s: s.scaled(value=2.0), lambda p: p),
        (lambda s: s.noisy(0.1), lambda p: p),
    ],
    ids=["shifted", "rotated", "stretched", "weighted", "noisy"],
)
def test_known_points_move_with_the_surface(change, to):
    inner = fo.Himmelblau()
    surface = change(inner)
    for kind in ("minima", "local_minima", "saddles", "usual_start"):
        np.testing.assert_allclose(getattr(surface, kind), to(getattr(inner, kind)), rtol=1e-15)
    # The bounds hold the corners of the moved domain, and touch the outermost.
    corners = to(np.array(np.meshgrid(*inner.bounds)).reshape(2, -1).T)
    ends = np.stack([corners.min(0), corners.max(0)], axis=1)
    np.testing.assert_allclose(surface.bounds, ends, rtol=1e-14)


def test_constants_of_curvature_are_scaled():
    bowl = fo.Bowl()
    assert (bowl.strong_convexity, bowl.lipschitz) == (0.1, 2.0)
    found = {
        name: (surface.convex, surface.separable, surface.strong_convexity, surface.lipschitz)
        for name, surface in {
            "shifted": bowl.shifted(1.0),
            "rotated": bowl.rotated(TURN[2]),
            "weighted": bowl.scaled(value=4.0),
            "stretched": bowl.scaled(x=2.0),
            "unevenly": bowl.scaled(x=[1.0, 2.0]),
            "sphere": fo.Sphere(2).scaled(x=[1.0, 2.0]),
            "sum": bowl + fo.Sphere(2),
            "two": bowl + fo.Bowl(),
            "valley": fo.Sphere(2) + fo.Rosenbrock(2),
        }.items()
    }
    assert found == {
        "shifted": (True, True, 0.1, 2.0),
        "rotated": (True, False, 0.1, 2.0),
        "weighted": (True, True, 0.4, 8.0),
        "stretched": (True, True, 0.025, 0.5),
        "unevenly": (True, True, 0.0, math.inf),
        "sphere": (True, True, 0.5, 2.0),
        "sum": (True, True, 2.1, 4.0),
        "two": (True, True, 0.0, math.inf),
        "valley": (False, False, 0.0, math.inf),
    }


def test_fun_min_and_words_are_carried_over():
    tang = fo.StyblinskiTang(2)
    assert tang.scaled(value=2.0).fun_min == 2 * tang.fun_min
    assert tang.rotated(TURN[2]).fun_min == tang.noisy(1.0).fun_min == tang.fun_min
    assert fo.Ackley().shifted(1.0).kinks == fo.Ackley().kinks + " (before it was shifted)"
    assert fo.Ackley().scaled(value=2.0).kinks == fo.Ackley().kinks
    assert not (fo.Ackley() + fo.Sphere()).smooth


def test_minima_of_a_sum_are_those_of_all_terms():
    both = fo.Rastrigin(2) + fo.Sphere(2)
    assert both.minima.tolist() == [[0.0, 0.0]]
    assert both.fun_min == 0.0
    apart = fo.Rastrigin(2) + fo.Sphere(2).shifted(1.0)
    assert apart.minima.shape == (0, 2)
    assert np.isnan(apart.fun_min)
    twice = fo.Himmelblau() + fo.Himmelblau()
    assert same_bits(twice.minima, fo.Himmelblau().minima)
    # Bounds in common, or all of them where there are none.
    assert (fo.Rosenbrock(2) + fo.Sphere(2)).bounds.tolist() == [[-2.048, 2.048]] * 2
    assert (fo.Sphere(1) + fo.Sphere(1).shifted(100.0)).bounds.tolist() == [[-5.12, 105.12]]


def test_sums_are_flat_and_say_what_they_are_of():
    a, b = fo.Sphere(6), fo.Rosenbrock(6)
    assert repr(a + b + a) == "(Sphere(dim=6) + Rosenbrock(dim=6) + Sphere(dim=6))"
    assert repr(a + (b + a)) == repr(fo.surfaces.Sum(a, b, a))
    assert repr(b.rotated(TURN[6]).shifted(1.0)) == (
        "Rosenbrock(dim=6).rotated(<matrix (6, 6)>).shifted(1.0)"
    )
    assert repr(fo.Bowl().boxed([[0, 1], [0, 2]]).scaled(2.0, [1.0, 3.0])) == (
        "Bowl().scaled(x=[1.0, 3.0]).scaled(value=2.0).boxed([[0.0, 1.0], [0.0, 6.0]])"
    )


def test_composed_surfaces_are_not_listed():
    assert not {"sum", "shifted", "boxed"} & {*fo.surfaces.names()}


# -- kernels -----------------------------------------------------------------------------


def test_other_numbers_compile_nothing():
    def make(dim, rng):
        turn = oracles.rotation(dim, rng)
        surface = fo.Rosenbrock(dim).rotated(turn).shifted(rng.normal(size=dim))
        surface = surface.scaled(value=rng.random() + 1, x=rng.random(dim) + 1)
        return (surface + fo.Sphere(dim).noisy(rng.random(), seed=3)).boxed([-rng.random(), 9])

    for dim in (3, 6):
        one, other = (make(dim, np.random.default_rng(seed)).parts() for seed in (1, 2))
        assert one == other
        assert hash(one) == hash(other)
        assert one.fused == (dim == 3)
    boxed = make(6, np.random.default_rng(1))
    assert boxed.parts() != boxed.surface.parts()


def test_another_shift_runs_without_compiling():
    rule, start = fo.GradientDescent(1e-3), np.zeros((1, 2))
    fo.run(rule, fo.Himmelblau().shifted(OFFSET[:2]), start, max_steps=1)
    before = [build.cache_info().misses for build in (build_block, build_evaluation)]
    fo.run(rule, fo.Himmelblau().shifted(-OFFSET[:2]), start, max_steps=1)
    assert before == [build.cache_info().misses for build in (build_block, build_evaluation)]


@every_case(NESTS)
def test_a_nest_runs_as_its_formula(case):
    x = uniform(-1, 1, (7, case.surface.dim))
    runs = fo.run(fo.GradientDescent(1e-4), case.surface, x, max_steps=50, stop=None)
    expected = oracles.iterates(
        oracles.gradient_descent, lambda x: derivative(case.value, x), x, 50, learning_rate=1e-4
    )
    np.testing.assert_allclose(runs.x, expected[-1], rtol=0, atol=1e-12)


def test_single_precision():
    x = uniform(-1, 1, (7, 6))
    fun, slopes = single_precision(SMALL[1], x)
    x = x.astype("f4").astype("f8")
    np.testing.assert_allclose(fun, SMALL[1].value(x), rtol=0, atol=1e-2)
    np.testing.assert_allclose(slopes, SMALL[1].gradient(x), rtol=0, atol=1e-2)


def single_precision(surface, x):
    """Values and gradients at dtype float32."""
    surveyor = Surveyor(surface.parts(), surface.dim, "float32")
    x = np.array(x, "f4")
    fun, norm = np.empty((2, len(x)), "f4")
    slopes = np.empty_like(x)
    numbers, given = np.array(surface.numbers, "f4"), np.zeros((0, 1), "f4")
    tile = np.empty(surveyor.tile_shape, "f4")
    surveyor(tile, numbers, given, np.zeros(0, int), x, fun, norm, slopes)
    return fun, slopes


@pytest.mark.parametrize("surface", SMALL, ids=["fused", "staged"])
def test_newton_uses_the_hessian(surface):
    x = surface.usual_start
    runs = fo.run(fo.Newton(), surface, x, max_steps=1, stop=None)
    step = np.linalg.solve(surface.hessian(x), surface.gradient(x))
    np.testing.assert_allclose(runs.x, x - step, rtol=0, atol=1e-9 * np.abs(step).max())


def test_a_term_of_four_coordinates_and_one_over_tiles_add_up():
    class Staged(fo.Sphere):
        """A sphere of any number of coordinates, over tiles only."""

        name = "test_staged_sphere"

        def parts(self):
            return fo.Sphere(6).parts()

    del fo.surfaces.registry[Staged.name]
    surface = Staged(2) + fo.Himmelblau().rotated(TURN[2])
    assert not surface.parts().fused
    x = uniform(-2, 2, (9, 2))
    other = fo.Himmelblau().rotated(TURN[2])
    assert same_bits(surface.value(x), oracles.sphere(x) + other.value(x))
    assert same_bits(surface.gradient(x), 2 * x + other.gradient(x))
    assert same_bits(surface.hessian(x), 2 * np.eye(2) + other.hessian(x))


# -- noise -------------------------------------------------------------------------------


def noise_at(point, seed):
    """The normal number at a point, from the formula in the docstring of ``noisy``."""
    key = (seed & 0xFFFFFFFF, seed >> 32)
    words = (0, 0, 0, 0)
    for coordinate in np.asarray(point) + 0.0:
        bits = int(coordinate.view(f"u{coordinate.itemsize}"))
        low, high = bits & 0xFFFFFFFF, bits >> 32
        words = philox((words[0] ^ low, words[1] ^ high, *words[2:]), key)
    if point.itemsize == 8:
        u, v = (((a << 32 | b) >> 12) * 2 + 1 for a, b in (words[:2], words[2:]))
        u, v = u / 2**53, v / 2**53
    else:
        u, v = ((word >> 9) * 2 + 1 for word in (words[0], words[2]))
        u, v = u / 2**24, v / 2**24
    return normal_pair(u, v, words[3])[0]


@pytest.mark.parametrize("inner", [fo.Bowl(), fo.Rosenbrock(6)], ids=["fused", "staged"])
def test_noise_is_the_random_field_that_is_documented(inner):
    seed = 0x0123456789ABCDEF
    x = uniform(-2, 2, (40, inner.dim))
    surface = inner.noisy(0.5, seed)
    noise = [noise_at(point, seed) for point in x]
    np.testing.assert_allclose(surface.value(x), inner.value(x) + 0.5 * np.array(noise), rtol=1e-14)
    assert same_bits(surface.gradient(x), inner.gradient(x))
    assert same_bits(surface.hessian(x), inner.hessian(x))
    assert not np.any(surface.value(x) == inner.noisy(0.5, seed + 1).value(x))
    assert not np.any(surface.value(x) == inner.noisy(0.5, seed ^ 1 << 63).value(x))
    # Frozen: at another place in another batch, at the same point.
    assert same_bits(surface.value(x[::-1]), surface.value(x)[::-1])
    assert surface.value(-0.0 * x[0]) == surface.value(0.0 * x[0])
    single = x.astype("f4")
    fun, _ = single_precision(surface, single)
    noise = [noise_at(point, seed) for point in single]
    expected = inner.value(single) + 0.5 * np.array(noise)
    np.testing.assert_allclose(fun, expected, rtol=1e-5, atol=1e-5)


def test_noise_is_normal_and_independent_between_close_points():
    x = np.full((100_000, 2), 1.0)
    x[:, 0] += np.arange(len(x)) * EPS  # neighbouring floats
    noise = fo.Bowl().noisy(1.0).value(x) - fo.Bowl().value(x)
    error = 1 / np.sqrt(len(x))
    assert abs(noise.mean()) < 4 * error
    assert abs(noise.std() - 1) < 4 * error
    assert abs(np.mean(noise[1:] * noise[:-1])) < 4 * error


@pytest.mark.parametrize("dim", [3, 6])
def test_results_depend_neither_on_threads_nor_on_tiles(cut, dim):
    inner = fo.Rosenbrock(dim).rotated(TURN[dim])
    low, high = min(-1, inner.minima.min() - 0.01), inner.minima.max() + 0.01
    surface = inner.noisy(1e-9, 5).boxed([low, high])
    x = uniform(-1, 1, (77, dim))
    settings = {"max_steps": 200, "stop": fo.Stop(gradient=1.0, value=0.5)}
    whole = fo.run(fo.Momentum(1e-4), surface, x, threads=1, **settings)
    cut(runs=20, lanes=32)
    parts = fo.run(fo.Momentum(1e-4), surface, x, threads=2, **settings)
    single = fo.run(fo.Momentum(1e-4), surface, x[11], **settings)
    assert len(np.unique(whole.steps)) > 5
    for name in ("x", "fun", "grad_norm", "steps"):
        assert same_bits(getattr(whole, name), getattr(parts, name))
        assert same_bits(getattr(whole, name)[11], getattr(single, name))


# -- refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fo.Bowl().shifted([1.0, 2.0, 3.0]), r"x0 has shape \(3,\): must broadcast to"),
        (lambda: fo.Bowl().shifted(np.nan), "x0=nan: must be finite"),
        (lambda: fo.Bowl().rotated(np.ones((2, 3))), r"shape \(2, 3\): must be square, \(2, 2\)"),
        (lambda: fo.Bowl().rotated(np.eye(3)), r"shape \(3, 3\): must be square, \(2, 2\)"),
        (lambda: fo.Bowl().rotated([[1, 0.5], [0, 1]]), "not orthogonal: .* by 0.5, must be"),
        (lambda: fo.Bowl().rotated([[1, np.inf], [0, 1]]), "holds nan or inf"),
        (lambda: fo.Bowl().scaled(), r"needs value=, .* or x="),
        (lambda: fo.Bowl().scaled(value=-1.0), r"value=-1.0: must be > 0"),
        (lambda: fo.Bowl().scaled(x=[1.0, 0.0]), r"x\[1\]=0.0: must be > 0"),
        (lambda: fo.Bowl().scaled(value=[1.0, 2.0]), r"value has shape \(2,\)"),
        (lambda: fo.Bowl().noisy(-0.1), "std=-0.1: must be >= 0"),
        (lambda: fo.Bowl().noisy(1.0, seed=-1), "seed=-1: must be >= 0"),
        (lambda: fo.Bowl().noisy(1.0, seed=1.5), "seed=1.5: must be a whole number"),
        (lambda: fo.Bowl().boxed([1.0, 0.0]), "low=1.0, high=0.0: must be low <= high"),
        (lambda: fo.Bowl().boxed([np.nan, 0.0]), "low=nan, high=0.0: must be low <= high"),
        (lambda: fo.Bowl().boxed([[0, 1]] * 3), r"bounds has shape \(3, 2\): must be \(2,\) or"),
        (lambda: fo.Bowl().boxed("all"), "bounds='all': must be numbers"),
        (lambda: fo.Bowl().boxed([0, 1]).boxed([2, 3]), "low=2.0, high=1.0: must be low <= high"),
        (lambda: fo.Bowl().boxed().rotated(np.eye(2)), "rotate first"),
        (lambda: fo.Bowl() + fo.Sphere(3), r"Sphere\(dim=3\) has 3 coordinates: all must"),
        (lambda: fo.surfaces.Sum(fo.Bowl()), "1 surfaces: a sum needs two or more"),
        (lambda: fo.surfaces.Sum(fo.Bowl(), 3.0), "3.0: must be a surface"),
        (lambda: fo.surfaces.Sum(fo.Bowl(), fo.Bowl().boxed()), "box the sum instead"),
        (lambda: fo.Bowl() + 1.0, "unsupported operand"),
    ],
)
def test_bad_input_is_one_clear_error(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
