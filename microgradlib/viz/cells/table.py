"""Tables as HTML in the colours of the page around them, and as lines of text: cells of coloured spans."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from microgradlib._support.printable import shorten
from microgradlib.symbolic.names import latex_name
from microgradlib.viz.markup import NO_MATHJAX, escape
from microgradlib.viz.theme import MONO, SANS, colours, page_style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Cell", "Column", "Gap", "Span", "Table", "cell", "equals", "in_page", "line", "line_markup", "selected"]

WIDEST: Final = 60
"""Longer pieces of text lose their middle."""

WRAPPED: Final = 36
"""Cells of longer texts may be broken into lines, where the table is wider than the page."""

_COLOUR = colours("page")


class Span(NamedTuple):
    """A piece of text with the role of its colour: a role of the theme, or "" for ink; perhaps bold."""

    text: str
    role: str = ""
    bold: bool = False


Line = tuple[Span, ...]
Cell = tuple[Line, ...]
"""One cell: lines of spans, from top to bottom."""


class Column(NamedTuple):
    """A heading, the role of its colour, and whether the column is aligned to the right, as numbers are."""

    heading: str
    role: str = "muted"
    right: bool = False


class Gap(NamedTuple):
    """A row across the table, for those left out."""

    text: str


def line(*parts: str | Span) -> Line:
    """Return a line of spans; plain texts are in ink."""
    return tuple([part if isinstance(part, Span) else Span(part) for part in parts])


def cell(*parts: str | Span) -> Cell:
    """Return a cell of one line.

    >>> cell("x = ", Span("3", "local"))
    ((Span(text='x = ', role='', bold=False), Span(text='3', role='local', bold=False)),)
    """
    return (line(*parts),)


def equals(text: str) -> tuple[str, str]:
    """Return the sign between a formula and its number, and the number: one that is rounded to a whole one has ≈.

    >>> equals("0.5"), equals("≈1")
    ((' = ', '0.5'), (' ≈ ', '1'))
    """
    return (" ≈ ", text[1:]) if text.startswith("≈") else (" = ", text)


def selected(count: int, rows: int | None) -> list[range]:
    """Return which of `count` rows are shown if at most `rows` may be: all, or as many of both ends.

    >>> selected(3, 30), selected(100, 5), selected(100, None)
    ([range(0, 3)], [range(0, 3), range(98, 100)], [range(0, 100)])
    """
    if rows is None or count <= rows:
        return [range(count)]
    head = (rows + 1) // 2
    return [range(head), range(count - (rows - head), count)]


@dataclass(frozen=True)
class Table:
    """A table with a title above it and notes below it; rows are cells, or a `Gap` for those left out.

    >>> print(Table("Squares", (Column("x"), Column("x²", right=True)), ((cell("2"), cell("4")), Gap("… 9 more"))).text)
    Squares
      x  x²
      2   4
      … 9 more
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...] | Gap, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        title: str,
        columns: Iterable[Column],
        count: int,
        row: Callable[[int], tuple[Cell, ...]],
        *,
        rows: int | None,
        more: str = "{} more",
        notes: Iterable[str] = (),
    ) -> Table:
        """Return the table of so many rows, of which at most `rows` are made, by `row(i)`."""
        shown: list[tuple[Cell, ...] | Gap] = []
        for part in selected(count, rows):
            if part.start > 0:
                left_out = count - sum(map(len, selected(count, rows)))
                shown.append(Gap(f"… {more.format(f'{left_out:,}')}"))
            shown += [row(i) for i in part]
        return cls(title, tuple(columns), tuple(shown), tuple(notes))

    @property
    def text(self) -> str:
        """The table as lines of text, without colours."""
        lines = [(tuple([column.heading for column in self.columns]), True)]
        for row in self.rows:
            if isinstance(row, Gap):
                lines.append(((row.text,), False))
                continue
            height = max([len(c) for c in row], default=0)
            lines += [(tuple([_plain(c[i]) if i < len(c) else "" for c in row]), True) for i in range(height)]
        widths = [max([_width(cells[k]) for cells, full in lines if full]) for k in range(len(self.columns))]
        right = [column.right for column in self.columns]
        written = [_joined(cells, widths, right) if full else cells[0] for cells, full in lines]
        indent = "  " if self.title else ""
        body = [f"{indent}{text}".rstrip() for text in written if text.strip()]
        return "\n".join([*([self.title] if self.title else []), *body, *self.notes])

    @property
    def html(self) -> str:
        """The table as HTML, light or dark as the page is."""
        head = "".join([_heading(column) for column in self.columns])
        body = "".join([_row(row, self.columns) for row in self.rows])
        title = f'<div class="t">{escape(self.title)}</div>' if self.title else ""
        notes = "".join([f'<div class="n">{escape(note)}</div>' for note in self.notes])
        titles = f"<thead><tr>{head}</tr></thead>" if any(column.heading for column in self.columns) else ""
        return in_page(f"{title}<table>{titles}<tbody>{body}</tbody></table>{notes}")


def in_page(markup: str, more_style: str = "") -> str:
    """Return markup inside an element with our fonts and the colours of the page around it; its id is a hash of it."""
    digest = hashlib.sha256(markup.encode()).hexdigest()[:10]
    name = f"mg-{digest}"
    style = _STYLE.replace("#id", f"#{name}") + more_style.replace("#id", f"#{name}")
    return f'<div id="{name}"><style>{page_style(name, markup + style)}{style}</style>{markup}</div>'


def _joined(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        " " * (width - _width(text)) + text if aligned else text + " " * (width - _width(text))
        for text, width, aligned in zip(cells, widths, right)
    ]
    return "  ".join(padded)


def _plain(spans: Line) -> str:
    return "".join([shorten(span.text, WIDEST) for span in spans])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in {"W", "F"} else not unicodedata.combining(c) for c in text)


def _heading(column: Column) -> str:
    return f'<th scope="col" style="{_style(column.role)};{_aligned(column)}">{escape(column.heading)}</th>'


def _row(row: tuple[Cell, ...] | Gap, columns: Sequence[Column]) -> str:
    if isinstance(row, Gap):
        return (
            f'<tr><td colspan="{len(columns)}" style="{_style("muted")};text-align:left">{escape(row.text)}</td></tr>'
        )
    return f"<tr>{''.join(map(_float, row, columns))}</tr>"


def _float(content: Cell, column: Column) -> str:
    is_long = len(content) == 1 and sum(len(span.text) for span in content[0]) > WRAPPED
    wrapped = ' class="w"' if is_long and not column.right else ""
    return f'<td{wrapped} style="{_aligned(column)}">{_lines(content)}</td>'


def _lines(content: Cell) -> str:
    return "<br>".join([line_markup(spans) or "&nbsp;" for spans in content])


def line_markup(spans: Line) -> str:
    """Return a line as HTML, to stand inside `in_page`."""
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    text = escape(shorten(span.text, WIDEST))
    if "$" in text and not _is_mathematics(span.text):
        text = f'<span class="{NO_MATHJAX}">{text}</span>'
    if not span.role and not span.bold:
        return text
    weight = ";font-weight:600" if span.bold else ""
    return f'<span style="{_style(span.role)}{weight}">{text}</span>'


def _is_mathematics(text: str) -> bool:
    """Say whether all that stands between dollar signs is one symbol as LaTeX writes it, for MathJax to set."""
    words = text.split("$")
    return len(words) % 2 == 1 and all(latex_name(f"${word}$").startswith("{") for word in words[1::2])


def _style(role: str) -> str:
    return f"color:{_COLOUR(role or 'ink')}"


def _aligned(column: Column) -> str:
    return f"text-align:{'right' if column.right else 'left'};vertical-align:top"


_STYLE = (
    f"#id{{color:{_COLOUR('ink')};font:13px/1.5 {SANS};overflow-x:auto;max-width:100%}}"
    "#id table{border-collapse:collapse;margin:4px 0;border:0;font-size:13px;table-layout:auto;width:auto}"
    f"#id tr{{background:none!important;border:0}}#id tbody tr{{border-top:1px solid {_COLOUR('rule')}}}"
    f"#id td{{color:{_COLOUR('ink')}}}"
    "#id th,#id td{padding:3px 14px 3px 0;border:0;vertical-align:top;white-space:nowrap;background:none;"
    "font-variant-numeric:tabular-nums;max-width:none}"
    "#id th{font-weight:600;font-size:12px}#id .w{white-space:normal;min-width:14em}"
    f"#id .t{{font-weight:600;margin:2px 0}}#id .n{{color:{_COLOUR('muted')};font-size:12px}}"
    f"#id pre{{font:12px/1.5 {MONO};margin:4px 0;color:{_COLOUR('ink')};background:none;white-space:pre;padding:0}}"
)
