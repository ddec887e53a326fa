"""What the kernels need to know of a rule and of a surface: functions and counts.

Rules and surfaces make these; a block is compiled from one of each. They are hashable, so
that a pair is built once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KernelFunction = Callable[..., Any]


@dataclass(frozen=True)
class RuleParts:
    """A rule as the kernels see it; :class:`fastopt.rules.Rule` explains each function."""

    label: str
    source: Any
    update: KernelFunction | None
    iterate: KernelFunction | None = None
    per_step: KernelFunction | None = None
    point: KernelFunction | None = None
    prepare: KernelFunction | None = None
    terms: KernelFunction | None = None
    combine: KernelFunction | None = None
    parameters: int = 0
    flags: tuple[bool, ...] = ()
    slots: int = 0
    scalars: int = 0
    memory: int = 0
    reductions: int = 0
    combined: int = 0
    uses_value: bool = False
    uses_hessian: bool = False
    draws: bool = False
    matrices: int = 0
    work: tuple[int, int, int] = (0, 0, 0)


NO_RULE = RuleParts("none", None, None)
"""For tiles on which a surface is evaluated and nothing is advanced."""

HESSIAN = RuleParts("hessian", None, None, work=(0, 0, 1))
"""For the same with room for a Hessian."""


@dataclass(frozen=True)
class RowParts:
    """What a finite sum adds to a mini-batch; the rows of the batch come in pieces.

    ``lanes(q, x, g, f, picks, count, r, w, valued)``
        Adds to g, in each lane, the sum of the gradients of *count* rows, the same in all
        lanes, and to f that of their values if *valued*. Their numbers are those of lane 0 of
        *picks*: ``fastopt.kernels.minibatch.picked(picks, c, 0)``. r are 4 rows of scratch.
    ``own(q, x, g, picks, count, j)``
        The same for lane j alone, whose point and gradient are the vectors x and g, and whose
        rows are those of lane j of *picks*; returns the sum of the values. The vectors are
        contiguous if *turned*, otherwise columns of a tile.
    ``finish(q, x, g, count, w)``, ``finish_value(q, x, f, count, w)``
        Make of the sums over all *count* rows the gradient and the value of the batch.
    """

    lanes: KernelFunction
    own: KernelFunction
    finish: KernelFunction
    finish_value: KernelFunction
    turned: bool


@dataclass(frozen=True)
class SurfaceParts:
    """A surface as the kernels see it; :class:`fastopt.surfaces.Surface` explains the forms.

    A *fused* surface has ``value(q, x)`` and ``gradient(q, x)`` of one point, a tuple of
    ``dim`` numbers; a *staged* one has ``value(q, x, f, r, w)`` and ``gradient(q, x, g, r, w)``
    over the first *w* lanes of a tile, for any number of coordinates (``dim`` is then 0).
    ``hessian(q, x, h, r, w)``, if there is one, is of the second kind in both cases.

    ``r`` has ``scratch`` rows, and for a Hessian ``hessian_scratch`` more. Staged functions that
    go through the lanes in groups of ``vectors`` times the widest vectors
    (:data:`fastopt.kernels.tile.WIDEST`) may touch all lanes of the last group.

    Where each run has numbers of its *own*, so many of them, q has a row for each, over the
    lanes (of a fused surface it is a tuple all the same); the last are those of the minimum.

    Where the derivative by a coordinate depends on that alone, it may also be given by itself:
    ``slope(a, x)``, where the tuple a has the ``slope_numbers`` of coordinate i, which stand
    in q at i, dim + i and so on.

    If the surface is *boxed*, q begins with the lower and then the upper ends of a box, to
    which every step is projected. ``source`` may be a tuple: of several classes that gave the
    functions. A finite sum also has ``rows``. ``work`` is what a gradient costs, in coordinates
    of an ordinary surface: by it the engine decides how often to come back from the kernels.
    """

    label: str
    source: Any
    value: KernelFunction
    gradient: KernelFunction
    dim: int
    hessian: KernelFunction | None = None
    parameters: int = 0
    # The machine code is the same however many rows there are.
    scratch: int = field(default=0, compare=False)
    hessian_scratch: int = field(default=0, compare=False)
    vectors: int = 1
    own: int = 0
    boxed: bool = False
    slope: KernelFunction | None = None
    slope_numbers: int = 0
    rows: RowParts | None = None
    work: int = field(default=0, compare=False)

    def scratch_for(self, hessian: bool) -> int:
        """How many rows ``r`` has, with a Hessian and without."""
        return self.scratch + (self.hessian_scratch if hessian else 0)

    def work_at(self, dim: int) -> int:
        """What a gradient costs in so many coordinates."""
        return max(dim, self.work)

    @property
    def sources(self) -> tuple[Any, ...]:
        return self.source if isinstance(self.source, tuple) else (self.source,)

    @property
    def fused(self) -> bool:
        return self.dim > 0

    @property
    def size_label(self) -> str:
        return f"{self.dim}d" if self.fused else "nd"


@dataclass(frozen=True)
class NoiseParts:
    """Noise as the kernels see it; :class:`fastopt.noise.Noise` explains the functions.

    Its numbers stand at the end of a surface's: *shared* ones, then *own* ones for each
    coordinate (if ``mixes``, instead a row of a matrix), then the digits of the seed.

    Noise ``of_value`` is in the value that a rule gets, not in the gradient. With ``sample``
    there is no exact gradient to which noise is added:

    ``sample(q, n, x, g, f, r, run, t, keys, w)``
        The gradient at x that the rule gets in step t, to g. *n* are the shared numbers, *run*
        the two rows of the runs' digits, r has at least ``scratch`` rows. ``work`` is that of a
        step, as for a surface.
    """

    label: str
    source: Any
    draw: KernelFunction | None = None
    perturb: KernelFunction | None = None
    shared: int = 0
    own: int = 0
    per_draw: int = 2
    mixes: bool = False
    of_value: bool = False
    sample: KernelFunction | None = None
    scratch: int = field(default=0, compare=False)
    work: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Watch:
    """Which quantities a block tracks the least of, for exact stopping."""

    gradient: bool = False
    value: bool = False
    distance: bool = False
    targets: bool = False
    """Whether it keeps the least value so far of every step, too."""

    @property
    def values(self) -> bool:
        """Whether it looks at the value in every step."""
        return self.value or self.targets

    @property
    def tracked(self) -> tuple[bool, bool, bool]:
        """Which of the rows ``low`` are used."""
        return self.gradient, self.values, self.distance

    @property
    def label(self) -> str:
        names = ("gradient", "value", "distance", "targets")
        return "+".join(name for name in names if getattr(self, name)) or "free"
