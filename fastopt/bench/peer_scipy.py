"""The same search in SciPy: ``scipy.optimize.minimize`` from one start after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def minimise_each(starts: Any, limit: float) -> Callable[[], Any]:
    """A function that runs BFGS on 2-D Rosenbrock from each start: the points at its ends.

    A search ends at a gradient norm of at most *limit*. Value and gradient are worked out in
    plain floats, the fastest form for one point.
    """
    from scipy.optimize import minimize

    def value_and_gradient(x: Any) -> Any:
        a, b = x.tolist()
        rise, rest = b - a * a, 1 - a
        slope = np.array([-400 * a * rise - 2 * rest, 200 * rise])
        return 100 * rise * rise + rest * rest, slope

    options = {"gtol": limit, "norm": 2}

    def run() -> Any:
        ends = [
            minimize(value_and_gradient, x, jac=True, method="BFGS", options=options).x
            for x in starts
        ]
        return np.array(ends)

    return run
