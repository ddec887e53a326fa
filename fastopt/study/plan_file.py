"""A study as a TOML file, for ``fastopt study``.

::

    max_steps = 10_000
    targets = {from = 1e2, to = 1e-8, count = 51}

    [stop]
    gradient = 1e-6

    [starts]
    n = 100_000

    [rules.adam]
    learning_rate = {from = 1e-3, to = 1, count = 7}

    [rules.torch-adam]
    rule = "adam"
    library = "torch"
    learning_rate = {schedule = "cosine", rate = 0.1, steps = 1000}

    [surfaces.himmelblau]

    [surfaces.valley]
    surface = "rosenbrock"
    dim = 10

The tables of ``rules`` and ``surfaces`` are labels, and names too unless ``rule`` or ``surface``
(or ``formula``) says otherwise. A list of numbers for a parameter, or a range, is a dimension of
settings. ``starts`` are on the bounds of each surface unless ``low`` and ``high`` are given.
"""

from __future__ import annotations

import inspect
import os
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastopt import noise, rules, schedules, starts, surfaces
from fastopt.names import look_up, suggestion
from fastopt.rules.base import LIBRARIES, aliases, registry
from fastopt.stopping import Record, Stop
from fastopt.study.study import Study

_KEYS = (
    "rules",
    "surfaces",
    "starts",
    "max_steps",
    "stop",
    "targets",
    "record",
    "noise",
    "seeds",
    "dtype",
    "extremes",
)
_PLAIN = ("max_steps", "seeds", "dtype", "extremes")
_DISTRIBUTIONS = {
    "uniform": starts.Uniform,
    "normal": starts.Normal,
    "sobol": starts.Sobol,
    "grid": starts.Grid,
}
_RANGE = ("from", "to", "count", "spacing")


def read_plan(path: str | os.PathLike[str]) -> Study:
    """The study that a TOML file describes.

    Raises
    ------
    ValueError
        It is no TOML, or a key or value is not allowed: the message is one line with the key
        and what is.
    OSError
        The file cannot be read.
    """
    with open(path, "rb") as file:
        try:
            plan = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {error}") from None
    try:
        return _study(plan)
    except (TypeError, ValueError, ImportError) as error:
        raise ValueError(f"{path}: {error}") from error


def _study(plan: dict[str, Any]) -> Study:
    _check_keys("", plan, _KEYS)
    for key in ("rules", "surfaces"):
        if not isinstance(plan.get(key), dict) or not plan[key]:
            raise ValueError(f"{key}: must be there, as tables [{key}.LABEL]")
    chosen = {label: _surface(f"surfaces.{label}", t) for label, t in plan["surfaces"].items()}
    given: dict[str, Any] = {key: plan[key] for key in _PLAIN if key in plan}
    given["rules"] = {label: _rule(f"rules.{label}", t) for label, t in plan["rules"].items()}
    given["surfaces"] = chosen
    given["starts"] = _starts(plan.get("starts", 10_000), chosen)
    if "stop" in plan:
        stop = plan["stop"]
        given["stop"] = None if stop is False else _call("stop", Stop, _table("stop", stop))
    if "record" in plan:
        given["record"] = _call("record", Record, _table("record", plan["record"]))
    if "targets" in plan:
        given["targets"] = _numbers("targets", plan["targets"])
    if "noise" in plan:
        given["noise"] = _noise(_table("noise", plan["noise"]))
    return Study(**given)


def _rule(key: str, table: Any) -> rules.Rule:
    options = _table(key, table)
    name = options.pop("rule", key.partition(".")[2])
    library = options.pop("library", None)
    cls = _found(key, "rule", name, registry | aliases)
    if library is not None:
        if library not in cls.presets:
            there = [f'"{known}"' for known in LIBRARIES if known in cls.presets]
            allowed = f"must be {' or '.join(there)}" if there else "no library has this rule"
            raise ValueError(f"{key}.library={library!r}: {allowed}")
        cls = cls.presets[library]
    _check_keys(key, options, (*cls.parameter_names(), "rule", "library"))
    values = {name: _parameter(f"{key}.{name}", value) for name, value in options.items()}
    sweeps = [name for name, value in values.items() if isinstance(value, np.ndarray)]
    for place, name in enumerate(sweeps):  # each along an axis of its own
        values[name] = values[name].reshape(-1, *(1,) * (len(sweeps) - 1 - place))
    return _made(key, cls, values)


def _parameter(key: str, value: Any) -> Any:
    if isinstance(value, str):  # a rule inside
        return _made(key, rules.get, {"name": value})
    if isinstance(value, dict) and "schedule" in value:
        options = dict(value)
        known = {name: getattr(schedules, name) for name in schedules.__all__}
        return _call(key, _found(key, "schedule", options.pop("schedule"), known), options)
    if isinstance(value, dict | list):
        return _numbers(key, value)
    return value


def _surface(key: str, table: Any) -> surfaces.Surface:
    options = _table(key, table)
    if "formula" in options:
        return _made(key, surfaces.from_sympy, options)
    name = options.pop("surface", key.partition(".")[2])
    cls = _found(key, "surface", name, surfaces.base.registry)
    _check_keys(key, options, (*inspect.signature(cls).parameters, "surface"))
    return _made(key, surfaces.get, {"name": cls.name, **options})


def _starts(given: Any, chosen: Mapping[str, surfaces.Surface]) -> Any:
    if not isinstance(given, dict):
        return given
    options = dict(given)
    if "points" in options:
        _check_keys("starts", options, ("points",))
        return options["points"]
    kind = options.pop("distribution", "uniform")
    cls = _found("starts", "distribution", kind, _DISTRIBUTIONS)
    if "low" in options or "high" in options or "mean" in options:
        return _call("starts", cls, options)
    found = {}
    for label, surface in chosen.items():
        low, high = surface.bounds.T
        if cls is starts.Normal:
            bounds = {"mean": (low + high) / 2, "std": options.get("std", (high - low) / 4)}
        else:
            bounds = {"low": low, "high": high}
        found[label] = _call("starts", cls, options | bounds)
    return found


def _noise(options: dict[str, Any]) -> noise.Noise:
    known = {name: getattr(noise, name) for name in noise.__all__ if name.islower()}
    kind = _found("noise", "kind", options.pop("kind", "gaussian"), known)
    return _call("noise", kind, options)


def _numbers(key: str, value: Any) -> Any:
    """A list of numbers, or a range of them, as an array."""
    if isinstance(value, dict):
        _check_keys(key, value, _RANGE)
        spacing = value.get("spacing", "log")
        missing = [name for name in _RANGE[:3] if name not in value]
        if missing or spacing not in ("log", "linear"):
            raise ValueError(
                f"{key}: must be a list of numbers, or {{from = 1e-3, to = 1, count = 7, "
                'spacing = "log"}} with spacing "log" or "linear"'
            )
        space = np.geomspace if spacing == "log" else np.linspace
        return _made(
            key, space, {"start": value["from"], "stop": value["to"], "num": value["count"]}
        )
    return _made(key, np.array, {"object": value, "dtype": float})


# -- keys and errors ---------------------------------------------------------------------


def _table(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{key}={value!r}: must be a table [{key}]")
    return dict(value)


def _check_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = suggestion(key, known)
            hint = f"{near} " if near.startswith("did") else ""
            place = f"{where}.{key}" if where else key
            raise ValueError(f"{place}: no such key; {hint}allowed: {', '.join(known)}")


def _found(key: str, kind: str, name: Any, table: Mapping[str, Any]) -> Any:
    try:
        return look_up(kind, name, table)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key}: {error}") from None


def _call(key: str, function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """What *function* makes of a table whose keys are its parameters."""
    _check_keys(key, options, tuple(inspect.signature(function).parameters))
    return _made(key, function, options)


def _made(key: str, function: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return function(**options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key}: {error}") from None
