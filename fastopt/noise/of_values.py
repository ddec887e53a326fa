"""Noise in the value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastopt.ensembles import Objective
from fastopt.kernels.parts import NoiseParts
from fastopt.noise.base import Noise, add_scaled, as_scale, draw_normals
from fastopt.rules import Rule


@dataclass(frozen=True, eq=False)
class Value(Noise):
    """Normal noise in the value; see :func:`value`."""

    label = "value"
    draw = staticmethod(draw_normals)
    perturb = staticmethod(add_scaled)

    std: float

    def parts(self, rule: Rule, surface: Objective) -> NoiseParts:
        return NoiseParts(
            label=self.label,
            source=Value,
            draw=Value.draw,
            perturb=Value.perturb,
            shared=1,
            of_value=True,
        )

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        return np.array([self.std])

    def check(self, rule: Rule, surface: Objective) -> None:
        frozen = "surface.noisy(std) has a frozen random field in its values, for any rule"
        if rule.iterate is not None:
            raise ValueError(
                f"noise={self!r}: {rule.name} must have the exact value, for it evaluates it "
                f"several times a step; {frozen}"
            )
        if not rule.uses_value:
            raise ValueError(
                f"noise={self!r}: must be with a rule that uses the value, such as "
                f"fo.rules.get('polyak'), which {rule.name} does not; fo.noise.gaussian(std) is "
                f"noise in the gradient, and {frozen}"
            )


def value(std: float) -> Noise:
    """Normal noise of mean 0, added to the value that a rule uses.

    For rules whose step depends on the value, such as Polyak's. The gradient that they get is
    the exact one, and so are the values that stop criteria look at and results hold. Each step
    has noise of its own; that of :meth:`fastopt.surfaces.Surface.noisy` belongs to the point
    instead.

    Parameters
    ----------
    std : float
        Standard deviation >= 0, in units of f.

    Raises
    ------
    TypeError, ValueError
        *std* is out of its range; or, by ``fo.run``, the rule does not use the value, or
        evaluates it several times a step.

    Examples
    --------
    >>> import fastopt as fo
    >>> noise = fo.noise.value(0.1)
    >>> runs = fo.run(fo.Polyak(), fo.Sphere(), [[1.0, 1.0]], max_steps=9, stop=None, noise=noise)
    >>> bool(runs.fun < 2.0)
    True
    """
    return Value(as_scale("std", std, axes=0))
