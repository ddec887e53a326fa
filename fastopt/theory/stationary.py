"""The long run on quadratics: rates, stationary variances, edges of stability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, real
from fastopt.rules import Rule
from fastopt.rules.descent.ema_momentum import EMAMomentum
from fastopt.rules.descent.gradient_descent import GradientDescent
from fastopt.rules.descent.momentum import Momentum
from fastopt.rules.descent.nesterov import Nesterov
from fastopt.spectra import Spectrum
from fastopt.spectra.quadrature import Band
from fastopt.theory.problem import (
    Eigenvalues,
    check_eigenvalues,
    make_problem,
    noise_variance,
    require_bounded,
)
from fastopt.theory.recursions import Step, check_rule, steady_step


def convergence_rate(rule: Rule, spectrum: Eigenvalues, *, dim: int | None = None) -> float:
    """The factor by which errors on a quadratic fall in a step, in the long run.

    The largest spectral radius of the rule's recursion over the eigenvalues; >= 1 where it
    does not converge, as for an eigenvalue of 0.

    Parameters
    ----------
    rule : Rule
        See :func:`expected_loss`; the learning rate is not a schedule.
    spectrum : Spectrum, or array_like of eigenvalues
        The rate is that of all of the spectrum, in units of f/x².
    dim : int, optional
        See :func:`expected_loss`.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.GradientDescent(2 / (1 + 100))
    >>> round(fo.theory.convergence_rate(rule, [1.0, 100.0]), 6)  # 99/101
    0.980198
    """
    step = steady_step(rule)
    require_bounded(spectrum, "for a rate")
    curvature = make_problem(spectrum, dim, 0, 1.0, 0.0, None).curvature
    if isinstance(spectrum, Spectrum):
        bands = [piece for piece in spectrum.pieces(dim) if isinstance(piece, Band)]
        ends = [band.sign * end for band in bands for end in (band.low, band.high)]
        curvature = np.concatenate([curvature, ends])
    trace, determinant = step.trace_and_determinant(curvature)
    inside = trace * trace - 4.0 * determinant
    real_roots = 0.5 * (np.abs(trace) + np.sqrt(np.maximum(inside, 0.0)))
    complex_roots = np.sqrt(np.maximum(determinant, 0.0))
    return float(np.where(inside >= 0, real_roots, complex_roots).max())


def stationary_variance(
    rule: Rule, eigenvalues: ArrayLike, noise_std: ArrayLike = 1.0, *, covariance: str | None = None
) -> Floats:
    """The variance of x along each eigenvector after many steps with noise.

    For gradient descent it is alpha sigma² / (lambda (2 - alpha lambda)).

    Parameters
    ----------
    rule : Rule
        See :func:`expected_loss`; the learning rate is not a schedule.
    eigenvalues : array_like, shape (..., dim)
        In units of f/x².
    noise_std, covariance
        See :func:`expected_loss`.

    Returns
    -------
    numpy.ndarray, of the shape of the eigenvalues
        In units of x²; inf where it grows for ever, 0 where there is no noise.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.theory.stationary_variance(fo.GradientDescent(0.5), [1.0, 2.0, 5.0])
    array([0.33333333, 0.25      ,        inf])
    """
    step = steady_step(rule)
    curvature = check_eigenvalues(eigenvalues)
    noise = noise_variance(noise_std, covariance, curvature, curvature.shape)
    with np.errstate(divide="ignore"):
        variance = _stationary(step, curvature) / np.abs(curvature)
    return np.multiply(variance, noise, out=np.zeros(curvature.shape), where=noise > 0)


def stationary_loss(
    rule: Rule,
    spectrum: Eigenvalues,
    noise_std: ArrayLike = 1.0,
    *,
    covariance: str | None = None,
    dim: int | None = None,
) -> Any:
    """The mean loss of a quadratic after many steps with noise: where the curve ends.

    Eigenvalues of 0 have no part in it.

    Parameters
    ----------
    rule : Rule
        See :func:`expected_loss`; the learning rate is not a schedule.
    spectrum, noise_std, covariance, dim
        See :func:`expected_loss`.

    Returns
    -------
    float, or numpy.ndarray of shape (...) for eigenvalues of shape (..., dim)
        In units of f; inf where the rule diverges.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule, spectrum = fo.GradientDescent(0.5), fo.spectra.uniform(low=1.0, high=2.0)
    >>> loss = fo.theory.stationary_loss(rule, spectrum, noise_std=0.1)
    >>> round(loss, 8), round(float(fo.theory.expected_loss(rule, spectrum, 60, 1, 0.1)[-1]), 8)
    (0.00202733, 0.00202733)
    """
    step = steady_step(rule)
    # A degree at which the ratio of polynomials below comes out to rounding.
    require_bounded(spectrum, "for a stationary loss")
    problem = make_problem(spectrum, dim, 1000, 1.0, noise_std, covariance)
    curvature, noise = problem.curvature, np.broadcast_to(problem.noise, problem.curvature.shape)
    counts = (curvature != 0) & (noise > 0)
    losses = np.zeros(curvature.shape)
    np.multiply(0.5 * _stationary(step, curvature), noise, out=losses, where=counts)
    total = problem.total(losses)
    return total if curvature.ndim > 1 else float(total)


def _stationary(step: Step, curvature: Floats) -> Floats:
    """The variance of x times the curvature for noise of variance 1; inf where there is none.

    x is an autoregression of order 2 with noise in two steps, -gain (out + overshoot) and gain
    overshoot, an ARMA(2, 1) process: Box and Jenkins, "Time Series Analysis" (1970), chapter 3.
    In its variance 1 - trace + determinant is gain out times the curvature, without cancellation.
    """
    trace, determinant = step.trace_and_determinant(curvature)
    now, before = step.out + step.overshoot, step.overshoot
    shocks = (now**2 + before**2) * (1.0 + determinant) - 2.0 * now * before * trace
    margins = (1.0 - determinant) * (1.0 + determinant + trace)
    stable = (curvature >= 0) & (determinant < 1.0) & (1.0 + determinant + trace > 0)
    result = np.full(curvature.shape, np.inf)
    return np.divide(step.gain * shocks, step.out * margins, out=result, where=stable)


_EDGES = {
    GradientDescent: lambda rule: 2.0,
    Momentum: lambda rule: 2.0 + 2.0 * rule.momentum,
    EMAMomentum: lambda rule: (2.0 + 2.0 * rule.beta) / (1.0 - rule.beta),
    Nesterov: lambda rule: (2.0 + 2.0 * rule.momentum) / (1.0 + 2.0 * rule.momentum),
}


def stability_edge(rule: Rule, L: float) -> float:
    """The learning rate from which on a rule diverges on quadratics.

    With b for the momentum: 2/L for gradient descent, (2 + 2 b)/L for momentum, (2 + 2 b)/(L (1
    - b)) for momentum as an average and (2 + 2 b)/(L (1 + 2 b)) for Nesterov's. A root of the
    recursion's characteristic polynomial leaves the unit circle there, at -1.

    Parameters
    ----------
    rule : Rule
        ``fo.GradientDescent``, ``Momentum``, ``EMAMomentum`` or ``Nesterov``. Its own learning
        rate does not matter.
    L : float
        The largest eigenvalue, > 0, in units of f/x².

    Examples
    --------
    >>> import fastopt as fo
    >>> round(fo.theory.stability_edge(fo.EMAMomentum(beta=0.9), L=1.0), 9)
    38.0
    """
    check_rule(rule, tuple(_EDGES))
    return _EDGES[type(rule)](rule) / real("stability_edge", "L", L, 0.0, inclusive=False)
