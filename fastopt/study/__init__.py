"""Studies: statistics of any number of runs, in chunks that any executor computes.

:class:`fastopt.Study` says what to run, its method ``run`` runs it, and what comes of it is a
:class:`Result`.
"""

from fastopt.study.cell import Cell, Extremes
from fastopt.study.result import Result
from fastopt.study.store import StoreError, StoreWarning
from fastopt.study.study import Study, load

__all__ = [
    "Cell",
    "Extremes",
    "Result",
    "StoreError",
    "StoreWarning",
    "Study",
    "load",
]
