"""Update rules. Every module below this folder is imported, so a new rule needs no list."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from fastopt.names import look_up
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    Number,
    Rule,
    Schedule,
    aliases,
    flag,
    parameter,
    registry,
)

for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_module.name)

_classes = {cls.__name__: cls for cls in registry.values()} | aliases
globals().update(_classes)

_interface = (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    Number,
    Rule,
    Schedule,
    flag,
    parameter,
)

__all__ = list(_classes)


def names() -> list[str]:
    """The names of all rules, in snake_case, sorted."""
    return sorted(registry)


def get(name: str, **parameters: Any) -> Rule:
    """The rule called *name*, with these parameters.

    Raises
    ------
    ValueError
        No rule has that name (the nearest are given), or a parameter is out of its range.
    TypeError
        The rule has no parameter of that name.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.rules.get("adam", learning_rate=0.1)
    Adam(learning_rate=0.1, beta1=0.9, beta2=0.999, eps=1e-08)
    """
    cls = look_up("rule", name, registry | aliases)
    unknown = sorted(set(parameters) - set(cls.parameter_names()))
    if unknown:
        known = ", ".join(cls.parameter_names())
        raise TypeError(f"{unknown[0]!r}: {cls.name} has no such parameter; it has {known}")
    return cls(**parameters)
