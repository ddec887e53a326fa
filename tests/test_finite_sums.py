"""Least squares and logistic regression over all rows, against formulas written in NumPy."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.sparse
from oracles import same_bits
from scipy.optimize import minimize
from surface_checks import CHECKS, EPS, Case, every_case

import fastopt as fo
from fastopt.surfaces.finite_sums import FiniteSum

RNG = np.random.default_rng(12)


# -- oracles -------------------------------------------------------------------------------


def least_squares(A, b, l2):
    def value(x):
        away = x @ A.T - b
        return np.sum(away * away, -1) / (2 * len(b)) + l2 / 2 * np.sum(x * x, -1)

    return value


def logistic(A, y, l2):
    signs = np.where(np.asarray(y) == 1, 1.0, -1.0)

    def value(x):
        m = signs * (x @ A.T)
        low = np.real(m) < 0
        losses = np.log1p(np.exp(np.where(low, m, -m))) - np.where(low, m, 0)
        return np.sum(losses, -1) / len(y) + l2 / 2 * np.sum(x * x, -1)

    return value


def matrix(rows, dim, filled=1.0):
    A = RNG.normal(size=(rows, dim))
    return np.where(RNG.random((rows, dim)) < filled, A, 0.0)


def cases():
    # Rows that fill no block of four, columns that fill no vector of eight; more rows than
    # columns (the normal matrix), and fewer.
    for rows, dim, l2 in ((30, 5, 0.0), (7, 9, 0.1), (41, 1, 0.2)):
        for kind, filled in (("dense", 1.0), ("sparse", 0.5)):
            A, b, y = matrix(rows, dim, filled), RNG.normal(size=rows), RNG.random(rows) < 0.5
            A[:, 0] += 0.5  # no column is empty
            given = A if kind == "dense" else scipy.sparse.coo_array(A)
            yield Case(fo.LeastSquares(given, b, l2), least_squares(A, b, l2), 20, 20)
            yield Case(fo.LogisticRegression(given, y, l2), logistic(A, y, l2), 20, 20)


CASES = list(cases())


@every_case(CASES)
@pytest.mark.parametrize("check", CHECKS)
def test_surface(case, check):
    check(case)


def test_the_cases_take_both_ways_of_least_squares():
    labels = {case.surface.parts().label for case in CASES if "least" in case.surface.name}
    kinds = ("least_squares", "least_squares-sparse")
    assert labels == {f"{kind}{way}" for kind in kinds for way in ("", "-normal")}


def test_the_normal_matrix_and_the_rows_agree_to_rounding(monkeypatch):
    A, b = matrix(30, 5), RNG.normal(size=30)
    one = fo.LeastSquares(A, b, 0.3)
    rows = fo.LeastSquares(A, b, 0.3)
    rows._by_matrix = False
    assert one.parts().label != rows.parts().label
    x = RNG.uniform(-9, 9, (50, 5))
    np.testing.assert_allclose(rows.value(x), one.value(x), rtol=1e-13)
    np.testing.assert_allclose(rows.gradient(x), one.gradient(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(rows.hessian(x), one.hessian(x), rtol=1e-13)


@pytest.mark.parametrize("make", [fo.LeastSquares, fo.LogisticRegression])
@pytest.mark.parametrize("shape", [(20, 3), (3, 20)])
def test_every_sparse_format_is_the_dense_matrix(make, shape):
    A = matrix(*shape, 0.4)
    labels = (RNG.random(len(A)) < 0.5).astype(float)
    dense, x = make(A, labels, 0.1), RNG.normal(size=(30, A.shape[1]))
    row, column = A.nonzero()
    halves = np.tile(A[row, column] / 2, 2)
    twice = scipy.sparse.coo_array((halves, (np.tile(row, 2), np.tile(column, 2))), A.shape)
    for given in (*(scipy.sparse.csc_array(A).asformat(f) for f in ("csr", "lil", "bsr")), twice):
        surface = make(given, labels, 0.1)
        assert surface.sparse
        assert surface.entries == len(row)
        np.testing.assert_allclose(surface.value(x), dense.value(x), rtol=1e-13)
        np.testing.assert_allclose(surface.gradient(x), dense.gradient(x), atol=1e-14)
        np.testing.assert_allclose(surface.hessian(x), dense.hessian(x), atol=1e-14)


def test_a_sparse_matrix_is_never_filled_up():
    rows, dim = 2000, 20_000
    A = scipy.sparse.random_array((rows, dim), density=5 / dim, rng=RNG)
    surface = fo.LeastSquares(A, np.ones(rows), l2=0.5)
    assert len(surface.numbers) < 10 * rows + 2 * A.nnz
    x = RNG.normal(size=(3, dim))
    away = (A @ x.T).T - 1
    np.testing.assert_allclose(surface.gradient(x), (A.T @ away.T).T / rows + 0.5 * x, atol=1e-14)
    assert np.isnan(surface.fun_min)
    assert not len(surface.minima)


# -- the logistic loss far out -------------------------------------------------------------


def test_the_logistic_loss_has_no_overflow_and_no_cancellation():
    for label in (1.0, -1.0):
        surface = fo.LogisticRegression([[1.0]], [label])
        x = np.array([-700.0, -40, -37, -20, -1, -1e-3, -1e-9, 0, 1e-9, 0.3, 5, 36, 38, 200, 700])
        with mpmath.workdps(400):
            m = [label * mpmath.mpf(float(z)) for z in x]
            loss = np.array([float(mpmath.log1p(mpmath.exp(-z))) for z in m])
            slope = np.array([float(-label / (1 + mpmath.exp(z))) for z in m])
            bend = np.array([float(1 / (2 + mpmath.exp(z) + mpmath.exp(-z))) for z in m])
        np.testing.assert_allclose(surface.value(x[:, None]), loss, rtol=4 * EPS)
        np.testing.assert_allclose(surface.gradient(x[:, None])[:, 0], slope, rtol=4 * EPS)
        np.testing.assert_allclose(surface.hessian(x[:, None])[:, 0, 0], bend, rtol=6 * EPS)
        assert surface.value([-1e308 * label]) == 1e308
        assert surface.value([1e308 * label]) == 0.0
        assert np.isnan(surface.value([np.nan]))


# -- what is known of them -----------------------------------------------------------------


def test_labels_of_both_kinds_are_the_same():
    A = matrix(12, 3)
    zeros = RNG.integers(0, 2, 12)
    for other in (2 * zeros - 1, zeros.astype(bool), zeros.tolist(), zeros.astype(float)):
        given = fo.LogisticRegression(A, other, 0.1)
        assert same_bits(given.y, np.where(zeros == 1, 1.0, -1.0))


@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_a_logistic_minimum_is_that_of_another_optimiser(l2):
    surface = fo.LogisticRegression.random(200, 4, l2=l2, seed=3)
    value = logistic(surface.A, surface.y, l2)
    found = minimize(value, np.zeros(4), tol=1e-12)
    (point,) = surface.minima
    np.testing.assert_allclose(point, found.x, atol=1e-5)
    assert value(point) == pytest.approx(surface.fun_min, rel=1e-14)
    assert surface.fun_min <= found.fun * (1 + 1e-14)


@pytest.mark.parametrize("dim", [1, 3])
def test_separable_classes_have_no_minimum(dim):
    A = RNG.normal(size=(40, dim))
    y = A[:, 0] > 0
    free, held = (fo.LogisticRegression(A, y, l2) for l2 in (0.0, 1e-3))
    assert not len(free.minima)
    assert np.isnan(free.fun_min)
    assert len(held.minima) == 1


def test_a_minimiser_that_is_not_the_only_one_is_not_given():
    A = matrix(10, 3)
    A = np.concatenate([A, A[:, :1]], 1)
    b = RNG.normal(size=10)
    for surface in (fo.LeastSquares(A, b), fo.LeastSquares(A[:2], b[:2])):
        assert not len(surface.minima)
        assert surface.strong_convexity == 0
        least, *_ = np.linalg.lstsq(surface.A, surface.b, rcond=None)
        expected = least_squares(surface.A, surface.b, 0)(least)
        assert surface.fun_min == pytest.approx(expected, rel=1e-12, abs=1e-28)
    assert len(fo.LeastSquares(A, b, l2=1e-3).minima) == 1


def test_large_least_squares_are_solved_by_their_normal_matrix(monkeypatch):
    A, b = matrix(40, 3), RNG.normal(size=40)
    by_values = [fo.LeastSquares(M, b, 0.1) for M in (A, scipy.sparse.csr_array(A))]
    for module in ("least_squares", "logistic_regression"):
        monkeypatch.setattr(f"fastopt.surfaces.{module}.AFFORDABLE", 0)
    for expected, M in zip(by_values, (A, scipy.sparse.csr_array(A)), strict=True):
        surface = fo.LeastSquares(M, b, 0.1)
        np.testing.assert_allclose(surface.minima, expected.minima, rtol=1e-12)
        for name in ("fun_min", "lipschitz", "strong_convexity"):
            assert getattr(surface, name) == pytest.approx(getattr(expected, name), rel=1e-12)
    assert not len(fo.LogisticRegression(A, b > 0, 0.1).minima)


@pytest.mark.parametrize("make", [fo.LeastSquares, fo.LogisticRegression])
def test_generated_data_have_the_spectrum_that_was_drawn(make):
    spectrum = fo.spectra.log_uniform(condition=100)
    surface = make.random(300, 12, spectrum=spectrum, seed=5)
    eigenvalues = np.linalg.eigvalsh(surface.A.T @ surface.A / 300)
    rng = fo.spectra.member_rng(5, 0)
    rng.standard_normal((300, 12))
    np.testing.assert_allclose(eigenvalues, spectrum.sample(12, rng), rtol=1e-11)
    again = make.random(300, 12, spectrum=spectrum, seed=5)
    assert same_bits(again.A, surface.A)
    assert same_bits(again.labels, surface.labels)
    other = make.random(300, 12, spectrum=spectrum, seed=6)
    assert np.abs(other.A - surface.A).min() > 0


def test_generated_data_follow_their_model():
    truth = [1.0, -2.0, 0.5]
    line = fo.LeastSquares.random(4000, 3, noise_std=0.5, coefficients=truth)
    np.testing.assert_allclose(line.coefficients, truth)
    np.testing.assert_allclose(line.minima[0], truth, atol=5 * 0.5 / 4000**0.5)
    assert 2 * line.fun_min == pytest.approx(0.25, rel=0.1)
    classes = fo.LogisticRegression.random(4000, 3, coefficients=truth)
    np.testing.assert_allclose(classes.minima[0], truth, atol=5 * 3 / 4000**0.5)


def test_names_and_data_of_a_surface():
    A, b = matrix(9, 2), RNG.normal(size=9)
    surface = fo.surfaces.get("least_squares", A=A, b=b, l2=0.5)
    assert repr(surface) == "LeastSquares(<9 x 2>, l2=0.5)"
    assert repr(fo.surfaces.get("logistic_regression", A=A, y=b > 0)).startswith("Logistic")
    assert "sparse" in repr(fo.LeastSquares(scipy.sparse.csr_array(A), b))
    A[0, 0] = np.nan  # the surface has its own
    assert np.isfinite(surface.value([0.0, 0.0]))
    for array in (surface.A, surface.b):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.slow
def test_single_precision():
    surface = CASES[3].surface
    x = RNG.normal(size=(50, surface.dim)).astype("f4")
    runs = fo.run(fo.SGD(), surface, x, max_steps=0, stop=None, dtype="float32")
    np.testing.assert_allclose(runs.fun, surface.value(x), rtol=2e-6)
    norms = np.linalg.norm(surface.gradient(x), axis=-1)
    np.testing.assert_allclose(runs.grad_norm, norms, rtol=1e-5)


# -- they run, and compose -----------------------------------------------------------------


@pytest.mark.parametrize("case", CASES[:2], ids=str)
def test_they_converge_and_compose(case):
    surface = case.surface
    starts = np.zeros((20, surface.dim))
    starts[:, 0] = np.arange(20)
    rule = fo.GradientDescent(1 / surface.lipschitz)
    runs = fo.run(rule, surface, starts, stop=fo.Stop(gradient=1e-6))
    assert runs.success.all()
    scaled = surface.shifted(2.0).scaled(value=3.0)
    moved = fo.run(
        fo.GradientDescent(1 / scaled.lipschitz), scaled, starts + 2, stop=fo.Stop(gradient=3e-6)
    )
    np.testing.assert_allclose(moved.x - 2, runs.x, atol=1e-10)
    np.testing.assert_array_equal(moved.steps, runs.steps)


class Absolute(FiniteSum):
    """The pseudo-Huber loss: a user's own."""

    name = "test_absolute"

    def __init__(self, A, b):
        super().__init__(A, np.asarray(b, float))

    @staticmethod
    def loss(z, y):
        return math.sqrt((z - y) * (z - y) + 1.0) - 1.0

    @staticmethod
    def slope(z, y):
        return (z - y) / math.sqrt((z - y) * (z - y) + 1.0)

    @staticmethod
    def curvature(z, y):
        square = (z - y) * (z - y) + 1.0
        return 1.0 / (square * math.sqrt(square))


del fo.surfaces.base.registry[Absolute.name]  # not to be listed in other tests


def test_a_sum_of_ones_own():
    A, b = matrix(9, 3), RNG.normal(size=9)
    surface, x = Absolute(A, b), RNG.normal(size=(5, 3))
    away = x @ A.T - b
    np.testing.assert_allclose(surface.value(x), (np.hypot(away, 1) - 1).mean(-1), rtol=1e-13)
    slopes = away / np.hypot(away, 1) @ A / 9
    np.testing.assert_allclose(surface.gradient(x), slopes, atol=1e-14)
    noise = fo.noise.minibatch(9)  # an epoch a batch: the whole sum, in another order
    runs = fo.run(fo.SGD(0.5), surface, x, max_steps=1, stop=None, noise=noise)
    np.testing.assert_allclose(runs.x, x - 0.5 * slopes, atol=1e-14)


# -- bad input -----------------------------------------------------------------------------

SQUARE = np.eye(3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fo.LeastSquares(np.ones(3), [1.0]), ValueError, r"A has shape \(3,\): must be"),
        (lambda: fo.LeastSquares(np.ones((0, 3)), []), ValueError, r"A has shape \(0, 3\)"),
        (lambda: fo.LeastSquares([[1.0], [1.0, 2.0]], [1, 2]), ValueError, "A: "),
        (lambda: fo.LeastSquares(SQUARE * 1j, [1, 2, 3]), TypeError, "dtype complex128: must be"),
        (lambda: fo.LeastSquares(SQUARE, ["a"] * 3), TypeError, "b has dtype <U1"),
        (lambda: fo.LeastSquares(SQUARE, [1, 2]), ValueError, "3 rows and there are 2 labels"),
        (lambda: fo.LeastSquares(SQUARE, SQUARE), ValueError, r"b has shape \(3, 3\): must be a v"),
        (lambda: fo.LeastSquares(SQUARE / 0, [1, 2, 3]), ValueError, r"A holds .*drop or fill"),
        (lambda: fo.LeastSquares(SQUARE, [1, np.inf, 3]), ValueError, r"b holds inf \(1 of 3"),
        (lambda: fo.LeastSquares(SQUARE, [1, 2, 3], -1.0), ValueError, "l2=-1.0: must be finite"),
        (lambda: fo.LeastSquares(SQUARE, [1, 2, 3], [1.0]), TypeError, "l2=.*must be a number"),
        (
            lambda: fo.LeastSquares(scipy.sparse.csr_array([[np.nan, 1.0]]), [1.0]),
            ValueError,
            r"A holds nan \(1 of 2",
        ),
        (
            lambda: fo.LeastSquares(scipy.sparse.csr_array((1, 2**24 + 1)), [1.0]),
            ValueError,
            "columns: must be <= 16,777,216",
        ),
        (lambda: fo.LogisticRegression(SQUARE, [0, 1, 2]), ValueError, "the labels 0, 1, 2: must"),
        (lambda: fo.LogisticRegression(SQUARE, [-1, 0, 1]), ValueError, "the labels -1, 0, 1"),
        (lambda: fo.LogisticRegression(SQUARE, [0, -1, 0]), ValueError, "the labels -1, 0: must"),
        (lambda: fo.LogisticRegression(SQUARE, [0.5, 1, 0]), ValueError, "the labels 0, 0.5, 1"),
        (
            lambda: fo.LeastSquares.random(5, 6, fo.spectra.log_uniform(condition=3)),
            ValueError,
            "rows=5: must be >= dim=6",
        ),
        (
            lambda: fo.LeastSquares.random(9, 3, fo.spectra.indefinite(negative=1)),
            ValueError,
            "drew the eigenvalue -.*must draw none below 0",
        ),
        (lambda: fo.LeastSquares.random(9, 3, 100.0), TypeError, "spectrum=100.0: must be one"),
        (lambda: fo.LeastSquares.random(9, 3, noise_std=-1), ValueError, "noise_std=-1: must be"),
        (
            lambda: fo.LogisticRegression.random(9, 3, coefficients=[1.0]),
            ValueError,
            r"coefficients has shape \(1,\): must be \(3,\)",
        ),
        (lambda: fo.LogisticRegression.random(0, 3), ValueError, "rows=0: must be >= 1"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message), np.errstate(all="ignore"):
        make()
