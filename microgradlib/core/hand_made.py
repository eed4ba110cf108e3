"""Nodes that programs make by hand: `Value(data, parents, local_derivatives)`, an op's text, `_backward` functions.

Programs written for other engines build nodes themselves, in one of two styles:

    out = Value(math.log(x.data), (x,), (1 / x.data,))  # with its local derivatives, as in microgpt

    out = Value(math.tanh(x.data), (x,), "tanh")  # with a function that adds to the parents' gradients: micrograd
    def _backward():
        x.grad += (1 - out.data**2) * out.grad
    out._backward = _backward

Such a node has numbers and no rule. Its first derivatives are right; a higher one, evaluation at other numbers and
compiled programs need the rule, and refuse: `define_op` states it.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from microgradlib._support.lookup import check_keywords
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib._support.unique import unique
from microgradlib.core.modes import MODES_IN_USE, finish, is_compiling
from microgradlib.core.own_attributes import own_attributes, set_own
from microgradlib.errors import MissingRuleError
from microgradlib.ops import ZERO, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from typing_extensions import Self

__all__ = ["BackwardFunction", "HandMadeOp", "describe", "hand_made_op", "make", "numbers_for", "parents_of"]

PARENTS = ("parents", "children", "_children", "_parents", "_prev")
LOCAL_DERIVATIVES = ("local_derivatives", "local_grads", "_local_grads", "local_gradients")
OPS = ("op", "_op")
"""The keywords that `Value` takes for each part of a node made by hand: the names used by other engines."""

ADVICE = (
    "define_op(name, value, derivatives, formula=…) states the rule once, for derivatives of every order, evaluation "
    "and compiled programs"
)


class HandMadeOp(Op):
    """The op of a node made by hand: a text for drawings, and no rule."""

    def __init__(self, text: str) -> None:
        refuse = partial(refuse_rule, text)
        super().__init__(
            name=f"hand-made {text}".strip(), symbol=text, value=refuse, derivatives=refuse, formula="no rule"
        )

    def __call__(self, *_: Any) -> NoReturn:
        """Raise `MissingRuleError`."""
        refuse_rule(self.symbol)

    def __reduce__(self) -> tuple[Any, ...]:
        return hand_made_op, (self.symbol,)


@unique
def hand_made_op(text: str) -> HandMadeOp:
    """Return the op of nodes made by hand that is shown as `text`, the same object each time."""
    return HandMadeOp(text)


def refuse_rule(text: str, *_: Any) -> NoReturn:
    """Raise `MissingRuleError` for a node made by hand: it has no rule."""
    what = f"the node {text!r}" if text else "a node"
    message = (
        f"{what} was made by hand, by Value(data, parents, …) or with a _backward function: it has its number and its "
        f"first derivatives, but no rule to evaluate it anew, differentiate it again or compile it. {ADVICE}"
    )
    raise MissingRuleError(message)


class MissingDerivative(float):
    """The local derivative of a node made by hand that was given none: nan, and an error once a gradient is passed."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the derivative that a node shown as `text` does not have."""
        self = super().__new__(cls, "nan")
        self.text = text
        return self

    def __mul__(self, _: Any) -> NoReturn:
        what = f"the node {self.text!r}" if self.text else "a node"
        message = (
            f"{what} was made by hand without local derivatives, and a gradient has to pass it: give them, as in "
            "Value(data, parents, local_derivatives), or set node._backward to a function that adds to the parents' "
            f"grad. {ADVICE}"
        )
        raise MissingRuleError(message)

    __rmul__ = __mul__

    def __format__(self, _: str) -> str:
        return "?"

    def __reduce__(self) -> tuple[Any, ...]:
        return MissingDerivative, (self.text,)


class BackwardFunction:
    """What a program assigned to `node._backward`, in the place of the node's local derivatives.

    `core.backward` iterates over a node's local derivatives once, when its gradient is complete: then the function
    runs. `local_derivatives` measures them: what the function adds to the parents' gradients if the node's is 1.
    """

    __slots__ = ("function", "node")

    def __init__(self, function: Callable[[], Any], node: Any) -> None:
        self.function, self.node = function, node

    def __iter__(self) -> Iterator[float]:
        self.function()
        return iter(())

    def local_derivatives(self) -> tuple[float, ...]:
        """Return ∂node/∂parent for each parent: `ZERO` for one that is given nothing, an nth for one listed n times."""
        node, parents = self.node, self.node.parents
        kept = {parent: parent.grad for parent in (*parents, node)}
        try:
            for parent in parents:
                parent.grad = ZERO
            node.grad = 1.0
            self.function()
            given = [parent.grad for parent in parents]
            times = Counter(parents)
            return tuple([g if g is ZERO else float(g) / times[p] for p, g in zip(parents, given)])
        finally:
            for parent, gradient in kept.items():
                parent.grad = gradient


def describe(node: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Set the label, parents, op and local derivatives of a new leaf as the further arguments of `Value` say.

    In order: a label; or the parents, then the op's text, the label and the local derivatives. Texts and lists are
    distinguished by class. Keywords are `label`, `PARENTS`, `LOCAL_DERIVATIVES` and `OPS`. Raises `TypeError` for
    anything else and for parents that are not Values, `ValueError` unless there is a local derivative for each parent.
    """
    if not positional and len(named) == 1 and named.get("label").__class__ is str:
        node.label = named["label"]
        return
    given = _sorted_out(positional, named)
    label, text = given.get("label", ""), given.get("op", "")
    for what, written in (("a label", label), ("the text of an op", text)):
        if not isinstance(written, str):
            message = (
                f"{what} is text, got {shown(written)}; Value(data, parents, local_derivatives) makes a node by hand"
            )
            raise TypeError(message)
    parents = parents_of(given.get("parents", ()))
    derivatives = given.get("local_derivatives")
    numbers = None if derivatives is None else numbers_for(parents, derivatives)
    node.label = label
    if parents or text:
        make(node, parents, text, numbers)


def make(node: Any, parents: tuple[Any, ...], text: str, derivatives: Sequence[float] | None) -> None:
    """Make a node by hand of a node: set its parents, its op's text and its local derivatives, if there are any.

    Without parents it is a leaf. Attributes of a program's own stay.
    """
    if MODES_IN_USE and parents and is_compiling():
        refuse_rule(text)
    own = {name: content for name, content in own_attributes(node).items() if name not in {"_backward", "_op"}}
    if text and not parents:
        own["_op"] = text
    node.op = hand_made_op(text) if parents else None
    node.parents, node._right_derivative = parents, 0.0
    node.local_derivatives = tuple([MissingDerivative(text)] * len(parents)) if derivatives is None else derivatives
    for name, content in own.items():
        set_own(node, name, content)
    if MODES_IN_USE:
        finish(node)


def parents_of(given: Any) -> tuple[Any, ...]:
    """Return parents as a tuple. Those of a set, which has no order of its own, are ordered by what they show."""
    if not hasattr(given, "__iter__"):
        message = f'the parents of a node are a tuple of Values, as in Value(data, (a, b), "+"), got {shown(given)}'
        raise TypeError(message)
    parents = list(given)
    for parent in parents:
        if not hasattr(parent, "_float"):
            if hasattr(type(parent), "__apply_op__"):
                message = f"a node made by hand has numbers, and its parent {shown(parent)} has none. {ADVICE}"
                raise MissingRuleError(message)
            message = f"the parents of a node are Values, got {shown(parent)}: write Value(…) for a number"
            raise TypeError(message)
    if isinstance(given, (set, frozenset)):
        parents.sort(key=lambda parent: (parent.label, str(parent.op or ""), repr(parent._float)))
    return tuple(parents)


def numbers_for(parents: Sequence[Any], derivatives: Iterable[Any]) -> tuple[float, ...]:
    """Return local derivatives, numbers or Values, as floats: `ValueError` unless there is one for each parent."""
    numbers = tuple([x._float if hasattr(x, "_float") else as_float(x) for x in derivatives])
    if len(numbers) != len(parents):
        message = f"a node needs a local derivative for each parent, got {len(numbers)} for {len(parents)} parents"
        raise ValueError(message)
    return numbers


def _sorted_out(positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Return what was given of `label`, `parents`, `op` and `local_derivatives`, under these names."""
    known = {"label": ("label",), "parents": PARENTS, "op": OPS, "local_derivatives": LOCAL_DERIVATIVES}
    given: dict[str, Any] = {}
    for keyword, content in named.items():
        name = next((name for name, keywords in known.items() if keyword in keywords), None)
        if name is None or name in given:
            if name is None:
                listed = [other for others in known.values() for other in others if other[0] != "_"]
                check_keywords([keyword], listed, "Value")
            message = f"Value got its {name} twice; give it once"
            raise TypeError(message)
        given[name] = content
    for argument in positional:
        if isinstance(argument, str):
            name = "op" if "parents" in given and "op" not in given else "label"
        elif hasattr(argument, "__iter__"):
            name = "local_derivatives" if "parents" in given else "parents"
        else:
            name = "label"
        if name in given:
            message = (
                f"Value got its {name.replace('_', ' ')} twice, {shown(given[name])} and {shown(argument)}: it takes "
                "a label, or the parents, the op's text, the label and the local derivatives of a node made by hand"
            )
            raise TypeError(message)
        given[name] = argument
    return given
