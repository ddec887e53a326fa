"""The same runs in JAX: optax as its users write it, and the fastest forms that were found.

A form is one way to write the same computation. Which one wins depends on the rule, the size
and the machine, so :func:`fastest` tries them; the table names it. Tried too, and left out:
donated buffers make no difference (``scan`` already works in place), and ``unroll`` of 16 or
32 is up to 50 times slower, for XLA then computes the gradients of all those steps again and
again, and takes up to 18 s to compile.

One processor is one XLA device here, so that a form can cut the batch and give each a part.
"""

from __future__ import annotations

import os
import timeit
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from fastopt.workers import processors

# XLA runs small operations on one thread. One device a processor lets a form cut the batch
# instead; forms that don't still use every thread of XLA's one pool, and are as fast as
# without the flag. Must precede the import.
_DEVICES = f"--xla_force_host_platform_device_count={processors()}"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_DEVICES}".strip()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

jax.config.update("jax_enable_x64", True)

VERSIONS = {"jax": jax.__version__, "optax": optax.__version__}
TILE = 2048


class Surface(NamedTuple):
    """A surface: of one point (dim,), and of a tuple of coordinates, each of any shape."""

    value: Callable[[Any], Any]
    gradient: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    separable: bool = False  # every coordinate alike and alone: one array serves them all


def _rosenbrock_gradient(x):
    rise = x[1] - x[0] * x[0]
    return -400 * x[0] * rise - 2 * (1 - x[0]), 200 * rise


def _himmelblau_gradient(x):
    a = x[0] * x[0] + x[1] - 11
    b = x[0] + x[1] * x[1] - 7
    return 4 * a * x[0] + 2 * b, 2 * a + 4 * b * x[1]


SURFACES = {
    "rosenbrock": Surface(
        lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, _rosenbrock_gradient
    ),
    "himmelblau": Surface(
        lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2, _himmelblau_gradient
    ),
    "rastrigin": Surface(
        lambda x: jnp.sum(x**2 + 10 * (1 - jnp.cos(2 * jnp.pi * x))),
        lambda x: tuple(2 * c + 20 * jnp.pi * jnp.sin(2 * jnp.pi * c) for c in x),
        separable=True,
    ),
}


def optimiser_of(rule: str, rate: float) -> Any:
    """optax's form of a rule of ours."""
    return {
        "gradient_descent": optax.sgd(rate),
        "momentum": optax.sgd(rate, momentum=0.9),
        "adam": optax.adam(rate),
    }[rule]


# -- forms with optax --------------------------------------------------------------------


def _optax_run(rule, rate, gradient, steps):
    """A function of one point, or of a batch of them if *gradient* takes one."""
    optimiser = optimiser_of(rule, rate)

    def run(x):
        def step(carry, _):
            x, state = carry
            updates, state = optimiser.update(gradient(x), state, x)
            return (optax.apply_updates(x, updates), state), None

        return jax.lax.scan(step, (x, optimiser.init(x)), length=steps)[0][0]

    return run


def _vmapped(rule, rate, surface, steps):
    return jax.vmap(_optax_run(rule, rate, jax.grad(surface.value), steps))


def _vmapped_formula(rule, rate, surface, steps):
    def gradient(x):
        return jnp.stack(surface.gradient(tuple(x)))

    return jax.vmap(_optax_run(rule, rate, gradient, steps))


def _batched(rule, rate, surface, steps):
    gradient = jax.vmap(jax.grad(surface.value), in_axes=1, out_axes=1)
    run = _optax_run(rule, rate, gradient, steps)
    return lambda x: run(x.T).T


# -- forms by hand -----------------------------------------------------------------------


def _by_hand(rule, rate, surface, steps, unroll=1):
    """Of a tuple of coordinates, each an array over the runs: no optax, no vmap."""

    def initial(x):
        zero = tuple(jnp.zeros_like(c) for c in x)
        return {
            "gradient_descent": (x,),
            "momentum": (x, zero),
            "adam": (x, zero, zero, 1.0, 1.0),
        }[rule]

    def descent(carry, _):
        (x,) = carry
        return (tuple(c - rate * g for c, g in zip(x, surface.gradient(x), strict=True)),), None

    def momentum(carry, _):
        x, v = carry
        v = tuple(0.9 * u - rate * g for u, g in zip(v, surface.gradient(x), strict=True))
        return (tuple(c + u for c, u in zip(x, v, strict=True)), v), None

    def adam(carry, _):
        x, m, v, power1, power2 = carry
        g = surface.gradient(x)
        power1, power2 = power1 * 0.9, power2 * 0.999
        m = tuple(0.9 * u + 0.1 * a for u, a in zip(m, g, strict=True))
        v = tuple(0.999 * u + 0.001 * (a * a) for u, a in zip(v, g, strict=True))
        scale, debias = rate / (1 - power1), 1 / (1 - power2)
        x = tuple(
            c - scale * a / (jnp.sqrt(b * debias) + 1e-8) for c, a, b in zip(x, m, v, strict=True)
        )
        return (x, m, v, power1, power2), None

    step = {"gradient_descent": descent, "momentum": momentum, "adam": adam}[rule]

    def run(x):
        return jax.lax.scan(step, initial(x), length=steps, unroll=unroll)[0][0]

    def of_points(x):
        if surface.separable:
            return run((x,))[0]
        return jnp.stack(run(tuple(x.T)), -1)

    return of_points


def _tiled(rule, rate, surface, steps):
    """Tile after tile, each small enough for the L2 cache."""
    run = _by_hand(rule, rate, surface, steps)

    def of_points(x):
        n, dim = x.shape
        whole = n // TILE * TILE
        tiles = jax.lax.map(run, x[:whole].reshape(-1, TILE, dim)).reshape(whole, dim)
        return jnp.concatenate([tiles, run(x[whole:])]) if whole < n else tiles

    return of_points


class Form(NamedTuple):
    """A way to write it: what makes the function, and whether the batch is cut over devices."""

    name: str
    make: Callable[..., Callable[[Any], Any]]
    sharded: bool = False


# What users of optax write: vmap or a batch, jax.grad or the formula of the gradient.
WITH_OPTAX = [
    Form("optax, vmap", _vmapped),
    Form("optax, vmap, formula", _vmapped_formula),
    Form("optax, batch", _batched),
]
BY_HAND = [
    Form("optax, formula, sharded", _vmapped_formula, True),
    Form("hand", _by_hand),
    Form("hand, sharded", _by_hand, True),
    Form("hand, unroll 4", partial(_by_hand, unroll=4)),
    Form("hand, unroll 4, sharded", partial(_by_hand, unroll=4), True),
    Form("hand, tiled", _tiled),
]


def fastest(
    forms: list[Form], rule: str, rate: float, surface: str, starts: Any, steps: int
) -> Form:
    """The fastest of *forms* for this case, tried with a tenth of the steps."""

    def seconds(form):
        if form.sharded and len(starts) % len(jax.devices()):
            return float("inf")
        run = prepared(form, rule, rate, surface, starts, max(steps // 10, 1))
        return min(timeit.repeat(run, number=1, repeat=3))

    return min(forms, key=seconds)


def prepared(
    form: Form, rule: str, rate: float, surface: str, starts: Any, steps: int
) -> Callable[[], Any]:
    """A function of no arguments that returns the final points, ready; already compiled."""
    run = jax.jit(form.make(rule, rate, SURFACES[surface], steps))
    devices = jax.devices() if form.sharded else jax.devices()[:1]
    mesh = jax.sharding.Mesh(np.array(devices), ("run",))
    place = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("run"))
    x = jax.block_until_ready(jax.device_put(starts, place))
    jax.block_until_ready(run(x))
    return lambda: jax.block_until_ready(run(x))


# -- to convergence ----------------------------------------------------------------------


def converging(
    rule: str, rate: float, surface: str, starts: Any, max_steps: int, limit: float
) -> Callable[[], Any]:
    """vmap of a while_loop that ends at a gradient norm <= *limit*: points and steps."""
    whole = jax.jit(jax.vmap(converging_function(rule, rate, surface, max_steps, limit)))
    x = jax.block_until_ready(jax.device_put(starts, jax.devices()[0]))
    return lambda: jax.block_until_ready(whole(x))


def converging_function(
    rule: str, rate: float, surface: str, max_steps: int, limit: float
) -> Callable[[Any], Any]:
    """Of one start, for :func:`converging`."""
    optimiser = optimiser_of(rule, rate)
    # The formula of the gradient: the norm and the update share one evaluation.
    formula = SURFACES[surface].gradient

    def run(x):
        def gradient(x):
            return jnp.stack(formula(tuple(x)))

        def unfinished(carry):
            _, _, slope, step = carry
            return (slope @ slope > limit * limit) & (step < max_steps)

        def body(carry):
            x, state, slope, step = carry
            updates, state = optimiser.update(slope, state, x)
            x = optax.apply_updates(x, updates)
            return x, state, gradient(x), step + 1

        first = (x, optimiser.init(x), gradient(x), 0)
        x, _, _, step = jax.lax.while_loop(unfinished, body, first)
        return x, step

    return run


def labelling(
    rule: str,
    rate: float,
    surface: str,
    starts: Any,
    max_steps: int,
    limit: float,
    minima: Any,
) -> Callable[[], Any]:
    """The same, and the number of the nearest of *minima* within 1e-3, -2 elsewhere."""
    end = converging_function(rule, rate, surface, max_steps, limit)
    minima = jnp.asarray(minima)

    def label(x):
        x, step = end(x)
        apart = jnp.abs(minima - x).max(axis=-1)
        return jnp.where(apart.min() <= 1e-3, apart.argmin(), -2), step

    whole = jax.jit(jax.vmap(label))
    x = jax.block_until_ready(jax.device_put(starts, jax.devices()[0]))
    return lambda: jax.block_until_ready(whole(x))
