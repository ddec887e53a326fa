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

from fastopt import memory
from fastopt.basins.estimate import Estimate, ratio
from fastopt.checks import real, whole

# Of memory for each pixel: SciPy's distances take most of them.
_BYTES = 22


@dataclass(frozen=True)
class WadaTest:
    """What merging basins does to their boundary.

    Attributes
    ----------
    basins : tuple of int
        The labels that take part: those of the share asked for.
    radius : int
        So many pixels, along rows, columns and diagonals, two boundaries may be apart.
    share : Estimate
        The share of the boundary's pixels that have the boundary of every basin within the
        radius, with its jackknife error over 36 parts of the map.
    farthest : int
        The least radius at which that would be all of them, to a pixel; -1 where there are
        fewer than two basins.
    wada : bool
        Whether all of them do, and there are three basins or more.
    """

    basins: tuple[int, ...]
    radius: int
    share: Estimate
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
        return WadaTest(basins, radius, Estimate(np.nan, np.nan), -1, False)
    memory.require(
        _BYTES * labels.size, f"a Wada test of {labels.size:,} pixels", "test a smaller map"
    )
    union = np.zeros(labels.shape, np.bool_)
    for basin in basins:
        union |= _boundary(labels == basin)
    near, farthest = union.copy(), 0
    for basin in basins:  # whose boundary is found once more, rather than kept
        apart = distance_transform_cdt(~_boundary(labels == basin), metric="chessboard")
        farthest = max(farthest, int(apart[union].max()))
        near &= apart <= radius
    share = ratio(near, union)
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
