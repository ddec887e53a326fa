"""Noise in the value: what a rule sees of it, and that results stay exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import same_bits
from test_philox import normal_pair, philox

import fastopt as fo

STREAM = 3 << 30


def normal_number(seed, run, step):
    """The normal number of a run's step."""
    counter = (run % 2**32, run >> 32 | (step >> 32) << 16, step % 2**32, STREAM)
    a, b, c, d = philox(counter, (seed % 2**32, seed >> 32))
    u, v = (((high << 32 | low) >> 12) * 2.0**-52 + 2.0**-53 for high, low in ((a, b), (c, d)))
    return normal_pair(u, v, d)[0]


@pytest.mark.parametrize("dim", [2, 5])  # written out for a point, and over a tile
@pytest.mark.parametrize("stop", [None, fo.Stop(value=1e-12)], ids=["free", "value"])
def test_a_path_is_that_of_the_noisy_value(dim, stop):
    seed, starts = 2**40 + 5, np.random.default_rng(1).normal(size=(70, dim))
    noise = fo.noise.value(0.3)
    made = {"max_steps": 6, "noise": noise, "seed": seed}
    runs = fo.run(fo.Polyak(0.5), fo.Sphere(dim), starts, stop=stop, **made)
    for run in (0, 1, 69):
        x = starts[run]
        for step in range(6):
            level = x @ x + 0.3 * normal_number(seed, run, step)
            x = x - 0.5 * level / (4 * x @ x) * 2 * x
        np.testing.assert_allclose(runs.x[run], x, rtol=1e-10)
    np.testing.assert_allclose(runs.fun, np.sum(runs.x**2, -1), rtol=1e-15)


@pytest.mark.parametrize("dim", [2, 5])
def test_stopping_looks_at_the_exact_value(dim, cut):
    starts = np.random.default_rng(2).normal(size=(150, dim))

    def noisy_run(stop=None, **options):
        made = {"max_steps": 12, "noise": fo.noise.value(0.1), "seed": 3}
        return fo.run(fo.Polyak(0.5), fo.Sphere(dim), starts, stop=stop, **made, **options)

    stopped = noisy_run(fo.Stop(value=0.002))
    path = noisy_run(record=fo.Record(every=1)).trajectory
    below = fo.Sphere(dim).value(path) <= 0.002
    ended = below.any(axis=0)
    assert 20 < ended.sum() < 150
    assert same_bits(stopped.success, ended)
    assert same_bits(stopped.x[ended], path[np.argmax(below, 0)[ended], np.flatnonzero(ended)])
    cut(runs=48, lanes=64)
    assert same_bits(noisy_run(fo.Stop(value=0.002), threads=3).x, stopped.x)


def test_no_noise_changes_no_bit():
    starts = np.random.default_rng(2).normal(size=(20, 5))
    made = {"max_steps": 5, "stop": None}
    plain = fo.run(fo.Polyak(0.5), fo.Sphere(5), starts, **made)
    noisy = fo.run(fo.Polyak(0.5), fo.Sphere(5), starts, noise=fo.noise.value(0.0), **made)
    assert same_bits(noisy.x, plain.x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fo.noise.value(-0.1), ValueError, "std=-0.1: must be >= 0"),
        (lambda: fo.noise.value([0.1, 0.2]), ValueError, r"std has shape \(2,\): must be a number"),
        (lambda: fo.noise.value(math.nan), ValueError, "std=nan: must be finite"),
        (lambda: fo.noise.value("much"), TypeError, "std='much': must be a number"),
        (lambda: on(fo.SGD(0.1)), ValueError, r"must be with a rule that uses .*noise.gaussian"),
        (lambda: on(fo.BFGS()), ValueError, r"bfgs must have the exact value.*surface.noisy\(std"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def on(rule):
    return fo.run(rule, fo.Sphere(2), [[1.0, 1.0]], noise=fo.noise.value(0.1))
