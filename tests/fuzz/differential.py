"""Random programs and modules by microgradlib and by PyTorch and JAX: value, gradient and Hessian times a vector.

`python tests/fuzz/differential.py [--seconds 60] [--seed 0]` prints each program on which they differ as code that
shows it again, then the counts; it exits with 1 if there was one. Half of the programs are well-conditioned graphs of
all ops that are smooth or have kinks, half are wild: any op of any nodes, at special numbers. All are compared with
PyTorch, some with JAX, some by the engines of `compile`. One in sixteen is a module of `nn`, as `module_peers` says.

Allowed is a bound on the rounding error of that very number, as in `testing.assert_same_as_torch`, not a fixed
tolerance. Excluded are derivatives at kinks, where `kinks` names a node, and what `peer_faults` states.
"""

import argparse
import math
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))  # the package beside these tests
os.environ.setdefault("MICROGRADLIB_CACHE_DIR", "off")

import numpy as np
import torch
from module_peers import ModuleComparison
from peer_faults import Nature, compared_orders

import microgradlib as mg
from microgradlib import Value, grad_table, gradients, kinks
from microgradlib.compiler.engines.jax.functions import float64_enabled
from microgradlib.core.value import as_node
from microgradlib.ops import TABLE
from microgradlib.testing import peer_torch
from microgradlib.testing.building import Limits, build
from microgradlib.testing.expression_graph import ExpressionGraph, Step
from microgradlib.testing.torch_nodes import TorchNode

__all__ = ["Comparison", "random_program"]

NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 17.0, 1e-8, 1e8, 300.0, -300.0, 1e-200, 1e200, math.inf, -math.inf)
HIDDEN = {"polygamma", "pow_slope", "pow_log", "share", "unit", "cross_entropy", "sinpi", "cospi"}
"""Ops of derivatives, of whole orders, and those that neither peer has."""
OPS = [op for name, op in TABLE.items() if name not in HIDDEN]


def random_program(rng, *, wild):
    """Return a program with a point: an `ExpressionGraph`."""
    if not wild:
        plan = [(rng.choice(OPS), rng.randbytes(6)) for _ in range(rng.randint(1, 10))]
        graph = build(plan, Limits(3, 14, None, None, sharing=True))
        inputs, steps = graph.inputs, graph.steps
        names = tuple(inputs)
        output = steps[-1].name if steps else names[-1]
        return ExpressionGraph(names, tuple(steps), output, tuple(rng.uniform(*inputs[name]) for name in names))
    names, steps = ("x", "y", "z"), []
    known = list(names)
    for i in range(rng.randint(1, 10)):
        op = rng.choice(OPS)
        settings = [rng.choice((0.5, 2.0, 1.0, -1.0, 3.0)) for _ in range(op.setting_count)]
        if op.name == "clip":
            settings.sort()
        count = rng.choice((2, 4)) if op.variadic else op.arity - op.setting_count
        recent = known[-4:] if rng.random() < 0.7 else known
        steps.append(Step(f"t{i + 1}", op, (*rng.choices(recent, k=count), *settings)))
        known.append(steps[-1].name)
    point = [rng.choice(NUMBERS) if rng.random() < 0.3 else round(rng.uniform(-3, 3), 3) for _ in names]
    return ExpressionGraph(names, tuple(steps), known[-1], tuple(point))


class Comparison:
    """All numbers of one program at its point, each with the allowed difference: `differences` names what differs."""

    def __init__(self, program, rng):
        self.program, self.differences = program, []
        self.vector = [rng.uniform(-1, 1) for _ in program.names]
        self.leaves = [Value(x) for x in program.inputs]
        self.output = program(*self.leaves)
        self.at_kink = bool(kinks(self.output))
        self.along = as_node(mg.dot(gradients(self.output, self.leaves), self.vector))
        self.nature = Nature(self.output, self.along)
        self.orders = 1 if self.at_kink else 2 if kinks(self.along) else 3
        self.expected = self._eager()

    def _eager(self):
        """Return the numbers with their names and allowed differences, after comparing them with PyTorch."""
        tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in self.program.inputs]
        theirs = self.program(*map(TorchNode, tensors)).tensor
        slopes = [torch.zeros(())] * len(tensors)
        if theirs.requires_grad:
            found = torch.autograd.grad(theirs, tensors, create_graph=True, retain_graph=True, allow_unused=True)
            slopes = [torch.zeros((), dtype=torch.float64) if slope is None else slope for slope in found]
        entries = peer_torch._entries("f", self.output, self.leaves, theirs, [float(s.detach()) for s in slopes])
        their_along = sum(v * slope for v, slope in zip(self.vector, slopes))
        twice = peer_torch._torch_gradient(torch, their_along, tensors)
        their_rounding = sum(abs(v) * entry.allowed for v, entry in zip(self.vector, entries[1:]))
        product, *rest = peer_torch._entries("∂f·v", self.along, self.leaves, their_along, twice)
        entries += [product._replace(allowed=product.allowed + their_rounding), *rest]
        self._compare_with("torch", [(entry, entry.theirs) for entry in entries])
        return entries

    def _compare_with(self, peer, found):
        """Compare a peer's numbers: f, the gradient and ∂f·v, the Hessian times v; fewer where they are not meant."""
        orders = min(self.orders, compared_orders(peer, self.output))
        for i, (entry, theirs) in enumerate(found):
            order = 0 if i == 0 else 1 if i < len(self.leaves) + 2 else 2
            if order < orders and not self.nature.excuses(order, entry.ours, float(theirs)):
                self._compare(peer, entry.name, entry.ours, theirs, entry.allowed)

    def _compare(self, peer, name, ours, theirs, allowed):
        ours, theirs = float(ours), float(theirs)
        if ours == theirs or (math.isnan(ours) and math.isnan(theirs)) or abs(ours - theirs) <= allowed:
            return
        self.differences.append(f"{peer}: {name} is {ours!r}, there {theirs!r}, allowed {allowed:.1e}")

    def compiled(self, backend):
        """Compare an engine's value, gradient and Hessian times the vector with those of the eager engine."""
        first = len(self.program.names) - 1
        fast = mg.compile(lambda x: self.program(*self.leaves[:first], x), self.leaves[:first], backend=backend)
        x = np.array([self.program.inputs[-1]])
        with np.errstate(all="ignore"):
            value, gradient = fast.value_and_grad(x)
            by_input = fast.jacobian(x)
            product = fast.hvp(x, vector=np.array(self.vector[:first]))
        entries = self.expected
        self._compare(backend, "f", entries[0].ours, value, entries[0].allowed)
        for entry, found in zip(entries[1:], [*gradient, np.ravel(by_input)[0]]):
            self._compare(backend, entry.name, entry.ours, found, entry.allowed)
        along = as_node(mg.dot([*gradients(self.output, self.leaves)[:first], 0.0], [*self.vector[:first], 0.0]))
        table = grad_table(along)
        for i, (leaf, found) in enumerate(zip(self.leaves, product)):
            ours = table.get(leaf, 0.0)
            error = peer_torch._slope_rounding(along, leaf, self.leaves)
            error += peer_torch._local_rounding(along, table, leaf)
            self._compare(backend, f"hvp[{i}]", ours, found, peer_torch._allowed(ours, error))

    def by_jax(self):
        """Compare with `jax.grad`, and its derivative along the vector, of the same steps by JAX's functions."""
        from peer_functions import JAX, jax  # noqa: PLC0415  seconds, and only some programs need it

        def function(xs):
            table = dict(zip(self.program.names, xs))
            for step in self.program.steps:
                table[step.name] = JAX[step.op.name](*[table.get(a, a) for a in step.arguments])
            return table[self.program.output] * 1.0

        xs, vector = np.array(self.program.inputs), np.array(self.vector)
        entries = self.expected
        with float64_enabled():
            value, slopes = jax.value_and_grad(function)(xs)  # not compiled: XLA takes log(exp(x)) for x
            _, twice = jax.jvp(jax.grad(function), (xs,), (vector,))
        self._compare_with("jax", list(zip(entries, [value, *slopes, np.dot(slopes, vector), *twice])))


def compare(seed, *, engines=True):
    """Return the comparison of the program of a seed; some of them with JAX or by compiled engines."""
    rng = random.Random(seed)
    if seed % 16 == 15:
        found = ModuleComparison(rng)
        backends = ["numpy", "native"]
    else:
        found = Comparison(random_program(rng, wild=bool(seed % 2)), rng)
        backends = ["numpy"] * (seed % 3 == 0) + ["native"] * (seed % 16 < 2) + ["jax"] * (seed % 64 < 2)
    for backend in backends if engines else []:
        found.compiled(backend)
    if engines and seed % 32 in (4, 5):
        found.by_jax()
    return found


def main():
    """Compare programs until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start, counts, seed = time.monotonic(), Counter(), options.seed
    while time.monotonic() - start < options.seconds:
        found = compare(seed)
        counts["programs"] += 1
        counts["of them modules"] += isinstance(found, ModuleComparison)
        counts["at kinks"] += found.at_kink
        counts["with a difference"] += bool(found.differences)
        if found.differences:
            print(f"# seed {seed}", repr(found.program), *[f"# {line}" for line in found.differences], "", sep="\n")
        seed += 1
    print(*[f"{count} {what}" for what, count in counts.items()], sep=", ")
    return int(counts["with a difference"] > 0)


if __name__ == "__main__":
    sys.exit(main())
