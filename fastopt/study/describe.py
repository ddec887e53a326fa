"""What decides the results of a study, as JSON: equal if and only if they would be.

Numbers stand there exactly, large arrays and compiled code by their hash.
"""

from __future__ import annotations

import dataclasses
import hashlib
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastopt.kernels.compile import UnknownValueError, fingerprint
from fastopt.noise import Noise
from fastopt.rules import Rule
from fastopt.starts import Starts
from fastopt.surfaces import Surface

# Longer arrays are described by their hash.
_MOST_LISTED = 64
# So many starts are looked at to notice that a distribution draws others than before.
_SAMPLE = 64
_DIGITS = 16


def describe(value: Any) -> Any:
    """*value* as something that JSON holds exactly."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": str(value)}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    kinds: dict[type, Callable[[Any], Any]] = {
        Rule: _rule,
        Surface: _surface,
        Starts: _starts,
        Noise: _noise,
        types.FunctionType: _code,
    }
    return next((of for kind, of in kinds.items() if isinstance(value, kind)), _object)(value)


def differences(there: Any, here: Any, where: str = "") -> list[str]:
    """In words, field by field, how two descriptions differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        found = []
        for key in [*there, *(key for key in here if key not in there)]:
            place = f"{where}.{key}" if where else str(key)
            if key not in here:
                found.append(f"{place}: {_short(there[key])} in the store, not there now")
            elif key not in there:
                found.append(f"{place}: {_short(here[key])} now, not there in the store")
            else:
                found += differences(there[key], here[key], place)
        return found
    if there == here and type(there) is type(here):
        return []
    return [f"{where}: {_short(there)} in the store, {_short(here)} now"]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _array(array: np.ndarray) -> Any:
    if array.size <= _MOST_LISTED:
        return describe(array.tolist())
    ordered = np.ascontiguousarray(array)
    return {"shape": list(array.shape), "dtype": array.dtype.str, "sha256": _hash(ordered)}


def _hash(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _code(*functions: Callable[..., Any] | None) -> str:
    """A hash of the machine code that these functions would become."""
    stamps = [fingerprint(function) for function in functions if function is not None]
    return _hash(" ".join(stamps).encode())[:_DIGITS]


def _rule(rule: Rule) -> dict[str, Any]:
    fields = dataclasses.fields(rule)  # type: ignore[arg-type]
    parts = rule.parts()
    functions = ("update", "iterate", "per_step", "point", "prepare", "terms", "combine")
    return {
        "class": _name(type(rule)),
        "parameters": {field.name: describe(getattr(rule, field.name)) for field in fields},
        "scalars": describe(rule.scalars),
        "memory": describe(rule.memory),
        "code": _code(*(getattr(parts, name) for name in functions)),
        "initial_slots": _code(type(rule).initial_slots),
    }


def _surface(surface: Surface) -> dict[str, Any]:
    parts = surface.parts()
    return {
        "class": _name(type(surface)),
        "surface": repr(surface),
        "dim": surface.dim,
        "numbers": _array(surface.numbers),
        "minima": _array(surface.minima),
        "fun_min": describe(surface.fun_min),
        "code": _code(parts.value, parts.gradient, parts.hessian),
    }


def _starts(starts: Starts) -> dict[str, Any]:
    n = starts.size
    sample = (starts.chunk(0, min(n, _SAMPLE)), starts.chunk(max(n - _SAMPLE, 0), n))
    values = {name: getattr(starts, name) for name in starts._parameters}
    drawn = _hash(b"".join(points.tobytes() for points in sample))[:_DIGITS]
    return {"class": _name(type(starts)), **describe(values), "drawn": drawn}


def _noise(noise: Noise) -> dict[str, Any]:
    cls = type(noise)
    fields = {field.name: getattr(noise, field.name) for field in dataclasses.fields(noise)}
    code = _code(*(getattr(cls, name, None) for name in ("draw", "perturb")))
    return {"class": _name(cls), **describe(fields), "code": code}


def _object(value: Any) -> dict[str, Any]:
    """A schedule, a criterion or a user's own object: its class and what it holds."""
    if dataclasses.is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif hasattr(value, "__dict__"):
        held = vars(value)
    else:
        raise UnknownValueError(f"{value!r:.60}, of which it is not known what it depends on")
    found = {"class": _name(type(value)), **describe(held)}
    call = type(value).__call__ if callable(value) else None
    if isinstance(call, types.FunctionType):
        found["code"] = _code(call)
    return found
