"""Values and gradients of a surface at many points."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.kernels.block import build_evaluation, build_hessian
from fastopt.kernels.parts import HESSIAN, NO_RULE, SurfaceParts
from fastopt.kernels.survey import build_hessian_survey, build_survey
from fastopt.kernels.tile import group_lanes, lane_count, make_layout
from fastopt.surfaces import Surface


class Survey(NamedTuple):
    """What :func:`survey` found, in the shape of its points."""

    fun: Any
    gradients: NDArray[Any]


class Surveyor:
    """Evaluates surfaces of these parts in *dim* coordinates, at one dtype.

    Of a boxed surface the gradient is the projected one.
    """

    def __init__(self, parts: SurfaceParts, dim: int, dtype: str):
        self._evaluation = build_evaluation(parts, dtype)
        self._survey = build_survey(dtype)
        self._layout = make_layout(NO_RULE, parts.scratch, dim, False, given=parts.own)
        lanes = lane_count(self._layout, dtype, group_lanes(NO_RULE, parts, dtype))
        self.tile_shape = (self._layout.rows, lanes)

    def __call__(
        self,
        tile: NDArray[Any],
        numbers: NDArray[Any],
        given: NDArray[Any],
        which: NDArray[np.int64],
        points: NDArray[Any],
        fun: NDArray[Any],
        norm: NDArray[Any],
        gradients: NDArray[Any] | None = None,
    ) -> None:
        """Write value and gradient norm at each of *points* (n, dim), C-contiguous.

        The surface's *numbers* are those of all points, or each point has the column of
        *given* (own, m) that *which* (n,) says. The *tile*, of :attr:`tile_shape`, is scratch.
        """
        self._survey.call(
            self._evaluation.address,
            tile,
            self._layout,
            numbers,
            tile[:0],
            tile[:0],
            given,
            which,
            points,
            fun,
            norm,
            points[:0] if gradients is None else gradients,
        )


def survey(surface: Surface, x: ArrayLike, gradients: bool = False) -> Survey:
    """Value, and if asked for gradient, at each point of *x*, shape (..., dim)."""
    array = surface.points(x)
    points = np.ascontiguousarray(array.reshape(-1, surface.dim))
    if not points.flags.writeable:
        points = points.copy()
    fun, norm = np.empty((2, len(points)))
    slopes = np.empty_like(points) if gradients else points[:0]
    parts = dataclasses.replace(surface.parts(), boxed=False)
    surveyor = Surveyor(parts, surface.dim, "float64")
    numbers, tile = np.array(surface.numbers, np.float64), np.empty(surveyor.tile_shape)
    surveyor(tile, numbers, np.zeros((0, 1)), np.zeros(0, np.int64), points, fun, norm, slopes)
    shape = array.shape[:-1]
    values = fun.reshape(shape) if shape else fun.item()
    return Survey(values, slopes.reshape(array.shape) if gradients else slopes)


def hessians(surface: Surface, x: ArrayLike) -> NDArray[np.float64]:
    """The Hessian at each point of *x*, shape (..., dim)."""
    parts, dim = surface.parts(), surface.dim
    if parts.hessian is None:
        raise NotImplementedError(f"{surface!r} has no Hessian")
    array = surface.points(x)
    points = np.array(array.reshape(-1, dim), order="C")
    layout = make_layout(HESSIAN, parts.scratch_for(hessian=True), dim, False)
    lanes = lane_count(layout, "float64", group_lanes(HESSIAN, parts, "float64"))
    tile = np.empty((layout.rows, lanes))
    numbers, triangles = np.array(surface.numbers), np.empty((len(points), dim * (dim + 1) // 2))
    build_hessian_survey("float64").call(
        build_hessian(parts, "float64").address,
        *(tile, layout, numbers, tile[:0], tile[:0], points, triangles),
    )
    matrices = np.empty((len(points), dim, dim))
    rows, columns = np.tril_indices(dim)
    matrices[:, rows, columns] = matrices[:, columns, rows] = triangles
    return matrices.reshape(*array.shape, dim)
