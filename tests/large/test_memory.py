"""Building and dropping graphs, gradients, drawings, programs and fits leaves memory as it was.

`MEMORY_SECONDS=60` runs each kind for a minute by hand.
"""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.nn import MLP, load, save
from microgradlib.training import fit

SECONDS = float(os.environ.get("MEMORY_SECONDS", "0.3"))
BY_HAND = "MEMORY_SECONDS" in os.environ
CACHE = type(lru_cache(len))
ALLOWED = 300_000
"""Bytes: what Python's own tables still take after the first rounds."""


def graph(i: int) -> Value:
    x, y = Value(1.0 + i, label=f"x{i}"), Value(0.5)
    for k in range(200):
        y = y * 0.9 + x.sin() if k % 3 else mg.sum([x, y, Value(float(i))])
    return y


def graphs(i: int) -> None:
    graph(i).backward()


def second_derivatives(i: int) -> None:
    y = graph(i)
    x = mg.topological_sort(y)[1]
    mg.gradients(mg.gradients(y, [x])[0], [x])
    repr(mg.grad_table(y))


def copies(i: int) -> None:
    y = graph(i)
    pickle.loads(pickle.dumps([y, *y.parents]))
    copy.deepcopy([y, *y.parents])


def named_parameters(i: int) -> None:
    model = MLP(2, [4, 1], rng=i)
    loss = (model([1.0, float(i)]) - 1.0) ** 2
    loss.backward()
    mg.to_text(mg.simplify(loss), limit=10_000)


def drawings(i: int) -> None:
    mg.draw(graph(i % 3))._repr_html_()


def programs(i: int, backend: str = "numpy") -> None:
    model = MLP(2, [2, 1], rng=i)
    fast = mg.compile(lambda x, y: (model(x) - y) ** 2 * (1.0 + i), model.parameters(), backend=backend)
    fast.value_and_grad([[1.0, 2.0]], [1.0])
    str(fast.program)


def calls(backend: str) -> Callable[[int], None]:
    """Return calls of one program on batches of ever other sizes, which `fast` keeps memory for."""
    model = MLP(2, [2, 1], rng=0)
    fast = mg.compile(lambda x, y: (model(x) - y) ** 2, model.parameters(), backend=backend)
    sizes = 3 if backend == "jax" else 1_000  # JAX compiles anew for each size, and keeps that

    def call(i: int) -> None:
        batch = sizes - i % sizes  # the largest first, as memory is kept for it
        fast.value_and_grad([[1.0, 2.0]] * batch, [1.0] * batch)

    return call


def fits(i: int, backend: str | None = None) -> None:
    model = MLP(1, [2, 1], rng=i)
    inputs = [[0.1 * k] for k in range(4)]
    engine = {"backend": backend, "compiled": True} if backend else {"compiled": False}
    history = fit(model, lambda y, t: (y - t) ** 2, inputs, [x[0] for x in inputs], epochs=2, progress=False, **engine)
    repr(history)


def saved_files(i: int) -> None:
    model = MLP(2, [2, 1], rng=i)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{i}.json"
        save(model, path)
        load(MLP(2, [2, 1], rng=0), path)
        mg.draw(model([1.0, float(i)])).save(Path(folder) / "graph.svg")


def steppers(i: int) -> None:
    x = Value(1.0 + i, label=f"x{i}")
    len(mg.explain(x * x + x.sin()).html)


def transforms(i: int) -> None:
    mg.hessian(lambda xs: xs[0] * mg.sin(xs[1]) * (i + 1.0))([1.0, 2.0])


def held() -> int:
    """Return how many bytes are held, besides by caches of at most so many results, which fill for minutes."""
    for module in [module for name, module in sys.modules.items() if name.startswith("microgradlib")]:
        for thing in vars(module).values():
            if isinstance(thing, CACHE) and thing.cache_info().maxsize is not None:
                thing.cache_clear()
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def growth(work: Callable[[int], None], seconds: float) -> int:
    """Return by how many bytes memory grows while work is repeated, after a time of warming up."""
    tracemalloc.start()
    try:
        i = 0
        for share in (0.5, 1.0):
            before = held()
            end = time.monotonic() + share * seconds
            while i < 3 or time.monotonic() < end:
                work(i)
                i += 1
        return held() - before
    finally:
        tracemalloc.stop()


KINDS = [
    graphs,
    second_derivatives,
    copies,
    named_parameters,
    drawings,
    programs,
    transforms,
    fits,
    saved_files,
    steppers,
]
ENGINES = ["numpy", "native", "jax"]


@pytest.mark.slow
@pytest.mark.parametrize("work", KINDS)
def test_memory_is_flat(work: Callable[[int], None]) -> None:
    pytest.importorskip("numpy", reason="compiled programs need NumPy")
    assert growth(work, SECONDS) < ALLOWED


@pytest.mark.slow
@pytest.mark.parametrize("backend", ENGINES)
@pytest.mark.parametrize("kind", ["programs", "calls", "fits"])
def test_memory_of_compiled_programs_is_flat(kind: str, backend: str) -> None:
    extra = {"numpy": "numpy", "native": "llvmlite", "jax": "jax"}[backend]
    pytest.importorskip(extra, reason="the engine is an extra")
    if backend == "jax" and kind != "calls" and not BY_HAND:
        pytest.skip("JAX compiles each program for seconds: by hand")
    kinds = {"programs": partial(programs, backend=backend), "fits": partial(fits, backend=backend)}
    assert growth(kinds[kind] if kind in kinds else calls(backend), SECONDS) < ALLOWED


def test_a_leak_is_found() -> None:
    kept: list[Value] = []
    assert growth(lambda i: kept.append(graph(i)), 0.1) > ALLOWED
