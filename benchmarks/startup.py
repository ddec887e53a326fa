"""What only a fresh process shows: import, first runs with and without a cache, memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# After the import: the first run, then one of each further pair, in seconds.
_FIRST_RUNS = """
import json, time
begun = time.perf_counter()
import fastopt as fo
seconds = [time.perf_counter() - begun]
pairs = [
    (fo.GradientDescent(1e-4), fo.Rosenbrock()),
    (fo.Adam(), fo.Himmelblau()),
    (fo.RMSProp(), fo.Rastrigin(dim=10)),
    (fo.Nesterov(1e-4), fo.Ackley()),
    (fo.Adadelta(), fo.Beale()),
]
for rule, surface in pairs:
    begun = time.perf_counter()
    fo.run(rule, surface, [surface.usual_start] * 100, max_steps=100)
    seconds.append(time.perf_counter() - begun)
print(json.dumps(seconds))
"""

# The most memory in use while a run goes on, beyond that before it, in bytes; and what the
# results take.
_MEMORY = """
import json, sys
import numpy as np
import fastopt as fo
from fastopt.bench.machine import peak_memory

n, steps, stop = int(sys.argv[1]), int(sys.argv[2]), None
if sys.argv[3] == "stop":
    stop = fo.Stop(gradient=1e-8)
starts = np.empty((n, 2))
np.random.default_rng(0).random(out=starts)
rule = fo.Adam(0.01)
fo.run(rule, fo.Rosenbrock(), starts[:1000], max_steps=steps, stop=stop)
before = peak_memory()
runs = fo.run(rule, fo.Rosenbrock(), starts, max_steps=steps, stop=stop)
arrays = sum(a.nbytes for a in (runs.x, runs.fun, runs.grad_norm, runs.steps, runs.status))
print(json.dumps([peak_memory() - before, arrays]))
"""


# A large map of Himmelblau: its seconds, and the most memory in use beyond that before it.
_LARGE_MAP = """
import json, pathlib, sys
import fastopt as fo

def memory(what):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))

rule, surface = fo.GradientDescent(float(sys.argv[2])), fo.Himmelblau()
fo.basin_map(rule, surface, shape=64)
before = memory("VmRSS")
made = fo.basin_map(rule, surface, shape=int(sys.argv[1]))
print(json.dumps([made.seconds, memory("VmHWM") - before]))
"""


def large_map(side: int, rate: float) -> tuple[float, int]:
    """Seconds and bytes of a map of *side* x *side* pixels; Linux tells the bytes."""
    seconds, taken = fresh(_LARGE_MAP, side, rate)
    return seconds, taken


def fresh(source: str, *arguments: object, **variables: str):
    """What *source* prints, as JSON, in a process of its own, with these in its environment.

    It can import the modules of this folder.
    """
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path} | variables
    command = [sys.executable, "-c", source, *map(str, arguments)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def first_runs(repeats: int) -> dict[str, float]:
    """Median seconds: import; first run and the slowest further pair, cold and from cache."""
    cold, cached = [], []
    with tempfile.TemporaryDirectory() as top:
        # As where pip has installed it: with bytecode, whatever this environment does about it.
        bytecode = {"PYTHONPYCACHEPREFIX": f"{top}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
        fresh("import fastopt; print(0)", **bytecode)
        for k in range(repeats):
            options = bytecode | {"FASTOPT_CACHE_DIR": f"{top}/cache-{k}"}
            cold.append(fresh(_FIRST_RUNS, **options))
            cached += [fresh(_FIRST_RUNS, **options) for _ in range(2)]
    middle = statistics.median
    return {
        "import": middle(s[0] for s in cold + cached),
        "first run, cold": middle(s[1] for s in cold),
        "further pair, cold": middle(max(s[2:]) for s in cold),
        "first run, cached": middle(s[1] for s in cached),
        "further pair, cached": middle(max(s[2:]) for s in cached),
    }


def memory(n: int, steps: int, stop: bool) -> tuple[int, int]:
    """Bytes that a run of *n* starts took at its peak, and those of its results alone."""
    taken, arrays = fresh(_MEMORY, n, steps, "stop" if stop else "free")
    return taken, arrays
