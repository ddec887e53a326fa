"""Where chunks run changes nothing, and a worker that dies loses nothing."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from conftest import load
from study_checks import small_study

import fastopt as fo
from fastopt.study import work


@pytest.fixture(scope="module")
def digest():
    return small_study().run(chunk=10**9).digest


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads(workers, digest):
    assert small_study().run(chunk=111, workers=workers).digest == digest


def test_executors_of_the_user(digest, pool):
    assert small_study().run(executor=pool, chunk=200).digest == digest
    with ThreadPoolExecutor(3) as threads:
        assert small_study().run(executor=threads, chunk=200).digest == digest
        assert threads.submit(int, "3").result() == 3  # still open


@pytest.mark.slow
def test_processes_of_our_own_are_replaced_when_they_die(digest, tmp_path):
    killed, others = [], multiprocessing.active_children()

    def kill(share):
        workers = [one for one in multiprocessing.active_children() if one not in others]
        if workers and len(killed) < 2 and share >= len(killed) / 2:
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    result = small_study().run(tmp_path, "processes", workers=2, chunk=150, progress=kill)
    assert len(killed) == 2
    assert result.digest == digest
    assert set(multiprocessing.active_children()) <= set(others)


def test_a_broken_executor_is_said_and_the_store_goes_on(digest, tmp_path):
    def kill(share):
        for worker in multiprocessing.active_children():
            os.kill(worker.pid, signal.SIGKILL)

    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor,
        pytest.raises(RuntimeError, match=r"lost its workers .* while chunks \d+.* were under way"),
    ):
        small_study().run(tmp_path, executor, chunk=150, progress=kill)
    assert small_study().run(tmp_path).digest == digest


class Counting(Executor):
    """Runs what waits, the last first, once nothing more has come for a while."""

    def __init__(self, workers):
        self._max_workers, self.waiting, self.most = workers, [], 0
        threading.Thread(target=self.work, daemon=True).start()

    def submit(self, function, *arguments):
        future = Future()
        self.waiting.append((future, function, arguments))
        self.most = max(self.most, len(self.waiting))
        return future

    def work(self):
        before = 0
        while True:
            time.sleep(0.03)
            there = len(self.waiting)
            if there == before:
                while self.waiting:
                    waiting, call, given = self.waiting.pop()
                    waiting.set_result(call(*given))
            before = there


def test_no_more_than_twice_the_workers_are_in_flight(digest):
    executor = Counting(3)
    assert small_study().run(executor=executor, chunk=100).digest == digest
    assert executor.most == 6


def test_a_chunk_that_fails_is_an_error_and_the_rest_is_kept(tmp_path, monkeypatch, digest):
    real = fo.study.study.Plan.chunks

    def spoilt(self, *arguments):
        for chunk in real(self, *arguments):
            if chunk.number == 3:
                object.__setattr__(chunk, "seed", -1)
            yield chunk

    monkeypatch.setattr(fo.study.study.Plan, "chunks", spoilt)
    with pytest.raises(ValueError, match="seed=-1"):
        small_study().run(tmp_path, chunk=500, workers=1)
    monkeypatch.undo()
    assert 0 < fo.study.load(tmp_path).runs < 4800
    assert small_study().run(tmp_path).digest == digest


def test_a_worker_elsewhere_compiles_to_its_own_disk(monkeypatch):
    monkeypatch.setenv("FASTOPT_CACHE_DIR", "")
    work._prepare.__wrapped__(work.this_process()[0])
    assert os.environ["FASTOPT_CACHE_DIR"] == ""
    work._prepare.__wrapped__("another-host")
    assert os.environ["FASTOPT_CACHE_DIR"].startswith(tempfile.gettempdir())
    monkeypatch.setenv("FASTOPT_CACHE_DIR", "chosen")
    work._prepare.__wrapped__("another-host")
    assert os.environ["FASTOPT_CACHE_DIR"] == "chosen"


# -- what other processes cannot be given ------------------------------------------------


def local_surface():
    def value(x):
        return x[0] * x[0]

    def gradient(x):
        return (2.0 * x[0],)

    return fo.surfaces.define("local", 1, value=value, gradient=gradient)


def test_a_surface_that_cannot_be_sent_is_refused():
    study = fo.Study([fo.GradientDescent(0.1)], [local_surface()], 10)
    with pytest.raises(ValueError, match=r"surfaces\['local'\].*cannot be sent to another process"):
        study.run(executor="processes")
    assert study.run().runs == 10


_MAIN = """
import fastopt as fo
def value(x): return x[0] * x[0]
def gradient(x): return (2.0 * x[0],)
if __name__ == "__main__":
    mine = fo.surfaces.define("mine", 1, value=value, gradient=gradient)
    study = fo.Study([fo.GradientDescent(0.1)], [mine], 10)
    try:
        study.run(executor="processes")
    except ValueError as error:
        print(error)
"""


def test_what_is_defined_in_main_is_refused(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(_MAIN)
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert "surfaces['mine']=" in done.stdout
    assert "it is defined in __main__, where worker processes do not find it" in done.stdout


@pytest.mark.parametrize("executor", [3, "threads", ThreadPoolExecutor])
def test_what_is_no_executor_is_refused(executor):
    with pytest.raises(TypeError, match=r"executor=.*: must be None \(threads\), 'processes'"):
        small_study().run(executor=executor)


# -- Ctrl-C ------------------------------------------------------------------------------

_ENDLESS = """
import sys, time
import fastopt as fo

def study():
    return fo.Study([fo.GradientDescent(1e-4)], [fo.Rosenbrock(10)], 10**6,
                    max_steps=10**7, stop=fo.Stop(gradient=0.0))

if __name__ == "__main__":
    fo.run(fo.GradientDescent(1e-4), fo.Rosenbrock(10), 3 * [10 * [0.0]], max_steps=1)  # compiles
    said = []
    def follow(share):
        if not said:
            said.append(print("ready", flush=True))
    try:
        study().run(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None, chunk=1000,
                    progress=follow)
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)
    used = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - used < 0.1, "a thread goes on computing"
    print(fo.study.load(sys.argv[1]).planned, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("executor", [[], ["processes"]], ids=["threads", "processes"])
def test_ctrl_c_returns_soon_and_leaves_the_store_usable(executor, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(_ENDLESS)
    command = [sys.executable, str(script), str(tmp_path / "store"), *executor]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.3)
            pressed = time.monotonic()
            child.send_signal(signal.SIGINT)
            returned = float(child.stdout.readline())
            assert child.stdout.readline() == "1000000\n"
        finally:
            child.kill()
    assert 0 < returned - pressed < 0.2


# -- Dask --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    load("distributed")
    distributed = importlib.import_module("distributed")
    # Workers whose libraries would use two threads each, as those of another launcher may.
    threads = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    with (
        importlib.import_module("dask").config.set(
            {"distributed.nanny.pre-spawn-environ": threads}
        ),
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.peers
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("how", ["client", "executor"])
def test_dask(how, cluster, digest, tmp_path):
    executor = cluster if how == "client" else cluster.get_executor(pure=False)
    assert small_study().run(tmp_path, executor, chunk=200).digest == digest


@pytest.mark.peers
@pytest.mark.filterwarnings("default")
def test_a_dask_worker_that_is_killed_loses_nothing(cluster, digest, tmp_path):
    killed = []

    def kill(share):
        if not killed and share > 0.2:
            killed.append(next(iter(cluster.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    result = small_study().run(tmp_path, cluster, chunk=20, progress=kill)
    assert killed
    assert result.digest == digest


def threads_in_use():
    """Of numba and each BLAS that a worker has, the threads that a task there may use."""
    import numba
    import scipy.linalg  # noqa: F401 (has a BLAS of its own)
    import threadpoolctl

    libraries = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
    threads = {library["filepath"]: library["num_threads"] for library in libraries}
    return threads | {"numba": numba.get_num_threads()}


@pytest.mark.peers
@pytest.mark.filterwarnings("default")
def test_dask_workers_use_one_thread_each(cluster):
    small_study().run(executor=cluster, chunk=200)
    for worker in cluster.nthreads():
        found = cluster.submit(threads_in_use, workers=[worker], pure=False).result()
        assert len(found) == 3, found  # NumPy's and SciPy's
        assert set(found.values()) == {1}, found


class Deadly:
    """Ends whatever process it is sent to."""

    def __reduce__(self):
        return end_unless, (os.getpid(),)


def end_unless(spared):
    if os.getpid() != spared:
        os._exit(1)
    return Deadly()


@pytest.mark.peers
@pytest.mark.filterwarnings("default")
def test_dask_workers_that_die_of_a_chunk_are_said(cluster, digest, tmp_path, monkeypatch):
    real = fo.study.study.Plan.chunks

    def spoilt(self, *arguments):
        for chunk in real(self, *arguments):
            if chunk.number == 5:
                object.__setattr__(chunk.pieces[0], "rule", Deadly())
            yield chunk

    monkeypatch.setattr(fo.study.study.Plan, "chunks", spoilt)
    said = r"the executor lost its workers \(KilledWorker\) while chunks \d.*run the study again"
    with pytest.raises(RuntimeError, match=said):
        small_study().run(tmp_path, cluster, chunk=200)
    monkeypatch.undo()
    assert fo.study.load(tmp_path).runs > 0
    assert small_study().run(tmp_path).digest == digest


# -- memory ------------------------------------------------------------------------------

_MEASURED = """
import resource, sys
import fastopt as fo
starts = fo.starts.Uniform(-5, 5, int(sys.argv[1]), dim=2)
stop, record = fo.Stop(gradient=1e-6), fo.Record(steps=[0, 10, 100])
study = fo.Study([fo.GradientDescent(0.01)], [fo.Himmelblau()], starts, stop=stop, record=record)
assert study.run(chunk=10**6, workers=2).runs == starts.size
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kilobytes of Linux")
def test_memory_is_the_same_for_ten_times_the_starts():
    def peak(n):
        command = [sys.executable, "-c", _MEASURED, str(n)]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    few, many = peak(2 * 10**6), peak(2 * 10**7)
    assert many < 1.05 * few
    assert many < 300_000
