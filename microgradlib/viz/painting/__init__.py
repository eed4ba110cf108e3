"""From places to SVG: the sizes that boxes need, and the markup of boxes, tables, squares, lines, titles and legends.

`measure` comes before the layout and tells it the sizes of boxes; `scene` comes after it and paints the whole. Colours
are asked for by their role, so that one painter serves light and dark files and pages that have themes of their own.
"""
