"""Axes to plot into: those given, or those of a new figure; and colours that read on light and dark figures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

from microgradlib._support.calling import in_plain_words
from microgradlib._support.optional import import_optional
from microgradlib._support.printable import one_line, shorten
from microgradlib._support.shown import shown

__all__ = [
    "CLASS_COLOURS", "DIVERGING", "axes_of", "caption_text", "closing_on_error", "grid_of_axes", "is_dark",
    "label_plainly", "numpy_for",
]  # fmt: skip

CLASS_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f7f7f", "#7c3aed")
"""Okabe and Ito's colours, distinguished by colour-blind readers; classes also have markers of their own."""
DIVERGING: Final = "PuOr_r"
"""Purple below, orange above: distinguished by colour-blind readers."""
SMALLEST_PLAIN: Final = 1e-3
"""Axes that reach below this, or above its reciprocal, are labelled by powers of ten."""
LONGEST_CAPTION: Final = 40
"""Longer names are shortened: a legend of such names still fits into the axes of matplotlib's usual figure."""
LONGEST_SOURCE: Final = 80
"""Longer formulas are shortened, so that they are none."""
LARGEST_FORMULA: Final = 2000.0
r"""In points, at a size of 12: a wider or higher formula, as with `\hspace{9999}`, is shown as its source."""


F = TypeVar("F", bound=Callable[..., Any])


def closing_on_error(plot: F) -> F:
    """Return a function that closes the figures it has opened if it raises: a refused plot leaves no empty one."""

    @wraps(plot)
    def checked(*args: Any, **kwargs: Any) -> Any:
        before = _open_figures()
        try:
            return in_plain_words(plot)(*args, **kwargs)
        except BaseException:
            for number in _open_figures() - before:
                sys.modules["matplotlib.pyplot"].close(number)
            raise

    return cast(F, checked)


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set() if pyplot is None else set(pyplot.get_fignums())


def axes_of(ax: Any, feature: str) -> Any:
    """Return `ax`, or the axes of a new figure if it is None.

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError: `ax` is no matplotlib Axes.

    """
    pyplot = import_optional("matplotlib.pyplot", feature)
    if ax is None:
        return pyplot.figure(layout="constrained").add_subplot()
    if not isinstance(ax, import_optional("matplotlib.axes", feature).Axes):
        message = f"ax must be matplotlib Axes, as plt.subplots() makes them, or None for a new figure, got {shown(ax)}"
        raise TypeError(message)
    return ax


def caption_text(name: Any, longest: int = LONGEST_CAPTION) -> str:
    r"""Return a name of the user's as matplotlib can draw it: on one line, `$…$` as a formula only if it is one.

    A text of more than `longest` letters loses its middle. Legends leave out labels that are empty or start with _:
    these get a space before them.

    >>> caption_text("$x_1$"), caption_text("$x_{$"), caption_text("two\nlines"), caption_text("_x")
    ('$x_1$', '\\$x_{\\$', 'two lines', ' _x')
    """
    text = one_line(str(name))
    if "$" not in text or len(text) > LONGEST_SOURCE or not _is_formula(text):
        text = shorten(text, longest).replace("$", r"\$")
    return f" {text}" if not text or text.startswith("_") else text


def _is_formula(text: str) -> bool:
    """Return whether matplotlib can draw a text as a formula of a caption's size.

    It is measured, not drawn: a fraction bar of 10⁹ points would take its pixels' memory.
    """
    try:
        size = import_optional("matplotlib.mathtext", "caption_text").MathTextParser("path").parse(text)
    except (ValueError, RuntimeError):
        return False
    return all(abs(length) <= LARGEST_FORMULA for length in (size.width, size.height, size.depth))


def numpy_for(feature: str) -> Any:
    """Return NumPy, which comes with matplotlib: where both are missing, the error names the extra of plots."""
    import_optional("matplotlib", feature)
    return import_optional("numpy", feature)


def grid_of_axes(count: int, feature: str, *, columns: int, size: tuple[float, float]) -> list[Any]:
    """Return `count` axes in rows of `columns` on a new figure; `size` is that of one of them, in inches."""
    pyplot = import_optional("matplotlib.pyplot", feature)
    rows = -(-count // columns)
    figure = pyplot.figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
    return [figure.add_subplot(rows, columns, place + 1) for place in range(count)]


def is_dark(ax: Any) -> bool:
    """Return whether the background of the axes is dark, as under `plt.style.use("dark_background")`."""
    red, green, blue, _ = import_optional("matplotlib.colors", "a plot").to_rgba(ax.get_facecolor())
    return bool(0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.4)


def label_plainly(axis: Any) -> None:
    """Write the numbers of a logarithmic axis as 0.5 and 0.6, not as powers of ten, if it spans less than two decades.

    Over more than one, only 1, 2 and 5 times a power of ten have a number.
    """
    low, high = sorted(axis.get_view_interval())
    if not SMALLEST_PLAIN <= low < high <= 1 / SMALLEST_PLAIN or high >= 100 * low:
        return

    def label(x: float, _place: int | None = None) -> str:
        text = f"{x:g}"
        return text if high < 10 * low or text.strip("0.") in {"1", "2", "5"} else ""

    axis.set_major_formatter(label)
    axis.set_minor_formatter(label)
