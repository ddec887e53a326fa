"""``fastopt list``."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any

from fastopt import ensembles, rules, spectra, surfaces
from fastopt.cli import Options, Parser, command, print_json
from fastopt.rules.base import LIBRARIES, summary_line
from fastopt.rules.base import registry as rule_classes
from fastopt.surfaces.base import registry as surface_classes

_WIDTH = 80


def _declare(parser: Parser) -> None:
    parser.add_argument(
        "kind",
        nargs="?",
        choices=["rules", "surfaces", "ensembles", "spectra"],
        metavar="rules|surfaces|ensembles|spectra",
        help="list only these",
    )
    parser.add_argument("--json", action="store_true", help="print the tables as JSON")


@command(_declare)
def list_(options: Options) -> None:
    """The rules with their parameters, the surfaces, ensembles of them, and their spectra.

    example:
      fastopt list rules
    """
    tables = {"rules": _rules, "surfaces": _surfaces, "ensembles": _ensembles, "spectra": _spectra}
    chosen = {kind: make() for kind, make in tables.items() if options.kind in (None, kind)}
    if options.json:
        print_json(chosen)
        return
    texts: dict[str, Callable[[list[dict[str, Any]]], list[str]]] = {
        "rules": _rule_lines,
        "surfaces": _surface_lines,
        "ensembles": partial(_parameter_lines, "ensemble"),
        "spectra": partial(_parameter_lines, "spectrum"),
    }
    print("\n\n".join("\n".join(texts[kind](rows)) for kind, rows in chosen.items()))


def _rules() -> list[dict[str, Any]]:
    rows = []
    for name in rules.names():
        rule = rules.get(name)
        rows.append(
            {
                "name": name,
                "family": type(rule).family(),
                "evaluations": type(rule).evaluations(),
                "presets": [library for library in LIBRARIES if library in rule.presets],
                "parameters": {key: getattr(rule, key) for key in rule.parameter_names()},
                "description": summary_line(rule_classes[name]),
            }
        )
    return rows


def _surfaces() -> list[dict[str, Any]]:
    rows = []
    for name in surfaces.names():
        options = inspect.signature(surface_classes[name]).parameters
        needs = [key for key, option in options.items() if option.default is option.empty]
        surface = None if needs else surfaces.get(name)
        rows.append(
            {
                "name": name,
                "dim": surface.dim if surface else None,
                "any_dim": "dim" in options or bool(needs),
                "options": list(options),
                "needs": needs,
                "minima": surface.minima if surface else None,
                "bounds": surface.bounds if surface else None,
                "description": summary_line(surface_classes[name]),
            }
        )
    return rows


def _ensembles() -> list[dict[str, Any]]:
    return [_called(name, cls) for name, cls in ensembles.registry.items()]


def _spectra() -> list[dict[str, Any]]:
    return [_called(name, cls) for name, cls in spectra.registry.items()]


def _called(name: str, cls: type) -> dict[str, Any]:
    """What it is, and what it takes; null where it must be given, or may be left out."""
    parameters = {
        key: None if parameter.default is parameter.empty else parameter.default
        for key, parameter in inspect.signature(cls).parameters.items()
    }
    description = re.sub(r" \[\d+\]_", "", summary_line(cls))
    return {"name": name, "parameters": parameters, "description": description}


def _parameter_lines(title: str, rows: list[dict[str, Any]]) -> list[str]:
    label = max(len(name) for name in (title, *(row["name"] for row in rows))) + 2
    lines = [f"{title:{label}}what it is, parameters"]
    for row in rows:
        parameters = ", ".join(
            name if value is None else f"{name}={value}"
            for name, value in row["parameters"].items()
        )
        texts = [*_wrapped(row["description"], label), *_wrapped(parameters, label)]
        lines += _row(f"{row['name']:{label}}", texts)
    return lines


def _rule_lines(rows: list[dict[str, Any]]) -> list[str]:
    label = max(len(row["name"]) for row in rows) + 2
    lines = [f"{'rule':{label}}what it does, parameters, cost of a step, presets"]
    for family in sorted({row["family"] for row in rows}):
        lines.append(f"-- {family} ".ljust(_WIDTH, "-"))
        for row in (row for row in rows if row["family"] == family):
            parameters = ", ".join(f"{name}={value}" for name, value in row["parameters"].items())
            facts = row["evaluations"]
            facts += f"; presets {', '.join(row['presets'])}" if row["presets"] else ""
            texts = [
                line
                for text in (row["description"], parameters, facts)
                for line in _wrapped(text, label)
            ]
            lines += _row(f"{row['name']:{label}}", texts)
    return lines


def _surface_lines(rows: list[dict[str, Any]]) -> list[str]:
    label = max(len(row["name"]) for row in rows) + 1
    lines = [f"{'surface':{label}}{'dim':>4}{'minima':>8}  what it is"]
    for row in rows:
        dim = "n" if row["dim"] is None else f"n={row['dim']}" if row["any_dim"] else row["dim"]
        minima = "" if row["minima"] is None else len(row["minima"])
        text = row["description"]
        if row["needs"]:
            text += f" Needs {', '.join(f'--{name}' for name in row['needs'])}."
        lines += _row(f"{row['name']:{label}}{dim:>4}{minima:>8}  ", _wrapped(text, label + 14))
    return lines


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, _WIDTH - indent, break_on_hyphens=False)


def _row(label: str, texts: list[str]) -> list[str]:
    return [f"{label if k == 0 else '':{len(label)}}{text}" for k, text in enumerate(texts)]
