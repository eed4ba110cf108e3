"""Convert graphs to SymPy expressions, by the op table's value rules over SymPy's functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.core.graph import node_list, topological_sort
from microgradlib.errors import GraphTooLargeError
from microgradlib.ops import TABLE
from microgradlib.ops.slopes import DERIVATIVES_ONLY
from microgradlib.symbolic.names import constant, leaf_names
from microgradlib.symbolic.write_graph import expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from microgradlib.core.node import Node
    from microgradlib.ops import Op

__all__ = ["to_sympy"]

DEFAULT_LIMIT = 100_000
"""Default of `limit`, the largest number of operations that is converted."""

DEEPEST = 200
"""The largest depth of an expression: SymPy recurses over it, in its constructors too, and ends the process where the
stack is short."""

OPERANDS = 10
"""The largest number of operands per operation of `limit`: SymPy builds each sum anew from all its terms."""


@in_plain_words
def to_sympy(
    expression: Node | float | Sequence[Node | float],
    symbols: Mapping[Node, Any] | None = None,
    *,
    limit: int = DEFAULT_LIMIT,
) -> Any:
    """Return the expression as a SymPy expression, to simplify, integrate, solve or check it; a list for a list.

    Symbols and labelled Values become real symbols, `sympy.Symbol("x", real=True)`, which differ from
    `sympy.Symbol("x")`; `symbols` maps leaves to other symbols, or to numbers. Values without a label become numbers,
    whole ones exact. Each op is translated by its value rule, so ops that users define are translated too. SymPy's
    arithmetic is exact: guards against overflow, strong zeros (0 · inf = 0) and `detach` are dropped.

    `limit` is the largest number of operations that is converted, with ten operands each on average.

    Raises:
        GraphTooLargeError: there are more operations or operands, or the expression is nested more than 200 deep.
        MissingExtraError: SymPy is not installed.
        TypeError: `expression` is neither a Value, a Symbol, a number, nor a list of them.

    >>> import sympy
    >>> from microgradlib import Symbol, tanh
    >>> x = Symbol("x")
    >>> z = to_sympy(tanh(x) ** 2)
    >>> z.diff(sympy.Symbol("x", real=True))
    (2 - 2*tanh(x)**2)*tanh(x)
    """
    sympy = import_optional("sympy", "to_sympy")
    namespace = _Namespace(sympy)
    outputs = expressions(expression)
    order = topological_sort(*outputs)
    size = _Size(limit)
    size.check_operations(sum(node.op is not None for node in order))
    table: dict[Node, Any] = {leaf: sympy.Symbol(name, real=True) for leaf, name in leaf_names(order).items()}
    if symbols is not None and not hasattr(symbols, "keys"):
        message = f"symbols must be a dict from leaves to SymPy's symbols or numbers, got {shown(symbols)}"
        raise TypeError(message)
    if symbols:
        node_list(symbols.keys(), "the keys of symbols", "{x: sympy.Symbol('x')}")
        table.update(symbols)
    for node in order:
        if node in table:
            continue
        if node.op is None:
            table[node] = _number(sympy, constant(node))
        else:
            inputs = [table[parent] for parent in node.parents]
            size.check_operands(len(inputs) ** 2 if node.op.name in {"var", "std"} else len(inputs))
            rule = namespace.rule_of(node.op)
            table[node] = rule(*inputs, *[_number(sympy, setting) for setting in node.op.settings])
            size.add(table[node])
    results = [table[output] for output in outputs]
    return results if isinstance(expression, (list, tuple)) else results[0]


class _Size:
    """The size of the expressions made so far: how many operands they have, and how deep each is."""

    def __init__(self, limit: int) -> None:
        self.limit, self.operands = limit, 0
        self.depths: dict[int, int] = {}
        self.measured: list[Any] = []  # expressions are known by id, so they must not be freed

    def check_operations(self, count: int) -> None:
        """Raise `GraphTooLargeError` if so many operations are too many."""
        if count > self.limit:
            message = (
                f"the expression has {count} operations, more than the {self.limit} allowed: convert a part of it, or "
                "raise limit="
            )
            raise GraphTooLargeError(message)

    def check_operands(self, further: int) -> None:
        """Raise `GraphTooLargeError` if so many further operands are too many."""
        if self.operands + further > OPERANDS * self.limit:
            message = (
                f"SymPy's sums and products would have more than {OPERANDS * self.limit} operands together: convert a "
                f"part of the expression, write a sum of many terms by microgradlib.sum, or raise limit={self.limit}"
            )
            raise GraphTooLargeError(message)

    def add(self, expression: Any) -> None:
        """Measure an expression. Raises `GraphTooLargeError` if it is too large or too deep."""
        stack = [expression]
        while stack:
            part = stack[-1]
            unknown = [operand for operand in part.args if id(operand) not in self.depths]
            if unknown:
                stack += unknown
                continue
            stack.pop()
            if id(part) not in self.depths:
                self.operands += len(part.args)
                self.depths[id(part)] = depth = 1 + max([self.depths[id(operand)] for operand in part.args], default=0)
                self.measured.append(part)
                if depth > DEEPEST:
                    message = (
                        f"the expression is nested more than {DEEPEST} deep, and SymPy recurses: convert a part of it, "
                        "such as the operation on an inner node in the place of which `symbols` puts a symbol"
                    )
                    raise GraphTooLargeError(message)
        self.check_operands(0)


def _number(sympy: Any, number: float | None) -> Any:
    return sympy.Integer(int(number)) if number is not None and number % 1 == 0 else sympy.Float(number)


class _Namespace:
    """The namespace `xp` over SymPy: its own elementary functions, and for all others the op table's value rules."""

    def __init__(self, sympy: Any) -> None:
        same_name = ("exp", "log", "sqrt", "erf", "erfc", "gamma", "floor", "sin", "cos", "tan", "asin", "acos", "atan",
                "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")  # fmt: skip
        functions: dict[str, Callable[..., Any]] = {name: getattr(sympy, name) for name in same_name}
        functions |= {
            "abs": sympy.Abs,
            "ceil": sympy.ceiling,
            "cospi": lambda x: sympy.cos(sympy.pi * x),
            "cbrt": lambda x: _piecewise(sympy, x >= 0, sympy.cbrt(x), -sympy.cbrt(-x)),
            "detach": lambda x: x,
            "dot": partial(_dot, sympy),
            "expm1": lambda x: sympy.exp(x) - 1,
            "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
            "lgamma": lambda x: sympy.log(sympy.Abs(sympy.gamma(x))),
            "log10": lambda x: sympy.log(x, 10),
            "log1p": lambda x: sympy.log(1 + x),
            "log2": lambda x: sympy.log(x, 2),
            "logsumexp": lambda *xs: sympy.log(sympy.Add(*map(sympy.exp, xs))),
            "maximum": sympy.Max,
            "mean": lambda *xs: sympy.Add(*xs) / len(xs),
            "minimum": sympy.Min,
            "mod": lambda x, y: x - y * sympy.floor(x / y),
            "polygamma": lambda x, order: sympy.polygamma(order, x),
            "neg_log_softmax": lambda x, *xs: sympy.log(sympy.Add(*map(sympy.exp, (x, *xs)))) - x,
            "norm": lambda *xs: sympy.sqrt(sympy.Add(*[x**2 for x in xs])),
            "pow": sympy.Pow,
            "prod": sympy.Mul,
            "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
            "sinpi": lambda x: sympy.sin(sympy.pi * x),
            "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
            "sum": sympy.Add,
            "strong_mul": lambda x, y: x * y,
            "where": partial(_piecewise, sympy),
        }
        self._functions = functions
        self._sympy = sympy

    def rule_of(self, op: Op) -> Callable[..., Any]:
        """Return the function of an op: SymPy's own, or the op's value rule, which the table may have replaced."""
        is_written = op.name in self._functions or op.name in DERIVATIVES_ONLY
        return getattr(self, op.name) if is_written else partial(op.value, self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in self._functions:
            return self._exact(self._functions[name])
        if name in TABLE:
            op = TABLE[name]
            notation: Any = op.notation
            return partial(notation if name in DERIVATIVES_ONLY else op.value, self)  # 1 − tanh² x for tanh′
        raise AttributeError(name)

    def _exact(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Convert floats in a rule to SymPy's numbers before the call, so that max(x, 0.0) is Max(0, x)."""
        return lambda *xs: function(*[_number(self._sympy, x) if isinstance(x, float) else x for x in xs])


def _dot(sympy: Any, *inputs: Any) -> Any:
    n = len(inputs) // 2
    return sympy.Add(*map(sympy.Mul, inputs[:n], inputs[n : 2 * n]), *inputs[2 * n :])


def _piecewise(sympy: Any, condition: Any, x: Any, y: Any) -> Any:
    if isinstance(condition, sympy.Piecewise) and [pair[0] for pair in condition.args] == [1, 0]:
        condition = condition.args[0][1]  # a comparison that was converted to 1 or 0
    elif not isinstance(condition, (bool, sympy.logic.boolalg.Boolean)):
        condition = sympy.Ne(condition, 0)
    return sympy.Piecewise((sympy.sympify(x), condition), (sympy.sympify(y), True))
