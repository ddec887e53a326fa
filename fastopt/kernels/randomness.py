"""Random numbers in a block: those of a run depend on seed, run, step and place alone.

The counter of a draw is made of the run's index in the batch, the step, the draw's number and
its stream: :data:`NOISE` in the gradient, :data:`OWN` of the rule, :data:`BATCH` of the rows of
a mini-batch, :data:`VALUE` in the value. The key is the seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.compile import ByDtype
from fastopt.kernels.expressions import Names, as_tuple, indent, over_coordinates, over_lanes
from fastopt.kernels.intrinsics import bits_of, shift_left, shift_right
from fastopt.kernels.philox import SEED_DIGITS, key_of, normals, philox

NOISE, OWN, BATCH, VALUE = (stream << 30 for stream in range(4))

# A run's index is kept as two digits, which a float of either type holds exactly.
_DIGIT = 22


def run_digits(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The indices of runs as two rows of digits, the lower one first."""
    return np.stack([runs & ((1 << _DIGIT) - 1), runs >> _DIGIT])


def _whole_float64(x):
    """An integer from 0 to 2**22 - 1 that a float holds; AVX2 cannot convert one."""
    return bits_of(x + 4503599627370496.0) & 0x3FFFFF


def _whole_float32(x):
    """The same in float32."""
    return np.int64(bits_of(x + 8388608.0)) & 0x3FFFFF


_whole = ByDtype("whole", _whole_float64, _whole_float32)


def counted(low, high, t, draw, keys):
    """The four words of a draw in step *t* of the run with these digits."""
    over = _whole(high)
    first = _whole(low) | shift_left(over, 22)
    second = shift_right(over, 10) | ((t >> 32) << 16)
    return philox(first, second, t, draw, keys[0], keys[1])


def standard(shared, a, b, c, d):
    """Two standard normal numbers from four words."""
    return normals(a, b, c, d)


def functions(names: Names) -> dict[str, Any]:
    """What the lines below call."""
    if not names.random:
        return {}
    found: dict[str, Any] = {"counted": counted, "standard": standard, "key_of": key_of}
    if names.noise is not None:
        given = ("draw", "perturb", "sample")
        found |= {name: getattr(names.noise, name) for name in given if getattr(names.noise, name)}
    return found


def begin_lines(names: Names) -> list[str]:
    """Before all steps, with ``q`` still an array: the seed, and the noise's own numbers."""
    if not names.random:
        return []
    digits = ", ".join(f"q[q.shape[0] - {SEED_DIGITS - k}]" for k in range(SEED_DIGITS))
    lines = [f"keys = key_of({digits})"]
    noise = names.noise
    if noise is None:
        return lines
    own = "layout.dim" if noise.mixes else str(noise.own)
    lines += [f"own = q.shape[0] - {SEED_DIGITS} - layout.dim * {own}"]
    shared = as_tuple(f"q[own - {noise.shared - k}]" for k in range(noise.shared))
    lines += [f"shared = {shared}"]
    if names.fused:
        count = names.surface.dim * (names.surface.dim if noise.mixes else noise.own)
        lines += [f"owned = {as_tuple(f'q[own + {k}]' for k in range(count))}"]
    return lines


def value_noise(names: Names) -> str | None:
    """The value that the rule gets, from the exact ``level``, if there is noise in it."""
    if names.noise is None or not names.noise.of_value:
        return None
    low, high = (names.get("run", k, "first + j" if names.fused else "j") for k in range(2))
    words = f"counted({low}, {high}, t + k, {VALUE}, keys)"
    return f"perturb(shared, level, draw(shared, *{words})[0])"


# -- fused -------------------------------------------------------------------------------


def fused_noise(names: Names) -> list[str]:
    """The noisy ``slope`` or ``level`` of a run, from the exact one."""
    noise, dim = names.noise, names.surface.dim
    if noise is None:
        return []
    if noise.of_value:
        return [f"level = {value_noise(names)}"]
    lines = _fused_numbers(names, "draw", noise.per_draw, NOISE)
    if noise.mixes:
        lines += [
            f"y{i} = {' + '.join(f'owned[{i * dim + k}] * z{k}' for k in range(dim))}"
            for i in range(dim)
        ]
    each = []
    for i in range(dim):
        own = [] if noise.mixes else [f"owned[{i * noise.own + k}]" for k in range(noise.own)]
        number = f"y{i}" if noise.mixes else f"z{i}"
        each += [f"perturb(shared + {as_tuple(own)}, slope[{i}], {number})"]
    return [*lines, f"slope = {as_tuple(each)}"]


def fused_draws(names: Names) -> list[str]:
    """The rule's own normal numbers, ``z0`` and so on."""
    return _fused_numbers(names, "standard", 2, OWN) if names.rule.draws else []


def _fused_numbers(names: Names, draw: str, per_draw: int, stream: int) -> list[str]:
    lines = []
    shared = "shared" if draw == "draw" else "()"
    low, high = (names.get("run", k, "first + j") for k in range(2))
    for m in range(-(-names.surface.dim // per_draw)):
        targets = as_tuple(f"z{m * per_draw + k}" for k in range(per_draw))
        words = f"counted({low}, {high}, t + k, {m + stream}, keys)"
        lines += [f"{targets} = {draw}({shared}, *{words})"]
    return lines


# -- staged ------------------------------------------------------------------------------


def staged_noise(names: Names) -> list[str]:
    """The noisy gradient or value, in the rows that hold the exact one."""
    noise = names.noise
    if noise is None or noise.sample:
        return []
    if noise.of_value:
        lane = [f"level = {names.get('f')}", names.put("f", 0, str(value_noise(names)))]
        return over_lanes(lane)
    lines = _staged_numbers(names, "draw", noise.per_draw, NOISE)
    slope, number = names.get("g", "i"), names.get("z", "i")
    if noise.mixes:
        last = "dim + 1"
        mixed = names.get("z", last)
        more = f"{mixed} + q[own + i * dim + l] * {names.get('z', 'l')}"
        lines += [
            "for i in range(dim):",
            *indent(over_lanes([names.put("z", last, "0.0")])),
            "    for l in range(dim):",
            *indent(indent(over_lanes([names.put("z", last, more)]))),
            *indent(over_lanes([names.put("g", "i", f"perturb(shared, {slope}, {mixed})")])),
        ]
        return lines
    own = as_tuple(f"q[own + i * {noise.own} + {k}]" for k in range(noise.own))
    perturbed = names.put("g", "i", f"perturb(of_i, {slope}, {number})")
    return lines + over_coordinates([perturbed], ahead=[f"of_i = shared + {own}"])


def sample_lines(names: Names, point: str) -> list[str]:
    """The gradient, and the value, that the rule gets of some rows of a finite sum."""
    given = f"q, shared, {point}, g, tile[layout.f], r, tile[layout.run : layout.parameters]"
    return [f"sample({given}, t + k, keys, w)"]


def staged_draws(names: Names) -> list[str]:
    """The rule's own normal numbers, in rows z."""
    return _staged_numbers(names, "standard", 2, OWN) if names.rule.draws else []


def _staged_numbers(names: Names, draw: str, per_draw: int, stream: int) -> list[str]:
    shared = "shared" if draw == "draw" else "()"
    low, high = (names.get("run", k) for k in range(2))
    lane = [f"a = {draw}({shared}, *counted({low}, {high}, t + k, m + {stream}, keys))"]
    lane += [names.put("z", f"{per_draw} * m + {k}", f"a[{k}]") for k in range(per_draw)]
    return [f"for m in range((dim + {per_draw - 1}) // {per_draw}):", *indent(over_lanes(lane))]
