"""Write a diagram in DOT, the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz import theme
from microgradlib.viz.markup import clean, escape
from microgradlib.viz.typography import shorten

if TYPE_CHECKING:
    from microgradlib.viz.diagram import Arrow, Box, Diagram

_MAX_CHARACTERS: Final = 28
"""The largest length of a title, operation or number; longer texts are shortened."""

# nslimit bounds the time Graphviz spends on graphs with many long arrows: 9 s instead of over 120 s for a
# recurrent network with shared weights, and no visible cost below 3,000 nodes.
_HEADER: Final = f"""\
digraph {{
  graph [rankdir=DIRECTION nslimit=2 bgcolor="{theme.PAPER}" nodesep=0.25 ranksep=0.6 pad=0.25]
  node [shape=plain fontname="Helvetica" fontsize=12 fontcolor="{theme.INK}"]
  edge [color="{theme.LINE}" fontname="Courier" fontsize=9 fontcolor="{theme.MUTED}" arrowsize=0.6]
"""


def to_dot(diagram: Diagram) -> str:
    """Return the DOT text of a diagram. Graphviz is needed only to render it.

    >>> from microgradlib.viz.diagram import Arrow, Box, Diagram
    >>> pair = Diagram((Box("n0", "leaf", title='<b>'), Box("n1", "output", op="exp")), (Arrow("n0", "n1", "2"),))
    >>> print(to_dot(pair).splitlines()[-2])
      "n0" -> "n1" [label="2" tooltip="∂n1/∂<b> = 2" labeltooltip="∂n1/∂<b> = 2"]
    """
    lines = [*map(_node, diagram.boxes), *(_edge(arrow, diagram) for arrow in diagram.arrows)]
    header = _HEADER.replace("DIRECTION", "TB" if diagram.down else "LR")
    return header + "".join(f"  {line}\n" for line in lines) + "}\n"


def quote(text: str) -> str:
    r"""Return a DOT string literal that shows exactly this text, whatever characters it contains.

    >>> print(quote('a "b" \\n'))
    "a \"b\" \\n"
    """
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'


def _node(box: Box) -> str:
    palette = theme.PALETTES[box.kind]
    border = 2 if box.kind == "output" else 1
    heading = _heading(box)
    rows = "".join(_row(caption, text) for caption, text in box.rows)
    table = (
        f'<TABLE BORDER="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" '
        f'COLOR="{palette.border}" BGCOLOR="{theme.CARD}">'
        f'<TR><TD COLSPAN="2" BGCOLOR="{palette.tint}">{heading}</TD></TR>{rows}</TABLE>'
    )
    return f"{quote(box.id)} [label=<{table}> tooltip={quote(box.text)}]"


def _row(caption: str, text: str) -> str:
    if not caption:
        return f'<TR><TD COLSPAN="2" ALIGN="LEFT"><FONT FACE="Courier">{_markup(text)}</FONT></TD></TR>'
    return (
        f'<TR><TD ALIGN="LEFT"><FONT COLOR="{theme.MUTED}" POINT-SIZE="10">{_shortened(caption)}</FONT></TD>'
        f'<TD ALIGN="RIGHT"><FONT FACE="Courier">{_shortened(text)}</FONT></TD></TR>'
    )


def _heading(box: Box) -> str:
    accent = theme.PALETTES[box.kind].accent
    words = [f"<B>{_shortened(box.title)}</B>"] if box.title else []
    words += [_shortened(word) for word in (box.op, f"({box.note})" if box.note else "") if word]
    return f'<FONT COLOR="{accent}">{"&#160;&#160;".join(words) or "<I>leaf</I>"}</FONT>'


def _shortened(text: str) -> str:
    return _markup(shorten(clean(text), _MAX_CHARACTERS))


def _markup(text: str) -> str:
    # Graphviz replaces \N, \G and the like even in HTML-like labels; a doubled backslash is shown as a single one.
    return escape(text).replace("\\", "\\\\") or " "


def _edge(arrow: Arrow, diagram: Diagram) -> str:
    text = diagram.shown_text(arrow)
    label = f"label={quote(text)} " if text else ""
    tooltip = quote(diagram.tooltip(arrow))
    return f"{quote(arrow.tail)} -> {quote(arrow.head)} [{label}tooltip={tooltip} labeltooltip={tooltip}]"
