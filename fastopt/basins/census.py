"""The census: where runs end, whatever the order in which they come.

Each run that converged is entered at the cell (a cube, its side the *tolerance*) that it ended
in; cells that touch are one attractor. Ends within the tolerance of each other thus always go
to the same attractor, and ends more than twice as far apart, with none between them, never do.
Nothing else is kept of a run, so that a census takes no memory for each.

Where the ends cannot be located to the tolerance, because the gradient (or the value, if that is
what was asked for) stays below the limit of convergence over more than that, the region is *flat*:
ends there are entered at larger cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastopt.basins import curvature, cycles
from fastopt.basins.attractors import DIVERGED, KNOWN, UNRESOLVED, Attractors
from fastopt.basins.cells import Cells, components
from fastopt.runs import Runs, Status
from fastopt.surfaces import Surface

Entries: TypeAlias = NDArray[np.int32]
"""Where each run was entered, or its label where it is negative."""

Again: TypeAlias = Callable[[NDArray[np.int64], int], Runs]
"""Makes some runs of a batch again, by number, and records so many last iterates."""

# An entry is SORTS times the number of a cell, plus the sort of the cell.
_POINT, _FLAT, _CYCLE = range(3)
_SORTS = 3
# A degenerate minimum spreads its ends over less than this, in units of the tolerance.
_DEGENERATE = 100.0
# Numbers of iterates that are recorded at a time.
_ROOM = 1 << 22
# Entries that are labelled at a time.
_PIECE = 1 << 16


class Grouped(NamedTuple):
    """The attractors, and for each entry which one it belongs to."""

    attractors: Attractors
    label_of: NDArray[np.int32]

    def label(self, entries: Entries) -> None:
        """Turn entries (n,) into labels, in place."""
        # By label: diverged and unresolved stand at the end.
        table = np.append(self.label_of, [UNRESOLVED, DIVERGED]).astype(np.int32)
        for a in range(0, len(entries), _PIECE):  # NumPy makes an int64 of each
            # Wrapping is what negative indices do, in half of the time.
            entries[a : a + _PIECE] = table.take(entries[a : a + _PIECE], mode="wrap")


@dataclass
class Census:
    """Where runs on one surface end.

    Parameters
    ----------
    surface : Surface
    tolerance : float
        In units of x.
    limit : float
        The gradient norm at which runs have converged; 0 if that was not their criterion.
    spacing : float
        The distance between neighbouring starts: flat regions are as coarse as that.
    longest : int
        The longest period of cycles that is looked for; 0: no cycles, and no runs at rest.
    above : float, default 0.0
        How far above the least value runs have converged; 0 if that was not their criterion.
    """

    surface: Surface
    tolerance: float
    limit: float
    spacing: float
    longest: int
    above: float = 0.0
    _orbits: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    _links: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        dim = self.surface.dim
        self._reach = max(_DEGENERATE * self.tolerance, 2 * self.spacing)
        # The first coordinate of a cycle's cells is its period.
        self._cells = (
            Cells(dim, self.tolerance),
            Cells(dim, self._reach),
            Cells(dim + 1, self.tolerance),
        )

    # -- entering ------------------------------------------------------------------------

    def enter(self, runs: Runs, again: Again) -> Entries:
        """Enter a batch of runs (n,)."""
        if runs.status.any():
            entries = _BY_STATUS[runs.status]
        else:  # all converged, and a fifth of the labelling is saved
            entries = np.zeros(len(runs.status), np.int32)
        points = np.ascontiguousarray(runs.x, np.float64)
        norms = np.asarray(runs.grad_norm, np.float64)
        around: list[tuple[NDArray[np.int64], Entries]] = []
        if self.longest:
            lost = np.flatnonzero(runs.status == Status.MAX_STEPS)
            rows = max(_ROOM // (2 * self.longest + 1) // self.surface.dim, 1)
            for a in range(0, len(lost), rows):
                some = lost[a : a + rows]
                trajectory = again(some, 2 * self.longest + 1).trajectory
                assert trajectory is not None
                around.append(self._enter_lost(trajectory.astype(np.float64), some, entries))
        self._enter_points(points, norms, entries)
        for which, places in around:
            entries[which] = places
        return entries

    def _enter_points(
        self, points: NDArray[np.float64], norms: NDArray[np.float64], entries: Entries
    ) -> None:
        fine, coarse = self._cells[:2]
        known, all_ended = len(fine), entries.min(initial=0) >= 0
        fine.sort(points, entries)
        flat = self._are_flat(fine.centres[known:])
        in_flat = np.zeros(0, np.int64)
        if flat.any():
            all_ended = False
            new = np.flatnonzero(entries >= known)
            entries[new] = fine.drop(known, flat)[entries[new] - known]
            in_flat = new[entries[new] < 0]
        fine.tally(entries, norms, points)
        np.multiply(entries, _SORTS, out=entries, where=True if all_ended else entries >= 0)
        if len(in_flat):
            some, slopes = points[in_flat], norms[in_flat]
            places = np.zeros(len(some), np.int32)
            coarse.sort(some, places)
            coarse.tally(places, slopes, some)
            entries[in_flat] = _SORTS * places + _FLAT

    def _are_flat(self, centres: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether runs have converged all over a stretch of more than the tolerance."""
        least = self._least(self.tolerance)
        if not len(centres) or not least:
            return np.zeros(len(centres), np.bool_)
        # In the middle of a cell a narrow valley is not level.
        points = curvature.polished(self.surface, centres, self.tolerance, least)
        values = curvature.eigenvalues(self.surface, points, self.tolerance)
        flat: NDArray[np.bool_] = np.abs(values).min(axis=1) <= least
        return flat

    def _least(self, reach: float) -> float:
        """The curvature at which gradient or value reach their limit within *reach*."""
        return max(self.limit / reach, 2 * self.above / reach**2)

    def _enter_lost(
        self, trajectory: NDArray[np.float64], which: NDArray[np.int64], entries: Entries
    ) -> tuple[NDArray[np.int64], Entries]:
        """Mark the runs at rest as converged; enter those that cycle, and say where."""
        rounds = cycles.find(trajectory, self.tolerance)
        still = np.flatnonzero(rounds.size <= self.tolerance)
        still = still[curvature.settled(self.surface, trajectory[-1, still], self.tolerance)]
        entries[which[still]] = 0
        turning = np.flatnonzero(rounds.period)
        places = np.zeros(len(which), np.int32)
        for period in np.unique(rounds.period[turning]):
            some = np.flatnonzero(rounds.period == period)
            places[some] = self._enter_orbits(cycles.orbits(trajectory, some, int(period)))
        return which[turning], places[turning]

    def _enter_orbits(self, orbits: NDArray[np.float64]) -> Entries:
        n, period, dim = orbits.shape
        cells = self._cells[_CYCLE]
        points = np.empty((n, period, 1 + dim))
        # Far enough from each other that cells of two periods never touch.
        points[..., 0] = 3 * period * self.tolerance
        points[..., 1:] = orbits
        places = np.zeros(n * period, np.int32)
        cells.sort(points.reshape(-1, 1 + dim), places)
        places = places.reshape(n, period)
        for links in np.unique(places, axis=0).tolist():
            self._links.update(pairwise(links))
        # Of each first cell the first orbit in lexicographic order.
        order = np.lexsort((*orbits.reshape(n, -1).T[::-1], places[:, 0]))
        starts = np.unique(places[order, 0], return_index=True)[1]
        for k in order[starts]:
            place, orbit = int(places[k, 0]), orbits[k]
            if place not in self._orbits or _before(orbit, self._orbits[place]):
                self._orbits[place] = orbit.copy()
        return _SORTS * places[:, 0] + _CYCLE

    # -- grouping ------------------------------------------------------------------------

    def group(self) -> Grouped:
        """Join the cells that touch to attractors, and find out what these are."""
        sizes = [len(cells) for cells in self._cells]
        offsets = np.cumsum([0, *sizes])
        pairs = [
            cells.neighbours() + offset for cells, offset in zip(self._cells, offsets, strict=False)
        ]
        pairs.append(self._degenerate_pairs() + offsets[[_POINT, _FLAT]])
        if self._links:
            pairs.append(np.array(sorted(self._links)) + offsets[_CYCLE])
        labels = components(int(offsets[-1]), np.concatenate(pairs))
        found = self._describe(labels, offsets)
        order = found.order()
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order))
        label_of = np.zeros((max(sizes, default=0), _SORTS), np.int32)
        for sort, size in enumerate(sizes):
            label_of[:size, sort] = rank[labels[offsets[sort] : offsets[sort] + size]]
        return Grouped(found.take(order), label_of.reshape(-1))

    def _degenerate_pairs(self) -> NDArray[np.int64]:
        """Pairs of a cell and a flat one: both kinds may be around a degenerate minimum."""
        from scipy.spatial import cKDTree

        fine, coarse = self._cells[:2]
        if not len(fine) or not len(coarse):
            return np.zeros((0, 2), np.int64)
        near = cKDTree(fine.points).query_ball_tree(
            cKDTree(coarse.points), _DEGENERATE * self.tolerance, p=np.inf
        )
        pairs = [(k, other) for k, others in enumerate(near) for other in others]
        return np.array(pairs, np.int64).reshape(-1, 2)

    def _describe(self, labels: NDArray[np.int64], offsets: NDArray[np.int64]) -> Attractors:
        count = int(labels.max(initial=-1)) + 1
        points = np.zeros((count, self.surface.dim))
        kinds, matched = [""] * count, [""] * count
        orbits: list[NDArray[np.float64]] = [np.zeros(0)] * count
        ends = np.concatenate([cells.points for cells in self._cells[:2]])
        of_ends = labels[: len(ends)]
        norms = np.concatenate([cells.norms for cells in self._cells[:2]])
        best = np.lexsort((*ends.T[::-1], norms, of_ends))
        groups, first = np.unique(of_ends[best], return_index=True)
        points[groups] = ends[best[first]]
        for group, name, point in self._known(ends, of_ends):
            matched[group], points[group] = name, point
        is_wide = self._wide(ends, of_ends, labels[offsets[_FLAT] : offsets[_CYCLE]], count)
        flat_groups = set(labels[offsets[_FLAT] : offsets[_CYCLE]].tolist())
        for some, reach in (
            ([g for g in groups if g not in flat_groups], self.tolerance),
            ([g for g in groups if g in flat_groups], _DEGENERATE * self.tolerance),
        ):
            found = curvature.kinds(self.surface, points[some], reach, self._least(reach))
            for group, kind in zip(some, found, strict=True):
                known = matched[group].partition("[")[0]
                named = {"minima": "minimum", "local_minima": "minimum", "saddles": "saddle"}
                kinds[group] = "flat" if is_wide[group] else named.get(known, kind)
        for place in sorted(self._orbits):
            group, orbit = labels[offsets[_CYCLE] + place], self._orbits[place]
            if not kinds[group] or _before(orbit, orbits[group]):
                kinds[group], orbits[group], points[group] = "cycle", orbit, orbit[0]
        for group in groups:
            orbits[group] = points[group : group + 1]
        values = np.array([float(np.mean(self.surface.value(orbit))) for orbit in orbits])
        extents = [points[group : group + 1] for group in range(count)]
        for wide in np.flatnonzero(np.array(kinds) == "flat"):
            extent = ends[of_ends == wide]
            extents[wide] = extent[np.lexsort(extent.T[::-1])]
        names = tuple(kinds), tuple(matched)
        return Attractors(points, values, *names, tuple(orbits), tuple(extents), self._reach)

    def _known(
        self, ends: NDArray[np.float64], of_ends: NDArray[np.int64]
    ) -> list[tuple[int, str, NDArray[np.float64]]]:
        """Group, name and point of each known point that runs ended at, the first of each."""
        from scipy.spatial import cKDTree

        if not len(ends):
            return []
        tree = cKDTree(ends)
        found: dict[int, tuple[int, str, NDArray[np.float64]]] = {}
        limits = np.where(np.arange(len(ends)) < len(self._cells[_POINT]), 2.0, _DEGENERATE)
        for attribute in KNOWN:
            points = getattr(self.surface, attribute)
            if not len(points):
                continue
            apart, nearest = tree.query(points, p=np.inf)
            for k in np.flatnonzero(apart <= limits[nearest] * self.tolerance):
                group = int(of_ends[nearest[k]])
                found.setdefault(group, (group, f"{attribute}[{k}]", points[k]))
        return list(found.values())

    def _wide(
        self,
        ends: NDArray[np.float64],
        of_ends: NDArray[np.int64],
        flat: NDArray[np.int64],
        count: int,
    ) -> NDArray[np.bool_]:
        """Which groups are flat regions, not only a degenerate point."""
        low = np.full((count, self.surface.dim), np.inf)
        high = -low
        np.minimum.at(low, of_ends, ends)
        np.maximum.at(high, of_ends, ends)
        wide = np.zeros(count, np.bool_)
        wide[flat] = True
        with np.errstate(invalid="ignore"):
            wide &= (high - low).max(axis=1) > _DEGENERATE * self.tolerance
        return wide


_BY_STATUS = np.zeros(len(Status), np.int32)
_BY_STATUS[Status.DIVERGED] = DIVERGED
_BY_STATUS[Status.MAX_STEPS] = UNRESOLVED


def _before(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether *one* comes first in lexicographic order."""
    return one.ravel().tolist() < other.ravel().tolist()
