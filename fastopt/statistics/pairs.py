"""Which of two rules is better, from the same starts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastopt.runs import Runs
from fastopt.statistics.cells import refuse_unpaired
from fastopt.statistics.joint import Joint
from fastopt.statistics.paired import costs_of
from fastopt.statistics.significance import fair_coin, holm, signed_rank
from fastopt.statistics.text import grid, p_text, percent, plural


@dataclass(frozen=True, repr=False)
class Comparison:
    """What came of two rules from the same starts.

    Attributes
    ----------
    a, b : str
        The rules.
    both, only_a, only_b, neither : int
        In how many pairs of runs both converged, only one of them, or neither.
    first_a, first_b, ties : int
        In how many one converged in fewer steps, or both in as many, or neither at all.
    mcnemar, sign, wilcoxon : float
        p-values, two-sided, of the hypothesis that there is no difference: in success, in who
        is first, in steps.
    budget : int
        The steps that both rules had.
    adjusted : int
        Of how many comparisons the p-values were adjusted for, by :func:`holm`; 1 is none.
    """

    a: str
    b: str
    both: int
    only_a: int
    only_b: int
    neither: int
    first_a: int
    first_b: int
    ties: int
    mcnemar: float
    sign: float
    wilcoxon: float
    budget: int
    adjusted: int = 1

    @property
    def pairs(self) -> int:
        """The number of pairs of runs."""
        return self.both + self.only_a + self.only_b + self.neither

    def __repr__(self) -> str:
        share = max(self.pairs, 1)
        rows = [
            ("both converged", self.both, ""),
            (f"only {self.a}", self.only_a, ""),
            (f"only {self.b}", self.only_b, f"McNemar {p_text(self.mcnemar)}"),
            ("neither", self.neither, ""),
            (f"{self.a} first", self.first_a, ""),
            (f"{self.b} first", self.first_b, f"sign {p_text(self.sign)}"),
            ("as many steps", self.ties, f"Wilcoxon {p_text(self.wilcoxon)}"),
        ]
        width = max(len(name) for name, _, _ in rows)
        title = (
            f"{self.a} and {self.b}: {plural(self.pairs, 'pair')}, at most {self.budget:,} steps"
        )
        lines = [
            f"  {name:{width}}{number:14,}{percent(number / share):>8}   {note}".rstrip()
            for name, number, note in rows
        ]
        return "\n".join([title, *lines])


@dataclass(frozen=True, repr=False)
class Comparisons:
    """Comparisons of several rules, two by two; p-values are adjusted for their number.

    Attributes
    ----------
    rows : tuple of Comparison
        One for each two.
    """

    rows: tuple[Comparison, ...]

    def __repr__(self) -> str:
        head = ["", "1st first", "2nd first", "tie", "McNemar", "sign", "Wilcoxon"]
        body = []
        for row in self.rows:
            shares = [n / max(row.pairs, 1) for n in (row.first_a, row.first_b, row.ties)]
            p_values = [p_text(p, "") for p in (row.mcnemar, row.sign, row.wilcoxon)]
            body.append([f"{row.a} and {row.b}", *map(percent, shares), *p_values])
        return grid(head, body)


def compare(
    runs_a: Runs,
    runs_b: Runs,
    *,
    names: tuple[str, str] | None = None,
    target: int | None = None,
) -> Comparison:
    """Compare two rules that ran from the same starts, run by run.

    * **Success**: McNemar's exact test [1]_. Of the pairs in which only one of the two
      converged, as many should be of either kind.
    * **Who is first**: the sign test [2]_. Of the pairs in which one converged in fewer steps, as
      many should be of either kind.
    * **Steps**: Wilcoxon's signed-rank test [3]_. Differences should be as often and as far to
      one side as to the other.

    A run that did not converge, whether out of steps or diverged, took infinitely many steps.
    So a pair of which only one converged still has an order, and a difference larger than that
    of any pair of which both did; all such differences share one rank. A pair of which neither
    converged is a tie, as is one of as many steps. Ties say nothing and are left out of all
    three tests, as their authors did.

    Parameters
    ----------
    runs_a, runs_b : Runs
        On one surface, and run *k* of both from the same start, so of one shape. If their
        ``max_steps`` differ, what converged after the smaller has not.
    names : tuple of two str, optional
        What to call them; by default the names of their rules.
    target : int, optional
        Index of one of ``runs.targets``: compare when that was reached, not ``stop=``.

    Returns
    -------
    Comparison
        With ``.mcnemar``, ``.sign`` and ``.wilcoxon``, the p-values, and the counts that they
        are based on.

    Raises
    ------
    TypeError, ValueError
        They are not Runs, not on one surface, not of one shape; or both recorded step 0, and
        it differs.

    Notes
    -----
    Wilcoxon's p-value is exact for up to 50 pairs that differ, ties of ranks included;
    beyond, it is by the normal distribution, with the variance corrected for ties.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated
       proportions or percentages", Psychometrika 12, 153-157, 1947.
    .. [2] W. J. Dixon, A. M. Mood, "The statistical sign test", J. Am. Stat. Assoc. 41,
       557-566, 1946.
    .. [3] F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bull. 1,
       80-83, 1945; on failures as the largest ranks, J. M. Lachin, "Worst-rank score
       analysis with informatively missing observations", Control. Clin. Trials 20, 1999.

    Examples
    --------
    >>> import fastopt as fo
    >>> starts = fo.starts.Uniform([-6, -6], [6, 6], n=500, seed=1)
    >>> slow, fast = (
    ...     fo.run(fo.GradientDescent(rate), fo.Himmelblau(), starts, max_steps=300)
    ...     for rate in (0.002, 0.008)
    ... )
    >>> fo.statistics.compare(slow, fast, names=("slow", "fast"))
    slow and fast: 500 pairs, at most 300 steps
      both converged           269   53.8%
      only slow                  0      0%
      only fast                231   46.2%   McNemar p < 1e-16
      neither                    0      0%
      slow first                 0      0%
      fast first               500    100%   sign p < 1e-16
      as many steps              0      0%   Wilcoxon p < 1e-16
    """
    named = {"runs_a": runs_a, "runs_b": runs_b}
    (a, b), budget = costs_of("compare", named, target)
    return comparison(Joint.of(a, b), names or (runs_a.rule.name, runs_b.rule.name), budget)


def comparison(joint: Joint, names: tuple[str, str], budget: int) -> Comparison:
    """What the counts of pairs say of two rules."""
    return Comparison(
        a=names[0],
        b=names[1],
        both=joint.both,
        only_a=joint.only_a,
        only_b=joint.only_b,
        neither=joint.neither,
        first_a=joint.first_a,
        first_b=joint.first_b,
        ties=joint.ties,
        mcnemar=fair_coin(joint.only_a, joint.only_b),
        sign=fair_coin(joint.first_a, joint.first_b),
        wilcoxon=signed_rank(*joint.by_size()),
        budget=budget,
    )


def compare_many(runs: Mapping[str, Runs], *, target: int | None = None) -> Comparisons:
    """Compare each two of several rules that ran from the same starts.

    Parameters
    ----------
    runs : mapping of str to Runs
        By name, two or more; for all else see :func:`compare`.
    target : int, optional
        See :func:`compare`.

    Returns
    -------
    Comparisons
        The p-values of each test are adjusted for the number of comparisons by :func:`holm`.

    Examples
    --------
    >>> import fastopt as fo
    >>> starts = fo.starts.Uniform([-6, -6], [6, 6], n=500, seed=1)
    >>> rules = {"plain": fo.GradientDescent(0.01), "momentum": fo.Momentum(0.001)}
    >>> runs = {name: fo.run(rule, fo.Himmelblau(), starts) for name, rule in rules.items()}
    >>> fo.statistics.compare_many(runs).rows[0].adjusted
    1
    """
    refuse_unpaired("compare_many", "runs", runs)
    if len(runs) < 2:
        raise ValueError(f"runs holds {len(runs)}: must hold two or more (compare_many)")
    rows = [
        compare(runs[a], runs[b], names=(a, b), target=target)
        for a, b in itertools.combinations(runs, 2)
    ]
    tests = ("mcnemar", "sign", "wilcoxon")
    adjusted = {test: holm([getattr(row, test) for row in rows]).tolist() for test in tests}
    return Comparisons(
        tuple(
            replace(row, adjusted=len(rows), **{test: adjusted[test][k] for test in tests})
            for k, row in enumerate(rows)
        )
    )
