"""Measures of basins, against naive oracles and what is known exactly."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

import fastopt as fo
from fastopt.basins import entropy
from fastopt.basins.estimate import power_law, ratio

HIMMELBLAU, NEWTON, QUARTIC = fo.Himmelblau(), fo.Newton(), fo.HarmonicQuartic()


@pytest.fixture(scope="module")
def newton():
    return fo.basin_map(NEWTON, QUARTIC, shape=1024)


@pytest.fixture(scope="module")
def smooth():
    return fo.basin_map(fo.GradientFlow(), HIMMELBLAU, shape=256)


@pytest.fixture(scope="module")
def painted(smooth):
    """``painted(labels)``: a map of two attractors with these labels."""

    def paint(labels):
        labels = np.asarray(labels, np.int32)
        found = smooth.found.take(np.arange(2))
        return replace(smooth, labels=labels, steps=np.abs(labels) + 7, found=found)

    return paint


def naive_entropies(labels, box):
    """The entropy of Daza et al. (2016), box by box."""
    rows, columns = labels.shape
    found = []
    for i in range(0, rows - box + 1, box):
        for j in range(0, columns - box + 1, box):
            counts = Counter(labels[i : i + box, j : j + box].ravel().tolist())
            shares = [n / box**2 for n in counts.values()]
            found.append(-sum(p * math.log(p) for p in shares))
    return np.array(found)


# -- fractions and times -----------------------------------------------------------------


def test_fractions_have_wilsons_intervals(smooth):
    shares = smooth.fractions(confidence=0.9)
    assert shares.value.sum() == pytest.approx(1)
    assert shares.value[[-1, -2]].tolist() == [0, 0]
    for k, count in enumerate(np.bincount(smooth.labels.ravel(), minlength=6)):
        expected = binomtest(int(count), smooth.labels.size).proportion_ci(0.9, "wilson")
        assert (shares.low[k], shares.high[k]) == pytest.approx(expected, abs=1e-12)
    text = repr(shares)
    assert "minimum at (3, 2)" in text
    assert "90% interval" in text
    assert max(map(len, text.splitlines())) <= 80


def test_diverged_and_unresolved_stand_at_the_end(painted):
    basins = painted([[0, 0, 0, -1], [1, 1, -2, -1]])
    shares = basins.fractions()
    np.testing.assert_array_equal(shares.counts, [3, 2, 1, 2])
    np.testing.assert_allclose(shares.value, [3 / 8, 2 / 8, 1 / 8, 2 / 8])
    times = basins.times()
    np.testing.assert_array_equal(times.counts, [3, 2, 1, 2])
    np.testing.assert_array_equal(times.mean, [7, 8, 9, 8])
    np.testing.assert_array_equal(times.most, [7, 8, 9, 8])


def test_times_are_those_of_each_basin(smooth):
    times = smooth.times()
    for k in range(4):
        own = smooth.steps[smooth.labels == k]
        assert times.counts[k] == len(own)
        assert times.mean[k] == pytest.approx(own.mean())
        assert times.error[k] == pytest.approx(own.std(ddof=1) / math.sqrt(len(own)))
        half = np.sort(own)[-(-len(own) // 2) - 1]
        assert (times.median[k], times.most[k]) == (half, own.max())
    assert (times.counts[4:] == 0).all()
    assert (times.median[4:] == -1).all()
    assert max(map(len, repr(times).splitlines())) <= 80


# -- entropy -----------------------------------------------------------------------------


@pytest.mark.parametrize("box", [2, 5, 7])
def test_entropies_are_those_of_the_boxes_one_by_one(box):
    labels = np.random.default_rng(box).integers(-2, 3, (23, 31)).astype(np.int32)
    labels[:12, :15] = 1
    found = entropy.of_boxes(labels, box).ravel()
    expected = naive_entropies(labels, box)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert entropy.basin_entropy(labels, box).value == pytest.approx(expected.mean())
    mixed = expected[expected > 0]
    assert entropy.boundary_entropy(labels, box).value == pytest.approx(mixed.mean())


def test_a_map_of_one_basin_has_no_entropy(painted):
    basins = painted(np.zeros((70, 70)))
    assert basins.entropy().value == 0
    assert math.isnan(basins.boundary_entropy().value)
    test = basins.fractal_test()
    assert (test.discs, test.fractal) == (0, False)
    assert math.isnan(basins.uncertainty_exponent().exponent.value)
    assert math.isnan(basins.box_dimension().dimension.value)
    assert basins.wada_test().wada is False


def test_the_jackknife_knows_the_error_of_a_mean():
    values = np.random.default_rng(0).normal(3.0, 2.0, (120, 120))
    found = ratio(values, np.ones_like(values))
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(2 / 120, rel=0.35)
    assert found.low < 3 < found.high
    # Of parts of equal weight it is the standard error of their means.
    means = values.reshape(6, 20, 6, 20).mean(axis=(1, 3))
    assert found.error == pytest.approx(means.std(ddof=1) / 6)


def test_a_smooth_boundary_has_the_entropy_of_straight_cuts(smooth):
    # Discs that a straight line cuts at random, by numerical integration.
    d = (np.arange(20_000) + 0.5) / 20_000
    p = (np.arccos(d) - d * np.sqrt(1 - d * d)) / np.pi
    expected = np.mean(-p * np.log(p) - (1 - p) * np.log1p(-p))
    assert expected == pytest.approx(entropy.SMOOTH, abs=2e-5)
    lines = np.add.outer(np.arange(400.0) * np.sin(0.3), np.arange(400.0) * np.cos(0.3)) > 260
    straight = entropy.fractal_test(lines.astype(np.int32), 20.0)
    assert straight.entropy.value == pytest.approx(entropy.SMOOTH, abs=straight.discretisation)
    assert not straight.fractal
    test = fo.basin_map(fo.GradientFlow(), HIMMELBLAU, shape=512).fractal_test()
    assert test.entropy.low - test.discretisation < 0.4395 < test.entropy.high
    assert not test.fractal
    assert smooth.boundary_entropy().high < math.log(2)


def test_newtons_boundary_is_fractal(newton):
    assert newton.boundary_entropy().low > math.log(2)
    test = newton.fractal_test()
    assert test.fractal
    assert test.entropy.low > entropy.SMOOTH + test.discretisation


def test_results_are_numbers(smooth):
    entropy, edge = smooth.entropy(), smooth.boundary_entropy()
    assert 0 < entropy < edge < math.log(2)
    assert edge == edge.value == float(edge)
    assert np.isclose(edge, edge.value)
    assert edge.error > 0
    assert f"{edge:.3f}" == f"{edge.value:.3f}"
    alpha, dimension = smooth.uncertainty_exponent(), smooth.box_dimension()
    assert float(alpha) == alpha.value == alpha.exponent.value
    assert float(dimension) == dimension.dimension.value == -dimension.exponent.value
    assert (alpha.error, dimension.error) == (alpha.exponent.error, dimension.dimension.error)
    shares = smooth.fractions()
    assert len(shares) == 6
    assert sum(shares) == pytest.approx(1)
    assert shares[0] == shares.value[0] == np.mean(smooth.labels == 0)
    np.testing.assert_array_equal(np.asarray(shares), shares.value)
    np.testing.assert_array_equal(shares[:-2], shares.value[:-2])
    fidelity = smooth.fidelity()
    assert 0.99 < fidelity == fidelity.value <= fidelity.high
    for number in (entropy, alpha, fidelity):
        copy = pickle.loads(pickle.dumps(number))
        assert (type(copy), repr(copy)) == (type(number), repr(number))


def test_maps_are_equal_to_themselves_alone(smooth):
    assert smooth == smooth
    assert smooth != replace(smooth)
    assert len({smooth, smooth.found, smooth.fractions(), smooth.times()}) == 4


# -- dimension and Wada ------------------------------------------------------------------


def test_newtons_boundary_has_its_published_dimension(newton):
    for scaling in (newton.uncertainty_exponent(), newton.box_dimension()):
        assert scaling.dimension.low < 1.42 < scaling.dimension.high
        assert scaling.dimension.error < 0.04


def test_smooth_boundaries_have_dimension_1(smooth):
    for scaling in (smooth.uncertainty_exponent(), smooth.box_dimension()):
        assert scaling.dimension.low < 1 < scaling.dimension.high
        assert scaling.dimension.error < 0.1


def test_a_straight_boundary_scales_exactly(painted):
    half = np.zeros((128, 128))
    half[:, 64:] = 1
    scaling = painted(half).uncertainty_exponent()
    np.testing.assert_array_equal(scaling.pixels, [1, 2, 4, 8])
    # Along rows 2 eps of the columns that have two neighbours, along columns none.
    eps = scaling.pixels
    np.testing.assert_allclose(scaling.measured, 2 * eps * 128 / (2 * 128 * (128 - 2 * eps)))
    boxes = painted(half).box_dimension()
    np.testing.assert_array_equal(boxes.measured, 128 // eps)
    assert boxes.dimension.value == pytest.approx(1)


def test_a_power_law_is_recovered_with_its_error():
    x = 2 ** np.arange(7)
    weights = np.ones((7, 36))
    sums = np.repeat((3.0 * x**0.6)[:, None], 36, axis=1)
    exact = power_law(x, sums, weights)
    assert exact.value == pytest.approx(0.6)
    assert exact.error < 1e-12
    rng = np.random.default_rng(2)
    found = [power_law(x, sums * rng.lognormal(0, 0.3, sums.shape), weights) for _ in range(200)]
    spread = np.std([estimate.value for estimate in found])
    # Each error holds the chance of the parts twice, as scatter about the line too.
    assert spread < np.median([estimate.error for estimate in found]) < 2 * spread


def test_newtons_basins_are_wada_and_straight_ones_are_not(newton, smooth):
    test = newton.wada_test()
    assert (test.basins, test.share, test.wada) == ((0, 1, 2), 1.0, True)
    assert test.farthest <= 5
    assert not newton.wada_test(radius=1).wada
    other = smooth.wada_test()
    assert not other.wada
    assert other.share < 0.2
    assert 0 < other.share.error < 0.1
    assert other.farthest > 50


def test_the_wada_distance_is_that_of_the_boundaries():
    labels = np.zeros((20, 30), np.int32)
    labels[:, 10:18], labels[:, 18:] = 1, 2
    test = fo.basins.wada.wada_test(labels, 8, 0.0)
    # The boundary of 0 is in columns 9 and 10, of 1 there and in 17 and 18, of 2 in 17 and 18.
    assert (test.farthest, test.wada) == (8, True)
    assert test.share == 1
    assert not fo.basins.wada.wada_test(labels, 7, 0.0).wada
    assert fo.basins.wada.wada_test(labels, 7, 0.0).share == 0.5


# -- perturbation and fidelity -----------------------------------------------------------


def test_the_smallest_push_leads_to_the_nearest_pixel_of_another_basin(smooth):
    push = smooth.minimal_perturbation()
    x, y = np.meshgrid(smooth.x, smooth.y)
    for k, point in enumerate(smooth.attractors):
        apart = np.where(smooth.labels != k, np.hypot(x - point[0], y - point[1]), np.inf)
        assert push.length[k] == pytest.approx(apart.min())
        i, j = np.unravel_index(apart.argmin(), apart.shape)
        assert push.label[k] == smooth.labels[i, j] != k
        np.testing.assert_allclose(push.target[k], [x[i, j], y[i, j]])
    assert push.error == pytest.approx(math.hypot(*smooth.spacing) / 2)


def test_the_smallest_push_from_a_cycle_is_that_from_its_nearest_point(painted):
    labels = np.ones((64, 64), np.int32)
    labels[:, 40:] = 0
    made = painted(labels)
    low, high = np.array([-3.0, 0.0]), np.array([5.0, 4.0])
    cycles = replace(made.found.take(np.arange(1)), orbits=(np.stack([low, high]),))
    push = replace(made, found=cycles).minimal_perturbation()
    x, y = np.meshgrid(made.x, made.y)
    away = [np.where(labels != 0, np.hypot(x - p[0], y - p[1]), np.inf).min() for p in (low, high)]
    assert away[0] < away[1]
    assert push.length[0] == pytest.approx(away[0])
    assert push.label[0] == 1


def test_a_push_is_nan_where_the_attractor_is_not_in_the_window(smooth):
    zoomed = smooth.zoom([[2, 4], [1, 3]], 32)
    assert zoomed.found.matched == ("minima[0]",)
    push = zoomed.minimal_perturbation()
    assert (push.length[0], push.label[0]) == (np.inf, -3)
    away = smooth.zoom([[0, 1], [1, 2]], 32)
    assert np.isnan(away.minimal_perturbation().length).all()


def test_fidelity_is_the_share_that_ends_where_the_flow_ends(smooth):
    assert smooth.fidelity().value == 1
    crude = fo.basin_map(fo.GradientDescent(0.01), HIMMELBLAU, shape=256)
    fidelity = crude.fidelity()
    agree = crude.labels == smooth.labels  # both have the surface's own numbering
    assert fidelity.value == pytest.approx(agree.mean())
    np.testing.assert_array_equal(fidelity.same, agree)
    interval = binomtest(int(agree.sum()), agree.size).proportion_ci(0.95, "wilson")
    assert (fidelity.low, fidelity.high) == pytest.approx(interval)
    for k in range(4):
        assert fidelity.by_basin[k] == pytest.approx(agree[smooth.labels == k].mean())
    assert 0.5 < fidelity.value < 1
    assert crude.fidelity(smooth).value == fidelity.value


def test_the_fidelity_of_a_cloud_is_that_of_its_starts():
    starts = np.asarray(fo.starts.Uniform(-6, 6, 500, dim=2))
    flow, rule = (
        fo.basin_fractions(r, HIMMELBLAU, starts)
        for r in (fo.GradientFlow(), fo.GradientDescent(0.01))
    )
    assert rule.fidelity(flow).value == (rule.labels == flow.labels).mean()
    with pytest.raises(ValueError, match="is of 100 starts: must be of the same 500"):
        rule.fidelity(fo.basin_fractions(fo.GradientFlow(), HIMMELBLAU, starts[:100]))


def test_attractors_are_matched_by_place_and_not_by_number(smooth):
    other = smooth.found.take(np.array([2, 0]))
    unnamed = replace(other, matched=("", ""))
    labels = np.full(smooth.shape, -2, np.int32)
    labels[smooth.labels == 2], labels[smooth.labels == 0] = 0, 1
    labels[smooth.labels == 1] = -1
    for found in (other, unnamed):
        fidelity = replace(smooth, labels=labels, found=found).fidelity(smooth)
        np.testing.assert_array_equal(fidelity.by_basin, [1, 0, 1, 0])
        both_out = np.full(smooth.shape, -1, np.int32)
        out = replace(smooth, labels=both_out)
        assert replace(smooth, labels=both_out, found=found).fidelity(out).value == 1
        lost = replace(smooth, labels=both_out - 1)
        assert lost.fidelity(lost).value == 0


@pytest.fixture(scope="module")
def valley():
    """Two branches of a hyperbola of minima, and the saddle between them."""
    return fo.basin_map(fo.GradientDescent(0.05), fo.ScalarFactorisation(), shape=64)


def test_flat_regions_are_matched_by_what_they_cover(valley):
    coarse = fo.basin_map(fo.GradientDescent(0.04), fo.ScalarFactorisation(), shape=64)
    # The best end of each branch may be any of its points.
    moved = coarse.found.points[:2] + np.array([[0.5, -0.3], [-0.5, 0.3]])
    found = replace(
        coarse.found,
        points=np.concatenate([moved, coarse.found.points[2:]]),
        matched=("", "", *coarse.found.matched[2:]),
    )
    assert valley.kinds == found.kinds == ("flat", "flat", "saddle")
    elsewhere = replace(coarse, found=found)
    x, y = np.meshgrid(valley.x, valley.y)
    sides = np.where(np.abs(x + y) < 1e-9, 2, np.where(x + y > 0, 0, 1))
    np.testing.assert_array_equal(valley.labels, sides)
    assert elsewhere.fidelity(valley).value == 1
    # A rule that always takes the other branch agrees nowhere, however even its labels are.
    crossed = replace(elsewhere, labels=np.array([1, 0, 2])[coarse.labels].astype(np.int32))
    assert crossed.fidelity(valley).by_basin.tolist() == [0, 0, 1]


def test_a_refined_map_of_flat_regions_is_not_wrong(valley):
    rule, surface = fo.GradientDescent(0.05), fo.ScalarFactorisation()
    refined = fo.basin_map(rule, surface, shape=64, refine=True)
    assert refined.refined
    assert refined.wrong_share(valley) == 0


# -- bad input ---------------------------------------------------------------------------


def test_what_the_measures_cannot_do_is_refused(smooth, painted):
    small = painted(np.zeros((30, 40)))
    for call, error in [
        (lambda: small.entropy(box=1), r"box=1: must be >= 2 \(entropy\)"),
        (lambda: small.entropy(box=31), r"box=31: must be <= 30, the shorter side"),
        (lambda: small.fractal_test(radius=16), "a disc must fit into the map of 30 x 40"),
        (lambda: small.fractal_test(radius=1), "radius=1: must be finite and >= 2"),
        (lambda: small.uncertainty_exponent(), "30 x 40 pixels: must have 64 or more a side"),
        (lambda: small.box_dimension(), "must have 64 or more a side"),
        (lambda: small.wada_test(radius=0), "radius=0: must be >= 1"),
        (lambda: small.wada_test(least=-1), "least=-1: must be finite and >= 0"),
        (lambda: small.fractions(confidence=1), "confidence=1: must be < 1"),
        (lambda: smooth.fidelity(small), "must have the window and the shape"),
        (lambda: smooth.zoom([3, 1]), "lower than the second"),
    ]:
        with pytest.raises(ValueError, match=error):
            call()
