"""Formulas as MathML, which browsers show by themselves: no script, no fonts, no network."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError, unichar2tex
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

_LOG = logging.getLogger(__name__)


def setup(app: Any) -> dict[str, bool]:
    """Make ``html_math_renderer = "mathml"`` known."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_converted(writer, node, as_block=False))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    writer.body.append(_converted(writer, node, as_block=True))
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def _converted(writer: Any, node: nodes.Element, as_block: bool) -> str:
    code = node.astext().translate(unichar2tex.uni2tex_table)
    try:
        return tex2mathml(code, as_block=as_block)
    except MathError as error:
        _LOG.warning("%s: %s", error, node.astext(), location=node)
        return writer.encode(node.astext())
