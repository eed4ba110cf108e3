"""Text of the user's, such as a label, on one line and without characters that documents and terminals cannot hold."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["one_line"]

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
