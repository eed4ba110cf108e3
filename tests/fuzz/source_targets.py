"""Target that writes programs as framework text: names, keys and ops of any text stay data, and the text computes."""

import builtins
import keyword
import math
import unicodedata

import numpy as np
from byte_stream import Stream
from laws import check_plain, check_python, check_svg, require

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.nn.module import NamedParameters

__all__ = ["source"]

MODULES = {"numpy": {"numpy", "math"}, "jax": {"jax", "jax.numpy", "math"},
           "torch": {"torch", "torch.nn", "math"}}  # fmt: skip
BUILTINS = ("len", "range", "int", "float", "slice", "ValueError", "zip", "enumerate", "sum", "abs")
UNARY = (mg.tanh, mg.exp, mg.relu, mg.sigmoid, lambda x: -x, mg.sin, lambda x: x**2, lambda x: x * 0.5, mg.erf, abs)


def source(data):
    """Names of parameters, arguments and results are any texts; NumPy's text computes what the program computes."""
    stream = Stream(data)
    parameters = [Value(float(stream.whole(9) - 4)) for _ in range(1 + stream.whole(3))]
    for parameter in parameters:
        parameter.label = stream.text()
    if stream.whole(16) == 15:
        parameters[0].label = stream.choice((0, 2.5, None, ["x"], b"x", ("a",), {"a": 1}))
    keys = [stream.choice((stream.text(), 1, 2.5, math.inf, math.nan, True, None)) for _ in range(3)]
    plan = [(stream.choice(UNARY), stream.whole(8), stream.whole(8)) for _ in range(1 + stream.whole(6))]
    nest = stream.whole(4)

    def function(x, y):
        nodes = [x, y, *parameters]
        for f, i, j in plan:
            nodes.append(f(nodes[i % len(nodes)]) + nodes[j % len(nodes)])
        chosen = nodes[-3:]
        return {0: chosen[-1], 1: chosen, 2: dict(zip(keys, chosen)), 3: {keys[0]: (chosen[0], [chosen[1]])}}[nest]

    if stream.flag():  # names as a model with a dict of any keys has them
        parameters = NamedParameters([(stream.text(), parameter) for parameter in parameters])
    framework = stream.choice(("numpy", "torch", "jax"))
    x, y = np.array([0.5, -1.0]), np.array([2.0, 0.25])
    fast = compiled(function, parameters, backend="numpy")
    expected = fast(x, y)
    name = stream.text() if stream.flag() else "forward"
    program = fast.lower(x, y)
    check_plain(str(program))
    if stream.whole(4) == 3:
        check_svg(program.draw().svg)
    try:
        text = program.to_source(framework, name=name)
    except ValueError:
        is_ordinary = name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
        require(not is_ordinary or name in dir(builtins) or not name.startswith("forward"), "refused the name", name)
        return
    check_python(text, MODULES[framework], _spelling(name), BUILTINS)
    if framework == "numpy":
        _check_numbers(text, name, parameters, (x, y), expected)


def _check_numbers(text, name, parameters, arguments, expected):
    """Run the text, whose names come from nowhere else, and compare its results with those of the program."""
    written = {}
    exec(compile(text, "written", "exec"), written)  # noqa: S102  checked to be ours above
    numbers = np.array([parameter.data for parameter in parameters])
    given = [written["named"](numbers)] if "named" in written else []
    with np.errstate(all="ignore"):
        found = next(f for k, f in written.items() if _spelling(k) == _spelling(name))(*given, *arguments)
    ours, theirs = ([np.broadcast_to(part, 2) for part in _parts(thing)] for thing in (expected, found))
    require(len(ours) == len(theirs), len(theirs), "results, not", len(ours))
    for one, other in zip(ours, theirs):
        require(np.allclose(one, other, 1e-9, 0, equal_nan=True), one, "is not", other, "in", text)


def _spelling(name):
    """Return a name as Python compares it."""
    return unicodedata.normalize("NFKC", name)


def _parts(thing):
    if isinstance(thing, dict):
        return [part for inner in thing.values() for part in _parts(inner)]
    if isinstance(thing, (list, tuple)):
        return [part for inner in thing for part in _parts(inner)]
    return [*np.asarray(thing).T.reshape(-1, np.asarray(thing).shape[0])[::1]] if np.ndim(thing) > 1 else [thing]
