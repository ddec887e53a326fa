"""Gradient descent on 2-D Rosenbrock with normal noise in the gradient, in JAX and in NumPy.

Each draws its own numbers, so that only distributions can be compared.
"""

from __future__ import annotations

import numpy as np


def numpy_noisy(rate: float, std: float, starts, steps: int):
    """A loop over the steps, vectorised over the batch; the numbers of NumPy's Generator."""
    rng = np.random.default_rng(0)
    x = starts.T.copy()
    g = np.empty_like(x)
    for _ in range(steps):
        rise = x[1] - x[0] * x[0]
        np.multiply(rise, 200, out=g[1])
        np.subtract(-400 * x[0] * rise, 2 * (1 - x[0]), out=g[0])
        x -= rate * (g + std * rng.standard_normal(x.shape))
    return x.T


def jax_noisy(rate: float, std: float, starts, steps: int):
    """A compiled function of no arguments: a scan whose numbers JAX draws for the whole batch."""
    import jax

    from fastopt.bench.peer_jax import SURFACES

    gradient = SURFACES["rosenbrock"].gradient

    @jax.jit
    def run(x, key):
        def step(carry, _):
            x, key = carry
            key, own = jax.random.split(key)
            noise = std * jax.random.normal(own, x.shape, x.dtype)
            g = gradient((x[0], x[1]))
            return (x - rate * (jax.numpy.stack(g) + noise), key), None

        return jax.lax.scan(step, (x, key), length=steps)[0][0]

    x, key = jax.numpy.asarray(starts.T.copy()), jax.random.key(0)
    return lambda: np.asarray(jax.block_until_ready(run(x, key))).T
