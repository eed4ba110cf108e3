"""Wrong arguments: what replaces one argument of a valid call, and the wrong calls that come of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from call_arguments import Call

from microgradlib import Symbol, Value, nn

__all__ = ["WRONG", "WrongCall", "wrong_calls"]


class Thing:
    """An object of a class that no function takes."""

    def __repr__(self) -> str:
        return "<thing>"


def _itself() -> list[Any]:
    """Return a list that contains itself."""
    numbers: list[Any] = [1.0]
    numbers.append(numbers)
    return numbers


def _returns(result: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: result


WRONG: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "text": lambda: "text",
    "empty text": lambda: "",
    "bytes": lambda: b"1",
    "a number as text": lambda: "1.0",
    "-1": lambda: -1,
    "0": lambda: 0,
    "1": lambda: 1,
    "3": lambda: 3,
    "-2.5": lambda: -2.5,
    "0.5": lambda: 0.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "1e308": lambda: 1e308,
    "5e-324": lambda: 5e-324,
    "10**400": lambda: 10**400,
    "True": lambda: True,
    "1j": lambda: 1j,
    "Decimal": lambda: Decimal("1.5"),
    "Fraction": lambda: Fraction(10**400, 3),
    "[]": list,
    "()": tuple,
    "{}": dict,
    "set": lambda: {1.0, 2.0},
    "[[]]": lambda: [[]],
    "ragged list": lambda: [[1.0], [1.0, 2.0]],
    "list of texts": lambda: ["a", "b"],
    "list of None": lambda: [None],
    "a long list": lambda: [1.0] * 7,
    "a deep list": lambda: [[[[1.0]]]],
    "a list in itself": _itself,
    "dict of a text": lambda: {"x": 1.0},
    "dict of an int": lambda: {0: None},
    "generator": lambda: (x for x in [1.0, 2.0]),
    "range": lambda: range(3),
    "Value": lambda: Value(1.0),
    "Symbol": lambda: Symbol("s"),
    "expression": lambda: Value(1.0) * 2,
    "list of a Value": lambda: [Value(1.0)],
    "list of a Symbol": lambda: [Symbol("s")],
    "array of nan": lambda: np.array([np.nan, 1.0]),
    "masked array": lambda: np.ma.array([1.0, 2.0], mask=[False, True]),
    "array without axes": lambda: np.array(1.0),
    "empty array": lambda: np.zeros((0, 3)),
    "array of texts": lambda: np.array(["a", "b"]),
    "array of objects": lambda: np.array([None, 1.0], dtype=object),
    "array of complex": lambda: np.array([1j, 2.0]),
    "object": Thing,
    "class": lambda: Thing,
    "module": lambda: nn.Neuron(1, rng=0),
    "function of nothing": lambda: lambda: 0.0,
    "function of four": lambda: lambda a, b, c, d: 0.0,
    "function that returns text": lambda: _returns("text"),
    "function that returns None": lambda: _returns(None),
    "function that returns a Value": lambda: _returns(Value(1.0)),
    "function that returns nan": lambda: _returns(float("nan")),
    "function that returns a list": lambda: _returns([1.0, [2.0]]),
}
"""What may stand in the place of an argument, by name: made anew for each call, as a generator is used up."""

SPOILT: dict[str, Callable[[Any], Any]] = {
    "None in its end": lambda _: None,
    "text in its end": lambda _: "text",
    "complex in its end": lambda _: 1j,
    "nan in its end": lambda _: float("nan"),
    "a list in its end": lambda _: [1.0, 2.0, 3.0],
    "a Value in its end": lambda _: Value(1.0),
    "an object in its end": lambda _: Thing(),
    "its end a second time": lambda end: end,
}
"""What may stand in the place of the last entry of an argument that is a list, a tuple or a dict."""


class WrongCall(NamedTuple):
    """A call with one argument replaced: which, by what."""

    place: str
    wrong: str
    make: Callable[[], Call]

    def __str__(self) -> str:
        return f"{self.place} = {self.wrong}"


def wrong_calls(thing: Callable[..., Any], make: Callable[[], Call], *, is_method: bool) -> Iterator[WrongCall]:
    """Yield the calls of `thing` with one argument of the valid call replaced, or one added that the signature has."""
    valid = make()
    places: list[int | str] = [*range(int(is_method), len(valid.args)), *valid.kwargs]
    for place in places:
        name = str(place)
        yield from (WrongCall(name, wrong, _replacing(make, place, new)) for wrong, new in WRONG.items())
        argument = valid.args[place] if isinstance(place, int) else valid.kwargs[place]
        if isinstance(argument, (list, tuple, dict)) and argument:
            yield from (WrongCall(name, wrong, _spoiling(make, place, new)) for wrong, new in SPOILT.items())
            yield WrongCall(name, "its end missing", _changing(make, place, _shorter))
            yield WrongCall(name, "its end twice", _changing(make, place, _longer))
    for name in _further_keywords(thing, valid):
        yield from (WrongCall(name, wrong, _replacing(make, name, new)) for wrong, new in WRONG.items())


def _further_keywords(thing: Callable[..., Any], valid: Call) -> list[str]:
    """Return the parameters with defaults that the valid call leaves out, by keyword."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return []
    allowed = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    rest = [parameter for parameter in parameters if parameter.kind in allowed]
    positional = [parameter for parameter in rest if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    given = {parameter.name for parameter in positional[: len(valid.args)]} | set(valid.kwargs)
    return [parameter.name for parameter in rest if parameter.name not in given]


def _replacing(make: Callable[[], Call], place: int | str, new: Callable[[], Any]) -> Callable[[], Call]:
    return _changing(make, place, lambda _: new())


def _spoiling(make: Callable[[], Call], place: int | str, new: Callable[[Any], Any]) -> Callable[[], Call]:
    def spoilt(argument: Any) -> Any:
        if isinstance(argument, dict):
            *rest, (key, end) = argument.items()
            return {**dict(rest), key: new(end)}
        entries = list(argument)
        entries[-1] = new(entries[0])
        return tuple(entries) if isinstance(argument, tuple) else entries

    return _changing(make, place, spoilt)


def _shorter(argument: Any) -> Any:
    return dict(list(argument.items())[:-1]) if isinstance(argument, dict) else argument[:-1]


def _longer(argument: Any) -> Any:
    return {**argument, "one more": 1.0} if isinstance(argument, dict) else argument + argument[-1:]


def _changing(make: Callable[[], Call], place: int | str, change: Callable[[Any], Any]) -> Callable[[], Call]:
    """Return the maker of the valid call with the argument at a place changed."""

    def changed() -> Call:
        args, kwargs = make()
        if isinstance(place, int):
            return Call((*args[:place], change(args[place]), *args[place + 1 :]), kwargs)
        return Call(args, {**kwargs, place: change(kwargs.get(place))})

    return changed
