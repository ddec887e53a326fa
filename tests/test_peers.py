"""Our rules against torch.optim and optax, step for step, and our surfaces against jax.grad.

Run with ``pytest -m peers``. A library that is not installed skips its tests, unless
``FASTOPT_REQUIRE_PEERS=1`` makes that an error.

Both libraries differentiate the surfaces by themselves, so nothing of a step is shared. Where
a rule has several published forms, the libraries are asked for the paper's, which is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from parity import spread_quadratic

import fastopt as fo

pytestmark = pytest.mark.peers

STEPS = 200
STARTS = 8
DRAWS = 5
TOLERANCE = 1e-10  # of the largest coordinate that the run ever had
# The libraries round otherwise at each of the 200 steps, not once by one ulp.
ROUNDINGS = 10


# -- surfaces ----------------------------------------------------------------------------


# name: ours, its largest curvature among the starts, and how far those reach
SURFACES = {
    "rosenbrock-2": (fo.Rosenbrock(dim=2), 1800.0, 1.0),
    "rosenbrock-5": (fo.Rosenbrock(dim=5), 1800.0, 1.0),
    "styblinski_tang-2": (fo.StyblinskiTang(dim=2), 140.0, 5.0),
    "quadratic-6": (spread_quadratic(), 100.0, 10.0),
}


def formula(surface, np):
    """The value at points (..., dim) as *np* (numpy, torch or jax.numpy) computes it."""
    cos, exp, sqrt, pi = np.cos, np.exp, np.sqrt, math.pi

    def ackley(x):
        root = sqrt((x**2).mean(-1))
        return 20 - 20 * exp(-0.2 * root) + math.e - exp(cos(2 * pi * x).mean(-1))

    def beale(x):
        x, y = x[..., 0], x[..., 1]
        return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2

    def himmelblau(x):
        x, y = x[..., 0], x[..., 1]
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def quadratic(x):
        return 0.5 * ((x @ np.asarray(surface.matrix.copy())) * x).sum(-1)

    def rosenbrock(x):
        rise, rest = x[..., 1:] - x[..., :-1] ** 2, 1 - x[..., :-1]
        return (100 * rise**2 + rest**2).sum(-1)

    return {
        "ackley": ackley,
        "beale": beale,
        "bowl": lambda x: x[..., 0] ** 2 / 20 + x[..., 1] ** 2,
        "himmelblau": himmelblau,
        "quadratic": quadratic,
        "rastrigin": lambda x: (x**2 + 10 * (1 - cos(2 * pi * x))).sum(-1),
        "rosenbrock": rosenbrock,
        "sphere": lambda x: (x**2).sum(-1),
        "styblinski_tang": lambda x: (x**4 - 16 * x**2 + 5 * x).sum(-1) / 2,
    }[surface.name]


@pytest.mark.parametrize(
    "surface",
    [
        *(fo.surfaces.get(name) for name in ("ackley", "beale", "bowl", "himmelblau")),
        *(fo.surfaces.get(name, dim=7) for name in ("ackley", "rastrigin", "sphere")),
        *(surface for surface, _, _ in SURFACES.values()),
    ],
    ids=lambda surface: f"{surface.name}-{surface.dim}",
)
def test_value_and_gradient_are_those_of_jax(surface, jax):
    low, high = surface.bounds.T
    x = np.random.default_rng(5).uniform(low, high, (1000, surface.dim))
    value = jax.jit(formula(surface, jax.numpy))
    gradient = jax.jit(jax.grad(lambda x: value(x).sum()))
    # Sums of large terms cancel near a minimum: relative to a typical size, then.
    for ours, theirs in (
        (surface.value(x), np.asarray(value(x))),
        (surface.gradient(x), np.asarray(gradient(x))),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13 * np.abs(theirs).mean())


# -- rules -------------------------------------------------------------------------------


class Settings(NamedTuple):
    """A rule's parameters, but for the learning rate, and how to draw the latter."""

    ours: Callable[..., fo.rules.Rule]
    others: dict[str, Callable[[np.random.Generator], float]]
    # Learning rates are drawn from these, in units of 1 / curvature where that is what they
    # have; the default of the rules that have such a unit does not suit every surface.
    low: float
    high: float
    by_curvature: bool = True


def between(low, high):
    return lambda rng: float(rng.uniform(low, high))


def magnitudes(low, high):
    return lambda rng: float(math.exp(rng.uniform(math.log(low), math.log(high))))


RULES = {
    "gradient_descent": Settings(fo.GradientDescent, {}, 0.05, 0.9),
    "momentum": Settings(fo.Momentum, {"momentum": between(0.1, 0.95)}, 0.01, 0.3),
    "ema_momentum": Settings(fo.EMAMomentum, {"beta": between(0.1, 0.95)}, 0.1, 0.9),
    "ema_momentum-debias": Settings(
        lambda **given: fo.EMAMomentum(debias=True, **given),
        {"beta": between(0.1, 0.95)},
        0.1,
        0.5,
    ),
    "nesterov": Settings(fo.Nesterov, {"momentum": between(0.1, 0.95)}, 0.01, 0.3),
    "adagrad": Settings(fo.AdaGrad, {"eps": magnitudes(1e-12, 1e-2)}, 1e-3, 3e-2, False),
    "adagrad-eps0": Settings(lambda **given: fo.AdaGrad(eps=0.0, **given), {}, 1e-3, 3e-2, False),
    "adadelta": Settings(
        fo.Adadelta, {"rho": between(0.9, 0.99), "eps": magnitudes(1e-8, 1e-4)}, 0.1, 1.0, False
    ),
    "rmsprop": Settings(
        fo.RMSProp, {"rho": between(0.5, 0.99), "eps": magnitudes(1e-10, 1e-3)}, 1e-5, 1e-3, False
    ),
    "adam": Settings(
        fo.Adam,
        {
            "beta1": between(0.5, 0.95),
            "beta2": between(0.9, 0.9999),
            "eps": magnitudes(1e-10, 1e-3),
        },
        1e-4,
        1e-2,
        False,
    ),
}


def settings(name, curvature):
    """Keyword arguments of the rule *name*: the defaults first, then DRAWS others."""
    rule, rng = RULES[name], np.random.default_rng(list(name.encode()))
    unit = 1 / curvature if rule.by_curvature else 1.0
    defaults = rule.ours()
    first = {key: getattr(defaults, key) for key in ("learning_rate", *rule.others)}
    if rule.by_curvature:
        first["learning_rate"] = rule.low * unit
    draw_rate = magnitudes(rule.low * unit, rule.high * unit)
    draws = [
        {"learning_rate": draw_rate(rng)} | {key: draw(rng) for key, draw in rule.others.items()}
        for _ in range(DRAWS)
    ]
    return [first, *draws]


def our_path(name, given, surface, starts):
    """Points (STEPS + 1, STARTS, dim), as the libraries count them."""
    rule = RULES[name].ours(**given)
    record = fo.Record(every=1)
    path = fo.run(rule, surface, starts, max_steps=STEPS, stop=None, record=record).trajectory
    if name == "nesterov":
        # The libraries hold the look-ahead point y = x + momentum v, and v = x - x before.
        path = path + given["momentum"] * np.diff(path, axis=0, prepend=path[:1])
    return path


def assert_same(name, surface_name, their_path):
    """Compare each setting's path with ``their_path(given, surface, starts)``."""
    surface, curvature, reach = SURFACES[surface_name]
    starts = np.random.default_rng(7).uniform(-reach, reach, (STARTS, surface.dim))
    for given in settings(name, curvature):
        ours = our_path(name, given, surface, starts)
        theirs = their_path(given, surface, starts)
        assert np.isfinite(ours).all(), given
        scale = np.abs(ours).max((0, 2))
        apart = np.abs(ours - theirs).max(-1) / scale
        if (apart <= TOLERANCE).all():
            continue
        # Where a coordinate's gradient has all but vanished, an adaptive rule divides by it,
        # and the iteration itself enlarges any rounding, by a factor of 5 a step.
        assert (apart <= TOLERANCE).mean() > 0.8, given
        allowed = ROUNDINGS * ulp_effect(name, given, surface, starts, ours) / scale
        worst = np.unravel_index(np.argmax(apart / np.maximum(allowed, TOLERANCE)), apart.shape)
        assert apart[worst] <= max(allowed[worst], TOLERANCE), (
            f"{given}: {apart[worst]:.1e} apart at step {worst[0]}, "
            f"where the roundings explain {allowed[worst]:.1e}"
        )


def ulp_effect(name, given, surface, starts, path):
    """The largest distance so far of paths from starts one ulp away, and so for the rate."""
    units = np.eye(surface.dim, dtype=bool)[:, None]
    near = [
        starts[None],
        *(np.where(units, np.nextafter(starts, side), starts) for side in (-np.inf, np.inf)),
    ]
    effect = np.zeros(path.shape[:2])
    for side in (0.0, given["learning_rate"], np.inf):
        moved = given | {"learning_rate": float(np.nextafter(given["learning_rate"], side))}
        away = our_path(name, moved, surface, np.concatenate(near)) - path[:, None]
        effect = np.maximum(effect, np.abs(away).max((1, 3)))
    return np.maximum.accumulate(effect, 0)


TORCH = {
    "gradient_descent": lambda o, x, g: o.SGD(x, lr=g["learning_rate"]),
    "momentum": lambda o, x, g: o.SGD(x, lr=g["learning_rate"], momentum=g["momentum"]),
    "ema_momentum": lambda o, x, g: o.SGD(
        x, lr=g["learning_rate"], momentum=g["beta"], dampening=g["beta"]
    ),
    "nesterov": lambda o, x, g: o.SGD(
        x, lr=g["learning_rate"], momentum=g["momentum"], nesterov=True
    ),
    "adagrad": lambda o, x, g: o.Adagrad(
        x, lr=g["learning_rate"], eps=g["eps"], initial_accumulator_value=0.0
    ),
    "adadelta": lambda o, x, g: o.Adadelta(x, lr=g["learning_rate"], rho=g["rho"], eps=g["eps"]),
    "rmsprop": lambda o, x, g: o.RMSprop(x, lr=g["learning_rate"], alpha=g["rho"], eps=g["eps"]),
    "adam": lambda o, x, g: o.Adam(
        x, lr=g["learning_rate"], betas=(g["beta1"], g["beta2"]), eps=g["eps"]
    ),
}


def torch_path(torch, name, given, surface, starts, steps=STEPS, from_zero=True):
    x = torch.tensor(starts, requires_grad=True)
    value, optimiser = formula(surface, torch), TORCH[name](torch.optim, [x], given)
    if name == "ema_momentum" and from_zero:
        # torch's buffer begins as the first gradient, undamped; ours at 0.
        optimiser.state[x]["momentum_buffer"] = torch.zeros_like(x)
    path = [starts]
    for _ in range(steps):
        optimiser.zero_grad()
        value(x).sum().backward()
        optimiser.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("surface_name", SURFACES)
@pytest.mark.parametrize("name", TORCH)
def test_steps_are_those_of_torch(name, surface_name, torch):
    assert_same(name, surface_name, lambda *case: torch_path(torch, name, *case))


def test_first_step_of_damped_torch_is_undamped(torch):
    """The one place where torch's dampening is not an average of the gradients."""
    surface, starts, given = (
        fo.Sphere(),
        np.array([[1.0, -2.0]]),
        {"learning_rate": 0.1, "beta": 0.75},
    )
    ours = our_path("ema_momentum", given, surface, starts)
    theirs = torch_path(torch, "ema_momentum", given, surface, starts, 1, from_zero=False)
    np.testing.assert_allclose((theirs[1] - starts) * (1 - 0.75), ours[1] - starts, rtol=1e-14)


OPTAX = {
    "gradient_descent": lambda o, g: o.sgd(g["learning_rate"]),
    "momentum": lambda o, g: o.sgd(g["learning_rate"], momentum=g["momentum"]),
    "ema_momentum": lambda o, g: o.chain(
        o.ema(g["beta"], debias=False), o.scale(-g["learning_rate"])
    ),
    "ema_momentum-debias": lambda o, g: o.chain(
        o.ema(g["beta"], debias=True), o.scale(-g["learning_rate"])
    ),
    "nesterov": lambda o, g: o.sgd(g["learning_rate"], momentum=g["momentum"], nesterov=True),
    # optax has eps inside the root, so the two agree for 0 only.
    "adagrad-eps0": lambda o, g: o.adagrad(
        g["learning_rate"], initial_accumulator_value=0.0, eps=0.0
    ),
    "adadelta": lambda o, g: o.adadelta(g["learning_rate"], rho=g["rho"], eps=g["eps"]),
    "rmsprop": lambda o, g: o.rmsprop(
        g["learning_rate"], decay=g["rho"], eps=g["eps"], eps_in_sqrt=False
    ),
    "adam": lambda o, g: o.adam(g["learning_rate"], b1=g["beta1"], b2=g["beta2"], eps=g["eps"]),
}


@pytest.mark.parametrize("surface_name", SURFACES)
@pytest.mark.parametrize("name", OPTAX)
def test_steps_are_those_of_optax(name, surface_name, jax, optax):
    value = formula(SURFACES[surface_name][0], jax.numpy)
    gradient = jax.grad(lambda x: value(x).sum())

    @jax.jit  # once for all settings, which are arguments
    def path(given, x):
        optimiser = OPTAX[name](optax, given)

        def step(carry, _):
            x, state = carry
            updates, state = optimiser.update(gradient(x), state, x)
            x = optax.apply_updates(x, updates)
            return (x, state), x

        return jax.lax.scan(step, (x, optimiser.init(x)), length=STEPS)[1]

    def their_path(given, surface, starts):
        return np.concatenate([starts[None], path(given, starts)])

    assert_same(name, surface_name, their_path)
