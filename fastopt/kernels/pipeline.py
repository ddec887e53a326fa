"""How numba compiles a kernel: with contraction, and without what no kernel needs.

But for contraction, nothing here changes the machine code. The rest takes the first run in a new
installation from 3.0 s to 2.2 s, together with a driver none of which is compiled twice, and a
further pair from 0.56 s to 0.37 s.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.runtime import rtsys
from numba.core.typed_passes import PreLowerStripPhis

from fastopt.kernels import contraction

# Passes of numba's for what no kernel of this package has: inner functions, comprehensions,
# `with`, `literally`, `literal_unroll`, arithmetic of whole arrays, functions inlined by types,
# parallel loops; two only explain or forbid. A seventh of the time to compile. By name, so that
# it does no harm if another numba lacks one.
_NEEDLESS = {
    "inline_closure_likes",
    "with_lifting",
    "make_function_op_code_to_jit_function",
    "find_literally",
    "literal_unroll",
    "inline_overloads",
    "nopython_rewrites",
    "nopython_supported_feature_validation",
    "annotate_types",
    "dump_parfor_diagnostics",
}
_PACKAGE = str(Path(__file__).parents[1])


class EntryLibrary(JITCodeLibrary):
    """The code of an entry."""

    def add_linking_library(self, library: Any) -> None:
        # Numba's reference counting, which is not in use, would be linked into each function:
        # a twelfth of the driver's time. What uses it, a user's own njit function, brings it.
        if library is not rtsys.library:
            super().add_linking_library(library)


class InlinedLibrary(EntryLibrary):
    """Code that only ever becomes part of an entry, so that it is optimised there, once.

    Numba would also optimise each function by itself and turn it into machine code that
    nobody calls: half of the time to compile a block.
    """

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing: the code is nowhere yet, and needs no Python objects."""


class EntryCompiler(Compiler):
    """Compiles an entry."""

    library_class: type[EntryLibrary] = EntryLibrary

    def define_pipelines(self) -> Any:
        state = self.state
        state.library = self.library_class(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        needless = _NEEDLESS if _is_plain(state.func_id.code) else set()
        pipelines = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.passes = [item for item in pipeline.passes if item[0].name() not in needless]
            pipeline.add_pass_after(contraction.Contraction, PreLowerStripPhis)
            pipeline.finalize()
        return pipelines

    def _compile_core(self) -> Any:
        # The types of all variables, for printing: they hold the whole code, a third of the
        # 2.4 MB that a block takes.
        return super()._compile_core()._replace(type_annotation=None)


class InlinedCompiler(EntryCompiler):
    """Compiles a function that an entry inlines."""

    library_class = InlinedLibrary


def _is_plain(code: types.CodeType) -> bool:
    """Whether it is a function of this package that has no function in it.

    A user's own may need any pass, or the clear error that it raises.
    """
    ours = code.co_filename.startswith((_PACKAGE, "<fastopt "))
    return ours and not any(isinstance(value, types.CodeType) for value in code.co_consts)


@contextmanager
def no_collections() -> Iterator[None]:
    """Without garbage collection, which goes through all that is alive again and again.

    Off, because numba makes a million objects. The one collection when it is on again takes
    0.1 s of the first run; gc.freeze() would avoid it, but keeps 40 MB and is the program's own.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
