"""Text of LLVM IR becomes functions that can be called, with the vectors of the machine at hand."""

import ctypes
import gc
import threading

import numpy as np
import pytest

from microgradlib._support import optional
from microgradlib.compiler.llvm import machine
from microgradlib.compiler.llvm.ir import Function, Real
from microgradlib.errors import MissingExtraError

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

ADD = "define i64 @add(i64 %x, i64 %y) { %z = add i64 %x, %y\nret i64 %z }"
CALLS = """
declare double @microgradlib_test_exp(double)
define double @of(double %x) {
%z = call double @microgradlib_test_exp(double %x)
ret double %z
}
"""


def twice(real):
    """Text of a function that doubles n numbers, in vectors."""
    f = Function("twice", "ptr %x, i64 %n")
    with f.loop("%n", step=real.lanes) as loop:
        address = f.address(real, "%x", loop.index)
        x = f.load(real, address)
        f.store(x + x, address)
    return f.text()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_vectors_of_the_machine_compute(dtype):
    real = machine.host().real(dtype)
    function = machine.load(machine.assemble(twice(real))).function("twice", ctypes.c_void_p, ctypes.c_int64)
    x = np.arange(4.0 * real.lanes, dtype=dtype)
    function(x.ctypes.data, len(x))
    assert (x == 2 * np.arange(len(x))).all()


def test_a_vector_is_as_many_numbers_as_fit():
    host = machine.host()
    for dtype, scalar, size in (("float64", "double", 8), ("float32", "float", 4)):
        assert host.real(dtype) == Real(scalar, host.vector_bytes // size)


@pytest.mark.parametrize(
    ("architecture", "features", "expected"),
    [
        ("x86_64", {"fma": True, "avx2": True, "avx512f": True}, (64, 32)),
        ("x86_64", {"fma": True, "avx2": True, "avx512f": False}, (32, 16)),
        ("aarch64", {}, (16, 32)),
        ("arm64", {"neon": True}, (16, 32)),
    ],
)
def test_vectors_by_processor(architecture, features, expected):
    assert machine.vectors(architecture, features) == expected


@pytest.mark.parametrize(
    ("architecture", "features"),
    [("x86_64", {"avx2": True}), ("x86_64", {"fma": True}), ("i686", {"fma": True, "avx2": True}), ("riscv64", {})],
)
def test_other_processors_are_refused(architecture, features):
    with pytest.raises(RuntimeError, match=f'needs an x86-64 .* is {architecture} .* use backend="numpy"'):
        machine.vectors(architecture, features)


def test_wrong_text_is_refused():
    with pytest.raises(RuntimeError, match="expected top-level entity"):
        machine.assemble("nonsense")
    with pytest.raises(RuntimeError, match="does not dominate"):  # what the verifier finds
        machine.assemble("define i64 @f() { br label %next\nnext: %x = add i64 %y, 1\n%y = add i64 %x, 1\nret i64 %x }")


def test_a_name_that_there_is_not():
    code = machine.load(machine.assemble(ADD))
    with pytest.raises(LookupError, match="the native code has no function 'sub'"):
        code.function("sub")


def test_functions_of_the_process_are_called():
    exponential = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x + 41)
    address = ctypes.cast(exponential, ctypes.c_void_p).value
    code = machine.load(machine.assemble(CALLS), {"microgradlib_test_exp": address})
    assert code.function("of", ctypes.c_double, result=ctypes.c_double)(1.0) == 42


def test_a_function_keeps_its_code():
    functions = [machine.load(machine.assemble(ADD)).function("add", *[ctypes.c_int64] * 2, result=ctypes.c_int64)]
    functions += [machine.load(machine.assemble(ADD)).function("add", *[ctypes.c_int64] * 2, result=ctypes.c_int64)]
    gc.collect()
    assert [function(20, 22) for function in functions] == [42, 42]


def test_code_in_cyclic_garbage_is_freed():
    for _ in range(20):
        code = machine.load(machine.assemble(ADD))
        code.itself = [code, code.function("add", ctypes.c_int64, ctypes.c_int64)]
        with pytest.raises(RuntimeError):
            machine.assemble("define i64 @f() { ret i64 %x }")
        with pytest.raises(RuntimeError):
            machine.assemble("define i64 @f() { br label %x\nx: %y = add i64 %z, 1\n%z = add i64 %y, 1\nret i64 %y }")
        del code
        gc.collect()


def test_object_code_is_the_same_each_time():
    assert machine.assemble(ADD) == machine.assemble(ADD)


def test_threads_assemble_and_load_at_once():
    found, start = {}, threading.Barrier(8)

    def work(k):
        start.wait()
        text = f"define i64 @f(i64 %x) {{ %y = add i64 %x, {k}\nret i64 %y }}"
        for _ in range(5):
            function = machine.load(machine.assemble(text)).function("f", ctypes.c_int64, result=ctypes.c_int64)
            found.setdefault(k, []).append(function(100))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: [100 + k] * 5 for k in range(8)}


def test_without_llvmlite_the_error_names_the_extra(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name="llvmlite")

    monkeypatch.setattr(optional, "import_whole", missing)
    with pytest.raises(
        MissingExtraError, match=r'the native engine needs llvmlite.*pip install "microgradlib\[native\]"'
    ):
        machine.llvm.__wrapped__()
