"""The module under which micrograd has its Value: `from microgradlib.engine import Value` for `from micrograd.engine`.

`microgradlib.nn` has micrograd's `Module`, `Neuron`, `Layer` and `MLP`. Its programs run with the two imports changed.
So do those that build nodes by hand, set `_backward` functions and put attributes of their own on nodes. What differs:

- `bool(Value(0.0))` is False, as of every number, not True as of every object: write `if value is not None`.
- `Value(Value(2.0))` is a `TypeError`: it would be a copy that cuts the graph in silence, `v.detach()` says so.
- `-x`, `x - y` and `x / y` are one node each, where micrograd makes two or three of * and + and **-1.
- `backward()` sets the gradients of inner nodes anew and adds to those of leaves, so that running it twice is right.
- Local derivatives are recorded when a node is made: `data` changed between the forward pass and `backward()` is a
  `ChangedDataError` if that changes them, where micrograd multiplies by the new number: see `core.changes`.
- Attributes: the names of `core.own_attributes.OWN_NAMES`; for another, "'Value' object has no attribute 'heat'", write
  `declare_attributes("heat")` first. A subclass of Value takes any.
- Operators on a subclass of Value give a Value, as micrograd's do, unless the subclass defines them or `__apply_op__`.
- `_prev` is a frozenset, in the order of the parents; assign to it to change it, as in `node._prev = {a, b}`.
"""

from microgradlib.core.peer_names import declare_attributes
from microgradlib.core.value import Value

__all__ = ["Value", "declare_attributes"]
