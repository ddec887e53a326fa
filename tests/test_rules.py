"""Update rules against oracles written from their papers, and against closed forms."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import geometric, iterates, rotation, same_bits, symmetric, ulps_apart
from roundings import first_step_apart, neighbours

import fastopt as fo

# Compared bit for bit with plain NumPy; test_contraction.py compares what is compiled else.
pytestmark = pytest.mark.usefixtures("as_written")

STEPS = 50
EPS = np.finfo(np.float64).eps

_rng = np.random.default_rng(2)
EIGENVALUES = geometric(0.1, 2.0, 10)
BASIS = rotation(10, _rng)
QUADRATIC = fo.Quadratic(symmetric(EIGENVALUES, BASIS), _rng.uniform(-1, 1, 10))
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)

# One surface whose kernels are fused and one whose are staged, both convex, so that rounding
# errors are not amplified: (surface, value, gradient).
SURFACES = {
    "fused": (fo.Bowl(), oracles.bowl, oracles.bowl_gradient),
    "staged": (QUADRATIC, _plain.value, _plain.gradient),
}
STARTS = {kind: _rng.uniform(-5, 5, (37, s.dim)) for kind, (s, _, _) in SURFACES.items()}

# (class, oracle, parameters, ulps after one step, ulps after 50 steps). No difference at all
# where the paper's formula fixes the order of the operations. The two bias corrections are
# moved from each coordinate to the learning rate: 1 or 2 roundings more or less a step, which
# after 50 steps is less than what one ulp of the start does (tested below).
RULES = {
    "descent": (fo.GradientDescent, oracles.gradient_descent, {"learning_rate": 0.3}, 0, 0),
    "momentum": (fo.Momentum, oracles.momentum, {"learning_rate": 0.1}, 0, 0),
    "ema": (fo.EMAMomentum, oracles.ema_momentum, {"learning_rate": 0.3}, 0, 0),
    "ema_debiased": (
        fo.EMAMomentum, oracles.ema_momentum, {"learning_rate": 0.3, "debias": True}, 2, 4,
    ),
    "nesterov": (fo.Nesterov, oracles.nesterov, {"learning_rate": 0.1}, 0, 0),
    "adagrad": (fo.AdaGrad, oracles.adagrad, {"learning_rate": 0.5, "eps": 1e-3}, 0, 0),
    "adadelta": (fo.Adadelta, oracles.adadelta, {"eps": 1e-2}, 0, 0),
    "rmsprop": (fo.RMSProp, oracles.rmsprop, {"learning_rate": 0.05, "eps": 1e-3}, 0, 0),
    "adam": (fo.Adam, oracles.adam, {"learning_rate": 0.1, "eps": 1e-3}, 2, 4),
}  # fmt: skip

every_rule = pytest.mark.parametrize("name", RULES)
every_kind = pytest.mark.parametrize("kind", SURFACES)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


def path(rule, surface, starts, steps=STEPS, **options):
    """All iterates of all runs."""
    runs = fo.run(
        rule, surface, starts, max_steps=steps, stop=None, record=fo.Record(every=1), **options
    )
    assert same_bits(runs.x, runs.trajectory[-1])
    return runs.trajectory


# -- against the papers ------------------------------------------------------------------


@every_dtype
@every_kind
@every_rule
def test_rule_takes_the_steps_of_its_paper(name, kind, dtype):
    cls, oracle, parameters, first, fiftieth = RULES[name]
    surface, _, gradient = SURFACES[kind]
    starts = STARTS[kind].astype(dtype)
    ours = path(cls(**parameters), surface, starts, dtype=dtype)
    theirs = iterates(oracle, gradient, starts, STEPS, **parameters)
    assert ours.dtype == theirs.dtype == dtype
    assert first_step_apart(ours, theirs).max() <= first
    assert ulps_apart(ours, theirs) <= fiftieth


@every_rule
def test_bounds_are_no_wider_than_what_an_ulp_of_the_start_does(name):
    _, oracle, parameters, _, fiftieth = RULES[name]
    starts = STARTS["staged"]
    paths = [
        iterates(oracle, _plain.gradient, x, STEPS, **parameters)
        for x in (starts, np.nextafter(starts, np.inf), np.nextafter(starts, -np.inf))
    ]
    moved = max(ulps_apart(paths[0], other) for other in paths[1:])
    assert fiftieth <= 2 * moved


@every_rule
def test_defaults_are_those_of_the_paper(name):
    cls, oracle, parameters, *_, bound = RULES[name]
    flags = {key: value for key, value in parameters.items() if isinstance(value, bool)}
    ours = path(cls(**flags), fo.Bowl(), STARTS["fused"])
    assert (
        ulps_apart(ours, iterates(oracle, oracles.bowl_gradient, STARTS["fused"], STEPS, **flags))
        <= bound
    )


@every_rule
def test_nonconvex_surface_adds_no_error_of_its_own(name):
    # Rosenbrock's valley amplifies rounding errors; so the yardstick is what moving the start
    # by one ulp, and the gradients, does to the oracle itself.
    cls, oracle, parameters, *_ = RULES[name]
    parameters = parameters | {"learning_rate": 5e-4 if "ada" not in name else 0.05}
    starts = np.random.default_rng(3).uniform(-1.5, 1.5, (20, 10))
    ours = path(cls(**parameters), fo.Rosenbrock(10), starts)
    gradient = oracles.rosenbrock_gradient
    theirs = neighbours(
        lambda through, x: iterates(oracle, through(gradient), x, STEPS, **parameters), starts
    )
    for run, its in enumerate(theirs.each_run()):
        assert ulps_apart(ours[:, [run]], its.path) <= 2 * its.spread()


# -- closed forms ------------------------------------------------------------------------


def test_gradient_descent_multiplies_each_eigendirection_by_one_minus_rate_times_eigenvalue():
    rate, t = 0.3, np.arange(STEPS + 1)[:, None, None]
    for surface, basis, eigenvalues, centre in (
        (fo.Bowl(), np.eye(2), np.array([0.1, 2.0]), np.zeros(2)),
        (QUADRATIC, BASIS, EIGENVALUES, QUADRATIC.minimizer),
    ):
        starts = STARTS["fused" if surface.dim == 2 else "staged"]
        ours = path(fo.GradientDescent(rate), surface, starts)
        away = (1 - rate * eigenvalues) ** t * ((starts - centre) @ basis)
        # Each step's product with the matrix is off by dim ulps of the start at most.
        bound = STEPS * surface.dim * EPS * np.abs(starts - centre).max()
        np.testing.assert_allclose(ours, centre + away @ basis.T, rtol=0, atol=bound)


def test_heavy_ball_is_a_power_of_its_two_by_two_matrix():
    rate, mu = 0.1, 0.9
    ours = path(fo.Momentum(rate, momentum=mu), QUADRATIC, STARTS["staged"])
    # (x_t, x_{t-1}) to (x_{t+1}, x_t), in each eigendirection.
    matrices = np.array([[[1 + mu - rate * e, -mu], [1.0, 0.0]] for e in EIGENVALUES])
    away = (STARTS["staged"] - QUADRATIC.minimizer) @ BASIS
    bound = 2 * STEPS * 10 * EPS * np.abs(away).max()
    for t in range(STEPS + 1):
        # v_0 = 0, so that x_{-1} = x_0.
        factors = np.linalg.matrix_power(matrices, t)[:, 0, :].sum(-1)
        expected = QUADRATIC.minimizer + (factors * away) @ BASIS.T
        np.testing.assert_allclose(ours[t], expected, rtol=0, atol=bound)


# -- one value a run, schedules ----------------------------------------------------------


@every_kind
@every_rule
def test_array_of_parameters_equals_runs_with_each_value(name, kind):
    cls, _, parameters, *_ = RULES[name]
    surface, start = SURFACES[kind][0], STARTS[kind][0]
    rule = cls(**parameters)
    numeric = [key for key in cls.parameter_names() if not isinstance(getattr(rule, key), bool)]
    planes = {key: getattr(rule, key) * np.array([0.5, 0.75, 1.0]) for key in numeric}
    for chosen in [*([key] for key in numeric), numeric]:
        several = parameters | {key: planes[key] for key in chosen}
        together = fo.run(cls(**several), surface, start, max_steps=STEPS, stop=None)
        for i in range(3):
            one = parameters | {key: planes[key][i] for key in chosen}
            alone = fo.run(cls(**one), surface, start, max_steps=STEPS, stop=None)
            assert same_bits(together.x[i], alone.x), (chosen, i)


@settings(max_examples=15)
@given(
    rates=st.sampled_from([(), (3,), (3, 1), (2, 1, 1), (2, 3, 4)]),
    momenta=st.sampled_from([(), (4,), (3, 4), (1, 4)]),
    starts=st.sampled_from([(), (4,), (3, 1), (1, 3, 4)]),
    seed=st.integers(0, 2**32),
)
def test_parameters_and_starts_broadcast_as_numpy_arrays_do(rates, momenta, starts, seed):
    try:
        shape = np.broadcast_shapes(rates, momenta, starts)
    except ValueError:
        return
    rng = np.random.default_rng(seed)
    rate, mu = rng.uniform(0.01, 0.1, rates), rng.uniform(0.0, 0.9, momenta)
    x = rng.uniform(-3, 3, (*starts, 2))
    runs = fo.run(fo.Momentum(rate, momentum=mu), fo.Bowl(), x, max_steps=STEPS, stop=None)
    assert runs.x.shape == (*shape, 2)
    assert runs.steps.shape == runs.fun.shape == runs.status.shape == shape
    full_rate, full_mu = np.broadcast_to(rate, shape), np.broadcast_to(mu, shape)
    full_x = np.broadcast_to(x, (*shape, 2))
    for place in np.ndindex(shape):
        rule = fo.Momentum(full_rate[place], momentum=full_mu[place])
        alone = fo.run(rule, fo.Bowl(), full_x[place], max_steps=STEPS, stop=None)
        assert same_bits(runs.x[place], alone.x)


@every_rule
def test_schedule_sets_the_learning_rate_of_each_step(name):
    cls, oracle, parameters, *_, bound = RULES[name]
    rates = np.random.default_rng(5).uniform(0.05, 0.3, STEPS)
    scheduled = parameters | {"learning_rate": lambda t: rates[t]}
    ours = path(cls(**scheduled), fo.Bowl(), STARTS["fused"])
    theirs = iterates(oracle, oracles.bowl_gradient, STARTS["fused"], STEPS, **scheduled)
    assert ulps_apart(ours, theirs) <= bound


def test_long_schedule_is_called_once_a_step_and_reaches_every_run(cut):
    cut(runs=10)
    calls = []

    def rate(t):
        calls.append(t)
        return 0.5 / (1 + t % 100)

    steps = 2500
    rule = fo.Momentum(rate, momentum=np.full(37, 0.5))
    runs = fo.run(rule, fo.Bowl(), STARTS["fused"], max_steps=steps, stop=None, threads=3)
    assert calls == list(range(steps))
    theirs = iterates(
        oracles.momentum,
        oracles.bowl_gradient,
        STARTS["fused"],
        steps,
        learning_rate=lambda t: 0.5 / (1 + t % 100),
        momentum=0.5,
    )
    assert same_bits(runs.x, theirs[-1])


def test_a_long_schedule_is_asked_for_piece_by_piece():
    # The driver comes back for more of it hundreds of times; once that overflowed its budget.
    asked = []
    rule = fo.GradientDescent(lambda t: asked.append(t) or 1e-6)
    runs = fo.run(rule, fo.Bowl(), [[1.0, 1.0]], max_steps=100_000, stop=None)
    assert asked == list(range(100_000))
    assert runs.steps.tolist() == [100_000]
    exact = (1 - 1e-6 * np.array([0.1, 2.0])) ** 100_000
    np.testing.assert_allclose(runs.x[0], exact, rtol=1e-10)
