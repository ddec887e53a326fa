"""What came of a batch of runs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastopt.ensembles import Objective
from fastopt.kernels import driver
from fastopt.rules import Rule

if TYPE_CHECKING:
    import xarray


class Status(enum.IntEnum):
    """How a run ended; :attr:`meaning` says what to do about it."""

    CONVERGED = driver.CONVERGED
    MAX_STEPS = driver.MAX_STEPS
    DIVERGED = driver.DIVERGED

    @property
    def meaning(self) -> str:
        """The outcome and its remedy, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Status.CONVERGED: "met a criterion of stop=",
    Status.MAX_STEPS: "met no criterion: raise max_steps, or the learning rate if it is slow",
    Status.DIVERGED: "not finite or beyond escape: lower the learning rate, or start nearer",
}


@dataclass(frozen=True, repr=False)
class Runs:
    """The results of :func:`fastopt.run`; every array begins with the batch's shape.

    Attributes
    ----------
    x : numpy.ndarray, shape (*batch, dim)
        The last point of each run: that of its first step at which it converged or diverged.
    fun, grad_norm : numpy.ndarray, shape (*batch)
        The value, and the Euclidean norm of the gradient, at that point.
    steps : numpy.ndarray of int64, shape (*batch)
        The step of that point: 0 is the start.
    status : numpy.ndarray of int8, shape (*batch)
        How it ended, a :class:`Status`.
    trajectory : numpy.ndarray, shape (k, *batch, dim), or None
        The recorded points; a run that ended stays at its last point.
    trajectory_fun : numpy.ndarray, shape (k, *batch), or None
        Their values.
    trajectory_steps : numpy.ndarray of int64, shape (k,), or None
        The steps that they were recorded at.
    targets : numpy.ndarray of float64, shape (k,), or None
        The targets, as given: values above ``surface.fun_min``.
    target_steps : numpy.ndarray of int64, shape (*batch, k), or None
        The first step of each run at which its value was at most each target above
        ``surface.fun_min``; -1 where it never was.
    rule, surface, max_steps
        What ran, and for how many steps at most.
    path : str
        The way that they were run: "eigenbasis", "shared" or "own" on quadratics (see ``path=``
        of :func:`fastopt.run`), else "direct".
    seconds : float
        Wall time of the runs, compilation aside.
    """

    x: NDArray[Any]
    fun: NDArray[Any]
    grad_norm: NDArray[Any]
    steps: NDArray[np.int64]
    status: NDArray[np.int8]
    trajectory: NDArray[Any] | None
    trajectory_fun: NDArray[Any] | None
    trajectory_steps: NDArray[np.int64] | None
    targets: NDArray[np.float64] | None
    target_steps: NDArray[np.int64] | None
    rule: Rule
    surface: Objective
    max_steps: int
    path: str
    seconds: float

    @property
    def success(self) -> NDArray[np.bool_]:
        """Whether each run converged."""
        return np.asarray(self.status == Status.CONVERGED)

    @property
    def metadata(self) -> dict[str, Any]:
        """What ran, in words and numbers: rule, surface, max_steps, path, dtype."""
        return {
            "rule": repr(self.rule),
            "surface": repr(self.surface),
            "max_steps": self.max_steps,
            "path": self.path,
            "dtype": self.x.dtype.name,
        }

    @property
    def rate(self) -> float:
        """Start-steps a second: one run advanced by one step is one."""
        return float(self.steps.sum()) / self.seconds if self.seconds > 0 else float("nan")

    def summary(self) -> str:
        """A small table: how many runs ended how, and after how many steps."""
        count = f"{self.status.size:,} run{'' if self.status.size == 1 else 's'}"
        title = f"{self.rule!r} on {self.surface!r}: {count}"
        if len(title) > 80:
            title = title.replace(" on ", "\non ", 1)
        lines = [title, f"{'runs':>27}{'share':>9}{'median steps':>14}{'90%':>13}{'most':>13}"]
        for status in Status:
            steps = self.steps[self.status == status]
            share = f"{steps.size / max(self.status.size, 1):.1%}"
            row = f"  {status.name.lower().replace('_', ' '):10}{steps.size:15,}{share:>9}"
            if steps.size:
                median, high = np.quantile(steps, [0.5, 0.9], method="inverted_cdf")
                row += f"{median:14,}{high:13,}{steps.max():13,}"
            lines.append(row)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def to_xarray(self) -> xarray.Dataset:
        """The same as an :class:`xarray.Dataset`, its dimensions named.

        A batch of one axis has the dimension ``run``, one of several ``run_0``, ``run_1``,
        ...; on an ensemble ``surface`` comes first. Points have ``coordinate``, recorded ones
        ``step``, steps to targets ``target``.

        Raises
        ------
        ImportError
            xarray is not installed: ``pip install 'fastopt[xarray]'``.
        """
        try:
            import xarray
        except ImportError:
            raise ImportError("to_xarray() needs xarray: pip install 'fastopt[xarray]'") from None
        ensemble = ["surface"] if self.surface.count is not None else []
        axes = self.status.ndim - len(ensemble)
        own = ["run"] if axes == 1 else [f"run_{axis}" for axis in range(axes)]
        batch = ensemble + own
        data: dict[str, Any] = {"x": ([*batch, "coordinate"], self.x)}
        for name in ("fun", "grad_norm", "steps", "status", "success"):
            data[name] = (batch, getattr(self, name))
        coordinates: dict[str, Any] = {}
        if self.trajectory_steps is not None:
            data["trajectory"] = (["step", *batch, "coordinate"], self.trajectory)
            data["trajectory_fun"] = (["step", *batch], self.trajectory_fun)
            coordinates["step"] = self.trajectory_steps
        if self.targets is not None:
            data["target_steps"] = ([*batch, "target"], self.target_steps)
            coordinates["target"] = self.targets
        attributes = {
            **self.metadata,
            "status_meanings": "; ".join(f"{s.value} {s.name.lower()}" for s in Status),
        }
        return xarray.Dataset(data, coordinates, attributes)
