"""The README's Python runs as it stands."""

import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
TYPED = re.findall(r"```console\n\$ (.*?[^\\])\n(.*?)```", README.read_text(), re.DOTALL)
PRINTED = re.findall(r"```\n\n```\n(.*?)```", README.read_text(), re.DOTALL)


def test_python_blocks_run(capsys, monkeypatch, tmp_path):
    from fastopt.rules import base

    assert len(BLOCKS) == 9
    monkeypatch.setattr(base, "registry", dict(base.registry))  # it defines a rule
    monkeypatch.chdir(tmp_path)  # it writes a picture and keeps a study
    namespace = {"__name__": "readme"}
    with warnings.catch_warnings():
        # The rule of the last block is defined where no file is.
        warnings.filterwarnings("ignore", "SignDescent: it is not defined in a file")
        for block in BLOCKS:
            exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["basins"].matched == tuple(f"minima[{k}]" for k in range(4))
    assert namespace["plane"].steps.shape == (200, 100)
    assert namespace["runs"].success.mean() > 0.5
    assert namespace["again"].steps.tolist() == namespace["slowest"].measure.tolist()
    assert (namespace["quick"].path, namespace["dense"].path) == ("eigenbasis", "own")
    np.testing.assert_allclose(namespace["quick"].x, namespace["dense"].x, rtol=0, atol=1e-13)
    measured = namespace["noisy"].trajectory_fun.mean(axis=(1, 2))
    np.testing.assert_allclose(measured, namespace["mean"][::10], rtol=0.1)
    assert namespace["result"].runs == 20_000 * 2 * 6
    out = capsys.readouterr().out
    assert "SignDescent(learning_rate=0.01) on Himmelblau()" in out
    assert len(PRINTED) == 1
    assert PRINTED[0] in out


@pytest.mark.parametrize("command", re.findall(r"^fastopt (\w+)", README.read_text(), re.MULTILINE))
def test_commands_exist(command, capsys):
    from fastopt.cli import main

    assert main([command, "--help"]) == 0
    assert command in capsys.readouterr().out


def test_what_is_typed_prints_that(capsys):
    from fastopt.cli import main

    assert len(TYPED) == 1
    for line, printed in TYPED:
        program, *arguments = shlex.split(line.replace("\\\n", " "))
        assert program == "fastopt"
        assert main(arguments) == 0
        assert printed.removeprefix("...\n") in capsys.readouterr().out
