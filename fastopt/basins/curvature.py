"""What kind of point runs end at, from the gradients around it.

The gradient is compared over a distance that is stated, not at a point: so a kink, where there
is no Hessian, has a curvature too, and so has a minimum like that of x⁴.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastopt.surfaces import Surface
from fastopt.survey import survey

Floats = NDArray[np.float64]

# Numbers in memory at a time.
_ROOM = 1 << 21


def hessians(surface: Surface, points: Floats, reach: float) -> Floats:
    """Differences of the gradient over *reach* to both sides, (n, dim, dim), made symmetric.

    A coordinate that stands at a side of the surface's box does not move: its row and column
    are those of a very steep wall.
    """
    n, dim = points.shape
    shifts = reach * np.eye(dim)
    matrices = np.empty((n, dim, dim))
    rows = max(_ROOM // (2 * dim * dim), 1)
    for a in range(0, n, rows):
        some = points[a : a + rows, None, :]
        ahead = survey(surface, some + shifts, gradients=True).gradients
        behind = survey(surface, some - shifts, gradients=True).gradients
        matrices[a : a + rows] = (ahead - behind) / (2 * reach)
    matrices = (matrices + matrices.swapaxes(1, 2)) / 2
    if surface.box is not None:
        low, high = surface.box.T
        held = (points <= low + reach) | (points >= high - reach)
        matrices[held[:, :, None] | held[:, None, :]] = 0.0
        run, coordinate = np.nonzero(held)
        matrices[run, coordinate, coordinate] = 1.0 / np.finfo(np.float64).eps
    return matrices


def eigenvalues(surface: Surface, points: Floats, reach: float) -> Floats:
    """The eigenvalues (n, dim), ascending, of :func:`hessians`; 0 where they are not finite."""
    values = np.linalg.eigvalsh(_finite(hessians(surface, points, reach)))
    return np.asarray(values, np.float64)


def _finite(array: Floats) -> Floats:
    """0 in all that belongs to a point of which a number is not finite."""
    fine = np.isfinite(array).all(axis=tuple(range(1, array.ndim)), keepdims=True)
    return np.where(fine, array, 0.0)


def polished(surface: Surface, points: Floats, reach: float, least: float) -> Floats:
    """The *points* moved to where they are stationary, if that is near: by two Newton steps.

    Not along directions whose curvature is at most *least*, and by at most twice *reach*.
    """
    for _ in range(2):
        slopes = survey(surface, points, gradients=True).gradients
        values, vectors = np.linalg.eigh(_finite(hessians(surface, points, reach)))
        along = np.einsum("nji,nj->ni", vectors, _finite(slopes))
        shares = np.divide(along, values, out=np.zeros_like(along), where=np.abs(values) > least)
        points = points - np.clip(np.einsum("nij,nj->ni", vectors, shares), -2 * reach, 2 * reach)
    return points


def settled(surface: Surface, points: Floats, reach: float) -> NDArray[np.bool_]:
    """Whether a minimum lies within twice *reach* of each point, by one Newton step."""
    slopes = survey(surface, points, gradients=True).gradients
    matrices = hessians(surface, points, reach)
    fine = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(slopes).all(axis=1)
    values, vectors = np.linalg.eigh(np.where(fine[:, None, None], matrices, 0.0))
    fine &= values[:, 0] > 0
    steps = np.einsum("nji,nj->ni", vectors[fine], slopes[fine]) / values[fine]
    fine[fine] = (np.abs(steps) <= 2 * reach).all(axis=1)
    return fine


def kinds(surface: Surface, points: Floats, reach: float, least: float) -> list[str]:
    """``minimum``, ``saddle`` or ``maximum``; ``flat`` where no curvature exceeds *least*."""
    values = eigenvalues(surface, points, reach)
    up, down = (values > least).any(axis=1), (values < -least).any(axis=1)
    names = np.array(["flat", "minimum", "maximum", "saddle"])
    return [str(name) for name in names[up + 2 * down]]
