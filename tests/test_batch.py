"""A run's result depends on nothing but its rule, its surface and its start."""

from __future__ import annotations

import functools
import math
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import geometric, rotation, same_bits, symmetric

import fastopt as fo
import fastopt.kernels.tile
import fastopt.slices

SIZES = (1, 7, 129)
MOST = max(SIZES)
_rng = np.random.default_rng(10)
QUADRATIC = fo.Quadratic(symmetric(geometric(0.2, 3.0, 6), rotation(6, _rng)), np.full(6, 0.5))
# Ends of every kind, at many different steps: (rule, surface, options).
PAIRS = {
    "fused": (
        fo.GradientDescent(0.012), fo.Himmelblau(), {"stop": fo.Stop(gradient=0.3)},
    ),
    "staged": (
        fo.Nesterov(0.1), QUADRATIC, {"stop": fo.Stop(gradient=0.3)},
    ),
    "sums": (
        fo.Adam(0.5), fo.Ackley(5), {"stop": fo.Stop(value=10.0), "dtype": "float32"},
    ),
    "endless": (fo.GradientDescent(0.3), fo.Bowl(), {"stop": None, "max_steps": 70}),
    "one value a run": (
        fo.Momentum(_rng.uniform(0.05, 0.2, MOST), momentum=_rng.uniform(0, 0.9, MOST)),
        fo.Bowl(), {"stop": fo.Stop(gradient=0.1)},
    ),
}  # fmt: skip
FIELDS = ("x", "fun", "grad_norm", "steps", "status", "trajectory", "trajectory_fun")

every_pair = pytest.mark.parametrize("pair", PAIRS)


def starts_of(pair, n=MOST):
    surface = PAIRS[pair][1]
    rng = np.random.default_rng(11)
    starts = rng.uniform(-7, 7, (n, surface.dim)) * rng.choice([0.2, 1.0], (n, 1))
    bad = [math.nan, math.inf, 1e11, -1e200]
    starts[5 :: n // 5 + 1, -1] = np.resize(bad, len(starts[5 :: n // 5 + 1]))
    return starts


def only(rule, chosen):
    """The rule of the chosen runs."""
    values = {name: getattr(rule, name) for name in rule.parameter_names()}
    arrays = {name: v[chosen] for name, v in values.items() if isinstance(v, np.ndarray)}
    return type(rule)(**values | arrays)


def advance(pair, chosen=slice(None), starts=None, **options):
    rule, surface, given = PAIRS[pair]
    starts = starts_of(pair)[chosen] if starts is None else starts
    options = {"max_steps": 150, "record": fo.Record(every=40), "threads": 1} | given | options
    return fo.run(only(rule, chosen), surface, starts, **options)


@functools.cache
def one_by_one(pair):
    """Each field of the runs advanced alone, stacked."""
    alone = [advance(pair, i) for i in range(MOST)]
    axes = {"trajectory": 1, "trajectory_fun": 1}
    return {
        name: np.stack([getattr(run, name) for run in alone], axis=axes.get(name, 0))
        for name in FIELDS
    }


def assert_same(runs, fields, chosen=slice(None)):
    for name in FIELDS:
        at = (slice(None), chosen) if name.startswith("trajectory") else chosen
        assert same_bits(getattr(runs, name), fields[name][at]), name


# -- other runs, threads, tiles and slices -----------------------------------------------


@every_pair
def test_the_pairs_end_in_several_ways(pair):
    fields = one_by_one(pair)
    assert len(np.unique(fields["status"])) >= 2
    assert {0, 2} <= {*fields["status"]} or PAIRS[pair][2]["stop"] is None
    assert len(np.unique(fields["steps"])) > 5 or PAIRS[pair][2]["stop"] is None


@every_pair
@pytest.mark.parametrize("size", SIZES)
def test_batch_equals_its_runs_one_by_one(pair, size, cut):
    chosen = slice(0, size)
    for threads in (1, 2, 3, 5):
        for runs_a_slice, lanes in ((1 << 16, 512), (40, 32), (3, 64)):
            cut(runs_a_slice, lanes)
            assert_same(advance(pair, chosen, threads=threads), one_by_one(pair), chosen)


@every_pair
def test_any_order_of_the_runs(pair, cut):
    rng = np.random.default_rng(12)
    cut(runs=50, lanes=32)
    orders = [np.arange(MOST)[::-1], *(rng.permutation(MOST) for _ in range(3))]
    for order in [*orders, np.zeros(40, int)]:
        assert_same(advance(pair, order, threads=2), one_by_one(pair), order)


@every_pair
@pytest.mark.parametrize("poison", [math.nan, math.inf, 1e308, -1e155, 9e9])
def test_broken_runs_leave_the_others_alone(pair, poison, cut):
    cut(runs=48, lanes=32)
    places = [0, 31, 32, 47, 48, 100, 128]
    starts = starts_of(pair)
    starts[places] = poison
    runs = advance(pair, starts=starts, threads=2)
    others = np.delete(np.arange(MOST), places)
    for name in FIELDS:
        at = (slice(None), others) if name.startswith("trajectory") else others
        assert same_bits(getattr(runs, name)[at], one_by_one(pair)[name][at]), name


@pytest.mark.parametrize("size", [10**5 + 3])
def test_large_batch(size, cut, monkeypatch):
    starts = starts_of("endless", size)
    options = {"starts": starts, "stop": fo.Stop(gradient=0.3), "record": None}
    whole = advance("endless", **options)
    assert (whole.status == fo.Status.CONVERGED).mean() > 0.9
    for threads, runs_a_slice, lanes in ((2, 1 << 16, 512), (2, 1009, 512), (3, 30_011, 96)):
        cut(runs_a_slice, lanes)
        again = advance("endless", **options, threads=threads)
        for name in FIELDS[:5]:
            assert same_bits(getattr(again, name), getattr(whole, name))
    for i in [0, size - 1, *np.random.default_rng(13).integers(0, size, 40)]:
        alone = advance("endless", **options | {"starts": starts[i]})
        for name in FIELDS[:5]:
            assert same_bits(getattr(alone, name), getattr(whole, name)[i])


def test_many_short_slices(cut):
    # More than 64 calls of the driver on one workspace, each over at once.
    cut(runs=1)
    runs = fo.run(
        fo.GradientDescent(0.3), fo.Bowl(), np.ones((100, 2)), max_steps=1, stop=None, threads=1
    )
    assert same_bits(runs.x, np.repeat([[1.0 - 0.3 * 0.1, 1.0 - 0.3 * 2.0]], 100, axis=0))


def test_work_comes_back_to_python_often_without_a_trace(monkeypatch, cut):
    cut(lanes=32)
    monkeypatch.setattr(fastopt.slices, "_PERIOD", 0.0)  # after every tile
    for pair in ("fused", "staged", "one value a run"):
        assert_same(advance(pair, threads=2), one_by_one(pair))


@settings(max_examples=60)
@given(
    pair=st.sampled_from(list(PAIRS)),
    chosen=st.lists(st.integers(0, MOST - 1), max_size=40),
    threads=st.integers(1, 4),
    runs_a_slice=st.integers(1, 50),
    lanes=st.sampled_from([32, 64, 512]),
)
def test_any_selection_of_runs(pair, chosen, threads, runs_a_slice, lanes):
    order = np.array(chosen, int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastopt.slices, "_MOST_RUNS", runs_a_slice)
        patch.setattr(fastopt.slices, "_LEAST_SHARED", 0)
        patch.setattr(fastopt.kernels.tile, "_MOST_LANES", lanes)
        assert_same(advance(pair, order, threads=threads), one_by_one(pair), order)


# -- starts in any shape and form --------------------------------------------------------


@settings(max_examples=40)
@given(
    shape=st.sampled_from([(), (1,), (0,), (7,), (2, 3), (3, 1, 2), (2, 0)]),
    form=st.sampled_from(
        ["fortran", "strided", "reversed", "read-only", "f4", "f2", "i8", "u1", ">f8", "list"]
    ),
    threads=st.integers(1, 3),
)
def test_starts_in_any_shape_and_form(shape, form, threads):
    x = np.random.default_rng(14).uniform(0, 4, (*shape, 2))
    if len(form) in (2, 3):
        x = x.astype(form)
    given = {
        "fortran": np.asfortranarray(x),
        "strided": np.repeat(np.repeat(x, 2, axis=-1), 3, axis=0)[::3, ..., ::2]
        if shape
        else np.repeat(x, 2)[::2],
        "reversed": x[..., ::-1].copy()[..., ::-1],
        "read-only": np.broadcast_to(x, x.shape),
        "list": x.tolist() if x.size else x,
    }.get(form, x)
    before = x.copy()
    runs = advance("fused", starts=given, threads=threads)
    assert same_bits(x, before)
    assert runs.x.shape == (*shape, 2)
    assert runs.x.flags.writeable
    assert not np.shares_memory(runs.x, x)
    flat = advance("fused", starts=np.ascontiguousarray(x, np.float64).reshape(-1, 2))
    for name in FIELDS:
        assert same_bits(getattr(runs, name).ravel(), getattr(flat, name).ravel())


LAZY = [
    fo.starts.Uniform(-4, 4, 300, seed=1, dim=2),
    fo.starts.Normal([1, -1], [1, 2], 300, seed=2),
    fo.starts.Sobol(-4, 4, 300, seed=3, dim=2),
    fo.starts.Grid(-4, [3, 4], (15, 20)),
]


@pytest.mark.parametrize("starts", LAZY, ids=[type(lazy).__name__ for lazy in LAZY])
def test_lazy_starts_equal_their_array(starts, cut):
    array = np.asarray(starts)
    for rule in (
        fo.GradientDescent(0.01),
        fo.GradientDescent(np.linspace(0.001, 0.01, 3).reshape(3, *[1] * len(starts.shape))),
    ):
        whole = fo.run(rule, fo.Himmelblau(), array, max_steps=40, stop=None)
        assert whole.steps.shape[-len(starts.shape) :] == starts.shape
        for runs_a_slice in (1 << 16, 77):
            cut(runs=runs_a_slice)
            lazy = fo.run(rule, fo.Himmelblau(), starts, max_steps=40, stop=None, threads=2)
            for name in FIELDS[:5]:
                assert same_bits(getattr(lazy, name), getattr(whole, name))


def test_the_same_call_twice_gives_the_same_bits():
    assert_same(advance("fused"), {name: getattr(advance("fused"), name) for name in FIELDS})


# -- memory ------------------------------------------------------------------------------

_RESULTS = 4 * 8 + 8 + 1  # bytes a run: x, fun, grad_norm, steps, status
_WORKSPACES = 2 * 8e6  # of two threads
_OPTIONS = {"max_steps": 40, "stop": fo.Stop(gradient=0.3), "threads": 2}


@pytest.mark.parametrize("start", [[1.0, 1.0], fo.starts.Uniform(-5, 5, 10**6, dim=2)])
def test_memory_is_that_of_the_results_and_a_few_tiles(start):
    rule = fo.GradientDescent(0.3 if isinstance(start, fo.starts.Starts) else np.full(10**6, 0.3))
    fo.run(rule, fo.Bowl(), np.ones(2), **_OPTIONS)  # compiled
    tracemalloc.start()
    try:
        runs = fo.run(rule, fo.Bowl(), start, **_OPTIONS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert runs.status.size == 10**6
    assert peak < 10**6 * _RESULTS + _WORKSPACES


_PEAK = """
import fastopt as fo

def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

def run(n):
    starts = fo.starts.Uniform(-5, 5, n, dim=2)
    rule, stop = fo.GradientDescent(0.3), fo.Stop(gradient=0.3)
    return fo.run(rule, fo.Bowl(), starts, max_steps=40, stop=stop, threads=2)

small = run(200_000)
before = peak()
large = run(2_000_000)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_resident_memory_grows_by_the_results_alone():
    command = [sys.executable, "-c", _PEAK]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert 0.9 < grown / (2_000_000 * _RESULTS) < 1.2


# -- threads -----------------------------------------------------------------------------


def test_more_threads_than_processors_and_than_slices():
    starts = np.random.default_rng(5).uniform(-2, 2, (3000, 2))
    options = {"max_steps": 3000, "stop": None}
    alone = fo.run(fo.GradientDescent(1e-4), fo.Rosenbrock(), starts, threads=1, **options)
    many = fo.run(fo.GradientDescent(1e-4), fo.Rosenbrock(), starts, threads=64, **options)
    assert same_bits(alone.x, many.x)


def test_calls_from_several_threads_at_once():
    starts = np.random.default_rng(5).uniform(-2, 2, (3000, 2))
    options = {"max_steps": 3000, "stop": None, "threads": 2}
    rules = [fo.GradientDescent(rate) for rate in np.linspace(1e-5, 1e-4, 6)]
    alone = [fo.run(rule, fo.Rosenbrock(), starts, **options).x for rule in rules]
    with ThreadPoolExecutor(len(rules)) as pool:
        together = [pool.submit(fo.run, rule, fo.Rosenbrock(), starts, **options) for rule in rules]
    for future, x in zip(together, alone, strict=True):
        assert same_bits(future.result().x, x)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    starts = np.random.default_rng(5).uniform(-2, 2, (3000, 2))
    options = {"max_steps": 3000, "stop": None, "threads": 2}
    rule = fo.GradientDescent(1e-4)
    expected = fo.run(rule, fo.Rosenbrock(), starts, **options).x
    child = os.fork()
    if child == 0:
        same = same_bits(fo.run(rule, fo.Rosenbrock(), starts, **options).x, expected)
        os._exit(0 if same else 1)
    for _ in range(200):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
    assert ended, "the forked process hangs"
    assert status == 0
