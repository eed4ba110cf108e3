"""The machine that native code is for, by LLVM: what it can do, text to object code, object code to functions."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from microgradlib._support.interrupts import interrupts_held
from microgradlib._support.optional import import_optional
from microgradlib.compiler.llvm.ir import Real
from microgradlib.compiler.numpy_functions import numpy

__all__ = ["Code", "Host", "assemble", "host", "load"]

OPTIMISATION = 2
"""How hard LLVM selects instructions and schedules them, 0 to 3. No passes are run before: the text says what runs."""


class Host(NamedTuple):
    """The machine that this process runs on: its instructions as LLVM has them, and LLVM's own version.

    >>> avx512 = Host("x86_64-unknown-linux-gnu", "znver4", "+avx512f,+fma", 64, 32, ("0.46.0", (20, 1, 8)))
    >>> avx512.real("float64"), avx512.real("float32")
    (Real(scalar='double', lanes=8), Real(scalar='float', lanes=16))
    """

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    registers: int
    """How many vectors its registers hold."""
    versions: tuple[Any, ...]
    """The versions of llvmlite and of LLVM."""

    def real(self, dtype: Any) -> Real:
        """Return the type of its vectors of float64 or float32."""
        size = numpy().dtype(dtype).itemsize
        return Real("double" if size == 8 else "float", self.vector_bytes // size)


@cache
def llvm() -> Any:
    """Return llvmlite's binding, ready for use. Raises `MissingExtraError` where llvmlite is not installed."""
    binding = import_optional("llvmlite.binding", "the native engine")
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


@cache
def host() -> Host:
    """Return what this machine can do.

    Raises `MissingExtraError` where llvmlite is not installed, and `RuntimeError` for a processor without fused
    multiply-add or other than x86-64 and ARM64, or a system that forbids memory with new code in it.
    """
    binding = llvm()
    triple, features = binding.get_process_triple(), binding.get_host_cpu_features()
    sizes = vectors(triple.partition("-")[0], features)
    try:
        binding.check_jit_execution()
    except OSError as error:
        message = f'backend="native" is not available here: {error}; use backend="numpy"'
        raise RuntimeError(message) from None
    versions = import_optional("llvmlite", "the native engine").__version__, binding.llvm_version_info
    return Host(triple, binding.get_host_cpu_name(), features.flatten(), *sizes, versions)


def vectors(architecture: str, features: Mapping[str, bool]) -> tuple[int, int]:
    """Return how many bytes a vector has, and how many vectors the registers hold.

    >>> vectors("x86_64", {"fma": True, "avx2": True}), vectors("arm64", {})
    ((32, 16), (16, 32))
    """
    if architecture in ("aarch64", "arm64"):
        return 16, 32
    if architecture == "x86_64" and features.get("fma"):
        if features.get("avx512f"):
            return 64, 32
        if features.get("avx2"):
            return 32, 16
    message = (
        f'backend="native" needs an x86-64 processor with AVX2 and FMA, or an ARM64 one; this one is {architecture} '
        f'without them: use backend="numpy"'
    )
    raise RuntimeError(message)


def assemble(text: str) -> bytes:
    """Return the object code of a module of LLVM IR, for this machine. Raises `RuntimeError` for wrong text."""
    binding = llvm()
    # The module is freed before its context, in any case: Ctrl-C waits, as it does in LLVM's own calls.
    with interrupts_held(), binding.parse_assembly(text, binding.create_context()) as module:
        module.verify()
        found: bytes = _target_machine().emit_object(module)
    return found


def load(object_code: bytes, symbols: Mapping[str, int] | None = None, *others: bytes) -> Code:
    """Return object code as functions that can be called. `symbols`: addresses of others that it calls, by name.

    `others`: object code whose functions it may call too.

    Names of symbols are those of the process: the same name is the same function in all that is loaded. Object code is
    trusted: LLVM ends the process where it is damaged.
    """
    binding = llvm()
    with interrupts_held():  # where Python's objects and LLVM's are made, it is not yet settled which frees the other
        for name, address in (symbols or {}).items():
            binding.add_symbol(name, address)
        # An engine frees its module, whose context must then be there: cyclic garbage is freed in any order.
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine())
        for each in (*others, object_code):
            engine.add_object_file(binding.ObjectFileRef.from_data(each))
        engine.finalize_object()
        return Code(engine)


class Code:
    """Native code in memory, which stays there as long as this object, or a function of it, is referred to.

    Functions may be called by several threads at once, and let go of Python's lock while they run.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def function(self, name: str, *arguments: Any, result: Any = None) -> Any:
        """Return an exported function, with arguments and result of these types of ctypes.

        Raises `LookupError` for a name that there is not.
        """
        address = self._engine.get_function_address(name)
        if not address:
            message = f"the native code has no function {name!r}"
            raise LookupError(message)
        function = ctypes.CFUNCTYPE(result, *arguments)(address)
        function.code = self  # type: ignore[attr-defined]  # what it runs must stay
        return function


def _target_machine() -> Any:
    machine = host()
    target = llvm().Target.from_triple(machine.triple)
    return target.create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=OPTIMISATION, codemodel="jitdefault", jit=True
    )
