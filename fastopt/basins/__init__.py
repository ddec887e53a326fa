"""Basins of attraction: where runs end, as maps, fractions and measures of them."""

from fastopt.basins.attractors import Attractors
from fastopt.basins.continuation import Continuation, continuation
from fastopt.basins.dimension import Scaling
from fastopt.basins.entropy import FractalTest
from fastopt.basins.estimate import Estimate
from fastopt.basins.fidelity import Fidelity
from fastopt.basins.fractions import CloudFractions, Fractions, basin_fractions
from fastopt.basins.map import BasinMap, basin_map
from fastopt.basins.parameters import ParameterMap, parameter_map
from fastopt.basins.perturbation import Perturbation
from fastopt.basins.plane import Plane
from fastopt.basins.times import Times
from fastopt.basins.wada import WadaTest

__all__ = [
    "Attractors",
    "BasinMap",
    "CloudFractions",
    "Continuation",
    "Estimate",
    "Fidelity",
    "FractalTest",
    "Fractions",
    "ParameterMap",
    "Perturbation",
    "Plane",
    "Scaling",
    "Times",
    "WadaTest",
    "basin_fractions",
    "basin_map",
    "continuation",
    "parameter_map",
]
