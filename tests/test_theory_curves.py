"""Expected curves on quadratics against recursions written from the papers, and against runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

import fastopt as fo

S, T = fo.spectra, fo.theory
MU, L = 0.1, 2.0
EIGENVALUES = np.array([0.1, 0.37, 1.1, 2.0])


def test_losses_on_small_random_matrices_are_exact():
    # The law of the limit is wrong by 11% at step 20, and by 80% at step 60.
    spectrum, rule, steps = S.wishart(0.5), fo.GradientDescent(0.5), [0, 1, 5, 20, 60]
    curve = T.expected_loss(rule, spectrum, 60, dim=30)[steps]
    values = np.array([spectrum.sample(30, S.member_rng(5, i)) for i in range(4000)])
    losses = [np.sum(0.5 * values * (1 - 0.5 * values) ** (2 * t), axis=1) for t in steps]
    for found, exact in zip(losses, curve, strict=True):
        assert abs(found.mean() - exact) < 4 * found.std() / 4000**0.5 + 1e-12
    limit = T.expected_loss(rule, spectrum, 60)[steps] * 30
    assert curve[3] > 1.1 * limit[3]
    assert curve[4] > 1.5 * limit[4]


def test_unbounded_spectra_have_finite_means():
    # The integral of x (1 - h x)^(2 t) exp(-x)/2, by its coefficients.
    curve, h = T.expected_loss(fo.GradientDescent(0.1), S.exponential(), 4), 0.1
    for t in range(5):
        terms = [math.comb(2 * t, k) * (-h) ** k * math.factorial(k + 1) for k in range(2 * t + 1)]
        assert curve[t] == pytest.approx(0.5 * math.fsum(terms), rel=1e-10)


def test_an_ensemble_is_the_mean_over_its_own_members():
    family = fo.RandomQuadratics(5, 7, S.wishart(0.5), seed=3)
    rule, given = fo.Momentum(0.2, momentum=0.5), {"steps": 9, "noise_std": 0.1}
    each = T.expected_loss(rule, family.eigenvalues, **given)
    np.testing.assert_allclose(T.expected_loss(rule, family, **given), each.mean(0), rtol=1e-12)
    one = T.expected_loss(rule, family[2], **given)
    np.testing.assert_allclose(one, each[2], rtol=1e-12)
    with pytest.raises(ValueError, match=r"dim=5: must be left out.*, 5$"):
        T.expected_loss(rule, family, 3, dim=5)


# -- the rules, written down anew --------------------------------------------------------
# Each yields x_0, x_1, ... for f = curvature x²/2; pushes[t] is added to the gradient of step t.


def descent(x, curvature, pushes, rate):
    yield x
    for t, push in enumerate(pushes):
        x = x - rate(t) * (curvature * x + push)
        yield x


def heavy_ball(x, curvature, pushes, rate, beta):
    """Polyak (1964), equation 9."""
    before = x
    yield x
    for t, push in enumerate(pushes):
        x, before = x - rate(t) * (curvature * x + push) + beta * (x - before), x
        yield x


def nesterov(x, curvature, pushes, rate, beta):
    """Nesterov (2004), (2.2.11): the gradient is that at y."""
    before = x
    yield x
    for t, push in enumerate(pushes):
        y = x + beta * (x - before)
        x, before = y - rate(t) * (curvature * y + push), x
        yield x


def average(x, curvature, pushes, rate, beta, debias):
    """Kingma and Ba (2015), the first moment of Algorithm 1."""
    m = 0.0 * x
    yield x
    for t, push in enumerate(pushes):
        m = beta * m + (1 - beta) * (curvature * x + push)
        x = x - rate(t) * m / (1 - beta ** (t + 1) if debias else 1)
        yield x


def triple(x, curvature, pushes, mu, L):
    """Van Scoy, Freeman and Lynch (2018), Algorithm 1 and Table I."""
    rho = 1 - math.sqrt(mu / L)
    alpha, beta = (1 + rho) / L, rho**2 / (2 - rho)
    gamma, delta = rho**2 / ((1 + rho) * (2 - rho)), rho**2 / (1 - rho**2)
    xi = before = x
    yield x
    for push in pushes:
        y = (1 + gamma) * xi - gamma * before
        new = (1 + beta) * xi - beta * before - alpha * (curvature * y + push)
        xi, before = new, xi
        yield (1 + delta) * xi - delta * before


def constant(rate):
    return lambda t: rate


ROOT, LOW = math.sqrt(L), math.sqrt(MU)
BALL = (4 / (ROOT + LOW) ** 2, ((ROOT - LOW) / (ROOT + LOW)) ** 2)
POINT = math.sqrt(3 * L / MU + 1)
FALLING = fo.schedules.InverseTime(0.7, decay=0.1)
PAIRS = {
    "descent": (fo.GradientDescent(0.4), lambda *a: descent(*a, constant(0.4))),
    "descent_schedule": (
        fo.GradientDescent(lambda t: 1 / (1 + t)), lambda *a: descent(*a, lambda t: 1 / (1 + t)),
    ),
    "descent_scaled": (fo.GradientDescent(0.5 * FALLING), lambda *a: descent(*a, lambda t: (
        0.5 * FALLING(t)))),
    "momentum": (fo.Momentum(0.3, 0.8), lambda *a: heavy_ball(*a, constant(0.3), 0.8)),
    "nesterov": (fo.Nesterov(0.3, 0.8), lambda *a: nesterov(*a, constant(0.3), 0.8)),
    "ema": (fo.EMAMomentum(1.5, 0.8), lambda *a: average(*a, constant(1.5), 0.8, False)),
    "ema_debiased": (
        fo.EMAMomentum(0.8, 0.7, debias=True), lambda *a: average(*a, constant(0.8), 0.7, True),
    ),
    "heavy_ball": (fo.HeavyBall(MU, L), lambda *a: heavy_ball(*a, constant(BALL[0]), BALL[1])),
    "accelerated": (fo.AcceleratedGradient(MU, L), lambda *a: nesterov(
        *a, constant(1 / L), (ROOT - LOW) / (ROOT + LOW))),
    "accelerated_quadratic": (fo.AcceleratedGradient(MU, L, quadratic=True), lambda *a: nesterov(
        *a, constant(4 / (3 * L + MU)), (POINT - 2) / (POINT + 2))),
    "triple_momentum": (fo.TripleMomentum(MU, L), lambda *a: triple(*a, MU, L)),
}  # fmt: skip
SCHEDULED = ("descent_schedule", "descent_scaled")


def mean_squares(recursion, eigenvalues, steps, start_std, noise_std):
    """E x_t² along each eigenvector, (steps + 1, n).

    x_t is linear in the start and in the noise of each step: the variance is the sum of the
    squares of what each of these does alone.
    """
    silence = np.zeros((steps, 1))
    alone = np.array(list(recursion(np.ones(len(eigenvalues)), eigenvalues, silence)))
    total = (start_std * alone) ** 2
    if np.any(noise_std):
        pushes = np.eye(steps)[:, :, None]  # of step t in case t
        still = np.zeros((steps, len(eigenvalues)))
        answers = np.array(list(recursion(still, eigenvalues, pushes)))
        total = total + noise_std**2 * (answers**2).sum(axis=1)
    return total


# -- exact curves ------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
def test_curves_are_exact(name):
    rule, recursion = PAIRS[name]
    std = np.array([1.0, 0.0, 0.5, 3.0])
    for start, noise, covariance in (
        (2.0, 0.0, None), (std, 0.3, None), (0.0, std, None), (1.0, 0.3, "hessian"),
    ):  # fmt: skip
        spread = noise * np.sqrt(EIGENVALUES) if covariance else noise
        squares = mean_squares(recursion, EIGENVALUES, 60, start, spread)
        arguments = (rule, EIGENVALUES, 60, start, noise)
        loss = T.expected_loss(*arguments, covariance=covariance)
        np.testing.assert_allclose(loss, squares @ EIGENVALUES / 2, rtol=1e-10)
        gradient = T.expected_squared_gradient(*arguments, covariance=covariance)
        np.testing.assert_allclose(gradient, squares @ EIGENVALUES**2, rtol=1e-10)
        distance = T.expected_squared_distance(*arguments, covariance=covariance)
        np.testing.assert_allclose(distance, squares.sum(1), rtol=1e-10)


def test_rows_of_eigenvalues_have_a_curve_each():
    rows = np.array([[0.1, 1.0], [0.3, 2.0], [0.0, 1.5]])
    both = T.expected_loss(fo.Momentum(0.2, 0.5), rows, 7, 1.0, 0.1)
    for row, curve in zip(rows, both, strict=True):
        np.testing.assert_array_equal(curve, T.expected_loss(fo.Momentum(0.2, 0.5), row, 7, 1, 0.1))


def test_divergence_ends_in_infinity_without_a_warning():
    for rule in (fo.GradientDescent(1e3), fo.Momentum(1e3, 0.9), fo.Nesterov(1e3, 0.9)):
        curve = T.expected_loss(rule, [0.5, 1.0], 500)
        assert (np.diff(curve[np.isfinite(curve)]) > 0).all()
        assert curve[-1] == np.inf
        assert T.expected_loss(rule, [-0.5, 0.0, 1e-9], 500)[-1] == -np.inf


# -- against runs ------------------------------------------------------------------------

COUNT, STEPS = 4000, 40
TURN = S.haar(3, S.member_rng(0, 0))
SHORT = np.array([0.2, 0.9, 2.0])
SURFACE = fo.Quadratic(TURN * SHORT @ TURN.T, minimizer=[1.0, -2.0, 0.5])
STARTS = SURFACE.minimizer + 1.5 * np.random.default_rng(8).normal(size=(COUNT, 3))
RUNS = {
    "descent": (fo.GradientDescent(0.5), None),
    "momentum": (fo.Momentum(0.3, 0.7), None),
    "nesterov": (fo.Nesterov(0.3, 0.7), None),
    "descent_hessian": (fo.GradientDescent(0.5), "hessian"),
}


@pytest.mark.parametrize("name", RUNS)
def test_mean_loss_of_noisy_runs(name):
    rule, covariance = RUNS[name]
    runs = fo.run(
        rule, SURFACE, STARTS, max_steps=STEPS, stop=None, seed=1,
        record=fo.Record(every=1), noise=fo.noise.gaussian(0.3, covariance),
    )  # fmt: skip
    values = runs.trajectory_fun
    expected = T.expected_loss(rule, SHORT, STEPS, 1.5, 0.3, covariance=covariance)
    error = values.std(1) / math.sqrt(COUNT)
    assert (abs(values.mean(1) - expected) < 4.5 * error).all()
    late = values[-1].mean()
    stationary = T.stationary_loss(rule, SHORT, 0.3, covariance=covariance)
    assert abs(late - stationary) < 5 * error[-1]
    assert 5 * error[-1] < 0.15 * stationary  # it could have failed


def test_runs_on_a_large_quadratic_halt_when_predicted():
    dim, rule, spectrum = 300, fo.GradientDescent(0.6), S.wishart(ratio=0.5)
    eigenvalues = spectrum.sample(dim, S.member_rng(4, 0))
    starts = np.random.default_rng(3).normal(size=(16, dim)) / math.sqrt(dim)
    surface = fo.Quadratic(np.diag(eigenvalues))
    runs = fo.run(rule, surface, starts, max_steps=500, stop=fo.Stop(gradient=1e-3))
    predicted = T.halting_time(rule, eigenvalues, gradient=1e-3, start_std=dim**-0.5)
    assert 30 < predicted < 80
    assert abs(runs.steps.mean() - predicted) < 1.5
    limit = T.halting_time(rule, spectrum, gradient=1e-3)
    assert abs(limit - predicted) < 4


# -- spectra -----------------------------------------------------------------------------


def test_descent_on_a_square_marchenko_pastur_law_has_a_closed_form():
    # With x = 4 u the density is sqrt((1 - u)/u) 2/pi, and the mean of 4 u (1 - u)^2t is
    # 8/pi times Euler's beta function.
    t = np.arange(2001)
    log_beta = np.array([
        math.lgamma(1.5) + math.lgamma(2 * k + 1.5) - math.lgamma(2 * k + 3) for k in t
    ])  # fmt: skip
    curve = T.expected_loss(fo.GradientDescent(0.25), S.marchenko_pastur(1.0), 2000)
    np.testing.assert_allclose(curve, 4 / np.pi * np.exp(log_beta), rtol=1e-9)
    squared = T.expected_squared_gradient(fo.GradientDescent(0.25), S.wishart(1.0), 2000)
    assert math.log(curve[2000] / curve[1000]) / math.log(2) == pytest.approx(-1.5, abs=3e-3)
    assert math.log(squared[2000] / squared[1000]) / math.log(2) == pytest.approx(-2.5, abs=3e-3)


@pytest.mark.parametrize(
    "rule", [fo.Momentum(1.32, 0.9999), fo.Nesterov(0.4, 0.9999), fo.TripleMomentum(1e-4, 3.0)],
    ids=lambda rule: rule.name,
)  # fmt: skip
def test_what_oscillates_along_the_spectrum_is_resolved(rule):
    # Gauss and Chebyshev's rule of the second kind integrates the semicircle's polynomials.
    # The first is at its edge of stability, and oscillates as fast as a polynomial can.
    steps, n = 1000, 1200
    angle = np.pi * np.arange(1, n + 1) / (n + 1)
    places, weights = 1.5 + 1.5 * np.cos(angle), 2 / (n + 1) * np.sin(angle) ** 2
    curve = T.expected_loss(rule, S.shifted_goe(1.5, 1.5), steps)
    points = T.expected_loss(rule, places, steps, np.sqrt(weights))
    np.testing.assert_allclose(curve, points, rtol=1e-10)


def test_a_spectrum_is_an_integral_over_its_density():
    spectrum, rule = S.marchenko_pastur(4.0, variance=0.2), fo.Nesterov(0.4, 0.6)
    curve = T.expected_loss(rule, spectrum, 12, 1.0, 0.5)
    recursion = lambda *a: nesterov(*a, constant(0.4), 0.6)  # noqa: E731

    def integrand(x):
        squares = mean_squares(recursion, np.array([x]), 12, 1.0, 0.5)
        density = math.sqrt((1.8 - x) * (x - 0.2)) / (2 * math.pi * 0.2 * 4 * x)
        return 0.5 * x * squares[12, 0] * density

    assert curve[12] == pytest.approx(integrate.quad(integrand, 0.2, 1.8)[0], rel=1e-7)
    many = T.expected_loss(rule, spectrum, 12, 1.0, 0.5, dim=50)
    np.testing.assert_allclose(many, 50 * curve, rtol=1e-13)


@pytest.mark.parametrize(
    "spectrum",
    [
        S.log_uniform(100.0), S.marchenko_pastur(2.0, 0.3), S.uniform(0.2, 1.0),
        S.two_cluster(50.0, 0.3, 0.1), S.spiked((1.5, 1.9), S.uniform(0.1, 0.5)),
        S.indefinite(2, S.uniform(0.1, 0.5)), S.power_law(1.0),
    ],
    ids=lambda s: s.name,
)  # fmt: skip
def test_curves_of_an_ensemble_have_the_mean_of_its_spectrum(spectrum):
    rule, dim = fo.Momentum(0.5, 0.6), 12
    rows = np.array([spectrum.sample(dim, S.member_rng(1, i)) for i in range(1500)])
    curves = T.expected_loss(rule, rows, 25, 0.5, 0.2)
    expected = T.expected_loss(rule, spectrum, 25, 0.5, 0.2, dim=dim)
    error = curves.std(0) / math.sqrt(1500)
    assert (abs(curves.mean(0) - expected) <= 4.5 * error + 1e-12).all()


def test_random_matrices_approach_their_law():
    rule = fo.Momentum(0.4, 0.3)
    for spectrum in (S.wishart(0.5), S.wishart(2.0), S.shifted_goe(2.0, 1.5)):
        rows = np.array([spectrum.sample(400, S.member_rng(6, i)) for i in range(30)])
        curves = T.expected_loss(rule, rows, 9, 0.05)
        expected = T.expected_loss(rule, spectrum, 9, 0.05, dim=400)
        assert (abs(curves.mean(0) - expected) < 4 * curves.std(0) / 30**0.5 + 1e-9).all()
        # Later, the few eigenvalues beyond the law's ends count more than all others.
        law = 400 * T.expected_loss(rule, spectrum, 9, 0.05)
        np.testing.assert_allclose(expected[:5], law[:5], rtol=0.06)


def test_halting_times_concentrate_as_the_dimension_grows():
    rule, spectrum, rate = fo.GradientDescent(0.5), S.wishart(0.5), 0.5
    predicted = T.halting_time(rule, spectrum, gradient=1e-3)
    spread, centre = [], []
    for dim in (16, 512):
        halted = []
        for i in range(40):
            generator = S.member_rng(dim, i)
            eigenvalues = spectrum.sample(dim, generator)
            x = generator.normal(size=dim) / math.sqrt(dim)
            powers = (1 - rate * eigenvalues) ** np.arange(200)[:, None]
            norms = np.linalg.norm(eigenvalues * x * powers, axis=1)
            halted.append(np.argmax(norms <= 1e-3))
        spread.append(np.std(halted))
        centre.append(np.mean(halted))
    assert spread[1] < 0.3 * spread[0]
    assert spread[1] < 0.05 * predicted
    assert centre[1] == pytest.approx(predicted, rel=0.05)


def test_halting_time_is_the_first_step_of_the_curve():
    rule, spectrum = fo.Momentum(0.2, 0.9), S.marchenko_pastur(0.7)
    curve = T.expected_loss(rule, spectrum, 300)
    limit = 0.5 * curve[40:60].min()
    assert T.halting_time(rule, spectrum, value=limit) == np.argmax(curve <= limit)
    assert T.halting_time(rule, spectrum, value=1e-9, max_steps=10) == math.inf
    assert T.halting_time(rule, [1.0], gradient=1.0) == 0
    assert T.halting_time(fo.GradientDescent(0.5), [1.0], gradient=0.5, max_steps=1) == 1
    assert T.halting_time(fo.GradientDescent(0.5), [1.0], gradient=0.5, max_steps=0) == math.inf


# -- the long run ------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in PAIRS if name not in SCHEDULED])
def test_stationary_variance_is_where_noise_ends(name):
    rule, recursion = PAIRS[name]
    squares = mean_squares(recursion, EIGENVALUES, 700, 0.0, 0.3)[-1]
    variance = T.stationary_variance(rule, EIGENVALUES, 0.3)
    np.testing.assert_allclose(variance, squares, rtol=1e-9)
    loss = T.stationary_loss(rule, EIGENVALUES, 0.3, covariance="hessian")
    assert loss == pytest.approx(squares @ EIGENVALUES**2 / 2, rel=1e-9)


def test_stationary_variance_in_closed_form():
    a, b, x = 0.3, 0.9, EIGENVALUES
    variance = T.stationary_variance(fo.GradientDescent(a), x)
    np.testing.assert_allclose(variance, a / (x * (2 - a * x)), rtol=1e-14)
    # Gitman et al. (2019), "Understanding the role of momentum in stochastic gradient methods".
    heavy = a * (1 + b) / (x * (1 - b) * (2 * (1 + b) - a * x))
    np.testing.assert_allclose(T.stationary_variance(fo.Momentum(a, b), x), heavy, rtol=1e-13)


def test_stationary_variance_at_the_ends():
    rule = fo.GradientDescent(1.0)
    assert (T.stationary_variance(rule, [-1.0, 0.0, 2.0, 3.0]) == np.inf).all()
    assert (T.stationary_variance(rule, [0.0, 3.0], 0.0) == 0).all()
    assert T.stationary_variance(rule, [0.0], covariance="hessian") == [0]
    assert T.stationary_variance(rule, [1e-300])[0] == pytest.approx(0.5e300)
    assert T.stationary_loss(rule, [0.0, 1.0]) == T.stationary_loss(rule, [1.0]) == 0.5
    assert T.stationary_loss(rule, [[1.0, 0.0], [2.5, 1.0]]).tolist() == [0.5, np.inf]
    assert T.stationary_loss(rule, [-1.0]) == np.inf


def test_stationary_loss_of_a_spectrum():
    # The mean of a/(2 (2 - a x)) over [0, 1], and the share of the eigenvalues that are not 0.
    loss = T.stationary_loss(fo.GradientDescent(1.5), S.uniform(0.0, 1.0), 2.0, dim=7)
    assert loss == pytest.approx(7 * 4 * 0.5 * math.log(2 / 0.5), rel=1e-12)
    small = T.stationary_loss(fo.Momentum(1e-9, 0.5), S.marchenko_pastur(4.0))
    assert small == pytest.approx(0.25 * 1e-9 / (4 * 0.5), rel=1e-7)


@pytest.mark.parametrize(("mu", "L"), [(1.0, 100.0), (0.2, 0.9), (3.0, 3.0)])
def test_best_constants_have_their_rates(mu, L):
    root = math.sqrt(L / mu)
    rates = {
        "gradient_descent": (L - mu) / (L + mu),
        "heavy_ball": (root - 1) / (root + 1),
        "nesterov": 1 - 1 / root,
        "nesterov_quadratic": 1 - 2 / math.sqrt(3 * root**2 + 1),
        "triple_momentum": 1 - 1 / root,
    }
    inside = np.linspace(mu, L, 1001)
    for name, rate in rates.items():
        best = T.best(name, mu, L)
        assert best.rate == pytest.approx(rate, abs=1e-15)
        # Where two roots meet, rounding parts them by its square root.
        assert T.convergence_rate(best.rule, inside) == pytest.approx(rate, abs=1e-7)
        assert T.convergence_rate(best.rule, S.uniform(mu, L)) == pytest.approx(rate, abs=1e-7)
        if name not in ("nesterov", "triple_momentum"):  # those are best for other surfaces
            for factor in (0.99, 1.01):
                moved = best.rule.learning_rate * factor
                rest = [getattr(best.rule, n) for n in best.rule.parameter_names()[1:]]
                other = type(best.rule)(moved, *rest)
                assert T.convergence_rate(other, inside) > rate
    guaranteed = {name: T.best(name, mu, L).guaranteed for name in rates}
    assert guaranteed["gradient_descent"] == guaranteed["gradient_descent"]
    assert guaranteed["triple_momentum"] == pytest.approx(1 - 1 / root)
    assert guaranteed["nesterov"] ** 2 == pytest.approx(1 - 1 / root)
    assert math.isnan(guaranteed["heavy_ball"])


@pytest.mark.parametrize("b", [0.0, 0.5, 0.9])
def test_rules_are_stable_below_their_edge_alone(b):
    for make, edge in (
        (lambda rate: fo.GradientDescent(rate), 2),
        (lambda rate: fo.Momentum(rate, b), 2 + 2 * b),
        (lambda rate: fo.EMAMomentum(rate, b), (2 + 2 * b) / (1 - b)),
        (lambda rate: fo.EMAMomentum(rate, b, debias=True), (2 + 2 * b) / (1 - b)),
        (lambda rate: fo.Nesterov(rate, b), (2 + 2 * b) / (1 + 2 * b)),
    ):
        assert T.stability_edge(make(1.0), L=4.0) == pytest.approx(edge / 4)
        low, high = make(edge / 4 * 0.999), make(edge / 4 * 1.001)
        assert T.convergence_rate(low, [4.0]) < 1 < T.convergence_rate(high, [4.0])
        assert np.isfinite(T.stationary_variance(low, [4.0]))
        assert T.stationary_variance(high, [4.0]) == np.inf


def test_rate_is_that_of_the_worst_eigenvalue():
    # Complex roots, whose product is the momentum, and a real one at the upper end.
    assert T.convergence_rate(fo.Momentum(0.3, 0.9), [1.0]) == pytest.approx(math.sqrt(0.9))
    assert T.convergence_rate(fo.Nesterov(0.3, 0.9), [1.0]) == pytest.approx(math.sqrt(0.63))
    descent = fo.GradientDescent(1.9)
    assert T.convergence_rate(descent, S.uniform(0.5, 1.0)) == pytest.approx(0.9, abs=1e-13)
    saddle = S.indefinite(1, S.uniform(0.5, 1.0))
    assert T.convergence_rate(descent, saddle, dim=5) == pytest.approx(2.9, abs=1e-13)
    for rule in (fo.GradientDescent(0.5), fo.Momentum(0.5, 0.5), fo.Nesterov(0.5, 0.5)):
        assert T.convergence_rate(rule, [0.0, 1.0]) == 1


def test_rate_is_that_of_the_curve():
    for rule in (fo.Momentum(0.3, 0.7), fo.Nesterov(0.2, 0.5), fo.GradientDescent(0.8)):
        curve = T.expected_squared_distance(rule, [0.05, 1.0], 400)
        assert (curve[400] / curve[300]) ** (1 / 200) == pytest.approx(
            T.convergence_rate(rule, [0.05, 1.0]), rel=1e-3
        )


def test_worst_cases_are_those_of_performance_estimation():
    # The values in the documentation of PEPit's examples.
    descent = T.worst_case(fo.GradientDescent(1 / 3), 3.0, 4)
    assert descent == pytest.approx(0.166667, abs=5e-7)
    optimised = T.worst_case(fo.OGM(1 / 3, steps=4), 3.0, 4)
    assert optimised == pytest.approx(0.0767518, abs=5e-8)
    triple_momentum = T.worst_case(fo.TripleMomentum(0.1, 1.0), 1.0, 4)
    assert triple_momentum == pytest.approx(0.238925, abs=5e-7)
    assert T.worst_case(fo.GradientDescent(0.1), 2.0, 5, distance=3.0) == 9 * 2 / (4 * 5 * 0.2 + 2)


# -- refusals ----------------------------------------------------------------------------

GD = fo.GradientDescent(0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: T.expected_loss(fo.Adam(), [1.0], 3), r"rule=Adam.*known for: fo\.GradientDesc"),
        (lambda: T.expected_loss(fo.Momentum.torch(), [1.0], 3), r"Momentum\.torch.*must be one"),
        (lambda: T.expected_loss(fo.GradientDescent([0.1, 0.2]), [1.0], 3),
         r"learning_rate has shape \(2,\): must be one number"),
        (lambda: T.expected_loss(fo.Momentum([0.1] * FALLING), [1.0], 3), r"learning_rate has sha"),
        (lambda: T.expected_loss(GD, [1.0], -1), "steps=-1: must be >= 0"),
        (lambda: T.expected_loss(GD, 1.0, 3), r"spectrum has shape \(\): must be \(\.\.\., dim"),
        (lambda: T.expected_loss(GD, [], 3), r"spectrum has shape \(0,\): must be"),
        (lambda: T.expected_loss(GD, [math.nan], 3), "spectrum holds nan or inf"),
        (lambda: T.expected_loss(GD, [1.0], 3, dim=2), "dim=2: must be left out"),
        (lambda: T.expected_loss(GD, S.uniform(), 3, dim=0), "dim=0: must be >= 1"),
        (lambda: T.expected_loss(GD, S.spiked(), 3), "dim=None: spiked.*give dim="),
        (lambda: T.expected_loss(GD, S.exponential(), 251), "exponential.*: must be bounded"),
        (lambda: T.halting_time(GD, S.exponential(), value=1), "bounded for a halting time"),
        (lambda: T.convergence_rate(GD, S.exponential()), "bounded for a rate"),
        (lambda: T.expected_loss(GD, [1.0], 3, -1.0), r"start_std=-1\.0: must be finite and >= 0"),
        (lambda: T.expected_loss(GD, [1.0], 3, 1.0, math.nan), "noise_std=nan: must be finite"),
        (lambda: T.expected_loss(GD, [1.0, 2.0], 3, [1.0] * 3),
         r"start_std has shape \(3,\): must be a number, or broadcast to \(2,\)"),
        (lambda: T.expected_loss(GD, S.uniform(), 3, [1.0] * 3), "start_std has shape .* a number"),
        (lambda: T.expected_loss(GD, [1.0], 3, 1, 1, covariance="fisher"), "covariance='fisher'"),
        (lambda: T.expected_loss(GD, [-1.0], 3, 1, 1, covariance="hessian"), "eigenvalue -1 must"),
        (lambda: T.halting_time(GD, [1.0]), "gradient=None, value=None: either must be given"),
        (lambda: T.halting_time(GD, [1.0], value=1, gradient=1), "value=1: either must be given"),
        (lambda: T.halting_time(GD, [1.0], value=-1.0), r"value=-1\.0: must be finite and >= 0"),
        (lambda: T.halting_time(GD, [[1.0]], value=1.0), "eigenvalues of one matrix"),
        (lambda: T.stationary_loss(fo.SGD(FALLING), [1.0]), "learning_rate=.*must be a number"),
        (lambda: T.stability_edge(fo.HeavyBall(), 1.0), "rule=HeavyBall.*must be one"),
        (lambda: T.stability_edge(GD, 0.0), r"L=0\.0: must be finite and > 0"),
        (lambda: T.best("heavyball2", 1.0, 2.0), "no such method.*did you mean 'heavy_ball'"),
        (lambda: T.best("heavy_ball", 3.0, 2.0), r"mu=3\.0, L=2\.0: mu must be <= L"),
        (lambda: T.best("heavy_ball", 0.0, 2.0), r"mu=0\.0: must be finite and > 0"),
        (lambda: T.worst_case(fo.GradientDescent(0.6), 2.0, 3), r"learning_rate=0\.6: must be <="),
        (lambda: T.worst_case(fo.SGD(FALLING), 2.0, 3), "learning_rate=.*no worst case"),
        (lambda: T.worst_case(fo.OGM(0.5, steps=3), 2.0, 4), "steps=4: must be those of the rule"),
        (lambda: T.worst_case(fo.OGM(0.4, steps=4), 2.0, 4), r"learning_rate=0\.4: must be 1/L"),
        (lambda: T.worst_case(fo.TripleMomentum(1, 3), 2.0, 4), "L=2: must be that of the rule, 3"),
        (lambda: T.worst_case(fo.Momentum(), 2.0, 4), r"fo\.GradientDescent, fo\.OGM, fo\.Triple"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: T.expected_loss("momentum", [1.0], 3), "rule='momentum': must be a rule such as"),
        (
            lambda: T.expected_loss(fo.Momentum, [1.0], 3),
            "rule=<class .*: must be a rule such",
        ),
        (lambda: T.expected_loss(GD, "uniform", 3), "spectrum='uniform': must be a spectrum"),
        (lambda: T.expected_loss(GD, [[1.0], [1.0, 2.0]], 3), "must be a spectrum such as"),
        (lambda: T.expected_loss(GD, [1.0], 3.5), "steps=3.5: must be a whole number"),
        (lambda: T.expected_loss(GD, [1.0], 3, "1"), "start_std='1': must be a number"),
    ],
)
def test_wrong_types_are_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()
