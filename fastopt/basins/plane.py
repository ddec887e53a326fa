"""The plane that a map shows, and its pixels as starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import check_each, coordinates, whole
from fastopt.starts import Starts
from fastopt.surfaces import Surface

Floats = NDArray[np.float64]
_OWNER = "basin_map"
_MOST_PIXELS = 1 << 31


class Plane:
    """A plane through a point: where a map of a surface of many coordinates is cut.

    Point (a, b) of the plane is ``origin + a u + b v``.

    Parameters
    ----------
    point : array_like, shape (dim,), optional
        A point of the plane; by default the surface's first known minimum, else its usual
        start.
    axes : pair of int, optional
        Two coordinates, from 0, which are then a and b themselves; by default (0, 1).
    directions : array_like, shape (2, dim), optional
        Two vectors u and v instead of axes; a and b are 0 at the point, in units of their
        lengths.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.basins.Plane(axes=(0, 3))
    Plane(axes=(0, 3))
    """

    def __init__(
        self,
        point: ArrayLike | None = None,
        axes: Sequence[int] | None = None,
        directions: ArrayLike | None = None,
    ):
        if axes is not None and directions is not None:
            raise ValueError("slice: give axes= or directions=, and not both (Plane)")
        self.point = None if point is None else coordinates("Plane", None, point=point)[0]
        self.axes, self.directions = None, None
        if directions is not None:
            self.directions = np.array(directions, np.float64)
            if self.directions.ndim != 2 or len(self.directions) != 2:
                shape = self.directions.shape
                raise ValueError(f"directions has shape {shape}: must be (2, dim) (Plane)")
            if not np.isfinite(self.directions).all() or np.linalg.matrix_rank(self.directions) < 2:
                raise ValueError("directions: must be finite and not parallel (Plane)")
        else:
            self.axes = _checked_axes((0, 1) if axes is None else axes)

    def __repr__(self) -> str:
        given = {"point": self.point, "axes": self.axes, "directions": self.directions}
        texts = [
            f"{name}={value.tolist() if isinstance(value, np.ndarray) else value}"
            for name, value in given.items()
            if value is not None
        ]
        return f"Plane({', '.join(texts)})"

    def frame(self, surface: Surface) -> Floats:
        """The rows origin, u and v, (3, dim), on this surface."""
        dim = surface.dim
        if dim < 2:
            raise ValueError(
                f"{surface!r} has 1 coordinate: a map needs 2 or more; fo.basin_fractions takes "
                "starts in any number"
            )
        point = self.point
        if point is None:
            point = surface.minima[0] if len(surface.minima) else surface.usual_start
        if len(point) != dim:
            raise ValueError(
                f"slice: point has {len(point)} coordinates, but {surface!r} has {dim} ({_OWNER})"
            )
        if self.directions is not None:
            if self.directions.shape[1] != dim:
                raise ValueError(
                    f"slice: directions has shape {self.directions.shape}, but {surface!r} has "
                    f"{dim} coordinates: must be (2, {dim}) ({_OWNER})"
                )
            return np.stack([point, *self.directions])
        assert self.axes is not None
        if max(self.axes) >= dim:
            raise ValueError(
                f"slice: axes={self.axes}, but {surface!r} has {dim} coordinates: must be "
                f"from 0 to {dim - 1} ({_OWNER})"
            )
        frame = np.zeros((3, dim))
        frame[0] = point
        frame[0, list(self.axes)] = 0.0
        frame[[1, 2], self.axes] = 1.0
        return frame


def _checked_axes(axes: Any) -> tuple[int, int]:
    try:
        first, second = axes
    except (TypeError, ValueError):
        raise ValueError(f"axes={axes!r}: must be two coordinates, such as (0, 1)") from None
    pair = whole("Plane", "axes[0]", first, 0), whole("Plane", "axes[1]", second, 0)
    if pair[0] == pair[1]:
        raise ValueError(f"axes={pair}: must be two different coordinates (Plane)")
    return pair


def as_plane(value: Any) -> Plane:
    """What was given for ``slice=``."""
    if value is None:
        return Plane()
    return value if isinstance(value, Plane) else Plane(axes=value)


def as_bounds(value: ArrayLike | None, plane: Plane, surface: Surface) -> Floats:
    """The window (2, 2): lowest and highest a, then b."""
    if value is None:
        if plane.axes is None:
            raise ValueError(
                f"bounds: along directions= there are none by default; give bounds= ({_OWNER})"
            )
        return np.array(surface.bounds[list(plane.axes)])
    try:
        box = np.array(value)
    except ValueError:  # lists of different lengths
        raise ValueError(
            f"bounds={value!r}: must be (2, 2), lowest and highest x, then y ({_OWNER})"
        ) from None
    if box.dtype.kind not in "fiu":
        raise TypeError(f"bounds={value!r}: must be numbers ({_OWNER})")
    box = np.stack([box, box]) if box.shape == (2,) else box
    if box.shape != (2, 2):
        raise ValueError(
            f"bounds has shape {np.shape(box)}: must be (2, 2), lowest and highest x, then y "
            f"({_OWNER})"
        )
    box = box.astype(np.float64)
    fine = (np.abs(box) <= 1e300).all(axis=1) & (box[:, 0] < box[:, 1])
    check_each(
        _OWNER, fine, "must be finite, and the first lower than the second", bounds=_pairs(box)
    )
    return box


def _pairs(box: Floats) -> NDArray[Any]:
    pairs = np.empty(2, object)
    pairs[:] = [str(pair) for pair in box.tolist()]
    return pairs


def as_shape(value: Any) -> tuple[int, int]:
    """Rows and columns."""
    try:
        rows, columns = (value, value) if np.ndim(value) == 0 else value
    except (TypeError, ValueError):
        raise ValueError(f"shape={value!r}: must be (rows, columns) ({_OWNER})") from None
    shape = whole(_OWNER, "shape[0]", rows, 1), whole(_OWNER, "shape[1]", columns, 1)
    if shape[0] * shape[1] > _MOST_PIXELS:
        raise ValueError(f"shape={shape}: must be <= {_MOST_PIXELS:,} pixels ({_OWNER})")
    return shape


class Pixels(Starts):
    """The centres of the pixels of a map, row by row from the lowest.

    Parameters
    ----------
    frame : array, shape (3, dim)
        Origin and directions of the plane.
    bounds : array, shape (2, 2)
        The window.
    shape : pair of int
        Rows and columns.
    rows : pair of int
        The rows from the first to before the second.
    """

    frame: Floats
    bounds: Floats
    _parameters = ("frame", "bounds", "full", "rows")

    def __init__(self, frame: Floats, bounds: Floats, full: tuple[int, int], rows: tuple[int, int]):
        self._set(
            frame=frame, bounds=bounds, full=full, rows=rows,
            shape=(rows[1] - rows[0], full[1]), dim=frame.shape[1],
        )  # fmt: skip

    full: tuple[int, int]
    rows: tuple[int, int]

    def _fill(self, first: int, out: Floats) -> None:
        columns = self.full[1]
        number = np.arange(first, first + len(out))
        row = number // columns
        a = centres(self.bounds[0], columns)[number - row * columns]
        b = centres(self.bounds[1], self.full[0])[row + self.rows[0]]
        place(self.frame, a, b, out)


def place(frame: Floats, a: Floats, b: Floats, out: Floats) -> None:
    """The points of the plane at *a* and *b* (n,), into *out* (n, dim)."""
    origin, u, v = frame
    for k in range(out.shape[1]):
        if u[k] == 1.0 and v[k] == 0.0 and origin[k] == 0.0:
            out[:, k] = a
        elif u[k] == 0.0:
            out[:, k] = origin[k] + b * v[k]
        else:
            out[:, k] = origin[k] + a * u[k] + b * v[k]


def centres(ends: Floats, count: int) -> Floats:
    """The middles of *count* equal parts from ends[0] to ends[1]."""
    share = (np.arange(count) + 0.5) / count
    middles: Floats = ends[0] * (1.0 - share) + ends[1] * share
    return middles
