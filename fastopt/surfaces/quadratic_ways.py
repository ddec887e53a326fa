"""The ways to run on a quadratic, or on many of them at once.

:class:`Eigenbasis`
    In the coordinates y = Q'x, in which a gradient takes ``dim`` products: for rules that
    commute with rotations, and for all if the axes are the eigenvectors.
:class:`Dense` with the matrix shared
    A matrix product for each tile, whose runs are of one member.
:class:`Dense` with own matrices
    A matrix for each run, over the lanes: where too few starts share a member. It has the same
    bits as the former.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import Floats
from fastopt.spectra.rotations import Rotation, turned
from fastopt.surfaces.quadratic_kernels import eigen_parts, is_fused, matrix_parts
from fastopt.surfaces.ways import Load, Way

if TYPE_CHECKING:
    from fastopt.noise import Noise
    from fastopt.rules import Rule

EIGENBASIS, SHARED, OWN = "eigenbasis", "shared", "own"
PATHS = (EIGENBASIS, SHARED, OWN)

# Fewer starts than so many would leave lanes of a tile of their own member empty.
_LEAST_SHARED = 32
# Of an ensemble are kept: some members, for two threads each at its own; and numbers, in bytes
# of each kind.
_LAST = 4
_KEPT_BYTES = 64 << 20


@dataclass(eq=False)
class Member:
    """One quadratic, f = (x - m)' Q diag(eigenvalues) Q' (x - m) / 2 + offset.

    Without a rotation Q is the identity.
    """

    eigenvalues: Floats
    rotation: Rotation | None
    minimizer: Floats

    @cached_property
    def matrix(self) -> Floats:
        """Q diag(eigenvalues) Q', symmetric to the last bit."""
        if self.rotation is None:
            return np.diag(self.eigenvalues)
        return self.rotation.dense(self.eigenvalues)

    @cached_property
    def root(self) -> Floats:
        """Q diag(eigenvalues)^(1/2) Q'; an eigenvalue below 0 is taken for a rounded 0."""
        roots = np.sqrt(np.maximum(self.eigenvalues, 0.0))
        return np.diag(roots) if self.rotation is None else self.rotation.dense(roots)

    @property
    def minima(self) -> Floats:
        """The one minimum, if there is one."""
        return self.minimizer[None][: int(self.eigenvalues.min() > 0)]

    @property
    def dense_numbers(self) -> Floats:
        """What the kernels take of the matrix, and the minimum."""
        matrix = self.matrix
        entries = triangle(matrix) if is_fused(len(matrix)) else matrix.ravel()
        return np.concatenate([entries, self.minimizer])

    @property
    def own_numbers(self) -> Floats:
        """The same where each run has its own."""
        return np.concatenate([triangle(self.matrix), self.minimizer])

    @cached_property
    def turned_minimizer(self) -> Floats:
        """The minimum in the eigenbasis."""
        if self.rotation is None:
            return self.minimizer
        return self.rotation.turn(self.minimizer[None], back=True)[0]

    @property
    def rotation_numbers(self) -> Floats:
        """Those of the rotation, which there must be."""
        assert self.rotation is not None
        return self.rotation.numbers

    @property
    def eigen_numbers(self) -> Floats:
        """Eigenvalues, and the minimum in the eigenbasis."""
        return np.concatenate([self.eigenvalues, self.turned_minimizer])


def triangle(matrix: Floats) -> Floats:
    """The lower triangle, row by row."""
    return matrix[np.tril_indices(len(matrix))]


class Members:
    """The members of an ensemble, each made by a function of its index when it is needed.

    What the kernels take of them is kept, of the first ones up to a fixed amount of memory: to
    make a member again takes as long as hundreds of steps.
    """

    def __init__(self, count: int, make: Callable[[int], Member]):
        self._count, self._make = count, make
        self._last = lru_cache(_LAST)(make)
        self._kept: dict[str, tuple[Floats, NDArray[np.bool_]]] = {}

    def __call__(self, i: int) -> Member:
        return self._last(i)

    def numbers(self, members: NDArray[np.int64], kind: str) -> Floats:
        """The property *kind* of each of some members, one a row."""
        if kind not in self._kept:
            size = getattr(self(int(members[0])), kind).size
            room = min(self._count, _KEPT_BYTES // (8 * size))
            self._kept.setdefault(kind, (np.empty((room, size)), np.zeros(room, bool)))
        rows, there = self._kept[kind]
        near = members < len(rows)
        missing = members[near][~there[members[near]]]
        for i in missing:  # two threads may both make one, the same
            rows[i] = getattr(self._make(int(i)), kind)
        there[missing] = True
        if near.all():
            return rows[members]
        far = [getattr(self._make(int(i)), kind) for i in members[~near]]
        return np.concatenate([rows[members[near]], np.array(far)])


class _QuadraticWay(Way):
    """What the ways have in common."""

    # The numbers of a member that all runs share, and those where each run has its own.
    _kinds: ClassVar[tuple[str, str]]

    def __init__(self, name: str, dim: int, members: Members, apart: bool):
        self.name, self.apart = name, apart
        self._members, self._dim = members, dim
        self.member_bytes = 8 * dim * dim

    def load(self, members: NDArray[np.int64]) -> Load:
        if self.apart:
            member = self._members(int(members[0]))
            numbers = getattr(member, self._kinds[0])
            return self._loaded(members, numbers, self._minima(member), np.zeros((0, 1)))
        given = np.ascontiguousarray(self._members.numbers(members, self._kinds[1]).T)
        # Distances are from the run's own minimum; there is one, for the block that counts.
        return self._loaded(members, np.zeros(0), np.zeros((1, self._dim)), given)

    def _loaded(
        self, members: NDArray[np.int64], numbers: Floats, minima: Floats, given: Floats
    ) -> Load:
        return Load(numbers, minima, given)

    def _minima(self, member: Member) -> Floats:
        raise NotImplementedError


class Dense(_QuadraticWay):
    """With matrices."""

    _kinds = ("dense_numbers", "own_numbers")

    def __init__(self, dim: int, members: Members, apart: bool):
        super().__init__(SHARED if apart else OWN, dim, members, apart)
        self.parts = matrix_parts(dim, own=not apart)

    def _minima(self, member: Member) -> Floats:
        return member.minima


class Eigenbasis(_QuadraticWay):
    """In the coordinates along the eigenvectors."""

    _kinds = ("eigen_numbers", "eigen_numbers")

    def __init__(self, dim: int, members: Members, apart: bool, is_turned: bool):
        super().__init__(EIGENBASIS, dim, members, apart)
        self.parts = eigen_parts(dim, own=not apart)
        self.turned = is_turned

    def _loaded(
        self, members: NDArray[np.int64], numbers: Floats, minima: Floats, given: Floats
    ) -> Load:
        if not self.turned:
            return Load(numbers, minima, given)
        rotations = self._members.numbers(members, "rotation_numbers")
        return _Turned(numbers, minima, given, rotations)

    def _minima(self, member: Member) -> Floats:
        return member.turned_minimizer[None][: len(member.minima)]


@dataclass
class _Turned(Load):
    rotations: Floats  # of each member, its ``rotation_numbers``

    def enter(self, points: NDArray[Any], member: NDArray[np.int64]) -> NDArray[Any]:
        return self._turn(points, member, back=True)

    def leave(self, points: NDArray[Any], member: NDArray[np.int64]) -> NDArray[Any]:
        return self._turn(points, member, back=False)

    def _turn(self, points: NDArray[Any], member: NDArray[np.int64], back: bool) -> NDArray[Any]:
        """Each point by its member's rotation; *member* ascends."""
        ends = np.searchsorted(member, np.arange(len(self.rotations) + 1))
        return turned(self.rotations, ends, points, back)


def choose(
    owner: Any,
    members: Members,
    axis: bool,
    least_turned: int,
    path: str | None,
    rule: Rule,
    noise: Noise | None,
    each: int,
) -> Way:
    """The way to run a rule from *each* starts a member: *path*, or else the cheapest.

    That is the eigenbasis from so many coordinates on: *least_turned*.
    """
    if path is not None and path not in PATHS:
        raise ValueError(f"path={path!r}: must be None or one of {', '.join(PATHS)} ({owner!r})")
    dim, apart = owner.dim, each >= _LEAST_SHARED
    if noise is not None and noise.uses_hessian and owner.count is not None:
        apart, path = True, _only_shared(owner, path, noise)
    reason = None if axis else _why_not_turned(rule, noise)
    if path == EIGENBASIS and reason:
        raise ValueError(f"path={path!r}: {reason}; take 'shared' or 'own', or None ({owner!r})")
    # What a search along a line compares, rounding may turn: that stays as it is.
    cheaper = dim >= least_turned and (axis or not rule.searches)
    if path == EIGENBASIS or (path is None and not reason and cheaper):
        return Eigenbasis(dim, members, apart, is_turned=not axis)
    return Dense(dim, members, apart if path is None else path == SHARED)


def _only_shared(owner: Any, path: str | None, noise: Noise) -> str:
    if path not in (None, SHARED):
        raise ValueError(
            f"path={path!r}: must be None or 'shared' with noise={noise!r} ({owner!r})"
        )
    return SHARED


def _why_not_turned(rule: Rule, noise: Noise | None) -> str | None:
    """Why runs would be others in the eigenbasis, in words."""
    if not rule.rotation_invariant:
        return f"{rule.name} must commute with rotations, which it does not"
    if noise is not None:
        return f"noise={noise!r} must not be given: it is drawn along the axes"
    if rule.draws:
        return f"{rule.name} must not draw random numbers, which it does along the axes"
    return None
