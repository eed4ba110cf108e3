"""How an op is shown on a box: ×, tanh, ( )², clip −1, 1."""

from __future__ import annotations

from typing import Any, Final

from microgradlib.viz.numbers import MINUS

__all__ = ["op_sign"]

_SIGNS: Final = {"*": "×", "-": "−", "/": "÷"}
_NAMED: Final = {"square": "( )²", "reciprocal": "1/( )"}
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def op_sign(op: Any) -> str:
    """Return the sign of an op with its settings; an empty text for one made by hand without a text.

    Powers have empty parentheses for what is raised: a letter could be read as the variable of that name.

    >>> from microgradlib.ops import TABLE
    >>> [op_sign(TABLE["pow"].bind(y)) for y in (2.0, 10.0, -1.0, 0.5, -2.5)]
    ['( )²', '( )¹⁰', '1/( )', '√( )', '( )^(−2.5)']
    >>> op_sign(TABLE["mul"]), op_sign(TABLE["tanh"]), op_sign(TABLE["clip"].bind(-1.0, 1.0))
    ('×', 'tanh', 'clip −1, 1')
    """
    if op.name == "pow" and op.settings:
        return _power(op.settings[0])
    settings = str(op)[len(op.symbol) :] if op.settings else ""
    shown = _NAMED.get(op.name) or _SIGNS.get(op.symbol, op.symbol)
    return shown + settings.replace("-", MINUS).replace(",", ", ")


def _power(exponent: float) -> str:
    if exponent in (-1.0, 0.5):
        return "1/( )" if exponent < 0 else "√( )"
    text = f"{exponent:g}"
    is_short = abs(exponent) < 1000 and exponent == round(exponent)
    return f"( ){text.translate(_SUPERSCRIPTS)}" if is_short else f"( )^({text.replace('-', MINUS)})"
