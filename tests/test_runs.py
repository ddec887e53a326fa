"""What a run gives back, and what it shows on the way."""

import io

import numpy as np
import pytest

import fastopt as fo
from fastopt import memory, progress
from fastopt.runs import Status

RULE, SURFACE = fo.GradientDescent(0.01), fo.Himmelblau()
STARTS = [[[3.0, 2.0], [1.0, 1.0], [1e300, 0.0]], [[4.0, 4.0], [-4.0, 4.0], [0.0, 0.0]]]


@pytest.fixture(scope="module")
def runs():
    return fo.run(RULE, SURFACE, STARTS, record=fo.Record([0, 5, 50]), max_steps=60)


def test_shapes_and_types(runs):
    assert runs.x.shape == (2, 3, 2)
    for name in ("fun", "grad_norm", "steps", "status", "success"):
        assert getattr(runs, name).shape == (2, 3), name
    assert runs.steps.dtype == np.int64
    assert runs.status.dtype == np.int8
    assert runs.success.dtype == np.bool_
    assert runs.trajectory.shape == (3, 2, 3, 2)
    assert runs.trajectory_fun.shape == (3, 2, 3)
    np.testing.assert_array_equal(runs.trajectory_steps, [0, 5, 50])


def test_statuses_say_what_happened_and_what_to_do(runs):
    assert Status(runs.status[0, 0]) is fo.Status.CONVERGED
    assert runs.steps[0, 0] == 0
    assert Status(runs.status[0, 2]) is fo.Status.DIVERGED
    assert all(len(status.meaning) > 10 for status in Status)


def test_success_is_convergence(runs):
    np.testing.assert_array_equal(runs.success, runs.status == fo.Status.CONVERGED)


def test_the_summary_is_a_small_table(runs):
    text = str(runs)
    assert max(map(len, text.splitlines())) <= 80
    assert "6 runs" in text
    converged = int(runs.success.sum())
    (line,) = (line for line in text.splitlines() if line.strip().startswith("converged"))
    assert line.split()[1:3] == [str(converged), f"{converged / 6:.1%}"]
    steps = np.sort(runs.steps[runs.success])
    assert line.split()[3] == str(steps[(steps.size - 1) // 2])
    assert "1 run\n" in str(fo.run(RULE, SURFACE, [[3.0, 2.0]]))


def test_summary_of_no_runs():
    assert "0 runs" in str(fo.run(RULE, SURFACE, np.zeros((0, 2))))


def test_xarray_has_named_dimensions(runs):
    data = runs.to_xarray()
    assert data["x"].dims == ("run_0", "run_1", "coordinate")
    assert data["steps"].dims == ("run_0", "run_1")
    assert data["trajectory"].dims == ("step", "run_0", "run_1", "coordinate")
    np.testing.assert_array_equal(data["trajectory"].sel(step=50), runs.trajectory[2])
    assert data.attrs["rule"] == "GradientDescent(learning_rate=0.01)"
    flat = fo.run(RULE, SURFACE, STARTS[0], max_steps=60).to_xarray()
    assert flat["fun"].dims == ("run",)
    assert "trajectory" not in flat


def test_one_start_gives_arrays_without_axes():
    single = fo.run(RULE, SURFACE, [1.0, 1.0])
    assert single.x.shape == (2,)
    assert single.steps.shape == ()
    assert bool(single.success)


def test_the_rate_counts_one_run_advanced_by_one_step(runs):
    assert runs.rate == pytest.approx(runs.steps.sum() / runs.seconds)


def test_warmup_compiles_what_the_run_needs(monkeypatch):
    from fastopt.kernels import block, driver, survey

    fo.warmup(RULE, SURFACE, dtype="float32")

    def refuse(*args, **options):
        raise AssertionError("compiled after warming up")

    for module in (block, driver, survey):
        monkeypatch.setattr(module, "compile_entry", refuse)
    fo.run(RULE, SURFACE, STARTS, dtype="float32")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_waits_a_second_and_is_taken_away(monkeypatch):
    screen, clock = Terminal(), [100.0]
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    bar = progress.Bar(True)
    bar.show(0.1, "of 10 runs")
    assert screen.getvalue() == ""
    clock[0] += 2.0
    bar.show(0.5, "of 10 runs")
    line = screen.getvalue().strip("\r")
    assert "50%" in line
    assert "of 10 runs, 2 s left" in line
    assert len(line) <= 79
    bar.close()
    assert screen.getvalue().endswith("\r" + " " * len(line) + "\r")


@pytest.mark.parametrize(("wanted", "stream"), [(True, io.StringIO()), (False, Terminal())])
def test_no_bar_in_a_pipe_or_unasked(monkeypatch, wanted, stream):
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "_PATIENCE", -1.0)
    fo.run(RULE, SURFACE, STARTS, progress=wanted)
    assert stream.getvalue() == ""


def test_memory_is_limited_by_the_tightest_cgroup(tmp_path, monkeypatch):
    assert memory.available() > 1 << 20
    monkeypatch.setattr(memory, "_machine", lambda: 10_000)
    monkeypatch.setattr(memory, "_cgroup", lambda: 4_000)
    assert memory.available() == 4_000
    files = [tmp_path / name for name in ("memory.max", "memory.current", "memory.stat")]
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("1500\n")
    assert memory._left(*files) == 3_500
    # Copies of files can be had, those that are mapped to shared memory can't.
    (tmp_path / "memory.stat").write_text(
        "anon 200\nshmem 100\ninactive_file 700\nactive_file 300\n"
    )
    assert memory._left(*files) == 4_500
    (tmp_path / "memory.stat").write_text("active_file 1\ntotal_active_file 900\n")
    assert memory._left(*files) == 4_400
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._left(*files) is None


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2.4e13, "24 TB")]
)
def test_memory_for_a_person(count, text):
    assert memory.human(count) == text
