"""A page for each rule and each surface, made of its docstring, its facts and its source.

They are written to ``docs/rules`` and ``docs/surfaces`` before Sphinx reads its pages. The facts
are those that ``fastopt show NAME --json`` prints.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpydoc.docscrape_sphinx import get_doc_object

import fastopt as fo
from fastopt.cli import main
from fastopt.rules.base import LIBRARIES, summary_line
from fastopt.rules.base import registry as rules
from fastopt.surfaces.base import registry as surfaces

_LIBRARY = {"torch": "PyTorch", "keras": "Keras", "optax": "optax"}
_MOST_POINTS = 8
# Of running text: |x|, and a shape such as (k, *batch, dim).
_MARK = re.compile(r"\||(?<=\()\*|(?<=, )\*(?=\w+[,)])")


def setup(app: Any) -> dict[str, bool]:
    """Write the pages when Sphinx begins."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir)))
    app.connect("autodoc-process-docstring", _escape)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(folder: Path) -> None:
    """Write both folders, leave pages that are the same, and remove those of nothing."""
    for name, pages in (("rules", rule_pages()), ("surfaces", surface_pages())):
        target = folder / name
        target.mkdir(exist_ok=True)
        for path in target.iterdir():
            if path.name not in pages:
                path.unlink()
        for page, text in pages.items():
            path = target / page
            if not path.exists() or path.read_text() != text:
                path.write_text(text)


def rule_pages() -> dict[str, str]:
    """The text of each page on rules, by file name."""
    pages = {f"{name}.rst": _rule_page(cls) for name, cls in rules.items()}
    return {"index.rst": _rule_index(), **pages}


def surface_pages() -> dict[str, str]:
    """The text of each page on surfaces, by file name."""
    pages = {f"{name}.rst": _surface_page(cls) for name, cls in surfaces.items()}
    return {"index.rst": _surface_index(), **pages}


# -- rules -------------------------------------------------------------------------------


def _rule_index() -> str:
    parts = [
        _title("Rules"),
        f"{len(rules)} rules. The form of each is that of its paper; a library's own form, where it"
        " has one, is one call away: ``fo.Adam.torch()``. :doc:`/add-a-rule` says how to make"
        " another.",
    ]
    for family in sorted({cls.family() for cls in rules.values()}):
        members = sorted(name for name, cls in rules.items() if cls.family() == family)
        rows = [
            (
                f":doc:`{rules[name].__name__} <{name}>`",
                summary_line(rules[name]),
                ", ".join(library for library in LIBRARIES if library in rules[name].presets),
            )
            for name in members
        ]
        parts += [
            _title(family.replace("_", " ").capitalize(), "-"),
            _table(("rule", "what it does", "presets"), rows, (22, 58, 20)),
            _contents(members),
        ]
    return _joined(parts)


def _rule_page(cls: type[fo.rules.Rule]) -> str:
    facts = _facts(cls.name)
    commutes = "commutes" if facts["rotation_invariant"] else "does not commute"
    parts = [
        _title(cls.__name__),
        described("class", f"fastopt.{cls.__name__}", cls),
        _title("Cost and defaults", "-"),
        f"A step takes {facts['evaluations']}. The rule {commutes} with rotations of the"
        f" coordinates. By name: ``fo.rules.get({cls.name!r})``.",
        _defaults(facts["defaults"]),
    ]
    for library in (library for library in LIBRARIES if library in cls.presets):
        preset = cls.presets[library]
        parts += [
            _title(f"As in {_LIBRARY[library]}", "-"),
            described("method", f"fastopt.{cls.__name__}.{library}", preset),
        ]
    return _joined([*parts, _title("Source", "-"), _source(cls)])


def _defaults(forms: dict[str, dict[str, Any]]) -> str:
    if not any(forms.values()):
        return ""
    names = list(dict.fromkeys(name for form in forms.values() for name in form))
    rows = [
        (f"``{name}``", *(_short(form[name]) if name in form else "" for form in forms.values()))
        for name in names
    ]
    return _table(("default", *forms), rows)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


# -- surfaces ----------------------------------------------------------------------------


def _surface_index() -> str:
    members = sorted(surfaces)
    rows = []
    for name in members:
        cls, facts = surfaces[name], _facts(name)
        any_dim = {"dim", "matrix", "A"} & set(inspect.signature(cls).parameters)
        rows.append(
            (
                f":doc:`{cls.__name__} <{name}>`",
                "any" if any_dim else str(facts["dim"]),
                str(len(facts["minima"])) if "minima" in facts else "",
                summary_line(cls),
            )
        )
    return _joined(
        [
            _title("Surfaces"),
            f"{len(members)} surfaces, one of which stands for the 24 functions of COCO's suite"
            " bbob; the number of known minima is that of the default options."
            " :doc:`/add-a-surface` says how to make another, also of a formula;"
            " :doc:`/api/surfaces` how to shift, rotate, scale, box and sum them.",
            _table(("surface", "dim", "minima", "what it is"), rows, (20, 8, 10, 62)),
            _contents(members),
        ]
    )


def _surface_page(cls: type[fo.surfaces.Surface]) -> str:
    facts = _facts(cls.name)
    public = f"fastopt.{'surfaces.' if cls.__name__.islower() else ''}{cls.__name__}"
    parts = [_title(cls.__name__), described("class", public, cls)]
    if "dim" in facts:
        parts += [
            _title(f"With its default options, in {facts['dim']} coordinates", "-"),
            _table(("attribute", "value"), list(_attributes(facts)), (25, 75)),
        ]
    return _joined([*parts, _title("Source", "-"), _source(cls)])


def _attributes(facts: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name in ("bounds", "usual_start", "fun_min", "minima", "local_minima", "saddles"):
        value = facts[name]
        if value == [] and name != "minima":
            continue
        yield f"``{name}``", _points(value) if isinstance(value, list) else _number(value)
    for name in ("convex", "separable", "unbounded"):
        yield f"``{name}``", str(facts[name])
    if facts["kinks"]:
        yield "``kinks``", facts["kinks"]
    for name in ("strong_convexity", "lipschitz"):
        if facts[name]:  # null for infinite
            yield f"``{name}``", _number(facts[name])


def _points(values: list[Any]) -> str:
    if values and not isinstance(values[0], list):
        return f"({', '.join(map(_number, values))})"
    more = f" and {len(values) - _MOST_POINTS} more" if len(values) > _MOST_POINTS else ""
    return ", ".join(_points(value) for value in values[:_MOST_POINTS]) + more or "none is known"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.10g}"


# -- both --------------------------------------------------------------------------------


def _facts(name: str) -> dict[str, Any]:
    """What ``fastopt show NAME --json`` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main(["show", name, "--json"])
    if status:
        raise RuntimeError(f"fastopt show {name} --json ended with status {status}")
    return json.loads(printed.getvalue())


def described(kind: str, public: str, cls: type) -> str:
    """A class or a method of the public name, with the docstring of *cls*."""
    text = str(get_doc_object(cls, "class", config={"show_class_members": False}))
    # Footnotes have one numbering on the whole page.
    label = re.sub(r"\W", "-", public)
    text = re.sub(r"^\.\. only:: latex\n(\n|[ \t].*\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[(\d+)\]_", rf"[#{label}-\1]_", text)
    text = re.sub(r"^(\s*)\.\. \[(\d+)\]", rf"\1.. [#{label}-\2]", text, flags=re.MULTILINE)
    text = "\n".join(_plain_marks(text.splitlines()))
    options = "   :classmethod:\n" if kind == "method" else ""
    heading = f".. py:{kind}:: {public}{_signature(cls)}\n{options}\n"
    return heading + textwrap.indent(text, "   ")


def _escape(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    lines[:] = _plain_marks(lines)


def _plain_marks(lines: Iterable[str]) -> Iterable[str]:
    """Keep ``|x|`` and ``(*batch, dim)`` of running text from being taken for markup."""
    formula = None  # the indentation of the formula that goes on, if one does
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if formula is not None and line.strip() and indent <= formula:
            formula = None
        if line.lstrip().startswith(".. math::"):
            formula = indent
        if formula is None:
            parts = re.split(r"(``.+?``)", line)
            parts[::2] = [_MARK.sub(r"\\\g<0>", part) for part in parts[::2]]
            line = "".join(parts)
        yield line


def _signature(cls: type) -> str:
    signature = inspect.signature(cls)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def _source(cls: type) -> str:
    """The code of *cls* without its docstring, which stands above."""
    lines = textwrap.dedent(inspect.getsource(cls)).splitlines()
    body = ast.parse("\n".join(lines)).body[0].body  # type: ignore[attr-defined]
    first, last = body[0].lineno - 1, body[0].end_lineno
    code = "\n".join(lines[:first] + lines[last:])
    where = cls.__module__.replace(".", "/")
    return f"In ``{where}.py``:\n\n.. code-block:: python\n\n" + textwrap.indent(code, "   ")


def _title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}"


def _table(heads: Iterable[str], rows: list[Any], widths: Iterable[int] = ()) -> str:
    lines = [".. list-table::", "   :header-rows: 1"]
    if widths:
        lines.append(f"   :widths: {' '.join(map(str, widths))}")
    lines.append("")
    for row in [tuple(heads), *rows]:
        lines += [f"   {'* -' if k == 0 else '  -'} {cell}".rstrip() for k, cell in enumerate(row)]
    return "\n".join(lines)


def _contents(names: Iterable[str]) -> str:
    return "\n".join([".. toctree::", "   :hidden:", "", *(f"   {name}" for name in names)])


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
