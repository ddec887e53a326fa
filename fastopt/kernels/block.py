"""The block: the hot loop of one (rule, surface) pair, advancing a tile by some steps.

Its source is written out for the pair (``print(block_source(...))`` shows it) and compiled
by :func:`fastopt.kernels.compile.compile_entry`, which inlines the rule's and the surface's
functions. There are two forms:

* fused: gradient and update of a run in one loop over the lanes, the coordinates written
  out. For surfaces of few coordinates; 25% faster for gradient descent, 5% for Adam.
* staged: gradient, sums and update each in a loop of its own over the tile, for any number
  of coordinates.

Each step ``t`` -> ``t + 1`` first looks at the point ``x_t`` itself: the block leaves in the
rows ``low`` the least squared gradient norm (or value, or squared distance) that it saw, and
the driver finds out later which step it was.
"""

from __future__ import annotations

from functools import cache as memoise
from typing import Any

import numba
import numpy as np

from fastopt.kernels.compile import Entry, compile_entry, from_source
from fastopt.kernels.parts import NO_RULE, RuleParts, SurfaceParts, Watch
from fastopt.kernels.tile import Layout, make_layout

_HEADER = "def block(tile, layout, q, minima, rate, w, t, n):"
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
    source = block_source(rule, surface, watch, per_run)
    block = from_source(
        "block", source, value=surface.value, gradient=surface.gradient, **functions
    )
    variant = watch.label + ("-per_run" if per_run else "")
    label = f"{rule.label}-{surface.label}-{surface.size_label}-{variant}-{dtype}"
    return compile_entry(block, dtype, block_signature(dtype), label, (rule.source, surface.source))


@memoise
def build_evaluation(surface: SurfaceParts, dtype: str) -> Entry:
    """The compiled value (to row ``f``) and gradient (to rows ``g``) of a surface on a tile."""
    source = "\n".join([_HEADER, *_indent(_evaluation(surface)), ""])
    block = from_source("block", source, value=surface.value, gradient=surface.gradient)
    label = f"{surface.label}-{surface.size_label}-{dtype}"
    return compile_entry(block, dtype, block_signature(dtype), label, [surface.source])


@memoise
def block_signature(dtype: str) -> Any:
    """The one signature of all blocks: *n* steps from step *t* on the first *w* lanes."""
    vector, matrix = np.zeros(0, dtype), np.zeros((0, 0), dtype)
    layout = make_layout(NO_RULE, 0, 1, False)
    arguments = [numba.typeof(part) for part in (matrix, layout, vector, matrix, vector)]
    return numba.types.void(*arguments, *[numba.types.int64] * 3)


def block_source(rule: RuleParts, surface: SurfaceParts, watch: Watch, per_run: bool) -> str:
    """The Python source of the block of a pair."""
    write = _fused if surface.fused else _staged
    lines = write(_Names(rule, surface, per_run), watch)
    return "\n".join([_HEADER, *_indent(lines), ""])


def _evaluation(surface: SurfaceParts) -> list[str]:
    names = _Names(NO_RULE, surface, False)
    if not surface.fused:
        return [
            *names.views(),
            "value(q, x, tile[layout.f], r, w)",
            "gradient(q, x, g, r, w)",
        ]
    rows = range(surface.dim)
    return [
        f"q = {names.numbers}",
        *_lanes(
            [
                f"at = {_tuple(f'tile[{i}, j]' for i in rows)}",
                f"{names.row('f')} = value(q, at)",
                "slope = gradient(q, at)",
                *(f"{names.row('g', i)} = slope[{i}]" for i in rows),
            ]
        ),
    ]


class _Names:
    """The expressions for what stands in a tile, the same for both forms."""

    def __init__(self, rule: RuleParts, surface: SurfaceParts, per_run: bool):
        self.rule, self.surface, self.per_run = rule, surface, per_run
        self._layout: Layout | None = None
        if surface.fused:
            # Known now: rows at constant distances need fewer checks for overlap.
            self._layout = make_layout(rule, surface.scratch, surface.dim, per_run)
        lane = "j" if per_run else "0"
        parameters = [self.row("parameters", i, lane) for i in range(rule.parameters)]
        if parameters:
            # The schedule's factor belongs to the learning rate, which comes first.
            parameters[0] += " * factor"
        self.parameters = _tuple([*parameters, *map(repr, rule.flags)])
        kept = [self.row("scalars", i, lane) for i in range(rule.scalars)]
        self.scalars = _tuple(kept)
        self.keep_scalars = [f"{place} = c[{i}]" for i, place in enumerate(kept)]
        self.memory = [self.row("memory", i) for i in range(rule.memory)]
        self.numbers = _tuple(f"q[{i}]" for i in range(surface.parameters))

    def row(self, kind: str, more: int | str = 0, lane: str = "j") -> str:
        """The element of row number *more* of a kind, in a lane."""
        if self._layout is not None and isinstance(more, int):
            return f"tile[{getattr(self._layout, kind) + more}, {lane}]"
        return f"tile[layout.{kind} + {more}, {lane}]"

    def slots(self, i: int | str) -> list[str]:
        """The elements of the slots of coordinate *i*."""
        if isinstance(i, int):
            return [self.row("slots", k * self.surface.dim + i) for k in range(self.rule.slots)]
        return [self.row("slots", f"{k} * dim + {i}") for k in range(self.rule.slots)]

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
        lines = ["factor = rate[k]"]
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
            lines += ["c = per_step(p, t + k, c)", *self.keep_scalars]
        return lines

    def begin(self) -> list[str]:
        return [] if self.per_run else [f"c = {self.scalars}"]

    def end(self) -> list[str]:
        return [] if self.per_run else self.keep_scalars

    def update(self, i: int | str, at: str, slope: str) -> list[str]:
        """The new value, and slots, of coordinate *i*."""
        given = "d" if self.rule.combine else "c"
        call = f"update(p, {given}, {at}, {slope}, {_tuple(self.slots(i))})"
        if not self.rule.slots:
            return [f"tile[{i}, j] = {call}"]
        keep = [f"{slot} = s[{k}]" for k, slot in enumerate(self.slots(i))]
        return [f"new, s = {call}", f"tile[{i}, j] = new", *keep]

    def prepare(self, i: int | str, at: str, slope: str) -> list[str]:
        """The new slots of coordinate *i* before the sums are taken."""
        if not self.rule.prepare:
            return []
        keep = [f"{slot} = s[{k}]" for k, slot in enumerate(self.slots(i))]
        return [f"s = prepare(p, c, {at}, {slope}, {_tuple(self.slots(i))})", *keep]

    def combine(self, sums: str, level: str) -> list[str]:
        """What the update needs of the sums, to ``d``; memory is kept."""
        call = f"combine(p, c, {sums}, {level}, {_tuple(self.memory)})"
        if not self.rule.memory:
            return [f"d = {call}"]
        return [f"d, m = {call}", *(f"{place} = m[{k}]" for k, place in enumerate(self.memory))]

    def keep_least(self, row: int, name: str) -> str:
        low = self.row("low", row)
        # False for nan, so a run that overflowed does not hide what it reached before.
        return f"least = {low}; {low} = {name} if {name} < least else least"


def _tuple(items: Any) -> str:
    return "(" + "".join(f"{item}, " for item in items) + ")"


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _lanes(lines: list[str]) -> list[str]:
    return ["for j in range(w):", *_indent(lines)] if lines else []


def _coordinates(lines: list[str], first: int = 0) -> list[str]:
    return [f"for i in range({first}, dim):", *_indent(_lanes(lines))]


# -- fused -------------------------------------------------------------------------------


def _fused(names: _Names, watch: Watch) -> list[str]:
    rule, rows = names.rule, range(names.surface.dim)
    lane = names.lane_lines(advance=True)
    lane += [f"at = {_tuple(f'tile[{i}, j]' for i in rows)}"]
    if watch.gradient or not rule.point:
        lane += ["slope = gradient(q, at)"]
    if watch.gradient:
        norm = " + ".join(f"slope[{i}] * slope[{i}]" for i in rows)
        lane += [f"norm = {norm}", names.keep_least(0, "norm")]
    if watch.value or rule.uses_value:
        lane += ["level = value(q, at)"]
    if watch.value:
        lane += [names.keep_least(1, "level")]
    if watch.distance:
        away = [f"(at[{i}] - minima[near, {i}])" for i in rows]
        lane += [
            "for near in range(minima.shape[0]):",
            f"    distance = {' + '.join(f'{a} * {a}' for a in away)}",
            "    " + names.keep_least(2, "distance"),
        ]
    if rule.point:
        points = [f"point(p, c, at[{i}], {_tuple(names.slots(i))})" for i in rows]
        lane += [f"slope = gradient(q, {_tuple(points)})"]
    for i in rows:
        lane += names.prepare(i, f"at[{i}]", f"slope[{i}]")
    if rule.combine:
        for i in rows:
            lane += [f"a{i} = terms(p, c, at[{i}], slope[{i}], {_tuple(names.slots(i))})"]
        sums = [" + ".join(f"a{i}[{k}]" for i in rows) for k in range(rule.reductions)]
        lane += names.combine(_tuple(sums), "level" if rule.uses_value else "0.0")
    for i in rows:
        lane += names.update(i, f"at[{i}]", f"slope[{i}]")
    return [
        f"q = {names.numbers}",
        *names.begin(),
        "for k in range(n):",
        *_indent([*names.step_lines(), *_lanes(lane)]),
        *names.end(),
    ]


# -- staged ------------------------------------------------------------------------------


def _staged(names: _Names, watch: Watch) -> list[str]:
    rule, f = names.rule, names.row("f")
    own = names.lane_lines(advance=False)
    step = names.step_lines()
    if rule.per_step:
        step += _lanes(names.lane_lines(advance=True))
    if watch.gradient or not rule.point:
        step += ["gradient(q, x, g, r, w)"]
    if watch.gradient:
        step += _staged_norm(names, "g[{i}, j]", 0)
    if watch.distance:
        step += ["for near in range(minima.shape[0]):"]
        step += _indent(_staged_norm(names, "(x[{i}, j] - minima[near, {i}])", 2))
    if watch.value or rule.uses_value:
        step += ["value(q, x, tile[layout.f], r, w)"]
    if watch.value:
        step += _lanes([names.keep_least(1, f)])
    if rule.point:
        slots = _tuple(names.slots("i"))
        step += _coordinates([*own, f"y[i, j] = point(p, c, x[i, j], {slots})"])
        step += ["gradient(q, y, g, r, w)"]
    if rule.combine:
        step += _staged_sums(names, own)
    sums = [f"d = {_tuple(names.row('e', k) for k in range(rule.combined))}"]
    update = names.update("i", "tile[i, j]", "g[i, j]")
    step += _coordinates([*own, *(sums if rule.combine else []), *update])
    views = names.views()
    if rule.point:
        views += ["y = tile[layout.y : layout.y + dim]"]
    return [*views, *names.begin(), "for k in range(n):", *_indent(step), *names.end()]


def _staged_norm(names: _Names, item: str, row: int) -> list[str]:
    f = names.row("f")
    first, rest = item.format(i=0), item.format(i="i")
    return [
        *_lanes([f"{f} = {first} * {first}"]),
        *_coordinates([f"{f} += {rest} * {rest}"], first=1),
        *_lanes([names.keep_least(row, f)]),
    ]


def _staged_sums(names: _Names, own: list[str]) -> list[str]:
    rule = names.rule
    places = [names.row("e", k) for k in range(max(rule.reductions, rule.combined))]
    taken = places[: rule.reductions]
    level = names.row("f") if rule.uses_value else "0.0"
    return [
        *_lanes([f"{place} = 0.0" for place in taken]),
        *_coordinates(
            [
                *own,
                *names.prepare("i", "x[i, j]", "g[i, j]"),
                f"a = terms(p, c, x[i, j], g[i, j], {_tuple(names.slots('i'))})",
                *(f"{place} += a[{k}]" for k, place in enumerate(taken)),
            ]
        ),
        *_lanes(
            [
                *own,
                *names.combine(_tuple(taken), level),
                *(f"{places[k]} = d[{k}]" for k in range(rule.combined)),
            ]
        ),
    ]
