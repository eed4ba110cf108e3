"""What derivatives cost as the number of inputs grows: grad, hvp and central differences over the function itself.

    python tests/benchmarks/derivative_costs.py

The function is a sum of n sines of products, of cost O(n). Its gradient by backpropagation and its Hessian-vector
product cost a constant number of evaluations for every n; central differences take 2n evaluations, which is O(n²).
"""

from __future__ import annotations

import gc
import statistics
import time
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import microgradlib as mg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REPEATS = 5


def chain(x: Sequence[Any]) -> Any:
    """Return Σ sin(xᵢ xᵢ₊₁), for Values or floats."""
    total = x[0] * 0.0
    for a, b in pairwise(x):
        total = total + mg.sin(a * b)
    return total


def build_graph(x: Sequence[float]) -> Any:
    """Evaluate the function on Values, as grad does first, without differentiating."""
    return chain([mg.Value(number) for number in x])


def central_differences(x: Sequence[float]) -> list[float]:
    """Return the gradient by one central difference for each input: 2n evaluations on floats."""
    slopes, h = [], 1e-6
    for i, number in enumerate(x):
        above, below = [*x], [*x]
        above[i], below[i] = number + h, number - h
        slopes.append((chain(above) - chain(below)) / (2 * h))
    return slopes


def median_seconds(run: Callable[[], object]) -> float:
    """Return the median time of several runs, each after a garbage collection: none pays for another's cycles."""
    times = []
    for _ in range(REPEATS):
        gc.collect()
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(sizes: Sequence[int] = (10, 30, 100, 300, 1000), numeric_up_to: int = 300) -> list[dict[str, float]]:
    """Return for each n the seconds of f on Values, and the ratios to it of grad, hvp and central differences."""
    rows = []
    for n in sizes:
        x = [0.5 + i % 7 / 10 for i in range(n)]
        f = median_seconds(partial(build_graph, x))
        row = {
            "n": n,
            "f": f,
            "grad/f": median_seconds(partial(mg.grad(chain), x)) / f,
            "hvp/f": median_seconds(partial(mg.hvp, chain, x, [1.0] * n)) / f,
        }
        if n <= numeric_up_to:
            row["numeric/f"] = median_seconds(partial(central_differences, x)) / f
        rows.append(row)
    return rows


def main() -> None:
    """Print the table."""
    print("     n    f, ms   grad/f    hvp/f   numeric/f")
    for row in measure():
        numeric = f"{row['numeric/f']:11.1f}" if "numeric/f" in row else "          –"
        print(f"{row['n']:6} {row['f'] * 1e3:8.2f} {row['grad/f']:8.2f} {row['hvp/f']:8.2f} {numeric}")


if __name__ == "__main__":
    main()
