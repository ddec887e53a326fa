"""Ensembles of random quadratics."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt import memory
from fastopt.checks import Floats, real_array, whole
from fastopt.spectra import LogUniform, Spectrum, member_rng
from fastopt.spectra.rotations import Rotation
from fastopt.surfaces.base import MOST_FUSED
from fastopt.surfaces.quadratic import Quadratic
from fastopt.surfaces.quadratic_ways import Member, Members, choose
from fastopt.surfaces.ways import Way

if TYPE_CHECKING:
    from fastopt.noise import Noise
    from fastopt.rules import Rule

_ROTATIONS = ("haar", "axis")
# Eigenvalues of all members are kept up to so many bytes.
_MOST_KEPT = 64 << 20


class RandomQuadratics:
    """An ensemble of random quadratics: many surfaces at once.

    .. math:: f(x) = \\tfrac12 (x - m)^\\top Q \\,\\mathrm{diag}(\\lambda)\\, Q^\\top (x - m)

    A run starts on each of *count* members: :func:`fastopt.run` puts *count* in front of the
    shape of its results. Starts ``(..., dim)`` serve all members. Starts, or parameters of the
    rule, of two or more axes (that of the coordinates aside) whose first is *count* long have
    one piece for each member: starts ``(count, n, dim)``, or a learning rate ``(count, 1)``.

    A member depends on the seed and its index alone, whatever the count, and is made when it
    is needed: a million of them in 100 coordinates never exist at once.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    count : int
        Number of members.
    spectrum : Spectrum, default ``fo.spectra.log_uniform(condition=100.0)``
        The distribution of the eigenvalues, from :mod:`fastopt.spectra`.
    rotation : {"haar", "axis"}, default "haar"
        Whether the eigenvectors are a random rotation of the axes, each as likely, or the axes
        themselves; there the eigenvalues ascend.
    seed : int, default 0
        From 0 to 2^64 - 1.
    minimizer : array_like of shape (dim,) or (count, dim), or "normal", optional
        m, of all or of each member; the origin by default. "normal": of each member another,
        with independent standard normal coordinates.

    Attributes
    ----------
    bounds : numpy.ndarray, shape (dim, 2)
        10 to both sides of m, or of the origin where members differ.
    fun_min : float
        The least value of every member: 0, or nan if eigenvalues may be negative.
    minima_known : bool
        Whether every member has its only minimum at m.

    ``eigenvalues``, ``condition``, ``minimizers`` and ``minima`` are arrays of all members, made
    when they are asked for.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be.

    Notes
    -----
    Rules that commute with rotations run in the eigenbasis of each member, others with its
    matrix; ``path=`` of :func:`fastopt.run` can force either. To make a member's rotation takes
    O(dim²), and its matrix O(dim³).

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.log_uniform(condition=100.0)
    >>> ensemble = fo.RandomQuadratics(dim=20, count=1000, spectrum=spectrum, seed=1)
    >>> starts = fo.starts.Normal([0.0] * 20, 1.0, n=3, seed=2)
    >>> runs = fo.run(fo.Momentum(0.5, momentum=0.8), ensemble, starts)
    >>> runs.steps.shape, bool(runs.success.all())
    ((1000, 3), True)
    >>> ensemble[7]
    Quadratic(<matrix (20, 20)>)
    """

    name = "random_quadratics"

    def __init__(
        self,
        dim: int,
        count: int,
        spectrum: Spectrum = LogUniform(condition=100.0),  # noqa: B008 (immutable)
        rotation: str = "haar",
        seed: int = 0,
        minimizer: ArrayLike | str | None = None,
    ):
        owner = "RandomQuadratics"
        self.dim = whole(owner, "dim", dim, 1)
        self.count = whole(owner, "count", count, 1, 2**63 - 1)
        if not isinstance(spectrum, Spectrum):
            raise TypeError(
                f"spectrum={spectrum!r}: must be one such as "
                f"fo.spectra.log_uniform(condition=100.0) ({owner})"
            )
        spectrum.pieces(self.dim)  # refuses dimensions that it does not have
        if rotation not in _ROTATIONS:
            raise ValueError(f"rotation={rotation!r}: must be 'haar' or 'axis' ({owner})")
        self.spectrum, self.rotation = spectrum, rotation
        self.seed = whole(owner, "seed", seed, 0, 2**64 - 1)
        self._minimizer = self._checked_minimizer(minimizer)
        centre = self._minimizer if np.ndim(self._minimizer) == 1 else np.zeros(self.dim)
        self.bounds = np.asarray(centre)[:, None] + [-10.0, 10.0]
        self.usual_start = self.bounds @ (0.75, 0.25)
        flat = any(place == 0 for place, _ in spectrum.atoms(self.dim))
        self.fun_min = 0.0 if spectrum.semidefinite else float("nan")
        self.minima_known = spectrum.semidefinite and not flat
        self._members = Members(self.count, self._made)
        self._eigenvalues: Floats | None = None

    def _checked_minimizer(self, value: ArrayLike | str | None) -> Any:
        """Whether each has a normal one (None), or else an array of one or of all."""
        if value is None:
            return np.zeros(self.dim)
        if isinstance(value, str):
            if value != "normal":
                raise ValueError(f"minimizer={value!r}: must be an array, 'normal' or None")
            return None
        array = real_array("RandomQuadratics", "minimizer", value)
        shapes = ((self.dim,), (self.count, self.dim))
        if array.shape not in shapes:
            raise ValueError(
                f"minimizer has shape {array.shape}: must be {shapes[0]} or {shapes[1]} "
                "(RandomQuadratics)"
            )
        return array

    # -- members -------------------------------------------------------------------------

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Quadratic]:
        return map(self.member, range(self.count))

    def __getitem__(self, i: int) -> Quadratic:
        """Member *i* as a surface of its own, with the same minimum, matrix and runs."""
        try:
            number = operator.index(i)
        except TypeError:
            hint = "; ensemble.first(n) has the first n" if isinstance(i, slice) else ""
            text = f"{i!r}: must be a whole number, the index of a member{hint}"
            raise TypeError(text) from None
        if not -self.count <= number < self.count:
            raise IndexError(f"{i}: must be from 0 to {self.count - 1:,} ({self!r})")
        return self.member(number % self.count)

    def member(self, i: int) -> Quadratic:
        """The same, for an index from 0 to ``count - 1``."""
        return Quadratic.of_member(self._members(i))

    def first(self, count: int) -> RandomQuadratics:
        """The ensemble of its first *count* members, 1 to as many as there are."""
        count = whole("first", "count", count, 1, self.count)
        own = self._minimizer
        centre = "normal" if own is None else own[:count] if own.ndim > 1 else own
        spread = (self.spectrum, self.rotation, self.seed)
        return RandomQuadratics(self.dim, count, *spread, minimizer=centre)

    def _made(self, i: int) -> Member:
        rng = member_rng(self.seed, i)
        eigenvalues = self.spectrum.sample(self.dim, rng)
        centre = rng.standard_normal(self.dim) if self._minimizer is None else self._minimizer
        centre = centre[i] if centre.ndim > 1 else centre
        rotation = Rotation.random(self.dim, rng) if self.rotation == "haar" else None
        return Member(eigenvalues, rotation, centre)

    @property
    def eigenvalues(self) -> Floats:
        """Those of every member, ascending, shape (count, dim)."""
        if self._eigenvalues is not None:
            return self._eigenvalues
        self._require_room(self.dim, "the eigenvalues")
        made = (self.spectrum.sample(self.dim, member_rng(self.seed, i)) for i in range(self.count))
        values = np.stack(list(made))
        values.flags.writeable = False
        if values.nbytes <= _MOST_KEPT:
            self._eigenvalues = values
        return values

    def least_eigenvalue(self) -> float:
        """The least of all members; where those are too many to look, that of the spectrum."""
        if self.spectrum.semidefinite or 8 * self.count * self.dim > _MOST_KEPT:
            return self.spectrum.low
        return float(self.eigenvalues.min())

    @property
    def condition(self) -> Floats:
        """The largest eigenvalue over the least, shape (count,); inf where that is not > 0."""
        values = self.eigenvalues
        least, most = values[:, 0], values[:, -1]
        return np.divide(most, least, out=np.full(self.count, np.inf), where=least > 0)

    @property
    def minimizers(self) -> Floats:
        """m of every member, shape (count, dim)."""
        self._require_room(self.dim, "the minima")
        if self._minimizer is not None:
            return np.array(np.broadcast_to(self._minimizer, (self.count, self.dim)))
        return np.stack([self._made(i).minimizer for i in range(self.count)])

    @property
    def minima(self) -> Floats:
        """The minimum of every member, shape (count, 1, dim); (count, 0, dim) if it is unknown.

        The middle axis is that of a surface's ``minima``.
        """
        if not self.minima_known:
            return np.empty((self.count, 0, self.dim))
        return self.minimizers[:, None]

    def _require_room(self, numbers: int, what: str) -> None:
        needed = 8 * self.count * numbers
        memory.require(needed, f"{what} of {self.count:,} members", "ask a smaller ensemble")

    # -- values --------------------------------------------------------------------------

    def value(self, x: ArrayLike) -> NDArray[np.float64]:
        """The value of each member at each point.

        Parameters
        ----------
        x : array_like, shape (..., dim), or (count, ..., dim) with a piece for each member

        Returns
        -------
        numpy.ndarray, shape (count, ...)
        """
        return np.stack([member.value(at) for member, at in self._pieces(x)])

    def gradient(self, x: ArrayLike) -> NDArray[np.float64]:
        """The gradient of each member at each point, shape (count, ..., dim); see :meth:`value`."""
        return np.stack([member.gradient(at) for member, at in self._pieces(x)])

    def hessian(self, x: ArrayLike) -> NDArray[np.float64]:
        """That of each member at each point, shape (count, ..., dim, dim); see :meth:`value`."""
        self._require_room(self[0].points(x).size * self.dim, "the Hessians")
        return np.stack([member.hessian(at) for member, at in self._pieces(x)])

    def _pieces(self, x: ArrayLike) -> Iterator[tuple[Quadratic, Floats]]:
        points = self[0].points(x)
        self._require_room(points.size, "the results")
        own = points.ndim > 2 and len(points) == self.count
        return ((member, points[i] if own else points) for i, member in enumerate(self))

    def way(self, path: str | None, rule: Rule, noise: Noise | None, each: int) -> Way:
        """How to run *rule* here, from *each* starts a member: *path*, or the cheapest."""
        axis = self.rotation == "axis"
        return choose(self, self._members, axis, MOST_FUSED + 1, path, rule, noise, each)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_members": None, "_eigenvalues": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._members = Members(self.count, self._made)

    def __repr__(self) -> str:
        text = f"RandomQuadratics(dim={self.dim}, count={self.count}, spectrum={self.spectrum!r}"
        return f"{text}, rotation={self.rotation!r}, seed={self.seed})"
