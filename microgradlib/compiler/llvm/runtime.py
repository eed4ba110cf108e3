"""The functions of `transfers` as object code: they are the same for all programs, so a machine compiles them once."""

from __future__ import annotations

import hashlib
from functools import cache

from microgradlib._support.disk_cache import cached
from microgradlib.compiler.llvm import transfers
from microgradlib.compiler.llvm.ir import Real
from microgradlib.compiler.llvm.machine import assemble
from microgradlib.compiler.llvm.surroundings import surroundings

__all__ = ["runtime"]


@cache
def runtime(real: Real, vector: Real) -> bytes:
    """Return the object code that programs are loaded with whose rows hold numbers, or vectors, of type `real`.

    What goes over numbers that follow one another, whatever they are, takes a `vector` of them at a time.
    """
    found = surroundings()
    key = found and hashlib.sha256(f"{found} runtime {real} {vector}".encode()).hexdigest()
    return cached(key, lambda: assemble(_text(real, vector)))


def _text(real: Real, vector: Real) -> str:
    """Return the module."""
    own = (
        "add_up_lanes", "gather_numbers", "load_columns", "load_numbers", "load_row", "load_seed", "store_rows",
    )  # fmt: skip
    functions = [getattr(transfers, name)(real) for name in own] + [transfers.fill(vector), transfers.total(vector)]
    declarations = set[str]().union(*[function.declarations for function in functions])
    return "\n".join([*sorted(declarations), *[function.text() for function in functions]])
