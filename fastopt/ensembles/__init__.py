"""Ensembles of random surfaces, on which :func:`fastopt.run` starts runs on every member."""

from __future__ import annotations

from typing import TypeAlias

from fastopt.ensembles.random_quadratics import RandomQuadratics
from fastopt.surfaces import Surface

Objective: TypeAlias = Surface | RandomQuadratics
"""What runs can be made on: a surface, or an ensemble of them."""

registry: dict[str, type[RandomQuadratics]] = {RandomQuadratics.name: RandomQuadratics}
"""All ensembles by name, for the command line."""

__all__ = ["RandomQuadratics"]
