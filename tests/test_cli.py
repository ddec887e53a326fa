"""The command line: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fastopt as fo
from fastopt import cli, info
from fastopt.cli import main
from fastopt.kernels import cache

COMMANDS = ["bench", "info", "list", "plot", "run", "show", "stats", "tour"]


@pytest.fixture
def typed(capsys):
    """Runs a command line; gives (status, stdout, stderr)."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def answer(typed):
    """Runs a command line that succeeds; gives its stdout, which fits a terminal."""

    def run(*arguments):
        status, out, err = typed(*arguments)
        assert (status, err) == (0, "")
        if "--json" not in arguments:
            own = [line for line in out.splitlines() if "/" not in line]  # a path may be long
            assert max(map(len, own)) <= 80
        return out

    return run


def strict_json(text):
    """The parsed text, which must be JSON without Python's NaN and Infinity."""

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)


# -- help --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_fits_the_terminal_and_has_an_example(answer, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    out = answer(*arguments)
    assert out.startswith("usage: fastopt")
    if len(arguments) == 2:
        assert f"\n  fastopt {arguments[0]}" in out.split("example")[1]
    else:
        assert all(f"\n    {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", fo.rules.names())
def test_help_of_a_rule_names_its_parameters_and_no_others(answer, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    out = answer("run", name, "--help")
    rule = fo.rules.get(name)
    for parameter in rule.parameter_names():
        assert f"--{parameter.replace('_', '-')}" in out
        assert f"(default: {getattr(rule, parameter)})" in " ".join(out.split())
    assert ("--beta1" in out) == ("beta1" in rule.parameter_names())


def test_version(answer):
    assert answer("--version") == f"fastopt {fo.__version__}\n"


def test_a_new_command_is_one_function(answer, monkeypatch):
    monkeypatch.setattr(cli, "_commands", dict(cli._commands))

    @cli.command(lambda parser: parser.add_argument("word"))
    def shout_(options):
        """Say a word aloud.

        example:
          fastopt shout hello
        """
        print(options.word.upper())

    assert answer("shout", "hello") == "HELLO\n"
    assert "say a word aloud" in answer("--help")


# -- list and info -----------------------------------------------------------------------


def test_list_has_every_rule_and_surface(answer):
    out = answer("list")
    first_words = [line.split()[0] for line in out.splitlines() if line[:1].strip()]
    words = [word for word in first_words if word != "--"]  # the lines of families
    end = words.index("surface")
    assert words[0] == "rule"
    assert sorted(words[1:end]) == fo.rules.names()
    ensembles, spectra = words.index("ensemble"), words.index("spectrum")
    assert words[end + 1 : ensembles] == fo.surfaces.names()
    assert words[ensembles + 1 : spectra] == ["random_quadratics"]
    assert words[spectra + 1 :] == fo.spectra.names()
    assert max(map(len, out.splitlines())) <= 80
    for name in fo.rules.names():
        rule = fo.rules.get(name)
        for parameter in rule.parameter_names():
            assert f"{parameter}={getattr(rule, parameter)}" in out


def test_list_as_json(answer):
    tables = strict_json(answer("list", "--json"))
    assert [row["name"] for row in tables["rules"]] == fo.rules.names()
    assert [row["name"] for row in tables["surfaces"]] == fo.surfaces.names()
    adam = next(row for row in tables["rules"] if row["name"] == "adam")
    defaults = {name: getattr(fo.Adam(), name) for name in fo.Adam.parameter_names()}
    assert adam["parameters"] == defaults
    himmelblau = next(row for row in tables["surfaces"] if row["name"] == "himmelblau")
    assert himmelblau["minima"] == fo.Himmelblau().minima.tolist()
    assert himmelblau["description"] == fo.Himmelblau.__doc__.splitlines()[0]


def test_list_of_one_kind(answer):
    assert list(strict_json(answer("list", "surfaces", "--json"))) == ["surfaces"]
    assert "rosenbrock" not in answer("list", "rules")


def test_info(answer, monkeypatch, tmp_path):
    monkeypatch.setenv("FASTOPT_CACHE_DIR", str(tmp_path))
    (tmp_path / f"adam-bowl.abc{cache._SUFFIX}").write_bytes(bytes(1234))
    facts = strict_json(answer("info", "--json"))
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["versions"]["fastopt"] == fo.__version__
    assert (facts["cache_entries"], facts["cache_size"]) == (1, 1234)
    assert facts["cache_folder"] == str(tmp_path)
    assert facts["processors_usable"] >= 1
    shown = [facts["processor"], f"{facts['vector_bits']} bits", "1 entry, 1.23 kB"]
    assert all(text in answer("info") for text in shown)
    monkeypatch.setenv("FASTOPT_CACHE_DIR", "/none")
    assert "/none" in answer("info")
    assert "0 entries, 0 bytes" in answer("info")


@pytest.mark.parametrize(
    ("features", "bits"),
    [(["avx512f", "avx2", "avx"], 512), (["avx2", "avx"], 256), (["avx"], 256), (["sse2"], 128)],
)
def test_vector_width_by_the_features_of_the_processor(monkeypatch, features, bits):
    known = dict.fromkeys(["avx512f", "avx2", "avx", "sse2", "fma"], False)
    found = known | dict.fromkeys(features, True)
    monkeypatch.setattr(info.llvm, "get_host_cpu_features", lambda: found)
    assert info.vector_bits() == bits


# -- run ---------------------------------------------------------------------------------


def test_run_gives_what_fo_run_gives(answer, tmp_path):
    file = tmp_path / "runs.npz"
    arguments = ["--learning-rate", 0.3, "--beta1", 0.8, "--starts", 300, "--seed", 5]
    stops = ["--stop-value", 1e-6, "--max-steps", 75]
    out = answer("run", "adam", "bowl", *arguments, *stops, "--output", file, "--json")
    bowl = fo.Bowl()
    starts = np.asarray(fo.starts.Uniform(*bowl.bounds.T, n=300, seed=5))
    rule, stop = fo.Adam(0.3, beta1=0.8), fo.Stop(value=1e-6)
    runs = fo.run(rule, bowl, starts, max_steps=75, stop=stop)
    written = np.load(file)
    assert sorted(written) == ["fun", "grad_norm", "starts", "status", "steps", "x"]
    np.testing.assert_array_equal(written["starts"], starts)
    for name in ("x", "fun", "grad_norm", "steps", "status"):
        np.testing.assert_array_equal(written[name], getattr(runs, name))
    facts = strict_json(out)
    assert 0 < runs.success.sum() < 300
    for status in fo.Status:
        steps = np.sort(runs.steps[runs.status == status])
        outcome = facts["outcomes"][status.name.lower()]
        assert outcome["runs"] == len(steps)
        assert outcome["share"] == len(steps) / 300
        assert outcome["median_steps"] == (steps[(len(steps) - 1) // 2] if len(steps) else None)
    assert facts["best"]["fun"] == runs.fun.min()
    assert facts["output"] == str(file)


def test_run_prints_a_table(answer):
    out = answer("run", "gradient_descent", "bowl", "--learning-rate", 0.7, "--starts", "1e3")
    assert out.startswith("GradientDescent(learning_rate=0.7) on Bowl(): 1,000 starts")
    assert "converged            1,000  100.0%" in out
    assert "least value" in out


def test_run_says_what_to_do_about_runs_that_did_not_converge(answer):
    out = answer("run", "gradient_descent", "bowl", "--learning-rate", 3, "--starts", 10)
    assert fo.Status.DIVERGED.meaning in out
    assert fo.Status.MAX_STEPS.meaning not in out


def test_run_from_given_starts_with_negative_coordinates(answer):
    given = ["--start", "-7,2", "--start", "-.5,-1e-1", "--learning-rate", "0.7"]
    rows = strict_json(answer("run", "gradient_descent", "bowl", *given, "--json"))["runs"]
    assert [row["start"] for row in rows] == [[-7.0, 2.0], [-0.5, -0.1]]
    out = answer("run", "gradient_descent", "bowl", *given)
    assert "(-7, 2) -> " in out
    assert out.count("converged after") == 2


def test_run_prints_null_for_what_is_not_a_number(answer):
    starts = ["--start", "nan,1", "--start", "-inf,0"]
    rows = strict_json(answer("run", "gradient_descent", "bowl", *starts, "--json"))["runs"]
    assert [row["status"] for row in rows] == ["diverged", "diverged"]
    assert rows[0]["start"] == [None, 1.0]
    assert rows[1]["x"] == [None, 0.0]
    assert "best" not in answer("run", "gradient_descent", "bowl", "--start", "nan,1")


def test_run_takes_its_options_in_any_order(answer):
    one = ["run", "--learning-rate", "0.7", "gradient_descent", "--starts", "9", "bowl", "--json"]
    other = ["run", "gradient_descent", "bowl", "--json", "--starts=9", "--learning-rate=0.7"]
    facts = [strict_json(answer(*arguments)) for arguments in (one, other)]
    assert facts[0]["outcomes"] == facts[1]["outcomes"]
    assert facts[0]["parameters"] == {"learning_rate": 0.7}


def test_run_on_a_matrix(answer):
    surface = ["--matrix", "2,0;0,-1", "--minimizer", "1,-2"]
    arguments = [*surface, "--learning-rate", 0.1, "--start", "3,-2", "--dtype", "float32"]
    (row,) = strict_json(answer("run", "SGD", "quadratic", *arguments, "--json"))["runs"]
    assert row["x"] == pytest.approx([1.0, -2.0], abs=1e-6)


def test_run_on_a_formula(answer):
    facts = strict_json(answer("run", "bfgs", "(x-3)**2 + 4*y**2", "--start", "1,1", "--json"))
    assert facts["runs"][0]["x"] == pytest.approx([3, 0], abs=1e-7)


def test_run_on_a_surface_with_options_of_its_own(answer):
    arguments = ["--condition", 9, "--start", "1,1", "--max-steps", 0, "--json"]
    (row,) = strict_json(answer("run", "sgd", "ellipsoid", *arguments))["runs"]
    assert row["fun"] == fo.Ellipsoid(condition=9.0).value([1.0, 1.0])


def test_run_no_stop_takes_all_steps(answer):
    arguments = ["--starts", 5, "--no-stop", "--max-steps", 77, "--json"]
    facts = strict_json(answer("run", "gradient_descent", "bowl", *arguments))
    assert facts["outcomes"]["max_steps"] == {
        "runs": 5,
        "share": 1.0,
        "median_steps": 77,
        "p90_steps": 77,
        "most_steps": 77,
    }


def test_flags_of_rules():
    parser = cli._parser()
    arguments = ["run", "ema_momentum", "bowl"]
    given = [parser.parse_args([*arguments, *flag]) for flag in ([], ["--debias"], ["--no-debias"])]
    assert [options.rule_debias for options in given] == [None, True, False]


# -- what is refused ---------------------------------------------------------------------

REFUSED = [
    ("nope", "'nope': no such command; "),
    ("run adam", "required: SURFACE"),
    ("run adem bowl", "did you mean 'adam'"),
    ("run adam rosenbrok", "did you mean 'rosenbrock'"),
    ("run nope --help", "'nope': no such rule"),
    ("run adam bowl --learning-rate -1", "learning_rate=-1.0: must be > 0"),
    ("run adam bowl --learning-rate -1e-3", "learning_rate=-0.001: must be > 0"),
    ("run adam bowl --learning-rate abc", "--learning-rate: 'abc': must be a number"),
    ("run adam bowl --learning-rate", "--learning-rate: expected one argument"),
    ("run adam bowl --beta1 1", "beta1=1.0: must be in [0, 1)"),
    ("run adam bowl --lerning-rate 1", "did you mean '--learning-rate'? adam has --learning-rate"),
    ("run --lr 0.1 adam bowl", "--lr: no such option"),
    ("run adam bowl --momentum 0.9", "--momentum: no such option for adam; adam has"),
    ("run adam bowl more", "'more': one argument too many"),
    ("run adam bowl --dim 3", "bowl has no such option"),
    ("run adam rosenbrock --dim 1", "dim=1: must be >= 2"),
    ("run adam quadratic", "quadratic needs --matrix"),
    ("run adam bbob", "bbob needs --function, such as --function 1"),
    ("run adam x**2+floor(y)", "floor"),
    ("run adam x**2+y**2 --dim 3", "--dim: a formula has no such option"),
    ("run adam quadratic --matrix 1,2;3,4", "must be symmetric"),
    ("run adam quadratic --matrix 1,2;3", "must be of one length"),
    ("run adam bowl --start 1,2,3", "1,2,3: has 3 coordinates, but Bowl() has 2"),
    ("run adam bowl --start 1,x", "'x': must be a number"),
    ("run adam bowl --starts 0", "'0': must be at least 1"),
    ("run adam bowl --starts 1.5", "'1.5': must be a whole number"),
    ("run adam bowl --starts 1e13", "of memory is free"),
    ("run adam bowl --starts 5 --start 1,2", "not allowed with argument --starts"),
    ("run adam bowl --seed -1", "seed=-1: must be >= 0"),
    ("run adam bowl --max-steps -1", "max_steps=-1: must be >= 0"),
    ("run adam bowl --dtype float16", "dtype='float16': must be"),
    ("run adam bowl --stop-value -1", "value=-1.0: must be >= 0"),
    ("run adam bowl --no-stop --stop-value 1", "--no-stop goes with no"),
    ("run adam bowl --output runs.txt", "must end in .npz"),
    ("run adam bowl --output /nowhere/runs.npz", "cannot be written to"),
    ("tour --rules adem", "did you mean 'adam'"),
    ("tour --surfaces ackley", "'ackley': no such surface of the tour"),
    ("tour --starts 0", "'0': must be at least 1"),
    ("tour --output /dev/null", "/dev/null: must be a folder"),
    ("tour --output /dev/null/a", "/dev/null: must be a folder"),
    ("--jsn", "--jsn: no such option"),
    ("rnu adam bowl", "'rnu': no such command; did you mean 'run'?"),
    ("run adam bowl --max-step 5", "did you mean '--max-steps'"),
    ("run adam rosenbrock --dim 99999999999", "dim=99999999999: must be <= 100,000,000"),
    ("info --jsno", "--jsno: no such option; did you mean '--json'?"),
    ("stats adam", "required: SURFACE"),
    ("stats adam,adem bowl", "'adem': no such rule; did you mean 'adam'"),
    ("stats adam,adam bowl", "adam: is there twice; give it other parameters, such as"),
    ("stats adam:lr=1 bowl", "adam:lr=1: 'lr': adam has no such parameter; known: beta1"),
    ("stats adam:momentum=1 bowl", "'momentum': adam has no such parameter"),
    ("stats adam:beta1 bowl", "'beta1': must be a parameter and its value, such as"),
    ("stats adam:beta1=x bowl", "adam:beta1=x: beta1=x: must be a number"),
    ("stats adam:beta1=1 bowl", "beta1=1.0: must be in [0, 1)"),
    ("stats ema_momentum:debias=1 bowl", "debias=1: must be true or false"),
    ("stats sgd,adam bowl --momentum 1", "--momentum: no such option of these rules"),
    ("stats sgd,adam bowl --learing-rate 1", "did you mean '--learning-rate'?"),
    ("stats sgd,newton x*y*abs(x) --stop-distance 1", "no minimum of"),
    ("stats adam bowl --compare", "--compare: must have two rules or more"),
    ("stats adam bowl --confidence 95", "confidence=95.0: must be < 1; 95% is 0.95"),
    ("stats adam bowl --plot a.jpg", "--plot a.jpg: must end in .png, .pdf, .svg"),
    ("stats adam bowl --start 1,2,3", "fastopt stats: --start 1,2,3: has 3 coordinates"),
    ("list adam", "invalid choice: 'adam'"),
    ("info --foo", "--foo: no such option"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED)
def test_bad_input_is_refused_in_one_line(typed, monkeypatch, line, reason):
    monkeypatch.setattr(fo.starts.Uniform, "chunk", None)  # nothing may run
    status, out, err = typed(*line.split())
    assert (status, out) == (2, "")
    assert err.startswith("fastopt")
    assert err.count("\n") == 1
    assert reason in err


def test_a_bug_is_not_taken_for_bad_input(monkeypatch):
    def broken():
        raise ValueError("a bug")

    monkeypatch.setattr(info, "collect", broken)
    with pytest.raises(ValueError, match="a bug"):
        main(["info"])


# -- how it ends -------------------------------------------------------------------------


def test_ctrl_c(typed, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fo, "run", interrupted)
    assert typed("run", "adam", "bowl") == (130, "", "fastopt: interrupted\n")


def test_the_module_runs_and_is_quiet_when_its_reader_went_away():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "fastopt", "list"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_the_characters_shows_others():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "fastopt", "list"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "x?/20 + y?" in done.stdout


def test_help_does_not_wait_for_matplotlib():
    code = (
        "import sys; from fastopt.cli import main; status = main(['--help']); "
        "heavy = {'matplotlib', 'sympy', 'xarray'} & set(sys.modules); "
        "sys.exit(status or heavy or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
