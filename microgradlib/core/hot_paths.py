"""Hot paths: the operators and methods of Value that programs use most, compiled from the rules of the table.

Each rule is run once on names instead of numbers. What it does is written down as Python source, an assignment for each
operation, between the lines that read the numbers and those that fill a new node:

    >>> print(source_of(TABLE["relu"]))
    def hot_path(self):
        x = self._float
        try:
            t1 = x if x >= 0.0 or x != x else 0.0
            t2 = x > 0
            t3 = x <= 0
            t4 = 1.0 if t2 else nan
            t5 = ZERO if t3 else t4
        except (ArithmeticError, ValueError):
            return plain(self)
        node = new(Value)
        node._float = t1
        node.grad = ZERO
        node.op = op
        node._left = self
        node._right = None
        node._left_derivative = t5
        node._assignments = ASSIGNMENTS
        node.label = ""
        return finish(node) if MODES_IN_USE else node

`plain` is the method of `Node`. It runs where Python raises instead of returning inf or nan, for operands of other
classes, and in subclasses of Value that define `__apply_op__`. A test holds every hot path to the table, bit for bit.
"""

from __future__ import annotations

import math
import re
from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import FLOATS
from microgradlib._support.number import PLAIN_NUMBERS, as_float
from microgradlib.core.changes import COUNT
from microgradlib.core.modes import MODES_IN_USE, finish
from microgradlib.core.node import Node
from microgradlib.core.value import Value
from microgradlib.ops import TABLE, ZERO, Op, activations, arithmetic, exponential, reductions, selection, trigonometric
from microgradlib.ops.record import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["source_of", "weighted_sum"]

_VALUES = frozenset({Value})
UNARY = {
    "__neg__": arithmetic.neg, "__abs__": selection.abs, "abs": selection.abs, "exp": exponential.exp,
    "log": exponential.log, "sqrt": exponential.sqrt, "sin": trigonometric.sin, "cos": trigonometric.cos,
    "tan": trigonometric.tan, "tanh": trigonometric.tanh, "sigmoid": activations.sigmoid, "relu": activations.relu,
    "softplus": activations.softplus,
}  # fmt: skip
BINARY = {"add": arithmetic.add, "sub": arithmetic.sub, "mul": arithmetic.mul, "truediv": arithmetic.div}

READ_ONE = """\
def hot_path(self):
    x = self._float"""
READ_TWO = """\
def hot_path(self, other):
    if other.__class__ is not Value:
        if other.__class__ not in PLAIN_NUMBERS:
            return plain(self, other)
        other = leaf(other)
    x = self._float
    y = other._float"""
READ_POWER = """\
def hot_path(self, other):
    if other.__class__ not in PLAIN_NUMBERS:
        return plain(self, other)
    x = self._float
    y = other if other.__class__ is float else as_float(other)
    if not y:  # x⁰, whose derivative is a structural zero
        return plain(self, other)
    op = bind("pow", (y,))"""
WRITE = """\
    try:
{computed}
    except (ArithmeticError, ValueError):
        return plain({arguments})
    node = new(Value)
    node._float = {value}
    node.grad = ZERO
    node.op = op
    node._left = self
    node._right = {right}
{derivatives}
    node._assignments = ASSIGNMENTS
    node.label = ""
    return finish(node) if MODES_IN_USE else node"""


def leaf(number: float) -> Value:
    """Return a plain number as a leaf, as `Value(number)` does, in five sixths of the time."""
    node: Value = object.__new__(Value)
    node._float = number if number.__class__ is float else as_float(number)
    node.grad = ZERO
    node.op = node._left = node._right = None
    node._left_derivative = ()
    node.label = ""
    return node


class Term:
    """A number of which only the name is known: arithmetic on it is written into the source."""

    def __init__(self, name: str, source: Source) -> None:
        self.name, self.source = name, source

    def __neg__(self) -> Term:
        return self.source.assign(f"-{self.name}")


def _infix(sign: str, *, swap: bool = False) -> Callable[[Term, Any], Term]:
    def write(self: Term, other: Any) -> Term:
        left, right = (text(other), self.name) if swap else (self.name, text(other))
        return self.source.assign(f"{left} {sign} {right}")

    return write


for _name, _sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "**")):
    setattr(Term, f"__{_name}__", _infix(_sign))
    setattr(Term, f"__r{_name}__", _infix(_sign, swap=True))
for _name, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")):
    setattr(Term, f"__{_name}__", _infix(_sign))


def text(x: Any) -> str:
    """Write a term or a number as an operand."""
    if x is ZERO:
        return "ZERO"
    if isinstance(x, Term):
        return x.name
    return repr(x) if x >= 0 or x != x else f"({x!r})"  # noqa: PLR0124


class Source:
    """The namespace `xp` that writes: each operation is an assignment to a new name, repeated ones share theirs."""

    def __init__(self) -> None:
        self.names: dict[str, Term] = {}

    def assign(self, expression: str) -> Term:
        """Return the name that holds an expression."""
        return self.names.setdefault(expression, Term(f"t{len(self.names) + 1}", self))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Write a choice."""
        return self.assign(f"{text(x)} if {text(condition)} else {text(y)}")

    def undefined(self, _x: Any) -> float:
        """Return nan: on floats, all there is to an undefined derivative."""
        return math.nan

    def maximum(self, x: Any, y: Any) -> Any:
        """Write the larger of two numbers; nan if one is."""
        return self.assign(f"{text(x)} if {text(x)} >= {text(y)} or {text(x)} != {text(x)} else {text(y)}")

    def minimum(self, x: Any, y: Any) -> Any:
        """Write the smaller of two numbers; nan if one is."""
        return self.assign(f"{text(x)} if {text(x)} <= {text(y)} or {text(x)} != {text(x)} else {text(y)}")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(FLOATS, name)
        if isinstance(function, partial):  # an op computed by its own rule
            return partial(TABLE[name].value, self)
        return lambda *inputs: self.assign(f"{name}({', '.join(map(text, inputs))})")


def source_of(op: Op, read: str = READ_ONE, inputs: int = 1) -> str:
    """Return the source of the hot path of an op, as a method of Value."""
    source = Source()
    terms = [Term(letter, source) for letter in "xy"[: inputs + op.setting_count]]
    value = op.value(source, *terms)
    rules: Any = op.derivatives
    derivatives = [text(rule(source, value, *terms)) for rule in rules[:inputs]]
    slots = zip(("_left_derivative", "_right_derivative"), derivatives)
    return f"{read}\n{WRITE}".format(
        computed="\n".join(f"        {term.name} = {expression}" for expression, term in source.names.items()),
        arguments="self" if read == READ_ONE else "self, other",
        value=text(value),
        right="None" if inputs == 1 else "other",
        derivatives="\n".join(f"    node.{slot} = {derivative}" for slot, derivative in slots),
    )


def _compiled(source: str, name: str, op: Op) -> Callable[..., Any]:
    own = re.sub(r"(?<![.\w])(op|plain)\b", rf"\1_of_{name}", source)  # in globals that all share
    COUNT[f"op_of_{name}"], COUNT[f"plain_of_{name}"] = op, getattr(Node, name)
    # Under a name of its own: tracebacks would show lines of this file.
    exec(compile(own, f"{__file__}: {name}", "exec"), COUNT)  # noqa: S102  source of our own, from the rules of the table
    method: Callable[..., Any] = COUNT["hot_path"]
    return _named(method, name)


def _named(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Give a hot path the name and the documentation of the method that it replaces."""
    method.__name__, method.__qualname__, method.__doc__ = name, f"Value.{name}", getattr(Node, name).__doc__
    return method


def _reflected(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    plain, starts_sum = getattr(Node, name), name == "__radd__"

    def method(self: Value, other: Any) -> Any:
        if other.__class__ not in PLAIN_NUMBERS or (starts_sum and other.__class__ is int and other == 0):
            return plain(self, other)
        return forward(leaf(other), self)

    return _named(method, name)


def _install() -> None:
    COUNT.update(
        vars(FLOATS), inf=math.inf, nan=math.nan, ZERO=ZERO, new=object.__new__, Value=Value, MODES_IN_USE=MODES_IN_USE,
        PLAIN_NUMBERS=PLAIN_NUMBERS, as_float=as_float, bind=bind, finish=finish, leaf=leaf,
    )  # fmt: skip
    methods = {name: _compiled(source_of(op), name, op) for name, op in UNARY.items()}
    for name, binary in BINARY.items():
        forward = _compiled(source_of(binary, READ_TWO, 2), f"__{name}__", binary)
        methods |= {f"__{name}__": forward, f"__r{name}__": _reflected(f"__r{name}__", forward)}
    methods["__pow__"] = _compiled(source_of(arithmetic.pow, READ_POWER), "__pow__", arithmetic.pow)
    for name, method in methods.items():
        setattr(Value, name, method)
    for name, op in UNARY.items():
        op.fast_paths[Value] = methods[name]

    def without_hot_paths(cls: Any, /, **keywords: Any) -> None:
        """Give a subclass that defines `__apply_op__` the methods of Node, which make every node by it."""
        super(Value, cls).__init_subclass__(**keywords)
        if cls.__apply_op__ is not Value.__apply_op__:
            for name, method in methods.items():
                if getattr(cls, name) is method:
                    setattr(cls, name, getattr(Node, name))

    Value.__init_subclass__ = classmethod(without_hot_paths)  # type: ignore[method-assign,assignment]


def weighted_sum(weights: Sequence[Any], inputs: Sequence[Any], bias: Any = None) -> Any:
    """Return Σ wᵢ xᵢ (+ b) as one node: the op dot, faster for Values. Lengths are the caller's to check."""
    terms = (*weights, *inputs) if bias is None else (*weights, *inputs, bias)
    if len(terms) < 3 or not _VALUES.issuperset(map(type, terms)):
        first = next(iter(inputs), None)
        found = first.__apply_op__(reductions.dot, terms) if isinstance(first, Node) else NotImplemented
        return reductions.dot(*terms) if found is NotImplemented else found
    w = [weight._float for weight in weights]
    x = [number._float for number in inputs]
    node: Value = object.__new__(Value)
    node._float = sum(map(mul, w, x)) if bias is None else sum(map(mul, w, x), bias._float)
    node.grad = ZERO
    node.op = reductions.dot
    node._left = terms
    node._right = None
    node._left_derivative = (*x, *w) if bias is None else (*x, *w, 1.0)
    node._assignments = COUNT["ASSIGNMENTS"]
    node.label = ""
    return finish(node) if MODES_IN_USE else node


_install()
