"""``fastopt show``."""

from __future__ import annotations

import inspect
import itertools
import textwrap
from typing import Any

import numpy as np

from fastopt import surfaces
from fastopt.cli import Options, Parser, command, print_json, refusals
from fastopt.equations import docstring
from fastopt.names import look_up
from fastopt.rules.base import LIBRARIES, Rule
from fastopt.rules.base import aliases as rule_aliases
from fastopt.rules.base import registry as rule_classes
from fastopt.surfaces.base import Surface
from fastopt.surfaces.base import registry as surface_classes

_WIDTH = 80
# What is for those who call it from Python.
_LEFT_OUT = ("Examples",)


def _declare(parser: Parser) -> None:
    parser.add_argument("name", help="of a rule or a surface, e.g. adam or himmelblau")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


@command(_declare)
def show(options: Options) -> None:
    """What a rule or a surface is: its formula, parameters and source.

    A rule's defaults are shown for the paper's form and for each library that it has a
    preset of.

    example:
      fastopt show adam
    """
    tables: dict[str, Any] = {**rule_classes, **rule_aliases, **surface_classes}
    with refusals("show"):
        cls = look_up("rule or surface", options.name, tables)
    text = _without(docstring(inspect.getdoc(cls) or ""))
    facts = _rule_facts(cls) if issubclass(cls, Rule) else _surface_facts(cls)
    if options.json:
        print_json({"name": cls.name, "text": text, **facts})
        return
    print(text)
    lines = _rule_lines(facts) if issubclass(cls, Rule) else _surface_lines(facts)
    print("\n" + "\n".join(lines))


def _without(text: str) -> str:
    """*text* without the sections that are left out."""
    lines = text.splitlines()
    heads = [k for k in range(len(lines) - 1) if lines[k] and set(lines[k + 1]) == {"-"}]
    for head, end in reversed(list(itertools.pairwise([*heads, len(lines)]))):
        if lines[head] in _LEFT_OUT:
            del lines[head:end]
    return "\n".join(lines).strip()


def _rule_facts(cls: type[Rule]) -> dict[str, Any]:
    forms = {"paper": cls, **{name: cls.presets[name] for name in LIBRARIES if name in cls.presets}}
    return {
        "family": cls.family(),
        "evaluations": cls.evaluations(),
        "defaults": {
            form: {name: getattr(form_class(), name) for name in form_class.parameter_names()}
            for form, form_class in forms.items()
        },
    }


def _rule_lines(facts: dict[str, Any]) -> list[str]:
    defaults = facts["defaults"]
    names = list(dict.fromkeys(name for form in defaults.values() for name in form))
    rows = [["default", *defaults]]
    for name in names:
        rows.append(
            [name, *(_short(form[name]) if name in form else "" for form in defaults.values())]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [f"family {facts['family']}; a step takes {facts['evaluations']}", "", *lines]


def _short(value: Any) -> str:
    return str(value) if isinstance(value, bool) else f"{value:g}"


def _surface_facts(cls: type[Surface]) -> dict[str, Any]:
    options = inspect.signature(cls).parameters.values()
    if any(option.default is option.empty for option in options):
        return {}
    surface = surfaces.get(cls.name)
    return {
        "dim": surface.dim,
        "bounds": surface.bounds,
        "minima": surface.minima,
        "fun_min": surface.fun_min,
        "usual_start": surface.usual_start,
    }


def _surface_lines(facts: dict[str, Any]) -> list[str]:
    if not facts:
        return []
    lines = [f"in {facts['dim']} coordinates:"]
    for name in ("bounds", "minima", "fun_min", "usual_start"):
        rows = np.array2string(np.asarray(facts[name]), separator=", ", max_line_width=_WIDTH - 14)
        lines += textwrap.indent(rows, " " * 14).splitlines()
        first = len(lines) - rows.count("\n") - 1
        lines[first] = f"{name:14}{lines[first].strip()}"
    return lines
