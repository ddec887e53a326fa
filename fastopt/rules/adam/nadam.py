"""Adam with Nesterov's momentum."""

from __future__ import annotations

import math

from fastopt.kernels.elementary import exp
from fastopt.kernels.powers import next_power
from fastopt.rules.adam.adamw import AdamWOptax
from fastopt.rules.adam.common import averages, decayed
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter

LOG_BASE = math.log(0.96)


INITIAL = (0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def schedule(beta1, beta2, momentum_decay, c):
    """Step, product of the momenta, next power of beta2, momentum, weights of m, g and v."""
    count = c[0] + 1.0  # a float of its type, unlike t
    rate = LOG_BASE * momentum_decay
    momentum = beta1 * (1.0 - 0.5 * exp(rate * count))
    following = beta1 * (1.0 - 0.5 * exp(rate * (count + 1.0)))
    product = c[1] * momentum
    high, low = next_power(c[2], c[3], beta2)
    of_m = following / (1.0 - product * following)
    of_g = (1.0 - momentum) / (1.0 - product)
    return count, product, high, low, momentum, of_m, of_g, 1.0 / ((1.0 - high) - low)


class NAdam(Rule):
    """NAdam: Adam whose first average looks ahead, as Nesterov's momentum does.

    .. math::

        \\mu_t &= \\beta_1 (1 - 0.96^{\\psi t} / 2), \\quad \\pi_t = \\mu_t \\pi_{t-1} \\\\
        m_t &= \\mu_t m_{t-1} + (1 - \\mu_t) g_t \\\\
        v_t &= \\beta_2 v_{t-1} + (1 - \\beta_2) g_t^2 \\\\
        \\hat m &= \\mu_{t+1} m_t / (1 - \\pi_t \\mu_{t+1}) + (1 - \\mu_t) g_t / (1 - \\pi_t) \\\\
        \\hat v &= \\beta_2 v_t / (1 - \\beta_2^t) \\\\
        x_t &= x_{t-1} - \\alpha \\, \\hat m / (\\sqrt{\\hat v} + \\epsilon)

    with g_t the gradient at x_{t-1}, for each coordinate and t = 1, 2, ..., from m_0 = v_0 =
    0 and pi_0 = 1: Dozat (2016) [1]_, Algorithm 2, with the momenta mu_t and the beta1 and
    beta2 of its experiments. The factor beta2 in v-hat is the paper's; the libraries leave
    it out.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x. The paper tunes it; this is Adam's.
    beta1 : float or array, default 0.99
        Limit of the momenta, in [0, 1), without unit.
    beta2 : float or array, default 0.999
        Decay of the average of squares, in [0, 1), without unit. With 0 the step is divided
        by epsilon alone.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    momentum_decay : float or array, default 0.004
        psi >= 0, in units of 1/step: how fast the momenta rise from beta1/2 to beta1.

    Notes
    -----
    One gradient a step; two slots, m and v.

    References
    ----------
    .. [1] T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016, workshop track.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.NAdam(0.25, beta1=0.5, beta2=0.25, eps=0.0, momentum_decay=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x.round(12)
    array([[0.4]])
    """

    name = "nadam"
    slots = ("m", "v")
    scalars = INITIAL

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.99, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    momentum_decay: Number = parameter(0.004, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return schedule(p[1], p[2], p[4], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, _, beta2, eps, _ = p
        _, _, _, _, momentum, of_m, of_g, of_v = c
        m = momentum * s[0] + (1.0 - momentum) * g
        v = beta2 * s[1] + (1.0 - beta2) * (g * g)
        m_hat = of_m * m + of_g * g
        return x - learning_rate * m_hat / (math.sqrt(beta2 * v * of_v) + eps), (m, v)


class NAdamTorch(Rule, library="torch", of=NAdam):
    """NAdam as PyTorch has it: m is averaged with beta1, and v-hat has no factor beta2.

    .. math::

        m_t = \\beta_1 m_{t-1} + (1 - \\beta_1) g_t, \\quad \\hat v = v_t / (1 - \\beta_2^t)

    The rest is the paper's form; only the weights of m_t and g_t in m-hat follow the rising
    momenta. ``torch.optim.NAdam`` of PyTorch 2.13, which keeps the product of the momenta in
    single precision unless its default dtype is double.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.002
        alpha >= 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Limit of the momenta and decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of f/x²: lambda x is added to the gradient. With ``decoupled``,
        in units of 1/x: x is first multiplied by 1 - alpha lambda instead.
    momentum_decay : float or array, default 0.004
        psi >= 0, in units of 1/step.
    maximize : bool, default False
        Whether to climb: the gradient's sign is turned.
    decoupled : bool, default False
        Whether the weight decay stays out of the averages (``decoupled_weight_decay``).
    """

    slots = ("m", "v")
    scalars = INITIAL

    learning_rate: Number = parameter(2e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    momentum_decay: Number = parameter(4e-3, NON_NEGATIVE)
    maximize: bool = flag(False)
    decoupled: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        return schedule(p[1], p[2], p[5], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay, _, maximize, decoupled = p
        x, g = decayed(x, g, learning_rate, weight_decay, maximize, decoupled)
        m, v = averages(beta1, beta2, g, s)
        m_hat = c[5] * m + c[6] * g
        return x - learning_rate * m_hat / (math.sqrt(v * c[7]) + eps), (m, v)


class NAdamKeras(Rule, library="keras", of=NAdam):
    """NAdam as Keras has it: PyTorch's form with psi = 1, so that the momenta rise at once.

    .. math::

        m_t = \\beta_1 m_{t-1} + (1 - \\beta_1) g_t, \\quad \\hat v = v_t / (1 - \\beta_2^t)

    x is first multiplied by 1 - alpha lambda; the rest is the paper's form.
    ``keras.optimizers.Nadam`` of Keras 3.15.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Limit of the momenta and decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-7
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x, decoupled from the averages. Keras's None is 0.
    """

    slots = ("m", "v")
    scalars = INITIAL

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-7, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return schedule(p[1], p[2], 1.0, c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay = p
        m, v = averages(beta1, beta2, g, s)
        m_hat = c[5] * m + c[6] * g
        x = x - learning_rate * weight_decay * x
        return x - learning_rate * m_hat / (math.sqrt(v * c[7]) + eps), (m, v)


class NAdamOptax(AdamWOptax, library="optax", of=NAdam):
    """NAdam as optax has it: ``fo.AdamW.optax`` with ``nesterov`` set and no weight decay.

    The momenta do not rise: mu_t is beta1 for every t; v-hat has no factor beta2.
    ``optax.nadam`` of optax 0.2.8, and ``optax.nadamw`` with a weight decay (there 1e-4).

    Parameters
    ----------
    learning_rate, beta1, beta2, eps, eps_root
        As for ``fo.AdamW.optax``, with the same defaults.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x.
    nesterov : bool, default True
        Whether the first average looks ahead by a step.
    """

    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    nesterov: bool = flag(True)
