"""The stepper: a graph and its grad_table side by side, one edge of the chain rule at a time.

To be read in this order: `explain` (what users call), `tapes` (from a captured graph to the data of the page),
`javascript` (ops as JavaScript, for sliders without Python), `explanation` (what `explain` returns), `page_build` (one
HTML file of the modules in `page`, the tape and the `words` of both languages), `widget` (the same page with a kernel),
`sentences` (the steps as lines of text), `title`.

The page's modules: `model` (passes and states, without a document), `sentences` (what is said of each step), `view`
(elements of the page), `control` (what keys, buttons and sliders do); `stepper.js` joins them.
"""

from microgradlib.viz.stepper.explain import explain
from microgradlib.viz.stepper.explanation import Explanation

__all__ = ["Explanation", "explain"]
