"""Steps of the sign of the gradient."""

from __future__ import annotations

from fastopt.kernels.choices import sign
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    parameter,
)


class SignSGD(Rule):
    """Sign descent: a step of one length in each coordinate, against the gradient's sign.

    .. math:: x_{t+1} = x_t - \\alpha \\, \\mathrm{sign}(\\nabla f(x_t))

    with sign(0) = 0: Bernstein et al. (2018) [1]_, Algorithm 1.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        alpha > 0, in units of x: the length of every step in each coordinate.

    Notes
    -----
    One gradient a step; no state. The iterate ends in a cycle around a minimum, alpha wide,
    unless the learning rate falls.

    References
    ----------
    .. [1] J. Bernstein, Y.-X. Wang, K. Azizzadenesheli, A. Anandkumar, "signSGD: Compressed
       Optimisation for Non-Convex Problems", ICML 2018, arXiv:1802.04434.

    Examples
    --------
    >>> import fastopt as fo
    >>> runs = fo.run(fo.SignSGD(0.25), fo.Sphere(), [[1.0, -2.0]], max_steps=3, stop=None)
    >>> runs.x
    array([[ 0.25, -1.25]])
    """

    name = "sign_sgd"

    learning_rate: Number = parameter(0.0001, POSITIVE)

    @staticmethod
    def update(p, c, x, g, s):
        return x - p[0] * sign(g)


class SignSGDOptax(Rule, library="optax", of=SignSGD):
    """Sign descent as in optax: the paper's.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        At least 0, in units of x. optax has no default.

    Notes
    -----
    Read in ``optax.sign_sgd``, version 0.2.8.
    """

    learning_rate: Number = parameter(0.0001, NON_NEGATIVE)

    update = staticmethod(SignSGD.update)


class Signum(Rule):
    """Sign descent with momentum: the sign of an average of the gradients.

    .. math::

        m_{t+1} &= \\beta m_t + (1 - \\beta) \\nabla f(x_t) \\\\
        x_{t+1} &= x_t - \\alpha \\, \\mathrm{sign}(m_{t+1})

    with sign(0) = 0, from m_0 = 0: Bernstein et al. (2018) [1]_, Algorithm 2.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        alpha > 0, in units of x: the length of every step in each coordinate.
    beta : float or array, default 0.9
        Decay of the average, in [0, 1), without unit. With 0 it is :class:`fastopt.SignSGD`.

    Notes
    -----
    One gradient a step; one slot, m.

    References
    ----------
    .. [1] J. Bernstein, Y.-X. Wang, K. Azizzadenesheli, A. Anandkumar, "signSGD: Compressed
       Optimisation for Non-Convex Problems", ICML 2018, arXiv:1802.04434.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Signum(0.75, beta=0.75)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=3, stop=None).x
    array([[-1.25]])
    """

    name = "signum"
    slots = ("m",)

    learning_rate: Number = parameter(0.0001, POSITIVE)
    beta: Number = parameter(0.9, FRACTION)

    @staticmethod
    def update(p, c, x, g, s):
        m = p[1] * s[0] + (1.0 - p[1]) * g
        return x - p[0] * sign(m), (m,)


class SignumOptax(Rule, library="optax", of=Signum):
    """Sign descent with momentum as in optax: the paper's.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        At least 0, in units of x. optax has no default.
    beta : float or array, default 0.9
        Decay of the average, in [0, 1), without unit.

    Notes
    -----
    Read in ``optax.signum``, version 0.2.8.
    """

    slots = ("m",)

    learning_rate: Number = parameter(0.0001, NON_NEGATIVE)
    beta: Number = parameter(0.9, FRACTION)

    update = staticmethod(Signum.update)
