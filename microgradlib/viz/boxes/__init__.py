"""From a graph as plain data to a diagram: what stands in each box, before anything has a size or a place.

`build.build` goes through passes over frozen data, to be read in this order:

1. `structure`: what the graph holds: `groups` (the tree of scopes), `neurons`, `absorption` (rows, not boxes), sums.
2. `choice`: what is open at one step of the ladder of detail, with `folding` for equal groups.
3. `parts`: which nodes share a box, then `vectors`, `elision`, `circles` and `copies`.
4. `cards`, `tables`, `closed`: what is written in each, with the names of `labels`; `sheet` holds what they share.
5. `arrows`, `buses`, `totals`: the lines between the boxes, and the whole gradients of shared parameters.

The result is a `diagram.Diagram`; `words` says it for terminals and screen readers.
"""
