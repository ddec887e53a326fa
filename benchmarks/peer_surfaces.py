"""More surfaces in JAX: values as a user writes them, for ``jax.grad``, and gradients by hand."""

from __future__ import annotations

import math

import jax.numpy as jnp

from fastopt.bench.peer_jax import Surface

# Learning rates at which no run leaves the valley that it starts above.
RATES = {
    "rastrigin": 1e-3,
    "ackley": 1e-2,
    "griewank": 1e-1,
    "levy": 1e-3,
    "schwefel": 1e-1,
    "michalewicz": 1e-5,
}


def _numbered(x):
    return jnp.arange(1, x.shape[0] + 1)


def _ackley(x):
    n = x.shape[0]
    r, c = jnp.sqrt(jnp.sum(x * x) / n), jnp.sum(jnp.cos(2 * jnp.pi * x)) / n
    return -20 * jnp.exp(-0.2 * r) - jnp.exp(c) + 20 + math.e


def _ackley_gradient(x):
    n = len(x)
    r = jnp.sqrt(sum(c * c for c in x) / n)
    cone = 4 * jnp.exp(-0.2 * r) / (n * r)
    ripple = 2 * jnp.pi / n * jnp.exp(sum(jnp.cos(2 * jnp.pi * c) for c in x) / n)
    return tuple(cone * c + ripple * jnp.sin(2 * jnp.pi * c) for c in x)


def _griewank(x):
    return 1 + jnp.sum(x * x) / 4000 - jnp.prod(jnp.cos(x / jnp.sqrt(_numbered(x))))


def _griewank_gradient(x):
    rates = [1 / math.sqrt(i + 1) for i in range(len(x))]
    waves = [jnp.cos(c * rate) for c, rate in zip(x, rates, strict=True)]
    before, after = [1.0], [1.0]
    for wave in waves[:-1]:
        before.append(before[-1] * wave)
    for wave in waves[:0:-1]:
        after.append(after[-1] * wave)
    others = [a * b for a, b in zip(before, after[::-1], strict=True)]
    return tuple(
        c / 2000 + rate * jnp.sin(c * rate) * other
        for c, rate, other in zip(x, rates, others, strict=True)
    )


def _levy(x):
    w = 1 + (x - 1) / 4
    inner = (w[:-1] - 1) ** 2 * (1 + 10 * jnp.sin(jnp.pi * w[:-1] + 1) ** 2)
    last = (w[-1] - 1) ** 2 * (1 + jnp.sin(2 * jnp.pi * w[-1]) ** 2)
    return jnp.sin(jnp.pi * w[0]) ** 2 + jnp.sum(inner) + last


def _levy_gradient(x):
    def slope(u, angle, height, turn):
        s, c = jnp.sin(angle), jnp.cos(angle)
        return 0.5 * u * (1 + height * s * s + height * turn * u * s * c)

    us = [0.25 * (c - 1) for c in x]
    slopes = [slope(u, jnp.pi * u + 1, 10, jnp.pi) for u in us[:-1]]
    slopes += [slope(us[-1], 2 * jnp.pi * us[-1], 1, 2 * jnp.pi)]
    slopes[0] += 0.25 * jnp.pi * jnp.sin(2 * jnp.pi * us[0])
    return tuple(slopes)


def _schwefel(x):
    return 418.9828872724337 * x.shape[0] - jnp.sum(x * jnp.sin(jnp.sqrt(jnp.abs(x))))


def _schwefel_gradient(x):
    roots = [jnp.sqrt(jnp.abs(c)) for c in x]
    return tuple(-jnp.sin(s) - 0.5 * s * jnp.cos(s) for s in roots)


def _michalewicz(x):
    return -jnp.sum(jnp.sin(x) * jnp.sin(_numbered(x) * x**2 / jnp.pi) ** 20)


def _michalewicz_gradient(x):
    def slope(c, rate):
        t = rate * c * c
        s = jnp.sin(t)
        return -(s**19) * (jnp.cos(c) * s + 40 * rate * c * jnp.sin(c) * jnp.cos(t))

    return tuple(slope(c, (i + 1) / math.pi) for i, c in enumerate(x))


SURFACES = {
    "ackley": Surface(_ackley, _ackley_gradient),
    "griewank": Surface(_griewank, _griewank_gradient),
    "levy": Surface(_levy, _levy_gradient),
    "schwefel": Surface(_schwefel, _schwefel_gradient, separable=True),
    "michalewicz": Surface(_michalewicz, _michalewicz_gradient),
}
