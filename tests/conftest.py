"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

import fastopt.kernels.tile
import fastopt.slices

settings.register_profile("fastopt", deadline=None, derandomize=True, database=None)
settings.load_profile("fastopt")


@pytest.fixture
def cut(monkeypatch):
    """``cut(runs=5, lanes=32)``: makes slices and tiles that short, and threads start at once."""

    def set_lengths(runs=1 << 16, lanes=512):
        assert lanes % 32 == 0  # whole vectors
        monkeypatch.setattr(fastopt.slices, "_MOST_RUNS", runs)
        monkeypatch.setattr(fastopt.slices, "_LEAST_SHARED", 0)
        monkeypatch.setattr(fastopt.kernels.tile, "_MOST_LANES", lanes)

    return set_lengths
