"""What the cells of a study are called, and how they are laid out; as the store keeps it."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastopt.statistics.text import plural
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
    dtype : str
        Of the runs: "float64" or "float32".
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
    dtype: str

    @property
    def settings(self) -> int:
        """Number of settings."""
        return math.prod(len(values) for values in self.dimensions.values())

    @property
    def runs(self) -> int:
        """Number of runs in all of its cells."""
        return self.settings * self.starts

    def points(self) -> Iterator[dict[str, float]]:
        """The parameters along the dimensions, of each setting."""
        for point in itertools.product(*self.dimensions.values()):
            yield dict(zip(self.dimensions, point, strict=True))


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

    def select(
        self, chosen: Mapping[str, Any], setting: Mapping[str, Any]
    ) -> dict[int, dict[str, list[float]]]:
        """The groups, and the points of their dimensions, that are asked for.

        Parameters
        ----------
        chosen : mapping
            For rule, surface and seed a label, a list of them, or None for all.
        setting : mapping
            A value, or a list of them, along dimensions. Rules without such a dimension are
            taken as they are.

        Raises
        ------
        ValueError
            There is no such label or value, or no chosen rule has such a dimension.
        """
        wanted = {
            name: [_one_of(name, one, self.labels(name)) for one in _listed(given)]
            for name, given in chosen.items()
            if given is not None
        }
        kept = {
            number: dict(group.dimensions)
            for number, group in enumerate(self.groups)
            if all(getattr(group, name) in those for name, those in wanted.items())
        }
        for name, given in setting.items():
            having = [number for number, points in kept.items() if name in points]
            if not having:
                has = dict.fromkeys(name for points in kept.values() for name in points)
                there = f"there is {', '.join(has)}" if has else "there is none"
                raise ValueError(f"{name}: no such dimension; {there}")
            for number in having:
                group = self.groups[number]
                points = group.dimensions[name]
                what = f"{group.rule}: {name}"
                those = [_one_of(what, one, points) for one in _listed(given)]
                kept[number][name] = [point for point in points if point in those]
        return kept

    def narrowed(
        self, kept: Mapping[int, Mapping[str, list[float]]]
    ) -> tuple[Outline, dict[tuple[int, int], tuple[int, int]]]:
        """These groups with these points of their dimensions, and where their cells come from.

        Returns
        -------
        Outline
        dict
            For group and setting of each cell in it, its group and setting in this outline.
        """
        groups, places = [], {}
        for new, (number, points) in enumerate(kept.items()):
            group = self.groups[number]
            groups.append(dataclasses.replace(group, dimensions=dict(points)))
            lengths = [len(every) for every in group.dimensions.values()]
            along = [[group.dimensions[name].index(p) for p in own] for name, own in points.items()]
            for setting, index in enumerate(itertools.product(*along)):
                old = int(np.ravel_multi_index(index, lengths)) if lengths else 0
                places[new, setting] = (number, old)
        return Outline(groups, self.targets), places

    def alike(self) -> list[list[int]]:
        """The numbers of the groups that differ in nothing but their seeds, together."""
        found: dict[tuple[str, str], list[int]] = {}
        for number, group in enumerate(self.groups):
            found.setdefault((group.rule, group.surface), []).append(number)
        return list(found.values())

    def extent(self) -> str:
        """How many rules, surfaces, ... there are, in words."""
        rules, surfaces, seeds = (len(self.labels(name)) for name in ("rule", "surface", "seed"))
        cells = sum(self.groups[numbers[0]].settings for numbers in self.alike())
        text = f"{plural(rules, 'rule')} on {plural(surfaces, 'surface')}, {plural(cells, 'cell')}"
        return text if seeds == 1 else f"{text}, {seeds} seeds"

    def labels(self, name: str) -> list[Any]:
        """The labels of the groups along ``rule``, ``surface`` or ``seed``, each once."""
        return list(dict.fromkeys(getattr(group, name) for group in self.groups))


def _listed(given: Any) -> list[Any]:
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, list | tuple):
        return [given]
    if not given:
        raise ValueError(f"{given!r}: must hold at least one (Result.select)")
    return list(given)


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
