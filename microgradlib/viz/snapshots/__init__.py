"""From a live graph to plain data: the first stage of every drawing, of the stepper and of tables of a graph.

To be read in this order: `snapshot` (the data), `capture` (the way to it, whose further `arguments` are checked);
`signs` of ops; `names`, from paths of parameters, labels and `bindings` (the variables and elements of `containers`
that the user's `frames` hold); `records` (what calls and blocks left behind, see `core.scopes`), without what is
`outside`; `units`, `patterns` and `examples` (what the graph itself tells: neurons and layers, softmax, the examples
of a batch); `scoping` and `facts` (these together as scopes); `staleness` (what was computed before a number was
changed).
"""
