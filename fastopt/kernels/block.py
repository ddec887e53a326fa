"""The block: the hot loop of one (rule, surface) pair, advancing a tile by some steps.

Its source is written out for the pair (``print(block_source(...))`` shows it) and compiled
by :func:`fastopt.kernels.compile.compile_entry`, which inlines the rule's and the surface's
functions. There are two forms:

* fused: gradient and update of a run in one loop over the lanes, the coordinates written
  out, and a group of runs (:func:`fastopt.kernels.tile.group_lanes`) advanced by all the
  steps before the next, so that LLVM keeps it in registers. For surfaces of few coordinates.
* staged: gradient, sums and update each in a loop of its own over the tile, for any number
  of coordinates.

Each step ``t`` -> ``t + 1`` first looks at the point ``x_t`` itself: the block leaves in the
rows ``low`` the least squared gradient norm (or value, or squared distance) that it saw, and
the driver finds out later which step it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache as memoise
from typing import Any

import numba
import numpy as np

from fastopt.kernels import lanes
from fastopt.kernels.compile import Entry, compile_entry, from_source
from fastopt.kernels.parts import NO_RULE, RuleParts, SurfaceParts, Watch
from fastopt.kernels.tile import Layout, group_lanes, make_layout

_HEADER = "def block(tile, layout, q, minima, rates, w, t, n):"
_FUNCTIONS = ("per_step", "point", "prepare", "terms", "combine", "update")


@memoise
def build_block(
    rule: RuleParts, surface: SurfaceParts, watch: Watch, per_run: bool, dtype: str
) -> Entry:
    """The compiled block of a pair.

    Parameters
    ----------
    rule, surface : RuleParts, SurfaceParts
    watch : Watch
        What it tracks the least of.
    per_run : bool
        Whether parameters differ from run to run: parameters and the scalars of a step are
        then read in every lane.
    dtype : {"float64", "float32"}
    """
    functions = {name: getattr(rule, name) for name in _FUNCTIONS if getattr(rule, name)}
    block = _define(block_source(rule, surface, watch, per_run, dtype), surface, functions)
    variant = watch.label + ("-per_run" if per_run else "")
    label = f"{rule.label}-{surface.label}-{surface.size_label}-{variant}-{dtype}"
    return compile_entry(block, dtype, block_signature(dtype), label, (rule.source, surface.source))


@memoise
def build_evaluation(surface: SurfaceParts, dtype: str) -> Entry:
    """The compiled value (to row ``f``) and gradient (to rows ``g``) of a surface on a tile."""
    source = "\n".join([_HEADER, *_indent(_evaluation(surface)), ""])
    block = _define(source, surface, {})
    label = f"{surface.label}-{surface.size_label}-{dtype}"
    return compile_entry(block, dtype, block_signature(dtype), label, [surface.source])


@memoise
def block_signature(dtype: str) -> Any:
    """The one signature of all blocks: *n* steps from step *t* on the first *w* lanes.

    In the column of each of the steps, ``rates`` has the factor of the learning rate, and
    below it room for the scalars of a step, which a fused block fills.
    """
    vector, matrix = np.zeros(0, dtype), np.zeros((0, 0), dtype)
    layout = make_layout(NO_RULE, 0, 1, False)
    arguments = [numba.typeof(part) for part in (matrix, layout, vector, matrix, matrix)]
    return numba.types.void(*arguments, *[numba.types.int64] * 3)


def block_source(
    rule: RuleParts, surface: SurfaceParts, watch: Watch, per_run: bool, dtype: str
) -> str:
    """The Python source of the block of a pair."""
    names = _Names(rule, surface, per_run)
    if surface.fused:
        lines = _fused(names, watch, group_lanes(rule, surface, dtype))
    else:
        lines = _staged(names, watch)
    return "\n".join([_HEADER, *_indent(lines), ""])


def _define(source: str, surface: SurfaceParts, functions: dict[str, Any]) -> Any:
    surfaces = {"value": surface.value, "gradient": surface.gradient}
    access = {"get": lanes.get, "put": lanes.put, "registers": lanes.registers}
    return from_source("block", source, **access, **surfaces, **functions)


def _evaluation(surface: SurfaceParts) -> list[str]:
    names = _Names(NO_RULE, surface, False)
    if not surface.fused:
        return [
            *names.views(),
            "value(q, x, tile[layout.f], r, w)",
            "gradient(q, x, g, r, w)",
        ]
    rows = range(surface.dim)
    lane = [
        f"at = {_tuple(names.get('x', i) for i in rows)}",
        names.put("f", 0, "value(q, at)"),
        "slope = gradient(q, at)",
        *(names.put("g", i, f"slope[{i}]") for i in rows),
    ]
    return [f"q = {names.numbers}", *_lanes(lane)]


class _Names:
    """The expressions for what stands in a tile, or in the registers of a group.

    Each access to a tile has a tag, by which LLVM knows that rows are disjoint (see
    :mod:`fastopt.kernels.lanes`): in a fused block the row's number, in a staged one, whose
    rows move with the coordinate, a number for each kind of row.
    """

    def __init__(self, rule: RuleParts, surface: SurfaceParts, per_run: bool):
        self.rule, self.surface, self.per_run = rule, surface, per_run
        self._layout: Layout | None = None
        if surface.fused:
            self._layout = make_layout(rule, surface.scratch, surface.dim, per_run)
        self._tags: dict[str, int] = {}
        self._held: dict[tuple[str, int | str], str] = {}
        self.numbers = _tuple(f"q[{i}]" for i in range(surface.parameters))

    def _place(self, kind: str, more: int | str) -> str:
        """Tag and row number of row *more* of a kind."""
        if self._layout is not None:
            assert isinstance(more, int)
            row = more + (0 if kind == "x" else getattr(self._layout, kind))
            return f"{min(row, lanes.LAST)}, {row}"
        # Coordinate 0 and coordinate i may be the same row, so they must share a tag.
        name = kind if kind in ("x", "g", "y") else f"{kind} {more}"
        tag = self._tags.setdefault(name, min(len(self._tags), lanes.LAST))
        return f"{tag}, {more}" if kind == "x" else f"{tag}, layout.{kind} + {more}"

    def hold(self, rows: Iterable[tuple[str, int]], group: int) -> tuple[list[str], ...]:
        """Keep rows in the registers of a group: lines that set up, load and store them."""
        named: dict[tuple[str, int | str], str] = {row: "".join(map(str, row)) for row in rows}
        lane = "first + j"
        load = [f"{name}[j] = {self.get(*row, lane)}" for row, name in named.items()]
        store = [self.put(*row, f"{name}[j]", lane) for row, name in named.items()]
        self._held = named
        return [f"{name} = registers(tile, {group})" for name in named.values()], load, store

    def get(self, kind: str, more: int | str = 0, lane: str = "j") -> str:
        """The element of row *more* of a kind, in a lane."""
        if (kind, more) in self._held:
            return f"{self._held[kind, more]}[{lane}]"
        return f"get(tile, {self._place(kind, more)}, {lane})"

    def put(self, kind: str, more: int | str, value: str, lane: str = "j") -> str:
        """Set that element."""
        if (kind, more) in self._held:
            return f"{self._held[kind, more]}[{lane}] = {value}"
        return f"put(tile, {self._place(kind, more)}, {lane}, {value})"

    @property
    def parameters(self) -> str:
        """The tuple of a run's own parameters, or of those for all in lane 0."""
        lane = "0" if not self.per_run else "first + j" if self.surface.fused else "j"
        numbers = [self.get("parameters", i, lane) for i in range(self.rule.parameters)]
        if numbers:
            # The schedule's factor belongs to the learning rate, which comes first.
            numbers[0] += " * factor"
        return _tuple([*numbers, *map(repr, self.rule.flags)])

    @property
    def scalars(self) -> str:
        """The same of what per_step returned last."""
        lane = "j" if self.per_run else "0"
        return _tuple(self.get("scalars", i, lane) for i in range(self.rule.scalars))

    def _slot_rows(self, i: int | str) -> list[int | str]:
        if isinstance(i, int):
            return [k * self.surface.dim + i for k in range(self.rule.slots)]
        return [f"{k} * dim + {i}" for k in range(self.rule.slots)]

    def own_rows(self) -> list[tuple[str, int]]:
        """The rows that a step changes, of a fused block."""
        rule, dim = self.rule, self.surface.dim
        counts = {"x": dim, "slots": rule.slots * dim, "memory": rule.memory}
        counts["scalars"] = rule.scalars if self.per_run else 0
        return [(kind, row) for kind, count in counts.items() for row in range(count)]

    def slots(self, i: int | str) -> str:
        """The tuple of the slots of coordinate *i*."""
        return _tuple(self.get("slots", row) for row in self._slot_rows(i))

    def keep_slots(self, i: int | str) -> list[str]:
        return [self.put("slots", row, f"s[{k}]") for k, row in enumerate(self._slot_rows(i))]

    def views(self) -> list[str]:
        """Arrays for the staged functions of a surface."""
        return [
            "dim = layout.dim",
            "x = tile[:dim]",
            "g = tile[layout.g : layout.g + dim]",
            "r = tile[layout.r : layout.e]",
        ]

    def step_lines(self) -> list[str]:
        """Parameters and scalars of the step ``t + k``, before the loop over the lanes."""
        lines = ["factor = rates[0, k]"]
        if not self.per_run:
            lines += [f"p = {self.parameters}"]
            lines += ["c = per_step(p, t + k, c)"] if self.rule.per_step else []
        return lines

    def lane_lines(self, advance: bool) -> list[str]:
        """The same, inside the loop over the lanes, where runs have their own."""
        if not self.per_run:
            return []
        lines = [f"p = {self.parameters}", f"c = {self.scalars}"]
        if advance and self.rule.per_step:
            lines += ["c = per_step(p, t + k, c)", *self.keep_scalars()]
        return lines

    def begin(self) -> list[str]:
        return [] if self.per_run else [f"c = {self.scalars}"]

    def end(self) -> list[str]:
        return [] if self.per_run else self.keep_scalars()

    def keep_scalars(self) -> list[str]:
        lane = "j" if self.per_run else "0"
        return [self.put("scalars", i, f"c[{i}]", lane) for i in range(self.rule.scalars)]

    def update(self, i: int | str, at: str, slope: str) -> list[str]:
        """The new value, and slots, of coordinate *i*."""
        given = "d" if self.rule.combine else "c"
        call = f"update(p, {given}, {at}, {slope}, {self.slots(i)})"
        if not self.rule.slots:
            return [self.put("x", i, call)]
        return [f"new, s = {call}", self.put("x", i, "new"), *self.keep_slots(i)]

    def prepare(self, i: int | str, at: str, slope: str) -> list[str]:
        """The new slots of coordinate *i* before the sums are taken."""
        if not self.rule.prepare:
            return []
        return [f"s = prepare(p, c, {at}, {slope}, {self.slots(i)})", *self.keep_slots(i)]

    def combine(self, sums: str, level: str) -> list[str]:
        """What the update needs of the sums, to ``d``; memory is kept."""
        count = self.rule.memory
        memory = _tuple(self.get("memory", k) for k in range(count))
        call = f"combine(p, c, {sums}, {level}, {memory})"
        if not count:
            return [f"d = {call}"]
        return [f"d, m = {call}", *(self.put("memory", k, f"m[{k}]") for k in range(count))]

    def keep_least(self, row: int, name: str) -> list[str]:
        # False for nan, so a run that overflowed does not hide what it reached before.
        choice = f"{name} if {name} < least else least"
        return [f"least = {self.get('low', row)}", self.put("low", row, choice)]


def _tuple(items: Iterable[str]) -> str:
    return "(" + "".join(f"{item}, " for item in items) + ")"


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _lanes(lines: list[str], count: int | str = "w") -> list[str]:
    return [f"for j in range({count}):", *_indent(lines)] if lines else []


def _coordinates(lines: list[str], first: int = 0) -> list[str]:
    return [f"for i in range({first}, dim):", *_indent(_lanes(lines))]


# -- fused -------------------------------------------------------------------------------


def _fused(names: _Names, watch: Watch, group: int) -> list[str]:
    rule = names.rule
    shared = not names.per_run and rule.per_step is not None
    # The scalars of all steps come first: each group would work them out again.
    ahead = [*names.step_lines(), *(f"rates[{i + 1}, k] = c[{i}]" for i in range(rule.scalars))]
    before = [*names.begin(), "for k in range(n):", *_indent(ahead), *names.end()]
    own = names.own_rows() + [("low", k) for k, used in enumerate(watch.tracked) if used]
    declare, load, store = names.hold(own, group)
    step = ["factor = rates[0, k]"]
    if not names.per_run:
        step += [f"p = {names.parameters}"]
        step += [f"c = {_tuple(f'rates[{i + 1}, k]' for i in range(rule.scalars))}"]
    step += _fused_distance(names, group) if watch.distance else []
    step += _lanes(_fused_lane(names, watch), group)
    return [
        f"q = {names.numbers}",
        *(before if shared else []),
        *declare,
        f"for first in range(0, w, {group}):",
        *_indent([*_lanes(load, group), "for k in range(n):", *_indent(step)]),
        *_indent(_lanes(store, group)),
    ]


def _fused_lane(names: _Names, watch: Watch) -> list[str]:
    """One step of one run."""
    rule, rows = names.rule, range(names.surface.dim)
    lane = names.lane_lines(advance=True)
    lane += [f"at = {_tuple(names.get('x', i) for i in rows)}"]
    if watch.gradient or not rule.point:
        lane += ["slope = gradient(q, at)"]
    if watch.gradient:
        norm = " + ".join(f"slope[{i}] * slope[{i}]" for i in rows)
        lane += [f"norm = {norm}", *names.keep_least(0, "norm")]
    if watch.value or rule.uses_value:
        lane += ["level = value(q, at)"]
    if watch.value:
        lane += names.keep_least(1, "level")
    if rule.point:
        points = [f"point(p, c, at[{i}], {names.slots(i)})" for i in rows]
        lane += [f"slope = gradient(q, {_tuple(points)})"]
    for i in rows:
        lane += names.prepare(i, f"at[{i}]", f"slope[{i}]")
    if rule.combine:
        lane += [f"a{i} = terms(p, c, at[{i}], slope[{i}], {names.slots(i)})" for i in rows]
        sums = [" + ".join(f"a{i}[{k}]" for i in rows) for k in range(rule.reductions)]
        lane += names.combine(_tuple(sums), "level" if rule.uses_value else "0.0")
    for i in rows:
        lane += names.update(i, f"at[{i}]", f"slope[{i}]")
    return lane


def _fused_distance(names: _Names, group: int) -> list[str]:
    # A loop over the lanes for each minimum: one over the minima inside it would be the
    # innermost, and nothing would be vectorised.
    rows = range(names.surface.dim)
    away = [f"({names.get('x', i)} - minimum[{i}])" for i in rows]
    lane = [f"b{i} = {away[i]}" for i in rows]
    lane += [f"distance = {' + '.join(f'b{i} * b{i}' for i in rows)}"]
    return [
        "for near in range(minima.shape[0]):",
        f"    minimum = {_tuple(f'minima[near, {i}]' for i in rows)}",
        *_indent(_lanes([*lane, *names.keep_least(2, "distance")], group)),
    ]


# -- staged ------------------------------------------------------------------------------


def _staged(names: _Names, watch: Watch) -> list[str]:
    rule = names.rule
    own = names.lane_lines(advance=False)
    step = names.step_lines()
    if rule.per_step:
        step += _lanes(names.lane_lines(advance=True))
    if watch.gradient or not rule.point:
        step += ["gradient(q, x, g, r, w)"]
    if watch.gradient:
        step += _staged_norm(names, lambda i: names.get("g", i), 0)
    if watch.distance:
        away = _staged_norm(names, lambda i: f"({names.get('x', i)} - minima[near, {i}])", 2)
        step += ["for near in range(minima.shape[0]):", *_indent(away)]
    if watch.value or rule.uses_value:
        step += ["value(q, x, tile[layout.f], r, w)"]
    if watch.value:
        step += _lanes([f"level = {names.get('f')}", *names.keep_least(1, "level")])
    at, slope = names.get("x", "i"), names.get("g", "i")
    if rule.point:
        there = f"point(p, c, {at}, {names.slots('i')})"
        step += _coordinates([*own, names.put("y", "i", there)])
        step += ["gradient(q, y, g, r, w)"]
    if rule.combine:
        step += _staged_sums(names, own)
    combined = [f"d = {_tuple(names.get('e', k) for k in range(rule.combined))}"]
    update = names.update("i", at, slope)
    step += _coordinates([*own, *(combined if rule.combine else []), *update])
    views = names.views()
    if rule.point:
        views += ["y = tile[layout.y : layout.y + dim]"]
    return [*views, *names.begin(), "for k in range(n):", *_indent(step), *names.end()]


def _staged_norm(names: _Names, item: Callable[[int | str], str], row: int) -> list[str]:
    more = f"{names.get('f')} + a * a"
    return [
        *_lanes([f"a = {item(0)}", names.put("f", 0, "a * a")]),
        *_coordinates([f"a = {item('i')}", names.put("f", 0, more)], first=1),
        *_lanes([f"a = {names.get('f')}", *names.keep_least(row, "a")]),
    ]


def _staged_sums(names: _Names, own: list[str]) -> list[str]:
    rule = names.rule
    at, slope = names.get("x", "i"), names.get("g", "i")
    taken = range(rule.reductions)
    sums = _tuple(names.get("e", k) for k in taken)
    level = names.get("f") if rule.uses_value else "0.0"
    return [
        *_lanes([names.put("e", k, "0.0") for k in taken]),
        *_coordinates(
            [
                *own,
                *names.prepare("i", at, slope),
                f"a = terms(p, c, {at}, {slope}, {names.slots('i')})",
                *(names.put("e", k, f"{names.get('e', k)} + a[{k}]") for k in taken),
            ]
        ),
        *_lanes(
            [
                *own,
                *names.combine(sums, level),
                *(names.put("e", k, f"d[{k}]") for k in range(rule.combined)),
            ]
        ),
    ]
