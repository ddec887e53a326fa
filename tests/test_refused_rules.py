"""Rules and surfaces that would be misunderstood, and kernels that do what they must not."""

import warnings

import numpy as np
import pytest

import fastopt as fo
from fastopt.rules import FRACTION, POSITIVE, Number, Rule, flag, parameter
from fastopt.rules import base as rules_base
from fastopt.surfaces import CoordinateSurface
from fastopt.surfaces import base as surfaces_base


@pytest.fixture(autouse=True)
def own_registries(monkeypatch):
    monkeypatch.setattr(rules_base, "registry", dict(rules_base.registry))
    monkeypatch.setattr(surfaces_base, "registry", dict(surfaces_base.registry))


def step(p, c, x, g, s):
    return x - p[0] * g


def define(annotations=None, **members):
    members = {"name": "odd", "update": staticmethod(step)} | members
    annotations = {"learning_rate": Number} | (annotations or {})
    members.setdefault("learning_rate", parameter(0.1, POSITIVE))
    return type("Odd", (Rule,), members | {"__annotations__": annotations})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"update": None}, "must define update"),
        ({"name": "Not Snake"}, "snake_case"),
        ({"learning_rate": 0.1}, "must be declared by parameter"),
        ({"terms": staticmethod(step)}, "need combine"),
        ({"prepare": staticmethod(step)}, "need combine"),
        ({"uses_value": True}, "need combine"),
        ({"combine": staticmethod(step)}, "combine needs terms"),
    ],
)
def test_incomplete_rules_are_refused_when_defined(members, message):
    with pytest.raises(TypeError, match=message):
        define(**members)


def test_the_learning_rate_comes_first_and_flags_last():
    beta = {"beta": parameter(0.9, FRACTION)}
    with pytest.raises(TypeError, match="learning_rate must be the first"):
        type(
            "Odd",
            (Rule,),
            {
                "name": "odd",
                "update": staticmethod(step),
                **beta,
                "learning_rate": parameter(0.1, POSITIVE),
                "__annotations__": {"beta": Number, "learning_rate": Number},
            },
        )
    with pytest.raises(TypeError, match="flags must come after"):
        define({"nesterov": bool, "beta": Number}, nesterov=flag(False), **beta)


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match=r"'adam' is taken by fastopt\.rules\.adam\.adam\.Adam"):
        define(name="adam")


def test_a_kernel_cannot_print():
    def loud(p, c, x, g, s):
        print(x)
        return x

    with pytest.raises(TypeError, match="cannot print"):
        fo.run(define(update=staticmethod(loud))(), fo.Sphere(1), [[1.0]], max_steps=1)


def test_a_kernel_that_raises_is_an_error_and_no_result():
    def picky(p, c, x, g, s):
        if x > 3.0:
            raise ValueError
        return x - p[0] * g

    rule = define(update=staticmethod(picky))()
    with pytest.raises(RuntimeError, match="raised an exception inside a kernel"):
        fo.run(rule, fo.Sphere(1), [[1.0], [4.0]], max_steps=3, stop=None)


def test_what_cannot_be_followed_is_not_kept(monkeypatch):
    class Box:
        pass

    box = Box()
    box.value = 1.0

    def opaque(p, c, x, g, s, box=box):
        return x - p[0] * g

    from fastopt.kernels import compile as compiler

    with pytest.raises(compiler.UnknownValueError, match="Box"):
        compiler.fingerprint(opaque)


class Shared(CoordinateSurface):
    """More numbers shared than summed: f = (sum of squares)^2 / 2."""

    name = "test_shared"
    sums, shared = 1, 3

    def __init__(self, dim):
        super().__init__(dim, [-1.0, 1.0], [[0.0]], 0.0)

    @staticmethod
    def terms(q, x, right, i, n):
        return (x * x,)

    @staticmethod
    def total(q, sums, n):
        return 0.5 * (sums[0] * sums[0])

    @staticmethod
    def share(q, sums, n):
        return sums[0], 0.5 * sums[0], 2.0

    @staticmethod
    def partial(q, shared, left, x, right, i, n):
        return (0.5 * shared[0] + shared[1]) * shared[2] * x


del fo.surfaces.base.registry[Shared.name]  # not to be listed in other tests


@pytest.mark.parametrize("dim", [3, 6])
def test_a_surface_may_share_more_than_it_sums(dim):
    x = np.random.default_rng(3).uniform(-1, 1, (40, dim))
    expected = 2 * (x * x).sum(-1, keepdims=True) * x
    np.testing.assert_allclose(Shared(dim).gradient(x), expected, rtol=1e-14)


def test_parameters_stay_in_their_range_when_rounded():
    with pytest.raises(ValueError, match=r"beta2=1\.0: must be in .* rounded to float32"):
        fo.run(fo.Adam(beta2=0.99999999), fo.Bowl(), [[1.0, 1.0]], dtype="float32")


def test_a_lazy_batch_against_parameters_stays_in_pieces(monkeypatch):
    asked = []
    plain = fo.starts.Uniform.chunk
    monkeypatch.setattr(
        fo.starts.Uniform, "chunk", lambda self, a, b: asked.append(b - a) or plain(self, a, b)
    )
    monkeypatch.setattr("fastopt.slices._MOST_RUNS", 1000)
    starts = fo.starts.Uniform(-1, 1, n=2500, dim=2)
    rates = np.array([[0.1], [0.2], [0.3]])
    runs = fo.run(fo.GradientDescent(rates), fo.Bowl(), starts, max_steps=3)
    assert max(asked) <= 1000
    whole = fo.run(fo.GradientDescent(rates), fo.Bowl(), np.asarray(starts), max_steps=3)
    np.testing.assert_array_equal(runs.x, whole.x)


def test_defaults_of_helpers_work():
    def halved(g, factor=0.5):
        return factor * g

    def gentle(p, c, x, g, s):
        return x - p[0] * halved(g)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fo.kernels.cache.CacheWarning)
        runs = fo.run(
            define(update=staticmethod(gentle))(), fo.Sphere(1), [[1.0]], max_steps=1, stop=None
        )
    assert runs.x[0, 0] == 0.9
