"""Rules in C++, as one would write them by hand: what a tile loop does to one coordinate."""

from __future__ import annotations

from typing import NamedTuple


class Loop(NamedTuple):
    """The arithmetic of a rule, in terms of x, its derivative g, the step t, the slots, and
    the rule's parameters under the names that they have in fastopt."""

    update: str
    """Once a step and coordinate."""
    slots: tuple[str, ...] = ()
    """What is kept for each coordinate, from 0."""
    state: str = ""
    """Before the first step: what is kept from step to step."""
    step: str = ""
    """Once a step."""


_CORRECTIONS = """
    power1 *= beta1;
    power2 *= beta2;
    const double scale = learning_rate / (1 - power1), debias = 1 / (1 - power2);
"""

LOOPS = {
    "gradient_descent": Loop("x -= learning_rate * g;"),
    "momentum": Loop(
        """
        v = momentum * v - learning_rate * g;
        x += v;
        """,
        ("v",),
    ),
    "rmsprop": Loop(
        """
        v = rho * v + (1 - rho) * (g * g);
        x -= learning_rate * g / (std::sqrt(v) + eps);
        """,
        ("v",),
    ),
    "adam": Loop(
        """
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * (g * g);
        x -= scale * m / (std::sqrt(v * debias) + eps);
        """,
        ("m", "v"),
        "double power1 = 1, power2 = 1;",
        _CORRECTIONS,
    ),
    "nadam": Loop(
        """
        m = mu * m + (1 - mu) * g;
        v = beta2 * v + (1 - beta2) * (g * g);
        x -= learning_rate * (of_m * m + of_g * g) / (std::sqrt(beta2 * v * debias) + eps);
        """,
        ("m", "v"),
        """
        double product = 1, power2 = 1;
        const auto momentum = [=](long t) {
            return beta1 * (1 - 0.5 * std::pow(0.96, momentum_decay * t));
        };
        """,
        """
        const double mu = momentum(t + 1), next = momentum(t + 2);
        product *= mu;
        power2 *= beta2;
        const double of_m = next / (1 - product * next), of_g = (1 - mu) / (1 - product);
        const double debias = 1 / (1 - power2);
        """,
    ),
    "adabelief": Loop(
        """
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * ((g - m) * (g - m)) + eps;
        x -= scale * m / (std::sqrt(v * debias) + eps);
        """,
        ("m", "v"),
        "double power1 = 1, power2 = 1;",
        _CORRECTIONS,
    ),
    "adan": Loop(
        """
        const double change = t > 0 ? g - last : 0, ahead = g + (1 - beta2) * change;
        m = t > 0 ? (1 - beta1) * m + beta1 * g : g;
        v = t > 1 ? (1 - beta2) * v + beta2 * change : change;
        n = t > 0 ? (1 - beta3) * n + beta3 * (ahead * ahead) : g * g;
        last = g;
        x -= learning_rate * (m + (1 - beta2) * v) / (std::sqrt(n) + eps);
        x /= 1 + weight_decay * learning_rate;
        """,
        ("m", "v", "n", "last"),
    ),
    "lion": Loop(
        """
        const double lean = beta1 * m + (1 - beta1) * g;
        const double sign = lean > 0 ? 1 : lean < 0 ? -1 : lean;
        m = beta2 * m + (1 - beta2) * g;
        x -= learning_rate * (sign + weight_decay * x);
        """,
        ("m",),
    ),
}
