"""Basins while a parameter of the rule runs through a range.

The attractors of each frame are matched to those of the frames before: the same known point of
the surface, or else, of the attractors of one period, those that moved the least.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.basins.attractors import Attractors
from fastopt.basins.fractions import CloudFractions, basin_fractions
from fastopt.basins.map import BasinMap, basin_map
from fastopt.basins.parameters import checked_over, make_rule
from fastopt.checks import real
from fastopt.rules import Rule
from fastopt.starts import Starts
from fastopt.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWNER = "continuation"
# How far an attractor may move from frame to frame, as a share of the surface's longest side.
_REACH = 0.02


@dataclass(frozen=True, repr=False)
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

    Examples
    --------
    >>> import fastopt as fo
    >>> made = fo.basins.continuation(
    ...     fo.GradientDescent, fo.Himmelblau(), {"learning_rate": [0.001, 0.01]}, shape=32
    ... )
    >>> made.share.shape
    (2, 6)
    """
    ((name, values),) = checked_over(rule_class, over, 1, _OWNER).items()
    fixed = dict(fixed or {})
    if name in fixed:
        raise ValueError(f"{name}: is in over= and in fixed= ({_OWNER})")
    if reach is None:
        reach = _REACH * float(np.ptp(surface.bounds, axis=1).max())
    reach = real(_OWNER, "reach", reach, 0.0)
    rules = [make_rule(rule_class, {name: float(v), **fixed}, _OWNER) for v in values]
    tracks = Tracks(reach)
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


class Tracks:
    """Attractors over frames: where each was last seen.

    Parameters
    ----------
    reach : float
        How far one may be from where it was last seen.
    """

    def __init__(self, reach: float):
        self._reach = reach
        self._all: list[Attractors] = []
        self._last: list[Attractors] = []

    @property
    def first(self) -> Attractors:
        """All attractors, each as it was first found."""
        return Attractors(
            points=np.concatenate([one.points for one in self._all]),
            values=np.concatenate([one.values for one in self._all]),
            kinds=tuple(one.kinds[0] for one in self._all),
            matched=tuple(one.matched[0] for one in self._all),
            orbits=tuple(one.orbits[0] for one in self._all),
        )

    def add(self, found: Attractors) -> NDArray[np.int64]:
        """The number of each attractor of the next frame; new ones get the next numbers."""
        from scipy.optimize import linear_sum_assignment

        ones = [found.take(np.array([k])) for k in range(len(found))]
        apart = np.array([[_apart(one, last) for last in self._last] for one in ones])
        apart = apart.reshape(len(ones), len(self._last))
        near = np.where(apart <= self._reach, apart, 1e3 * self._reach + 1.0)
        numbers = np.full(len(ones), -1)
        for k, number in zip(*linear_sum_assignment(near), strict=True):
            if apart[k, number] <= self._reach:
                numbers[k] = number
                self._last[number] = ones[k]
        for k in np.flatnonzero(numbers < 0):
            numbers[k] = len(self._all)
            self._all.append(ones[k])
            self._last.append(ones[k])
        return numbers


def _apart(one: Attractors, other: Attractors) -> float:
    """How far apart two attractors are; inf where they cannot be the same."""
    a, b = one.orbits[0], other.orbits[0]
    if len(a) != len(b) or (one.kinds[0] == "flat") != (other.kinds[0] == "flat"):
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
    arrays = {}
    for name in ("counts", "value", "low", "high"):
        own = getattr(frame, name)
        arrays[name] = np.zeros(len(found) + 2, own.dtype)
        arrays[name][numbers], arrays[name][-2:] = own[:-2], own[-2:]
    absent = np.setdiff1d(np.arange(len(found)), numbers)
    # A basin that no start was in has the upper end of one without starts.
    arrays["high"][absent] = _high_of_none(frame)
    return replace(frame, labels=labels, found=found, **arrays)


def _high_of_none(frame: CloudFractions) -> float:
    from fastopt.basins.estimate import wilson

    return float(wilson(np.zeros(1, np.int64), len(frame.labels), frame.confidence)[1][0])
