"""How fast NumPy multiplies matrices: one product a thread, each of them on one thread.

BLAS decides how many threads it has when it is loaded, so this file is run as a program of its
own, with its number of threads as the argument; it prints GFLOP/s.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np

_SIZES, _REPEATS = (256, 512, 1024), 5
_WORK = 2**30  # multiply-adds of a thread between two looks at the clock
_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def measured_product(threads: int) -> float:
    """Operations a second of so many threads, a multiply-add being two; the best of three sizes."""
    alone = os.environ | dict.fromkeys(_VARIABLES, "1")
    # -P: the modules beside this file are not to be taken for those of the same name elsewhere.
    command = [sys.executable, "-P", __file__, str(threads)]
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=True)
    return float(done.stdout) * 1e9


def _measure(threads: int, size: int) -> float:
    shape, products = (threads, size, size), _WORK // size**3
    a, b = (np.random.default_rng(seed).normal(size=shape) for seed in (1, 2))
    out = np.empty(shape)
    gate = threading.Barrier(threads + 1)

    def work(k: int) -> None:
        for _ in range(_REPEATS):
            gate.wait()
            for _ in range(products):
                np.dot(a[k], b[k], out=out[k])
            gate.wait()

    helpers = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(threads)]
    for helper in helpers:
        helper.start()
    seconds = []
    for _ in range(_REPEATS):
        gate.wait()
        begun = time.perf_counter()
        gate.wait()
        seconds.append(time.perf_counter() - begun)
    return threads * products * 2 * size**3 / min(seconds) / 1e9


if __name__ == "__main__":
    print(max(_measure(int(sys.argv[1]), size) for size in _SIZES))
