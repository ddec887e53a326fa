"""Powers of a parameter, carried from step to step."""

from __future__ import annotations

from fastopt.kernels.intrinsics import fma


def next_power(high, low, base):
    """``base**(t + 1)`` from ``base**t``, both as an unevaluated sum high + low.

    A bias correction is then ``(1 - high) - low``, right to the last digits for every t. In
    ``1 - base**t`` of one number a single rounding error is already enlarged by 1 / (1 - base),
    to 1e-13 of Adam's second moment.
    """
    product = high * base
    rest = fma(low, base, fma(high, base, -product))
    total = product + rest
    return total, (product - total) + rest
