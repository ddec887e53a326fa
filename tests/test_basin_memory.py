"""Large maps take little more memory than they hold, and so does measuring them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SIDE = 3072
_MAPS = """
import json, pathlib, sys
import fastopt as fo

status = pathlib.Path("/proc/self/status")
side, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
rule, surface = fo.GradientDescent(0.01), fo.Himmelblau()
bytes_of = {}

def memory(what):
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))

def measure(name, call):
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    result = call()
    bytes_of[name] = (memory("VmHWM") - before) / side**2
    return result

measures = ("fractions", "entropy", "fractal_test", "uncertainty_exponent", "box_dimension",
            "minimal_perturbation", "times", "wada_test")

def every(side, measure):
    made = measure("map", lambda: fo.basin_map(rule, surface, shape=side))
    refined = measure("refined", lambda: fo.basin_map(rule, surface, shape=side, refine=True))
    measure("wrong_share", lambda: refined.wrong_share(made))
    measure("fidelity", lambda: made.fidelity(refined))
    del refined
    for name in measures:
        measure(name, getattr(made, name))
    measure("save_image", lambda: made.save_image(folder / "map.png"))
    measure("save", lambda: made.save(folder / "map.npz"))

every(128, lambda name, call: call())
every(side, measure)
print(json.dumps(bytes_of))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def test_maps_and_measures_take_few_bytes_for_each_pixel(tmp_path):
    command = [sys.executable, "-c", _MAPS, str(SIDE), str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=os.environ)
    found = json.loads(done.stdout)
    spare = 60e6 / SIDE**2  # what a part of the runs takes, whatever the size of the map
    holds = {"map": 16, "refined": 20, "times": 28, "wada_test": 22, "save_image": 3}
    for name, most in found.items():
        assert most < holds.get(name, 2) + spare, (name, found)
