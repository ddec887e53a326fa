"""Recorded steps, and the shapes and types of results, against a loop that keeps every step."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import iterates, same_bits

import fastopt as fo
import fastopt.kernels.tile
import fastopt.slices

# Compared bit for bit with plain NumPy; test_contraction.py compares what is compiled else.
pytestmark = pytest.mark.usefixtures("as_written")

QUADRATIC = fo.Quadratic(np.diag(np.geomspace(0.2, 2.0, 6)), np.full(6, 0.5))
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {
    "fused": (fo.Bowl(), oracles.bowl, oracles.bowl_gradient),
    "staged": (QUADRATIC, _plain.value, _plain.gradient),
}


def starts_of(surface, n=90):
    rng = np.random.default_rng(9)
    starts = surface.minima[0] + rng.normal(size=(n, surface.dim)) * rng.choice([0.1, 1, 3], (n, 1))
    starts[3], starts[77] = np.nan, 1e11
    return starts


def held(points, steps):
    """Trajectories that stay at their last point."""
    t = np.arange(len(points))[:, None]
    return points[np.minimum(t, steps), np.arange(points.shape[1])]


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["fused", "staged"]),
    max_steps=st.sampled_from([0, 1, 31, 32, 33, 100]),
    steps=st.one_of(
        st.integers(1, 40), st.sets(st.integers(0, 100), min_size=1), st.just({0, 31, 32, 33, 64})
    ),
    lanes=st.sampled_from([32, 512]),
    runs_a_slice=st.sampled_from([7, 1 << 16]),
)
def test_records_are_exact_and_change_nothing(kind, max_steps, steps, lanes, runs_a_slice):
    surface, value, gradient = SURFACES[kind]
    starts = starts_of(surface)
    if isinstance(steps, int):
        record, steps = fo.Record(every=steps), range(0, max_steps + 1, steps)
    else:
        steps = sorted({min(step, max_steps) for step in steps})
        record = fo.Record(steps=[*reversed(steps), steps[0]])
    options = {"max_steps": max_steps, "stop": fo.Stop(gradient=0.3), "threads": 2}
    rule = fo.Nesterov(0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastopt.slices, "_MOST_RUNS", runs_a_slice)
        patch.setattr(fastopt.slices, "_LEAST_SHARED", 0)
        patch.setattr(fastopt.kernels.tile, "_MOST_LANES", lanes)
        runs = fo.run(rule, surface, starts, record=record, **options)
        plain = fo.run(rule, surface, starts, **options)
    for name in ("x", "fun", "grad_norm", "steps", "status"):
        assert same_bits(getattr(runs, name), getattr(plain, name))
    points = iterates(oracles.nesterov, gradient, starts, max_steps, learning_rate=0.1)
    expected = held(points, runs.steps)[list(steps)]
    assert same_bits(runs.trajectory_steps, np.array(steps))
    assert same_bits(runs.trajectory, expected)
    with np.errstate(all="ignore"):
        values = value(expected)
    np.testing.assert_allclose(runs.trajectory_fun, values, rtol=1e-13, atol=1e-13)
    last = runs.trajectory_steps[-1] >= runs.steps
    assert same_bits(runs.trajectory[-1][last], runs.x[last])
    assert same_bits(runs.trajectory_fun[-1][last], runs.fun[last])


def test_no_record_no_trajectory():
    runs = fo.run(fo.GradientDescent(0.1), fo.Sphere(2), [1.0, 1.0], max_steps=1, stop=None)
    assert runs.trajectory is runs.trajectory_fun is runs.trajectory_steps is None


@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=0.0)])
def test_diverging_runs_stay_at_their_last_point(stop):
    # Doubled at every step, and beyond 10^10 after 34 - k of them; then held for long.
    starts = 2.0 ** np.arange(-400, 36)[:, None] * [1.0, 0.0]
    record = fo.Record(steps=[0, 1, 31, 32, 33, 100, 255, 256, 257, 300, 500])
    rule = fo.GradientDescent(1.5)
    runs = fo.run(rule, fo.Sphere(2), starts, max_steps=500, stop=stop, record=record)
    assert (runs.status == fo.Status.DIVERGED).all()
    assert same_bits(runs.steps, np.maximum(34 - np.arange(-400, 36), 0))
    gradient = oracles.sphere_gradient
    points = iterates(oracles.gradient_descent, gradient, starts, 500, learning_rate=1.5)
    assert np.array_equal(runs.trajectory, held(points, runs.steps)[list(record.steps)])


@settings(max_examples=25)
@given(
    shape=st.sampled_from([(), (1,), (3, 2), (0,)]),
    dtype=st.sampled_from(["float64", "float32"]),
    steps=st.sampled_from([[0], [5], [0, 7, 40], [40]]),
)
def test_shapes_and_types_of_results(shape, dtype, steps):
    starts = np.random.default_rng(1).uniform(-5, 5, (*shape, 2))
    record = fo.Record(steps=steps)
    stop = fo.Stop(gradient=0.3)
    runs = fo.run(
        fo.Adam(0.1), fo.Bowl(), starts, max_steps=40, stop=stop, record=record, dtype=dtype
    )
    shapes = {"x": (*shape, 2), "trajectory": (len(steps), *shape, 2)}
    shapes |= {"trajectory_fun": (len(steps), *shape)}
    for name in ("x", "fun", "grad_norm", "trajectory", "trajectory_fun"):
        array = getattr(runs, name)
        assert type(array) is np.ndarray
        assert array.dtype == dtype
        assert array.shape == shapes.get(name, shape)
    for name, kind in (("steps", "i8"), ("status", "i1"), ("success", "?")):
        assert getattr(runs, name).dtype == kind
        assert getattr(runs, name).shape == shape
