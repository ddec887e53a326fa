"""``fastopt.Study``: rules times surfaces times starts times seeds, in chunks that survive."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import llvmlite
import numba
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fastopt import rules as all_rules
from fastopt import surfaces as all_surfaces
from fastopt.checks import whole
from fastopt.noise import Noise
from fastopt.part import Part
from fastopt.rules import Rule
from fastopt.run import run
from fastopt.runs import Runs
from fastopt.starts import Starts
from fastopt.statistics.joint import Joint
from fastopt.statistics.paired import costs_of
from fastopt.statistics.pairs import Comparison, comparison
from fastopt.statistics.text import plural
from fastopt.stopping import Record, Stop
from fastopt.study.arguments import (
    as_dtype,
    as_seeds,
    as_starts,
    as_targets,
    by_surface,
    check_pair,
    labelled,
)
from fastopt.study.calibrate import choose_lengths
from fastopt.study.collected import Collected, StudyBar
from fastopt.study.drive import drive
from fastopt.study.plan import Common, Plan
from fastopt.study.result import Result
from fastopt.study.store import Manifest, Store
from fastopt.surfaces import Surface

_MOST_EXTREMES = 10_000
# Starts that are compared at a time.
_COMPARED = 1 << 17


class Study:
    """Runs of every rule on every surface from every start, reduced to exact counts.

    It takes memory for the counts, not for the runs: a billion starts are a number. Results
    are the same bits for any executor, number of workers and cut into chunks, and whether it
    was interrupted or not.

    Parameters
    ----------
    rules : mapping of str to Rule, or sequence of Rule or str
        By label; those of a sequence are labelled by their names. Parameters that are arrays
        are *settings*, each run from all starts: ``fo.Momentum(rates[:, None],
        momentum=momenta[None, :])`` has the dimensions learning_rate and momentum. Instead of
        one rule there may be a mapping with one for the label of each surface.
    surfaces : mapping of str to Surface, or sequence of Surface or str
        By label.
    starts : Starts, array_like of shape (n, dim), int, or mapping
        For all surfaces, or by the label of the surface. A number stands for so many that
        are uniform on the surface's bounds (seed 0).
    max_steps : int or mapping of str to int, default 10,000
        For all surfaces, or by the label of the surface.
    stop, noise, dtype
        As for :func:`fastopt.run`.
    targets : array_like, shape (k,), optional
        As for :func:`fastopt.run`; also what the statistics of a target are of.
    record : Record, optional
        Steps at which the distribution of values over all runs is kept.
    seeds : int or sequence of int, default 0
        Of what is random in the runs: noise, or a rule that draws. Each is run from all starts.
    extremes : int, default 10
        How many of the slowest, fastest, highest, ... runs of each cell are kept by number.

    Notes
    -----
    The runs of a rule, surface, seed and setting are those of ``fo.run(rule, surface, starts,
    seed=seed)`` with the rule of that setting, to the last bit.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or range, or two do not go together.

    Examples
    --------
    >>> import fastopt as fo
    >>> study = fo.Study(
    ...     rules={"descent": fo.GradientDescent(0.01), "momentum": fo.Momentum(0.002)},
    ...     surfaces={"himmelblau": fo.Himmelblau()},
    ...     starts=1000,
    ... )
    >>> result = study.run()
    >>> result.counts("momentum").runs
    1000
    """

    def __init__(
        self,
        rules: Mapping[str, Any] | Sequence[Rule | str],
        surfaces: Mapping[str, Surface] | Sequence[Surface | str],
        starts: ArrayLike | Starts | Mapping[str, Any],
        *,
        max_steps: int | Mapping[str, int] = 10_000,
        stop: Stop | None = Stop(gradient=1e-8),  # noqa: B008 (immutable)
        targets: ArrayLike | None = None,
        record: Record | None = None,
        noise: Noise | None = None,
        seeds: int | Iterable[int] = 0,
        dtype: DTypeLike = "float64",
        extremes: int = 10,
    ):
        chosen = labelled("surface", surfaces, all_surfaces.get)
        of_rules = {
            label: by_surface(f"rules[{label!r}]", given, chosen)
            for label, given in labelled("rule", rules, all_rules.get).items()
        }
        of_starts = {
            label: as_starts(f"starts of {label!r}", given, chosen[label])
            for label, given in by_surface("starts", starts, chosen).items()
        }
        steps = {
            label: whole("Study", "max_steps", given, 0)
            for label, given in by_surface("max_steps", max_steps, chosen).items()
        }
        common = Common(stop, as_targets(targets), record, noise, as_dtype(dtype))
        extremes = whole("Study", "extremes", extremes, 0, _MOST_EXTREMES)
        for label, each in of_rules.items():
            for name, rule in each.items():
                check_pair(label, name, rule, chosen[name], of_starts[name], steps[name], common)
        self._plan = Plan(of_rules, chosen, of_starts, as_seeds(seeds), steps, common, extremes)

    def run(
        self,
        store: str | os.PathLike[str] | None = None,
        executor: Any = None,
        *,
        workers: int | None = None,
        chunk: int | None = None,
        progress: bool | Callable[[float], None] = False,
    ) -> Result:
        """Run what has not run yet, and give the counts of all.

        Parameters
        ----------
        store : path, optional
            A folder, made if there is none, that keeps each finished chunk; a later call goes
            on from there. Without one, nothing is kept but the result.
        executor : None, "processes", Executor or Dask client, optional
            Where chunks run: on threads of this process; on processes that are started for it
            (in a script, call it below ``if __name__ == "__main__":``); or on any executor of
            :mod:`concurrent.futures`, which stays open, or on Dask's workers.
        workers : int, optional
            How many threads or processes: by default as many as there are processors. Of
            another executor, for how many workers to keep chunks ready.
        chunk : int, optional
            Runs a chunk, at most; by default such that it takes some seconds. It changes no
            result.
        progress : bool or callable, default False
            As for :func:`fastopt.run`.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            The store holds another study (it is said what differs), or something of this one
            cannot be sent to other processes.
        StoreError
            The store cannot be used: it is damaged, read-only, on a full disk, or another
            process works in it. An ``OSError``.
        RuntimeError
            The executor lost its workers.
        KeyboardInterrupt
            Ctrl-C. What is finished is in the store.
        """
        from fastopt.study.executors import choose_backend  # which imports multiprocessing

        plan = self._plan
        backend = choose_backend(executor, workers, plan)
        place = None if store is None else Store(store)
        if chunk is not None:
            chunk = whole("Study.run", "chunk", chunk, 1)
        outline = plan.outline()

        def lengths() -> list[int]:
            if chunk is None:
                return choose_lengths(plan)
            return [min(chunk, group.runs) for group in outline.groups]

        with nullcontext() if place is None else place.locked():
            if place is None:
                manifest = Manifest({}, outline, lengths())
            else:
                description = plan.description() | {"versions": _versions()}
                manifest = place.open(description, outline, lengths)
                _check_chunk(chunk, manifest)
            collected = Collected(manifest)
            if place is not None:
                for number, pieces in place.take(manifest):
                    collected.add(number, pieces)
            todo = len(collected.chunks) - len(collected.done)
            bar = StudyBar(progress, collected, todo)

            def keep(number: int, data: bytes) -> None:
                pieces = collected.decode(number, data)
                if place is not None:
                    place.write(number, data)
                collected.add(number, pieces)

            try:
                if todo:
                    chunks = plan.chunks(collected.hash, manifest.lengths, collected.done)
                    drive(chunks, backend(), keep, bar.show)
            finally:
                bar.close()
        return collected.result()

    def compare(
        self,
        rule: str,
        other: str,
        surface: str,
        *,
        seed: int | None = None,
        target: int | None = None,
        setting: Mapping[str, float] | None = None,
        other_setting: Mapping[str, float] | None = None,
    ) -> Comparison:
        """Compare two rules start by start, from all starts of the study.

        A study keeps no single runs, so both rules run again, in parts of which counts are
        kept: memory does not grow with the number of starts.

        Parameters
        ----------
        rule, other, surface : str
            Their labels.
        seed : int, optional
            One of the study's; by default the first.
        target : int, optional
            Index of one of the study's targets: compare when that was reached, not ``stop=``.
        setting, other_setting : mapping of str to float, optional
            The parameters along the dimensions of either rule, if it has any.

        Returns
        -------
        Comparison
            As :func:`fastopt.statistics.compare` of the runs from all starts.

        Raises
        ------
        ValueError
            There is no such rule, surface, target, ...

        Examples
        --------
        >>> import fastopt as fo
        >>> study = fo.Study([fo.Adam(0.1), fo.Momentum(0.002)], [fo.Himmelblau()], starts=1000)
        >>> found = study.compare("adam", "momentum", "himmelblau")
        >>> found.pairs, found.first_b > found.first_a
        (1000, True)
        """
        plan = self._plan
        targets = 0 if plan.common.targets is None else len(plan.common.targets)
        if target is not None:
            whole("Study.compare", "target", target, 0, targets - 1)
        asked: list[tuple[str, dict[str, Any]]] = [
            (rule, dict(setting or {})),
            (other, dict(other_setting or {})),
        ]
        outline, joint, budget = plan.outline(), Joint.of(np.zeros(0), np.zeros(0)), 0
        groups = [outline.find(label, surface, seed, given)[0][0] for label, given in asked]
        starts = outline.groups[groups[0]].starts
        for first in range(0, starts, _COMPARED):
            part = range(first, min(first + _COMPARED, starts))
            runs = [self.rerun(label, surface, part, seed=seed, **given) for label, given in asked]
            named = dict(zip(("runs_a", "runs_b"), runs, strict=True))
            (a, b), budget = costs_of("Study.compare", named, target)
            joint += Joint.of(a, b)
        return comparison(joint, (rule, other), budget)

    def rerun(
        self,
        rule: str,
        surface: str,
        index: int | Sequence[int],
        *,
        seed: int | None = None,
        record: Record | None = None,
        **setting: float,
    ) -> Runs:
        """Run some runs of the study again, with all that :func:`fastopt.run` tells of them.

        Parameters
        ----------
        rule, surface : str
            Their labels.
        index : int or sequence of int
            The numbers of the starts, such as ``result.worst(rule, surface).index``.
        seed : int, optional
            One of the study's; by default the first.
        record : Record, optional
            What to keep of the way.
        **setting : float
            The parameters along the rule's dimensions.

        Returns
        -------
        Runs
            Of shape (k,), with the bits that these runs have in the study.

        Raises
        ------
        ValueError
            There is no such rule, surface, start, ...

        Examples
        --------
        >>> import fastopt as fo
        >>> study = fo.Study([fo.Adam(0.1)], [fo.Himmelblau()], starts=1000)
        >>> slowest = study.run().worst(by="steps")
        >>> runs = study.rerun("adam", "himmelblau", slowest.index, record=fo.Record(every=1))
        >>> runs.steps.tolist() == slowest.measure.tolist()
        True
        """
        plan = self._plan
        outline = plan.outline()
        seed = plan.seeds[0] if seed is None else seed
        numbers, number = outline.find(rule, surface, seed, setting)
        group = outline.groups[numbers[0]]
        which = np.atleast_1d(np.asarray(index))
        if which.ndim != 1:
            raise ValueError(f"index has shape {which.shape}: must be (k,) (Study.rerun)")
        for place in (which.min(), which.max()) if which.size else ():
            whole("Study.rerun", "index", place.item(), 0, group.starts - 1)
        return run(
            plan.settings[rule, surface].rule(number),
            plan.surfaces[surface],
            Part(plan.starts[surface], which.astype(np.int64)),
            max_steps=group.shape.max_steps,
            seed=group.seed,
            **(plan.common.options() | {"record": record}),
        )

    def __repr__(self) -> str:
        outline = self._plan.outline()
        runs = sum(group.runs for group in outline.groups)
        return f"Study of {outline.extent()}, {plural(runs, 'run')}"


def load(store: str | os.PathLike[str]) -> Result:
    """What a store holds so far; only reads it.

    Parameters
    ----------
    store : path
        The folder that was given to :meth:`fastopt.Study.run`.

    Raises
    ------
    StoreError
        It is no study's store, or its manifest is damaged.

    Warns
    -----
    StoreWarning
        A chunk is damaged; it is left out.
    """
    place = Store(store)
    collected = Collected(place.needed_manifest())
    for number, pieces in place.whole_chunks(collected.manifest):
        collected.add(number, pieces)
    return collected.result()


def _check_chunk(chunk: int | None, manifest: Manifest) -> None:
    sizes = [group.runs for group in manifest.outline.groups]
    if chunk is not None and manifest.lengths != [min(chunk, size) for size in sizes]:
        raise ValueError(
            f"chunk={chunk}: this store has chunks of other lengths (up to "
            f"{max(manifest.lengths):,}); leave it out (Study.run)"
        )


def _versions() -> dict[str, str]:
    from fastopt import __version__

    return {
        "fastopt": __version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
