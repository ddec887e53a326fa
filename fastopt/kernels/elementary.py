"""exp, log, sin and cos for kernels, as arithmetic that a loop over lanes is vectorised with.

Numba has no vector maths library: ``math.sin`` in a loop is a call per element. These are
straight-line arithmetic without branch, table or call, so that LLVM turns a loop over them
into packed instructions, and strict, so that a lane has the same bits as a scalar call.

They need no 64-bit operation that AVX2 lacks: an integer is read from the low bits of a
float to which 1.5 * 2**mantissa was added, never converted, and shifts fill with zeros.

The square root is not here: ``math.sqrt`` is one packed instruction already.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastopt.kernels.compile import ByDtype, merged
from fastopt.kernels.intrinsics import (
    add_bits,
    and_bits,
    bits_of,
    float_of,
    fma,
    or_bits,
    shift_left,
    shift_right,
    subtract_bits,
    xor_bits,
)

Scalar = Callable[[float], float]


class _Format(NamedTuple):
    """What a factory needs to know of float64 or float32."""

    width: int
    mantissa: int
    bias: int
    # Unevaluated sums. A multiple of the first part cancels against the argument without
    # error in an fma, so no part needs trailing zeros.
    ln2: tuple[float, float]
    pi: tuple[float, float, float]


_FLOAT64 = _Format(
    width=64,
    mantissa=52,
    bias=1023,
    ln2=(0.6931471805599453, 2.3190468138462996e-17),
    pi=(3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33),
)
# The first part of pi is rounded down, as in float64 it happens to be: sin(-0.0) is -0.0
# only as long as the second part is positive (see _make_reduction).
_FLOAT32 = _Format(
    width=32,
    mantissa=23,
    bias=127,
    ln2=(0.6931471824645996, -1.9046542121259336e-09),
    pi=(3.141592502593994, 1.5099580252808664e-07, -3.4302490200117637e-15),
)

# The polynomials are minimax fits (Remez, of the error relative to the function's value)
# made for this file; "off by" is their own error, with the coefficients rounded.
#
# Horner's scheme throughout: there are lanes enough to hide its latency, and the extra
# multiplication of Estrin's costs (exp 1,100 instead of 1,340 M/s a core, sin 1,070
# instead of 1,160).


# -- exp ---------------------------------------------------------------------------------


@merged
def _exp_polynomial_float64(r):
    """(exp(r) - 1 - r) / r**2 on [-ln(2)/2, ln(2)/2]; off by 2**-56."""
    p = fma(2.5000022827427052e-08, r, 2.76302348851168e-07)
    p = fma(p, r, 2.7557586423431373e-06)
    p = fma(p, r, 2.480149313392852e-05)
    p = fma(p, r, 1.9841269506601857e-04)
    p = fma(p, r, 1.3888888943599323e-03)
    p = fma(p, r, 8.333333333494416e-03)
    p = fma(p, r, 4.166666666653026e-02)
    p = fma(p, r, 1.6666666666666413e-01)
    return fma(p, r, 5.000000000000011e-01)


@merged
def _exp_polynomial_float32(r):
    """The same in float32; off by 2**-28."""
    p = fma(1.3814345e-03, r, 8.368718e-03)
    p = fma(p, r, 4.1668393e-02)
    p = fma(p, r, 1.6666521e-01)
    return fma(p, r, 4.9999994e-01)


def _make_exp(form: _Format, polynomial: Scalar) -> Scalar:
    mantissa = form.mantissa
    ln2_1, ln2_2 = form.ln2
    log2_e = 1.0 / math.log(2.0)
    # From here on the result is inf, or 0, whatever the argument.
    high = float(math.ceil((form.bias + 1) * math.log(2.0)))
    low = float(math.floor(-(form.bias + mantissa) * math.log(2.0)))
    # Adding it rounds to an integer k and leaves k + 2 bias, which is positive, in the
    # lowest bits.
    rounder = 1.5 * 2.0**mantissa + 2.0 * form.bias

    def exp(x):
        """The exponential of x, within 0.85 ulp over the whole domain.

        The result is graded down to the smallest subnormal and then 0, inf from the
        overflow threshold on, and nan for nan.
        """
        # A nan passes: it is neither above nor below the second argument.
        x = max(min(x, high), low)
        shifted = fma(x, log2_e, rounder)
        k = shifted - rounder
        r = fma(-k, ln2_2, fma(-k, ln2_1, x))
        # What rounding 1 + r loses is kept. Without: 1.02 ulp, and 4% faster.
        leading = r + 1.0
        p = leading + fma(r * r, polynomial(r), r - (leading - 1.0))
        # 2**k may be out of range where the result is not, so it comes in two factors.
        biased = bits_of(shifted)
        half = shift_right(biased, 1)
        rest = subtract_bits(biased, half)
        return p * float_of(shift_left(half, mantissa)) * float_of(shift_left(rest, mantissa))

    return exp


# -- log ---------------------------------------------------------------------------------


@merged
def _log_polynomial_float64(z):
    """(log((1 + s) / (1 - s)) - 2 s) / s**3, z = s**2, |s| <= 0.1716; off by 2**-59."""
    p = fma(1.4795503890520723e-01, z, 1.5314098697440862e-01)
    p = fma(p, z, 1.8183562300764158e-01)
    p = fma(p, z, 2.222219861523289e-01)
    p = fma(p, z, 2.8571428741940474e-01)
    p = fma(p, z, 3.999999999941692e-01)
    return fma(p, z, 6.666666666666734e-01)


@merged
def _log_polynomial_float32(z):
    """The same in float32; off by 2**-35."""
    p = fma(2.4286236e-01, z, 2.8498486e-01)
    p = fma(p, z, 4.0000975e-01)
    return fma(p, z, 6.666666e-01)


def _make_logs(form: _Format, polynomial: Scalar) -> tuple[Scalar, Scalar]:
    mantissa = form.mantissa
    ln2_1, ln2_2 = form.ln2
    smallest_normal = 2.0 ** (1 - form.bias)
    lift = mantissa + 2
    lift_factor = 2.0**lift
    sqrt_half = _bits_of_constant(math.sqrt(0.5), form)
    # Subtracting it from the bits of m * 2**k, sqrt(1/2) <= m < sqrt(2), leaves k + bias in
    # the exponent's place and m in the mantissa's, counted from sqrt(1/2).
    offset = sqrt_half - (form.bias << mantissa)
    mantissa_mask = (1 << mantissa) - 1
    # An integer or-ed into the bits of 2**mantissa adds itself: no conversion is needed.
    two_to_mantissa = (form.bias + mantissa) << mantissa
    origin = 2.0**mantissa + form.bias
    lifted_origin = origin + lift
    inf, nan = math.inf, math.nan

    # The arrangement of fdlibm's e_log.c: with m = 1 + f, s = f / (2 + f) and h = f**2 / 2,
    # log(1 + f) = f - (h - s * (h + s**2 polynomial(s**2))).
    @merged
    def of_normal(x, zero):
        bits = subtract_bits(bits_of(x), offset)
        k = float_of(or_bits(shift_right(bits, mantissa), two_to_mantissa)) - zero
        f = float_of(add_bits(and_bits(bits, mantissa_mask), sqrt_half)) - 1.0
        s = f / (f + 2.0)
        z = s * s
        h = 0.5 * f * f
        tail = h - fma(s, fma(z, polynomial(z), h), k * ln2_2)
        return fma(k, ln2_1, f - tail)

    def log_of_normal(x):
        """The same of a finite x that is neither 0 nor subnormal nor below 0."""
        return of_normal(x, origin)

    def log(x):
        """The natural logarithm of x, within 0.85 ulp over the whole domain.

        Subnormal arguments are treated as any other; -inf for 0, nan below 0, inf for inf and
        nan for nan.
        """
        subnormal = x < smallest_normal
        lifted = x * lift_factor if subnormal else x
        y = of_normal(lifted, lifted_origin if subnormal else origin)
        y = y if x < inf else x
        y = -inf if x == 0.0 else y
        return nan if x < 0.0 else y

    return log, log_of_normal


def _bits_of_constant(value: float, form: _Format) -> int:
    return int(np.array(value, f"f{form.width // 8}").view(f"i{form.width // 8}"))


# -- sin and cos -------------------------------------------------------------------------
#
# sin(x) = (-1)**k sin(x - k pi), and cos(x) = (-1)**(k + 1/2) sin(x - k pi) with k half an
# odd number, so that one odd polynomial on [-pi/2, pi/2] does for both. Choosing between
# two polynomials on [-pi/4, pi/4] would evaluate both of them in every lane.


@merged
def _sin_polynomial_float64(z):
    """(sin(s) / s - 1) / z + 1/8, z = s**2, |s| <= pi/2; off by 2**-60."""
    p = fma(2.7214829305566933e-15, z, -7.64302251867754e-13)
    p = fma(p, z, 1.6058941048784436e-10)
    p = fma(p, z, -2.5052106904610037e-08)
    p = fma(p, z, 2.7557319211569643e-06)
    p = fma(p, z, -1.984126984121248e-04)
    p = fma(p, z, 8.333333333333207e-03)
    return fma(p, z, -4.166666666666666e-02)


@merged
def _sin_polynomial_float32(z):
    """The same in float32, |s| <= 1.613 (k is one off near its steps); off by 2**-32."""
    p = fma(-2.425205e-08, z, 2.7549934e-06)
    p = fma(p, z, -1.9841446e-04)
    p = fma(p, z, 8.333337e-03)
    return fma(p, z, -4.1666668e-02)


def _make_sine(polynomial: Scalar) -> Callable[[float, float], float]:
    # cos(s) as 1 - curvature z, right at 0 and at pi/2.
    curvature = 4.0 / math.pi**2

    @merged
    def sine(s, excess):
        # sin(s) = 3/4 s + s (1/4 - z/8 + z polynomial(z)). The usual s + s z (...) is off by
        # up to 1.9 ulp near pi/2, where its second term is half as large as the result and
        # takes over all errors of z; this way that term is small throughout, and most of z
        # enters by an fma.
        z = s * s
        factor = fma(z, polynomial(z), fma(s * -0.125, s, 0.25))
        # A parabola is cosine enough for it: excess is at most half an ulp of s.
        correction = excess * fma(z, -curvature, 1.0)
        return fma(s, 0.75, fma(s, factor, -correction))

    return sine


def _make_reduction(form: _Format) -> Callable[[float, float], tuple[float, float]]:
    _, pi_2, pi_3 = form.pi

    @merged
    def reduction(r, k):
        """s and excess, where s - excess is r - k (pi_2 + pi_3), to twice the precision."""
        # Cody and Waite. The third part matters: the doubles up to 1e6 come as near as
        # 6e-19 to a multiple of pi/2. For x = -0.0 every zero below is positive but s, and
        # that gives the result its sign.
        product = k * pi_2
        s = r - product
        excess = (product - (r - s)) + fma(k, pi_2, -product)
        return s, fma(k, pi_3, excess)

    return reduction


def _make_sin(form: _Format, polynomial: Scalar) -> Scalar:
    sine, reduction = _make_sine(polynomial), _make_reduction(form)
    pi_1 = form.pi[0]
    inverse_pi = 1.0 / math.pi
    rounder = 1.5 * 2.0**form.mantissa
    limit = 2.0 ** (form.mantissa - 2)
    sign = form.width - 1

    def sin(x):
        """The sine of x, within 0.95 ulp (1.01 in float32) for abs(x) <= 1e6.

        The result is always in [-1, 1]; it loses accuracy beyond 1e6, and is 0 beyond 2**50
        (2**21 in float32). The sign of a zero is kept; nan for inf, -inf and nan.
        """
        x = x if abs(x) <= limit else x - x
        shifted = fma(x, inverse_pi, rounder)
        k = shifted - rounder
        s, excess = reduction(fma(-k, pi_1, x), k)
        odd = shift_left(bits_of(shifted), sign)
        return float_of(xor_bits(bits_of(sine(s, excess)), odd))

    return sin


def _make_cos(form: _Format, polynomial: Scalar) -> Scalar:
    sine, reduction = _make_sine(polynomial), _make_reduction(form)
    pi_1 = form.pi[0]
    inverse_pi = 1.0 / math.pi
    rounder = 1.5 * 2.0**form.mantissa
    limit = 2.0 ** (form.mantissa - 2)
    sign = form.width - 1

    def cos(x):
        """The cosine of x, within 0.95 ulp (1.01 in float32) for abs(x) <= 1e6.

        The result is always in [-1, 1]; it loses accuracy beyond 1e6, and is 1 beyond 2**50
        (2**21 in float32). nan for inf, -inf and nan.
        """
        x = x if abs(x) <= limit else x - x
        shifted = fma(x, inverse_pi, 0.5) + rounder
        k = (shifted - rounder) - 0.5
        r = fma(-k, pi_1, x)
        # r is exact but where abs(x) < 1. Without what it lost there: 1.28 ulp, and 5% faster.
        lost = fma(k, pi_1, r) - x
        s, excess = reduction(r, k)
        odd = shift_left(bits_of(shifted), sign)
        return float_of(xor_bits(bits_of(sine(s, excess + lost)), odd))

    return cos


# -- a quarter of a turn -----------------------------------------------------------------


def _quarter_turn_float64(t):
    """cos and sin of t quarter turns, |t| <= 1/2; off by 2**-57 and 2**-64, and roundings."""
    z = t * t
    p = fma(-6.321256869628588e-09, z, 4.710609726757823e-07)
    p = fma(p, z, -2.520203677046026e-05)
    p = fma(p, z, 9.192602741831558e-04)
    p = fma(p, z, -2.086348076331121e-02)
    p = fma(p, z, 2.536695079010467e-01)
    p = fma(p, z, -1.2337005501361697)
    q = fma(5.633933781537854e-08, z, -3.59864335298231e-06)
    q = fma(q, z, 1.604411507421909e-04)
    q = fma(q, z, -4.681754132340976e-03)
    q = fma(q, z, 7.969262624604301e-02)
    q = fma(q, z, -6.459640975062443e-01)
    return fma(p, z, 1.0), t * fma(q, z, 1.5707963267948966)


def _quarter_turn_float32(t):
    """The same in float32; off by 2**-34 and 2**-28."""
    z = t * t
    p = fma(0.0009036280663802505, z, -0.02086006950026408)
    p = fma(p, z, 0.2536692036551135)
    p = fma(p, z, -1.2337005406331623)
    q = fma(-4.602149212814176e-03, z, 7.968021764775542e-02)
    q = fma(q, z, -6.459634776648118e-01)
    return fma(p, z, 1.0), t * fma(q, z, 1.5707963219532366)


exp = ByDtype(
    "exp",
    float64=_make_exp(_FLOAT64, _exp_polynomial_float64),
    float32=_make_exp(_FLOAT32, _exp_polynomial_float32),
)
_logs_float64 = _make_logs(_FLOAT64, _log_polynomial_float64)
_logs_float32 = _make_logs(_FLOAT32, _log_polynomial_float32)
log = ByDtype("log", float64=_logs_float64[0], float32=_logs_float32[0])
log_of_normal = ByDtype("log_of_normal", float64=_logs_float64[1], float32=_logs_float32[1])
sin = ByDtype(
    "sin",
    float64=_make_sin(_FLOAT64, _sin_polynomial_float64),
    float32=_make_sin(_FLOAT32, _sin_polynomial_float32),
)
cos = ByDtype(
    "cos",
    float64=_make_cos(_FLOAT64, _sin_polynomial_float64),
    float32=_make_cos(_FLOAT32, _sin_polynomial_float32),
)
quarter_turn = ByDtype("quarter_turn", _quarter_turn_float64, _quarter_turn_float32)
