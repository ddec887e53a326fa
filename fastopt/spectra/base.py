"""What a spectrum is, and how to add one."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, real, whole
from fastopt.spectra.quadrature import Atom, Band, integral, rule_of_nodes


class Spectrum(ABC):
    """A distribution of eigenvalues; immutable, checked when made.

    Adding a spectrum is adding a frozen dataclass with a ``name``, the ends ``low`` and
    ``high``, ``_draw(dim, rng)``, which returns *dim* eigenvalues in any order, and
    ``pieces(dim)``; then its class to the list in :mod:`fastopt.spectra`.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def low(self) -> float:
        """The least eigenvalue that the distribution can have, in units of f/x²."""

    @property
    @abstractmethod
    def high(self) -> float:
        """The greatest eigenvalue that it can have; inf where there is no limit."""

    @abstractmethod
    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        """*dim* eigenvalues in any order."""

    @abstractmethod
    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        """Atoms and bands of density, of total weight 1.

        Parameters
        ----------
        dim : int, optional
            The number of eigenvalues. Without it, the limit of many; where that depends on
            their number for ever, ValueError.
        """

    def is_limit(self, dim: int | None = None) -> bool:
        """Whether ``pieces(dim)`` are those of the limit of many eigenvalues alone."""
        return False

    @property
    def repels(self) -> bool:
        """Whether the eigenvalues of a matrix depend on each other."""
        return False

    @property
    def semidefinite(self) -> bool:
        """Whether no eigenvalue of any matrix is negative."""
        return self.low >= 0

    @property
    def condition(self) -> float:
        """``high / low``; inf where ``low`` is 0, below 0 or ``high`` infinite."""
        return self.high / self.low if self.low > 0 else math.inf

    def sample(self, dim: int, rng: np.random.Generator) -> Floats:
        """The eigenvalues of one matrix.

        Parameters
        ----------
        dim : int
            How many, at least 1.
        rng : numpy.random.Generator
            See :func:`fastopt.spectra.member_rng`.

        Returns
        -------
        numpy.ndarray, shape (dim,)
            In ascending order, in units of f/x².

        Raises
        ------
        TypeError, ValueError
            *dim* or *rng* is not what it must be.
        """
        dim = whole(self.name, "dim", dim, 1)
        check_generator(self.name, rng)
        return np.sort(self._draw(dim, rng))

    def density(self, x: ArrayLike, dim: int | None = None) -> Floats:
        """The density at *x*, without the atoms.

        Parameters
        ----------
        x : array_like
        dim : int, optional
            The number of eigenvalues; see :meth:`pieces`.

        Returns
        -------
        numpy.ndarray, of the shape of *x*
            In units of x²/f. Its integral and the weights of :meth:`atoms` add up to 1.
        """
        places = np.asarray(x, np.float64)
        bands = [piece.at(places) for piece in self.pieces(dim) if isinstance(piece, Band)]
        return np.sum([np.zeros(places.shape), *bands], axis=0)

    def atoms(self, dim: int | None = None) -> list[tuple[float, float]]:
        """The eigenvalues with a probability of their own: pairs of place and probability."""
        atoms = [p for p in self.pieces(dim) if isinstance(p, Atom)]
        return [(atom.place, atom.weight) for atom in atoms]

    def nodes(self, degree: int, dim: int | None = None) -> tuple[Floats, Floats]:
        """Eigenvalues and weights whose sums are expectations of smooth functions.

        Parameters
        ----------
        degree : int
            Polynomials of up to this degree come out to rounding.
        dim : int, optional
            The number of eigenvalues; see :meth:`pieces`.

        Returns
        -------
        tuple of numpy.ndarray, each of shape (n,)
            n is about 1300 for each band, or twice the degree where that is more.
        """
        return rule_of_nodes(self.pieces(dim), whole(self.name, "degree", degree, 0))

    def expectation(self, function: Callable[[float], float], dim: int | None = None) -> float:
        """The mean of a function of an eigenvalue, by adaptive quadrature.

        Parameters
        ----------
        function : callable
            Of one eigenvalue, a float.
        dim : int, optional
            The number of eigenvalues; see :meth:`pieces`.

        Examples
        --------
        >>> import fastopt as fo
        >>> spectrum = fo.spectra.marchenko_pastur(ratio=0.5)
        >>> round(spectrum.expectation(lambda x: x**2), 9)
        1.5
        """
        return integral(self.pieces(dim), function)

    def moment(self, order: int, dim: int | None = None) -> float:
        """The mean of the eigenvalue to the power *order*, a whole number >= 0."""
        order = whole(self.name, "order", order, 0)
        return self.expectation(lambda x: x**order, dim)

    def __repr__(self) -> str:
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return f"{self.name}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def check_generator(owner: str, rng: object) -> None:
    """Raise if *rng* is not a NumPy generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng={rng!r}: must be a numpy.random.Generator ({owner}); "
            "fo.spectra.member_rng(seed, i) makes one"
        )


def check_real(
    spectrum: Spectrum, name: str, least: float, remedy: str, inclusive: bool = True
) -> float:
    """The parameter *name* as a finite float from *least* on, which is also set."""
    try:
        number = real(spectrum.name, name, getattr(spectrum, name), least, inclusive)
    except ValueError as error:
        raise ValueError(f"{error}; {remedy}") from None
    object.__setattr__(spectrum, name, number)
    return number


def require_dim(spectrum: Spectrum, dim: int | None, least: int = 1, why: str = "") -> int:
    """*dim* as an int, where the spectrum has no limit or needs some eigenvalues."""
    if dim is None:
        raise ValueError(
            f"dim=None: {spectrum!r} depends on the number of eigenvalues; give dim=, or use "
            f"those of {spectrum.name}(...).sample(dim, rng)"
        )
    dim = whole(spectrum.name, "dim", dim, 1)
    if dim < least:
        raise ValueError(f"dim={dim}: must be >= {least} ({spectrum.name}), {why}")
    return dim
