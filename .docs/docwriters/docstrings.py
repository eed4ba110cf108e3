"""Docstrings as Markdown: plain text with code in backticks, indented blocks, doctests and sections such as `Args:`."""

from __future__ import annotations

import inspect
import re

__all__ = ["markdown", "summary"]

CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=[A-Z])([^*`\n]{3,60}?)(?<=\w)\*(?![\w*])")
"""Titles of books, *Deep Learning*: the only emphasis in docstrings; every other star is an operator."""
SPECIAL = re.compile(r"[\\*_<>\[\]{}$#~^|]")
SECTION = re.compile(r"[A-Z][a-z]+:")


def escaped(text: str) -> str:
    r"""Escape what Markdown would read as markup, outside code.

    >>> print(escaped("w*x + w*y of *Deep Learning*, `a*b`, w_1 and |x|"))
    w\*x + w\*y of *Deep Learning*, `a*b`, w\_1 and \|x\|
    """
    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [_prose(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _prose(text[end:])])


def _prose(text: str) -> str:
    parts, end = [], 0
    for title in EMPHASIS.finditer(text):
        parts += [SPECIAL.sub(r"\\\g<0>", text[end : title.start()]), title[0]]
        end = title.end()
    return "".join([*parts, SPECIAL.sub(r"\\\g<0>", text[end:])])


def summary(text: str) -> str:
    """Return the first sentence of a docstring as Markdown on one line.

    >>> summary('''The rest
    ... follows. Not this.''')
    'The rest follows.'
    """
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    sentence = re.match(r".*?[.:!?](?=\s+[A-Z`]|$)", paragraph)
    return escaped(sentence[0] if sentence else paragraph)


def markdown(text: str) -> str:
    r"""Return a docstring as Markdown.

    >>> print(markdown("Twice x.\n\n    twice = 2 x\n\nArgs:\n    x: a number,\n        or a Value."))
    Twice x.
    <BLANKLINE>
    ```text
    twice = 2 x
    ```
    <BLANKLINE>
    **Args**
    <BLANKLINE>
    - **`x`**: a number, or a Value.
    >>> markdown(">" ">> 1 + 1\n2").split("\n")[0]
    '```pycon'
    """
    blocks = re.split(r"\n[ \t]*\n", inspect.cleandoc(text))
    written: list[str] = []
    inside = False  # a section, whose entries may be divided by blank lines
    for block in blocks:
        lines = block.split("\n")
        if SECTION.fullmatch(lines[0]):
            inside = True
            written.append(f"**{lines[0][:-1]}**")
            lines = lines[1:]
        elif not lines[0].startswith("    "):
            inside = False
        if lines and inside:
            written.append(_entries(lines))
        elif lines:
            written += _plain(lines)
    return "\n\n".join(_joined(written))


def _joined(blocks: list[str]) -> list[str]:
    """Join code that only a blank line divides."""
    joined: list[str] = []
    for block in blocks:
        language = block.partition("\n")[0]
        if joined and language == "```text" and joined[-1].startswith(language):
            joined[-1] = joined[-1][:-4] + "\n" + block[len(language) :]
        else:
            joined.append(block)
    return joined


def _entries(lines: list[str]) -> str:
    entries: list[list[str]] = []
    for line in lines:
        if line.startswith("     ") and entries:
            entries[-1].append(line.strip())
        else:
            entries.append([line.strip()])
    found = []
    for entry in entries:
        name, colon, words = " ".join(entry).partition(": ")
        found.append(f"- **`{name}`**: {escaped(words)}" if colon else f"- {escaped(name)}")
    return "\n".join(found)


def _plain(lines: list[str]) -> list[str]:
    """Return the blocks of lines without a blank one between them: prose, then code, or a list."""
    if lines[0].startswith((">>> ", "    ")):
        prompt = lines[0].startswith(">>> ")
        code = lines if prompt else inspect.cleandoc("\n" + "\n".join(lines)).split("\n")
        return ["\n".join(["```pycon" if prompt or code[0].startswith(">>> ") else "```text", *code, "```"])]
    for place, line in enumerate(lines):
        if place and (line.startswith((">>> ", "    ")) and not lines[0].startswith("- ")):
            return [*_plain(lines[:place]), *_plain(lines[place:])]
    return [escaped("\n".join(lines))]
