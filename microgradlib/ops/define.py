"""define_op: add one op to the table, and with it its function, its documentation and its place in each namespace."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.floats import FLOATS, IEEE
from microgradlib._support.lookup import LONGEST_NAME, nearest
from microgradlib._support.shown import shown
from microgradlib.ops.checks import check_numbers, check_properties, check_rules
from microgradlib.ops.record import GRAPH, TABLE, Op, bind
from microgradlib.ops.signatures import Binary, Ternary, Unary, Variadic, WithSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import TypedDict

    from typing_extensions import Required, Unpack

    Rule = Callable[..., Any]  # and by how many arguments it takes, the namespace xp among them:
    Rule2 = Callable[[Any, Any], Any]
    Rule3 = Callable[[Any, Any, Any], Any]
    Rule4 = Callable[[Any, Any, Any, Any], Any]
    Rule5 = Callable[[Any, Any, Any, Any, Any], Any]

    class Properties(TypedDict, total=False):
        """The fields of `Op` that `define_op` takes by keyword."""

        formula: Required[str]
        symbol: str
        setting_count: int
        domain: str
        sample: tuple[tuple[float, float], ...]
        kink: Callable[..., bool] | None
        kink_note: str
        infinite_note: str
        notation: str | Callable[..., Any]
        written: tuple[Callable[..., Any] | None, ...] | Callable[..., Any]
        reference: Callable[..., Any] | None


__all__ = ["define_op", "forget_op"]

CALLS: dict[int, type[Op]] = {1: Unary, 2: Binary, 3: Ternary}
_NOT_GIVEN = {"name", "value", "derivatives", "settings", "arity", "fast_paths"}
_PLACES: dict[str, tuple[str, Any, int]] = {}
"""Where each op outside the library was defined: the module, the code and its line."""
PROPERTIES = [name for name in Op.__annotations__ if name not in _NOT_GIVEN]
"""The fields of `Op` that a caller of `define_op` may give by keyword."""


@overload
def define_op(name: str, value: Rule2, derivatives: Sequence[Rule3], **properties: Unpack[Properties]) -> Unary: ...
@overload
def define_op(
    name: str,
    value: Rule3,
    derivatives: Sequence[Rule4],
    *,
    defaults: tuple[float],
    **properties: Unpack[Properties],
) -> WithSetting: ...
@overload
def define_op(name: str, value: Rule3, derivatives: Sequence[Rule4], **properties: Unpack[Properties]) -> Binary: ...
@overload
def define_op(name: str, value: Rule4, derivatives: Sequence[Rule5], **properties: Unpack[Properties]) -> Ternary: ...
@overload
def define_op(
    name: str, value: Rule, derivatives: Callable[..., tuple[Any, ...]], **properties: Unpack[Properties]
) -> Variadic: ...
def define_op(name: str, value: Rule, derivatives: Any, **properties: Any) -> Any:
    """Add one op to the table and return it: its value, its local derivatives, its domain and kink.

    `value(xp, *inputs)` and each of `derivatives`, `(xp, output, *inputs)`, use arithmetic, comparisons and the
    functions of `xp` (every op of the table by name) and never `math` or `if`: a choice is `xp.where(x > 0, a, b)`.
    A closed branch, which stops inf and nan too, has the derivative `ops.ZERO`, as in `xp.where(x > 0, 1.0, ZERO)`; so
    has a rule that gives 0 always. Outside a domain, a derivative is `xp.undefined(x)`: nan to every order.
    `properties` are the further fields of `Op`, of which `formula` is required. Run again, as a cell of a notebook or a
    reloaded module is, it replaces the op that it defined before; nodes made with that one keep it, and pickles of them
    load with the new one. Raises `ValueError` if the name is taken by an op of the library or one defined elsewhere, or
    the symbol is not one printable word; `TypeError` if a rule is no function of these arguments or, tried at a point
    of `sample`, gives no number, or if a property is unknown or of the wrong kind. What
    a rule raises itself comes through.

    >>> from microgradlib import Value, grad_table
    >>> from microgradlib.ops import define_op, forget_op
    >>> swish = define_op(
    ...     "swish",
    ...     value=lambda xp, x: x * xp.sigmoid(x),
    ...     derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
    ...     formula="x σ(x), derivative σ(x) + x σ(x) σ(−x)",
    ... )
    >>> x = Value(0.0)
    >>> grad_table(swish(x))[x]
    0.5
    >>> forget_op("swish")
    """
    place = _place(sys._getframe(1))
    if not isinstance(name, str) or not name.isidentifier():
        message = f"an op's name is an identifier, as in define_op('swish', …), got {shown(name)}"
        raise ValueError(message)
    if len(name) > LONGEST_NAME:
        message = f"an op's name has at most {LONGEST_NAME} letters, got {shown(name)}"
        raise ValueError(message)
    if name in TABLE and not _is_run_again(name, place):
        message = f"an op's name is an identifier not yet in the table, got {name!r}, which is {TABLE[name].formula}"
        raise ValueError(message)
    is_own = place[0].startswith("microgradlib.")
    if not is_own:
        check_rules(name, value, derivatives)
        check_properties(name, properties, PROPERTIES)
    rules = derivatives if callable(derivatives) else tuple(derivatives)
    kind = CALLS.get(len(rules), Op) if isinstance(rules, tuple) else Variadic
    if "defaults" in properties:
        kind = WithSetting
    op = kind(**{"symbol": name, **properties, "name": name, "value": value, "derivatives": rules})
    if not is_own:
        check_numbers(op)
    if name in TABLE:
        forget_op(name)
    TABLE[name] = op
    if not is_own:
        _PLACES[name] = place
    for xp in (FLOATS, IEEE):  # whose own attributes: hasattr would write a message, with the nearest name
        if name not in vars(xp):
            setattr(xp, name, partial(value, xp))
    if name not in vars(GRAPH):
        setattr(GRAPH, name, op)
    return op


def forget_op(name: str) -> None:
    """Take an op out of the table again, as a test that defined it should. Raises `KeyError` for an unknown name."""
    if name not in TABLE:
        message = f"no op is named {shown(name)}{nearest(name, TABLE)}"
        raise KeyError(message)
    del TABLE[name]
    _PLACES.pop(name, None)
    bind.cache_clear()
    for xp in (FLOATS, IEEE, GRAPH):
        if name in vars(xp):
            delattr(xp, name)


def _place(frame: FrameType) -> tuple[str, Any, int]:
    return str(frame.f_globals.get("__name__")), frame.f_code, frame.f_lineno


def _is_run_again(name: str, place: tuple[str, Any, int]) -> bool:
    """Return whether the definition of an op at `place` is the one that defined it before, run again, maybe edited.

    That is one by the same module's top level, or its function of the same name. A second definition on another line of
    the same code is a mistake, unless it is run anew: an edited cell or module has new code.
    """
    if name not in _PLACES:
        return False
    (module, code, line), (module_before, code_before, line_before) = place, _PLACES[name]
    same = module == module_before and _function_name(code) == _function_name(code_before)
    return same and (code is not code_before or line == line_before)


def _function_name(code: Any) -> str:
    """Return the name of the function that a code is of; that of a cell's top level names its first line in IPython."""
    name: str = code.co_name
    return "<module>" if name.startswith("<cell") else name
