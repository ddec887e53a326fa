"""``fastopt show``."""

from __future__ import annotations

import inspect
import itertools
import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt import ensembles, spectra, surfaces
from fastopt.cli import Options, Parser, command, print_json, refusals
from fastopt.equations import docstring
from fastopt.names import look_up
from fastopt.rules.base import LIBRARIES, Rule
from fastopt.rules.base import aliases as rule_aliases
from fastopt.rules.base import registry as rule_classes
from fastopt.surfaces.base import Surface
from fastopt.surfaces.base import registry as surface_classes

_WIDTH = 80
_LABEL = 14
# What is for those who call it from Python.
_LEFT_OUT = ("Examples",)


def _declare(parser: Parser) -> None:
    parser.add_argument("name", help="e.g. adam, himmelblau or log_uniform")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


@command(_declare)
def show(options: Options) -> None:
    """What a rule, surface, ensemble or spectrum is: its formula, parameters and source.

    A rule's defaults are shown for the paper's form and for each library that it has a
    preset of.

    example:
      fastopt show adam
    """
    tables: dict[str, Any] = {
        **spectra.registry,
        **ensembles.registry,
        **surface_classes,
        **rule_aliases,
        **rule_classes,
    }
    with refusals("show"):
        cls = look_up("rule, surface or spectrum", options.name, tables)
    text = _without(docstring(inspect.getdoc(cls) or ""))
    facts = _rule_facts(cls) if issubclass(cls, Rule) else _surface_facts(cls)
    if options.json:
        print_json({"name": cls.name, "text": text, **facts})
        return
    print(text)
    lines = _rule_lines(facts) if issubclass(cls, Rule) else _surface_lines(facts)
    if lines:
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
        "rotation_invariant": cls().rotation_invariant,
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
    return [
        *textwrap.wrap(f"family {facts['family']}; a step takes {facts['evaluations']}", _WIDTH),
        f"commutes with rotations: {'yes' if facts['rotation_invariant'] else 'no'}",
        "",
        *lines,
    ]


def _short(value: Any) -> str:
    if isinstance(value, Rule):  # inside another; its name will do
        return repr(value).partition("(")[0]
    return str(value) if isinstance(value, bool) else f"{value:g}"


_FACTS = (
    *("dim", "bounds", "minima", "fun_min", "local_minima", "saddles", "usual_start"),
    *("convex", "separable", "kinks", "unbounded", "strong_convexity", "lipschitz"),
)
# Points that a screen has room for; --json has them all.
_MOST_POINTS = {"local_minima": 5, "saddles": 5}
_MOST_MINIMA = 20


def _surface_facts(cls: type[Any]) -> dict[str, Any]:
    options = inspect.signature(cls).parameters.values()
    if not issubclass(cls, Surface) or any(option.default is option.empty for option in options):
        return {}
    surface = surfaces.get(cls.name)
    return {name: getattr(surface, name) for name in _FACTS}


def _surface_lines(facts: dict[str, Any]) -> list[str]:
    if not facts:
        return []
    lines = [f"in {facts['dim']} coordinates:"]
    for name in ("bounds", "minima", "fun_min", "local_minima", "saddles", "usual_start"):
        values = np.asarray(facts[name])
        if name not in ("local_minima", "saddles") or len(values):
            lines += _labelled(name, _array_lines(values, _MOST_POINTS.get(name, _MOST_MINIMA)))
    lines += _labelled("it is", _wrapped(_kind(facts)))
    if facts["kinks"]:
        lines += _labelled("not smooth", _wrapped(facts["kinks"]))
    return lines


def _array_lines(values: NDArray[Any], most: int) -> list[str]:
    """A number, a point, or the first of several points."""
    more = len(values) - most if values.ndim > 1 else 0
    shown = values[:most] if more > 0 else values
    text = np.array2string(shown, separator=", ", max_line_width=_WIDTH - _LABEL)
    return [*text.splitlines(), *([f"and {more} more"] if more > 0 else [])]


def _kind(facts: dict[str, Any]) -> str:
    """What a surface says of itself, in words."""
    kind = [
        "convex" if facts["convex"] else "not convex",
        "separable" if facts["separable"] else "not separable",
        *([] if facts["kinks"] else ["smooth"]),
        *(["without a lower bound outside its bounds"] if facts["unbounded"] else []),
    ]
    if facts["strong_convexity"] > 0.0:
        kind.append(f"strong convexity {facts['strong_convexity']:g}")
    if np.isfinite(facts["lipschitz"]):
        kind.append(f"Lipschitz constant of the gradient {facts['lipschitz']:g}")
    return ", ".join(kind)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH - _LABEL)


def _labelled(label: str, texts: list[str]) -> list[str]:
    return [f"{label if k == 0 else '':{_LABEL}}{text}" for k, text in enumerate(texts)]
