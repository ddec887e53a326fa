"""Pictures of many runs with theory beside them; :mod:`fastopt.plot_statistics` has them too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import Floats
from fastopt.plot import INK, MEDIUM, SMALL, draw_grid, label_panel, line_styles, new_figure
from fastopt.runs import Runs
from fastopt.statistics.cells import Cell, Cells, labels
from fastopt.statistics.recorded import recorded_values, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Where halting times span more than so many times the least, the axis is logarithmic.
_WIDE = 20.0
# How far beyond the bands, as a factor, a line is followed.
_FAR = 1e3
# How far above all that was there in the beginning, as a factor, runs that diverge are followed.
_ABOVE = 1e6
_MOST_PANELS = 24


def loss_band(
    runs: Runs | Mapping[str, Runs] | Cells,
    prediction: ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    shares: Sequence[float] = (0.5, 0.9),
    label: str = "theory: mean",
    title: str = "",
) -> Figure:
    """How the loss falls: bands that hold so many of the runs at each recorded step.

    Parameters
    ----------
    runs : Runs, mapping of str to Runs, or Result
        With ``record=`` of two steps at least; of several, each has a panel with its label. Of
        a study's result each cell has one.
    prediction : array_like, shape (last recorded step + 1,) or (recorded steps,), optional
        A mean loss for each step from 0, such as ``fo.theory.expected_loss`` gives, or for each
        recorded step; it is drawn over the bands, with the mean of the runs (which a study
        does not know). A mapping with the labels of *runs*, where that is one.
    shares : sequence of float, default (0.5, 0.9)
        The share of runs in the middle that each band holds.
    label : str, default "theory: mean"
        Of the prediction.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        On a logarithmic scale above ``fun_min`` where that is known; otherwise a linear one.

    Raises
    ------
    ValueError
        There is no record, or the prediction is of another length.

    Examples
    --------
    >>> import fastopt as fo
    >>> from fastopt import plot_statistics
    >>> rule, surface = fo.GradientDescent(0.01), fo.Quadratic([[1.0, 0.0], [0.0, 20.0]])
    >>> starts = fo.starts.Normal([0, 0], 1.0, n=500, seed=0)
    >>> runs = fo.run(
    ...     rule, surface, starts, max_steps=200, stop=None, record=fo.Record(every=5)
    ... )
    >>> mean = fo.theory.expected_loss(rule, [1.0, 20.0], steps=200)
    >>> figure = plot_statistics.loss_band(runs, mean)
    """
    wrong = [share for share in shares if not 0 < share < 1]
    if wrong:
        raise ValueError(f"shares={shares!r}: must be between 0 and 1 (loss_band)")
    labelled, predictions = _labelled(runs, prediction)
    if len(labelled) > _MOST_PANELS:
        raise ValueError(
            f"{len(labelled):,} panels: must be at most {_MOST_PANELS}; result.select(...) takes "
            "some of a study (loss_band)"
        )
    bands = {
        name: _bands(one, predictions[name], sorted(shares, reverse=True), label)
        for name, one in labelled.items()
    }
    columns = min(len(bands), 2)
    rows = math.ceil(len(bands) / columns)
    single = len(bands) == 1
    size = (6.4, 4.4) if single else (4.6 * columns, 3.4 * rows + 0.5)
    figure, axes = new_figure(size, rows, columns, title=title)
    for ax, (name, drawn) in zip(axes, bands.items(), strict=False):
        _draw_bands(ax, drawn)
        label_panel(ax, name)
    for ax in axes[len(bands) :]:
        ax.remove()
    axes[0].legend(frameon=False, fontsize=SMALL, loc="best")
    return figure


def halting_times(
    runs: Mapping[int, Runs],
    predicted: float | Mapping[int, float],
    title: str = "",
) -> Figure:
    """How halting times concentrate about the predicted one as the dimension grows.

    Parameters
    ----------
    runs : mapping of int to Runs
        By the number of coordinates, in the order in which to draw them. Runs that did not
        converge count as later than all others.
    predicted : float, or mapping of int to float
        Steps > 0, such as ``fo.theory.halting_time`` gives; or of each dimension another.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        For each dimension bars that hold 50, 90 and 98% of the runs, and the median, as
        multiples of the prediction. A bar that ends at the top goes on.

    Raises
    ------
    ValueError
        There are no runs, none has converged, or a prediction is missing, not finite or not
        above 0.

    Notes
    -----
    That they concentrate, and where: C. Paquette, B. van Merriënboer, E. Paquette, F. Pedregosa,
    "Halting time is predictable for large models", Found. Comput. Math. 23, 2023,
    arXiv:2006.04299.

    Examples
    --------
    >>> import numpy as np
    >>> import fastopt as fo
    >>> from fastopt import plot_statistics
    >>> rng = np.random.default_rng(0)
    >>> rule, spectrum, runs = fo.GradientDescent(0.5), fo.spectra.uniform(0.1, 1.0), {}
    >>> for dim in (10, 100):
    ...     family = fo.RandomQuadratics(dim, 200, spectrum, rotation="axis")
    ...     starts = rng.normal(size=(200, 1, dim)) / dim**0.5
    ...     runs[dim] = fo.run(rule, family, starts, stop=fo.Stop(gradient=1e-3))
    >>> predicted = fo.theory.halting_time(rule, spectrum, gradient=1e-3)
    >>> figure = plot_statistics.halting_times(runs, predicted)
    """
    if not runs:
        raise ValueError("no runs: must be of one or more dimensions (halting_times)")
    ratios = {dim: _halting_ratios(dim, one, predicted) for dim, one in runs.items()}
    figure, (ax,) = new_figure((6.4, 4.4), 1, 1, title=title)
    _draw_halting(ax, ratios)
    label_panel(ax, "")
    names = [f"{dim:,}\n({values.size:,} runs)" for dim, values in ratios.items()]
    ax.set_xticks(range(len(names)), names)
    ax.set_xlabel("dimension", fontsize=MEDIUM, color=INK)
    ax.set_ylabel("halting time / predicted", fontsize=MEDIUM, color=INK)
    ax.legend(frameon=False, fontsize=SMALL, loc="best")
    return figure


# -- bands of the loss -------------------------------------------------------------------


class _Bands(NamedTuple):
    """What a panel shows."""

    steps: NDArray[np.int64]
    ends: dict[float, tuple[Floats, Floats]]
    """Of each band, by the share of runs that it holds."""
    lines: dict[str, Floats]
    known: bool
    """Whether the least value is known, and values are those above it."""


def _labelled(
    runs: Runs | Mapping[str, Runs] | Cells, prediction: Any
) -> tuple[Mapping[str, Runs | Cell], Mapping[str, Any]]:
    if isinstance(runs, Cells):
        cells = runs.cells()
        named = dict(zip(labels(cells), cells, strict=True))
        if len(named) == 1 and not isinstance(prediction, Mapping):
            return named, dict.fromkeys(named, prediction)
        return named, _predictions(named, prediction)
    if not isinstance(runs, Mapping):
        return {"": runs}, {"": prediction}
    if not runs:
        raise ValueError("no runs: must be one or more (loss_band)")
    return runs, _predictions(runs, prediction)


def _predictions(named: Mapping[str, Any], prediction: Any) -> Mapping[str, Any]:
    if prediction is None:
        return dict.fromkeys(named)
    if not isinstance(prediction, Mapping) or set(prediction) != set(named):
        raise ValueError(f"prediction: must be a mapping with the labels {', '.join(named)}")
    return prediction


def _bands(runs: Runs | Cell, prediction: Any, shares: Sequence[float], label: str) -> _Bands:
    if not isinstance(runs, Runs):
        return _bands_of_cell(runs, prediction, shares, label)
    steps, values = recorded_values("loss_band", "runs", runs)
    predicted = None if prediction is None else _predicted(prediction, steps)
    least = np.asarray(runs.surface.fun_min, np.float64)
    known = not bool(np.isnan(least).any())
    values = np.where(np.isfinite(values), values, np.inf)
    if known:
        values = values - spread(least, runs)
    lines = {"median": _quantile(values, 0.5)}
    if predicted is not None:
        lines["mean"] = values.mean(axis=1)
        lines[label] = predicted
    ends = {
        share: (_quantile(values, (1 - share) / 2), _quantile(values, (1 + share) / 2))
        for share in shares
    }
    return _Bands(steps, ends, lines, known)


def _bands_of_cell(cell: Cell, prediction: Any, shares: Sequence[float], label: str) -> _Bands:
    if not cell.runs:
        raise ValueError(
            f"{cell.rule} on {cell.surface}: there are no runs yet; run the study to its end "
            "(loss_band)"
        )
    sides = [[(1 - share) / 2, (1 + share) / 2] for share in shares]
    steps, quantiles = cell.loss_quantiles([0.5, *(end for side in sides for end in side)])
    # Diverged runs may have come to nan.
    quantiles = np.where(np.isnan(quantiles), np.inf, quantiles)
    lines = {"median": quantiles[:, 0]}
    if prediction is not None:
        lines[label] = _predicted(prediction, steps)
    ends = {
        share: (quantiles[:, 1 + 2 * k], quantiles[:, 2 + 2 * k]) for k, share in enumerate(shares)
    }
    return _Bands(steps, ends, lines, cell.excess)


def _quantile(values: Floats, share: float) -> Floats:
    # Diverged runs are at inf, to which nothing can be interpolated.
    return np.quantile(values, share, axis=1, method="inverted_cdf")


def _predicted(prediction: ArrayLike, steps: Any) -> Floats:
    array = np.asarray(prediction, np.float64)
    if array.shape == (steps[-1] + 1,):
        return array[steps]
    if array.shape != steps.shape:
        raise ValueError(
            f"prediction has shape {array.shape}: must be ({steps[-1] + 1},), one for each step, "
            f"or {steps.shape}, one for each recorded (loss_band)"
        )
    return array


def _draw_bands(ax: Axes, bands: _Bands) -> None:
    steps = bands.steps
    black, blue, red = _colours()
    outer = [end for band in bands.ends.values() for end in band]
    if bands.known:
        _logarithmic(ax, outer, [*bands.lines.values()])
        far = 10 * ax.get_ylim()[1]
    else:
        far = max((end[np.isfinite(end)].max(initial=-np.inf) for end in outer), default=0.0)
    for place, (share, ends) in enumerate(bands.ends.items()):
        low, high = (np.where(np.isfinite(end), end, far) for end in ends)
        shade, name = 0.15 + 0.15 * place, f"{share:.0%} of runs"
        ax.fill_between(steps, low, high, color=blue, alpha=shade, linewidth=0, label=name)
    looks = {"median": (blue, "-"), "mean": (black, "-")}
    for label, line in bands.lines.items():
        colour, dash = looks.get(label, (red, (0, (5, 2))))
        ax.plot(steps, line, linewidth=1.8, linestyle=dash, label=label, color=colour)
    draw_grid(ax)
    ax.set_xlim(steps[0], max(steps[-1], steps[0] + 1))
    ax.set_xlabel("steps", fontsize=MEDIUM, color=INK)
    name = "loss above the minimum" if bands.known else "loss"
    ax.set_ylabel(name, fontsize=MEDIUM, color=INK)


def _colours() -> tuple[str, str, str]:
    """Black, blue and red."""
    colours = [style["color"] for style in line_styles(map(str, range(8))).values()]
    return colours[0], colours[5], colours[6]


def _logarithmic(ax: Axes, bands: Sequence[Floats], lines: Sequence[Floats]) -> None:
    """Show the bands, and of lines what is not far beyond: a prediction may diverge."""
    low, high = _positive_ends(bands)
    begin = _positive_ends([band[:1] for band in bands])[1]
    high = min(high, begin * _ABOVE) if begin else high
    if low <= high:
        near = [line[(line >= low / _FAR) & (line <= high * _FAR)] for line in lines]
        low, high = _positive_ends([*near, np.array([low, high])])
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(low / 2, high * 2)


def _positive_ends(curves: Sequence[Floats]) -> tuple[float, float]:
    every = np.concatenate(curves)
    shown = every[np.isfinite(every) & (every > 0)]
    return float(shown.min(initial=math.inf)), float(shown.max(initial=0.0))


# -- halting times -----------------------------------------------------------------------


def _halting_ratios(dim: int, runs: Runs, predicted: float | Mapping[int, float]) -> Floats:
    """Halting times as multiples of the predicted one, inf for runs that did not halt."""
    if isinstance(predicted, Mapping) and dim not in predicted:
        raise ValueError(f"predicted: must have a number of steps for dimension {dim}")
    steps = float(predicted[dim] if isinstance(predicted, Mapping) else predicted)
    if not (math.isfinite(steps) and steps > 0):
        raise ValueError(
            f"predicted={steps}: must be finite and > 0 (halting_times); inf is a criterion that "
            "is not met by max_steps"
        )
    if not runs.success.any():
        raise ValueError(f"runs[{dim}]: none has converged (halting_times); raise max_steps")
    return np.where(runs.success, runs.steps / steps, np.inf).ravel()


def _draw_halting(ax: Axes, ratios: Mapping[int, Floats]) -> None:
    black, blue, red = _colours()
    at = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    ends = np.array([np.quantile(v, at, method="inverted_cdf") for v in ratios.values()])
    finite = ends[np.isfinite(ends)]
    low, high = min(finite.min(), 1.0), max(finite.max(), 1.0)
    if low > 0 and high > _WIDE * low:
        ax.set_yscale("log")
        low, high = low / 1.3, high * 1.3
    else:
        low, high = low - 0.08 * (high - low), high + 0.08 * (high - low)
    low, high = (low, high) if low < high else (0.9, 1.1)
    ends = np.minimum(ends, high)
    for place, share in enumerate((0.98, 0.9, 0.5)):
        bottom, top = ends[:, place], ends[:, -1 - place]
        shade, name = 0.15 + 0.15 * place, f"{share:.0%} of runs"
        ax.bar(range(len(ends)), top - bottom, 0.3, bottom, color=blue, alpha=shade, label=name)
    ax.axhline(1.0, color=red, linewidth=1.8, linestyle=(0, (5, 2)), label="theory")
    middle = ends[:, len(at) // 2]
    ax.plot(range(len(ends)), middle, "o", color=black, markersize=5, label="median")
    draw_grid(ax)
    ax.grid(False, axis="x")
    ax.set_xlim(-0.6, len(ends) - 0.4)
    ax.set_ylim(low, high)
