"""Compiled functions against NumPy by hand, JAX, PyTorch, CasADi and Dr.Jit: `python tests/benchmarks/compiled.py`.

All programs take turns in one process, on one thread each; the numbers are medians. A precision has a process of its
own, and so has each of several runs: a bar holds if it does in most of them. Native code starts from an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# NumPy reads its number of threads when it is imported: nothing that imports it may be imported before `one_thread`.
# Neighbouring files are imported where they are used: pytest reads this file too.
# ruff: noqa: PLC0415

ROOT = Path(__file__).resolve().parents[2]
TURN = 0.03
"""The least number of seconds for which a program runs in succession."""

FEWEST = 3
"""The least number of runs in succession."""


def comparisons(which: str, dtype: str = "float64", backend: str = "auto") -> list[Any]:
    """Return the comparisons whose names start with `which`."""
    import gpt_comparison
    import layer_comparison
    import mlp_comparison

    makers: dict[str, Callable[[], Any]] = {
        "mlp-100": lambda: mlp_comparison.comparison(100, dtype),
        "mlp-2000": lambda: mlp_comparison.comparison(2000, dtype),
        "gpt-1": lambda: gpt_comparison.comparison(1, dtype),
        "gpt-16": lambda: gpt_comparison.comparison(16, dtype),
        "gpt-256": lambda: gpt_comparison.comparison(256, dtype),
        "lstm": lambda: layer_comparison.lstm(dtype),
        "cnn": lambda: layer_comparison.cnn(dtype),
    }
    made = [make() for name, make in makers.items() if name.startswith(which)]
    for problem in made:
        problem.backend = backend
    return made


def warm_up(backend: str) -> None:
    """Compile a function, so that the first that is measured does not import LLVM and the like."""
    from microgradlib import Value
    from microgradlib.compiler import compile  # noqa: A004

    weight = Value(1.0)
    compile(lambda x: (weight * x).tanh(), [weight], backend=backend).value_and_grad([1.0, 2.0])


def turn(step: Any, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the median time of a step over several runs in succession; the first, with cold caches, is not counted."""
    step()
    times: list[float] = []
    while len(times) < FEWEST or sum(times) < TURN:
        start = clock()
        step()
        times.append(clock() - start)
    return statistics.median(times)


def measured(problems: list[Any], rounds: int, clock: Callable[[], float]) -> list[dict[str, list[float]]]:
    """Return for each comparison the seconds of each program, one number per round; rounds interleave the programs."""
    times: list[dict[str, list[float]]] = [{name: [] for name in problem.steps} for problem in problems]
    for _ in range(rounds):
        for problem, found in zip(problems, times, strict=True):
            for name, step in problem.steps.items():
                found[name].append(turn(step, clock))
    return times


def one_run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all programs in one precision, in this process."""
    from machine import load, one_thread

    one_thread(jax_direct=options.jax_direct)
    before = load()
    problems = comparisons(options.only, options.dtype, options.backend)
    warm_up(options.backend)
    clock = time.process_time if options.cpu else time.perf_counter
    missing = [line for problem in problems for line in problem.prepare(options.first_calls, clock)]
    times = measured(problems, options.rounds, clock)
    results = [
        {"name": p.name, "title": p.title, "backend": p.chosen, "seconds": t, "first_calls": p.first_calls}
        for p, t in zip(problems, times, strict=True)
    ]
    return {"load": [before, load()], "missing": list(dict.fromkeys(missing)), "results": results}


def run_in_process(dtype: str, arguments: list[str]) -> Any:
    """Return what `one_run` measures of this checkout in a process of its own, with an empty cache of native code."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MICROGRADLIB_CACHE_DIR": folder, "PYTHONPATH": path}
        command = [sys.executable, __file__, *arguments, "--dtype", dtype, "--one-run"]
        finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout)


def ratios(runs: list[dict[str, Any]], dtype: str) -> list[dict[str, Any]]:
    """Return for each rival our time as a part of its, one number for each run: the median of its rounds' ratios.

    Of the programs for one library the fastest, in all runs, is the rival that the bar is for, or that in the layout of
    the library's own layers (see `bars`); a bar holds if it does in most runs.
    """
    from bars import barred, bars_of

    first, found = runs[0], []
    bars = bars_of(first["name"], first["backend"], dtype)
    names = [name for name in first["seconds"] if name != "ours"]
    names.sort(key=lambda name: statistics.median([statistics.median(run["seconds"][name]) for run in runs]))
    for name in names:
        library = name.split(",")[0]
        parts = [
            statistics.median([a / b for a, b in zip(run["seconds"]["ours"], run["seconds"][name], strict=True)])
            for run in runs
        ]
        bar = bars.get(library) if name == barred(names, library) else None
        held = None if bar is None else sum(part <= bar for part in parts)
        found.append({"rival": name, "bar": bar, "ratios": parts, "held": held})
    return found


def table(runs: list[dict[str, Any]], dtype: str) -> str:
    """Return the measurements of one comparison as text to read."""
    from bars import FIRST_CALLS, verdict

    first = runs[0]
    lines = [f"{first['title']}, {dtype}", f"  {'ms':<38}{'median':>10}{'least':>10}{'most':>10}"]
    for name in first["seconds"]:
        seconds = [number for run in runs for number in run["seconds"][name]]
        numbers = [1e3 * number for number in (statistics.median(seconds), min(seconds), max(seconds))]
        lines.append(f"    {name:<36}" + "".join(f"{number:>10.3f}" for number in numbers))
    lines.append(f"  {'ours / theirs':<38}{'median':>10}{'least':>10}{'most':>10}{'bar':>8}")
    for row in ratios(runs, dtype):
        middle = statistics.median(row["ratios"])
        line = f"    {row['rival']:<36}{middle:>10.3f}{min(row['ratios']):>10.3f}{max(row['ratios']):>10.3f}"
        if row["bar"] is not None:
            line += f"{row['bar']:>8g}  {verdict(middle, row['bar'])}, held in {row['held']} of {len(runs)}"
        lines.append(line)
    cold = [1e3 * run["first_calls"][0] for run in runs]
    again = [1e3 * seconds for run in runs for seconds in run["first_calls"][1:]]
    line = f"  our first call (trace, vectorize, reverse, plan, compile, run): {statistics.median(cold):.0f} ms"
    if again:
        line += f", again {statistics.median(again):.0f} ms" + " (code from the cache)" * (first["backend"] == "native")
    bar = FIRST_CALLS.get(first["backend"], {}).get(first["name"])
    if bar is not None:
        line += f"   bar {1e3 * bar:g} ms: {verdict(statistics.median(cold), 1e3 * bar)}"
    return "\n".join([*lines, line, ""])


def main() -> None:
    """Measure and print."""
    from machine import machine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="auto", choices=["auto", "native", "numpy"], help="our engine (auto)")
    parser.add_argument("--dtype", choices=["float64", "float32"], help="one precision (both)")
    parser.add_argument("--runs", type=int, default=1, help="how often all is measured, in processes of their own (1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--rounds", type=int, default=9, help="how often all programs take their turns (9)")
    parser.add_argument("--first-calls", type=int, default=3, help="how often each function is compiled (3)")
    parser.add_argument("--only", default="", help="comparisons whose names begin so: mlp, gpt-16, lstm, cnn …")
    parser.add_argument(
        "--jax-direct", action="store_true", help="JAX computes in the caller's thread, not in its pool"
    )
    parser.add_argument("--cpu", action="store_true", help="CPU time: what others do on the machine counts less")
    parser.add_argument("--one-run", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_run:
        print(json.dumps(one_run(options)))
        return
    found, clock = {}, "CPU time" if options.cpu else "time on the clock"
    for dtype in [options.dtype] if options.dtype else ["float64", "float32"]:
        runs = [run_in_process(dtype, sys.argv[1:]) for _ in range(options.runs)]
        same = [list(results) for results in zip(*[run["results"] for run in runs], strict=True)]
        found[dtype] = {"runs": runs, "ratios": {results[0]["name"]: ratios(results, dtype) for results in same}}
        if options.json:
            continue
        loads = ", ".join(f"{a:.1f} to {b:.1f}" for a, b in (run["load"] for run in runs))
        print(f"{machine()}; load {loads}; {dtype}, one thread, {len(runs)} × {options.rounds} rounds, {clock}")
        print("\n".join([*runs[0]["missing"], ""]))
        for results in same:
            print(table(results, dtype), flush=True)
    if options.json:
        print(json.dumps({"machine": machine(), "rounds": options.rounds, **found}, indent=2))


if __name__ == "__main__":
    main()
