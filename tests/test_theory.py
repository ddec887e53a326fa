"""What theory proves of rules: rates, worst cases, edges of stability."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from oracles import geometric, product, rotation, same_bits, symmetric

import fastopt as fo
from fastopt.surfaces import PointSurface

# -- asymptotic rates on quadratics ------------------------------------------------------

MU, L = 1.0, 100.0
ROOT = np.sqrt(L / MU)
DIM = 50
SPECTRUM = geometric(MU, L, DIM)
BASES = {"axis": np.eye(DIM), "rotated": rotation(DIM, np.random.default_rng(21))}

# name: the rule, its rate, and the multiplicity of the root that decides it
RATES = {
    "descent": (fo.GradientDescent(2 / (MU + L)), (L - MU) / (L + MU), 1),
    "heavy_ball": (fo.HeavyBall(MU, L), (ROOT - 1) / (ROOT + 1), 2),
    "accelerated": (fo.AcceleratedGradient(MU, L), 1 - 1 / ROOT, 2),
    "accelerated_quadratic": (
        fo.AcceleratedGradient(MU, L, quadratic=True), 1 - 2 / np.sqrt(3 * ROOT**2 + 1), 2,
    ),
    "triple_momentum": (fo.TripleMomentum(MU, L), 1 - 1 / ROOT, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", ["momentum", "heavy_ball", "ema_momentum"])
def test_momentum_has_the_best_constants_of_the_heavy_ball(name):
    found = fo.theory.best(name, MU, L)
    assert found.rate == pytest.approx((ROOT - 1) / (ROOT + 1), rel=1e-12)
    assert fo.theory.convergence_rate(found.rule, [MU, L]) == pytest.approx(found.rate, rel=1e-6)


def measured_rate(rule, basis, multiplicity, t=1000):
    """The factor by which the error falls in a step, from the errors of steps t and 2t.

    The error is a sum of t**k * root**t over the roots of each eigendirection's recurrence.
    Constants that are best for a whole interval make roots meet at its ends, and the error is
    then as t * rate**t: left in, that factor of t would raise the measured rate by 2**(1/t),
    which is 7e-4 at t = 1000. It cancels in the ratio of two errors, which is 2 * rate**t
    (1 + O(1/t)): its t-th root without the 2 is right to O(1/t**2).
    """
    surface, record = fo.Quadratic(symmetric(SPECTRUM, basis)), fo.Record(steps=[t, 2 * t])
    starts = product(np.random.default_rng(4).choice([-1.0, 1.0], (3, DIM)), basis.T)
    points = fo.run(rule, surface, starts, max_steps=2 * t, stop=None, record=record).trajectory
    early, late = np.hypot.reduce(points, axis=-1)  # squares of such small numbers underflow
    return (late / early / 2 ** (multiplicity - 1)) ** (1 / t)


@pytest.mark.parametrize("kind", BASES)
@pytest.mark.parametrize("name", RATES)
def test_errors_fall_at_the_rate_of_the_theory(name, kind):
    rule, rate, multiplicity = RATES[name]
    measured = measured_rate(rule, BASES[kind], multiplicity)
    np.testing.assert_allclose(measured, rate, rtol=0, atol=1e-5)


def test_no_other_learning_rate_is_better_than_the_optimal_one():
    factors = np.array([0.98, 0.99, 1.0, 1.01])
    rules = fo.GradientDescent(2 / (MU + L) * factors[:, None])
    measured = measured_rate(rules, BASES["axis"], 1)
    assert (measured.argmin(0) == 2).all()


# -- where the heavy ball fails, and others do not ---------------------------------------


class Cycling(PointSurface):
    """Lessard, Recht and Packard (2016): curvatures 25, 1 and 25, minimum at 0."""

    name = "test_cycling"

    def __init__(self):
        super().__init__(1, [-5.0, 5.0], [[0.0]], 0.0)

    @staticmethod
    def kernel_value(q, x):
        x = x[0]
        middle = 0.5 * x * x + 24.0 * x - 12.0
        right = 12.5 * x * x - 24.0 * x + 36.0
        return 12.5 * x * x if x < 1.0 else (middle if x < 2.0 else right)

    @staticmethod
    def kernel_gradient(q, x):
        x = x[0]
        return (25.0 * x if x < 1.0 else (x + 24.0 if x < 2.0 else 25.0 * x - 24.0),)


class Huber(PointSurface):
    """L x²/2 within *width* of 0, and beyond that straight on."""

    name = "test_huber"

    def __init__(self, curvature, width):
        self._numbers = np.array([curvature, width])
        super().__init__(1, [-1.0, 1.0], [[0.0]], 0.0)

    @property
    def numbers(self):
        return self._numbers

    @staticmethod
    def kernel_value(q, x):
        size = abs(x[0])
        return 0.5 * q[0] * size * size if size < q[1] else q[0] * q[1] * (size - 0.5 * q[1])

    @staticmethod
    def kernel_gradient(q, x):
        inside = q[1] if x[0] > q[1] else (-q[1] if x[0] < -q[1] else x[0])
        return (q[0] * inside,)


for _cls in (Cycling, Huber):
    del fo.surfaces.base.registry[_cls.name]  # not to be listed in other tests

CYCLE_STARTS = np.linspace(3.07, 3.46, 14)[:, None]  # the paper's interval


def test_surfaces_of_this_file_have_the_gradients_of_their_values():
    for surface in (Cycling(), Huber(3.0, 0.25)):
        x = np.random.default_rng(6).uniform(-4, 4, (200, 1))
        slope = (surface.value(x + 1e-6) - surface.value(x - 1e-6)) / 2e-6
        np.testing.assert_allclose(surface.gradient(x)[:, 0], slope, atol=1e-4)


def test_heavy_ball_cycles_for_ever():
    last, kept = 30_000, 300
    runs = fo.run(
        fo.HeavyBall(mu=1.0, L=25.0),
        Cycling(),
        CYCLE_STARTS,
        max_steps=last,
        stop=fo.Stop(gradient=1e-8),
        record=fo.Record(steps=range(last - kept + 1, last + 1)),
    )
    assert (runs.status == fo.Status.MAX_STEPS).all()
    # 9 x_{t+1} + 12 x_t + 4 x_{t-1} is 24 where x_t > 2, and 0 where x_t < 1.
    cycle = [Fraction(n, 1225) for n in (792, -2208, 2592)]
    for before, here, after in zip(cycle[-1:] + cycle, cycle, cycle[1:] + cycle, strict=False):
        assert 9 * after + 12 * here + 4 * before == (24 if here > 2 else 0)
        assert here > 2 or here < 1
    points = runs.trajectory[..., 0]
    turns = np.sort(points.reshape(kept // 3, 3, -1), axis=1)
    expected = np.sort([float(x) for x in cycle])[:, None]
    np.testing.assert_allclose(turns, np.broadcast_to(expected, turns.shape), rtol=1e-13)
    np.testing.assert_allclose(points[3:], points[:-3], rtol=1e-13)
    assert same_bits(points[6:], points[:-6])  # some come back to the bit every second turn


# Bounds on f(x_t) - f*: (1 - sqrt(mu/L))**t (f(x_0) - f* + mu/2 |x_0 - x*|²), Nesterov (2004),
# as in d'Aspremont, Scieur and Taylor (2021), corollary 4.15; and L/mu (1 - sqrt(mu/L))**2t
# L/2 |x_0 - x*|², Van Scoy, Freeman and Lynch (2018), theorem 1.
@pytest.mark.parametrize(
    ("cls", "bound"),
    [
        (fo.AcceleratedGradient, lambda t, f, x: 0.8**t * (f + 0.5 * x**2)),
        (fo.TripleMomentum, lambda t, f, x: 25 * 0.8 ** (2 * t) * 12.5 * x**2),
    ],
)
def test_other_methods_keep_their_bounds_where_the_heavy_ball_cycles(cls, bound):
    rule, record, steps = cls(mu=1.0, L=25.0), fo.Record(every=1), 300
    values = fo.run(
        rule, Cycling(), CYCLE_STARTS, max_steps=steps, stop=None, record=record
    ).trajectory_fun
    t = np.arange(steps + 1)[:, None]
    assert (values <= bound(t, values[0], CYCLE_STARTS[:, 0]) * (1 + 1e-12)).all()
    assert values[-1].max() < 1e-25


# -- exact worst cases -------------------------------------------------------------------


def last_theta(steps):
    """theta_N of Kim and Fessler (2016), the steps of their method being N."""
    theta = 1.0
    for factor in [4] * (steps - 1) + [8]:
        theta = (1 + np.sqrt(1 + factor * theta**2)) / 2
    return theta


def triple_momentum_worst(L, mu, steps):
    return L / 2 * (L / mu) * (1 - np.sqrt(mu / L)) ** (2 * steps)


PARABOLA = 10.0  # a width that no run leaves

# name: rule, width of the Huber function, and worst value, by L and the number of steps, for a
# start 1 away from the minimum. Drori and Teboulle (2014), theorem 3.1; Kim and Fessler (2016),
# theorem 2, and (2017), with both functions; Van Scoy, Freeman and Lynch (2018), theorem 1.
WORST = {
    "descent": (
        lambda L, n: fo.GradientDescent(1 / L),
        lambda n: 1 / (2 * n + 1),
        lambda L, n: L / (4 * n + 2),
    ),
    "ogm": (
        lambda L, n: fo.OGM(1 / L, steps=n),
        lambda n: last_theta(n) ** -2,
        lambda L, n: L / (2 * last_theta(n) ** 2),
    ),
    "ogm_parabola": (
        lambda L, n: fo.OGM(1 / L, steps=n),
        lambda n: PARABOLA,
        lambda L, n: L / (2 * last_theta(n) ** 2),
    ),
    "triple_momentum": (
        lambda L, n: fo.TripleMomentum(L / 10, L),
        lambda n: PARABOLA,
        lambda L, n: triple_momentum_worst(L, L / 10, n),
    ),
}


@pytest.mark.parametrize("steps", [1, 2, 4, 40])
@pytest.mark.parametrize("name", WORST)
def test_worst_case_is_attained(name, steps):
    rule, width, worst = WORST[name]
    for curvature in (1.0, 3.0):
        surface = Huber(curvature, width(steps))
        start = [[1.0], [-1.0]]
        runs = fo.run(rule(curvature, steps), surface, start, max_steps=steps, stop=None)
        np.testing.assert_allclose(runs.fun, worst(curvature, steps), rtol=1e-12)


def test_worst_cases_are_those_that_performance_estimation_gives():
    # The values in the documentation of PEPit's examples.
    assert WORST["descent"][2](3, 4) == pytest.approx(0.166667, abs=5e-7)
    assert WORST["ogm"][2](3, 4) == pytest.approx(0.0767518, abs=5e-8)
    assert triple_momentum_worst(1, 0.1, 4) == pytest.approx(0.238925, abs=5e-7)


# -- edges of stability ------------------------------------------------------------------

CURVATURES = np.geomspace(0.1, 2.0, 6)
BETAS = np.array([0.0, 0.5, 0.9])

# Stable learning rates times the largest curvature. A root of the recurrence of x leaves the
# unit circle at -1; for Nesterov's, z² = (1 + b)(1 - a) z - b (1 - a), that gives 1 - a =
# -1 / (1 + 2 b).
EDGES = {
    "descent": (lambda rate, b: fo.GradientDescent(rate), 2 + 0 * BETAS),
    "momentum": (lambda rate, b: fo.Momentum(rate, momentum=b), 2 + 2 * BETAS),
    "ema": (lambda rate, b: fo.EMAMomentum(rate, beta=b), (2 + 2 * BETAS) / (1 - BETAS)),
    "nesterov": (
        lambda rate, b: fo.Nesterov(rate, momentum=b), (2 + 2 * BETAS) / (1 + 2 * BETAS),
    ),
}  # fmt: skip


def grows(rule):
    """Whether each run's error grows, in the long run."""
    surface, record = fo.Quadratic(np.diag(CURVATURES)), fo.Record(steps=[1000, 2000])
    runs = fo.run(rule, surface, np.ones(6), max_steps=2000, stop=None, record=record)
    early, late = np.hypot.reduce(runs.trajectory, axis=-1)
    return (runs.status == fo.Status.DIVERGED) | (late > early)


@pytest.mark.parametrize("name", EDGES)
def test_learning_rates_are_stable_up_to_the_edge(name):
    make, expected = EDGES[name]
    low, high = np.full(3, 1e-2), np.full(3, 1e2)
    each = np.arange(3)
    for _ in range(5):
        rates = np.geomspace(low, high, 65)  # cuts each bracket, of its logarithm, in 64
        above = grows(make(rates, BETAS))
        assert (above[1:] >= above[:-1]).all()
        first = above.argmax(0)
        assert (first > 0).all()
        low, high = rates[first - 1, each], rates[first, each]
    assert (high / low < 1 + 1e-7).all()
    np.testing.assert_allclose(low * CURVATURES.max(), expected, rtol=1e-6)


def test_ema_edge_is_38_over_curvature_at_its_default():
    assert EDGES["ema"][1][list(BETAS).index(fo.EMAMomentum().beta)] == pytest.approx(38)
