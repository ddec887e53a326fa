"""Newton, conjugate gradients, BFGS and the gradient flow, step by step and by theory.

A step of these rules is a direction and a length. The directions are checked against the
formulas of the papers, the lengths against the conditions that the line search promises.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import oracles
import pytest
from oracles import same_bits
from scipy.integrate import RK45, solve_ivp

import fastopt as fo
from fastopt.kernels.line_search import DECREASE
from fastopt.surfaces.base import registry

STEPS = 12
ROSENBROCK = fo.Rosenbrock(2)
STARTS = np.random.default_rng(5).uniform(-2, 2, (40, 2))
CONJUGATE = [fo.FletcherReeves, fo.PolakRibiere, fo.HestenesStiefel]
SEARCHING = [fo.DampedNewton(), fo.BFGS(), *(cls() for cls in CONJUGATE)]
SECOND_ORDER = [fo.Newton(), fo.GradientFlow(), *SEARCHING]


def name_of(rule):
    return rule.name


def rosenbrock_hessian(x):
    matrix = np.empty((*x.shape, 2))
    matrix[..., 0, 0] = 1200 * x[..., 0] ** 2 - 400 * x[..., 1] + 2
    matrix[..., 0, 1] = matrix[..., 1, 0] = -400 * x[..., 0]
    matrix[..., 1, 1] = 200
    return matrix


def solve(matrix, g):
    return np.linalg.solve(matrix, g[..., None])[..., 0]


def path(rule, surface=ROSENBROCK, starts=STARTS, steps=STEPS):
    return fo.run(
        rule, surface, starts, max_steps=steps, stop=None, record=fo.Record(every=1)
    ).trajectory


def parallel(moves, directions):
    """Whether each move goes along its direction, forwards, to what rounding leaves."""
    norms = np.linalg.norm(moves, axis=-1), np.linalg.norm(directions, axis=-1)
    inner = (moves * directions).sum(-1)
    across = np.linalg.norm(
        moves * norms[1][..., None] ** 2 - directions * inner[..., None], axis=-1
    )
    return (across <= 1e-6 * norms[0] * norms[1] ** 2) & (inner >= 0)


# -- Newton ------------------------------------------------------------------------------


def test_newton_is_the_solution_of_the_linear_system():
    points = path(fo.Newton(), steps=4)
    for x, after in itertools.pairwise(points):
        step = solve(rosenbrock_hessian(x), oracles.rosenbrock_gradient(x))
        scale = np.abs(step).max() + np.abs(x).max()
        np.testing.assert_allclose(after, x - step, atol=1e-10 * scale, rtol=1e-9)


def test_newton_pivots():
    # Without an exchange of rows the first pivot would be 0.
    matrix = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 0.0], [1.0, 0.0, 3.0]])
    surface = fo.Quadratic(matrix, [1.0, 2.0, 3.0])
    x = fo.run(fo.Newton(), surface, [[5.0, -4.0, 1.0]], max_steps=1, stop=None).x
    np.testing.assert_allclose(x, [[1.0, 2.0, 3.0]], rtol=1e-14)


def test_newton_of_a_singular_hessian_diverges():
    surface = fo.Quadratic(np.ones((2, 2)))
    runs = fo.run(fo.Newton(), surface, [[1.0, 2.0], [1.0, -1.0]], max_steps=3)
    assert runs.status.tolist() == [fo.Status.DIVERGED, fo.Status.CONVERGED]


def test_newton_squares_the_error():
    errors = np.abs(path(fo.Newton(), starts=np.array([[1.1, 1.2]]), steps=7) - 1.0).max((1, 2))
    assert errors[-1] < 1e-14
    assert np.all(errors[3:6] < 100 * errors[2:5] ** 2 + 1e-15)


def test_damped_newton_solves_the_shifted_system():
    points = path(fo.DampedNewton())
    for x, after in itertools.pairwise(points):
        matrix = rosenbrock_hessian(x)
        shift = np.zeros(len(x))
        least = np.linalg.norm(matrix, axis=(-1, -2)) / 1000
        for _ in range(20):
            lowest = np.linalg.eigvalsh(matrix + shift[:, None, None] * np.eye(2))[:, 0]
            more = np.maximum(2 * shift, least)
            shift = np.where(lowest > 0, shift, more)
        step = -solve(matrix + shift[:, None, None] * np.eye(2), oracles.rosenbrock_gradient(x))
        away = np.linalg.norm(oracles.rosenbrock_gradient(x), axis=-1) > 1e-6
        assert away.any()
        assert parallel(after - x, step)[away].all()
    assert np.any(np.linalg.eigvalsh(rosenbrock_hessian(STARTS))[:, 0] < 0)


# -- line search -------------------------------------------------------------------------


@pytest.mark.parametrize("rule", SEARCHING, ids=name_of)
def test_steps_satisfy_the_strong_wolfe_conditions(rule):
    points = path(rule)
    value, gradient = oracles.rosenbrock, oracles.rosenbrock_gradient
    checked = 0
    for x, after in itertools.pairwise(points):
        move = after - x
        before = (gradient(x) * move).sum(-1)
        later = (gradient(after) * move).sum(-1)
        # Where the value is lost in rounding, the conditions are on slopes alone.
        clear = np.linalg.norm(gradient(x), axis=-1) > 1e-5
        assert np.all((before < 0)[clear])
        drop = value(x) + DECREASE * before
        assert np.all((value(after) <= drop * (1 + 1e-12) + 1e-15)[clear])
        assert np.all((np.abs(later) <= rule.curvature * np.abs(before) * (1 + 1e-9))[clear])
        checked += clear.sum()
    assert checked > 200


@pytest.mark.parametrize("rule", SEARCHING, ids=name_of)
def test_a_run_that_cannot_go_down_stays(rule):
    stays = fo.run(rule, ROSENBROCK, [[1.0, 1.0]], max_steps=5, stop=None)
    assert same_bits(stays.x, [[1.0, 1.0]])


def test_a_step_that_gains_too_little_is_not_taken():
    # On the parabola almost to where it is as high again: lower, but not by 1e-4 of the slope.
    start, rate = 0.4, 0.99999
    rule = fo.BFGS(learning_rate=rate, curvature=0.99999)
    x = fo.run(rule, fo.Sphere(1), [[start]], max_steps=1, stop=None).x[0, 0]
    step = (start - x) / (2 * start)
    assert 0 < step < rate
    assert x**2 <= start**2 - DECREASE * step * (2 * start) ** 2


# -- conjugate gradients and BFGS --------------------------------------------------------


def fletcher_reeves(g, last, d):
    return (g * g).sum(-1) / (last * last).sum(-1)


def polak_ribiere(g, last, d):
    return np.maximum((g * (g - last)).sum(-1) / (last * last).sum(-1), 0)


def hestenes_stiefel(g, last, d):
    return (g * (g - last)).sum(-1) / (d * (g - last)).sum(-1)


@pytest.mark.parametrize(
    ("rule", "beta"),
    [*zip(CONJUGATE, (fletcher_reeves, polak_ribiere, hestenes_stiefel), strict=True)],
)
def test_directions_are_conjugate_as_the_papers_have_them(rule, beta):
    points = path(rule())
    last = oracles.rosenbrock_gradient(points[0])
    d = -last
    assert parallel(points[1] - points[0], d).all()
    restarts = 0
    for x, after in itertools.pairwise(points[1:]):
        g = oracles.rosenbrock_gradient(x)
        with np.errstate(invalid="ignore"):  # of runs that have ended
            turned = -g + beta(g, last, d)[:, None] * d
        uphill = (turned * g).sum(-1) >= 0
        d, last = np.where(uphill[:, None], -g, turned), g
        clear = np.linalg.norm(g, axis=-1) > 1e-4
        restarts += (uphill & clear).sum()
        assert parallel(after - x, d)[clear].all()
    # Fletcher's and Reeves's always goes down, as Al-Baali proved.
    assert restarts == 0 or rule is not fo.FletcherReeves


def test_bfgs_keeps_the_inverse_of_its_paper():
    points = path(fo.BFGS())
    gradients = oracles.rosenbrock_gradient(points)
    for run in range(len(STARTS)):
        inverse = np.eye(2)
        for t, (x, after) in enumerate(zip(points[:, run], points[1:, run], strict=False)):
            g = gradients[t, run]
            if np.linalg.norm(g) < 1e-4:
                break
            assert parallel(after - x, -inverse @ g)
            s, y = after - x, gradients[t + 1, run] - g
            if t == 0:
                inverse = (s @ y) / (y @ y) * np.eye(2)
            rho = 1 / (s @ y)
            left = np.eye(2) - rho * np.outer(s, y)
            inverse = left @ inverse @ left.T + rho * np.outer(s, s)


@pytest.mark.parametrize(
    "rule", [cls(curvature=2e-4) for cls in (fo.BFGS, *CONJUGATE)], ids=name_of
)
def test_a_quadratic_takes_as_many_steps_as_coordinates(rule):
    # With a curvature this small the search is as good as exact; PR+ and HS then agree with FR.
    turn = oracles.rotation(6, np.random.default_rng(1))
    surface = fo.Quadratic(oracles.symmetric(np.linspace(1, 20, 6), turn))
    starts = np.random.default_rng(2).normal(size=(30, 6))
    runs = fo.run(rule, surface, starts, max_steps=6, stop=None)
    first = np.linalg.norm(surface.gradient(starts), axis=-1)
    assert np.all(runs.grad_norm <= 1e-2 * first)
    more = fo.run(rule, surface, starts, max_steps=5, stop=None)
    assert np.any(more.grad_norm > 1e-2 * first)


# -- gradient flow -----------------------------------------------------------------------


def test_the_flow_takes_the_steps_of_another_dormand_prince():
    rule = fo.GradientFlow(1e-3, rtol=1e-6, atol=1e-9)
    points = path(rule, starts=STARTS[:8], steps=2)
    for run, start in enumerate(STARTS[:8]):
        theirs = RK45(
            lambda t, x: -oracles.rosenbrock_gradient(x), 0.0, start, 1.0, first_step=1e-3,
            rtol=1e-6, atol=1e-9,
        )  # fmt: skip
        theirs.step()
        if theirs.t == 1e-3:  # not where it had to be repeated: then ours has stayed
            np.testing.assert_allclose(points[1, run], theirs.y, rtol=1e-12)
        else:
            assert same_bits(points[1, run], start)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_flow_keeps_to_its_path_within_its_tolerance(rtol):
    # On the bowl log(y / y0) is 20 log(x / x0) for ever; x falls by a tenth.
    runs = path(fo.GradientFlow(rtol=rtol, atol=1e-300), fo.Bowl(), [[-7.0, 2.0]], steps=40)[:, 0]
    between = runs[(np.abs(runs[:, 0]) > 6.3) & (np.abs(runs[:, 0]) < 7)]
    assert len(between) > 3
    error = np.abs(np.log(between[:, 1] / 2) - 20 * np.log(between[:, 0] / -7)).max()
    assert rtol / 1000 < error < 30 * rtol


def test_the_flow_ends_where_another_solution_of_the_equation_ends():
    starts = np.random.default_rng(8).uniform(-5, 5, (200, 2))
    runs = fo.run(fo.GradientFlow(), fo.Himmelblau(), starts)
    assert runs.success.all()

    def slope(t, x):
        return -oracles.himmelblau_gradient(x.reshape(-1, 2)).ravel()

    theirs = solve_ivp(slope, (0, 20), starts.ravel(), rtol=1e-9, atol=1e-11, method="DOP853")
    np.testing.assert_allclose(runs.x, theirs.y[:, -1].reshape(-1, 2), atol=1e-5)


# -- as all rules ------------------------------------------------------------------------


@pytest.mark.parametrize("rule", SECOND_ORDER, ids=name_of)
def test_a_run_has_the_same_bits_alone_and_among_others(rule):
    together = fo.run(rule, ROSENBROCK, STARTS, max_steps=60)
    for k in (0, 17, 39):
        alone = fo.run(rule, ROSENBROCK, STARTS[k], max_steps=60)
        assert same_bits(alone.x, together.x[k])
        assert alone.steps == together.steps[k]


@pytest.mark.parametrize("rule", [fo.DampedNewton(), fo.BFGS(), fo.PolakRibiere()], ids=name_of)
def test_it_converges_from_everywhere_on_rosenbrock(rule):
    starts = np.random.default_rng(9).uniform(-5, 5, (500, 2))
    runs = fo.run(rule, ROSENBROCK, starts, max_steps=500)
    assert runs.success.all()
    np.testing.assert_allclose(runs.x, 1.0, atol=1e-6)


def test_parameters_by_run_and_schedules():
    rates = np.array([0.25, 0.5, 1.0])
    together = fo.run(fo.Newton(rates), ROSENBROCK, STARTS[0], max_steps=3, stop=None)
    for k, rate in enumerate(rates):
        alone = fo.run(fo.Newton(rate), ROSENBROCK, STARTS[0], max_steps=3, stop=None)
        assert same_bits(together.x[k], alone.x)
    halved = fo.run(fo.Newton(lambda t: 0.5), ROSENBROCK, STARTS[0], max_steps=3, stop=None)
    assert same_bits(halved.x, together.x[1])


def test_single_precision():
    runs = fo.run(fo.BFGS(), ROSENBROCK, STARTS, stop=fo.Stop(distance=1e-3), dtype="float32")
    assert runs.success.all()


def test_a_surface_without_a_hessian_is_refused():
    class Flat(fo.surfaces.PointSurface):
        name = "flat"

        def __init__(self):
            super().__init__(1, [-1.0, 1.0])

        @staticmethod
        def kernel_value(q, x):
            return x[0]

        @staticmethod
        def kernel_gradient(q, x):
            return (1.0,)

    del registry["flat"]  # not to be listed in other tests
    with pytest.raises(ValueError, match=r"Hessian, which Flat\(\) does not give; fo.BFGS"):
        fo.run(fo.Newton(), Flat(), [[0.0]])
    with pytest.raises(NotImplementedError, match="no Hessian"):
        Flat().hessian([0.0])


def test_matrices_larger_than_memory_are_refused():
    surface = fo.Sphere(200_000)
    with pytest.raises(MemoryError, match=r"a run of BFGS.* in 200000 coordinates"):
        fo.run(fo.BFGS(), surface, surface.usual_start)


def test_curvature_has_a_range():
    with pytest.raises(ValueError, match=re.escape("curvature=1.0: must be in (0.0001, 1)")):
        fo.BFGS(curvature=1.0)
