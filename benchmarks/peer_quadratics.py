"""Quadratics in JAX: a matrix that all runs share, and one for each run.

Each has two forms: optax under ``vmap`` with the gradient by ``jax.grad``, and by hand with
one matrix product for the whole batch, whichever of its layouts is the faster.
"""

from __future__ import annotations

import timeit
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from fastopt.bench.peer_jax import optimiser_of


def _descend(rule, rate, gradient, steps, x):
    """The rule on a batch of any layout, for all its arithmetic is element by element."""
    optimiser = optimiser_of(rule, rate)

    def step(carry, _):
        x, state = carry
        updates, state = optimiser.update(gradient(x), state, x)
        return (x + updates, state), None

    return jax.lax.scan(step, (x, optimiser.init(x)), length=steps)[0][0]


def _value(matrix, centre, x):
    away = x - centre
    return 0.5 * away @ (matrix @ away)


def optax_vmapped(rule, rate, matrices, centres, starts, steps):
    """``vmap`` over the runs, of matrices (dim, dim) or (n, dim, dim)."""
    own = matrices.ndim == 3

    @jax.jit
    def run(matrices, centres, x):
        def one(matrix, centre, x):
            return _descend(rule, rate, jax.grad(partial(_value, matrix, centre)), steps, x)

        return jax.vmap(one, in_axes=(0 if own else None, 0 if own else None, 0))(
            matrices, centres, x
        )

    arguments = [jnp.asarray(part) for part in (matrices, centres, starts)]
    return lambda: np.asarray(jax.block_until_ready(run(*arguments)))


def by_hand(rule, rate, matrices, centres, starts, steps):
    """One product for the batch, in the layout that turns out the faster."""
    forms = [_rows, _columns] if matrices.ndim == 2 else [_einsum, _summed]
    calls = [form(rule, rate, matrices, centres, starts, steps) for form in forms]
    return min(calls, key=lambda call: min(timeit.repeat(call, number=1, repeat=2)))


def _prepared(gradient, rule, rate, arguments, steps):
    run = jax.jit(lambda a, m, x: _descend(rule, rate, partial(gradient, a, m), steps, x))
    arguments = [jnp.asarray(part) for part in arguments]
    return lambda: np.asarray(jax.block_until_ready(run(*arguments)))


def _rows(rule, rate, matrix, centre, starts, steps):
    return _prepared(lambda a, m, x: (x - m) @ a, rule, rate, (matrix, centre, starts), steps)


def _columns(rule, rate, matrix, centre, starts, steps):
    arguments = (matrix, centre[:, None], starts.T.copy())
    call = _prepared(lambda a, m, x: a @ (x - m), rule, rate, arguments, steps)
    return lambda: call().T


def _einsum(rule, rate, matrices, centres, starts, steps):
    def gradient(a, m, x):
        return jnp.einsum("nij,nj->ni", a, x - m)

    return _prepared(gradient, rule, rate, (matrices, centres, starts), steps)


def _summed(rule, rate, matrices, centres, starts, steps):
    def gradient(a, m, x):
        return jnp.sum(a * (x - m), axis=1)

    arguments = (matrices.transpose(1, 2, 0).copy(), centres.T.copy(), starts.T.copy())
    call = _prepared(gradient, rule, rate, arguments, steps)
    return lambda: call().T
