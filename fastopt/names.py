"""Looking things up by name, with the nearest names when there is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def look_up(kind: str, name: str, table: Mapping[str, T]) -> T:
    """The entry *name* of *table*, however it is spelt (``AdaGrad``, ``ada_grad``, ...)."""
    if not isinstance(name, str):
        raise TypeError(f"{name!r}: the name of a {kind} must be a string")
    plain = {_plain(key): value for key, value in table.items()}
    try:
        return plain[_plain(name)]
    except KeyError:
        raise ValueError(f"{name!r}: no such {kind}; {suggestion(name, table)}") from None


def register(kind: str, cls: type, table: dict[str, Any]) -> None:
    """Enter *cls* by its ``name``; a cell or module that is run again replaces its own."""
    name = vars(cls).get("name")
    if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
        raise TypeError(f'{cls.__name__}: a {kind} must have a name = "..." in snake_case')
    there = table.get(name)
    if there is not None and there.__module__ != cls.__module__:
        taken = f"{there.__module__}.{there.__name__}"
        raise ValueError(f"{cls.__name__}: the name {name!r} is taken by {taken}; choose another")
    table[name] = cls


def suggestion(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """``did you mean 'adam'?``, or all the known names where none is as like as *cutoff*."""
    known = sorted(known)
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=cutoff)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"known: {', '.join(known)}"


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
