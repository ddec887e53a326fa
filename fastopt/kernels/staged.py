"""Staged blocks: gradient, sums and update each in a loop of its own over the tile.

For any number of coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastopt.kernels.expressions import Names, as_tuple, indent, over_coordinates, over_lanes
from fastopt.kernels.parts import Watch
from fastopt.kernels.randomness import begin_lines, sample_lines, staged_draws, staged_noise


def staged_lines(names: Names, watch: Watch) -> list[str]:
    """The lines of a block."""
    rule = names.rule
    own = names.lane_lines(advance=False)
    step = names.step_lines()
    if rule.per_step:
        step += over_lanes(names.lane_lines(advance=True))
    step += watch_lines(names, watch)
    at, slope = names.get("x", "i"), names.get("g", "i")
    if rule.point:
        there = f"point(p, c, {at}, {names.slots('i')})"
        step += over_coordinates([*own, names.put("y", "i", there)])
    if names.sampled:
        step += sample_lines(names, "y" if rule.point else "x")
    elif rule.point:
        step += [f"gradient({names.q}, y, g, r, w)"]
    step += staged_noise(names)
    if rule.combine:
        step += _sums(names, own)
    step += staged_draws(names)
    combined = [f"d = {as_tuple(names.get('e', k) for k in range(rule.combined))}"]
    update = names.update("i", at, slope)
    combined = combined if rule.combine else []
    step += over_coordinates([*own, *combined, *update], ahead=names.box_lines("i"))
    views = names.views()
    if rule.point:
        views += ["y = tile[layout.y : layout.y + dim]"]
    views += begin_lines(names)
    return [*views, *names.begin(), "for k in range(n):", *indent(step), *names.end()]


def watch_lines(names: Names, watch: Watch) -> list[str]:
    """Gradient, and value where it is needed, at x; what is watched of them is kept."""
    rule = names.rule
    lines = []
    if watch.gradient or not (rule.point or names.sampled):
        lines += [f"gradient({names.q}, x, g, r, w)"]
    if watch.gradient:
        lines += _norm(names, partial(_watched, names), 0)
    if watch.distance:
        away = _norm(names, partial(_away, names), 2)
        lines += ["for near in range(minima.shape[0]):", *indent(away)]
    if watch.values or (rule.uses_value and not names.sampled):
        lines += [f"value({names.q}, x, tile[layout.f], r, w)"]
    if watch.values:
        history = names.keep_history() if watch.targets else []
        lane = [f"level = {names.get('f')}", *names.keep_least(1, "level"), *history]
        lines += over_lanes(lane)
    return lines


def _watched(names: Names, i: int | str) -> str:
    return names.watched_slope(i, names.get("x", i), names.get("g", i))


def _away(names: Names, i: int | str) -> str:
    return f"({names.get('x', i)} - {names.minimum(i, f'minima[near, {i}]')})"


def _norm(names: Names, item: Callable[[int | str], str], row: int) -> list[str]:
    more = f"{names.get('f')} + a * a"
    rest = [f"a = {item('i')}", names.put("f", 0, more)]
    return [
        *names.box_lines(0),
        *over_lanes([f"a = {item(0)}", names.put("f", 0, "a * a")]),
        *over_coordinates(rest, first=1, ahead=names.box_lines("i")),
        *over_lanes([f"a = {names.get('f')}", *names.keep_least(row, "a")]),
    ]


def _sums(names: Names, own: list[str]) -> list[str]:
    rule = names.rule
    at, slope = names.get("x", "i"), names.get("g", "i")
    taken = range(rule.reductions)
    sums = as_tuple(names.get("e", k) for k in taken)
    level = names.get("f") if rule.uses_value else "0.0"
    return [
        *over_lanes([names.put("e", k, "0.0") for k in taken]),
        *over_coordinates(
            [
                *own,
                *names.prepare("i", at, slope),
                f"a = terms(p, c, {at}, {slope}, {names.slots('i')})",
                *(names.put("e", k, f"{names.get('e', k)} + a[{k}]") for k in taken),
            ]
        ),
        *over_lanes(
            [
                *own,
                *names.combine(sums, level),
                *(names.put("e", k, f"d[{k}]") for k in range(rule.combined)),
            ]
        ),
    ]
