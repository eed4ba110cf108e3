"""The native engine: plans as machine code, by LLVM.

A plan is written as a module of LLVM IR (`module.py`): each of its steps, or chain of elementwise steps, is a kernel,
the rules of the op table run over a namespace that writes instructions, or a product of matrices in register tiles.
One call runs forward and backward pass of a whole batch, in blocks of examples.
"""

from microgradlib.compiler.engines.native.engine import NativeEngine
from microgradlib.compiler.llvm.machine import host

__all__ = ["NativeEngine", "host"]
