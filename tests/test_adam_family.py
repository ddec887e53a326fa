"""The rules of Adam's family against oracles written from their papers."""

from __future__ import annotations

import itertools

import numpy as np
import oracles
import pytest
from oracles import geometric, iterates, rotation, same_bits, symmetric, ulps_apart
from roundings import first_step_apart, neighbours

import fastopt as fo

# Compared with plain NumPy, which rounds every product.
pytestmark = pytest.mark.usefixtures("as_written")

STEPS = 50

# -- oracles -----------------------------------------------------------------------------
#
# Endless sequences of iterates, as in oracles.py: t counts from 1, as in the papers.


def amsgrad(gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Reddi, Kale and Kumar (2018), Algorithm 2, with epsilon outside the root."""
    m, v, v_hat = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (g * g)
        v_hat = np.maximum(v_hat, v)
        x = x - at(learning_rate, t) * m / (np.sqrt(v_hat) + eps)


def adamw(
    gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-5
):  # fmt: skip
    """Loshchilov and Hutter (2019), Algorithm 2, lines 5 to 12 in green, with eta = 1."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (g * g)
        m_hat, v_hat = m / left(beta1, t), v / left(beta2, t)
        x = x - (at(learning_rate, t) * m_hat / (np.sqrt(v_hat) + eps) + weight_decay * x)


def nadam(
    gradient, x, learning_rate=0.001, beta1=0.99, beta2=0.999, eps=1e-8, momentum_decay=0.004
):  # fmt: skip
    """Dozat (2016), Algorithm 2, with the momenta of its experiments."""
    m, n, product = np.zeros_like(x), np.zeros_like(x), 1.0
    real = x.dtype.type

    def mu(t):
        return float(beta1) * (1 - 0.5 * 0.96 ** (t * float(momentum_decay)))

    for t in itertools.count(1):
        yield x
        g = gradient(x)
        m = real(mu(t)) * m + real(1 - mu(t)) * g
        n = beta2 * n + (1 - beta2) * (g * g)
        product *= mu(t)
        of_m, of_g = mu(t + 1) / (1 - product * mu(t + 1)), (1 - mu(t)) / (1 - product)
        n_hat = beta2 * n / left(beta2, t)
        x = x - at(learning_rate, t) / (np.sqrt(n_hat) + eps) * (real(of_m) * m + real(of_g) * g)


def radam(gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Liu et al. (2020), Algorithm 2, with epsilon outside the root."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    longest = 2 / (1 - np.longdouble(beta2)) - 1
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        v = beta2 * v + (1 - beta2) * (g * g)
        m = beta1 * m + (1 - beta1) * g
        m_hat = m / left(beta1, t)
        power = np.longdouble(beta2) ** t
        length = longest - 2 * t * power / (1 - power)
        if length > 4:
            square = (length - 4) * (length - 2) * longest
            square /= (longest - 4) * (longest - 2) * length
            r = np.sqrt(square).astype(x.dtype)
            step = r * m_hat / (np.sqrt(v / left(beta2, t)) + eps)
        else:
            step = m_hat
        x = x - at(learning_rate, t) * step


def adamax(gradient, x, learning_rate=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    """Kingma and Ba (2015), Algorithm 2, with epsilon in the divisor."""
    m, u = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count(1):
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g))
        x = x - at(learning_rate, t) / left(beta1, t) * m / (u + eps)


def at(learning_rate, t):
    return learning_rate(t - 1) if callable(learning_rate) else learning_rate


def left(beta, t):
    """1 - beta**t, in extended precision."""
    return (1 - np.longdouble(beta) ** t).astype(np.asarray(beta).dtype)


# -- tests -------------------------------------------------------------------------------

_rng = np.random.default_rng(12)
QUADRATIC = fo.Quadratic(
    symmetric(geometric(0.1, 2.0, 10), rotation(10, _rng)), _rng.uniform(-1, 1, 10)
)
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {
    "fused": (fo.Bowl(), oracles.bowl_gradient),
    "staged": (QUADRATIC, _plain.gradient),
}
STARTS = {kind: _rng.uniform(-5, 5, (23, s.dim)) for kind, (s, _) in SURFACES.items()}

# Parameters that let every term show itself.
RULES = {
    "amsgrad": (fo.AMSGrad, amsgrad, {"learning_rate": 0.1, "beta2": 0.9, "eps": 1e-3}),
    "adamw": (fo.AdamW, adamw, {"learning_rate": 0.1, "eps": 1e-3, "weight_decay": 0.03}),
    "nadam": (fo.NAdam, nadam, {"learning_rate": 0.1, "eps": 1e-3, "momentum_decay": 0.5}),
    "radam": (fo.RAdam, radam, {"learning_rate": 0.1, "beta2": 0.97, "eps": 1e-3}),
    "adamax": (fo.AdaMax, adamax, {"learning_rate": 0.1, "beta2": 0.9, "eps": 1e-3}),
}

every_rule = pytest.mark.parametrize("name", RULES)


def path(rule, surface, starts, **options):
    record = fo.Record(every=1)
    return fo.run(
        rule, surface, starts, max_steps=STEPS, stop=None, record=record, **options
    ).trajectory


def around(oracle, gradient, starts, **parameters):
    return neighbours(
        lambda through, x: iterates(oracle, through(gradient), x, STEPS, **parameters), starts
    )


@every_rule
@pytest.mark.parametrize(
    ("kind", "dtype"), [("fused", "float64"), ("fused", "float32"), ("staged", "float64")]
)
def test_rule_takes_the_steps_of_its_paper(name, kind, dtype):
    cls, oracle, parameters = RULES[name]
    surface, gradient = SURFACES[kind]
    starts = STARTS[kind].astype(dtype)
    ours = path(cls(**parameters), surface, starts, dtype=dtype)
    theirs = around(oracle, gradient, starts, **parameters)
    assert ours.dtype == theirs.path.dtype == dtype
    assert (first_step_apart(ours, theirs.path) <= 2 * theirs.first_step()).all()
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()


@every_rule
def test_defaults_are_those_of_the_paper(name):
    cls, oracle, _ = RULES[name]
    surface, gradient = SURFACES["fused"]
    theirs = around(oracle, gradient, STARTS["fused"])
    assert ulps_apart(path(cls(), surface, STARTS["fused"]), theirs.path) <= 2 * theirs.spread()


@every_rule
def test_nonconvex_surface_adds_no_error_of_its_own(name):
    cls, oracle, parameters = RULES[name]
    parameters = parameters | {"learning_rate": 0.02 if name != "radam" else 5e-4}
    starts = np.random.default_rng(3).uniform(-1.5, 1.5, (10, 2))
    ours = path(cls(**parameters), fo.Rosenbrock(), starts)
    theirs = around(oracle, oracles.rosenbrock_gradient, starts, **parameters)
    for run, its in enumerate(theirs.each_run()):
        assert ulps_apart(ours[:, [run]], its.path) <= 2 * its.spread()


@every_rule
def test_schedule_sets_the_learning_rate_of_each_step(name):
    cls, oracle, parameters = RULES[name]
    surface, gradient = SURFACES["fused"]
    rates = np.random.default_rng(5).uniform(0.05, 0.3, STEPS)
    scheduled = parameters | {"learning_rate": lambda t: rates[t]}
    theirs = around(oracle, gradient, STARTS["fused"], **scheduled)
    ours = path(cls(**scheduled), surface, STARTS["fused"])
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()


@every_rule
def test_array_of_parameters_equals_runs_with_each_value(name):
    cls, _, parameters = RULES[name]
    rule = cls(**parameters)
    planes = {key: getattr(rule, key) * np.array([0.5, 0.75, 1.0]) for key in cls.parameter_names()}
    start = STARTS["fused"][0]
    together = fo.run(cls(**planes), fo.Bowl(), start, max_steps=STEPS, stop=None)
    for i in range(3):
        one = cls(**{key: values[i] for key, values in planes.items()})
        assert same_bits(together.x[i], fo.run(one, fo.Bowl(), start, max_steps=STEPS, stop=None).x)


@pytest.mark.parametrize("beta2", [0.0, 0.5, 0.61, 0.7, 0.99, 0.9999, 0.99999])
def test_radam_in_single_precision_knows_when_to_rectify(beta2):
    # The paper has rho_t as a difference of numbers whose float32 ulp is 0.016 at 0.99999.
    beta2 = np.float32(beta2)
    starts = STARTS["fused"].astype("float32")
    given = {"learning_rate": 0.0625, "beta2": float(beta2), "eps": 0.125}
    ours = path(fo.RAdam(**given), fo.Bowl(), starts, dtype="float32")
    theirs = iterates(radam, oracles.bowl_gradient, starts.astype("float64"), STEPS, **given)
    size = np.abs(theirs).max((0, 2))[:, None]
    assert (np.abs(ours - theirs) / size).max() < 1e-5


def test_radam_keeps_to_its_paper_for_ten_thousand_steps():
    starts, steps = np.array([[50.0, 40.0]]), 10_000
    rule = fo.RAdam(2.0**-8)
    ours = fo.run(rule, fo.Bowl(), starts, max_steps=steps, stop=None).x
    theirs = iterates(radam, oracles.bowl_gradient, starts, steps, learning_rate=2.0**-8)[-1]
    assert (theirs > 0).all()
    assert (theirs < starts).all()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_nan_of_eps_zero_is_only_where_the_gradient_is_zero():
    for name, (cls, _, _) in RULES.items():
        x = fo.run(cls(eps=0.0), fo.Bowl(), [[3.0, 0.0]], max_steps=3, stop=None).x
        assert np.isfinite(x[0, 0]), name
        x = fo.run(cls(), fo.Bowl(), [[3.0, 0.0]], max_steps=3, stop=None).x
        assert x[0, 1] == 0, name
