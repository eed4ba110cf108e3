"""LLVM: numbers that write its instructions, functions on vectors, tiles and memory, and text to machine code."""
