"""The native engine: plans as machine code, by LLVM."""

from __future__ import annotations

from microgradlib.compiler.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]
