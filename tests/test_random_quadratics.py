"""Ensembles of quadratics: their members, the ways to run on them, and theory beside both."""

import functools
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from oracles import same_bits
from scipy import sparse

import fastopt as fo
import fastopt.slices
from fastopt.kernels import tile
from fastopt.kernels.expressions import Names
from fastopt.kernels.parts import Watch
from fastopt.kernels.separate import is_separate
from fastopt.spectra import member_rng
from fastopt.surfaces import quadratic_ways

S = fo.spectra
WIDE = S.log_uniform(condition=100.0)
FIELDS = ("x", "fun", "grad_norm", "steps", "status", "trajectory", "trajectory_fun")
_rng = np.random.default_rng(5)


@functools.cache
def ensemble(dim, count=6, rotation="haar", minimizer="normal", spectrum=WIDE, seed=3):
    return fo.RandomQuadratics(dim, count, spectrum, rotation, seed, minimizer)


def normals(*shape):
    return np.random.default_rng(11).normal(size=shape)


def reflected(dim, rng):
    """Stewart's product of reflections, matrix by matrix."""
    turn, signs, numbers = np.eye(dim), np.ones(dim), rng.standard_normal(dim * (dim + 1) // 2)
    for k in range(dim - 1):
        x, numbers = numbers[: dim - k], numbers[dim - k :]
        v = np.zeros(dim)
        v[k:] = x
        v[k] += math.copysign(np.linalg.norm(x), x[0])
        turn = turn @ (np.eye(dim) - 2 * np.outer(v, v) / (v @ v))
        signs[k] = -math.copysign(1, x[0])
    signs[-1] = math.copysign(1, numbers[0])
    return turn * signs


# -- members -----------------------------------------------------------------------------


def test_members_and_ensembles_have_what_surfaces_have():
    family, x = ensemble(5), normals(3, 5)
    assert family.eigenvalues is family.eigenvalues  # not drawn again
    for i, member in enumerate(family):
        np.testing.assert_array_equal(member.eigenvalues, family.eigenvalues[i])
        assert member.condition == family.condition[i] == member.lipschitz / member.strong_convexity
        assert same_bits(family.minima[i], member.minima)
        assert same_bits(family.hessian(x)[i], member.hessian(x))
    given = fo.Quadratic(family[2].matrix)
    np.testing.assert_allclose(given.eigenvalues, family.eigenvalues[2], rtol=1e-12)
    assert ensemble(5, spectrum=S.indefinite(), minimizer=None).minima.shape == (6, 0, 5)
    got = fo.surfaces.get("random_quadratics", dim=5, count=6, seed=3)
    assert isinstance(got, fo.RandomQuadratics)
    assert got.count == 6
    with pytest.raises(TypeError, match=r"first\(n\)"):
        family[1:3]
    with pytest.raises(TypeError, match="needs dim and count"):
        fo.surfaces.get("random_quadratics")


def test_a_singular_matrix_is_convex_to_its_rounding():
    b = normals(3, 6)
    surface = fo.Quadratic(b.T @ b)
    assert (surface.fun_min, surface.convex, surface.condition) == (0.0, True, math.inf)
    assert len(surface.minima) == 0
    assert (surface.eigenvalues[:3] == 0).all()
    small = fo.Quadratic([[1.0, 0.5], [0.5, 0.25 - 1e-10]])
    assert not small.convex
    assert math.isnan(small.fun_min)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: fo.Quadratic(np.eye(2), "a"), TypeError, "minimizer has dtype <U1"),
        (lambda: fo.Quadratic(np.eye(2), [1j, 0]), TypeError, "minimizer has dtype complex128"),
        (lambda: fo.Quadratic([[1], [1, 2]]), ValueError, "matrix is ragged"),
        (lambda: fo.Quadratic(sparse.eye_array(2)), TypeError, r"matrix .*\.toarray\(\)"),
    ],
)
def test_what_is_no_matrix_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


@pytest.mark.parametrize("rotation", ["haar", "axis"])
def test_a_member_is_the_quadratic_that_seed_and_index_make(rotation):
    family = ensemble(7, rotation=rotation)
    for i in (0, 4):
        rng = member_rng(3, i)
        values, centre = WIDE.sample(7, rng), rng.standard_normal(7)
        turn = reflected(7, rng) if rotation == "haar" else np.eye(7)
        surface = family[i]
        matrix = turn * values @ turn.T
        np.testing.assert_allclose(surface.matrix, matrix, rtol=0, atol=1e-14)
        np.testing.assert_array_equal(surface.minimizer, centre)
        np.testing.assert_array_equal(family.eigenvalues[i], values)
        np.testing.assert_array_equal(family.minimizers[i], centre)
        assert family.condition[i] == values.max() / values.min()
        x = normals(4, 7)
        away = x - centre
        half = 0.5 * np.einsum("ki,ij,kj->k", away, matrix, away)
        np.testing.assert_allclose(surface.value(x), half, rtol=1e-13)
        np.testing.assert_allclose(family.value(x)[i], half, rtol=1e-13)
        np.testing.assert_allclose(family.gradient(x)[i], away @ matrix, rtol=0, atol=1e-13)
        assert surface.minima.tolist() == [centre.tolist()]
        assert (surface.strong_convexity, surface.lipschitz) == (values.min(), values.max())


def test_members_do_not_depend_on_how_many_there_are():
    few, many = ensemble(9, 6), ensemble(9, 10**12)
    assert same_bits(few[5].matrix, many[5].matrix)
    assert len({m.matrix.tobytes() for m in few}) == 6
    assert not np.array_equal(few[5].matrix, ensemble(9, 6, seed=4)[5].matrix)
    assert same_bits(many[-1].matrix, many[10**12 - 1].matrix)
    assert same_bits(pickle.loads(pickle.dumps(few))[2].matrix, few[2].matrix)


def test_the_first_members_are_those_of_the_whole():
    for minimizer in (None, "normal", normals(6, 7)):
        family = fo.RandomQuadratics(7, 6, WIDE, seed=3, minimizer=minimizer)
        few = family.first(2)
        assert len(few) == 2
        assert same_bits(few[1].matrix, family[1].matrix)
        assert same_bits(few.minimizers, family.minimizers[:2])
    assert fo.warmup(fo.Adam(), ensemble(7, 10**12)) < 60
    with pytest.raises(ValueError, match="count=7: must be <= 6"):
        family.first(7)


def test_points_of_their_own_and_points_for_all():
    family, x = ensemble(5), normals(6, 2, 5)
    own = family.value(x)
    assert own.shape == (6, 2)
    for i in range(6):
        assert same_bits(own[i], family[i].value(x[i]))
        assert same_bits(family.gradient(x[0])[i], family[i].gradient(x[0]))


# -- the ways ----------------------------------------------------------------------------

RULES = {
    "gradient_descent": fo.GradientDescent(0.9),
    "nesterov": fo.Nesterov(0.5),
    "adam": fo.Adam(0.1),
    "newton": fo.Newton(),
}
SLOW = functools.partial(pytest.param, marks=pytest.mark.slow)
RECORD = fo.Record(every=7)
STOP = fo.Stop(gradient=1e-2, distance=1e-2)


def go(rule, family, starts, path=None, **options):
    options = {"max_steps": 60, "record": RECORD, "stop": STOP, "seed": 8} | options
    return fo.run(rule, family, starts, path=path, **options)


def plain(rule, family, starts, i):
    """Iterates on member i, by NumPy, from the formulas of the papers."""
    surface = family[i]
    x, v, s = starts.copy(), np.zeros_like(starts), np.zeros_like(starts)
    yield x
    for t in range(1, 61):
        there = x + 0.9 * v if rule == "nesterov" else x
        g = (there - surface.minimizer) @ surface.matrix
        if rule == "gradient_descent":
            x = x - 0.9 * g
        elif rule == "nesterov":
            v = 0.9 * v - 0.5 * g
            x = x + v
        else:
            v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g * g
            x = x - 0.1 * (v / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        yield x


@pytest.mark.parametrize("rule", ["gradient_descent", "nesterov", "adam"])
@pytest.mark.parametrize("path", quadratic_ways.PATHS)
def test_each_way_takes_the_steps_of_the_rule(rule, path):
    turned = path == "eigenbasis" and rule == "adam"
    family, starts = ensemble(7, rotation="axis" if turned else "haar"), normals(3, 7)
    runs = go(RULES[rule], family, starts, path, stop=None)
    assert (runs.path, runs.metadata["path"], runs.x.shape) == (path, path, (6, 3, 7))
    for i in (0, 5):
        iterates = [x for t, x in enumerate(plain(rule, family, starts, i)) if t % 7 == 0]
        np.testing.assert_allclose(runs.trajectory[:, i], iterates, rtol=0, atol=1e-12)
        for x, fun in zip(iterates, runs.trajectory_fun[:, i], strict=True):
            np.testing.assert_allclose(fun, family[i].value(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "dim"),
    [("gradient_descent", 1), SLOW("adam", 3), ("gradient_descent", 7), ("nesterov", 7),
     SLOW("newton", 7), ("adam", 40)],
)  # fmt: skip
def test_shared_and_own_matrices_have_the_same_bits(rule, dim):
    family, starts = ensemble(dim), normals(6, 2, dim)
    shared, own = (go(RULES[rule], family, starts, path) for path in ("shared", "own"))
    for name in FIELDS:
        assert same_bits(getattr(shared, name), getattr(own, name))
    single = go(RULES[rule], family[4], starts[4], "shared")
    assert same_bits(single.trajectory, shared.trajectory[:, 4])
    assert single.path == "shared"


@pytest.mark.parametrize(
    ("rule", "dim"),
    [("gradient_descent", 3), ("gradient_descent", 40), ("nesterov", 7), SLOW("newton", 7)],
)
def test_the_eigenbasis_agrees_to_rounding(rule, dim):
    family, starts = ensemble(dim), normals(40, dim)
    dense, turned = (go(RULES[rule], family, starts, path) for path in ("shared", "eigenbasis"))
    np.testing.assert_array_equal(turned.steps, dense.steps)
    np.testing.assert_array_equal(turned.status, dense.status)
    for name in ("x", "fun", "grad_norm", "trajectory", "trajectory_fun"):
        np.testing.assert_allclose(getattr(turned, name), getattr(dense, name), rtol=0, atol=1e-12)
    # With eigenvalues for a tile, and with those of each run.
    own = go(RULES[rule], family, starts[:1], "eigenbasis")
    assert same_bits(own.trajectory[:, :, 0], turned.trajectory[:, :, 0])
    assert same_bits(turned.trajectory[0], np.broadcast_to(starts, (6, 40, dim)))


@pytest.mark.parametrize("noise", [None, fo.noise.gaussian(0.1)])
def test_along_the_axes_all_ways_have_the_same_bits(noise):
    family, starts = ensemble(7, rotation="axis"), normals(2, 7)
    one, *others = (
        go(RULES["adam"], family, starts, path, noise=noise) for path in quadratic_ways.PATHS
    )
    for other in others:
        for name in FIELDS:
            assert same_bits(getattr(one, name), getattr(other, name))


CHOICES = [
    (fo.GradientDescent(0.1), {}, 1, "eigenbasis"),
    (fo.GradientDescent(0.1), {}, 100, "eigenbasis"),
    (fo.GradientDescent(0.1), {"noise": fo.noise.gaussian(0.1)}, 1, "own"),
    (fo.GradientDescent(0.1), {"noise": fo.noise.gaussian(0.1)}, 100, "shared"),
    (fo.Adam(0.1), {}, 1, "own"),
    (fo.Adam(0.1), {}, 100, "shared"),
    (fo.BFGS(), {}, 100, "shared"),
    (fo.Langevin(0.1, 0.1), {}, 1, "own"),
]


@pytest.mark.parametrize(
    ("rule", "options", "each", "path"),
    CHOICES,
    ids=[f"{r.name}-{'noisy' if o else 'exact'}-{n}" for r, o, n, _ in CHOICES],
)
def test_the_cheapest_way_is_chosen(rule, options, each, path):
    def chosen(family, noise=None):
        return family.way(None, rule, noise, each).name

    assert chosen(ensemble(7), **options) == path
    assert chosen(ensemble(7, rotation="axis"), **options) == "eigenbasis"
    assert chosen(ensemble(3), **options) == ("shared" if each > 1 else "own")
    # A given matrix has eigenvectors with roundings of their own.
    given = fo.Quadratic(ensemble(7)[0].matrix)
    assert chosen(given, **options) == ("shared" if each > 1 else "own")
    given = fo.Quadratic(ensemble(20)[0].matrix)
    assert chosen(given, **options) == path


SEPARATE = {
    "rates": fo.GradientDescent(np.geomspace(0.01, 1.5, 40)),
    "schedule": fo.EMAMomentum(fo.schedules.Cosine(0.5, steps=70), debias=True),
    "point": fo.Nesterov(0.3),
}


@pytest.mark.parametrize("name", SEPARATE)
@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
def test_one_coordinate_after_the_other_changes_no_bit(name, own):
    # 7 coordinates, of which a window of 32 steps fills the norms several times.
    rule, starts = SEPARATE[name], normals(40, 7)
    family = ensemble(7, 40 if own else 1)
    starts = starts[:, None] if own else starts
    rule = fo.GradientDescent(rule.learning_rate[:, None]) if own and name == "rates" else rule
    separate, staged = (
        fo.run(rule, family, starts, max_steps=75, stop=stop, path="eigenbasis")
        for stop in (fo.Stop(gradient=0.05), fo.Stop(gradient=0.05, distance=0.0))
    )
    assert 0 < separate.success.mean() < 1 or separate.steps.min() < separate.steps.max()
    for field in ("x", "fun", "grad_norm", "steps", "status"):
        assert same_bits(getattr(separate, field), getattr(staged, field))
    parts = family.way("eigenbasis", rule, None, 1).parts
    names = [Names(rule.parts(), parts, False, fused=False) for _ in range(2)]
    assert is_separate(names[0], Watch(gradient=True))
    assert not is_separate(names[1], Watch(gradient=True, distance=True))


def test_a_given_matrix_can_be_run_in_its_eigenbasis():
    surface, starts = ensemble(20)[1], normals(3, 20)
    given = fo.Quadratic(surface.matrix, surface.minimizer)
    runs = [go(RULES["nesterov"], given, starts, path) for path in quadratic_ways.PATHS]
    for other in runs[:2]:
        np.testing.assert_array_equal(other.steps, runs[2].steps)
        np.testing.assert_allclose(other.x, runs[2].x, rtol=0, atol=1e-12)
    diagonal = fo.Quadratic(np.diag([3.0, 1.0, 2.0]))
    assert same_bits(
        *(go(RULES["adam"], diagonal, starts[:, :3], p).x for p in ("eigenbasis", "own"))
    )


@pytest.mark.slow
def test_single_precision_in_every_way():
    family, starts = ensemble(7), normals(40, 7)
    exact = go(RULES["nesterov"], family, starts, "own", stop=None)
    runs = {
        path: go(RULES["nesterov"], family, starts, path, stop=None, dtype="float32")
        for path in quadratic_ways.PATHS
    }
    for found in runs.values():
        assert found.x.dtype == np.float32
        np.testing.assert_allclose(found.trajectory, exact.trajectory, rtol=0, atol=2e-5)
    assert same_bits(runs["shared"].x, runs["own"].x)


# -- ends --------------------------------------------------------------------------------


def test_divergence_in_the_eigenbasis_is_that_along_the_axes():
    family, starts = ensemble(12, 30), normals(2, 12)
    rates = np.linspace(1.5, 2.6, 30)[:, None]
    dense, turned = (
        go(fo.GradientDescent(rates), family, starts, path, stop=fo.Stop(escape=50.0), max_steps=99)
        for path in ("own", "eigenbasis")
    )
    assert 5 < (dense.status == fo.Status.DIVERGED).sum() < 55
    np.testing.assert_array_equal(turned.status, dense.status)
    np.testing.assert_array_equal(turned.steps, dense.steps)
    np.testing.assert_allclose(turned.x, dense.x, rtol=1e-11)
    np.testing.assert_allclose(turned.trajectory, dense.trajectory, rtol=1e-9, atol=1e-12)


def test_what_is_far_along_an_eigenvector_only_has_not_escaped():
    family = ensemble(12, 4, minimizer=None)
    # Beyond escape along its eigenvector, and within it along each axis.
    vectors = [np.linalg.eigh(member.matrix)[1][:, 0] for member in family]
    starts = np.array([6.0 * vector for vector in vectors])[:, None]
    stop = fo.Stop(gradient=1e-3, escape=1.01 * np.abs(starts).max())
    runs = go(fo.GradientDescent(0.5), family, starts, "eigenbasis", stop=stop, max_steps=5000)
    assert runs.success.all()
    bad = starts.copy()
    bad[1, 0, 3], bad[2] = np.nan, np.inf
    runs = go(fo.GradientDescent(0.5), family, bad, "eigenbasis", stop=stop, max_steps=5000)
    assert runs.success.ravel().tolist() == [True, False, False, True]
    assert (runs.steps[1:3] == 0).all()


@pytest.mark.parametrize("path", quadratic_ways.PATHS)
@pytest.mark.parametrize("stop", [fo.Stop(distance=0.1), fo.Stop(value=0.01)])
def test_runs_stop_at_their_own_minimum(path, stop):
    family, starts = ensemble(7), normals(40, 7)
    runs = go(RULES["gradient_descent"], family, starts, path, stop=stop, max_steps=500)
    assert runs.success.all()
    off = np.linalg.norm(runs.x - family.minimizers[:, None], axis=-1)
    assert (off <= 0.1).all() if stop.distance else (runs.fun <= 0.01).all()
    before = [
        go(RULES["gradient_descent"], family[i], starts[:1], path, stop=None, record=None,
           max_steps=int(runs.steps[i, 0]) - 1)
        for i in range(6)
    ]  # fmt: skip
    for i, one in enumerate(before):
        distance = np.linalg.norm(one.x[0] - family.minimizers[i])
        assert distance > 0.1 if stop.distance else one.fun[0] > 0.01


def test_targets_are_reached_at_the_same_steps_in_every_way():
    family, starts = ensemble(7, 30), normals(2, 7)
    rule = fo.GradientDescent(np.linspace(0.5, 2.6, 30)[:, None])
    options = {"stop": fo.Stop(escape=50.0), "targets": [1.0, 0.3, 1e-2], "max_steps": 99}
    steps = [
        go(rule, family, starts, path, **options).target_steps for path in ("own", "eigenbasis")
    ]
    assert steps[0].shape == (30, 2, 3)
    assert {-1, 0, 1} < set(steps[0].ravel())
    np.testing.assert_array_equal(*steps)


# -- shapes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "rate", "shape"),
    [
        ((7,), (), (6,)),
        ((4, 7), (), (6, 4)),
        ((6, 4, 7), (), (6, 4)),
        ((6, 7), (), (6, 6)),
        ((3, 4, 7), (), (6, 3, 4)),
        ((6, 3, 4, 7), (4,), (6, 3, 4)),
        ((4, 7), (6, 1), (6, 4)),
        ((4, 7), (6, 5, 1), (6, 5, 4)),
        ((7,), (6, 2), (6, 2)),
        ((4, 7), (5, 1), (6, 5, 4)),
        ((6, 4, 7), (6, 4), (6, 4)),
        ((0, 7), (), (6, 0)),
    ],
)
def test_the_count_stands_in_front(starts, rate, shape):
    family, points = ensemble(7), normals(*starts)
    rates = np.random.default_rng(1).uniform(0.1, 0.9, rate)
    runs = go(fo.GradientDescent(rates), family, points, stop=None, max_steps=3, record=None)
    assert runs.x.shape == (*shape, 7)
    own = len(starts) > 2 and starts[0] == 6
    for i in range(6):
        rates_i = rates[i] if len(rate) > 1 and rate[0] == 6 else rates
        points_i = points[i] if own else points
        one = go(fo.GradientDescent(rates_i), family[i], points_i, stop=None, max_steps=3,
                 record=None)  # fmt: skip
        assert same_bits(np.broadcast_to(one.x, (*shape[1:], 7)), runs.x[i])


def test_lazy_starts_serve_every_member():
    starts = fo.starts.Normal([0.0] * 7, 1.0, n=5, seed=4)
    lazy, whole = (go(RULES["adam"], ensemble(7), s) for s in (starts, np.asarray(starts)))
    assert same_bits(lazy.trajectory, whole.trajectory)
    grid = fo.starts.Grid([-1, -1, -1], [1, 1, 1], (2, 3, 2))
    assert go(RULES["adam"], ensemble(3), grid).x.shape == (6, 2, 3, 2, 3)


def test_labelled_results_name_the_members():
    pytest.importorskip("xarray")
    data = go(RULES["adam"], ensemble(7), normals(4, 7)).to_xarray()
    assert data["steps"].dims == ("surface", "run")
    assert data["trajectory"].dims == ("step", "surface", "run", "coordinate")
    assert data.attrs["path"] == "own"


# -- the same bits -----------------------------------------------------------------------


@pytest.mark.parametrize("path", quadratic_ways.PATHS)
@pytest.mark.parametrize("noise", [None, fo.noise.gaussian(0.05)])
def test_bits_depend_on_nothing_else(path, noise, monkeypatch):
    if noise and path == "eigenbasis":
        pytest.skip("noise is along the axes")
    family, starts = ensemble(7, 40), normals(5, 7)
    options = {"path": path, "noise": noise, "stop": fo.Stop(gradient=0.3, distance=0.3)}
    nesterov = functools.partial(go, RULES["nesterov"], family, starts, **options)
    reference = nesterov()
    assert len(np.unique(reference.steps)) > 5
    for threads in (1, 3):
        monkeypatch.setattr(fastopt.slices, "_LEAST_SHARED", 0)
        runs = nesterov(threads=threads)
        assert same_bits(runs.trajectory, reference.trajectory)
    for name, value in (("_SLICE_BYTES", 1), ("_MEMBER_BYTES", 1)):
        monkeypatch.setattr(fastopt.slices, name, value)
        assert same_bits(nesterov().trajectory, reference.trajectory)
    monkeypatch.setattr(tile, "_TILE_BYTES", 1 << 20)
    runs = nesterov()
    assert same_bits(runs.steps, reference.steps)
    assert same_bits(runs.x, reference.x)
    part = go(RULES["nesterov"], ensemble(7, 9), starts, **options)
    assert same_bits(part.x, reference.x[:9])


def test_noise_of_the_hessians_covariance_is_each_members_own():
    family = ensemble(7, 5, minimizer=None)
    noise = fo.noise.gaussian(1.0, "hessian")
    runs = go(fo.GradientDescent(1e-6), family, np.zeros((4000, 7)), noise=noise, max_steps=1,
              stop=None, record=None)  # fmt: skip
    assert runs.path == "shared"
    for i in range(5):
        found = np.cov(runs.x[i].T / 1e-6)
        np.testing.assert_allclose(found, family[i].matrix, rtol=0, atol=0.1)
    with pytest.raises(ValueError, match="path='own': must be None or 'shared' with noise="):
        go(fo.GradientDescent(0.1), family, np.zeros((4, 7)), "own", noise=noise)


def test_memory_holds_few_members_at_a_time(monkeypatch):
    family = fo.RandomQuadratics(100, 10**6, WIDE)
    assert family[999_999].matrix.shape == (100, 100)
    family = fo.RandomQuadratics(100, 300, WIDE)
    go(fo.Adam(0.1), family[0], np.zeros((1, 100)), "own", record=None, max_steps=1)
    monkeypatch.setattr(fastopt.slices, "_MEMBER_BYTES", 1 << 20)
    monkeypatch.setattr(quadratic_ways, "_KEPT_BYTES", 1 << 20)
    tracemalloc.start()
    try:
        go(fo.Adam(0.1), family, np.zeros((1, 100)), record=None, max_steps=1, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16e6  # all matrices together are 24 MB, with their triangles 36


# -- theory ------------------------------------------------------------------------------


def test_the_mean_loss_of_a_thousand_surfaces_is_the_theorys():
    dim, spectrum = 60, S.marchenko_pastur(ratio=0.5)
    family = fo.RandomQuadratics(dim, 1000, spectrum, seed=6)
    starts = np.random.default_rng(2).normal(size=(1000, 1, dim))
    rule = fo.Momentum(0.4, momentum=0.3)
    runs = fo.run(rule, family, starts, max_steps=40, stop=None, record=fo.Record(every=1))
    predicted = fo.theory.expected_loss(rule, spectrum, 40, dim=dim)
    losses = runs.trajectory_fun[..., 0]
    error = losses.std(axis=1) / math.sqrt(1000)
    assert (np.abs(losses.mean(axis=1) - predicted) < 4 * error).all()
    noisy = fo.run(rule, family, starts, max_steps=40, stop=None, record=fo.Record(every=1),
                   noise=fo.noise.gaussian(0.2))  # fmt: skip
    predicted = fo.theory.expected_loss(rule, spectrum, 40, noise_std=0.2, dim=dim)
    losses = noisy.trajectory_fun[..., 0]
    error = losses.std(axis=1) / math.sqrt(1000)
    assert (np.abs(losses.mean(axis=1) - predicted) < 4 * error).all()


def test_halting_times_concentrate_as_the_dimension_grows():
    spectrum, rule, spread = S.wishart(ratio=0.5), fo.GradientDescent(0.5), []
    for dim in (16, 64, 256):
        family = fo.RandomQuadratics(dim, 100, spectrum, rotation="axis", seed=1)
        starts = np.random.default_rng(3).normal(size=(100, 1, dim)) / math.sqrt(dim)
        runs = fo.run(rule, family, starts, stop=fo.Stop(gradient=1e-3))
        assert runs.success.all()
        spread.append(runs.steps.std() / runs.steps.mean())
    predicted = fo.theory.halting_time(rule, S.marchenko_pastur(ratio=0.5), gradient=1e-3)
    assert abs(runs.steps.mean() / predicted - 1) < 0.05
    # Like a mean over the dimensions, whose spread halves where they are four times as many.
    assert spread[0] > 1.5 * spread[1] > 2.25 * spread[2]


# -- bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"dim": 0}, ValueError, "dim=0: must be >= 1"),
        ({"count": 0}, ValueError, "count=0: must be >= 1"),
        ({"count": 2.5}, TypeError, "count=2.5: must be a whole number"),
        ({"spectrum": "wide"}, TypeError, r"spectrum='wide': must be one such as"),
        ({"spectrum": S.spiked(outliers=[1.0] * 9)}, ValueError, "dim=7: must be >= 9"),
        ({"rotation": "none"}, ValueError, "rotation='none': must be 'haar' or 'axis'"),
        ({"seed": -1}, ValueError, "seed=-1: must be >= 0"),
        (
            {"minimizer": [0.0] * 6},
            ValueError,
            r"shape \(6,\).*must be \(7,\)",
        ),
        ({"minimizer": [np.nan] * 7}, ValueError, "minimizer holds nan or inf"),
        ({"minimizer": "random"}, ValueError, "minimizer='random': must be an array"),
    ],
)
def test_bad_ensembles_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        fo.RandomQuadratics(**({"dim": 7, "count": 6} | options))


def test_bad_runs_are_refused():
    family, starts = ensemble(7), normals(2, 7)
    with pytest.raises(ValueError, match="path='eigen': must be None or one of eigenbasis, sha"):
        go(fo.Adam(), family, starts, "eigen")
    with pytest.raises(ValueError, match="adam must commute with rotations, which it does not"):
        go(fo.Adam(), family, starts, "eigenbasis")
    with pytest.raises(ValueError, match=r"noise=Gaussian.* must not be given"):
        go(fo.GradientDescent(), family, starts, "eigenbasis", noise=fo.noise.gaussian(0.1))
    with pytest.raises(ValueError, match="path='own': must be None for Bowl"):
        go(fo.Adam(), fo.Bowl(), normals(2, 2), "own")
    with pytest.raises(ValueError, match="the last axis must be 7 long"):
        go(fo.Adam(), family, normals(2, 6))
    saddles = ensemble(7, spectrum=S.indefinite(negative=1))
    for stop in (fo.Stop(value=0.1), fo.Stop(distance=0.1)):
        with pytest.raises(ValueError, match="known"):
            go(fo.Adam(), saddles, starts, stop=stop)
    with pytest.raises(IndexError, match="6: must be from 0 to 5"):
        family[6]
    with pytest.raises(TypeError, match=r"0\.5: must be a whole number"):
        family[0.5]


def test_too_many_members_to_list_are_refused():
    with pytest.raises(MemoryError, match="ask a smaller ensemble"):
        fo.RandomQuadratics(100, 10**12).eigenvalues  # noqa: B018
