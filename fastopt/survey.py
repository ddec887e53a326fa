"""Values and gradients of a surface at many points."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.kernels.block import build_evaluation
from fastopt.kernels.driver import build_survey
from fastopt.kernels.parts import NO_RULE
from fastopt.kernels.tile import aligned, lane_count, make_layout
from fastopt.surfaces import Surface


class Survey(NamedTuple):
    """What :func:`survey` found, in the shape of its points."""

    fun: Any
    gradients: NDArray[Any]


class Surveyor:
    """Evaluates one surface at one dtype; one for each thread, since its tile is scratch."""

    def __init__(self, surface: Surface, dtype: str):
        parts = surface.parts()
        self._evaluation = build_evaluation(parts, dtype)
        self._survey = build_survey(dtype)
        layout = make_layout(NO_RULE, parts.scratch, surface.dim, False)
        tile = aligned((layout.rows, lane_count(layout, dtype)), dtype)
        numbers = np.array(surface.numbers, dtype)
        self._arguments = (tile, layout, numbers, tile[:0], numbers[:0])

    def __call__(
        self,
        points: NDArray[Any],
        fun: NDArray[Any],
        norm: NDArray[Any],
        gradients: NDArray[Any] | None = None,
    ) -> None:
        """Write value and gradient norm at each of *points* (n, dim), C-contiguous."""
        if gradients is None:
            gradients = points[:0]
        self._survey.call(self._evaluation.address, *self._arguments, points, fun, norm, gradients)


def survey(surface: Surface, x: ArrayLike, gradients: bool = False) -> Survey:
    """Value, and if asked for gradient, at each point of *x*, shape (..., dim)."""
    array = surface.points(x)
    points = np.ascontiguousarray(array.reshape(-1, surface.dim))
    if not points.flags.writeable:
        points = points.copy()
    fun, norm = np.empty((2, len(points)))
    slopes = np.empty_like(points) if gradients else points[:0]
    Surveyor(surface, "float64")(points, fun, norm, slopes)
    shape = array.shape[:-1]
    values = fun.reshape(shape) if shape else fun.item()
    return Survey(values, slopes.reshape(array.shape) if gradients else slopes)
