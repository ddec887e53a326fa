"""Sorting points into cells: cubes of one size that fill space, found by a hash table.

A point's cell depends on the point alone, so that points can come in any order and in parts.
"""

from __future__ import annotations

import math
from functools import cache as memoise

import numba
import numpy as np

from fastopt.kernels.compile import Entry, compile_entry

# Places in `state`: the next point, and the cells in use.
POINT, CELLS = range(2)
# Points farther out than this many cells are all in the last one.
_FARTHEST = 2.0**62
_PRIME = 1000003


@memoise
def build_sort() -> Entry:
    """The compiled :func:`sort_points`."""
    whole, small = np.zeros(0, np.int64), np.zeros(0, np.int32)
    arrays = (np.zeros((0, 0)), small, np.zeros((0, 0), np.int64), small, whole)
    real = numba.types.float64
    signature = numba.types.void(*map(numba.typeof, arrays), real, real)
    return compile_entry(sort_points, "float64", signature, "cells", from_python=True)


def sort_points(points, cell_of, cells, table, state, inverse, shift):
    """Set the number of each point's cell, from point number ``state[POINT]`` on.

    A cell that is met for the first time gets the next number. Comes back early when *cells*
    is full, with the number of the point that has no place.

    Parameters
    ----------
    points : array (n, dim)
    cell_of : int32 array (n,)
        Points of which it is negative are left out.
    cells : int64 array (m, dim)
        The cells that are known, ``state[CELLS]`` of them.
    table : int32 array, its length a power of 2 and more than m
        The hash table: numbers of cells, -1 where there is none.
    inverse, shift : float
        Coordinate x is in cell number ``floor(x * inverse + shift)``.
    """
    n, dim = points.shape
    mask = table.shape[0] - 1
    last = -1
    for i in range(state[POINT], n):
        if cell_of[i] < 0:
            continue
        # Most points are in the cell of the one before.
        if last < 0 or not _is_in(points, i, cells, last, inverse, shift):
            code = 0
            for k in range(dim):
                code = (code ^ int(_place(points[i, k], inverse, shift))) * _PRIME
            slot = (code ^ (code >> 29)) & mask
            last = table[slot]
            while last >= 0 and not _is_in(points, i, cells, last, inverse, shift):
                slot = (slot + 1) & mask
                last = table[slot]
            if last < 0:
                last = state[CELLS]
                if last == cells.shape[0]:
                    state[POINT] = i
                    return
                for k in range(dim):
                    cells[last, k] = int(_place(points[i, k], inverse, shift))
                table[slot] = last
                state[CELLS] += 1
        cell_of[i] = last
    state[POINT] = n


def _place(x, inverse, shift):
    return min(max(math.floor(x * inverse + shift), -_FARTHEST), _FARTHEST)


def _is_in(points, i, cells, cell, inverse, shift):
    for k in range(points.shape[1]):
        # Compared as floats, which all these whole numbers are: a third of the time.
        if _place(points[i, k], inverse, shift) != float(cells[cell, k]):
            return False
    return True


@memoise
def build_enter() -> Entry:
    """The compiled :func:`enter_cells`."""
    arrays = (np.zeros((0, 0), np.int64), np.zeros(0, np.int32))
    signature = numba.types.void(*map(numba.typeof, arrays))
    return compile_entry(enter_cells, "float64", signature, "enter-cells", from_python=True)


def enter_cells(cells, table):
    """Enter all *cells*, of which no two are equal, into an empty hash table."""
    mask = table.shape[0] - 1
    for cell in range(cells.shape[0]):
        code = 0
        for k in range(cells.shape[1]):
            code = (code ^ cells[cell, k]) * _PRIME
        slot = (code ^ (code >> 29)) & mask
        while table[slot] >= 0:
            slot = (slot + 1) & mask
        table[slot] = cell


@memoise
def build_tally() -> Entry:
    """The compiled :func:`tally_cells`."""
    arrays = (
        np.zeros(0, np.int32),
        np.zeros(0),
        np.zeros((0, 0)),
        np.zeros(0, np.int64),
        np.zeros(0),
        np.zeros((0, 0)),
    )
    signature = numba.types.void(*map(numba.typeof, arrays))
    return compile_entry(tally_cells, "float64", signature, "tally", from_python=True)


def tally_cells(cell_of, norms, points, counts, best_norms, best_points):
    """Count the points of each cell, and keep the one with the least norm.

    Of several such ones the first in lexicographic order, so that their order is no matter.
    """
    for i in range(cell_of.shape[0]):
        cell = cell_of[i]
        if cell < 0:
            continue
        counts[cell] += 1
        norm = norms[i] if norms[i] < math.inf else math.inf
        if norm > best_norms[cell]:
            continue
        better = counts[cell] == 1 or norm < best_norms[cell]
        if not better:
            for k in range(points.shape[1]):
                if points[i, k] != best_points[cell, k]:
                    better = points[i, k] < best_points[cell, k]
                    break
        if better:
            best_norms[cell] = norm
            for k in range(points.shape[1]):
                best_points[cell, k] = points[i, k]
