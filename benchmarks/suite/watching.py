"""What it costs to look at runs while they advance: stopping, records, targets; and memory.

All is in times of what the same runs take without.
"""

from __future__ import annotations

import numpy as np

import fastopt as fo

from .common import CONVERGING, rule, starts, times

_UNIT = "times the cost without"
# Never met, so that all runs take all steps.
_STOPS = {
    "gradient": fo.Stop(gradient=1e-150),
    "value": fo.Stop(value=1e-150),
    "distance": fo.Stop(distance=1e-150),
    "all": fo.Stop(gradient=1e-150, value=1e-150, distance=1e-150),
}
_RECORDS = {"every step": fo.Record(every=1), "every 10 steps": fo.Record(every=10)}


class _Beside:
    def prepare(self, name, n, steps, **options):
        surface = fo.Rosenbrock()
        points = starts(surface, n)
        self.work = n * steps
        self.calls = [
            lambda given=given: fo.run(
                rule(name), surface, points, max_steps=steps, **{"stop": None} | given
            )
            for given in ({}, options)
        ]
        for call in self.calls:
            call()

    def times(self):
        plain, looking = self.calls
        return times(self.work, looking, plain)


class Stopping(_Beside):
    """What criteria cost that are looked at in every step."""

    params = (["gradient_descent", "momentum", "adam"], list(_STOPS))
    param_names = ("rule", "criterion")

    def setup(self, name, criterion):
        self.prepare(name, 10**5, 200, stop=_STOPS[criterion])

    def track_times(self, name, criterion):
        return self.times()

    track_times.unit = _UNIT


class Records(_Beside):
    """What keeping all iterates and values costs."""

    params = (["gradient_descent", "adam"], list(_RECORDS))
    param_names = ("rule", "record")

    def setup(self, name, record):
        self.prepare(name, 10**4, 200, record=_RECORDS[record])

    def track_times(self, name, record):
        return self.times()

    track_times.unit = _UNIT


class Targets:
    """What looking for 51 targets costs."""

    params = (["gradient_descent", "momentum", "adam"], ["rosenbrock", "himmelblau"], [None, 1e-8])
    param_names = ("rule", "surface", "gradient")

    def setup(self, name, surface_name, gradient):
        surface = fo.surfaces.get(surface_name)
        made = fo.rules.get(name, learning_rate=CONVERGING[name] / 10)
        points, stop = starts(surface, 20_000), gradient and fo.Stop(gradient=gradient)
        self.calls = [
            lambda targets=targets: fo.run(
                made, surface, points, max_steps=1000, stop=stop, targets=targets
            )
            for targets in (None, np.logspace(2, -8, 51))
        ]
        self.work = max(int(call().steps.sum()) for call in self.calls)

    def track_times(self, name, surface_name, gradient):
        plain, looking = self.calls
        return times(self.work, looking, plain)

    track_times.unit = _UNIT


_KEPT = {
    "ends": {"stop": None},
    "stopping": {"stop": fo.Stop(gradient=1e-8)},
    "records": {"stop": None, "record": fo.Record(every=16)},
    "targets": {"stop": None, "targets": np.logspace(2, -8, 11)},
}


class Memory:
    """The whole process, with 16 MB of starts and 41 MB of ends of a million runs.

    Three records add 72 MB, 11 targets 88 MB.
    """

    params = (list(_KEPT),)
    param_names = ("kept",)

    def setup(self, kept):
        self.points = starts(fo.Rosenbrock(), 100)
        self.peakmem_million_starts(kept)  # compiles, before there is much else
        self.points = starts(fo.Rosenbrock(), 10**6)

    def peakmem_million_starts(self, kept):
        fo.run(rule("adam"), fo.Rosenbrock(), self.points, max_steps=32, **_KEPT[kept])
