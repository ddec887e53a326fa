"""The peers, each in the same form, and the ratios: how many times as fast fastopt is.

A peer is measured only where it computes the same points, which is looked at first.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import fastopt as fo
from fastopt.bench import peer_batch
from fastopt.bench.comparison import (
    CHECKED_STARTS,
    CHECKED_STEPS,
    CPP_TOLERANCE,
    LEAST_ALIKE,
    LEAST_NEAR,
    NEAR,
    TOLERANCE,
    apart,
    ends_alike,
    runner,
    starts_within,
)
from fastopt.bench.machine import missing
from fastopt.bench.peer_scipy import minimise_each
from fastopt.bench.rates import RATE, RATES, made_rule
from fastopt.bench.timing import interleaved

Form = tuple[str, Callable[[Any, int], Callable[[], Any]]]
"""A name, and what makes of starts and steps a function that returns the final points."""

# To convergence: learning rates on Himmelblau, and when a run has converged.
_HIMMELBLAU_RATES = {"gradient_descent": 0.01, "adam": 0.1}
_REACH, _MOST_STEPS, _GRADIENT, _SCIPY_GRADIENT = 6.0, 10_000, 1e-8, 1e-6
# SciPy runs one start after the other, so few give its rate.
_SCIPY_SHARE, _SCIPY_LEAST = 100, 10
# Steps with which a form of torch is tried.
_TRIED = 10


@dataclass(frozen=True)
class Peer:
    """Another way to run rules on 2-D Rosenbrock."""

    name: str
    rules: tuple[str, ...]
    form: Callable[[str, float, Any, int], Form]
    """The fastest for a rule, its learning rate, starts (n, 2) and steps."""
    most_steps: int = 1000
    """More would take long and change no rate: nothing but the steps takes time."""
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Ratio:
    """fastopt beside a peer."""

    peer: str
    form: str
    rule: str
    surface: str
    unit: str
    """``"start-steps"`` or, to convergence, ``"runs"``."""
    ours: float | None = None
    """A second; None where the results differ."""
    theirs: float | None = None
    difference: str | None = None
    """In what the results differ; None where they are the same."""

    @property
    def ratio(self) -> float | None:
        """How many times as fast fastopt is."""
        return None if self.ours is None or self.theirs is None else self.ours / self.theirs


def installed(rules: list[str], threads: int, quick: bool) -> tuple[list[Peer], list[str]]:
    """The peers that there are for some of the *rules*, and for each that is not, why."""
    makers: dict[str, Callable[[], list[Peer]]] = {
        "JAX": lambda: _jax(quick),
        "C++": lambda: _cpp(rules, threads),
        "torch": lambda: _torch(threads),
        "NumPy": lambda: [_batch_peer("NumPy", peer_batch.numpy_run)],
    }
    found: list[Peer] = []
    skipped: list[str] = []
    for name, make in makers.items():
        try:
            found += make()
        except (ImportError, RuntimeError) as error:  # not there, or broken
            skipped.append(f"{name} ({' '.join(str(error).split())})")
    return [peer for peer in found if set(peer.rules) & set(rules)], skipped


def _require(*packages: str) -> None:
    if name := missing(*packages):
        raise ImportError(f"{name} is not installed")


def _jax(quick: bool) -> list[Peer]:
    _require("jax", "optax")
    from fastopt.bench import peer_jax as jax

    def chosen(forms: Any, rule: str, rate: float, starts: Any, steps: int) -> Form:
        form = forms[0]
        if len(forms) > 1:
            form = jax.fastest(forms, rule, rate, "rosenbrock", starts, steps)
        return form.name, partial(jax.prepared, form, rule, rate, "rosenbrock")

    peers = {"JAX": jax.WITH_OPTAX[:1]}
    if not quick:
        peers["best JAX"] = jax.WITH_OPTAX + jax.BY_HAND
    rules = ("gradient_descent", "momentum", "adam")
    return [Peer(name, rules, partial(chosen, forms)) for name, forms in peers.items()]


def _cpp(rules: list[str], threads: int) -> list[Peer]:
    from fastopt.bench.cpp_rules import LOOPS
    from fastopt.bench.peer_cpp import compile_peer

    known = tuple(name for name in rules if name in LOOPS)
    compiled = compile_peer(known, threads)
    if compiled is None:
        raise RuntimeError("no compiler; set CXX")

    def chosen(rule: str, rate: float, starts: Any, steps: int) -> Form:
        made = fo.rules.get(rule, learning_rate=rate)
        name, _ = compiled.fastest(made, starts, steps)
        return f"{compiled.compiler}, {name}", lambda *case: compiled.fastest(made, *case)[1]

    return [Peer("C++", known, chosen, tolerance=CPP_TOLERANCE)]


def _torch(threads: int) -> list[Peer]:
    _require("torch")
    import torch

    def run(count: int, *case: Any) -> Any:
        torch.set_num_threads(count)
        return peer_batch.torch_run(*case)

    def form(rule: str, rate: float, starts: Any, steps: int) -> Form:
        # On several threads it may take a hundred times as long if anything else runs.
        calls = {n: partial(run, n, rule, rate, starts, _TRIED) for n in {1, threads}}
        seconds = {n: min(timeit.repeat(call, number=1, repeat=3)) for n, call in calls.items()}
        best = min(seconds, key=lambda n: seconds[n])
        name = "1 thread" if best == 1 else f"{best} threads"
        return name, lambda *case: partial(run, best, rule, rate, *case)

    return [Peer("torch", peer_batch.RULES, form, most_steps=100)]


def _batch_peer(name: str, run: Callable[..., Any]) -> Peer:
    def form(rule: str, rate: float, starts: Any, steps: int) -> Form:
        return "batch", lambda *case: partial(run, rule, rate, *case)

    return Peer(name, peer_batch.RULES, form, most_steps=100)


# -- ratios ------------------------------------------------------------------------------


def beside(peer: Peer, rule: str, n: int, steps: int, threads: int, repeats: int) -> Ratio:
    """A rule from *n* starts for *steps* steps; a peer whose steps are all alike takes fewer."""
    rate, surface = RATES.get(rule, RATE), fo.Rosenbrock()
    few, starts, fewer = (
        starts_within(CHECKED_STARTS),
        starts_within(n),
        min(steps, peer.most_steps),
    )
    form, prepared = peer.form(rule, rate, starts, fewer)
    checked = runner(rule, rate, surface, few, CHECKED_STEPS, threads=threads)().x
    worst = apart(checked, prepared(few, CHECKED_STEPS)())
    result = partial(Ratio, peer.name, form, rule, surface.name, "start-steps")
    if not worst <= peer.tolerance:
        return result(difference=f"{worst:.1e} apart after {CHECKED_STEPS} steps")
    ours = runner(rule, rate, surface, starts, steps, threads=threads)
    seconds = interleaved(ours, prepared(starts, fewer), repeats=repeats)
    return result(n * steps / seconds[0], n * fewer / seconds[1])


def to_convergence(n: int, threads: int, repeats: int) -> Iterator[Ratio]:
    """Runs that end when they have converged: of JAX on Himmelblau, and of SciPy."""
    if missing("jax", "optax") is None:
        for rule, rate in _HIMMELBLAU_RATES.items():
            yield _beside_while_loop(rule, rate, n, threads, repeats)
    yield _beside_scipy(n, threads, repeats)


def _beside_while_loop(rule: str, rate: float, n: int, threads: int, repeats: int) -> Ratio:
    from fastopt.bench import peer_jax as jax

    surface, starts = fo.Himmelblau(), starts_within(n, _REACH)
    stop = fo.Stop(gradient=_GRADIENT)
    ours = runner(rule, rate, surface, starts, _MOST_STEPS, stop=stop, threads=threads)
    theirs = jax.converging(rule, rate, surface.name, starts, _MOST_STEPS, _GRADIENT)
    near, alike = ends_alike(ours(), *theirs())
    result = partial(Ratio, "JAX", "vmap of while_loop", rule, surface.name, "runs")
    if near < LEAST_NEAR or alike < LEAST_ALIKE:
        return result(difference=f"{near:.2%} of points, {alike:.2%} of steps the same")
    seconds = interleaved(ours, theirs, repeats=repeats)
    return result(n / seconds[0], n / seconds[1])


def _beside_scipy(n: int, threads: int, repeats: int) -> Ratio:
    surface, starts = fo.Rosenbrock(), starts_within(n)
    few = starts[: max(n // _SCIPY_SHARE, _SCIPY_LEAST)]
    rule = made_rule("bfgs")
    stop = fo.Stop(gradient=_SCIPY_GRADIENT)

    def ours() -> fo.Runs:
        return fo.run(rule, surface, starts, stop=stop, threads=threads)

    theirs = minimise_each(few, _SCIPY_GRADIENT)
    # Gradients of 1e-6 are found within 3e-6 of the minimum.
    ends = {"fastopt": ours().x, "SciPy": theirs()}
    result = partial(Ratio, "SciPy", "minimize(BFGS), one by one", "bfgs", surface.name, "runs")
    for name, x in ends.items():
        worst = float(np.max(np.abs(x - surface.minima[0])))
        if not worst <= 10 * NEAR:
            return result(difference=f"{name} ends {worst:.1e} from the minimum")
    seconds = interleaved(ours, theirs, repeats=repeats)
    return result(n / seconds[0], len(few) / seconds[1])
