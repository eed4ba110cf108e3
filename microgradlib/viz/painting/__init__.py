"""From places to SVG: the sizes that boxes need, and the markup of boxes, tables, squares, lines, titles and legends.

`measure` comes before the layout and tells it the sizes of boxes; `paint` comes after it and paints a whole scene.
Colours are asked for by their role, so that one painter serves light and dark files and pages that have themes of their
own.
"""
