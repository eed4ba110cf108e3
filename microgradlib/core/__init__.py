"""The engine: graphs of nodes, Values and Symbols, and the algorithms of the book.

Read in this order: graph, node, value, symbol, autodiff. Beside them: operators and protocols (the methods that node
and value list), modes, hot_paths and backward (for speed), scopes and recorded_calls (for drawings), copying,
math_calls; functions of lists: list_functions, softmax, matrix_products, statistics; for programs written for other
engines: hand_made, own_attributes, peer_names.
"""

from microgradlib.core import hot_paths as hot_paths  # it replaces methods of Value by faster ones
