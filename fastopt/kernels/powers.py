"""Powers of a parameter, carried from step to step."""

from __future__ import annotations

from fastopt.kernels.intrinsics import fma


def next_power(high, low, base):
    """``base**(t + 1)`` from ``base**t``, both as an unevaluated sum high + low.

    Carried in one number, the rounding errors of t products would reach a bias correction
    ``1 - base**t`` enlarged by up to 1 / (1 - base); with the low part, ``high`` is the
    power to within an ulp for every t, without a call of ``pow``.
    """
    product = high * base
    rest = fma(low, base, fma(high, base, -product))
    total = product + rest
    return total, (product - total) + rest
