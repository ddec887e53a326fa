"""``fastopt bench``: what it divides by, what it counts, and that it finds a wrong peer out."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import fastopt as fo
from fastopt.bench import limits, matrix_product, peer_batch, peer_cpp, peers, rates, report, text
from fastopt.bench.comparison import TOLERANCE, apart, starts_within
from fastopt.bench.limits import ARITHMETIC, DIVIDER, MEMORY, PRODUCT, Limits, Needs
from fastopt.cli import main
from fastopt.kernels.operations import Operations
from fastopt.kernels.packed import WIDTH
from fastopt.kernels.throughput import CHAINS, build_chain, build_triad
from fastopt.workers import processors

# A machine of round numbers.
MACHINE = Limits(
    multiply_add=100.0,
    add=50.0,
    arithmetic=120.0,
    divide=10.0,
    root=5.0,
    divide_root=4.0,
    memory=40.0,
    product=150.0,
)


@pytest.fixture
def known_machine(monkeypatch):
    """A machine whose limits need not be measured, and where there is no slow peer."""
    machine = dataclasses.replace(
        MACHINE, **{name: value * 1e9 for name, value in dataclasses.asdict(MACHINE).items()}
    )
    monkeypatch.setattr(report, "measure_limits", lambda *_: machine)
    monkeypatch.setattr(report, "processor_share", lambda *_: 0.95)
    monkeypatch.setattr(peers, "missing", lambda name, *_: name)
    monkeypatch.setattr(peer_cpp, "compile_peer", lambda *_: None)


def typed(capsys, *arguments):
    status = main(["bench", *map(str, arguments)])
    return status, *capsys.readouterr()


# -- limits ------------------------------------------------------------------------------


# The same in NumPy: of numbers a and b.
IN_NUMPY = {
    "multiply_add": lambda a, b: (a * 0.7 + 1.3, b * 0.7 + 1.3),
    "add": lambda a, b: (a + 0.7, b + 1.3),
    "arithmetic": lambda a, b: (a * 0.7 + 1.3, b + 1.3),
    "divide": lambda a, b: (0.7 / a, 1.3 / b),
    "root": lambda a, b: (np.sqrt(a + 1.3), np.sqrt(b + 0.7)),
    "divide_root": lambda a, b: (1.3 / (np.sqrt(a) + 0.7), 1.3 / (np.sqrt(b) + 1.3)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_does_all_of_what_it_is_counted_for(name):
    numbers = np.random.default_rng(1).uniform(0.5, 2.0, (2, 3 * WIDTH))
    a, b = numbers.copy()
    build_chain(name, 3).call(numbers, 7)
    for _ in range(7):
        a, b = IN_NUMPY[name](a, b)
    np.testing.assert_allclose(numbers, [a, b], rtol=1e-14)


def test_triad_touches_its_part_alone():
    a, b, c = np.zeros(20), np.arange(20.0), np.ones(20)
    build_triad().call(a, b, c, 3, 17)
    np.testing.assert_array_equal(a[3:17], b[3:17] + 0.7)
    assert not a[:3].any()
    assert not a[17:].any()


def test_other_programs_are_seen(monkeypatch):
    """Of two processors, this process has one."""
    monkeypatch.setattr(limits.time, "process_time", limits.time.perf_counter)
    assert limits.processor_share(2) == pytest.approx(0.5, abs=0.05)
    assert limits.processor_share(1) == pytest.approx(1.0, abs=0.05)
    assert text.disturbed_lines(0.95) == []
    assert "other programs took 48% of the processors" in text.disturbed_lines(0.52)[0]


def test_a_matrix_product_is_measured_in_a_process_of_its_own():
    assert 1e8 < matrix_product.measured_product(1) < 1e13


@pytest.mark.parametrize(
    ("needs", "unit", "rate"),
    [
        (Needs(Operations(4, 1, 0, 0)), ARITHMETIC, 120 / 5),
        (Needs(Operations(4, 0, 0, 0)), ARITHMETIC, 100 / 4),
        (Needs(Operations(0, 2, 0, 0)), ARITHMETIC, 50 / 2),
        (Needs(Operations(9, 1, 2, 2)), DIVIDER, 4 / 2),
        (Needs(Operations(9, 1, 3, 1)), DIVIDER, 1 / (1 / 4 + 2 / 10)),
        (Needs(Operations(9, 1, 0, 2)), DIVIDER, 5 / 2),
        (Needs(Operations(4, 1, 0, 0), bytes=8.0), MEMORY, 40 / 8),
        (Needs(bytes=1.0, products=100.0), PRODUCT, 150 / 200),
    ],
)
def test_the_scarcest_unit_bounds_the_rate(needs, unit, rate):
    found = MACHINE.bound(needs)
    assert found.unit == unit
    assert found.rate == pytest.approx(rate)


def test_caches_are_those_of_the_system(monkeypatch, tmp_path):
    assert limits.cache_bytes() >= 1 << 18
    for number, users in ((0, "0-1"), (1, "0-1"), (2, "2")):
        for index, level, size in ((0, 1, 48), (3, 3, 1024)):
            folder = tmp_path / f"cpu{number}" / "cache" / f"index{index}"
            folder.mkdir(parents=True)
            for name, fact in (("level", level), ("size", f"{size}K"), ("shared_cpu_list", users)):
                (folder / name).write_text(f"{fact}\n")
    monkeypatch.setattr(limits, "_CACHES", tmp_path)
    monkeypatch.setattr(limits.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert limits.cache_bytes() == 2 * 1024 << 10  # that of 0 and 1 once
    monkeypatch.setattr(limits, "_CACHES", tmp_path / "nowhere")
    assert limits.cache_bytes() == limits._USUAL_CACHE


# -- what a step needs -------------------------------------------------------------------

# Of each coordinate, once it has its derivative.
UPDATES = {
    "gradient_descent": Operations(multiply_adds=1),
    "momentum": Operations(multiply_adds=2, adds=1),
    "rmsprop": Operations(multiply_adds=4, adds=2, divisions=1, roots=1),
    # m and v: 5 products, 2 of them fused; of the step 2 products; x minus, and eps.
    "adam": Operations(multiply_adds=7, adds=2, divisions=1, roots=1),
}


def counted(name, surface):
    case = rates.Case(rates.made_rule(name), surface, "", starts_within(10), 1)
    return np.array(rates._operations(case))


def test_operations_are_those_of_the_formulas():
    descent = counted("gradient_descent", fo.Bowl())
    assert tuple(descent) == (1 + 2, 0, 1, 0)  # x / 10 and 2 y, then two steps
    on_rosenbrock = counted("gradient_descent", fo.Rosenbrock())
    for name, update in UPDATES.items():
        more = 2 * (np.array(update) - UPDATES["gradient_descent"])
        assert tuple(counted(name, fo.Rosenbrock()) - on_rosenbrock) == tuple(more), name


@pytest.mark.parametrize("name", ["bfgs", "adan"])
def test_what_is_not_one_loop_is_not_counted(name):
    """A search along a line; and steps of which the first differ."""
    (case,) = rates.cases([name], 10, 1)[:1]
    assert rates._operations(case) is None


def test_steps_after_divergence_are_not_counted(monkeypatch):
    monkeypatch.setattr(rates, "best_seconds", lambda *_: 2.0)
    starts = starts_within(10)
    case = rates.Case(fo.GradientDescent(1.0), fo.Rosenbrock(), "far too fast", starts, 1000)
    found = rates.reached(case, MACHINE, 1, 0.0)
    assert found.diverged > 0
    assert found.rate == case.run(1).steps.sum() / 2.0 < 10 * 1000 / 2.0


# -- peers -------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", peer_batch.RULES)
def test_numpy_computes_the_same(rule):
    starts, made = starts_within(50), rates.made_rule(rule)
    ours = fo.run(made, fo.Rosenbrock(), starts, max_steps=100, stop=None).x
    assert apart(ours, peer_batch.numpy_run(rule, made.learning_rate, starts, 100)) <= TOLERANCE


@pytest.mark.peers
@pytest.mark.parametrize("rule", peer_batch.RULES)
def test_torch_computes_the_same(rule, torch):
    starts, made = starts_within(50), rates.made_rule(rule)
    ours = fo.run(made, fo.Rosenbrock(), starts, max_steps=100, stop=None).x
    assert apart(ours, peer_batch.torch_run(rule, made.learning_rate, starts, 100)) <= TOLERANCE


@pytest.mark.peers
def test_every_peer_that_is_installed_computes_the_same(capsys, jax, optax, torch):
    arguments = ("momentum,adam", "--quick", "--starts", 1000, "--steps", 500, "--json")
    status, out, _ = typed(capsys, *arguments)
    facts = json.loads(out)
    assert (status, facts["different"]) == (0, [])
    assert {row["peer"] for row in facts["ratios"]} >= {"JAX", "torch", "NumPy", "SciPy"}


def off(x):
    """Points that are not quite the same."""
    return np.asarray(x) + 1e-7


def test_a_wrong_peer_is_found_out(capsys, monkeypatch, known_machine):
    right = peer_batch.numpy_run
    monkeypatch.setattr(peer_batch, "numpy_run", lambda *case: off(right(*case)))
    arguments = ("gradient_descent", "--quick", "--starts", 1000, "--steps", 10)
    status, out, _ = typed(capsys, *arguments)
    assert status == 1
    assert "DIFFERENT RESULT: gradient_descent on rosenbrock, NumPy: 1.0e-07 apart" in out
    status, out, _ = typed(capsys, *arguments, "--json")
    wrong, search = json.loads(out)["ratios"]
    assert status == 1
    assert (wrong["peer"], wrong["ratio"], wrong["ours"]) == ("NumPy", None, None)
    assert (search["peer"], search["difference"]) == ("SciPy", None)


def test_a_search_that_ends_elsewhere_is_found_out(monkeypatch):
    monkeypatch.setattr(peers, "missing", lambda name, *_: name)
    right = peers.minimise_each
    monkeypatch.setattr(peers, "minimise_each", lambda *case: lambda: right(*case)() + 1e-4)
    (found,) = peers.to_convergence(20, 1, 1)
    assert found.ratio is None
    assert "SciPy ends 1.0e-04 from the minimum" in found.difference


# -- the command -------------------------------------------------------------------------


def test_json_has_all_figures(capsys, known_machine):
    arguments = ("momentum", "--quick", "--starts", 2000, "--steps", 100, "--json")
    status, out, err = typed(capsys, *arguments)
    facts = json.loads(out)
    assert (status, err, facts["different"]) == (0, "", [])
    assert (facts["threads"], facts["starts"], facts["steps"]) == (processors(), 2000, 10)
    assert facts["machine"].keys() == {"date", "machine", "versions", "vector_bits"}
    assert facts["limits"]["divide_root"] == 4e9
    assert facts["skipped"] == [
        "JAX (jax is not installed)",
        "C++ (no compiler; set CXX)",
        "torch (torch is not installed)",
    ]
    momentum, short, dense = facts["rates"]
    assert momentum["operations"].keys() == set(Operations._fields)
    assert list(momentum["operations"].values()) == list(counted("momentum", fo.Rosenbrock()))
    assert momentum["unit"] == "memory"  # 10 steps are few, too
    assert momentum["bytes"] == (16 + 16 + 8 + 8 + 8 + 1) / 10
    assert momentum["limit"] == pytest.approx(40e9 / momentum["bytes"])
    assert momentum["share"] == pytest.approx(momentum["rate"] / momentum["limit"])
    assert (short["starts"], short["steps"], short["unit"]) == (20_000, 8, "memory")
    assert (dense["products"], dense["unit"]) == (96 * 96, "matrix product")
    batch, search = facts["ratios"]
    assert (batch["peer"], batch["rule"], batch["unit"]) == ("NumPy", "momentum", "start-steps")
    assert (search["peer"], search["rule"], search["unit"]) == ("SciPy", "bfgs", "runs")
    for row in (batch, search):
        assert row["ratio"] == pytest.approx(row["ours"] / row["theirs"])


def test_table_and_picture(capsys, tmp_path, known_machine):
    picture = tmp_path / "bench.png"
    arguments = ("momentum,bfgs", "--quick", "--starts", 1000, "--steps", 10, "--plot", picture)
    status, out, err = typed(capsys, *arguments)
    assert (status, err) == (0, "")
    own = [line for line in out.splitlines() if str(tmp_path) not in line]
    assert max(map(len, own)) <= 80
    assert "in all 2 comparisons both computed the same points" in out
    assert "-         not counted" in out  # of bfgs
    assert "skipped: torch (torch is not installed)" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    status, out, _ = typed(capsys, "momentum", "--quick", "--starts", 1000, "--no-peers")
    assert status == 0
    assert "NumPy" not in out.replace("NumPy's", "").replace("numpy", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adamm"], "'adamm': no such rule; did you mean 'adam'"),
        (["--threads", processors() + 1], f"must be at most {processors()}"),
        (["--starts", "1e12"], "a batch of 10,000,000,000,000 runs needs"),
        (["--plot", "here.bmp"], "must end in .png"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(capsys, monkeypatch, arguments, said):
    monkeypatch.setattr(report, "measure_limits", None)
    status, out, err = typed(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.skipif(processors() < 2, reason="needs two processors")
def test_fewer_threads_confine_the_peers(monkeypatch):
    before = processors()
    with report.confined(1):
        assert processors() == 1
    assert processors() == before
    with pytest.raises(KeyError), report.confined(1):
        raise KeyError
    assert processors() == before
