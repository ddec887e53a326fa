"""Ctrl-C in a long run returns within 0.2 s, and leaves fastopt usable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

_ENDLESS = """
import sys, time
import fastopt as fo

kind, threads = sys.argv[1], int(sys.argv[2])
name = "steps" if kind == "map" else "x"
rule, stop = fo.GradientDescent(1e-4), fo.Stop(gradient=0.0)
starts = fo.starts.Uniform(-1, 1, 100_000, dim=10)

def run(max_steps):
    if kind == "map":
        return fo.basin_map(fo.GradientDescent(1e-7), fo.Himmelblau(), shape=512, stop=stop,
                            max_steps=min(max_steps, 10**9), threads=threads)
    record = fo.Record(every=10**11) if kind == "recorded" else None
    return fo.run(rule, fo.Rosenbrock(10), starts, max_steps=max_steps, stop=stop,
                  threads=threads, record=record)

before = run(1)
print("ready", flush=True)
try:
    while True:
        run(20 if kind == "short" else 10**12)
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
used = time.process_time()
time.sleep(0.3)
assert time.process_time() - used < 0.1, "a thread goes on computing"
after = run(1)
assert bytes(getattr(after, name)) == bytes(getattr(before, name))
print("well", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize(
    ("kind", "threads"),
    [("long", 1), ("long", 2), ("short", 1), ("short", 2), ("recorded", 2), ("map", 2)],
)
def test_ctrl_c_returns_within_a_fifth_of_a_second(kind, threads):
    command = [sys.executable, "-c", _ENDLESS, kind, str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.4)
            pressed = time.monotonic()
            child.send_signal(signal.SIGINT)
            returned = float(child.stdout.readline())
            assert child.stdout.readline() == "well\n"
        finally:
            child.kill()
    assert 0 < returned - pressed < 0.2
