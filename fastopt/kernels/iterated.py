"""Iterated blocks: a whole step of a rule is one function over the tile.

For rules that are not made coordinate by coordinate, but search along a line, solve linear
equations or evaluate the surface several times. Parameters are always read run by run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fastopt.kernels.expressions import Names, as_tuple, indent, over_coordinates
from fastopt.kernels.parts import Watch
from fastopt.kernels.staged import watch_lines


class Tile(NamedTuple):
    """What a rule's ``iterate`` works on; the last axis of each array but q is the lane."""

    x: Any  # (dim, lanes) coordinates, to be changed
    f: Any  # (lanes) value at x, if the rule uses it
    g: Any  # (dim, lanes) gradient at x
    slots: Any  # (slots, dim, lanes)
    matrices: Any  # (matrices, dim * dim, lanes) the runs' own, row by row
    memory: Any  # (memory, lanes)
    numbers: Any  # (numbers, lanes) scratch, and so are the next two
    vectors: Any  # (vectors, dim, lanes)
    squares: Any  # (squares, dim * dim, lanes)
    q: Any  # numbers of the surface, or (own, lanes) those of each run
    r: Any  # scratch of the surface
    w: int  # lanes in use


def iterated_lines(names: Names, watch: Watch) -> list[str]:
    """The lines of a block."""
    rule = names.rule
    functions = ["value", "gradient", *(["hessian"] if rule.uses_hessian else [])]
    step = [
        *watch_lines(names, watch),
        f"iterate(p, rates[0, k], flags, lanes, {', '.join(functions)})",
    ]
    if names.surface.boxed:
        inside = names.inside("i", names.get("x", "i"))
        step += over_coordinates([names.put("x", "i", inside)], ahead=names.box_lines("i"))
    numbers, vectors, squares = rule.work
    pieces = {
        "slots": ("layout.slots", rule.slots, "dim"),
        "matrices": (f"layout.slots + {rule.slots} * dim", rule.matrices, "dim * dim"),
        "vectors": (f"layout.e + {numbers}", vectors, "dim"),
        "squares": (f"layout.e + {numbers} + {vectors} * dim", squares, "dim * dim"),
    }
    return [
        *names.views(),
        f"flags = {as_tuple(map(repr, rule.flags))}",
        f"p = tile[layout.parameters : layout.parameters + {rule.parameters}]",
        "f = tile[layout.f]",
        f"memory = tile[layout.memory : layout.memory + {rule.memory}]",
        f"numbers = tile[layout.e : layout.e + {numbers}]",
        *(
            f"{name} = tile[{first} : {first} + {count} * ({rows})]"
            f".reshape(({count}, {rows}, tile.shape[1]))"
            for name, (first, count, rows) in pieces.items()
        ),
        *(["q = given"] if names.surface.own else []),
        f"lanes = Tile({', '.join(Tile._fields)})",
        "for k in range(n):",
        *indent(step),
    ]
