"""The network picture of a model: circles and weighted lines, images of weights, feature maps.

To be read in this order: `network` (the picture as plain data), `layers` (which layers a model has), `values` (what
passes have left at their units), `reading` (both together), `body`, `columns`, `squares` (one layer as marks), `layout`
and `legend` (all layers), `marks` (their SVG), `modules` (what is drawn of any module).
"""
