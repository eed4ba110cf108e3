"""The engine: graphs of nodes, Values and Symbols, and the algorithms of the book."""
