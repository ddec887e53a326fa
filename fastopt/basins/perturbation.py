"""The smallest push that takes an attractor's runs to another basin."""

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
        attractor is not within the map or is a cycle, inf where all the map is its basin.
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


def minimal_perturbation(
    labels: NDArray[np.int32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    frame: NDArray[np.float64],
    attractors: NDArray[np.float64],
    periods: NDArray[np.int64],
    tolerance: float,
) -> Perturbation:
    """See :class:`Perturbation`; *x* and *y* are the centres of columns and rows."""
    origin, axes = frame[0], frame[1:]
    length = np.full(len(attractors), np.nan)
    target = np.full(attractors.shape, np.nan)
    label = np.full(len(attractors), NOWHERE, np.int32)
    pixel = [np.ptp(c) / max(len(c) - 1, 1) for c in (x, y)]
    for k, point in enumerate(attractors):
        place = np.linalg.lstsq(axes.T, point - origin, rcond=None)[0]
        off = np.abs(origin + place @ axes - point).max()
        inside = [c[0] - p <= a <= c[-1] + p for c, a, p in zip((x, y), place, pixel, strict=True)]
        if periods[k] > 1 or off > 2 * tolerance or not all(inside):
            continue
        u, v = np.meshgrid(x - place[0], y - place[1])
        metric = axes @ axes.T
        square = metric[0, 0] * u * u + 2 * metric[0, 1] * u * v + metric[1, 1] * v * v
        square[labels == k] = np.inf
        nearest = np.unravel_index(np.argmin(square), square.shape)
        length[k] = np.sqrt(square[nearest])
        if np.isfinite(length[k]):
            label[k] = labels[nearest]
            target[k] = origin + x[nearest[1]] * axes[0] + y[nearest[0]] * axes[1]
    error = float(np.linalg.norm(pixel * np.linalg.norm(axes, axis=1)) / 2)
    return Perturbation(length, error, target, label)
