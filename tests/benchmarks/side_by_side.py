"""Compiled functions of two checkouts in turn: `python tests/benchmarks/side_by_side.py OTHER [--dtype float32]`.

Each checkout runs in a process of its own, and waits while the other works: a step of `value_and_grad` of the same loss
on the same data, one thread. Shown are medians of several rounds, the median and range of the rounds' ratios, the times
of first calls, and the most memory that each process had.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
NAMES = ("mlp-100", "mlp-2000", "gpt-1", "gpt-16", "gpt-256", "lstm", "cnn")
TURN = 0.2
"""The least seconds of a turn."""


class Worker:
    """A process that measures one checkout when it is told to."""

    def __init__(self, checkout: Path, options: argparse.Namespace) -> None:
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        threads["MICROGRADLIB_CACHE_DIR"] = "off"  # each first call compiles
        environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join([str(checkout), str(HERE.parent)])}
        command = [
            sys.executable,
            str(HERE),
            "--worker",
            "--dtype",
            options.dtype,
            "--only",
            options.only,
            str(checkout),
        ]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *question: Any) -> Any:
        """Send a question, return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


def work(options: argparse.Namespace) -> None:
    """Answer questions: ["first", name] with the seconds of first calls, ["step", name] with those of a step."""
    from compiled import comparisons  # noqa: PLC0415  beside this file
    from machine import one_thread  # noqa: PLC0415

    from microgradlib.compiler import compile  # noqa: A004, PLC0415

    one_thread()
    steps: dict[str, Any] = {}
    for line in sys.stdin:
        what, *names = json.loads(line)
        if what == "memory":
            answer: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        elif what == "first":
            problem = comparisons(names[0])[0]
            answer = []
            for _ in range(5):
                fast = compile(problem.loss, problem.parameters, dtype=options.dtype)
                fast.set_parameters(problem.flat)
                start = time.perf_counter()
                fast.value_and_grad(*problem.data)
                answer.append(time.perf_counter() - start)
            data = [part.astype(options.dtype) for part in problem.data]
            fast.set_parameters(problem.flat.astype(options.dtype))
            steps[names[0]] = lambda fast=fast, data=data: fast.value_and_grad(*data)
        else:
            answer = turn(steps[names[0]])
        print(json.dumps(answer), flush=True)


def turn(step: Any) -> float:
    """Return the median time of a step in one turn; the first, with cold caches, is not counted."""
    step()
    times: list[float] = []
    while sum(times) < TURN:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="comparisons whose names begin so")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return
    workers = {"this": Worker(HERE.parents[2], options), "other": Worker(options.other.resolve(), options)}
    print(f"{options.dtype}, one thread, {options.rounds} rounds, load {os.getloadavg()[0]:.1f}; ratios this / other")
    print(f"{'':<10}{'µs':>10}{'other':>10}{'ratio':>8}{'least':>7}{'most':>7}{'first ms':>12}{'other':>8}{'ratio':>7}")
    for name in [name for name in NAMES if name.startswith(options.only)]:
        first = {who: 1e3 * statistics.median(worker.ask("first", name)) for who, worker in workers.items()}
        times: dict[str, list[float]] = {who: [] for who in workers}
        for _ in range(options.rounds):
            for who, worker in workers.items():
                times[who].append(1e6 * worker.ask("step", name))
        ratios = [a / b for a, b in zip(times["this"], times["other"], strict=True)]
        steps = [f"{statistics.median(times[who]):>10.1f}" for who in workers]
        spread = f"{statistics.median(ratios):>8.3f}{min(ratios):>7.2f}{max(ratios):>7.2f}"
        calls = f"{first['this']:>12.1f}{first['other']:>8.1f}{first['this'] / first['other']:>7.2f}"
        print(f"{name:<10}{''.join(steps)}{spread}{calls}", flush=True)
    print("most memory, MiB:", {who: round(worker.ask("memory")) for who, worker in workers.items()})


if __name__ == "__main__":
    main()
