"""Products fused with the sums that they are terms of."""

from __future__ import annotations

import re
from fractions import Fraction

import llvmlite
import numba
import numpy as np
import pytest
from oracles import iterates, same_bits, ulps_apart
from roundings import neighbours
from test_rules import RULES, STARTS, STEPS, SURFACES, every_kind, every_rule, path

import fastopt as fo
from fastopt.kernels import compile as compiler
from fastopt.kernels import contraction
from fastopt.kernels.block import build_block
from fastopt.kernels.parts import Watch

_rng = np.random.default_rng(6)
A, B, C, D = _rng.normal(size=(4, 50))


def plus(a, b, c, d):
    return a * b + c


def added_to(a, b, c, d):
    return c + a * b


def minus(a, b, c, d):
    return a * b - c


def subtracted(a, b, c, d):
    return c - a * b


def two(a, b, c, d):
    return a * b + c * d


def difference_of_two(a, b, c, d):
    return a * b - c * d


def in_place(a, b, c, d):
    c -= a * b
    return c


def chain(a, b, c, d):
    return a * b * c + d


def named(a, b, c, d):
    product = a * b
    return product + c


def whole_numbers(a, b, c, d):
    i = int(a * 100.0)
    return float(i * 3 + 2)


def exact(*terms):
    """The sum of products, rounded once."""
    total = Fraction(0)
    for term in terms:
        product = Fraction(1)
        for factor in term:
            product *= Fraction(float(factor))
        total += product
    return float(total)


EXPECTED = {
    plus: lambda a, b, c, d: exact((a, b), (c,)),
    added_to: lambda a, b, c, d: exact((a, b), (c,)),
    minus: lambda a, b, c, d: exact((a, b), (-c,)),
    subtracted: lambda a, b, c, d: exact((-a, b), (c,)),
    two: lambda a, b, c, d: exact((a * b,), (c, d)),
    difference_of_two: lambda a, b, c, d: exact((a * b,), (-c, d)),
    in_place: lambda a, b, c, d: exact((-a, b), (c,)),
    chain: lambda a, b, c, d: exact((a * b, c), (d,)),
    named: lambda a, b, c, d: a * b + c,
    whole_numbers: lambda a, b, c, d: float(int(a * 100) * 3 + 2),
}


def compiled(function):
    """*function* over arrays, compiled as a kernel is."""

    def loop(a, b, c, d, out):
        for j in range(out.shape[0]):
            out[j] = function(a[j], b[j], c[j], d[j])

    vector = numba.types.Array(numba.types.float64, 1, "C")
    signature = numba.types.void(*[vector] * 5)
    return compiler.compile_entry(loop, "float64", signature, "sums", from_python=True)


def results(function):
    out = np.empty(len(A))
    compiled(function).call(A, B, C, D, out)
    return out


@pytest.mark.parametrize("function", EXPECTED)
def test_a_product_in_a_sum_is_not_rounded(function):
    expected = np.array([EXPECTED[function](*row) for row in zip(A, B, C, D, strict=True)])
    assert same_bits(results(function), expected)
    rounded = np.array([function(*row) for row in zip(A, B, C, D, strict=True)])
    unchanged = function in (named, whole_numbers)
    assert same_bits(expected, rounded) == unchanged, "these numbers do not tell the two apart"


def test_another_setting_is_refused(monkeypatch):
    monkeypatch.setenv("FASTOPT_CONTRACTION", "yes")
    with pytest.raises(ValueError, match="FASTOPT_CONTRACTION=yes: must be on"):
        contraction.enabled()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("fma"), reason="reads x86 assembly with fma"
)
def test_blocks_are_contracted_over_whole_vectors(dtype, monkeypatch):
    monkeypatch.setattr(compiler.cache._Store, "load_overload", lambda self, *args: None)
    parts = fo.Momentum().parts(), fo.Rosenbrock().parts()
    block = build_block.__wrapped__(*parts, Watch(), False, dtype)
    kind = "pd" if dtype == "float64" else "ps"
    assert re.search(rf"vfn?m(add|sub)\d+{kind}.*%[yz]mm", block.assembly())


@every_kind
@every_rule
def test_rules_stay_as_near_to_their_papers(name, kind):
    cls, oracle, parameters, *_ = RULES[name]
    surface, _, gradient = SURFACES[kind]
    starts = STARTS[kind]
    theirs = neighbours(
        lambda through, x: iterates(oracle, through(gradient), x, STEPS, **parameters), starts
    )
    ours = path(cls(**parameters), surface, starts)
    assert ulps_apart(ours, theirs.path) <= 2 * theirs.spread()


@pytest.mark.parametrize("rule", [fo.GradientDescent(5e-4), fo.Momentum(2e-4)])
def test_one_value_a_run_and_another_form_have_the_same_bits(rule):
    # The same functions, compiled into other blocks.
    surface, starts = fo.Rosenbrock(), some_starts()
    options = {"max_steps": STEPS, "stop": None}
    alone = fo.run(rule, surface, starts, **options)
    each = type(rule)(np.full(len(starts), rule.learning_rate))
    watched = fo.run(rule, surface, starts, max_steps=STEPS, stop=fo.Stop(gradient=0.0))
    assert same_bits(alone.x, fo.run(each, surface, starts, **options).x)
    assert same_bits(alone.x, watched.x)


def some_starts():
    return np.random.default_rng(3).uniform(-1.5, 1.5, (40, 2))


# Last, because the fixture holds to the end of the file.
def test_off_every_product_is_rounded(as_written):
    for function in EXPECTED:
        expected = [function(*row) for row in zip(A, B, C, D, strict=True)]
        assert same_bits(results(function), np.array(expected))
