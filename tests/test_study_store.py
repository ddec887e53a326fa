"""A store survives: crashes, damage, full disks, changed plans and other processes."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings

import pytest
from study_checks import small_study

import fastopt as fo
from fastopt.study.lock import Lock, LockedError

CHUNK = 250


def files(store):
    return {path.name: path.read_bytes() for path in store.iterdir() if path.name != "lock"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store that nothing happened to, and the digest of its result."""
    store = tmp_path_factory.mktemp("finished") / "store"
    digest = small_study().run(store, chunk=CHUNK).digest
    assert len(files(store)) == 2 + 4 * (4 + 2)
    return store, digest


@pytest.fixture
def copied(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def no_work(monkeypatch):
    """Nothing may run: all that is needed is in the store."""

    def refuse(*arguments):
        raise AssertionError("a chunk was run")

    monkeypatch.setattr("fastopt.study.executors.run_chunk", refuse)


# -- resume ------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_work")
def test_a_finished_study_runs_nothing(copied, finished):
    before = files(copied)
    assert small_study().run(copied).digest == finished[1]
    assert fo.study.load(copied).digest == finished[1]
    assert files(copied) == before


@pytest.mark.parametrize("kept", [0, 1, 11, 23])
def test_an_interrupted_study_goes_on(kept, finished, tmp_path):
    store = tmp_path / "store"

    def interrupt(share):
        if share >= kept / 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small_study().run(store, chunk=CHUNK, workers=1, progress=interrupt)
    chunks = [name for name in files(store) if name.startswith("chunk")]
    # The share counts a part of the chunk that was under way.
    assert kept - 1 <= len(chunks) < 24 + (kept == 23)
    partial = fo.study.load(store)
    assert partial.planned == 4800
    assert partial.runs < 4800 or kept == 23
    if partial.runs < 4800:
        assert f"{partial.runs:,} of 4,800 runs" in repr(partial)
        assert partial.to_xarray().runs.sum() == partial.runs
    assert small_study().run(store).digest == finished[1]
    assert files(store) == files(finished[0])


# Chunks of 20 runs, but only after calibration; and an end at the call of that number that
# writes, forces to disk or renames.
_KILLED = """
import os, signal, sys
from study_checks import small_study
from fastopt.study import study

calls, last, calibrate = [0], int(sys.argv[2]), study.choose_lengths

def counted(name, real):
    def call(*arguments):
        calls[0] += 1
        if calls[0] == last:
            if name == "write":
                real(arguments[0], arguments[1][:5])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    setattr(os, name, call)

def lengths(plan):
    return [20 for length in calibrate(plan)]

for name in ("write", "fsync", "replace"):
    counted(name, getattr(os, name))
study.choose_lengths = lengths
print(small_study().run(sys.argv[1]).digest, flush=True)
"""
# The lock, and each of the two manifests: written, forced, renamed, its folder forced.
_FIRST_CALLS = 1 + 2 * 4


class Killed:
    """A process that runs the study, for as long as it may."""

    def __init__(self, store, call=0):
        path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
        command = [sys.executable, "-c", _KILLED, str(store), str(call)]
        environment = os.environ | {"PYTHONPATH": path}
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def end(self, kill=False):
        """What it printed, and what it returned."""
        if kill:
            self.child.kill()
        with self.child:
            return self.child.stdout.read().strip(), self.child.wait()


def kill_at_start(store, rng):
    """While it starts, before there is a store or just when it is made."""
    child = Killed(store)
    time.sleep(rng.uniform(0, 0.6))
    return child.end(kill=True)


def kill_in_calibration(store, rng):
    """Once it has locked the store, before it knows how to cut the study."""
    for lock in store.glob("lock"):
        lock.unlink()
    child = Killed(store)
    while not (store / "lock").exists():
        assert child.child.poll() is None
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.1))
    return child.end(kill=True)


def kill_in_manifest(store, rng):
    """At a call that makes the lock or the manifests, or where they are there, soon after."""
    return Killed(store, rng.randint(1, _FIRST_CALLS)).end()


def kill_in_chunks(store, rng):
    """At a call that writes one of the next dozen chunks."""
    return Killed(store, rng.randint(_FIRST_CALLS + 1, 50)).end()


FEW = [kill_in_manifest, kill_in_chunks]
MANY = 4 * [kill_at_start] + 3 * [kill_in_calibration] + 5 * [kill_in_manifest]
MANY += 8 * [kill_in_chunks]


@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
@pytest.mark.parametrize(
    "kills", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_kills_at_random_moments_change_nothing(kills, tmp_path, finished):
    # With this seed the few come while the second manifest and a chunk are half written.
    whole, killed, rng = tmp_path / "whole", tmp_path / "killed", random.Random(47)
    assert small_study().run(whole, chunk=20).digest == finished[1]
    for kill in kills:
        assert kill(killed, rng) == ("", -signal.SIGKILL), kill.__name__
    chunks = [name for name in files(killed) if name.startswith("chunk")]
    assert 0 < len(chunks) < 240  # it was under way
    assert Killed(killed).end() == (finished[1], 0)
    assert files(killed) == files(whole)


# -- damage ------------------------------------------------------------------------------


def flipped(path, data):
    place = random.Random(path.name).randrange(len(data))
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def truncated(path, data):
    path.write_bytes(data[: random.Random(path.name).randrange(len(data))])


def emptied(path, data):
    path.write_bytes(b"")


def removed(path, data):
    path.unlink()


@pytest.mark.parametrize("damage", [flipped, truncated, emptied, removed])
def test_each_damaged_file_is_found_and_put_right(damage, copied, finished):
    good = files(copied)
    for name in good:
        damage(copied / name, good[name])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = small_study().run(copied)
        assert result.digest == finished[1], name
        now = files(copied)
        said = [str(warning.message) for warning in caught]
        if damage is removed and name.startswith("chunk"):
            assert not said
        else:
            assert len(said) == 1
            assert str(copied / name) in said[0]
        aside = {other: now.pop(other) for other in list(now) if ".damaged-" in other}
        assert now == good
        assert len(aside) == (damage is not removed and name.startswith("chunk"))
        for other in aside:
            (copied / other).unlink()


def test_every_byte_counts(copied, finished):
    """A flip of any bit of a small chunk is found, and the chunk left out by load."""
    name = min((n for n in files(copied) if n.startswith("chunk")), key=lambda n: len(n))
    data = (copied / name).read_bytes()
    places = random.Random(0).sample(range(len(data)), 60) + list(range(60))
    for place in places:
        flip = bytes([data[place] ^ (1 << place % 8)])
        (copied / name).write_bytes(data[:place] + flip + data[place + 1 :])
        with pytest.warns(fo.study.StoreWarning, match=f"{name}: .*; it is left out"):
            assert fo.study.load(copied).runs < 4800


def test_what_was_set_aside_stays(copied):
    name = "chunk-000003.bin"
    for number in (1, 2):
        (copied / name).write_bytes(b"rubbish")
        with pytest.warns(
            fo.study.StoreWarning, match=f"it is not a chunk.*{name}.damaged-{number}"
        ):
            small_study().run(copied)
    assert (copied / f"{name}.damaged-1").read_bytes() == b"rubbish"
    assert (copied / f"{name}.damaged-2").exists()


@pytest.mark.parametrize("where", ["chunk-000002.bin", "chunk-000099.bin"])
def test_a_foreign_chunk_is_found(where, copied, finished, tmp_path):
    other = tmp_path / "other"
    small_study(seeds=[1, 2]).run(other, chunk=CHUNK)
    shutil.copy(other / "chunk-000002.bin", copied / where)
    why = "it belongs to another study" if where == "chunk-000002.bin" else "no chunk of this numb"
    with pytest.warns(fo.study.StoreWarning, match=f"{where}: .*{why}"):
        assert small_study().run(copied).digest == finished[1]


def test_a_chunk_in_the_place_of_another_is_found(copied, finished):
    shutil.copy(copied / "chunk-000001.bin", copied / "chunk-000007.bin")
    with pytest.warns(fo.study.StoreWarning, match=r"chunk-000007.bin: it is chunk 1;"):
        assert small_study().run(copied).digest == finished[1]


def test_both_manifests_lost(copied):
    for name in ("manifest.json", "manifest.copy.json"):
        (copied / name).write_text("{}")
    with pytest.raises(fo.study.StoreError, match="are both damaged or lost"):
        small_study().run(copied)
    for name in ("manifest.json", "manifest.copy.json"):
        (copied / name).unlink()
    with pytest.raises(fo.study.StoreError, match="are both damaged or lost"):
        small_study().run(copied)


def test_a_store_that_was_being_created(copied, finished):
    for name in files(copied):
        if name != "manifest.json":
            (copied / name).unlink()
    (copied / ".store-x.part").write_text("half")
    assert small_study().run(copied).digest == finished[1]
    assert files(copied) == files(finished[0])


# -- other plans, other processes --------------------------------------------------------


def test_a_changed_plan_is_refused_by_field(copied):
    before = files(copied)
    rules = {"descent": fo.GradientDescent([0.001, 0.02, 0.5]), "langevin": fo.Langevin(0.002)}
    for changes, said in {
        "max_steps: 40 in the store, 41 now": {
            "max_steps": 41,
            "record": fo.Record(steps=[0, 3, 40]),
        },
        "stop.gradient: 1.0 in the store, 0.5 now": {"stop": fo.Stop(gradient=0.5)},
        "seeds: [0, 7] in the store, [0] now": {"seeds": [0]},
        "learning_rate: [0.001, 0.01, 0.5] in the store, [0.001, 0.02, 0.5] now": {"rules": rules},
        "starts.himmelblau.seed: 4 in the store, 5 now": {
            "starts": fo.starts.Uniform(-5, 5, n=300, seed=5, dim=2)
        },
        "noise.std: 0.1 in the store, 0.2 now": {"noise": fo.noise.gaussian(0.2)},
        "extremes: 10 in the store, 11 now": {"extremes": 11},
        "surfaces.bowl: ": {"surfaces": {"himmelblau": fo.Himmelblau()}},
        "dtype: 'float64' in the store, 'float32' now": {"dtype": "float32"},
    }.items():
        with pytest.raises(ValueError, match="holds another study") as refused:
            small_study(**said).run(copied)
        assert changes.partition(": ")[0].split(".")[-1] in str(refused.value)
        assert changes.partition(": ")[2] in str(refused.value)
    assert files(copied) == before


def test_edited_code_and_other_versions_are_refused(tmp_path, monkeypatch):
    def surface(factor):
        def value(x):
            return factor * x[0] * x[0]

        def gradient(x):
            return (2.0 * factor * x[0],)

        return fo.surfaces.define("mine", 1, value=value, gradient=gradient)

    def study(factor):
        return fo.Study([fo.GradientDescent(0.1)], [surface(factor)], 10, max_steps=50)

    study(1.0).run(tmp_path)
    study(1.0).run(tmp_path)
    with pytest.raises(ValueError, match=r"surfaces\.mine\.code: '\w+' in the store"):
        study(2.0).run(tmp_path)
    monkeypatch.setattr("fastopt.__version__", "9.9")
    with pytest.raises(ValueError, match=r"versions\.fastopt: .* in the store, '9\.9' now"):
        study(1.0).run(tmp_path)


def test_another_length_of_chunks_is_refused(copied):
    with pytest.raises(ValueError, match=r"chunk=100: this store has chunks .* \(up to 250\)"):
        small_study().run(copied, chunk=100)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(fo.study.StoreError, match="not empty, and no study's store"):
        small_study().run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(fo.study.StoreError, match="it is no study's store"):
        fo.study.load(tmp_path)
    with pytest.raises(fo.study.StoreError, match="it is no study's store"):
        fo.study.load(tmp_path / "nowhere")
    file = tmp_path / "thesis.tex"
    with pytest.raises(fo.study.StoreError, match=r"File exists|Not a directory"):
        small_study().run(file)


_HOLD = """
import sys
from pathlib import Path
from fastopt.study.lock import Lock
lock = Lock(Path(sys.argv[1]) / "lock")
print("held", flush=True)
sys.stdin.read()
"""


def test_two_processes_do_not_share_a_store(copied, finished):
    command = [sys.executable, "-c", _HOLD, str(copied)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(fo.study.StoreError, match=rf"process {other.pid} on \S+ works in this"):
            small_study().run(copied)
        assert fo.study.load(copied).digest == finished[1]  # reading is for all
        other.kill()
    assert small_study().run(copied).digest == finished[1]


def test_two_threads_do_not_either(copied):
    lock = Lock(copied / "lock")
    with pytest.raises(fo.study.StoreError, match="this process works in this store"):
        small_study().run(copied)
    with pytest.raises(LockedError):
        Lock(copied / "lock")
    lock.release()
    small_study().run(copied)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_that_outlives_its_parent_holds_no_lock(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from fastopt.study.lock import Lock\n"
        "lock = Lock(Path(sys.argv[1]) / 'lock')\n"
        "pid = os.fork()\n"
        "if pid: print(pid, flush=True); os._exit(0)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.wait()
        try:
            Lock(tmp_path / "lock").release()
        finally:
            os.kill(child, signal.SIGKILL)


# -- disks -------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("good", [0, 1, 7])
def test_a_full_disk_gives_one_error_and_harms_nothing(call, good, tmp_path, monkeypatch, finished):
    store, left, real = tmp_path / "store", [good], getattr(os, call)

    def fail(*arguments):
        if call == "write" and bytes(arguments[1][:7]) == b"process":
            return real(*arguments)  # of the lock
        left[0] -= 1
        if left[0] < 0:
            if call == "write":
                real(arguments[0], arguments[1][:5])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(fo.study.StoreError, match=f"{store}: the disk is full; make room and run"):
        small_study().run(store, chunk=CHUNK)
    monkeypatch.undo()
    assert not [name for name in files(store) if "part" in name]
    assert small_study().run(store, chunk=CHUNK).digest == finished[1]
    assert files(store) == files(finished[0])


_LIMITED = """
import resource, sys
from study_checks import small_study
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    small_study().run(sys.argv[1], chunk=250)
except OSError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the size of files")
def test_a_write_that_the_system_cuts_short(tmp_path, finished):
    store = tmp_path / "store"
    small_study().run(store, chunk=CHUNK)
    for name in [name for name in files(store) if name.startswith("chunk")]:
        (store / name).unlink()
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(store), "1000"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        timeout=100,
        check=True,
    )
    assert done.stdout.startswith(f"StoreError {store}: File too large; raise the limit on the")
    assert sorted(files(store)) == ["manifest.copy.json", "manifest.json"]
    assert small_study().run(store).digest == finished[1]


def test_remedies_are_those_of_the_trouble(tmp_path, monkeypatch):
    with pytest.raises(fo.study.StoreError, match=r"File name too long; give a shorter path$"):
        small_study().run(tmp_path / ("x" * 300))
    with pytest.raises(TypeError, match=r"store=5: must be the path of a folder"):
        small_study().run(store=5)
    with pytest.raises(TypeError, match=r"store=None: must be the path of a folder"):
        fo.study.load(None)

    def fail(*arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(fo.study.StoreError, match=r"error; the disk failed .* on another$"):
        small_study().run(tmp_path / "store", chunk=CHUNK)


@pytest.mark.skipif(os.name != "posix", reason="permissions")
def test_a_read_only_store(copied, finished):
    (copied / "chunk-000005.bin").unlink()
    copied.chmod(0o500)
    try:
        with pytest.raises(fo.study.StoreError, match="read-only; make it a folder that can be wr"):
            small_study().run(copied)
        assert fo.study.load(copied).runs < 4800
    finally:
        copied.chmod(0o700)
    assert small_study().run(copied).digest == finished[1]


def test_the_manifest_is_for_people_too(finished):
    found = json.loads((finished[0] / "manifest.json").read_text())
    assert found["study"]["plan"]["versions"]["fastopt"] == fo.__version__
    assert found["study"]["plan"]["max_steps"] == {"himmelblau": 40, "bowl": 40}
    assert found["study"]["plan"]["rules"]["langevin"]["*"]["parameters"]["learning_rate"] == 0.002
