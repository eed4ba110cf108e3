"""What derivatives cost as inputs grow: grad and hvp against the function itself, beside numeric differentiation.

    python tests/benchmarks/derivative_costs.py

The function is a chain of n products and sines, of cost O(n). Backpropagation's gradient and the Hessian-vector product
cost a constant number of evaluations whatever n; central differences cost 2n of them, so O(n²).
"""

from __future__ import annotations

import gc
import statistics
import time
from itertools import pairwise

import microgradlib as mg

REPEATS = 5


def chain(x):
    """Return Σ sin(xᵢ xᵢ₊₁), on Values or, as the plain function, on floats."""
    total = x[0] * 0.0
    for a, b in pairwise(x):
        total = total + mg.sin(a * b)
    return total


def recorded(x):
    """Record the function on Values, as grad has to, and differentiate nothing."""
    return chain([mg.Value(number) for number in x])


def central_differences(x):
    """Return the gradient by one central difference for each input: 2n evaluations on floats."""
    slopes, h = [], 1e-6
    for i, number in enumerate(x):
        above, below = [*x], [*x]
        above[i], below[i] = number + h, number - h
        slopes.append((chain(above) - chain(below)) / (2 * h))
    return slopes


def median_seconds(run):
    """Return the median time of several runs, each after a collection of the cycles that others left."""
    times = []
    for _ in range(REPEATS):
        gc.collect()
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(sizes=(10, 30, 100, 300, 1000), numeric_up_to=300):
    """Return, for each n, the seconds of f and the ratios of grad, hvp and numeric differentiation to it."""
    rows = []
    for n in sizes:
        x = [0.5 + i % 7 / 10 for i in range(n)]
        v = [1.0] * n
        f = median_seconds(lambda x=x: recorded(x))
        row = {
            "n": n,
            "f": f,
            "grad/f": median_seconds(lambda x=x: mg.grad(chain)(x)) / f,
            "hvp/f": median_seconds(lambda x=x, v=v: mg.hvp(chain, x, v)) / f,
        }
        if n <= numeric_up_to:
            row["numeric/f"] = median_seconds(lambda x=x: central_differences(x)) / f
        rows.append(row)
    return rows


def main():
    """Print the table."""
    print("     n    f, ms   grad/f    hvp/f   numeric/f")
    for row in measure():
        numeric = f"{row['numeric/f']:11.1f}" if "numeric/f" in row else "          –"
        print(f"{row['n']:6} {row['f'] * 1e3:8.2f} {row['grad/f']:8.2f} {row['hvp/f']:8.2f} {numeric}")


if __name__ == "__main__":
    main()
