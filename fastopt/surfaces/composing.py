"""What every surface can do: make another one of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from fastopt.surfaces.base import Surface


class Composing:
    """Methods that make a new surface of this one.

    They nest: ``fo.Rosenbrock(10).rotated(Q).shifted(x0)``. All known of a surface goes over:
    minima, saddles, bounds and the usual start move with it, ``fun_min`` and the constants of
    curvature are scaled. A composed surface runs as fast as if it had been written by hand,
    and another shift, matrix, factor, seed or box compiles nothing anew.
    """

    def shifted(self: Any, x0: ArrayLike) -> Surface:
        """The surface moved by *x0*: f(x - x0).

        Parameters
        ----------
        x0 : array_like, shape (dim,), or float
            Where the origin moves to.

        Raises
        ------
        TypeError, ValueError
            *x0* is not a finite vector (dim,).

        Examples
        --------
        >>> import fastopt as fo
        >>> fo.Bowl().shifted([1.0, -2.0]).minima
        array([[ 1., -2.]])
        """
        from fastopt.surfaces.composed import Shifted

        return Shifted(self, x0)

    def rotated(self: Any, matrix: ArrayLike) -> Surface:
        """The surface turned by an orthogonal matrix Q: f(Q' x).

        A point p of the surface goes to Q p, and so do its minima. The bounds become the
        smallest box around the turned ones; ``separable`` becomes False.

        Parameters
        ----------
        matrix : array_like, shape (dim, dim)
            Q, a rotation or a reflection: Q'Q is the identity to 1e-9.

        Raises
        ------
        TypeError, ValueError
            The matrix is not (dim, dim), or not orthogonal: the message says by how much.

        Examples
        --------
        >>> import fastopt as fo
        >>> quarter_turn = [[0.0, -1.0], [1.0, 0.0]]
        >>> fo.Beale().rotated(quarter_turn).minima
        array([[-0.5,  3. ]])
        """
        from fastopt.surfaces.composed import Rotated

        return Rotated(self, matrix)

    def scaled(self: Any, value: float | None = None, x: ArrayLike | None = None) -> Surface:
        """The surface with its values times a factor, and its points moved outwards: c f(x / s).

        Parameters
        ----------
        value : float, optional
            c, > 0: the factor of the values.
        x : float or array_like, shape (dim,), optional
            s, > 0: the surface is so many times as wide, and its minima are as far out. Where
            it is not the same in all coordinates, ``strong_convexity`` and ``lipschitz`` are
            known only of a surface that curves alike in all directions, and otherwise left at
            0 and inf.

        Raises
        ------
        TypeError, ValueError
            Neither is given, or one is not positive and finite.

        Examples
        --------
        >>> import fastopt as fo
        >>> wide = fo.Himmelblau().scaled(value=0.5, x=10.0)
        >>> wide.value([0.0, 0.0]), wide.minima[0]
        (85.0, array([30., 20.]))
        """
        from fastopt.surfaces.composed import Stretched, Weighted

        if value is None and x is None:
            raise TypeError("scaled() needs value=, the factor of the values, or x=, of the points")
        surface = self if x is None else Stretched(self, x)
        return surface if value is None else Weighted(surface, value)

    def noisy(self: Any, std: float, seed: int = 0) -> Surface:
        """The surface with normal noise on its values; the gradient has none.

        The noise is a random field that never changes, as benchmarks of derivative-free
        methods have it: a function of the seed and of the point's coordinates to the last bit,
        independent between any two points. So a run depends neither on threads nor on the
        other runs, and asking twice gives the same value. In float32 the points, and so the
        noise, are others. Everything that the surface says of itself, ``fun_min`` and
        ``convex`` for instance, holds without the noise.

        Parameters
        ----------
        std : float
            The noise's standard deviation, >= 0.
        seed : int, default 0
            0 to 2**64 - 1.

        Raises
        ------
        TypeError, ValueError
            An argument is out of its range.

        Notes
        -----
        The noise is the first of the two normal numbers of
        ``fastopt.kernels.philox.normals``. Its words are Philox4x32-10 with the seed as
        key, chained over the coordinates: from four words 0, the two words of a coordinate's
        bits, low and high, are xored into the first two, and the four are enciphered.

        Examples
        --------
        >>> import fastopt as fo
        >>> noisy = fo.Bowl().noisy(std=0.1, seed=1)
        >>> noisy.value([2.0, 1.0]) == noisy.value([2.0, 1.0]) != 1.2
        True
        """
        from fastopt.surfaces.composed import Noisy

        return Noisy(self, std, seed)

    def boxed(self: Any, bounds: ArrayLike | None = None) -> Surface:
        """The surface with its coordinates constrained: each step is projected to a box.

        Whatever the rule, each new coordinate is clipped to the box. Only the point is: what a
        rule keeps besides, such as a velocity, is not, and neither is the point at which
        Nesterov's gradient is taken. A start outside is left where it is until the first step.

        ``value`` and ``gradient`` are those of the surface. At a bound the gradient need not
        vanish, so what :class:`fastopt.Stop` (``gradient=``) watches and ``runs.grad_norm``
        shows is the norm of x - P(x - g), with P the projection to the box: 0 exactly at the
        stationary points of the constrained problem, and the plain norm well inside.

        Known minima outside the box are dropped, and if none is left ``fun_min`` is nan; those
        on its border are not known. The box stays outermost: ``boxed().shifted(x0)`` shifts
        the box too, and a sum has the box of its terms.

        Parameters
        ----------
        bounds : array_like, shape (dim, 2) or (2,), optional
            Lowest and highest value of each coordinate; -inf and inf leave it open. By default
            the surface's own ``bounds``.

        Raises
        ------
        TypeError, ValueError
            The bounds have another shape, or one is above its other.

        Examples
        --------
        >>> import fastopt as fo
        >>> positive = fo.Bowl().shifted([-1.0, 3.0]).boxed([0.0, float("inf")])
        >>> runs = fo.run(fo.GradientDescent(0.4), positive, [5.0, 5.0])
        >>> runs.x, runs.success
        (array([0., 3.]), array(True))
        """
        from fastopt.surfaces.composed import Boxed

        return Boxed(self, bounds)

    def __add__(self: Any, other: Surface) -> Surface:
        from fastopt.surfaces.base import Surface
        from fastopt.surfaces.composed import Boxed
        from fastopt.surfaces.composed_sum import Sum

        if not isinstance(other, Surface):
            return NotImplemented
        if isinstance(other, Boxed):
            return (self + other.surface).boxed(other.box)
        return Sum(self, other)
