"""When runs end, and what is recorded on their way, against a loop that looks at every step."""

from __future__ import annotations

import math
import re

import numpy as np
import oracles
import pytest
from oracles import distance_to, iterates, judge, same_bits

import fastopt as fo
import fastopt.kernels.tile
import fastopt.slices

# Compared bit for bit with plain NumPy; test_contraction.py compares what is compiled else.
pytestmark = pytest.mark.usefixtures("as_written")

# On the sphere, whose gradient is 2 x, a learning rate of 1/4 halves x and one of 3/2 doubles
# -x: every number is exact, and the step of an event is known in advance.
HALVING, DOUBLING = fo.GradientDescent(0.25), fo.GradientDescent(1.5)
ALL_MAX_STEPS = (0, 1, 31, 32, 33, 63, 64, 65, 100)


def names(runs):
    return [fo.Status(status).name for status in runs.status]


def powers(count, dim):
    """Starts 1, 2, 4, ... long, alternating in direction."""
    starts = np.zeros((count, dim))
    starts[np.arange(count), np.arange(count) % dim] = 2.0 ** np.arange(count)
    return starts


# -- known steps -------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 5])
@pytest.mark.parametrize("max_steps", ALL_MAX_STEPS)
@pytest.mark.parametrize(
    ("criterion", "norm"),
    [
        ("gradient", lambda x: 2 * x),
        ("distance", lambda x: x),
        ("value", lambda x: x * x),
    ],
)
def test_convergence_at_every_step_of_a_window(criterion, norm, max_steps, dim):
    # Run number k has x = 2^k halved t times: it is 1 long at step k, and so hits there.
    starts = powers(102, dim)[:, ::-1]
    k = np.arange(102)
    stop = fo.Stop(**{criterion: norm(1.0)}, escape=math.inf)
    runs = fo.run(HALVING, fo.Sphere(dim), starts, max_steps=max_steps, stop=stop)
    steps = np.minimum(k, max_steps)
    assert same_bits(runs.steps, steps)
    assert names(runs) == ["CONVERGED" if j <= max_steps else "MAX_STEPS" for j in k]
    assert same_bits(runs.success, k <= max_steps)
    length = 2.0 ** (k - steps)
    assert same_bits(np.abs(runs.x).max(-1), length)
    assert same_bits(runs.x, starts * 0.5 ** steps[:, None])
    assert same_bits(runs.fun, length**2)
    assert same_bits(runs.grad_norm, 2 * length)


@pytest.mark.parametrize("criterion", ["gradient", "distance", "value"])
def test_limits_are_met_where_equal_and_not_an_ulp_above(criterion):
    # All of the norm's bits count, though the kernels compare squares.
    starts = np.random.default_rng(8).uniform(-3, 3, (300, 5))
    first = fo.run(HALVING, fo.Sphere(5), starts, max_steps=0, stop=None)
    norms = {
        "gradient": first.grad_norm,
        "distance": np.sqrt(oracles.add_up(starts * starts)),
        "value": first.fun,
    }[criterion]
    for start, norm in zip(starts, norms, strict=True):
        for limit, step in ((norm, 0), (np.nextafter(norm, 0), 1)):
            stop = fo.Stop(**{criterion: limit})
            run = fo.run(HALVING, fo.Sphere(5), start, max_steps=3, stop=stop)
            assert run.steps == step


@pytest.mark.parametrize("dim", [2, 5])
@pytest.mark.parametrize("max_steps", ALL_MAX_STEPS)
def test_escape_at_every_step_of_a_window(max_steps, dim):
    k = np.arange(102)
    starts = powers(102, dim) * 2.0**-70
    stop = fo.Stop(gradient=0.0, escape=2.0**20)
    runs = fo.run(DOUBLING, fo.Sphere(dim), starts, max_steps=max_steps, stop=stop)
    # 2^20 is not beyond 2^20, but 2^21 is.
    escape = np.maximum(0, 91 - k)
    steps = np.minimum(escape, max_steps)
    assert same_bits(runs.steps, steps)
    assert names(runs) == ["DIVERGED" if step <= max_steps else "MAX_STEPS" for step in escape]
    assert not runs.success.any()
    assert np.array_equal(runs.x, starts * (-2.0) ** steps[:, None])
    assert same_bits(runs.grad_norm, 2.0 ** (k - 69 + steps))


@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=0.0, escape=math.inf)])
def test_overflow_at_its_first_step(stop):
    # From 2^k, the double after 2^1023 is inf.
    k = np.arange(923, 1024)
    starts = np.zeros((101, 2))
    starts[:, 1] = 2.0**k
    if stop is None:  # whose escape is the usual one
        starts *= 2.0**-990
        k = k - 990
    runs = fo.run(DOUBLING, fo.Sphere(2), starts, max_steps=2000, stop=stop)
    steps = 1024 - k if stop else 34 - k  # 2^33 is below 10^10, 2^34 above
    assert same_bits(runs.steps, np.maximum(steps, 0))
    assert names(runs) == ["DIVERGED"] * 101
    assert same_bits(np.isfinite(runs.x).all(-1), np.full(101, stop is None))
    assert same_bits(runs.x[:, 0] == 0, np.full(101, True))


@pytest.mark.parametrize("dim", [2, 5, 20])
@pytest.mark.parametrize("max_steps", [0, 1, 32, 255, 256, 257, 600])
def test_escape_at_every_step_without_criteria(max_steps, dim):
    # Escape is then looked for within longer windows.
    k = np.arange(-580, 40)
    starts = np.zeros((len(k), dim))
    starts[np.arange(len(k)), k % dim] = 2.0**k
    runs = fo.run(DOUBLING, fo.Sphere(dim), starts, max_steps=max_steps, stop=None)
    escape = np.maximum(34 - k, 0)  # 2^33 is below 10^10, 2^34 above
    steps = np.minimum(escape, max_steps)
    assert same_bits(runs.steps, steps)
    assert names(runs) == ["DIVERGED" if step <= max_steps else "MAX_STEPS" for step in escape]
    assert np.array_equal(runs.x, starts * (-2.0) ** steps[:, None])


@pytest.mark.parametrize("turn", [60, 100, 200, 280])
@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=0.0)])
def test_what_is_far_out_for_32_steps_is_seen(stop, turn):
    # Doubled until step `turn`, halved from then on: beyond 10^10 for 32 steps at least.
    rule = fo.GradientDescent(lambda t: 1.5 if t < turn else 0.25)
    first = np.arange(1, turn - 16)
    starts = np.zeros((len(first), 2))
    starts[:, 1] = 2.0 ** (34 - first)
    runs = fo.run(rule, fo.Sphere(2), starts, max_steps=3 * turn, stop=stop)
    assert names(runs) == ["DIVERGED"] * len(first)
    assert same_bits(runs.steps, first)


class Cliff(fo.surfaces.PointSurface):
    """Slope 1, and not a number below 0."""

    name = "test_cliff"

    def __init__(self):
        super().__init__(1, [-1.0, 1.0], [[0.0]], 0.0)

    @staticmethod
    def kernel_value(q, x):
        return math.sqrt(x[0])

    @staticmethod
    def kernel_gradient(q, x):
        return (1.0 + 0.0 * math.sqrt(x[0]),)


class Ledge(Cliff):
    """The value is not a number below 0, but the slope is still 1."""

    name = "test_ledge"

    @staticmethod
    def kernel_gradient(q, x):
        return (1.0,)


for _cls in (Cliff, Ledge):
    del fo.surfaces.base.registry[_cls.name]  # not to be listed in other tests


@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=0.5)])
@pytest.mark.parametrize("max_steps", [0, 32, 100])
def test_nan_at_its_first_step(stop, max_steps):
    k = np.arange(110)
    starts = k[:, None] / 2.0
    runs = fo.run(fo.GradientDescent(0.5), Cliff(), starts, max_steps=max_steps, stop=stop)
    # Below 0 after k + 1 steps, where the gradient is nan, and so is x one step later.
    steps = np.minimum(k + 2, max_steps)
    assert same_bits(runs.steps, steps)
    assert names(runs) == ["DIVERGED" if j + 2 <= max_steps else "MAX_STEPS" for j in k]
    assert same_bits(np.isnan(runs.x[:, 0]), k + 2 <= max_steps)


@pytest.mark.parametrize("stop", [fo.Stop(value=0.0), fo.Stop(distance=0.0)])
@pytest.mark.parametrize("surface", [Cliff(), Ledge()])
def test_what_comes_after_the_end_does_not_count(surface, stop):
    # At 0 after k steps, and the value is nan one step on, most often in the same window.
    k = np.arange(100)
    runs = fo.run(fo.GradientDescent(0.5), surface, k[:, None] / 2.0, max_steps=99, stop=stop)
    assert names(runs) == ["CONVERGED"] * 100
    assert same_bits(runs.steps, k)
    assert not runs.x.any()


def test_value_counts_from_the_minimum():
    surface, limit = fo.StyblinskiTang(2), 1e-3
    starts = np.random.default_rng(1).uniform(-5, 5, (60, 2))
    rule, stop = fo.GradientDescent(5e-3), fo.Stop(value=limit)
    runs = fo.run(rule, surface, starts, max_steps=200, stop=stop)

    def gradient(x):
        return 2 * x**3 - 16 * x + 2.5

    def above(x):
        return oracles.styblinski_tang(x) + 78.332331407542831

    points = iterates(oracles.gradient_descent, gradient, starts, 200, learning_rate=5e-3)
    status, steps, _ = judge(points, value=(above, limit))
    assert {*status} == {"CONVERGED", "MAX_STEPS"}
    assert names(runs) == status.tolist()
    assert same_bits(runs.steps, steps)


@pytest.mark.parametrize("stop", [None, fo.Stop(gradient=1e9), fo.Stop(value=1e9, distance=1e9)])
@pytest.mark.parametrize("max_steps", [0, 1, 40])
def test_bad_start_has_diverged_at_step_0(stop, max_steps):
    bad = [[math.nan, 1.0], [1.0, math.inf], [-math.inf, math.nan], [1.0, 1.1e10], [-1.1e10, 0.0]]
    starts = np.array([[1.0, 1.0], *bad, [2.0, 2.0]])
    runs = fo.run(HALVING, fo.Sphere(2), starts, max_steps=max_steps, stop=stop)
    good = "CONVERGED" if stop else "MAX_STEPS"
    assert names(runs) == [good, *["DIVERGED"] * 5, good]
    assert same_bits(runs.steps[1:-1], np.zeros(5, int))
    assert same_bits(runs.x[1:-1], starts[1:-1])


@pytest.mark.parametrize(
    ("criterion", "limit", "dtype"),
    [
        ("value", math.inf, "float64"),
        ("value", 1e39, "float32"),
        # The largest that are allowed: squares are what is compared.
        *((norm, 1.3e154, "float64") for norm in ("gradient", "distance")),
        *((norm, 1.8e19, "float32") for norm in ("gradient", "distance")),
    ],
)
def test_largest_limit_does_not_make_nan_converge(criterion, limit, dtype):
    starts, stop = [[math.nan, 0.0], [1.0, 0.0]], fo.Stop(**{criterion: limit})
    runs = fo.run(HALVING, fo.Bowl(), starts, stop=stop, dtype=dtype)
    assert names(runs) == ["DIVERGED", "CONVERGED"]


@pytest.mark.parametrize("criterion", ["gradient", "distance"])
@pytest.mark.parametrize(
    ("limit", "dtype"),
    [(math.inf, "float64"), (1e155, "float64"), (1e-155, "float64"), (1e20, "float32")],
)
def test_limit_whose_square_cannot_be_compared_is_refused(criterion, limit, dtype):
    stop = fo.Stop(**{criterion: limit})
    with pytest.raises(ValueError, match=rf"^{criterion}={re.escape(repr(limit))}: must be 0, or"):
        fo.run(HALVING, fo.Bowl(), [[1.0, 0.0]], stop=stop, dtype=dtype)


def test_diverged_comes_first_at_the_same_step():
    # |x| = 2^k at step 0 and 2^(k + t) at t: escape and criterion hold at the same step.
    starts = powers(64, 2)
    stop = fo.Stop(gradient=2.0**70, escape=2.0**10)
    runs = fo.run(DOUBLING, fo.Sphere(2), starts, stop=stop)
    assert names(runs) == ["CONVERGED"] * 11 + ["DIVERGED"] * 53
    assert not runs.steps.any()


# -- any criteria together, any rule -----------------------------------------------------

QUADRATIC = fo.Quadratic(np.diag(np.geomspace(0.2, 2.0, 6)), np.full(6, 0.5))
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {
    "fused": (fo.Bowl(), oracles.bowl, oracles.bowl_gradient),
    "staged": (QUADRATIC, _plain.value, _plain.gradient),
    "four_minima": (fo.Himmelblau(), oracles.himmelblau, oracles.himmelblau_gradient),
}
LIMITS = {"gradient": 0.3, "value": 0.02, "distance": 0.2}
SUBSETS = [
    [name for bit, name in enumerate(LIMITS) if mask >> bit & 1] for mask in range(1, 8)
]  # fmt: skip
RULES = {
    "descent": (fo.GradientDescent(0.3), oracles.gradient_descent, {"learning_rate": 0.3}),
    "momentum": (fo.Momentum(0.1), oracles.momentum, {"learning_rate": 0.1}),
    "ema": (fo.EMAMomentum(0.3), oracles.ema_momentum, {"learning_rate": 0.3}),
    "nesterov": (fo.Nesterov(0.1), oracles.nesterov, {"learning_rate": 0.1}),
    "adagrad": (fo.AdaGrad(0.5), oracles.adagrad, {"learning_rate": 0.5}),
    "adadelta": (fo.Adadelta(), oracles.adadelta, {}),
    "rmsprop": (fo.RMSProp(0.05), oracles.rmsprop, {"learning_rate": 0.05}),
    "adam": (fo.Adam(0.1), oracles.adam, {"learning_rate": 0.1}),
}


def starts_of(surface, n=150):
    rng = np.random.default_rng(9)
    starts = surface.minima[0] + rng.normal(size=(n, surface.dim)) * rng.choice([0.1, 1, 3], (n, 1))
    starts[3], starts[77] = np.nan, 1e11
    return starts


def compare(kind, rule, limits, max_steps, dtype="float64", **options):
    """Run, and judge every step of the oracle; exactly the same must come out."""
    surface, value, gradient = SURFACES[kind]
    ours, oracle, parameters = RULES[rule]
    starts = starts_of(surface).astype(dtype)
    real = np.dtype(dtype).type
    functions = {"gradient": gradient, "value": value, "distance": distance_to(surface.minima)}
    criteria = {name: (functions[name], real(limits[name])) for name in limits}
    points = iterates(oracle, gradient, starts, max_steps, **parameters)
    status, steps, x = judge(points, **criteria)
    runs = fo.run(
        ours, surface, starts, max_steps=max_steps, stop=fo.Stop(**limits), dtype=dtype, **options
    )
    assert names(runs) == status.tolist()
    assert same_bits(runs.steps, steps)
    size = {"float64": 1e-12, "float32": 1e-4}[dtype] if rule == "adam" else 0
    finite = np.isfinite(x).all(-1)
    np.testing.assert_allclose(runs.x, x, rtol=0, atol=size)
    precise = {"float64": 1e-12, "float32": 1e-4}[dtype]
    fun, slope = value(x[finite].astype(float)), gradient(x[finite].astype(float))
    np.testing.assert_allclose(runs.fun[finite], fun, rtol=precise, atol=precise)
    norm = np.sqrt(oracles.add_up(slope * slope))
    np.testing.assert_allclose(runs.grad_norm[finite], norm, rtol=precise, atol=precise)
    return runs


@pytest.mark.parametrize("kind", SURFACES)
@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_any_criterion_suffices(kind, subset):
    rule = "descent" if kind != "four_minima" else "rmsprop"
    runs = compare(kind, rule, {name: LIMITS[name] for name in subset}, max_steps=70)
    assert {*names(runs)} >= {"CONVERGED", "DIVERGED"}
    assert len(np.unique(runs.steps)) > 10


@pytest.mark.parametrize("kind", ["fused", "staged"])
@pytest.mark.parametrize(
    ("rule", "dtype"),
    [*((rule, "float64") for rule in RULES), ("descent", "float32"), ("nesterov", "float32")],
)
def test_every_rule_stops_at_its_own_step(rule, kind, dtype):
    runs = compare(kind, rule, {"gradient": 0.3}, max_steps=100, dtype=dtype)
    assert {*names(runs)} >= {"CONVERGED", "DIVERGED"}
    assert len(np.unique(runs.steps)) > 6


def test_look_ahead_rule_is_judged_at_its_iterate():
    # x is 1, -1/2, -3/8, ... and the look-ahead point 1, -5/4, ...
    rule = fo.Nesterov(0.75, momentum=0.5)
    for stop in (fo.Stop(distance=0.5), fo.Stop(gradient=1.0), fo.Stop(value=0.25)):
        run = fo.run(rule, fo.Sphere(2), [1.0, 0.0], max_steps=9, stop=stop)
        assert (run.steps, run.x[0], run.fun, run.grad_norm) == (1, -0.5, 0.25, 1.0)


@pytest.mark.parametrize("lanes", [32, 512])
@pytest.mark.parametrize("runs_a_slice", [1, 5, 40, 1 << 16])
def test_exact_whatever_the_tile_and_slice(cut, lanes, runs_a_slice):
    cut(runs_a_slice, lanes)
    compare("fused", "nesterov", {"gradient": 0.3}, max_steps=100, threads=2)
    compare("staged", "nesterov", {"gradient": 0.3}, max_steps=100, threads=2)


def test_gradient_norm_whose_square_overflows_or_vanishes():
    starts = np.array([[3e200, -4e200], [3e-200, 4e-200], [0, 0], [np.inf, 1], [1, np.nan]])
    runs = fo.run(fo.GradientDescent(0.25), fo.Sphere(2), starts, max_steps=0, stop=None)
    np.testing.assert_allclose(runs.grad_norm, [1e201, 1e-199, 0, np.inf, np.nan], rtol=1e-15)
    assert runs.grad_norm.tolist()[2] == 0
