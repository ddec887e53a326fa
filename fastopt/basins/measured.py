"""What can be measured on a map of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.basins import dimension, entropy, wada
from fastopt.basins.attractors import Attractors
from fastopt.basins.dimension import Scaling
from fastopt.basins.entropy import FractalTest
from fastopt.basins.estimate import Estimate
from fastopt.basins.fractions import Fractions, count
from fastopt.basins.perturbation import Perturbation, minimal_perturbation
from fastopt.basins.plane import centres
from fastopt.basins.times import Times, times
from fastopt.basins.wada import WadaTest


class Measured:
    """The part of :class:`fastopt.BasinMap` that measures; it says what the attributes are."""

    labels: NDArray[np.int32]
    steps: NDArray[Any]
    found: Attractors
    bounds: NDArray[np.float64]
    frame: NDArray[np.float64]
    tolerance: float

    @property
    def attractors(self) -> NDArray[np.float64]:
        """One point of each attractor, (k, dim)."""
        return self.found.points

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each is: ``minimum``, ``saddle``, ``maximum``, ``flat`` or ``cycle``."""
        return self.found.kinds

    @property
    def matched(self) -> tuple[str, ...]:
        """Which point of the surface each is, such as ``minima[0]``; empty where it is none."""
        return self.found.matched

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.labels.shape

    @property
    def x(self) -> NDArray[np.float64]:
        """The horizontal coordinate of each column's centre, (nx,)."""
        return centres(self.bounds[0], self.shape[1])

    @property
    def y(self) -> NDArray[np.float64]:
        """The vertical coordinate of each row's centre, (ny,)."""
        return centres(self.bounds[1], self.shape[0])

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Width and height of a pixel, (2,)."""
        return np.diff(self.bounds)[:, 0] / self.shape[::-1]

    # -- measures ------------------------------------------------------------------------

    def fractions(self, confidence: float = 0.95) -> Fractions:
        """The share of each basin: see :class:`fastopt.basins.Fractions`.

        Parameters
        ----------
        confidence : float, default 0.95
            Of Wilson's intervals.
        """
        return Fractions(**count(self.labels, self.found, confidence))

    def times(self) -> Times:
        """How many steps the runs of each basin take: see :class:`fastopt.basins.Times`."""
        return times(self.labels, self.steps, self.found)

    def entropy(self, box: int = 5) -> Estimate:
        """Basin entropy S_b: the mean over boxes of -sum p ln p (Daza et al. 2016).

        Parameters
        ----------
        box : int, default 5
            The side of a box, in pixels, at least 2. p is a label's share of a box; diverged
            and unresolved count as labels.

        Returns
        -------
        Estimate
            With its jackknife error over 36 parts of the map.
        """
        return entropy.basin_entropy(self.labels, box)

    def boundary_entropy(self, box: int = 5) -> Estimate:
        """Boundary basin entropy S_bb: the mean over the boxes of more than one label.

        More than ln 2 shows a fractal boundary (Daza et al. 2016). Parameters and result are
        those of :meth:`entropy`; nan where there is no boundary.
        """
        return entropy.boundary_entropy(self.labels, box)

    def fractal_test(self, radius: float = 20.0) -> FractalTest:
        """Whether the boundary is smooth, by its entropy in discs (Puy et al. 2021).

        Parameters
        ----------
        radius : float, default 20
            Of the discs, in pixels, at least 2.
        """
        return entropy.fractal_test(self.labels, radius)

    def uncertainty_exponent(self) -> Scaling:
        """alpha: the share of starts that end elsewhere when moved by eps goes as eps**alpha.

        1 for a smooth boundary, less for a fractal one, whose dimension is 2 - alpha (Grebogi
        et al. 1983). Of maps of 64 pixels a side or more.
        """
        return dimension.uncertainty_exponent(self.labels)

    def box_dimension(self) -> Scaling:
        """The dimension of the boundary, by counting boxes. Of 64 pixels a side or more."""
        return dimension.box_dimension(self.labels)

    def wada_test(self, radius: int = 5, least: float = 0.01) -> WadaTest:
        """Whether every point of the boundary borders on all basins (Daza et al. 2018).

        Parameters
        ----------
        radius : int, default 5
            So many pixels, boundaries that are called the same may be apart.
        least : float, default 0.01
            Basins of a smaller share of the map take no part.
        """
        return wada.wada_test(self.labels, radius, least)

    def minimal_perturbation(self) -> Perturbation:
        """The smallest push from each attractor into another basin, within the map.

        It is the stability threshold of Klinshov et al. (2016), the minimal fatal shock of
        Halekotte and Feudel (2020): see :class:`fastopt.basins.Perturbation`.
        """
        return minimal_perturbation(
            self.labels,
            self.x,
            self.y,
            self.frame,
            self.found.orbits,
            self.tolerance,
        )
