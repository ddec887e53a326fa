"""The expressions and loops that a block's source is written with."""

from __future__ import annotations

from collections.abc import Iterable

from fastopt.kernels import lanes
from fastopt.kernels.parts import NoiseParts, RuleParts, SurfaceParts
from fastopt.kernels.tile import Layout, make_layout


class Names:
    """The expressions for what stands in a tile, or in the registers of a group.

    Each access to a tile has a tag, by which LLVM knows that rows are disjoint (see
    :mod:`fastopt.kernels.lanes`): in a fused block the row's number, in a staged one, whose
    rows move with the coordinate, a number for each kind of row.
    """

    def __init__(
        self,
        rule: RuleParts,
        surface: SurfaceParts,
        per_run: bool,
        fused: bool,
        noise: NoiseParts | None = None,
    ):
        self.rule, self.surface, self.noise = rule, surface, noise
        self.per_run, self.fused = per_run, fused
        self.random = noise is not None or rule.draws
        self.sampled = noise is not None and noise.sample is not None
        self._layout: Layout | None = None
        if fused:
            size = (rule, surface.scratch, surface.dim, per_run, self.random, surface.own)
            self._layout = make_layout(*size)
        self._tags: dict[str, int] = {}
        self._held: dict[tuple[str, int | str], str] = {}
        self._lane = "j"
        self.numbers = as_tuple(f"q[{i}]" for i in range(surface.parameters))
        # What a staged function gets for q: the rows of each run's own numbers, or the vector.
        self.q = "given" if surface.own else "q"

    def _place(self, kind: str, more: int | str) -> str:
        """Tag and row number of row *more* of a kind."""
        if self._layout is not None:
            assert isinstance(more, int)
            row = more + (0 if kind == "x" else getattr(self._layout, kind))
            return f"{min(row, lanes.LAST)}, {row}"
        # Coordinate 0 and coordinate i may be the same row, so they must share a tag.
        name = kind if kind in ("x", "g", "y", "z") else f"{kind} {more}"
        tag = self._tags.setdefault(name, min(len(self._tags), lanes.LAST))
        return f"{tag}, {more}" if kind == "x" else f"{tag}, layout.{kind} + {more}"

    def hold(self, rows: Iterable[tuple[str, int | str]], group: int) -> tuple[list[str], ...]:
        """Keep rows in the registers of a group: lines that set up, load and store them."""
        named = {row: f"{row[0]}{number}" for number, row in enumerate(rows)}
        lane = "first + j"
        load = [f"{name}[j] = {self.get(*row, lane)}" for row, name in named.items()]
        store = [self.put(*row, f"{name}[j]", lane) for row, name in named.items()]
        self._held, self._lane = named, "first + j"
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
        lane = self._lane if self.per_run else "0"
        numbers = [self.get("parameters", i, lane) for i in range(self.rule.parameters)]
        if numbers:
            # The schedule's factor belongs to the learning rate, which comes first.
            numbers[0] += " * factor"
        return as_tuple([*numbers, *map(repr, self.rule.flags)])

    @property
    def scalars(self) -> str:
        """The same of what per_step returned last."""
        lane = "j" if self.per_run else "0"
        return as_tuple(self.get("scalars", i, lane) for i in range(self.rule.scalars))

    def slot_rows(self, i: int | str) -> list[int | str]:
        """The rows, from the first slot on, of the slots of coordinate *i*."""
        if isinstance(i, int):
            return [k * self.surface.dim + i for k in range(self.rule.slots)]
        return [f"{k} * dim + {i}" for k in range(self.rule.slots)]

    def own_rows(self) -> list[tuple[str, int | str]]:
        """The rows that a step changes, of a fused block."""
        rule, dim = self.rule, self.surface.dim
        counts = {"x": dim, "slots": rule.slots * dim, "memory": rule.memory}
        counts["scalars"] = rule.scalars if self.per_run else 0
        return [(kind, row) for kind, count in counts.items() for row in range(count)]

    def slots(self, i: int | str) -> str:
        """The tuple of the slots of coordinate *i*."""
        return as_tuple(self.get("slots", row) for row in self.slot_rows(i))

    def keep_slots(self, i: int | str) -> list[str]:
        return [self.put("slots", row, f"s[{k}]") for k, row in enumerate(self.slot_rows(i))]

    def views(self) -> list[str]:
        """Arrays for the staged functions of a surface."""
        return [
            "dim = layout.dim",
            "x = tile[:dim]",
            "g = tile[layout.g : layout.g + dim]",
            "r = tile[layout.r : layout.e]",
            *(["given = tile[layout.given : layout.parameters]"] if self.surface.own else []),
        ]

    def own_numbers(self, lane: str) -> list[str]:
        """The tuple ``q`` of a fused surface of which each run has its own."""
        rows = [self.get("given", k, lane) for k in range(self.surface.own)]
        return [f"q = {as_tuple(rows)}"] if rows else []

    def minimum(self, i: int | str, shared: str) -> str:
        """Coordinate *i* of a run's own minimum, or what is *shared*."""
        if not self.surface.own:
            return shared
        if self.fused and isinstance(i, int):
            return self.get("given", self.surface.own - self.surface.dim + i)
        return self.get("given", f"layout.parameters - layout.given - dim + {i}")

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
        drawn = self.drawn(i) if self.rule.draws else ""
        call = f"update(p, {given}, {at}, {slope}, {self.slots(i)}{drawn})"
        if not self.rule.slots:
            return [self.put("x", i, self.inside(i, call))]
        return [f"new, s = {call}", self.put("x", i, self.inside(i, "new")), *self.keep_slots(i)]

    def drawn(self, i: int | str) -> str:
        """The rule's own random number for coordinate *i*, as a last argument."""
        return f", z{i}" if self.fused else f", {self.get('z', i)}"

    def box_lines(self, i: int | str) -> list[str]:
        """The ends of a boxed surface's box in coordinate *i*; to stand before the lanes."""
        return [f"lower, upper = q[{i}], q[dim + {i}]"] if self.surface.boxed else []

    def _box(self, i: int | str) -> tuple[str, str]:
        if self.fused and isinstance(i, int):
            return f"q[{i}]", f"q[{self.surface.dim + i}]"
        return "lower", "upper"

    def inside(self, i: int | str, value: str) -> str:
        """The new value of coordinate *i*, projected to the box if there is one."""
        lower, upper = self._box(i)
        return f"clip({value}, {lower}, {upper})" if self.surface.boxed else value

    def watched_slope(self, i: int | str, at: str, slope: str) -> str:
        """The derivative whose norm is watched; of a boxed surface x - P(x - g), P projecting.

        It vanishes where no step along the gradient leads down inside the box. In this form
        it is the gradient itself, to the bit, where no bound is near.
        """
        lower, upper = self._box(i)
        inside = f"clip({slope}, {at} - {upper}, {at} - {lower})"
        return inside if self.surface.boxed else slope

    def prepare(self, i: int | str, at: str, slope: str) -> list[str]:
        """The new slots of coordinate *i* before the sums are taken."""
        if not self.rule.prepare:
            return []
        return [f"s = prepare(p, c, {at}, {slope}, {self.slots(i)})", *self.keep_slots(i)]

    def combine(self, sums: str, level: str) -> list[str]:
        """What the update needs of the sums, to ``d``; memory is kept."""
        count = self.rule.memory
        memory = as_tuple(self.get("memory", k) for k in range(count))
        call = f"combine(p, c, {sums}, {level}, {memory})"
        if not count:
            return [f"d = {call}"]
        return [f"d, m = {call}", *(self.put("memory", k, f"m[{k}]") for k in range(count))]

    def keep_least(self, row: int, name: str, lane: str = "j") -> list[str]:
        # False for nan, so a run that overflowed does not hide what it reached before.
        choice = f"{name} if {name} < least else least"
        return [f"least = {self.get('low', row, lane)}", self.put("low", row, choice, lane)]

    def keep_history(self, lane: str = "j") -> list[str]:
        """The least value so far, which keep_least has seen, to the row of the step."""
        rows = self._tags.setdefault("history", len(self._tags))
        tag = min(rows if self._layout is None else self._layout.history, lanes.LAST)
        return [f"put(tile, {tag}, layout.history + k, {lane}, {self.get('low', 1)})"]


def as_tuple(items: Iterable[str]) -> str:
    return "(" + "".join(f"{item}, " for item in items) + ")"


def indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def over_lanes(lines: list[str], count: int | str = "w") -> list[str]:
    return [f"for j in range({count}):", *indent(lines)] if lines else []


def over_coordinates(lines: list[str], first: int = 0, ahead: Iterable[str] = ()) -> list[str]:
    """A loop over coordinates and lanes; *ahead* stands before that over the lanes."""
    return [f"for i in range({first}, dim):", *indent([*ahead, *over_lanes(lines)])]
