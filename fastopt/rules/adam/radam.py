"""Adam with a rectified start."""

from __future__ import annotations

import math

from fastopt.rules.adam.common import averages, corrections, decayed, optax_corrections, optax_first
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    Number,
    Rule,
    flag,
    parameter,
)

AT_LEAST_FOUR = Interval("must be >= 4", lambda v: v >= 4)


def next_length(beta2, count, power, left, q):
    """rho_t = 1 + 2 q / (1 - beta2**t), and q = the sum over i < t of beta2**i - beta2**t.

    It is rho_inf - 2 t beta2**t / (1 - beta2**t) without that difference of numbers near
    2 / (1 - beta2), which leaves no digit of rho_t in the first steps of a float32 run. q has
    positive terms alone: *count* beta2**count (1 - beta2) is new, where count = t - 1 and
    *power* is beta2**count; *left* is 1 - beta2**t.
    """
    q = q + count * power * (1.0 - beta2)
    return 1.0 + 2.0 * q / left, q


def rectification(length, beta2):
    """r_t of a length of more than 4."""
    longest = (1.0 + beta2) / (1.0 - beta2)
    above = (length - 4.0) / (longest - 4.0)
    return math.sqrt(above * ((length - 2.0) / (longest - 2.0)) * (longest / length))


class RAdam(Rule):
    """RAdam: the step is Adam's, made shorter while v averages few gradients.

    .. math::

        m_t &= \\beta_1 m_{t-1} + (1 - \\beta_1) g_t \\\\
        v_t &= \\beta_2 v_{t-1} + (1 - \\beta_2) g_t^2 \\\\
        \\hat m &= m_t / (1 - \\beta_1^t), \\quad \\hat v = v_t / (1 - \\beta_2^t) \\\\
        \\rho_t &= \\rho_\\infty - 2 t \\beta_2^t / (1 - \\beta_2^t), \\quad
        \\rho_\\infty = 2 / (1 - \\beta_2) - 1 \\\\
        r_t^2 &= ((\\rho_t - 4) (\\rho_t - 2) \\rho_\\infty)
        / ((\\rho_\\infty - 4) (\\rho_\\infty - 2) \\rho_t) \\\\
        x_t &= x_{t-1} - \\alpha r_t \\hat m / (\\sqrt{\\hat v} + \\epsilon)

    where rho_t > 4, and x_t = x_{t-1} - alpha m-hat where it is not; with g_t the gradient at
    x_{t-1}, for each coordinate and t = 1, 2, ..., from m_0 = v_0 = 0: Liu et al. (2020)
    [1]_, Algorithm 2, which has no epsilon.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x; but of x²/f in the first steps, which are along m-hat.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit. By default the first 4 steps are
        along m-hat; with beta2 <= 0.6, all are.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root. The paper's form is 0.

    Notes
    -----
    One gradient a step; two slots, m and v.

    References
    ----------
    .. [1] L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han, "On the Variance of the
       Adaptive Learning Rate and Beyond", ICLR 2020, arXiv:1908.03265.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.RAdam(0.25, beta1=0.5)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "radam"
    slots = ("m", "v")
    # As Adam's, then the step, q, and r, negative where it is not used.
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        learning_rate, beta1, beta2, _ = p
        d = corrections(learning_rate, beta1, beta2, c)
        length, q = next_length(beta2, c[6], c[2], (1.0 - d[2]) - d[3], c[7])
        r = rectification(length, beta2) if length > 4.0 else -1.0
        return (*d, c[6] + 1.0, q, r)

    @staticmethod
    def update(p, c, x, g, s):
        _, beta1, beta2, eps = p
        m, v = averages(beta1, beta2, g, s)
        step = c[4] * m
        rectified = c[8] * step / (math.sqrt(v * c[5]) + eps)
        return x - (rectified if c[8] >= 0.0 else step), (m, v)


class RAdamTorch(Rule, library="torch", of=RAdam):
    """RAdam as PyTorch has it: from rho_t > 5, with epsilon added before v is debiased.

    .. math:: x_t = x_{t-1} - \\alpha r_t \\hat m \\sqrt{1 - \\beta_2^t} / (\\sqrt{v_t} + \\epsilon)

    The paper has 4 in place of 5, and no epsilon. ``torch.optim.RAdam`` of PyTorch 2.13.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x; but of x²/f in the first steps, which are along m-hat.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of f/x²: lambda x is added to the gradient. With ``decoupled``,
        in units of 1/x: x is first multiplied by 1 - alpha lambda instead.
    maximize : bool, default False
        Whether to climb: the gradient's sign is turned.
    decoupled : bool, default False
        Whether the weight decay stays out of the averages (``decoupled_weight_decay``).
    """

    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    maximize: bool = flag(False)
    decoupled: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        learning_rate, beta1, beta2 = p[0], p[1], p[2]
        d = corrections(learning_rate, beta1, beta2, c)
        length, q = next_length(beta2, c[6], c[2], (1.0 - d[2]) - d[3], c[7])
        r = rectification(length, beta2) / math.sqrt(d[5]) if length > 5.0 else -1.0
        return (*d, c[6] + 1.0, q, r)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay, maximize, decoupled = p
        x, g = decayed(x, g, learning_rate, weight_decay, maximize, decoupled)
        m, v = averages(beta1, beta2, g, s)
        step = c[4] * m
        rectified = c[8] * step / (math.sqrt(v) + eps)
        return x - (rectified if c[8] >= 0.0 else step), (m, v)


class RAdamOptax(Rule, library="optax", of=RAdam):
    """RAdam as optax has it: from rho_t >= 5, with two epsilons and Nesterov's momentum.

    .. math::

        x_t = x_{t-1} - \\alpha r_t \\hat m / (\\sqrt{\\hat v + \\bar \\epsilon} + \\epsilon)

    The paper asks for rho_t > 4. With ``nesterov``, the m-hat of ``fo.Adam.optax`` with that
    flag. ``optax.radam`` of optax 0.2.8.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x; but of x²/f in the first steps, which are along m-hat.
        optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    eps_root : float or array, default 0.0
        epsilon-bar >= 0, in units of f²/x², inside the root.
    threshold : float or array, default 5.0
        The least rho_t with which v is used, >= 4 (optax gives nan below), without unit.
    nesterov : bool, default False
        Whether the first average looks ahead by a step.
    """

    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    eps_root: Number = parameter(0.0, NON_NEGATIVE)
    threshold: Number = parameter(5.0, AT_LEAST_FOUR)
    nesterov: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        beta1, beta2, threshold = p[1], p[2], p[5]
        d = optax_corrections(beta1, beta2, c)
        length, q = next_length(beta2, c[7], c[2], (1.0 - d[2]) - d[3], c[8])
        r = rectification(length, beta2) if length >= threshold else -1.0
        return (*d, c[7] + 1.0, q, r)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, eps_root, _, nesterov = p
        m, v = averages(beta1, beta2, g, s)
        m_hat = optax_first(beta1, c, g, m, nesterov)
        rectified = c[9] * m_hat / (math.sqrt(v * c[5] + eps_root) + eps)
        return x - learning_rate * (rectified if c[9] >= 0.0 else m_hat), (m, v)
