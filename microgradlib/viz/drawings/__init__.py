"""Drawings of computation graphs: how much of a graph is shown, and the Drawing that shows and saves it.

To be read in this order: `draw` (what users call) and `arguments` (its checks), `detail` and `collapse` (the first step
of a ladder of detail that can be read) with `placing` (in a notebook's cell), `states` (groups that open and close by
click), `drawing` (the picture).
"""
