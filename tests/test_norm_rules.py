"""Rules with norms, and with constants made of the curvature, against slow oracles."""

from __future__ import annotations

from itertools import islice

import numpy as np
import oracles
import pytest
from oracles import add_up, geometric, rotation, same_bits, symmetric, ulps_apart
from roundings import neighbours

import fastopt as fo

STEPS = 50

# -- oracles, written from the papers ----------------------------------------------------
#
# Each is an endless sequence of iterates; the runs are rows of arrays (n, dim).


def norm(a):
    return np.sqrt(add_up(a * a))[:, None]


def dot(a, b):
    return add_up(a * b)[:, None]


def normalised(gradient, value, x, learning_rate=0.01):
    """Hazan, Levy and Shalev-Shwartz (2015), Algorithm 1."""
    while True:
        yield x
        g = gradient(x)
        x = x - learning_rate * (g / norm(g))


def clipped(gradient, value, x, learning_rate=0.01, max_norm=1.0):
    """Pascanu, Mikolov and Bengio (2013), Algorithm 1."""
    while True:
        yield x
        g = gradient(x)
        g = np.where(norm(g) >= max_norm, max_norm / norm(g) * g, g)
        x = x - learning_rate * g


def polyak(gradient, value, x, learning_rate=1.0, fun_min=0.0):
    """Polyak (1969)."""
    while True:
        yield x
        g = gradient(x)
        x = x - learning_rate * (value(x)[:, None] - fun_min) / dot(g, g) * g


def barzilai_borwein(gradient, value, x, learning_rate=0.01, short=False):
    """Barzilai and Borwein (1988); the last step is kept at curvatures that are not > 0."""
    step, last = np.full((len(x), 1), learning_rate, x.dtype), None
    while True:
        yield x
        g = gradient(x)
        if last is not None:
            s, y = x - last[0], g - last[1]
            new = dot(s, y) / dot(y, y) if short else dot(s, s) / dot(s, y)
            square = dot(y, y) if short else dot(s, s)
            step = np.where((dot(s, y) > 0) & (square > 0), new, step)
        last = x, g
        x = x - step * g


def dog(gradient, value, x, learning_rate=1.0, first=1e-6, eps=1e-8):
    """Ivgi, Hinder and Carmon (2023)."""
    start, total = x, 0.0
    farthest = first * (1 + norm(x))
    while True:
        yield x
        g = gradient(x)
        farthest = np.maximum(farthest, norm(x - start))
        total = total + dot(g, g)
        x = x - learning_rate * farthest / np.sqrt(total + eps) * g


def heavy_ball(gradient, value, x, mu=0.1, L=2.0):
    """Lessard, Recht and Packard (2016), section 2.2, with x_{-1} = x_0."""
    kappa, last = L / mu, x
    alpha = 4 / (np.sqrt(L) + np.sqrt(mu)) ** 2
    beta = ((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)) ** 2
    while True:
        yield x
        x, last = x - alpha * gradient(x) + beta * (x - last), x


def accelerated(gradient, value, x, mu=0.1, L=2.0, quadratic=False):
    """Nesterov (2004), scheme III; Lessard, Recht and Packard (2016), section 2.2."""
    kappa, last = L / mu, x
    alpha, beta = 1 / L, (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    if quadratic:
        root = np.sqrt(3 * kappa + 1)
        alpha, beta = 4 / (3 * L + mu), (root - 2) / (root + 2)
    while True:
        yield x
        y = x + beta * (x - last)
        x, last = y - alpha * gradient(y), x


def triple_momentum(gradient, value, x, mu=0.1, L=2.0):
    """Van Scoy, Freeman and Lynch (2018)."""
    rho = 1 - 1 / np.sqrt(L / mu)
    alpha, beta = (1 + rho) / L, rho**2 / (2 - rho)
    gamma, delta = rho**2 / ((1 + rho) * (2 - rho)), rho**2 / (1 - rho**2)
    xi = last = x
    while True:
        yield (1 + delta) * xi - delta * last
        y = (1 + gamma) * xi - gamma * last
        xi, last = (1 + beta) * xi - beta * last - alpha * gradient(y), xi


def thetas(steps, real=np.float64):
    theta = [real(1)]
    for i in range(steps):
        theta.append((1 + np.sqrt(1 + (8 if i == steps - 1 else 4) * theta[i] ** 2)) / 2)
    return theta


def ogm(gradient, value, x, learning_rate=0.01, steps=100):
    """Kim and Fessler (2016), Algorithm OGM1; it ends after *steps* steps."""
    theta, y = thetas(steps, x.dtype.type), x
    yield x
    for i in range(steps):
        last, y = y, x - learning_rate * gradient(x)
        x = y + (theta[i] - 1) / theta[i + 1] * (y - last) + theta[i] / theta[i + 1] * (y - x)
        yield x


# name: ours, its oracle, and parameters other than the defaults
RULES = {
    "normalised": (fo.NormalisedGradientDescent, normalised, {"learning_rate": 0.125}),
    "clipped": (fo.ClippedGradientDescent, clipped, {"learning_rate": 0.25, "max_norm": 2.0}),
    "polyak": (fo.Polyak, polyak, {"learning_rate": 1.5, "fun_min": -0.25}),
    "long": (fo.BarzilaiBorwein, barzilai_borwein, {"learning_rate": 0.25}),
    "short": (fo.BarzilaiBorwein, barzilai_borwein, {"learning_rate": 0.25, "short": True}),
    "dog": (fo.DoG, dog, {"learning_rate": 0.5, "first": 0.01, "eps": 1e-3}),
    "heavy_ball": (fo.HeavyBall, heavy_ball, {"mu": 0.05, "L": 3.0}),
    "accelerated": (fo.AcceleratedGradient, accelerated, {"mu": 0.05, "L": 3.0}),
    "accelerated_quadratic": (
        fo.AcceleratedGradient, accelerated, {"mu": 0.05, "L": 3.0, "quadratic": True},
    ),
    "triple": (fo.TripleMomentum, triple_momentum, {"mu": 0.05, "L": 3.0}),
    "ogm": (fo.OGM, ogm, {"learning_rate": 0.5, "steps": STEPS}),
}  # fmt: skip
every_rule = pytest.mark.parametrize("name", RULES)

_rng = np.random.default_rng(8)
QUADRATIC = fo.Quadratic(symmetric(geometric(0.1, 2.0, 6), rotation(6, _rng)))
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {
    "fused": (fo.Bowl(), oracles.bowl_gradient, oracles.bowl),
    "staged": (QUADRATIC, _plain.gradient, _plain.value),
}
STARTS = {kind: _rng.uniform(-5, 5, (37, s.dim)) for kind, (s, _, _) in SURFACES.items()}


def path(rule, surface, starts, length=STEPS, **options):
    record = fo.Record(every=1)
    return fo.run(
        rule, surface, starts, max_steps=length, stop=None, record=record, **options
    ).trajectory


def plain_path(oracle, gradient, value, starts, length=STEPS, **parameters):
    real = starts.dtype.type
    rounded = {
        key: given if isinstance(given, bool | int) else real(given)
        for key, given in parameters.items()
    }
    with np.errstate(all="ignore"):
        return np.array(list(islice(oracle(gradient, value, starts, **rounded), length + 1)))


def assert_as_near_as_roundings_allow(cls, oracle, parameters, surface, starts, **options):
    surface, gradient, value = surface
    ours = path(cls(**parameters), surface, starts, dtype=starts.dtype, **options)
    theirs = neighbours(
        lambda through, x: plain_path(
            oracle, through(gradient), through(value), x, **options, **parameters
        ),
        starts,
    )
    assert np.isfinite(theirs.path).all()
    assert ours.dtype == theirs.path.dtype == starts.dtype
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()
    return ours, theirs.path


# -- against the papers ------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "dtype"), [("fused", "<f8"), ("fused", "<f4"), ("staged", "<f8")])
@every_rule
def test_rule_takes_the_steps_of_its_paper(name, kind, dtype):
    starts = STARTS[kind].astype(dtype)
    ours, theirs = assert_as_near_as_roundings_allow(*RULES[name], SURFACES[kind], starts)
    step_one = np.abs(ours[1] - theirs[1]) / np.spacing(np.abs(theirs[:2]).max((0, 2)))[:, None]
    # The oracle's x_t is a difference of numbers 1 + 2 delta = 7 times as large.
    assert step_one.max() <= (28 if name == "triple" else 4)


@every_rule
def test_defaults_are_those_of_the_oracle(name):
    cls, oracle, parameters = RULES[name]
    flags = {key: given for key, given in parameters.items() if isinstance(given, bool)}
    starts = STARTS["fused"]
    assert_as_near_as_roundings_allow(cls, oracle, flags, SURFACES["fused"], starts)


@every_rule
def test_array_of_parameters_equals_runs_with_each_value(name):
    cls, _, parameters = RULES[name]
    numeric = {key: v for key, v in parameters.items() if not isinstance(v, bool)}
    several = {
        key: np.array([v, 20]) if key == "steps" else v * np.array([1.0, 0.5])
        for key, v in numeric.items()
    }
    start = STARTS["fused"][0]
    together = path(cls(**parameters | several), fo.Bowl(), start)
    for i in range(2):
        one = parameters | {key: array[i] for key, array in several.items()}
        assert same_bits(together[:, i], path(cls(**one), fo.Bowl(), start)), i


@pytest.mark.parametrize("short", [False, True])
def test_barzilai_borwein_keeps_its_step_at_negative_curvature(short):
    # Around Himmelblau's maximum, where the first secants have s'y < 0.
    surface = (fo.Himmelblau(), oracles.himmelblau_gradient, oracles.himmelblau)
    starts = np.array([-0.27, -0.92]) + np.random.default_rng(3).uniform(-0.2, 0.2, (20, 2))
    parameters = {"learning_rate": 1e-3, "short": short}
    ours, _ = assert_as_near_as_roundings_allow(
        fo.BarzilaiBorwein, barzilai_borwein, parameters, surface, starts, length=12
    )
    step, g = ours[1:] - ours[:-1], oracles.himmelblau_gradient(ours[:-1])
    lengths = np.sqrt(add_up(step * step)) / np.sqrt(add_up(g * g))
    kept = np.abs(lengths[1] / 1e-3 - 1) < 1e-9
    assert kept.sum() >= 10


# -- where a formula divides by 0 --------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        fo.NormalisedGradientDescent(),
        fo.ClippedGradientDescent.torch(),
        fo.ClippedGradientDescent.keras(),
        fo.ClippedGradientDescent.optax(),
        fo.Polyak(),
        fo.Polyak(fun_min=-1.0),
        fo.Polyak.optax(),
        fo.BarzilaiBorwein(),
        fo.BarzilaiBorwein(short=True),
        fo.DoG(eps=0.0),
    ],
    ids=repr,
)
def test_a_run_at_the_minimum_stays(rule):
    assert same_bits(path(rule, fo.Bowl(), np.zeros((1, 2)), length=3), np.zeros((4, 1, 2)))


# -- closed forms ------------------------------------------------------------------------


def test_steps_are_as_long_as_they_say():
    for rule, longest in (
        (fo.NormalisedGradientDescent(0.125), 0.125),
        (fo.ClippedGradientDescent(0.25, max_norm=2.0), 0.5),
    ):
        points = path(rule, fo.Bowl(), STARTS["fused"])
        lengths = np.sqrt(add_up((points[1:] - points[:-1]) ** 2))
        assert lengths.max() <= longest * (1 + 1e-14)
        always = isinstance(rule, fo.NormalisedGradientDescent)
        assert (lengths.min() >= longest * (1 - 1e-13)) == always


def test_polyak_nears_the_minimum_at_every_step():
    for rate in (0.5, 1.0, 1.9):
        distance = np.sqrt(add_up(path(fo.Polyak(rate), fo.Bowl(), STARTS["fused"]) ** 2))
        assert (np.diff(distance, axis=0) < 0).all()


# -- errors ------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [fo.HeavyBall, fo.AcceleratedGradient, fo.TripleMomentum])
def test_curvatures_must_be_in_order(cls):
    with pytest.raises(ValueError, match=rf"^mu=3.0, L=2.0: mu must be <= L \({cls.__name__}\)$"):
        cls(mu=3.0)
    with pytest.raises(ValueError, match=r"^mu=3.0, L=2.5: mu must be <= L"):
        cls(mu=[[1.0], [3.0]], L=[4.0, 2.5])
    cls(mu=[1.0, 2.0], L=2.0)
    with pytest.raises(ValueError, match="does not broadcast"):
        fo.run(cls(mu=[0.1, 0.2], L=[1.0, 2.0, 3.0]), fo.Bowl(), [1.0, 1.0])


@pytest.mark.parametrize("steps", [0, 2.5])
def test_ogm_takes_whole_steps(steps):
    with pytest.raises(ValueError, match=r"must be a whole number >= 1 \(OGM\)"):
        fo.OGM(0.1, steps=steps)
