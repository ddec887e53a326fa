"""Ensembles of random surfaces, on which :func:`fastopt.run` starts runs on every member."""

from __future__ import annotations

from typing import TypeAlias

from fastopt.ensembles.random_quadratics import RandomQuadratics
from fastopt.surfaces import Surface
from fastopt.surfaces.base import ensembles as registry

Objective: TypeAlias = Surface | RandomQuadratics
"""What runs can be made on: a surface, or an ensemble of them."""

registry[RandomQuadratics.name] = RandomQuadratics
"""All ensembles by name."""

__all__ = ["RandomQuadratics"]
