"""Machine operations that Python has no operator for.

Each becomes one instruction per vector: no branch, no call, nothing that would keep a loop
from being vectorised. They are generic over float64 and float32.

The integers among them are the bits of a float, int64 or int32. Python's own operators would
do for int64, but numba widens an int32 to int64, which halves the lanes of a vector; these
stay in the width of their first argument, whatever the type of the second.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

_INTEGER_OF = {types.float64: types.int64, types.float32: types.int32}
FLOATS = tuple(_INTEGER_OF)
_FLOAT_OF = {integer: real for real, integer in _INTEGER_OF.items()}


def _fused_operation(name: str, doc: str, negate_product: bool, negate_other: bool) -> Any:
    def operation(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
        if not (a == b == c and a in FLOATS):
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            first, second, other = args
            first = builder.fneg(first) if negate_product else first
            return builder.fma(first, second, builder.fneg(other) if negate_other else other)

        return a(a, b, c), codegen

    operation.__name__ = operation.__qualname__ = name
    operation.__doc__ = doc
    return intrinsic(operation)


fma = add_product = _fused_operation("fma", "a * b + c, rounded once.", False, False)
subtract_product = _fused_operation("subtract_product", "c - a * b, rounded once.", True, False)
product_minus = _fused_operation("product_minus", "a * b - c, rounded once.", False, True)


@intrinsic
def bits_of(typingctx: Any, x: Any) -> Any:
    """The bits of a float, as a signed integer of its width."""
    if x not in _INTEGER_OF:
        return None
    return _bitcast(x, _INTEGER_OF[x])


@intrinsic
def float_of(typingctx: Any, bits: Any) -> Any:
    """The float that has these bits; the inverse of :func:`bits_of`."""
    if bits not in _FLOAT_OF:
        return None
    return _bitcast(bits, _FLOAT_OF[bits])


def _bitcast(source: Any, target: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(target))

    return target(source), codegen


def _integer_operation(instruction: str, name: str, doc: str) -> Any:
    def operation(typingctx: Any, bits: Any, other: Any) -> Any:
        if bits not in _FLOAT_OF or not isinstance(other, types.Integer):
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value, operand = args
            operand = context.cast(builder, operand, other, bits)
            return getattr(builder, instruction)(value, operand)

        return bits(bits, other), codegen

    operation.__name__ = operation.__qualname__ = name
    operation.__doc__ = doc
    return intrinsic(operation)


add_bits = _integer_operation("add", "add_bits", "bits + other, modulo the width.")
subtract_bits = _integer_operation("sub", "subtract_bits", "bits - other, modulo the width.")
and_bits = _integer_operation("and_", "and_bits", "bits & other.")
or_bits = _integer_operation("or_", "or_bits", "bits | other.")
xor_bits = _integer_operation("xor", "xor_bits", "bits ^ other.")
shift_left = _integer_operation("shl", "shift_left", "bits << count.")
shift_right = _integer_operation("lshr", "shift_right", "bits >> count, filling with zeros.")
