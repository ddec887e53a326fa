"""Rules defined by a user: each feature of the engine, alone and all together.

Each class is followed by its oracle, in which the runs are rows of arrays (n, dim).
"""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import oracles
import pytest
from oracles import add_up, same_bits, ulps_apart

import fastopt as fo
from fastopt.rules import FRACTION, POSITIVE, Number, Rule, flag, parameter
from fastopt.rules.base import registry

# Compared bit for bit with plain NumPy; test_contraction.py compares what is compiled else.
pytestmark = pytest.mark.usefixtures("as_written")

STEPS = 40


def norm(a):
    return np.sqrt(add_up(a * a))[..., None]


class Averaged(Rule):
    """Several slots, with initial values made of a parameter and of the start."""

    name = "test_averaged"
    slots = ("v", "mean")
    learning_rate: Number = parameter(0.1, POSITIVE)
    share: Number = parameter(0.25, FRACTION)

    def initial_slots(self, p, x):
        return -p[1], p[1] * x

    @staticmethod
    def update(p, c, x, g, s):
        v = 0.5 * s[0] - p[0] * g
        mean = (1.0 - p[1]) * s[1] + p[1] * x
        return mean + v, (v, mean)


def averaged(gradient, value, x):
    v, mean = np.full_like(x, -0.25), 0.25 * x
    while True:
        yield x
        v, mean = 0.5 * v - 0.1 * gradient(x), 0.75 * mean + 0.25 * x
        x = mean + v


class WarmUp(Rule):
    """Scalars of the step, made from those of the step before and from its index."""

    name = "test_warm_up"
    scalars = (1.0, 0.0)
    learning_rate: Number = parameter(0.25, POSITIVE)

    @staticmethod
    def per_step(p, t, c):
        return 0.5 * c[0], p[0] * (1.0 - c[0]) if t > 3 else p[0] * 0.125

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[1] * g


def warm_up(gradient, value, x):
    t, half = 0, 1.0
    while True:
        yield x
        x = x - (0.25 * (1 - half) if t > 3 else 0.25 * 0.125) * gradient(x)
        t, half = t + 1, 0.5 * half


class LookAhead(Rule):
    """The gradient taken at another point than x."""

    name = "test_look_ahead"
    slots = ("v",)
    learning_rate: Number = parameter(0.1, POSITIVE)

    @staticmethod
    def point(p, c, x, s):
        return x - p[0] * s[0]

    @staticmethod
    def update(p, c, x, g, s):
        return x - p[0] * g, (g,)


def look_ahead(gradient, value, x):
    v = np.zeros_like(x)
    while True:
        yield x
        v = gradient(x - 0.1 * v)
        x = x - 0.1 * v


class Clipped(Rule):
    """A norm over the coordinates: the example of Rule's docstring."""

    name = "test_clipped"
    learning_rate: Number = parameter(0.25, POSITIVE)
    reductions, combined = 1, 1

    @staticmethod
    def terms(p, c, x, g, s):
        return (g * g,)

    @staticmethod
    def combine(p, c, sums, f, m):
        size = math.sqrt(sums[0])
        return (p[0] / size if size > 1.0 else p[0],)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * g


def clipped(gradient, value, x):
    while True:
        yield x
        g = gradient(x)
        x = x - np.where(norm(g) > 1, 0.25 / norm(g), 0.25) * g


class Normalised(Rule):
    """Slots that must be new before the norm is taken."""

    name = "test_normalised"
    slots = ("v",)
    learning_rate: Number = parameter(0.1, POSITIVE)
    reductions, combined = 1, 1

    @staticmethod
    def prepare(p, c, x, g, s):
        return (0.5 * s[0] + g,)

    @staticmethod
    def terms(p, c, x, g, s):
        return (s[0] * s[0],)

    @staticmethod
    def combine(p, c, sums, f, m):
        return (p[0] / math.sqrt(sums[0]),)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * s[0], s


def normalised(gradient, value, x):
    v = np.zeros_like(x)
    while True:
        yield x
        v = 0.5 * v + gradient(x)
        x = x - 0.1 / norm(v) * v


class AdaGradNorm(Rule):
    """A number kept for each run: Ward, Wu and Bottou (2019)."""

    name = "test_adagrad_norm"
    memory = (0.25,)
    learning_rate: Number = parameter(0.5, POSITIVE)
    reductions, combined = 1, 1

    @staticmethod
    def terms(p, c, x, g, s):
        return (g * g,)

    @staticmethod
    def combine(p, c, sums, f, m):
        total = m[0] + sums[0]
        return (p[0] / math.sqrt(total),), (total,)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * g


def adagrad_norm(gradient, value, x):
    total = np.full((len(x), 1), 0.25, x.dtype)
    while True:
        yield x
        g = gradient(x)
        total = total + add_up(g * g)[:, None]
        x = x - 0.5 / np.sqrt(total) * g


class Polyak(Rule):
    """The value at x: Polyak's step."""

    name = "test_polyak"
    learning_rate: Number = parameter(1.0, POSITIVE)
    reductions, combined = 1, 1
    uses_value = True

    @staticmethod
    def terms(p, c, x, g, s):
        return (g * g,)

    @staticmethod
    def combine(p, c, sums, f, m):
        return (p[0] * f / sums[0],)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * g


def polyak(gradient, value, x):
    while True:
        yield x
        g = gradient(x)
        x = x - value(x)[:, None] / add_up(g * g)[:, None] * g


class Everything(Rule):
    """All of it at once, and more numbers combined than summed."""

    name = "test_everything"
    slots = ("v", "u")
    scalars = (1.0,)
    memory = (0.0, 1.0)
    reductions, combined = 2, 3
    uses_value = True
    learning_rate: Number = parameter(0.1, POSITIVE)
    beta: Number = parameter(0.5, FRACTION)
    halved: bool = flag(True)

    @staticmethod
    def per_step(p, t, c):
        return (p[1] * c[0] + 0.125,)

    @staticmethod
    def point(p, c, x, s):
        return x - c[0] * s[0]

    @staticmethod
    def prepare(p, c, x, g, s):
        return p[1] * s[0] + c[0] * g, s[1] + x

    @staticmethod
    def terms(p, c, x, g, s):
        return g * s[0], x * s[1]

    @staticmethod
    def combine(p, c, sums, f, m):
        first, second = m[0] + sums[0], 0.5 * m[1] + sums[1]
        size = p[0] / (1.0 + f)
        return (0.5 * size if p[2] else size, c[0], first / (1.0 + math.fabs(second))), (
            first,
            second,
        )

    @staticmethod
    def update(p, c, x, g, s):
        u = s[1] * c[1] + g
        return x - c[0] * s[0] - 0.0625 * c[2] * g, (s[0] + x * 0.125, u)


def everything(gradient, value, x, rate=0.1, beta=0.5, halved=True):
    v, u, scalar, first, second = np.zeros_like(x), np.zeros_like(x), 1.0, 0.0, 1.0
    while True:
        yield x
        scalar = beta * scalar + 0.125
        g = gradient(x - scalar * v)
        v, u = beta * v + scalar * g, u + x
        first = first + add_up(g * v)[:, None]
        second = 0.5 * second + add_up(x * u)[:, None]
        size = rate / (1 + value(x)[:, None])
        u = u * scalar + g
        step = (0.5 * size if halved else size) * v
        x, v = x - step - 0.0625 * (first / (1 + np.abs(second))) * g, v + x * 0.125


# -- tests -------------------------------------------------------------------------------

_rng = np.random.default_rng(4)
QUADRATIC = fo.Quadratic(
    oracles.symmetric(oracles.geometric(0.1, 2.0, 10), oracles.rotation(10, _rng)),
    _rng.uniform(-1, 1, 10),
)
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {
    "fused": (fo.Bowl(), oracles.bowl_gradient, oracles.bowl),
    "staged": (QUADRATIC, _plain.gradient, _plain.value),
}
STARTS = {kind: _rng.uniform(-3, 3, (37, s.dim)) for kind, (s, _, _) in SURFACES.items()}
OWN = (
    (Averaged, averaged),
    (WarmUp, warm_up),
    (LookAhead, look_ahead),
    (Clipped, clipped),
    (Normalised, normalised),
    (AdaGradNorm, adagrad_norm),
    (Polyak, polyak),
    (Everything, everything),
)

every_kind = pytest.mark.parametrize("kind", SURFACES)


def path(rule, surface, starts, **options):
    return fo.run(
        rule, surface, starts, max_steps=STEPS, stop=None, record=fo.Record(every=1), **options
    ).trajectory


def plain_path(oracle, kind, starts, **parameters):
    _, gradient, value = SURFACES[kind]
    return np.array(list(islice(oracle(gradient, value, starts, **parameters), STEPS + 1)))


for _cls, _ in OWN:
    del registry[_cls.name]  # not to be listed in other tests


@every_kind
@pytest.mark.parametrize(("cls", "oracle"), OWN, ids=[cls.name for cls, _ in OWN])
def test_own_rule_does_what_its_functions_say(cls, oracle, kind):
    ours = path(cls(), SURFACES[kind][0], STARTS[kind])
    theirs = plain_path(oracle, kind, STARTS[kind])
    assert np.isfinite(theirs).all()
    if cls.uses_value:  # whose sum may be taken in another order
        assert ulps_apart(ours, theirs) <= 4
    else:
        assert same_bits(ours, theirs)


@every_kind
@pytest.mark.parametrize(("cls", "oracle"), [(WarmUp, warm_up), (Everything, everything)])
def test_own_rule_in_single_precision(cls, oracle, kind):
    starts = STARTS[kind].astype("float32")
    ours = path(cls(), SURFACES[kind][0], starts, dtype="float32")
    parameters = {"rate": np.float32(0.1)} if cls is Everything else {}
    theirs = plain_path(oracle, kind, starts, **parameters)
    assert ours.dtype == theirs.dtype == "float32"
    assert ulps_apart(ours, theirs) <= 4


@every_kind
@pytest.mark.parametrize("halved", [True, False])
def test_own_rule_with_one_value_a_run(kind, halved, cut):
    cut(runs=7, lanes=32)
    rates, betas = np.linspace(0.05, 0.1, 37), np.linspace(0.25, 0.75, 37)
    together = path(Everything(rates, betas, halved), SURFACES[kind][0], STARTS[kind], threads=2)
    columns = {"rate": rates[:, None], "beta": betas[:, None]}
    theirs = plain_path(everything, kind, STARTS[kind], halved=halved, **columns)
    assert ulps_apart(together, theirs) <= 4
    for i in (0, 6, 36):
        rule = Everything(rates[i], betas[i], halved)
        assert same_bits(together[:, i], path(rule, SURFACES[kind][0], STARTS[kind][i]))


@every_kind
def test_own_rule_stops_and_diverges_run_by_run(kind, cut):
    # Hits are rewound with their slots, scalars and memory, and finished runs swapped out.
    surface, gradient, _ = SURFACES[kind]
    starts = STARTS[kind].copy()
    starts[[0, 17, 36], [0, 1, 1]] = np.nan, 1e11, -np.inf
    with np.errstate(all="ignore"):
        plain = plain_path(everything, kind, starts)
        size = np.sqrt(add_up(gradient(plain) ** 2))
        limit = np.nanquantile(size.min(0), 0.6)
    status, steps, x = oracles.judge(plain, gradient=(gradient, limit))
    assert {*status} == {"CONVERGED", "MAX_STEPS", "DIVERGED"}
    for runs_a_slice in (1 << 16, 9):
        cut(runs=runs_a_slice)
        runs = fo.run(Everything(), surface, starts, max_steps=STEPS, stop=fo.Stop(gradient=limit))
        assert [fo.Status(s).name for s in runs.status] == status.tolist()
        assert np.array_equal(runs.steps, steps)
        np.testing.assert_allclose(runs.x, x, rtol=1e-12)
