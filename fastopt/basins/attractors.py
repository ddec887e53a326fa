"""Attractors: where runs end, each described by a point, its kind, and what it is known as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIVERGED, UNRESOLVED = -1, -2
"""Labels of the starts that end at no attractor."""

KINDS = ("minimum", "saddle", "maximum", "flat", "cycle")
"""The kinds of attractors, in the order in which those that are not known are listed."""

_PIECE = 1 << 18
KNOWN = ("minima", "local_minima", "saddles")
"""The attributes of a surface that hold points it is known to be stationary at."""


@dataclass(frozen=True, eq=False)
class Attractors:
    """Where the runs of a map ended: k attractors, in an order that depends on them alone.

    First come those that the surface knows, in its order: minima, local minima, saddles; then
    the others by kind, value and coordinates.

    Attributes
    ----------
    points : numpy.ndarray, shape (k, dim)
        The known point; else, of all points that runs ended at, that of the least gradient;
        of a cycle its first point in lexicographic order.
    values : numpy.ndarray, shape (k,)
        The surface's values there; of a cycle the mean over its points.
    kinds : tuple of str
        ``minimum``, ``saddle``, ``maximum``, ``flat`` (a region of stationary points, or one
        where the gradient is below the limit of convergence all over) or ``cycle``.
    matched : tuple of str
        Which point of the surface it is, such as ``minima[0]``; empty where it is none.
    orbits : tuple of numpy.ndarray, shape (period, dim)
        The points of each cycle in their order; of the others the point alone.
    extents : tuple of numpy.ndarray, shape (m, dim)
        Of a flat region a point of each cell that runs ended in; of the others the point alone.
    cell : float
        The side of those cells.
    """

    points: NDArray[np.float64]
    values: NDArray[np.float64]
    kinds: tuple[str, ...]
    matched: tuple[str, ...]
    orbits: tuple[NDArray[np.float64], ...]
    extents: tuple[NDArray[np.float64], ...]
    cell: float

    def __len__(self) -> int:
        return len(self.points)

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which of them are flat regions."""
        return np.array([kind == "flat" for kind in self.kinds], np.bool_)

    @property
    def periods(self) -> NDArray[np.int64]:
        """The period of each, 1 but for cycles."""
        return np.array([len(orbit) for orbit in self.orbits], np.int64)

    def names(self) -> list[str]:
        """Each in a few words: ``minimum at (3, 2)``.

        Of more than three coordinates three are said that differ between the attractors.
        """
        texts, shown = [], self._told_apart()
        for kind, orbit in zip(self.kinds, self.orbits, strict=True):
            kind = f"cycle of {len(orbit)}" if kind == "cycle" else kind
            texts.append(
                f"{kind} {'around' if kind == 'flat' else 'at'} {say_point(orbit[0], shown)}"
            )
        return texts

    def _told_apart(self) -> NDArray[np.int64]:
        """The coordinates to say of each."""
        dim = self.points.shape[1]
        if dim <= 3 or len(self) < 2:
            return np.arange(min(dim, 3))
        spread = np.ptp(self.points, axis=0)
        varying = np.flatnonzero(spread > 1e-3 * spread.max())
        return varying[:3] if len(varying) else np.arange(3)

    def order(self) -> NDArray[np.int64]:
        """The numbers of these attractors in the order described above."""
        return np.array(sorted(range(len(self)), key=self._place), np.int64)

    def take(self, numbers: NDArray[np.int64]) -> Attractors:
        """Those of these numbers."""
        return Attractors(
            points=self.points[numbers],
            values=self.values[numbers],
            kinds=tuple(self.kinds[k] for k in numbers),
            matched=tuple(self.matched[k] for k in numbers),
            orbits=tuple(self.orbits[k] for k in numbers),
            extents=tuple(self.extents[k] for k in numbers),
            cell=self.cell,
        )

    def _place(self, k: int) -> tuple[Any, ...]:
        name, _, number = self.matched[k].rstrip("]").partition("[")
        if name:
            return (KNOWN.index(name), int(number))
        # Rounded, so that equal values of symmetric points are equal.
        value = float(f"{self.values[k]:.9g}")
        period = len(self.orbits[k])
        return (len(KNOWN), KINDS.index(self.kinds[k]), period, value, *self.points[k].tolist())


def joined(all_of: Sequence[Attractors], dim: int) -> Attractors:
    """Several one after the other, in *dim* coordinates."""
    return Attractors(
        points=np.concatenate([np.zeros((0, dim)), *(some.points for some in all_of)]),
        values=np.concatenate([np.zeros(0), *(some.values for some in all_of)]),
        kinds=tuple(kind for some in all_of for kind in some.kinds),
        matched=tuple(name for some in all_of for name in some.matched),
        orbits=tuple(orbit for some in all_of for orbit in some.orbits),
        extents=tuple(extent for some in all_of for extent in some.extents),
        cell=max((some.cell for some in all_of), default=0.0),
    )


def same_regions(found: Attractors, others: Attractors) -> NDArray[np.int64]:
    """For each flat region the one among *others* that it overlaps most; -1 where there is none.

    Two overlap where points of theirs are as near as those of touching cells can be.
    """
    from scipy.spatial import cKDTree

    numbers = np.full(len(found), -1)
    mine, some = np.flatnonzero(found.flat), np.flatnonzero(others.flat)
    if not len(mine) or not len(some):
        return numbers
    owner = np.repeat(some, [len(others.extents[k]) for k in some])
    tree = cKDTree(np.concatenate([others.extents[k] for k in some]))
    reach = 2 * max(found.cell, others.cell)
    for k in mine:
        apart, nearest = tree.query(found.extents[k], p=np.inf)
        near = owner[nearest[apart <= reach]]
        if len(near):
            numbers[k] = np.bincount(near).argmax()
    return numbers


def pieces(*arrays: NDArray[Any]) -> Iterator[Any]:
    """The same places of some arrays, so many at a time that temporary arrays are small."""
    flat = [array.reshape(-1) for array in arrays]
    for a in range(0, len(flat[0]), _PIECE):
        some = [array[a : a + _PIECE] for array in flat]
        yield some if len(some) > 1 else some[0]


def say_point(
    point: NDArray[np.float64], coordinates: Sequence[int] | NDArray[np.int64] = (0, 1, 2)
) -> str:
    """``(3, 2)``; of more than three coordinates only these: ``(x2 = 1, x4 = 0, ...)``."""
    digits, named = 4, list(coordinates) != list(range(len(coordinates)))
    scale = float(np.abs(point).max(initial=0.0))
    # What is 0 but for rounding shall look so.
    decimals = digits - 1 - int(np.floor(np.log10(scale))) if scale > 0 else 0
    rounded = np.round(point, decimals) + 0.0
    texts = [f"x{k + 1} = {rounded[k]:.{digits}g}" for k in coordinates if k < len(point)]
    shown = ", ".join(text if named else text.partition(" = ")[2] for text in texts)
    return f"({shown}{', ...' if len(point) > len(texts) else ''})"
