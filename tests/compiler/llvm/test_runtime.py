"""What brings numbers in and out is compiled once for all programs, and has every function that they may call."""

import ctypes

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from microgradlib import Value, compiler
from microgradlib.compiler.engines.native import code
from microgradlib.compiler.llvm import machine, runtime, transfers
from microgradlib.compiler.llvm.ir import Function, Real


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("is_single", [True, False])
def test_it_has_all_functions_that_bring_numbers_in_and_out(dtype, is_single):
    vector = machine.host().real(dtype)
    real = vector.one if is_single else vector
    made = [getattr(transfers, name) for name in transfers.__all__ if name != "stretches"]
    names = {function(real).name for function in made}
    assert len(names) == len(made) > 5
    loaded = machine.load(runtime.runtime(real, vector))
    for name in names:
        assert loaded.function(name)


def test_code_calls_functions_of_other_object_code():
    f, twice = (
        Function("thrice", "i64 %x", result="i64"),
        "define i64 @twice(i64 %x) {\n%y = add i64 %x, %x\nret i64 %y\n}",
    )
    doubled = f.call(Function("twice", "i64 %x", result="i64"), "%x")
    f.do(f"ret i64 {f.add('%x', doubled)}")
    text = f"declare i64 @twice(i64)\n{f.text()}"
    loaded = machine.load(machine.assemble(text), {}, machine.assemble(twice))
    assert loaded.function("thrice", ctypes.c_int64, result=ctypes.c_int64)(14) == 42


def test_it_is_compiled_once_for_all_programs(monkeypatch, tmp_path):
    texts = {"runtime": [], "code": []}

    def counting(where):
        def assemble(text):
            texts[where].append(text)
            return machine.assemble(text)

        return assemble

    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(runtime, "assemble", counting("runtime"))
    monkeypatch.setattr(code, "assemble", counting("code"))
    runtime.runtime.cache_clear()
    w, x = Value(3.0), np.array([[1.0], [2.0]])

    def run(k):
        fast = compiler.compile(lambda x: w * x[0] + k, [w], backend="native")
        assert fast(x).tolist() == [3 + k, 6 + k]

    run(1.0)
    run(2.0)
    assert [len(found) for found in texts.values()] == [1, 2]
    runtime.runtime.cache_clear()  # as in another process
    run(3.0)
    assert [len(found) for found in texts.values()] == [1, 3]
    [kept] = [
        file for file in (tmp_path / "native").iterdir() if b"load_columns" in file.read_bytes() and file.stat().st_size
    ]
    kept.write_bytes(kept.read_bytes()[:-1])  # a damaged file is not believed
    runtime.runtime.cache_clear()
    run(4.0)
    assert [len(found) for found in texts.values()] == [2, 4]


def test_types_have_libraries_of_their_own():
    double, single = Real("double", 4), Real("float", 4)
    found = {runtime.runtime(*reals) for reals in ((double, double), (double.one, double), (single, single))}
    assert len(found) == 3
