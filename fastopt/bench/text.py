"""The figures as a table of 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from fastopt.bench.limits import Limits
from fastopt.bench.peers import Ratio
from fastopt.bench.rates import ROSENBROCK, Reached

_BAR = 10
_WIDTH = 80
_TIED = "\N{NO-BREAK SPACE}"
_LEAST_SHARE = 0.9

_LIMITS = {
    "multiply_add": ("multiply-adds", "G"),
    "add": ("additions", "G"),
    "arithmetic": ("both in turn (arithmetic)", "G"),
    "divide": ("divisions", "G"),
    "root": ("square roots", "G"),
    "divide_root": ("a division and a root, pairs", "G"),
    "memory": ("memory, read and written", "GB"),
    "product": ("matrix product", "GFLOP"),
}

_LEGEND = {
    "rate": "of the rules on 2-D Rosenbrock; then of gradient descent where starts and results "
    "count, and with a dense matrix",
    "limit": "what the scarcest unit, named on the right, would allow if nothing else took time: "
    "what it does in a second, by what a start-step needs of it (operations of the compiled loop, "
    "where a product is a multiply-add and a comparison nothing; bytes of starts and results; or "
    "the matrix)",
    "reached": "the rate as a share of the limit; the matrix product that is measured is NumPy's, "
    "so that a share may be above 100%",
}
_NOT_COUNTED = "not counted: the loop is not the same code in every step and coordinate"
_DIVERGED = "runs that diverged, and cost no more then; steps after that are left out of the rate"
_PEERS = {
    "JAX": "optax under vmap, jax.grad, scan, jit, as its users write it; best JAX: the fastest "
    "of nine forms, by hand and one part a processor among them; to convergence: vmap of a "
    "while_loop",
    "C++": "a tile loop by hand, -O3 -march=native, the fastest of eight forms",
    "torch": "torch.optim, fused, on the whole batch, on all threads or one, the faster",
    "NumPy": "a loop over the steps, on the whole batch",
    "SciPy": 'minimize(method="BFGS") from one start after the other',
}


def machine_lines(machine: dict[str, str], threads: int, vector_bits: int) -> list[str]:
    """What it was measured on."""
    used = f"{counted(threads)}, vectors of {vector_bits} bits"
    lines = [machine["machine"], f"{machine['date']}; {used}", machine["versions"]]
    # A name and its version stay together.
    lines = [re.sub(r" (?=[\d(])", _TIED, line) for line in lines]
    return [part.replace(_TIED, " ") for line in lines for part in textwrap.wrap(line, _WIDTH)]


def disturbed_lines(share: float) -> list[str]:
    """That other programs ran meanwhile, if they did."""
    if share >= _LEAST_SHARE:
        return []
    text = (
        f"other programs took {1 - share:.0%} of the processors: figures and ratios are not sound"
    )
    return [*textwrap.wrap(text, _WIDTH), ""]


def counted(threads: int) -> str:
    """``2 threads``."""
    return f"{threads} thread{'' if threads == 1 else 's'}"


def limit_lines(limits: Limits) -> list[str]:
    """What the machine does at most."""
    rows = []
    for name, (label, unit) in _LIMITS.items():
        rows.append(f"  {label:32}{_three(getattr(limits, name) / 1e9):>8} {unit}")
    return ["this machine at most, all threads  a second", *rows]


def reached_lines(found: Iterable[Reached]) -> list[str]:
    """A row for each rate."""
    head = f"{'fastopt, M start-steps/s':33}{'rate':>8}{'limit':>8}  reached"
    return [head, *map(_reached_line, found)]


def _reached_line(row: Reached) -> str:
    name = row.rule if row.what == ROSENBROCK else f"{row.rule}, {row.what}"
    text = f"{name:33}{_three(row.rate / 1e6):>8}"
    if row.limit is None or row.share is None:
        return f"{text}{'-':>8}    -"
    full = min(round(row.share * _BAR), _BAR)
    bar = "━" * full + "─" * (_BAR - full)
    return f"{text}{_three(row.limit / 1e6):>8}{row.share:5.0%} {bar} {row.unit}"


def ratio_lines(ratios: Sequence[Ratio]) -> list[str]:
    """How many times as fast, a row for each rule and a column for each peer."""
    peers = list(dict.fromkeys(row.peer for row in ratios))
    cells = {(row.rule, row.peer): row for row in ratios}
    lines = [f"{'times as fast as':26}" + "".join(f"{peer:>10}" for peer in peers)]
    for rule in dict.fromkeys(row.rule for row in ratios):
        lines.append(f"{rule:26}" + "".join(_cell(cells.get((rule, peer))) for peer in peers))
    return lines


def _cell(row: Ratio | None) -> str:
    if row is None:
        return f"{'-':>10}"
    return f"{'DIFFERENT' if row.ratio is None else _three(row.ratio):>10}"


def convergence_lines(ratios: Iterable[Ratio]) -> list[str]:
    """Runs a second to convergence, a row for each."""
    lines = [f"{'to convergence, runs/s':34}{'fastopt':>12}{'peer':>10}{'ratio':>8}"]
    for row in ratios:
        name = f"{row.rule}, {row.surface}"
        if row.ours is None or row.theirs is None or row.ratio is None:
            lines.append(f"{name:34}{'DIFFERENT':>12}{'':18} {row.peer}")
            continue
        figures = f"{_three(row.ours):>12}{_three(row.theirs):>10}{_three(row.ratio):>8}"
        lines.append(f"{name:34}{figures}  {row.peer}")
    return lines


def verdict_lines(different: Sequence[str], skipped: Sequence[str], compared: int) -> list[str]:
    """Whether all computed the same, and who was not there."""
    lines = [f"DIFFERENT RESULT: {text}" for text in different]
    if not different:
        lines = [f"in all {compared} comparisons both computed the same points"]
    lines += [f"skipped: {text}" for text in skipped]
    return [part for line in lines for part in textwrap.wrap(line, _WIDTH)]


def legend_lines(found: Sequence[Reached], peers: Iterable[str]) -> list[str]:
    """What the words, figures and names of peers mean."""
    terms = dict(_LEGEND)
    if any(row.limit is None for row in found):
        terms["-"] = _NOT_COUNTED
    if diverged := [f"{row.rule} {row.diverged:.1%}" for row in found if row.diverged]:
        terms["diverged"] = f"{', '.join(diverged)}: {_DIVERGED}"
    terms |= {name: text for name, text in _PEERS.items() if name in peers}
    return [
        line
        for term, text in terms.items()
        for line in textwrap.wrap(
            text, _WIDTH, initial_indent=f"{term:10}", subsequent_indent=" " * 10
        )
    ]


def _three(value: float) -> str:
    """Three digits or more, without an exponent."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
