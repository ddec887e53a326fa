"""What noise is, and the checks of its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastopt.ensembles import Objective
from fastopt.kernels.parts import KernelFunction, NoiseParts
from fastopt.kernels.philox import normals
from fastopt.rules import Rule
from fastopt.surfaces import Surface


@dataclass(frozen=True, eq=False)
class Noise:
    """Noise in the gradient; made by the functions of this module.

    A kind of noise has the plain functions of numbers that numba compiles (or makes its own
    ``fastopt.kernels.parts.NoiseParts``)

    ``draw(n, a, b, c, d)``
        The tuple of ``per_draw`` random numbers of four random words; *n* are the numbers of
        :meth:`numbers` that all coordinates share, ``common`` of them.
    ``perturb(n, g, z)``
        The noisy derivative, of the exact one and a random number; *n* has the coordinate's
        own numbers after the shared ones.
    """

    label: ClassVar[str]
    common: ClassVar[int] = 0
    per_draw: ClassVar[int] = 2
    draw: ClassVar[KernelFunction]
    perturb: ClassVar[KernelFunction]

    @property
    def mixes(self) -> bool:
        """Whether each coordinate has a linear combination of all random numbers."""
        return False

    @property
    def uses_hessian(self) -> bool:
        """Whether its numbers are made of the surface's Hessian."""
        return False

    def parts(self, rule: Rule, surface: Objective) -> NoiseParts:
        """What the kernels compile."""
        cls = type(self)
        return NoiseParts(
            label=f"{cls.label}-mixed" if self.mixes else cls.label,
            source=cls,
            draw=cls.draw,
            perturb=_mixed if self.mixes else cls.perturb,
            shared=cls.common,
            own=1,
            per_draw=cls.per_draw,
            mixes=self.mixes,
        )

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        """The numbers that all coordinates share, then those of each coordinate."""
        raise NotImplementedError

    def check(self, rule: Rule, surface: Objective) -> None:
        """Raise ValueError if this noise cannot be had with that rule on that surface."""
        if rule.iterate is not None:
            raise ValueError(
                f"noise={self!r}: {rule.name} must have the exact gradient, for it evaluates it "
                "several times a step; take a rule that evaluates it once"
            )
        if not self.uses_hessian or isinstance(surface, Surface):
            self.numbers(surface)  # refuses what does not fit


def _mixed(n, g, z):
    return g + z


def add_scaled(n, g, z):
    """``perturb`` by a random number times the coordinate's own, or else last, number."""
    return g + n[-1] * z


def draw_normals(n, a, b, c, d):
    """``draw`` of two standard normal numbers."""
    return normals(a, b, c, d)


# -- checks ------------------------------------------------------------------------------


def as_numbers(name: str, value: Any) -> NDArray[np.float64]:
    """*value* as an array of finite numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}={value!r}: must be a number or an array of numbers")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}={value!r}: must be finite")
    return array


def as_number(name: str, value: Any, holds: Any, text: str) -> float:
    """*value* as one float, for which *holds* is true; *text* says what that is."""
    array = as_numbers(name, value)
    if array.ndim or not holds(array):
        raise ValueError(f"{name}={value!r}: must be a number {text}")
    return float(array)


def as_scale(name: str, value: Any, axes: int = 1) -> Any:
    """*value* as a float >= 0, or where it may have an axis an array of them."""
    array = as_numbers(name, value)
    if array.ndim > axes:
        wanted = "a number or one for each coordinate" if axes else "a number"
        raise ValueError(f"{name} has shape {array.shape}: must be {wanted}")
    if (array < 0).any():
        raise ValueError(f"{name}={value!r}: must be >= 0")
    return array if array.ndim else float(array)


def by_coordinate(name: str, value: Any, surface: Objective) -> NDArray[np.float64]:
    """One number for each coordinate of the surface, from one or from as many."""
    if np.shape(value) not in ((), (surface.dim,)):
        raise ValueError(
            f"{name} has shape {np.shape(value)}: must be a number, or {(surface.dim,)} for "
            f"{surface!r}"
        )
    return np.array(np.broadcast_to(value, surface.dim), np.float64)
