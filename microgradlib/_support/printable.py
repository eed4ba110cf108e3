"""Text of the user's: without characters that documents and terminals cannot hold, shortened, or as a name."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["as_identifier", "normalised", "one_line", "shorten"]

# XML 1.0 forbids control characters and surrogates even in escaped form; UTF-8 has no surrogates; a terminal obeys
# control characters. The characters that embed text of the other direction, or override it, would turn around what
# stands beside the text.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
_BREAKS: Final = str.maketrans(dict.fromkeys("\t\n\r\u2028\u2029", " "))


def one_line(text: str) -> str:
    r"""Put text on one line and replace control characters by U+FFFD, one character for each.

    >>> one_line("two\nlines\x00")
    'two lines�'
    """
    return text if text.isprintable() else _FORBIDDEN.sub("\ufffd", text).translate(_BREAKS)


def shorten(text: str, limit: int) -> str:
    """Replace the middle of a text longer than `limit` by …; both ends are kept, since dotted names differ there.

    >>> shorten("layers.0.neurons.3.weights.12", 16)
    'layers.0…ghts.12'
    """
    if len(text) <= limit:
        return text
    head = limit // 2
    return f"{text[:head]}…{text[len(text) - (limit - head - 1) :]}"


def normalised(name: str) -> str:
    """Return a name in the form in which Python compares names: of full-width letters, for example, their plain ones.

    >>> normalised("ｎｐ")
    'np'
    """
    return unicodedata.normalize("NFKC", name)


def as_identifier(text: str) -> str:
    """Return a text as a name of Python's, with _ for what no name has in it, and before a digit that comes first.

    >>> as_identifier("layer 1"), as_identifier("½"), as_identifier("")
    ('layer_1', '_1_2', '_')
    """
    name = "".join([c if f"_{c}".isidentifier() else "_" for c in normalised(text)])
    return name if name.isidentifier() else f"_{name}"
