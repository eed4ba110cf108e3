"""Drawings by Graphviz: `source` writes a diagram as DOT text or a Digraph, `labels` its boxes; `engine` renders it."""
