"""The machine under the benchmarks: its threads, its name and load, and the most that one core of it can compute."""

from __future__ import annotations

import ctypes
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# NumPy reads its number of threads when it is imported: nothing that imports it may be imported before `one_thread`.
# ruff: noqa: PLC0415

SUMS = 12
"""So many sums of vectors at once keep all units busy: a multiply-add takes 4 cycles, and up to 2 start in each."""


def one_thread(*, jax_direct: bool = False) -> None:
    """Let BLAS, OpenMP, XLA, PyTorch and our own engines compute on one thread, in double precision where asked for.

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


def machine() -> str:
    """Return the processor, how many of it there are, and Python's version."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} processors, Python {platform.python_version()}"


def load() -> float:
    """Return how many processes wanted to run in the last minute, on average; nan where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def peak(dtype: str, *, tries: int = 200) -> float:
    """Return the most multiplications and additions that one core does in a second: the best of many tries."""
    from microgradlib.compiler.llvm.machine import assemble, host, load as load_code

    real = host().real(dtype)
    code = load_code(assemble(multiply_adds(real.scalar, real.lanes)))
    run: Any = code.function("multiply_adds", ctypes.c_int64)
    count, best = 20_000, float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        run(count)
        best = min(best, time.perf_counter() - start)
    return 2 * SUMS * real.lanes * count / best


def multiply_adds(scalar: str, lanes: int) -> str:
    """Return LLVM IR of a function of n, which multiplies and adds `SUMS` vectors n times."""
    vector, sums = f"<{lanes} x {scalar}>", range(SUMS)
    fma = f"@llvm.fma.v{lanes}f{64 if scalar == 'double' else 32}"
    starts = [f"%s{i} = phi {vector} [ splat ({scalar} {i}.0), %start ], [ %t{i}, %loop ]" for i in sums]
    half = f"{vector} splat ({scalar} 0.5)"
    steps = [f"%t{i} = call {vector} {fma}({vector} %s{i}, {half}, {half})" for i in sums]
    adds = [f"%a{i} = fadd {vector} {'%t0' if i == 1 else f'%a{i - 1}'}, %t{i}" for i in sums[1:]]
    lines = [
        f"declare {vector} {fma}({vector}, {vector}, {vector})",
        f"@result = global {vector} zeroinitializer",
        "define void @multiply_adds(i64 %n) {",
        "start:",
        "br label %loop",
        "loop:",
        "%k = phi i64 [ 0, %start ], [ %next, %loop ]",
        *starts,
        *steps,
        "%next = add i64 %k, 1",
        "%more = icmp slt i64 %next, %n",
        "br i1 %more, label %loop, label %end",
        "end:",
        *adds,
        f"store {vector} %a{SUMS - 1}, ptr @result, align 64",
        "ret void",
        "}",
    ]
    return "\n".join(lines)
