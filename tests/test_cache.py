"""Machine code on disk: found again, never stale, and never in the way."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

RULE = """
    import fastopt as fo

    FACTOR = {factor}

    def scaled(g):
        return FACTOR * g

    class Mine(fo.rules.Rule):
        name = "mine"
        learning_rate: fo.rules.Number = fo.rules.parameter(0.5, fo.rules.POSITIVE)

        @staticmethod
        def update(p, c, x, g, s):
            return x - p[0] * scaled(g){more}
"""
RUN = """
    import fastopt as fo
    from fastopt.kernels import cache, compile as compiler
    misses = []
    cache._say_compiling = lambda label: misses.append(label)
    {define}
    runs = fo.run(Mine(), fo.Sphere(1), [[1.0]], max_steps=1, stop=None)
    print(float(runs.x[0, 0]), len(misses))
"""


def python(code, folder, **options):
    """Run *code* in a new process; its standard output and error."""
    environment = os.environ | {"FASTOPT_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, *options.pop("flags", []), "-c", textwrap.dedent(code)],
        cwd=folder,
        env=environment | options.pop("env", {}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip(), done.stderr.strip()


def write_rule(folder, factor=1.0, more=""):
    (folder / "mine.py").write_text(textwrap.dedent(RULE.format(factor=factor, more=more)))


IMPORTED = RUN.format(define="from mine import Mine")
DEFINED = RUN.format(
    define=textwrap.dedent(RULE.format(factor=1.0, more="")).replace("\n", "\n    ")
)


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder with a rule of the user's own, run once."""
    folder = tmp_path_factory.mktemp("warm")
    write_rule(folder)
    out, error = python(IMPORTED, folder)
    assert out == "0.0 4"  # driver, block, evaluation, survey
    assert error == ""
    return folder


def test_a_second_process_compiles_nothing(warm):
    assert python(IMPORTED, warm) == ("0.0 0", "")


def test_the_folder_is_the_users_own(warm):
    assert (warm / "cache").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("edit", [{"factor": 0.5}, {"more": " * 0.5"}], ids=["constant", "code"])
def test_an_edited_rule_never_runs_stale(warm, edit):
    try:
        write_rule(warm, **edit)
        assert python(IMPORTED, warm) == ("0.5 1", "")  # only its block is compiled anew
    finally:
        write_rule(warm)
    assert python(IMPORTED, warm) == ("0.0 0", "")


HELPERS = {
    "tuple in a module": ("K = (1.0,)", "K = (0.5,)", "helpers.K[0] * g"),
    "array in a module": (
        "import numpy as np\nK = np.array([1.0])",
        "import numpy as np\nK = np.array([0.5])",
        "helpers.K[0] * g",
    ),
    "default argument": (
        "import numba\n@numba.njit\ndef f(g, k=1.0):\n    return k * g",
        "import numba\n@numba.njit\ndef f(g, k=0.5):\n    return k * g",
        "f(g)",
    ),
    "which is which": (
        "def f(g):\n    return g\ndef h(g):\n    return 0.5 * g\nk = f",
        "def f(g):\n    return g\ndef h(g):\n    return 0.5 * g\nk = h",
        "k(f(g) + 0.0 * h(g))",
    ),
}


def test_an_edit_behind_a_rule_never_runs_stale(warm):
    # Each has files of its own; they share processes, whose start is what takes long.
    for k, (_, _, expression) in enumerate(HELPERS.values()):
        rule = RULE.format(factor=1.0, more="").replace("p[0] * scaled(g)", f"p[0] * {expression}")
        imports = f"import fastopt as fo, helpers{k} as helpers\n    from helpers{k} import *"
        rule = rule.replace("import fastopt as fo", imports).replace('"mine"', f'"mine_{k}"')
        (warm / f"mine{k}.py").write_text(textwrap.dedent(rule))
    run = "".join(RUN.format(define=f"from mine{k} import Mine") for k in range(len(HELPERS)))
    for version, expected in ((0, "0.0 1"), (1, "0.5 1"), (1, "0.5 0")):
        for k, texts in enumerate(HELPERS.values()):
            (warm / f"helpers{k}.py").write_text(texts[version] + "\n")
        printed = python(run, warm)[0].splitlines()
        assert dict(zip(HELPERS, printed, strict=True)) == dict.fromkeys(HELPERS, expected)


def test_an_edited_kernel_file_never_runs_stale(warm, tmp_path):
    code = """
        import pathlib, shutil, sys
        import fastopt
        shutil.copytree(pathlib.Path(fastopt.__file__).parent, "fastopt")
    """
    python(code, tmp_path)
    write_rule(tmp_path)
    (tmp_path / "cache").symlink_to(warm / "cache")
    assert python(IMPORTED, tmp_path)[0] == "0.0 0"
    driver = tmp_path / "fastopt" / "kernels" / "driver.py"
    driver.write_text(driver.read_text() + "\n# edited\n")
    assert python(IMPORTED, tmp_path)[0] == "0.0 4"


def test_a_damaged_entry_is_compiled_anew(warm):
    for entry in (warm / "cache").glob("mine-*"):
        data = bytearray(entry.read_bytes())
        data[len(data) // 2] ^= 1
        entry.write_bytes(data)
    assert python(IMPORTED, warm) == ("0.0 1", "")
    assert python(IMPORTED, warm) == ("0.0 0", "")


def test_a_read_only_folder_works_with_one_notice(tmp_path):
    write_rule(tmp_path)
    (tmp_path / "cache").mkdir(mode=0o500)
    out, error = python(IMPORTED, tmp_path)
    assert out == "0.0 4"
    assert error.count("CacheWarning: cannot write to the cache folder") == 1
    assert "FASTOPT_CACHE_DIR" in error
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_others_can_write_to_is_not_executed_from(warm, tmp_path):
    write_rule(tmp_path)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    for entry in (warm / "cache").iterdir():
        (tmp_path / "cache" / entry.name).write_bytes(entry.read_bytes())
    out, error = python(IMPORTED, tmp_path)
    assert out == "0.0 4"
    assert "other users can write to it" in error


def test_a_rule_without_a_file_works_uncached_with_one_notice(warm):
    for _ in range(2):
        out, error = python(DEFINED, warm)
        assert out == "0.0 1"
        assert error.count("CacheWarning: Mine: it is not defined in a file") == 1


def test_only_the_last_few_versions_are_kept(warm):
    try:
        for k in range(3):
            write_rule(warm, factor=0.5 + k)
            python(IMPORTED.replace("misses = []", "misses = []; cache._KEPT_PER_LABEL = 2"), warm)
        kept = {entry.name for entry in Path(warm, "cache").glob("mine-*")}
        assert 1 <= len(kept) <= 2
    finally:
        write_rule(warm)
