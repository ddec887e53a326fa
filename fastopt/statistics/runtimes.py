"""Runtime distributions over targets and surfaces, as COCO draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import Floats, whole
from fastopt.runs import Runs
from fastopt.statistics.cells import Cells, as_counts, by_surface, targets_of
from fastopt.statistics.counts import Counts
from fastopt.statistics.curves import value_at
from fastopt.statistics.text import percent, plural

_SHOWN = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, repr=False, eq=False)
class Ecdf:
    """The share of pairs of a surface and a target that are solved within a budget.

    Attributes
    ----------
    budget : numpy.ndarray, shape (m,)
        In steps, or steps / dim, from 0; the share changes there.
    share : numpy.ndarray, shape (m,)
        Of all pairs, each pair being the mean over its runs.
    pairs : int
        How many pairs of a surface and a target there are.
    per_dim : bool
        Whether budgets are divided by the number of coordinates.
    observed : float
        The largest budget that a run had: with ``restarts``, what is beyond is simulated.
    """

    budget: Floats
    share: Floats
    pairs: int
    per_dim: bool
    observed: float

    def at(self, budget: ArrayLike) -> Floats:
        """The share solved within these budgets."""
        return value_at(self.budget, self.share, budget)

    def __repr__(self) -> str:
        unit = "steps / dim" if self.per_dim else "steps"
        lines = [
            f"ECDF over {plural(self.pairs, 'pair')} of a surface and a target: "
            f"{percent(self.share[-1])} by {self.budget[-1]:,g} {unit}"
        ]
        for share in _SHOWN:
            reached = self.share >= share
            at = f"{self.budget[np.argmax(reached)]:,g}" if reached.any() else "not reached"
            lines.append(f"  {share:.0%} within {at:>12}")
        return "\n".join(lines)


def ecdf(
    runs: Runs | Counts | Cells | Iterable[Runs | Counts | Cells],
    *,
    per_dim: bool = False,
    dim: int | Sequence[int] | None = None,
    restarts: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> Ecdf:
    """The empirical distribution of runtimes over surfaces and targets, in COCO's form [1]_.

    A *problem* is a surface with a target. The value at a budget is the share of all problems
    and runs that reached their target within it, each problem having the same weight; a run
    that did not reach it has an infinite runtime.

    Parameters
    ----------
    runs : Runs, Counts or Result, or an iterable of them
        Of one rule, on one or several surfaces. Runs with targets count once for each target;
        Runs without them once, for ``stop=``; Counts once. A study's result counts as its Runs
        would: on each surface for each target.
    per_dim : bool, default False
        Whether to divide budgets by the number of coordinates, as COCO does.
    dim : int or sequence of int, optional
        That number for each of *runs*; needed where they are Counts, and of no use to the
        result of a study, which knows it.
    restarts : bool, default False
        Whether to simulate restarts, as COCO does: a run that failed is followed by runs
        drawn anew from those of the same problem until one succeeds, and its runtime is the
        sum of all. If some runs of a problem succeed, it is then solved within some budget.
    draws : int, default 1000
        With restarts, how many runtimes to draw in place of a problem's failed runs.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    Ecdf
        With ``.budget`` and ``.share``, and ``.at(budget)`` for any budget.

    Notes
    -----
    This is section "Empirical Distribution Functions" of [1]_, with restarts as in "Simulated
    Restarts and Runtimes" and "Bootstrapping Runtimes", in the form of less variance in which
    each run is once the first: what succeeded counts as it is. It differs in these points.
    Runtimes are steps, where COCO counts evaluations; runs of a problem are from different
    starts, where COCO has different instances of a function. COCO does not aggregate over
    dimensions; here nothing keeps you from it. Restarts are off by default, since beyond the
    budget that runs had (``.observed``) they show what was not run. COCO's targets that are
    chosen by the budget of a reference algorithm are left to the caller.

    References
    ----------
    .. [1] N. Hansen, A. Auger, D. Brockhoff, D. Tušar, T. Tušar, "COCO: Performance
       assessment", arXiv:1605.03560, 2016.

    Examples
    --------
    >>> import fastopt as fo
    >>> Counts = fo.statistics.Counts
    >>> easy = Counts.from_steps(converged=[10, 20])
    >>> hard = Counts.from_steps(converged=[30], censored=[100])
    >>> curve = fo.statistics.ecdf([easy, hard])
    >>> curve.budget, curve.share
    (array([  0.,  10.,  20.,  30., 100.]), array([0.  , 0.25, 0.5 , 0.75, 0.75]))
    """
    batches = [runs] if isinstance(runs, Runs | Counts | Cells) else list(runs)
    if not batches:
        raise ValueError("runs is empty: must hold one batch or more (ecdf)")
    draws, seed = whole("ecdf", "draws", draws, 1), whole("ecdf", "seed", seed, 0)
    dims = _given_dims(batches, per_dim, dim)
    problems = [
        problem.divided((problem.dim if given is None else given) if per_dim else 1)
        for batch, given in zip(batches, dims, strict=True)
        for problem in _problems(batch)
    ]
    rng = np.random.default_rng(seed)
    curves = [
        _curve(problem.counts, problem.dim, draws if restarts else 0, rng) for problem in problems
    ]
    observed = max(problem.budget for problem in problems)
    grid = np.unique(np.concatenate([[0.0, observed], *(times for times, _ in curves)]))
    total = np.zeros(grid.size)
    for times, reached in curves:
        total += value_at(times, reached, grid)
    return Ecdf(grid, total / len(problems), len(problems), per_dim, float(observed))


class _Problem(NamedTuple):
    """A surface with a target, and the runs of it."""

    counts: Counts
    dim: int
    """What budgets are divided by; 0 if that is not known."""
    budget: float
    """The most that a run had."""

    def divided(self, dim: int) -> _Problem:
        return _Problem(self.counts, dim, self.budget / dim)


def _problems(batch: Runs | Counts | Cells) -> list[_Problem]:
    """The problems of a batch."""
    if isinstance(batch, Cells):
        return _problems_of_study(batch)
    targets = getattr(batch, "targets", None)
    places = [None] if targets is None else range(len(targets))
    found = [as_counts("ecdf", batch, place) for place in places]
    if not all(counts.runs for counts in found):
        raise ValueError("a batch holds no runs: must hold one or more (ecdf)")
    dim = batch.surface.dim if isinstance(batch, Runs) else 0
    return [_Problem(counts, dim, float(counts.steps[-1])) for counts in found]


def _problems_of_study(results: Cells) -> list[_Problem]:
    surfaces = by_surface("ecdf", results)
    rules = list(dict.fromkeys(solver for cells in surfaces.values() for solver in cells))
    if len(rules) > 1:
        raise ValueError(
            f"a Result of {len(rules):,} rules or settings ({rules[0]}, {rules[1]}, ...): must "
            "be of one; result.select(rule=...) takes it, and plot_statistics.ecdf draws all "
            "(ecdf)"
        )
    return [
        _Problem(cell.counts(target), cell.dim, float(cell.max_steps))
        for cells in surfaces.values()
        for cell in cells.values()
        for target in targets_of(results, None)
    ]


def _given_dims(
    batches: list[Runs | Counts | Cells], per_dim: bool, dim: int | Sequence[int] | None
) -> list[int | None]:
    """What each batch's budgets are to be divided by, None for what it knows itself."""
    if dim is None:
        if per_dim and any(isinstance(batch, Counts) for batch in batches):
            raise ValueError("per_dim=True: counts do not know their dim; give dim= (ecdf)")
        return [None] * len(batches)
    if not per_dim:
        raise ValueError(f"dim={dim!r}: goes with per_dim=True (ecdf)")
    if any(isinstance(batch, Cells) for batch in batches):
        raise ValueError(f"dim={dim!r}: a study's result knows its dim; leave it out (ecdf)")
    dims = list(dim) if isinstance(dim, Sequence) else [dim] * len(batches)
    if len(dims) != len(batches):
        raise ValueError(f"dim holds {len(dims)}: must be {len(batches)}, one a batch (ecdf)")
    return [whole("ecdf", "dim", number, 1) for number in dims]


def _curve(
    counts: Counts, divisor: int, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Runtimes in ascending order, and the share of the runs that took no longer."""
    good = counts.converged > 0
    times, share = counts.steps[good] / divisor, np.cumsum(counts.converged[good]) / counts.runs
    failures = counts.runs - counts.successes
    if not (draws and failures and counts.successes):
        return times, share
    simulated = _restarted(counts, draws, rng) / divisor
    every = np.concatenate([times, simulated])
    each = np.full(draws, failures / counts.runs / draws)
    weight = np.concatenate([counts.converged[good] / counts.runs, each])
    order = np.argsort(every, kind="stable")
    return every[order], np.minimum(np.cumsum(weight[order]), 1.0)


def _restarted(counts: Counts, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Runtimes that begin with a failed run and end with a successful one."""
    failed = counts.diverged + counts.censored + counts.stopped
    further = rng.geometric(counts.successes / counts.runs, draws) - 1
    cost = rng.choice(counts.steps, draws, p=counts.converged / counts.successes)
    share = failed / failed.sum()
    for k, count in enumerate(1 + further):
        # Which failed runs they are: one by one, or how many of each, whichever is less.
        if count < counts.steps.size:
            cost[k] += rng.choice(counts.steps, count, p=share).sum()
        else:
            cost[k] += rng.multinomial(count, share) @ counts.steps
    return cost
