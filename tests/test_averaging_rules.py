"""Averages, trust ratios, Prodigy, MADGRAD, FTRL and optimistic descent against their papers."""

from __future__ import annotations

import inspect

import numpy as np
import oracles
import oracles_averaging as papers
import pytest
from oracles import add_up, geometric, iterates, rotation, same_bits, symmetric, ulps_apart
from roundings import neighbours

import fastopt as fo

STEPS = 50

# name: ours, its oracle, and parameters other than the defaults
RULES = {
    "madgrad": (fo.MADGRAD, papers.madgrad, {"learning_rate": 0.2, "momentum": 0.7, "eps": 1e-3}),
    "ftrl": (
        fo.FTRL, papers.ftrl, {"learning_rate": 1.5, "beta": 0.3, "l1": 0.2, "l2": 0.05},
    ),
    "optimistic": (fo.OptimisticGradient, papers.optimistic, {"learning_rate": 0.2}),
    "asgd": (fo.ASGD, papers.asgd, {"learning_rate": 0.3}),
    "schedule_free_sgd": (
        fo.ScheduleFreeSGD, papers.schedule_free_sgd, {"learning_rate": 0.4, "beta": 0.7},
    ),
    "schedule_free_adamw": (
        fo.ScheduleFreeAdamW, papers.schedule_free_adamw,
        {"learning_rate": 0.1, "beta1": 0.7, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.1},
    ),
    "prodigy": (
        fo.Prodigy, papers.prodigy,
        {"learning_rate": 0.5, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "d0": 0.125},
    ),
    "lars": (
        fo.LARS, papers.lars,
        {"learning_rate": 0.5, "momentum": 0.7, "trust": 0.1, "weight_decay": 0.05},
    ),
    "lamb": (
        fo.LAMB, papers.lamb, {"learning_rate": 0.05, "eps": 1e-3, "weight_decay": 0.1},
    ),
}  # fmt: skip
every_rule = pytest.mark.parametrize("name", RULES)

_rng = np.random.default_rng(31)
QUADRATIC = fo.Quadratic(
    symmetric(geometric(0.1, 2.0, 6), rotation(6, _rng)), _rng.uniform(-1, 1, 6)
)
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {"fused": (fo.Bowl(), oracles.bowl_gradient), "staged": (QUADRATIC, _plain.gradient)}
STARTS = {kind: _rng.uniform(-5, 5, (37, s.dim)) for kind, (s, _) in SURFACES.items()}
START = STARTS["fused"]


def path(rule, surface, starts, steps=STEPS, **options):
    record = fo.Record(every=1)
    return fo.run(
        rule, surface, starts, max_steps=steps, stop=None, record=record, **options
    ).trajectory


def assert_as_near_as_roundings_allow(rule, oracle, parameters, kind, starts):
    surface, gradient = SURFACES[kind]
    ours = path(rule, surface, starts, dtype=starts.dtype)
    theirs = neighbours(
        lambda through, x: iterates(oracle, through(gradient), x, STEPS, **parameters), starts
    )
    assert np.isfinite(theirs.path).all()
    assert ours.dtype == theirs.path.dtype == starts.dtype
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()
    return ours, theirs.path


# -- against the papers ------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "dtype"), [("fused", "<f8"), ("fused", "<f4"), ("staged", "<f8")])
@every_rule
def test_rule_takes_the_steps_of_its_paper(name, kind, dtype):
    cls, oracle, parameters = RULES[name]
    starts = STARTS[kind].astype(dtype)
    ours, theirs = assert_as_near_as_roundings_allow(
        cls(**parameters), oracle, parameters, kind, starts
    )
    step_one = np.abs(ours[1] - theirs[1]) / np.spacing(np.abs(theirs[:2]).max((0, 2)))[:, None]
    assert step_one.max() <= 4


@every_rule
def test_defaults_are_those_of_the_oracle(name):
    cls, oracle, _ = RULES[name]
    theirs = {p.name: p.default for p in list(inspect.signature(oracle).parameters.values())[2:]}
    assert {key: getattr(cls(), key) for key in cls.parameter_names()} == theirs
    assert list(cls.parameter_names()) == list(theirs)
    assert_as_near_as_roundings_allow(cls(), oracle, {}, "fused", START)


@every_rule
def test_array_of_parameters_equals_runs_with_each_value(name):
    cls, _, parameters = RULES[name]
    several = {key: value * np.array([1.0, 0.5]) for key, value in parameters.items()}
    together = path(cls(**several), fo.Bowl(), START[0])
    for i in range(2):
        rule = cls(**{key: array[i] for key, array in several.items()})
        assert same_bits(together[:, i], path(rule, fo.Bowl(), START[0])), i


def test_schedule_warms_up_schedule_free_adamw_and_weighs_its_mean():
    def rate(t):
        return 0.1 * min(1.0, (t + 1) / 10)

    ours = path(fo.ScheduleFreeAdamW(rate), fo.Bowl(), START)
    theirs = iterates(
        papers.schedule_free_adamw, oracles.bowl_gradient, START, STEPS, learning_rate=rate
    )
    equal = path(fo.ScheduleFreeAdamW(0.1), fo.Bowl(), START)
    assert ulps_apart(ours, theirs) <= 64
    assert np.abs(ours - equal).max() > 0.1


# -- what they turn into at special settings, and other facts ----------------------------


@pytest.mark.parametrize(
    ("general", "special"),
    [
        (fo.FTRL(0.5, beta=0.25), fo.AdaGrad(0.5, eps=0.25)),
        (fo.OptimisticGradient.optax(learning_rate=0.3, beta=0.0), fo.GradientDescent(0.3)),
        (fo.OptimisticGradient.optax(learning_rate=0.2), fo.OptimisticGradient(0.2)),
        (fo.ASGD.torch(learning_rate=0.3, lambd=0.0), fo.GradientDescent(0.3)),
    ],
    ids=lambda rule: repr(rule).partition("(")[0],
)
def test_rule_contains_another(general, special):
    assert ulps_apart(path(general, fo.Bowl(), START), path(special, fo.Bowl(), START)) <= 200


def test_means_are_of_what_they_say():
    z = path(fo.GradientDescent(0.3), fo.Bowl(), START)
    means = np.cumsum(z, 0) / np.arange(1, STEPS + 2)[:, None, None]
    close = {"rtol": 0, "atol": 1e-13}
    np.testing.assert_allclose(path(fo.ASGD(0.3), fo.Bowl(), START)[1:], means[:-1], **close)
    averaged = path(fo.ScheduleFreeSGD(0.3, beta=0.0), fo.Bowl(), START)
    np.testing.assert_allclose(averaged, means, **close)
    # torch's form starts at t0 and has the newest point; up to there it is that point.
    late = path(fo.ASGD.torch(learning_rate=0.3, lambd=0.0, t0=20.0), fo.Bowl(), START)
    np.testing.assert_allclose(late[:23], z[:23], **close)
    np.testing.assert_allclose(late[STEPS], z[22:].mean(0), **close)


@pytest.mark.parametrize(("rate", "falls"), [(0.99, True), (1.01, False)])
def test_optimistic_gradient_is_stable_up_to_two_thirds_of_the_inverse_curvature(rate, falls):
    rule = fo.OptimisticGradient(rate * 2 / (3 * 2.0))
    x = fo.run(rule, fo.Bowl(), [[0.0, 1.0]], max_steps=2000, stop=None).x
    assert (abs(x[0, 1]) < 1e-3) == falls


def test_ftrl_makes_coordinates_exactly_zero():
    x = path(fo.FTRL(0.5, l1=5.0), fo.Bowl(), START)[1:]
    assert 0.2 < (x == 0).mean() < 0.8
    assert not (path(fo.FTRL(0.5), fo.Bowl(), START) == 0).any()


def test_ftrl_and_madgrad_stay_where_there_is_no_slope():
    start = [[0.0, 1.0]]
    for rule in (fo.FTRL(beta=0.0), fo.MADGRAD(eps=0.0)):
        x = path(rule, fo.Bowl(), start, steps=5)[:, 0]
        assert (x[:, 0] == 0).all()
        assert x[1, 1] != 1
    moved = fo.Quadratic(np.eye(2), minimizer=[3.0, 4.0])
    assert same_bits(path(fo.FTRL(beta=0.0), moved, [3.0, 4.0], steps=3)[-1], [3.0, 4.0])


def test_steps_are_in_proportion_to_the_iterate():
    for rule, share in (
        (fo.LARS(0.5, momentum=0.0, trust=0.25, weight_decay=0.0), 0.125),
        (fo.LAMB(0.125), 0.125),
    ):
        points = path(rule, fo.Bowl(), START)
        lengths = np.sqrt(add_up((points[1:] - points[:-1]) ** 2))
        np.testing.assert_allclose(lengths / np.sqrt(add_up(points[:-1] ** 2)), share, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "stays"),
    [
        (fo.LARS, True), (fo.LAMB, True), (fo.LARS.optax, False), (fo.LAMB.optax, False),
        (fo.LAMB.keras, False),
    ],
    ids=lambda make: getattr(make, "__qualname__", ""),
)  # fmt: skip
def test_a_run_at_the_origin_stays_as_in_the_paper_or_leaves_as_in_the_libraries(make, stays):
    surface = fo.Quadratic(np.eye(2), minimizer=[1.0, 2.0])
    x = path(make(), surface, [[0.0, 0.0]], steps=3)
    assert (x[-1] == 0).all() == stays
    at_rest = path(make(weight_decay=0.0), surface, [[1.0, 2.0]], steps=3)
    assert same_bits(at_rest[-1], [[1.0, 2.0]])


def test_prodigy_does_not_depend_on_the_unit_of_the_surface():
    plain, scaled = (fo.Quadratic(c * QUADRATIC.matrix, QUADRATIC.minimizer) for c in (1.0, 4.0))
    starts = STARTS["staged"]
    rule = fo.Prodigy(eps=0.0)
    assert same_bits(path(rule, plain, starts), path(rule, scaled, starts))


@pytest.mark.parametrize("make", [fo.Prodigy, fo.Prodigy.optax])
def test_prodigy_stays_where_no_gradient_was_seen(make):
    assert same_bits(path(make(), fo.Bowl(), np.zeros((1, 2)), steps=3), np.zeros((4, 1, 2)))


@pytest.mark.parametrize("cls", [fo.ASGD, fo.ScheduleFreeSGD])
def test_runs_are_stopped_where_the_mean_is(cls):
    starts = START.copy()
    starts[3] = np.inf
    _, oracle, _ = next(found for found in RULES.values() if found[0] is cls)
    plain = iterates(oracle, oracles.bowl_gradient, starts, 300, learning_rate=0.6)
    with np.errstate(invalid="ignore"):
        size = np.sqrt(add_up(oracles.bowl_gradient(plain) ** 2))
    limit = 1.001 * np.nanquantile(size.min(0), 0.6)
    status, steps, x = oracles.judge(plain, gradient=(oracles.bowl_gradient, limit))
    assert {*status} == {"CONVERGED", "MAX_STEPS", "DIVERGED"}
    stop = fo.Stop(gradient=limit)
    runs = fo.run(cls(0.6), fo.Bowl(), starts, max_steps=300, stop=stop)
    assert [fo.Status(s).name for s in runs.status] == status.tolist()
    assert runs.steps.tolist() == steps.tolist()
    np.testing.assert_allclose(runs.x, x, rtol=1e-11)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fo.ScheduleFreeSGD(beta=1.5), r"beta=1.5: must be in \[0, 1\]"),
        (lambda: fo.ScheduleFreeSGD.optax(beta=0.0), r"beta=0.0: must be in \(0, 1\]"),
        (lambda: fo.FTRL.keras(power=0.5), "power=0.5: must be <= 0"),
        (lambda: fo.ASGD.torch(t0=-1.0), "t0=-1.0: must be >= 0"),
        (lambda: fo.ASGD.keras(), r"keras has no such rule; torch has it"),
        (lambda: fo.LARS.torch(), r"torch has no such rule; optax has it"),
    ],
)
def test_what_is_out_of_range_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()
