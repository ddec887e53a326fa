"""``fastopt.basin_map``: for each pixel of a window, where a run that starts there ends."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastopt import rules
from fastopt.basins import map_file
from fastopt.basins.attractors import DIVERGED, UNRESOLVED, Attractors, pieces
from fastopt.basins.fidelity import Fidelity, compare, match
from fastopt.basins.making import run_map
from fastopt.basins.measured import Measured
from fastopt.basins.plane import Plane, as_bounds, as_plane, as_shape
from fastopt.basins.running import Settings, check_rule
from fastopt.rules import Rule
from fastopt.stopping import Stop
from fastopt.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT_SHAPE = (1024, 1024)
"""Rows and columns of a map."""


@dataclass(frozen=True, repr=False, eq=False)
class BasinMap(Measured):
    """A map of basins of attraction; made by :func:`fastopt.basin_map`.

    Attributes
    ----------
    labels : numpy.ndarray of int32, shape (ny, nx)
        Where the run from each pixel's centre ended: the number of an attractor; -1 if it
        diverged, -2 if it ended nowhere within ``max_steps``. Rows from the lowest y up.
    steps : numpy.ndarray of int32 (int64 where ``max_steps`` asks for it), shape (ny, nx)
        After how many steps.
    fun : numpy.ndarray, shape (ny, nx)
        The value there.
    found : Attractors
        The attractors, with their kinds and known names.
    bounds : numpy.ndarray, shape (2, 2)
        Lowest and highest x, then y: the outer edges of the outer pixels.
    frame : numpy.ndarray, shape (3, dim)
        The origin and the directions of x and y.
    rule_text, surface_text : str
        The rule and the surface as text.
    settings : Settings
        How it was run.
    tolerance : float
        Ends within this of each other are one attractor.
    seconds, run_seconds : float
        Wall time of the whole, and of the runs alone.
    rule, surface : Rule, Surface or None
        None where the map was read from a file.
    share_run : float
        The share of the pixels that were run; in a refined map the others were filled in.
    """

    labels: NDArray[np.int32]
    steps: NDArray[Any]
    fun: NDArray[Any]
    found: Attractors
    bounds: NDArray[np.float64]
    frame: NDArray[np.float64]
    rule_text: str
    surface_text: str
    settings: Settings
    tolerance: float
    seconds: float = math.nan
    run_seconds: float = math.nan
    rule: Rule | None = field(default=None)
    surface: Surface | None = field(default=None)
    share_run: float = 1.0

    # -- what it holds -------------------------------------------------------------------

    @property
    def refined(self) -> bool:
        """Whether only what is near a boundary was run: see ``refine`` of ``basin_map``."""
        return self.share_run < 1

    def __repr__(self) -> str:
        rows, columns = self.shape
        title = f"{self.rule_text} on {self.surface_text}: {rows:,} x {columns:,} pixels"
        title += f", refined: {self.share_run:.1%} of them run" if self.refined else ""
        if len(title) > 80:
            title = title.replace(" on ", "\non ", 1)
        return f"{title}\n{self.fractions()}"

    # -- comparisons ---------------------------------------------------------------------

    def fidelity(self, reference: BasinMap | None = None, confidence: float = 0.95) -> Fidelity:
        """The share of starts that end where gradient flow ends.

        Parameters
        ----------
        reference : BasinMap, optional
            A map of the same window to compare with instead.
        confidence : float, default 0.95
            Of Wilson's interval.

        Raises
        ------
        ValueError
            The reference has another window or shape; or there is none, and this map was read
            from a file, which holds no rule to run.
        """
        if reference is None:
            reference = self._again(rules.get("gradient_flow"))
        self._check_same_window(reference)
        return compare(
            self.labels,
            self.found,
            reference.labels,
            reference.found,
            max(self.tolerance, reference.tolerance),
            confidence,
        )

    # -- more maps -----------------------------------------------------------------------

    def zoom(self, bounds: ArrayLike, shape: int | tuple[int, int] | None = None) -> BasinMap:
        """The map of another window of the same plane, run with the same settings.

        Parameters
        ----------
        bounds : array_like, shape (2, 2) or (2,)
            Lowest and highest x, then y.
        shape : int or (int, int), optional
            Rows and columns; by default those of this map.

        Raises
        ------
        ValueError
            The bounds are no window, or this map was read from a file.
        """
        checked = as_bounds(bounds, Plane(), self._surface())
        return self._again(self._rule(), checked, self.shape if shape is None else as_shape(shape))

    def _again(
        self,
        rule: Rule,
        bounds: NDArray[np.float64] | None = None,
        shape: tuple[int, int] | None = None,
    ) -> BasinMap:
        window = self.bounds if bounds is None else bounds
        surface = self._surface()
        return BasinMap(
            **run_map(rule, surface, self.frame, window, shape or self.shape, self.settings)
        )

    def wrong_share(self, full: BasinMap | None = None) -> float:
        """The share of the pixels of a refined map whose label is not that of the full map.

        Parameters
        ----------
        full : BasinMap, optional
            The map with every pixel run; by default it is made.

        Raises
        ------
        ValueError
            The full map has another window or shape; or there is none, and this map was read
            from a file.
        """
        if full is None:
            full = self._again(self._rule())
        self._check_same_window(full, "full")
        numbers = match(self.found, full.found, self.tolerance)
        # By label: diverged and unresolved stand at the end.
        translated = np.append(numbers, [UNRESOLVED, DIVERGED])
        wrong = sum(
            int(np.count_nonzero(translated[own] != theirs))
            for own, theirs in pieces(self.labels, full.labels)
        )
        return wrong / self.labels.size

    def _check_same_window(self, other: BasinMap, name: str = "reference") -> None:
        mine, theirs = ((m.shape, m.bounds.tolist(), m.frame.tolist()) for m in (self, other))
        if mine != theirs:
            raise ValueError(f"{name}: must have the window and the shape of this map")

    def _rule(self) -> Rule:
        if self.rule is None:
            raise ValueError(_NOT_IN_FILE)
        return self.rule

    def _surface(self) -> Surface:
        if self.surface is None:
            raise ValueError(_NOT_IN_FILE)
        return self.surface

    # -- pictures ------------------------------------------------------------------------

    def plot(self, contours: bool = False, title: str = "") -> Figure:
        """The map with axes, a legend of the shares, and a scale of the steps.

        Each basin has a hue, light where runs take few steps and dark where they take many;
        black diverged, grey ended nowhere. Minima are marked by stars, saddles by crosses,
        the points of cycles by diamonds.

        Parameters
        ----------
        contours : bool, default False
            Whether to draw those of the surface too.
        title : str, optional
            By default the rule and the surface.

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig("name.png")`` writes it, ``figure.axes[0]`` draws more into it.

        Raises
        ------
        ImportError
            matplotlib is not installed: ``pip install 'fastopt[plot]'``.
        """
        from fastopt.basins import picture

        return picture.plot(self, contours, title)

    def save_image(self, path: str | os.PathLike[str], marks: bool = True) -> None:
        """Write the map as a PNG picture of just its pixels, in the colours of :meth:`plot`.

        Parameters
        ----------
        path : str or path
            Ends in ``.png``.
        marks : bool, default True
            Whether to mark the attractors within the window by white dots.

        Raises
        ------
        ValueError
            The name does not end in ``.png``.
        OSError
            It cannot be written.
        """
        from fastopt.basins import picture

        picture.save_image(self, path, marks)

    # -- files ---------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the map to a ``.npz`` file, which :meth:`load` reads.

        It holds all arrays, and rule and surface as text.

        Raises
        ------
        ValueError
            The name does not end in ``.npz``.
        OSError
            It cannot be written.
        """
        map_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BasinMap:
        """Read a map that :meth:`save` wrote.

        Raises
        ------
        ValueError
            It is no map, damaged, or of another version.
        OSError
            It cannot be read.
        """
        return cls(**map_file.load(path))


_NOT_IN_FILE = (
    "a map that was read from a file knows its rule and its surface by name only: make it with "
    "fo.basin_map to run more of it"
)


def basin_map(
    rule: Rule,
    surface: Surface,
    bounds: ArrayLike | None = None,
    shape: int | tuple[int, int] = DEFAULT_SHAPE,
    *,
    slice: Plane | tuple[int, int] | None = None,
    max_steps: int = 10_000,
    stop: Stop = Stop(gradient=1e-8),  # noqa: B008 (immutable)
    tolerance: float | None = None,
    longest_cycle: int = 64,
    refine: bool = False,
    progressive: bool = False,
    dtype: DTypeLike = "float64",
    threads: int | None = None,
    progress: bool = False,
) -> Any:
    """Run *rule* on *surface* from every pixel of a window, and say where each run ends.

    The ends are grouped into attractors: those within *tolerance* of each other, and chains of
    such ends, are one. Attractors that the surface knows are named; minima, saddles, flat
    regions and cycles are told apart. The map depends on its arguments alone: not on threads,
    nor on the parts in which it is run.

    Parameters
    ----------
    rule : Rule
        With one value of each parameter, and without random numbers.
    surface : Surface
        Of two coordinates or more.
    bounds : array_like, shape (2, 2) or (2,), optional
        Lowest and highest x, then y; by default those of the surface.
    shape : int or (int, int), default (1024, 1024)
        Rows and columns of pixels, whose centres are the starts.
    slice : Plane or (int, int), optional
        Of a surface of more coordinates the plane to show, or just two coordinates; by
        default the first two, the others as at its minimum.
    max_steps : int, default 10,000
        The most steps that a run takes.
    stop : Stop, default ``Stop(gradient=1e-8)``
        When a run has converged.
    tolerance : float, optional
        In units of x; by default 1e-4 of the longest side of the surface's bounds, or twice
        ``stop.distance`` if that is more.
    longest_cycle : int, default 64
        The longest period of cycles that are looked for in the runs that do not converge,
        which are made a second time for it. 0: all of them are left unresolved.
    refine : bool, default False
        Whether to run only the pixels near boundaries: from every eighth pixel on, those that
        have one label all around them are filled in. Such a map says so (``refined``), and
        its ``wrong_share()`` measures how many pixels differ from the full map.
    progressive : bool, default False
        Whether to give previews: the result is then an iterator over the maps of 1/8, 1/4 and
        1/2 of the rows and columns, and the whole.
    dtype : {"float64", "float32"}, default "float64"
        Of the runs' arithmetic.
    threads : int, optional
        By default one for each processor that this process may use.
    progress : bool, default False
        Whether to show a bar on the terminal, if it takes longer than a second.

    Returns
    -------
    BasinMap
        Or, if *progressive*, an iterator over BasinMap.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind, shape or range; nothing has run then. Or the runs
        ended in more than four million places that are farther apart than the tolerance.
    MemoryError
        The map does not fit into the memory that is free.

    Notes
    -----
    A run that has not converged after ``max_steps``, but has come to rest (its last iterates
    are all within the tolerance of each other, and a Newton step from them is no longer than
    twice that), belongs to the minimum where it rests.

    Examples
    --------
    >>> import fastopt as fo
    >>> basins = fo.basin_map(fo.GradientDescent(0.01), fo.Himmelblau(), shape=64)
    >>> basins.attractors.round(3)
    array([[ 3.   ,  2.   ],
           [-2.805,  3.131],
           [-3.779, -3.283],
           [ 3.584, -1.848]])
    """
    settings = Settings(max_steps, stop, tolerance, longest_cycle, dtype, threads, progress)
    check_rule(rule, surface, "basin_map")
    plane = as_plane(slice)
    frame = plane.frame(surface)
    window, (rows, columns) = as_bounds(bounds, plane, surface), as_shape(shape)

    def make(shape: tuple[int, int]) -> BasinMap:
        return BasinMap(**run_map(rule, surface, frame, window, shape, settings, refine))

    if not progressive:
        return make((rows, columns))
    return (make((max(rows // part, 1), max(columns // part, 1))) for part in (8, 4, 2, 1))
