"""functional_call: call a model with other parameters than its own, as derivatives by the parameters need."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import check_class
from microgradlib._support.pytree import flatten, is_ndarray
from microgradlib._support.shown import shown
from microgradlib.core.graph import topological_sort
from microgradlib.core.node import Node
from microgradlib.core.scopes import mark_given
from microgradlib.core.value import as_node
from microgradlib.nn.module import Module
from microgradlib.nn.search import SUBSTITUTES
from microgradlib.nn.state import by_path, match_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.core.value import Value
    from microgradlib.ops.signatures import SupportsArray

__all__ = ["functional_call"]


@in_plain_words
def functional_call(
    model: Module,
    parameters: Mapping[str, Any] | Sequence[Any] | SupportsArray,
    args: Any,
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Any:
    """Return model(args) with other parameters in the place of its own, as `torch.func.functional_call` does.

    So a loss is a function of the parameters, which the transforms differentiate to any order:

    >>> from microgradlib import hessian
    >>> from microgradlib.nn import Neuron
    >>> neuron = Neuron(2, "linear", init="zeros")
    >>> loss = lambda parameters: functional_call(neuron, parameters, [3.0, 4.0]) ** 2
    >>> hessian(loss)([0.0, 0.0, 0.0])
    [[18.0, 24.0, 6.0], [24.0, 32.0, 8.0], [6.0, 8.0, 2.0]]
    >>> hessian(loss)(neuron.state_dict())["w.0"]
    {'w.0': 18.0, 'w.1': 24.0, 'b': 6.0}

    Args:
        model: the network. It is as before after the call, and after an error in it; no other thread may use it
            during the call.
        parameters: numbers, Values or Symbols by name, as `state_dict()` has them; a name left out keeps the model's
            own parameter. A tuple of such dicts is one dict. Or a list or array with a number for each parameter, in
            the order of `parameters()`.
        args: the input; a tuple of them for a model that takes several.
        kwargs: keyword arguments of the model.
        strict: whether a name left out is an error.

    Raises `ValueError` for unknown names, for a list of another length, and for a model that uses a parameter in
    another way than by its attributes, lists, tuples, dicts and arrays; `TypeError` for an entry that is no number.
    """
    check_class(model, Module, "model", "such as nn.MLP")
    own = by_path(model.named_parameters())
    given = parameters if isinstance(parameters, Mapping) else _by_name(parameters, own)
    named, _, unknown = match_state(own, given, type(model).__name__, strict=strict, convert=as_node)
    if unknown:
        message = f"{type(model).__name__} has no parameter {shown(unknown[0])}: the names are those of state_dict()"
        raise ValueError(message)
    if kwargs is not None and not isinstance(kwargs, Mapping):
        message = f"kwargs are a dict of keyword arguments, got {shown(kwargs)}; several inputs are a tuple args=(x, …)"  # type: ignore[unreachable]
        raise TypeError(message)
    new = {own[name]: node for name, node in named.items()}
    inputs = args if isinstance(args, tuple) else (args,)
    with _substituted(model, new, {parameter: name for name, parameter in own.items()}):
        output = model(*inputs, **(kwargs or {}))
    known = [*new.values(), *[x for x in flatten([inputs, kwargs or {}]) if isinstance(x, Node)]]
    nodes = [y for y in flatten(output) if isinstance(y, Node)]
    for node in topological_sort(*nodes, known=known):
        if node in new:
            raise _unreachable(next(name for name, parameter in own.items() if parameter is node))
    return output


def _by_name(parameters: Any, own: Mapping[str, Value]) -> dict[str, Any]:
    """Return a list of numbers, in the order of the parameters, by name; several dicts as one."""
    if isinstance(parameters, (list, tuple)) and parameters and all(isinstance(part, Mapping) for part in parameters):
        pairs = [pair for part in parameters for pair in part.items()]
        if len(dict(pairs)) < len(pairs):
            raise ValueError("several dicts of parameters have a name in common")
        return dict(pairs)
    entries = flatten(parameters)
    if len(entries) != len(own):
        message = f"the model has {len(own)} parameters, got {len(entries)} numbers for them"
        raise ValueError(message)
    return dict(zip(own, entries))


def _unreachable(name: str) -> ValueError:
    return ValueError(
        f"functional_call cannot replace the parameter {name!r}: the model uses it in another way than by an attribute "
        "of a module, or by a list, tuple, dict or array in one"
    )


@contextmanager
def _substituted(model: Module, new: Mapping[Value, Node], names: Mapping[Value, str]) -> Iterator[None]:
    """Put new nodes in the place of parameters in the block; the parameters are back after it."""
    undo: list[tuple[Any, Any, Any]] = []
    placed: set[Any] = set()
    for node in new.values():
        if node.op is not None:
            mark_given(node)
    substitutes = SUBSTITUTES.get()

    def restore() -> None:
        SUBSTITUTES.set(substitutes)
        for container, key, old in reversed(undo):
            container[key] = old

    try:
        SUBSTITUTES.set(frozenset(new.values()))
        _replace(model, new, undo, set(), placed)
        for parameter in new:
            if parameter not in placed:
                raise _unreachable(names[parameter])
        yield
    finally:
        try:
            restore()
        except KeyboardInterrupt:
            restore()
            raise


def _replace(
    thing: Any, new: Mapping[Any, Node], undo: list[tuple[Any, Any, Any]], visited: set[int], placed: set[Any]
) -> Any:
    """Return the new node of a parameter, a tuple with its parameters replaced; replace them in what can be changed."""
    if isinstance(thing, Node):
        placed.update([thing] if thing in new else ())
        return new.get(thing, thing)
    if isinstance(thing, tuple):
        entries = [_replace(entry, new, undo, visited, placed) for entry in thing]
        if all(entry is old for entry, old in zip(entries, thing)):
            return thing
        return type(thing)(*entries) if hasattr(thing, "_fields") else tuple(entries)
    container = _changeable(thing)
    if container is None or id(thing) in visited:
        return thing
    visited.add(id(thing))
    for key, old in [*container.items()] if isinstance(container, dict) else [*enumerate(container)]:
        entry = _replace(old, new, undo, visited, placed)
        if entry is not old:
            undo.append((container, key, old))  # first, should Ctrl-C come between the two
            container[key] = entry
    return thing


def _changeable(thing: Any) -> Any:
    """Return the dict or list of the parts of a thing, or the elements of an array; None for other things."""
    if isinstance(thing, Module):
        return vars(thing)
    if is_ndarray(thing) and thing.dtype == "O":
        return thing.flat
    return thing if isinstance(thing, (dict, list)) else None
