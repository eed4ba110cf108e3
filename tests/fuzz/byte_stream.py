"""Bytes read as choices, numbers and texts, so that one mutated byte changes one decision of a fuzz target."""

import math
import struct

__all__ = ["FRAGMENTS", "Stream"]

FRAGMENTS = (
    "x", "w1", "x_1^(2)", r"\theta", "$x_{$", "^_^", r"\frac{a}{b}", r"\href{javascript:alert(1)}{x}", "w.0.b", "", " ",
    "</script>", "<!--", "-->", "]]>", "<script>alert(1)</script>", "</style>", "</title></svg>", '" onload="alert(1)',
    "'", '"', "`", "&#60;", "&amp;", "\\", "\\N", "\\G", "{0}", "{z}", "{}", "%s", '"""', "'''", "\n", "\r\n", "\t",
    "\x00", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800", "\udfff", "\ufffe", "\ufeff",
    "é", "e\u0301", "ｘ", "ｉｆ", "ſ", "梯度", "👩‍👩‍👧", "if", "None", "lambda", "print", "__import__", "__proto__",
    "constructor", "__debug__", "np", "torch", "forward", "parameters", "n0", "1", "-1", "1e400", "node", "graph",
    "strict", "]; evil [", "[label=x]", "#", "#{x}", "# ", "; import os", "\\\n", "javascript:alert(1)",
)  # fmt: skip
"""Texts that mean something to one of the languages written: XML, HTML, JavaScript, DOT, LaTeX, Python."""

NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-300, 5e-324, 1e300, 1.7976931348623157e308, math.inf, -math.inf, math.nan,
    100.0, 1e16,
)  # fmt: skip
LENGTHS = (17, 300, 4_000, 17_000)


class Stream:
    """Reads what it is asked for from the front of some bytes; zeros follow where they end.

    >>> stream = Stream(bytes([2, 1, 255]))
    >>> stream.choice("abc"), stream.flag(), stream.whole(10), stream.whole(10)
    ('c', True, 5, 0)
    """

    def __init__(self, data: bytes):
        self.data, self.position = data, 0

    @property
    def is_empty(self):
        return self.position >= len(self.data)

    def take(self, count):
        """Return the next bytes, fewer at the end."""
        part = self.data[self.position : self.position + count]
        self.position += count
        return part

    def whole(self, below):
        """Return a whole number from 0, below a limit of at most 256."""
        return (self.take(1) or b"\0")[0] % below

    def flag(self):
        return bool(self.whole(2))

    def choice(self, options):
        return options[self.whole(len(options))]

    def number(self):
        """Return a float, often a special one, any other from eight bytes."""
        if self.whole(4):
            return self.choice(NUMBERS) if self.flag() else (self.whole(256) - 128) / 16
        return struct.unpack("<d", self.take(8).ljust(8, b"\0"))[0]

    def text(self):
        """Return a fragment, some joined, any characters (lone surrogates too), or a long text of one of these."""
        kind = self.whole(8)
        if kind < 3:
            return self.choice(FRAGMENTS)
        if kind < 5:
            return "".join([self.choice(FRAGMENTS) for _ in range(2 + self.whole(5))])
        if kind < 7:
            return decoded(self.take(self.whole(64)))
        return self.choice(FRAGMENTS) * self.choice(LENGTHS)


def decoded(data: bytes) -> str:
    """Return the characters of UTF-8, surrogates too; other bytes stand for the first 256 characters.

    >>> decoded(b"a\\xff"), decoded("\\ud800".encode("utf-8", "surrogatepass"))
    ('aÿ', '\\ud800')
    """
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
