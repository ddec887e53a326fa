"""``fastopt stats --theory``: losses and halting times beside those of theory."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import fastopt as fo
from fastopt.cli import main
from fastopt.commands import beside_theory

SPECTRUM = "marchenko_pastur:ratio=0.5"
FAMILY = ["random_quadratics", "--dim", 30, "--count", 400, "--spectrum", SPECTRUM]
RULES = "gradient_descent:learning_rate=0.4,momentum:learning_rate=0.4:momentum=0.3"


@pytest.fixture
def answer(capsys):
    """Runs the command; gives what it printed, which fits a terminal."""

    def run(*arguments):
        status = main(["stats", *map(str, arguments), "--theory"])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        if "--json" not in arguments:
            assert max(map(len, [line for line in out.splitlines() if "/" not in line])) <= 80
        return out

    return run


def facts_of(text):
    return json.loads(text, parse_constant=pytest.fail)


def losses(row, name):
    return np.array([line[name] for line in row["theory"]["losses"]], float)


def within(row, expected, errors=4.0):
    """The means of the runs are so near to what is expected."""
    off = np.abs(losses(row, "mean") - expected) / losses(row, "standard_error")
    assert off.max() < errors


def test_the_losses_are_those_of_runs_and_of_theory(answer):
    options = ["--max-steps", 60, "--stop-gradient", 0.1, "--seed", 2, "--starts", 2]
    facts = facts_of(answer(RULES, *FAMILY, *options, "--json"))
    spectrum = fo.spectra.marchenko_pastur(ratio=0.5)
    family = fo.RandomQuadratics(30, 400, spectrum)
    starts = np.asarray(fo.starts.Normal(0.0, 1.0, 800, 2, dim=30)).reshape(400, 2, 30)
    rules = (fo.GradientDescent(0.4), fo.Momentum(0.4, momentum=0.3))
    for row, rule in zip(facts["rules"], rules, strict=True):
        at = losses(row, "step").astype(int)
        assert at.tolist() == [0, 1, 2, 5, 10, 20, 50, 60]
        expected = fo.theory.expected_loss(rule, spectrum, steps=60, dim=30)
        np.testing.assert_array_equal(losses(row, "theory"), expected[at])
        within(row, expected[at])
        runs = fo.run(
            rule, family, starts, max_steps=60, stop=None, record=fo.Record(steps=at.tolist())
        )
        f = runs.trajectory_fun
        for name, share in (("q05", 0.05), ("median", 0.5), ("q95", 0.95)):
            quantile = np.quantile(f.reshape(len(at), -1), share, axis=1, method="inverted_cdf")
            np.testing.assert_array_equal(losses(row, name), quantile)
        np.testing.assert_allclose(losses(row, "mean"), f.mean(axis=(1, 2)), rtol=1e-13)
        # Two runs on the same surface are no independent sample of surfaces.
        of_members = f.mean(axis=2).std(axis=1, ddof=1) / 20
        np.testing.assert_allclose(losses(row, "standard_error"), of_members, rtol=1e-12)
        halting = fo.theory.halting_time(rule, spectrum, gradient=0.1, max_steps=60, dim=30)
        assert row["theory"]["halting_time"] == halting
        assert abs(row["median"]["value"] / halting - 1) < 0.2
        assert row["theory"]["path"] == "eigenbasis"


@pytest.mark.parametrize(
    ("noise", "count"), [("gaussian:std=0.2", 400), ("gaussian:std=0.2:covariance=hessian", 40)]
)
def test_noise_is_in_the_theory(answer, noise, count):
    rule = "momentum:learning_rate=0.4:momentum=0.3"
    options = ["--max-steps", 50, "--no-stop", "--noise", noise, "--seed", 5, "--json"]
    (row,) = facts_of(answer(rule, *FAMILY, "--count", count, *options))["rules"]
    given = {"noise_std": 0.2, "covariance": "hessian" if "hessian" in noise else None}
    spectrum = fo.spectra.marchenko_pastur(ratio=0.5)
    rule = fo.Momentum(0.4, momentum=0.3)
    expected = fo.theory.expected_loss(rule, spectrum, steps=50, dim=30, **given)
    at = losses(row, "step").astype(int)
    np.testing.assert_array_equal(losses(row, "theory"), expected[at])
    within(row, expected[at])
    silent = fo.theory.expected_loss(rule, spectrum, steps=50, dim=30)
    assert losses(row, "mean")[-1] > 1.5 * silent[-1]
    assert row["theory"]["halting_time"] is None


def test_a_given_quadratic_with_starts_on_its_bounds(answer):
    surface = ["quadratic", "--matrix", "2,0.5;0.5,1", "--minimizer", "3,-4", "--starts", 2000]
    options = ["--max-steps", 10, "--stop-value", 0.5, "--json"]
    (row,) = facts_of(answer("sgd:learning_rate=0.2", *surface, *options))["rules"]
    # f = x'Ax/2 of uniform coordinates in [-10, 10], of variance 100/3.
    step = np.eye(2) - 0.2 * np.array([[2, 0.5], [0.5, 1]])
    at = losses(row, "step").astype(int)
    powers = [np.linalg.matrix_power(step, t) for t in at]
    expected = [0.5 * 100 / 3 * np.trace(p @ [[2, 0.5], [0.5, 1]] @ p) for p in powers]
    np.testing.assert_allclose(losses(row, "theory"), expected, rtol=1e-12)
    within(row, expected)
    every = [
        0.5 * 100 / 3 * np.trace((p := np.linalg.matrix_power(step, t)) @ [[2, 0.5], [0.5, 1]] @ p)
        for t in range(11)
    ]
    assert row["theory"]["halting_time"] == np.argmax(np.array(every) <= 0.5)


def test_criteria_together_and_one_that_theory_does_not_know(answer):
    few = ["random_quadratics", "--dim", 4, "--count", 3, "--max-steps", 40, "--json"]
    rule = "sgd:learning_rate=0.9"
    both = [*few, "--stop-value", 1e-2, "--stop-gradient", 1e-2]
    (row,) = facts_of(answer(rule, *both))["rules"]
    given = {"spectrum": fo.spectra.log_uniform(condition=100.0), "dim": 4, "max_steps": 40}
    times = [
        fo.theory.halting_time(fo.SGD(0.9), **given, **{name: 1e-2})
        for name in ("value", "gradient")
    ]
    assert times[0] < times[1]
    assert row["theory"]["halting_time"] == min(times)
    (row,) = facts_of(answer(rule, *both, "--stop-distance", 0.1))["rules"]
    assert row["theory"]["halting_time"] is None
    assert facts_of(answer(rule, *few))["rules"][0]["theory"]["halting_time"] is None  # inf


def test_the_table(answer):
    out = answer(RULES, *FAMILY, "--max-steps", 1000, "--stop-gradient", 0.1)
    lines = out.splitlines()
    first = lines.index("momentum: losses of 400 runs that took all steps")
    assert lines[first + 1].split() == ["step", "5%", "median", "95%", "mean", "s.e.", "theory"]
    assert lines[first + 2].split()[::6] == ["0", "15"]
    assert lines[first + 12].split()[0] == "1,000"
    halting = fo.theory.halting_time(
        fo.Momentum(0.4, momentum=0.3), fo.spectra.marchenko_pastur(0.5), gradient=0.1, dim=30
    )
    assert lines[first + 13].startswith("median halting time ")
    assert lines[first + 13].endswith(f"; by theory {halting:.0f}")
    single = answer("sgd", "random_quadratics", "--count", 1, "--dim", 3, "--max-steps", 5)
    assert "by theory never" in single
    row = next(line for line in single.splitlines() if line.startswith("   5  "))
    assert row.split()[5] == "-"  # nothing is known of one member's standard error


@pytest.mark.parametrize(
    ("last", "steps"),
    [
        (0, [0]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (200, [0, 1, 2, 5, 10, 20, 50, 100, 200]),
        (1001, [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1001]),
    ],
)
def test_steps_of_the_table(last, steps):
    assert beside_theory.shown_steps(last) == steps


def test_standard_errors_of_tiny_losses_do_not_vanish():
    values = np.array([[1.0], [3.0]])
    mean, error = beside_theory._mean(values)
    np.testing.assert_allclose((mean, error), (2.0, 1.0))
    tiny = beside_theory._mean(1e-200 * values)
    np.testing.assert_allclose(tiny, (2e-200, 1e-200))
    assert beside_theory._mean(np.zeros((3, 1))) == (0.0, 0.0)
    assert math.isnan(beside_theory._mean(np.array([[1.0], [np.inf]]))[1])


def test_bands_are_drawn(answer, tmp_path, monkeypatch):
    from fastopt import plot_ensembles, plot_statistics

    drawn = []

    def keep(*arguments, **options):
        drawn.append(plot_ensembles.loss_band(*arguments, **options))
        return drawn[-1]

    monkeypatch.setattr(plot_statistics, "loss_band", keep)
    path = tmp_path / "band.png"
    out = answer(RULES, *FAMILY, "--max-steps", 60, "--plot", path)
    assert out.endswith(f"wrote {path}\n")
    assert path.stat().st_size > 15_000
    titles = [ax.get_title(loc="left") for ax in drawn[0].axes]
    assert titles == ["gradient_descent", "momentum"]
    lines = {line.get_label(): line for line in drawn[0].axes[1].lines}
    spectrum = fo.spectra.marchenko_pastur(ratio=0.5)
    expected = fo.theory.expected_loss(fo.Momentum(0.4, momentum=0.3), spectrum, 60, dim=30)
    steps, loss = lines["theory: mean"].get_data()
    assert len(steps) > 40
    np.testing.assert_array_equal(loss, expected[np.asarray(steps, int)])


FEW = "random_quadratics --dim 5 --count 3"
REFUSED = [
    (f"adam {FEW}", "must be one that this theory is known for: fo.GradientDescent, fo.Momentum"),
    (f"sgd,adam {FEW}", "rule=Adam("),
    ("sgd bowl", "--theory: the surface must be random_quadratics or quadratic: Bowl()"),
    ("sgd x**2+y**2", "--theory: the surface must be random_quadratics or quadratic"),
    (f"sgd {FEW} --spectrum exponential", "spectrum=exponential(scale=1.0): must be bounded"),
    (f"sgd {FEW} --start 1,1,1,1,1", "--theory: must have starts that are drawn"),
    (f"sgd {FEW} --noise student_t:df=3", "--theory: --noise student_t:df=3: must be such as"),
    (f"sgd {FEW} --noise gaussian:std=1,1,1,1,1", "must be such as gaussian:std=0.1"),
]


@pytest.mark.parametrize(("line", "words"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_theory_does_not_know_is_refused_before_any_run(line, words, capsys, monkeypatch):
    monkeypatch.setattr(fo, "run", pytest.fail)
    assert main(["stats", *line.split(), "--theory"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fastopt stats: ")
    assert error.count("\n") == 1
    assert words in error


def test_all_rules_are_known_to_theory_before_any_curve_is_computed(capsys, monkeypatch):
    exact = fo.theory.expected_loss

    def first_step(*arguments, steps, **options):
        assert steps == 0
        return exact(*arguments, steps=steps, **options)

    monkeypatch.setattr(fo.theory, "expected_loss", first_step)
    assert main(["stats", "sgd,adam", *FEW.split(), "--theory"]) == 2
    assert "rule=Adam(" in capsys.readouterr().err


def test_what_diverges_is_told(answer):
    few = ["random_quadratics", "--dim", 4, "--count", 9, "--max-steps", 3000, "--no-stop"]
    (row,) = facts_of(answer("sgd:learning_rate=30", *few, "--json"))["rules"]
    last = row["theory"]["losses"][-1]
    assert (last["step"], last["theory"]) == (3000, None)  # inf, for which JSON has no word
    assert row["diverged"]["value"] == 1
    out = answer("sgd:learning_rate=30", *few)
    assert "inf" in out
    assert "9 runs diverged, and count with their last loss" in out
    assert "diverged, and" not in answer("sgd", *few)
