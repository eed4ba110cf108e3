"""From places to SVG: the sizes that boxes need, and the markup of boxes, lines, titles and legends.

`measure` comes before the layout and tells it the sizes of boxes; `paint` comes after it and paints a whole `scene`:
`frames`, `lines`, `boxes` (each as a `view`, with its `rows`, `tables` and `squares`), `legend`, all of `glyphs`.
Colours are asked for by their role, so that one painter serves light and dark files and pages that have themes of their
own.
"""
