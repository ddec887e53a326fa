"""Statistics of many runs: how many converge, when, at what cost, and which rule is better.

Each takes the :class:`~fastopt.Runs` that :func:`fastopt.run` gives; all but those that need
single runs also :class:`Counts` of the runs that ended at each step, which can be merged, and
the :class:`~fastopt.study.Result` of a study, which keeps nothing but counts.
"""

from fastopt.statistics.counts import Counts
from fastopt.statistics.estimates import Estimate, Share, Steps
from fastopt.statistics.hitting import HittingTime, RestrictedMean, hitting_time
from fastopt.statistics.log_rank import LogRank, logrank
from fastopt.statistics.pairs import Comparison, Comparisons, compare, compare_many
from fastopt.statistics.profiles import (
    DataProfile,
    PerformanceProfile,
    data_profile,
    performance_profile,
)
from fastopt.statistics.rates import ConvergenceRate, convergence_rate
from fastopt.statistics.runtimes import Ecdf, ecdf
from fastopt.statistics.significance import holm
from fastopt.statistics.success import Ert, ert, success_rate
from fastopt.statistics.summary import Summary, Table, table

__all__ = [
    "Comparison",
    "Comparisons",
    "ConvergenceRate",
    "Counts",
    "DataProfile",
    "Ecdf",
    "Ert",
    "Estimate",
    "HittingTime",
    "LogRank",
    "PerformanceProfile",
    "RestrictedMean",
    "Share",
    "Steps",
    "Summary",
    "Table",
    "compare",
    "compare_many",
    "convergence_rate",
    "data_profile",
    "ecdf",
    "ert",
    "hitting_time",
    "holm",
    "logrank",
    "performance_profile",
    "success_rate",
    "table",
]
