"""Basins while a parameter of the rule runs through a range.

The attractors of each frame are matched to those of the frames before: the same known point of
the surface, flat regions that overlap, or else, of the attractors of one period, those that moved
the least.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt import memory
from fastopt.basins.attractors import Attractors, joined, same_regions
from fastopt.basins.fractions import CloudFractions, basin_fractions, count
from fastopt.basins.map import DEFAULT_SHAPE, BasinMap, basin_map
from fastopt.basins.parameters import checked_fixed, checked_over, make_rule
from fastopt.basins.plane import as_shape
from fastopt.basins.running import Settings, as_starts, check_rule
from fastopt.checks import real
from fastopt.rules import Rule
from fastopt.starts import Starts
from fastopt.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWNER = "continuation"
# How far an attractor may move from frame to frame, as a share of the surface's longest side.
_REACH = 0.02


@dataclass(frozen=True, repr=False, eq=False)
class Continuation:
    """The basins at each value of a parameter; made by :func:`continuation`.

    Attributes
    ----------
    name : str
        The parameter.
    values : numpy.ndarray, shape (m,)
    found : Attractors
        All attractors of all frames, k of them, each as it was first found; the numbers are
        the same throughout.
    share, low, high : numpy.ndarray, shape (m, k + 2)
        The share of each basin in each frame and its interval, as in ``Fractions``.
    frames : tuple of BasinMap or CloudFractions
        The frames, their labels those numbers.
    """

    name: str
    values: NDArray[np.float64]
    found: Attractors
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    frames: tuple[Any, ...]

    def __repr__(self) -> str:
        lines = [f"{len(self.values)} values of {self.name}"]
        names = [*self.found.names(), "unresolved", "diverged"]
        lines += [
            f"{name:40}{own.min():9.2%} to {own.max():.2%}"
            for name, own in zip(names, self.share.T, strict=True)
        ]
        return "\n".join(lines)

    def plot(self, title: str = "") -> Figure:
        """The shares as bands over the parameter, in the colours of the maps.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from fastopt.basins import continuation_picture

        return continuation_picture.plot(self, title)

    def save_animation(self, path: str | os.PathLike[str], seconds: float = 0.15) -> None:
        """Write the maps one after the other as an animated GIF.

        Parameters
        ----------
        path : str or path
            Ends in ``.gif``.
        seconds : float, default 0.15
            For which each is shown.

        Raises
        ------
        ValueError
            The name does not end in ``.gif``, or the frames are no maps.
        ImportError
            Pillow is not installed, which comes with ``pip install 'fastopt[plot]'``.
        """
        from fastopt.basins import continuation_picture

        target = Path(path)
        if target.suffix.lower() != ".gif":
            raise ValueError(f"{os.fspath(path)}: must end in .gif (save_animation)")
        seconds = real("save_animation", "seconds", seconds, 0.0, inclusive=False)
        if not isinstance(self.frames[0], BasinMap):
            raise ValueError("save_animation: the frames are of a cloud; leave out starts=")
        continuation_picture.save_animation(self, target, seconds)


def continuation(
    rule_class: type[Rule],
    surface: Surface,
    over: Mapping[str, ArrayLike],
    starts: ArrayLike | Starts | None = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    reach: float | None = None,
    **settings: Any,
) -> Continuation:
    """Maps or fractions of basins at each value of one parameter, attractors matched.

    Parameters
    ----------
    rule_class : type
        E.g. ``fo.Momentum``.
    surface : Surface
    over : mapping of one name to array_like
        The values of one numeric parameter, in their order.
    starts : array_like, shape (..., dim), or Starts, optional
        A cloud of starts; without it, every frame is a map.
    fixed : mapping, optional
        Other parameters of the rule.
    reach : float, optional
        How far an attractor may move from one value to the next and still be the same; in
        units of x, by default 0.02 of the longest side of the surface's bounds.
    **settings
        Those of :func:`fastopt.basin_map`, or with *starts* of :func:`fastopt.basin_fractions`.

    Returns
    -------
    Continuation
        Which holds every frame: 16 bytes for each pixel, or 8 for each start of a cloud.

    Raises
    ------
    TypeError, ValueError
        As :func:`fastopt.basin_map` and :func:`fastopt.parameter_map`.
    MemoryError
        The frames are more than there is memory for; nothing has run then.

    Examples
    --------
    >>> import fastopt as fo
    >>> made = fo.basins.continuation(
    ...     fo.GradientDescent, fo.Himmelblau(), {"learning_rate": [0.001, 0.01]}, shape=32
    ... )
    >>> made.share.shape
    (2, 6)
    """
    checked = checked_over(rule_class, over, 1, _OWNER)
    fixed = checked_fixed(rule_class, fixed, checked, _OWNER)
    ((name, values),) = checked.items()
    rules = [make_rule(rule_class, {name: float(v), **fixed}, _OWNER) for v in values]
    check_rule(rules[0], surface, _OWNER)
    if settings.get("progressive"):
        raise ValueError(f"progressive=True: each frame must be one map; leave it out ({_OWNER})")
    if reach is None:
        reach = _REACH * float(np.ptp(surface.bounds, axis=1).max())
    reach = real(_OWNER, "reach", reach, 0.0)
    _require_memory(len(values), surface, starts, settings)
    tracks = Tracks(reach, surface.dim)
    frames: list[Any] = []
    for rule in rules:
        if starts is None:
            frame: Any = basin_map(rule, surface, **settings)
        else:
            frame = basin_fractions(rule, surface, starts, **settings)
        frames.append((frame, tracks.add(frame.found)))
    found = tracks.first
    finished = tuple(_renumbered(frame, numbers, found) for frame, numbers in frames)
    shares = [f if isinstance(f, CloudFractions) else f.fractions() for f in finished]
    share, low, high = (
        np.array([getattr(s, attribute) for s in shares]) for attribute in ("value", "low", "high")
    )
    return Continuation(name, values, found, share, low, high, finished)


def _require_memory(frames: int, surface: Surface, starts: Any, settings: dict[str, Any]) -> None:
    """Refuse more frames than there is memory for."""
    own = {f.name: settings[f.name] for f in fields(Settings) if f.name in settings}
    if starts is None:
        size = math.prod(as_shape(settings.get("shape", DEFAULT_SHAPE)))
        needed = size * Settings(**own).bytes_of_pixel
        what, remedy = f"{frames} maps of {size:,} pixels", "fewer values or a smaller shape="
    else:
        size = as_starts(starts, surface)[1]
        needed = size * Settings(**own).bytes_of_start
        what, remedy = f"{frames} times {size:,} starts", "fewer values or fewer starts"
    memory.require(frames * needed, what, f"give {remedy} ({_OWNER})")


class Tracks:
    """Attractors over frames: where each was last seen.

    Parameters
    ----------
    reach : float
        How far one may be from where it was last seen; flat regions must overlap instead.
    dim : int
        Number of coordinates.
    """

    def __init__(self, reach: float, dim: int):
        self._reach, self._dim = reach, dim
        self._all: list[Attractors] = []
        self._last: list[Attractors] = []

    @property
    def first(self) -> Attractors:
        """All attractors, each as it was first found."""
        return joined(self._all, self._dim)

    def add(self, found: Attractors) -> NDArray[np.int64]:
        """The number of each attractor of the next frame; new ones get the next numbers."""
        from scipy.optimize import linear_sum_assignment

        ones = [found.take(np.array([k])) for k in range(len(found))]
        numbers = self._add_flat(found)
        apart = np.array([[_apart(one, last) for last in self._last] for one in ones])
        apart = apart.reshape(len(ones), len(self._last))
        near = np.where(apart <= self._reach, apart, 1e3 * self._reach + 1.0)
        for k, number in zip(*linear_sum_assignment(near), strict=True):
            if apart[k, number] <= self._reach:
                numbers[k] = number
                self._last[number] = ones[k]
        for k in np.flatnonzero(numbers < 0):
            numbers[k] = len(self._all)
            self._all.append(ones[k])
            self._last.append(ones[k])
        return numbers

    def _add_flat(self, found: Attractors) -> NDArray[np.int64]:
        """The number of each flat region that overlaps one of before; -1 of all others.

        Where fewer runs end there, a region may be found in several pieces: all have its number.
        """
        numbers = same_regions(found, joined(self._last, self._dim))
        for number in np.unique(numbers[numbers >= 0]):
            pieces = found.take(np.flatnonzero(numbers == number))
            whole = np.concatenate(pieces.extents)
            self._last[number] = replace(pieces.take(np.zeros(1, np.int64)), extents=(whole,))
        return numbers


def _apart(one: Attractors, other: Attractors) -> float:
    """How far apart two attractors are; inf where they cannot be the same."""
    a, b = one.orbits[0], other.orbits[0]
    if len(a) != len(b) or one.flat[0] or other.flat[0]:
        return float("inf")
    if one.matched[0] or other.matched[0]:
        return 0.0 if one.matched[0] == other.matched[0] else float("inf")
    apart = np.abs(a[:, None] - b).max(axis=-1)
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max()))


def _renumbered(frame: Any, numbers: NDArray[np.int64], found: Attractors) -> Any:
    """The frame with the labels, and the order of attractors, of all frames."""
    # By label: diverged and unresolved stand at the end.
    labels = np.append(numbers, [-2, -1]).astype(np.int32)[frame.labels]
    if isinstance(frame, BasinMap):
        return replace(frame, labels=labels, found=found)
    return replace(frame, labels=labels, **count(labels, found, frame.confidence))
