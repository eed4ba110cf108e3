"""The names that micrograd, microgpt and engines like them use on their nodes, on Values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, SupportsFloat, overload

from microgradlib._support.shown import shown
from microgradlib.core.absent_attributes import ABSENT
from microgradlib.core.backward import LEAVES_WITH_FUNCTIONS
from microgradlib.core.hand_made import BackwardFunction, HandMadeOp, hand_made_op, make, numbers_for, parents_of
from microgradlib.core.node import Node
from microgradlib.core.own_attributes import OWN_NAMES, OwnAttribute, own_attributes, set_own
from microgradlib.ops import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

__all__ = ["DistinctParents", "PeerNames", "declare_attributes"]

PEER_TEXTS = {"relu": "ReLU"}
"""Texts of ops in micrograd, where they differ from those of the table."""


class DistinctParents(frozenset):  # type: ignore[type-arg]  # as `frozenset[Any]` it would have no slots in Python 3.10
    """The parents of a node, each once: a set in order, so that programs walk a graph in the same way in every run."""

    __slots__ = ("order",)
    order: tuple[Any, ...]

    def __new__(cls, parents: Iterable[Any]) -> Self:
        """Return the set of the parents, in the order in which they come first."""
        order = tuple(dict.fromkeys(parents))
        self = super().__new__(cls, order)
        self.order = order
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(self.order)

    def __getitem__(self, position: int) -> Any:
        return self.order[position]


def pass_on(node: Any, parents: tuple[Any, ...], local_derivatives: tuple[float, ...]) -> None:
    """Add a node's gradient times its local derivatives to the gradients of its parents: the chain rule at one node."""
    gradient = node.grad
    if gradient is not ZERO:
        for parent, local_derivative in zip(parents, local_derivatives):
            if local_derivative is not ZERO:
                parent.grad += gradient * local_derivative


class OwnAttributes(Node):
    """The declared attributes of Values: not set until a program sets them. See `core.own_attributes`."""

    __slots__ = ()


class PeerNames(OwnAttributes):
    """Properties of Values under the names that other engines use.

    >>> from microgradlib import Value
    >>> a, b = Value(2.0), Value(-3.0)
    >>> product = a * b
    >>> product._op, product._prev == {a, b}, product._local_grads
    ('*', True, (-3.0, 2.0))
    >>> product.grad = 1.0
    >>> product._backward()
    >>> a.grad, b.grad
    (-3.0, 2.0)
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __init__(self, data: SupportsFloat, label: str = "") -> None: ...
        @overload
        def __init__(
            self,
            data: SupportsFloat,
            parents: Iterable[PeerNames],
            op_or_local_derivatives: str | Iterable[SupportsFloat] = ...,
            /,
            label: str = ...,
        ) -> None: ...
        @overload
        def __init__(
            self,
            data: SupportsFloat,
            *,
            _children: Iterable[PeerNames] = ...,
            children: Iterable[PeerNames] = ...,
            parents: Iterable[PeerNames] = ...,
            _op: str = ...,
            op: str = ...,
            local_grads: Iterable[SupportsFloat] = ...,
            local_derivatives: Iterable[SupportsFloat] = ...,
            label: str = ...,
        ) -> None: ...
        def __init__(self, *_: Any, **__: Any) -> None: ...

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Give a subclass that defines + or * for itself the same with a number on the left, as micrograd does."""
        super().__init_subclass__(**keywords)
        for name in ("add", "mul"):
            owner = next((kind for kind in cls.__mro__ if f"__r{name}__" in vars(kind)), cls)
            if f"__{name}__" in vars(cls) and owner.__module__.startswith("microgradlib."):
                setattr(cls, f"__r{name}__", lambda self, other, forward=f"__{name}__": getattr(self, forward)(other))

    @property
    def _backward(self) -> Callable[[], Any]:
        """The function that passes the node's gradient on to its parents. Set it, and `backward()` calls yours instead.

        Yours may call the one that was there before. A node with a function of your own has first derivatives only, see
        `core.hand_made`. That of a leaf runs at the end of `backward()`, when its gradient is complete.
        """
        node: Any = self
        given: Any = node._left_derivative
        if given.__class__ is BackwardFunction:
            return given.function
        given = own_attributes(node).get("_backward")
        return given or partial(pass_on, node, node.parents, node.local_derivatives)

    @_backward.setter
    def _backward(self, function: Any) -> None:
        if function is None:
            make(self, self.parents, self._op, None)
            return
        if not callable(function):
            message = f"_backward is a function without arguments that adds to the parents' grad, got {shown(function)}"
            raise TypeError(message)
        node: Any = self
        if not node.parents:
            set_own(node, "_backward", function)
            LEAVES_WITH_FUNCTIONS.add(node)
            return
        own = own_attributes(node)
        if node._right is not None or node._left.__class__ is not tuple:
            node._left, node._right = node.parents, None
        node.op = hand_made_op(str(node.op))
        node._left_derivative, node._right_derivative = BackwardFunction(function, node), own

    @property
    def _prev(self) -> DistinctParents:
        """The parents, each once. `parents` has repeats: those of x * x are (x, x). Set it to make a node by hand."""
        return DistinctParents(self.parents)

    @_prev.setter
    def _prev(self, parents: Iterable[Any]) -> None:
        given = parents_of(parents)
        if set(given) != set(self.parents):
            make(self, given, self._op, None)

    @property
    def _children(self) -> tuple[Any, ...]:
        """The parents, repeats kept."""
        return self.parents

    @_children.setter
    def _children(self, parents: Iterable[Any]) -> None:
        given = parents_of(parents)
        if [*map(id, given)] != [*map(id, self.parents)]:
            make(self, given, self._op, None)

    @property
    def _local_grads(self) -> tuple[float, ...]:
        """The local derivatives. Set them on a node made by hand."""
        return self.local_derivatives

    @_local_grads.setter
    def _local_grads(self, derivatives: Iterable[Any]) -> None:
        if self.parents or list(derivatives):
            make(self, self.parents, self._op, numbers_for(self.parents, derivatives))

    @property
    def _op(self) -> str:
        """The text of the op as in micrograd, "ReLU" too; empty for a leaf.

        `-x`, `x - y` and `x / y` are one node each, with texts of their own, where micrograd makes two of * and + and
        **-1.
        """
        text: str | None = own_attributes(self).get("_op")
        if text is not None or self.op is None:
            return text or ""
        return PEER_TEXTS.get(self.op.name, str(self.op))

    @_op.setter
    def _op(self, text: Any) -> None:
        if not isinstance(text, str):
            message = f"the text of an op is text, got {shown(text)}"
            raise TypeError(message)
        if isinstance(self.op, HandMadeOp):
            self.op = hand_made_op(text)
        elif text != self._op:
            set_own(self, "_op", text)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in _declared or name in own_attributes(self)]


_declared: set[str] = set()
"""The names that `declare_attributes` has declared."""


def declare_attributes(*names: str) -> None:
    """Let programs set these attributes on Values, which have slots, beside those of `OWN_NAMES`.

    Raises `TypeError` for what is no text, `ValueError` for a name that is not an identifier, or that Values use
    themselves.

    >>> from microgradlib import Value
    >>> declare_attributes("temperature")
    >>> x = Value(2.0)
    >>> x.temperature = 300.0
    >>> (x * x).parents[0].temperature
    300.0
    """
    kinds: list[type] = [PeerNames, *PeerNames.__subclasses__()]
    classes = [cls for kind in kinds for cls in kind.__mro__]
    given: tuple[Any, ...] = names
    for name in given:
        if not isinstance(name, str):
            message = f"the names of attributes are texts, as in declare_attributes('heat'), got {shown(name)}"
            raise TypeError(message)
        is_used = name not in _declared | ABSENT and any(name in vars(cls) for cls in classes)
        if is_used or not name.isidentifier():
            message = f"an attribute of one's own has a name that Values do not use themselves, got {shown(name)}"
            raise ValueError(message)
    for name in names:
        setattr(OwnAttributes, name, OwnAttribute(name))
        _declared.add(name)
        ABSENT.discard(name)


declare_attributes(*OWN_NAMES)

for _name, _property in {"_prev": Node.parents, "_op": property(lambda node: str(node.op or ""))}.items():
    setattr(Node, _name, _property)  # Symbols have them too, for programs that draw graphs
