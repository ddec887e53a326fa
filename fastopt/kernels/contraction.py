"""Products and sums contracted: ``a * b + c`` is rounded once, wherever it runs.

A processor does a fused multiply-add in the time of a product, so a kernel full of sums of
products runs up to a quarter faster contracted. C compilers leave it to the target whether
they contract, so that results differ from machine to machine. Here it is a rule of the
language that kernels are written in, applied before anything knows of a target:

    A product that is written as a term of a sum or difference, ``x - learning_rate * g``, is
    not rounded by itself. Where both terms are products the left one is. A product that has
    been given a name is rounded: ``step = learning_rate * g``.

With ``FASTOPT_CONTRACTION=off`` in the environment every product is rounded: a run then has
the bits of a plain NumPy loop over the same formulas.
"""

from __future__ import annotations

import operator
import os
from typing import Any

from numba.core import ir
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import mk_unique_var

from fastopt.kernels.intrinsics import FLOATS, add_product, product_minus, subtract_product

_SUMS = {operator.add: operator.add, operator.iadd: operator.add}
_SUMS |= {operator.sub: operator.sub, operator.isub: operator.sub}


_VARIABLE = "FASTOPT_CONTRACTION"


def enabled() -> bool:
    """Whether kernels are contracted."""
    choice = os.environ.get(_VARIABLE, "on")
    if choice not in ("on", "off"):
        raise ValueError(f"{_VARIABLE}={choice}: must be on (the default) or off")
    return choice == "on"


@register_pass(mutates_CFG=False, analysis_only=False)
class Contraction(FunctionPass):
    """The pass, between numba's type inference and its lowering."""

    _name = "fastopt_contraction"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        changed = False
        if not enabled():
            return changed
        for block in state.func_ir.blocks.values():
            changed |= _contract(block, state)
        return changed


def _contract(block: Any, state: Any) -> bool:
    products: dict[str, Any] = {}
    body: list[Any] = []
    for statement in block.body:
        if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Expr):
            target, value = statement.target.name, statement.value
            operation = value.fn if value.op in ("binop", "inplace_binop") else None
            if operation is operator.mul and target.startswith("$") and _floats(state, value):
                # Numba names what the program did not "$..."; such a value is used once.
                products[target] = statement
            elif operation in _SUMS and _floats(state, value):
                used = _fuse(statement, products, body, state)
                if used is not None:
                    body.remove(used)
        body.append(statement)
    changed = len(body) != len(block.body)
    block.body = body
    return changed


def _floats(state: Any, value: Any) -> bool:
    """Whether both operands are floats of one type."""
    left, right = (state.typemap[operand.name] for operand in (value.lhs, value.rhs))
    return left == right and left in FLOATS


def _fuse(statement: Any, products: dict[str, Any], body: list[Any], state: Any) -> Any:
    """Turn a sum into a call where a term is a product; that product's statement."""
    value = statement.value
    is_sum = _SUMS[value.fn] is operator.add
    if value.rhs.name in products:
        product, other = products.pop(value.rhs.name), value.lhs
        function = add_product if is_sum else subtract_product
    elif value.lhs.name in products:
        product, other = products.pop(value.lhs.name), value.rhs
        function = add_product if is_sum else product_minus
    else:
        return None
    arguments = (product.value.lhs, product.value.rhs, other)
    name = ir.Var(statement.target.scope, mk_unique_var("$contracted"), statement.loc)
    body.append(ir.Assign(ir.Global(function._name, function, statement.loc), name, statement.loc))
    kind = state.typingctx.resolve_value_type(function)
    state.typemap[name.name] = kind
    call = ir.Expr.call(name, arguments, (), statement.loc)
    types = [state.typemap[argument.name] for argument in arguments]
    state.calltypes[call] = kind.get_call_type(state.typingctx, types, {})
    statement.value = call
    return product
