"""What a fresh process takes before the first result is there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

_PREPARE = "import fastopt as fo"
_RUN = "fo.run(fo.Adam(), fo.Himmelblau(), [[0.0, 0.0]] * 100, max_steps=100)"
# Another pair of the same kind, after which only the pair's own code is to be compiled; the pair.
_PAIRS = {
    "fused": ("fo.Momentum(), fo.Bowl()", "fo.Adam(), fo.Himmelblau()"),
    "staged": ("fo.Momentum(), fo.Rastrigin(10)", "fo.Adam(), fo.Ackley(10)"),
    "line search": ("fo.Momentum(), fo.Bowl()", "fo.BFGS(), fo.Rosenbrock()"),
    "noise": ("fo.Momentum(), fo.Bowl()", "fo.Adam(), fo.Himmelblau(), noise=fo.noise.gaussian(1)"),
    "bbob": ("fo.Momentum(), fo.Bowl()", "fo.Adam(), fo.surfaces.get('bbob', function=16, dim=8)"),
}


def timeraw_import():
    """A new interpreter imports fastopt."""
    return _PREPARE


class FirstCall:
    """From after the import to the first result."""

    params = (["cold", "cached"],)
    param_names = ("cache",)
    timeout = 120

    def setup(self, cache):
        self.folder = tempfile.TemporaryDirectory()
        if cache == "cached":
            _seconds(self.folder.name, _PREPARE, _RUN)

    def teardown(self, cache):
        self.folder.cleanup()

    def track_first_call(self, cache):
        return _seconds(self.folder.name, _PREPARE, _RUN)

    track_first_call.unit = "s"


class Compilation:
    """One more pair in a process that has compiled another."""

    params = (list(_PAIRS),)
    param_names = ("pair",)
    timeout = 120

    def track_pair(self, pair):
        other, own = _PAIRS[pair]
        with tempfile.TemporaryDirectory() as folder:
            return _seconds(folder, f"{_PREPARE}\nfo.warmup({other})", f"fo.warmup({own})")

    track_pair.unit = "s"


def _seconds(folder: str, before: str, timed: str) -> float:
    """How long a new process, whose cache is in the folder, takes for a statement."""
    source = (
        f"{before}\nimport time\nbegun = time.perf_counter()\n{timed}\n"
        "print(time.perf_counter() - begun)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=dict(os.environ, FASTOPT_CACHE_DIR=os.path.join(folder, "cache")),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])
