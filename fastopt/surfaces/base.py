"""What a surface is, and how to add one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import whole
from fastopt.kernels.parts import KernelFunction, SurfaceParts
from fastopt.kernels.tile_functions import over_lanes
from fastopt.names import register
from fastopt.surfaces.composing import Composing
from fastopt.surfaces.ways import DIRECT, Way

if TYPE_CHECKING:
    from fastopt.noise import Noise
    from fastopt.rules import Rule

registry: dict[str, type[Surface]] = {}
# Those of :mod:`fastopt.ensembles`, a floor of its own, which are looked up here as well.
ensembles: dict[str, Any] = {}

# Beyond this many coordinates a point is no longer written out coordinate by coordinate: the
# compile time grows with it, and the gain of fusing is gone.
MOST_FUSED = 4
# A surface keeps some vectors as long as a point: a few GB of them.
MOST_DIM = 10**8


class Surface(Composing):
    """An objective function: value, gradient, Hessian, known minima, domain.

    Adding a surface is adding one subclass, in any module of ``fastopt.surfaces`` (found
    there by itself) or in a file of your own: of :class:`PointSurface` for a fixed small
    number of coordinates; for any number of coordinates of ``CoordinateSurface``, where they
    couple to their neighbours, through sums or through a product, or of ``BlockSurface``, where
    they couple in blocks; of ``FiniteSum`` for a mean of losses over the rows of a matrix. It
    has a ``name`` in snake_case and sets the attributes below.

    Attributes
    ----------
    name : str
    dim : int
        Number of coordinates.
    bounds : numpy.ndarray, shape (dim, 2)
        The usual domain: lowest and highest value of each coordinate.
    minima : numpy.ndarray, shape (k, dim)
        The known global minima in the bounds; k = 0 where none is known. Where there are more
        than a thousand, one of them.
    local_minima, saddles : numpy.ndarray, shape (k, dim)
        Other minima, and saddle points, that are known exactly; none where there are more
        than a thousand.
    fun_min : float
        The value at the minima; nan where unknown.
    usual_start : numpy.ndarray, shape (dim,)
        Where the literature starts from, else a corner of the bounds moved inwards.
    convex, separable : bool
        Convex everywhere; a sum of functions of one coordinate each.
    kinks : str
        Where the gradient does not exist or is infinite, in words; empty if it is smooth.
    smooth : bool
        Whether there are no kinks.
    unbounded : bool
        Whether the value has no lower bound outside the bounds.
    strong_convexity, lipschitz : float
        The largest mu for which f - mu/2 ||x||^2 is convex, 0 where there is none; the
        Lipschitz constant of the gradient, inf where there is none or none is known.
    box : numpy.ndarray, shape (dim, 2), or None
        The box that each step is projected to, where :meth:`boxed` made one.
    """

    name: str
    dim: int
    bounds: NDArray[np.float64]
    minima: NDArray[np.float64]
    local_minima: NDArray[np.float64]
    saddles: NDArray[np.float64]
    fun_min: float
    usual_start: NDArray[np.float64]
    convex: bool = False
    separable: bool = False
    kinks: str = ""
    unbounded: bool = False
    strong_convexity: float = 0.0
    lipschitz: float = float("inf")
    box: NDArray[np.float64] | None = None
    count: int | None = None  # an ensemble's is a number

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            register("surface", cls, registry)

    def __init__(
        self,
        dim: int,
        bounds: ArrayLike,
        minima: ArrayLike = (),
        fun_min: float = float("nan"),
        usual_start: ArrayLike | None = None,
        local_minima: ArrayLike = (),
        saddles: ArrayLike = (),
    ):
        """Set the attributes; *bounds* (2,) and points (k, 1) serve every coordinate."""
        self.dim = dim
        self.bounds = np.array(np.broadcast_to(bounds, (dim, 2)), np.float64)
        self.minima = _known_points(minima, dim)
        self.local_minima = _known_points(local_minima, dim)
        self.saddles = _known_points(saddles, dim)
        self.fun_min = float(fun_min)
        if usual_start is None:
            usual_start = self.bounds @ (0.75, 0.25)
        self.usual_start = np.array(np.broadcast_to(usual_start, dim), np.float64)
        for array in (self.bounds, self.usual_start):
            array.flags.writeable = False

    @property
    def minima_known(self) -> bool:
        """Whether there is a minimum to measure distances from."""
        return len(self.minima) > 0

    @property
    def smooth(self) -> bool:
        """Whether the gradient exists everywhere."""
        return not self.kinks

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The surface's own numbers, ``q`` in its kernel functions."""
        return np.zeros(0)

    def value(self, x: ArrayLike) -> Any:
        """The value at each point.

        Parameters
        ----------
        x : array_like, shape (..., dim)

        Returns
        -------
        float or numpy.ndarray, shape (...)

        Raises
        ------
        ValueError
            The last axis of *x* is not ``dim`` long.
        """
        from fastopt.survey import survey

        return survey(self, x).fun

    def gradient(self, x: ArrayLike) -> NDArray[np.float64]:
        """The gradient at each point.

        Parameters
        ----------
        x : array_like, shape (..., dim)

        Returns
        -------
        numpy.ndarray, shape (..., dim)

        Raises
        ------
        ValueError
            The last axis of *x* is not ``dim`` long.
        """
        from fastopt.survey import survey

        return survey(self, x, gradients=True).gradients

    def hessian(self, x: ArrayLike) -> NDArray[np.float64]:
        """The Hessian at each point.

        Parameters
        ----------
        x : array_like, shape (..., dim)

        Returns
        -------
        numpy.ndarray, shape (..., dim, dim)

        Raises
        ------
        ValueError
            The last axis of *x* is not ``dim`` long.
        NotImplementedError
            The surface gives none.
        """
        from fastopt.survey import hessians

        return hessians(self, x)

    def parts(self) -> SurfaceParts:
        """What the kernels compile."""
        raise NotImplementedError

    def way(self, path: str | None, rule: Rule, noise: Noise | None, each: int) -> Way:
        """How to run *rule* here, from *each* starts: *path*, or the cheapest.

        Raises
        ------
        ValueError
            There is no such way, or not for that rule or noise.
        """
        if path not in (None, DIRECT):
            raise ValueError(
                f"path={path!r}: must be None for {self!r}; only quadratics have several ways"
            )
        return Way(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def points(self, x: ArrayLike) -> NDArray[np.float64]:
        """*x* as an array (..., dim) of floats, or an error that names both lengths."""
        array = np.asarray(x)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"x has dtype {array.dtype}: must be real numbers")
        array = array.astype(np.float64, copy=False)
        if array.ndim == 0 or array.shape[-1] != self.dim:
            raise ValueError(
                f"x has shape {array.shape}: the last axis must be {self.dim} long, "
                f"the number of coordinates of {self!r}"
            )
        return array


def _known_points(points: ArrayLike, dim: int) -> NDArray[np.float64]:
    """Points (k, dim), from (k, 1) the same in every coordinate, read-only."""
    array = np.asarray(points, np.float64)
    array = array.reshape(-1, array.shape[-1]) if array.size else np.zeros((0, dim))
    array = np.array(np.broadcast_to(array, (len(array), dim)))
    array.flags.writeable = False
    return array


class PointSurface(Surface):
    """A surface of a fixed, small number of coordinates, at most 4.

    It defines, as plain functions of numbers that numba compiles, with *q* the tuple of
    ``numbers`` and *x* a tuple of ``dim`` numbers:

    ``kernel_value(q, x)``
        The value.
    ``kernel_gradient(q, x)``
        The tuple of the ``dim`` derivatives.
    ``kernel_hessian(q, x)`` (optional)
        The second derivatives: the lower triangle of the Hessian, row by row; of two
        coordinates ``(xx, xy, yy)``.
    """

    kernel_value: ClassVar[KernelFunction]
    kernel_gradient: ClassVar[KernelFunction]
    kernel_hessian: ClassVar[KernelFunction | None] = None

    def parts(self) -> SurfaceParts:
        cls = type(self)
        size = (self.dim, len(self.numbers))
        second = cls.kernel_hessian
        return SurfaceParts(
            label=self.name,
            source=cls,
            value=cls.kernel_value,
            gradient=cls.kernel_gradient,
            dim=self.dim,
            parameters=len(self.numbers),
            hessian=second and over_lanes("hessian", "h", second, *size),
        )


def check_dim(cls: type, dim: int, least: int = 1) -> int:
    """*dim* as an int, or an error that says what the surface takes."""
    return whole(cls.__name__, "dim", dim, least, MOST_DIM)
