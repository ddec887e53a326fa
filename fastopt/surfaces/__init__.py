"""Surfaces. Every module of this folder is imported, so a new surface needs no list."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

from fastopt.names import look_up
from fastopt.surfaces.base import PointSurface, Surface, ensembles, registry
from fastopt.surfaces.composed_sum import Sum
from fastopt.surfaces.coordinates import BlockSurface, CoordinateSurface
from fastopt.surfaces.definition import define
from fastopt.surfaces.finite_sums import FiniteSum
from fastopt.surfaces.formula import from_sympy

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

_classes = {cls.__name__: cls for cls in registry.values()}
globals().update(_classes)

_interface = (
    BlockSurface,
    CoordinateSurface,
    FiniteSum,
    PointSurface,
    Sum,
    Surface,
    define,
    from_sympy,
)

__all__ = list(_classes)


def names() -> list[str]:
    """The names of all surfaces, in snake_case, sorted."""
    return sorted(registry)


def get(name: str, **options: Any) -> Any:
    """The surface, or ensemble of surfaces, called *name*, made with these options.

    Raises
    ------
    ValueError
        No surface has that name (the nearest are given), or an option is out of its range.
    TypeError
        The surface has no option of that name, or lacks one that it needs.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.surfaces.get("rosenbrock", dim=10)
    Rosenbrock(dim=10)
    """
    cls = look_up("surface", name, registry | ensembles)
    parameters = inspect.signature(cls).parameters
    known = list(parameters)
    unknown = sorted(set(options) - set(known))
    if unknown:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise TypeError(f"{unknown[0]!r}: {cls.name} has no such option; {has}")
    needed = [k for k, p in parameters.items() if p.default is p.empty and k not in options]
    if needed:
        raise TypeError(f"{cls.name} needs {' and '.join(needed)}: surfaces.get({cls.name!r}, ...)")
    return cls(**options)
