"""The dimension of the boundary between basins, in two ways.

Sources
-------
C. Grebogi, S. W. McDonald, E. Ott, J. A. Yorke, "Final state sensitivity: an obstruction to
predictability", Physics Letters A 99(9), 415-418, 1983: the share of starts whose end changes
within a distance eps goes as eps**alpha, and the boundary's dimension is D = 2 - alpha.

K. Falconer, "Fractal Geometry", 3rd ed., Wiley, 2014, section 2.1: box counting.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastopt.basins.estimate import PARTS, Estimate, by_part, power_law

Labels = NDArray[np.int32]

# The longest distance, as a part of the shorter side.
_SHARE = 16


class Scaling(Estimate):
    """A power law fitted to counts at several distances; as a number, what was asked for.

    That is the exponent alpha of :meth:`fastopt.BasinMap.uncertainty_exponent`, and the
    dimension of :meth:`fastopt.BasinMap.box_dimension`.

    Parameters
    ----------
    asked : Estimate
        The number itself: value and error.
    exponent : Estimate
        The exponent, with the standard error of the fit.
    dimension : Estimate
        The dimension of the boundary that it means.
    pixels : numpy.ndarray of int64, shape (m,)
        The distances, in pixels.
    measured : numpy.ndarray, shape (m,)
        What was found at each: the share of uncertain starts, or the number of boxes.
    """

    exponent: Estimate
    dimension: Estimate
    pixels: NDArray[np.int64]
    measured: NDArray[np.float64]

    def __new__(
        cls,
        asked: Estimate,
        exponent: Estimate,
        dimension: Estimate,
        pixels: NDArray[np.int64],
        measured: NDArray[np.float64],
    ) -> Self:
        """As said above."""
        self = super().__new__(cls, asked.value, asked.error)
        self.exponent, self.dimension = exponent, dimension
        self.pixels, self.measured = pixels, measured
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        asked = Estimate(self.value, self.error)
        return asked, self.exponent, self.dimension, self.pixels, self.measured


def uncertainty_exponent(labels: Labels) -> Scaling:
    """alpha, from the pixels whose label differs at so many pixels' distance along an axis."""
    pixels = _distances(labels)
    found = np.array([_uncertain(labels, int(k)) for k in pixels])
    sums, weights = found.swapaxes(0, 1)
    exponent = power_law(pixels, sums, weights)
    shares = sums.sum(axis=1) / weights.sum(axis=1)
    meant = Estimate(2 - exponent.value, exponent.error)
    return Scaling(exponent, exponent, meant, pixels, shares)


def box_dimension(labels: Labels) -> Scaling:
    """D, from the number of boxes of each size that hold a piece of the boundary."""
    edge = boundary(labels)
    pixels = _distances(labels)
    counts = np.array([_boxes(edge, int(k)) for k in pixels])
    # Each part of the map is a share of the area; the number is that of the whole.
    weights = np.full(counts.shape, 1 / counts.shape[1])
    slope = power_law(pixels, counts, weights)
    dimension = Estimate(-slope.value, slope.error)
    return Scaling(dimension, slope, dimension, pixels, counts.sum(axis=1))


def boundary(labels: Labels) -> NDArray[np.bool_]:
    """The pixels that have a neighbour of another label, to the right or above."""
    edge = np.zeros(labels.shape, np.bool_)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    return edge


def _distances(labels: Labels) -> NDArray[np.int64]:
    shorter = min(labels.shape)
    if shorter < 4 * _SHARE:
        raise ValueError(
            f"a map of {labels.shape[0]} x {labels.shape[1]} pixels: must have {4 * _SHARE} or "
            "more a side to show how a boundary scales"
        )
    return 2 ** np.arange(int(np.log2(shorter / _SHARE)) + 1)


def _uncertain(labels: Labels, distance: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By part of the map, the starts that differ from one at *distance*, and all that could."""
    differing, possible = np.zeros((2, PARTS), np.int64)
    inside = slice(distance, -distance)
    for turn in (np.asarray, np.transpose):
        map_ = turn(labels)
        differs, looked_at = np.zeros((2, *map_.shape), np.bool_)
        differs[inside] = map_[inside] != map_[: -2 * distance]
        differs[inside] |= map_[inside] != map_[2 * distance :]
        looked_at[inside] = True
        differing += by_part(turn(differs))
        possible += by_part(turn(looked_at))
    return differing, possible


def _boxes(edge: NDArray[np.bool_], side: int) -> NDArray[np.int64]:
    """By part of the map, the boxes that hold a piece of the boundary, of those that fit."""
    rows, columns = edge.shape[0] // side, edge.shape[1] // side
    boxes = edge[: rows * side, : columns * side].reshape(rows, side, columns, side)
    held: NDArray[np.bool_] = boxes.any(axis=(1, 3))  # type: ignore[assignment]
    return by_part(held)
