"""What a step costs: operations counted in the machine's own form of a block.

They are counted after LLVM's optimisation, so that what it leaves out or moves out of the loop
is not counted, and in vectors only: what a block does once a step for all its runs is not.
Comparisons, choices and changes of sign are not counted either, for no unit is short of them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fastopt.kernels.compile import Entry

_VECTOR = re.compile(r"<(\d+) x (?:double|float)>")
_KINDS = {
    "fmul": "multiply_adds",
    "llvm.fma": "multiply_adds",
    "fadd": "adds",
    "fsub": "adds",
    "fdiv": "divisions",
    "llvm.sqrt": "roots",
}


class Operations(NamedTuple):
    """How many of each kind; a product counts as a multiply-add."""

    multiply_adds: float = 0.0
    adds: float = 0.0
    divisions: float = 0.0
    roots: float = 0.0


def count_operations(entry: Entry, lanes: int) -> Operations | None:
    """The operations that a loop over the steps does a step and lane.

    Parameters
    ----------
    entry : Entry
        A fused block, or any code that has all its vectors in one innermost loop.
    lanes : int
        How many lanes that loop advances, :func:`fastopt.kernels.tile.group_lanes`.

    Returns
    -------
    Operations or None
        None where LLVM made no such loop: nothing is vectorised, or not in whole groups.
    """
    found = dict.fromkeys(Operations._fields, 0)
    loops = set()
    for function in entry.optimised().functions:
        for block in function.blocks:
            for instruction in block.instructions:
                kind, width = _kind(instruction)
                if kind:
                    found[kind] += width
                    loops.add(block.name)
    whole = all(count % lanes == 0 for count in found.values())
    if len(loops) != 1 or not whole:
        return None
    return Operations(**{kind: count / lanes for kind, count in found.items()})


def _kind(instruction: Any) -> tuple[str | None, int]:
    """The kind that a vector instruction counts as, if any, and of how many numbers it is."""
    vector = _VECTOR.fullmatch(str(instruction.type))
    if vector is None:
        return None, 0
    name = instruction.opcode
    if name == "call":
        *_, function = instruction.operands
        name = ".".join(function.name.split(".")[:2])
    return _KINDS.get(name), int(vector[1])
