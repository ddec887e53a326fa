"""The same runs as a batch in PyTorch and in NumPy: Rosenbrock in 2-D, one call an operation.

Both get the formula of the gradient, which spares PyTorch its automatic differentiation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MOMENTUM = 0.9
RULES = ("gradient_descent", "momentum", "adam")


def torch_run(rule: str, rate: float, starts: Any, steps: int) -> Any:
    """torch.optim on one tensor that holds the whole batch, with its fused kernels."""
    import torch

    x = torch.tensor(starts.T.copy())
    made = torch.optim.Adam if rule == "adam" else torch.optim.SGD
    more = {"momentum": MOMENTUM} if rule == "momentum" else {}
    optimiser = made([x], lr=rate, fused=True, **more)
    x.grad = torch.empty_like(x)
    with torch.no_grad():
        for _ in range(steps):
            a, b = x
            rise = b - a * a
            torch.sub(-400 * a * rise, 2 * (1 - a), out=x.grad[0])
            torch.mul(rise, 200, out=x.grad[1])
            optimiser.step()
    return x.T.numpy()


def numpy_run(rule: str, rate: float, starts: Any, steps: int) -> Any:
    """A loop over the steps, vectorised over the batch."""
    x = starts.T.copy()
    g, m, v = np.empty_like(x), np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        rise = x[1] - x[0] * x[0]
        np.multiply(rise, 200, out=g[1])
        np.subtract(-400 * x[0] * rise, 2 * (1 - x[0]), out=g[0])
        if rule == "gradient_descent":
            x -= rate * g
        elif rule == "momentum":
            v = MOMENTUM * v - rate * g
            x += v
        else:
            m = 0.9 * m + (1 - 0.9) * g
            v = 0.999 * v + (1 - 0.999) * (g * g)
            x -= rate / (1 - 0.9**t) * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x.T
