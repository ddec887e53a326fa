"""Mini-batches: which rows, what a rule sees of them, and what that depends on."""

from __future__ import annotations

import math
import re

import numpy as np
import oracles_minibatch
import pytest
import scipy.sparse
from oracles import same_bits
from scipy import stats

import fastopt as fo
from fastopt.kernels import compile as compiler
from fastopt.kernels.block import block_source, build_block
from fastopt.kernels.expressions import Names
from fastopt.kernels.parts import Watch
from fastopt.kernels.randomness import run_digits

RNG = np.random.default_rng(9)
SEED = 2**40 + 7


# -- paths, step by step -------------------------------------------------------------------


def surface_of(name, rows, dim, l2=0.1):
    A = RNG.normal(size=(rows, dim))
    if "sparse" in name:
        A = scipy.sparse.coo_array(np.where(RNG.random(A.shape) < 0.5, A, 0))
    labels = RNG.normal(size=rows)
    if "logistic" in name:
        return fo.LogisticRegression(A, labels > 0, l2)
    return fo.LeastSquares(A, labels, l2)


def batch_of(surface, rows, x):
    """Value and gradient of some rows, from the formulas."""
    A = surface.A.toarray() if surface.sparse else surface.A
    a, y = A[rows], surface.labels[rows]
    z = a @ x
    if isinstance(surface, fo.LeastSquares):
        losses, slopes = (z - y) ** 2 / 2, z - y
    else:
        losses, slopes = np.logaddexp(0, -y * z), -y / (1 + np.exp(y * z))
    value = losses.mean() + surface.l2 / 2 * x @ x
    return value, slopes @ a / len(rows) + surface.l2 * x


def rows_of(noise, run, step, rows):
    drawn = "with_replacement" if noise.replace else "without_replacement"
    path = getattr(oracles_minibatch, drawn)
    return path(SEED, 0 if noise.shared else run, step, noise.batch_size, rows)


def follow(surface, noise, start, run, steps, rate=0.05, momentum=0.0):
    """Nesterov's method, or gradient descent, on the batches of one run."""
    x, v = start.copy(), np.zeros_like(start)
    for step in range(steps):
        rows = rows_of(noise, run, step, surface.rows)
        v = momentum * v - rate * batch_of(surface, rows, x + momentum * v)[1]
        x = x + v
    return x


KINDS = [(replace, shared) for replace in (False, True) for shared in (False, True)]


@pytest.mark.parametrize(("replace", "shared"), KINDS)
@pytest.mark.parametrize("name", ["least_squares", "logistic_sparse"])
def test_a_path_is_that_of_the_documented_rows(name, replace, shared):
    # Few rows and many (12 rounds), columns that fill no vector, batches beyond an epoch's end,
    # in pieces of several fours, and of all rows.
    for rows, dim, batch_size in ((11, 10, 3), (300, 3, 45), (5, 17, 4), (7, 2, 7), (1, 3, 1)):
        surface = surface_of(name, rows, dim)
        noise = fo.noise.minibatch(batch_size, replace=replace, shared=shared)
        starts = RNG.normal(size=(70, dim))
        runs = fo.run(fo.SGD(0.05), surface, starts, max_steps=9, stop=None, noise=noise, seed=SEED)
        for run in (0, 1, 69):
            expected = follow(surface, noise, starts[run], run, 9)
            np.testing.assert_allclose(runs.x[run], expected, rtol=1e-12, atol=1e-14)


def test_the_gradient_is_taken_where_the_rule_asks_for_it():
    surface, noise = surface_of("least_squares", 11, 10), fo.noise.minibatch(3)
    starts = RNG.normal(size=(20, 10))
    made = {"max_steps": 9, "noise": noise, "seed": SEED}
    for stop in (None, fo.Stop(gradient=1e-12)):  # with an exact gradient at x besides
        runs = fo.run(fo.Nesterov(0.05, 0.8), surface, starts, stop=stop, **made)
        for run in (0, 19):
            expected = follow(surface, noise, starts[run], run, 9, momentum=0.8)
            np.testing.assert_allclose(runs.x[run], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shared", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_polyaks_step_has_the_value_of_the_batch(shared):
    surface, noise = surface_of("logistic", 11, 3), fo.noise.minibatch(5, shared=shared)
    starts = RNG.normal(size=(20, 3))
    # With a criterion of value, so that the exact value is at hand too.
    stop = fo.Stop(value=1e-300)
    made = {"max_steps": 6, "noise": noise, "seed": SEED, "stop": stop}
    runs = fo.run(fo.Polyak(0.5, fun_min=0.1), surface, starts, **made)
    for run in (0, 19):
        x = starts[run]
        for step in range(6):
            value, slope = batch_of(surface, rows_of(noise, run, step, 11), x)
            x = x - 0.5 * (value - 0.1) / (slope @ slope) * slope
        np.testing.assert_allclose(runs.x[run], x, rtol=1e-10)


@pytest.mark.parametrize("replace", [False, True])
def test_runs_and_steps_of_any_index_have_their_own_rows(replace, monkeypatch):
    far = 3 * 2**32 + 5 * 2**22 + 17
    monkeypatch.setattr("fastopt.slices.run_digits", lambda runs: run_digits(runs + far))
    surface, noise = surface_of("least_squares", 11, 2), fo.noise.minibatch(3, replace=replace)
    start = np.ones((3, 2))
    for dtype, rtol in (("float64", 1e-12), ("float32", 1e-5)):
        runs = fo.run(
            fo.SGD(0.05), surface, start, max_steps=5, stop=None, noise=noise, seed=SEED,
            dtype=dtype,
        )  # fmt: skip
        assert runs.x.dtype == dtype
        for run in range(3):
            expected = follow(surface, noise, start[run], run + far, 5)
            np.testing.assert_allclose(runs.x[run], expected, rtol=rtol)


# -- which rows ----------------------------------------------------------------------------


def draws(rows, steps, runs, seed=1, **options):
    """The row of each step of each run, (steps, runs), read off a sum whose rows tell.

    The gradient of row r at x is x + r, so that a step of 1 leads to -r.
    """
    surface = fo.LeastSquares(np.ones((rows, 1)), -np.arange(rows))
    path = fo.run(
        fo.SGD(1.0), surface, np.zeros((runs, 1)), max_steps=steps, stop=None,
        noise=fo.noise.minibatch(1, **options), seed=seed, record=fo.Record(every=1),
    ).trajectory  # fmt: skip
    return np.rint(-path[1 : steps + 1, :, 0]).astype(int)


def uniform(cells, count):
    """The p-value of Pearson's test that all cells are equally likely."""
    observed = np.bincount(np.ravel(cells), minlength=count)
    assert len(observed) == count
    return stats.chisquare(observed).pvalue


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 16, 97, 255, 256, 1000])
def test_an_epoch_visits_each_row_once(rows):
    epochs = draws(rows, 2 * rows, 40).reshape(2, rows, 40)
    assert (np.sort(epochs, axis=1) == np.arange(rows)[:, None]).all()
    if rows > 5:
        assert (epochs[0] != epochs[1]).any(axis=0).all()
        assert len(np.unique(epochs[0], axis=1).T) == 40


@pytest.mark.parametrize("rows", [2, 3, 5, 12, 97, 300])
def test_rows_places_pairs_runs_and_epochs_are_independent(rows):
    runs = max(400, 200_000 // rows**2 * 2)
    epochs = draws(rows, 4 * rows, runs).reshape(4, rows, runs)
    places = np.arange(rows)[:, None]
    assert uniform(places * rows + epochs, rows**2) > 1e-4
    first, second = epochs[:, :-1], epochs[:, 1:]
    pairs = first * (rows - 1) + second - (second > first)
    assert uniform(pairs, rows * (rows - 1)) > 1e-4
    assert uniform(epochs[..., ::2] * rows + epochs[..., 1::2], rows**2) > 1e-4
    assert uniform(epochs[::2] * rows + epochs[1::2], rows**2) > 1e-4
    other = draws(rows, 4 * rows, runs, seed=1 + 2**32).reshape(4, rows, runs)
    assert uniform(epochs * rows + other, rows**2) > 1e-4


@pytest.mark.parametrize("rows", [2, 3, 4, 5])
def test_each_order_of_few_rows_is_as_likely(rows):
    # So many that 12 rounds of the network, a few orders of 5 rows off by 3%, would show.
    epochs = draws(rows, 8 * rows, 30_000).reshape(8, rows, 30_000)
    digits = np.tensordot(rows ** np.arange(rows), epochs, (0, 1))
    _, orders = np.unique(digits, return_inverse=True)
    assert uniform(orders, math.factorial(rows)) > 1e-4


@pytest.mark.parametrize("rows", [3, 97])
def test_rows_with_replacement_are_independent(rows):
    drawn = draws(rows, 200, 400, replace=True)
    assert uniform(drawn, rows) > 1e-4
    assert uniform(drawn[:-1] * rows + drawn[1:], rows**2) > 1e-4
    assert uniform(drawn[:, ::2] * rows + drawn[:, 1::2], rows**2) > 1e-4


def test_the_shared_path_is_that_of_the_first_run():
    for replace in (False, True):
        own = draws(12, 30, 20, replace=replace)
        shared = draws(12, 30, 20, replace=replace, shared=True)
        assert (shared == own[:, :1]).all()


# -- what it depends on --------------------------------------------------------------------

STARTS = RNG.normal(size=(150, 9))
PAIR = surface_of("least_squares", 40, 9)


def batch_run(noise, stop=None, **options):
    made = {"max_steps": 60, "noise": noise, "seed": 3} | options
    return fo.run(fo.SGD(0.05), PAIR, STARTS, stop=stop, **made)


@pytest.mark.parametrize(("replace", "shared"), [(False, False), (True, True)])
def test_threads_tiles_and_chunks_change_no_bit(replace, shared, cut):
    noise = fo.noise.minibatch(6, replace=replace, shared=shared)
    stop = fo.Stop(gradient=0.35)
    plain = batch_run(noise, stop)
    assert 20 < plain.success.sum() < 150
    for length in (16, 48):
        cut(runs=length, lanes=32)
        for threads in (1, 3):
            again = batch_run(noise, stop, threads=threads)
            assert same_bits(again.x, plain.x)
            assert same_bits(again.steps, plain.steps)


def test_stopping_and_recording_change_no_bit_of_a_path():
    noise = fo.noise.minibatch(6)
    path = batch_run(noise, record=fo.Record(every=1)).trajectory
    assert same_bits(path[-1], batch_run(noise).x)
    stopped = batch_run(noise, fo.Stop(gradient=0.35))
    norms = np.linalg.norm(PAIR.gradient(path), axis=-1)
    first, ended = np.argmax(norms <= 0.35, axis=0), (norms <= 0.35).any(axis=0)
    assert same_bits(stopped.success, ended)
    assert same_bits(stopped.x[ended], path[first[ended], np.flatnonzero(ended)])
    assert same_bits(stopped.x[~ended], path[-1, ~ended])


def test_no_step_costs_more_than_its_batch_unless_a_criterion_does():
    noise = fo.noise.minibatch(6)
    for watch, gradients, values in (
        (Watch(), 0, 0),
        (Watch(distance=True), 0, 0),
        (Watch(gradient=True), 1, 0),
        (Watch(value=True), 0, 1),
    ):
        for rule in (fo.Nesterov(0.05), fo.Polyak()):
            parts = noise.parts(rule, PAIR)
            names = Names(rule.parts(), PAIR.parts(), per_run=False, fused=False, noise=parts)
            source = block_source(names, watch, "float64")
            assert source.count("gradient(q") == gradients
            assert source.count("value(q") == values
            assert source.count("sample(q") == 1


@pytest.mark.parametrize(
    ("shared", "dtype"),
    [(False, "float64"), pytest.param(True, "float32", marks=pytest.mark.slow)],
)
def test_blocks_are_vectorised_and_of_one_type(shared, dtype, monkeypatch):
    monkeypatch.setattr(compiler.cache._Store, "load_overload", lambda self, *args: None)
    rule, noise = fo.SGD(0.05), fo.noise.minibatch(6, shared=shared)
    text = build_block.__wrapped__(
        rule.parts(), PAIR.parts(), Watch(), False, dtype, noise.parts(rule, PAIR)
    ).assembly()
    letter = {"float64": "d", "float32": "s"}[dtype]
    fused = re.findall(rf"\bvfn?m(?:add|sub)\d+p{letter}\b.*%[yz]mm", text)
    fused += re.findall(r"\bf(?:mla|mls)\s+v\d+\.[24][ds]", text)
    assert len(fused) >= 8
    if dtype == "float32":
        assert not re.search(r"cvtss2sd|cvtps2pd|(mul|add|sub|div|sqrt)[ps]d\b", text)


# -- theory --------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_stationary_variance_is_that_of_theory(batch_size):
    # e' = X e + n with the batch's mean of X_i = I - a_i a_i' rate and n_i = -rate a_i r_i, of
    # mean 0: the second moment solves S = (1 - 1/B) X S X + mean(X_i S X_i + n_i n_i') / B.
    rate, dim, rows = 0.1, 3, 50
    surface = fo.LeastSquares.random(rows, dim, noise_std=1.0, seed=2)
    (m,) = surface.minima
    A, r = surface.A, surface.A @ m - surface.b
    X = np.eye(dim) - rate * A[:, :, None] * A[:, None, :]
    each = np.einsum("rij,rkl->ikjl", X, X).reshape(dim**2, dim**2) / rows
    both = np.kron(X.mean(0), X.mean(0))
    moved = (1 - 1 / batch_size) * both + each / batch_size
    n = -rate * A * r[:, None]
    theory = np.linalg.solve(np.eye(dim**2) - moved, (n.T @ n / rows / batch_size).ravel())
    noise = fo.noise.minibatch(batch_size, replace=True)
    starts = np.broadcast_to(m, (20_000, dim)).copy()
    runs = fo.run(fo.SGD(rate), surface, starts, max_steps=300, stop=None, noise=noise, seed=5)
    products = ((runs.x - m)[:, :, None] * (runs.x - m)[:, None, :]).reshape(-1, dim**2)
    error = products.std(0) / len(products) ** 0.5
    assert np.all(np.abs(products.mean(0) - theory) <= 4 * error)
    assert np.all(error < 0.05 * np.sqrt(np.outer(*[theory[:: dim + 1]] * 2)).ravel())


def test_without_replacement_an_epoch_has_less_noise():
    surface = fo.LeastSquares.random(50, 3, noise_std=1.0, seed=2)
    starts = np.broadcast_to(surface.minima[0], (2000, 3)).copy()
    made = {"max_steps": 500, "stop": None}
    spread = []
    for replace in (False, True):
        noise = fo.noise.minibatch(1, replace=replace)
        runs = fo.run(fo.SGD(0.02), surface, starts, noise=noise, **made)
        spread.append((runs.x - starts).std())
    assert spread[0] < 0.7 * spread[1]


# -- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fo.noise.minibatch(0), ValueError, "batch_size=0: must be >= 1"),
        (lambda: fo.noise.minibatch(2.5), TypeError, "batch_size=2.5: must be a whole number"),
        (lambda: fo.noise.minibatch(2, replace=1), TypeError, "replace=1: must be True or False"),
        (lambda: fo.noise.minibatch(2, shared=None), TypeError, "shared=None: must be True or"),
        (lambda: on(PAIR, 41), ValueError, "batch_size=41: must be <= 40, the number of rows of L"),
        (lambda: on(fo.Sphere(9), 1), ValueError, "must be on a finite sum itself.*Sphere"),
        (lambda: on(PAIR.shifted(1.0), 1), ValueError, r"itself.*40 x 9>, l2=0.1\).shifted\(1.0\)"),
        (lambda: on(PAIR.boxed(), 1), ValueError, r"finite sum itself.*boxed"),
        (lambda: on(PAIR, 1, fo.BFGS()), ValueError, "bfgs must have the exact gradient"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_rule_that_needs_the_value_elsewhere_is_refused():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fo.Polyak, "point", staticmethod(lambda p, c, x, s: x))
        with pytest.raises(ValueError, match="polyak must have the value at x and the gradient"):
            on(PAIR, 1, fo.Polyak())


def on(surface, batch_size, rule=None):
    noise = fo.noise.minibatch(batch_size)
    return fo.run(rule or fo.SGD(0.1), surface, np.zeros((1, 9)), noise=noise)
