"""The JavaScript program of a graph: its ops and closed scopes as functions of numbers, for sliders without Python."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.viz.stepper.javascript.elementary import special_functions
from microgradlib.viz.stepper.javascript.rules import UntranslatableError, function_text, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.ops import Op
    from microgradlib.viz.stepper.tapes.contracted import StepGraph

__all__ = ["Program", "op_key", "write_program"]

GROUP = """function group(steps, inputs, constants) {
return xs => {
const values = [...xs, ...constants], first = values.length, slopes = [];
for (const [key, places] of steps) {
const [value, local] = operations[key](places.map(i => values[i]));
values.push(value);
slopes.push(local);
}
const gradients = values.map(() => null);
gradients[gradients.length - 1] = 1;
for (let k = steps.length - 1; k >= 0; k--) {
const upstream = gradients[first + k];
if (upstream !== null) steps[k][1].forEach((i, j) => {
const local = slopes[k][j];
if (local !== null) gradients[i] += upstream * local;
});
}
return [values[values.length - 1], gradients.slice(0, inputs)];
};
}"""
"""A closed scope: its ops in order, then the chain rule backwards. null, the structural zero, passes nothing on."""


class Program(NamedTuple):
    """The text of the program, None if an op cannot be written; `unknown` names that op; and the key of each node."""

    text: str | None
    unknown: str
    keys: dict[int, str]


def op_key(op: Op, inputs: int) -> str:
    """Return the key of an op for so many inputs, its settings included.

    >>> from microgradlib.ops import TABLE
    >>> op_key(TABLE["pow"].bind(2.0), 1), op_key(TABLE["dot"], 5)
    ('pow[2]/1', 'dot/5')
    """
    settings = f"[{','.join(map(literal, op.settings))}]" if op.settings else ""
    return f"{op.name}{settings}/{inputs}"


@lru_cache(maxsize=1024)
def _function(op: Op, inputs: int) -> tuple[str, tuple[str, ...]]:
    return function_text(op, inputs)


def write_program(graph: StepGraph, live: Sequence[Any]) -> Program:
    r"""Return the program of a graph: an object of functions by key, each from inputs to [value, local derivatives].

    >>> from microgradlib import Value
    >>> from microgradlib.viz.snapshots.capture import capture
    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> from microgradlib.viz.stepper.tapes.contracted import contract
    >>> x = Value(3.0, label="x")
    >>> snapshot, live = capture(x * x)
    >>> write_program(contract(find_groups(snapshot)), live).text
    'const operations = {\n"mul/2":([x0,x1])=>{const t0=x0*x1;return[t0,[x1,x0]]}};\nreturn operations;'
    """
    functions: dict[str, str] = {}
    special: dict[str, None] = {}
    keys: dict[int, str] = {}
    unknown = ""

    def key_of(index: int) -> str:
        nonlocal unknown
        op, inputs = live[index].op, len(live[index].parents)
        key = op_key(op, inputs)
        if key not in functions:
            try:
                functions[key], used = _function(op, inputs)
                special.update(dict.fromkeys(used))
            except UntranslatableError:
                functions[key] = "null"
                unknown = unknown or str(op) or "?"
        return key

    groups: dict[str, str] = {}
    for place, node in enumerate(graph.nodes):
        if node.scope is not None:
            keys[place] = f"group/{len(groups)}"
            groups[keys[place]] = _group(graph, place, live, {i: key_of(i) for i in node.members})
        elif node.parents:
            keys[place] = key_of(node.of)
    if unknown:
        return Program(None, unknown, keys)
    entries = [f"{json.dumps(key)}:{text}" for key, text in (*functions.items(), *groups.items())]
    parts = [
        *([special_functions(special)] if special else []),
        *([GROUP] if groups else []),
        "const operations = {\n" + ",\n".join(entries) + "};",
        "return operations;",
    ]
    return Program("\n".join(parts), "", keys)


def _group(graph: StepGraph, place: int, live: Sequence[Any], keys: Mapping[int, str]) -> str:
    """Return the call that makes the function of a closed scope: its ops with the places of their inputs."""
    nodes = graph.groups.snapshot.nodes
    closed = graph.nodes[place]
    where = {graph.nodes[parent].of: i for i, parent in enumerate(closed.parents)}
    inside = set(closed.members)
    constants = dict.fromkeys(p for i in closed.members for p in nodes[i].parents if p not in inside and p not in where)
    count = len(where)
    where |= {constant: count + i for i, constant in enumerate(constants)}
    for i in closed.members:
        where[i] = len(where)
    steps = ",".join([json.dumps([keys[i], [where[p] for p in nodes[i].parents]]) for i in closed.members])
    numbers = ",".join(literal(live[constant].data) for constant in constants)
    return f"group([{steps}],{count},[{numbers}])"
