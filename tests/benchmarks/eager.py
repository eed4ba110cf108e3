"""Eager speed against micrograd and a microgpt-like engine: `python tests/benchmarks/eager.py [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STEPS = {"mlp": 6, "gpt": 12}
COMPARISONS = (
    # title, program, rival, how many times as fast it must be
    ("MLP(2, [16, 16, 1]), 100 points, hinge loss + L2", "mlp-microgradlib", "mlp-micrograd", 25.0),
    ("the same, every product and sum a node", "mlp-microgradlib-expanded", "mlp-micrograd", 3.0),
    ("GPT over scalars, one name, Adam", "gpt-microgradlib", "gpt-tuple-engine", 1.0),
)
CHAINS = (100_000, 1_000_000)


def child(*arguments: str) -> Any:
    """Run programs.py with these arguments in a process of its own and return what it prints.

    Two engines in one process would be timed wrongly. Python's cycle collector starts after so many allocations,
    whoever made them, and looks through all objects alive: micrograd's nodes are cycles that lie about until then, so
    the engine that allocates next would pay for finding and freeing them.
    """
    paths = [str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, str(HERE / "programs.py"), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if finished.returncode:
        message = f"{' '.join(arguments)} failed:\n{finished.stderr}"
        raise RuntimeError(message)
    return json.loads(finished.stdout)


def check_same_losses(losses: dict[str, list[float]]) -> None:
    """Raise ValueError unless programs that are compared computed the same numbers."""
    for _, program, rival, _ in COMPARISONS:
        for ours, theirs in zip(losses[program], losses[rival], strict=True):
            if abs(ours - theirs) > 1e-9 * max(1.0, abs(theirs)):
                message = f"{program} computes {ours}, {rival} computes {theirs}: the times do not compare"
                raise ValueError(message)


def training_times(rounds: int) -> dict[str, list[float]]:
    """Return for each program its milliseconds per step, one number a round; programs take turns within a round.

    A round's number is the mean of its steps, for collections by the garbage collector fall on some steps only and the
    user waits for all; the first step, which warms the interpreter up, does not count.
    """
    names = list(dict.fromkeys(name for _, program, rival, _ in COMPARISONS for name in (rival, program)))
    times: dict[str, list[float]] = {name: [] for name in names}
    losses = {}
    for _ in range(rounds):
        for name in names:
            result = child(name, str(STEPS[name.split("-")[0]]))
            times[name].append(1e3 * statistics.mean(result["seconds"][1:]))
            losses[name] = result["losses"]
        check_same_losses(losses)
    return times


def growth(rounds: int) -> dict[str, dict[str, float]]:
    """Return microseconds per node of each operation on a chain, by the length of the chain."""
    found = {}
    for length in CHAINS:
        runs = [child("chain", str(length)) for _ in range(rounds)]
        found[str(length)] = {name: statistics.median(run[name] for run in runs) / length * 1e6 for name in runs[0]}
    return found


def measure(rounds: int = 5) -> dict[str, Any]:
    """Return all measurements: milliseconds per step, ratios with their bars, microseconds per node of chains.

    A ratio is the median of the rounds' ratios: within a round both programs find the machine about equally busy.
    """
    times = training_times(rounds)
    return {
        "python": platform.python_version(),
        "rounds": rounds,
        "milliseconds": times,
        "ratios": [
            {
                "title": title,
                "bar": bar,
                "ratio": statistics.median(theirs / ours for theirs, ours in zip(times[rival], times[program])),
            }
            for title, program, rival, bar in COMPARISONS
        ],
        "microseconds_per_node": growth(min(rounds, 3)),
    }


def table(found: dict[str, Any]) -> str:
    """Return the measurements as text to read."""
    times = found["milliseconds"]
    lines = [f"Python {found['python']}, {found['rounds']} rounds, each program in a process of its own", ""]
    lines.append(f"{'ms per training step':<34}{'median':>10}{'least':>10}{'most':>10}")
    lines += [f"  {name:<32}{statistics.median(t):>10.2f}{min(t):>10.2f}{max(t):>10.2f}" for name, t in times.items()]
    lines += ["", "times as fast as the rival"]
    for row in found["ratios"]:
        verdict = "ok" if row["ratio"] >= row["bar"] else "BELOW THE BAR"
        lines.append(f"  {row['title']:<52}{row['ratio']:>7.2f}   bar {row['bar']:g}: {verdict}")
    chains = found["microseconds_per_node"]
    lines += ["", f"{'µs per node of a chain of':<34}" + "".join(f"{int(length):>12,}" for length in chains)]
    operations = next(iter(chains.values()))
    lines += [f"  {name:<32}" + "".join(f"{per[name]:>12.3f}" for per in chains.values()) for name in operations]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="how often each program runs (5)")
    options = parser.parse_args()
    found = measure(options.rounds)
    print(json.dumps(found, indent=2) if options.json else table(found))


if __name__ == "__main__":
    main()
