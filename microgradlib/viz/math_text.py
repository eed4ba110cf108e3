r"""Labels set as mathematics: `x_1^(2)`, `w_{20}^{(1)}`, `\theta`, `\sigma'`; all other text stays as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from microgradlib.viz.typography import mono_width, sans_width

Level = Literal[-1, 0, 1]
SMALL: Final = 0.74
"""Size of sub- and superscripts, relative to the text."""

_MAX_LENGTH: Final = 200
"""Longer labels are shown as they are."""

# fmt: off
_SYMBOLS: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "nabla": "∇", "partial": "∂", "ell": "ℓ", "infty": "∞", "cdot": "·",
    "times": "×", "odot": "⊙", "oplus": "⊕", "pm": "±", "to": "→", "top": "⊤", "prime": "′", "sum": "∑", "prod": "∏",
    "log": "log", "exp": "exp", "tanh": "tanh", "sin": "sin", "cos": "cos", "max": "max", "min": "min", "ln": "ln",
    "leq": "≤", "geq": "≥", "neq": "≠", "approx": "≈", "ldots": "…", "dots": "…", "hbar": "ℏ", ",": "\u2009",
}
_ACCENTS: Final = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_WRAPPERS: Final = frozenset(
    {"text", "mathrm", "mathbf", "mathit", "mathcal", "mathbb", "mathsf", "boldsymbol", "bm", "operatorname"})
_FRACTIONS: Final = frozenset({"frac", "dfrac", "tfrac"})
_SUBSCRIPTS: Final = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_SUPERSCRIPTS: Final = dict(zip(
    "0123456789+-=()abcdefghijklmnoprstuvwxyzTW", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᵂ", strict=True))
# fmt: on

_GREEK: Final = r"\\[A-Za-z]+"
# What may follow ^ without braces: (2), -1, 12, one letter, *, a prime, or a command.
_BARE_SUPERSCRIPT: Final = re.compile(rf"\([^()\s]*\)|[-\u2212+]?\d+|[A-Za-z*'](?![A-Za-z0-9])|{_GREEK}")
# What may follow _ without braces, after one letter: digits, one letter or a command.
_BARE_SUBSCRIPT: Final = re.compile(rf"(?:\d+|[A-Za-z])(?![A-Za-z0-9_])|{_GREEK}")
_DROW: Final = re.compile(r"(\w+)(\\?)")
"""A word backwards, and the backslash of a command."""
_COMMAND: Final = re.compile(r"\\([A-Za-z]+|,)")
_OPERATORS: Final = re.compile(r"[-+·=/,\u2212 ]")
_MARKED: Final = re.compile(r"\\|\^|_")


@dataclass(frozen=True)
class Piece:
    """Text on the line (level 0), raised (1) or lowered (-1)."""

    text: str
    level: Level = 0


class _NotUnderstoodError(Exception):
    """A label is not of the form that is read here."""


@lru_cache(maxsize=4096)
def pieces(label: str) -> tuple[Piece, ...]:
    r"""Return a label as pieces of text on, above and below the line.

    Read are Greek letters and some symbols by their LaTeX names; fractions and roots, on one line; `^` and `_` before
    braces, which may hold anything; `^` before parentheses, a number or one letter; `_` after one letter and before a
    number or one letter, where no letter, digit or `_` follows. So `x_1` and `h_t` have subscripts, and names of
    variables such as `w_out`, `my_name`, `x_train` or `a_b_c` stay as they are. Dollar signs around the whole are
    dropped. A label of any other form, such as one with a command that is not known, is shown unchanged.

    >>> pieces("x_1^(2)")
    (Piece(text='x', level=0), Piece(text='1', level=-1), Piece(text='(2)', level=1))
    >>> pieces(r"\frac{\partial L}{\partial w}")
    (Piece(text='∂L/∂w', level=0),)
    >>> pieces(r"\sigma'"), pieces("w_out")
    ((Piece(text='σ′', level=0),), (Piece(text='w_out', level=0),))
    """
    if len(label) > _MAX_LENGTH or not _MARKED.search(label):
        return (Piece(label),)
    text = label[1:-1] if len(label) > 2 and label[0] == label[-1] == "$" else label
    try:
        found = _read(text)
    except _NotUnderstoodError:
        return (Piece(label),)
    return tuple(found) if found else (Piece(label),)


def plain(label: str) -> str:
    r"""Return a label for terminals: Greek letters, and Unicode's sub- and superscripts where there are all of them.

    >>> plain("x_1^(2)"), plain("w_{20}^{(1)}"), plain(r"\theta^{a,b}"), plain("w_out")
    ('x₁⁽²⁾', 'w₂₀⁽¹⁾', 'θ^{a,b}', 'w_out')
    """
    return "".join(map(_plain_piece, pieces(label)))


def width(label: str, size: float, *, mono: bool = False) -> float:
    """Estimate the width of a label as it is set, in pixels, for a font of `size` pixels.

    >>> width("x_1", 10) < width("x1", 10) < width("w_out", 10)
    True
    """
    measure = mono_width if mono else sans_width
    return sum(measure(piece.text, size * (SMALL if piece.level else 1.0)) for piece in pieces(label))


def _plain_piece(piece: Piece) -> str:
    if not piece.level:
        return piece.text
    table = _SUPERSCRIPTS if piece.level > 0 else _SUBSCRIPTS
    text = piece.text.replace("\u2212", "-")
    if all(character in table for character in text):
        return "".join(table[character] for character in text)
    mark = "^" if piece.level > 0 else "_"
    return f"{mark}{text}" if len(text) == 1 or text[0] + text[-1] == "()" else f"{mark}{{{text}}}"


def _read(text: str) -> list[Piece]:
    found: list[Piece] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            inner, position = _fraction(text, position)
            if inner is None:
                symbol, position = _command(text, position)
                inner = [Piece(symbol)]
            for piece in inner:
                _add(found, piece.text, piece.level)
        elif character in "^_" and (script := _script(text, position)):
            content, position = script
            _add(found, content, 1 if character == "^" else -1)
        else:
            _add(found, "′" if character == "'" and found else character, 0)
            position += 1
    return found


def _add(found: list[Piece], text: str, level: Level) -> None:
    if found and found[-1].level == level:
        text = found.pop().text + text
    found.append(Piece(text, level))


def _script(text: str, position: int) -> tuple[str, int] | None:
    """Return what the `^` or `_` at this position raises or lowers, and the position after it; None if nothing."""
    mark, after = text[position], position + 1
    if position == 0:
        return None
    if text[after : after + 1] == "{":
        content, end = _braced(text, after)
        return content.replace("-", "\u2212").replace("'", "′"), end
    if mark == "_" and not _one_letter_before(text, position):
        return None
    match = (_BARE_SUPERSCRIPT if mark == "^" else _BARE_SUBSCRIPT).match(text, after)
    if not match:
        return None
    content = match.group()
    if content.startswith("\\"):
        return _command(text, after)
    return content.replace("-", "\u2212").replace("'", "′"), match.end()


def _one_letter_before(text: str, position: int) -> bool:
    """Tell whether a single letter stands before this position: a whole name, or the end of a command."""
    if text[position - 1 : position] in {"}", ")"}:
        return True
    word = _DROW.match(text[:position].rstrip("'′")[::-1])  # backwards: from each letter on it would be quadratic
    return word is not None and (bool(word[2]) or (len(word[1]) == 1 and word[1].isalpha()))


def _fraction(text: str, position: int) -> tuple[list[Piece] | None, int]:
    """Return the fraction or root that begins at this position, on one line, and the position after it; or None."""
    match = _COMMAND.match(text, position)
    if not match or match[1] not in {*_FRACTIONS, "sqrt"}:
        return None, position
    parts, after = [], match.end()
    for _ in range(1 if match[1] == "sqrt" else 2):
        end = _closing(text, after)
        inside = _read(text[after + 1 : end])
        is_sum = any(not piece.level and _OPERATORS.search(piece.text) for piece in inside)
        parts.append([Piece("("), *inside, Piece(")")] if is_sum else inside)
        after = end + 1
    return ([Piece("√"), *parts[0]] if match[1] == "sqrt" else [*parts[0], Piece("/"), *parts[1]]), after


def _closing(text: str, position: int) -> int:
    """Return where the braces that open at this position close."""
    depth = 0
    for end in range(position, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if not depth:
            break
    if text[position : position + 1] != "{" or depth or end == position + 1:
        raise _NotUnderstoodError
    return end


def _command(text: str, position: int) -> tuple[str, int]:
    match = _COMMAND.match(text, position)
    if not match:
        raise _NotUnderstoodError
    name, after = match[1], match.end()
    if name in _SYMBOLS:
        is_sign = len(_SYMBOLS[name]) == 1  # the space of \log x stays
        return _SYMBOLS[name], after + (is_sign and text[after : after + 1] == " " and text[after + 1 :][:1].isalpha())
    if (name not in _ACCENTS and name not in _WRAPPERS) or text[after : after + 1] != "{":
        raise _NotUnderstoodError
    content, after = _braced(text, after)
    if name in _WRAPPERS:
        return content, after
    return "".join(character + _ACCENTS[name] for character in content), after


def _braced(text: str, position: int) -> tuple[str, int]:
    """Return the text in the braces that open at this position, its commands read, and the position after them."""
    end = text.find("}", position)
    content = text[position + 1 : end]
    if end < 0 or not content or "{" in content or "^" in content:
        raise _NotUnderstoodError
    parts = []
    inside = 0
    while inside < len(content):
        if content[inside] == "\\":
            part, inside = _command(content, inside)
        else:
            part, inside = content[inside], inside + 1
        parts.append(part)
    return "".join(parts), end + 1
