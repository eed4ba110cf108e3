"""The engine: graphs of nodes, Values and Symbols, and the algorithms of the book.

Read in this order: graph, node, value, symbol, autodiff. Beside them: modes, hot_paths, backward (speed), copying,
math_calls.
"""

from microgradlib.core import hot_paths as hot_paths  # it replaces methods of Value by faster ones
