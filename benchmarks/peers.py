"""fastopt beside its peers, in one run: ``python benchmarks/peers.py [--quick] [--only NAME]``.

Both sides of a comparison are called in turn, after compilation and warm-up, and the table
gives the ratio of their medians: of the whole call, results included. Every comparison first
checks that both sides computed the same points.

Against JAX there are two rows for each size. The first has the form that the asked-for
figures name: optax under ``vmap``, the gradient by ``jax.grad``, ``scan``, ``jit``. The second
has the fastest form found at all, by hand or on one XLA device a processor among them: it asks
for nothing, and is there so that nobody has to wonder.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from machine import describe, missing, processors
from peer_batch import numpy_run, torch_run
from startup import first_runs, memory
from table import Table, duration, interleaved, megabytes

import fastopt as fo

# Learning rates with which no run diverges: one that did would stop costing work.
RULES = {
    "GD": ("gradient_descent", 1e-4),
    "momentum": ("momentum", 1e-4),
    "Adam": ("adam", 1e-3),
}
SIZES = (10**3, 10**4, 10**5, 10**6)
JAX_ASKED = {"GD": 5, "momentum": 4, "Adam": 2}
CPP_ASKED = 0.8
CHECKED_STEPS = 100
CHECKED_STARTS = 1000
TOLERANCE = 1e-9  # relative, or absolute below 1, after CHECKED_STEPS
STARTUP_ASKED = {
    "import": 0.4,
    "first run, cold": 3,
    "further pair, cold": 0.7,
    "first run, cached": 0.5,
    "further pair, cached": 0.05,
}
MEMORY_ASKED = 10e6  # "a few MB"


class Bench:
    """The table, how much to measure, and what all comparisons share."""

    def __init__(self, quick: bool):
        self.table = Table()
        self.quick = quick
        self.repeats = 3 if quick else 7

    def steps(self, n: int) -> int:
        """10,000 (the default of ``fo.run``) of few starts, 1,000 of many."""
        steps = 10_000 if n <= 10_000 else 1_000
        return steps // 5 if self.quick and n > 1_000 else steps

    def starts(self, n: int, reach: float = 2.0, dim: int = 2):
        """*n* starts within *reach* of 0, the same every time."""
        return np.random.default_rng(1).uniform(-reach, reach, (n, dim))

    def same(self, what: str, ours, theirs) -> bool:
        """Whether these points agree; if not, the table says so."""
        theirs = np.asarray(theirs)
        worst = float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1.0)))
        if not worst <= TOLERANCE:
            self.table.differs(f"{what}: {worst:.1e} apart after {CHECKED_STEPS} steps")
        return worst <= TOLERANCE

    def rates(self, ours, theirs, work: int) -> list[float]:
        """Rates of both, in M start-steps/s, for *work* start-steps."""
        return [work / s / 1e6 for s in interleaved(ours, theirs, repeats=self.repeats)]


def runner(rule: str, rate: float, surface: fo.Surface, starts, steps: int, **options):
    """A function of no arguments that runs this with fastopt."""
    made = fo.rules.get(rule, learning_rate=rate)
    options = {"stop": None, **options}
    return lambda: fo.run(made, surface, starts, max_steps=steps, **options)


# -- sections ----------------------------------------------------------------------------


def against_jax(bench: Bench) -> None:
    """JAX, 2-D Rosenbrock, fixed steps, every size."""
    if jax := load_jax(bench):
        bench.table.section("Rosenbrock 2-D, fixed steps, against JAX", "M start-steps/s")
        for label, (rule, rate) in RULES.items():
            beside_jax(bench, jax, label, rule, rate, fo.Rosenbrock(), JAX_ASKED[label])


def rastrigin(bench: Bench) -> None:
    """JAX, Rastrigin in 10 coordinates, fixed steps."""
    if jax := load_jax(bench):
        bench.table.section("Rastrigin, dimension 10, against JAX", "M start-steps/s")
        surface, steps = fo.Rastrigin(dim=10), 20 if bench.quick else 100
        for label, rule, rate in (("GD", "gradient_descent", 1e-3), ("Adam", "adam", 1e-2)):
            beside_jax(bench, jax, label, rule, rate, surface, 5, [10**5], steps)


def beside_jax(bench, jax, label, rule, rate, surface, asked, sizes=SIZES, steps=None) -> None:
    """Two rows for each size: the form that was asked about, and the fastest of all."""
    few = bench.starts(CHECKED_STARTS, surface.bounds.max() / 2, surface.dim)
    checked = runner(rule, rate, surface, few, CHECKED_STEPS)().x
    every = jax.WITH_OPTAX + jax.BY_HAND
    for form in every:
        theirs = jax.prepared(form, rule, rate, surface.name, few, CHECKED_STEPS)
        if not bench.same(f"{label} on {surface.name}, JAX {form.name}", checked, theirs()):
            return
    for n in sizes:
        count = steps or bench.steps(n)
        starts = bench.starts(n, surface.bounds.max() / 2, surface.dim)
        ours = runner(rule, rate, surface, starts, count)
        for forms, asked_here in ((jax.WITH_OPTAX[:1], asked), (every, None)):
            form = jax.fastest(forms, rule, rate, surface.name, starts, count)
            theirs = jax.prepared(form, rule, rate, surface.name, starts, count)
            rates = bench.rates(ours, theirs, n * count)
            bench.table.rates(f"{label}, {form.name}", n, *rates, asked_here)


def converging(bench: Bench) -> None:
    """JAX, Himmelblau until the gradient's norm is at most 1e-8."""
    if not (jax := load_jax(bench)):
        return
    bench.table.section("Himmelblau to convergence, against JAX's vmapped while_loop", "time")
    n = 10**4 if bench.quick else 10**5
    starts = bench.starts(n, 6.0)
    for label, rule, rate in (("GD", "gradient_descent", 0.01), ("Adam", "adam", 0.1)):
        stop = fo.Stop(gradient=1e-8)
        ours = runner(rule, rate, fo.Himmelblau(), starts, 10_000, stop=stop)
        theirs = jax.converging(rule, rate, "himmelblau", starts, 10_000, stop.gradient)
        runs, (x, steps) = ours(), map(np.asarray, theirs())
        # Rounding decides for a start on a basin's edge, and where a norm is just the limit.
        near = np.mean(np.abs(runs.x - x).max(-1) < 1e-6)
        alike = np.mean(np.abs(runs.steps - steps) <= 1)
        if near < 0.999 or alike < 0.99:
            bench.table.differs(f"{label}: {near:.2%} of points, {alike:.2%} of steps the same")
            continue
        seconds = interleaved(ours, theirs, repeats=min(bench.repeats, 3))
        bench.table.speedup(label, n, *seconds, 25)


def against_cpp(bench: Bench) -> None:
    """A C++ tile loop, 2-D Rosenbrock, fixed steps, every size."""
    from peer_cpp import compile_peer

    if not (peer := compile_peer(processors())):
        bench.table.skip("C++ (no compiler; set CXX)")
        return
    title = f"Rosenbrock 2-D, fixed steps, against a C++ tile loop ({peer.compiler})"
    bench.table.section(title, "M start-steps/s")
    for label, (rule, rate) in RULES.items():
        few = bench.starts(CHECKED_STARTS)
        checked = runner(rule, rate, fo.Rosenbrock(), few, CHECKED_STEPS)().x
        if not bench.same(
            f"{label}, C++", checked, peer.fastest(rule, rate, few, CHECKED_STEPS)[1]()
        ):
            return
        for n in SIZES:
            starts, steps = bench.starts(n), bench.steps(n)
            form, theirs = peer.fastest(rule, rate, starts, steps)
            ours = runner(rule, rate, fo.Rosenbrock(), starts, steps)
            rates = bench.rates(ours, theirs, n * steps)
            bench.table.rates(f"{label}, {form}", n, *rates, CPP_ASKED)


def others(bench: Bench) -> None:
    """PyTorch and NumPy over a batch, 2-D Rosenbrock."""
    bench.table.section("Rosenbrock 2-D, fixed steps, for information", "M start-steps/s")
    n, steps = 10**5, CHECKED_STEPS
    starts = bench.starts(n)
    for name, peer in (("torch", torch_run), ("numpy", numpy_run)):
        if missing(name):
            bench.table.skip(f"{name} (not installed)")
            continue
        for label in ("GD", "Adam"):
            rule, rate = RULES[label]
            ours = runner(rule, rate, fo.Rosenbrock(), starts, steps)

            def theirs(peer=peer, rule=rule, rate=rate):
                return peer(rule, rate, starts, steps)

            if bench.same(f"{label}, {name}", ours().x, theirs()):
                bench.table.rates(f"{label}, {name}", n, *bench.rates(ours, theirs, n * steps))


def ourselves(bench: Bench) -> None:
    """float32 against float64, and stopping exactly against not looking."""
    n, surface, table = 10**5, fo.Rosenbrock(), bench.table
    starts, steps = bench.starts(n), bench.steps(n)
    table.section("Rosenbrock 2-D, float32 against float64 (as peer)", "M start-steps/s")
    for label, (rule, rate) in RULES.items():
        single = runner(rule, rate, surface, starts.astype("f4"), steps, dtype="float32")
        double = runner(rule, rate, surface, starts, steps)
        table.rates(label, n, *bench.rates(single, double, n * steps), 1.6)
    table.section("Rosenbrock 2-D, exact stopping against stop=None (as peer)", "time")
    for label, asked in (("GD", 1.7), ("momentum", None), ("Adam", 1.2)):
        rule, rate = RULES[label]
        never = runner(rule, rate, surface, starts, steps, stop=fo.Stop(gradient=0.0))
        free = runner(rule, rate, surface, starts, steps)
        table.cost(label, n, *interleaved(never, free, repeats=bench.repeats), asked)


def peak_memory(bench: Bench) -> None:
    """Peak memory beyond starts and results; beside it, what the results take."""
    bench.table.section("Memory at the peak of a run, beyond starts and results (peer)", "MB")
    for n in (10**6, 4 * 10**6):
        for stop in (False, True):
            taken, results = memory(n, 100, stop)
            what = "Adam, " + ("exact stopping" if stop else "stop=None")
            extra, limit = (taken - results) / 1e6, MEMORY_ASKED / 1e6
            bench.table.limit(what, n, extra, limit, megabytes, results / 1e6)


def fresh_processes(bench: Bench) -> None:
    """Import and first runs."""
    bench.table.section("Fresh processes (further pair: the slowest of 4)", "time, asked in s")
    for what, seconds in first_runs(1 if bench.quick else 5).items():
        bench.table.limit(what, None, seconds, STARTUP_ASKED[what], duration)


SECTIONS = {
    "jax": against_jax,
    "cpp": against_cpp,
    "converging": converging,
    "rastrigin": rastrigin,
    "others": others,
    "ourselves": ourselves,
    "memory": peak_memory,
    "startup": fresh_processes,
}


def load_jax(bench: Bench):
    """The module that runs JAX, or None, and the table says why."""
    if name := missing("jax", "optax"):
        bench.table.skip(f"JAX ({name} is not installed)")
        return None
    import peer_jax

    return peer_jax


def main() -> int:
    """Run the sections; 1 if a result differs, else 0, however fast or slow it was."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps and repeats")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="a section; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    for name, text in machine.items():
        print(f"{name:9} {text}")
    bench = Bench(options.quick)
    for name, section in SECTIONS.items():
        if not options.only or name in options.only:
            section(bench)
    bench.table.close()
    if options.json:
        options.json.write_text(json.dumps(machine | bench.table.as_dict(), indent=1))
    return 1 if bench.table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
