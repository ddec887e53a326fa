"""Adam with the largest gradient in the place of the mean square."""

from __future__ import annotations

from fastopt.kernels.choices import larger
from fastopt.kernels.powers import next_power
from fastopt.rules.adam.common import decayed
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


def correction(learning_rate, beta1, c):
    """The next power of beta1, then alpha / (1 - beta1**t)."""
    high, low = next_power(c[0], c[1], beta1)
    return high, low, learning_rate / ((1.0 - high) - low)


class AdaMax(Rule):
    """AdaMax: momentum over the largest of the recent gradients.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        u_{t+1} &= \\max(\\beta_2 u_t, |g_t|) \\\\
        x_{t+1} &= x_t - \\frac{\\alpha}{1 - \\beta_1^{t+1}} \\cdot
        \\frac{m_{t+1}}{u_{t+1} + \\epsilon}

    with g_t the gradient at x_t, for each coordinate, from m_0 = u_0 = 0: Kingma and Ba
    (2015) [1]_, Algorithm 2, which has no epsilon.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.002
        alpha > 0, in units of x: about the longest step in each coordinate.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the average and of the largest gradient, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x. The paper's form is 0.

    Notes
    -----
    One gradient a step; two slots, m and u. With ``eps=0``, a coordinate whose derivative is
    0 from the start becomes nan.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
       arXiv:1412.6980.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.AdaMax(0.25, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.75]])
    """

    name = "adamax"
    slots = ("m", "u")
    scalars = (1.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.002, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return correction(p[0], p[1], c)

    @staticmethod
    def update(p, c, x, g, s):
        _, beta1, beta2, eps = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        u = larger(beta2 * s[1], abs(g))
        return x - c[2] * m / (u + eps), (m, u)


class AdaMaxTorch(Rule, library="torch", of=AdaMax):
    """AdaMax as PyTorch has it: epsilon is added to the gradient's size, inside the maximum.

    .. math:: u_{t+1} = \\max(\\beta_2 u_t, |g_t| + \\epsilon)

    The rest is the paper's form. ``torch.optim.Adamax`` of PyTorch 2.13.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.002
        alpha >= 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the average and of the largest gradient, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of f/x²: lambda x is added to the gradient.
    maximize : bool, default False
        Whether to climb: the gradient's sign is turned.
    """

    slots = ("m", "u")
    scalars = (1.0, 0.0, 0.0)

    learning_rate: Number = parameter(2e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    maximize: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        return correction(p[0], p[1], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay, maximize = p
        x, g = decayed(x, g, learning_rate, weight_decay, maximize, False)
        m = beta1 * s[0] + (1.0 - beta1) * g
        u = larger(beta2 * s[1], abs(g) + eps)
        return x - c[2] * m / u, (m, u)


class AdaMaxKeras(Rule, library="keras", of=AdaMax):
    """AdaMax as Keras has it: half the paper's learning rate, and a weight decay.

    .. math::

        x_{t+1} = (1 - \\alpha \\lambda) x_t - \\frac{\\alpha}{1 - \\beta_1^{t+1}} \\cdot
        \\frac{m_{t+1}}{u_{t+1} + \\epsilon}

    The rest is the paper's form. ``keras.optimizers.Adamax`` of Keras 3.15.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the average and of the largest gradient, in [0, 1), without unit.
    eps : float or array, default 1e-7
        epsilon >= 0, in units of f/x.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x. Keras's None is 0.
    """

    slots = ("m", "u")
    scalars = (1.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-7, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return correction(p[0], p[1], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        u = larger(beta2 * s[1], abs(g))
        x = x - learning_rate * weight_decay * x
        return x - c[2] * m / (u + eps), (m, u)


class AdaMaxOptax(Rule, library="optax", of=AdaMax):
    """AdaMax as optax has it: epsilon is added to the gradient's size, inside the maximum.

    .. math::

        u_{t+1} &= \\max(|g_t| + \\epsilon, \\beta_2 u_t) \\\\
        x_{t+1} &= x_t - \\alpha (\\hat m / u_{t+1} + \\lambda x_t)

    The rest is the paper's form, of half its learning rate. ``optax.adamax`` of optax 0.2.8,
    and ``optax.adamaxw`` with a weight decay (there 1e-4).

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the average and of the largest gradient, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x.
    """

    slots = ("m", "u")
    scalars = (1.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return correction(1.0, p[1], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        u = larger(beta2 * s[1], abs(g) + eps)
        return x - learning_rate * (c[2] * m / u + weight_decay * x), (m, u)
