"""ONNX graphs as they are written: nodes, numbers, and local functions for the ops that ONNX has no node for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from microgradlib._support.optional import import_optional
from microgradlib.compiler.arguments import rounded
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import Op

__all__ = ["DOMAIN", "Body", "Functions", "Tensor", "onnx"]

DOMAIN: Final = "microgradlib"
"""The domain of the local functions."""
OPSET: Final = 20

NODES: Final = {
    "add": "Add", "sub": "Sub", "neg": "Neg", "mul": "Mul", "div": "Div", "relu": "Relu", "tanh": "Tanh", "exp": "Exp",
    "log": "Log", "sqrt": "Sqrt", "abs": "Abs", "sin": "Sin", "cos": "Cos", "floor": "Floor", "ceil": "Ceil",
    "round": "Round", "sign": "Sign",
}  # fmt: skip
"""The ops that are a node of ONNX: onnxruntime has it in both precisions, and its numbers are those of the table.

Not Sigmoid, which loses its digits below −20, nor ReduceMax, which skips nan.
"""


def onnx(feature: str = "to_onnx") -> Any:
    """Return the module onnx. Raises `MissingExtraError` where it is not installed."""
    return import_optional("onnx", feature)


def _operator(kind: str, *, is_swapped: bool = False, is_condition: bool = False) -> Callable[[Tensor, Any], Tensor]:
    """Return the method of an operator, which writes a node."""

    def operate(self: Tensor, other: Any) -> Tensor:
        inputs = (other, self) if is_swapped else (self, other)
        return self.body.node(kind, *inputs, is_condition=is_condition)

    return operate


class Tensor:
    """A result of a node; arithmetic and comparisons write nodes. `is_condition`: it holds truth values."""

    def __init__(self, body: Body, name: str, *, is_condition: bool = False) -> None:
        self.body, self.name, self.is_condition = body, name, is_condition

    def __bool__(self) -> bool:
        raise TypeError("a rule asks `if` on a number that is not known when the model is written: write xp.where")

    __add__, __radd__ = _operator("Add"), _operator("Add", is_swapped=True)
    __sub__, __rsub__ = _operator("Sub"), _operator("Sub", is_swapped=True)
    __mul__, __rmul__ = _operator("Mul"), _operator("Mul", is_swapped=True)
    __truediv__, __rtruediv__ = _operator("Div"), _operator("Div", is_swapped=True)
    __pow__ = _operator("Pow")
    __lt__, __le__ = _operator("Less", is_condition=True), _operator("LessOrEqual", is_condition=True)
    __gt__, __ge__ = _operator("Greater", is_condition=True), _operator("GreaterOrEqual", is_condition=True)

    def __neg__(self) -> Tensor:
        return self.body.node("Neg", self)


class Body:
    """The nodes of a graph or of a function, each written once; `functions` are those of the whole model."""

    def __init__(self, functions: Functions) -> None:
        self.functions, self.nodes = functions, list[Any]()
        self._known: dict[Any, Tensor] = {}
        self._names: dict[str, int] = {}

    def named(self, text: str) -> str:
        """Return a name that is not used yet: the text, with `_` for all but letters, digits and dots."""
        name = re.sub(r"[^A-Za-z0-9_.]", "_", text) or "_"
        name = f"_{name}" if name[0].isdigit() else name
        unique = name
        while unique in self._names:
            self._names[name] += 1
            unique = f"{name}_{self._names[name]}"
        self._names[unique] = 1
        return unique

    def tensor(self, text: str) -> Tensor:
        """Return a tensor of a new name that no node writes: an input, or a parameter."""
        return Tensor(self, self.named(text))

    def node(self, kind: str, *inputs: Any, domain: str = "", is_condition: bool = False, **attributes: Any) -> Tensor:
        """Return the result of a node; inputs that are numbers or arrays become constants."""
        read = [x if isinstance(x, Tensor) else self.constant(x) for x in inputs]
        key = kind, domain, *[x.name for x in read], *[(name, repr(value)) for name, value in attributes.items()]
        if key not in self._known:
            name = self.named(kind.lower())
            names = [x.name for x in read]
            self.nodes.append(onnx().helper.make_node(kind, names, [name], name, domain=domain, **attributes))
            self._known[key] = Tensor(self, name, is_condition=is_condition)
        return self._known[key]

    def constant(self, numbers: Any) -> Tensor:
        """Return a number or an array as a tensor: whole numbers in arrays as indices, all else in the precision."""
        np = numpy()
        array = np.array(numbers, order="C")
        if array.dtype.kind != "i" or array.ndim == 0:
            array = rounded(array, self.functions.dtype)
        key = "constant", array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            name = self.named("constant")
            value = onnx().numpy_helper.from_array(array, name)
            self.nodes.append(onnx().helper.make_node("Constant", [], [name], name, value=value))
            self._known[key] = Tensor(self, name)
        return self._known[key]

    def call(self, op: Op, *inputs: Any) -> Any:
        """Return an elementwise op of tensors or numbers, as a node of ONNX or of the op's own function."""
        if op.name in {"identity", "detach"}:
            return inputs[0]
        if op.name in NODES:
            return self.node(NODES[op.name], *inputs)
        name = self.functions.named(op, "", len(inputs), lambda xp, *xs: op.value(xp, *xs, *op.settings))
        return self.node(name, *inputs, domain=DOMAIN)

    def needed(self, results: Sequence[str]) -> list[Any]:
        """Return the nodes that results are made of."""
        wanted, kept = set(results), list[Any]()
        for node in reversed(self.nodes):
            if node.output[0] in wanted:
                wanted.update(node.input)
                kept.append(node)
        return kept[::-1]


class Functions:
    """The local functions of a model in one precision. `namespace` makes the `xp` of rules for a body."""

    def __init__(self, dtype: Any, namespace: Callable[[Body], Any]) -> None:
        self.dtype, self.namespace = numpy().dtype(dtype), namespace
        self.protos: list[Any] = []
        self._known: dict[Any, str] = {}
        self._names = Body(self)

    def used(self, nodes: Sequence[Any]) -> list[Any]:
        """Return the functions that nodes call, and those that these call."""
        known, wanted = {proto.name: proto for proto in self.protos}, dict[str, Any]()
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node.domain == DOMAIN and node.op_type not in wanted:
                wanted[node.op_type] = known[node.op_type]
                waiting += wanted[node.op_type].node
        return [proto for proto in self.protos if proto.name in wanted]

    @property
    def opsets(self) -> list[Any]:
        """The versions of ONNX's nodes and of the functions."""
        make = onnx().helper.make_opsetid
        return [make("", OPSET), make(DOMAIN, 1)]

    def named(self, op: Op, form: str, count: int, rule: Callable[..., Any]) -> str:
        """Return the name of the function of an op's `form` with so many inputs, written by `rule` if it is new."""
        key = op, form, count
        if key not in self._known:
            body = Body(self)
            inputs = [body.tensor("xyz"[k] if count < 4 else f"x{k}") for k in range(count)]
            result = rule(self.namespace(body), *inputs)
            if not isinstance(result, Tensor) or result in inputs:
                result = body.node("Identity", result)
            self._known[key] = name = self._names.named(op.name)
            self.protos.append(
                onnx().helper.make_function(
                    DOMAIN, name, [x.name for x in inputs], [result.name], body.needed([result.name]), self.opsets
                )
            )
        return self._known[key]
