"""Sphinx's configuration: python -m sphinx -W --keep-going -b html .docs .docs/_build/html (extra `docs`)."""
# ruff: noqa: INP001

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from docwriters.course import write_course  # noqa: E402
from docwriters.notebooks import copy_notebooks  # noqa: E402
from docwriters.op_table import write_op_page  # noqa: E402
from docwriters.reference import write_reference  # noqa: E402

import microgradlib  # noqa: E402

# Pages that are generated: of the reference, of the ops, of the course, and the notebooks.
write_reference(HERE / "reference")
write_op_page(HERE / "ops.md")
nb_execution_mode = copy_notebooks(HERE / "notebooks")
write_course(HERE / "course.md")

project = "microgradlib"
author = "The microgradlib authors"
copyright = author  # noqa: A001  Sphinx's name for it
version = release = microgradlib.__version__

extensions = ["myst_nb", "sphinx.ext.viewcode", "docwriters.formulas", "docwriters.links"]
exclude_patterns = ["_build", "docwriters", "lite", "**/.ipynb_checkpoints", "README.md"]
suppress_warnings = ["misc.highlighting_failure"]
python_maximum_signature_line_length = 88
toc_object_entries = False
highlight_language = "python"
smartquotes = False  # "mean" in a docstring is a word of Python

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "application/vnd.jupyter.widget-view+json", None)]

html_theme = "pydata_sphinx_theme"
html_title = "microgradlib"
html_static_path = ["static"]
html_css_files = ["microgradlib.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {
    page: [] for page in ("index", "ops", "how_it_works", "features", "benchmarks", "working_on_it", "changelog")
}
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
}
