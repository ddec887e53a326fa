"""Steps that grow and shrink with the sign of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastopt.kernels.choices import clip, sign
from fastopt.rules.base import (
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    Number,
    Rule,
    flag,
    parameter,
)

SHRINKING = Interval("must be in (0, 1)", lambda v: (v > 0) & (v < 1))
GROWING = Interval("must be > 1", lambda v: v > 1)
POSITIVE_FRACTION = Interval("must be in (0, 1]", lambda v: (v > 0) & (v <= 1))


class _FirstStep:
    """What the forms of Rprop share: the learning rate is where the step sizes start."""

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[misc]
        if callable(self.learning_rate):  # type: ignore[attr-defined]
            raise TypeError(
                "learning_rate: must be a number or an array of numbers, not a schedule: it is "
                f"the length of the first step only ({type(self).__name__})"
            )

    def initial_slots(self, p: tuple[Any, ...], x: np.ndarray) -> tuple[Any, ...]:
        return 0.0, p[0]


class Rprop(_FirstStep, Rule):
    """Rprop: each coordinate's step grows while its derivative keeps its sign, else shrinks.

    With s the sign of the product of the derivatives now and before, for each coordinate,

    .. math::

        \\Delta_{t+1} &= \\min(\\eta^+ \\Delta_t, b), \\quad
        x_{t+1} = x_t - \\mathrm{sign}(g_t) \\Delta_{t+1} \\text{ if } s > 0 \\\\
        \\Delta_{t+1} &= \\max(\\eta^- \\Delta_t, a), \\quad
        x_{t+1} = x_{t-1} \\text{ if } s < 0 \\\\
        \\Delta_{t+1} &= \\Delta_t, \\quad
        x_{t+1} = x_t - \\mathrm{sign}(g_t) \\Delta_{t+1} \\text{ if } s = 0

    and where s < 0 the derivative counts as 0 in the next step's product. Before the first
    step the derivative is 0. Riedmiller and Braun (1993) [1]_, with
    weight-backtracking: Rprop+ of Igel and Hüsken (2003) [2]_.

    Parameters
    ----------
    learning_rate : float or array, default 0.1
        Delta_0 > 0, in units of x: the length of the first step. Not a schedule, because the
        rule sets its steps itself.
    shrink : float or array, default 0.5
        eta^- in (0, 1), without unit.
    grow : float or array, default 1.2
        eta^+ > 1, without unit.
    min_step, max_step : float or array, default 1e-6 and 50.0
        The shortest step a and the longest b > 0, in units of x.

    Notes
    -----
    One gradient a step; two slots, the sign of the last derivative and Delta.

    References
    ----------
    .. [1] M. Riedmiller, H. Braun, "A direct adaptive method for faster backpropagation
       learning: The RPROP algorithm", IEEE International Conference on Neural Networks, 1993.
    .. [2] C. Igel, M. Hüsken, "Empirical evaluation of the improved Rprop learning
       algorithms", Neurocomputing 50, 105-123, 2003.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Rprop(1.0, grow=1.5)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[2.0]], max_steps=2, stop=None)
    >>> runs.x
    array([[-0.5]])
    >>> fo.run(rule, fo.Sphere(dim=1), [[2.0]], max_steps=3, stop=None).x
    array([[1.]])
    """

    name = "rprop"
    slots = ("sign", "step")

    learning_rate: Number = parameter(0.1, POSITIVE)
    shrink: Number = parameter(0.5, SHRINKING)
    grow: Number = parameter(1.2, GROWING)
    min_step: Number = parameter(1e-6, POSITIVE)
    max_step: Number = parameter(50.0, POSITIVE)

    @staticmethod
    def update(p, c, x, g, s):
        _, shrink, grow, min_step, max_step = p
        before, step = s
        now = sign(g)
        product = now * before
        longer, shorter = grow * step, shrink * step
        longer = max_step if longer > max_step else longer
        shorter = min_step if shorter < min_step else shorter
        size = longer if product > 0.0 else (shorter if product < 0.0 else step)
        change = before * step if product < 0.0 else -now * size
        return x + change, (0.0 if product < 0.0 else now, size)


class RpropTorch(_FirstStep, Rule, library="torch", of=Rprop):
    """Rprop as in PyTorch: where the derivative's sign changes, the coordinate stays.

    This is iRprop- of Igel and Hüsken (2003): no backtracking. The step size is clipped at
    every step, the first too.

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        At least 0, in units of x: the length of the first step. Not a schedule.
    shrink, grow : float or array, default 0.5 and 1.2
        In (0, 1) and > 1, without unit; ``etas``.
    min_step, max_step : float or array, default 1e-6 and 50.0
        > 0, in units of x; ``step_sizes``.
    maximize : bool, default False
        Whether to climb.

    Notes
    -----
    Read in ``torch.optim.Rprop``, version 2.13.0. Two slots, the last derivative and the step.
    """

    slots = ("derivative", "step")

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    shrink: Number = parameter(0.5, SHRINKING)
    grow: Number = parameter(1.2, GROWING)
    min_step: Number = parameter(1e-6, POSITIVE)
    max_step: Number = parameter(50.0, POSITIVE)
    maximize: bool = flag(False)

    @staticmethod
    def update(p, c, x, g, s):
        _, shrink, grow, min_step, max_step, maximize = p
        if maximize:
            g = -g
        product = g * s[0]
        factor = grow if product > 0.0 else (shrink if product < 0.0 else 1.0)
        step = clip(s[1] * factor, min_step, max_step)
        kept = 0.0 if product < 0.0 else g
        return x - sign(kept) * step, (kept, step)


class RpropOptax(_FirstStep, Rule, library="optax", of=Rprop):
    """Rprop as in optax: each change is made one step late.

    It is iRprop- of Igel and Hüsken (2003), without backtracking, but a step makes the change
    that the step before has computed, from its gradient: the first step does not move. Where
    the derivative has another sign than that change, the coordinate stays, and the change that
    is computed is 0. The step size is clipped only where it is scaled.

    Parameters
    ----------
    learning_rate : float or array, default 0.1
        At least 0, in units of x: the length of the first step. Not a schedule. optax has no
        default.
    shrink, grow : float or array, default 0.5 and 1.2
        In (0, 1) and > 1, without unit; ``eta_minus`` and ``eta_plus``.
    min_step, max_step : float or array, default 1e-6 and 50.0
        > 0, in units of x; ``min_step_size`` and ``max_step_size``.

    Notes
    -----
    Read in ``optax.rprop``, version 0.2.8, whose ``updates`` are made of
    ``state.prev_updates``. Two slots, the change to be made (its sign turned) and the step.
    """

    slots = ("change", "step")

    learning_rate: Number = parameter(0.1, NON_NEGATIVE)
    shrink: Number = parameter(0.5, SHRINKING)
    grow: Number = parameter(1.2, GROWING)
    min_step: Number = parameter(1e-6, POSITIVE)
    max_step: Number = parameter(50.0, POSITIVE)

    @staticmethod
    def update(p, c, x, g, s):
        _, shrink, grow, min_step, max_step = p
        product = g * s[0]
        moved = clip(s[1] * (grow if product > 0.0 else shrink), min_step, max_step)
        step = s[1] if product == 0.0 else moved
        due = 0.0 if product < 0.0 else s[0]
        return x - due, (0.0 if product < 0.0 else step * sign(g), step)
