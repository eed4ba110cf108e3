"""Attributes of a program's own on Values: `p.m = 0.0`, `node.color = "red"`.

Nodes have slots, not a dictionary: with one, making a node takes 3 to 7 % longer on Python 3.11, and 16 to 48 bytes
more. With the label in that dictionary instead of a slot, it takes 3 to 4 % longer on 3.11, 1 to 3 % on 3.12, with 16
bytes more, and 1 % less time on 3.13, where a dictionary is made when it is needed.

So a name has to be declared once for the class. `OWN_NAMES` are; `peer_names.declare_attributes` adds further ones. A
node that has such attributes keeps them in a dictionary in a slot that it does not use otherwise; other nodes pay
nothing. A subclass of Value (`class Weight(Value): pass`) takes any attribute.
"""

from __future__ import annotations

from typing import Any

from microgradlib._support.other_names import ADVICE_ON_OWN

__all__ = ["OWN_NAMES", "OwnAttribute", "own_attributes", "set_own"]

OWN_NAMES = (
    # states of optimisers
    "m", "v", "s", "r", "u", "t", "g", "h", "m1", "m2", "v1", "v2", "m_t", "v_t", "m_hat", "v_hat", "_m", "_v",
    "first_moment", "second_moment", "velocity", "vel", "momentum", "momentum_buffer", "mom", "exp_avg", "exp_avg_sq",
    "square_avg", "acc_delta", "ema", "avg", "cache", "_cache", "acc", "accum", "accumulated", "grad_avg", "grad_sum",
    "grad_sq", "sq_grad", "sum_sq", "prev_grad", "last_grad", "old_grad", "grad_history", "grads", "prev_data",
    "old_data", "best", "delta", "update", "prev_update", "step", "steps", "state", "history", "lr", "rate", "decay",
    "weight_decay", "mask", "requires_grad", "trainable", "frozen", "m0", "v0", "mt", "vt", "mhat", "vhat", "adam_m",
    "adam_v", "moment1", "moment2", "variance", "rms", "accumulator", "grad_accum", "avg_grad", "shadow", "trace", "n",
    "learning_rate", "wd", "eta", "alpha", "beta", "eps", "epoch", "iteration", "bounds", "is_frozen", "learnable",
    # marks in drawings and in algorithms on graphs
    "name", "_name", "id", "_id", "uid", "idx", "index", "_index", "tag", "kind", "type", "color", "colour", "_color",
    "fillcolor", "style", "position", "pos", "x", "y", "depth", "level", "rank", "order", "visited", "_visited", "seen",
    "mark", "marked", "degree", "in_degree", "count", "uses", "users", "consumers", "children", "next", "prev", "layer",
    "group", "is_param", "is_input", "is_output", "value", "gradient", "note", "notes", "comment", "text", "title",
    "description", "meta", "metadata", "info", "extra", "attrs", "ctx", "context", "grad_fn", "_grad_fn", "_label",
    "node_id", "_uid", "key", "topo_index", "topo_order", "width", "height", "penwidth", "fontcolor", "tooltip",
    "highlight", "selected", "active", "done", "processed", "in_stack", "cluster", "child", "outputs", "edges",
    "num_uses", "ref_count", "indegree", "outdegree", "generation", "creator", "func", "function", "fn", "hook",
    "hooks", "is_leaf", "is_root", "is_const", "is_weight", "is_bias", "role", "scope", "module", "neuron", "path",
    "layer_index", "owner", "source", "time", "version", "dirty", "flag", "flags", "weight", "activation", "expr",
    "formula", "units", "unit", "sigma", "error", "tangent", "adjoint", "_grad", "_value", "_mark", "_depth", "tags",
)  # fmt: skip
"""The declared names: those that programs written for engines like this hang on their nodes most often."""


class OwnAttribute:
    """A descriptor: one declared attribute of Values."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, node: Any, kind: Any = None) -> Any:
        if node is None:
            return self
        try:
            return own_attributes(node)[self.name]
        except KeyError:
            advice = f"; {ADVICE_ON_OWN[self.name]}" if self.name in ADVICE_ON_OWN else ""
            message = (
                f"{type(node).__name__!r} object has no attribute {self.name!r}: it was not set on this node{advice}"
            )
            raise AttributeError(message) from None

    def __set__(self, node: Any, content: Any) -> None:
        set_own(node, self.name, content)

    def __delete__(self, node: Any) -> None:
        self.__get__(node)
        del own_attributes(node)[self.name]


def own_attributes(node: Any) -> dict[str, Any]:
    """Return the attributes of a program's own on a node, by name; empty if it has none."""
    if getattr(node, "_right", None) is None:
        own: Any = getattr(node, "_right_derivative", None)
        if own.__class__ is dict:
            found: dict[str, Any] = own
            return found
    return {}


def set_own(node: Any, name: str, content: Any) -> None:
    """Set an attribute of a program's own on a node.

    A node with two parents is changed to keep them, and its local derivatives, as tuples, as nodes with more parents
    do, which frees a slot.
    """
    if getattr(node, "_right", None) is not None:
        derivatives = node._left_derivative, node._right_derivative
        node._left, node._right, node._left_derivative = (node._left, node._right), None, derivatives
        node._right_derivative = {}
    own = own_attributes(node)
    own[name] = content
    node._right_derivative = own
