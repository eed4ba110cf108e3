"""Simplify a graph without changing its value: drop zero terms and unit factors, fold constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from microgradlib._support.calling import in_plain_words
from microgradlib.core.graph import node_list, topological_sort
from microgradlib.core.node import Node
from microgradlib.core.value import Value, as_node
from microgradlib.ops import TABLE, Op
from microgradlib.symbolic.names import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["simplify"]

S = TypeVar("S", bound=Node)


@overload
def simplify(expression: S, *, keep: Iterable[Node] = ...) -> S: ...
@overload
def simplify(expression: float, *, keep: Iterable[Node] = ...) -> Value: ...
@overload
def simplify(expression: Sequence[S], *, keep: Iterable[Node] = ...) -> list[S]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def simplify(expression: Sequence[Node | float], *, keep: Iterable[Node] = ...) -> list[Node]: ...
@in_plain_words
def simplify(expression: Any, *, keep: Iterable[Node] = ()) -> Any:
    """Return a new graph of the same value over the same leaves, with as few nodes as the rules below allow.

    x + 0, x − 0, 0 + x, x · 1, x/1, x¹ and −(−x) become x; 0 · x becomes 0; x⁰ becomes 1; 0 − x and −1 · x become −x;
    signs move to the front, (−x) · y to −(x · y) and x + (−y) to x − y; a `where` with a constant condition, or with
    one node on both sides, becomes that side; an operation on constants is computed; sums, products and dot products of
    many terms lose their zeros and ones. Constants are leaf Values without a label that are not in `keep`; equal
    constants are merged. Labelled Values and Symbols are variables and never merged. Domain guards,
    `where(c, e, nan)`, and closed branches, `where(c, e, 0)`, are kept. A product in which 0 · inf = 0 becomes an
    ordinary product if one factor is a constant other than 0.

    The value is the same float, with two exceptions: a constant zero times inf or nan is 0, as in algebra, and a zero
    may change its sign. Sums are not reordered. An expression without Symbols becomes a Value. Nodes
    that are shared, within an expression or between those of a list, stay shared.

    Args:
        expression: a Value, Symbol or number, or a list of them.
        keep: leaves without a label that count as variables, not as constants.

    Raises:
        TypeError: `expression` is none of these.

    >>> from microgradlib import Symbol, gradients, to_text
    >>> x, y = Symbol("x"), Symbol("y")
    >>> to_text(simplify(0 * x + 1 * y + 2 * Value(3.0)))
    'y + 6'
    >>> [slope] = gradients(x - 3 * y, [y])
    >>> to_text(slope), to_text(simplify(slope))
    ('-1*3', '-3')
    """
    is_list = isinstance(expression, (list, tuple))
    outputs = [as_node(x) for x in (expression if is_list else [expression])]
    simplifier = _Simplifier(keep)
    new: dict[Node, Node] = {}
    for node in topological_sort(*outputs):
        if node.op is None:
            new[node] = simplifier.leaf(node)
            continue
        new[node] = simplified = simplifier.build(node.op, [new[parent] for parent in node.parents])
        if node.label and simplified.op is not None and not simplified.label:
            simplified.label = node.label
    results = [new[output] for output in outputs]
    return results if is_list else results[0]


class _Simplifier:
    """Builds nodes from simplified inputs, by the op's rule in `RULES` if it applies."""

    def __init__(self, keep: Iterable[Node]) -> None:
        self.keep = frozenset([keep] if isinstance(keep, Node) else node_list(keep, "keep", "[x]"))
        self.constants: dict[str, Value] = {}

    def constant(self, number: float) -> Value:
        """Return the leaf shared by all uses of this constant; 0.0 and −0.0 have separate leaves."""
        return self.constants.setdefault(repr(number), Value(number))

    def leaf(self, node: Node) -> Node:
        number = self.number(node)
        return node if number is None else self.constant(number)

    def number(self, node: Node) -> float | None:
        """Return the number of a constant, None for anything else."""
        is_constant = isinstance(node, Value) and node.op is None and not label_of(node) and node not in self.keep
        return node.data if is_constant else None

    def build(self, op: Op, inputs: Sequence[Node]) -> Node:
        numbers = [self.number(x) for x in inputs]
        constants = [number for number in numbers if number is not None]
        if len(constants) == len(inputs):
            return self.constant(op.compute(*constants))
        rule = RULES.get(op.name)
        simpler = rule(self, op, inputs, numbers) if rule else None
        return op(*inputs) if simpler is None else simpler


Numbers = list[float | None]


def _is_neg(node: Node) -> bool:
    return node.op is not None and node.op.name == "neg"


def _neg_input(node: Node) -> Node:
    return node.parents[0]


def _move_sign_to_front(simplifier: _Simplifier, op: Op, inputs: Sequence[Node]) -> Node | None:
    """Return −(x · y) for (−x) · y or x · (−y), x · y for (−x) · (−y), likewise for quotients; None without a sign."""
    if not any(map(_is_neg, inputs)):
        return None
    unsigned = simplifier.build(op, [_neg_input(x) if _is_neg(x) else x for x in inputs])
    return unsigned if all(map(_is_neg, inputs)) else simplifier.build(TABLE["neg"], [unsigned])


def _add(simplifier: _Simplifier, _op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    x, y = inputs
    if 0 in numbers:
        return x if numbers[1] == 0 else y
    return simplifier.build(TABLE["sub"], [x, _neg_input(y)]) if _is_neg(y) else None


def _sub(simplifier: _Simplifier, _op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    x, y = inputs
    if 0 in numbers:
        return x if numbers[1] == 0 else simplifier.build(TABLE["neg"], [y])
    return simplifier.build(TABLE["add"], [x, _neg_input(y)]) if _is_neg(y) else None


def _neg(_simplifier: _Simplifier, _op: Op, inputs: Sequence[Node], _numbers: Numbers) -> Node | None:
    return _neg_input(inputs[0]) if _is_neg(inputs[0]) else None


def _mul(simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    for number, other in ((numbers[0], inputs[1]), (numbers[1], inputs[0])):
        if number is None:
            continue
        if number in (0.0, 1.0):
            return other if number else simplifier.constant(0.0)
        if number == -1.0:
            return simplifier.build(TABLE["neg"], [other])
        if op.name == "strong_mul":  # equal to mul for a finite constant; inf times 0 must stay 0
            return simplifier.build(TABLE["mul"], inputs) if abs(number) < float("inf") else None
    return _move_sign_to_front(simplifier, op, inputs)


def _div(simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    return inputs[0] if numbers[1] == 1 else _move_sign_to_front(simplifier, op, inputs)


def _pow(simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    exponent = op.settings[0] if op.settings else numbers[1]
    if exponent is None:
        return None
    if exponent in (0.0, 1.0):
        return inputs[0] if exponent else simplifier.constant(1.0)
    return None if op.settings else op.bind(exponent)(inputs[0])


def _where(_simplifier: _Simplifier, _op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    _, x, y = inputs
    if numbers[0] is not None:
        return x if numbers[0] else y
    return x if x is y else None


def _sum(simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    return _drop_neutral(0.0, simplifier, op, inputs, numbers)


def _prod(simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    return simplifier.constant(0.0) if 0.0 in numbers else _drop_neutral(1.0, simplifier, op, inputs, numbers)


def _drop_neutral(
    neutral: float, simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers
) -> Node | None:
    kept = [x for x, number in zip(inputs, numbers) if number != neutral]
    if len(kept) == 1:
        return kept[0]
    return simplifier.build(op, kept) if len(kept) < len(inputs) else None


def _dot(simplifier: _Simplifier, op: Op, inputs: Sequence[Node], numbers: Numbers) -> Node | None:
    n = len(inputs) // 2
    pairs = [(i, n + i) for i in range(n) if 0.0 not in (numbers[i], numbers[n + i])]
    bias = [x for x, number in zip(inputs[2 * n :], numbers[2 * n :]) if number != 0]
    if not pairs:
        return bias[0] if bias else simplifier.constant(0.0)
    if len(pairs) == 1 and not bias:
        return simplifier.build(TABLE["mul"], [inputs[i] for i in pairs[0]])
    kept = [*[inputs[i] for i, _ in pairs], *[inputs[i] for _, i in pairs], *bias]
    return simplifier.build(op, kept) if len(kept) < len(inputs) else None


RULES: dict[str, Callable[[_Simplifier, Op, Sequence[Node], Numbers], Node | None]] = {
    "add": _add,
    "sub": _sub,
    "neg": _neg,
    "mul": _mul,
    "strong_mul": _mul,
    "div": _div,
    "pow": _pow,
    "where": _where,
    "sum": _sum,
    "prod": _prod,
    "dot": _dot,
}
"""For each op a function that returns the simpler node, or None if its rule does not apply."""
