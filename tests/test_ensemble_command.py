"""Ensembles, spectra and noise on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastopt as fo
from fastopt.cli import main
from fastopt.commands.objectives import spectrum_of

S = fo.spectra
SMALL = ["random_quadratics", "--dim", 7, "--count", 5]


@pytest.fixture
def answer(capsys):
    """Runs the command; gives what it printed, which fits a terminal."""

    def run(*arguments):
        status = main([*map(str, arguments)])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        if "--json" not in arguments:
            assert max(map(len, [line for line in out.splitlines() if "/" not in line])) <= 80
        return out

    return run


def as_json(text):
    return json.loads(text, parse_constant=pytest.fail)


def test_runs_are_those_of_the_ensemble(answer, tmp_path):
    path = tmp_path / "runs.npz"
    drawn = ["--spectrum", "uniform:low=1:high=3", "--rotation", "axis", "--surface-seed", 9]
    conditions = ["--starts", 2, "--seed", 4, "--max-steps", 200, "--output", path, "--json"]
    rule = ["gradient_descent", "--learning-rate", 0.3]
    facts = as_json(answer("run", *rule, *SMALL, *drawn, "--minimizer", "normal", *conditions))
    family = fo.RandomQuadratics(7, 5, S.uniform(1.0, 3.0), "axis", 9, "normal")
    saved = np.load(path)
    # Starts are normal about each member's own minimum, and no two are the same.
    away = saved["starts"] - family.minimizers[:, None]
    normal = np.asarray(fo.starts.Normal(0.0, 1.0, n=10, seed=4, dim=7)).reshape(5, 2, 7)
    np.testing.assert_allclose(away, normal, rtol=0, atol=1e-14)
    runs = fo.run(fo.GradientDescent(0.3), family, saved["starts"], max_steps=200)
    for name in ("x", "fun", "steps", "status"):
        np.testing.assert_array_equal(saved[name], getattr(runs, name))
    assert facts["outcomes"]["converged"]["runs"] == runs.success.sum() == 10
    assert (facts["dim"], facts["count"], facts["surface_seed"]) == (7, 5, 9)
    assert (facts["spectrum"], facts["rotation"]) == ("uniform(low=1.0, high=3.0)", "axis")
    assert (facts["best"], facts["path"], facts["starts"]) == (None, "eigenbasis", 10)


def test_a_first_try_needs_no_options(answer):
    facts = as_json(answer("run", "gradient_descent", "random_quadratics", "--json"))
    assert (facts["dim"], facts["count"], facts["starts"]) == (100, 1000, 1000)
    assert facts["spectrum"] == "log_uniform(condition=100.0, high=1.0)"


def test_paths_and_noise_are_those_asked_for(answer, tmp_path):
    path, options = tmp_path / "runs.npz", ["--max-steps", 40, "--seed", 3, "--no-stop"]
    noisy = ["--noise", "gaussian:std=0.1", "--path", "own", "--output", path, "--json"]
    facts = as_json(answer("run", "sgd", *SMALL, *options, *noisy))
    assert facts["path"] == "own"
    family, saved = fo.RandomQuadratics(7, 5), np.load(path)
    noise = fo.noise.gaussian(0.1)
    conditions = {"max_steps": 40, "stop": None, "seed": 3}
    rule = fo.GradientDescent()
    runs = fo.run(rule, family, saved["starts"], noise=noise, path="own", **conditions)
    np.testing.assert_array_equal(saved["x"], runs.x)
    without = fo.run(rule, family, saved["starts"], path="own", **conditions)
    assert not np.array_equal(saved["x"], without.x)


def test_mini_batches(answer, tmp_path):
    path, rows = tmp_path / "runs.npz", ["--A", "1,0;1,1;1,2", "--b", "1,3,5"]
    noise = ["--noise", "minibatch:batch_size=1:shared=true", "--no-stop", "--max-steps", 9]
    answer("run", "sgd", "least_squares", *rows, *noise, "--starts", 3, "--output", path)
    surface = fo.LeastSquares([[1, 0], [1, 1], [1, 2]], [1, 3, 5])
    drawn, saved = fo.noise.minibatch(1, shared=True), np.load(path)
    runs = fo.run(
        fo.GradientDescent(), surface, saved["starts"], max_steps=9, stop=None, noise=drawn
    )
    np.testing.assert_array_equal(saved["x"], runs.x)


def test_one_start_for_all_members(answer):
    out = answer("run", "sgd", *SMALL, "--start", ",".join("1" * 7), "--max-steps", 3)
    assert "5 runs, at most 3 steps" in " ".join(out.split())
    assert "least value" not in out


def test_statistics_of_an_ensemble(answer):
    rules = "gradient_descent:learning_rate=0.4,momentum:learning_rate=0.4,momentum=0.3"
    facts = as_json(answer("stats", rules, *SMALL, "--starts", 3, "--compare", "--json"))
    assert [row["name"] for row in facts["rules"]] == ["gradient_descent", "momentum"]
    assert facts["rules"][1]["parameters"] == {"learning_rate": 0.4, "momentum": 0.3}
    assert (facts["starts"], facts["count"]) == (15, 5)
    assert facts["rules"][0]["success"]["value"] == 1
    assert "15 runs, at most" in " ".join(answer("stats", "sgd", *SMALL, "--starts", 3).split())


@pytest.mark.parametrize(
    ("text", "spectrum"),
    [
        ("uniform", S.uniform()),
        ("log_uniform:condition=1e4", S.log_uniform(condition=1e4)),
        ("LogUniform:condition=10,high=2", S.log_uniform(condition=10.0, high=2.0)),
        ("two_cluster: condition = 9 : share=0.25", S.two_cluster(condition=9.0, share=0.25)),
        ("spiked:outliers=10,20", S.spiked(outliers=(10.0, 20.0))),
        (
            "spiked:outliers=10,20,bulk=uniform,high=2",
            S.spiked(outliers=(10.0, 20.0), bulk=S.uniform(high=2.0)),
        ),
        ("spiked:ratio=2", S.spiked(bulk=S.marchenko_pastur(ratio=2.0))),
        ("indefinite:negative=2", S.indefinite(negative=2)),
        (
            "indefinite:magnitudes=spiked:outliers=4,5:ratio=3",
            S.indefinite(magnitudes=S.spiked((4.0, 5.0), S.marchenko_pastur(ratio=3.0))),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_spectra_are_read(text, spectrum):
    assert spectrum_of(text) == spectrum


@pytest.mark.parametrize("name", S.names())
def test_every_spectrum_is_there_by_its_name(name, answer):
    assert spectrum_of(name) == S.get(name)
    assert answer("show", name).splitlines()[0]


def test_the_ensemble_is_shown(answer):
    out = answer("show", "random_quadratics")
    assert "Attributes" in out
    assert "fo.run(" not in out  # examples are for Python


REFUSED = [
    ("--spectrum nope", "'nope': no such spectrum; known: exponential, indefinite, log_uniform"),
    ("--spectrum log_unifrm", "did you mean 'log_uniform'"),
    ("--spectrum log_uniform:cond=3", "'cond': log_uniform has no such parameter; did you mean"),
    ("--spectrum spiked:low=3", "'low': marchenko_pastur has no such parameter; known: bulk"),
    ("--spectrum uniform:high", "'high': must be a parameter and its value, such as condition="),
    ("--spectrum uniform:high=x", "uniform:high=x: high=x: must be a number"),
    ("--spectrum log_uniform:condition=0.5", "condition=0.5: must be finite and >= 1"),
    ("--spectrum indefinite:negative=1.5", "negative=1.5: must be a whole number"),
    ("--spectrum spiked:outliers=1,2,3,4,5,6,7,8", "must be >= 8"),
    ("--rotation round", "rotation='round': must be 'haar' or 'axis'"),
    ("--minimizer uniform", "minimizer='uniform': must be an array, 'normal' or None"),
    ("--minimizer 1,2", "minimizer has shape (2,)"),
    ("--surface-seed -1", "seed=-1: must be >= 0"),
    ("--matrix 1", "--matrix: random_quadratics has no such option; it has --dim, --count"),
    ("--start 1,2", "1,2: has 2 coordinates, but RandomQuadratics"),
    ("--starts 1e12", "of memory is free; ask fewer, or a smaller ensemble"),
    ("--noise nope", "'nope': no such noise; known: alpha_stable, gaussian"),
    ("--noise gaussian", "gaussian: needs std, such as gaussian:std=1.5"),
    ("--noise gaussian:sd=1", "'sd': gaussian has no such parameter; did you mean 'std'"),
    ("--noise gaussian:std=a", "std=a: must be a number"),
    ("--noise gaussian:std=1:covariance=x", "covariance='x': must be a matrix or 'hessian'"),
    ("--noise minibatch:batch_size=1.5", "batch_size=1.5: must be a whole number"),
    ("--noise minibatch:batch_size=1:shared=1", "shared=1: must be true or false"),
    ("--path eigenbasis", "path='eigenbasis': adam must commute with rotations"),
    ("--path round", "--path: invalid choice: 'round'"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[a for a, _ in REFUSED])
def test_what_is_wrong_is_one_line(arguments, words, capsys):
    assert main(["run", "adam", *map(str, SMALL), *arguments.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fastopt run: ")
    assert error.count("\n") == 1
    assert words in error


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run adam bowl --count 5", "'count': bowl has no such option"),
        ("run adam bowl --path own", "path='own': must be None for Bowl()"),
        ("run adam quadratic --matrix 1 --minimizer normal", "normal: must be numbers"),
        ("plot random_quadratics", "random_quadratics: must be one surface, such as quadratic"),
        ("plot bowl --count 3", "--count: no such option"),
    ],
)
def test_surfaces_are_no_ensembles(line, words, capsys):
    assert main(line.split()) == 2
    assert words in capsys.readouterr().err
