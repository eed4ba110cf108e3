"""Eager speed against micrograd, microgpt's engine and other versions of the library.

    python tests/benchmarks/eager.py [--rounds 5] [--json] [--microgpt microgpt.py] [--baseline CHECKOUT]

`--microgpt` also times microgpt's own file with its Value and with ours. `--baseline` compares sorting, copying,
pickling and compiling with another checkout of the library. Each measurement has a bar, printed beside it.
"""

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
ROOT = HERE.parents[1]

STEPS = {"mlp": 6, "gpt": 12, "microgpt": 12}
"""How many training steps a program runs, by the first word of its name."""

MICROGPT_BAR = 1 / 0.65
COMPARISONS = (
    # title, program, rival, how many times as fast it must be
    ("MLP(2, [16, 16, 1]), 100 points, hinge loss + L2", "mlp-microgradlib", "mlp-micrograd", 45.0),
    ("the same, every product and sum a node", "mlp-microgradlib-expanded", "mlp-micrograd", 8.0),
    ("the same by micrograd's nn over our Value", "mlp-micrograd-nn-over-microgradlib", "mlp-micrograd", 10.0),
    ("GPT over scalars, one name, Adam", "gpt-microgradlib", "gpt-tuple-engine", MICROGPT_BAR),
)
MICROGPT = ("microgpt's own file over our Value", "microgpt-over-microgradlib", "microgpt", MICROGPT_BAR)

CHAINS = (100_000, 1_000_000)
BUILD_BAR = 2.5
"""Seconds to build the longest chain, at most."""
BACKWARD_GROWTH_BAR = 1.5
"""Time per node of backward on the longest chain over that on the shortest, at most: 1 is linear; caches cost more."""

BASELINE_CHAIN = 100_000
BASELINE_BAR = 1.1
"""Time of an operation over its time in the baseline, at most."""


def child(*arguments: str, library: Path = ROOT) -> Any:
    """Run programs.py with these arguments in a process of its own and return what it prints.

    Engines are not timed in one process: the cyclic garbage collector runs after a number of allocations, whichever
    engine made them, and traverses all living objects. micrograd's graphs are cycles that live until a collection, so
    the engine that allocates next would pay for them. `library` is the checkout from which microgradlib is imported.
    """
    paths = [str(library), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, str(HERE / "programs.py"), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if finished.returncode:
        message = f"{' '.join(arguments)} failed:\n{finished.stderr}"
        raise RuntimeError(message)
    return json.loads(finished.stdout)


def check_same_losses(program: str, ours: list[float], rival: str, theirs: list[float]) -> None:
    """Raise ValueError unless two programs computed the same losses."""
    for loss, expected in zip(ours, theirs, strict=True):
        if not abs(loss - expected) <= 1e-9 * max(1.0, abs(expected)):
            message = f"{program} computes {loss}, {rival} computes {expected}: the times do not compare"
            raise ValueError(message)


def row(title: str, figure: float, bar: float, *, at_most: bool = False, unit: str = "") -> dict[str, Any]:
    """Return a measurement with its bar and whether it clears it."""
    met = figure <= bar if at_most else figure >= bar
    return {"title": title, "figure": figure, "unit": unit, "bar": bar, "at_most": at_most, "met": met}


def training(rounds: int, microgpt: str | None) -> tuple[dict[str, list[float]], list[dict[str, Any]]]:
    """Return milliseconds per training step, a list with one entry per round for each program, and the ratios.

    Programs alternate within a round, and a ratio is the median of the rounds' ratios: both programs of a round find
    the machine about equally busy. A round's entry is the mean over its steps, because garbage collections fall on some
    steps only and a user waits for all of them; the first step, which warms up the interpreter, is left out.
    """
    comparisons = (*COMPARISONS, *([MICROGPT] if microgpt else []))
    names = list(dict.fromkeys(name for _, program, rival, _ in comparisons for name in (rival, program)))
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        losses = {}
        for name in names:
            kind = name.split("-")[0]
            result = child(name, str(STEPS[kind]), *([microgpt] if microgpt and kind == "microgpt" else []))
            times[name].append(1e3 * statistics.mean(result["seconds"][1:]))
            losses[name] = result["losses"]
        for _, program, rival, _ in comparisons:
            check_same_losses(program, losses[program], rival, losses[rival])
    return times, [
        row(title, statistics.median(theirs / ours for theirs, ours in zip(times[rival], times[program])), bar)
        for title, program, rival, bar in comparisons
    ]


def chains(rounds: int) -> tuple[dict[str, dict[str, float]], list[dict[str, Any]]]:
    """Return the microseconds per node of each operation on a chain, by the chain's length, and the bars' rows."""
    runs = [[child("chain", str(length)) for length in CHAINS] for _ in range(rounds)]
    per_node = {
        str(length): {
            name: statistics.median(run[i][name] for run in runs) / length * 1e6 for name in runs[0][i]
        }
        for i, length in enumerate(CHAINS)
    }  # fmt: skip
    short, long = CHAINS[0], CHAINS[-1]
    growth = statistics.median(run[-1]["backward"] / long / (run[0]["backward"] / short) for run in runs)
    build = statistics.median(run[-1]["build"] for run in runs)
    return per_node, [
        row(f"build a chain of {long:,} nodes", build, BUILD_BAR, at_most=True, unit=" s"),
        row(f"backward, per node, {long:,} over {short:,}", growth, BACKWARD_GROWTH_BAR, at_most=True),
    ]


def against_baseline(rounds: int, baseline: Path) -> list[dict[str, Any]]:
    """Return for each operation its time over its time in another checkout: the median of the rounds' ratios."""
    runs = [
        [child("chain", str(BASELINE_CHAIN), library=library) | child("first-calls", library=library)
         for library in (baseline, ROOT)]
        for _ in range(rounds)
    ]  # fmt: skip
    return [
        row(name, statistics.median(ours[name] / before[name] for before, ours in runs), BASELINE_BAR, at_most=True)
        for name in runs[0][0]
    ]


def measure(rounds: int = 5, microgpt: str | None = None, baseline: Path | None = None) -> dict[str, Any]:
    """Return all measurements: milliseconds per training step, microseconds per node of chains, figures with bars."""
    load = [os.getloadavg()[0]]
    times, ratios = training(rounds, microgpt)
    per_node, chain_rows = chains(min(rounds, 3))
    over_baseline = against_baseline(rounds, baseline) if baseline else []
    return {
        "python": platform.python_version(),
        "rounds": rounds,
        "load": [*load, os.getloadavg()[0]],
        "milliseconds": times,
        "ratios": ratios,
        "chains": chain_rows,
        "microseconds_per_node": per_node,
        "over_baseline": over_baseline,
        "microgpt": microgpt is not None,
    }


def rows(title: str, measured: list[dict[str, Any]]) -> list[str]:
    """Return figures, bars and verdicts as lines of a table."""
    lines = ["", title]
    for entry in measured:
        bar = f"bar {'≤' if entry['at_most'] else '≥'} {entry['bar']:.3g}{entry['unit']}"
        verdict = "ok" if entry["met"] else "BAR MISSED"
        lines.append(f"  {entry['title']:<52}{entry['figure']:>8.2f}{entry['unit']:<2}   {bar:<12} {verdict}")
    return lines


def table(found: dict[str, Any]) -> str:
    """Return the measurements as text."""
    times = found["milliseconds"]
    before, after = found["load"]
    load = f"load {before:.2f} before and {after:.2f} after"
    lines = [
        f"Python {found['python']}, {found['rounds']} rounds, each program in a process of its own, {load}",
        "",
        f"{'ms per training step':<38}{'median':>10}{'least':>10}{'most':>10}",
    ]
    lines += [f"  {name:<36}{statistics.median(t):>10.2f}{min(t):>10.2f}{max(t):>10.2f}" for name, t in times.items()]
    lines += rows("times as fast as the rival", found["ratios"])
    if not found["microgpt"]:
        lines.append(f"  {MICROGPT[0]}: skipped, needs --microgpt PATH of Karpathy's microgpt.py")
    lines += rows("chains", found["chains"])
    per_length = found["microseconds_per_node"]
    lines += ["", f"{'µs per node of a chain of':<34}" + "".join(f"{int(length):>12,}" for length in per_length)]
    operations = next(iter(per_length.values()))
    lines += [f"  {name:<32}" + "".join(f"{per[name]:>12.3f}" for per in per_length.values()) for name in operations]
    if found["over_baseline"]:
        title = f"time over the baseline's: chain of {BASELINE_CHAIN:,} nodes, first calls of compiled functions"
        lines += rows(title, found["over_baseline"])
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="how often each program runs (5)")
    parser.add_argument("--microgpt", type=Path, help="path of microgpt.py, which is not part of this repository")
    parser.add_argument("--baseline", type=Path, help="checkout of the library to compare with")
    options = parser.parse_args()
    for path in filter(None, (options.microgpt, options.baseline)):
        if not path.exists():
            parser.error(f"{path} does not exist")
    found = measure(
        options.rounds,
        str(options.microgpt.resolve()) if options.microgpt else None,
        options.baseline.resolve() if options.baseline else None,
    )
    print(json.dumps(found, indent=2) if options.json else table(found))


if __name__ == "__main__":
    main()
