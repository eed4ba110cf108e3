"""The tape: from a captured graph to the data that the page shows.

To be read in this order: `subject` (the graph at one moment, its levels, and itself at other numbers), `contracted`
(the graph with some scopes closed to one node each) and `blocks` (scopes for graphs that have none), `frames` (the
steps of each pass, without numbers), `level` (one level of detail as JSON), which is made of `names`, `cards`,
`places` and `entries`; `checks` (numeric derivatives), `training` (one step of gradient descent), `start` (the level
that is shown first), `encoding` (numbers in JSON).
"""
