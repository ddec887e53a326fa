"""The Wada test by merging: does every point of the boundary border on all basins?

Source
------
A. Daza, A. Wagemakers, M. A. F. Sanjuán, "Ascertaining when a basin is Wada: the merging
method", Scientific Reports 8, 9954, 2018. Basins are Wada if the boundary stays the same
whichever of them are merged into one. With all but one merged, what is left is the boundary
of that one, so that all these must be the same, to so many pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import real, whole


@dataclass(frozen=True)
class WadaTest:
    """What merging basins does to their boundary.

    Attributes
    ----------
    basins : tuple of int
        The labels that take part: those of the share asked for.
    radius : int
        So many pixels, along rows, columns and diagonals, two boundaries may be apart.
    share : float
        The share of the boundary's pixels that have the boundary of every basin within the
        radius.
    farthest : int
        The least radius at which that would be all of them; -1 where there are fewer than two
        basins.
    wada : bool
        Whether all of them do, and there are three basins or more.
    """

    basins: tuple[int, ...]
    radius: int
    share: float
    farthest: int
    wada: bool


def wada_test(labels: NDArray[np.int32], radius: int, least: float) -> WadaTest:
    """Test the basins that have a share of at least *least* of the map."""
    from scipy.ndimage import distance_transform_cdt

    radius = whole("wada_test", "radius", radius, 1)
    least = real("wada_test", "least", least, 0.0)
    values, counts = np.unique(labels, return_counts=True)
    basins = tuple(int(v) for v in values[counts >= least * labels.size])
    if len(basins) < 2:
        return WadaTest(basins, radius, np.nan, -1, False)
    edges = [_boundary(labels == basin) for basin in basins]
    union = np.logical_or.reduce(edges)
    apart = np.zeros(int(union.sum()), np.int64)
    for edge in edges:
        if not edge.any():
            return WadaTest(basins, radius, 0.0, max(labels.shape), False)
        distance = distance_transform_cdt(~edge, metric="chessboard")
        np.maximum(apart, distance[union], out=apart)
    farthest, share = int(apart.max()), float((apart <= radius).mean())
    return WadaTest(basins, radius, share, farthest, len(basins) > 2 and farthest <= radius)


def _boundary(basin: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels on both sides of a basin's boundary."""
    edge = np.zeros(basin.shape, np.bool_)
    across, along = basin[:, 1:] != basin[:, :-1], basin[1:] != basin[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= along
    edge[:-1] |= along
    return edge
