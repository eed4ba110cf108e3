"""A call's record, what `run` is given, and the function that fills it from the call's NumPy arrays itself."""

from __future__ import annotations

import math

from microgradlib.compiler.engines.native.kernel import Layout
from microgradlib.compiler.llvm.ir import Function
from microgradlib.compiler.llvm.objects import DATA, FLAGS, ITEMS
from microgradlib.compiler.planning.data import Plan

__all__ = ["FIELDS", "record_size", "run_arrays"]

FIELDS = (
    "examples", "block", "unbatched", "batched", "sums", "scratch", "tables",
    "parameters", "outputs", "stride", "total",
)  # fmt: skip
"""What `run` reads first from its record of 64-bit integers: how many examples there are, and in a block; the addresses
of the memory (see `Layout`), of the parameters, in their order, and of the outputs; how many numbers apart the outputs,
and the batched cotangents, lie; the address of a number that becomes the sum of the first output.

Behind these stand the address of each argument's column; for each operand of seeds its address, and how many numbers
apart those of neighbouring slots and of neighbouring examples are; the address for each operand of cotangents; and a
number that `run_arrays` writes, the seed 1 / examples."""


def record_size(plan: Plan) -> int:
    """Return how many integers a record has."""
    program = plan.program
    return len(FIELDS) + len(program.arguments) + 3 * len(program.seeds) + len(program.cotangents) + 1


def run_arrays(plan: Plan, layout: Layout) -> Function:
    """Return the function that calls `run` for a part of a batch, whose arrays it finds itself.

    It takes the record, a tuple of the arrays of the whole batch, parameters, columns, outputs and cotangents, and five
    integers: how many examples the part has, and a block, where the part begins, its number, and how many examples the
    batch has. Seeds are 1 over that; part k's cotangents are row k of their array. It gives 2, and does nothing, if an
    array that is read is not C-contiguous.
    """
    f = Function("run_arrays", "ptr %record, ptr %arrays, ptr %part", result="i32", attributes="noinline optnone")
    program, real, last = plan.program, layout.real.one, record_size(plan) - 1

    def address(memory: str, place: int) -> str:
        return f.emit(f"getelementptr i8, ptr {memory}, i64 {place}")

    def member(memory: str, kind: str, place: int) -> str:
        return f.emit(f"load {kind}, ptr {address(memory, place)}, align {4 if kind == 'i32' else 8}")

    def write(field: int, kind: str, value: int | str) -> None:
        f.do(f"store {kind} {value}, ptr {address('%record', 8 * field)}, align 8")

    examples, block, start, part, batch = [member("%part", "i64", 8 * k) for k in range(5)]
    sizes, columns = [math.prod(axes) for _, axes in program.arguments], range(len(FIELDS), last)
    read = {FIELDS.index("parameters"): 0, **{field: f.mul(start, size) for field, size in zip(columns, sizes)}}
    found = {last - len(program.cotangents) + k: f.mul(part, len(rows)) for k, rows in enumerate(plan.cotangent_rows)}
    ahead = {**read, FIELDS.index("outputs"): start, **found}
    arrays, flags = [member("%arrays", "ptr", ITEMS + 8 * k) for k in range(len(ahead))], "1"
    for array in arrays[: len(read)]:
        flags = f.emit(f"and i32 {flags}, {member(array, 'i32', FLAGS)}")
    f.do(f"br i1 {f.emit(f'trunc i32 {flags} to i1')}, label %all, label %others")
    f.start_block("all")
    for array, (field, numbers) in zip(arrays, ahead.items()):
        write(field, "ptr", f.address(real, member(array, "ptr", DATA), numbers))
    for name, integer in (("examples", examples), ("block", block), ("stride", batch)):
        write(FIELDS.index(name), "i64", integer)
    share = f.emit(f"fdiv double 1.0, {f.emit(f'uitofp i64 {batch} to double')}")
    write(last, real.scalar, share if real.scalar == "double" else f.emit(f"fptrunc double {share} to float"))
    for k in range(len(program.seeds)):
        first = len(FIELDS) + len(sizes) + 3 * k
        write(first, "ptr", address("%record", 8 * last))
        write(first + 1, "i64", 0)
        write(first + 2, "i64", 0)
    f.do(f"ret i32 {f.emit('call i32 @run(ptr %record)')}")
    f.start_block("others")
    f.do("ret i32 2")
    return f
