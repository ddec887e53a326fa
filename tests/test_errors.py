"""Bad input gets an error that says what is wrong and what would be right; nothing has run."""

from __future__ import annotations

import math
import sys
import time
import tracemalloc

import numpy as np
import pytest

import fastopt as fo

engine = sys.modules["fastopt.run"]
GD, BOWL, START = fo.GradientDescent(0.1), fo.Bowl(), [1.0, 2.0]
RULE_CLASSES = [
    fo.GradientDescent, fo.Momentum, fo.EMAMomentum, fo.Nesterov,
    fo.AdaGrad, fo.Adadelta, fo.RMSProp, fo.Adam,
]  # fmt: skip


@pytest.fixture
def idle(monkeypatch):
    """Nothing may compile or run."""

    def begun(*args, **options):
        raise AssertionError("work has begun")

    monkeypatch.setattr(engine, "Task", begun)
    monkeypatch.setattr(engine, "run_slices", begun)
    monkeypatch.setattr("fastopt.kernels.compile.compile_entry", begun)


def refuses(error, *parts):
    """The message must hold each of these parts."""
    return pytest.raises(error, match="(?s)" + "".join(f"(?=.*{part})" for part in parts))


# -- starts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "starts", [np.zeros((5, 3)), np.zeros(1), np.zeros((2, 0)), np.zeros((2, 2, 1)), 1.0]
)
def test_starts_of_the_wrong_shape(idle, starts):
    shape = str(np.shape(starts)).replace("(", r"\(").replace(")", r"\)")
    with refuses(ValueError, "starts has shape " + shape, "must be 2 long", r"Bowl\(\)"):
        fo.run(GD, BOWL, starts)
    if np.ndim(starts) == 2 and np.size(starts):
        with refuses(ValueError, r"\(9, 3\)", "2 long"):
            fo.run(GD, BOWL, fo.starts.Uniform(0, 1, 9, dim=3))


@pytest.mark.parametrize(
    ("starts", "kind"),
    [
        (np.array([[1, 2]], object), "object"),
        (np.array([["1", "2"]]), "<U1"),
        (np.array([[1, 2j]]), "complex128"),
        (np.array([[True, False]]), "bool"),
        ([[None, 1.0]], "object"),
        (np.array([["2020-01-01", "2020-01-02"]], "M8[D]"), "datetime64"),
    ],
)
def test_starts_that_are_not_real_numbers(idle, starts, kind):
    with refuses(TypeError, "starts", kind, "real numbers"):
        fo.run(GD, BOWL, starts)


def test_masked_starts(idle):
    starts = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with refuses(TypeError, "masked array", "filled"):
        fo.run(GD, BOWL, starts)


def test_ragged_starts(idle):
    with refuses(ValueError, "starts", "inhomogeneous"):
        fo.run(GD, BOWL, [[1.0, 2.0], [3.0]])


def test_integers_convert():
    runs = fo.run(GD, BOWL, [[1, 2], [3, 4]], max_steps=3, stop=None)
    floats = fo.run(GD, BOWL, [[1.0, 2.0], [3.0, 4.0]], max_steps=3, stop=None)
    assert runs.x.tobytes() == floats.x.tobytes()


def test_starts_that_are_not_finite_diverge_at_step_0():
    runs = fo.run(GD, BOWL, [[math.nan, 1.0], [1.0, -math.inf], [1.0, 1.0]], max_steps=9)
    assert [fo.Status(s).name for s in runs.status] == ["DIVERGED", "DIVERGED", "MAX_STEPS"]
    assert runs.steps.tolist() == [0, 0, 9]


def test_surface_names_both_lengths():
    for method in (BOWL.value, BOWL.gradient, BOWL.hessian):
        with refuses(ValueError, r"\(4, 3\)", "2 long", r"Bowl\(\)"):
            method(np.zeros((4, 3)))


@pytest.mark.parametrize("x", [np.array([1.0, 2j]), np.array(["1", "2"]), np.array([1, 2], object)])
def test_surface_takes_real_numbers_only(x):
    with refuses(TypeError, "x", "real numbers"):
        BOWL.value(x)


# -- parameters --------------------------------------------------------------------------


@pytest.mark.parametrize("cls", RULE_CLASSES)
@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, -math.inf])
def test_learning_rate_must_be_positive(idle, cls, rate):
    with refuses(ValueError, f"learning_rate={rate}", "must be > 0", cls.__name__):
        cls(learning_rate=rate)
    with refuses(ValueError, rf"learning_rate\[1, 0\]={rate}", "must be > 0"):
        cls(learning_rate=[[0.1], [rate]])


@pytest.mark.parametrize("cls", RULE_CLASSES)
@pytest.mark.parametrize("value", [1.0, -0.1, 2.0, math.nan, math.inf])
def test_decays_must_be_fractions_and_eps_not_negative(idle, cls, value):
    for name in cls.parameter_names():
        if name in ("momentum", "beta", "beta1", "beta2", "rho"):
            with refuses(ValueError, f"{name}={value}", r"must be in \[0, 1\)", cls.__name__):
                cls(**{name: value})
        if name == "eps" and not value >= 0:
            with refuses(ValueError, f"eps={value}", "must be >= 0"):
                cls(eps=value)


def test_infinite_parameters_are_refused_for_being_infinite(idle):
    # "inf: must be > 0" would be refused for what it is.
    with refuses(ValueError, "learning_rate=inf", "finite"):
        fo.Adam(learning_rate=math.inf)
    with refuses(ValueError, "eps=inf", "finite"):
        fo.Adam(eps=math.inf)


@pytest.mark.parametrize("value", ["0.1", None, 1j, [0.1, None], True, b"1", [[0.1], [0.2, 0.3]]])
def test_parameters_must_be_numbers(idle, value):
    for name in ("learning_rate", "beta1", "eps"):
        with refuses(TypeError, name, "must be a number", "Adam"):
            fo.Adam(**{name: value})


def test_flags_must_be_flags(idle):
    with refuses(TypeError, "debias=1", "True or False"):
        fo.EMAMomentum(debias=1)


def test_rules_do_not_change():
    rates = np.array([0.1, 0.2])
    rule = fo.Momentum(rates)
    rates[0] = -1
    assert rule.learning_rate[0] == 0.1
    with pytest.raises(AttributeError):
        rule.momentum = 2.0
    with refuses(ValueError, "read-only"):
        rule.learning_rate[0] = 2.0


@pytest.mark.parametrize(
    ("starts", "rates", "momenta", "name", "shapes"),
    [
        ((5, 2), (4,), (), "learning_rate", (r"\(4,\)", r"\(5,\)")),
        ((5, 2), (), (3, 4), "momentum", (r"\(3, 4\)", r"\(5,\)")),
        ((2,), (4,), (3,), "momentum", (r"\(3,\)", r"\(4,\)")),
        ((2, 3, 2), (2,), (), "learning_rate", (r"\(2,\)", r"\(2, 3\)")),
    ],
)
def test_parameters_that_do_not_broadcast(idle, starts, rates, momenta, name, shapes):
    rule = fo.Momentum(np.full(rates, 0.1), momentum=np.full(momenta, 0.5))
    with refuses(ValueError, name, *shapes, "broadcast"):
        fo.run(rule, BOWL, np.zeros(starts))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, "fast", None, [0.1, 0.2]])
@pytest.mark.parametrize("step", [0, 700])
def test_schedule_must_give_learning_rates(bad, step):
    rule = fo.GradientDescent(lambda t: bad if t == step else 0.1)
    error = TypeError if isinstance(bad, str | list | None) else ValueError
    with refuses(error, "learning_rate", f"at step {step}", "must be"):
        fo.run(rule, BOWL, START, max_steps=1000)


def test_error_in_a_schedule_reaches_the_caller_from_any_thread(cut):
    cut(runs=4)

    def rate(t):
        if t == 3000:
            raise ArithmeticError("no rate at 3000")
        return 0.1

    with refuses(ArithmeticError, "no rate at 3000"):
        fo.run(
            fo.GradientDescent(rate), BOWL, np.ones((40, 2)), max_steps=5000, stop=None, threads=3
        )
    used = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - used < 0.1, "a thread goes on computing"


# -- names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "wrong", "near"),
    [
        (fo.rules, "adm", "'adam'"),
        (fo.rules, "nestorov", "'nesterov'"),
        (fo.surfaces, "rosenbrok", "'rosenbrock'"),
        (fo.surfaces, "akley", "'ackley'"),
        (fo.rules, "zzz", "gradient_descent"),
        (fo.surfaces, "", "himmelblau"),
    ],
)
def test_unknown_names_come_with_the_nearest(idle, family, wrong, near):
    with refuses(ValueError, f"'{wrong}'", "no such", near):
        family.get(wrong)


def test_unknown_parameters_come_with_the_known_ones(idle):
    with refuses(TypeError, "'lr'", "adam", "learning_rate, beta1, beta2, eps"):
        fo.rules.get("adam", lr=0.1)
    with refuses(TypeError, "'n'", "rosenbrock", "dim"):
        fo.surfaces.get("rosenbrock", n=3)
    with refuses(TypeError, "5", "string"):
        fo.rules.get(5)


# -- the call ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "parts"),
    [
        ({"max_steps": -1}, ValueError, ("max_steps=-1", "must be >= 0")),
        ({"max_steps": 10**13}, ValueError, ("max_steps=10000000000000", "must be <=")),
        ({"max_steps": 10**30}, ValueError, ("max_steps=1", "must be <=")),
        ({"max_steps": 10.0}, TypeError, ("max_steps=10.0", "whole number")),
        ({"max_steps": math.nan}, TypeError, ("max_steps=nan", "whole number")),
        ({"max_steps": "10"}, TypeError, ("max_steps='10'", "whole number")),
        ({"max_steps": True}, TypeError, ("max_steps=True", "whole number")),
        ({"max_steps": None}, TypeError, ("max_steps=None", "whole number")),
        ({"threads": 0}, ValueError, ("threads=0", "must be >= 1")),
        ({"threads": 10**6}, ValueError, ("threads=1000000", "must be <=")),
        ({"threads": 1.5}, TypeError, ("threads=1.5", "whole number")),
        ({"seed": -1}, ValueError, ("seed=-1", "must be >= 0")),
        ({"seed": 0.5}, TypeError, ("seed=0.5", "whole number")),
        ({"dtype": "float16"}, ValueError, ("dtype='float16'", "float64", "float32")),
        ({"dtype": "flaot32"}, ValueError, ("flaot32", "did you mean 'float32'")),
        ({"dtype": int}, ValueError, ("dtype='int64'", "float64")),
        ({"dtype": complex}, ValueError, ("complex128", "float64")),
        ({"dtype": object}, ValueError, ("object", "float64")),
        ({"stop": 1e-8}, TypeError, ("stop=1e-08", r"fo.Stop\(gradient")),
        ({"stop": fo.Stop}, TypeError, ("stop=", "call the class")),
        ({"record": 10}, TypeError, ("record=10", r"fo.Record\(every")),
        ({"record": fo.Record(steps=[10_001])}, ValueError, ("10001", "max_steps=10000")),
        ({"noise": 0.1}, TypeError, ("noise=0.1", "fo.noise.gaussian")),
    ],
)
def test_options(idle, options, error, parts):
    with refuses(error, *parts):
        fo.run(GD, BOWL, START, **options)


def test_rule_and_surface_must_be_made(idle):
    with refuses(TypeError, "rule=", "call the class"):
        fo.run(fo.Adam, BOWL, START)
    with refuses(TypeError, "surface=", "call the class"):
        fo.run(GD, fo.Bowl, START)
    with refuses(TypeError, "rule='adam'"):
        fo.run("adam", BOWL, START)
    with refuses(TypeError, "surface="):
        fo.run(GD, lambda x: x, START)


@pytest.mark.parametrize("name", ["gradient", "value", "distance", "escape"])
def test_stop_criteria(idle, name):
    for wrong in (-1e-9, math.nan):
        with refuses(ValueError, f"{name}={wrong}", "must be >"):
            fo.Stop(**{name: wrong})
    for wrong in ("1e-8", True, [1, 2], 1j):
        with refuses(TypeError, name, "must be a number"):
            fo.Stop(**{name: wrong})
    with refuses(ValueError, "escape=0", "must be > 0"):
        fo.Stop(escape=0)


@pytest.mark.parametrize(
    ("name", "limit", "dtype", "least"),
    [
        ("gradient", 1e-170, "float64", "1.49e-154"),
        ("gradient", 1e-24, "float32", "1.08e-19"),
        ("distance", 2.5e19, "float32", "1.84e.19"),
    ],
)
def test_limits_whose_squares_cannot_be_compared(idle, name, limit, dtype, least):
    with refuses(ValueError, f"{name}={limit!r}".replace("+", "."), least, dtype):
        fo.run(GD, BOWL, START, stop=fo.Stop(**{name: limit}), dtype=dtype)


def test_criterion_needs_a_known_minimum(idle):
    saddle = fo.Quadratic([[1.0, 0.0], [0.0, -1.0]])
    with refuses(ValueError, r"Stop\(value=0.1\)", "Quadratic", "not known", "gradient="):
        fo.run(GD, saddle, START, stop=fo.Stop(value=0.1))
    with refuses(ValueError, r"Stop\(distance=0.1\)", "Quadratic", "known", "gradient="):
        fo.run(GD, saddle, START, stop=fo.Stop(distance=0.1))


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({}, ValueError, "either steps"),
        ({"steps": [1], "every": 2}, ValueError, "not both"),
        ({"steps": []}, ValueError, "at least one"),
        ({"steps": [0, -1]}, ValueError, "steps=-1"),
        ({"steps": [0.5]}, TypeError, "steps=0.5"),
        ({"steps": 5}, TypeError, "steps=5"),
        ({"steps": "12"}, TypeError, "steps='12'"),
        ({"every": 0}, ValueError, "every=0"),
        ({"every": 2.0}, TypeError, "every=2.0"),
    ],
)
def test_records(idle, options, error, part):
    with refuses(error, part):
        fo.Record(**options)


@pytest.mark.parametrize(
    "cls", [fo.Sphere, fo.Rosenbrock, fo.Rastrigin, fo.Ackley, fo.StyblinskiTang]
)
def test_dim(idle, cls):
    with refuses(ValueError, "dim=0", "must be >="):
        cls(dim=0)
    for wrong in (2.0, "2", True, None):
        with refuses(TypeError, f"dim={wrong!r}", "whole number"):
            cls(dim=wrong)


@pytest.mark.parametrize(
    ("matrix", "minimizer", "part"),
    [
        ([[1.0, 2.0]], None, r"shape \(1, 2\)"),
        ([1.0, 2.0], None, r"shape \(2,\)"),
        (np.zeros((0, 0)), None, "shape"),
        ([[1.0, 2.0], [0.0, 1.0]], None, "symmetric"),
        ([[math.nan]], None, "finite"),
        (np.eye(2), [1.0, 2.0, 3.0], r"\(3,\).*\(2,\)"),
        (np.eye(2), [math.inf, 0.0], "finite"),
    ],
)
def test_quadratic(idle, matrix, minimizer, part):
    with refuses(ValueError, part):
        fo.Quadratic(matrix, minimizer)


# -- memory ------------------------------------------------------------------------------


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr("fastopt.memory.available", lambda: 10**6)


@pytest.mark.parametrize(
    ("starts", "options", "need"),
    [
        (np.zeros((30_000, 2)), {}, r"1\.23 MB"),
        (np.zeros((1000, 2)), {"record": fo.Record(every=1), "max_steps": 99}, r"2\.44 MB"),
        (fo.starts.Uniform(0, 1, 10**13, dim=2), {}, "TB"),
    ],
)
def test_batch_larger_than_memory(idle, small_machine, starts, options, need):
    tracemalloc.start()
    try:
        with refuses(MemoryError, need, "1 MB", "memory is free", "in parts"):
            fo.run(GD, BOWL, starts, **options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10**6


def test_batch_of_ten_trillion_on_this_machine(idle):
    starts = fo.starts.Uniform(0, 1, 10**13, dim=2)
    with refuses(MemoryError, "10,000,000,000,000 runs", "410 TB", "memory is free"):
        fo.run(GD, BOWL, starts)
    plane = fo.GradientDescent(np.full((1000, 1), 0.1))
    with refuses(MemoryError, "10,000,000,000,000,000 runs", "410 PB", "memory is free"):
        fo.run(plane, BOWL, starts)


@pytest.mark.parametrize("max_steps", [10**7, 10**12])
def test_records_larger_than_memory(idle, small_machine, max_steps):
    # Not even the list of the recorded steps may be made before.
    tracemalloc.start()
    try:
        with refuses(MemoryError, "1 MB", "memory is free", "steps"):
            fo.run(GD, BOWL, START, max_steps=max_steps, record=fo.Record(every=1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10**6


def test_more_runs_than_can_be_counted(idle):
    # 4 x 2^61 runs: more than an int64 holds.
    rule = fo.GradientDescent(np.full((4, 1), 0.1))
    with refuses(MemoryError, "9,223,372,036,854,775,808 runs", "memory is free"):
        fo.run(rule, fo.Sphere(1), fo.starts.Uniform(0, 1, 2**61))


def test_runs_that_fit_are_not_refused(small_machine):
    assert fo.run(GD, BOWL, np.zeros((24_000, 2)), max_steps=0).success.all()
