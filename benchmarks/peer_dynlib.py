"""The same map with dynlib's ``basin_known``: gradient descent on Himmelblau as a map.

It is given the four minima, and ends a run after ten steps within a radius of one of them; so
it need not find them, and its runs end much earlier than ours. With threads it is fastest.
"""

from __future__ import annotations

import numpy as np
from dynlib import setup
from dynlib.analysis import FixedPoint, basin_axis, basin_known

_MODEL = """inline:
[model]
type = "map"
name = "descent"
dtype = "float64"
[states]
x = 0.0
y = 0.0
[params]
rate = {rate!r}
[equations.rhs]
x = "x - rate*(4*x*(x**2 + y - 11) + 2*(x + y**2 - 7))"
y = "y - rate*(2*(x**2 + y - 11) + 4*y*(x + y**2 - 7))"
"""


def himmelblau(rate: float, minima, side: int, reach: float, max_steps: int, radius: float):
    """A function of no arguments that returns the labels (side, side), x first; compiled."""
    sim = setup(_MODEL.format(rate=rate), jit=True, stepper="map")
    attractors = [
        FixedPoint(name=str(k), loc=list(map(float, point)), radius=radius)
        for k, point in enumerate(minima)
    ]
    axes = {name: basin_axis(-reach, reach, n=side, sample="center") for name in "xy"}

    def run():
        found = basin_known(
            sim,
            attractors,
            ic=axes,
            max_samples=max_steps,
            signature_samples=0,
            escape_bounds=[(-1e10, 1e10)] * 2,
            parallel_mode="threads",
        )
        return np.asarray(found.labels).reshape(side, side)

    run()
    return run
