"""Adam over the largest mean square so far."""

from __future__ import annotations

import math

from fastopt.kernels.choices import larger
from fastopt.rules.adam.adam import AdamKeras, AdamTorch
from fastopt.rules.adam.common import averages, corrections
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


class AMSGrad(Rule):
    """AMSGrad: the step is divided by the root of the largest mean square so far.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2 \\\\
        u_{t+1} &= \\max(u_t, v_{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha \\, m_{t+1} / (\\sqrt{u_{t+1}} + \\epsilon)

    with g_t the gradient at x_t, for each coordinate, from m_0 = v_0 = u_0 = 0: Reddi, Kale
    and Kumar (2018) [1]_, Algorithm 2 with a constant beta1 and without bounds on x. It
    corrects neither average for the start from 0, and has no epsilon.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x. The paper's theorem has it fall with the root of the step.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root. The paper's form is 0.

    Notes
    -----
    One gradient a step; three slots, m, v and u. The first step's length is alpha (1 - beta1)
    / sqrt(1 - beta2), 3.2 alpha by default. With ``eps=0``, a coordinate whose derivative is
    0 from the start becomes nan.

    References
    ----------
    .. [1] S. J. Reddi, S. Kale, S. Kumar, "On the Convergence of Adam and Beyond", ICLR 2018,
       arXiv:1904.09237.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.AMSGrad(0.25, beta1=0.5, beta2=0.75, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.75]])
    """

    name = "amsgrad"
    slots = ("m", "v", "u")

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps = p
        m, v = averages(beta1, beta2, g, s)
        u = larger(s[2], v)
        return x - learning_rate * m / (math.sqrt(u) + eps), (m, v, u)


class AMSGradTorch(AdamTorch, library="torch", of=AMSGrad):
    """AMSGrad as PyTorch has it: ``fo.Adam.torch`` with ``amsgrad`` set.

    It corrects the first average and the largest second average for their start from 0,
    which the paper does not. ``torch.optim.Adam(amsgrad=True)`` of PyTorch 2.13.

    Parameters
    ----------
    learning_rate, beta1, beta2, eps, weight_decay, maximize, decoupled
        As for ``fo.Adam.torch``, with the same defaults.
    amsgrad : bool, default True
        Whether to divide by the largest average of squares so far.
    """

    amsgrad: bool = flag(True)


class AMSGradKeras(AdamKeras, library="keras", of=AMSGrad):
    """AMSGrad as Keras has it: ``fo.Adam.keras`` with ``amsgrad`` set.

    It corrects both averages for their start from 0, in the learning rate, which the paper
    does not. ``keras.optimizers.Adam(amsgrad=True)`` of Keras 3.15.

    Parameters
    ----------
    learning_rate, beta1, beta2, eps, weight_decay
        As for ``fo.Adam.keras``, with the same defaults.
    amsgrad : bool, default True
        Whether to divide by the largest average of squares so far.
    """

    amsgrad: bool = flag(True)


class AMSGradOptax(Rule, library="optax", of=AMSGrad):
    """AMSGrad as optax has it: both averages are debiased before the largest is taken.

    .. math::

        u_{t+1} &= \\max(u_t, \\hat v) \\\\
        x_{t+1} &= x_t - \\alpha \\, \\hat m / (\\sqrt{u_{t+1} + \\bar \\epsilon} + \\epsilon)

    with m-hat and v-hat as in Adam, which the paper does not correct; the flags turn either
    correction off. ``optax.amsgrad`` of optax 0.2.8.

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
    bias_correction_mu, bias_correction_nu : bool, default True
        Whether to correct the first and the second average for the start from 0.
    """

    slots = ("m", "v", "u")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    eps_root: Number = parameter(0.0, NON_NEGATIVE)
    bias_correction_mu: bool = flag(True)
    bias_correction_nu: bool = flag(True)

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, eps_root, debias_first, debias_second = p
        m, v = averages(beta1, beta2, g, s)
        m_hat = m * c[4] if debias_first else m
        u = larger(s[2], v * c[5] if debias_second else v)
        return x - learning_rate * m_hat / (math.sqrt(u + eps_root) + eps), (m, v, u)
