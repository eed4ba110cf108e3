"""Ops as JavaScript, stated once, in Python's table.

To be read in this order: `rules` (one op, its rules run over a namespace that writes), `elementary` (the functions that
JavaScript's `Math` lacks, in `special.js`), `program` (the ops and closed scopes of one graph).
"""
