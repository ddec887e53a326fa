"""Noise and Langevin dynamics: the numbers, their distributions, and what they depend on."""

from __future__ import annotations

import itertools
import math

import numpy as np
import oracles
import pytest
from oracles import same_bits
from scipy import stats
from test_philox import normal_pair, philox

import fastopt as fo
from fastopt.kernels import tile
from fastopt.kernels.randomness import run_digits

SPHERE = fo.Sphere(2)
NOISE = fo.noise.gaussian(0.3)
STARTS = np.random.default_rng(4).normal(size=(150, 2))


# -- an oracle -----------------------------------------------------------------------------


def normal_numbers(seed, run, step, dim, stream):
    """The normal numbers of a run's step, two for each draw."""
    numbers = []
    for draw in range((dim + 1) // 2):
        counter = (
            run % 2**32,
            run >> 32 | (step >> 32) << 16,
            step % 2**32,
            draw + (stream << 30),
        )
        a, b, c, d = philox(counter, (seed % 2**32, seed >> 32))
        u, v = (((high << 32 | low) >> 12) * 2.0**-52 + 2.0**-53 for high, low in ((a, b), (c, d)))
        numbers += normal_pair(u, v, d)
    return np.array(numbers[:dim])


@pytest.mark.parametrize(
    ("rule", "oracle"),
    [(fo.GradientDescent(0.1), oracles.gradient_descent), (fo.Nesterov(0.1), oracles.nesterov)],
    ids=["gradient_descent", "nesterov"],
)
@pytest.mark.parametrize("dim", [2, 5])
def test_a_noisy_path_is_that_of_the_noisy_gradient(rule, oracle, dim):
    seed, steps = 2**40 + 12345, 6
    surface, starts = fo.Sphere(dim), np.random.default_rng(1).normal(size=(70, dim))
    runs = fo.run(rule, surface, starts, max_steps=steps, stop=None, noise=NOISE, seed=seed)
    for run in (0, 1, 69):
        clock = itertools.count()

        def noisy(x, clock=clock, run=run):
            return 2 * x + 0.3 * normal_numbers(seed, run, next(clock), dim, stream=0)

        path = oracle(noisy, starts[run], learning_rate=0.1)
        expected = next(itertools.islice(path, steps, None))
        np.testing.assert_allclose(runs.x[run], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_runs_of_any_index_have_their_own_numbers(dtype, monkeypatch):
    far = 3 * 2**32 + 5 * 2**22 + 17
    monkeypatch.setattr("fastopt.slices.run_digits", lambda runs: run_digits(runs + far))
    numbers = draws(fo.noise.gaussian(1.0), n=3, dtype=dtype)
    for run in range(3):
        expected = normal_numbers(11, run + far, 0, 2, stream=0)
        np.testing.assert_allclose(
            numbers[run], expected, rtol=1e-12 if dtype == "float64" else 2e-5
        )


@pytest.mark.parametrize("dim", [2, 5])
def test_langevin_is_gradient_descent_with_its_own_noise(dim):
    rule, starts = fo.Langevin(0.1, temperature=0.5), np.ones((3, dim))
    runs = fo.run(rule, fo.Sphere(dim), starts, max_steps=4, stop=None, seed=7)
    for run in range(3):
        x = starts[run]
        for step in range(4):
            thermal = math.sqrt(2 * 0.1 * 0.5) * normal_numbers(7, run, step, dim, stream=1)
            x = x - 0.1 * 2 * x + thermal
        np.testing.assert_allclose(runs.x[run], x, rtol=1e-12)


@pytest.mark.parametrize("dim", [2, 5])
def test_noisy_sgd_adds_noise_whose_variance_falls_by_the_paper_s_schedule(dim):
    # Neelakantan et al. (2015): g + N(0, eta / (1 + t)^gamma), t from 0.
    starts, etas = np.ones((3, dim)), np.array([0.3, 1.0, 0.0])
    rule = fo.NoisySGD(0.1, eta=etas, gamma=0.55)
    runs = fo.run(rule, fo.Sphere(dim), starts, max_steps=9, stop=None, seed=7)
    for run in range(3):
        x = starts[run]
        for t in range(9):
            noise = normal_numbers(7, run, t, dim, stream=1)
            x = x - 0.1 * (2 * x + math.sqrt(etas[run] / (1 + t) ** 0.55) * noise)
        np.testing.assert_allclose(runs.x[run], x, rtol=1e-12)


@pytest.mark.peers
def test_noisy_sgd_takes_the_steps_of_optax_with_the_same_numbers(monkeypatch):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    clock = itertools.count()
    monkeypatch.setattr(
        optax.tree, "random_like", lambda *_, **__: normal_numbers(7, 0, next(clock), 2, stream=1)
    )
    rule = fo.NoisySGD.optax(0.1, eta=0.3)
    runs = fo.run(rule, SPHERE, np.ones(2), max_steps=9, stop=None, seed=7)
    with jax.enable_x64(True):
        optimiser, x = optax.noisy_sgd(0.1, eta=0.3, key=0), jax.numpy.ones(2)
        state = optimiser.init(x)
        for _ in range(9):
            updates, state = optimiser.update(2 * x, state, x)
            x = optax.apply_updates(x, updates)
        np.testing.assert_allclose(runs.x, x, rtol=1e-12)


# -- what it depends on --------------------------------------------------------------------


def noisy_run(**options):
    return fo.run(
        fo.GradientDescent(0.05), SPHERE, STARTS, max_steps=300, noise=NOISE, seed=3, **options
    )


@pytest.mark.parametrize(
    "noise",
    [
        fo.noise.student_t(3.0, 0.1),
        fo.noise.alpha_stable(1.5, 0.01),
        fo.noise.multiplicative(0.3),
        fo.noise.gaussian(0.3, covariance=[[2.0, 0.5], [0.5, 1.0]]),
    ],
    ids=lambda noise: noise.label,
)
def test_threads_and_tiles_change_no_bit_of_other_noise(noise, monkeypatch):
    def noisy(**options):
        options |= {"max_steps": 100, "stop": None, "noise": noise, "seed": 3}
        return fo.run(fo.GradientDescent(0.05), SPHERE, STARTS, **options).x

    plain = noisy()
    assert not same_bits(plain[:75], plain[75:])
    monkeypatch.setattr(tile, "_MOST_LANES", 64)
    monkeypatch.setattr("fastopt.slices._LEAST_SHARED", 0)
    monkeypatch.setattr("fastopt.slices._MOST_RUNS", 64)
    for threads in (1, 3):
        assert same_bits(noisy(threads=threads), plain)


def test_what_does_not_fit_the_surface_is_refused_before_anything_is_compiled(monkeypatch):
    def build(*_):
        raise AssertionError("compiled")

    monkeypatch.setattr("fastopt.slices.build_block", build)
    family = fo.RandomQuadratics(5, 9, fo.spectra.indefinite(), seed=1)
    for surface, noise, text in (
        (fo.Sphere(3), fo.noise.gaussian([1.0, 2.0]), "std has shape"),
        (fo.Sphere(3), fo.noise.student_t(3.0, [1.0, 2.0]), "scale has shape"),
        (family[0], fo.noise.gaussian(1.0, "hessian"), "covariance has the eigenvalue -"),
        (family, fo.noise.gaussian(1.0, "hessian"), "covariance has the eigenvalue -.*any member"),
    ):
        with pytest.raises(ValueError, match=text):
            fo.run(fo.SGD(0.1), surface, np.zeros((2, surface.dim)), noise=noise)


def test_threads_and_tiles_change_no_bit(monkeypatch):
    plain = noisy_run(stop=fo.Stop(gradient=0.05))
    assert 0 < plain.success.sum() < len(STARTS) or plain.steps.max() > 50
    monkeypatch.setattr(tile, "_MOST_LANES", 64)
    monkeypatch.setattr("fastopt.slices._LEAST_SHARED", 0)
    monkeypatch.setattr("fastopt.slices._MOST_RUNS", 64)
    for threads in (1, 3):
        cut = noisy_run(stop=fo.Stop(gradient=0.05), threads=threads)
        assert same_bits(cut.x, plain.x)
        assert same_bits(cut.steps, plain.steps)


def test_stopping_looks_at_the_exact_gradient_and_rewinds_the_noise():
    stopped = noisy_run(stop=fo.Stop(gradient=0.05))
    path = noisy_run(stop=None, record=fo.Record(every=1)).trajectory
    norms = np.linalg.norm(2 * path, axis=-1)
    first = np.argmax(norms <= 0.05, axis=0)
    ended = (norms <= 0.05).any(axis=0)
    assert ended.sum() > 20
    assert same_bits(stopped.success, ended)
    assert same_bits(stopped.steps[ended], first[ended])
    assert same_bits(stopped.x[ended], path[first[ended], np.flatnonzero(ended)])


def test_a_coordinate_has_the_same_noise_whatever_the_dimension():
    rule = fo.GradientDescent(0.1)
    few = fo.run(rule, SPHERE, STARTS, max_steps=20, stop=None, noise=NOISE)
    starts = np.concatenate([STARTS, np.ones((len(STARTS), 3))], 1)
    more = fo.run(rule, fo.Sphere(5), starts, max_steps=20, stop=None, noise=NOISE)
    assert same_bits(more.x[:, :2], few.x)


@pytest.mark.parametrize(
    "surface",
    [fo.surfaces.bbob(21, dim=2), fo.Quadratic(np.diag([1.0, 2, 3, 4, 5])), fo.Bowl().shifted(1.0)],
    ids=repr,
)
def test_noise_of_no_size_changes_no_bit(surface):
    # The surface's numbers, which the noise's follow, are still where they were.
    starts = np.random.default_rng(2).uniform(-1, 1, (20, surface.dim))
    made = {"max_steps": 5, "stop": None}
    plain = fo.run(fo.GradientDescent(1e-3), surface, starts, **made)
    noisy = fo.run(fo.GradientDescent(1e-3), surface, starts, noise=fo.noise.gaussian(0.0), **made)
    assert same_bits(noisy.x, plain.x)


def test_seeds_and_runs_are_independent():
    rule, zeros = fo.GradientDescent(1.0), np.zeros((4000, 2))

    def noise_of(seed):
        return fo.run(rule, SPHERE, zeros, max_steps=1, stop=None, noise=NOISE, seed=seed).x

    numbers = [noise_of(seed) for seed in (0, 1, 2**32, 2**48)]
    columns = np.concatenate([*numbers, np.roll(numbers[0], 1, axis=0)], 1)
    correlation = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert np.abs(correlation).max() < 5 / math.sqrt(len(zeros))


# -- distributions -------------------------------------------------------------------------


def draws(noise, dim=2, n=40_000, dtype="float64"):
    """Noise alone: a step of 1 from where the gradient is 0."""
    zeros = np.zeros((n, dim))
    runs = fo.run(
        fo.GradientDescent(1.0), fo.Sphere(dim), zeros, max_steps=1, stop=None, noise=noise,
        seed=11, dtype=dtype,
    )  # fmt: skip
    return -runs.x


@pytest.mark.parametrize(
    ("noise", "law"),
    [
        (fo.noise.gaussian(0.5), stats.norm(scale=0.5)),
        (fo.noise.student_t(3.0, 0.5), stats.t(3.0, scale=0.5)),
        (fo.noise.student_t(1e8), stats.norm()),
        (fo.noise.alpha_stable(1.0, 0.5), stats.cauchy(scale=0.5)),
        (fo.noise.alpha_stable(2.0, 0.5), stats.norm(scale=0.5 * math.sqrt(2))),
    ],
    ids=["gaussian", "student_t", "student_t_limit", "cauchy", "stable_limit"],
)
def test_distributions(noise, law):
    for column in draws(noise).T:
        assert stats.kstest(column, law.cdf).pvalue > 1e-3


def test_a_stable_distribution_has_its_characteristic_function():
    numbers = draws(fo.noise.alpha_stable(1.5, 2.0)).ravel()
    for t in (0.1, 0.5, 1.0):
        assert np.cos(t * numbers).mean() == pytest.approx(math.exp(-((2 * t) ** 1.5)), abs=0.015)


def test_each_coordinate_may_have_its_own_scale():
    for noise in (fo.noise.gaussian([0.0, 1.0, 2.0]), fo.noise.student_t(50, [0.0, 1.0, 2.0])):
        np.testing.assert_allclose(draws(noise, dim=3).std(0), [0, 1, 2], rtol=0.03)


@pytest.mark.parametrize("dim", [2, 5])
def test_covariances(dim):
    half = np.random.default_rng(dim).normal(size=(dim, dim))
    covariance = half @ half.T
    for noise, surface in (
        (fo.noise.gaussian(0.5, covariance), fo.Sphere(dim)),
        (fo.noise.gaussian(0.5, "hessian"), fo.Quadratic(covariance)),
    ):
        zeros = np.zeros((40_000, dim))
        x = fo.run(fo.GradientDescent(1.0), surface, zeros, max_steps=1, stop=None, noise=noise).x
        size = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
        assert np.abs(4 * np.cov(x.T) - covariance).max() < 0.03 * size.max()


def test_multiplicative_noise_is_in_proportion():
    runs = fo.run(
        fo.GradientDescent(0.25), SPHERE, np.tile([[1.0, 1e6]], (40_000, 1)), max_steps=1,
        stop=None, noise=fo.noise.multiplicative(0.5),
    )  # fmt: skip
    factors = (1 - runs.x / [1.0, 1e6]) / 0.5
    np.testing.assert_allclose(factors.mean(0), 1, atol=0.015)
    np.testing.assert_allclose(factors.std(0), 0.5, rtol=0.02)


def test_stationary_variances_are_those_of_theory():
    # Of x' = x - a (c x + noise): a^2 s^2 / (1 - (1 - a c)^2); with a normal number, c = 2.
    zeros = np.zeros((20_000, 2))
    x = fo.run(fo.SGD(0.2), SPHERE, zeros, max_steps=100, stop=None, noise=NOISE).x
    np.testing.assert_allclose(x.var(0), 0.04 * 0.09 / (1 - 0.6**2), rtol=0.04)
    x = fo.run(fo.Langevin(0.2, 0.5), SPHERE, zeros, max_steps=100, stop=None).x
    np.testing.assert_allclose(x.var(0), 2 * 0.5 / (2 * (2 - 0.4)), rtol=0.04)


def test_single_precision_has_numbers_of_its_own_precision():
    numbers = draws(NOISE, dtype="float32")
    assert numbers.dtype == np.float32
    assert stats.kstest(numbers[:, 0], stats.norm(scale=0.3).cdf).pvalue > 1e-3


# -- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fo.noise.gaussian(-1.0), "std=-1.0: must be >= 0"),
        (
            lambda: fo.noise.gaussian(np.ones((2, 2))),
            r"std has shape \(2, 2\): must be a number",
        ),
        (lambda: fo.noise.gaussian(1.0, [1.0, 2.0]), "must be square; for variances"),
        (lambda: fo.noise.gaussian(1.0, [[1.0, 0.5], [0.0, 1.0]]), "transpose by 0.5"),
        (lambda: fo.noise.gaussian(1.0, "fisher"), "must be a matrix or 'hessian'"),
        (lambda: fo.noise.student_t(0.0), "df=0.0: must be a number > 0"),
        (lambda: fo.noise.alpha_stable(2.5), r"alpha=2.5: must be a number in \(0, 2\]"),
        (lambda: fo.noise.multiplicative(math.nan), "must be finite"),
        (lambda: noise_on(SPHERE, fo.noise.gaussian([1.0, 2.0, 3.0])), r"std has shape \(3,\)"),
        (lambda: noise_on(SPHERE, fo.noise.gaussian(1.0, np.eye(3))), r"must be \(2, 2\)"),
        (lambda: noise_on(SPHERE, fo.noise.gaussian(1.0, -np.eye(2))), "must have none below 0"),
        (lambda: noise_on(fo.Himmelblau(), fo.noise.gaussian(1.0, "hessian")), "same Hessian"),
        (lambda: noise_on(SPHERE, NOISE, fo.BFGS()), "bfgs must have the exact gradient"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def noise_on(surface, noise, rule=None):
    return fo.run(rule or fo.GradientDescent(), surface, [[1.0, 1.0]], noise=noise)
