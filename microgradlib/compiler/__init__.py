"""The compiler: from scalar code for one example to array code for a batch."""

from microgradlib.compiler.arguments import columns_of
from microgradlib.compiler.compiled import Compiled, compile  # noqa: A004  the name of the field
from microgradlib.compiler.program import Program
from microgradlib.compiler.saving import LoadedProgram, load_program

__all__ = ["Compiled", "LoadedProgram", "Program", "columns_of", "compile", "load_program"]
