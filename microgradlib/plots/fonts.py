"""use_chinese_font: Chinese captions in matplotlib's figures."""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from typing import Final

from microgradlib._support.optional import import_optional

__all__ = ["use_chinese_font"]

FAMILIES: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB",
    "Heiti SC", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP",
    "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip
"""Fonts with Chinese characters on Linux, macOS and Windows, the best to read first."""


def use_chinese_font() -> str | None:
    """Add a font with Chinese characters to matplotlib's, for all figures that follow, and return its name.

    Where no such font is installed, as in Colab, the return value is None, and figures in a notebook become SVG whose
    text the browser writes, in a font of its own. Python then cannot measure the text, so that a legend may be a little
    narrow; a font mends that (Debian and Colab: `apt-get install fonts-noto-cjk`, and a new kernel).

    Both change matplotlib's settings (`matplotlib.rcParams`): a figure drawn before stays as it is.

    Raises:
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib
    >>> with matplotlib.rc_context():
    ...     family = use_chinese_font()
    ...     family is None or family == matplotlib.rcParams["font.family"][-1]
    True
    """
    matplotlib = import_optional("matplotlib", "use_chinese_font")
    family = _installed_family() or _installed_family(look_again=True)
    settings = matplotlib.rcParams
    settings["axes.unicode_minus"] = True
    if family is not None:
        # A second family fills in what the first lacks: subscripts, as in ŷ₁, are missing from many Chinese fonts.
        settings["font.family"] = [*[name for name in settings["font.family"] if name != family], family]
        return family
    settings["svg.fonttype"] = "none"
    warnings.filterwarnings("ignore", message="Glyph .* missing from")
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):  # a notebook, perhaps before its first figure
        config = import_optional("matplotlib_inline.config", "use_chinese_font")
        config.InlineBackend.instance(parent=shell).figure_formats = {"svg"}
    return None


def _installed_family(*, look_again: bool = False) -> str | None:
    """Return the first of the families that matplotlib knows; its list may be older than a font, so look again."""
    manager = import_optional("matplotlib.font_manager", "use_chinese_font")
    if look_again:
        known = {font.fname for font in manager.fontManager.ttflist}
        for path in set(manager.findSystemFonts()) - known:
            with suppress(OSError, RuntimeError, ValueError):  # a file that matplotlib cannot read
                manager.fontManager.addfont(path)
    names = {font.name for font in manager.fontManager.ttflist}
    return next((family for family in FAMILIES if family in names), None)
