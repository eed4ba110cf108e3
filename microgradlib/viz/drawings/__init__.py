"""Drawings of computation graphs: what is in each box, where the boxes stand, and how they are painted."""
