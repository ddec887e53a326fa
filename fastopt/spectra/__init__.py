"""Spectra: distributions of the eigenvalues of random quadratics.

``fo.spectra.log_uniform(condition=1e4).sample(dim, rng)`` draws the eigenvalues of one matrix.
Each spectrum also has its ends, its density and its expectations, from which
:mod:`fastopt.theory` predicts what runs do; :func:`haar` makes rotations, :func:`member_rng`
the random generator of each member of an ensemble.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from fastopt.names import look_up
from fastopt.spectra.base import Spectrum
from fastopt.spectra.composed import Indefinite, Spiked
from fastopt.spectra.laws import Exponential, LogUniform, PowerLaw, TwoCluster, Uniform
from fastopt.spectra.members import member_rng
from fastopt.spectra.random_matrices import MarchenkoPastur, ShiftedGOE, Wishart
from fastopt.spectra.rotations import haar

exponential = Exponential
indefinite = Indefinite
log_uniform = LogUniform
marchenko_pastur = MarchenkoPastur
power_law = PowerLaw
shifted_goe = ShiftedGOE
spiked = Spiked
two_cluster = TwoCluster
uniform = Uniform
wishart = Wishart

registry: dict[str, type[Spectrum]] = {
    cls.name: cls
    for cls in (
        Exponential,
        Indefinite,
        LogUniform,
        MarchenkoPastur,
        PowerLaw,
        ShiftedGOE,
        Spiked,
        TwoCluster,
        Uniform,
        Wishart,
    )
}
"""All spectra by name."""

__all__ = ["Spectrum", "get", "haar", "member_rng", "names", *registry]


def names() -> list[str]:
    """The names of all spectra, in snake_case, sorted."""
    return sorted(registry)


def get(name: str, **parameters: Any) -> Spectrum:
    """The spectrum called *name*, with these parameters.

    Raises
    ------
    ValueError
        No spectrum has that name (the nearest are given), or a parameter is out of its range.
    TypeError
        The spectrum has no parameter of that name.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.spectra.get("log_uniform", condition=100.0)
    log_uniform(condition=100.0, high=1.0)
    """
    cls = look_up("spectrum", name, registry)
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise TypeError(
            f"{unknown[0]!r}: {cls.name} has no such parameter; it has {', '.join(known)}"
        )
    return cls(**parameters)
