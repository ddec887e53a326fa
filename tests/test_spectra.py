"""Spectra against their densities, and against matrices that are made in full."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy import stats

import fastopt as fo

S = fo.spectra
DIM = 1000


def rng(i=0):
    return S.member_rng(seed=2, i=i)


# -- laws, written down anew -------------------------------------------------------------


def semicircle_cdf(x, shift, radius):
    u = np.clip((x - shift) / radius, -1, 1)
    return 0.5 + u * np.sqrt(1 - u * u) / np.pi + np.arcsin(u) / np.pi


def marchenko_pastur_cdf(x, ratio):
    """From the density as published, by the trapezoidal rule on the square root of x."""
    low, high = (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2
    roots = np.linspace(low**0.5, high**0.5, 400_001)[1:]
    places = roots**2
    density = np.sqrt(np.maximum((high - places) * (places - low), 0)) / (np.pi * ratio * roots)
    below = np.cumsum(density) * (roots[1] - roots[0])
    return max(0, 1 - 1 / ratio) * (x >= 0) + np.interp(x, places, below)


LAWS = {
    "uniform": (S.uniform(1.0, 3.0), stats.uniform(1.0, 2.0).cdf),
    "log_uniform": (S.log_uniform(condition=1e4, high=5.0), stats.loguniform(5e-4, 5.0).cdf),
    "exponential": (S.exponential(scale=2.0), stats.expon(scale=2.0).cdf),
    "marchenko_pastur": (S.marchenko_pastur(0.5), lambda x: marchenko_pastur_cdf(x, 0.5)),
    "marchenko_pastur_square": (S.marchenko_pastur(1.0), lambda x: marchenko_pastur_cdf(x, 1.0)),
    "marchenko_pastur_wide": (S.marchenko_pastur(4.0), lambda x: marchenko_pastur_cdf(x, 4.0)),
    "wishart": (S.wishart(0.5), lambda x: marchenko_pastur_cdf(x, 0.5)),
    "wishart_square": (S.wishart(1.0), lambda x: marchenko_pastur_cdf(x, 1.0)),
    "wishart_wide": (S.wishart(4.0), lambda x: marchenko_pastur_cdf(x, 4.0)),
    "shifted_goe": (S.shifted_goe(3.0, 2.0), lambda x: semicircle_cdf(x, 3.0, 2.0)),
}


def distance(sample, cdf):
    """Kolmogorov and Smirnov's, right for a law with an atom at 0 too."""
    values, counts = np.unique(sample, return_counts=True)
    above = np.cumsum(counts) / len(sample)
    expected = cdf(values)
    return max(abs(above - expected).max(), abs(above - counts / len(sample) - expected)[1:].max())


@pytest.mark.parametrize("name", LAWS)
def test_samples_have_their_law(name):
    spectrum, cdf = LAWS[name]
    sample = spectrum.sample(DIM, rng())
    assert (np.diff(sample) >= 0).all()
    # Eigenvalues of a matrix repel each other, and stay within O(1/dim) of the law.
    matrix = name.startswith(("wishart", "shifted"))
    assert distance(sample, cdf) < (5 / DIM if matrix else 1.95 / math.sqrt(DIM))
    if not matrix:
        assert distance(sample, cdf) > 5 / DIM  # these are independent


@pytest.mark.parametrize("name", LAWS)
def test_densities_are_those_of_the_law(name):
    spectrum, cdf = LAWS[name]
    high = min(spectrum.high, 40.0)
    x = np.linspace(spectrum.low + 0.05 * (high - spectrum.low), high * 0.98, 30)
    step = 1e-3 * (high - spectrum.low)
    slope = (cdf(x + step) - cdf(x - step)) / (2 * step)
    np.testing.assert_allclose(spectrum.density(x), slope, rtol=5e-3, atol=1e-4)
    assert spectrum.density(spectrum.low - 1.0) == 0
    assert spectrum.density(high + 1.0) == pytest.approx(0, abs=1e-8)
    assert spectrum.atoms() == ([(0.0, 0.75)] if name.endswith("wide") else [])


def narayana(k, ratio):
    return sum(ratio**j / (j + 1) * math.comb(k, j) * math.comb(k - 1, j) for j in range(k))


MOMENTS = [
    (S.uniform(1.0, 3.0), lambda k: (3 ** (k + 1) - 1) / (2 * (k + 1))),
    (S.log_uniform(1e4), lambda k: (1 - 1e-4**k) / (k * math.log(1e4))),
    (S.log_uniform(1e15), lambda k: 1 / (k * math.log(1e15))),
    (S.exponential(), math.factorial),
    (S.marchenko_pastur(0.3), lambda k: narayana(k, 0.3)),
    (S.marchenko_pastur(0.999), lambda k: narayana(k, 0.999)),
    (S.marchenko_pastur(1.0), lambda k: math.comb(2 * k, k) / (k + 1)),  # Catalan's numbers
    (S.marchenko_pastur(4.0, variance=2.0), lambda k: 2**k * narayana(k, 4.0)),
    (S.wishart(4.0), lambda k: narayana(k, 4.0)),
    (S.shifted_goe(0.0, 2.0), lambda k: 0 if k % 2 else math.comb(k, k // 2) / (k // 2 + 1)),
    (S.two_cluster(10.0, share=0.2), lambda k: 0.2 + 0.8 * 0.1**k),
    (S.two_cluster(10.0, 0.2, 0.5), lambda k: (
        0.2 * (1 - 0.5 ** (k + 1)) / (0.5 * (k + 1))
        + 0.8 * (0.15 ** (k + 1) - 0.1 ** (k + 1)) / (0.05 * (k + 1)))),
]  # fmt: skip


@pytest.mark.parametrize(("spectrum", "moment"), MOMENTS, ids=[repr(s) for s, _ in MOMENTS])
def test_moments(spectrum, moment):
    places, weights = spectrum.nodes(degree=9)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    for k in range(1, 7):
        assert spectrum.moment(k) == pytest.approx(moment(k), rel=1e-9, abs=1e-9)
        assert places**k @ weights == pytest.approx(moment(k), rel=1e-11, abs=1e-11)


def test_expectations_of_other_functions():
    assert S.marchenko_pastur(0.5).expectation(lambda x: 1 / x) == pytest.approx(2)  # 1/(1 - r)
    assert S.log_uniform(1e9).expectation(math.log) == pytest.approx(-0.5 * math.log(1e9))
    with_kink = S.uniform(0.0, 2.0).expectation(lambda x: abs(x - 0.7))
    assert with_kink == pytest.approx((0.49 + 1.69) / 4, rel=1e-9)


# -- matrices of a finite size -----------------------------------------------------------


def orthogonal_density(x, weight):
    """Of two eigenvalues: the joint density by its definition, the other integrated out."""
    grid = np.linspace(-9, 40, 400_001)
    joint = np.array([weight(at) * weight(grid) * abs(at - grid) for at in x])
    total = np.trapezoid(
        [weight(at) * np.trapezoid(weight(grid) * abs(at - grid), grid) for at in grid[::400]],
        grid[::400],
    )
    return np.trapezoid(joint, grid, axis=1) / total


def test_finite_densities_are_those_of_the_joint_density():
    x = np.array([-1.3, 0.2, 0.9, 2.0, 6.5])
    expected = orthogonal_density(x, lambda t: np.exp(-t * t / 2))
    found = S.shifted_goe(0.0, 2.0).density(x, dim=2)  # of G itself
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-12)

    def weight(t):  # of 2 columns and 5 rows; (5 - 2 - 1)/2 = 1
        return np.maximum(t, 0) * np.exp(-t / 2)

    found = S.wishart(0.4, variance=5.0).density(x, dim=2)  # of X'X itself
    np.testing.assert_allclose(found, orthogonal_density(x, weight), rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("dim", [1, 2, 7, 30, 120])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
def test_finite_wishart_matrices_have_their_moments(dim, ratio):
    n, spectrum = max(1, int(dim / ratio + 0.5)), S.wishart(ratio, variance=2.0)
    exact = [2.0, 4.0 * (n + dim + 1) / n]  # E tr (X'X)² = n d (n + d + 1)
    exact += [8.0 * (n**2 + 3 * n * dim + dim**2 + 3 * n + 3 * dim + 4) / n**2]
    places, weights = spectrum.nodes(degree=3, dim=dim)
    found = [weights @ places**k for k in (1, 2, 3)]
    np.testing.assert_allclose(found, exact, rtol=1e-8 if dim < 7 else 1e-10)
    assert not spectrum.is_limit(dim)
    assert spectrum.is_limit()
    assert spectrum.is_limit(513)


@pytest.mark.parametrize("dim", [1, 2, 7, 30, 121])
def test_finite_gaussian_matrices_have_their_moments(dim):
    places, weights = S.shifted_goe(0.0, math.sqrt(2 * dim)).nodes(degree=4, dim=dim)
    found = [weights @ places**k for k in (1, 2, 4)]
    exact = [0, (dim + 1) / 2, (2 * dim**2 + 5 * dim + 5) / 4]
    np.testing.assert_allclose(found, exact, rtol=1e-8 if dim < 7 else 1e-10, atol=1e-9)


# -- spectra that depend on the number of eigenvalues ------------------------------------


def test_power_law():
    sample = S.power_law(2.0, high=3.0).sample(4, rng())
    np.testing.assert_allclose(sample, 3 / np.array([16, 9, 4, 1]), rtol=1e-15)
    spectrum = S.power_law(1.0)
    assert spectrum.moment(1, dim=3) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert (spectrum.low, spectrum.condition, S.power_law(0.0).condition) == (0, math.inf, 1)


def test_clusters_have_their_share():
    sample = S.two_cluster(100.0, share=0.25, width=0.1, high=2.0).sample(10, rng())
    assert (sample[:7] >= 0.02).all()
    assert (sample[:7] <= 0.022).all()
    assert (sample[7:] >= 1.8).all()
    assert (sample[7:] <= 2.0).all()
    assert S.two_cluster(100.0, 0.25).atoms(10) == [(0.01, 0.7), (1.0, 0.3)]


def test_outliers_are_there_once_each():
    bulk = S.uniform(0.0, 1.0)
    spectrum = S.spiked((7.0, -2.0), bulk)
    sample = spectrum.sample(50, rng())
    assert (sample[0], sample[-1]) == (-2, 7)
    assert distance(sample[1:-1], stats.uniform.cdf) < 1.95 / math.sqrt(48)
    assert (spectrum.low, spectrum.high) == (-2, 7)
    assert spectrum.moment(2, dim=50) == pytest.approx((48 / 3 + 4 + 49) / 50)
    assert (spectrum.sample(2, rng()) == [-2, 7]).all()
    assert spectrum.density(0.5, dim=50) == pytest.approx(48 / 50)


def test_indefinite_has_its_number_of_negative_ones():
    spectrum = S.indefinite(negative=3, magnitudes=S.log_uniform(1e3))
    for i in range(5):
        sample = spectrum.sample(8, rng(i))
        assert (sample < 0).sum() == 3
        assert (abs(sample) >= 1e-3).all()
        assert (np.diff(sample) >= 0).all()
    # Which of them are negative is drawn.
    first = [abs(spectrum.sample(8, rng(i))).argmax() for i in range(40)]
    assert 0.1 < np.mean([k == 0 for k in first]) < 0.7
    mean = (1 - 1e-3) / math.log(1e3)
    assert spectrum.moment(1, dim=8) == pytest.approx(mean * 2 / 8)
    assert spectrum.density(-0.5, dim=8) == pytest.approx(3 / 8 / 0.5 / math.log(1e3))
    places, weights = spectrum.nodes(5, dim=8)
    assert weights[places < 0].sum() == pytest.approx(3 / 8)
    assert (spectrum.low, spectrum.high, spectrum.condition) == (-1, 1, pytest.approx(1e3))


# -- against matrices made in full -------------------------------------------------------


def dense_wishart(dim, rows, generator):
    x = generator.standard_normal((rows, dim))
    return np.linalg.eigvalsh(x.T @ x / rows)


def dense_goe(dim, generator):
    x = generator.standard_normal((dim, dim))
    return np.linalg.eigvalsh((x + x.T) / 2 / math.sqrt(2 * dim))


@pytest.mark.parametrize(
    ("spectrum", "dense"),
    [
        (S.wishart(0.5), lambda g: dense_wishart(4, 8, g)),
        (S.wishart(1.0), lambda g: dense_wishart(4, 4, g)),
        (S.wishart(2.0), lambda g: dense_wishart(4, 2, g)),
        (S.shifted_goe(0.0, 1.0), lambda g: dense_goe(4, g)),
    ],
    ids=["tall", "square", "wide", "goe"],
)
def test_tridiagonal_models_are_small_matrices_too(spectrum, dense):
    generator = np.random.default_rng(5)
    ours = np.array([spectrum.sample(4, rng(i)) for i in range(3000)])
    full = np.array([dense(generator) for _ in range(3000)])
    for k in range(4):
        if not ours[:, k].any():
            np.testing.assert_allclose(full[:, k], 0, atol=1e-14)
            continue
        assert stats.ks_2samp(ours[:, k], full[:, k]).pvalue > 1e-3
    gaps = np.diff(ours, axis=1)[:, -1], np.diff(full, axis=1)[:, -1]
    assert stats.ks_2samp(*gaps).pvalue > 1e-3  # depends on how they repel each other


def test_second_moments_of_small_matrices():
    # E tr W² = d n (d + n + 1) / n² and E tr G² = d (d + 1) / 2: real ones have the + 1.
    wishart = [np.sum(S.wishart(0.5).sample(3, rng(i)) ** 2) for i in range(4000)]
    expected = 3 * 6 * (3 + 6 + 1) / 36
    assert abs(np.mean(wishart) - expected) < 4 * np.std(wishart) / 4000**0.5
    goe = [np.sum(S.shifted_goe(0.0, 6**0.5).sample(3, rng(i)) ** 2) for i in range(4000)]
    assert abs(np.mean(goe) - 6) < 4 * np.std(goe) / 4000**0.5


# -- rotations and members ---------------------------------------------------------------


def test_haar_matrices_have_haars_moments():
    n, count = 4, 6000
    q = np.array([S.haar(n, rng(i)) for i in range(count)])
    np.testing.assert_allclose(q @ q.swapaxes(1, 2), np.tile(np.eye(n), (count, 1, 1)), atol=1e-14)
    trace = np.trace(q, axis1=1, axis2=2)
    below, both = n * (n + 2), n * (n - 1) * (n + 2)
    # Collins and Sniady (2006), Weingarten's functions; the trace: Diaconis and Shahshahani.
    moments = {
        "mean": (q[:, 0, 0], 0),
        "square": (q[:, 1, 2] ** 2, 1 / n),
        "fourth": (q[:, 0, 1] ** 4, 3 / below),
        "row": (q[:, 0, 0] ** 2 * q[:, 0, 1] ** 2, 1 / below),
        "diagonal": (q[:, 0, 0] ** 2 * q[:, 1, 1] ** 2, (n + 1) / both),
        "cycle": (q[:, 0, 0] * q[:, 0, 1] * q[:, 1, 0] * q[:, 1, 1], -1 / both),
        "trace": (trace, 0),
        "trace squared": (trace**2, 1),
        "determinant": (np.linalg.det(q), 0),
    }
    for name, (values, expected) in moments.items():
        error = values.std() / count**0.5
        assert abs(values.mean() - expected) < 4 * error, name


def test_a_member_depends_on_seed_and_index_alone():
    draws = {(seed, i): S.member_rng(seed, i).normal() for seed in range(5) for i in range(5)}
    assert len(set(draws.values())) == 25
    assert S.member_rng(3, 4).normal() == draws[3, 4]
    # As documented: the generators that NumPy would spawn.
    spawned = np.random.SeedSequence(3).spawn(5)[4]
    assert np.random.Generator(np.random.Philox(spawned)).normal() == draws[3, 4]
    # No pair of large numbers is another pair's: words are not run together.
    wide = [(1 + (5 << 32), 7), (1, 5 + (7 << 32)), (1, 5), (1 + (5 << 32), 0), (2**64 - 1, 0)]
    assert len({S.member_rng(*pair).normal() for pair in wide}) == 5


def test_members_share_no_numbers_with_starts():
    ours = S.member_rng(0, 0).uniform(size=1000)
    starts = np.asarray(fo.starts.Uniform(0.0, 1.0, 1000, seed=0)).ravel()
    assert not np.isin(ours, starts).any()


# -- objects -----------------------------------------------------------------------------

EACH = [S.get(name) for name in S.names()]


@pytest.mark.parametrize("spectrum", EACH, ids=lambda s: s.name)
def test_every_spectrum_is_a_small_immutable_object(spectrum):
    for dim in (1, 2, 30):
        sample = spectrum.sample(dim, rng())
        assert sample.shape == (dim,)
        assert sample.dtype == np.float64
        assert (np.diff(sample) >= 0).all()
    assert (spectrum.sample(30, rng()) == sample).all()
    assert eval(repr(spectrum), vars(S)) == spectrum
    assert pickle.loads(pickle.dumps(spectrum)) == spectrum
    assert getattr(S, spectrum.name) is type(spectrum)
    with pytest.raises(FrozenInstanceError):
        spectrum.name = "other"
    places, weights = spectrum.nodes(3, dim=30)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    beyond = 10.0 if spectrum.repels else 0.0  # there are none of a matrix further out
    assert places.min() >= spectrum.low - beyond
    assert places.max() <= min(spectrum.high + beyond, 1e3)


def test_condition_is_that_of_the_ends():
    assert S.log_uniform(condition=1e4).condition == 1e4
    assert S.marchenko_pastur(0.25).condition == pytest.approx(9)
    assert S.wishart(0.25).condition == pytest.approx(9)
    assert S.shifted_goe(3.0, 2.0).condition == pytest.approx(5)
    assert S.two_cluster(50.0).condition == 50
    for none in (S.uniform(0.0, 1.0), S.marchenko_pastur(1.0), S.shifted_goe(1.0, 2.0)):
        assert none.condition == math.inf


def test_degenerate_spectra_are_points():
    for spectrum in (S.log_uniform(1.0, high=2.0), S.uniform(2.0, 2.0)):
        assert spectrum.atoms() == [(2.0, 1.0)]
        assert (spectrum.sample(3, rng()) == 2.0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: S.log_uniform(0.5), r"condition=0\.5: must be finite and >= 1 .*greatest"),
        (lambda: S.log_uniform(high=0), r"high=0: must be finite and > 0 "),
        (lambda: S.two_cluster(0.99), r"condition=0\.99: must be finite and >= 1"),
        (lambda: S.two_cluster(share=1.5), r"share=1\.5: must be <= 1"),
        (lambda: S.two_cluster(2.0, width=0.5), r"width=0\.5: must be <= .* 0\.33.*overlap"),
        (lambda: S.uniform(-1.0), r"low=-1\.0: must be finite and >= 0 .*indefinite"),
        (lambda: S.uniform(2.0, 1.0), r"high=1\.0: must be finite and >= 2 .*low=2"),
        (lambda: S.exponential(-1.0), r"scale=-1\.0: must be finite and > 0"),
        (lambda: S.marchenko_pastur(0.0), r"ratio=0\.0: must be finite and > 0 .*columns"),
        (lambda: S.wishart(-1), r"ratio=-1: must be finite and > 0"),
        (lambda: S.marchenko_pastur(1, math.nan), r"variance=nan: must be finite"),
        (lambda: S.shifted_goe(radius=0), r"radius=0: must be finite and > 0"),
        (lambda: S.power_law(-1.0), r"alpha=-1\.0: must be finite and >= 0"),
        (lambda: S.spiked((1.0, math.inf)), "outliers=.* must be finite"),
        (lambda: S.indefinite(-1), "negative=-1: must be >= 0"),
        (lambda: S.indefinite(1, S.shifted_goe(0.0)), "magnitudes=.* must have low >= 0, not -1"),
        (lambda: S.indefinite(4).sample(3, rng()), "dim=3: must be >= 4 .*negative"),
        (lambda: S.spiked((1, 2, 3)).sample(2, rng()), "dim=2: must be >= 3 .*outliers"),
        (lambda: S.uniform().sample(0, rng()), "dim=0: must be >= 1"),
        (lambda: S.power_law().moment(1), "dim=None: power_law.*give dim="),
        (lambda: S.indefinite().nodes(2), "dim=None: indefinite.*give dim="),
        (lambda: S.haar(0, rng()), "dim=0: must be >= 1"),
        (lambda: S.member_rng(-1, 0), "seed=-1: must be >= 0"),
        (lambda: S.get("log_unifrom"), "did you mean .*log_uniform"),
    ],
)
def test_bad_numbers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: S.log_uniform("1e4"), "condition='1e4': must be a number"),
        (lambda: S.uniform().sample(3, 0), "rng=0: must be a numpy.random.Generator.*member_rng"),
        (lambda: S.uniform().sample(2.5, rng()), "dim=2.5: must be a whole number"),
        (lambda: S.spiked("a"), "outliers='a': must be a number or"),
        (lambda: S.spiked(()), r"outliers=\(\): must be .*at least one"),
        (lambda: S.spiked(1.0, bulk=3), "bulk=3: must be a spectrum"),
        (lambda: S.indefinite(1, None), "magnitudes=None: must be a spectrum"),
        (lambda: S.haar(2, None), "rng=None: must be a numpy.random.Generator"),
        (lambda: S.get("uniform", lo=1), "'lo': uniform has no such parameter; it has low, high"),
    ],
)
def test_wrong_types_are_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()
