"""exp, log, sin and cos of kernels against mpmath, at every special value, in every loop."""

from __future__ import annotations

import math
import os
import platform
import re
import subprocess
import sys
from functools import cache

import mpmath
import numba
import numpy as np
import pytest

from fastopt.kernels import elementary
from fastopt.kernels.compile import DTYPES, specialise

NAMES = ("exp", "log", "sin", "cos")
BOTH = pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for dtype in DTYPES for name in NAMES]
)
# What the docstrings promise. The largest errors found are 0.82, 0.83, 0.89 and 0.89 in
# float64, and, over every float32, 0.794, 0.828, 0.992 and 1.009.
ULPS = {
    "float64": {"exp": 0.85, "log": 0.85, "sin": 0.95, "cos": 0.95},
    "float32": {"exp": 0.85, "log": 0.85, "sin": 1.01, "cos": 1.01},
}
LARGEST_ANGLE = 1e6
INF, NAN = math.inf, math.nan


@cache
def scalar(name, dtype):
    inlined = specialise(getattr(elementary, name), dtype)

    @numba.njit(error_model="numpy")
    def call(x):
        return inlined(x)

    return call


@cache
def loop(name, dtype):
    inlined = specialise(getattr(elementary, name), dtype)

    @numba.njit(error_model="numpy")
    def run(x, y):
        for j in range(x.size):
            y[j] = inlined(x[j])

    return run


def evaluate(name, x):
    y = np.empty_like(x)
    loop(name, x.dtype.name)(x, y)
    return y


# -- the error, by mpmath ----------------------------------------------------------------


def ulps(name, x, y):
    """The error of y in units in the last place of the true value."""
    form = np.finfo(x.dtype)
    true_function = getattr(mpmath, name)
    errors = np.empty(x.size)
    with mpmath.workprec(120):
        infinity = mpmath.ldexp(1, int(form.maxexp))
        for i, (argument, result) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            # Beyond the largest float, inf is the right answer: it stands for 2**maxexp.
            truth = min(true_function(mpmath.mpf(argument)), infinity)
            binade = mpmath.frexp(truth)[1] - 1
            binade = min(max(binade, int(form.minexp)), int(form.maxexp) - 1)
            given = infinity if result == INF else mpmath.mpf(result)
            errors[i] = mpmath.ldexp(abs(given - truth), int(form.nmant) - binade)
    return errors


def nearest_to_quarter_turns(dtype, count):
    """The *count* floats up to 1e6 that come nearest to a multiple of pi/2."""
    multiple = np.arange(1.0, LARGEST_ANGLE / (math.pi / 2))
    # pi/2 in parts of 33 bits: products with these multiples are exact.
    parts = []
    with mpmath.workprec(200):
        rest = mpmath.pi / 2
        for bits in (32, 65, 118):
            parts.append(float(mpmath.floor(mpmath.ldexp(rest, bits)) / mpmath.mpf(2) ** bits))
            rest -= parts[-1]
    first, second, third = (part * multiple for part in parts)
    x = (first + second).astype(dtype)
    distance = np.abs(((first - x) + second) + third)
    return x[np.argsort(distance)[:count]]


def neighbours(values, dtype, steps):
    """The floats up to *steps* steps from each (positive) value."""
    integer = np.dtype(dtype).str.replace("f", "i")
    bits = np.asarray(values, dtype).view(integer)[:, None] + np.arange(-steps, steps + 1)
    return bits.astype(integer).ravel().view(dtype)


def random_positive(random, dtype, count, below=INF):
    """Positive floats with every exponent, subnormals too, equally likely."""
    integer = np.dtype(dtype).str.replace("f", "i")
    stop = int(np.array(below, dtype).view(integer))
    return random.integers(1, stop, count).astype(integer).view(dtype)


def either_sign(random, x):
    return x * random.choice([-1.0, 1.0], x.size)


def exp_points(random, dtype, count):
    form = np.finfo(dtype)
    with mpmath.workprec(80):
        overflow = float(mpmath.log(mpmath.mpf(2)) * int(form.maxexp))
        subnormal = float(mpmath.log(mpmath.mpf(2)) * int(form.minexp))
        underflow = float(mpmath.log(mpmath.mpf(2)) * int(form.minexp - form.nmant - 1))
    halfway = (random.integers(-150, 120, count // 20) + 0.5) * math.log(2.0)
    return [
        random.uniform(underflow, overflow, count // 3),
        random.uniform(underflow, subnormal, count // 10),
        random.uniform(-1.0, 1.0, count // 4),
        either_sign(random, 10.0 ** random.uniform(-30, 0, count // 10)),
        halfway,
        neighbours([overflow], dtype, 20),
        -neighbours([-subnormal, -underflow], dtype, 20),
        [overflow + 0.3, overflow + 1.0, underflow - 0.3, underflow - 1.0],
    ]


def log_points(random, dtype, count):
    form = np.finfo(dtype)
    ends = [2.0**k * math.sqrt(0.5) for k in (-100, -1, 0, 1, 2, 100)]
    tiny = float(form.smallest_normal)
    return [
        random_positive(random, dtype, count // 3),
        random_positive(random, dtype, count // 10, below=tiny),
        random.uniform(0.5, 2.0, count // 4),
        1.0 + either_sign(random, 10.0 ** random.uniform(-17, -1, count // 4)),
        neighbours([1.0, tiny, *ends], dtype, 8),
        [form.smallest_subnormal, form.max],
    ]


def angle_points(random, dtype, count):
    quarters = random.integers(0, 636_619, count // 8) * (math.pi / 2)
    return [
        either_sign(random, nearest_to_quarter_turns(dtype, count // 8)),
        neighbours(quarters[quarters > 0][: count // 40], dtype, 2),
        either_sign(random, quarters + random.uniform(-0.05, 0.05, quarters.size)),
        either_sign(random, random.uniform(0.8, 1.0, count // 8) * LARGEST_ANGLE),
        random.uniform(-LARGEST_ANGLE, LARGEST_ANGLE, count // 8),
        random.uniform(-10.0, 10.0, count // 8),
        random.uniform(-1.7, 1.7, count // 8),
        random.uniform(-0.57, 0.57, count // 8),
        either_sign(random, 10.0 ** random.uniform(-9, 6, count // 8)),
        either_sign(random, random_positive(random, dtype, count // 20, below=1e-3)),
        [LARGEST_ANGLE, -LARGEST_ANGLE],
    ]


POINTS = {"exp": exp_points, "log": log_points, "sin": angle_points, "cos": angle_points}


def points(name, dtype, count, seed):
    random = np.random.default_rng(seed)
    arrays = POINTS[name](random, dtype, count)
    return np.concatenate([np.asarray(array).astype(dtype) for array in arrays])


def check_errors(name, x):
    errors = ulps(name, x, evaluate(name, x))
    worst = int(np.argmax(np.where(np.isnan(errors), INF, errors)))
    assert errors[worst] <= ULPS[x.dtype.name][name], (
        f"{name}({x[worst]!r}) is off by {errors[worst]:.3g} ulp"
    )


@BOTH
def test_error(name, dtype):
    check_errors(name, points(name, dtype, 2300, seed=1))


@pytest.mark.slow
@BOTH
def test_error_at_many_points(name, dtype):
    check_errors(name, points(name, dtype, 23_000, seed=2))


def test_hard_angles_are_hard():
    x = nearest_to_quarter_turns("float64", 1)[0]
    with mpmath.workprec(200):
        quarter_turns = mpmath.mpf(float(x)) / (mpmath.pi / 2)
        distance = abs(quarter_turns - mpmath.nint(quarter_turns)) * (mpmath.pi / 2)
    assert distance < 1e-18  # of 29 pi/2


# Every positive float32 of the domain; the reference is the C library's, in float64.
EVERY_FLOAT32 = [
    ("exp", 1, 88.72283),
    ("exp", -1, 104.0),
    ("log", 1, np.finfo(np.float32).max),
    ("sin", 1, LARGEST_ANGLE),
    ("cos", 1, LARGEST_ANGLE),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sign", "last"), EVERY_FLOAT32)
def test_every_float32(name, sign, last):
    ours, reference = specialise(getattr(elementary, name), "float32"), getattr(math, name)
    bound = ULPS["float32"][name]

    @numba.njit(error_model="numpy")
    def count_wrong(bits, sign, truth, truth_bits):
        x = bits.view(np.float32) * sign
        for j in range(x.size):
            truth[j] = reference(np.float64(x[j]))
        wrong = 0
        for j in range(x.size):
            exponent = max((truth_bits[j] >> 52 & 2047) - 1023, -126)
            error = math.ldexp(abs(np.float64(ours(x[j])) - truth[j]), 23 - exponent)
            wrong += not error <= bound  # so is a nan
        return wrong

    size = 1 << 16
    stop = int(np.float32(last).view(np.int32)) + 1
    truth = np.empty(size)
    for start in range(1, stop, size):
        bits = np.arange(start, min(start + size, stop), dtype=np.int32)
        view = truth[: bits.size]
        assert count_wrong(bits, np.float32(sign), view, view.view(np.int64)) == 0


# -- special values ----------------------------------------------------------------------

SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN)],
    "log": [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (NAN, NAN)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
}


def special_values(name, dtype):
    form = np.finfo(dtype)
    largest, smallest = float(form.max), float(form.smallest_subnormal)
    own = {
        "exp": [(largest, INF), (-largest, 0.0), (smallest, 1.0), (-smallest, 1.0)],
        "log": [(-smallest, NAN), (-1e-30, NAN), (-1.0, NAN), (-largest, NAN)],
        "sin": [(smallest, smallest), (-smallest, -smallest), (3 * smallest, 3 * smallest)],
        "cos": [(smallest, 1.0), (-smallest, 1.0)],
    }
    arguments, results = zip(*SPECIAL[name], *own[name], strict=True)
    return np.array(arguments, dtype), np.array(results, dtype)


def assert_same_bits(actual, expected):
    """Equal, zeros of the same sign, and nan (of whatever bits) where nan is expected."""
    np.testing.assert_array_equal(actual, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual[number]), np.signbit(expected[number]))


@BOTH
def test_special_values(name, dtype):
    x, expected = special_values(name, dtype)
    assert_same_bits(evaluate(name, x), expected)


@BOTH
def test_same_bits_in_any_loop(name, dtype):
    """One at a time, and at any length and place of a loop (vectors and their remainder)."""
    x = np.concatenate([special_values(name, dtype)[0], points(name, dtype, 300, seed=3)])
    np.random.default_rng(4).shuffle(x)
    function = scalar(name, dtype)
    one_at_a_time = np.array([function(value) for value in x], dtype)
    (signature,) = function.nopython_signatures
    assert signature.return_type == numba.from_dtype(np.dtype(dtype))  # nothing widened it
    for length in (1, 7, 8, 129):
        for start in range(0, x.size - length, max(length - 2, 1)):
            piece = slice(start, start + length)
            assert_same_bits(evaluate(name, x[piece]), one_at_a_time[piece])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_never_leaves_minus_one_to_one(name, dtype):
    random = np.random.default_rng(5)
    limit = 2.0 ** (np.finfo(dtype).nmant - 2)
    quarters = np.arange(1.0, 300_000.0) * (math.pi / 2)
    x = np.concatenate(
        [
            random_positive(random, dtype, 200_000),
            (10.0 ** random.uniform(5, math.log10(limit), 500_000)).astype(dtype),
            (quarters + random.uniform(-1e-3, 1e-3, quarters.size)).astype(dtype),
            neighbours([limit, np.finfo(dtype).max / 2], dtype, 10),
        ]
    )
    y = evaluate(name, x)
    outside = ~(np.abs(y) <= 1)
    assert not outside.any(), f"{name}({x[outside][0]!r}) = {y[outside][0]!r}"


# -- machine code ------------------------------------------------------------------------

has_packed_fma = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64")
    or "+fma" not in numba.core.codegen.get_host_cpu_features().split(","),
    reason="reads x86 assembly with fma",
)


def assembly_of(function, dtype):
    """The assembly of the function proper, without the wrappers that Python calls."""
    array = numba.from_dtype(np.dtype(dtype))[::1]
    function.compile((array, array))
    symbol = function.overloads[array, array].fndesc.llvm_func_name
    text = function.inspect_asm((array, array))
    section = rf"^{re.escape(symbol)}:(.*?)^\.Lfunc_end"
    return re.search(section, text, re.MULTILINE | re.DOTALL).group(1)


def assert_vectorised(text, dtype):
    kind = {"float64": "d", "float32": "s"}[dtype]
    assert re.search(rf"\bvfn?m(add|sub)\d+p{kind}\b.*%[yz]mm", text), "no packed fma"
    assert not re.search(r"\bcall", text), "a function is called"
    assert not re.search(r"\bv\w*gather", text), "a table is read"
    assert not re.search(r"\bvcvt", text), "a conversion AVX2 may lack, or to another width"


@has_packed_fma
@BOTH
def test_loops_are_vectorised(name, dtype):
    assert_vectorised(assembly_of(loop(name, dtype), dtype), dtype)


@has_packed_fma
@pytest.mark.slow
def test_loops_are_vectorised_with_avx2_only():
    environment = dict(
        os.environ, NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES="+avx,+avx2,+fma,+bmi,+bmi2"
    )
    selection = f"{__file__}::test_loops_are_vectorised"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", selection]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@has_packed_fma
@pytest.mark.parametrize("dtype", DTYPES)
def test_square_root_needs_no_function_of_ours(dtype):
    @numba.njit(error_model="numpy")
    def run(x, y):
        for j in range(x.size):
            y[j] = math.sqrt(x[j])

    text = assembly_of(run, dtype)
    assert re.search(r"\bvsqrtp[sd]\b", text)
    assert not re.search(r"\bcall", text)


# -- for random numbers ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_of_a_normal_number_is_the_logarithm(dtype):
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max
    x = np.exp(np.random.default_rng(7).uniform(np.log(float(tiny)), np.log(float(huge)), 10_000))
    x = np.append(x.astype(dtype), [tiny, huge, 0.5, 1, 2, np.nextafter(np.ones(1, dtype)[0], 0)])
    x = x.astype(dtype)
    np.testing.assert_array_equal(evaluate("log_of_normal", x), evaluate("log", x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_quarter_turns(dtype):
    turn = specialise(elementary.quarter_turn, dtype)

    @numba.njit(error_model="numpy")
    def run(t, out):
        for j in range(t.size):
            out[0, j], out[1, j] = turn(t[j])

    eps = float(np.finfo(dtype).eps)
    t = np.random.default_rng(8).uniform(-0.5, 0.5, 2_000).astype(dtype)
    t = np.append(t, np.array([0.5, -0.5, 0.0, eps, -eps], dtype))
    out = np.zeros((2, t.size), dtype)
    run(t, out)
    with mpmath.workdps(40):
        for j, turns in enumerate(t):
            angle = mpmath.pi / 2 * mpmath.mpf(float(turns))
            for found, exact in zip(out[:, j], (mpmath.cos(angle), mpmath.sin(angle)), strict=True):
                assert abs(float(found) - exact) <= 1.2 * eps * abs(exact), (turns, found)
