"""fastopt beside its peers, in one run: ``python benchmarks/peers.py [--quick] [--only NAME]``.

Both sides of a comparison are called in turn, after compilation and warm-up, and the table
gives the ratio of their medians: of the whole call, results included. Every comparison first
checks that both sides computed the same points.

Against JAX there are two rows for each size. The first has the form that the asked-for
figures name: optax under ``vmap``, the gradient by ``jax.grad``, ``scan``, ``jit``. The second
has the fastest form found at all, by hand or on one XLA device a processor among them: it asks
for nothing, and is there so that nobody has to wonder. Quadratics are the exception: there the
figures name JAX's product, so they are asked of the form by hand.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from functools import partial
from pathlib import Path

import numpy as np
from comparison import Bench
from peer_minibatch import jax_minibatch, torch_minibatch
from peer_noise import jax_noisy, numpy_noisy
from startup import first_runs, large_map, memory
from table import duration, megabytes, share

import fastopt as fo
from fastopt.bench.comparison import (
    CHECKED_STARTS,
    CHECKED_STEPS,
    CPP_TOLERANCE,
    LEAST_ALIKE,
    LEAST_NEAR,
    ends_alike,
    runner,
)
from fastopt.bench.machine import describe, missing
from fastopt.bench.peer_batch import numpy_run, torch_run
from fastopt.bench.timing import interleaved
from fastopt.workers import processors

# Learning rates with which no run diverges: one that did would stop costing work.
RULES = {
    "GD": ("gradient_descent", 1e-4),
    "momentum": ("momentum", 1e-4),
    "Adam": ("adam", 1e-3),
}
# Element-wise rules, at rates at which CHECKED_STEPS hardly amplify a rounding.
CPP_RULES = {
    "Adam": ("adam", 1e-3),
    "NAdam": ("nadam", 1e-3),
    "AdaBelief": ("adabelief", 1e-3),
    "Adan": ("adan", 1e-3),
    "RMSProp": ("rmsprop", 1e-4),
    "Lion": ("lion", 1e-4),
}
# Planes of 400 x 250 runs: a rule, ends of its learning rates, another parameter and its ends.
PLANES = {
    "momentum": ("momentum", (1e-5, 1e-4), "momentum", (0.0, 0.9)),
    "Adam": ("adam", (1e-4, 1e-2), "beta1", (0.5, 0.95)),
}
# Rates at which most runs come near a minimum, by surface.
TARGET_RULES = {
    "GD": (
        "gradient_descent",
        {"bowl": 0.5, "himmelblau": 0.01, "rosenbrock": 1e-3, "rastrigin": 2e-3},
    ),
    "momentum": (
        "momentum",
        {"bowl": 0.1, "himmelblau": 2e-3, "rosenbrock": 5e-4, "rastrigin": 5e-4},
    ),
    "Adam": ("adam", {"bowl": 0.5, "himmelblau": 0.1, "rosenbrock": 0.05, "rastrigin": 0.05}),
}
SIZES = (10**3, 10**4, 10**5, 10**6)
JAX_ASKED = {"GD": 5, "momentum": 4, "Adam": 2}
CPP_ASKED = 0.8
CPP_RULES_ASKED = 0.7
PLANE_ASKED = 0.6
JAX_NOISE_ASKED, NUMPY_NOISE_ASKED = 5, 8
# What, rule, learning rate, dimension, whether the matrix is shared, and the ratio asked for: of
# the form with one product, which is named in the figures, and where runs share a matrix of all.
QUADRATICS = [
    ("shared, Adam", "adam", 1e-2, 30, True, 1.5),
    ("shared, Adam", "adam", 1e-2, 100, True, 1.5),
    *(("own, Adam", "adam", 1e-2, dim, False, 2) for dim in (2, 4, 8, 16, 32)),
    ("eigenbasis, GD", "gradient_descent", 0.5, 300, True, 20),
]
JAX_BATCH_ASKED, TORCH_BATCH_ASKED = 2, 5
STARTUP_ASKED = {
    "import": 0.4,
    "first run, cold": 3,
    "further pair, cold": 0.7,
    "first run, cached": 0.5,
    "further pair, cached": 0.05,
}
TARGETS_ASKED = 1.3
MEMORY_ASKED = 10e6  # "a few MB"
MAP_RATE = 0.005  # at twice this rate, where runs end is chaotic near the corners
JAX_MAP_ASKED, DYNLIB_ASKED = 20, 50
MAP_ASKED, LABELS_ASKED = 0.5, 0.15  # seconds; of the runs' time
# Bytes of a pixel of a map, and MB that running a part of it may take besides, whatever its size.
PIXEL, SPARE = 16, 60


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


def surfaces(bench: Bench) -> None:
    """JAX, six surfaces in 10 coordinates, gradient descent, fixed steps."""
    if jax := load_jax(bench):
        from peer_surfaces import RATES, SURFACES

        jax.SURFACES.update(SURFACES)
        bench.table.section("Gradient descent, dimension 10, against JAX", "M start-steps/s")
        for name, rate in RATES.items():
            surface, steps = fo.surfaces.get(name, dim=10), 20 if bench.quick else 100
            made = ("gradient_descent", rate, surface)
            beside_jax(bench, jax, name.capitalize(), *made, 5, [10**5], steps)


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
        near, alike = ends_alike(ours(), *theirs())
        if near < LEAST_NEAR or alike < LEAST_ALIKE:
            bench.table.differs(f"{label}: {near:.2%} of points, {alike:.2%} of steps the same")
            continue
        seconds = interleaved(ours, theirs, repeats=min(bench.repeats, 3))
        bench.table.speedup(label, n, *seconds, 25)


def maps(bench: Bench) -> None:
    """Maps of Himmelblau under gradient descent: JAX, dynlib, and how long a large one takes."""
    table, rule, surface = bench.table, fo.GradientDescent(MAP_RATE), fo.Himmelblau()
    table.section("Maps of Himmelblau under gradient descent, labelled", "time")
    side = 128 if bench.quick else 256
    ours = partial(fo.basin_map, rule, surface, shape=side)
    basins = ours()
    starts = np.stack(np.meshgrid(basins.x, basins.y), -1).reshape(-1, 2)
    peers = {}
    if jax := load_jax(bench):
        run = ("gradient_descent", MAP_RATE, "himmelblau", starts, 10_000, 1e-8)
        theirs = jax.labelling(*run, surface.minima)
        peers["JAX"] = (theirs, np.asarray(theirs()[0]).reshape(side, side), JAX_MAP_ASKED)
    if missing("dynlib"):
        table.skip("dynlib (not installed)")
    else:
        from peer_dynlib import himmelblau

        theirs = himmelblau(MAP_RATE, surface.minima, side, 6.0, 10_000, 0.1)
        peers["dynlib"] = (theirs, theirs().T, DYNLIB_ASKED)
    for name, (theirs, labels, asked) in peers.items():
        alike = np.mean(labels == basins.labels)
        if alike < 0.999:  # rounding decides on a basin's edge
            table.differs(f"map, {name}: {alike:.2%} of the labels the same")
            continue
        seconds = interleaved(ours, theirs, repeats=min(bench.repeats, 3))
        table.speedup(name, side * side, *seconds, asked)
    large = partial(fo.basin_map, rule, surface, shape=1024)
    (seconds,) = interleaved(large, repeats=bench.repeats)
    table.limit("1024 x 1024 pixels", 1024 * 1024, seconds, MAP_ASKED, duration)
    made = [large() for _ in range(bench.repeats)]
    shares = statistics.median(m.seconds / m.run_seconds - 1 for m in made)
    table.limit("labelling, as a share of the runs", 1024 * 1024, shares, LABELS_ASKED, share)
    side = 2048 if bench.quick else 8192
    seconds, taken = large_map(side, MAP_RATE)
    table.limit(f"{side} x {side} pixels", side * side, seconds, np.inf, duration)
    own = side * side * PIXEL / 1e6
    table.limit("its peak memory", side * side, taken / 1e6, own + SPARE, megabytes, own)


def against_cpp(bench: Bench) -> None:
    """A C++ tile loop, 2-D Rosenbrock, fixed steps, every size."""
    beside_cpp(bench, "Rosenbrock 2-D, fixed steps", RULES, SIZES, CPP_ASKED)


def element_wise_rules(bench: Bench) -> None:
    """A C++ tile loop of the same arithmetic, rules of Adam's kind."""
    beside_cpp(bench, "Element-wise rules, Rosenbrock 2-D", CPP_RULES, [10**5], CPP_RULES_ASKED)


def beside_cpp(bench, what, rules, sizes, asked) -> None:
    """A row for each rule and size, with the fastest tile and width."""
    from fastopt.bench.peer_cpp import compile_peer

    if not (peer := compile_peer((name for name, _ in rules.values()), processors())):
        bench.table.skip("C++ (no compiler; set CXX)")
        return
    title = f"{what}, against a C++ tile loop ({peer.compiler})"
    bench.table.section(title, "M start-steps/s")
    surface, few = fo.Rosenbrock(), bench.starts(CHECKED_STARTS)
    for label, (name, rate) in rules.items():
        rule = fo.rules.get(name, learning_rate=rate)
        checked = runner(name, rate, surface, few, CHECKED_STEPS)().x
        _, theirs = peer.fastest(rule, few, CHECKED_STEPS)
        if not bench.same(f"{label}, C++", checked, theirs(), CPP_TOLERANCE):
            continue
        for n in sizes:
            starts, steps = bench.starts(n), bench.steps(n)
            form, theirs = peer.fastest(rule, starts, steps)
            ours = runner(name, rate, surface, starts, steps)
            rates = bench.rates(ours, theirs, n * steps)
            bench.table.rates(f"{label}, {form}", n, *rates, asked)


def parameter_plane(bench: Bench) -> None:
    """Two parameters with one value a run, against one value for all runs."""
    title = "Rosenbrock 2-D, a plane of two parameters against scalars (as peer)"
    bench.table.section(title, "M start-steps/s")
    surface, n = fo.Rosenbrock(), 10**5
    steps, start = bench.steps(n), surface.usual_start
    starts = np.broadcast_to(start, (400, 250, surface.dim))
    run = partial(fo.run, surface=surface, starts=starts, stop=None)
    for label, (name, rates, parameter, values) in PLANES.items():

        def made(rate, value, name=name, parameter=parameter):
            return fo.rules.get(name, **{"learning_rate": rate, parameter: value})

        rates, values = np.geomspace(*rates, 400), np.linspace(*values, 250)
        plane, scalar = made(rates[:, None], values[None, :]), made(rates[0], values[0])
        alone = [
            [run(made(a, b), starts=start, max_steps=CHECKED_STEPS).x for b in values[::60]]
            for a in rates[::60]
        ]
        checked = run(plane, max_steps=CHECKED_STEPS).x[::60, ::60]
        if bench.same(f"{label}, plane", checked, alone, 0.0):
            calls = (partial(run, rule, max_steps=steps) for rule in (plane, scalar))
            bench.table.rates(label, n, *bench.rates(*calls, n * steps), PLANE_ASKED)


def noisy(bench: Bench) -> None:
    """JAX and NumPy, each drawing normal noise for the gradient of 2-D Rosenbrock."""
    bench.table.section("Noisy gradient descent, Rosenbrock 2-D", "M start-steps/s")
    n, steps, rate, std = 10**5, CHECKED_STEPS, 1e-4, 1.0
    starts = np.broadcast_to(fo.Rosenbrock().usual_start, (n, 2)).copy()
    noise = fo.noise.gaussian(std)
    ours = runner("gradient_descent", rate, fo.Rosenbrock(), starts, steps, noise=noise)
    peers = {"numpy": (partial(numpy_noisy, rate, std, starts, steps), NUMPY_NOISE_ASKED)}
    if load_jax(bench):
        peers["jax"] = (jax_noisy(rate, std, starts, steps), JAX_NOISE_ASKED)
    for name, (theirs, asked) in peers.items():
        x, y = ours().x, theirs()
        # Only distributions agree: means and deviations, to five standard errors.
        apart = np.abs(x.mean(0) - y.mean(0)) / y.std(0), np.abs(x.std(0) / y.std(0) - 1)
        if np.max(apart) > 5 * np.sqrt(2 / n):
            bench.table.differs(f"{name}: means or deviations differ by {np.max(apart):.1e}")
            continue
        bench.table.rates(name, n, *bench.rates(ours, theirs, n * steps), asked)


def quadratics(bench: Bench) -> None:
    """JAX, dense quadratics: a matrix shared by 4,096 runs, one for each, and eigenvectors."""
    if not load_jax(bench):
        return
    import peer_quadratics

    bench.table.section("Quadratics, 4,096 runs, fixed steps, against JAX", "M start-steps/s")
    for label, rule, rate, dim, shared, asked in QUADRATICS:
        n, steps = 4096, 100 if bench.quick else 1_000
        family = fo.RandomQuadratics(dim, 1 if shared else n, seed=1, minimizer="normal")
        starts = bench.starts(n, dim=dim)
        given = starts if shared else starts[:, None]
        matrices = np.array([family[i].matrix for i in range(family.count)])
        matrices, centres = matrices.squeeze(), family.minimizers.squeeze()
        few = slice(None, CHECKED_STARTS if shared else None)
        # The derivative of a value takes two products and no batch: for information.
        vmapped = (peer_quadratics.optax_vmapped, asked if shared else None)
        # In many coordinates it takes 15 s a call.
        forms = [*([vmapped] if dim <= 100 else []), (peer_quadratics.by_hand, asked)]
        for form, asked_here in forms:
            made = (rule, rate, matrices, centres)
            checked = runner(rule, rate, family, given[few], CHECKED_STEPS)().x
            checked = checked.reshape(-1, dim)
            if not bench.same(f"{label} {dim}", checked, form(*made, starts[few], CHECKED_STEPS)()):
                continue
            ours = runner(rule, rate, family, given, steps)
            rates = bench.rates(ours, form(*made, starts, steps), n * steps)
            name = form.__name__.replace("_", " ")
            bench.table.rates(f"{label} {dim}, {name}", n, *rates, asked_here)


def mini_batches(bench: Bench) -> None:
    """JAX under vmap, and torch run by run, on mini-batches of least squares."""
    bench.table.section("Mini-batch SGD, least squares, dimension 50", "M start-steps/s")
    surface = fo.LeastSquares.random(rows=10**4, dim=50, noise_std=1.0, seed=0)
    n, steps, few, rate, size = 10**3, 300, 10, 0.01, 32
    data = (surface.A, surface.b, rate, size)
    starts = np.zeros((n, surface.dim))
    for replace in (False, True):
        noise = fo.noise.minibatch(size, replace=replace)
        ours = runner("gradient_descent", rate, surface, starts, steps, noise=noise)
        peers = {}
        if load_jax(bench):
            theirs = jax_minibatch(*data, starts, steps, replace)
            peers["jax"] = theirs, n, JAX_BATCH_ASKED
        if missing("torch"):
            bench.table.skip("torch (not installed)")
        else:
            theirs = partial(torch_minibatch, *data, starts[:few], steps, replace)
            peers["torch"] = theirs, few, TORCH_BATCH_ASKED
        for name, (theirs, count, asked) in peers.items():
            label = f"{name}, {'with' if replace else 'without'} replacement"
            # Only distributions agree: mean values, to five standard errors of the fewer runs.
            x, y = (surface.value(points) - surface.fun_min for points in (ours().x, theirs()))
            apart = abs(x.mean() - y.mean()) / (x.std() * np.sqrt(1 / n + 1 / count))
            if apart > 5:
                bench.table.differs(f"{label}: mean values differ by {apart:.1f} standard errors")
                continue
            seconds = interleaved(ours, theirs, repeats=min(bench.repeats, 3))
            rates = [k * steps / s / 1e6 for k, s in zip((n, count), seconds, strict=True)]
            bench.table.rates(label, n, *rates, asked)


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


def targets(bench: Bench) -> None:
    """Looking for 51 targets against not looking."""
    table, levels = bench.table, np.logspace(2, -8, 51)
    starts_of = {
        fo.Bowl(): (10**5, 10),
        fo.Himmelblau(): (10**5, 6),
        fo.Rosenbrock(): (10**5, 2),
        fo.Rastrigin(dim=10): (10**4, 5),
    }
    for stop in (fo.Stop(gradient=1e-8), None):
        table.section(f"51 targets against none (as peer), stop={stop and 'gradient'}", "time")
        for surface, (n, reach) in starts_of.items():
            starts = bench.starts(n, reach, surface.dim)
            for label, (rule, rates) in TARGET_RULES.items():
                steps = bench.steps(n) // (1 if surface.dim == 2 else 10)
                options = (rule, rates[surface.name], surface, starts, steps)
                looking = runner(*options, stop=stop, targets=levels)
                plain = runner(*options, stop=stop)
                seconds = interleaved(looking, plain, repeats=bench.repeats)
                table.cost(f"{label}, {surface.name}", n, *seconds, TARGETS_ASKED)


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
    "rules": element_wise_rules,
    "plane": parameter_plane,
    "converging": converging,
    "maps": maps,
    "rastrigin": rastrigin,
    "surfaces": surfaces,
    "noise": noisy,
    "quadratics": quadratics,
    "minibatch": mini_batches,
    "others": others,
    "ourselves": ourselves,
    "targets": targets,
    "memory": peak_memory,
    "startup": fresh_processes,
}


def load_jax(bench: Bench):
    """The module that runs JAX, or None, and the table says why."""
    if name := missing("jax", "optax"):
        bench.table.skip(f"JAX ({name} is not installed)")
        return None
    from fastopt.bench import peer_jax

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
