"""Forms of surfaces of any number of coordinates."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.kernels.blocks import block_functions
from fastopt.kernels.coordinates import (
    CoordinateFunctions,
    gradient_functions,
    hessian_function,
    point_functions,
    scratch_rows,
)
from fastopt.kernels.parts import KernelFunction, SurfaceParts
from fastopt.surfaces.base import MOST_FUSED, PointSurface, Surface

# More points than this nobody looks at, and to watch the distance from each takes time.
MOST_POINTS = 1000


class CoordinateSurface(Surface):
    """A surface of any number of coordinates, given coordinate by coordinate.

    Its value is a function of sums over the coordinates, and each derivative a function of
    its coordinate, the two neighbours, and the same sums. It defines, as plain functions of
    numbers that numba compiles, with *q* the tuple of ``numbers``, *i* the coordinate's
    index from 0 and *n* the number of coordinates, both as floats:

    ``terms(q, x, right, i, n)``
        The tuple of ``sums`` numbers of coordinate *x* and its right neighbour (itself for
        the last) that are summed; not needed where ``sums`` is 0.
    ``total(q, sums, n)``
        The value, from the sums.
    ``partial(q, shared, left, x, right, i, n)``
        The derivative by *x*, from it and its neighbours (itself at the ends).
    ``share(q, sums, n)``
        Where derivatives need the sums: the tuple ``shared`` of ``shared`` numbers, made from
        them once a point. Otherwise ``shared`` is ().
    ``second(q, shared, left, x, right, i, n)`` (optional)
        The second derivative by x. With it there is a Hessian.
    ``mixed(q, shared, x, y, i, k, n)``
        Where coordinates are coupled: the derivative by x, which is coordinate i, and by y,
        which is coordinate k > i, both as floats. Otherwise it is 0.
    ``factor(q, x, i, n)``
        Where the value has a product over the coordinates: the factor of coordinate x. One
        more number then ends ``sums``: the product; and one more ends ``shared``: in
        ``partial`` and ``second`` the product of the factors of all other coordinates than x,
        in ``mixed`` of all others than both. No division makes them, so factors may be 0.
    """

    sums: ClassVar[int] = 1
    shared: ClassVar[int] = 0
    terms: ClassVar[KernelFunction | None] = None
    total: ClassVar[KernelFunction]
    partial: ClassVar[KernelFunction]
    share: ClassVar[KernelFunction | None] = None
    second: ClassVar[KernelFunction | None] = None
    mixed: ClassVar[KernelFunction | None] = None
    factor: ClassVar[KernelFunction | None] = None

    def parts(self) -> SurfaceParts:
        cls = type(self)
        fused = self.dim <= MOST_FUSED
        functions = CoordinateFunctions(
            sums=cls.sums,
            shared=cls.shared,
            parameters=len(self.numbers),
            terms=cls.terms,
            total=cls.total,
            partial=cls.partial,
            share=cls.share,
            second=cls.second,
            mixed=cls.mixed,
            factor=cls.factor,
        )
        value, gradient = (
            point_functions(functions, self.dim) if fused else gradient_functions(functions)
        )
        return SurfaceParts(
            label=self.name,
            source=cls,
            value=value,
            gradient=gradient,
            dim=self.dim if fused else 0,
            hessian=hessian_function(functions) if cls.second else None,
            parameters=len(self.numbers),
            scratch=scratch_rows(functions, self.dim),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim})"


class BlockSurface(PointSurface):
    """A sum of one function over blocks of ``block`` coordinates, one after the other.

    The functions of a :class:`PointSurface`, ``kernel_value(q, x)``,
    ``kernel_gradient(q, x)`` and ``kernel_hessian(q, x)``, are those of a block, and *x* is
    the tuple of its ``block`` coordinates, at most 4.
    """

    block: ClassVar[int]

    def parts(self) -> SurfaceParts:
        if self.dim == self.block:
            return super().parts()
        cls = type(self)
        functions = block_functions(
            cls.kernel_value,
            cls.kernel_gradient,
            cls.kernel_hessian,
            cls.block,
            len(self.numbers),
        )
        return SurfaceParts(
            label=self.name,
            source=cls,
            value=functions["value"],
            gradient=functions["gradient"],
            dim=0,
            hessian=functions.get("hessian"),
            parameters=len(self.numbers),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim})"


def combinations(choices: ArrayLike, count: int) -> NDArray[np.float64]:
    """All points of *count* of the *choices* after another; none where they are too many.

    A choice is a number, or a block of coordinates.
    """
    blocks = np.asarray(choices, np.float64).reshape(np.shape(choices)[0], -1)
    # The logarithm, for the power of a large count takes long to write out.
    many = count * np.log(len(blocks)) > np.log(MOST_POINTS)
    points = [] if many else list(itertools.product(blocks, repeat=count))
    return np.array(points, np.float64).reshape(len(points), count * blocks.shape[1])


def separable_points(
    bottoms: ArrayLike, tops: ArrayLike, dim: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minima and saddles (k, dim) of a sum of one and the same function of each coordinate.

    The function's minima are *bottoms*, of which the first gives the first minimum, and its
    maxima are *tops*. None where they are too many.
    """
    flat = combinations([*np.asarray(bottoms), *np.asarray(tops)], dim)
    on_top = np.isin(flat, tops).sum(-1)
    return combinations(bottoms, dim), flat[(on_top > 0) & (on_top < dim)]
