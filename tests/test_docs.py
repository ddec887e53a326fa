"""Every code block of the README and of ``docs`` runs as it stands.

Python blocks of a page share one namespace and a folder of their own, in which its commands run
too. A block of no language after one of Python is what that printed; the lines under a command are
what that prints, ``...`` standing for any number of lines. A ``code-block`` with a caption is a
file of that name.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest

from fastopt.cli import main
from fastopt.rules import base as rules_base
from fastopt.surfaces import base as surfaces_base

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in [ROOT / "README.md", *DOCS.rglob("*.md")]
}
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
# Directives of Sphinx that hold no code.
DIRECTIVES = {"{toctree}", "{figure}", "{eval-rst}", "{benchmarks}", "{commands}"}
# They show pictures that other pages make.
FRONT = {"README.md", "docs/index.md"}
# What a new user types first, and a developer; to be changed with care alone.
INSTALL = "python3 -m venv .venv && .venv/bin/pip install '.[plot]' && .venv/bin/fastopt tour"
DEVELOP = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
BUILD = re.findall(
    r"^\.venv/bin/(?:pip|sphinx-build) .*", PAGES["README.md"].read_text(), re.MULTILINE
)


def blocks(page):
    """The info string and the text of each fenced block."""
    return FENCE.findall(PAGES[page].read_text())


def checked_readme(namespace):
    assert namespace["results"]["bfgs"].success.all()


def checked_start(namespace):
    assert namespace["plane"].steps.shape == (200, 100)


def checked_studies(namespace):
    assert namespace["again"].steps.tolist() == namespace["slowest"].measure.tolist()
    assert namespace["result"].runs == 20_000 * 2 * 6
    assert namespace["finished"].digest == namespace["so_far"].digest


def checked_basins(namespace):
    assert namespace["basins"].matched == tuple(f"minima[{k}]" for k in range(4))
    assert namespace["frames"].share.shape == (15, 6)
    assert 0 < namespace["quick"].share_run < 1


def checked_quadratics(namespace):
    assert (namespace["quick"].path, namespace["dense"].path) == ("eigenbasis", "own")
    np.testing.assert_allclose(namespace["quick"].x, namespace["dense"].x, rtol=0, atol=1e-13)
    measured = namespace["noisy"].trajectory_fun.mean(axis=(1, 2))
    np.testing.assert_allclose(measured, namespace["mean"][::10], rtol=0.1)


CHECKS = {
    "README.md": checked_readme,
    "docs/start.md": checked_start,
    "docs/studies.md": checked_studies,
    "docs/basins.md": checked_basins,
    "docs/quadratics.md": checked_quadratics,
}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_the_blocks_of_a_page_run(page, capsys, monkeypatch, tmp_path):
    for module in (rules_base, surfaces_base):  # a page may define its own
        monkeypatch.setattr(module, "registry", dict(module.registry))
    monkeypatch.chdir(tmp_path)
    namespace, printed, before = {"__name__": "docs"}, "", ""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"[\w-]+: it is not defined in a file")
        for language, text in blocks(page):
            if language == "python":
                exec(compile(text, page, "exec", dont_inherit=True), namespace)
                printed = capsys.readouterr().out
            elif language == "console":
                run_commands(text, capsys)
            elif language.startswith("{code-block}"):
                name, _, contents = text.removeprefix(":caption: ").partition("\n\n")
                (tmp_path / name).write_text(contents)
            elif language == "" and before == "python":
                assert_printed(text, printed)
            elif language == "":
                for line in text.splitlines():
                    check_typed(line)
            else:
                assert language.partition(" ")[0] in DIRECTIVES, f"who runs {language}?"
            before = language
    CHECKS.get(page, lambda namespace: None)(namespace)
    if page not in FRONT:
        check_pictures(page, tmp_path)


def run_commands(text, capsys):
    for session in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = re.sub(r"\\\n", "", session).partition("\n")
        if command.startswith("fastopt "):
            assert main(shlex.split(command)[1:]) == 0, command
            assert_printed(printed, capsys.readouterr().out)
        else:
            assert not printed
            check_typed(command)


def assert_printed(expected, printed):
    """Each part of *expected* between lines ``...`` is there, in order."""
    end = 0
    for part in re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE):
        assert part in printed[end:], f"{part}\nis not in\n{printed[end:]}"
        end = printed.index(part, end) + len(part)


def check_typed(command):
    """A command that is too much for a test: what it names is there."""
    program, *arguments = shlex.split(command)
    if program == "python":
        source = (ROOT / arguments[0]).read_text()
        options = [argument for argument in arguments if argument.startswith("--")]
        assert all(f'"{option}"' in source for option in options), command
    elif program == "asv":
        assert arguments[0] in {"machine", "run", "continuous", "publish"}
        assert (ROOT / "asv.conf.json").exists()
    elif program == "bash":
        assert (ROOT / arguments[0]).exists()
    else:
        assert command in {INSTALL, DEVELOP, *BUILD}, command


def check_pictures(page, folder):
    """What a page shows was made by its blocks; on request it takes the place of what is there."""
    for name in re.findall(r"images/(\w+\.png)", PAGES[page].read_text()):
        assert (folder / name).exists(), f"{page} shows {name} and does not make it"
        assert (folder / name).stat().st_size < 150_000
        if os.environ.get("FASTOPT_DOCS_PICTURES"):
            shutil.copy(folder / name, DOCS / "images" / name)


def test_the_readme_begins_with_its_two_commands():
    typed = [text for language, text in blocks("README.md") if language == ""]
    assert typed[0] == f"{INSTALL}\n"
    assert f"{DEVELOP}\n" in typed
    ci = (ROOT / ".ci" / "run").read_text()
    assert '\nreadme "bin/pytest"\n' in ci
    assert ' readme "bin/sphinx-build"\n' in ci


def test_extras_are_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for path in PAGES.values():
        for names in re.findall(r"'\.\[([\w,]+)\]'|extras? `(\w+)`", path.read_text()):
            assert set("".join(names).split(",")) <= set(extras), path


def test_the_tests_that_hold_a_guarantee_exist():
    where, named = None, 0
    for path, name in re.findall(
        r"`(?:(tests/test_\w+\.py)::)?(test_\w+)`", PAGES["docs/guarantees.md"].read_text()
    ):
        where = path or where
        tree = ast.parse((ROOT / where).read_text())
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{where}::{name}"
        named += 1
    assert named > 50


def test_links_between_pages_lead_somewhere():
    for path in PAGES.values():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            generated = target.replace("../", "").startswith(("rules/", "surfaces/"))
            assert generated or (path.parent / target).exists(), f"{path.name}: {target}"
