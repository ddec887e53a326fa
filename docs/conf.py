"""How Sphinx builds these pages: ``sphinx-build -W docs site``, without any network."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

project = "fastopt"
html_title = project
html_theme = "furo"
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["fastopt.css"]
highlight_language = "none"
html_math_renderer = "mathml"

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "mathml",
    "reference",
    "figures",
]
exclude_patterns = ["extensions", "static"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Types stand in the docstrings, with shapes and units, and need not be repeated from signatures.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

# A reference that leads nowhere is a warning, but for what is documented elsewhere.
nitpicky = True
nitpick_ignore = [
    ("py:class", "xarray.Dataset"),
    ("py:mod", "concurrent.futures"),
    ("py:mod", "math"),
]
