"""Ops as JavaScript: rules traced over a namespace that writes, and the program of a graph made of them."""
