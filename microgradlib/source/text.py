"""Text: the whole file of a program, its header, parameters, helpers and function."""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from microgradlib._support.lookup import lookup
from microgradlib._support.printable import normalised
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import TABLE
from microgradlib.source.arrays import Arrays
from microgradlib.source.code import WIDEST, Code, broken, identifiers
from microgradlib.source.frameworks import Framework
from microgradlib.source.graph import Graph, Leaf
from microgradlib.source.loops import Statement, statements
from microgradlib.source.places import Array
from microgradlib.source.spelling import HEADS, HELPERS, MODULES, NOTES, REDUCTIONS
from microgradlib.source.writer import Writer

__all__ = ["to_source"]

WIDTH = 110
"""The width of wrapped text."""

TITLES = {"numpy": "NumPy", "jax": "JAX", "torch": "PyTorch"}
WORDS = {
    *keyword.kwlist, *keyword.softkwlist, *dir(builtins), "jax", "jnp", "np", "torch", "F", "math", "numbers", "named",
    "parameters",
}  # fmt: skip
"""What no variable is called."""


def to_source(program: ProgramData, framework: str, *, name: str = "forward") -> str:
    """Return a program as the text of a Python module for a framework, "torch", "jax" or "numpy".

    As `Program.to_source` says, which calls this: no text of the program's becomes code. Parameters and arguments whose
    names are no identifiers, as `layers.0.w`, or taken, get others, `layers_0_w`.

    >>> from microgradlib import Value, compile
    >>> w, b = Value(0.5, label="w"), Value(-1.0, label="b")
    >>> print(to_source(compile(lambda x: (w * x + b).tanh(), [w, b]).lower([1.0]), "numpy"))
    \"\"\"forward(parameters, x) in NumPy, written by microgradlib from a compiled function.
    <BLANKLINE>
    The batch is axis 0 of each argument. The parameters are a dict of arrays; those of the compiled function are
    <BLANKLINE>
        parameters = named(np.array([p.data for p in fast.parameters]))
    \"\"\"
    <BLANKLINE>
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def named(numbers):
        \"\"\"Return the parameters by name; numbers: a flat array in the order of the compiled function.\"\"\"
        if len(numbers) != 2:
            raise ValueError(f"give 2 numbers, that of each parameter once, got {len(numbers)}")
        return {
            "w": numbers[0],
            "b": numbers[1],
        }
    <BLANKLINE>
    <BLANKLINE>
    def forward(parameters, x):
        \"\"\"Return (batch,). x: (batch,).\"\"\"
        w = parameters["w"]  # ()
        b = parameters["b"]  # ()
        return np.tanh(w * x + b)
    <BLANKLINE>
    """
    lookup(framework, dict(zip(MODULES, MODULES)), "framework")
    taken = {*WORDS, *TABLE, *HELPERS[framework], *REDUCTIONS[framework]}
    if not isinstance(name, str) or not name.isidentifier() or normalised(name) in taken:
        message = f"name is that of the function: an identifier that nothing else in the text has, got {name!r:.80}"
        raise ValueError(message)
    name, graph = normalised(name), Graph(program)
    names = identifiers([leaf.name for leaf in graph.leaves], taken | {name})
    language = Framework(framework, taken=frozenset({name, *names}))
    writer = Writer(graph, language, names, taken | {name}, alone=_axes(program.shape) is not None)
    returned, shape = _nested(program.shape, iter(graph.outputs), writer)
    lines, returned = statements(writer.lines, returned, writer.fresh)
    function = _function(name, graph.leaves, names, [*lines, Statement(f"return {returned}")], shape)
    parameters = [leaf for leaf in graph.leaves if leaf.kind == "parameter"]
    loader = [_loader(graph, language, parameters)] if parameters else []
    header = _header(name, graph.leaves, names, language)
    imports = [*HEADS[framework].split("\n"), "import math"]
    body = [*_tables(writer, language), *language.helpers.values(), *loader, function]
    uses = re.compile(r"\b(" + "|".join([words.split()[-1] for words in imports]) + r")\.")
    used = {*uses.findall("\n".join(body)), "torch", "np", "jnp"}
    imports = sorted([words for words in imports if words.split()[-1] in used], key=lambda line: line != "import math")
    return "\n\n\n".join(["\n\n".join([header, "\n".join(imports)]), *body]) + "\n"


def _header(name: str, leaves: Sequence[Leaf], names: Sequence[str], language: Framework) -> str:
    """Return the docstring of the text."""
    arguments = _arguments(leaves, names)
    lines = [f'"""{name}({arguments}) in {TITLES[language.name]}, written by microgradlib from a compiled function.']
    lines += ["", "The batch is axis 0 of each argument."] if arguments.replace("parameters", "") else []
    if arguments.startswith("parameters"):
        make = {"torch": "torch.tensor({}, dtype=torch.float64)", "jax": "jnp.array({})", "numpy": "np.array({})"}
        flat = make[language.name].format("[p.data for p in fast.parameters]")
        lines[-1] += " The parameters are a dict of arrays; those of the compiled function are"
        lines += ["", f"    parameters = named({flat})"]
    notes = [f"    {op}: {note}" for op, note in NOTES[language.name].items() if op in language.used]
    if notes:
        lines += ["", f"{TITLES[language.name]}'s derivatives differ from microgradlib's here:", "", *notes]
    return "\n".join([*lines, '"""'])


def _arguments(leaves: Sequence[Leaf], names: Sequence[str]) -> str:
    given = [name for leaf, name in zip(leaves, names) if leaf.kind == "argument"]
    return ", ".join(["parameters"] * any(leaf.kind == "parameter" for leaf in leaves) + given)


def _function(name: str, leaves: Sequence[Leaf], names: Sequence[str], lines: Sequence[Statement], shape: str) -> str:
    pairs = list(zip(leaves, names))
    given = ", ".join([f"{name}: {_shape(leaf.lengths, 'batch')}" for leaf, name in pairs if leaf.kind == "argument"])
    unpacked = [
        Statement(f"{name} = parameters[{_quoted(leaf.name)}]", _shape(leaf.lengths))
        for leaf, name in pairs
        if leaf.kind == "parameter"
    ]
    text = f"Return {shape}.{f' {given}.' if given else ''}"
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')  # a key of the result may hold anything
    doc = textwrap.wrap(f'"""{text}"""', WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return "\n".join([f"def {name}({_arguments(leaves, names)}):", *doc, *_aligned([*unpacked, *lines])])


def _shape(lengths: Sequence[int], *before: str) -> str:
    parts = [*before, *map(str, lengths)]
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _quoted(text: str) -> str:
    """Return a text as a string literal."""
    plain = text.isascii() and text.isprintable() and not {*text} & {*"\\\"'"}
    return f'"{text}"' if plain else ascii(text)


def _aligned(lines: Sequence[Statement]) -> list[str]:
    """Return lines of a function with their comments below each other, where lines are not too long for that."""
    blocks = [broken(line.code, "    " * (1 + line.depth)) for line in lines]
    width = max(
        [len(b[-1]) for b, line in zip(blocks, lines) if len(b) == 1 and len(b[0]) <= WIDEST and line.comment],
        default=0,
    )
    for block, line in zip(blocks, lines):
        block[-1] = f"{block[-1]:<{width * (len(block) == 1)}}  # {line.comment}" if line.comment else block[-1]
    return [text for block in blocks for text in block]


def _tables(writer: Writer, language: Framework) -> list[str]:
    """Return the lines that set places in no order, and long lists of numbers."""
    make = "torch.tensor({})" if language.name == "torch" else f"{language.module}.array({{}})"
    texts = [f"{name} = {make.format(text)}" for text, name in writer.arrays.tables.items()]
    texts += [f"{name} = {text}" for text, name in language.constants.items()]
    return ["\n".join(textwrap.wrap(text, WIDTH, subsequent_indent="    ")) for text in texts]


def _loader(graph: Graph, language: Framework, parameters: Sequence[Leaf]) -> str:
    """Return the function that makes the parameters by name of a flat array."""
    np = numpy()
    whole = Code("numbers")
    arrays = Arrays(language, {}, len(graph.scalars), lambda _: whole, lambda _: whole)
    arrays.add(Array("numbers", (len(graph.order),), batched=False), np.array(graph.order))
    lines = [f"        {_quoted(leaf.name)}: {_from_flat(arrays, leaf)}," for leaf in parameters]
    lists = [
        line
        for text, name in arrays.tables.items()
        for line in textwrap.wrap(f"{name} = {text}", WIDTH, initial_indent="    ", subsequent_indent="        ")
    ]
    count = len(graph.order)
    captured = any(leaf.name.startswith("captured") for leaf in parameters)
    last = ", captured Values behind them" if captured else ""
    return "\n".join([
        "def named(numbers):",
        f'    """Return the parameters by name; numbers: a flat array in the order of the compiled function{last}."""',
        f"    if len(numbers) != {count}:",
        f'        raise ValueError(f"give {count} numbers, that of each parameter once{last}, got {{len(numbers)}}")',
        *lists, "    return {", *lines, "    }",
    ])  # fmt: skip


def _from_flat(arrays: Arrays, leaf: Leaf) -> Code:
    """Write a group of parameters as a part of the flat array; rows that lie apart, beside biases, as some columns."""
    places = arrays.place[list(leaf.scalars)].tolist()
    first, count, columns = places[0], len(places), leaf.lengths[-1] if leaf.lengths else 1
    step = places[columns] - first if columns < count else columns
    stop = first + count // columns * step
    if len(leaf.lengths) > 1 and step >= columns and stop <= arrays.known[0].lengths[0]:
        rows = [first + i * step + j for i in range(count // columns) for j in range(columns)]
        if places == rows:
            part = Code("numbers").indexed([f"{first or ''}:{stop}"])
            if step == columns:
                return part.reshaped(leaf.lengths)
            code = part.reshaped((count // columns, step)).indexed([":", f":{columns}"])
            return code if len(leaf.lengths) == 2 else code.reshaped(leaf.lengths)
    wide = [length for length in leaf.lengths if length > 1]
    code = arrays.whole(numpy().array(leaf.scalars).reshape(wide))
    return code if len(wide) == len(leaf.lengths) else code.reshaped(leaf.lengths)


def _nested(shape: Any, outputs: Iterator[int], writer: Writer, *, inside: bool = False) -> tuple[str, str]:
    """Return what the function returns, nested as its result, and the shapes of that; rectangular lists as an array."""
    axes = () if shape is None else None if inside else _axes(shape)
    if axes is not None:
        scalars = numpy().array([next(outputs) for _ in range(prod(axes))], int).reshape(axes)
        return str(writer.outputs(scalars)), _shape(axes, "batch")
    parts = shape.values() if isinstance(shape, dict) else shape
    pairs = [_nested(part, outputs, writer, inside=True) for part in parts]
    if isinstance(shape, dict):
        both = [", ".join([f"{_key(key)}: {pair[k]}" for key, pair in zip(shape, pairs)]) for k in range(2)]
        return f"{{{both[0]}}}", f"{{{both[1]}}}"
    both = [", ".join([pair[k] for pair in pairs]) for k in range(2)]
    if isinstance(shape, list):
        return f"[{both[0]}]", f"[{both[1]}]"
    return f"({both[0]}{',' * (len(pairs) == 1)})", f"({both[1]})"


def _key(key: Any) -> str:
    if type(key) is float:
        return str(Code.number(key))
    return repr(key) if key is None or type(key) in (int, bool) else _quoted(str(key))


def _axes(shape: Any) -> tuple[int, ...] | None:
    """Return the lengths of the axes of nested lists; None if they are not rectangular, or not lists alone."""
    if shape is None:
        return ()
    inner = {_axes(part) for part in shape} if isinstance(shape, (list, tuple)) else {None}
    first = inner.pop() if len(inner) == 1 else None
    return None if first is None else (len(shape), *first)
