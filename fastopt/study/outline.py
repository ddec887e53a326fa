"""What the cells of a study are called, and how they are laid out; as the store keeps it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastopt.study.reduced import Shape


@dataclass(frozen=True)
class Group:
    """The cells of one rule, surface and seed: one for each setting of the rule.

    Attributes
    ----------
    rule, surface : str
        Their labels.
    seed : int
    starts : int
        Number of starts, and so of runs in a cell.
    dimensions : dict of str to list of float
        Of the settings.
    values : dict of str to float
        The other parameters of the rule.
    shape : Shape
    excess : bool
        Whether values are counted above the known minimum of the surface.
    dim : int
        Number of coordinates.
    records : list of int
        The recorded steps.
    """

    rule: str
    surface: str
    seed: int
    starts: int
    dimensions: dict[str, list[float]]
    values: dict[str, float]
    shape: Shape
    excess: bool
    dim: int
    records: list[int]

    @property
    def settings(self) -> int:
        """Number of settings."""
        return math.prod(len(values) for values in self.dimensions.values())


@dataclass(frozen=True)
class Outline:
    """All groups in the order of the plan, and the targets that all have."""

    groups: list[Group]
    targets: list[float]

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it; exactly."""
        return dataclasses.asdict(self)

    @classmethod
    def of_json(cls, found: dict[str, Any]) -> Outline:
        """The inverse of :meth:`to_json`."""
        groups = [Group(**{**group, "shape": Shape(**group["shape"])}) for group in found["groups"]]
        return cls(groups, found["targets"])

    def cells(self, lengths: Sequence[int]) -> Iterator[tuple[int, range]]:
        """Group and runs (setting by setting) of each chunk, if chunks have these lengths."""
        for number, (group, length) in enumerate(zip(self.groups, lengths, strict=True)):
            runs = group.settings * group.starts
            for a in range(0, runs, length):
                yield number, range(a, min(a + length, runs))

    def find(
        self, rule: str | None, surface: str | None, seed: int | None, setting: dict[str, float]
    ) -> tuple[list[int], int]:
        """The groups of a cell, one for each seed if none is given, and its setting's number.

        Raises
        ------
        ValueError
            There is no such cell, or what there are several of is not named.
        """
        chosen = {"rule": rule, "surface": surface}
        for name, label in chosen.items():
            chosen[name] = _one_of(name, label, self.labels(name))
        if seed is not None:
            _one_of("seed", seed, self.labels("seed"))
        numbers = [
            number
            for number, group in enumerate(self.groups)
            if {"rule": group.rule, "surface": group.surface} == chosen
            and seed in (None, group.seed)
        ]
        dimensions = self.groups[numbers[0]].dimensions
        for name in setting:
            if name not in dimensions:
                has = f"it has {', '.join(dimensions)}" if dimensions else "it has none"
                raise ValueError(f"{name}: {chosen['rule']!r} has no such dimension; {has}")
        number = 0
        for name, points in dimensions.items():
            value = _one_of(name, setting.get(name), points)
            number = number * len(points) + points.index(value)
        return numbers, number

    def labels(self, name: str) -> list[Any]:
        """The labels of the groups along ``rule``, ``surface`` or ``seed``, each once."""
        return list(dict.fromkeys(getattr(group, name) for group in self.groups))


def spans(a: int, b: int, n: int) -> Iterator[tuple[int, range]]:
    """The settings, and the starts of each, that the runs a to b - 1 of a group belong to."""
    while a < b:
        setting, first = divmod(a, n)
        last = min(n, first + b - a)
        yield setting, range(first, last)
        a += last - first


def _one_of(name: str, value: Any, known: list[Any]) -> Any:
    if value is None and len(known) == 1:
        return known[0]
    if value not in known:
        shown = ", ".join(map(repr, known[:8])) + (", ..." if len(known) > 8 else "")
        what = f"{name} must be given" if value is None else f"{name}={value!r}"
        raise ValueError(f"{what}: must be one of {shown}")
    return value
