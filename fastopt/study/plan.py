"""What a study is to run: its cells, and how they are cut into chunks."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.noise import Noise
from fastopt.part import Part
from fastopt.rules import Rule
from fastopt.starts import Starts
from fastopt.stopping import Record, Stop
from fastopt.study.describe import describe
from fastopt.study.outline import Group, Outline, spans
from fastopt.study.reduced import Shape
from fastopt.study.settings import Settings
from fastopt.surfaces import Surface

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Common:
    """What all runs of a study have in common, as :func:`fastopt.run` takes it."""

    stop: Stop | None
    targets: Floats | None
    record: Record | None
    noise: Noise | None
    dtype: str

    def options(self) -> dict[str, Any]:
        """As keyword arguments."""
        return dict(vars(self))


@dataclass(frozen=True)
class Piece:
    """Some runs of one setting: they are run and reduced together."""

    setting: int
    rule: Rule
    starts: Part


@dataclass(frozen=True)
class Chunk:
    """A unit of work, self-contained: what a worker is sent."""

    plan: str
    number: int
    surface: Surface
    pieces: tuple[Piece, ...]
    max_steps: int
    seed: int
    common: Common
    shape: Shape


class Plan:
    """All runs of a study, by group (rule, surface, seed), setting and start.

    Parameters
    ----------
    rules : mapping of str to mapping of str to Rule
        By label, and by the label of the surface.
    surfaces : mapping of str to Surface
    starts : mapping of str to Starts or numpy.ndarray
        By the label of the surface.
    seeds : sequence of int
    max_steps : mapping of str to int
        By the label of the surface.
    common : Common
    extremes : int
    """

    def __init__(
        self,
        rules: Mapping[str, Mapping[str, Rule]],
        surfaces: Mapping[str, Surface],
        starts: Mapping[str, Starts | NDArray[Any]],
        seeds: Sequence[int],
        max_steps: Mapping[str, int],
        common: Common,
        extremes: int,
    ):
        self.rules, self.surfaces, self.starts = rules, surfaces, starts
        self.seeds, self.max_steps, self.common, self.extremes = seeds, max_steps, common, extremes
        self.keys = [(r, s, seed) for r in rules for s in surfaces for seed in seeds]
        self.settings = {(r, s): Settings(rules[r][s]) for r in rules for s in surfaces}
        self.shapes = {label: self._shape(label) for label in surfaces}

    def starts_of(self, surface: str) -> int:
        """Number of starts on a surface."""
        starts = self.starts[surface]
        return starts.size if isinstance(starts, Starts) else len(starts)

    def records(self, surface: str) -> list[int]:
        """The recorded steps on a surface."""
        record = self.common.record
        return [] if record is None else record.resolve(self.max_steps[surface]).tolist()

    def _shape(self, surface: str) -> Shape:
        """What is kept of the runs on a surface."""
        lowest = self.surfaces[surface].fun_min
        targets = self.common.targets
        return Shape(
            max_steps=self.max_steps[surface],
            targets=0 if targets is None else len(targets),
            records=len(self.records(surface)),
            extremes=self.extremes,
            offset=0.0 if math.isnan(lowest) else lowest,
        )

    def outline(self) -> Outline:
        """All that is needed to read the results."""
        groups = []
        for rule, surface, seed in self.keys:
            settings = self.settings[rule, surface]
            groups.append(
                Group(
                    rule=rule,
                    surface=surface,
                    seed=seed,
                    starts=self.starts_of(surface),
                    dimensions={name: v.tolist() for name, v in settings.dimensions.items()},
                    values=settings.values(),
                    shape=self.shapes[surface],
                    excess=not math.isnan(self.surfaces[surface].fun_min),
                    dim=self.surfaces[surface].dim,
                    records=self.records(surface),
                    dtype=self.common.dtype,
                )
            )
        targets = self.common.targets
        return Outline(groups, [] if targets is None else targets.tolist())

    def description(self) -> dict[str, Any]:
        """All that decides the results, as JSON."""
        return {
            "rules": {r: {s: describe(rule) for s, rule in of.items()} for r, of in self._rules()},
            "surfaces": describe(self.surfaces),
            "starts": describe(self.starts),
            "seeds": list(self.seeds),
            "max_steps": dict(self.max_steps),
            "extremes": self.extremes,
            **{name: describe(value) for name, value in vars(self.common).items()},
        }

    def named_objects(self) -> Iterator[tuple[str, Any]]:
        """All that a worker needs, and what an error calls it."""
        for label, by_surface in self.rules.items():
            yield from ((f"rules[{label!r}]", rule) for rule in by_surface.values())
        for label in self.surfaces:
            yield f"surfaces[{label!r}]", self.surfaces[label]
            yield f"starts[{label!r}]", Part(self.starts[label], range(1))
        yield from vars(self.common).items()

    def _rules(self) -> Iterator[tuple[str, dict[str, Rule]]]:
        """The rules; where one serves all surfaces, it is described once."""
        for label, by_surface in self.rules.items():
            one = len({id(rule) for rule in by_surface.values()}) == 1
            yield label, {"*": next(iter(by_surface.values()))} if one else dict(by_surface)

    def chunks(self, plan: str, lengths: Sequence[int], skip: Container[int]) -> Iterator[Chunk]:
        """The chunks of these lengths, but for those whose number is in *skip*."""
        number = 0
        for (rule, surface, seed), length in zip(self.keys, lengths, strict=True):
            settings, starts = self.settings[rule, surface], self.starts[surface]
            n = self.starts_of(surface)
            for a in range(0, settings.size * n, length):
                if number not in skip:
                    yield Chunk(
                        plan=plan,
                        number=number,
                        surface=self.surfaces[surface],
                        pieces=tuple(
                            Piece(setting, settings.rule(setting), Part(starts, which))
                            for setting, which in spans(a, min(a + length, settings.size * n), n)
                        ),
                        max_steps=self.max_steps[surface],
                        seed=seed,
                        common=self.common,
                        shape=self.shapes[surface],
                    )
                number += 1
