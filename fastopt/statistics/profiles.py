"""Shares of problems solved: performance profiles and data profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, real
from fastopt.runs import Runs
from fastopt.statistics.cells import Cells, by_surface, refuse_unpaired, targets_of
from fastopt.statistics.curves import value_at
from fastopt.statistics.paired import check_paired, costs_of
from fastopt.statistics.recorded import minima_of, recorded_values
from fastopt.statistics.success import ert
from fastopt.statistics.text import grid, percent, plural

_SHOWN = 6


@dataclass(frozen=True, repr=False, eq=False)
class PerformanceProfile:
    """The share of problems that each solver solves within a factor of the best.

    Attributes
    ----------
    tau : numpy.ndarray, shape (m,)
        The factors, from 1, at which a share changes.
    share : numpy.ndarray, shape (m, solvers)
        The share of problems whose cost is at most tau times that of the best solver.
    names : tuple of str
        Of the solvers.
    problems : int
        How many there are.
    """

    tau: Floats
    share: Floats
    names: tuple[str, ...]
    problems: int

    def at(self, tau: ArrayLike) -> Floats:
        """The shares at these factors, shape (..., solvers)."""
        return value_at(self.tau, self.share, tau)

    def __repr__(self) -> str:
        columns = [1.0, 1.5, 2.0, 5.0, 10.0, np.inf]
        return _table("Performance profile", "within", columns, self, self.names, self.problems)


@dataclass(frozen=True, repr=False, eq=False)
class DataProfile:
    """The share of problems that each solver solves within a budget.

    Attributes
    ----------
    budget : numpy.ndarray, shape (m,)
        Steps divided by dim + 1, from 0, at which a share changes.
    share : numpy.ndarray, shape (m, solvers)
        The share of problems solved by then.
    names : tuple of str
        Of the solvers.
    problems : int
        How many there are.
    tau : float
        The accuracy that counts as solved.
    """

    budget: Floats
    share: Floats
    names: tuple[str, ...]
    problems: int
    tau: float

    def at(self, budget: ArrayLike) -> Floats:
        """The shares at these budgets, shape (..., solvers)."""
        return value_at(self.budget, self.share, budget)

    def __repr__(self) -> str:
        last = max(self.budget[-1], 1.0)
        columns = [float(f"{x:.1g}") for x in np.geomspace(max(last / 1e3, 1.0), last, _SHOWN - 1)]
        columns = [*dict.fromkeys(columns), np.inf]
        title = f"Data profile, tau {self.tau:g}"
        return _table(title, "budget", columns, self, self.names, self.problems)


def performance_profile(
    costs: ArrayLike | Mapping[str, Runs | ArrayLike] | Cells,
    names: Sequence[str] | None = None,
    *,
    target: int | None = None,
) -> PerformanceProfile:
    """Performance profiles of Dolan and Moré (2002) [1]_.

    The cost of each solver on each problem is divided by that of the best solver there; the
    profile is the distribution of these ratios. Where it begins, at 1, is how often a solver is
    the best; where it ends, how often it succeeds at all.

    Parameters
    ----------
    costs : array_like, shape (problems, solvers), mapping, or Result
        Of any unit, >= 0, and inf for a failure. Or, by the name of each solver, its costs; or
        its :class:`~fastopt.Runs` from the same starts as the others', each start being a
        problem and the steps until a run converges its cost. Or the result of a study: each
        surface with each target (or with ``stop=``, if there are none) is a problem, the
        expected running time (:func:`ert`) its cost, and each rule (and setting of its
        parameters) a solver.
    names : sequence of str, optional
        Of the solvers of an array; by default their numbers.
    target : int, optional
        Of runs, the index of one of ``runs.targets``: steps until that is reached. Of a
        study's result, of all its targets only that.

    Returns
    -------
    PerformanceProfile
        With ``.tau`` and ``.share``, and ``.at(tau)`` for any tau.

    Raises
    ------
    TypeError, ValueError
        A cost is nan or negative, or the shapes do not match.

    Notes
    -----
    A problem that nobody solves counts among all. Where the best cost is 0, any other that is 0
    has the ratio 1 and all else inf.

    References
    ----------
    .. [1] E. D. Dolan, J. J. Moré, "Benchmarking optimization software with performance
       profiles", Math. Program. 91, 201-213, 2002.

    Examples
    --------
    >>> import fastopt as fo, numpy as np
    >>> costs = [[10, 20], [30, 15], [40, np.inf]]
    >>> profile = fo.statistics.performance_profile(costs, names=["fast", "sure"])
    >>> profile.tau
    array([1., 2.])
    >>> profile.share
    array([[0.66666667, 0.33333333],
           [1.        , 0.66666667]])
    """
    owner = "performance_profile"
    table, labels = _cost_table(owner, costs, names, target)
    best = table.min(axis=1, initial=np.inf)[:, None]
    ratios = np.full(table.shape, np.inf)
    np.divide(table, best, out=ratios, where=np.isfinite(table) & (best > 0))
    ratios[(table == best) & np.isfinite(table)] = 1.0
    grid, share = _shares(ratios, first=1.0)
    return PerformanceProfile(grid, share, labels, len(table))


def data_profile(
    runs: Mapping[str, Runs | Sequence[Runs]], tau: float = 1e-3, *, best: str = "found"
) -> DataProfile:
    """Data profiles of Moré and Wild (2009) [1]_, from recorded values.

    Each start is a problem. It is solved at the first recorded step at which

    .. math:: f(x_0) - f(x) \\ge (1 - \\tau) (f(x_0) - f_L)

    with f_L the least value that any of the solvers found from that start. The profile is the
    share of problems that a solver has solved by a budget of so many times (dim + 1) steps.

    Parameters
    ----------
    runs : mapping of str to Runs, or to a sequence of Runs
        By the name of each solver, its runs on a surface, or on each of several in the same
        order; from the same starts for all, with ``record=`` from step 0 on.
    tau : float, default 1e-3
        The accuracy, from 0 to below 1: the share of the possible decrease that may be left.
    best : {"found", "known"}, default "found"
        Whether f_L is what the solvers found, or the surface's ``fun_min``.

    Returns
    -------
    DataProfile
        With ``.budget`` and ``.share``, and ``.at(budget)`` for any budget.

    Raises
    ------
    TypeError, ValueError
        Runs without a record, from different starts, or in different numbers; ``best="known"``
        where the minimum is not known.

    Notes
    -----
    Only recorded values are seen: with ``fo.Record(every=10)`` a problem is solved up to 9
    steps late. The authors count evaluations of f for solvers without gradients, of which a
    gradient takes dim + 1; here it is steps. A start whose value is not finite is solved by
    nobody.

    References
    ----------
    .. [1] J. J. Moré, S. M. Wild, "Benchmarking derivative-free optimization algorithms",
       SIAM J. Optim. 20, 172-191, 2009.

    Examples
    --------
    >>> import fastopt as fo
    >>> starts = fo.starts.Uniform([-6, -6], [6, 6], n=100, seed=1)
    >>> rules = {"plain": fo.GradientDescent(0.01), "momentum": fo.Momentum(0.001)}
    >>> runs = {
    ...     name: fo.run(rule, fo.Himmelblau(), starts, record=fo.Record(every=1), max_steps=90)
    ...     for name, rule in rules.items()
    ... }
    >>> profile = fo.statistics.data_profile(runs, tau=0.01)
    >>> profile.at(30).shape
    (2,)
    """
    owner = "data_profile"
    tau = real(owner, "tau", tau, 0.0)
    if tau >= 1:
        raise ValueError(f"tau={tau}: must be < 1 ({owner})")
    if best not in ("found", "known"):
        raise ValueError(f"best={best!r}: must be 'found' or 'known' ({owner})")
    refuse_unpaired(owner, "runs", runs, record=True)
    if not runs:
        raise ValueError(f"runs is empty: must hold the runs of one solver or more ({owner})")
    for name, given in runs.items():
        refuse_unpaired(owner, name, given, record=True)
    lists = {n: [given] if isinstance(given, Runs) else list(given) for n, given in runs.items()}
    if len({len(batches) for batches in lists.values()}) > 1:
        numbers = ", ".join(f"{name} has {len(batches)}" for name, batches in lists.items())
        raise ValueError(f"{numbers}: must be runs on the same surfaces ({owner})")
    solved = [
        _solved(dict(zip(lists, batches, strict=True)), tau, best)
        for batches in zip(*lists.values(), strict=True)
    ]
    table = np.concatenate(solved or [np.zeros((0, len(lists)))])
    grid, share = _shares(table, first=0.0)
    return DataProfile(grid, share, tuple(lists), len(table), tau)


def _solved(runs: Mapping[str, Runs], tau: float, best: str) -> Floats:
    """The budget at which each solver has solved each problem, (problems, solvers)."""
    owner = "data_profile"
    records = [recorded_values(owner, name, batch) for name, batch in runs.items()]
    for name, (steps, _) in zip(runs, records, strict=True):
        if steps[0] != 0:
            raise ValueError(f"{name} was recorded from step {steps[0]} on: must be 0 ({owner})")
    check_paired(owner, runs)
    first = next(iter(runs.values()))
    if best == "known":
        least = minima_of(owner, "best='known'", first)
    else:
        lows = [np.where(np.isfinite(f), f, np.inf).min(axis=0) for _, f in records]
        least = np.min(lows, axis=0)
    table = np.full((least.size, len(records)), np.inf)
    for column, (steps, f) in enumerate(records):
        with np.errstate(invalid="ignore", over="ignore"):
            met = np.isfinite(f) & (f[0] - f >= (1 - tau) * (f[0] - least)) & np.isfinite(f[0])
        budget = steps[met.argmax(axis=0)] / (first.surface.dim + 1)
        table[:, column] = np.where(met.any(axis=0), budget, np.inf)
    return table


def _cost_table(
    owner: str,
    costs: ArrayLike | Mapping[str, Runs | ArrayLike] | Cells,
    names: Sequence[str] | None,
    target: int | None,
) -> tuple[Floats, tuple[str, ...]]:
    """Costs (problems, solvers), and the solvers' names."""
    if isinstance(costs, Cells):
        if names is not None:
            raise ValueError(f"names={names!r}: a Result has its own; leave them out ({owner})")
        return _running_times(owner, costs, target)
    if isinstance(costs, Mapping):
        if not costs:
            raise ValueError(f"costs is empty: must hold one solver or more ({owner})")
        if names is not None:
            raise ValueError(f"names={names!r}: a mapping has its own; leave them out ({owner})")
        for name, cost in costs.items():
            refuse_unpaired(owner, name, cost)
        if any(isinstance(cost, Runs) for cost in costs.values()):
            columns = costs_of(owner, cast(Mapping[str, Runs], costs), target)[0]
        else:
            columns = [np.asarray(cost, np.float64) for cost in costs.values()]
        if len({column.shape for column in columns}) > 1 or any(c.ndim != 1 for c in columns):
            shapes = ", ".join(f"{n}: {c.shape}" for n, c in zip(costs, columns, strict=True))
            raise ValueError(f"costs have the shapes {shapes}: must all be (problems,) ({owner})")
        names, table = tuple(costs), np.stack(columns, axis=1)
    else:
        table = np.asarray(costs, np.float64)
        if table.ndim != 2:
            raise ValueError(
                f"costs has shape {table.shape}: must be (problems, solvers) ({owner})"
            )
        names = tuple(map(str, range(table.shape[1]))) if names is None else tuple(names)
    if len(names) != table.shape[1]:
        raise ValueError(f"{len(names)} names for {table.shape[1]} solvers ({owner})")
    if not (table >= 0).all():
        wrong = table[~(table >= 0)][0]
        raise ValueError(f"costs holds {wrong}: must be >= 0, and inf for a failure ({owner})")
    return table, names


def _running_times(
    owner: str, results: Cells, target: int | None
) -> tuple[Floats, tuple[str, ...]]:
    """Expected running times (surfaces times targets, rules) of a study, and the rules."""
    surfaces = by_surface(owner, results)
    names = tuple(next(iter(surfaces.values())))
    table = [
        # One resample: nobody asks for the interval.
        [ert(cells[name].counts(place), resamples=1).value for name in names]
        for cells in surfaces.values()
        for place in targets_of(results, target)
    ]
    return np.array(table), names


def _shares(values: Floats, first: float) -> tuple[Floats, Floats]:
    """The distribution of each column of *values* on the grid of all; (grid, shares)."""
    grid = np.unique(np.append(values[np.isfinite(values)], first))
    counts = [np.searchsorted(np.sort(column), grid, side="right") for column in values.T]
    share = np.stack(counts, axis=1) if counts else np.zeros((grid.size, 0))
    return grid, share / len(values) if len(values) else np.full(share.shape, np.nan)


def _table(
    title: str, word: str, columns: list[float], profile: Any, names: tuple[str, ...], problems: int
) -> str:
    head = [word, *("at all" if np.isinf(column) else format(column, "g") for column in columns)]
    rows = zip(names, profile.at(columns).T, strict=True)
    body = [[name, *map(percent, shares)] for name, shares in rows]
    return f"{title} of {plural(problems, 'problem')}\n{grid(head, body)}"
