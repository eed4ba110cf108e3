"""unique: one object for equal arguments, the same in all threads, for as long as anybody holds it."""

from __future__ import annotations

from _thread import RLock
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["unique"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Unique(Protocol[T_co]):
    """What `unique` returns."""

    def __call__(self, *arguments: Any) -> T_co: ...

    def cache_clear(self) -> None: ...


def unique(make: Callable[..., T]) -> Unique[T]:
    """Return a function that gives what `make` does, but the same object each time where the arguments are equal.

    A cache alone would give two objects to two threads that ask for the first time together, and to one that asks again
    after so many others that the first is dropped. `cache_clear()` forgets all.

    >>> @unique
    ... def class_of(name):
    ...     return type(name, (), {})
    >>> class_of("A") is class_of("A")
    True
    """
    known: WeakValueDictionary[tuple[Any, ...], T] = WeakValueDictionary()
    lock = RLock()

    @lru_cache(maxsize=4096)  # which finds it in less time than it takes to look into the other
    @wraps(make)
    def find(*arguments: Any) -> T:
        with lock:
            found = known.get(arguments)
            if found is None:
                found = known[arguments] = make(*arguments)
            return found

    def forget() -> None:
        known.clear()
        forget_recent()

    forget_recent = find.cache_clear
    find.cache_clear = forget  # type: ignore[method-assign]
    return find
