"""The machine code of the blocks: vectorised, strict, and of one type throughout."""

import contextlib
import gc
import math
import re

import llvmlite.binding
import numba
import numpy as np
import pytest

import fastopt as fo
from fastopt.kernels import compile as compiler
from fastopt.kernels import pipeline
from fastopt.kernels.block import block_source, build_block
from fastopt.kernels.driver import build_driver
from fastopt.kernels.expressions import Names
from fastopt.kernels.parts import Watch
from fastopt.kernels.powers import next_power

GRADIENT = Watch(gradient=True)
PAIRS = [
    (fo.GradientDescent(), fo.Rosenbrock(), False),
    (fo.Adam(), fo.Rosenbrock(), False),
    (fo.Adam(), fo.Rosenbrock(), True),
    (fo.Nesterov(), fo.Himmelblau(), False),
    (fo.GradientDescent(), fo.Rastrigin(10), False),
    (fo.Adam(), fo.Ackley(10), False),
    (fo.BFGS(), fo.Rosenbrock(), True),
]


# Numba calls by an address that it loads first: movabsq $sin, %r12; callq *%r12.
LIBRARY_CALL = re.compile(r"\$(sin|cos|exp|log|pow|fma)f?\b")


def test_library_calls_are_recognised():
    def loop(x):
        for j in range(x.shape[0]):
            x[j] = math.sin(x[j])

    signature = numba.types.void(numba.types.Array(numba.types.float64, 1, "C"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler.cache._Store, "load_overload", lambda self, *args: None)
        text = compiler.compile_entry(loop, "float64", signature, "sines").assembly()
    assert LIBRARY_CALL.search(text) or "aarch64" in text


def fresh_block(rule, surface, per_run=False, dtype="float64", watch=GRADIENT, monkeypatch=None):
    """A block compiled now: machine code from the cache cannot be shown as text."""
    monkeypatch.setattr(compiler.cache._Store, "load_overload", lambda self, *args: None)
    return build_block.__wrapped__(rule.parts(), surface.parts(), watch, per_run, dtype)


@pytest.mark.parametrize(("rule", "surface", "per_run"), PAIRS)
def test_blocks_are_vectorised(rule, surface, per_run, monkeypatch):
    text = fresh_block(rule, surface, per_run, monkeypatch=monkeypatch).assembly()
    packed = re.findall(r"\bv?(?:mul|add|sub|div|sqrt|fn?m(?:add|sub)\d*)pd\b.*%[yzx]mm", text)
    packed += re.findall(r"\bf(?:mul|add|sub|div|sqrt|mla|mls)\s+v\d+\.2d", text)
    assert len(packed) >= 8, "the loop over the lanes is not vectorised"
    if llvmlite.binding.get_host_cpu_features().get("avx2"):
        assert re.search(r"mulpd.*%[yz]mm", text), "vectors of two doubles only"
    assert not LIBRARY_CALL.search(text)


@pytest.mark.parametrize(
    ("rule", "surface"), [(fo.Adam(), fo.Rosenbrock()), (fo.GradientDescent(), fo.Ackley(10))]
)
def test_float32_blocks_hold_no_double(rule, surface, monkeypatch):
    block = fresh_block(rule, surface, dtype="float32", monkeypatch=monkeypatch)
    assert not re.search(r"cvtss2sd|cvtps2pd|(mul|add|sub|div|sqrt)pd", block.assembly())


def test_one_driver_serves_every_pair(monkeypatch):
    start = [[0.5, 0.5]]
    fo.run(fo.Adam(), fo.Rosenbrock(), start, max_steps=1)
    compiled = []
    plain = compiler.compile_entry
    for module in ("block", "driver", "survey"):
        monkeypatch.setattr(
            f"fastopt.kernels.{module}.compile_entry",
            lambda *args, **options: compiled.append(args[3]) or plain(*args, **options),
        )
    fo.run(fo.Adam(learning_rate=0.5, eps=1), fo.Rosenbrock(), start, max_steps=7)
    assert compiled == [], "a parameter's value must not compile anything"
    build_driver("float64", False)
    assert compiled == []


def test_block_source_is_readable_python():
    names = Names(fo.Adam().parts(), fo.Rosenbrock().parts(), per_run=False, fused=True)
    source = block_source(names, GRADIENT, "float64")
    compile(source, "block", "exec")
    assert "gradient(q, at)" in source
    assert source.count("\n") < 70


@pytest.mark.parametrize("base", [0.9, 0.999, 0.5, 0.0, 1 - 2**-53])
def test_powers_are_right_to_the_last_bit(base):
    from mpmath import mp, mpf

    def powers(out, base):
        high, low = 1.0, 0.0
        for t in range(out.shape[0]):
            high, low = next_power(high, low, base)
            out[t] = high

    out = np.empty(10_000)
    signature = numba.types.void(numba.typeof(out), numba.types.float64)
    compiler.compile_entry(powers, "float64", signature, "powers", from_python=True).call(out, base)
    with mp.workdps(60):
        for t in (1, 2, 3, 10, 50, 1000, 10_000):
            exact = float(mpf(base) ** t)
            # Below 1e-280 the low part is subnormal; a bias correction is 1 there anyway.
            assert out[t - 1] == exact or abs(exact) < 1e-280, t


def test_constants_take_the_type_of_the_run():
    scale = 0.1

    def scaled(x):
        return scale * x * 2.5 + math.pi

    kernel = compiler.specialise(scaled, "float32")
    kernel.compile((numba.types.float32,))
    (signature,) = kernel.nopython_signatures
    assert str(signature.return_type) == "float32"


def test_flags_are_strict():
    assert compiler._FLAGS["fastmath"] is False
    assert compiler._FLAGS["error_model"] == "numpy"
    assert compiler._FLAGS["nogil"] is True


def test_passes_left_out_change_no_machine_code(monkeypatch):
    rule, surface = fo.RMSProp(), fo.Booth()

    def instructions():
        compiler.specialise.cache_clear()
        text = fresh_block(rule, surface, monkeypatch=monkeypatch).assembly()
        lines = [line for line in text.splitlines() if re.match(r"\t[a-z]", line)]
        # Labels are numbered through; names of symbols count what was compiled before.
        return [re.sub(r"\.L\w+|\$?_ZN\S+", "", line) for line in lines]

    less = instructions()
    needless, skipped = pipeline._NEEDLESS, []
    compiled = numba.core.compiler_machinery.PassManager._runPass
    monkeypatch.setattr(
        numba.core.compiler_machinery.PassManager,
        "_runPass",
        lambda self, index, each, state: (
            skipped.append(each.name()) or compiled(self, index, each, state)
        ),
    )
    monkeypatch.setattr(pipeline, "_NEEDLESS", {"a_pass_that_numba_does_not_have"})
    assert instructions() == less
    assert needless <= set(skipped), "numba has other names for them now"


@pytest.mark.parametrize("on", [True, False])
def test_collections_are_as_they_were_after_compiling(on):
    was_on = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        with contextlib.suppress(KeyError), pipeline.no_collections():
            during = gc.isenabled()
            raise KeyError
        assert not during
        assert gc.isenabled() == on
    finally:
        (gc.enable if was_on else gc.disable)()
