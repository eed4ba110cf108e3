"""Layout: where the boxes, frames and lines of a diagram stand.

A layered drawing (Sugiyama, Tagawa and Toda 1981) in which frames hold their boxes together in every column. Read
`placement` (what goes in and comes out), `layout` (the passes in their order), then the passes: `flow` (the diagram
along and across its arrows), `ranks` (columns), `grid` (lanes), `ordering` with `order_state`, `crossings`, `sides` and
`exchanges`, `equals` (equal frames alike), `ports`, `spacing` with `separation` (places across), `straightening`,
`along`, `wrapping` (rows), `lines`, `titles`, `turning` (x and y), `corners`.
"""
