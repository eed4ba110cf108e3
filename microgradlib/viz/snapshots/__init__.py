"""From a live graph to plain data: the first stage of every drawing, of the stepper and of tables of a graph.

Read in this order: snapshot (the data), capture (the way to it); names and naming (labels, paths of parameters,
variables); records (what calls and blocks left behind, see `core.scopes`), units, patterns and examples (what the graph
itself tells: neurons and layers, softmax, the examples of a batch), scoping and facts (these together as scopes);
staleness (what was computed before a number was changed).
"""
