"""Expectations on quadratics, step by step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, real, whole
from fastopt.rules import Rule
from fastopt.theory.problem import Eigenvalues, Problem, make_problem, require_bounded
from fastopt.theory.recursions import second_moments


def expected_loss(
    rule: Rule,
    spectrum: Eigenvalues,
    steps: int,
    start_std: ArrayLike = 1.0,
    noise_std: ArrayLike = 0.0,
    *,
    covariance: str | None = None,
    dim: int | None = None,
) -> Floats:
    """The mean value of a quadratic at each step, over random starts and noise.

    .. math:: E f(x_t) = \\sum_i \\tfrac12 \\lambda_i \\, E (q_i \\cdot (x_t - m))^2

    for f = (x - m)' A (x - m)/2 with eigenvectors q_i and eigenvalues lambda_i. Along each of
    them the rule is a linear recursion of x and its slot, whose second moments follow a linear
    recursion in turn: exact, with no sampling. Starts are independent along the eigenvectors,
    with mean m; any rotation will do.

    Parameters
    ----------
    rule : Rule
        ``fo.GradientDescent``, ``Momentum``, ``EMAMomentum``, ``Nesterov``, ``HeavyBall``,
        ``AcceleratedGradient`` or ``TripleMomentum``, with one number for each parameter;
        learning rates may be schedules.
    spectrum : Spectrum, RandomQuadratics, Quadratic, or array_like of shape (..., dim)
        One of ``fo.spectra``: the mean over matrices is taken, too. An ensemble: the mean over
        its own members. A quadratic; or eigenvalues, in units of f/x², of one matrix or of one
        in each row.
    steps : int
        The last step, >= 0.
    start_std : float, or array_like that broadcasts to the eigenvalues, default 1.0
        Standard deviation of the start's coordinates from m, >= 0, in units of x.
    noise_std : float, or array_like that broadcasts to the eigenvalues, default 0.0
        Standard deviation of the noise in each coordinate of the gradient, >= 0, in units of
        f/x: that of ``fo.noise.gaussian(noise_std)``, but any distribution has this mean.
    covariance : {None, "hessian"}, default None
        With "hessian" the noise has the covariance noise_std² A.
    dim : int, optional
        With a spectrum, the number of eigenvalues. Without, the loss is that per eigenvalue in
        the limit of many; or, the same number, the loss for starts at a mean squared distance
        of start_std² from m, with noise of a mean squared norm of noise_std².

    Returns
    -------
    numpy.ndarray, shape (..., steps + 1)
        In units of f, from step 0, the start. Where the rule diverges it grows up to inf.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be; the message says which, and what to do.

    Notes
    -----
    With a spectrum the sum is an integral over its density, by Gauss and Legendre's rule in
    panels: the spectral form of average-case analysis, Pedregosa and Scieur (2020) [1]_. It is
    exact to rounding for up to 4094 steps. Beyond, what oscillates along the spectrum faster
    than in 4094 steps is not resolved; momentum has damped that by then unless it is very near
    to 1. Exact for any ``dim`` where eigenvalues are drawn independently, and for the random
    matrices ``wishart`` and ``shifted_goe`` up to a ``dim`` of 512, but for the ends beyond which
    fewer than one matrix in 10,000 has an eigenvalue: if the rate is near to the edge, those rule
    the mean of all matrices after many steps, and no runs show it. Beyond 512, and without
    ``dim``, theirs is the law of the limit, ``spectrum.is_limit(dim)``. An unbounded spectrum
    has finite means, too, but no learning rate at which they fall for ever: rare eigenvalues
    rule them in the long run, and runs will not show it.

    References
    ----------
    .. [1] F. Pedregosa, D. Scieur, "Average-case acceleration through spectral density
       estimation", ICML 2020, arXiv:2002.04756.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.theory.expected_loss(fo.GradientDescent(0.5), [1.0, 2.0], steps=2)
    array([1.5    , 0.125  , 0.03125])
    >>> spectrum = fo.spectra.marchenko_pastur(ratio=0.5)
    >>> curve = fo.theory.expected_loss(fo.Momentum(0.3, momentum=0.2), spectrum, steps=50)
    >>> curve.shape, round(float(curve[0]), 9)
    ((51,), 0.5)
    """
    problem, steps = _checked(spectrum, dim, steps, start_std, noise_std, covariance)
    return _curve(rule, problem, steps, 0.5 * problem.curvature)


def expected_squared_gradient(
    rule: Rule,
    spectrum: Eigenvalues,
    steps: int,
    start_std: ArrayLike = 1.0,
    noise_std: ArrayLike = 0.0,
    *,
    covariance: str | None = None,
    dim: int | None = None,
) -> Floats:
    """The mean squared norm of a quadratic's gradient at each step; it has no noise itself.

    Parameters
    ----------
    rule, spectrum, steps, start_std, noise_std, covariance, dim
        See :func:`expected_loss`.

    Returns
    -------
    numpy.ndarray, shape (..., steps + 1)
        In units of f²/x².

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.theory.expected_squared_gradient(fo.GradientDescent(0.5), [1.0, 2.0], steps=1)
    array([5.  , 0.25])
    """
    problem, steps = _checked(spectrum, dim, steps, start_std, noise_std, covariance)
    return _curve(rule, problem, steps, problem.curvature**2)


def expected_squared_distance(
    rule: Rule,
    spectrum: Eigenvalues,
    steps: int,
    start_std: ArrayLike = 1.0,
    noise_std: ArrayLike = 0.0,
    *,
    covariance: str | None = None,
    dim: int | None = None,
) -> Floats:
    """The mean squared distance from the minimum at each step.

    Parameters
    ----------
    rule, spectrum, steps, start_std, noise_std, covariance, dim
        See :func:`expected_loss`.

    Returns
    -------
    numpy.ndarray, shape (..., steps + 1)
        In units of x².

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.theory.expected_squared_distance(fo.GradientDescent(0.5), [1.0, 2.0], steps=1)
    array([2.  , 0.25])
    """
    problem, steps = _checked(spectrum, dim, steps, start_std, noise_std, covariance)
    return _curve(rule, problem, steps, np.ones(problem.curvature.shape))


def halting_time(
    rule: Rule,
    spectrum: Eigenvalues,
    *,
    gradient: float | None = None,
    value: float | None = None,
    max_steps: int = 10_000,
    start_std: float = 1.0,
    noise_std: float = 0.0,
    covariance: str | None = None,
    dim: int | None = None,
) -> float:
    """The step at which large random quadratics stop, nearly all of them.

    As the dimension grows, the squared gradient norm and the loss of a single run concentrate
    about their means: the halting time of nearly every run is the first step at which the mean
    meets the criterion, and depends on the spectrum alone, Paquette et al. (2023) [1]_. In
    small dimensions halting times scatter about it.

    Parameters
    ----------
    rule, spectrum, start_std, noise_std, covariance, dim
        See :func:`expected_loss`; eigenvalues are those of one matrix.
    gradient : float
        The norm of the gradient that stops a run, >= 0, as in ``fo.Stop(gradient=...)``.
    value : float
        Or the value, >= 0, as in ``fo.Stop(value=...)``. Either of the two is given.
    max_steps : int, default 10_000
        The last step to look at.

    Returns
    -------
    float
        A whole number of steps; inf if the criterion is not met by ``max_steps``.

    Notes
    -----
    For gradient descent on ``marchenko_pastur(ratio)`` the mean squared gradient falls
    exponentially, unless the ratio is 1: then as t**(-5/2), and the loss as t**(-3/2). The worst
    starts on such quadratics have t**(-2) and 1/t.

    References
    ----------
    .. [1] C. Paquette, B. van Merriënboer, E. Paquette, F. Pedregosa, "Halting time is
       predictable for large models: a universality property and average-case analysis",
       Found. Comput. Math. 23, 597-673, 2023, arXiv:2006.04299.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.marchenko_pastur(ratio=0.5)
    >>> fo.theory.halting_time(fo.GradientDescent(0.5), spectrum, gradient=1e-3)
    55.0
    """
    if (gradient is None) == (value is None):
        raise ValueError(
            f"gradient={gradient!r}, value={value!r}: either must be given, and not both"
        )
    require_bounded(spectrum, "for a halting time")
    problem, last = _checked(
        spectrum, dim, max_steps, start_std, noise_std, covariance, name="max_steps"
    )
    if problem.curvature.ndim > 1:
        raise ValueError(
            f"spectrum has shape {problem.curvature.shape}: must be the eigenvalues of one "
            "matrix; ask for each row by itself"
        )
    if gradient is not None:
        share = problem.curvature**2
        limit = real("halting_time", "gradient", gradient, 0.0) ** 2
    else:
        share = 0.5 * problem.curvature
        limit = real("halting_time", "value", value, 0.0)
    moments = islice(_moments(rule, problem), last + 1)
    found = (t for t, xx in enumerate(moments) if problem.total(share * xx) <= limit)
    return float(next(found, math.inf))


def _checked(
    spectrum: Eigenvalues,
    dim: int | None,
    steps: int,
    start_std: ArrayLike,
    noise_std: ArrayLike,
    covariance: str | None,
    name: str = "steps",
) -> tuple[Problem, int]:
    steps = whole("fo.theory", name, steps, 0)
    return make_problem(spectrum, dim, steps, start_std, noise_std, covariance), steps


def _moments(rule: Rule, problem: Problem) -> Iterator[Floats]:
    return second_moments(rule, problem.curvature, problem.start, problem.noise)


def _curve(rule: Rule, problem: Problem, steps: int, share: Floats) -> Floats:
    curve = np.empty((*problem.curvature.shape[:-1], steps + 1))
    for t, xx in enumerate(islice(_moments(rule, problem), steps + 1)):
        with np.errstate(over="ignore", invalid="ignore"):
            # Beyond the largest number, infinities of both signs have met in xx.
            size = xx if np.isfinite(xx).all() else np.nan_to_num(xx, nan=np.inf, posinf=np.inf)
            curve[..., t] = problem.total(share * size)
    return curve
