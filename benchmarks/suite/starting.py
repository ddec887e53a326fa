"""What a fresh process takes before the first result is there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

_PREPARE = "import fastopt as fo"
_RUN = "fo.run(fo.Adam(), fo.Himmelblau(), [[0.0, 0.0]] * 100, max_steps=100)"


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
            self._first_call()

    def teardown(self, cache):
        self.folder.cleanup()

    def track_first_call(self, cache):
        return self._first_call()

    track_first_call.unit = "s"

    def _first_call(self) -> float:
        source = (
            f"{_PREPARE}\nimport time\nbegun = time.perf_counter()\n{_RUN}\n"
            "print(time.perf_counter() - begun)"
        )
        environment = dict(os.environ, FASTOPT_CACHE_DIR=os.path.join(self.folder.name, "cache"))
        done = subprocess.run(
            [sys.executable, "-c", source],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return float(done.stdout.splitlines()[-1])
