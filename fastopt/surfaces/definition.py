"""Surfaces given by plain functions."""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Callable, Mapping
from functools import cache as memoise
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError
from numpy.typing import ArrayLike

from fastopt.checks import whole
from fastopt.kernels.block import block_signature
from fastopt.kernels.compile import (
    ByDtype,
    UnknownValueError,
    fingerprint,
    from_source,
    specialise,
)
from fastopt.kernels.expressions import as_tuple
from fastopt.kernels.parts import KernelFunction, SurfaceParts
from fastopt.kernels.tile_functions import over_lanes, tile_functions
from fastopt.surfaces.base import MOST_FUSED, Surface
from fastopt.surfaces.domains import MOST_COORDINATES, checked_domain, checked_name
from fastopt.surfaces.probing import refuse_wrong_slopes

Function = Callable[..., Any]


class Defined(Surface):
    """A surface given by plain functions; :func:`fastopt.surfaces.define` makes it."""

    def __init__(
        self,
        name: str,
        dim: int,
        value: Function,
        gradient: Function,
        hessian: Function | None = None,
        bounds: ArrayLike = (-10.0, 10.0),
        minima: ArrayLike | None = None,
        fun_min: float | None = None,
        usual_start: ArrayLike | None = None,
        kinks: str = "",
        check: bool = True,
    ):
        self.name = checked_name("define", name)
        owner = f"define({name!r})"
        dim = whole(owner, "dim", dim, 1, MOST_COORDINATES)
        given = {"value": value, "gradient": gradient, "hessian": hessian}
        self._functions = {
            kind: _plain(owner, kind, function)
            for kind, function in given.items()
            if function is not None or kind != "hessian"
        }
        _refuse_changed(owner, self._functions)
        self.kinks = kinks
        super().__init__(**checked_domain(owner, dim, bounds, minima, usual_start, fun_min))
        self._parts = _parts(name, dim, *self._functions.values())
        _refuse_uncompilable(owner, self._parts, self._functions, dim)
        if fun_min is None and len(self.minima):
            self.fun_min = float(self.value(self.minima).min())
        if check:
            refuse_wrong_slopes(owner, self)

    def parts(self) -> SurfaceParts:
        return self._parts

    def __reduce__(self) -> tuple[Any, ...]:
        functions = (*self._functions.values(), None)[:3]
        about = (self.bounds, self.minima, self.fun_min, self.usual_start, self.kinks)
        return Defined, (self.name, self.dim, *functions, *about, False)

    def __repr__(self) -> str:
        return f"define({self.name!r}, {self.dim})"


def define(
    name: str,
    dim: int,
    *,
    value: Function,
    gradient: Function,
    hessian: Function | None = None,
    bounds: ArrayLike = (-10.0, 10.0),
    minima: ArrayLike | None = None,
    fun_min: float | None = None,
    usual_start: ArrayLike | None = None,
    kinks: str = "",
    check: bool = True,
) -> Defined:
    """A surface from plain functions of a point.

    They are compiled by numba into the kernels, so they hold what it compiles without
    allocating: arithmetic, conditions, loops, functions of :mod:`math` and other functions of
    that kind; no arrays, lists or strings. What else they use, such as a global number, is a
    constant: to change it, define them anew. ``math.exp`` and its like work but are slow, as a
    loop that calls them is not vectorised; ``exp``, ``log``, ``sin`` and ``cos``, imported by
    name from :mod:`fastopt.kernels.elementary`, are up to ten times as fast, and so is a
    condition written as ``a if test else b``.

    Parameters
    ----------
    name : str
        In snake_case. A name can be used again.
    dim : int
        Number of coordinates, 1 to 50. For more, subclass
        :class:`fastopt.surfaces.CoordinateSurface`.
    value : callable
        ``value(x)``: a number. *x* is a tuple of *dim* numbers.
    gradient : callable
        ``gradient(x)``: a tuple of *dim* numbers.
    hessian : callable, optional
        ``hessian(x)``: a tuple of *dim* tuples of *dim* numbers, of which those of the lower
        triangle are used. Without it rules that need a Hessian cannot run.
    bounds : array_like, shape (2,) or (dim, 2), default (-10, 10)
        The usual domain: lowest and highest value of each coordinate, or of all.
    minima : array_like, shape (k, dim), optional
        The known global minima.
    fun_min : float, optional
        The value at the minima. By default the least value there, nan where none are given.
    usual_start : array_like, shape (dim,), optional
        By default a corner of the bounds moved inwards.
    kinks : str, default ""
        Where the gradient does not exist or is infinite, in words.
    check : bool, default True
        Compare the gradient with differences of values, and the Hessian with differences of
        gradients, at a few points inside the bounds.

    Raises
    ------
    ValueError
        A gradient or a Hessian that disagrees with the differences: the point and both
        numbers are named. A function whose globals changed after it was compiled. An argument
        out of its range or of the wrong shape.
    TypeError
        A function that numba cannot compile, or that returns another number of numbers.

    Examples
    --------
    >>> import fastopt as fo
    >>> def value(x):
    ...     x, y = x
    ...     return (1 - x) ** 2 + 100 * (y - x * x) ** 2
    >>> def gradient(x):
    ...     x, y = x
    ...     slope = 200 * (y - x * x)
    ...     return 2 * (x - 1) - 2 * x * slope, slope
    >>> banana = fo.surfaces.define("banana", 2, value=value, gradient=gradient)
    >>> banana.gradient([-1.0, 1.0])
    array([-4.,  0.])
    """
    about = (bounds, minima, fun_min, usual_start, kinks, check)
    return Defined(name, dim, value, gradient, hessian, *about)


def _plain(owner: str, kind: str, function: Any) -> types.FunctionType:
    if isinstance(function, Dispatcher):  # compiled by the user with flags of their own
        function = function.py_func
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"{kind}={function!r}: must be a plain Python function ({owner})")
    return function


_stamps: dict[Function, str] = {}


def _refuse_changed(owner: str, functions: Mapping[str, Function]) -> None:
    """Refuse a function that was compiled before, and would now be another.

    A global that it uses is a constant of its machine code.
    """
    for kind, function in functions.items():
        try:
            stamp = fingerprint(function)
        except UnknownValueError:
            continue
        if _stamps.setdefault(function, stamp) != stamp:
            raise ValueError(
                f"{kind}: something that {function.__qualname__} uses has changed since it was "
                f"compiled; run the definition of {function.__qualname__} again ({owner})"
            )


# -- what the kernels compile ------------------------------------------------------------

# A function may return whole numbers, or in single precision double ones.
_number = ByDtype("number", float64=lambda a: np.float64(a), float32=lambda a: np.float32(a))


@memoise
def _parts(
    name: str, dim: int, value: Function, gradient: Function, hessian: Function | None = None
) -> SurfaceParts:
    row = as_tuple(f"a{i}" for i in range(dim))
    square = as_tuple(as_tuple(f"a{i}_{k}" for k in range(dim)) for i in range(dim))
    triangle = [f"a{i}_{k}" for i in range(dim) for k in range(i + 1)]
    value_at = _at_point("value", value, "a", ["a"])
    gradient_at = _at_point("gradient", gradient, row, [f"a{i}" for i in range(dim)])
    hessian_at = hessian and _at_point("hessian", hessian, square, triangle)
    fused = dim <= MOST_FUSED
    return SurfaceParts(
        label=name,
        source=value,
        value=value_at if fused else over_lanes("value", "f", value_at, dim, 0),
        gradient=gradient_at if fused else over_lanes("gradient", "g", gradient_at, dim, 0),
        dim=dim if fused else 0,
        hessian=hessian_at and over_lanes("hessian", "h", hessian_at, dim, 0),
    )


def _at_point(name: str, function: Function, found: str, kept: list[str]) -> KernelFunction:
    results = [f"number({item})" for item in kept]
    returned = results[0] if name == "value" else as_tuple(results)
    source = f"def {name}(q, x):\n    {found} = given(x)\n    return {returned}\n"
    return from_source(name, source, given=function, number=_number)


def _refuse_uncompilable(
    owner: str, parts: SurfaceParts, functions: Mapping[str, Function], dim: int
) -> None:
    """Infer the types of each function by itself, so that an error says which one it is."""
    matrix, _, vector, *_ = block_signature("float64").args
    returns = {
        "value": "a number",
        "gradient": f"a tuple of {dim} numbers",
        "hessian": f"a tuple of {dim} tuples of {dim} numbers",
    }
    for kind, function in functions.items():
        out = vector if kind == "value" else matrix
        try:
            compiled = specialise(tile_functions(parts)[kind], "float64")
            compiled.compile((vector, matrix, out, matrix, numba.types.int64))
        except (NumbaError, TypeError, IndexError) as error:
            raise TypeError(
                f"{kind}: numba cannot compile {function.__qualname__}: "
                f"{_reason(error, function)}\nIt takes a tuple of {dim} numbers and returns "
                f"{returns[kind]}; it may use arithmetic and functions of math, but no arrays "
                f"or lists ({owner})"
            ) from None


# What numba's messages go on with: alternatives, and the way to the cause.
_AROUND = ("During", "There are", "File ", "raised from")


def _reason(error: Exception, function: Function) -> str:
    """What numba says that is of use: the innermost cause, and where it is."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Failed in nopython mode")]
    cause = itertools.takewhile(lambda line: not line.startswith(_AROUND), lines)
    text = " ".join(cause) or type(error).__name__
    file = function.__code__.co_filename
    line = re.search(rf" at {re.escape(file)} \((\d+)\)", str(error))
    return f"{text} ({file}, line {line[1]})" if line else text
