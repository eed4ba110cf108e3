"""The bars of compiled functions: the part of another library's time that ours may take, by engine and precision.

A bar is for the fastest of the programs written for a library, in the layout of that library's own layers where these
fix one: PyTorch's `nn.Linear` takes a row for each point ("batch first"). What is quicker in a layout that nobody
writes there, the MLP by `addmm` on columns ("features first"), is a line of its own in the tables, without a bar.
"""

from __future__ import annotations

NAMES = ("mlp-100", "mlp-2000", "gpt-1", "gpt-16", "gpt-256", "lstm", "cnn")
"""The comparisons, in the order of the tables."""

RATIOS: dict[tuple[str, str], dict[str, tuple[float, ...]]] = {
    ("native", "float64"): {
        "jax": (0.25, 0.3, 0.4, 0.35, 0.33, 0.5, 0.3),
        "torch": (0.1, 0.2, 0.1, 0.2, 0.25, 0.25, 0.15),
    },
    ("native", "float32"): {
        "jax": (0.25, 0.25, 0.4, 0.3, 0.28, 0.4, 0.3),
        "torch": (0.1, 0.2, 0.1, 0.15, 0.25, 0.3, 0.15),
    },
    ("numpy", "float64"): {
        "torch": (0.25, 0.55, 0.7, 0.8, 0.8, 2.0, 2.0),
        "numpy": (1.15, 1.1),
    },
}

OWN_LAYOUTS = {"torch": "batch first"}
"""The layout that a library's own layers fix, as the names of its programs have it behind the comma."""

FIRST_CALLS = {"native": {"mlp-100": 0.15, "gpt-1": 0.6}, "numpy": {"mlp-100": 0.1, "gpt-1": 0.5}}
"""The most seconds that a function's first call may take, nothing in the cache."""

CACHED = 0.01
"""The most seconds that native code may take to come from the cache."""

OVERHEAD = 4e-6
"""The most seconds that a call may take beside its native code."""

PEAK = 0.5
"""The least part of the machine's peak, for an MLP of 2,000 points and a GPT of 256 texts."""

THREADS = 1.6
"""The least gain of a second thread, for a GPT of 256 texts."""


def bars_of(name: str, backend: str, dtype: str) -> dict[str, float]:
    """Return a comparison's bars, by library; none where nothing was promised.

    >>> bars_of("gpt-256", "native", "float32")
    {'jax': 0.28, 'torch': 0.25}
    """
    place, ratios = NAMES.index(name), RATIOS.get((backend, dtype), {})
    return {library: numbers[place] for library, numbers in ratios.items() if place < len(numbers)}


def barred(names: list[str], library: str) -> str:
    """Return which of a library's programs, the fastest first, its bar is for.

    >>> barred(["torch, features first", "jax, features first", "torch, batch first"], "torch")
    'torch, batch first'
    >>> barred(["jax, features first", "jax, batch first"], "jax")
    'jax, features first'
    """
    own = f"{library}, {OWN_LAYOUTS.get(library)}"
    return own if own in names else next(name for name in names if name.split(",")[0] == library)


def verdict(number: float, bar: float) -> str:
    """Return a verdict in words on whether a number is at most its limit."""
    return "ok" if number <= bar else "ABOVE THE BAR"
