"""Fused blocks: gradient and update of a run in one loop over the lanes.

The coordinates are written out, and a group of runs (:func:`fastopt.kernels.tile.group_lanes`)
is advanced by all the steps before the next, so that LLVM keeps it in registers. For surfaces
of few coordinates.
"""

from __future__ import annotations

from fastopt.kernels.expressions import Names, as_tuple, indent, over_lanes
from fastopt.kernels.parts import Watch
from fastopt.kernels.randomness import begin_lines, fused_draws, fused_noise


def fused_lines(names: Names, watch: Watch, group: int) -> list[str]:
    """The lines of a block, for groups of so many lanes."""
    rule = names.rule
    shared = not names.per_run and rule.per_step is not None
    # The scalars of all steps come first: each group would work them out again.
    ahead = [*names.step_lines(), *(f"rates[{i + 1}, k] = c[{i}]" for i in range(rule.scalars))]
    before = [*names.begin(), "for k in range(n):", *indent(ahead), *names.end()]
    own = names.own_rows() + [("low", k) for k, used in enumerate(watch.tracked) if used]
    declare, load, store = names.hold(own, group)
    step = ["factor = rates[0, k]"]
    if not names.per_run:
        step += [f"p = {names.parameters}"]
        step += [f"c = {as_tuple(f'rates[{i + 1}, k]' for i in range(rule.scalars))}"]
    step += _fused_distance(names, group) if watch.distance else []
    step += over_lanes(_fused_lane(names, watch), group)
    return [
        *begin_lines(names),
        *([] if names.surface.own else [f"q = {names.numbers}"]),
        *(before if shared else []),
        *declare,
        f"for first in range(0, w, {group}):",
        *indent([*over_lanes(load, group), "for k in range(n):", *indent(step)]),
        *indent(over_lanes(store, group)),
    ]


def _fused_lane(names: Names, watch: Watch) -> list[str]:
    """One step of one run."""
    rule, rows = names.rule, range(names.surface.dim)
    lane = names.lane_lines(advance=True) + names.own_numbers("first + j")
    lane += [f"at = {as_tuple(names.get('x', i) for i in rows)}"]
    if watch.gradient or not rule.point:
        lane += ["slope = gradient(q, at)"]
    if watch.gradient:
        seen = [names.watched_slope(i, f"at[{i}]", f"slope[{i}]") for i in rows]
        lane += [f"seen = {as_tuple(seen)}"]
        norm = " + ".join(f"seen[{i}] * seen[{i}]" for i in rows)
        lane += [f"norm = {norm}", *names.keep_least(0, "norm")]
    if watch.values or rule.uses_value:
        lane += ["level = value(q, at)"]
    if watch.values:
        lane += names.keep_least(1, "level")
    if watch.targets:
        lane += names.keep_history("first + j")
    if rule.point:
        points = [f"point(p, c, at[{i}], {names.slots(i)})" for i in rows]
        lane += [f"slope = gradient(q, {as_tuple(points)})"]
    lane += fused_noise(names)
    for i in rows:
        lane += names.prepare(i, f"at[{i}]", f"slope[{i}]")
    if rule.combine:
        lane += [f"a{i} = terms(p, c, at[{i}], slope[{i}], {names.slots(i)})" for i in rows]
        sums = [" + ".join(f"a{i}[{k}]" for i in rows) for k in range(rule.reductions)]
        lane += names.combine(as_tuple(sums), "level" if rule.uses_value else "0.0")
    lane += fused_draws(names)
    for i in rows:
        lane += names.update(i, f"at[{i}]", f"slope[{i}]")
    return lane


def _fused_distance(names: Names, group: int) -> list[str]:
    # A loop over the lanes for each minimum: one over the minima inside it would be the
    # innermost, and nothing would be vectorised.
    rows = range(names.surface.dim)
    near = [names.minimum(i, f"minimum[{i}]") for i in rows]
    away = [f"({names.get('x', i)} - {near[i]})" for i in rows]
    lane = [f"b{i} = {away[i]}" for i in rows]
    lane += [f"distance = {' + '.join(f'b{i} * b{i}' for i in rows)}"]
    return [
        "for near in range(minima.shape[0]):",
        f"    minimum = {as_tuple(f'minima[near, {i}]' for i in rows)}",
        *indent(over_lanes([*lane, *names.keep_least(2, "distance")], group)),
    ]
