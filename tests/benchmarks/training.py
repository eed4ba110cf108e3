"""Whole trainings against PyTorch and JAX by hand: `python tests/benchmarks/training.py [--only names|digits]`.

`names`: microgpt's GPT makes 1,000 steps of Adam on 16 names each, its rate falling to 0. `digits`: MLP 64-32-10 by
`fit` on three quarters of the digits until it tells 95% of the others, in epochs of random order. All start from the
same weights, in float64 on one thread. What is compiled is compiled before, but for `fit`, which traces its model each
time and finds native code in the cache; the times of compiling, with a first training where that is what compiles, are
shown beside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

# NumPy reads its number of threads when it is imported: nothing that imports it may be imported before `one_thread`.
# Neighbouring files are imported where they are used: pytest reads this file too.
# ruff: noqa: PLC0415

BARS = {"names": 0.5, "digits": 0.3}
"""The most seconds that our trainings may take."""


def main() -> None:
    """Measure and print."""
    from bars import verdict
    from compiled import warm_up
    from machine import load, machine, one_thread

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each training is done (5)")
    parser.add_argument("--only", default="", help="names or digits")
    parser.add_argument("--cpu", action="store_true", help="CPU time: what others do on the machine counts less")
    options = parser.parse_args()
    one_thread()
    import digit_training
    import name_training

    clock = time.process_time if options.cpu else time.perf_counter
    print(f"{machine()}; load {load():.1f}; float64, one thread, {options.rounds} rounds, {clock.__name__}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MICROGRADLIB_CACHE_DIR"] = folder
        warm_up("auto")
        for name, problem in {"names": name_training.problem, "digits": digit_training.problem}.items():
            if not name.startswith(options.only):
                continue
            programs, summary = problem()
            print(f"{name}{'':<30}{'compiling':>12}{'median':>10}{'least':>10}{'most':>10}   (seconds)")
            for title, make in programs.items():
                started = clock()
                train = make()
                before, times = clock() - started, []
                for _ in range(options.rounds):
                    started = clock()
                    found = train()
                    times.append(clock() - started)
                middle = statistics.median(times)
                line = f"  {title:<30}{before:>14.3f}{middle:>10.3f}{min(times):>10.3f}{max(times):>10.3f}"
                bar = f"   bar {BARS[name]:g}: {verdict(middle, BARS[name])}" if title.startswith("ours") else ""
                print(f"{line}   {summary(found)}{bar}", flush=True)
    print(f"load {load():.1f}")


if __name__ == "__main__":
    main()
