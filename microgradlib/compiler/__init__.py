"""The compiler: from scalar code for one example to array code for a batch."""
