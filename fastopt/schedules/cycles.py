"""Schedules of several phases: warm-up, cosines, cycles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fastopt.schedules.base import Checks, Scaled, Schedule


@dataclass(frozen=True)
class Cosine(Schedule):
    """The rate falls to its last value along half a cosine.

    .. math::

        \\alpha_t = \\alpha_n + \\tfrac{1}{2} (\\alpha_0 - \\alpha_n)
        \\left(1 + \\cos \\frac{\\pi \\min(t, n)}{n}\\right)

    Loshchilov and Hutter (2017) [1]_, equation 5, without restarts. PyTorch's
    ``CosineAnnealingLR`` up to step n, after which it rises again; optax's
    ``cosine_decay_schedule``, whose alpha is final / rate.

    Parameters
    ----------
    rate : float
        alpha_0 > 0, the rate of step 0.
    steps : int
        n >= 1: from step n on the rate is ``final``.
    final : float, default 0.0
        alpha_n >= 0.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017, arXiv:1608.03983.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.Cosine(1.0, steps=2)
    >>> [rate(t) for t in range(4)]
    [1.0, 0.5, 0.0, 0.0]
    """

    rate: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        Checks(self).positive("rate")
        Checks(self).non_negative("final")
        Checks(self).whole("steps", 1)

    def __call__(self, step: int) -> float:
        return _along_cosine(self.rate, self.final, min(step, self.steps) / self.steps)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Half a cosine again and again, each as long as the last or longer.

    .. math::

        \\alpha_t = \\alpha_n + \\tfrac{1}{2} (\\alpha_0 - \\alpha_n)
        \\left(1 + \\cos \\frac{\\pi T}{n_i}\\right), \\quad n_i = n \\, m^i

    with T the steps since the last restart, before which there were i. Loshchilov and Hutter
    (2017) [1]_, equation 5. PyTorch's ``CosineAnnealingWarmRestarts``; optax's
    ``sgdr_schedule``.

    Parameters
    ----------
    rate : float
        alpha_0 > 0, the rate at each restart.
    steps : int
        n >= 1, the length of the first period.
    growth : int, default 1
        m >= 1, by which each period is longer than the last; the paper's T_mult.
    final : float, default 0.0
        alpha_n >= 0, which the rate nears before each restart.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017, arXiv:1608.03983.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.CosineRestarts(1.0, steps=2, growth=3)
    >>> [rate(t) for t in (0, 1, 2, 5, 8)]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    rate: float
    steps: int
    growth: int = 1
    final: float = 0.0

    def __post_init__(self) -> None:
        Checks(self).positive("rate")
        Checks(self).non_negative("final")
        Checks(self).whole("steps", 1)
        Checks(self).whole("growth", 1)

    def __call__(self, step: int) -> float:
        length = self.steps
        if self.growth == 1:
            step %= length
        while step >= length:
            step, length = step - length, length * self.growth
        return _along_cosine(self.rate, self.final, step / length)


@dataclass(frozen=True)
class LinearWarmup(Schedule):
    """The rate grows linearly to that of another schedule, which then begins.

    .. math::

        \\alpha_t = \\begin{cases}
        \\alpha_0 + (s(0) - \\alpha_0) \\, t / n & t < n \\\\
        s(t - n) & t \\ge n \\end{cases}

    Gradual warm-up, Goyal et al. (2017) [1]_, section 2.2. PyTorch's ``LinearLR``, followed
    by another in ``SequentialLR``; optax's ``warmup_constant_schedule`` and
    ``warmup_cosine_decay_schedule``, whose ``decay_steps`` counts the warm-up too.

    Parameters
    ----------
    then : float or schedule
        s, a rate > 0 or any function of the step, here counted from the end of the warm-up.
    steps : int
        n >= 1, the length of the warm-up.
    start : float, default 0.0
        alpha_0 >= 0, the rate of step 0. With 0 that step does not move.

    References
    ----------
    .. [1] P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour",
       arXiv:1706.02677, 2017.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.LinearWarmup(fo.schedules.Cosine(1.0, steps=2), steps=2)
    >>> [rate(t) for t in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    then: float | Callable[[int], float]
    steps: int
    start: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.then, Scaled):
            raise TypeError(
                f"then={self.then!r}: must not be scaled; scale the whole: rates * "
                "fo.schedules.LinearWarmup(...)"
            )
        if not callable(self.then):
            Checks(self).positive("then")
        Checks(self).non_negative("start")
        Checks(self).whole("steps", 1)

    def __call__(self, step: int) -> float:
        after = max(step - self.steps, 0)
        rate = self.then(after) if callable(self.then) else self.then
        return _along_line(self.start, rate, step / self.steps) if step < self.steps else rate


@dataclass(frozen=True)
class OneCycle(Schedule):
    """The rate rises to its peak and falls to far below its start.

    .. math::

        \\alpha_t = \\begin{cases}
        a + (\\alpha - a) \\, h(t / (r n)) & t < r n \\\\
        \\alpha + (b - \\alpha) \\, h((\\min(t, n) - r n) / (n - r n)) & t \\ge r n
        \\end{cases}

    with a = alpha / d, b = a / e and h(u) = (1 - cos pi u) / 2, or h(u) = u if ``linear``.
    The idea is that of Smith and Topin (2019) [1]_, who rise and fall along lines of equal
    length and then go below the start; this is the form in use since. It is optax's
    ``cosine_onecycle_schedule``, which first rounds r n down to a whole number, and
    PyTorch's ``OneCycleLR`` of n + 1 steps in all, whose peak is one step earlier.

    Parameters
    ----------
    rate : float
        alpha > 0, the peak.
    steps : int
        n >= 1: from step n on the rate is b.
    rise : float, default 0.3
        r in [0, 1), the share of the steps before the peak.
    divisor : float, default 25.0
        d >= 1.
    final_divisor : float, default 1e4
        e >= 1.
    linear : bool, default False
        Whether to rise and fall along lines instead of cosines.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks
       using large learning rates", Proc. SPIE 11006, 2019, arXiv:1708.07120.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.OneCycle(1.0, steps=4, rise=0.5, divisor=2.0, final_divisor=2.0)
    >>> [rate(t) for t in range(5)]
    [0.5, 0.75, 1.0, 0.625, 0.25]
    """

    rate: float
    steps: int
    rise: float = 0.3
    divisor: float = 25.0
    final_divisor: float = 1e4
    linear: bool = False

    def __post_init__(self) -> None:
        checks = Checks(self)
        checks.positive("rate")
        checks.whole("steps", 1)
        checks.number("rise", lambda v: 0 <= v < 1, "in [0, 1)")
        for name in ("divisor", "final_divisor"):
            checks.number(name, lambda v: v >= 1, ">= 1")
        if not isinstance(self.linear, bool):
            raise TypeError(f"linear={self.linear!r}: must be True or False (OneCycle)")

    def __call__(self, step: int) -> float:
        along = _along_line if self.linear else _along_cosine
        start, peak = self.rate / self.divisor, self.rise * self.steps
        if step < peak:
            return along(start, self.rate, step / peak)
        share = (min(step, self.steps) - peak) / (self.steps - peak)
        return along(self.rate, start / self.final_divisor, share)


@dataclass(frozen=True)
class WarmupStableDecay(Schedule):
    """A linear rise, a constant rate, and a fall at the end.

    .. math::

        \\alpha_t = \\begin{cases}
        a + (\\alpha - a) \\, t / w & t < w \\\\
        \\alpha & w \\le t < w + s \\\\
        \\alpha + (b - \\alpha) \\, h(\\min(t - w - s, n) / n) & t \\ge w + s
        \\end{cases}

    with h(u) = u, or h(u) = sqrt(u) for ``form="sqrt"``. Hu et al. (2024) [1]_, section 4,
    with the forms of the fall of Hägele et al. (2024) [2]_.

    Parameters
    ----------
    rate : float
        alpha > 0, the rate between the rise and the fall.
    warmup, stable : int
        w >= 0 and s >= 0, the lengths of the first two phases in steps.
    decay : int
        n >= 1, the length of the fall in steps.
    start, final : float, default 0.0
        a >= 0 and b >= 0, the first and the last rate.
    form : {"linear", "sqrt"}, default "linear"
        Of the fall; "sqrt" is the 1-sqrt of Hägele et al.

    References
    ----------
    .. [1] S. Hu et al., "MiniCPM: Unveiling the Potential of Small Language Models with
       Scalable Training Strategies", arXiv:2404.06395, 2024.
    .. [2] A. Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training
       Durations", NeurIPS 2024, arXiv:2405.18392.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.WarmupStableDecay(1.0, warmup=2, stable=1, decay=4)
    >>> [rate(t) for t in range(8)]
    [0.0, 0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    rate: float
    warmup: int
    stable: int
    decay: int
    start: float = 0.0
    final: float = 0.0
    form: str = "linear"

    def __post_init__(self) -> None:
        checks = Checks(self)
        checks.positive("rate")
        checks.non_negative("start", "final")
        for name, least in (("warmup", 0), ("stable", 0), ("decay", 1)):
            checks.whole(name, least)
        if self.form not in ("linear", "sqrt"):
            raise ValueError(f"form={self.form!r}: must be 'linear' or 'sqrt' (WarmupStableDecay)")

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return _along_line(self.start, self.rate, step / self.warmup)
        share = min(max(step - self.warmup - self.stable, 0), self.decay) / self.decay
        return _along_line(
            self.rate, self.final, math.sqrt(share) if self.form == "sqrt" else share
        )


# Both give their ends exactly.


def _along_line(a: float, b: float, share: float) -> float:
    return a * (1.0 - share) + b * share


def _along_cosine(a: float, b: float, share: float) -> float:
    return b + (a - b) * (0.5 * (1.0 + math.cos(math.pi * share))) if share else a
