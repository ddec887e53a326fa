"""What a study costs beside the runs that it counts."""

from __future__ import annotations

import timeit

import numpy as np

import fastopt as fo
from fastopt.study.counting import Counting
from fastopt.study.reduced import Shape

_STARTS, _COUNTED = 2 * 10**6, 10**5


class Counts:
    """Counting 100,000 runs, by what is kept of them, in nanoseconds a run."""

    params = (["ends", "targets", "recorded"],)
    param_names = ("kept",)

    def setup(self, kept):
        record = fo.Record(every=20) if kept == "recorded" else None
        targets = np.logspace(2, -8, 51) if kept == "targets" else None
        starts = fo.starts.Uniform(-5, 5, _COUNTED, dim=2)
        options = {"max_steps": 200, "record": record, "targets": targets}
        self.runs = fo.run(fo.GradientDescent(0.01), fo.Himmelblau(), starts, **options)
        records = 0 if record is None else record.count(200)
        self.shape = Shape(200, 0 if targets is None else len(targets), records, 10, 0.0)
        self.count()

    def count(self):
        counting = Counting(self.shape, 0, _COUNTED)
        counting.add(self.runs, slice(None))
        return counting.result()

    def track_counting(self, kept):
        return round(min(timeit.repeat(self.count, number=1, repeat=9)) / _COUNTED * 1e9, 2)

    track_counting.unit = "ns/run"


class Overhead:
    """The cheapest runs there are, as a study, beside the same as one batch on one thread.

    Both are timed in turn, and the least time of each counts.
    """

    def setup(self):
        self.starts = fo.starts.Uniform(-5, 5, _STARTS, dim=2)
        self.options = {"stop": fo.Stop(gradient=1e-6)}
        self.rule, self.surface = fo.GradientDescent(0.01), fo.Himmelblau()
        self.study = fo.Study([self.rule], [self.surface], self.starts, **self.options)
        self.study.run(chunk=10**6, workers=1)

    def track_more_than_one_batch(self):
        def batch():
            fo.run(self.rule, self.surface, self.starts, threads=1, **self.options)

        def study():
            self.study.run(chunk=10**6, workers=1)

        times = np.array([[timeit.timeit(c, number=1) for c in (batch, study)] for _ in range(5)])
        batch_seconds, study_seconds = times.min(axis=0)
        return round((study_seconds - batch_seconds) / _STARTS * 1e9, 2)

    track_more_than_one_batch.unit = "ns/run"
