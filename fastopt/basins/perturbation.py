"""The smallest push that takes an attractor's runs to another basin.

Sources
-------
V. V. Klinshov, V. I. Nekorkin, J. Kurths, "Stability threshold approach for complex dynamical
systems", New J. Phys. 18, 013004, 2016: the distance from an attractor to the border of its basin.

L. Halekotte, U. Feudel, "Minimal fatal shocks in multistable complex networks", Scientific
Reports 10, 11783, 2020: the smallest push that leads out, and where to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Perturbation:
    """The smallest step within the plane of a map from each attractor to another basin.

    Attributes
    ----------
    length : numpy.ndarray, shape (k,)
        The distance to the nearest pixel of another label, in units of x; nan where the
        attractor is not within the map, inf where all the map is its basin. Of a cycle it is
        that from the nearest of its points within the map, of a flat region that from the
        point that stands for it. A rule with a memory is begun anew after the push.
    error : float
        Half a pixel's diagonal: the nearest point itself may be so much nearer or farther.
    target : numpy.ndarray, shape (k, dim)
        The centre of that pixel.
    label : numpy.ndarray of int32, shape (k,)
        Its label; -3 where there is none.
    """

    length: NDArray[np.float64]
    error: float
    target: NDArray[np.float64]
    label: NDArray[np.int32]


NOWHERE = -3
# Pixels whose distance is computed at a time.
_ROOM = 1 << 18


def minimal_perturbation(
    labels: NDArray[np.int32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    frame: NDArray[np.float64],
    orbits: tuple[NDArray[np.float64], ...],
    tolerance: float,
) -> Perturbation:
    """See :class:`Perturbation`; *x* and *y* are the centres of columns and rows."""
    origin, axes = frame[0], frame[1:]
    length = np.full(len(orbits), np.nan)
    target = np.full((len(orbits), frame.shape[1]), np.nan)
    label = np.full(len(orbits), NOWHERE, np.int32)
    pixel = [np.ptp(c) / max(len(c) - 1, 1) for c in (x, y)]
    for k, orbit in enumerate(orbits):
        for point in orbit:
            place = np.linalg.lstsq(axes.T, point - origin, rcond=None)[0]
            off = np.abs(origin + place @ axes - point).max()
            ends = zip((x, y), place, pixel, strict=True)
            if off > 2 * tolerance or not all(c[0] - p <= a <= c[-1] + p for c, a, p in ends):
                continue
            apart, row, column = _nearest(labels, k, x - place[0], y - place[1], axes @ axes.T)
            if np.isfinite(apart) and not apart >= length[k]:
                label[k] = labels[row, column]
                target[k] = origin + x[column] * axes[0] + y[row] * axes[1]
            length[k] = np.fmin(length[k], apart)
    error = float(np.linalg.norm(pixel * np.linalg.norm(axes, axis=1)) / 2)
    return Perturbation(length, error, target, label)


def _nearest(
    labels: NDArray[np.int32],
    own: int,
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    metric: NDArray[np.float64],
) -> tuple[float, int, int]:
    """Distance, row and column of the nearest pixel of another label; inf where there is none."""
    best, row, column = np.inf, 0, 0
    rows = max(_ROOM // len(u), 1)
    across = metric[0, 0] * u * u
    for a in range(0, len(v), rows):
        b = v[a : a + rows, None]
        square = across + 2 * metric[0, 1] * u * b + metric[1, 1] * b * b
        square[labels[a : a + rows] == own] = np.inf
        nearest = int(np.argmin(square))
        if square.flat[nearest] < best:
            best, row, column = square.flat[nearest], a + nearest // len(u), nearest % len(u)
    return float(np.sqrt(best)), row, column
