"""The compiler: from scalar code for one example to array code for a batch."""

from microgradlib.compiler.compiled import Compiled, columns_of, compile  # noqa: A004  the name of the field
from microgradlib.compiler.program import Program

__all__ = ["Compiled", "Program", "columns_of", "compile"]
