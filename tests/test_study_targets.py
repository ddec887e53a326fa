"""A study's counts of targets, against whole recorded ways."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import fastopt as fo

STARTS = fo.starts.Uniform(-5, 5, n=200, seed=4, dim=2)
TARGETS = [1e-3, 100.0, 1.0, 0.0]
OPTIONS = {"max_steps": 60, "stop": fo.Stop(gradient=1.0)}


@pytest.fixture(scope="module")
def study():
    rules = {"descent": fo.GradientDescent([0.001, 0.01, 0.5])}
    return fo.Study(rules, [fo.Himmelblau()], STARTS, targets=TARGETS, **OPTIONS)


@pytest.fixture(scope="module")
def result(study):
    return study.run(chunk=10**6)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.5])
@pytest.mark.parametrize("target", range(4))
def test_counts_of_a_target(rate, target, result):
    rule = fo.GradientDescent(rate)
    runs = fo.run(rule, fo.Himmelblau(), STARTS, record=fo.Record(every=1), **OPTIONS)
    kinds = {"converged": Counter(), "diverged": Counter(), "censored": Counter()}
    kinds["stopped"] = Counter()
    ended = {
        fo.Status.CONVERGED: "stopped",
        fo.Status.MAX_STEPS: "censored",
        fo.Status.DIVERGED: "diverged",
    }
    for k in range(STARTS.n):
        way = runs.trajectory_fun[: runs.steps[k] + 1, k]
        met = [step for step, value in enumerate(way) if value <= TARGETS[target]]
        if met:
            kinds["converged"][met[0]] += 1
        else:
            kinds[ended[fo.Status(runs.status[k])]][int(runs.steps[k])] += 1
    counts = result.counts(target=target, learning_rate=rate)
    for name, wanted in kinds.items():
        numbers = getattr(counts, name)
        there = numbers > 0
        found = zip(counts.steps[there].tolist(), numbers[there].tolist(), strict=True)
        assert dict(found) == dict(wanted), name
    assert counts.runs == 200


def test_every_outcome_is_there(result):
    for kind in ("converged", "diverged", "censored", "stopped"):
        cells = [
            result.counts(target=target, learning_rate=rate)
            for target in range(4)
            for rate in (0.001, 0.01, 0.5)
        ]
        assert sum(getattr(counts, kind).sum() for counts in cells) > 20


@pytest.mark.parametrize("dense", [True, False])
def test_chunks_merge_to_the_same_bits(dense, study, result, monkeypatch, tmp_path):
    if not dense:
        monkeypatch.setattr("fastopt.study.counting._MOST_DENSE", 10)
    monkeypatch.setattr("fastopt.study.work._MOST_RUNS", 67)
    assert study.run(tmp_path, chunk=110).digest == result.digest
    assert fo.study.load(tmp_path).digest == result.digest


def test_labelled_targets(result):
    data = result.to_xarray()
    assert np.array_equal(data.target, TARGETS)
    cell = data.sel(learning_rate=0.01).isel(rule=0, surface=0)
    counts = result.counts(target=0, learning_rate=0.01)
    assert cell.target_success_rate[0] == counts.converged.sum() / 200
    other = result.counts(target=1, learning_rate=0.01)
    assert cell.target_median_steps[1] == np.repeat(other.steps, other.converged)[99]


def test_bad_targets_are_refused_before_any_work():
    for targets in ([-1.0], [np.nan], []):
        with pytest.raises(ValueError, match="targets"):
            fo.Study(["adam"], [fo.Bowl()], 3, targets=targets)
    unknown = fo.surfaces.from_sympy("x**2")
    with pytest.raises(ValueError, match="minimum"):
        fo.Study(["adam"], [unknown], 3, targets=[1.0])
