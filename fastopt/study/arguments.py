"""What :class:`fastopt.Study` is given: checked, and spread over its surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fastopt.checks import whole
from fastopt.part import Part
from fastopt.rules import Rule
from fastopt.run import check
from fastopt.starts import Starts, Uniform
from fastopt.study.plan import Common
from fastopt.study.settings import Settings
from fastopt.surfaces import Surface


def labelled(kind: str, given: Any, get: Callable[[str], Any]) -> dict[str, Any]:
    """*given* by label, the names of rules or surfaces replaced by what they name."""
    if isinstance(given, Mapping):
        found = {k: get(v) if isinstance(v, str) else v for k, v in given.items()}
    else:
        if isinstance(given, str | Rule | Surface) or not isinstance(given, Iterable):
            raise TypeError(f"{kind}s={given!r}: must be a mapping of labels to {kind}s, or a list")
        each = [get(value) if isinstance(value, str) else value for value in given]
        names = [getattr(value, "name", repr(value)) for value in each]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"{kind}s: {name!r} is there twice; give them labels, "
                    f"{kind}s={{'label': ..., ...}} (Study)"
                )
        found = dict(zip(names, each, strict=True))
    if not found:
        raise ValueError(f"{kind}s={given!r}: must hold at least one (Study)")
    for label in found:
        if not isinstance(label, str) or not label:
            raise TypeError(f"{kind}s: label {label!r}: must be a string, not empty (Study)")
    return found


def by_surface(what: str, given: Any, surfaces: Mapping[str, Any]) -> dict[str, Any]:
    """*given* for each surface: one for all, or a mapping by their labels."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(surfaces, given)
    for label in surfaces:
        if label not in given:
            raise ValueError(f"{what}: there is none for the surface {label!r} (Study)")
    for label in given:
        if label not in surfaces:
            known = ", ".join(map(repr, surfaces))
            raise ValueError(f"{what}: no surface is called {label!r}; there is {known} (Study)")
    return {label: given[label] for label in surfaces}


def as_starts(what: str, given: Any, surface: Surface) -> Any:
    """Lazy starts, or a read-only array (n, dim)."""
    if isinstance(given, Starts):
        return given
    if not isinstance(surface, Surface):
        raise TypeError(f"surface={surface!r}: must be one such as fo.Rosenbrock(dim=2)")
    if isinstance(given, int | np.integer):
        low, high = surface.bounds.T
        return Uniform(low, high, whole("Study", what, given, 1))
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiu":
            raise ValueError
    except ValueError:
        raise TypeError(
            f"{what}: must be a number, an array (n, dim), or lazy starts such as "
            "fo.starts.Uniform(-1, 1, n=10**6) (Study)"
        ) from None
    if array.ndim != 2 or not len(array):
        raise ValueError(f"{what}: has shape {array.shape}: must be (n, dim), n >= 1 (Study)")
    array = array.astype(np.float64)
    array.flags.writeable = False
    return array


def as_targets(given: ArrayLike | None) -> Any:
    """An array (k,), or None."""
    if given is None:
        return None
    try:
        array = np.array(given, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"targets={given!r}: must be numbers (Study)") from None
    if array.ndim != 1 or not len(array):
        raise ValueError(f"targets has shape {array.shape}: must be (k,), k >= 1 (Study)")
    return array


def as_dtype(given: DTypeLike) -> str:
    """The name of a dtype, or of what is none."""
    try:
        return np.dtype(given).name
    except TypeError:
        return str(given)


def as_seeds(given: int | Iterable[int]) -> list[int]:
    """Seeds, each once."""
    each = list(given) if isinstance(given, Iterable) else [given]
    seeds = [whole("Study", "seeds", seed, 0, 2**64 - 1) for seed in each]
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds={seeds}: must hold at least one, each once (Study)")
    return seeds


def check_pair(
    label: str,
    name: str,
    rule: Rule,
    surface: Surface,
    starts: Any,
    max_steps: int,
    common: Common,
) -> None:
    """Refuse what :func:`fastopt.run` would refuse, before anything has run."""
    if getattr(surface, "count", None) is not None:
        raise ValueError(
            f"surfaces[{name!r}]={surface!r}: must be one surface, not an ensemble; give its "
            "members, {'0': ensemble.member(0), ...} (Study)"
        )
    one = Part(starts, range(1))
    stop, record, noise = common.stop, common.record, common.noise
    try:
        plain = Settings(rule).rule(0) if isinstance(rule, Rule) else rule
        check(plain, surface, one, max_steps, stop, record, common.targets, noise, common.dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error} (rule {label!r} on surface {name!r})") from None
