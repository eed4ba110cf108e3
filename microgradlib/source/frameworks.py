"""Frameworks: how NumPy, JAX and PyTorch write what a program does, and helpers for what they lack."""

from __future__ import annotations

import keyword
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from microgradlib.ops import TABLE, Op
from microgradlib.ops.formula import ATOM, PRODUCT
from microgradlib.source.code import Code
from microgradlib.source.spelling import CALLS, HELPERS, MODULES, NUMBERS_ONLY, REDUCTIONS, TENSORS_ONLY

__all__ = ["Framework"]

SIGNS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}
VALUE_RULES = {"add", "sub", "neg", "mul", "div", "square", "reciprocal"}
"""Ops that are written by their value rule: as arithmetic."""
WRITTEN = {*SIGNS, *VALUE_RULES, "pow", "where"}


@dataclass
class Framework:
    """One of "numpy", "jax" and "torch", with what a text needs beside its lines.

    `helpers` are the functions that it lacks, by name, none of those `taken`; `constants` are names of long lists of
    numbers, `used` the names of the ops so far.
    """

    name: str
    helpers: dict[str, str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    used: dict[str, None] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """What its functions are called by."""
        return MODULES[self.name]

    def array(self, numbers: Any, like: str) -> Code:
        """Write numbers as an array of the precision of `like`."""
        text = repr(numbers).replace("inf", "math.inf").replace("nan", "math.nan")
        if len(text) > 40:
            text = self.constants.setdefault(text, f"C{len(self.constants) + 1}")
        return Code(
            f"{like}.new_tensor({text})" if self.name == "torch" else f"{self.module}.array({text}, {like}.dtype)"
        )

    def broadcast(self, code: Code, shape: Sequence[str], like: str, *, batched: bool) -> Code:
        """Write an array of this shape with the numbers of a smaller one, or one number."""
        lengths = ", ".join(shape)
        inside = f"({lengths},)" if len(shape) == 1 else f"({lengths})"
        if code.literal is None:
            return Code(f"{self.module}.broadcast_to({code}, {inside})", batched=batched)
        inside = lengths if len(shape) == 1 else inside
        if self.name == "torch":
            zero, full = f"{like}.new_zeros({inside})", f"{like}.new_full(({lengths},), {code})"
        else:
            zero = f"{self.module}.zeros({inside}, {like}.dtype)"
            full = f"{self.module}.full({inside}, {code}, {like}.dtype)"
        return Code(full if repr(code.literal) != "0.0" else zero, batched=batched)

    def concatenate(self, parts: Sequence[Code], axis: int, *, batched: bool) -> Code:
        """Write arrays one after another."""
        name = "torch.cat" if self.name == "torch" else f"{self.module}.concatenate"
        return Code(f"{name}([{', '.join(map(str, parts))}], {axis})", batched=batched)

    def stack(self, parts: Sequence[Code], axis: int, *, batched: bool) -> Code:
        """Write arrays beside each other, along a new axis."""
        return Code(f"{self.module}.stack([{', '.join(map(str, parts))}], {axis})", batched=batched)

    def flip(self, code: Code, axes: list[int]) -> Code:
        """Write an array with some axes reversed."""
        return Code(f"{self.module}.flip({code}, {tuple(axes)})", batched=code.batched)

    def windows(self, code: Code, axis: int, size: int, step: int) -> Code:
        """Write the windows along an axis, with their entries in a new last one."""
        if self.name == "torch":
            return Code(f"{code.at(ATOM)}.unfold({axis}, {size}, {step})", batched=code.batched)
        return self.call("unfold", f"{code}, {axis}, {size}, {step}", batched=code.batched)

    def pad(self, code: Code, around: Sequence[tuple[int, int]]) -> Code:
        """Write an array of a batch with zeros before and behind those of each axis."""
        if self.name == "torch":
            widths = [width for pair in reversed(around) for width in pair]
            while widths[-2:] == [0, 0]:
                del widths[-2:]
            return Code(f"F.pad({code}, {tuple(widths)})", batched=True)
        return Code(f"{self.module}.pad({code}, {((0, 0), *around)})", batched=True)

    def permute(self, code: Code, order: list[int]) -> Code:
        """Write an array with its axes in another order, that of the batch first."""
        order = [0, *[k + 1 for k in order]] if code.batched else order
        moved = [k for k, axis in enumerate(order) if k != axis]
        if order == [1, 0]:
            text = ".T"
        elif len(moved) == 2:
            text = f".swapaxes({moved[0]}, {moved[1]})"
        else:
            text = f".{'permute' if self.name == 'torch' else 'transpose'}({', '.join(map(str, order))})"
        return Code(code.at(ATOM) + text, batched=code.batched)

    def call(self, name: str, arguments: str, *, batched: bool) -> Code:
        """Write a call of a helper, which the text then defines."""
        self.helpers.setdefault(name, HELPERS[self.name].get(name, ""))
        return Code(f"{name}({arguments})", batched=batched)

    def reduces(self, name: str) -> bool:
        """Say whether it has a function for a reduction, which `reduction` writes."""
        return name in REDUCTIONS[self.name]

    def takes_axes(self, name: str) -> bool:
        """Say whether a reduction takes the terms of several axes."""
        return name in {"sum", "mean", "maximum", "minimum"}

    def reduction(self, name: str, code: Code, axes: Sequence[int] = (-1,)) -> Code:
        """Write a reduction of the terms along axes."""
        template = REDUCTIONS[self.name][name]
        if name in {"norm", "std"}:
            self.used[name] = None
        self._use(template)
        axis = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        x = code.at(ATOM) if template.startswith("{x}") else str(code)
        return Code(template.format(x=x, axis=axis), batched=code.batched)

    def _use(self, template: str) -> None:
        """Note the helper that a template calls."""
        name = template.partition("(")[0]
        if name in HELPERS[self.name]:
            self.helpers.setdefault(name, HELPERS[self.name][name])

    def by_rule(self, op: Op, inputs: Sequence[Code], like: str) -> Code:
        """Write op(*inputs) by its value rule."""
        try:
            return Code.convert(op.value(_Rules(self, like), *inputs))
        except (TypeError, AttributeError, KeyError) as error:
            message = f"the op {op.name!r} cannot be written as source: its value rule raises {error!r} on text"
            raise ValueError(message) from None

    def apply(self, op: Op, inputs: Sequence[Code], like: str) -> Code:
        """Write op(*inputs), its settings behind them: as arithmetic, by the framework's function or by a helper."""
        template: str | None = CALLS[self.name].get(op.name)
        if op.name != "pow" or (not op.settings and inputs[1].literal is None):
            self.used[op.name] = None
        by_arrays = self.name == "torch" and op.name in NUMBERS_ONLY and not op.settings
        if op.name not in WRITTEN and (template is None or by_arrays):
            return self._by_helper(op, inputs, like)
        inputs = [*inputs, *map(Code.number, op.settings)]
        batched = any(code.batched for code in inputs)
        if op.name in VALUE_RULES:
            if op.name == "add" and inputs[1].batched > inputs[0].batched:
                inputs = inputs[::-1]
            result: Code = inputs[0] ** 2 if op.name == "square" else op.value(None, *inputs)
            return result
        if op.name == "pow":
            return inputs[0] ** inputs[1]
        if op.name in SIGNS:
            return self._comparison(inputs[0]._infix(SIGNS[op.name], inputs[1]), like)
        if op.name == "where":
            return self.where(*inputs, like=like)
        if self.name == "torch" and op.name in TENSORS_ONLY:
            inputs = [x if x.literal is None else Code(f"{like}.new_tensor({x})") for x in inputs]
        template = template or ""
        self._use(template)
        at_atom = template.startswith(("{0}.", "{1}."))
        operands = [code.at(ATOM) if at_atom or f"{{{k}}}." in template else str(code) for k, code in enumerate(inputs)]
        level = PRODUCT if " % " in template or " // " in template else ATOM
        if level == PRODUCT:
            operands = [code.at(ATOM) for code in inputs]
        return Code(template.format(*operands, m=self.module), level, batched=batched)

    def _comparison(self, condition: Code, like: str) -> Code:
        cast = ".to" if self.name == "torch" else ".astype"
        result = Code(f"({condition}){cast}({like}.dtype)", batched=condition.batched)
        result.condition = condition.text
        return result

    def where(self, condition: Code, x: Code, y: Code, *, like: str) -> Code:
        """Write a choice."""
        test = condition.condition or f"{condition.at(ATOM)} != 0"
        if self.name == "torch" and x.literal is not None and y.literal is not None:
            x = Code(f"{like}.new_tensor({x})")
        batched = condition.batched or x.batched or y.batched
        return Code(f"{self.module}.where({test}, {x}, {y})", batched=batched)

    def larger(self, name: str, codes: Sequence[Code]) -> Code:
        """Write the maximum or minimum of a few arrays or numbers."""
        result = codes[0]
        for code in codes[1:]:
            batched = result.batched or code.batched
            x, y = (code, result) if result.literal is not None else (result, code)
            if self.name == "torch" and y.literal is not None:
                self.used[name] = None
                text = f"torch.clamp({x}, {'min' if name == 'maximum' else 'max'}={y})"
            else:
                text = f"{self.module}.{name}({x}, {y})"
            result = Code(text, batched=batched)
        return result

    def mask(self, size: int, like: str) -> Code:
        """Write the lower triangle, with the diagonal, as booleans."""
        if self.name == "torch":
            return Code(f"torch.ones({size}, {size}, dtype=torch.bool, device={like}.device).tril()")
        return Code(f"{self.module}.tril({self.module}.ones(({size}, {size}), bool))")

    def _by_helper(self, op: Op, inputs: Sequence[Code], like: str) -> Code:
        """Write op(*inputs) as a call of a function that the text defines by the op's value rule, with its settings."""
        name = op.name + "_" * keyword.iskeyword(op.name)
        names = [Code(letter) for letter in "xyuvw"[: len(inputs)]]
        body = self.by_rule(TABLE[op.name], [*names, *map(Code.number, op.settings)], "x")
        inside = f'({", ".join(map(str, names))}):\n    """{_plain(op.formula)}."""\n    return {body}'
        while name in self.taken or self.helpers.setdefault(name, f"def {name}{inside}") != f"def {name}{inside}":
            name += "_"
        if self.name == "torch":
            inputs = [x if x.literal is None else Code(f"{like}.new_tensor({x})") for x in inputs]
        return Code(f"{name}({', '.join(map(str, inputs))})", batched=any(code.batched for code in inputs))


def _plain(text: str) -> str:
    """Return a text that can stand in a docstring: printable, without backslashes and quotes."""
    return "".join([c for c in text if c.isprintable() and c not in '\\"'])


class _Rules:
    """The namespace over which a helper's rule is written."""

    def __init__(self, framework: Framework, like: str) -> None:
        self.framework, self.like = framework, like

    def __getattr__(self, name: str) -> Any:
        framework, like = self.framework, self.like

        def write(*inputs: Any) -> Any:
            if name == "where" and isinstance(inputs[0], bool):
                return inputs[1] if inputs[0] else inputs[2]
            codes = [x if isinstance(x, Code) else Code.number(x) for x in inputs]
            if name == "undefined":
                return Code.number(math.nan)
            if name in {"maximum", "minimum"}:
                return framework.larger(name, codes)
            return framework.apply(TABLE[name], codes, like)

        return write
