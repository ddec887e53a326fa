"""The block: the hot loop of one (rule, surface) pair, advancing a tile by some steps.

Its source is written out for the pair (``print(block_source(...))`` shows it) and compiled
by :func:`fastopt.kernels.compile.compile_entry`, which inlines the rule's and the surface's
functions. There are four forms:

* :mod:`fused <fastopt.kernels.fused>`: for surfaces of few coordinates;
* :mod:`staged <fastopt.kernels.staged>`: for any number of coordinates;
* :mod:`separate <fastopt.kernels.separate>`: for any number of coordinates that have nothing
  to do with each other;
* :mod:`iterated <fastopt.kernels.iterated>`: for rules that are not made coordinate by
  coordinate, but search along a line or solve linear equations.

Each step ``t`` -> ``t + 1`` first looks at the point ``x_t`` itself: the block leaves in the
rows ``low`` the least squared gradient norm (or value, or squared distance) that it saw, and
the driver finds out later which step it was.
"""

from __future__ import annotations

from functools import cache as memoise
from typing import Any

import numba
import numpy as np

from fastopt.kernels import choices, lanes, randomness
from fastopt.kernels.compile import Entry, compile_entry, from_source
from fastopt.kernels.expressions import Names, indent, over_coordinates
from fastopt.kernels.fused import fused_lines
from fastopt.kernels.iterated import Tile, iterated_lines
from fastopt.kernels.parts import HESSIAN, NO_RULE, NoiseParts, RuleParts, SurfaceParts, Watch
from fastopt.kernels.separate import is_separate, separate_lines
from fastopt.kernels.staged import staged_lines
from fastopt.kernels.tile import group_lanes, make_layout
from fastopt.kernels.tile_functions import tile_functions

_HEADER = "def block(tile, layout, q, minima, rates, w, t, n):"
_FUNCTIONS = ("per_step", "point", "prepare", "terms", "combine", "update", "iterate")


@memoise
def build_block(
    rule: RuleParts,
    surface: SurfaceParts,
    watch: Watch,
    per_run: bool,
    dtype: str,
    noise: NoiseParts | None = None,
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
    noise : NoiseParts, optional
        Noise in the gradient that the rule gets.
    """
    names = Names(rule, surface, per_run, surface.fused and not rule.iterate, noise)
    functions = {name: getattr(rule, name) for name in _FUNCTIONS if getattr(rule, name)}
    functions |= randomness.functions(names)
    functions |= {"slope": surface.slope} if surface.slope else {}
    if rule.iterate or not surface.fused:
        functions |= tile_functions(surface) | {"Tile": Tile}
    else:
        functions |= {"value": surface.value, "gradient": surface.gradient}
    block = _define(block_source(names, watch, dtype), functions)
    variant = watch.label + ("-per_run" if per_run else "") + (f"-{noise.label}" if noise else "")
    label = f"{rule.label}-{surface.label}-{surface.size_label}-{variant}-{dtype}"
    sources = (rule.source, *surface.sources, *([noise.source] if noise else []))
    return compile_entry(block, dtype, block_signature(dtype), label, sources)


@memoise
def build_evaluation(surface: SurfaceParts, dtype: str) -> Entry:
    """The compiled value (to row ``f``) and gradient (to rows ``g``) of a surface on a tile.

    Of a boxed surface the gradient is that whose norm is watched, ``Names.watched_slope``.
    """
    names = Names(NO_RULE, surface, False, fused=False)
    lines = [f"value({names.q}, x, tile[layout.f], r, w)", f"gradient({names.q}, x, g, r, w)"]
    if surface.boxed:
        slope = names.watched_slope("i", names.get("x", "i"), names.get("g", "i"))
        lines += over_coordinates([names.put("g", "i", slope)], ahead=names.box_lines("i"))
    return _build_survey_block(names, lines, dtype)


@memoise
def build_hessian(surface: SurfaceParts, dtype: str) -> Entry:
    """The compiled Hessian, to rows ``e``: its lower triangle, row by row."""
    names = Names(HESSIAN, surface, False, fused=False)
    lines = [f"hessian({names.q}, x, tile[layout.e : layout.rows], r, w)"]
    return _build_survey_block(names, lines, dtype)


def _build_survey_block(names: Names, lines: list[str], dtype: str) -> Entry:
    rule, surface = names.rule, names.surface
    source = "\n".join([_HEADER, *indent([*names.views(), *lines]), ""])
    label = f"{rule.label}-{surface.label}-{surface.size_label}-{dtype}"
    block = _define(source, tile_functions(surface))
    return compile_entry(block, dtype, block_signature(dtype), label, surface.sources)


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


def block_source(names: Names, watch: Watch, dtype: str) -> str:
    """The Python source of the block of a pair."""
    group = group_lanes(names.rule, names.surface, dtype, watch.targets)
    if names.rule.iterate:
        lines = iterated_lines(names, watch)
    elif names.fused:
        lines = fused_lines(names, watch, group)
    elif is_separate(names, watch):
        lines = separate_lines(names, watch, group)
    else:
        lines = staged_lines(names, watch)
    return "\n".join([_HEADER, *indent(lines), ""])


def _define(source: str, functions: dict[str, Any]) -> Any:
    access = {"get": lanes.get, "put": lanes.put, "registers": lanes.registers}
    access["clip"] = choices.clip
    return from_source("block", source, **access, **functions)
