"""Directives whose contents are made anew at each build, from what programs print or wrote.

``benchmarks FILE.json`` is the table that ``benchmarks/peers.py --json`` wrote, ``commands`` the
help of each command, and ``spectra`` the description of each spectrum.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any
from unittest import mock

from docutils import nodes
from reference import described
from sphinx.util.docutils import SphinxDirective

from fastopt import cli, spectra

# Of a terminal, to which argparse wraps.
_COLUMNS = {"COLUMNS": "80"}


def setup(app: Any) -> dict[str, bool]:
    """Make the directives known."""
    app.add_directive("benchmarks", Benchmarks)
    app.add_directive("commands", Commands)
    app.add_directive("spectra", Spectra)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Commands(SphinxDirective):
    """A section for each command, with its help."""

    def run(self) -> list[nodes.Node]:
        overview = _printed("--help")
        names = re.findall(r"^    (\w+) ", overview, re.MULTILINE)
        sections = []
        for name in names:
            section = nodes.section(ids=[f"fastopt-{name}"], names=[f"fastopt {name}"])
            section += nodes.title(text=f"fastopt {name}")
            section += nodes.literal_block(text=_printed(name, "--help"), language="text")
            sections.append(section)
        return sections


def _printed(*arguments: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), mock.patch.dict("os.environ", _COLUMNS):
        status = cli.main(arguments)
    if status:
        raise RuntimeError(f"fastopt {' '.join(arguments)} ended with status {status}")
    return printed.getvalue()


class Spectra(SphinxDirective):
    """Each spectrum, by its public name."""

    def run(self) -> list[nodes.Node]:
        texts = (described("class", f"fastopt.spectra.{n}", c) for n, c in spectra.registry.items())
        return self.parse_text_to_nodes("\n\n".join(texts))


class Benchmarks(SphinxDirective):
    """One table for each section of a file of ``benchmarks/peers.py --json``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / self.arguments[0]
        self.env.note_dependency(str(path))
        return self.parse_text_to_nodes("\n".join(_lines(json.loads(path.read_text()))))


def _lines(measured: dict[str, Any]) -> list[str]:
    """The tables in Markdown, and when and on what they were measured."""
    rows = measured["rows"]
    asked = [row for row in rows if row["holds"] is not None]
    lines = [
        f"Measured {measured['date']} on {measured['machine']}; {measured['versions']}.",
        "",
        f"{sum(row['holds'] for row in asked)} of {len(asked)} asked-for figures hold.",
        *(f"\nSkipped: {text}." for text in measured["skipped"]),
        *(f"\nDifferent result: {text}." for text in measured["different"]),
    ]
    for (section, unit), members in itertools.groupby(rows, lambda r: (r["section"], r["unit"])):
        lines += ["", f"**{section}**", "", f"| {unit} | size | fastopt | peer | ratio | asked | |"]
        lines.append("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
        lines += [f"| {' | '.join(_cells(row))} |" for row in members]
    return lines


def _cells(row: dict[str, Any]) -> list[str]:
    show = getattr(_peers_table(), row["show"])
    return [
        row["what"],
        row["size"],
        show(row["ours"]),
        "" if row["theirs"] is None else show(row["theirs"]),
        "" if row["ratio"] is None else f"{row['ratio']:.3g}",
        row["asked"].replace("<", r"\<").replace(">", r"\>"),
        {None: "", True: "holds", False: "short"}[row["holds"]],
    ]


def _peers_table() -> Any:
    """``benchmarks/table.py``, which says how figures are written."""
    path = Path(__file__).parents[2] / "benchmarks" / "table.py"
    spec = importlib.util.spec_from_file_location("peers_table", path)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict("sys.modules", {"peers_table": module}):  # dataclasses look there
        spec.loader.exec_module(module)
    return module
