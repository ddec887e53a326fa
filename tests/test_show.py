"""``fastopt show``, and formulas as text."""

from __future__ import annotations

import json
import re

import pytest

import fastopt as fo
from fastopt import equations
from fastopt.cli import main
from fastopt.rules.base import LIBRARIES


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"x_{t+1} &= x_t - \alpha \nabla f(x_t)", "xₜ₊₁ = xₜ - α ∇f(xₜ)"),
        (r"\hat m = m_{t+1} / (1 - \beta_1^{t+1})", "m̂ = mₜ₊₁ / (1 - β₁ᵗ⁺¹)"),
        (r"\sqrt{v_t} + \epsilon", "√vₜ + ε"),
        (r"\sqrt{x}", "√x"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\tfrac12 x^2", "1/2 x²"),
        (r"e^{-r/5}, \quad c", "e^(-r/5),   c"),
        (r"a \\ b", "a\nb"),
        (r"\sum_i x_i^2", "Σᵢ xᵢ²"),
        (r"\max(\beta_2 u, |g|)", "max(β₂ u, |g|)"),
    ],
)
def test_a_formula_as_text(latex, text):
    assert equations.plain(latex) == text


def test_a_docstring_is_wrapped_by_paragraph():
    text = "One line.\n\n" + "word " * 30 + "\nmore.\n\nParameters\n----------\na : int\n    What."
    lines = equations.docstring(text, 60).splitlines()
    assert lines[0] == "One line."
    assert max(map(len, lines)) <= 60
    assert lines[-4:] == ["Parameters", "----------", "a : int", "    What."]


@pytest.mark.parametrize("name", [*fo.rules.names(), *fo.surfaces.names()])
def test_everything_is_shown_on_80_columns(name, capsys):
    assert main(["show", name]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert not re.search(r"\\[a-z]|``|\]_|\.\. |Examples", out)


def test_a_rule_is_shown_with_the_defaults_of_each_library(capsys):
    assert main(["show", "Adam"]) == 0
    out = capsys.readouterr().out
    assert "m̂ = mₜ₊₁" in out
    columns = re.search(r"^default +(.*)$", out, re.MULTILINE)[1].split()
    assert columns == ["paper", *(name for name in LIBRARIES if name in fo.Adam.presets)]
    row = re.search(r"^learning_rate +(.*)$", out.partition("default  ")[2], re.MULTILINE)[1]
    assert row.split()[0] == "0.001"
    assert main(["show", "adam", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["defaults"]["paper"]["beta2"] == 0.999
    assert list(facts["defaults"]) == columns


def test_a_surface_is_shown_with_its_minima(capsys):
    assert main(["show", "himmelblau"]) == 0
    out = capsys.readouterr().out
    assert "f(x, y) = (x² + y - 11)²" in out
    assert "[-2.80511809,  3.13131252]" in out


def test_a_surface_is_shown_with_what_it_says_of_itself(capsys):
    assert main(["show", "alpine"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^ +and 44 more$", out, re.MULTILINE)
    assert re.search(r"^not smooth +where a coordinate x is 0", out, re.MULTILINE)
    assert main(["show", "trid"]) == 0
    out = capsys.readouterr().out
    kind = out.partition("it is")[2].split()
    assert kind[:6] == ["convex,", "not", "separable,", "smooth,", "strong", "convexity"]
    assert kind[-1] == "3"
    assert "local_minima" not in out
    assert main(["show", "schwefel", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["unbounded"] is True
    assert facts["lipschitz"] is None


def test_an_unknown_name_is_one_line(capsys):
    assert main(["show", "adma"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "fastopt show: 'adma': no such rule, surface or spectrum; did you mean 'ada"
    )
    assert error.count("\n") == 1
