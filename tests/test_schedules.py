"""Schedules against rates worked out by hand, and as learning rates of runs."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
import re

import numpy as np
import pytest
from oracles import same_bits

import fastopt as fo
from fastopt.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    LinearWarmup,
    MultiStep,
    OneCycle,
    Polynomial,
    Scaled,
    Schedule,
    Step,
    WarmupStableDecay,
)

STARTS = np.random.default_rng(1).uniform(-3, 3, (5, 2))

# A schedule, and rates worked out by hand at some steps, beyond the last too.
BY_HAND = {
    "constant": (Constant(0.3), {0: 0.3, 7: 0.3}),
    "step": (Step(1, every=3), {0: 1.0, 2: 1.0, 3: 0.1, 5: 0.1, 6: 0.01, 300: 1e-100}),
    "multi_step": (
        MultiStep(2.0, [2, 3, 9], factor=0.5),
        {0: 2.0, 1: 2.0, 2: 1.0, 3: 0.5, 8: 0.5, 9: 0.25, 1000: 0.25},
    ),
    "no_milestones": (MultiStep(2.0, []), {0: 2.0, 5: 2.0}),
    "exponential": (Exponential(3.0, 0.25, every=4), {0: 3.0, 2: 1.5, 4: 0.75, 8: 3 / 16}),
    "growing": (Exponential(1e-3, 10.0), {0: 1e-3, 1: 1e-2, 5: 100.0}),
    "inverse_time": (InverseTime(6.0, 0.5), {0: 6.0, 2: 3.0, 4: 2.0, 10: 1.0}),
    "inverse_root": (InverseTime(6.0, 1.0, power=0.5), {0: 6.0, 3: 3.0, 35: 1.0}),
    "linear": (Polynomial(1.0, 10), {0: 1.0, 3: 0.7, 9: 0.1, 10: 0.0, 11: 0.0}),
    "polynomial": (Polynomial(5.0, 4, 2.0, 1.0), {0: 5.0, 1: 3.25, 2: 2.0, 4: 1.0, 99: 1.0}),
    "rising_line": (Polynomial(1.0, 4, final=3.0), {0: 1.0, 1: 1.5, 4: 3.0}),
    "cosine": (
        Cosine(3.0, 6, final=1.0),
        {0: 3.0, 1: 2 + math.sqrt(3) / 2, 2: 2.5, 3: 2.0, 4: 1.5, 6: 1.0, 7: 1.0},
    ),
    "restarts": (
        CosineRestarts(1.0, 2, growth=2, final=0.5),
        {0: 1.0, 1: 0.75, 2: 1.0, 4: 0.75, 6: 1.0, 10: 0.75, 14: 1.0, 22: 0.75, 30: 1.0},
    ),
    "equal_restarts": (CosineRestarts(1.0, 4), {0: 1.0, 2: 0.5, 4: 1.0, 6: 0.5, 10**15: 1.0}),
    "warmup": (LinearWarmup(1.0, 4), {0: 0.0, 1: 0.25, 3: 0.75, 4: 1.0, 99: 1.0}),
    "warmup_of_schedule": (
        LinearWarmup(Polynomial(2.0, 4), 2, start=1.0),
        {0: 1.0, 1: 1.5, 2: 2.0, 3: 1.5, 6: 0.0},
    ),
    "warmup_of_function": (LinearWarmup(lambda t: 8.0 / (1 + t), 2), {1: 4.0, 2: 8.0, 3: 4.0}),
    "one_cycle": (
        OneCycle(1.0, 30, rise=1 / 3, divisor=5.0, final_divisor=20.0),
        {0: 0.2, 5: 0.6, 10: 1.0, 20: 0.505, 30: 0.01, 31: 0.01},
    ),
    "line_cycle": (
        OneCycle(1.0, 30, rise=1 / 3, divisor=5.0, final_divisor=20.0, linear=True),
        {0: 0.2, 1: 0.28, 10: 1.0, 15: 0.7525, 30: 0.01, 31: 0.01},
    ),
    "no_rise": (OneCycle(1.0, 2, rise=0.0, final_divisor=1.0), {0: 1.0, 1: 0.52, 2: 0.04}),
    "stable": (
        WarmupStableDecay(4.0, 2, 3, 4, start=1.0, final=2.0),
        {0: 1.0, 1: 2.5, 2: 4.0, 4: 4.0, 5: 4.0, 6: 3.5, 8: 2.5, 9: 2.0, 99: 2.0},
    ),
    "stable_root": (WarmupStableDecay(4.0, 0, 0, 16, form="sqrt"), {0: 4.0, 1: 3.0, 4: 2.0, 16: 0}),
}  # fmt: skip
CLASSES = [getattr(fo.schedules, name) for name in fo.schedules.__all__]
CLASSES = [cls for cls in CLASSES if cls not in (Schedule, Scaled)]


@pytest.mark.parametrize("name", BY_HAND)
def test_rates_by_hand(name):
    schedule, rates = BY_HAND[name]
    for step, rate in rates.items():
        assert schedule(step) == pytest.approx(rate, rel=1e-14, abs=1e-300), step
    assert type(schedule(1)) is float
    assert schedule(np.int64(3)) == schedule(3)


def test_every_schedule_is_tried_by_hand():
    assert {type(schedule) for schedule, _ in BY_HAND.values()} == set(CLASSES)


def test_first_and_last_rates_are_exact():
    for rate, final in np.random.default_rng(2).uniform(0.0, 1.0, (50, 2)):
        for schedule in (
            Polynomial(rate, 7, 0.9, final),
            Cosine(rate, 7, final),
            WarmupStableDecay(rate, 0, 0, 7, final=final),
        ):
            assert schedule(7) == schedule(10**9) == final, schedule
        assert Cosine(rate, 7, final)(0) == CosineRestarts(rate, 7, 1, final)(14) == rate
        assert LinearWarmup(rate, 7, final)(0) == final
        assert LinearWarmup(rate, 7, final)(7) == OneCycle(rate, 8, 0.5)(4) == rate


@pytest.mark.parametrize("name", [name for name in BY_HAND if name != "warmup_of_function"])
def test_schedules_are_immutable_values(name):
    schedule, _ = BY_HAND[name]
    for other in (eval(repr(schedule)), pickle.loads(pickle.dumps(schedule)), copy.copy(schedule)):
        assert other == schedule
        assert hash(other) == hash(schedule)
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.rate = 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Constant(0.0), ValueError, "rate=0.0: must be > 0 (Constant)"),
        (lambda: Constant(math.nan), ValueError, "rate=nan: must be > 0 (Constant)"),
        (lambda: Constant(math.inf), ValueError, "rate=inf: must be finite (Constant)"),
        (lambda: Constant("a"), TypeError, "rate='a': must be a number (Constant)"),
        (lambda: Constant(True), TypeError, "rate=True: must be a number (Constant)"),
        (lambda: Constant(None), TypeError, "rate=None: must be a number (Constant)"),
        (
            lambda: Cosine([0.1, 0.2], 10),
            TypeError,
            "rate=[0.1, 0.2]: must be one number; for one rate a run, multiply the schedule by "
            "them: rates * fo.schedules.Cosine(...)",
        ),
        (lambda: Step(0.1, 0), ValueError, "every=0: must be >= 1 (Step)"),
        (lambda: Step(0.1, 2.5), TypeError, "every=2.5: must be a whole number (Step)"),
        (lambda: Step(0.1, 2, -1), ValueError, "factor=-1.0: must be > 0 (Step)"),
        (
            lambda: MultiStep(0.1, 100),
            TypeError,
            "milestones=100: must be a sequence of steps such as [100, 200] (MultiStep)",
        ),
        (
            lambda: MultiStep(0.1, [3, 2]),
            ValueError,
            "milestones=[3, 2]: must be in ascending order, each once (MultiStep)",
        ),
        (
            lambda: MultiStep(0.1, [3, 0]),
            ValueError,
            "milestones[1]=0: must be >= 1 (MultiStep)",
        ),
        (lambda: Cosine(0.1, 10, -1), ValueError, "final=-1.0: must be >= 0 (Cosine)"),
        (
            lambda: CosineRestarts(0.1, 10, 1.5),
            TypeError,
            "growth=1.5: must be a whole number (CosineRestarts)",
        ),
        (
            lambda: OneCycle(0.1, 10, rise=1.0),
            ValueError,
            "rise=1.0: must be in [0, 1) (OneCycle)",
        ),
        (lambda: OneCycle(1, 10, divisor=0), ValueError, "divisor=0.0: must be >= 1 (OneCycle)"),
        (
            lambda: OneCycle(1, 10, linear=1),
            TypeError,
            "linear=1: must be True or False (OneCycle)",
        ),
        (
            lambda: WarmupStableDecay(0.1, 1, 1, 1, form="cos"),
            ValueError,
            "form='cos': must be 'linear' or 'sqrt' (WarmupStableDecay)",
        ),
        (lambda: LinearWarmup(0.0, 3), ValueError, "then=0.0: must be > 0 (LinearWarmup)"),
        (
            lambda: LinearWarmup(2 * Constant(1.0), 3),
            TypeError,
            "then=Scaled(Constant(rate=1.0), 2.0): must not be scaled; scale the whole: rates * "
            "fo.schedules.LinearWarmup(...)",
        ),
        (
            lambda: Constant(1.0) * Constant(2.0),
            TypeError,
            "rates=Constant(rate=2.0): must be a number or an array of numbers; a product of two "
            "schedules is a function of your own, lambda t: first(t) * second(t) (Scaled)",
        ),
        (
            lambda: Constant(1.0) * "a",
            TypeError,
            "rates='a': must be a number or an array of numbers (Scaled)",
        ),
        (
            lambda: [[0.1, -1.0]] * Constant(1.0),
            ValueError,
            "rates[0, 1]=-1.0: must be >= 0 and finite (Scaled)",
        ),
        (
            lambda: Scaled(0.1, 2.0),
            TypeError,
            "schedule=0.1: must be a schedule such as fo.schedules.Cosine(1.0, steps=1000), or "
            "a function of the step (Scaled)",
        ),
        (
            lambda: fo.Momentum([0.1, 0.0] * Constant(1.0)),
            ValueError,
            "learning_rate[1]=0.0: must be > 0 (Momentum)",
        ),
        (
            lambda: fo.Momentum(0.1, momentum=0.5 * Constant(1.0)),
            TypeError,
            "momentum=Scaled(Constant(rate=1.0), 0.5): must be a number or an array of numbers "
            "(Momentum)",
        ),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


# -- as learning rates -------------------------------------------------------------------


def end(learning_rate, starts=STARTS, rule=fo.Momentum, **options):
    return fo.run(rule(learning_rate), fo.Bowl(), starts, max_steps=60, stop=None, **options).x


def test_a_run_takes_the_rates_of_its_schedule():
    schedule = LinearWarmup(Cosine(0.25, 40), 10)
    x = STARTS
    for t in range(60):
        x = x - schedule(t) * x * [0.1, 2.0]
    np.testing.assert_allclose(end(schedule, rule=fo.GradientDescent), x, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rates_times_a_schedule_are_the_single_runs(dtype):
    schedule = Cosine(1.0, steps=50, final=0.1)
    rates = np.linspace(0.05, 0.25, 5)
    together = end(rates * schedule, dtype=dtype)
    for i, rate in enumerate(rates):
        for one in (rate * schedule, schedule * rate, schedule.scaled(rate)):
            assert same_bits(together[i], end(one, STARTS[i], dtype=dtype)), i
    # In double precision, the product may as well be taken before.
    if dtype == "float64":
        own = end(lambda t: rates[2] * schedule(t), STARTS[2])
        assert same_bits(together[2], own)


@pytest.mark.parametrize(
    "product", [lambda r, s: r * s, lambda r, s: s * r, lambda r, s: s.scaled(r)]
)
def test_rates_broadcast_against_the_batch(product):
    rates = np.linspace(0.05, 0.25, 3)[:, None]
    schedule = Step(1.0, every=20, factor=0.5)
    learning_rate = product(rates, schedule)
    assert isinstance(learning_rate, Scaled)
    rule = fo.GradientDescent(learning_rate)
    assert repr(rule) == (
        "GradientDescent(learning_rate=Scaled(Step(rate=1.0, every=20, factor=0.5), "
        "<array (3, 1)>))"
    )
    x = end(learning_rate)
    assert x.shape == (3, 5, 2)
    for i in range(3):
        assert same_bits(x[i], end(rates[i, 0] * schedule))
    assert np.array_equal(learning_rate(40), rates * 0.25)


def test_scaling_twice_and_scaling_a_function():
    rates = np.array([0.25, 0.125])
    twice = 2.0 * (rates * Constant(0.5))
    assert np.array_equal(twice.rates, 2.0 * rates)
    assert twice.schedule == Constant(0.5)
    own = Scaled(lambda t: 0.5, twice.rates)
    assert same_bits(end(twice, STARTS[:2]), end(own, STARTS[:2]))
    rates[:] = -1.0  # what the caller does with them later is no concern of the schedule
    assert (twice.rates > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        twice.rates[0] = 1.0


def test_a_scaled_schedule_leaves_its_range_by_rounding_too():
    rule = fo.GradientDescent([1e-60, 1.0] * Constant(1.0))
    with pytest.raises(ValueError, match=r"learning_rate\[0\]=0.0: must be > 0 .*float32"):
        fo.run(rule, fo.Bowl(), STARTS[:2], dtype="float32")


def test_a_rate_beyond_all_numbers_is_refused_when_it_comes():
    with pytest.raises(ValueError, match="the schedule gave inf at step 39"):
        end(Exponential(1.0, 1e8))
