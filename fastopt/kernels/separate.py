"""Separate blocks: one coordinate after the other through all steps, in registers.

For surfaces whose derivative by a coordinate depends on that alone, as a quadratic's does in
its eigenbasis, and rules that don't mix coordinates either. A staged block has every
coordinate in and out of the cache in each step, and in many coordinates that of the second
level: here it is once a window. The operations are those of the staged block, in its order.
"""

from __future__ import annotations

from fastopt.kernels.expressions import Names, as_tuple, indent, over_lanes
from fastopt.kernels.parts import Watch


def is_separate(names: Names, watch: Watch) -> bool:
    """Whether no coordinate needs another one, but for the gradient's norm.

    Nor more slots than one: with those, a group of lanes has too few registers.
    """
    rule, surface = names.rule, names.surface
    if surface.slope is None or names.random or watch.values or watch.distance:
        return False
    if rule.iterate or rule.combine or rule.uses_value or surface.boxed or rule.slots > 1:
        return False
    return not (names.per_run and rule.per_step)


def separate_lines(names: Names, watch: Watch, group: int) -> list[str]:
    """The lines of a block, for groups of so many lanes."""
    rule, surface = names.rule, names.surface
    ahead = [*names.step_lines(), *(f"rates[{s + 1}, k] = c[{s}]" for s in range(rule.scalars))]
    before = [*names.begin(), "for k in range(n):", *indent(ahead), *names.end()]
    numbers = [f"{k} * dim + i" for k in range(surface.slope_numbers)]
    kept = [("x", "i"), *(("slots", row) for row in names.slot_rows("i"))]
    given = [("given", row) for row in numbers] if surface.own else []
    declare, load, store = names.hold([*kept, *given], group)
    shared = [] if surface.own else [f"a = {as_tuple(f'q[{row}]' for row in numbers)}"]
    step = ["factor = rates[0, begin + k]", *_step(names)]
    step += over_lanes(_lane(names, watch, given), group)
    coordinate = [*shared, *over_lanes(load, group), "for k in range(steps):", *indent(step)]
    coordinate += over_lanes(store[: len(kept)], group)
    # The rows of the gradient, which nothing else needs, hold the norm of each step.
    lane = "first + j"
    norm, zero = names.get("g", "k", lane), names.put("g", "k", "0.0", lane)
    clear = ["for k in range(steps):", *indent(over_lanes([zero], group))]
    least = [f"norm = {norm}", *names.keep_least(0, "norm", lane)]
    look = ["for k in range(steps):", *indent(over_lanes(least, group))]
    window = [
        "steps = min(dim, n - begin)",
        *(clear if watch.gradient else []),
        "for i in range(dim):",
        *indent(coordinate),
        *(look if watch.gradient else []),
    ]
    return [
        "dim = layout.dim",
        *(before if rule.per_step and not names.per_run else []),
        *declare,
        f"for first in range(0, w, {group}):",
        "    for begin in range(0, n, dim):",
        *indent(indent(window)),
    ]


def _step(names: Names) -> list[str]:
    """Parameters and scalars of a step, where all runs share them."""
    if names.per_run:
        return []
    scalars = as_tuple(f"rates[{s + 1}, begin + k]" for s in range(names.rule.scalars))
    return [f"p = {names.parameters}", f"c = {scalars}"]


def _lane(names: Names, watch: Watch, given: list[tuple[str, str]]) -> list[str]:
    """One step of one coordinate of one run."""
    rule, at = names.rule, names.get("x", "i")
    lane = [f"p = {names.parameters}", "c = ()"] if names.per_run else []
    lane += [f"a = {as_tuple(names.get(*row) for row in given)}"] if given else []
    lane += [f"at = {at}"]
    if watch.gradient or not rule.point:
        lane += ["g = slope(a, at)"]
    if watch.gradient:
        norm = names.get("g", "k", "first + j")
        lane += [names.put("g", "k", f"{norm} + g * g", "first + j")]
    if rule.point:
        lane += [f"g = slope(a, point(p, c, at, {names.slots('i')}))"]
    return lane + names.update("i", "at", "g")
