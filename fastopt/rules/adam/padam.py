"""Adam with a smaller power of the mean square."""

from __future__ import annotations

import math

from fastopt.kernels.elementary import exp, log
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    Number,
    Rule,
    parameter,
)

HALF = Interval("must be in [0, 0.5]", lambda v: (v >= 0) & (v <= 0.5))


class Padam(Rule):
    """Padam: AMSGrad with a power of the second moment between 0 and a half.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2, \\quad
        u_{t+1} = \\max(u_t, v_{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha \\, m_{t+1} / (\\sqrt{u_{t+1}} + \\epsilon)^{2 p}

    with g_t the gradient at x_t, for each coordinate, from m_0 = v_0 = u_0 = 0, and not
    debiased: Chen et al. (2018) [1]_, Algorithm 1, which has no epsilon. p = 1/2 is AMSGrad;
    p = 0 momentum.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.1
        alpha > 0, in units of x (x/f)^(1 - 2p).
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    partial : float or array, default 0.125
        p in [0, 1/2], without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x. With 0, a coordinate whose derivative is 0 from the
        start becomes nan.

    Notes
    -----
    One gradient a step; three slots, m, v and u.

    References
    ----------
    .. [1] J. Chen, D. Zhou, Y. Tang, Z. Yang, Y. Cao, Q. Gu, "Closing the Generalization Gap of
       Adaptive Gradient Methods in Training Deep Neural Networks", arXiv:1806.06763, 2018.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Padam(0.25, beta1=0.0, beta2=0.0, partial=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "padam"
    slots = ("m", "v", "u")

    learning_rate: Number = parameter(0.1, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    partial: Number = parameter(0.125, HALF)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, partial, eps = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        v = beta2 * s[1] + (1.0 - beta2) * (g * g)
        most = s[2] if s[2] > v else v
        scale = exp(-2.0 * partial * log(math.sqrt(most) + eps))
        return x - learning_rate * m * scale, (m, v, most)
