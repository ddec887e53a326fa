"""Paths of torch.optim, Keras and optax, and how near a preset must stay to them.

A preset is compared at its defaults and at drawn settings, from several starts on each of
:data:`SURFACES`, or going up on one of :data:`HILLS`. The libraries are loaded by the
fixtures of conftest.py.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from oracles import geometric, rotation, symmetric

import fastopt as fo

STEPS = 200
STARTS = 4
DRAWS = 20
TOLERANCE = 1e-10  # of the largest coordinate that the run ever had
# The libraries round otherwise at each of the 200 steps, not once by one ulp.
ROUNDINGS = 10
COPIES = 16
EPS = np.finfo(float).eps


def spread_quadratic(dim=6):
    """Eigenvalues 0.01 to 100 in no special direction."""
    turn = rotation(dim, np.random.default_rng(3))
    return fo.Quadratic(symmetric(geometric(0.01, 100.0, dim), turn))


# name: ours, its largest curvature among the starts, and how far those reach
SURFACES = {
    "rosenbrock": (fo.Rosenbrock(dim=2), 1800.0, 1.0),
    "styblinski_tang": (fo.StyblinskiTang(dim=3), 140.0, 5.0),
    "quadratic": (spread_quadratic(), 100.0, 10.0),
}
# Where a rule can go upwards for ever so long.
HILLS = {"hill": (fo.Quadratic(-spread_quadratic().matrix), 100.0, 10.0)}


def between(low, high):
    return lambda rng: float(rng.uniform(low, high))


def magnitudes(low, high):
    return lambda rng: float(math.exp(rng.uniform(math.log(low), math.log(high))))


def chosen(*values):
    return lambda rng: values[rng.integers(len(values))]


class Preset(NamedTuple):
    """A preset and what it is compared with.

    ``ours(**given)`` is the rule; ``theirs`` makes the library's optimiser of the same
    settings (see :func:`torch_path` and the two others); ``draws`` holds a way to draw each
    parameter; a learning rate is drawn in units of 1 / curvature if ``by_curvature``.
    """

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    draws: dict[str, Callable[[np.random.Generator], Any]]
    by_curvature: bool = False


def settings(preset: Preset, curvature: float) -> Iterable[dict[str, Any]]:
    """Keyword arguments: the library's defaults, then DRAWS drawn ones."""
    rng = np.random.default_rng(17)
    unit = 1 / curvature if preset.by_curvature else 1.0
    defaults = preset.ours()
    first = {name: getattr(defaults, name) for name in preset.draws}
    draws = [{name: draw(rng) for name, draw in preset.draws.items()} for _ in range(DRAWS)]
    for given in (first, *draws):
        scale = unit if given is not first else min(unit, 1.0)
        yield given | {"learning_rate": given["learning_rate"] * scale}


def our_path(preset, given, surface, starts):
    record = fo.Record(every=1)
    rule = preset.ours(**given)
    return fo.run(rule, surface, starts, max_steps=STEPS, stop=None, record=record).trajectory


def assert_parity(preset: Preset, surface_name: str, their_path: Callable[..., Any]) -> None:
    """Compare each setting's path with ``their_path(preset.theirs, given, surface, starts)``."""
    surface, curvature, reach = (SURFACES | HILLS)[surface_name]
    starts = np.random.default_rng(7).uniform(-reach, reach, (STARTS, surface.dim))
    for given in settings(preset, curvature):
        ours = our_path(preset, given, surface, starts)
        theirs = np.asarray(their_path(preset.theirs, given, surface, starts))
        finite = np.isfinite(theirs).all(-1)
        assert finite.mean() > 0.5, f"{given}: the library diverges; draw other settings"
        assert (np.isfinite(ours).all(-1) == finite).mean() > 0.99, given
        with np.errstate(all="ignore"):
            scale = np.maximum.accumulate(np.abs(theirs).max(-1), 0)
            apart = np.where(finite, np.abs(ours - theirs).max(-1) / scale, 0.0)
        if (apart <= TOLERANCE).all():
            continue
        # The iteration itself enlarges roundings: no more than it enlarges one ulp.
        allowed = ROUNDINGS * _ulp_effect(preset, given, surface, starts, ours) / scale
        if (apart > np.maximum(allowed, TOLERANCE)).any():
            disturbed = (
                ROUNDINGS
                * _rounding_effect(preset, given, surface, curvature, starts, ours)
                / scale
            )
            allowed = np.fmax(allowed, disturbed)
        over = apart / np.maximum(allowed, TOLERANCE)
        worst = np.unravel_index(np.nanargmax(over), over.shape)
        assert over[worst] <= 1, (
            f"{given}: {apart[worst]:.1e} apart at step {worst[0]}, run {worst[1]}, "
            f"where the roundings explain {allowed[worst]:.1e}"
        )


def _ulp_effect(preset, given, surface, starts, path):
    """The largest distance so far of paths from starts one ulp away, and so for the rate."""
    units = np.eye(surface.dim, dtype=bool)[:, None]
    near = [
        starts[None],
        *(np.where(units, np.nextafter(starts, side), starts) for side in (-np.inf, np.inf)),
    ]
    effect = np.zeros(path.shape[:2])
    for side in (0.0, given["learning_rate"], np.inf):
        moved = given | {"learning_rate": float(np.nextafter(given["learning_rate"], side))}
        with np.errstate(all="ignore"):
            away = our_path(preset, moved, surface, np.concatenate(near)) - path[:, None]
            effect = np.fmax(effect, np.abs(away).max((1, 3)))
    return np.maximum.accumulate(effect, 0)


def _rounding_effect(preset, given, surface, curvature, starts, path):
    """The largest distance so far of paths whose gradients are as wrong as by rounding.

    An ulp of the start is forgotten by a run that settles and is disturbed anew at every
    step: its gradient by an ulp of itself, and by what an ulp of x makes of it.
    """
    copies = np.broadcast_to(starts, (COPIES, *starts.shape))
    rule, record = preset.ours(**given), fo.Record(every=1)
    effect = np.zeros(path.shape[:2])
    for noise in (fo.noise.multiplicative(EPS), fo.noise.gaussian(EPS * curvature)):
        runs = fo.run(rule, surface, copies, max_steps=STEPS, stop=None, record=record, noise=noise)
        with np.errstate(all="ignore"):
            away = np.abs(runs.trajectory - path[:, None]).max(-1)
            effect = np.fmax(effect, np.fmax.reduce(away, axis=1))
    return np.fmax.accumulate(effect, 0)


def torch_path(torch, make, given, surface, starts):
    """``make(torch.optim, [x], given)`` is the optimiser."""
    x = torch.tensor(starts, requires_grad=True)
    optimiser = make(torch.optim, [x], given)
    path = [starts]
    for _ in range(STEPS):
        x.grad = torch.from_numpy(surface.gradient(path[-1]))
        optimiser.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


def keras_path(keras, make, given, surface, starts):
    """``make(keras.optimizers, given)`` is the optimiser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own, from its arrays under NumPy 2
        x = keras.Variable(starts, dtype="float64")
        optimiser = make(keras.optimizers, given)
        path = [starts]
        for _ in range(STEPS):
            gradient = surface.gradient(path[-1])
            optimiser.apply([keras.ops.convert_to_tensor(gradient)], [x])
            path.append(np.array(keras.ops.convert_to_numpy(x)))
    return np.array(path)


def optax_path(jax, optax, make, given, surface, starts):
    """``make(optax, given)`` is the gradient transformation of one run."""
    import jax.numpy as jnp

    numbers = {name: value for name, value in given.items() if isinstance(value, float)}
    rest = tuple((name, value) for name, value in given.items() if name not in numbers)
    update = _optax_update(jax, optax, make, rest)
    x = jnp.asarray(starts)
    state = jax.vmap(make(optax, given).init)(x)
    path = [starts]
    for _ in range(STEPS):
        gradient = jnp.asarray(surface.gradient(path[-1]))
        change, state = update(numbers, gradient, state, x)
        x = x + change
        path.append(np.asarray(x))
    return np.array(path)


@functools.cache
def _optax_update(jax, optax, make, rest):
    """Compiled once for all numbers: it takes longer than the steps."""

    def update(numbers, gradient, state, x):
        return jax.vmap(make(optax, dict(rest) | numbers).update)(gradient, state, x)

    return jax.jit(update)
