"""How runs on a surface are carried out: in which coordinates, and with which numbers.

Most surfaces have one way, :class:`Way` itself. A quadratic has several, and an ensemble of
them other numbers for each member.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import Floats
from fastopt.kernels.parts import SurfaceParts

if TYPE_CHECKING:
    from fastopt.surfaces.base import Surface

DIRECT = "direct"
"""The name of the one way of most surfaces."""


@dataclass
class Load:
    """What the runs of a slice need of the surface, or of some members of an ensemble.

    Attributes
    ----------
    numbers : numpy.ndarray, shape (k,)
        ``q`` of the kernel functions, if all runs share it.
    minima : numpy.ndarray, shape (m, dim)
        The known minima, in the tile's coordinates.
    given : numpy.ndarray, shape (own, members)
        ``q``, if each run has its own.
    """

    numbers: Floats
    minima: Floats
    given: Floats

    def enter(self, points: NDArray[Any], member: NDArray[np.int64]) -> NDArray[Any]:
        """The tile's coordinates of *points* (n, dim), each of one of the members loaded."""
        return points

    def leave(self, points: NDArray[Any], member: NDArray[np.int64]) -> NDArray[Any]:
        """The surface's coordinates of points in those of the tile."""
        return points


class Way:
    """One way to run on a surface.

    Attributes
    ----------
    name : str
        What a person calls it.
    parts : SurfaceParts
        What the kernels compile.
    apart : bool
        Whether the runs of a slice must be of one member.
    turned : bool
        Whether the tile's coordinates are the surface's after a rotation.
    member_bytes : int
        The memory that one member takes.
    """

    name = DIRECT
    apart = False
    turned = False
    member_bytes = 0

    def __init__(self, surface: Surface):
        self._surface = surface
        self.parts: SurfaceParts = surface.parts()

    def load(self, members: NDArray[np.int64]) -> Load:
        """What runs on these members need, of which each is there once."""
        surface = self._surface
        return Load(surface.numbers, surface.minima, np.zeros((0, 1)))
