"""Which instructions the polynomials of elementary functions become; what they give is in `test_functions`."""

import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from microgradlib.compiler.llvm import machine, polynomials
from microgradlib.compiler.llvm.ir import Function, Real


@pytest.mark.parametrize("vector_bytes", [16, 32, 64])
def test_instructions_of_avx512_are_written_for_machines_that_have_them(vector_bytes, monkeypatch):
    found = machine.host()._replace(vector_bytes=vector_bytes)
    monkeypatch.setattr(polynomials, "host", lambda: found)
    f = Function("run", "ptr %x")
    for real in [Real(scalar, lanes) for scalar in ("double", "float") for lanes in (1, 4, 8, 16)]:
        f.store(polynomials.exp(f.load(real, "%x")), "%x")
    calls = [line for line in f.lines if "scalef" in line]
    assert len(calls) == (2 if vector_bytes == 64 else 0)
