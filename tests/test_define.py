"""Surfaces from a user's own functions: what they compute, and what is refused."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pickle
import re
import sys
import textwrap

import numba
import numpy as np
import oracles
import pytest
from oracles import derivative
from test_cache import python

import fastopt as fo
from fastopt.kernels.elementary import cos, sin
from fastopt.kernels.intrinsics import fma
from fastopt.rules import POSITIVE, Number, Rule, parameter
from fastopt.rules.base import registry
from fastopt.surfaces import probing

define = fo.surfaces.define


def value(x):
    x, y = x
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def gradient(x):
    x, y = x
    slope = 200 * (y - x * x)
    return 2 * (x - 1) - 2 * x * slope, slope


def hessian(x):
    x, y = x
    return (2 + 1200 * x * x - 400 * y, -400 * x), (-400 * x, 200)


BANANA = {"value": value, "gradient": gradient, "hessian": hessian}


def test_it_is_the_built_in_surface():
    ours, theirs = define("banana", 2, **BANANA, minima=[[1, 1]]), fo.Rosenbrock()
    x = np.random.default_rng(1).uniform(-2, 2, (300, 2))
    for kind in ("value", "gradient", "hessian"):
        exact = getattr(theirs, kind)(x)
        np.testing.assert_allclose(getattr(ours, kind)(x), exact, rtol=1e-13, atol=1e-12)
    assert (ours.name, ours.dim, ours.fun_min, ours.smooth) == ("banana", 2, 0.0, True)
    assert ours.bounds.tolist() == [[-10, 10], [-10, 10]]
    a, b = (
        fo.run(fo.GradientDescent(1e-3), s, x, max_steps=300, stop=fo.Stop(value=1e-3))
        for s in (ours, theirs)
    )
    np.testing.assert_array_equal(a.steps, b.steps)
    np.testing.assert_allclose(a.x, b.x, rtol=1e-9)


# Terms in several coordinates, whole numbers, a loop, functions of math and of the kernels.
WEIGHTS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)


def wavy(x):
    total = 0
    for i in range(6):
        total += WEIGHTS[i] * x[i] ** 2
    return total + math.sin(x[0] * x[5]) - cos(x[1])


def wavy_gradient(x):
    a, b, c, d, e, f = x
    wave = math.cos(a * f)
    return 2 * a + f * wave, 4 * b + sin(b), 6 * c, 8 * d, 10 * e, 12 * f + a * wave


def test_more_coordinates_than_are_fused():
    def plain(x):
        squares = oracles.add_up(np.array(WEIGHTS) * x * x)
        return squares + np.sin(x[..., 0] * x[..., 5]) - np.cos(x[..., 1])

    ours = define("wavy", 6, value=wavy, gradient=wavy_gradient)
    x = np.random.default_rng(2).uniform(-3, 3, (100, 6))
    np.testing.assert_allclose(ours.value(x), plain(x), rtol=1e-14, atol=1e-13)
    np.testing.assert_allclose(ours.gradient(x), derivative(plain, x), rtol=1e-14, atol=1e-13)
    single = fo.run(fo.GradientDescent(), ours, x, max_steps=0, stop=None, dtype="float32")
    assert single.fun.dtype == np.float32
    np.testing.assert_allclose(single.fun, ours.value(x), rtol=1e-5, atol=1e-4)
    with pytest.raises(NotImplementedError, match="has no Hessian"):
        ours.hessian(x)


class OneRounding(Rule):
    """Takes numbers of one type only."""

    name = "test_one_rounding"
    learning_rate: Number = parameter(0.5, POSITIVE)

    @staticmethod
    def update(p, c, x, g, s):
        return fma(-p[0], g, x)


del registry[OneRounding.name]  # not to be listed in other tests


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_of_any_type_are_those_of_the_run(dtype):
    ours = define("mixed", 2, value=lambda x: x[0] + x[1] ** 2, gradient=lambda x: (1, 2 * x[1]))
    runs = fo.run(OneRounding(), ours, [[3.0, 1.5]], max_steps=1, stop=None, dtype=dtype)
    assert runs.x.dtype == dtype
    assert runs.x.tolist() == [[2.5, 0.0]]


def test_one_coordinate_and_functions_that_numba_compiled():
    square = define(
        "square", 1, value=numba.njit(lambda x: x[0] ** 2), gradient=lambda x: (2 * x[0],)
    )
    assert square.gradient([3.0]).tolist() == [6.0]
    assert square.value([3.0]) == 9


def test_the_same_functions_are_compiled_once_and_the_name_is_free():
    first = define("rosenbrock", 2, **BANANA)
    assert define("rosenbrock", 2, **BANANA).parts() is first.parts()
    other = define("rosenbrock", 2, value=lambda x: x[0] + x[1], gradient=lambda x: (1, 1))
    assert other.value([1.0, 2.0]) == 3
    assert other.gradient([1.0, 2.0]).tolist() == [1, 1]
    assert isinstance(fo.surfaces.get("rosenbrock"), fo.Rosenbrock)
    assert "banana" not in fo.surfaces.names()


def test_a_pickled_surface_is_the_same():
    ours = define("banana", 2, **BANANA, minima=[1, 1], bounds=[0, 2], kinks="none, really")
    again = pickle.loads(pickle.dumps(ours))
    assert again.parts() is ours.parts()
    assert (again.fun_min, again.kinks) == (0.0, "none, really")
    np.testing.assert_array_equal(again.bounds, ours.bounds)
    twin = define("banana", 2, value=value, gradient=gradient)
    assert pickle.loads(pickle.dumps(twin)).parts().hessian is None


FACTOR = 2.0


def test_a_changed_global_is_no_stale_machine_code(monkeypatch):
    functions = {"value": lambda x: FACTOR * x[0], "gradient": lambda x: (FACTOR,)}
    assert define("line", 1, **functions).value([3.0]) == 6
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 5.0)
    with pytest.raises(ValueError, match=r"value: something that .* uses has changed"):
        define("line", 1, **functions)


SOURCE = "\n".join(map(inspect.getsource, (value, gradient)))


def test_with_python_c(tmp_path):
    lines = """
        surface = fo.surfaces.define("banana", 2, value=value, gradient=gradient)
        surface = fo.surfaces.define("banana", 2, value=value, gradient=gradient)
        print(surface.gradient([-1.0, 2.0]).tolist())
    """
    out, error = python(f"import fastopt as fo\n{SOURCE}\n{textwrap.dedent(lines)}", tmp_path)
    assert out == "[396.0, 200.0]"
    assert error.count("CacheWarning: value: it is not defined in a file") == 1


# -- the comparison with differences -----------------------------------------------------


def refused(error, says, dim=2, **options):
    with pytest.raises(error, match=re.escape(says)) as caught:
        define("bad", dim, **{**BANANA, **options})
    assert "define('bad')" in str(caught.value)
    return str(caught.value)


def test_a_wrong_gradient_is_refused_with_both_numbers():
    def wrong(x):
        first, second = gradient(x)
        return first, second + 1e-3 * x[0] * x[0]

    text = refused(ValueError, "gradient(x)[1] is ", gradient=wrong)
    number = r"(-?[\d.e+]+)"
    found = re.search(
        rf"is {number} at x = \((.*)\), but differences of values give {number};", text
    )
    point = tuple(map(float, found[2].split(",")))
    assert float(found[1]) == pytest.approx(wrong(point)[1], rel=1e-9)
    assert float(found[3]) == pytest.approx(gradient(point)[1], rel=1e-6)
    assert "check=False" in text
    taken = define("bad", 2, value=value, gradient=wrong, check=False)
    assert taken.gradient([1.0, 1.0]).tolist() == [0.0, 1e-3]


def test_a_wrong_hessian_is_refused():
    def wrong(x):
        (a, b), (_, d) = hessian(x)
        return (a, b), (-b, d)

    text = refused(ValueError, "hessian(x)[1][0] is ", hessian=wrong)
    assert "differences of gradients give" in text
    define("bad", 2, value=value, gradient=gradient, hessian=wrong, check=False)


def test_a_gradient_that_is_nan_is_refused():
    refused(ValueError, "gradient(x)[0] is nan", gradient=lambda x: (math.nan, gradient(x)[1]))


def test_no_finite_value_inside_the_bounds_is_refused():
    options = {"value": lambda x: math.log(x[0]), "gradient": lambda x: (1 / x[0], 0)}
    refused(ValueError, "not finite anywhere", **options, hessian=None, bounds=[-2, -1])
    define("logarithm", 2, **options, bounds=[1, 2])
    define("logarithm", 2, **options, bounds=[-1, 2])  # finite in a part


RIGHT = {
    # name: (value, gradient, bounds), of one coordinate
    "kink": (lambda x: abs(x), lambda x: np.sign(x), [-1, 1]),
    "step": (lambda x: np.floor(x), lambda x: 0 * x, [-3, 3]),
    "fast wave": (lambda x: np.sin(1e3 * x), lambda x: 1e3 * np.cos(1e3 * x), [-10, 10]),
    "far away": (lambda x: (x - 1e6) ** 2, lambda x: 2 * (x - 1e6), [1e6, 1e6 + 1]),
    "high up": (lambda x: 1e4 + x * x, lambda x: 2 * x, [-1, 1]),
    "cancelling": (lambda x: (x * x + 1e4) - 1e4, lambda x: 2 * x, [-1, 1]),
    "steep": (lambda x: np.exp(x), lambda x: np.exp(x), [-50, 50]),
    "small": (lambda x: 1e-30 * x**3, lambda x: 3e-30 * x**2, [-1, 1]),
    "narrow": (lambda x: (1e6 * x) ** 4, lambda x: 4e6 * (1e6 * x) ** 3, [-1e-6, 1e-6]),
}


class Plain:
    """As much of a surface as the comparison needs, evaluated by NumPy."""

    dim = 1

    def __init__(self, value, gradient, bounds):
        self.bounds = np.array([bounds], float)
        self.value, self.gradient = lambda x: value(x)[..., 0], gradient

    def parts(self):
        return dataclasses.replace(fo.Sphere(1).parts(), hessian=None)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_gradient_is_not_refused_and_a_wrong_one_is(name):
    function, slope, bounds = RIGHT[name]
    probing.refuse_wrong_slopes("it", Plain(function, slope, bounds))
    scale = np.abs(slope(np.linspace(*bounds, 7))).max() + (name == "step")
    for wrong in (lambda x: -slope(x) + 0.1 * scale, lambda x: slope(x) + 0.01 * scale):
        with pytest.raises(ValueError, match="check=False"):
            probing.refuse_wrong_slopes("it", Plain(function, wrong, bounds))


def test_values_too_coarse_to_tell_refuse_nothing():
    coarse = Plain(lambda x: 1e12 + x * x, lambda x: 2 * x, [-1e-3, 1e-3])
    probing.refuse_wrong_slopes("it", coarse)


# -- functions that cannot be compiled ---------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "function", "says"),
    [
        ("gradient", lambda x: (x[0], x[1], 0.0), "expected 2, got 3"),
        ("gradient", lambda x: x[0], "failed to unpack"),
        ("gradient", lambda x: np.array([x[0], x[1]]), "no arrays"),
        ("gradient", lambda x: (x[0], x[2]), "tuple index out of range"),
        ("value", lambda x: undefined_name(x), "name 'undefined_name' is not defined"),  # noqa: F821
        ("value", lambda x: x, "returns a number"),
        ("value", lambda x: x[0].slope, f"Unknown attribute 'slope' of type float64 ({__file__}"),
        ("value", lambda x: print(x[0]), "cannot print"),
        ("hessian", lambda x: (1.0, 0.0, 1.0), "returns a tuple of 2 tuples of 2 numbers"),
    ],
)
def test_a_function_that_cannot_be_compiled_is_named(kind, function, says):
    text = refused(TypeError, says, **{kind: function})
    assert text.startswith(f"{kind}: numba cannot compile ")
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("error", "says", "options"),
    [
        (TypeError, "value=None: must be a plain Python function", {"value": None}),
        (TypeError, "gradient=<built-in", {"gradient": math.sin}),
        (TypeError, "dim=2.0: must be a whole number", {"dim": 2.0}),
        (ValueError, "dim=0: must be >= 1", {"dim": 0}),
        (ValueError, "dim=51: must be <= 50", {"dim": 51}),
        (ValueError, "minima has shape (1, 3): must be (k, 2)", {"minima": [[1, 2, 3]]}),
        (ValueError, "bounds has shape (3,)", {"bounds": [1, 2, 3]}),
    ],
)
def test_a_bad_argument_is_refused(error, says, options):
    refused(error, says, **options)


def test_a_bad_name_is_refused():
    with pytest.raises(ValueError, match=r"name='My bowl': must be in snake_case"):
        define("My bowl", 2, **BANANA)


@numba.njit
def length(x, y):
    point = np.empty(2)
    point[0], point[1] = x, y
    return (point * point).sum()


def test_what_only_numbas_further_passes_compile_may_be_used():
    length(1.0, 2.0)  # compiled before, with memory of its own

    def winding(x):
        shift, total = x[0], 0.0

        def squared(v):
            return v * v + shift

        for v in numba.literal_unroll((x[0], x[1])):
            total += squared(v) - shift
        return total + length(x[0], x[1])

    surface = define("winding", 2, value=winding, gradient=lambda x: (4 * x[0], 4 * x[1]))
    assert surface.value([3.0, 0.5]) == 18.5
