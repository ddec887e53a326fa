"""Schedules against those of PyTorch, optax and Keras."""

from __future__ import annotations

import numpy as np
import pytest

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
    Step,
    WarmupStableDecay,
)

pytestmark = pytest.mark.peers

# Ours, and its counterpart among torch.optim.lr_scheduler's with base rate 0.5, made of
# (schedulers, optimizer).
TORCH = {
    "constant": (Constant(0.25), lambda s, o: s.ConstantLR(o, factor=0.5, total_iters=100)),
    "step": (Step(0.5, 7, 0.3), lambda s, o: s.StepLR(o, 7, gamma=0.3)),
    "step_default": (Step(0.5, 7), lambda s, o: s.StepLR(o, 7)),
    "multi_step": (
        MultiStep(0.5, [3, 4, 30], 0.3), lambda s, o: s.MultiStepLR(o, [3, 4, 30], gamma=0.3),
    ),
    "exponential": (Exponential(0.5, 0.9), lambda s, o: s.ExponentialLR(o, 0.9)),
    "polynomial": (
        Polynomial(0.5, 30, 1.7), lambda s, o: s.PolynomialLR(o, total_iters=30, power=1.7),
    ),
    "cosine": (Cosine(0.5, 49, 0.01), lambda s, o: s.CosineAnnealingLR(o, 49, eta_min=0.01)),
    "restarts": (
        CosineRestarts(0.5, 5, 2, 0.01),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.01),
    ),
    "equal_restarts": (CosineRestarts(0.5, 7), lambda s, o: s.CosineAnnealingWarmRestarts(o, 7)),
    "warmup": (
        LinearWarmup(0.5, 9, 0.05), lambda s, o: s.LinearLR(o, start_factor=0.1, total_iters=9),
    ),
    "warmup_cosine": (
        LinearWarmup(Cosine(0.5, 20), 9, 0.05),
        lambda s, o: s.SequentialLR(
            o, [s.LinearLR(o, 0.1, total_iters=9), s.LambdaLR(o, lambda t: Cosine(1.0, 20)(t))], [9]
        ),
    ),
    "one_cycle": (
        OneCycle(0.5, 49, (0.3 * 50 - 1) / 49), lambda s, o: s.OneCycleLR(o, 0.5, total_steps=50),
    ),
    "line_cycle": (
        OneCycle(0.5, 49, (0.25 * 50 - 1) / 49, 10.0, 100.0, linear=True),
        lambda s, o: s.OneCycleLR(
            o, 0.5, total_steps=50, pct_start=0.25, div_factor=10.0, final_div_factor=100.0,
            anneal_strategy="linear",
        ),
    ),
    "stable": (
        WarmupStableDecay(0.5, 9, 11, 20, 0.05, 0.1),
        lambda s, o: s.SequentialLR(
            o,
            [
                s.LinearLR(o, 0.1, total_iters=9),
                s.ConstantLR(o, 1.0),
                s.LinearLR(o, 1.0, 0.2, total_iters=20),
            ],
            [9, 20],
        ),
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TORCH)
def test_rates_are_those_of_pytorch(name, torch):
    ours, make = TORCH[name]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    theirs = []
    for _ in range(50):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(theirs) < 50:
            scheduler.step()
    np.testing.assert_allclose([ours(t) for t in range(50)], theirs, rtol=0, atol=1e-12 * 0.5)


OPTAX = {
    "constant": (Constant(0.5), lambda o: o.constant_schedule(0.5)),
    "step": (
        Step(0.5, 7, 0.3), lambda o: o.exponential_decay(0.5, 7, 0.3, staircase=True),
    ),
    "multi_step": (
        MultiStep(0.5, [3, 4, 30], 0.3),
        lambda o: o.piecewise_constant_schedule(0.5, {3: 0.3, 4: 0.3, 30: 0.3}),
    ),
    "exponential": (Exponential(0.5, 0.3, 7), lambda o: o.exponential_decay(0.5, 7, 0.3)),
    "polynomial": (
        Polynomial(0.5, 30, 1.7, 0.01), lambda o: o.polynomial_schedule(0.5, 0.01, 1.7, 30),
    ),
    "linear": (Polynomial(0.1, 30, final=0.5), lambda o: o.linear_schedule(0.1, 0.5, 30)),
    "cosine": (Cosine(0.5, 30, 0.05), lambda o: o.cosine_decay_schedule(0.5, 30, alpha=0.1)),
    "restarts": (
        CosineRestarts(0.5, 5, 2, 0.01),
        lambda o: o.join_schedules(
            [o.cosine_decay_schedule(0.5, n, alpha=0.02) for n in (5, 10, 20, 40)], [5, 15, 35]
        ),
    ),
    "warmup": (LinearWarmup(0.5, 9, 0.05), lambda o: o.warmup_constant_schedule(0.05, 0.5, 9)),
    "warmup_cosine": (
        LinearWarmup(Cosine(0.5, 21, 0.01), 9, 0.05),
        lambda o: o.warmup_cosine_decay_schedule(0.05, 0.5, 9, 30, 0.01),
    ),
    "warmup_exponential": (
        LinearWarmup(Exponential(0.5, 0.3, 7), 9, 0.05),
        lambda o: o.warmup_exponential_decay_schedule(0.05, 0.5, 9, 7, 0.3),
    ),
    "one_cycle": (OneCycle(0.5, 40), lambda o: o.cosine_onecycle_schedule(40, 0.5)),
    "one_cycle_rounded": (
        OneCycle(0.5, 43, 8 / 43, 10.0, 100.0),
        lambda o: o.cosine_onecycle_schedule(43, 0.5, 0.2, 10.0, 100.0),
    ),
    "stable": (
        WarmupStableDecay(0.5, 9, 11, 20, 0.05, 0.1),
        lambda o: o.join_schedules(
            [
                o.linear_schedule(0.05, 0.5, 9),
                o.constant_schedule(0.5),
                o.linear_schedule(0.5, 0.1, 20),
            ],
            [9, 20],
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTAX)
def test_rates_are_those_of_optax(name, jax, optax):
    ours, make = OPTAX[name]
    theirs = jax.vmap(lambda t: jax.numpy.float64(make(optax)(t)))(jax.numpy.arange(50))
    np.testing.assert_allclose([ours(t) for t in range(50)], theirs, rtol=0, atol=1e-12 * 0.5)


def test_rates_are_those_of_keras(keras):
    theirs = keras.optimizers.schedules.InverseTimeDecay(0.5, decay_steps=4, decay_rate=0.3)
    ours = InverseTime(0.5, 0.3 / 4)
    for t in range(50):
        assert ours(t) == pytest.approx(float(theirs(t)), rel=1e-12)
