"""Text: the whole file of a program, its header, parameters, helpers and function."""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from microgradlib._support.lookup import lookup
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops import TABLE
from microgradlib.source.arrays import Array, Arrays
from microgradlib.source.frameworks import Code, Framework
from microgradlib.source.graph import Graph, Leaf
from microgradlib.source.loops import Statement, statements
from microgradlib.source.spelling import HELPERS, MODULES
from microgradlib.source.writer import Line, Writer

__all__ = ["to_source"]

WIDTH, WIDEST = 100, 96
SHORTEST = 2
RESERVED = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "jax", "jnp", "np", "torch", "F", "math", "numbers", "parameters"}


def to_source(program: ProgramData, framework: str, *, name: str = "forward") -> str:
    language = Framework(lookup(framework, dict(zip(MODULES, MODULES)), "framework"))
    if not (isinstance(name, str) and name.isidentifier()) or name in RESERVED | {*TABLE}:
        message = f"name is that of a function, an identifier that nothing else in the text has, got {name!r:.80}"
        raise ValueError(message)
    graph = Graph(program)
    names = _identifiers(graph.leaves, {name, "named", *RESERVED, *TABLE, *HELPERS[language.name]})
    parameters = [i for i, leaf in enumerate(graph.leaves) if leaf.kind == "parameter"]
    arguments = [i for i, leaf in enumerate(graph.leaves) if leaf.kind == "argument"]
    like = names[(parameters or arguments)[0]] if graph.leaves else ""
    writer = Writer(graph, language, names, like, {name, "named", *RESERVED, *TABLE, *HELPERS[language.name]})
    returned = _nested(program.shape, iter(graph.outputs), writer)
    lines, returned = statements(writer.lines, returned, writer.fresh)
    body = _aligned(lines)
    unpack = [f"    {names[i]} = parameters[{graph.leaves[i].name!r}]" for i in parameters]
    sig = ", ".join(["parameters"] * bool(parameters) + [names[i] for i in arguments])
    out = [language.head, ""]
    for text, n in writer.arrays.tables.items():
        out.append(f"{n} = " + (f"torch.tensor({text})" if framework=="torch" else f"{language.module}.array({text})"))
    for text, n in language.constants.items():
        out.append(f"{n} = {text}")
    out += [*language.helpers.values(), "", f"def {name}({sig}):", *unpack, *body, f"    return {returned}", ""]
    text = "\n".join(out)
    return f"import math\n\n{text}" if "math." in text else text


def _aligned(lines: Sequence[Statement]) -> list[str]:
    """Return lines of a function with their comments below each other, where lines are not too long for that."""
    codes = ["    " * (1 + line.depth) + line.code for line in lines]
    width = max([len(code) for code, line in zip(codes, lines) if len(code) <= WIDEST and line.comment], default=0)
    return [f"{code:<{width}}  # {line.comment}" if line.comment else code for code, line in zip(codes, lines)]


def _identifiers(leaves: Sequence[Leaf], taken: set[str]) -> list[str]:
    """Return names for variables, unique and different from those taken: the last parts of paths that tell them apart.

    >>> _identifiers([Leaf("parameter", name, (), ()) for name in ("cell.u", "readout.w", "a.cell.w", "lambda")], {"x"})
    ['cell_u', 'readout_w', 'cell_w', 'lambda_']
    """
    paths = [leaf.name.split(".") for leaf in leaves]
    used, result = set(taken), list[str]()
    for path in paths:
        starts = [k for k in range(len(path) - 1, 0, -1) if len(path) - k >= SHORTEST and not path[k].isdecimal()]
        unique = [k for k in starts if sum(other[-len(path[k:]) :] == path[k:] for other in paths) == 1]
        name = re.sub(r"\W", "_", "_".join(path[unique[0] if unique else 0 :]))
        base = name if name.isidentifier() else f"_{name}"
        while base in used:
            base += "_"
        used.add(base)
        result.append(base)
    return result


def _nested(shape, outputs, writer):
    from microgradlib.compiler.engines.engine import _axes
    axes = _axes(shape)
    if axes is not None:
        n = 1
        for a in axes: n *= a
        return str(writer.outputs(numpy().array([next(outputs) for _ in range(n)]).reshape(axes)))
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{k!r}: {_nested(v, outputs, writer)}" for k, v in shape.items()) + "}"
    parts = [_nested(v, outputs, writer) for v in shape]
    return f"[{', '.join(parts)}]" if isinstance(shape, list) else f"({', '.join(parts)},)"
