"""Formulas as MathML, which browsers show without a script and without a network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

__all__ = ["setup"]

LOGGER = logging.getLogger(__name__)
UNKNOWN = re.compile(r">(\\[A-Za-z]+|&)<")
"""A command, or a mark of alignment, that the converter does not know: it is left as it is."""
ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")


def mathml(latex: str, *, display: bool, place: Any) -> str:
    """Return a formula as MathML; warn where a command is not known."""
    text = convert(ALIGNED.sub(r"\\\1{align*}", latex), display="block" if display else "inline")
    for command in sorted(set(UNKNOWN.findall(text))):
        LOGGER.warning("no MathML for %s in %s", command, latex, location=place)
    return text


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), display=False, place=node))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math-block">{mathml(node.astext(), display=True, place=node)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Register the writer of formulas with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
