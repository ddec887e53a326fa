"""Surfaces of two coordinates: polynomials with one minimum, and Himmelblau's with four."""

from __future__ import annotations

from fastopt.surfaces.base import PointSurface


class Bowl(PointSurface):
    """The elongated bowl x²/20 + y².

    .. math:: f(x, y) = x^2/20 + y^2, \\quad \\nabla f = (x/10, \\, 2y)

    Convex quadratic with eigenvalues 1/10 and 2. From (-7, 2), gradient descent zigzags along
    the valley and momentum does so less: the example of Saito, "Deep Learning from Scratch"
    (2016), section 6.1.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Bowl().value([2.0, 1.0])
    1.2
    >>> fo.Bowl().usual_start
    array([-7.,  2.])
    """

    name = "bowl"
    convex, separable = True, True
    strong_convexity, lipschitz = 0.1, 2.0

    def __init__(self) -> None:
        super().__init__(2, [-10.0, 10.0], [[0.0, 0.0]], 0.0, usual_start=[-7.0, 2.0])

    @staticmethod
    def kernel_value(q, x):
        x, y = x
        return x * x / 20.0 + y * y

    @staticmethod
    def kernel_gradient(q, x):
        x, y = x
        return x / 10.0, 2.0 * y

    @staticmethod
    def kernel_hessian(q, x):
        return 0.1, 0.0, 2.0


class Matyas(PointSurface):
    """Matyas's function: a convex valley along the diagonal.

    .. math:: f(x, y) = 0.26 (x^2 + y^2) - 0.48 xy

    The gradient is (0.52x - 0.48y, 0.52y - 0.48x). A quadratic with the eigenvalues 0.04 along
    (1, 1) and 1 along (1, -1), so of condition 25. Minimum 0 at 0.

    Source: J. Matyas, "Random optimization", Automation and Remote Control 26, 246-253, 1965.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Matyas().gradient([1.0, -1.0])
    array([ 1., -1.])
    """

    name = "matyas"
    convex = True
    strong_convexity, lipschitz = 0.04, 1.0

    def __init__(self) -> None:
        super().__init__(2, [-10.0, 10.0], [[0.0, 0.0]], 0.0, usual_start=[-8.0, 2.0])

    @staticmethod
    def kernel_value(q, x):
        x, y = x
        return 0.26 * (x * x + y * y) - 0.48 * (x * y)

    @staticmethod
    def kernel_gradient(q, x):
        x, y = x
        return 0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x

    @staticmethod
    def kernel_hessian(q, x):
        return 0.52, -0.48, 0.52


class Booth(PointSurface):
    """Booth's function: the squared residuals of two linear equations.

    .. math:: f(x, y) = (x + 2y - 7)^2 + (2x + y - 5)^2

    The gradient is (10x + 8y - 34, 8x + 10y - 38). A convex quadratic with the eigenvalues 2
    along (1, -1) and 18 along (1, 1). Minimum 0 at (1, 3).

    Source: M. Jamil, X.-S. Yang, "A literature survey of benchmark functions for global
    optimisation problems", Int. J. Mathematical Modelling and Numerical Optimisation 4,
    150-194, 2013, arXiv:1308.4008.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Booth().value([0.0, 0.0])
    74.0
    """

    name = "booth"
    convex = True
    strong_convexity, lipschitz = 2.0, 18.0

    def __init__(self) -> None:
        super().__init__(2, [-10.0, 10.0], [[1.0, 3.0]], 0.0)

    @staticmethod
    def kernel_value(q, x):
        x, y = x
        a = x + 2.0 * y - 7.0
        b = 2.0 * x + y - 5.0
        return a * a + b * b

    @staticmethod
    def kernel_gradient(q, x):
        x, y = x
        a = x + 2.0 * y - 7.0
        b = 2.0 * x + y - 5.0
        return 2.0 * (a + 2.0 * b), 2.0 * (2.0 * a + b)

    @staticmethod
    def kernel_hessian(q, x):
        return 10.0, 8.0, 10.0


class Himmelblau(PointSurface):
    """Himmelblau's function: four equal minima.

    .. math:: f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2

    With a = x² + y - 11 and b = x + y² - 7, the gradient is (4ax + 2b, 2a + 4by). The minima,
    all 0, are (3, 2) and three others, given here to the last bit; between them lie four
    saddles, and near (-0.27, -0.92) a maximum.

    Source: D. M. Himmelblau, "Applied Nonlinear Programming", McGraw-Hill, 1972.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Himmelblau().value([3.0, 2.0])
    0.0
    """

    name = "himmelblau"

    def __init__(self) -> None:
        minima = [
            [3.0, 2.0],
            [-2.805118086952745, 3.131312518250573],
            [-3.7793102533777469, -3.2831859912861694],
            [3.5844283403304917, -1.8481265269644036],
        ]
        saddles = [
            [-3.0730257507643897, -0.08135304428796751],
            [-0.12796134673068008, -1.9537149802445763],
            [0.08667750455539636, 2.884254701174776],
            [3.385154183607021, 0.07385187983774928],
        ]
        super().__init__(2, [-6.0, 6.0], minima, 0.0, usual_start=[0.0, 0.0], saddles=saddles)

    @staticmethod
    def kernel_value(q, x):
        x, y = x
        a = x * x + y - 11.0
        b = x + y * y - 7.0
        return a * a + b * b

    @staticmethod
    def kernel_gradient(q, x):
        x, y = x
        # Grouped so that few operations wait for one another: 15% of gradient descent.
        a = (y - 11.0) + x * x
        b = (x - 7.0) + y * y
        a, b = a + a, b + b
        return (a + a) * x + b, (b + b) * y + a

    @staticmethod
    def kernel_hessian(q, x):
        x, y = x
        xx = 12.0 * (x * x) + 4.0 * y - 42.0
        yy = 12.0 * (y * y) + 4.0 * x - 26.0
        return xx, 4.0 * (x + y), yy


class Beale(PointSurface):
    """Beale's function: a curved valley with steep walls at the corners of its domain.

    .. math::

        f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2

    With the three brackets a, b, c, the gradient is
    (2a(y - 1) + 2b(y² - 1) + 2c(y³ - 1), 2ax + 4bxy + 6cxy²). Its minimum is 0 at (3, 0.5),
    and its only other stationary points are two saddles, one of them (0, 1). It also falls
    towards 0 along y -> 1 as x -> -inf, so runs may go out there.

    Source: E. M. L. Beale, "On an iterative method of finding a local minimum of a function
    of more than one variable", Princeton Technical Report 25, 1958.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Beale().value([3.0, 0.5])
    0.0
    """

    name = "beale"

    def __init__(self) -> None:
        saddles = [[0.0, 1.0], [0.10053793732415836, -2.644513585023125]]
        super().__init__(2, [-4.5, 4.5], [[3.0, 0.5]], 0.0, usual_start=[1.0, 1.0], saddles=saddles)

    @staticmethod
    def kernel_value(q, x):
        x, y = x
        a = 1.5 - x + x * y
        b = 2.25 - x + x * (y * y)
        c = 2.625 - x + x * (y * y * y)
        return a * a + b * b + c * c

    @staticmethod
    def kernel_gradient(q, x):
        x, y = x
        y2 = y * y
        y3 = y2 * y
        a = 1.5 - x + x * y
        b = 2.25 - x + x * y2
        c = 2.625 - x + x * y3
        by_x = 2.0 * (a * (y - 1.0) + b * (y2 - 1.0) + c * (y3 - 1.0))
        by_y = 2.0 * x * (a + 2.0 * b * y + 3.0 * c * y2)
        return by_x, by_y

    @staticmethod
    def kernel_hessian(q, x):
        x, y = x
        y2, y3 = y * y, y * y * y
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y2, 2.625 - x + x * y3
        xx = (y - 1.0) * (y - 1.0) + (y2 - 1.0) * (y2 - 1.0) + (y3 - 1.0) * (y3 - 1.0)
        xy = x * (y - 1.0) + a + 2.0 * y * (x * (y2 - 1.0) + b) + 3.0 * y2 * (x * (y3 - 1.0) + c)
        yy = x * (x * (1.0 + 4.0 * y2 + 9.0 * (y2 * y2)) + 2.0 * b + 6.0 * (c * y))
        return 2.0 * xx, 2.0 * xy, 2.0 * yy
