"""Compiled functions against NumPy by hand, JAX, PyTorch and CasADi: `python tests/benchmarks/compiled.py [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from contextlib import suppress
from typing import Any

# NumPy reads its number of threads when it is imported: nothing that imports it may be imported before `one_thread`.
# ruff: noqa: PLC0415

TURN = 0.03
"""The least number of seconds for which a program runs in succession."""

FEWEST = 3
"""The least number of runs in succession."""


def one_thread(*, jax_direct: bool) -> None:
    """Let BLAS, OpenMP, XLA and PyTorch compute on one thread, in double precision.

    XLA's flags leave it a pool of threads, whose size NPROC sets. JAX hands its work to that pool and waits; with
    `jax_direct` it is done in the caller's own thread, which is faster by some 0.01 ms a call but not what users get.
    """
    for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["NPROC"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["JAX_ENABLE_X64"] = "1"
    with suppress(ImportError):
        import torch

        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
    with suppress(ImportError):
        import jax

        jax.config.update("jax_cpu_enable_async_dispatch", not jax_direct)


def comparisons(which: str) -> list[Any]:
    """Return the comparisons whose names start with `which`."""
    import gpt_comparison
    import layer_comparison
    import mlp_comparison

    makers = {
        "mlp-100": lambda: mlp_comparison.comparison(100),
        "mlp-2000": lambda: mlp_comparison.comparison(2000),
        "gpt-1": lambda: gpt_comparison.comparison(1),
        "gpt-16": lambda: gpt_comparison.comparison(16),
        "gpt-256": lambda: gpt_comparison.comparison(256),
        "lstm": layer_comparison.lstm,
        "cnn": layer_comparison.cnn,
    }
    return [make() for name, make in makers.items() if name.startswith(which)]


def turn(step: Any) -> float:
    """Return the median time of a step over several runs in succession; the first, with cold caches, is not counted."""
    step()
    times: list[float] = []
    while len(times) < FEWEST or sum(times) < TURN:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measured(problems: list[Any], rounds: int) -> list[dict[str, list[float]]]:
    """Return for each comparison the seconds of each program, one number per round; rounds interleave the programs."""
    times: list[dict[str, list[float]]] = [{name: [] for name in problem.steps} for problem in problems]
    for _ in range(rounds):
        for problem, found in zip(problems, times, strict=True):
            for name, step in problem.steps.items():
                found[name].append(turn(step))
    return times


def rows(problem: Any, times: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return for each rival our time as a part of its: the median, least and most of the rounds' ratios.

    Of the programs for one library the fastest is the rival that the bar is for.
    """
    found = []
    for library, bar in problem.bars.items():
        programs = [name for name in times if name.split(",")[0] == library]
        programs.sort(key=lambda name: statistics.median(times[name]))
        for i, name in enumerate(programs):
            ratios = [ours / theirs for ours, theirs in zip(times["ours"], times[name], strict=True)]
            row = {"ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
            found.append({"rival": name, "bar": None if i else bar, **row})
    return found


def table(problem: Any, times: dict[str, list[float]]) -> str:
    """Return the measurements of one comparison as text to read."""
    lines = [problem.title, f"  {'ms':<38}{'median':>10}{'least':>10}{'most':>10}"]
    for name, seconds in times.items():
        numbers = [1e3 * number for number in (statistics.median(seconds), min(seconds), max(seconds))]
        lines.append(f"    {name:<36}" + "".join(f"{number:>10.3f}" for number in numbers))
    lines.append(f"  {'ours / theirs':<38}{'median':>10}{'least':>10}{'most':>10}{'bar':>8}")
    for row in rows(problem, times):
        line = f"    {row['rival']:<36}{row['ratio']:>10.3f}{row['least']:>10.3f}{row['most']:>10.3f}"
        lines.append(line + ("" if row["bar"] is None else f"{row['bar']:>8g}  {verdict(row['ratio'], row['bar'])}"))
    first, *later = [1e3 * seconds for seconds in problem.first_calls]
    line = f"  our first call (trace, vectorize, reverse, plan, run): {first:.0f} ms"
    if later:
        line += f", compiled again {statistics.median(later):.0f} ms"
    if problem.first_call_bar is not None:
        bar = 1e3 * problem.first_call_bar
        line += f"   bar {bar:g} ms: {verdict(first, bar)}"
    return "\n".join([*lines, line, ""])


def verdict(number: float, bar: float) -> str:
    """Return a verdict in words on whether a number is at most its limit."""
    return "ok" if number <= bar else "ABOVE THE BAR"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--rounds", type=int, default=9, help="how often all programs take their turns (9)")
    parser.add_argument("--first-calls", type=int, default=3, help="how often each function is compiled (3)")
    parser.add_argument("--only", default="", help="comparisons whose names begin so: mlp, gpt-16, lstm, cnn …")
    parser.add_argument(
        "--jax-direct", action="store_true", help="JAX computes in the caller's thread, not in its pool"
    )
    options = parser.parse_args()
    one_thread(jax_direct=options.jax_direct)
    problems = comparisons(options.only)
    missing = [line for problem in problems for line in problem.prepare(options.first_calls)]
    times = measured(problems, options.rounds)
    if options.json:
        results = [
            {"title": p.title, "seconds": t, "ratios": rows(p, t), "first_calls": p.first_calls}
            for p, t in zip(problems, times, strict=True)
        ]
        print(json.dumps({"python": platform.python_version(), "rounds": options.rounds, "results": results}, indent=2))
        return
    print(f"Python {platform.python_version()}, {options.rounds} rounds, float64, one thread, all in one process")
    print("\n".join([*dict.fromkeys(missing), ""]))
    for problem, found in zip(problems, times, strict=True):
        print(table(problem, found))


if __name__ == "__main__":
    main()
