"""The native engine: plans as machine code, by LLVM."""
