"""Eight numbers at a time, written out as vectors of the machine.

Loops over the lanes of a tile are left to LLVM, which vectorises them. Two things it cannot do
by itself: a sum over a row, whose order it must keep, and products of several rows with several
lanes whose sums stay in registers instead of going to memory after each term. For these there
is :class:`Packed`, a vector of ``WIDTH`` numbers of the tile's type. It is the same on every
machine: one register with AVX-512, two with AVX2, four with SSE2 or NEON, and as each of its
numbers is worked out by itself, so are the bits.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model
from numba.np.arrayobj import make_array

from fastopt.kernels import contraction
from fastopt.kernels.intrinsics import FLOATS

WIDTH = 8
"""The lanes of a tile, in use or not, are a multiple of it."""

_NAMES = dict(zip(FLOATS, ("f64", "f32"), strict=True))


class Packed(types.Type):
    """A vector of ``WIDTH`` numbers of one type."""

    def __init__(self, dtype: Any):
        self.dtype = dtype
        super().__init__(name=f"Packed({dtype})")


@register_model(Packed)
class _PackedModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any):
        number = manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(number, WIDTH))


def _vector(context: Any, dtype: Any) -> Any:
    return ir.VectorType(context.get_value_type(dtype), WIDTH)


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """The address of an element, as that of a vector; indices are never negative."""
    kind = signature.args[0]
    array = make_array(kind)(context, builder, args[0])
    indices = [
        context.cast(builder, args[k], signature.args[k], types.intp)
        for k in range(1, 1 + kind.ndim)
    ]
    place = indices[-1]
    if kind.ndim == 2:
        _, width = cgutils.unpack_tuple(builder, array.shape, 2)
        place = builder.add(builder.mul(indices[0], width), place)
    pointer = builder.gep(array.data, [place], inbounds=True)
    return builder.bitcast(pointer, _vector(context, kind.dtype).as_pointer())


def _load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    # Aligned like a single number: a vector may begin anywhere in a row.
    number = context.get_value_type(signature.args[0].dtype)
    align = context.get_abi_sizeof(number)
    return builder.load(_place(context, builder, signature, args), align=align)


@intrinsic
def load(typingctx: Any, array: Any, i: Any) -> Any:
    """``array[i : i + WIDTH]``, of a contiguous array."""
    return Packed(array.dtype)(array, i), _load


@intrinsic
def load_lanes(typingctx: Any, array: Any, row: Any, i: Any) -> Any:
    """``array[row, i : i + WIDTH]``, of a contiguous array."""
    return Packed(array.dtype)(array, row, i), _load


def _store(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    number = context.get_value_type(signature.args[0].dtype)
    place = _place(context, builder, signature, args[:-1])
    builder.store(args[-1], place, align=context.get_abi_sizeof(number))
    return context.get_dummy_value()


@intrinsic
def store(typingctx: Any, array: Any, i: Any, value: Any) -> Any:
    """``array[i : i + WIDTH] = value``."""
    return types.void(array, i, value), _store


@intrinsic
def store_lanes(typingctx: Any, array: Any, row: Any, i: Any, value: Any) -> Any:
    """``array[row, i : i + WIDTH] = value``."""
    return types.void(array, row, i, value), _store


@intrinsic
def spread(typingctx: Any, number: Any) -> Any:
    """A vector that holds *number* everywhere."""
    if number not in FLOATS:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = _vector(context, number)
        first = builder.insert_element(
            ir.Constant(kind, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0)
        )
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), everywhere)

    return Packed(number)(number), codegen


@intrinsic
def add_product(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, contracted as :mod:`fastopt.kernels.contraction` says."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if not contraction.enabled():
            return builder.fadd(builder.fmul(args[0], args[1]), args[2])
        return _library_call(builder, "fma", a, args)

    return a(a, b, c), codegen


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _library_call(builder, "fma", a, args)

    return a(a, b, c), codegen


@intrinsic
def root(typingctx: Any, a: Any) -> Any:
    """The square roots."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _library_call(builder, "sqrt", a, args)

    return a(a), codegen


def _library_call(builder: Any, name: str, vector: Any, args: Any) -> Any:
    """Of one of LLVM's own functions of vectors."""
    kind = args[0].type
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(kind, [kind] * len(args)),
        f"llvm.{name}.v{WIDTH}{_NAMES[vector.dtype]}",
    )
    return builder.call(function, args)


@intrinsic
def plus(typingctx: Any, a: Any, b: Any) -> Any:
    """``a + b``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fadd(*args)

    return a(a, b), codegen


@intrinsic
def quotient(typingctx: Any, a: Any, b: Any) -> Any:
    """``a / b``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fdiv(*args)

    return a(a, b), codegen


@intrinsic
def total(typingctx: Any, vector: Any) -> Any:
    """The sum of a vector's numbers: halves are added until one number is left."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (value,) = args
        count = WIDTH
        while count > 1:
            count //= 2
            index = ir.VectorType(ir.IntType(32), count)
            unused = ir.Constant(value.type, ir.Undefined)
            low, high = (
                builder.shuffle_vector(
                    value, unused, ir.Constant(index, [first + k for k in range(count)])
                )
                for first in (0, count)
            )
            value = builder.fadd(low, high)
        return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    return vector.dtype(vector), codegen
