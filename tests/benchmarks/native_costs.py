"""Native code beside what the machine can do: `python tests/benchmarks/native_costs.py [--dtype float32] [--only gpt]`.

Shown are the part of the machine's peak that a program reaches, the time of compiling it, from nothing and from the
cache, the time of a call beside the code itself, and what a second thread gains.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

# NumPy reads its number of threads when it is imported: nothing that imports it may be imported before `one_thread`.
# Neighbouring files are imported where they are used: pytest reads this file too.
# ruff: noqa: PLC0415

Clock = Callable[[], float]

AT_PEAK = ("mlp-2000", "gpt-256")
"""The comparisons of which a part of the peak is promised."""


def flops(program: Any) -> int:
    """Return how many additions and multiplications a joint program does for one example.

    Products of matrices are counted without their padding; any other function counts as one, though an exponential is
    thirty.
    """
    return sum(_flops(i) for i in program.instructions if any(o.space for o in (i.results, *i.operands)))


def _flops(instruction: Any) -> int:
    if instruction.kind == "matmul":
        count, rows, terms, columns = instruction.shape
        left, right = (operand.slots >= 0 for operand in instruction.operands)
        above = left.reshape(count, rows, terms).sum(1) * right.reshape(count, terms, columns).sum(2)
        return 2 * int(above.sum())
    if instruction.kind == "elementwise":
        return instruction.size
    return sum(len(operand.slots) for operand in instruction.operands)


def medians(clock: Clock, rounds: int, *steps: Callable[[], Any]) -> list[float]:
    """Return the median seconds of each step over rounds in which they take turns."""
    from compiled import turn

    times = [[turn(step, clock) for step in steps] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def code_alone(fast: Any, problem: Any) -> Callable[[], Any]:
    """Return a function that runs the native code of a value and gradient, and nothing else."""
    import numpy as np

    engine, batch = fast._last.engine, len(problem.data[0])
    code = engine._code(engine.joint("gradient"), is_single=batch == 1)
    workspace = code.take()
    columns = [np.ascontiguousarray(array.reshape(batch, -1)) for array in problem.data]
    outputs, gradient = np.empty((1, batch), problem.dtype), np.empty((1, len(problem.flat)), problem.dtype)
    seed = np.broadcast_to(np.array(1 / batch, problem.dtype), (1, batch))
    arrays = [problem.flat, columns, [seed], outputs, [gradient[0]]]
    workspace.run(*arrays)
    return lambda kept=(workspace, arrays): code.run(kept[0].address)


def compile_times(problem: Any, clock: Clock) -> dict[str, float]:
    """Return the seconds of each stage of compiling a value and gradient, and of native code from the cache."""
    import numpy as np

    from microgradlib.compiler.engines.native.code import NativeCode
    from microgradlib.compiler.planning import plan

    found, is_single = {}, len(problem.data[0]) == 1

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = clock()
        result = work()
        found[name] = clock() - start
        return result

    with tempfile.TemporaryDirectory() as folder:
        os.environ["MICROGRADLIB_CACHE_DIR"] = folder
        fast = problem.compiled()
        timed("trace … vectorize", lambda: fast.lower(*problem.data))
        joint = timed("reverse", lambda: fast._last.engine.joint("gradient"))
        planned = timed("plan", lambda: plan(joint))
        make = lambda: NativeCode(planned, np.dtype(problem.dtype), is_single=is_single)  # noqa: E731  it is timed
        timed("native code", make)
        timed("from the cache", make)
    return found


def shown_peak(problem: Any, most: float, clock: Clock, rounds: int) -> str:
    """Return which part of the peak a program reaches."""
    from bars import PEAK, verdict

    fast = problem.compiled()
    fast.value_and_grad(*problem.data)
    count = flops(fast._last.engine.joint("gradient")) * len(problem.data[0])
    [seconds] = medians(clock, rounds, lambda: fast.value_and_grad(*problem.data))
    part = count / seconds / most
    bar = f"   bar {PEAK:.0%}: {verdict(-part, -PEAK)}" if problem.name in AT_PEAK else ""
    rate = f"{1e-6 * count:>9.2f} Mflop {1e6 * seconds:>9.1f} µs {1e-9 * count / seconds:>7.1f} Gflop/s"
    return f"  {problem.name:<10}{rate} {part:>6.0%} of the peak{bar}"


def shown_overhead(problem: Any, clock: Clock, rounds: int) -> str:
    """Return what a call costs beside its native code."""
    from bars import OVERHEAD, verdict

    fast = problem.compiled()
    fast.value_and_grad(*problem.data)
    alone, call = medians(clock, rounds, code_alone(fast, problem), lambda: fast.value_and_grad(*problem.data))
    more = call - alone
    times = f"call {1e6 * call:>9.2f} µs   code alone {1e6 * alone:>9.2f} µs   beside it {1e6 * more:>7.2f} µs"
    bar = f"   bar {1e6 * OVERHEAD:g} µs: {verdict(more, OVERHEAD)}" if alone < 1e-4 else ""
    return f"  {problem.name:<10}{times}{bar}"


def shown_compile_times(problem: Any, clock: Clock, rounds: int) -> str:
    """Return the stages of compiling in milliseconds, medians of several times."""
    from bars import CACHED, FIRST_CALLS, verdict

    every = [compile_times(problem, clock) for _ in range(rounds)]
    times = {name: statistics.median(one[name] for one in every) for name in every[0]}
    whole = sum(times.values()) - times["from the cache"]
    parts = "".join(f"{1e3 * seconds:>{len(name) + 2}.1f}" for name, seconds in times.items())
    bar = FIRST_CALLS["native"].get(problem.name)
    words = [f"from the cache: {verdict(times['from the cache'], CACHED)}"]
    if bar is not None:
        words.insert(0, f"bar {1e3 * bar:g} ms: {verdict(whole, bar)}")
    return f"  {problem.name:<10}{parts}{1e3 * whole:>9.1f}   {', '.join(words)}"


def shown_threads(problem: Any, rounds: int) -> str:
    """Return what a second thread gains."""
    from bars import THREADS, verdict

    fast = problem.compiled()

    def step(threads: int) -> Any:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        return fast.value_and_grad(*problem.data)

    step(2)
    one, two = medians(time.perf_counter, rounds, lambda: step(1), lambda: step(2))
    os.environ["OMP_NUM_THREADS"] = "1"
    ratio = one / two
    times = f"one thread {1e6 * one:>9.0f} µs   two {1e6 * two:>9.0f} µs   {ratio:.2f} times"
    return f"  {problem.name:<10}{times}   bar {THREADS}: {verdict(-ratio, -THREADS)}"


def main() -> None:
    """Measure and print."""
    from compiled import comparisons, warm_up
    from machine import load, machine, one_thread, peak

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="comparisons whose names begin so: mlp, gpt-16, lstm, cnn …")
    parser.add_argument("--cpu", action="store_true", help="CPU time: what others do on the machine counts less")
    options = parser.parse_args()
    clock: Clock = time.process_time if options.cpu else time.perf_counter
    one_thread()
    warm_up("native")
    problems, most = comparisons(options.only, options.dtype, "native"), peak(options.dtype)
    rounds = f"medians of {options.rounds} rounds, {clock.__name__}"
    print(f"{machine()}; load {load():.1f}; {options.dtype}, one thread, {rounds}")
    print(f"peak: {1e-9 * most:.1f} Gflop/s, the best of many tries of a loop of multiply-adds on registers")
    for problem in problems:
        print(shown_peak(problem, most, clock, options.rounds), flush=True)
    print("a call of value_and_grad beside its native code")
    for problem in problems:
        print(shown_overhead(problem, clock, options.rounds), flush=True)
    print("compiling, in ms    trace … vectorize  reverse  plan  native code  from the cache    whole")
    for problem in problems:
        print(shown_compile_times(problem, clock, min(options.rounds, 5)), flush=True)
    print("threads, by the time on the clock")
    for problem in problems:
        if problem.name == "gpt-256":
            print(shown_threads(problem, options.rounds), flush=True)
    print(f"load {load():.1f}")


if __name__ == "__main__":
    main()
