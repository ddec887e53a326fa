"""Sign rules, other second moments and mixed averages against oracles from their papers."""

from __future__ import annotations

import dataclasses
import inspect
import itertools

import numpy as np
import oracles
import pytest
from oracles import geometric, iterates, rotation, same_bits, symmetric, ulps_apart
from roundings import first_step_apart, neighbours

import fastopt as fo

STEPS = 50

# -- the papers, by hand -----------------------------------------------------------------
#
# Each is an endless sequence of iterates, as in oracles.py; t counts the steps from 1.


def sign_sgd(gradient, x, learning_rate=0.0001):
    """Bernstein et al. (2018), Algorithm 1."""
    while True:
        yield x
        x = x - learning_rate * np.sign(gradient(x))


def signum(gradient, x, learning_rate=0.0001, beta=0.9):
    """Bernstein et al. (2018), Algorithm 2."""
    m = np.zeros_like(x)
    while True:
        yield x
        m = beta * m + (1 - beta) * gradient(x)
        x = x - learning_rate * np.sign(m)


def rprop(gradient, x, learning_rate=0.1, shrink=0.5, grow=1.2, min_step=1e-6, max_step=50.0):
    """Rprop+, Igel and Hüsken (2003), coordinate by coordinate, the last change kept."""
    shape = x.shape
    size = np.full(x.size, learning_rate, x.dtype)
    before, change = np.zeros(x.size, x.dtype), np.zeros(x.size, x.dtype)
    while True:
        yield x
        g, flat = gradient(x).ravel().copy(), x.ravel().copy()
        for i in range(x.size):
            if g[i] * before[i] < 0:
                size[i] = max(shrink * size[i], min_step)
                change[i] = -change[i]
                g[i] = 0
            else:
                if g[i] * before[i] > 0:
                    size[i] = min(grow * size[i], max_step)
                change[i] = -np.sign(g[i]) * size[i]
            flat[i] = flat[i] + change[i]
            before[i] = g[i]
        x = flat.reshape(shape)


def lion(gradient, x, learning_rate=0.0001, beta1=0.9, beta2=0.99, weight_decay=0.0):
    """Chen et al. (2023), Algorithm 2."""
    m = np.zeros_like(x)
    while True:
        yield x
        g = gradient(x)
        c = beta1 * m + (1 - beta1) * g
        x = x - learning_rate * (np.sign(c) + weight_decay * x)
        m = beta2 * m + (1 - beta2) * g


def adabelief(gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Zhuang et al. (2020), Algorithm 2."""
    m, s = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps
        m_hat, s_hat = m / one_minus_power(beta1, t), s / one_minus_power(beta2, t)
        x = x - learning_rate * m_hat / (np.sqrt(s_hat) + eps)


def yogi(gradient, x, learning_rate=0.01, beta1=0.9, beta2=0.999, eps=1e-3):
    """Zaheer et al. (2018), Algorithm 2."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    while True:
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = v - (1 - beta2) * np.sign(v - g * g) * (g * g)
        x = x - learning_rate * m / (np.sqrt(v) + eps)


def adan(
    gradient, x, learning_rate=0.001, beta1=0.02, beta2=0.08, beta3=0.01, eps=1e-8,
    weight_decay=0.0,
):  # fmt: skip
    """Xie et al. (2022), Algorithm 1, without restarts."""
    past = []
    for k in itertools.count():
        yield x
        past.append(gradient(x))
        g = past[k]
        if k == 0:
            m, v, n = g, np.zeros_like(x), g**2
        else:
            d = g - past[k - 1]
            m = (1 - beta1) * m + beta1 * g
            v = d if k == 1 else (1 - beta2) * v + beta2 * d
            n = (1 - beta3) * n + beta3 * (g + (1 - beta2) * d) ** 2
        step = learning_rate / (np.sqrt(n) + eps)
        x = (x - step * (m + (1 - beta2) * v)) / (1 + weight_decay * learning_rate)


def laprop(gradient, x, learning_rate=0.0004, beta1=0.9, beta2=0.999, eps=1e-15):
    """Ziyin, Wang and Ueda (2020)."""
    m, n = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        n = beta2 * n + (1 - beta2) * g**2
        m = beta1 * m + (1 - beta1) * g / (np.sqrt(n / one_minus_power(beta2, t)) + eps)
        x = x - learning_rate * m / one_minus_power(beta1, t)


def adopt(gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.9999, eps=1e-6):
    """Taniguchi et al. (2024), with clipping."""
    m, v = np.zeros_like(x), gradient(x) ** 2
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        limit = x.dtype.type(t**0.25)
        m = beta1 * m + (1 - beta1) * np.clip(g / np.maximum(np.sqrt(v), eps), -limit, limit)
        x = x - learning_rate * m
        v = beta2 * v + (1 - beta2) * g**2


def padam(gradient, x, learning_rate=0.1, beta1=0.9, beta2=0.999, partial=0.125, eps=1e-8):
    """Chen et al. (2018), Algorithm 1, and an epsilon."""
    m, v, most = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    while True:
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        most = np.maximum(most, v)
        x = x - learning_rate * m / (np.sqrt(most) + eps) ** (2 * partial)


def adabound(
    gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, final=0.1, gamma=0.001,
):  # fmt: skip
    """Luo et al. (2019), Algorithm 2, with the bounds of its experiments."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        real = x.dtype.type(t)
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        low, high = final - final / (gamma * real + 1), final + final / (gamma * real)
        x = x - np.clip(learning_rate / np.sqrt(v), low, high) / np.sqrt(real) * m


def qhm(gradient, x, learning_rate=0.01, beta=0.999, nu=0.7):
    """Ma and Yarats (2019)."""
    m = np.zeros_like(x)
    while True:
        yield x
        g = gradient(x)
        m = beta * m + (1 - beta) * g
        x = x - learning_rate * ((1 - nu) * g + nu * m)


def qhadam(gradient, x, learning_rate=0.001, beta1=0.995, beta2=0.999, nu1=0.7, nu2=1.0, eps=1e-8):
    """Ma and Yarats (2019)."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / one_minus_power(beta1, t), v / one_minus_power(beta2, t)
        scale = np.sqrt((1 - nu2) * g**2 + nu2 * v_hat) + eps
        x = x - learning_rate * ((1 - nu1) * g + nu1 * m_hat) / scale


def aggmo(gradient, x, learning_rate=0.01, beta1=0.0, beta2=0.9, beta3=0.99):
    """Lucas et al. (2019)."""
    betas = (beta1, beta2, beta3)
    velocities = [np.zeros_like(x)] * len(betas)
    while True:
        yield x
        g = gradient(x)
        velocities = [beta * v - g for beta, v in zip(betas, velocities, strict=True)]
        x = x + learning_rate / len(betas) * sum(velocities)


def ademamix(
    gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, beta3=0.9999, mix=5.0, eps=1e-8,
    weight_decay=0.0,
):  # fmt: skip
    """Pagliardini, Ablin and Grangier (2024), Algorithm 1, without schedules."""
    fast, slow, v = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        fast = beta1 * fast + (1 - beta1) * g
        slow = beta3 * slow + (1 - beta3) * g
        v = beta2 * v + (1 - beta2) * g**2
        fast_hat, v_hat = fast / one_minus_power(beta1, t), v / one_minus_power(beta2, t)
        adaptive = (fast_hat + mix * slow) / (np.sqrt(v_hat) + eps)
        x = x - learning_rate * (adaptive + weight_decay * x)


def one_minus_power(beta, t):
    # Not 1 - beta**t: where that is small, it has lost most of its digits.
    return np.asarray(beta).dtype.type(-np.expm1(t * np.log1p(np.float64(beta) - 1)))


# -- against the papers ------------------------------------------------------------------

# (class, oracle, parameters)
RULES = {
    "sign_sgd": (fo.SignSGD, sign_sgd, {"learning_rate": 0.05}),
    "signum": (fo.Signum, signum, {"learning_rate": 0.05}),
    "rprop": (fo.Rprop, rprop, {"max_step": 0.3, "min_step": 0.01}),
    "lion": (fo.Lion, lion, {"learning_rate": 0.05, "weight_decay": 0.1}),
    "adabelief": (fo.AdaBelief, adabelief, {"learning_rate": 0.1, "eps": 1e-4}),
    "yogi": (fo.Yogi, yogi, {"learning_rate": 0.05, "beta2": 0.9}),
    "adan": (fo.Adan, adan, {"learning_rate": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
    "laprop": (fo.LaProp, laprop, {"learning_rate": 0.1, "eps": 1e-3}),
    "adopt": (fo.ADOPT, adopt, {"learning_rate": 0.05, "beta2": 0.9, "eps": 1e-3}),
    "padam": (fo.Padam, padam, {"learning_rate": 0.1, "beta2": 0.9}),
    # Of 37 starts some are at the lower bound, some at the upper and some at neither.
    "adabound": (
        fo.AdaBound, adabound,
        {"learning_rate": 0.3, "beta2": 0.9, "final": 0.2, "gamma": 0.2},
    ),
    "qhm": (fo.QHM, qhm, {"learning_rate": 0.3, "beta": 0.9}),
    "qhadam": (fo.QHAdam, qhadam, {"learning_rate": 0.1, "nu2": 0.8, "eps": 1e-3}),
    "aggmo": (fo.AggMo, aggmo, {"learning_rate": 0.05}),
    "ademamix": (
        fo.AdEMAMix, ademamix,
        {"learning_rate": 0.1, "beta3": 0.99, "eps": 1e-3, "weight_decay": 0.1},
    ),
}  # fmt: skip

every_rule = pytest.mark.parametrize("name", RULES)

_rng = np.random.default_rng(12)
QUADRATIC = fo.Quadratic(
    symmetric(geometric(0.1, 2.0, 10), rotation(10, _rng)), _rng.uniform(-1, 1, 10)
)
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {"fused": (fo.Bowl(), oracles.bowl_gradient), "staged": (QUADRATIC, _plain.gradient)}
STARTS = {kind: _rng.uniform(-5, 5, (37, s.dim)) for kind, (s, _) in SURFACES.items()}


def path(rule, surface, starts, steps=STEPS, **options):
    return fo.run(
        rule, surface, starts, max_steps=steps, stop=None, record=fo.Record(every=1), **options
    ).trajectory


def around(name, kind, starts):
    _, oracle, parameters = RULES[name]
    gradient = SURFACES[kind][1]
    found = neighbours(
        lambda through, x: iterates(oracle, through(gradient), x, STEPS, **parameters), starts
    )
    assert np.isfinite(found.path).all()
    return found


@every_rule
def test_contracted_rule_stays_near_its_paper(name):
    cls, _, parameters = RULES[name]
    theirs = around(name, "staged", STARTS["staged"])
    ours = path(cls(**parameters), QUADRATIC, STARTS["staged"])
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()


@every_rule
def test_defaults_are_those_of_the_paper(name):
    cls, oracle, _ = RULES[name]
    theirs = list(inspect.signature(oracle).parameters.values())[2:]
    ours = dataclasses.fields(cls)
    assert [(f.name, f.default) for f in ours] == [(p.name, p.default) for p in theirs]


# -- what they turn into at special settings ---------------------------------------------

START = STARTS["fused"]


@pytest.mark.parametrize(
    ("general", "special"),
    [
        (fo.Signum(0.05, beta=0.0), fo.SignSGD(0.05)),
        (fo.QHM(0.3, beta=0.9, nu=0.0), fo.GradientDescent(0.3)),
        (fo.QHM(0.3, beta=0.9, nu=1.0), fo.EMAMomentum(0.3, beta=0.9)),
        (fo.QHAdam(0.1, 0.9, 0.99, nu1=1.0, nu2=1.0, eps=1e-3), fo.Adam(0.1, 0.9, 0.99, 1e-3)),
        (fo.AggMo(0.1, 0.9, 0.9, 0.9), fo.Momentum(0.1, momentum=0.9)),
        (fo.AdEMAMix(0.1, 0.9, 0.99, mix=0.0, eps=1e-3), fo.Adam(0.1, 0.9, 0.99, 1e-3)),
        (fo.Padam(0.3, beta1=0.9, partial=0.0), fo.EMAMomentum(0.3, beta=0.9)),
    ],
    ids=lambda rule: rule.name,
)
def test_rule_contains_another(general, special):
    assert ulps_apart(path(general, fo.Bowl(), START), path(special, fo.Bowl(), START)) <= 16


def test_qhm_is_stable_up_to_the_edge_that_is_documented():
    beta, nu, largest = 0.9, 0.7, 2.0
    edge = (2 + 2 * beta) / (largest * (1 + beta - 2 * beta * nu))
    rates = np.array([0.99, 1.01]) * edge
    x = fo.run(
        fo.QHM(rates, beta=beta, nu=nu), fo.Bowl(), np.ones((2, 2)), max_steps=2000, stop=None
    ).x[:, 1]
    assert abs(x[0]) < 1e-3 < 1e3 < abs(x[1])


def test_coordinate_without_slope_does_not_move():
    start = [[0.0, 1.0]]
    for rule in (fo.SignSGD(0.3), fo.Signum(0.3), fo.Lion(0.3), fo.Rprop(), fo.Rprop.torch()):
        x = path(rule, fo.Bowl(), start, steps=5)[:, 0]
        assert (x[:, 0] == 0).all()
        assert x[1, 1] != 1


def crossings(x):
    """Steps after which a coordinate of the bowl has changed sides, and so has its slope."""
    return np.sign(x[1:-1]) * np.sign(x[:-2]) < 0


def test_rprop_goes_back_to_the_very_point_before_a_change_of_sign():
    x = path(fo.Rprop(0.3), fo.Bowl(), START, steps=60)
    crossed = crossings(x)
    for t in range(1, len(crossed)):  # coming back is a crossing too, which does not count
        crossed[t] &= ~crossed[t - 1]
    assert crossed.sum() > 20
    np.testing.assert_allclose(x[2:][crossed], x[:-2][crossed], rtol=0, atol=4e-15)


@pytest.mark.parametrize("make", [fo.Rprop.torch, fo.Rprop.optax])
def test_presets_of_rprop_stay_instead(make):
    x = path(make(learning_rate=0.3), fo.Bowl(), START, steps=60)
    crossed = crossings(x)
    assert crossed.sum() > 20
    assert same_bits(x[2:][crossed], x[1:-1][crossed])


@pytest.mark.parametrize("make", [fo.Rprop, fo.Rprop.torch, fo.Rprop.optax])
def test_rprop_takes_no_schedule(make):
    with pytest.raises(TypeError, match="not a schedule: it is the length of the first step"):
        make(learning_rate=lambda t: 0.1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fo.Rprop(shrink=1.0), r"shrink=1.0: must be in \(0, 1\)"),
        (lambda: fo.Rprop(grow=1.0), "grow=1.0: must be > 1"),
        (lambda: fo.Adan(beta2=0.0), r"beta2=0.0: must be in \(0, 1\]"),
        (lambda: fo.Padam(partial=0.6), r"partial=0.6: must be in \[0, 0.5\]"),
        (lambda: fo.QHM(nu=1.5), r"nu=1.5: must be in \[0, 1\]"),
    ],
)
def test_parameter_out_of_range_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_adopt_of_optax_is_the_papers_one_step_later():
    ours = path(fo.ADOPT(0.1), fo.Bowl(), START, steps=20)
    optax = path(fo.ADOPT.optax(learning_rate=0.1), fo.Bowl(), START, steps=21)
    assert ulps_apart(ours, optax[1:]) <= 16


@pytest.mark.parametrize("name", ["rprop", "adan", "adopt", "ademamix"])
def test_one_value_a_run(name):
    cls, _, parameters = RULES[name]
    rates = np.linspace(0.02, 0.1, len(START))
    together = path(cls(**parameters | {"learning_rate": rates}), fo.Bowl(), START)
    for i in (0, 36):
        rule = cls(**parameters | {"learning_rate": rates[i]})
        assert same_bits(together[:, i], path(rule, fo.Bowl(), START[i]))


# -- without contraction; last, because the fixture holds to the end of the file -----------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@every_rule
def test_rule_takes_the_steps_of_its_paper(name, dtype, as_written):
    cls, _, parameters = RULES[name]
    starts = START.astype(dtype)
    theirs = around(name, "fused", starts)
    ours = path(cls(**parameters), fo.Bowl(), starts, dtype=dtype)
    assert ours.dtype == theirs.path.dtype == dtype
    assert first_step_apart(ours, theirs.path).max() <= 2
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()
