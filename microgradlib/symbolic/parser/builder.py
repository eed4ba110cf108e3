"""Build a graph from a typed expression, or compute its number; the text is parsed, never executed as Python."""

from __future__ import annotations

import ast
import difflib
import operator
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.number import as_float
from microgradlib._support.printable import normalised
from microgradlib._support.shown import shown
from microgradlib.ops import TABLE
from microgradlib.symbolic.parser.diagnostics import expression_error
from microgradlib.symbolic.parser.functions import CONSTANTS, argument_counts, find, suggestions
from microgradlib.symbolic.parser.grammar import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.core.symbol import Symbol
    from microgradlib.core.value import Value
    from microgradlib.errors import ExpressionError

__all__ = ["build"]

OPERATORS = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Div: ("div", operator.truediv),
    ast.Pow: ("pow", operator.pow),
    ast.Lt: ("less", operator.lt),
    ast.LtE: ("less_equal", operator.le),
    ast.Gt: ("greater", operator.gt),
    ast.GtE: ("greater_equal", operator.ge),
}


@overload
def build(text: str, variables: Mapping[str, float]) -> float: ...
@overload
def build(text: str, variables: Mapping[str, Value | float]) -> Value | float: ...
@overload
def build(text: str, variables: Mapping[str, Value | Symbol | float]) -> Value | Symbol | float: ...
def build(text: str, variables: Mapping[str, Any]) -> Value | Symbol | float:
    """Return the result of the expression `text`: a Value, Symbol or float, like its variables.

    The text may contain numbers, names, `+ - * / **`, comparisons `< <= > >=` of two operands (1 if true, else 0), and
    calls of the op table's functions and of `max` and `min`; `pi` and `e` are predefined. It is parsed, never executed
    as Python. Leaf Values and Symbols without a label are labelled with their name.

    Args:
        text: the expression, on one line or more.
        variables: a number or node for each name; names that `text` does not use are ignored.

    Raises:
        ExpressionError: the text is not well-formed, calls an unknown function, or uses a name that is not in
            `variables`. The message marks the error and says what to write instead.
        TypeError: `text` is not a string, or a variable is not a number, Value or Symbol.

    >>> build("2*x + 1", {"x": 3.0})
    7.0
    >>> from microgradlib import Value
    >>> out = build("tanh(w*x + b)", {"w": Value(0.5), "x": Value(2.0), "b": Value(-1.0)})
    >>> out.data, out.op.name
    (0.0, 'tanh')
    """
    text = _with_newlines(text)
    check(text)
    tree = _parse(text)
    named = {normalised(name): _leaf(name, number) for name, number in variables.items()}
    evaluator = _Evaluator(text, named)
    results: list[Any] = []
    for node in _operands_first(tree):
        count = len(_operands(node))
        operands = results[len(results) - count :]
        del results[len(results) - count :]
        results.append(evaluator.apply(node, operands))
    output: Value | Symbol | float = results.pop()
    return output


def _with_newlines(text: Any) -> str:
    """Return the text with all line endings as newlines."""
    if isinstance(text, str):
        return text.replace("\r\n", "\n").replace("\r", "\n")
    message = f"an expression must be a str such as 'tanh(w*x + b)', got {shown(text)}"
    raise TypeError(message)


def _parse(text: str) -> ast.expr:
    # In parentheses the text may span lines; they stand on separate lines so that columns in the text do not change.
    try:
        return ast.parse(f"(\n{text}\n)", mode="eval").body
    except SyntaxError as error:
        lines = text.split("\n")
        row = min(max((error.lineno or 2) - 2, 0), len(lines) - 1)
        start = sum(len(line) + 1 for line in lines[:row]) + max((error.offset or 1) - 1, 0)
        problem = f"this is not valid in Python's syntax: {error.msg}"
        raise expression_error(text, start, start + 1, problem, "Write it like tanh(w*x + b).") from None
    except (RecursionError, MemoryError):
        problem = "the expression is nested too deep for Python's parser"
        raise expression_error(text, 0, 1, problem, "Build deep expressions in Python, step by step.") from None


def _leaf(name: str, number: Any) -> Any:
    if not hasattr(number, "__apply_op__"):
        return as_float(number)
    if not number.label and number.op is None:
        number.label = name
    return number


def _operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    return node.args if isinstance(node, ast.Call) else []


def _operands_first(root: ast.expr) -> list[ast.expr]:
    """Return the nodes of the tree, each after its operands, operands from left to right."""
    stack, reversed_order = [root], []
    while stack:
        node = stack.pop()
        reversed_order.append(node)
        stack.extend(_operands(node))
    return reversed_order[::-1]


class _Evaluator:
    """Computes nodes of the syntax tree from their operands; raises ExpressionError for a node that is not allowed."""

    def __init__(self, text: str, variables: dict[str, Any]) -> None:
        self.text = text
        self.variables = variables

    def apply(self, node: ast.expr, operands: list[Any]) -> Any:
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            return float(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            return self._variable(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return -operands[0] if isinstance(node.op, ast.USub) else operands[0]
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return self._operator(node.op, operands)
        if isinstance(node, ast.Compare):
            if len(node.ops) == 1 and type(node.ops[0]) in OPERATORS:
                return self._operator(node.ops[0], operands)
            remedy = "Compare two numbers at a time: write (a < b)*(b < c) where both must hold."
            raise self._error(node, "these comparisons form a chain", remedy)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node, node.func.id, operands)
        raise self._error(node, f"{type(node).__name__} is not allowed here", "Write it like tanh(w*x + b).")

    def _operator(self, kind: ast.operator | ast.cmpop, operands: list[Any]) -> Any:
        name, python = OPERATORS[type(kind)]
        if all(isinstance(x, float) for x in operands):
            # Python's operators raise on 1/0 and return a complex number for (-1)**0.5; the table follows IEEE 754.
            return TABLE[name](*operands)
        result = python(*operands)
        return float(result) if isinstance(result, bool) else result

    def _variable(self, node: ast.Name) -> Any:
        name = node.id
        if name in self.variables:
            return self.variables[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if find(name):
            raise self._error(node, f"{name!r} is a function, but has no arguments here", f"Write {name}(...).")
        close = difflib.get_close_matches(name, self.variables, n=1)
        question = f"Did you mean {close[0]}? " if close else ""
        given = ", ".join(self.variables) or "none"
        problem = f"no number is given for {name!r}"
        raise self._error(node, problem, f"{question}Give one, as in {name}=1.0; given: {given}.")

    def _call(self, node: ast.Call, name: str, operands: list[Any]) -> Any:
        op = find(name)
        if op is None and name in self.variables:
            remedy = f"Write {name}*(...) for a product."
            raise self._error(node.func, f"{name!r} is a variable, not a function", remedy)
        if op is None:
            raise self._error(node.func, f"unknown function {name!r}", suggestions(name))
        fewest, most = argument_counts(op)
        if len(operands) < fewest or (most is not None and len(operands) > most):
            count = f"at least {fewest}" if most is None else f"{fewest}" if fewest == most else f"{fewest} to {most}"
            problem = f"{name} takes {count} argument{'s' * (count not in {'1', 'at least 1'})}, got {len(operands)}"
            raise self._error(node, problem, f"It computes {op.formula}.")
        return op(*operands)

    def _error(self, node: ast.expr, problem: str, remedy: str) -> ExpressionError:
        start = self._index(node.lineno, node.col_offset)
        end = self._index(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        return expression_error(self.text, start, end, problem, remedy)

    def _index(self, line: int, byte: int) -> int:
        # The syntax tree counts columns in bytes of UTF-8; its line 1 is the ( that _parse puts before the text.
        lines = self.text.split("\n")[: line - 1]
        return sum(len(text) + 1 for text in lines[:-1]) + len(lines[-1].encode()[:byte].decode())
