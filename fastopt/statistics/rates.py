"""How fast runs converge: rates fitted to recorded trajectories."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import Floats, real, whole
from fastopt.ensembles import RandomQuadratics
from fastopt.runs import Runs, Status
from fastopt.statistics.cells import Cells, the_cell
from fastopt.statistics.estimates import Estimate, normal_quantile
from fastopt.statistics.recorded import minima_of, recorded_values
from fastopt.statistics.text import plural

# A fit of two constants needs one point more to have a residual.
_LEAST_POINTS = 3
_MODELS = ("linear", "sublinear")


@dataclass(frozen=True, repr=False, eq=False)
class ConvergenceRate(Estimate):
    """A rate of convergence with its interval; see :class:`Estimate`.

    Attributes
    ----------
    model : {"linear", "sublinear"}
        Linear: the value is the factor per step, rho of ``C * rho**t``. Sublinear: the value
        is the exponent, p of ``C / t**p``.
    per_run : numpy.ndarray, shape (*batch)
        The rate of each run; nan where it could not be fitted. Of a study, whose single runs
        are not known, it has shape ().
    runs : int
        How many were fitted, or of a study how many there are.
    r_squared : float
        The share of the variance of the logarithms along the runs that the fits explain.
    """

    model: str
    per_run: Floats
    runs: int
    r_squared: float

    def text(self, number: float) -> str:
        return format(number, ".6g")

    def __repr__(self) -> str:
        law = "C * rho**t, rho" if self.model == "linear" else "C / t**p, p"
        return (
            f"{law} = {super().__repr__()} ({plural(self.runs, 'run')}, R² = {self.r_squared:.4f})"
        )


def convergence_rate(
    runs: Runs | Cells,
    model: str = "linear",
    *,
    quantity: str = "value",
    between: tuple[int, int] | None = None,
    quantile: float | None = None,
    confidence: float = 0.95,
) -> ConvergenceRate:
    """Fit how the error falls along recorded trajectories.

    * ``"linear"`` convergence [1]_, ``C * rho**t``: a straight line in the logarithm of the error
      against the step t. Gradient descent on a quadratic of condition number kappa has the
      factor ``((kappa - 1) / (kappa + 1))**2`` a step in value at its best constant rate [2]_.
    * ``"sublinear"`` convergence, ``C / t**p``: a straight line in both logarithms. Gradient
      descent on convex functions has p >= 1.

    Parameters
    ----------
    runs : Runs or Result
        With ``record=`` of three steps at least. Those that diverged are left out. Of a study's
        result of one cell what is fitted is a quantile over its runs.
    model : {"linear", "sublinear", "best"}, default "linear"
        What to fit. ``"best"`` takes whichever leaves the smaller sum of squares on the same
        points; both have two constants, so no criterion of information could say otherwise.
    quantity : {"value", "distance"}, default "value"
        The error: ``f(x) - fun_min`` of the surface, or the distance from that of its known
        minima that is nearest to where the run ended.
    between : (int, int), optional
        The first and the last step to fit; by default all. Give it to leave out the beginning,
        for these laws hold in the end.
    quantile : float, optional
        Of a study's result, which quantile of the values at each recorded step to fit; by
        default 0.5, the median.
    confidence : float, default 0.95
        Of the interval, between 0 and 1.

    Returns
    -------
    ConvergenceRate
        With ``.value``, ``.low`` and ``.high``: the factor per step or the exponent; ``.model``,
        ``.per_run`` and ``.r_squared``.

    Raises
    ------
    TypeError, ValueError
        There is no record or no known minimum, or there are less than three points to fit.

    Notes
    -----
    Each run is fitted by least squares on its recorded steps up to its last one, where the
    error is above rounding: more than 32 units in the last place of ``fun_min``, or of the
    minimum's coordinates. Step 0 takes no part in sublinear fits, nor in those of
    ``"best"``.

    With several runs the slope is the mean of theirs, with Student's interval over the runs:
    starts are independent, points along one run are not. With one run the interval is that of
    its regression line [3]_, which takes residuals for independent: too narrow where they are
    not.

    A study keeps histograms of the values, so a quantile is known to 3% and fitted like a single
    run, as long as less than that share of all runs has stopped at a criterion: what those would
    have come to is less than the quantile, whatever it is. Runs that diverged count as the worst.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, "Numerical optimization", 2nd ed., Springer, 2006,
       appendix A.2, on rates of convergence.
    .. [2] Y. Nesterov, "Lectures on convex optimization", 2nd ed., Springer, 2018, section
       2.1.5, on those of gradient descent.
    .. [3] N. R. Draper, H. Smith, "Applied regression analysis", 3rd ed., Wiley, 1998,
       chapter 1.

    Examples
    --------
    >>> import fastopt as fo
    >>> surface = fo.Quadratic([[1.0, 0.0], [0.0, 100.0]])
    >>> runs = fo.run(
    ...     fo.GradientDescent(2 / 101), surface, [[1.0, 1.0], [2.0, -1.0]],
    ...     max_steps=300, stop=None, record=fo.Record(every=1),
    ... )
    >>> rate = fo.statistics.convergence_rate(runs, quantity="distance")
    >>> round(rate.value, 6), round(99 / 101, 6)
    (0.980198, 0.980198)
    """
    owner = "convergence_rate"
    normal_quantile(owner, confidence)
    if model not in (*_MODELS, "best"):
        raise ValueError(f"model={model!r}: must be 'linear', 'sublinear' or 'best' ({owner})")
    if isinstance(runs, Cells):
        quantile = real(owner, "quantile", 0.5 if quantile is None else quantile, 0.0)
        return _of_quantile(owner, runs, model, quantity, between, quantile, confidence)
    if quantile is not None:
        raise ValueError(f"quantile={quantile!r}: goes with a study's result ({owner})")
    t, values = recorded_values(owner, "runs", runs)
    errors, floor = _errors(runs, values, quantity, owner)
    going = (t[:, None] <= runs.steps.ravel()) & (runs.status.ravel() != Status.DIVERGED)
    usable = (errors > floor) & np.isfinite(errors) & going
    chosen = _chosen(owner, model, between, t, errors, usable)
    return _summary(chosen, runs.status.shape, confidence)


def _of_quantile(
    owner: str,
    results: Cells,
    model: str,
    quantity: str,
    between: tuple[int, int] | None,
    quantile: float,
    confidence: float,
) -> ConvergenceRate:
    """The rate at which a quantile over the runs of a study falls."""
    if not 0 < quantile < 1:
        raise ValueError(f"quantile={quantile}: must be between 0 and 1 ({owner})")
    if quantity != "value":
        raise ValueError(
            f"quantity={quantity!r}: must be 'value' of a study's result, which keeps no points; "
            f"take study.rerun(rule, surface, range(1000), record=...) ({owner})"
        )
    cell = the_cell(owner, results)
    if not cell.excess:
        raise ValueError(f"{cell.surface}: its minimum is not known (fun_min is nan) ({owner})")
    t, losses = cell.loss_quantiles([quantile])
    counts = cell.counts()
    stopped = np.append(0, np.cumsum(counts.converged))[np.searchsorted(counts.steps, t)]
    usable = (losses > cell.rounding()) & np.isfinite(losses)
    usable &= (stopped < quantile * cell.runs)[:, None]
    if usable.sum() < _LEAST_POINTS:
        raise ValueError(
            f"{usable.sum()} recorded steps before so many runs stopped that the quantile "
            f"{quantile:g} is not known, and above rounding: must be {_LEAST_POINTS}; record "
            f"more, or stop later ({owner})"
        )
    chosen = _chosen(owner, model, between, t, losses, usable)
    return replace(_summary(chosen, (), confidence), runs=cell.runs)


def _chosen(
    owner: str,
    model: str,
    between: tuple[int, int] | None,
    t: NDArray[np.int64],
    errors: Floats,
    usable: NDArray[np.bool_],
) -> _Fit:
    """The fit of the model, or the best, to the usable of these errors (k, runs)."""
    first, last = _window(between, t, owner)
    inside = (t >= max(first, int(model != "linear"))) & (t <= last)
    fitted = usable & inside[:, None]
    fitted &= fitted.sum(axis=0) >= _LEAST_POINTS
    if not fitted.any():
        raise ValueError(
            f"no run has {_LEAST_POINTS} recorded points to fit between steps {first:,} and "
            f"{last:,}; record more of them ({owner})"
        )
    tried = [_fit(name, t, errors, fitted) for name in (_MODELS if model == "best" else [model])]
    return min(tried, key=lambda fit: fit.residual)


class _Fit(NamedTuple):
    """Lines through the logarithms of the errors of all runs that could be fitted."""

    model: str
    slopes: Floats
    std_errors: Floats
    points: Floats
    residual: float
    total: float
    which: NDArray[np.intp]


def _fit(model: str, t: NDArray[np.int64], errors: Floats, fitted: NDArray[np.bool_]) -> _Fit:
    which = np.flatnonzero(fitted.any(axis=0))
    mask = fitted[:, which]
    with np.errstate(divide="ignore"):
        axis = t.astype(np.float64) if model == "linear" else np.log(t)
    x = np.where(mask, axis[:, None], 0.0)
    y = np.log(np.where(mask, errors[:, which], 1.0))
    n = mask.sum(axis=0).astype(np.float64)
    dx = np.where(mask, x - x.sum(axis=0) / n, 0.0)
    dy = np.where(mask, y - y.sum(axis=0) / n, 0.0)
    sxx = (dx * dx).sum(axis=0)
    slopes = (dx * dy).sum(axis=0) / sxx
    residuals = ((dy - slopes * dx) ** 2).sum(axis=0)
    std_errors = np.sqrt(residuals / (n - 2) / sxx)
    total = float((dy * dy).sum())
    return _Fit(model, slopes, std_errors, n, float(residuals.sum()), total, which)


def _summary(fit: _Fit, shape: tuple[int, ...], confidence: float) -> ConvergenceRate:
    from scipy.special import stdtrit

    m = fit.slopes.size
    slope = float(fit.slopes.mean())
    if m > 1:
        error, degrees = float(fit.slopes.std(ddof=1)) / math.sqrt(m), float(m - 1)
    else:
        error, degrees = float(fit.std_errors[0]), float(fit.points[0] - 2)
    half = float(stdtrit(degrees, 0.5 + confidence / 2)) * error
    per_run = np.full(math.prod(shape), np.nan)
    per_run[fit.which] = _rate(fit.model, fit.slopes)
    ends = _rate(fit.model, np.array([slope, slope - half, slope + half]))
    return ConvergenceRate(
        float(ends[0]),
        float(ends[1:].min()),
        float(ends[1:].max()),
        confidence,
        fit.model,
        per_run.reshape(shape),
        m,
        1 - fit.residual / fit.total if fit.total > 0 else math.nan,
    )


def _rate(model: str, slopes: Floats) -> Floats:
    return np.exp(slopes) if model == "linear" else -slopes


def _errors(runs: Runs, values: Floats, quantity: str, owner: str) -> tuple[Floats, Floats]:
    """Errors (k, runs), and what of them is rounding, for each run."""
    surface = runs.surface
    rounding = 32 * np.finfo(runs.x.dtype).eps
    if quantity == "value":
        least = minima_of(owner, "quantity='value'", runs)
        with np.errstate(invalid="ignore"):
            return values - least, rounding * np.abs(least)
    if quantity != "distance":
        raise ValueError(f"quantity={quantity!r}: must be 'value' or 'distance' ({owner})")
    if isinstance(surface, RandomQuadratics):
        raise ValueError(
            f"quantity='distance': must be 'value' on {surface!r}, whose members differ ({owner})"
        )
    if not len(surface.minima):
        raise ValueError(f"quantity='distance': no minimum of {surface!r} is known ({owner})")
    minima = np.asarray(surface.minima)
    with np.errstate(invalid="ignore", over="ignore"):  # diverged runs are far out
        last = runs.x.reshape(-1, surface.dim).astype(np.float64)
        nearest = np.argmin([np.linalg.norm(last - m, axis=-1) for m in minima], axis=0)
        points = cast(Any, runs.trajectory).reshape(len(values), -1, surface.dim).astype(np.float64)
        distances = np.linalg.norm(points - minima[nearest], axis=-1)
    return distances, np.full(len(last), rounding * np.abs(minima).max())


def _window(between: tuple[int, int] | None, t: NDArray[np.int64], owner: str) -> tuple[int, int]:
    if between is None:
        return int(t[0]), int(t[-1])
    try:
        first, last = between
    except (TypeError, ValueError):
        raise TypeError(
            f"between={between!r}: must be the first and the last step ({owner})"
        ) from None
    first = whole(owner, "between[0]", first, 0)
    return first, whole(owner, "between[1]", last, first)
