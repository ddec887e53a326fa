"""The settings of a rule whose parameters are arrays: one rule each, laid out in dimensions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.rules import Rule
from fastopt.schedules import Scaled


class Settings:
    """The rules that a rule with arrays for parameters stands for.

    An axis of the parameters' common shape is a dimension. It has the name and the values of
    the parameter that varies along it and along no other axis, or, if there is none or two values
    are the same, ``setting_0``, ... and numbers.

    Attributes
    ----------
    shape : tuple of int
        Of the axes that are longer than 1.
    dimensions : dict of str to numpy.ndarray
        Their names and the values along them, in order.
    size : int
        Number of settings.
    """

    def __init__(self, rule: Rule):
        self._rule = rule
        self._full = np.broadcast_shapes(*(np.shape(number) for number in rule.numbers))
        self.shape = tuple(length for length in self._full if length > 1)
        self.size = math.prod(self.shape)
        self.dimensions = self._dimensions()

    def _dimensions(self) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}
        names = [name for name, _, _ in self._rule.numeric()]
        for axis, length in enumerate(self._full):
            if length == 1:
                continue
            name, values = f"setting_{len(found)}", np.arange(length, dtype=np.float64)
            for candidate, number in zip(names, self._rule.numbers, strict=True):
                shape = (1,) * (len(self._full) - np.ndim(number)) + np.shape(number)
                own = shape[axis] == length == math.prod(shape) and candidate not in found
                if own and len(np.unique(number)) == length:
                    name, values = candidate, np.ravel(number)
                    break
            found[name] = values
        return found

    def rule(self, number: int) -> Rule:
        """The rule of a setting, its parameters one number each."""
        if not self._full:
            return self._rule
        return _at(self._rule, self._full, np.unravel_index(number, self._full))

    def values(self) -> dict[str, float]:
        """The numeric parameters that are the same in all settings."""
        pairs = zip(self._rule.numeric(), self._rule.numbers, strict=True)
        return {name: number for (name, _, _), number in pairs if np.ndim(number) == 0}


def joined(rules: Sequence[Rule], counts: Sequence[int]) -> Rule:
    """One rule for so many runs of each of several settings, one after the other."""

    def one(values: Sequence[Any]) -> Any:
        first = values[0]
        if isinstance(first, Rule):
            return joined(values, counts)
        if isinstance(first, Scaled):
            return Scaled(first.schedule, one([value.rates for value in values]))
        if isinstance(first, float) and any(value != first for value in values):
            return np.repeat(values, counts)
        return first

    fields = dataclasses.fields(rules[0])  # type: ignore[arg-type]
    given = {field.name: [getattr(rule, field.name) for rule in rules] for field in fields}
    return type(rules[0])(**{name: one(values) for name, values in given.items()})


def _at(rule: Rule, shape: tuple[int, ...], index: tuple[Any, ...]) -> Rule:
    def one(value: Any) -> Any:
        if isinstance(value, Rule):
            return _at(value, shape, index)
        if isinstance(value, Scaled):
            return Scaled(value.schedule, one(value.rates))
        if isinstance(value, np.ndarray):
            return float(np.broadcast_to(value, shape)[index])
        return value

    fields = dataclasses.fields(rule)  # type: ignore[arg-type]
    return type(rule)(**{field.name: one(getattr(rule, field.name)) for field in fields})
