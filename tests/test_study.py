"""A study counts what its runs do, whatever it is cut into."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_checks import STARTS, check_cell, small_study

import fastopt as fo
from fastopt.study import values
from fastopt.study.chunk_file import decode
from fastopt.study.collected import Collected
from fastopt.study.store import Manifest
from fastopt.study.work import run_chunk


@functools.cache
def whole():
    return small_study().run(chunk=10**9)


def whole_run(rule, surface, seed, **options):
    options = {"max_steps": 40, "stop": fo.Stop(gradient=1.0)} | options
    return fo.run(rule, surface, STARTS, noise=fo.noise.gaussian(0.1), seed=seed, **options)


# -- against whole batches ---------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("surface", [fo.Himmelblau(), fo.Bowl()], ids=lambda s: s.name)
def test_a_cell_counts_the_runs_of_one_batch(surface, seed):
    for rate in (0.001, 0.01, 0.5):
        runs = whole_run(fo.GradientDescent(rate), surface, seed)
        where = {"seed": seed, "learning_rate": rate}
        check_cell(whole(), runs, 0.0, "descent", surface.name, **where)
    runs = whole_run(fo.Langevin(0.002), surface, seed)
    check_cell(whole(), runs, 0.0, "langevin", surface.name, seed=seed)


def test_every_outcome_is_there():
    rows = whole().rows()
    for status in fo.Status:
        assert sum(row[status.name.lower()] for row in rows) > 100
    assert whole().runs == whole().planned == 2 * 2 * (3 + 1) * 300


def test_targets_have_every_outcome_too():
    """So that whatever happens to chunks happens to counts of targets."""
    hits = sum(
        np.array([counts.converged.sum(), counts.diverged.sum(), counts.censored.sum()])
        for surface in ("himmelblau", "bowl")
        for target in range(3)
        for counts in [whole().counts("langevin", surface, target=target)]
    )
    assert (hits[[0, 2]] > 100).all()
    fast = whole().counts("descent", "himmelblau", learning_rate=0.5, target=2)
    assert fast.diverged.sum() > 100


def test_seeds_are_taken_together():
    both = whole().counts("langevin", "bowl")
    each = [whole().counts("langevin", "bowl", seed=seed) for seed in (0, 7)]
    assert both.runs == 600
    assert both.converged.sum() == sum(one.converged.sum() for one in each)


def test_quantiles_of_the_loss_are_within_their_bins():
    runs = whole_run(fo.Langevin(0.002), fo.Himmelblau(), 7, record=fo.Record(steps=[0, 3, 40]))
    shares = [0.0, 0.1, 0.5, 1.0]
    steps, found = whole().loss_quantiles("langevin", "himmelblau", shares, seed=7)
    exact = np.quantile(runs.trajectory_fun, shares, axis=1, method="inverted_cdf").T
    assert steps.tolist() == [0, 3, 40]
    assert np.all(np.abs(found / exact - 1) <= 0.032)
    assert not np.array_equal(found, exact)


def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed():
    # A bin is the upper 16 bits of a positive number; the others mirror these.
    zero = 1 << 15
    bins = np.array([zero - 1 - 0x4000, zero, zero + 0x3FF0, zero + 0x4020])
    found = values.quantiles(bins, np.ones(4, int), [0.0, 0.25, 0.26, 0.6, 1.0])
    assert found.tolist() == [-2.0625, -2.0625, 0.0, 1.03125, 8.25]
    assert np.isnan(values.quantiles(np.zeros(0, int), np.zeros(0, int), [0.5])).all()


@pytest.mark.parametrize("dense", [True, False])
def test_float32_many_steps_and_a_surface_without_a_known_minimum(dense, monkeypatch):
    if not dense:
        monkeypatch.setattr("fastopt.study.counting._MOST_DENSE", 100)
    surface = fo.surfaces.from_sympy("x**2 - 3*x + y**4")
    starts = np.asarray(STARTS)
    options = {"max_steps": 2_000, "stop": fo.Stop(gradient=1e-2), "dtype": "float32"}
    study = fo.Study([fo.GradientDescent(0.01)], {"f": surface}, starts, **options)
    runs = fo.run(fo.GradientDescent(0.01), surface, starts, **options)
    assert len(np.unique(runs.steps)) > 50
    check_cell(study.run(chunk=77), runs, 0.0, None, None)


def test_values_are_counted_above_the_minimum():
    surface = fo.StyblinskiTang(dim=2)
    study = fo.Study([fo.Adam(0.1)], [surface], STARTS)
    runs = fo.run(fo.Adam(0.1), surface, STARTS)
    assert surface.fun_min < -78
    check_cell(study.run(chunk=128), runs, surface.fun_min, "adam", "styblinski_tang")


def test_special_values_have_bins_of_their_own():
    def value(x):
        return 1.0 / x[0]

    def gradient(x):
        return (-1.0 / (x[0] * x[0]),)

    pole = fo.surfaces.define("pole", 1, value=value, gradient=gradient, check=False)
    starts = [[0.0], [-0.0], [math.nan], [2.0], [-2.0]]
    study = fo.Study([fo.GradientDescent(1e-9)], [pole], starts, max_steps=0, stop=None)
    result = study.run()
    low, high, counts = result.value_counts()
    edge = float(np.nextafter(0.53125, 0))
    assert low[:-1].tolist() == [-math.inf, -edge, 0.5, math.inf]
    assert high[:-1].tolist() == [-math.inf, -0.5, edge, math.inf]
    assert np.isnan([low[-1], high[-1]]).all()
    assert counts.tolist() == [1, 1, 1, 1, 1]
    # nan diverged; of the others inf is the worst.
    assert result.worst(by="value").index.tolist() == [0, 3, 4, 1]
    assert result.worst(by="divergence").index.tolist() == [2]
    assert result.best(by="value").measure.tolist() == [-math.inf, -0.5, 0.5, math.inf]


# -- cut into chunks ---------------------------------------------------------------------


@settings(max_examples=25)
@given(st.data())
def test_any_chunks_in_any_order_merge_to_the_same_bits(data):
    study = small_study()
    outline = study._plan.outline()
    sizes = [group.settings * group.starts for group in outline.groups]
    lengths = [data.draw(st.integers(max(size // 6, 1), size)) for size in sizes]
    manifest = Manifest({}, outline, lengths)
    chunks = list(study._plan.chunks(manifest.hash, lengths, ()))
    collected = Collected(manifest)
    for number in data.draw(st.permutations(range(len(chunks)))):
        collected.add(number, collected.decode(number, run_chunk(chunks[number])))
    assert collected.result().digest == whole().digest


def test_the_last_chunk_may_come_first():
    study = small_study()
    manifest = Manifest({}, study._plan.outline(), [100] * 8)
    collected = Collected(manifest)
    for chunk in reversed(list(study._plan.chunks(manifest.hash, manifest.lengths, ()))):
        collected.add(chunk.number, collected.decode(chunk.number, run_chunk(chunk)))
    assert collected.result().digest == whole().digest


@pytest.mark.parametrize(("most", "short"), [(37, 1 << 11), (1 << 17, 0), (700, 300)])
def test_portions_merge_to_the_same_bits(most, short, monkeypatch):
    """Whether settings are run together, by themselves, or in several parts."""
    monkeypatch.setattr("fastopt.study.work._MOST_RUNS", most)
    monkeypatch.setattr("fastopt.study.work._SHORT", short)
    assert small_study().run(chunk=400).digest == whole().digest


def test_a_digest_tells_results_apart():
    assert small_study(seeds=[0, 8]).run(chunk=900).digest != whole().digest


def test_a_chunk_counts_once():
    study = small_study()
    manifest = Manifest({}, study._plan.outline(), [10**9] * 8)
    chunk = next(study._plan.chunks(manifest.hash, manifest.lengths, ()))
    collected = Collected(manifest)
    pieces = collected.decode(0, run_chunk(chunk))
    collected.add(0, pieces)
    with pytest.raises(RuntimeError, match="came twice"):
        collected.add(0, pieces)


def test_extremes_can_be_run_again():
    slowest = whole().worst("descent", "bowl", seed=7, learning_rate=0.01)
    runs = small_study().rerun(
        "descent", "bowl", slowest.index, seed=7, learning_rate=0.01, record=fo.Record(every=1)
    )
    assert runs.steps.tolist() == slowest.measure.tolist()
    assert runs.trajectory.shape == (41, 10, 2)
    same = whole_run(fo.GradientDescent(0.01), fo.Bowl(), 7)
    assert np.array_equal(runs.x, same.x[slowest.index])


# -- results -----------------------------------------------------------------------------


def test_labelled_dimensions():
    data = whole().to_xarray()
    assert dict(data.runs.sizes) == {"rule": 2, "surface": 2, "learning_rate": 4, "seed": 2}
    cell = data.sel(rule="descent", surface="bowl", learning_rate=0.01, seed=7)
    counts = whole().counts("descent", "bowl", learning_rate=0.01, seed=7)
    row = next(
        row
        for row in whole().rows()
        if (row["rule"], row["surface"], row["seed"], row.get("learning_rate"))
        == ("descent", "bowl", 7, 0.01)
    )
    assert cell.runs == 300
    assert cell.success_rate == row["success_rate"] == counts.converged.sum() / 300
    assert cell.median_steps == row["median_steps"]
    ends = cell.counts.sel(status="converged")
    assert ends.sel(step=counts.steps).values.tolist() == counts.converged.tolist()
    assert ends.sum() == counts.converged.sum()
    assert cell.value_counts.sum() == 300
    _, losses = whole().loss_quantiles("descent", "bowl", learning_rate=0.01, seed=7)
    assert np.array_equal(cell.loss.values, losses)
    # A rule without settings stands at its own learning rate, and nowhere else.
    alone = data.sel(rule="langevin", surface="bowl", seed=0)
    assert alone.runs.values.tolist() == [0, 300, 0, 0]
    assert np.isnan(alone.success_rate.sel(learning_rate=0.5))
    assert "counts" not in whole().to_xarray(per_step=False)


def test_a_plane_of_settings():
    rates, momenta = np.array([0.001, 0.01]), np.array([0.0, 0.5, 0.9])
    rule = fo.Momentum(rates[:, None], momentum=momenta)
    study = fo.Study([rule], [fo.Bowl()], 50, max_steps=200)
    result = study.run(chunk=120)
    data = result.to_xarray()
    assert dict(data.ert.sizes) == {"rule": 1, "surface": 1, "learning_rate": 2, "momentum": 3}
    assert np.array_equal(data.momentum, momenta)
    starts = fo.starts.Uniform(*fo.Bowl().bounds.T, n=50)
    runs = fo.run(fo.Momentum(0.01, momentum=0.9), fo.Bowl(), starts, max_steps=200)
    check_cell(result, runs, 0.0, None, None, learning_rate=0.01, momentum=0.9)


def test_settings_that_have_no_axis_of_their_own_are_numbered():
    rule = fo.Momentum([[0.01, 0.02], [0.03, 0.04]], momentum=[0.5, 0.5])
    result = fo.Study([rule], [fo.Bowl()], 10, max_steps=5).run()
    assert list(result.to_xarray().dims)[:4] == ["rule", "surface", "setting_0", "setting_1"]
    runs = fo.run(
        fo.Momentum(0.03, momentum=0.5),
        fo.Bowl(),
        fo.starts.Uniform(*fo.Bowl().bounds.T, n=10),
        max_steps=5,
    )
    check_cell(result, runs, 0.0, None, None, setting_0=1.0, setting_1=0.0)


def test_rules_starts_and_steps_by_surface():
    surfaces = {"plane": fo.Bowl(), "space": fo.Rosenbrock(dim=3)}
    study = fo.Study(
        {"tuned": {"plane": fo.Adam(0.5), "space": fo.Adam(0.1)}, "same": "momentum"},
        surfaces,
        {"plane": [[1.0, 2.0]], "space": 20},
        max_steps={"plane": 100, "space": 7},
    )
    result = study.run()
    runs = fo.run(fo.Adam(0.5), fo.Bowl(), [[1.0, 2.0]], max_steps=100)
    check_cell(result, runs, 0.0, "tuned", "plane")
    assert result.counts("same", "space").runs == 20
    assert result.counts("same", "space").steps.max() == 7


def test_tables(capsys):
    print(whole())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("descent #7") and "himmelblau" in line for line in lines)
    assert "  at learning_rate=0.01" in lines
    frame = whole().to_pandas()
    assert len(frame) == 16
    assert frame.runs.sum() == whole().runs


def test_a_cell_must_be_named():
    with pytest.raises(ValueError, match="rule must be given: must be one of 'descent', 'lang"):
        whole().counts()
    with pytest.raises(ValueError, match=r"learning_rate must be given: must be one of 0\.001"):
        whole().counts("descent", "bowl")
    with pytest.raises(ValueError, match="momentum: 'descent' has no such dimension; it has lea"):
        whole().counts("descent", "bowl", momentum=1)
    with pytest.raises(ValueError, match=r"seed=3: must be one of 0, 7"):
        whole().counts("langevin", "bowl", seed=3)
    with pytest.raises(ValueError, match="as an index is one of a cell"):
        whole().worst("langevin", "bowl")
    with pytest.raises(ValueError, match="target=0: this study has no targets; make it with"):
        small_study(targets=None, max_steps=0, record=None).run().counts(
            "langevin", "bowl", target=0
        )
    with pytest.raises(ValueError, match="by='speed': must be 'steps' or 'value'"):
        whole().best("langevin", "bowl", "speed", seed=0)
    with pytest.raises(ValueError, match="index=300: must be <= 299"):
        small_study().rerun("langevin", "bowl", 300)


REFUSED = {
    "nothing": ({"rules": {}}, "rules={}: must hold at least one"),
    "one rule": ({"rules": fo.Adam()}, "must be a mapping of labels to rules, or a list"),
    "twice": ({"rules": [fo.Adam(), fo.Adam(0.1)]}, "'adam' is there twice; give them labels"),
    "no rule": ({"rules": {"a": 3}}, "rule=3: must be one such as"),
    "unknown": ({"rules": ["adamm"]}, "no such rule; did you mean 'adam'"),
    "dim": ({"surfaces": [fo.Rosenbrock(dim=3)]}, "the last axis must be 3 long"),
    "ensemble": (
        {"surfaces": {"q": fo.RandomQuadratics(dim=2, count=3, spectrum=fo.spectra.uniform(1, 2))}},
        r"surfaces\['q'\].*: must be one surface, not an ensemble; give its members",
    ),
    "surface": ({"surfaces": [fo.Bowl]}, "must be one such as fo.Rosenbrock"),
    "starts": ({"starts": "many"}, "starts of 'himmelblau': must be a number, an array"),
    "flat": ({"starts": [1.0, 2.0]}, r"has shape \(2,\): must be \(n, dim\)"),
    "steps": ({"max_steps": {"bowl": 3}}, "max_steps: there is none for the surface 'himmelblau'"),
    "seeds": ({"seeds": [1, 1]}, r"seeds=\[1, 1\]: must hold at least one, each once"),
    "record": ({"record": fo.Record(steps=[41])}, "step 41 is beyond max_steps=40"),
    "noise": ({"rules": ["bfgs"]}, r"must have the exact gradient.*\(rule 'bfgs' on surface"),
    "dtype": ({"dtype": "float16"}, "must be 'float64' or 'float32'"),
    "no dtype": ({"dtype": "double32"}, "must be 'float64' or 'float32'"),
    "targets": ({"targets": 3.0}, r"targets has shape \(\)"),
    "a target": ({"targets": [1.0, -1.0]}, r"targets\[1\]=-1.0: must be"),
    "extremes": ({"extremes": -1}, "extremes=-1: must be >= 0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_arguments_are_refused(what):
    changes, message = REFUSED[what]
    with pytest.raises((TypeError, ValueError), match=message):
        small_study(**changes)


def test_chunks_must_be_the_right_ones():
    study = small_study()
    manifest = Manifest({}, study._plan.outline(), [10**9] * 8)
    first, second, *_ = study._plan.chunks(manifest.hash, manifest.lengths, ())
    group, runs = manifest.chunks()[0]
    data = run_chunk(first)
    assert len(decode(data, manifest.hash, 0, manifest.outline.groups[group], runs)) == 3
    with pytest.raises(Exception, match="it is chunk 1"):
        decode(run_chunk(second), manifest.hash, 0, manifest.outline.groups[group], runs)
    with pytest.raises(Exception, match="belongs to another study"):
        decode(data, "another", 0, manifest.outline.groups[group], runs)
