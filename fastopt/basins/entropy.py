"""Basin entropy: how far a map is from being foreseeable.

Sources
-------
A. Daza, A. Wagemakers, B. Georgeot, D. Guéry-Odelin, M. A. F. Sanjuán, "Basin entropy: a new
tool to analyze uncertainty in dynamical systems", Scientific Reports 6, 31416, 2016.

A. Puy, A. Daza, A. Wagemakers, M. A. F. Sanjuán, "A test for fractal boundaries based on the
basin entropy", Commun. Nonlinear Sci. Numer. Simul. 95, 105588, 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastopt.basins.estimate import Estimate, ratio
from fastopt.checks import real, whole

Labels = NDArray[np.int32]

# The mean entropy of a disc that is cut by a straight line at random (Puy et al.).
SMOOTH = 0.4395093
# Labels in memory at a time.
_ROOM = 1 << 22


@dataclass(frozen=True)
class FractalTest:
    """The test of Puy et al. (2021): is the boundary smooth?

    Attributes
    ----------
    entropy : Estimate
        The mean entropy of the discs that hold more than one label.
    expected : float
        What it is for a smooth boundary.
    discretisation : float
        How much higher it may be because a disc has few pixels.
    discs : int
        How many discs hold more than one label.
    fractal : bool
        Whether it is farther from what is expected than chance and pixels explain, at 95%.
        False where there is no boundary.
    """

    entropy: Estimate
    expected: float
    discretisation: float
    discs: int
    fractal: bool


def entropies(boxes: Labels) -> NDArray[np.float64]:
    """The entropy -sum p ln p of the labels in each row of *boxes* (m, count)."""
    m, count = boxes.shape
    ordered = np.sort(boxes, axis=1)
    begins = np.ones((m, count), np.bool_)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    places = np.flatnonzero(begins)
    share = np.diff(places, append=m * count) / count
    sums = np.bincount(places // count, weights=-share * np.log(share), minlength=m)
    return np.asarray(sums, np.float64)


def of_boxes(labels: Labels, box: int) -> NDArray[np.float64]:
    """The entropies of the square boxes that fit, (rows, columns)."""
    box = whole("entropy", "box", box, 2)
    rows, columns = labels.shape[0] // box, labels.shape[1] // box
    if not rows or not columns:
        raise ValueError(
            f"box={box}: must be <= {min(labels.shape)}, the shorter side of the map (entropy)"
        )
    found = np.empty((rows, columns))
    some = max(_ROOM // (box * box * columns), 1)
    for a in range(0, rows, some):
        part = labels[a * box : min(a + some, rows) * box, : columns * box]
        boxes = part.reshape(-1, box, columns, box).swapaxes(1, 2).reshape(-1, box * box)
        found[a : a + some] = entropies(boxes).reshape(-1, columns)
    return found


def basin_entropy(labels: Labels, box: int) -> Estimate:
    """S_b, the mean entropy of boxes of box x box pixels."""
    found = of_boxes(labels, box)
    return ratio(found, np.ones_like(found))


def boundary_entropy(labels: Labels, box: int) -> Estimate:
    """S_bb, the mean entropy of the boxes that hold more than one label."""
    found = of_boxes(labels, box)
    return ratio(found, (found > 0).astype(np.float64))


def fractal_test(labels: Labels, radius: float) -> FractalTest:
    """The test of a smooth boundary, in discs of *radius* pixels."""
    radius = real("fractal_test", "radius", radius, 2.0)
    reach = math.floor(radius)
    if 2 * reach + 1 > min(labels.shape):
        raise ValueError(
            f"radius={radius:g}: a disc must fit into the map of {labels.shape[0]} x "
            f"{labels.shape[1]} pixels (fractal_test)"
        )
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = dy**2 + dx**2 <= radius**2
    dy, dx = dy[inside], dx[inside]
    step = max(reach // 2, 1)
    ys, xs = (np.arange(reach, side - reach, step) for side in labels.shape)
    found = np.empty((len(ys), len(xs)))
    for k, y in enumerate(ys):
        found[k] = entropies(labels[y + dy, xs[:, None] + dx])
    entropy = ratio(found, (found > 0).astype(np.float64))
    # What discs of pixels may add at most: their approximation.
    bias = 0.224 * radius**-1.006
    smooth = entropy.low - bias <= SMOOTH <= entropy.high
    discs = int((found > 0).sum())
    return FractalTest(entropy, SMOOTH, bias, discs, bool(discs and not smooth))
