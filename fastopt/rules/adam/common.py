"""What several rules of the Adam family share."""

from __future__ import annotations

from typing import Any

from fastopt.kernels.powers import next_power


def averages(beta1, beta2, g, s):
    """The averages of the gradients and of their squares, with *g* added."""
    m = beta1 * s[0] + (1.0 - beta1) * g
    v = beta2 * s[1] + (1.0 - beta2) * (g * g)
    return m, v


def corrections(learning_rate, beta1, beta2, c):
    """The next powers of both betas, then alpha / (1 - beta1**t) and 1 / (1 - beta2**t)."""
    high1, low1 = next_power(c[0], c[1], beta1)
    high2, low2 = next_power(c[2], c[3], beta2)
    step = learning_rate / ((1.0 - high1) - low1)
    return high1, low1, high2, low2, step, 1.0 / ((1.0 - high2) - low2)


def optax_corrections(beta1, beta2, c):
    """The same with alpha = 1, then 1 / (1 - beta1**(t + 1))."""
    high1, low1, high2, low2, first, second = corrections(1.0, beta1, beta2, c)
    high, low = next_power(high1, low1, beta1)
    return high1, low1, high2, low2, first, second, 1.0 / ((1.0 - high) - low)


def optax_first(beta1, c, g, m, nesterov):
    """The first average, debiased by :func:`optax_corrections`."""
    return beta1 * (m * c[6]) + (1.0 - beta1) * (g * c[4]) if nesterov else m * c[4]


def decayed(x, g, learning_rate, weight_decay, maximize, decoupled):
    """The coordinate and its derivative as torch.optim has them after weight decay."""
    g = -g if maximize else g
    if decoupled:
        return x * (1.0 - learning_rate * weight_decay), g
    return x, g + weight_decay * x


def amsgrad_slots(rule: Any) -> tuple[str, ...]:
    """The slots of a rule that keeps the largest v only with ``amsgrad``."""
    return ("m", "v", "top") if rule.amsgrad else ("m", "v")
