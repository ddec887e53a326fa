"""Slow, plain oracles, written from the papers; they import nothing of fastopt.

Points are arrays (..., dim) of any float type, and every function works at that type. Sums run
over the coordinates in ascending order, so that results can be compared bit for bit.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import operator

import numpy as np

# -- update rules ------------------------------------------------------------------------
#
# Each is an endless sequence of iterates x_0, x_1, ... A learning rate may be a function of
# the step's index from 0. 1 - beta**t is taken in double precision, whatever the type.


def gradient_descent(gradient, x, learning_rate=0.01):
    """Cauchy (1847)."""
    for t in itertools.count():
        yield x
        x = x - _at(learning_rate, t) * gradient(x)


def momentum(gradient, x, learning_rate=0.01, momentum=0.9):
    """Sutskever et al. (2013), equations 1 and 2."""
    v = np.zeros_like(x)
    for t in itertools.count():
        yield x
        v = momentum * v - _at(learning_rate, t) * gradient(x)
        x = x + v


def ema_momentum(gradient, x, learning_rate=0.01, beta=0.9, debias=False):
    """The first moment of Kingma and Ba (2015), Algorithm 1, as the direction."""
    v = np.zeros_like(x)
    for t in itertools.count():
        yield x
        v = beta * v + (1 - beta) * gradient(x)
        v_hat = v / _one_minus_power(beta, t + 1) if debias else v
        x = x - _at(learning_rate, t) * v_hat


def nesterov(gradient, x, learning_rate=0.01, momentum=0.9):
    """Sutskever et al. (2013), equations 3 and 4."""
    v = np.zeros_like(x)
    for t in itertools.count():
        yield x
        v = momentum * v - _at(learning_rate, t) * gradient(x + momentum * v)
        x = x + v


def adagrad(gradient, x, learning_rate=0.01, eps=1e-10):
    """Duchi, Hazan and Singer (2011), Figure 1 with diagonal matrices."""
    total = np.zeros_like(x)
    for t in itertools.count():
        yield x
        g = gradient(x)
        total = total + g * g
        x = x - _at(learning_rate, t) * g / (np.sqrt(total) + eps)


def adadelta(gradient, x, learning_rate=1.0, rho=0.95, eps=1e-6):
    """Zeiler (2012), Algorithm 1."""
    mean_g, mean_dx = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count():
        yield x
        g = gradient(x)
        mean_g = rho * mean_g + (1 - rho) * (g * g)
        dx = -(np.sqrt(mean_dx + eps) / np.sqrt(mean_g + eps)) * g
        mean_dx = rho * mean_dx + (1 - rho) * (dx * dx)
        x = x + _at(learning_rate, t) * dx


def rmsprop(gradient, x, learning_rate=0.001, rho=0.9, eps=1e-8):
    """Tieleman and Hinton (2012), slide 29, with epsilon outside the root."""
    mean = np.zeros_like(x)
    for t in itertools.count():
        yield x
        g = gradient(x)
        mean = rho * mean + (1 - rho) * (g * g)
        x = x - _at(learning_rate, t) * g / (np.sqrt(mean) + eps)


def adam(gradient, x, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Kingma and Ba (2015), Algorithm 1."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in itertools.count():
        yield x
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (g * g)
        m_hat = m / _one_minus_power(beta1, t + 1)
        v_hat = v / _one_minus_power(beta2, t + 1)
        x = x - _at(learning_rate, t) * m_hat / (np.sqrt(v_hat) + eps)


def _at(learning_rate, t):
    return learning_rate(t) if callable(learning_rate) else learning_rate


def _one_minus_power(beta, t):
    # Not 1 - beta**t: where that is small, it has lost most of its digits.
    power = -np.expm1(t * np.log1p(np.float64(beta) - 1))
    return power.astype(np.asarray(beta).dtype)


def iterates(rule, gradient, x, steps, **parameters):
    """x_0 to x_steps of a rule, shape (steps + 1, ...); parameters rounded to the type of x."""
    call = inspect.signature(rule).bind(gradient, np.asarray(x), **parameters)
    call.apply_defaults()
    for name in list(call.arguments)[2:]:
        call.arguments[name] = _rounded(call.arguments[name], x.dtype.type)
    with np.errstate(all="ignore"):
        return np.array(list(itertools.islice(rule(*call.args, **call.kwargs), steps + 1)))


def _rounded(value, real):
    if isinstance(value, bool):
        return value
    return (lambda t: real(value(t))) if callable(value) else real(value)


# -- matrices ----------------------------------------------------------------------------
#
# BLAS and LAPACK round otherwise on each kind of processor, and so do powers of arrays: what
# is made with them is another test on another machine. Here is only what IEEE 754 fixes to
# the last bit, in one order.


def add_up(a):
    """The sum over the last axis, in ascending order."""
    return functools.reduce(operator.add, np.moveaxis(a, -1, 0))


def product(a, b):
    """a @ b of (..., n) and (n, m)."""
    return add_up(a[..., None, :] * b.T)


def rotation(dim, rng):
    """An orthogonal matrix of determinant 1 in no special direction: reflections in pairs."""
    turn = np.eye(dim)
    for _ in range(dim + dim % 2):
        v = rng.uniform(-1, 1, dim)
        turn = turn - 2 / add_up(v * v) * product(turn, v[:, None]) * v
    return turn


def geometric(low, high, count):
    """Numbers from low to high of about one ratio, of so few digits that all machines agree."""
    return np.geomspace(low, high, count).round(9)


def symmetric(eigenvalues, turn):
    """The matrix of these eigenvalues, whose eigenvectors are the columns of *turn*."""
    matrix = product(turn * eigenvalues, turn.T)
    return (matrix + matrix.T) / 2


# -- surfaces ----------------------------------------------------------------------------
#
# Values are analytic, so that an imaginary step gives their derivatives.


def bowl(x):
    return x[..., 0] * x[..., 0] / 20 + x[..., 1] * x[..., 1]


def bowl_gradient(x):
    return np.stack([x[..., 0] / 10, 2 * x[..., 1]], -1)


def sphere(x):
    return add_up(x * x)


def sphere_gradient(x):
    return 2 * x


class Quadratic:
    """(x - m)' A (x - m) / 2."""

    def __init__(self, matrix, minimizer):
        self.matrix, self.minimizer = np.asarray(matrix), np.asarray(minimizer)

    def gradient(self, x):
        away = x - self.minimizer.astype(x.dtype)
        return np.stack([add_up(row * away) for row in self.matrix.astype(x.dtype)], -1)

    def value(self, x):
        return add_up((x - self.minimizer.astype(x.dtype)) * self.gradient(x)) / 2


def rosenbrock(x):
    a, b = x[..., :-1], x[..., 1:]
    return add_up(100 * (b - a * a) ** 2 + (1 - a) ** 2)


def rosenbrock_gradient(x):
    a, b = x[..., :-1], x[..., 1:]
    g = np.zeros_like(x)
    g[..., :-1] += -400 * a * (b - a * a) - 2 * (1 - a)
    g[..., 1:] += 200 * (b - a * a)
    return g


def himmelblau(x):
    x, y = x[..., 0], x[..., 1]
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


def himmelblau_gradient(x):
    x, y = x[..., 0], x[..., 1]
    # The sums in the surface's order: in a chaotic iteration hitting steps hang on each bit.
    a, b = (y - 11) + x * x, (x - 7) + y * y
    return np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], -1)


def beale(x):
    x, y = x[..., 0], x[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def rastrigin(x):
    return 10 * x.shape[-1] + add_up(x * x - 10 * np.cos(2 * np.pi * x))


def ackley(x):
    n = x.shape[-1]
    r, c = np.sqrt(add_up(x * x) / n), add_up(np.cos(2 * np.pi * x)) / n
    return -20 * np.exp(-0.2 * r) - np.exp(c) + 20 + math.e


def styblinski_tang(x):
    return add_up(x**4 - 16 * x**2 + 5 * x) / 2


def derivative(function, x):
    """Derivatives by each coordinate (a new last axis), exact to rounding.

    f(x + ih) = f(x) + ih f'(x) + O(h²): no difference is taken, so h can be tiny.
    """
    h = 1e-30
    steps = 1j * h * np.eye(x.shape[-1])
    return np.stack([function(x + step).imag / h for step in steps], -1)


# -- stopping ----------------------------------------------------------------------------

CONVERGED, MAX_STEPS, DIVERGED = "CONVERGED", "MAX_STEPS", "DIVERGED"


def judge(points, *, gradient=None, value=None, distance=None, escape=1e10):
    """Where runs end, looking at every step: (status, step, x) of each.

    Parameters
    ----------
    points : array, shape (steps + 1, n, dim)
    gradient, value, distance : (function of points, limit), optional
        A run has converged where the function's norm, or the function, is at most the limit.
    """
    with np.errstate(all="ignore"):
        far = ~(np.abs(points) <= escape).all(-1)
        met = np.zeros_like(far)
        if gradient is not None:
            g = gradient[0](points)
            met |= np.sqrt(add_up(g * g)) <= gradient[1]
        for criterion in (value, distance):
            if criterion is not None:
                met |= criterion[0](points) <= criterion[1]
    ended = far | met
    ended[-1] = True
    steps = ended.argmax(0)
    runs = np.arange(points.shape[1])
    status = np.where(far, DIVERGED, np.where(met, CONVERGED, MAX_STEPS))[steps, runs]
    return status, steps, points[steps, runs]


def distance_to(minima):
    """The distance to the nearest of the minima (k, dim)."""
    return lambda x: np.min([np.sqrt(add_up((x - m) * (x - m))) for m in minima], axis=0)


# -- comparison --------------------------------------------------------------------------


def ulps_apart(a, b):
    """The largest difference of two (steps + 1, n, dim) trajectories, in ulps.

    An ulp is that of the largest coordinate that the run has had so far: rounding errors were
    made at that magnitude, and do not shrink when a number passes near 0.
    """
    size = np.maximum(np.abs(a), np.abs(b)).max(-1, keepdims=True)
    return float(np.max(np.abs(a - b) / np.spacing(np.maximum.accumulate(size, axis=0))))


def same_bits(a, b):
    """Whether two arrays have one type, one shape, and the same bits (nan equals nan)."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bool(np.all((a == b) & (np.signbit(a) == np.signbit(b)) | (a != a) & (b != b)))
