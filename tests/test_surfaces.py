"""Surfaces against oracles: values, derivatives, minima, and what they say of themselves."""

from __future__ import annotations

import mpmath
import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import derivative, same_bits
from surface_checks import CHECKS, EPS, Case, every_case, points

import fastopt as fo

_rng = np.random.default_rng(6)


def _quadratic(dim):
    half = _rng.normal(size=(dim, dim))
    matrix = oracles.product(half, half.T) + 0.1 * np.eye(dim)
    surface = fo.Quadratic(matrix, _rng.normal(size=dim))
    return surface, oracles.Quadratic(surface.matrix, surface.minimizer).value


# Surfaces of up to 4 coordinates are written out coordinate by coordinate, others are not.
DIMS = (1, 2, 3, 4, 5, 10)
CASES = [
    Case(fo.Bowl(), oracles.bowl),
    Case(fo.Himmelblau(), oracles.himmelblau),
    Case(fo.Beale(), oracles.beale),
    *(
        case
        for dim in DIMS
        for case in (
            Case(fo.Sphere(dim), oracles.sphere),
            Case(fo.Rastrigin(dim), oracles.rastrigin, cancelling=20, cancelling_slopes=63),
            Case(
                fo.Ackley(dim),
                oracles.ackley,
                cancelling=20,
                reach=lambda x: np.abs(x).max(-1),
                kinked=True,
            ),
            Case(fo.StyblinskiTang(dim), oracles.styblinski_tang),
            Case(*_quadratic(dim)),
        )
    ),
    *(Case(fo.Rosenbrock(dim), oracles.rosenbrock) for dim in DIMS[1:]),
]


@every_case(CASES)
@pytest.mark.parametrize("check", CHECKS)
def test_surface(case, check):
    check(case)


@pytest.mark.parametrize("dim", [2, 4, 5])
def test_gradient_at_fifty_digits(dim):
    # Another road to the derivative than a complex step, for the least smooth surface.
    def ackley(*x):
        mp = mpmath.mp
        r = mp.sqrt(mp.fsum(c * c for c in x) / dim)
        return -20 * mp.exp(-r / 5) - mp.exp(mp.fsum(mp.cos(2 * mp.pi * c) for c in x) / dim)

    x = np.random.default_rng(dim).uniform(-3, 3, dim)
    with mpmath.workdps(50):
        orders = np.eye(dim, dtype=int).tolist()
        exact = [float(mpmath.diff(ackley, x.tolist(), tuple(order))) for order in orders]
    np.testing.assert_allclose(fo.Ackley(dim).gradient(x), exact, rtol=0, atol=64 * EPS)


# -- minima and traps --------------------------------------------------------------------


def test_irrational_minima_are_correctly_rounded():
    with mpmath.workdps(40):
        for x, y in fo.Himmelblau().minima:
            equations = [lambda x, y: x**2 + y - 11, lambda x, y: x + y**2 - 7]
            root = mpmath.findroot(equations, (x, y))
            assert [float(c) for c in root] == [x, y]
        surface = fo.StyblinskiTang(dim=1)
        root = mpmath.findroot(lambda x: 2 * x**3 - 16 * x + 2.5, surface.minima[0, 0])
        assert float(root) == surface.minima[0, 0]
        assert float((root**4 - 16 * root**2 + 5 * root) / 2) == surface.fun_min


@pytest.mark.parametrize("dim", DIMS)
def test_ackley_has_neither_slope_nor_nan_at_its_kink_or_far_out(dim):
    surface = fo.Ackley(dim)
    assert surface.value(np.zeros(dim)) == 0
    assert not surface.gradient(np.zeros(dim)).any()
    # That of -exp(sum(cos(2 pi x))/n) alone.
    ripples = 4 * np.pi**2 * np.e / dim * np.eye(dim)
    np.testing.assert_allclose(surface.hessian(np.zeros(dim)), ripples, rtol=1e-14)
    for size in (5e-324, 1e-200, 1e-160, 1e-9, 1e5, 1e200):
        x = np.full(dim, size)
        assert 0 <= surface.value(x) < 23
        # Nearby it is the cone's, 4 / sqrt(dim); the square of 1e-160 has few digits.
        slope = np.linalg.norm(surface.gradient(x))
        assert slope <= (4 + 1e-4) / np.sqrt(dim) + (2 * np.pi / np.sqrt(dim) * np.e) * (size > 1)


# -- what a surface says of itself -------------------------------------------------------


def test_every_surface_is_found_by_its_name():
    assert {case.surface.name for case in CASES} <= {*fo.surfaces.names()}
    for case in CASES:
        surface = case.surface
        options = {"dim": surface.dim} if surface.name not in FIXED else {}
        if surface.name == "quadratic":
            options = {"matrix": surface.matrix, "minimizer": surface.minimizer}
        twin = fo.surfaces.get(surface.name, **options)
        x = points(case, 5)
        assert type(twin) is type(surface)
        assert same_bits(twin.value(x), surface.value(x))


FIXED = ("bowl", "himmelblau", "beale")


@settings(max_examples=25)
@given(
    surface=st.sampled_from([fo.Bowl(), fo.Rosenbrock(3), fo.Ackley(5), fo.Quadratic(np.eye(4))]),
    shape=st.sampled_from([(), (0,), (1,), (2, 3), (2, 0, 3), (600,), (2, 1, 3)]),
    kind=st.sampled_from(["f8", "f4", "i8", "fortran", "strided", "read-only", "list"]),
    seed=st.integers(0, 2**32),
)
def test_any_array_of_points_has_the_values_of_its_points(surface, shape, kind, seed):
    x = np.random.default_rng(seed).uniform(-4, 4, (*shape, surface.dim))
    if kind in ("f4", "i8"):
        x = x.astype(kind)
    given = {
        "fortran": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=-1)[..., ::2],
        "read-only": np.broadcast_to(x, (*shape, surface.dim)),
        "list": x.tolist() if x.size else x,
    }.get(kind, x)
    before = x.copy()
    values, slopes, hessians = surface.value(given), surface.gradient(given), surface.hessian(given)
    assert np.shape(values) == shape
    assert slopes.shape == x.shape
    assert hessians.shape == (*x.shape, surface.dim)
    assert same_bits(x, before)
    for place in list(np.ndindex(shape))[:5]:
        assert same_bits(np.asarray(values)[place], surface.value(x[place].astype(float)))
        assert same_bits(slopes[place], surface.gradient(x[place].astype(float)))


@pytest.mark.parametrize("surface", [fo.Bowl(), fo.Rastrigin(3), fo.Ackley(10)])
def test_single_precision_is_the_same_to_its_precision(surface):
    x = points(Case(surface, None)).astype("float32")
    single = fo.run(fo.GradientDescent(), surface, x, max_steps=0, stop=None, dtype="float32")
    slopes = np.linalg.norm(surface.gradient(x), axis=-1)
    size = 100 + np.abs(surface.value(x)) + slopes * np.abs(x).max(-1)
    assert np.all(np.abs(single.fun - surface.value(x)) <= 1e-6 * size)
    assert np.all(np.abs(single.grad_norm - slopes) <= 1e-5 * (100 + slopes + np.abs(x).max(-1)))


# -- a user's own ------------------------------------------------------------------------


class Chain(fo.surfaces.CoordinateSurface):
    """Uses all that a coordinate may: its index, both neighbours, sums, the surface's numbers."""

    name = "test_chain"
    sums, shared = 2, 1

    def __init__(self, dim):
        super().__init__(dim, [-2.0, 2.0])

    @property
    def numbers(self):
        return np.array([0.5, 3.0])

    @staticmethod
    def terms(q, x, right, i, n):
        return (i + q[0]) * x * x + x * right, q[1] * x

    @staticmethod
    def total(q, sums, n):
        return sums[0] + sums[1] * sums[1] / n

    @staticmethod
    def share(q, sums, n):
        return (2.0 * q[1] * sums[1] / n,)

    @staticmethod
    def partial(q, shared, left, x, right, i, n):
        # Neighbours are x itself at the ends: a right one there is right, a left one isn't.
        own = 2.0 * (i + q[0]) * x + shared[0] + left + right
        own -= x if i == 0.0 else 0.0
        return own + x if i == n - 1.0 else own


del fo.surfaces.base.registry[Chain.name]  # not to be listed in other tests


@pytest.mark.parametrize("dim", DIMS)
def test_own_surface_gets_index_neighbours_sums_and_numbers(dim):
    def value(x):
        right = np.concatenate([x[..., 1:], x[..., -1:]], -1)
        squares = (np.arange(dim) + 0.5) * x * x + x * right
        return oracles.add_up(squares) + oracles.add_up(3 * x) ** 2 / dim

    surface = Chain(dim)
    x = np.random.default_rng(dim).uniform(-2, 2, (50, dim))
    bound = 64 * EPS * dim**2
    np.testing.assert_allclose(surface.value(x), value(x), rtol=0, atol=4 * bound)
    np.testing.assert_allclose(surface.gradient(x), derivative(value, x), rtol=0, atol=4 * bound)
    assert np.isnan(surface.fun_min)
    assert surface.minima.shape == (0, dim)
