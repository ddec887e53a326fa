"""Schedules that fall by one formula from the first step on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fastopt.checks import whole
from fastopt.schedules.base import Checks, Schedule


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step.

    .. math:: \\alpha_t = \\alpha

    Parameters
    ----------
    rate : float
        alpha > 0.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.schedules.Constant(0.1)(1000)
    0.1
    """

    rate: float

    def __post_init__(self) -> None:
        Checks(self).positive("rate")

    def __call__(self, step: int) -> float:
        return self.rate


@dataclass(frozen=True)
class Step(Schedule):
    """The rate is multiplied by a factor again and again, after the same number of steps.

    .. math:: \\alpha_t = \\alpha \\gamma^{\\lfloor t / n \\rfloor}

    PyTorch's ``StepLR``; optax's ``exponential_decay`` with ``staircase=True``.

    Parameters
    ----------
    rate : float
        alpha > 0, the rate of the first n steps.
    every : int
        n >= 1, in steps.
    factor : float, default 0.1
        gamma > 0.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.Step(1.0, every=2, factor=0.5)
    >>> [rate(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    rate: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        Checks(self).positive("rate", "factor")
        Checks(self).whole("every", 1)

    def __call__(self, step: int) -> float:
        return self.rate * _power(self.factor, step // self.every)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """The rate is multiplied by a factor at each of some steps.

    .. math:: \\alpha_t = \\alpha \\gamma^{k}, \\quad k = |\\{m : m \\le t\\}|

    He et al. (2016) [1]_, section 4.2, trained on CIFAR-10 with alpha = 0.1, gamma = 0.1 and
    the milestones 32000 and 48000. PyTorch's ``MultiStepLR``; optax's
    ``piecewise_constant_schedule`` with one scale.

    Parameters
    ----------
    rate : float
        alpha > 0, the rate before the first milestone.
    milestones : sequence of int
        The steps m >= 1 from which a lower rate holds, in ascending order.
    factor : float, default 0.1
        gamma > 0.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition",
       CVPR 2016, arXiv:1512.03385.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.MultiStep(1.0, milestones=[1, 3], factor=0.5)
    >>> [rate(t) for t in range(5)]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    rate: float
    milestones: Sequence[int]
    factor: float = 0.1

    def __post_init__(self) -> None:
        Checks(self).positive("rate", "factor")
        try:
            given = tuple(self.milestones)
        except TypeError:
            raise TypeError(
                f"milestones={self.milestones!r}: must be a sequence of steps such as "
                "[100, 200] (MultiStep)"
            ) from None
        steps = tuple(whole("MultiStep", f"milestones[{k}]", m, 1) for k, m in enumerate(given))
        if any(b <= a for a, b in pairwise(steps)):
            raise ValueError(
                f"milestones={list(steps)!r}: must be in ascending order, each once (MultiStep)"
            )
        object.__setattr__(self, "milestones", steps)

    def __call__(self, step: int) -> float:
        return self.rate * _power(self.factor, bisect_right(self.milestones, step))


@dataclass(frozen=True)
class Exponential(Schedule):
    """The rate is multiplied by a factor over each n steps, smoothly.

    .. math:: \\alpha_t = \\alpha \\gamma^{t / n}

    PyTorch's ``ExponentialLR`` for n = 1; optax's ``exponential_decay``. A factor above 1
    gives a rate that grows, to find the largest that is stable.

    Parameters
    ----------
    rate : float
        alpha > 0, the rate of step 0.
    factor : float
        gamma > 0.
    every : int, default 1
        n >= 1, in steps.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.Exponential(1.0, 0.25, every=2)
    >>> [rate(t) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    rate: float
    factor: float
    every: int = 1

    def __post_init__(self) -> None:
        Checks(self).positive("rate", "factor")
        Checks(self).whole("every", 1)

    def __call__(self, step: int) -> float:
        return self.rate * _power(self.factor, step / self.every)


@dataclass(frozen=True)
class InverseTime(Schedule):
    """The rate falls as a power of the step.

    .. math:: \\alpha_t = \\alpha / (1 + k t)^p

    With p = 1 the schedule of Darken and Moody (1990) [1]_, whose tau is 1/k, and Keras's
    ``InverseTimeDecay``, whose k is ``decay_rate / decay_steps``. For p in (1/2, 1] the sum
    of the rates is infinite and that of their squares is not, as Robbins and Monro (1951)
    [2]_ ask for.

    Parameters
    ----------
    rate : float
        alpha > 0, the rate of step 0.
    decay : float
        k > 0, per step.
    power : float, default 1.0
        p > 0.

    References
    ----------
    .. [1] C. Darken, J. Moody, "Note on Learning Rate Schedules for Stochastic Optimization",
       NIPS 3, 1990.
    .. [2] H. Robbins, S. Monro, "A Stochastic Approximation Method", Ann. Math. Stat. 22(3),
       400-407, 1951.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.InverseTime(1.0, decay=1.0)
    >>> [rate(t) for t in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """

    rate: float
    decay: float
    power: float = 1.0

    def __post_init__(self) -> None:
        Checks(self).positive("rate", "decay", "power")

    def __call__(self, step: int) -> float:
        return self.rate * _power(1.0 + self.decay * step, -self.power)


@dataclass(frozen=True)
class Polynomial(Schedule):
    """The rate falls to its last value as a power of the steps that are left.

    .. math::

        \\alpha_t = \\alpha_n + (\\alpha_0 - \\alpha_n) (1 - \\min(t, n) / n)^p

    The "poly" schedule of Chen et al. (2018) [1]_, section 4.1, with p = 0.9; linear for
    p = 1. PyTorch's ``PolynomialLR``; optax's ``polynomial_schedule``.

    Parameters
    ----------
    rate : float
        alpha_0 > 0, the rate of step 0.
    steps : int
        n >= 1: from step n on the rate is ``final``.
    power : float, default 1.0
        p > 0.
    final : float, default 0.0
        alpha_n >= 0.

    References
    ----------
    .. [1] L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, "DeepLab: Semantic
       Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully
       Connected CRFs", IEEE TPAMI 40(4), 2018, arXiv:1606.00915.

    Examples
    --------
    >>> import fastopt as fo
    >>> rate = fo.schedules.Polynomial(1.0, steps=4)
    >>> [rate(t) for t in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    rate: float
    steps: int
    power: float = 1.0
    final: float = 0.0

    def __post_init__(self) -> None:
        Checks(self).positive("rate", "power")
        Checks(self).non_negative("final")
        Checks(self).whole("steps", 1)

    def __call__(self, step: int) -> float:
        left = max(self.steps - step, 0) / self.steps
        return self.final + (self.rate - self.final) * left**self.power


def _power(base: float, exponent: float) -> float:
    try:
        return base**exponent
    except OverflowError:  # what Python raises where NumPy gives inf; the run refuses it
        return float("inf")
