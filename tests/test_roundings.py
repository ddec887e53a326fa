"""The yardstick of roundings explains roundings, and nothing else."""

from __future__ import annotations

import hashlib

import numpy as np
import oracles
import pytest
from oracles import iterates, ulps_apart
from roundings import first_step_apart, neighbours
from test_adam_family import STARTS, SURFACES

GRADIENT = SURFACES["staged"][1]
GIVEN = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-3}


def path(oracle, gradient, starts, **given):
    return iterates(oracle, gradient, starts, 50, **GIVEN | given)


def eps_in_root(gradient, x, learning_rate, beta1, beta2, eps):
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, 1000):
        yield x
        g = gradient(x)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * (g * g)
        x = x - learning_rate * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps)


def other_order(gradient, x, learning_rate, beta1, beta2, eps):
    """The same numbers but for roundings: moments that are not averages, halves first."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, 1000):
        yield x
        g = gradient(x)
        m, v = beta1 * m + g, beta2 * v + g * g
        first, second = (1 - beta1) / (1 - beta1**t), (1 - beta2) / (1 - beta2**t)
        x = x - learning_rate * (m * first) / (np.sqrt(v * second) + eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_mistake_is_farther_away_than_roundings_and_another_order_is_not(dtype):
    starts = STARTS["staged"].astype(dtype)
    near = neighbours(lambda through, x: path(oracles.adam, through(GRADIENT), x), starts)
    same = path(other_order, GRADIENT, starts)
    assert ulps_apart(same, near.path) <= 2 * near.spread()
    assert (first_step_apart(same, near.path) <= 2 * near.first_step()).all()
    digit = 1e3 * np.finfo(dtype).eps
    for wrong in (
        path(eps_in_root, GRADIENT, starts),
        path(oracles.adam, GRADIENT, starts, learning_rate=0.1 * (1 + digit)),
        path(oracles.adam, lambda x: GRADIENT(x) * (1 + 1e2 * digit), starts),
        path(oracles.adam, GRADIENT, starts, eps=1e-3 * (1 + 1e3 * digit)),
    ):
        assert ulps_apart(wrong, near.path) > 20 * near.spread()
        assert (first_step_apart(wrong, near.path) > 20 * near.first_step()).any()
    # After one step the two betas do not matter yet.
    swapped = path(oracles.adam, GRADIENT, starts, beta1=0.99, beta2=0.9)
    assert ulps_apart(swapped, near.path) > 1e4 * near.spread()


@pytest.mark.parametrize("dim", [1, 2, 3, 6, 50])
def test_matrices_turn_and_have_their_eigenvalues(dim):
    turn = oracles.rotation(dim, np.random.default_rng(1))
    np.testing.assert_allclose(turn @ turn.T, np.eye(dim), atol=2e-15)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    eigenvalues = oracles.geometric(0.1, 2.0, dim)
    matrix = oracles.symmetric(eigenvalues, turn)
    assert (matrix == matrix.T).all()
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), eigenvalues, rtol=1e-13)


def test_matrices_have_the_same_bits_on_every_machine():
    turn = oracles.rotation(10, np.random.default_rng(1))
    matrix = oracles.symmetric(oracles.geometric(0.1, 2.0, 10), turn)
    assert hashlib.sha256(matrix.tobytes()).hexdigest()[:16] == "72cd7297d9dc73dd"
