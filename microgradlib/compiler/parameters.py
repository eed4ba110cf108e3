"""The parameters of a compiled function: leaf Values as they were listed, their names, and their numbers at a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.arguments import rounded
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Parameters"]


class Parameters:
    """Leaf Values, `distinct` without duplicates; `places` finds them in that order as they were listed.

    Raises `TypeError` for anything but a list of leaf Values.

    >>> w, b = Value(2.0, label="w"), Value(1.0, label="b")
    >>> parameters = Parameters([w, b, w])
    >>> parameters.names, parameters.places, parameters.numbers((), float).tolist()
    (('w', 'b'), [0, 1, 0], [2.0, 1.0])
    """

    def __init__(self, parameters: Iterable[Value]) -> None:
        if isinstance(parameters, Value):
            raise TypeError("parameters are a list of Values, as model.parameters() gives it, got one: write [w]")
        names, self.listed = getattr(parameters, "names", ()), list(parameters)
        for parameter in self.listed:
            if not isinstance(parameter, Value) or parameter.parents:
                message = f"parameters are leaf Values, as model.parameters() gives them, got {parameter!r}"
                raise TypeError(message)
        self.distinct = list(dict.fromkeys(self.listed))
        self.names = tuple(dict(zip(self.listed, names)).values()) or _labels(self.distinct)
        position = {parameter: i for i, parameter in enumerate(self.distinct)}
        repeated = len(self.distinct) < len(self.listed)
        self.places: Any = [position[p] for p in self.listed] if repeated else slice(len(self.distinct))
        self._array: Any = None

    def set(self, array: Any) -> None:
        """Take the numbers of an array from now on, in the order of the list; of the Values' own again for None."""
        if array is not None:
            array = numpy().asarray(array)
            if array.dtype.kind not in "fiub":
                message = f"the parameters' numbers are an array of real numbers, got dtype {array.dtype}"
                raise TypeError(message)
            if array.shape != (len(self.listed),):
                message = f"there are {len(self.listed)} parameters, got an array of shape {array.shape}"
                raise ValueError(message)
        self._array = array

    def numbers(self, captured: tuple[Value, ...], dtype: Any) -> Any:
        """Return the numbers of the distinct parameters, and behind them those of other Values, as one flat array."""
        np = numpy()
        if self._array is None:
            return rounded(np.array([p._data for p in (*self.distinct, *captured)], float), dtype)
        numbers = rounded(self._array, dtype)
        if len(self.distinct) < len(self.listed):
            numbers = np.empty(len(self.distinct), dtype)
            numbers[self.places] = self._array
        return rounded(np.append(numbers, [p._data for p in captured]), dtype) if captured else numbers


def _labels(values: Sequence[Value]) -> tuple[str, ...]:
    """Return the labels of Values as their names, or none where some have none of their own."""
    labels = tuple([value.label for value in values])
    return labels if all(label.isidentifier() for label in labels) and len(set(labels)) == len(labels) else ()
