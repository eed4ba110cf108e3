"""LLVM: numbers that write its instructions, elementary functions on vectors, and text to machine code."""
