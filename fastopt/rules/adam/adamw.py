"""Adam with a weight decay of its own."""

from __future__ import annotations

import math

from fastopt.rules.adam.adam import AdamKeras, AdamTorch
from fastopt.rules.adam.common import averages, corrections, optax_corrections, optax_first
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


class AdamW(Rule):
    """AdamW: Adam with a weight decay that stays out of its averages.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2 \\\\
        \\hat m &= m_{t+1} / (1 - \\beta_1^{t+1}), \\quad
        \\hat v = v_{t+1} / (1 - \\beta_2^{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha \\, \\hat m / (\\sqrt{\\hat v} + \\epsilon) - \\lambda x_t

    with g_t the gradient at x_t, for each coordinate, from m_0 = v_0 = 0: Loshchilov and
    Hutter (2019) [1]_, Algorithm 2 with the schedule multiplier eta = 1. Lambda is not
    multiplied by alpha, nor by a schedule for it; in the libraries' forms it is.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x: about the length of the first steps in each coordinate.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 1e-5
        lambda in [0, 1), without unit: the share of x lost at each step. The paper has no
        default; this one is PyTorch's at its own learning rate, 0.01 * 0.001.

    Notes
    -----
    One gradient a step; two slots, m and v. What it comes to rest at is not a minimum of f:
    there the Adam step cancels lambda x.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019,
       arXiv:1711.05101.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.AdamW(0.25, eps=0.0, weight_decay=0.25)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "adamw"
    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(1e-5, FRACTION)

    @staticmethod
    def per_step(p, t, c):
        return corrections(p[0], p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        _, beta1, beta2, eps, weight_decay = p
        m, v = averages(beta1, beta2, g, s)
        step = c[4] * m / (math.sqrt(v * c[5]) + eps)
        return x - (step + weight_decay * x), (m, v)


class AdamWTorch(AdamTorch, library="torch", of=AdamW):
    """AdamW as PyTorch has it: x is first multiplied by 1 - alpha lambda.

    The paper's lambda is not multiplied by alpha. This is ``fo.Adam.torch`` with
    ``decoupled`` set. ``torch.optim.AdamW`` of PyTorch 2.13.

    Parameters
    ----------
    learning_rate, beta1, beta2, eps, amsgrad, maximize
        As for ``fo.Adam.torch``, with the same defaults.
    weight_decay : float or array, default 0.01
        lambda >= 0, in units of 1/x.
    decoupled : bool, default True
        Whether the weight decay stays out of the averages.
    """

    weight_decay: Number = parameter(1e-2, NON_NEGATIVE)
    decoupled: bool = flag(True)


class AdamWKeras(AdamKeras, library="keras", of=AdamW):
    """AdamW as Keras has it: ``fo.Adam.keras`` with another default of the weight decay.

    x is first multiplied by 1 - alpha lambda, where the paper's lambda is not multiplied by
    alpha; epsilon is added before the second average is debiased. ``keras.optimizers.AdamW``
    of Keras 3.15.

    Parameters
    ----------
    learning_rate, beta1, beta2, eps, amsgrad
        As for ``fo.Adam.keras``, with the same defaults.
    weight_decay : float or array, default 0.004
        lambda >= 0, in units of 1/x.
    """

    weight_decay: Number = parameter(4e-3, NON_NEGATIVE)


class AdamWOptax(Rule, library="optax", of=AdamW):
    """AdamW as optax has it: lambda x is added to the step before alpha multiplies it.

    .. math::

        x_{t+1} = x_t - \\alpha \\left( \\hat m / (\\sqrt{\\hat v + \\bar \\epsilon} + \\epsilon)
        + \\lambda x_t \\right)

    The paper's lambda is not multiplied by alpha. With ``nesterov``, the m-hat of
    ``fo.Adam.optax`` with that flag. ``optax.adamw`` and ``optax.nadamw`` of optax 0.2.8.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    eps_root : float or array, default 0.0
        epsilon-bar >= 0, in units of f²/x², inside the root.
    weight_decay : float or array, default 1e-4
        lambda >= 0, in units of 1/x.
    nesterov : bool, default False
        Whether the first average looks ahead by a step.
    """

    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    eps_root: Number = parameter(0.0, NON_NEGATIVE)
    weight_decay: Number = parameter(1e-4, NON_NEGATIVE)
    nesterov: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        return optax_corrections(p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, eps_root, weight_decay, nesterov = p
        m, v = averages(beta1, beta2, g, s)
        step = optax_first(beta1, c, g, m, nesterov) / (math.sqrt(v * c[5] + eps_root) + eps)
        return x - learning_rate * (step + weight_decay * x), (m, v)
