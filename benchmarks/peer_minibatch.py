"""Mini-batch gradient descent on least squares, in JAX over all runs and in torch run by run.

Each draws its own rows, so that only distributions can be compared.
"""

from __future__ import annotations

import numpy as np


def jax_minibatch(A, b, rate: float, batch_size: int, starts, steps: int, replace: bool):
    """A compiled function of no arguments: one run's scan, under ``vmap``.

    With replacement the rows are drawn by ``randint``; without, each run shuffles all rows
    before an epoch, and leaves out the few at its end that fill no batch.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    A, b = jnp.asarray(A), jnp.asarray(b)
    rows = len(b)

    def loss(x, chosen):
        away = A[chosen] @ x - b[chosen]
        return (away @ away) / (2 * batch_size)

    slope = jax.grad(loss)

    def drawn(x, key):
        def step(carry, _):
            x, key = carry
            key, own = jax.random.split(key)
            chosen = jax.random.randint(own, (batch_size,), 0, rows)
            return (x - rate * slope(x, chosen), key), None

        return jax.lax.scan(step, (x, key), length=steps)[0][0]

    def shuffled(x, key):
        count = rows // batch_size

        def epoch(x, key):
            order = jax.random.permutation(key, rows)[: count * batch_size]
            batches = order.reshape(count, batch_size)[:steps]
            return jax.lax.scan(lambda x, chosen: (x - rate * slope(x, chosen), None), x, batches)

        keys = jax.random.split(key, -(-steps // count))
        return jax.lax.scan(epoch, x, keys)[0]

    run = jax.jit(jax.vmap(drawn if replace else shuffled))
    x, keys = jnp.asarray(starts), jax.random.split(jax.random.key(0), len(starts))
    return lambda: np.asarray(jax.block_until_ready(run(x, keys)))


def torch_minibatch(A, b, rate: float, batch_size: int, starts, steps: int, replace: bool):
    """A loop over the runs and, in each, over its batches; the gradient by its formula."""
    import torch

    A, b = torch.tensor(A), torch.tensor(b)
    generator = torch.Generator().manual_seed(0)
    ends = []
    with torch.no_grad():
        for start in starts:
            x, order = torch.tensor(start), torch.zeros(0, dtype=torch.int64)
            for _ in range(steps):
                if replace:
                    chosen = torch.randint(len(b), (batch_size,), generator=generator)
                else:
                    if len(order) < batch_size:
                        order = torch.randperm(len(b), generator=generator)
                    chosen, order = order[:batch_size], order[batch_size:]
                a = A[chosen]
                x.sub_(a.T @ (a @ x - b[chosen]), alpha=rate / batch_size)
            ends.append(x.numpy())
    return np.stack(ends)
