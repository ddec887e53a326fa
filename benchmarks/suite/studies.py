"""What a study costs beside the runs that it counts."""

from __future__ import annotations

import timeit

import numpy as np

import fastopt as fo
from fastopt.study.reduced import Shape, reduce_runs

_STARTS = 2 * 10**6


class Reduction:
    """Counting 100,000 runs, by what is kept of them."""

    params = (["ends", "recorded"],)
    param_names = ("kept",)

    def setup(self, kept):
        record = fo.Record(every=20) if kept == "recorded" else None
        records = 0 if record is None else record.count(200)
        starts = fo.starts.Uniform(-5, 5, 10**5, dim=2)
        rule = fo.GradientDescent(0.01)
        self.runs = fo.run(rule, fo.Himmelblau(), starts, max_steps=200, record=record)
        self.shape = Shape(200, 0, records, 10, 0.0)
        reduce_runs(self.runs, slice(None), 0, self.shape)

    def time_reduce(self, kept):
        reduce_runs(self.runs, slice(None), 0, self.shape)


class Overhead:
    """The cheapest runs there are, as a study, over the same as one batch on one thread.

    Both are timed in turn, and the least time of each counts.
    """

    def setup(self):
        self.starts = fo.starts.Uniform(-5, 5, _STARTS, dim=2)
        self.options = {"stop": fo.Stop(gradient=1e-6)}
        self.rule, self.surface = fo.GradientDescent(0.01), fo.Himmelblau()
        self.study = fo.Study([self.rule], [self.surface], self.starts, **self.options)
        self.study.run(chunk=10**6, workers=1)

    def track_over_one_batch(self):
        def batch():
            fo.run(self.rule, self.surface, self.starts, threads=1, **self.options)

        def study():
            self.study.run(chunk=10**6, workers=1)

        times = np.array([[timeit.timeit(c, number=1) for c in (batch, study)] for _ in range(5)])
        least = times.min(axis=0)
        return round(least[1] / least[0], 3)

    track_over_one_batch.unit = "times"
