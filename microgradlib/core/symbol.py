"""Symbol: a number not known yet. Computing with it builds a graph and computes nothing."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from microgradlib._support.number import is_array
from microgradlib.core.modes import current_mode, is_compiling, users_line
from microgradlib.core.node import Node
from microgradlib.core.value import Value, as_node
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.ops import Op, selection

__all__ = ["Symbol"]


class Symbol(Node):
    """A number not known yet, by the name `label`. A Value met by a Symbol gives a Symbol.

    `evaluate(output, {x: 2.0})` computes; `gradients(output, [x])` differentiates before any number is known. A
    comparison gives a Symbol that will be 0 or 1, to be used in `where`. Reading `.data`, or using a Symbol as a truth
    value or a float, raises `SymbolHasNoValueError`.

    >>> from microgradlib import evaluate, where
    >>> x = Symbol("x")
    >>> ramp = where(x > 0, x, 0.0)
    >>> ramp, evaluate(ramp, {x: -2.0})
    (Symbol(op='where'), 0.0)
    """

    __slots__ = ("__weakref__",)
    _fields: ClassVar[tuple[str, ...]] = ("op", "parents", "label")

    def __init__(self, label: str) -> None:
        if not isinstance(label, str) or not label:
            message = f'a Symbol needs a name, as in Symbol("x"), got {label!r}'
            raise TypeError(message)
        self.op = None
        self.parents = ()
        self.label = label

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Make the node op(*inputs): the op and its inputs, nothing computed."""
        parents = inputs
        if not _NODES.issuperset(map(type, inputs)):
            if any(is_array(x) for x in inputs):
                return NotImplemented
            parents = tuple(map(as_node, inputs))
        node = object.__new__(Symbol)
        node.op = op
        node.parents = parents
        node.label = ""
        mode = current_mode()
        if mode is not None:
            if mode.tracing:
                mode.lines[node] = users_line()
            if not mode.recording and op is not selection.detach:
                return selection.detach(node)
        return node

    @property
    def data(self) -> NoReturn:
        """Raise `SymbolHasNoValueError`: a Symbol has no number."""
        self._refuse("has no number yet: evaluate(output, {symbol: 2.0}) computes")

    @property
    def grad(self) -> NoReturn:
        """Raise `SymbolHasNoValueError`: a Symbol has no gradient."""
        self._refuse("has no gradient stored: gradients(output, [symbol]) gives it as an expression")

    @property
    def local_derivatives(self) -> NoReturn:
        """Raise `SymbolHasNoValueError`: local derivatives are numbers, recorded by Values."""
        self._refuse("has no local derivatives in numbers: gradients(output, [symbol]) differentiates expressions")

    def backward(self, _seed: float = 1.0) -> NoReturn:
        """Raise `SymbolHasNoValueError`: there are no numbers to differentiate."""
        self._refuse("cannot run backward: gradients(output, [symbol]) gives the derivative as an expression")

    def detach(self) -> Symbol:
        """Return the same number, taken for a constant: gradients stop there."""
        return self.__apply_op__(selection.detach, (self,))  # type: ignore[no-any-return]

    @staticmethod
    def constant(number: float | Node) -> Any:
        """Return a number as a leaf Value; a node stays itself."""
        return as_node(number)

    def __radd__(self, other: Any) -> Symbol:
        """Return other + self; 0 + x, with which Python's `sum` begins, is x itself."""
        return self if other.__class__ is int and other == 0 else super().__radd__(other)

    def __lt__(self, other: Any) -> Symbol:
        return selection.less(self, other)  # type: ignore[no-any-return]

    def __le__(self, other: Any) -> Symbol:
        return selection.less_equal(self, other)  # type: ignore[no-any-return]

    def __gt__(self, other: Any) -> Symbol:
        return selection.greater(self, other)  # type: ignore[no-any-return]

    def __ge__(self, other: Any) -> Symbol:
        return selection.greater_equal(self, other)  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> Any:
        """Say whether it is the same node; while a function is compiled, refuse, as numbers are meant."""
        if is_compiling() and isinstance(other, (Node, float, int)):
            self._refuse(
                "cannot be compared by == yet, as its number is not known: write where(abs(x - k) < 0.5, a, b) for an "
                "if on a label, or take a cost from microgradlib.costs, which take labels"
            )
        return self is other

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:  # noqa: PLE0304  it always raises
        self._refuse("has no truth value yet: write where(condition, a, b) for if/else, maximum(a, b) for max(a, b)")

    def __float__(self) -> NoReturn:
        self._refuse("cannot become a float: write microgradlib.exp(x) for math.exp(x), evaluate(x, {…}) for float(x)")

    __int__ = __floor__ = __ceil__ = __trunc__ = __float__

    def __round__(self, digits: int | None = None) -> NoReturn:
        self.__float__()

    def _refuse(self, why: str) -> NoReturn:
        message = f"{self!r} {why}"
        raise SymbolHasNoValueError(message)

    def __repr__(self) -> str:
        return f"Symbol({self.label!r})" if self.op is None else f"Symbol(op={str(self.op)!r})"


_NODES = frozenset({Symbol, Value})
