"""What all tests share."""

from __future__ import annotations

import functools
import importlib
import os

import pytest
from hypothesis import settings

import fastopt.kernels.tile
import fastopt.slices
from fastopt.kernels.block import build_block, build_evaluation
from fastopt.kernels.compile import specialise
from fastopt.kernels.driver import build_driver
from fastopt.kernels.survey import build_survey

settings.register_profile("fastopt", deadline=None, derandomize=True, database=None)
settings.load_profile("fastopt")


@pytest.fixture
def cut(monkeypatch):
    """``cut(runs=5, lanes=32)``: makes slices and tiles that short, and threads start at once.

    A tile has at least the lanes that its block advances together.
    """

    def set_lengths(runs=1 << 16, lanes=512):
        monkeypatch.setattr(fastopt.slices, "_MOST_RUNS", runs)
        monkeypatch.setattr(fastopt.slices, "_LEAST_SHARED", 0)
        monkeypatch.setattr(fastopt.kernels.tile, "_MOST_LANES", lanes)

    return set_lengths


@pytest.fixture(scope="module")
def as_written():
    """Kernels whose products are all rounded, so that NumPy has the same bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTOPT_CONTRACTION", "off")
        _forget_compiled()
        yield
    _forget_compiled()


def _forget_compiled():
    for function in (specialise, build_block, build_evaluation, build_driver, build_survey):
        function.cache_clear()


def load(name):
    """The library *name*; without it the test is skipped, or fails if it is required."""
    if os.environ.get("FASTOPT_REQUIRE_PEERS", "0") in ("", "0"):
        return pytest.importorskip(name)
    return importlib.import_module(name)


@pytest.fixture(scope="session")
def torch():
    return load("torch")


@pytest.fixture(scope="session")
def ioh():
    return load("ioh")


@pytest.fixture(scope="session")
def lifelines():
    return load("lifelines")


@pytest.fixture(scope="session")
def jax():
    jax = load("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.fixture(scope="session")
def optax(jax):
    return load("optax")


@pytest.fixture(scope="session")
def keras():
    os.environ["KERAS_BACKEND"] = "numpy"
    keras = load("keras")
    keras.config.set_floatx("float64")
    # Without TensorFlow, Keras's operations give float32 even for float64 alone.
    dtypes = importlib.import_module("keras.src.backend.common.dtypes")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    # Half of the time of a step goes into asking this again.
    dtypes._lattice_result_type = functools.cache(dtypes._lattice_result_type)
    product = keras.ops.multiply(0.1, keras.ops.cast(0.1, "float64"))
    assert product.dtype == "float64"
    return keras
