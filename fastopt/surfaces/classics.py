"""Classic test surfaces of any number of coordinates."""

from __future__ import annotations

import math

import numpy as np

from fastopt.kernels.elementary import cos, exp, sin
from fastopt.surfaces.base import check_dim
from fastopt.surfaces.coordinates import CoordinateSurface, separable_points

_TWO_PI = 2.0 * math.pi


class Sphere(CoordinateSurface):
    """The sphere: the sum of the squares.

    .. math:: f(x) = \\sum_i x_i^2, \\quad \\partial_i f = 2 x_i

    Convex quadratic; every eigenvalue is 2. Minimum 0 at 0.

    Parameters
    ----------
    dim : int, default 2
        Number of coordinates, >= 1.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Sphere(dim=3).value([1.0, 2.0, 3.0])
    14.0
    """

    name = "sphere"
    convex, separable = True, True
    strong_convexity, lipschitz = 2.0, 2.0

    def __init__(self, dim: int = 2):
        super().__init__(check_dim(Sphere, dim), [-5.12, 5.12], [[0.0]], 0.0)

    @staticmethod
    def terms(q, x, right, i, n):
        return (x * x,)

    @staticmethod
    def total(q, sums, n):
        return sums[0]

    @staticmethod
    def partial(q, shared, left, x, right, i, n):
        return 2.0 * x

    @staticmethod
    def second(q, shared, left, x, right, i, n):
        return 2.0


class Rosenbrock(CoordinateSurface):
    """Rosenbrock's function: a curved, narrow, nearly flat valley.

    .. math:: f(x) = \\sum_{i<n-1} 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2

    with the derivative -400 x_i (x_{i+1} - x_i²) - 2 (1 - x_i), where there is an x_{i+1},
    plus 200 (x_i - x_{i-1}²), where there is an x_{i-1}. Minimum 0 at (1, ..., 1); from 4
    coordinates on there is a second, local minimum near (-1, 1, ..., 1).

    Source: H. H. Rosenbrock, "An automatic method for finding the greatest or least value of
    a function", Computer Journal 3, 175-184, 1960, which starts from (-1.2, 1).

    Parameters
    ----------
    dim : int, default 2
        Number of coordinates, >= 2.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Rosenbrock().gradient([-1.0, 1.0])
    array([-4.,  0.])
    """

    name = "rosenbrock"

    def __init__(self, dim: int = 2):
        dim = check_dim(Rosenbrock, dim, least=2)
        start = np.resize([-1.2, 1.0], dim)
        super().__init__(dim, [-2.048, 2.048], [[1.0]], 0.0, usual_start=start)

    @staticmethod
    def terms(q, x, right, i, n):
        rise = right - x * x
        rest = 1.0 - x
        return (100.0 * (rise * rise) + rest * rest if i < n - 1.0 else 0.0,)

    @staticmethod
    def total(q, sums, n):
        return sums[0]

    @staticmethod
    def partial(q, shared, left, x, right, i, n):
        # Three products are fused, and what need not wait for the first does not: 27% of descent.
        by_right = 200.0 * (right - x * x)
        twice = x + x
        ahead = (twice - 2.0) - twice * by_right
        behind = 200.0 * (x - left * left)
        if i == 0.0:
            return ahead
        return ahead + behind if i < n - 1.0 else behind

    @staticmethod
    def second(q, shared, left, x, right, i, n):
        ahead = 1200.0 * (x * x) - 400.0 * right + 2.0
        if i == 0.0:
            return ahead
        return ahead + 200.0 if i < n - 1.0 else 200.0

    @staticmethod
    def mixed(q, shared, x, y, i, k, n):
        return -400.0 * x if k == i + 1.0 else 0.0


class Rastrigin(CoordinateSurface):
    """Rastrigin's function: a grid of local minima in a wide bowl.

    .. math::

        f(x) = 10 n + \\sum_i x_i^2 - 10 \\cos(2 \\pi x_i), \\quad
        \\partial_i f = 2 x_i + 20 \\pi \\sin(2 \\pi x_i)

    Minimum 0 at 0; local minima near every point of whole numbers, 11^n in the bounds, and
    saddles between them: listed up to 2 coordinates.

    Source: L. A. Rastrigin, "Systems of extremal control", Nauka, 1974; for n coordinates
    H. Mühlenbein, D. Schomisch, J. Born, Parallel Computing 17, 619-632, 1991.

    Parameters
    ----------
    dim : int, default 2
        Number of coordinates, >= 1.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Rastrigin(dim=3).value([0.0, 0.0, 0.0])
    0.0
    """

    name = "rastrigin"
    separable = True
    lipschitz = 2.0 + 40.0 * math.pi**2

    def __init__(self, dim: int = 2):
        dim = check_dim(Rastrigin, dim)
        right = [0.9949586376523348, 1.9899122337085495, 2.984855701039481]
        right += [3.9797838603007536, 4.974691390895051]
        tops = [0.5025460365546747, 1.5076407318703584, 2.512743318200085]
        tops += [3.517859138170441, 4.522993659584519]
        both = [0.0, *right, *np.negative(right)], [*tops, *np.negative(tops)]
        minima, saddles = separable_points(*both, dim)
        super().__init__(
            *(dim, [-5.12, 5.12], [[0.0]], 0.0), local_minima=minima[1:], saddles=saddles
        )

    @staticmethod
    def terms(q, x, right, i, n):
        return (x * x + 10.0 * (1.0 - cos(_TWO_PI * x)),)

    @staticmethod
    def total(q, sums, n):
        return sums[0]

    @staticmethod
    def partial(q, shared, left, x, right, i, n):
        return 2.0 * x + 10.0 * _TWO_PI * sin(_TWO_PI * x)

    @staticmethod
    def second(q, shared, left, x, right, i, n):
        return 2.0 + 10.0 * _TWO_PI * _TWO_PI * cos(_TWO_PI * x)


class Ackley(CoordinateSurface):
    """Ackley's function: ripples on a plain around one deep funnel.

    .. math::

        f(x) = -20 e^{-r/5} - e^{c} + 20 + e, \\quad
        r = \\sqrt{\\tfrac1n \\sum_i x_i^2}, \\quad c = \\tfrac1n \\sum_i \\cos(2 \\pi x_i)

    with the derivative 4 e^(-r/5) x_i/(n r) + 2 pi/n e^c sin(2 pi x_i). Minimum 0 at 0.

    Not smooth at 0: the surface has a cone there, so the gradient's norm goes to 4/sqrt(n)
    and not to 0, and no run that comes near converges by its gradient (stop by ``value`` or
    ``distance``). At 0 itself, where neither exists, gradient and Hessian are given as those
    of the surface without its cone: the gradient is 0.

    Source: D. H. Ackley, "A connectionist machine for genetic hillclimbing", Kluwer, 1987;
    for n coordinates T. Bäck, H.-P. Schwefel, Evolutionary Computation 1, 1-23, 1993.

    Parameters
    ----------
    dim : int, default 2
        Number of coordinates, >= 1.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Ackley().gradient([0.0, 0.0])
    array([0., 0.])
    """

    name = "ackley"
    kinks = "at 0, a cone"
    sums = 2
    shared = 3

    def __init__(self, dim: int = 2):
        super().__init__(check_dim(Ackley, dim), [-32.768, 32.768], [[0.0]], 0.0)

    @staticmethod
    def terms(q, x, right, i, n):
        return x * x, cos(_TWO_PI * x)

    @staticmethod
    def total(q, sums, n):
        # Grouped so that both brackets, and with them the value at 0, vanish exactly.
        funnel = 20.0 * (1.0 - exp(-0.2 * math.sqrt(sums[0] / n)))
        return funnel + (exp(1.0) - exp(sums[1] / n))

    @staticmethod
    def share(q, sums, n):
        r = math.sqrt(sums[0] / n)
        away = r if r > 0.0 else 1.0
        cone = 4.0 * exp(-0.2 * r) / (n * away) if r > 0.0 else 0.0
        bend = cone * (0.2 * r + 1.0) / (n * (away * away))
        return cone, _TWO_PI / n * exp(sums[1] / n), bend

    @staticmethod
    def partial(q, shared, left, x, right, i, n):
        cone, ripple, _ = shared
        return cone * x + ripple * sin(_TWO_PI * x)

    @staticmethod
    def second(q, shared, left, x, right, i, n):
        cone, ripple, bend = shared
        wave = sin(_TWO_PI * x)
        return (
            cone
            - bend * (x * x)
            + ripple * (_TWO_PI * cos(_TWO_PI * x) - wave * wave * (_TWO_PI / n))
        )

    @staticmethod
    def mixed(q, shared, x, y, i, k, n):
        _, ripple, bend = shared
        return -bend * (x * y) - ripple * (sin(_TWO_PI * x) * sin(_TWO_PI * y) * (_TWO_PI / n))
