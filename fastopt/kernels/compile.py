"""The only place that turns Python functions into machine code.

Everything the package compiles goes through two functions:

* :func:`specialise` prepares a plain scalar function (of a rule, of a surface, or an
  elementary function) for one dtype, together with every plain function it calls, so
  that it can be inlined into a block.
* :func:`compile_entry` compiles a function that is entered from outside: a driver (from
  Python) or a block (from a driver, by its address). Entries are kept on disk.

A kernel is compiled strictly (no fastmath): LLVM may neither reorder nor contract floating
point operations, so a result has the same bits at any vector width. What is contracted is
decided before, by :mod:`fastopt.kernels.contraction`, the same for every processor.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import types
from collections.abc import Callable, Iterable
from functools import cache as memoise
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

from fastopt.kernels import cache, contraction
from fastopt.kernels.pipeline import EntryCompiler, InlinedCompiler, no_collections

DTYPES = ("float64", "float32")

# error_model="numpy": a division by zero gives inf or nan as IEEE 754 has it; the default
# would test every divisor and raise, which also stops vectorisation.
# _nrt: kernels allocate nothing, so there are no references to count.
_FLAGS: dict[str, Any] = {
    "nopython": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,
    "boundscheck": False,
    "_nrt": False,
}


_jit: Any = numba.jit  # its type stub knows none of the wrapper options


class ByDtype:
    """A kernel function that has one implementation per dtype.

    Rules and surfaces call it like any function; :func:`specialise` puts the
    implementation for the dtype of the run in its place.
    """

    def __init__(self, name: str, float64: Callable[..., Any], float32: Callable[..., Any]):
        self.__name__ = name
        self.__doc__ = float64.__doc__
        self.implementations = {"float64": float64, "float32": float32}

    def __repr__(self) -> str:
        return f"<kernel function {self.__name__}>"

    def __call__(self, *args: Any) -> Any:
        raise TypeError(
            f"{self.__name__} is a kernel function: it runs compiled, inside a rule or a "
            "surface; from Python use NumPy's function of that name"
        )


def merged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a helper to be merged into its one caller before types are inferred.

    It is then optimised once instead of twice: 0.4 s of the driver's 2.3 s.
    """
    vars(function)["merged"] = True
    return function


# -- one function for one dtype ----------------------------------------------------------


@memoise
def specialise(function: Callable[..., Any], dtype: str) -> Any:
    """Compile *function*, and the plain functions it calls, for inlining at *dtype*.

    Numba types a literal such as ``2.0`` as float64, so that ``2.0 * x`` would turn a
    float32 kernel into a float64 one. Every float constant of the function, whether
    written in it, global or closed over, is therefore converted to *dtype* first.
    """
    if isinstance(function, ByDtype):
        return specialise(function.implementations[dtype], dtype)
    if isinstance(function, Dispatcher):
        return function
    clone = _clone(function, lambda value: _specialised_value(value, dtype))
    # forceinline: a call left in a loop would keep the loop from being vectorised.
    how = {"inline": "always"} if hasattr(function, "merged") else {"forceinline": True}
    wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _jit(**how, **wrappers, pipeline_class=InlinedCompiler, **_FLAGS)(clone)


def _specialised_value(value: Any, dtype: str) -> Any:
    if isinstance(value, types.FunctionType | ByDtype):
        return specialise(value, dtype)
    if isinstance(value, float):
        return np.dtype(dtype).type(value)
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_specialised_value(item, dtype) for item in value)
    return value


def _clone(function: Callable[..., Any], convert: Callable[[Any], Any]) -> types.FunctionType:
    """A copy of *function* with every constant, global and closed-over value converted."""
    code = function.__code__
    if "print" in code.co_names and "print" not in function.__globals__:
        raise TypeError(f"{function.__qualname__}: a kernel function cannot print")
    constants = tuple(map(convert, code.co_consts))
    namespace = dict(function.__globals__)
    for name in code.co_names:
        if name in namespace:
            value = namespace[name]
            if isinstance(value, types.ModuleType):
                namespace[name] = _clone_module(value, code.co_names, convert)
            else:
                namespace[name] = convert(value)
    # Numba pickles a function's module by name with the machine code; this one can always
    # be imported again, whereas the module of a user's class may be a script.
    namespace["__name__"] = __name__
    cells = tuple(types.CellType(convert(c.cell_contents)) for c in function.__closure__ or ())
    defaults = function.__defaults__ and tuple(map(convert, function.__defaults__))
    clone = types.FunctionType(
        code.replace(co_consts=constants), namespace, function.__name__, defaults, cells
    )
    clone.__module__ = __name__
    clone.__qualname__ = function.__name__
    return clone


def _clone_module(
    module: types.ModuleType, names: Iterable[str], convert: Callable[[Any], Any]
) -> types.ModuleType:
    """*module* with the attributes that a function may use converted: ``math.pi``."""
    attributes = {name: getattr(module, name) for name in names if hasattr(module, name)}
    converted = float | types.FunctionType | ByDtype
    if not any(isinstance(value, converted) for value in attributes.values()):
        return module
    clone = types.ModuleType(module.__name__)
    vars(clone).update({name: convert(value) for name, value in attributes.items()})
    return clone


def from_source(name: str, source: str, **namespace: Any) -> Callable[..., Any]:
    """The function *name* that *source* defines.

    Kernels are written out as source where they would otherwise loop over a tuple of
    coordinates inside the loop over the lanes: LLVM then vectorises neither (gradient
    descent: 1,000 instead of 3,900 M start-steps/s).
    """
    namespace["__name__"] = __name__
    exec(compile(source, f"<fastopt {name}>", "exec"), namespace)
    return namespace[name]


# -- entries -----------------------------------------------------------------------------


class Entry:
    """A compiled function that is entered from Python or, by its address, from a driver."""

    def __init__(self, dispatcher: Any, signature: Any):
        self.dispatcher = dispatcher
        result = dispatcher.overloads[signature.args]
        # The wrapper is called directly: there is one signature, nothing to dispatch on.
        self.call = result.entry_point
        self._library = result.library
        self.address = self._library.get_pointer_to_function(result.fndesc.llvm_func_name)

    def assembly(self) -> str:
        """The machine code as text; only of an entry compiled in this process."""
        (text,) = self.dispatcher.inspect_asm().values()
        return text

    def optimised(self) -> Any:
        """What LLVM made of it, as a module of llvmlite's; also of an entry from the disk."""
        return self._library._get_module_for_linking()


_compiling = threading.Lock()


def compile_entry(
    function: Callable[..., Any],
    dtype: str,
    signature: Any,
    label: str,
    sources: Iterable[Any] = (),
    from_python: bool = False,
) -> Entry:
    """Load *function* from the disk cache, or compile it for *signature* and store it.

    Parameters
    ----------
    function : callable
        A plain function; what it calls is specialised for *dtype* and inlined.
    dtype : {"float64", "float32"}
        The type of its float constants.
    signature : numba.core.typing.Signature
        The one signature that it is compiled for.
    label : str
        What a person calls it, e.g. ``"adam-rosenbrock"``: names the cache file and the
        notice on the terminal.
    sources : iterable
        The rule and the surface that gave the functions. If one of them is defined where
        no source file is (a notebook, ``python -c``), the machine code is not stored.
    from_python : bool
        Whether Python calls it (a driver) or only a driver does (a block).
    """
    with _compiling:
        unknown = None
        try:
            stamp = fingerprint(function)
        except UnknownValueError as error:
            stamp = hashlib.sha256(repr((label, id(function))).encode()).hexdigest()
            unknown = f"it uses {error}, whose changes could go unnoticed"
        clone = _clone(function, lambda value: _specialised_value(value, dtype))
        # The name of a symbol must be its own: two loaded entries share one address space.
        clone.__qualname__ = f"{function.__name__}_{stamp[:16]}"
        wrappers = {"no_cpython_wrapper": not from_python, "no_cfunc_wrapper": True}
        dispatcher = _jit(pipeline_class=EntryCompiler, **wrappers, **_FLAGS)(clone)
        dispatcher._cache = store = cache.open_cache(label, stamp, sources, unknown)
        with store.announced(), no_collections():
            dispatcher.compile(signature)
        return Entry(dispatcher, signature)


@intrinsic
def call_address(typingctx: Any, address: Any, arguments: Any) -> Any:
    """Call the block at *address* (see :attr:`Entry.address`) with a tuple of arguments.

    True if it raised, for instance by an ``assert`` of a user's rule.

    A first-class numba function would do the same, but unboxing one costs 0.2 ms a call
    of the driver, and the block would need a second, C-callable wrapper.
    """
    signature = numba.types.boolean(address, arguments)

    def codegen(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        pointer, packed = values
        convention = context.call_conv
        function_type = convention.get_function_type(numba.types.none, arguments.types)
        callee = builder.inttoptr(pointer, function_type.as_pointer())
        unpacked = numba.core.cgutils.unpack_tuple(builder, packed, len(arguments.types))
        none, given = numba.types.none, arguments.types
        status, _ = convention.call_function(builder, callee, none, given, unpacked)
        return status.is_error

    return signature, codegen


# -- what machine code was made from -----------------------------------------------------


def fingerprint(function: Callable[..., Any]) -> str:
    """A hash of all that the machine code of *function* depends on, but for the processor.

    It covers the code of the function and of every function that it reaches, the values of
    the globals and closure variables that they name, the files of this folder, and the
    versions of the compilers. So machine code is never older than its source, whatever
    file an edited helper or constant stands in.
    """
    digest = hashlib.sha256()
    digest.update(_toolchain())
    digest.update(b"contracted" if contraction.enabled() else b"as written")
    _feed(digest, function, {})
    return digest.hexdigest()


# Modules whose versions are in the toolchain's, or that never change.
_LIBRARIES = ("math", "numpy", "numba", "llvmlite", "cmath", "operator")


@memoise
def _toolchain() -> bytes:
    files = sorted(Path(__file__).parent.glob("*.py"))
    texts = b"".join(path.read_bytes() for path in files)
    versions = f"{numba.__version__} {llvmlite.__version__} {np.__version__}"
    return hashlib.sha256(texts + versions.encode()).digest()


_PLAIN = bool | int | float | complex | str | bytes | np.generic


def _feed(digest: Any, value: Any, seen: dict[int, int]) -> None:
    """Add *value*, and all that it reaches, to the digest; what is not understood raises."""
    if isinstance(value, _PLAIN) or value is None or value is Ellipsis:
        digest.update(f"{type(value).__name__} {value!r};".encode())
        return
    # By number where it was met before: who is who must show.
    number = seen.setdefault(id(value), len(seen))
    digest.update(f"#{number};".encode())
    if number != len(seen) - 1 or isinstance(value, types.BuiltinFunctionType | np.ufunc):
        digest.update(getattr(value, "__name__", "").encode())
    elif isinstance(value, ByDtype):
        _feed(digest, tuple(value.implementations.values()), seen)
    elif isinstance(value, Dispatcher):
        _feed(digest, repr(value.targetoptions), seen)
        _feed(digest, value.py_func, seen)
    elif isinstance(value, types.FunctionType):
        if (value.__module__ or "").split(".")[0] in _LIBRARIES:
            digest.update(value.__qualname__.encode())
        else:
            _feed_function(digest, value, seen)
    elif isinstance(value, types.CodeType):
        for part in (value.co_code, value.co_names, value.co_varnames, value.co_freevars):
            digest.update(repr(part).encode())
        _feed(digest, value.co_consts, seen)
    elif isinstance(value, dict):
        _feed(digest, tuple(value.items()), seen)
    elif isinstance(value, tuple | list | frozenset):
        digest.update(f"{type(value).__qualname__} {len(value)};".encode())
        for item in sorted(value, key=repr) if isinstance(value, frozenset) else value:
            _feed(digest, item, seen)
    elif isinstance(value, np.ndarray) and value.dtype.kind != "O":
        digest.update(repr((value.dtype.str, value.shape)).encode() + value.tobytes())
    elif isinstance(value, types.ModuleType | type | numba.types.Type):
        digest.update(repr(value).encode())
    elif hasattr(value, "_defn"):  # a numba intrinsic; ours stand in a file of this folder
        ours = value._defn.__module__.startswith("fastopt.kernels.")
        _feed(digest, value._defn.__qualname__ if ours else value._defn, seen)
    else:
        raise UnknownValueError(f"{type(value).__qualname__} {value!r:.60}")


class UnknownValueError(TypeError):
    """A kernel function uses a value of which it is not known what it depends on."""


def _feed_function(digest: Any, function: types.FunctionType, seen: dict[int, int]) -> None:
    _feed(digest, function.__code__, seen)
    _feed(digest, function.__defaults__, seen)
    for cell in function.__closure__ or ():
        _feed(digest, cell.cell_contents, seen)
    names = _names(function.__code__)
    for name in names:
        if name in function.__globals__:
            digest.update(name.encode())
            _feed_global(digest, function.__globals__[name], names, seen)


def _names(code: types.CodeType) -> list[str]:
    """The globals and attributes that a function may use, its inner functions included."""
    inner = [_names(item) for item in code.co_consts if isinstance(item, types.CodeType)]
    return list(dict.fromkeys([*code.co_names, *itertools.chain(*inner)]))


def _feed_global(digest: Any, value: Any, names: list[str], seen: dict[int, int]) -> None:
    _feed(digest, value, seen)
    if isinstance(value, types.ModuleType) and value.__name__.split(".")[0] not in _LIBRARIES:
        visit = hash((id(value), *names))
        if visit in seen:
            return
        seen[visit] = len(seen)
        # ``helpers.step(x)``: what it reaches are attributes of a module.
        for name in names:
            if hasattr(value, name):
                digest.update(name.encode())
                _feed_global(digest, getattr(value, name), names, seen)
