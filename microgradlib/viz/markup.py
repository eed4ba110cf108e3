"""Write XML deterministically: elements, escaped text, coordinates with at most two decimals; and JSON for scripts."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from microgradlib._support.printable import one_line

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})

NO_MATHJAX: Final = "mathjax_ignore tex2jax_ignore"
"""The classes that keep MathJax 3 and 2 of a notebook from setting what stands between dollar signs, as "$5 or $6".

What it sets inside an `<svg>` is not seen at all.
"""

LONGEST_KEPT: Final = 1000
"""The greatest length of texts that are kept escaped: whole pictures pass here too, as addresses of data."""


def escape(text: str) -> str:
    """Escape text for XML, as the content of an element or as an attribute.

    >>> escape('<b>&"')
    '&lt;b&gt;&amp;&quot;'
    """
    return _escaped(text) if len(text) <= LONGEST_KEPT else _escaped.__wrapped__(text)


@lru_cache(maxsize=4096)
def _escaped(text: str) -> str:
    return one_line(text).translate(_ESCAPES)


@lru_cache(maxsize=4096)
def coordinate(number: float) -> str:
    """Write a coordinate in pixels with at most two decimals.

    >>> coordinate(3.0), coordinate(0.1 + 0.2), coordinate(-0.001)
    ('3', '0.3', '0')
    """
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """Write one XML element. `content` is markup and is not escaped; attribute values are.

    Underscores in attribute names become hyphens (`stroke_width`); a trailing one is dropped, so that Python keywords
    can be used (`class_`).

    >>> element("text", escape("a < b"), x=1.5, font_size=12)
    '<text x="1.5" font-size="12">a &lt; b</text>'
    >>> element("rect", width=10)
    '<rect width="10"/>'
    """
    pairs = "".join(
        [
            f' {_attribute(key)}="{escape(value) if isinstance(value, str) else coordinate(value)}"'
            for key, value in attributes.items()
        ]
    )
    return f"<{name}{pairs}>{content}</{name}>" if content else f"<{name}{pairs}/>"


@lru_cache(maxsize=256)
def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def tooltip(text: str) -> str:
    """Write a `<title>`, which browsers show as the tooltip of the element around it; nothing for an empty text.

    >>> tooltip("grad = 2"), tooltip("")
    ('<title>grad = 2</title>', '')
    """
    return element("title", escape(text)) if text else ""


def script_json(thing: object) -> str:
    r"""Write JSON that may stand inside a script element, whatever texts it contains.

    Raises:
        ValueError: there is a nan or an infinity in it.

    >>> script_json({"label": "</script>"})
    '{"label":"\\u003c/script>"}'
    """
    text = json.dumps(thing, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
