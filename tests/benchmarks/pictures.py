"""Times of drawings, the stepper and the tables of cells: `python tests/benchmarks/pictures.py`.

Each line is the CPU time of one call in seconds, the median of five in one process, with the size of the HTML. Bars:
a drawing of 300 nodes in half a second, of 10,000 in two seconds, the stepper of 300 nodes in a quarter of one.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "common"))

import classroom_graphs

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.costs import cross_entropy

ROUNDS = 5


def tangle(count: int) -> Value:
    """Return a random graph of about `count` nodes without scopes, on ten inputs."""
    rng = random.Random(0)
    nodes: list[Any] = [Value(0.1 * i, f"x_{i}") for i in range(10)]
    while len(nodes) < count:
        a, b = rng.sample(nodes[-60:], 2)
        nodes.append(rng.choice([a + b, a * b, mg.tanh(a), mg.sin(a)]))
    return mg.sum([node for node in nodes[-20:] if node.parents])


def mlp(*sizes: int) -> Value:
    """Return the cost of one example of an MLP, after a backward pass."""
    model = nn.MLP(list(sizes), activation="tanh", rng=0)
    loss = cross_entropy(model([0.1 * (i % 7) for i in range(sizes[0])]), 0)
    loss.backward()
    return loss


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the median CPU time of a call after a first one, and its last result."""
    result, times = call(), []
    for _ in range(ROUNDS):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return statistics.median(times), result


def main() -> None:
    """Print the table."""
    graphs = {
        "MLP(2, [3, 1])": classroom_graphs.small_network()[0],
        "batch of 4": classroom_graphs.batch(4)[0],
        "random": tangle(300),
        "MLP 6-8-8-6-4": mlp(6, 8, 8, 6, 4),
        "random, large": tangle(10_000),
        "MLP 64-100-30-10": mlp(64, 100, 30, 10),
        "chain": classroom_graphs.chain(10_000)[0],
    }
    print(f"{'graph':18} {'nodes':>6} {'draw':>8} {'its html':>9} {'kB':>5} {'explain':>8} {'table':>7}")
    for name, output in graphs.items():
        count = len(mg.topological_sort(output))
        drawn, drawing = seconds(lambda output=output: mg.draw(output))
        written, html = seconds(lambda output=output: mg.draw(output).html)
        stepped = seconds(lambda output=output: mg.explain(output).tape)[0] if count < 3_000 else float("nan")
        table = seconds(lambda output=output: mg.grad_table(output)._repr_html_())[0]
        print(
            f"{name:18} {count:6} {drawn:8.3f} {max(written - drawn, 0):9.3f} {len(html) // 1000:5} "
            f"{stepped:8.3f} {table:7.3f}"
        )
        del drawing


if __name__ == "__main__":
    main()
