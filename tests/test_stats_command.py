"""``fastopt stats``."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import fastopt as fo
from fastopt import statistics
from fastopt.cli import main

HIMMELBLAU = ["himmelblau", "--starts", "200", "--seed", "3", "--max-steps", "300"]


@pytest.fixture
def answer(capsys):
    """Runs the command; gives what it printed, which fits a terminal."""

    def run(*arguments):
        status = main(["stats", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        if "--json" not in arguments:
            assert max(map(len, [line for line in out.splitlines() if "/" not in line])) <= 80
        return out

    return run


@pytest.fixture(scope="module")
def runs():
    surface = fo.Himmelblau()
    starts = fo.starts.Uniform(*surface.bounds.T, n=200, seed=3)
    rules = {"gradient_descent": fo.GradientDescent(0.01), "adam": fo.Adam(0.1, beta1=0.8)}
    options = {"max_steps": 300, "record": fo.Record(every=10)}
    return {name: fo.run(rule, surface, starts, **options) for name, rule in rules.items()}


# -- the command -------------------------------------------------------------------------


def test_the_figures_are_those_of_the_statistics(answer, runs):
    rules = "gradient_descent,adam:learning_rate=0.1:beta1=0.8"
    arguments = [rules, *HIMMELBLAU, "--learning-rate", 0.01, "--compare", "--confidence", 0.9]
    facts = json.loads(answer(*arguments, "--json"), parse_constant=pytest.fail)
    assert (facts["surface"], facts["starts"], facts["max_steps"]) == ("himmelblau", 200, 300)
    for row, (name, one) in zip(facts["rules"], runs.items(), strict=True):
        assert row["name"] == name
        assert row["parameters"] == {n: getattr(one.rule, n) for n in one.rule.parameter_names()}
        assert row["success"]["value"] == one.success.mean()
        wilson = statistics.success_rate(one, confidence=0.9)
        assert (row["success"]["low"], row["success"]["high"]) == (wilson.low, wilson.high)
        steps = np.where(one.success, one.steps, np.inf)
        for key, q in (("median", 0.5), ("p90", 0.9)):
            time = np.quantile(steps, q, method="inverted_cdf")
            assert row[key]["value"] == (time if np.isfinite(time) else None)
        ert = one.steps.sum() / one.success.sum() if one.success.any() else None
        assert row["ert"]["value"] == ert
        assert row["diverged"]["value"] == 0
    (pair,) = facts["comparisons"]
    assert pair == dataclasses.asdict(statistics.compare_many(runs).rows[0])


def test_the_table(answer, runs):
    out = answer("gradient_descent,adam", *HIMMELBLAU, "--learning-rate", "0.01", "--compare")
    assert "Himmelblau(): 200 starts, at most 300 steps" in out
    assert "GradientDescent(learning_rate=0.01)" in out
    line = next(line for line in out.splitlines() if line.startswith("gradient_descent "))
    row = statistics.table(runs).rows["gradient_descent"]
    shown = [row.success, row.median, row.p90, row.ert]
    assert line.split()[1:5] == [one.text(one.value) for one in shown]
    adam = next(line for line in out.splitlines() if line.startswith("adam "))
    assert "> 300" in adam
    assert "gradient_descent and adam" in out
    assert "adjusted for the number of pairs of rules (Holm)" in out


def test_a_rule_may_be_there_twice_with_other_parameters(answer):
    out = answer("sgd:learning_rate=0.01,sgd:learning-rate=0.02", *HIMMELBLAU)
    assert "sgd:learning_rate=0.01: GradientDescent(learning_rate=0.01)" in out
    assert "sgd:learning-rate=0.02: GradientDescent(learning_rate=0.02)" in out


def test_flags_and_rules_inside_are_read(answer):
    entries = ["ema_momentum:debias=true", "lookahead:inner=sgd:learning_rate=0.02:slow_rate=0.4"]
    facts = json.loads(answer(",".join(entries), *HIMMELBLAU, "--json"))
    ema, lookahead = (row["parameters"] for row in facts["rules"])
    assert ema["debias"] is True
    assert lookahead["inner"] == "GradientDescent(learning_rate=0.02)"
    assert lookahead["slow_rate"] == 0.4


def test_a_wide_table_has_names_on_lines_of_their_own():
    counts = statistics.Counts([10**6, 10**7], [10**5, 0], [0, 0], [0, 10**5 + 1])
    text = repr(statistics.table({"a_rule_of_a_long_name:learning_rate=0.001": counts}))
    assert max(map(len, text.splitlines())) <= 80
    assert "a_rule_of_a_long_name:learning_rate=0.001" in text.splitlines()


def test_nothing_runs_before_all_rules_are_known_to(monkeypatch, capsys):
    from fastopt.commands import stats

    monkeypatch.setattr(stats, "run_as_chosen", pytest.fail)
    assert main(["stats", "sgd,adam:beta2=0.99999999", "bowl", "--dtype", "float32"]) == 2
    assert (
        "beta2=1.0: must be in [0, 1) (Adam), also when rounded to float32"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_is_written(answer, tmp_path, ending):
    path = tmp_path / f"stats.{ending}"
    out = answer("gradient_descent,adam", *HIMMELBLAU, "--learning-rate", 0.01, "--plot", path)
    assert out.endswith(f"wrote {path}\n")
    assert path.stat().st_size > 15_000
