"""How fast maps of basins are made, measured and painted."""

from __future__ import annotations

import statistics

import numpy as np

import fastopt as fo
from fastopt.basins import picture


class Maps:
    """A map of 512 x 512 pixels, labels included."""

    params = (["gradient_descent", "momentum", "adam", "newton"],)
    param_names = ("rule",)
    rates = {  # noqa: RUF012
        "gradient_descent": 0.005,
        "momentum": 0.002,
        "adam": 0.1,
        "newton": 1.0,
    }

    def setup(self, name):
        self.rule = fo.rules.get(name, learning_rate=self.rates[name])
        fo.basin_map(self.rule, fo.Himmelblau(), shape=16)

    def time_map(self, name):
        fo.basin_map(self.rule, fo.Himmelblau(), shape=512)

    def time_refined(self, name):
        fo.basin_map(self.rule, fo.Himmelblau(), shape=512, refine=True)


class Labelling:
    """What is not running, as a share of the time of the runs; lower is better."""

    def setup(self):
        self.rule = fo.GradientDescent(0.005)
        fo.basin_map(self.rule, fo.Himmelblau(), shape=16)

    def track_overhead(self):
        maps = [fo.basin_map(self.rule, fo.Himmelblau()) for _ in range(5)]
        return statistics.median(m.seconds / m.run_seconds - 1 for m in maps)

    track_overhead.unit = "of the runs"


class Measures:
    """Measures of a fractal map of 512 x 512 pixels, and its picture."""

    def setup(self):
        self.basins = fo.basin_map(fo.Newton(), fo.HarmonicQuartic(), shape=512)

    def time_entropy(self):
        self.basins.boundary_entropy()

    def time_fractal_test(self):
        self.basins.fractal_test()

    def time_uncertainty_exponent(self):
        self.basins.uncertainty_exponent()

    def time_wada_test(self):
        self.basins.wada_test()

    def time_picture(self):
        picture.image(self.basins)


class Plane:
    """A plane of 100 x 100 learning rates and momenta."""

    def setup(self):
        self.over = {
            "learning_rate": np.geomspace(1e-3, 1, 100),
            "momentum": np.linspace(0, 0.9, 100),
        }
        self.time_plane()

    def time_plane(self):
        fo.parameter_map(fo.Momentum, fo.Bowl(), [-7.0, 2.0], self.over, max_steps=1000)
