"""The colours and fonts of all pictures: light, dark, or as the page around them.

A colour has one meaning everywhere: a value is in ink, a gradient blue, a local derivative orange, a term of the chain
rule green. Kinds of boxes differ by shape first, and the two signs by lightness too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Theme = Literal["light", "dark"]
"""The theme of a file."""

SANS: Final = "Inter, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
MONO: Final = "ui-monospace,Menlo,Consolas,monospace"
"""It stands at every number of a drawing, so it is short: a picture has an eighth fewer bytes than with six fonts."""

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#ffffff",  # behind everything
    "ink": "#111827",  # values
    "muted": "#525c6e",  # captions and notes
    "line": "#5b6677",  # arrows
    "zero": "#7d8593",  # arrows along which no gradient passes
    "rule": "#d6dce5",  # lines inside boxes, grids
    "card": "#ffffff",  # inside boxes
    "cell": "#eef1f6",  # behind the squares of a strip
    "frame0": "#f5f7fa",  # inside frames, by depth
    "frame1": "#edf0f5",
    "frame2": "#e4e9f0",
    "frame_edge": "#8891a1",
    "grad": "#0b57a8",
    "local": "#a84300",
    "term": "#00694f",
    "input": "#dceffa",
    "input_edge": "#1f7cab",
    "input_text": "#0b4c6e",
    "parameter": "#fdedcb",
    "parameter_edge": "#a8730b",
    "parameter_text": "#6b4600",
    "constant": "#eceff3",
    "constant_edge": "#7b8698",
    "constant_text": "#3d4757",
    "target": "#f5e3f2",
    "target_edge": "#a4559a",
    "target_text": "#77276d",
    "op": "#ffffff",
    "op_edge": "#6f7b8e",
    "op_text": "#1f2937",
    "output": "#d6f2e5",
    "output_edge": "#0b7f5b",
    "output_text": "#07543c",
    "plus": "#0b5590",  # positive numbers in strips and networks
    "minus": "#d26403",  # negative ones
    "route0": "#0063a8",
    "route1": "#b84600",
    "route2": "#00704f",
    "route3": "#9b4891",
    "stale": "#a8251b",
    # Curves: Okabe and Ito's palette, darkened where needed for thin lines.
    "series0": "#0072b2",
    "series1": "#cf5a00",
    "series2": "#00875f",
    "series3": "#b6579a",
    "series4": "#a3770a",
    "series5": "#2f8bc0",
    "series6": "#4b5563",
    "series7": "#7c3aed",
}
"""Colours by role on a light page."""

DARK: Final[Mapping[str, str]] = {
    "paper": "#14181f",
    "ink": "#eef1f6",
    "muted": "#a8b2c2",
    "line": "#93a0b3",
    "zero": "#6f7b8d",
    "rule": "#38414f",
    "card": "#1d232d",
    "cell": "#262e3a",
    "frame0": "#191e26",
    "frame1": "#1f252f",
    "frame2": "#262d38",
    "frame_edge": "#6b788b",
    "grad": "#86c2ff",
    "local": "#ffb27a",
    "term": "#5fdcb4",
    "input": "#0f3247",
    "input_edge": "#5cb3de",
    "input_text": "#b5e0f7",
    "parameter": "#43320d",
    "parameter_edge": "#d5a23a",
    "parameter_text": "#ffdf9c",
    "constant": "#2a313c",
    "constant_edge": "#8f9bad",
    "constant_text": "#d3d9e3",
    "target": "#40203c",
    "target_edge": "#d78dcb",
    "target_text": "#f6c8ee",
    "op": "#1d232d",
    "op_edge": "#8a96a8",
    "op_text": "#eef1f6",
    "output": "#0d3b2c",
    "output_edge": "#3fc394",
    "output_text": "#a5f0d3",
    "plus": "#8fcbff",
    "minus": "#e0701d",
    "route0": "#6cb8f0",
    "route1": "#ff9a5c",
    "route2": "#48cfa0",
    "route3": "#e39ad8",
    "stale": "#ff9b92",
    "series0": "#62b4e6",
    "series1": "#ff9a5c",
    "series2": "#3fcb9b",
    "series3": "#e39ad8",
    "series4": "#e2b75a",
    "series5": "#b0dcf7",
    "series6": "#a8b2c2",
    "series7": "#b79bff",
}
"""Colours by role on a dark page."""

THEMES: Final[Mapping[str, Mapping[str, str]]] = {"light": LIGHT, "dark": DARK}

_ROLES: Final = tuple(LIGHT)
_MARKS: Final = {role: f"#01ab{number:02d}" for number, role in enumerate(_ROLES)}
_ANY_MARK: Final = re.compile(r'(?<==")#01ab(\d\d)(?=")')  # as an attribute: a label may have the same text

# The themes of pages that say so: JupyterLab, Notebook and nbconvert; VS Code; Colab; sites made with Sphinx.
_LIGHT_PAGES: Final = (
    "body[data-jp-theme-light=true]",
    "body.vscode-light",
    "body.vscode-high-contrast-light",
    "html[data-theme=light]",
)
_DARK_PAGES: Final = (
    "body[data-jp-theme-light=false]",
    "body.vscode-dark",
    "body.vscode-high-contrast:not(.vscode-high-contrast-light)",
    "html[theme=dark]",
    "html[data-theme=dark]",
    "body[data-theme=dark]",
)
_PAGE_PAPER: Final = "var(--jp-layout-color0,var(--vscode-editor-background,{}))"
"""The background of the page itself, where it says which; the drawing then has no card of its own."""


def check_theme(theme: Any) -> None:
    """Raise an error unless this is a theme of files, or None.

    Raises:
        ValueError: it is not.

    """
    if theme is not None and (not isinstance(theme, str) or theme not in get_args(Theme)):
        message = f"theme must be 'light' or 'dark', or None to follow the page, got {shown(theme)}"
        raise ValueError(message)


def colours(theme: str) -> Callable[[str], str]:
    """Return the function from a role to its colour.

    Args:
        theme: `"light"` or `"dark"`; `"page"` for CSS variables that `page_style` defines; `"marks"` for a mark in the
            form of a colour, which `replace_marks` replaces, for programs that take nothing but colours.

    Raises:
        ValueError: another theme.

    >>> colours("light")("grad"), colours("page")("input_edge"), colours("marks")("paper")
    ('#0b57a8', 'var(--mg-input-edge)', '#01ab00')
    """
    if theme == "page":
        return _variable
    if theme == "marks":
        return _MARKS.__getitem__
    if theme not in THEMES:
        message = f"theme must be 'light' or 'dark', got {shown(theme)}"
        raise ValueError(message)
    return THEMES[theme].__getitem__


def replace_marks(markup: str, colour: Callable[[str], str]) -> str:
    """Replace the marks of roles by colours.

    >>> replace_marks('fill="#01ab00">#01ab00<', colours("dark"))
    'fill="#14181f">#01ab00<'
    """
    return _ANY_MARK.sub(lambda found: colour(_ROLES[int(found[1])]), markup)


def page_style(element_id: str, markup: str) -> str:
    """Return the CSS that gives the colours in `markup` their values inside an element of an HTML page.

    The colours are light or dark as the page says that it is; a page that does not say follows the reader's
    `prefers-color-scheme`.

    Args:
        element_id: the id of the element around the markup.
        markup: variables that do not occur in it are left out.

    >>> page_style("g", '<path fill="var(--mg-grad)"/>')[:23]
    '#g{--mg-grad:#0b57a8;}@'
    """
    light, dark = _definitions(LIGHT, markup), _definitions(DARK, markup)
    inside = f"#{element_id}"
    return (
        f"{inside}{{{light}}}@media(prefers-color-scheme:dark){{{inside}{{{dark}}}}}"
        f"{_within(_LIGHT_PAGES, inside)}{{{light}}}{_within(_DARK_PAGES, inside)}{{{dark}}}"
    )


def _variable(role: str) -> str:
    return f"var(--mg-{role.replace('_', '-')})"


def _definitions(table: Mapping[str, str], markup: str) -> str:
    used = [role for role in table if _variable(role) in markup]
    return "".join(
        f"--mg-{role.replace('_', '-')}:{_PAGE_PAPER.format(table[role]) if role == 'paper' else table[role]};"
        for role in used
    )


def _within(pages: tuple[str, ...], inside: str) -> str:
    return ",".join(f"{page} {inside}" for page in pages)


SERIES: Final = tuple(f"series{k}" for k in range(8))
"""The roles of the colours of curves."""

ROUTE_DASHES: Final = ("", "10 4", "2 4", "12 3 3 3")
"""The dash of the line of each route, by its colour's number, so that routes differ by more than their colours."""
