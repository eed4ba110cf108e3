"""Call the functions that users give; one called with other arguments than it takes is an error in plain words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from microgradlib._support.interrupts import import_whole
from microgradlib._support.lookup import check_keywords
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "AS_ARGUMENTS", "call", "check_call", "check_function", "in_plain_words", "parameters_of", "refuse_class",
    "returned", "takes",
]  # fmt: skip

AS_ARGUMENTS = "xs has one number for each argument; a function of one list is lambda *xs: f(xs)"
"""Why a function that is looked at in a point is called with so many arguments."""

_CALL_OF = {"__init__": "", "__call__": "a call of "}
"""What stands before the name of the class, for the methods that are called without a name."""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def check_function(f: Any) -> None:
    """Raise `TypeError` unless f can be called: it may be the result of a function by mistake.

    >>> check_function(3.0)
    Traceback (most recent call last):
    TypeError: f must be a function of the numbers, as lambda w, x: w * x is, not its result; got 3.0
    """
    if not callable(f):
        message = f"f must be a function of the numbers, as lambda w, x: w * x is, not its result; got {shown(f)}"
        raise TypeError(message)


def refuse_class(f: Any, name: str) -> None:
    """Raise `TypeError` for a class in the place of a function, which an object of it may be.

    >>> refuse_class(list, "lr")
    Traceback (most recent call last):
    TypeError: lr must be a function or an object, got the class list: make one first, as in list(…)
    """
    if isinstance(f, type):
        message = f"{name} must be a function or an object, got {shown(f)}: make one first, as in {f.__name__}(…)"
        raise TypeError(message)


def call(f: Any, reason: str, *arguments: Any, **keywords: Any) -> Any:
    """Return f(*arguments, **keywords); `reason` says where the arguments come from, for the error.

    What f raises itself is not changed. Raises `TypeError` if f does not take these arguments.

    >>> call(lambda v: v * v, "xs has one number for each argument", 1.0, 2.0)
    Traceback (most recent call last):
    TypeError: a lambda function of v was called with 2 arguments: xs has one number for each argument
    """
    try:
        return f(*arguments, **keywords)
    except TypeError:
        if takes(f, arguments, keywords):
            raise
    message = f"{shown(f)} {parameters_of(f)} was called with {_given(arguments, keywords)}: {reason}"
    raise TypeError(message)


def check_call(f: Any, called: str, error: TypeError, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    """Raise `TypeError` in plain words if the call itself failed, as f does not take these arguments.

    `called` is what the user called, by its name. To be called while an error of f(*arguments, **keywords) is handled
    by the function that called f.
    """
    if _is_of_the_call(error) and not takes(f, arguments, keywords):
        _check_names(_parameters(f), keywords, _CALL_OF.get(f.__name__, "") + called)
        takes_what = parameters_of(f).removeprefix("of ").replace("without parameters", "no arguments")
        message = f"{called} takes {takes_what}, but was called with {_given(arguments, keywords)}"
        several = len(arguments) > 1 and takes(f, [None])
        raise TypeError(message + ("; several numbers are given as one list" if several else "")) from None


def in_plain_words(f: F) -> F:
    """Return a function, or a class, that refuses arguments which it does not take in words of the package's.

    Public functions, classes and methods that have an argument with a default are decorated with it, but for those
    which a program calls for each number: a call takes 0.1 µs more.

    >>> in_plain_words(check_function)(g=3.0)
    Traceback (most recent call last):
    TypeError: check_function has no argument 'g'; known: f
    """
    if isinstance(f, type):
        f.__init__ = in_plain_words(f.__init__)  # type: ignore[misc]
        return cast("F", f)

    @wraps(f)
    def called(*arguments: Any, **keywords: Any) -> Any:
        try:
            return f(*arguments, **keywords)
        except TypeError as error:
            if _is_of_the_call(error):
                _refuse_arguments(f, arguments, keywords)
            raise

    return cast("F", called)


def _is_of_the_call(error: TypeError) -> bool:
    """Return whether an error comes from the call of a function itself, to be asked where the call stands."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is None


def _refuse_arguments(f: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
    """Raise `TypeError` that names the arguments of a call which f does not take, or lacks.

    A method is called by its own name, `__init__` and `__call__` by that of the class.
    """
    name, parameters = f.__name__, _parameters(f)
    if arguments and parameters[0].name == "self":
        name = _CALL_OF[name] + type(arguments[0]).__name__ if name in _CALL_OF else name
        arguments, parameters = arguments[1:], parameters[1:]
    _check_names(parameters, keywords, name)
    by_position = [p for p in parameters if "POSITIONAL" in p.kind.name]
    if len(arguments) > len(by_position) and not any(p.kind.name == "VAR_POSITIONAL" for p in by_position):
        takes_what = ", ".join(p.name for p in by_position) or "none"
        message = f"{name} takes {takes_what} by position, but was called with {_given(arguments, keywords)}"
        raise TypeError(message) from None
    given = {*keywords, *[p.name for p in by_position[: len(arguments)]]}
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in given and "VAR" not in p.kind.name]
    if missing:
        message = f"{name} needs {' and '.join(missing)}, but was called with {_given(arguments, keywords)}"
        raise TypeError(message) from None


def _parameters(f: Any) -> list[Any]:
    return list(import_whole("inspect").signature(f).parameters.values())


def _check_names(parameters: Sequence[Any], keywords: Iterable[str], owner: str) -> None:
    """Raise `TypeError` for a keyword argument that is none of the parameters, unless they take any."""
    if not any(p.kind.name == "VAR_KEYWORD" for p in parameters):
        check_keywords(keywords, [p.name for p in parameters if "KEYWORD" in p.kind.name], owner)


def _given(arguments: Sequence[Any], keywords: Iterable[str]) -> str:
    """Return the arguments of a call in words, as in "2 arguments, scale=…"."""
    return f"{len(arguments)} argument{'s' * (len(arguments) != 1)}" + "".join(f", {name}=…" for name in keywords)


def returned(f: Any, results: Iterable[Any], convert: Callable[[Any], T]) -> list[T]:
    """Return convert(result) for each of the numbers that f returned. Raises `TypeError` that names f.

    >>> returned(len, [2, 3], float)
    [2.0, 3.0]
    """
    try:
        return [convert(result) for result in results]
    except TypeError as error:
        message = f"{shown(f)} must return numbers: {error}"
        raise TypeError(message) from None


def takes(f: Any, arguments: Sequence[Any], keywords: Mapping[str, Any] = MappingProxyType({})) -> bool:
    """Return whether a call fits the signature of f, True if it is not known."""
    inspect = import_whole("inspect")  # slow to import, and wanted after an error only

    try:
        signature = inspect.signature(f)
    except (ValueError, TypeError):
        return True
    try:
        signature.bind(*arguments, **keywords)
    except TypeError:
        return False
    return True


def parameters_of(f: Any) -> str:
    """Return the parameters of f in words, as in "of x, scale=…, *rest"."""
    inspect = import_whole("inspect")

    names = []
    for name, parameter in inspect.signature(f).parameters.items():
        stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        names.append(stars + name + ("" if parameter.default is parameter.empty else "=…"))
    return f"of {', '.join(names)}" if names else "without parameters"
