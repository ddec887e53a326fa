"""``fastopt.parameter_map``: what becomes of runs over a plane of two parameters."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastopt import memory
from fastopt.basins import storage
from fastopt.basins.running import Settings, as_starts, check_single
from fastopt.names import suggestion
from fastopt.progress import Bar
from fastopt.rules import Rule
from fastopt.runs import Runs, Status
from fastopt.starts import Starts
from fastopt.stopping import Stop
from fastopt.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_OWNER = "parameter_map"
_MOST_RUNS = 1 << 18
_ARRAYS = ("x", "y", "converged", "diverged", "steps", "fun")


@dataclass(frozen=True, repr=False, eq=False)
class ParameterMap:
    """What became of runs over a plane of two parameters; made by :func:`fastopt.parameter_map`.

    Attributes
    ----------
    names : (str, str)
        The parameters: of the columns, then of the rows.
    x, y : numpy.ndarray, shape (nx,) and (ny,)
        Their values.
    converged, diverged : numpy.ndarray, shape (ny, nx)
        The share of the starts whose runs did; of one start 0 or 1.
    steps : numpy.ndarray, shape (ny, nx)
        The mean number of steps of the runs that converged; nan where none did.
    fun : numpy.ndarray, shape (ny, nx)
        The mean value at the end of the runs that did not diverge; nan where all did.
    starts, max_steps : int
        How many starts, and for how many steps at most.
    rule_text, surface_text : str
    seconds : float
        Wall time.
    """

    names: tuple[str, str]
    x: Floats
    y: Floats
    converged: Floats
    diverged: Floats
    steps: Floats
    fun: Floats
    starts: int
    max_steps: int
    rule_text: str
    surface_text: str
    seconds: float

    def best(self) -> dict[str, float]:
        """The parameters with the least steps for each run that converged.

        A run that did not converge counts as ``max_steps`` (the expected running time of
        restarts); of equal ones the first. nan where nothing converged.
        """
        cost = np.nan_to_num(self.steps) * self.converged + self.max_steps * (1 - self.converged)
        cost = np.divide(
            cost, self.converged, where=self.converged > 0, out=np.full_like(cost, np.inf)
        )
        row, column = np.unravel_index(np.argmin(cost), cost.shape)
        if not np.isfinite(cost[row, column]):
            return dict.fromkeys(self.names, np.nan)
        return dict(zip(self.names, (float(self.x[column]), float(self.y[row])), strict=True))

    def __repr__(self) -> str:
        rows, columns = self.steps.shape
        best = ", ".join(f"{name}={value:.4g}" for name, value in self.best().items())
        return (
            f"{self.rule_text} on {self.surface_text}: {columns} values of {self.names[0]} x "
            f"{rows} of {self.names[1]}, {self.starts:,} start{'s' * (self.starts > 1)}\n"
            f"converged {self.converged.mean():.2%}, diverged {self.diverged.mean():.2%}; "
            f"best {best}"
        )

    def plot(self, what: str = "", title: str = "") -> Figure:
        """The plane in colours, its axes logarithmic where the values are.

        Parameters
        ----------
        what : {"steps", "converged", "diverged", "fun"}, optional
            By default the steps of one start, and of more the share that converged.
        title : str, optional
            By default the rule and the surface.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from fastopt.basins import plane_picture

        return plane_picture.plot(self, what, title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the map to a ``.npz`` file, which :meth:`load` reads."""
        facts = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _ARRAYS
        }
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        storage.write(path, "parameter map", facts, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ParameterMap:
        """Read a map that :meth:`save` wrote.

        Raises
        ------
        ValueError
            It is no map, damaged, or of another version.
        """
        facts, arrays = storage.read(path, "parameter map", "fo.parameter_map")
        return cls(**{**facts, **arrays, "names": tuple(facts["names"])})


def parameter_map(
    rule_class: type[Rule],
    surface: Surface,
    start: ArrayLike | Starts,
    over: Mapping[str, ArrayLike],
    *,
    fixed: Mapping[str, Any] | None = None,
    max_steps: int = 10_000,
    stop: Stop = Stop(gradient=1e-8),  # noqa: B008 (immutable)
    dtype: DTypeLike = "float64",
    threads: int | None = None,
    progress: bool = False,
) -> ParameterMap:
    """Run a rule over a plane of two of its parameters, from one start or from many.

    Parameters
    ----------
    rule_class : type
        E.g. ``fo.Momentum``.
    surface : Surface
    start : array_like, shape (dim,) or (..., dim), or Starts
        One start, or a cloud of them, over which the map gives means.
    over : mapping of two names to array_like
        The values of two numeric parameters: first of the columns, then of the rows.
    fixed : mapping, optional
        Other parameters of the rule, one value each.
    max_steps, stop, dtype, threads, progress
        As for :func:`fastopt.basin_map`.

    Returns
    -------
    ParameterMap

    Raises
    ------
    TypeError, ValueError
        A parameter is not known (the known ones are given), or out of its range; nothing has
        run then.

    Examples
    --------
    >>> import numpy as np
    >>> import fastopt as fo
    >>> plane = fo.parameter_map(
    ...     fo.Momentum,
    ...     fo.Bowl(),
    ...     [-7.0, 2.0],
    ...     over={"learning_rate": np.geomspace(0.01, 1, 5), "momentum": [0.0, 0.5, 0.9]},
    ... )
    >>> plane.steps.shape, plane.best()
    ((3, 5), {'learning_rate': 1.0, 'momentum': 0.5})
    """
    settings = Settings(max_steps, stop, None, 0, dtype, threads, progress)
    checked = checked_over(rule_class, over, 2, _OWNER)
    fixed = checked_fixed(rule_class, fixed, checked, _OWNER)
    (first, x), (second, y) = checked.items()
    check_single(surface, _OWNER)
    make, count = as_starts(start, surface)
    if count == 0:
        raise ValueError(f"start: must be at least one ({_OWNER})")
    rates, others = np.meshgrid(x, y)
    # Errors come before any work.
    whole = make_rule(rule_class, {first: rates.ravel(), second: others.ravel()} | fixed, _OWNER)
    memory.require(6 * 8 * rates.size, f"a map of {len(y):,} x {len(x):,} values", "give fewer")
    begun, bar = time.perf_counter(), Bar(progress)
    sums = np.zeros((5, rates.size))
    length = max(_MOST_RUNS // count, 1)
    try:
        for a in range(0, rates.size, length):
            some = slice(a, a + length)
            values = {first: rates.ravel()[some, None], second: others.ravel()[some, None]}
            rule = rule_class(**values | fixed)
            for c in range(0, count, _MOST_RUNS):
                runs = settings.run(rule, surface, make(c, min(c + _MOST_RUNS, count)))
                sums[:, some] += _sums(runs)
            bar.show(min(a + length, rates.size) / rates.size, f"of {rates.size:,} parameters")
    finally:
        bar.close()
    converged, diverged, steps, ended, fun = sums.reshape(5, *rates.shape)
    with np.errstate(invalid="ignore"):
        means = steps / np.where(converged > 0, converged, np.nan)
        values_ = fun / np.where(ended > 0, ended, np.nan)
    text = f"{rule_class.__name__}({', '.join(f'{k}={v!r}' for k, v in fixed.items())})"
    return ParameterMap(
        names=(first, second),
        x=x,
        y=y,
        converged=converged / count,
        diverged=diverged / count,
        steps=means,
        fun=values_,
        starts=count,
        max_steps=max_steps,
        rule_text=text if fixed else type(whole).__name__,
        surface_text=repr(surface),
        seconds=time.perf_counter() - begun,
    )


def _sums(runs: Runs) -> Floats:
    """Sums over the starts (second axis): converged, diverged, steps, not diverged, values."""
    success, ended = runs.success, runs.status != Status.DIVERGED
    return np.stack(
        [
            success.sum(axis=1),
            (~ended).sum(axis=1),
            np.where(success, runs.steps, 0).sum(axis=1),
            ended.sum(axis=1),
            np.where(ended, runs.fun, 0.0).sum(axis=1),
        ]
    ).astype(np.float64)


def checked_over(
    rule_class: Any, over: Any, count: int, owner: str
) -> dict[str, NDArray[np.float64]]:
    """The values of the parameters that are varied, each (n,)."""
    if not (isinstance(rule_class, type) and issubclass(rule_class, Rule)):
        raise TypeError(f"rule_class={rule_class!r}: must be a class such as fo.Adam ({owner})")
    if not isinstance(over, Mapping) or len(over) != count:
        what = "one parameter" if count == 1 else f"{count} parameters"
        raise ValueError(f"over={over!r}: must give the values of {what}, by name ({owner})")
    numeric = numeric_names(rule_class)
    found = {}
    for name, values in over.items():
        if name not in numeric:
            near = suggestion(str(name), numeric)
            raise ValueError(
                f"{name}: {rule_class.__name__} has no such numeric parameter; {near}"
                f"{'' if near.startswith('known') else ' It has ' + ', '.join(numeric)} ({owner})"
            )
        array = np.asarray(values)
        if array.ndim != 1 or not array.size or array.dtype.kind not in "fiu":
            raise ValueError(
                f"over[{name!r}] has shape {array.shape} and dtype {array.dtype}: must be a list "
                f"of numbers ({owner})"
            )
        found[name] = array.astype(np.float64)
    return found


def checked_fixed(
    rule_class: type[Rule], fixed: Mapping[str, Any] | None, over: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """The parameters that are not varied."""
    given, numeric = dict(fixed or {}), numeric_names(rule_class)
    for name, value in given.items():
        if name in over:
            raise ValueError(f"{name}: is in over= and in fixed= ({owner})")
        if name in numeric and np.ndim(value) > 0:
            raise ValueError(
                f"fixed[{name!r}] has shape {np.shape(value)}: must be one value for all runs; "
                f"what is varied belongs into over= ({owner})"
            )
    return given


def numeric_names(rule_class: type[Rule]) -> list[str]:
    """The parameters that take a number, or one for each run."""
    return [field.name for field in fields(rule_class) if "interval" in field.metadata]  # type: ignore[arg-type]


def make_rule(rule_class: type[Rule], parameters: Mapping[str, Any], owner: str) -> Rule:
    """The rule with these parameters, or an error that gives those it has."""
    unknown = [name for name in parameters if name not in rule_class.parameter_names()]
    if unknown:
        known = rule_class.parameter_names()
        raise ValueError(
            f"{unknown[0]}: {rule_class.__name__} has no such parameter; it has "
            f"{', '.join(known)} ({owner})"
        )
    rule = rule_class(**parameters)
    if rule.parts().draws:
        raise ValueError(
            f"{rule_class.__name__} draws random numbers, so that its runs depend on their "
            f"place in the batch: give fo.run a rule with arrays of parameters ({owner})"
        )
    return rule
