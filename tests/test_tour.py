"""The tour, its settings and its pictures."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import numpy as np
import pytest

import fastopt as fo
from fastopt import plot, tour, tuning
from fastopt.cli import main

RULES, SURFACES = ["gradient_descent", "adam"], ["bowl", "rosenbrock"]
PICTURES = ["paths.png", "success.png", "basins.png", "plane.png"]
REDUCED = ["--starts", "200", "--rules", ",".join(RULES), "--surfaces", ",".join(SURFACES)]


@pytest.fixture(scope="module")
def reduced(tmp_path_factory):
    """A reduced tour: (its JSON, its folder)."""
    folder = tmp_path_factory.mktemp("tour") / "new" / "folder"
    with pytest.MonkeyPatch.context() as patch:
        written = []
        patch.setattr(sys.stdout, "write", written.append)
        assert main(["tour", *REDUCED, "--json", "--output", str(folder)]) == 0
    return json.loads("".join(written), parse_constant=pytest.fail), folder


@pytest.fixture(scope="module")
def paths_of_rules():
    """A batch with its trajectory for each of two rules on the bowl."""
    rules = {"one": fo.GradientDescent(0.95), "other": fo.GradientDescent(0.7)}
    options = {"max_steps": 12, "stop": None, "record": fo.Record(every=1)}
    start = [fo.Bowl().usual_start]
    return {name: fo.run(rule, fo.Bowl(), start, **options) for name, rule in rules.items()}


def curves(*shares):
    """A curve for each share that is reached at last."""
    steps = np.array([3, 10, 30])
    parts = np.array([0.2, 0.5, 1.0])
    return {f"rule {k}": plot.Curve(steps, parts * share) for k, share in enumerate(shares)}


# -- the table ---------------------------------------------------------------------------


def test_the_tour_has_a_row_for_each_pair(reduced):
    result, _ = reduced
    pairs = [(row["surface"], row["rule"]) for row in result["rows"]]
    assert pairs == [(surface, rule) for surface in SURFACES for rule in RULES]
    assert all(row["success"] > 0.95 for row in result["rows"])


def test_a_row_says_what_came_of_the_runs(reduced):
    result, _ = reduced
    row = result["rows"][2]
    surface = fo.Rosenbrock()
    rate = tuning.SETTINGS["gradient_descent"]["rosenbrock"]
    starts = np.asarray(fo.starts.Uniform(*surface.bounds.T, n=200, seed=0))
    stop = fo.Stop(gradient=1e-6)
    runs = fo.run(fo.GradientDescent(rate), surface, starts, max_steps=100_000, stop=stop)
    hits = np.sort(np.where(runs.success, runs.steps, 10**9))
    assert row["learning_rate"] == rate
    assert row["success"] == runs.success.mean() < 1
    assert row["diverged"] == (runs.status == fo.Status.DIVERGED).mean() > 0
    assert (row["median_steps"], row["p90_steps"]) == (hits[99], hits[179])
    near = np.hypot(*(runs.x - 1).T) <= 1e-3
    assert row["at_minimum"] == near.mean()
    assert row["start_steps"] == runs.steps.sum()


def test_at_minimum_counts_all_that_ended_there():
    bowl = fo.Bowl()
    starts = fo.starts.Uniform(*bowl.bounds.T, n=200, seed=0)
    stop = fo.Stop(gradient=1e-6)
    runs = fo.run(fo.GradientDescent(0.7), bowl, starts, max_steps=118, stop=stop)
    row = tour._row("gradient_descent", runs, 0.7, True)
    near = (np.hypot(*runs.x.T) <= 1e-3).mean()
    assert row.success < row.at_minimum == near < 1


def test_the_printed_table(capsys, tmp_path):
    status = main(["tour", *REDUCED, "--output", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    rows = [line.split() for line in lines if line.split()[:1] and line.split()[0] in RULES]
    assert [row[0] for row in rows] == RULES * len(SURFACES)
    assert {len(row) for row in rows} == {8}
    assert lines[-4:] == [f"wrote {tmp_path / name}" for name in PICTURES]


def test_what_does_not_converge_is_shown_as_such(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(tuning.MAX_STEPS, "bowl", 185)
    arguments = ["tour", "--starts", "200", "--rules", "gradient_descent,adam"]
    main([*arguments, "--surfaces", "bowl", "--output", str(tmp_path)])
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line}
    assert rows["adam"][2] == "0%"
    assert rows["adam"][4:6] == ["-", "-"]
    success, _, median, p90 = rows["gradient_descent"][2:6]
    assert 50 < float(success[:-1]) < 90
    assert median.isdigit()
    assert p90 == "-"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (1e-5, "<0.1%"),
        (1 - 1e-5, ">99.9%"),
        (0.5, "50.0%"),
        (None, "-"),
    ],
)
def test_all_and_none_mean_all_and_none(share, text):
    assert tour.percent(share) == text


def test_a_rule_without_settings_is_tuned_on_the_spot(capsys, monkeypatch, tmp_path):
    monkeypatch.delitem(tuning.SETTINGS, "gradient_descent")
    arguments = ["tour", "--starts", "200", "--rules", "gradient_descent", "--surfaces", "bowl"]
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("  gradient_descent"))
    assert row.split()[1:3] == ["0.7+", "100%"]
    assert "rate +" in out
    assert "rate *" not in out


def test_the_tour_shows_the_rules_that_are_tuned():
    assert tour.tour_rules() == list(tuning.SETTINGS)


# -- the settings ------------------------------------------------------------------------


def test_settings_are_of_rules_and_of_all_surfaces_of_the_tour():
    assert set(tuning.SETTINGS) <= set(fo.rules.names())
    for rates in tuning.SETTINGS.values():
        assert list(rates) == list(tuning.MAX_STEPS)


@pytest.mark.parametrize("surface", ["bowl", "himmelblau"])
def test_the_settings_come_from_tuning(surface):
    found = tuning.tune("gradient_descent", fo.surfaces.get(surface), tuning.MAX_STEPS[surface])
    assert found == tuning.SETTINGS["gradient_descent"][surface]


def test_falling_rates_compete_where_constant_ones_fail(monkeypatch):
    monkeypatch.setattr(tuning, "_CONSTANT", [1.05, 3.0])  # both diverge on the bowl
    monkeypatch.setattr(tuning, "_FALLING_RATES", [1.05])
    monkeypatch.setattr(tuning, "_FALLING_OVER", [10, 1000])
    bowl = fo.Bowl()
    found = tuning.tune("gradient_descent", bowl, 2000, starts=20)
    assert found == tuning.Falling(1.05, over=1000)
    assert tuning.tune("gradient_descent", bowl, 2000, starts=20, falling=False) in (1.05, 3.0)


def test_a_falling_rate_falls_by_its_share():
    rate = tuning.Falling(8.0, over=4)
    assert [rate(step) for step in range(3)] == [8.0, 6.0, 4.5]


@pytest.mark.slow
def test_every_setting_brings_the_starts_to_convergence():
    journey = tour.Tour(tour.tour_rules(), list(tuning.MAX_STEPS), starts=2000, seed=2)
    rows = [journey.visit(*pair) for pair in journey]
    assert all(row.success > 0.95 for row in rows if row.tuned)


# -- the pictures ------------------------------------------------------------------------


def test_the_pictures_are_large_enough_to_print(reduced):
    result, folder = reduced
    assert result["pictures"] == [str(folder / name) for name in PICTURES]
    for name in result["pictures"]:
        with open(name, "rb") as file:
            data = file.read()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(data) > 20_000
        assert struct.unpack(">I", data[16:20])[0] >= 1500


def test_without_matplotlib_there_is_a_table_and_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    folder = tmp_path / "tour"
    arguments = ["--starts", "10", "--rules", "gradient_descent", "--surfaces", "bowl"]
    status = main(["tour", *arguments, "--output", str(folder)])
    out, err = capsys.readouterr()
    assert status == 0
    assert "  gradient_descent" in out
    assert "wrote" not in out
    assert err.count("\n") == 1
    assert "pip install matplotlib" in err
    assert not folder.exists()


def test_no_picture_needs_pyplot(tmp_path):
    code = (
        "import sys; from fastopt.cli import main; "
        "main(['tour', '--starts', '5', '--rules', 'gradient_descent', '--surfaces', 'bowl', "
        f"'--output', {str(tmp_path)!r}]); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_success_curve_counts_what_converged_by_each_step():
    bowl = fo.Bowl()
    starts = fo.starts.Uniform(*bowl.bounds.T, n=99, seed=3)
    stop = fo.Stop(gradient=1e-6)
    runs = fo.run(fo.GradientDescent(0.7), bowl, starts, max_steps=180, stop=stop)
    curve = plot.success_curve(runs)
    assert 0 < runs.success.sum() < 99
    for step, share in zip(curve.steps, curve.share, strict=True):
        assert share == np.count_nonzero(runs.success & (runs.steps <= step)) / 99


def test_success_curves_are_drawn_to_the_edge():
    figure = plot.success_curves({"A": curves(1.0, 0.7), "B": curves(0.0), "C": {}})
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["A", "B", "C"]
    for ax, shares in zip(figure.axes, ([1.0, 0.7], [0.0], []), strict=True):
        assert ax.get_xscale() == "log"
        for line, share in zip(ax.lines, shares, strict=True):
            assert line.get_ydata()[[0, -1]].tolist() == [0.0, share]
            assert line.get_xdata()[[0, -1]].tolist() == list(ax.get_xlim())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["rule 0", "rule 1"]


def test_a_rule_has_one_colour_in_all_panels():
    figure = plot.success_curves({"A": curves(1.0, 0.7), "B": curves(0.5, 0.1)})
    colours = [[line.get_color() for line in ax.lines] for ax in figure.axes]
    assert colours[0] == colours[1]
    assert len(set(colours[0])) == 2


def test_line_styles_differ():
    styles = plot.line_styles(map(str, range(32))).values()
    assert len({(style["color"], str(style["linestyle"])) for style in styles}) == 32


def test_paths_show_the_whole_trajectory(paths_of_rules):
    figure = plot.paths(paths_of_rules, {"one": "a note"}, "title")
    for ax, (name, runs) in zip(figure.axes, paths_of_rules.items(), strict=True):
        assert ax.get_title(loc="left") == name
        points = runs.trajectory[:, 0]
        drawn = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == len(points)]
        np.testing.assert_array_equal(drawn[0], points)
        (low_x, high_x), (low_y, high_y) = ax.get_xlim(), ax.get_ylim()
        assert (points > [low_x, low_y]).all()
        assert (points < [high_x, high_y]).all()
    assert figure.axes[0].get_title(loc="right") == "a note"


def test_paths_refuse_what_they_cannot_draw():
    runs = fo.run(fo.GradientDescent(0.7), fo.Bowl(), [[1.0, 2.0]], max_steps=3)
    with pytest.raises(ValueError, match="without a trajectory"):
        plot.paths({"a": runs}, {})
    surface = fo.Sphere(dim=3)
    runs = fo.run(fo.GradientDescent(0.7), surface, [[1.0, 2, 3]], record=fo.Record([0, 1]))
    with pytest.raises(ValueError, match="has 3 coordinates: must have 2"):
        plot.paths({"a": runs}, {})


def test_nothing_overlaps_in_the_pictures():
    labels = {name: curves(1.0, 0.7)["rule 0"] for name in tour.tour_rules()}
    pictures = [
        tour.draw_paths(RULES),
        plot.success_curves({"A": labels, "B": labels, "C": labels}, "title"),
        tour.draw_basins(side=64),
        tour.draw_plane(side=16),
    ]
    for figure in pictures:
        figure.canvas.draw()
        texts = [figure._suptitle]
        for ax in figure.axes:
            texts += [ax._left_title, ax._right_title, ax.xaxis.label, ax.yaxis.label]
            for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
                ticks = axis.get_major_ticks()
                texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
        texts += [text for legend in figure.legends for text in legend.get_texts()]
        texts = [text for text in texts if text.get_visible() and text.get_text().strip()]
        boxes = [text.get_window_extent() for text in texts]
        for k, box in enumerate(boxes):
            assert figure.bbox.containsx(box.x0)
            assert figure.bbox.containsx(box.x1)
            covered = [texts[i].get_text() for i in range(k) if box.overlaps(boxes[i])]
            assert not covered, texts[k].get_text()
