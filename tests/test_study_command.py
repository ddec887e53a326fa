"""``fastopt study``: a plan in a file, a table on the terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import fastopt as fo
from fastopt.cli import main
from fastopt.study.plan_file import read_plan

PLAN = """
max_steps = 500
seeds = [0, 1]
noise = {kind = "student_t", df = 3, scale = 0.01}
starts = {n = 200, seed = 3}
stop = {gradient = 0.1, escape = 1e6}
record = {every = 100}
targets = {from = 1e2, to = 1e-3, count = 6}
extremes = 3
[rules.adam]
learning_rate = [0.1, 0.2]
beta1 = {from = 0.5, to = 0.9, count = 3, spacing = "linear"}
[rules.torch-adam]
rule = "adam"
library = "torch"
learning_rate = {schedule = "cosine", rate = 0.1, steps = 1000}
[surfaces.himmelblau]
[surfaces.steep]
surface = "quadratic"
matrix = [[2.0, 0.0], [0.0, 9.0]]
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def same_study():
    surfaces = {"himmelblau": fo.Himmelblau(), "steep": fo.Quadratic([[2.0, 0.0], [0.0, 9.0]])}
    return fo.Study(
        {
            "adam": fo.Adam(np.array([[0.1], [0.2]]), beta1=np.array([0.5, 0.7, 0.9])),
            "torch-adam": fo.Adam.torch(fo.schedules.Cosine(0.1, steps=1000)),
        },
        surfaces,
        {
            label: fo.starts.Uniform(*surface.bounds.T, n=200, seed=3)
            for label, surface in surfaces.items()
        },
        max_steps=500,
        stop=fo.Stop(gradient=0.1, escape=1e6),
        record=fo.Record(every=100),
        targets=np.geomspace(1e2, 1e-3, 6),
        noise=fo.noise.student_t(3, 0.01),
        seeds=[0, 1],
        extremes=3,
    )


def test_a_plan_is_the_study_that_it_says(plan, tmp_path, capsys):
    store = tmp_path / "store"
    command = ["study", str(plan), "--store", str(store), "--chunk", "500", "--workers", "2"]
    assert main([*command, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    result = same_study().run(store)  # the same plan to the last field
    assert facts["digest"] == result.digest == same_study().run().digest
    assert facts["runs"] == facts["planned"] == 2 * 2 * 7 * 200
    assert len(facts["cells"]) == 28
    assert facts["cells"][0] == {
        key: None if value is not None and value != value else value
        for key, value in result.rows()[0].items()
    }
    assert main(["study", "show", str(store), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    del facts["seconds"]
    assert shown == facts | {"plot": None}
    assert len(shown["targets"]) == 28 * 6
    assert main(["study", "show", str(store)]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert result.summary() in out
    assert f"digest {result.digest[:16]}" in out


def test_show_says_what_is_damaged_and_missing(plan, tmp_path, capsys):
    store = tmp_path / "store"
    assert main(["study", str(plan), "--store", str(store), "--chunk", "500"]) == 0
    (store / "chunk-000001.bin").write_bytes(b"")
    capsys.readouterr()
    assert main(["study", "show", str(store)]) == 0
    said = capsys.readouterr()
    assert "chunk-000001.bin: it is empty; it is left out" in said.err
    assert said.err.count("\n") == 1
    assert "5,100 of 5,600 runs (91.1%)" in said.out
    assert main(["study", str(plan), "--store", str(store)]) == 0
    assert "it was renamed to chunk-000001.bin.damaged-1" in capsys.readouterr().err


def test_every_kind_of_plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        """
        stop = false
        max_steps = {hill = 3, valley = 4}
        starts = {distribution = "normal", n = 50}
        rules = {lookahead = {inner = "momentum"}, swept = {rule = "sgd", learning_rate = \
{from = 1e-4, to = 1e-2, count = 3}}}
        [surfaces.valley]
        surface = "rosenbrock"
        dim = 3
        [surfaces.hill]
        formula = "a*x**2 + y**2 + z**4"
        a = 2.0
        """
    )
    result = read_plan(path).run()
    assert result.counts("lookahead", "hill").steps.tolist() == [3]
    assert result.counts("swept", "valley", learning_rate=1e-4).steps.tolist() == [4]
    assert result.to_xarray().learning_rate.values.tolist()[:3] == [1e-4, 1e-3, 1e-2]
    for starts in ("{points = [[1, 2]]}", "{distribution = 'grid', shape = [2, 3]}", "7"):
        path.write_text(f"starts = {starts}\n[rules.adam]\n[surfaces.bowl]")
        assert read_plan(path).run().runs in (1, 6, 7)
    path.write_text(
        "starts = {distribution = 'sobol', n = 4, low = 0, high = [1, 2]}\n"
        "[rules.adam]\n[surfaces.bowl]"
    )
    assert read_plan(path).run().runs == 4


GOOD = "[rules.adam]\n[surfaces.bowl]\n"
REFUSED = {
    "max_step = 3": "max_step: no such key; did you mean 'max_steps' or 'stop'? allowed: rules",
    "max_steps = -3": "max_steps=-3: must be >= 0",
    "starts = {m = 3}": "starts.m: no such key; ",
    "starts = {distribution = 'cauchy', n = 1}": "no such distribution; known: grid, normal",
    "starts = {n = 0}": "starts: n=0: must be >= 1",
    "stop = {speed = 3}": "no such key; did you mean 'escape'? allowed: gradient, value",
    "stop = {gradient = -1}": "stop: gradient=-1.0: must be >= 0",
    "stop = true": "stop=True: must be a table [stop]",
    "record = {}": "record: Record: give either steps",
    "targets = {from = 1, to = 2}": "targets: must be a list of numbers, or {from = 1e-3",
    "targets = ['a']": "targets: could not convert",
    "noise = {kind = 'loud'}": "noise: 'loud': no such kind; known: alpha_stable",
    "seeds = [1, 1]": "must hold at least one, each once",
    "dtype = 'half'": "must be 'float64' or 'float32'",
    "rules.adamm = {}": "rules.adamm: 'adamm': no such rule; did you mean 'adam'",
    "rules.a = {rule = 'adam', beta = 1}": "rules.a.beta: no such key; did you mean",
    "rules.a = {rule = 'adam', beta1 = 2}": "rules.a: beta1=2.0: must be in [0, 1)",
    "rules.a = {rule = 'adam', library = 'jax'}": 'library=\'jax\': must be "torch" or "keras"',
    "rules.a = {rule = 'adam', learning_rate = {schedule = 'cos'}}": "no such schedule; ",
    "surfaces.b = {surface = 'bowl', dim = 3}": "surfaces.b.dim: no such key; allowed: surface",
    "surfaces.b = {formula = 'x +'}": "surfaces.b: ",
    "surfaces.b = 3": "surfaces.b=3: must be a table [surfaces.b]",
    "surfaces.quadratic = {}": "quadratic needs matrix",
    "rules = 3": "",
    "= 3": "Invalid statement",
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_bad_plan_is_refused_in_one_line(line, tmp_path, capsys):
    path = tmp_path / "plan.toml"
    path.write_text(f"{line}\n{GOOD}")
    assert main(["study", str(path), "--store", str(tmp_path / "store")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"fastopt study: {path}: ")
    assert REFUSED[line] in said
    assert said.count("\n") == 1
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml"], "nowhere.toml: No such file"),
        (["show"], "the folder of a study must be given"),
        (["show", "nowhere"], "nowhere: it is no study's store"),
        (["show", "nowhere", "--workers", "2"], "--workers: no such option for show"),
        (["plan.toml", "nowhere"], "'nowhere': one argument too many"),
        ([], "the following arguments are required: PLAN.toml"),
    ],
)
def test_bad_commands(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_changed_plan_and_a_full_folder_are_one_line(plan, tmp_path, capsys):
    store = tmp_path / "store"
    assert main(["study", str(plan), "--store", str(store), "--chunk", "900"]) == 0
    plan.write_text(PLAN.replace("max_steps = 500", "max_steps = 600"))
    assert main(["study", str(plan), "--store", str(store)]) == 2
    said = capsys.readouterr().err
    assert "max_steps.himmelblau: 500 in the store, 600 now" in said
    assert said.count("\n") == 1
    assert main(["study", str(plan), "--store", str(tmp_path)]) == 2
    assert "not empty, and no study's store" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_progress_and_ctrl_c_on_a_terminal(tmp_path):
    import pty

    path, store = tmp_path / "plan.toml", tmp_path / "store"
    path.write_text(
        "max_steps = 1_000_000\nstarts = 1_000_000\nstop = {gradient = 0.0}\n"
        "[rules.gradient_descent]\n[surfaces.bowl]"
    )
    terminal, other = pty.openpty()
    command = [sys.executable, "-m", "fastopt", "study", str(path), "--store", str(store)]
    with subprocess.Popen([*command, "--chunk", "2000"], stderr=other) as child:
        os.close(other)
        shown = b""
        while b"runs/s" not in shown:
            shown += os.read(terminal, 4096)
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
    while b"interrupted" not in shown:
        shown += os.read(terminal, 4096)
    os.close(terminal)
    text = shown.decode()
    assert "/500 chunks, " in text
    assert " left" in text
    assert f"what is finished is in {store}; the same command goes on" in " ".join(text.split())
    assert main(["study", "show", str(store)]) == 0


def test_show_a_part_and_draw_it(plan, tmp_path, capsys):
    store, picture = tmp_path / "store", tmp_path / "map.png"
    assert main(["study", str(plan), "--store", str(store), "--chunk", "5000"]) == 0
    capsys.readouterr()
    show = ["study", "show", str(store), "--rule", "adam", "--surface", "himmelblau"]
    assert main([*show, "--plot", str(picture), "--kind", "success_map"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 rule on 1 surface, 6 cells, 2 seeds, 2,400 runs\n")
    assert "steep" not in out
    assert "share of runs that came within so much of the minimum" in out
    assert out.endswith(f"wrote {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    other = tmp_path / "all.svg"  # the best setting of each rule
    assert main(["study", "show", str(store), "--plot", str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plot"] == str(other)
    assert other.exists()
    for arguments, said in (
        (["--kind", "ecdf"], "--kind: goes with --plot"),
        (["--plot", str(picture), "--kind", "pie"], "kind='pie': must be one of 'hitting_times'"),
        (["--plot", "map.gif"], "map.gif"),
        (["--rule", "adam,sgd"], "rule='sgd': must be one of 'adam', 'torch-adam'"),
    ):
        assert main(["study", "show", str(store), *arguments]) == 2
        assert said in capsys.readouterr().err
    assert main(["study", str(plan), "--rule", "adam"]) == 2
    assert "--rule: goes with show" in capsys.readouterr().err
