"""Settings of the site: ``sphinx-build -W docs build/site``. Nothing here or in its pages needs a network once it is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # for what stands beside this file

import mathjax
import plots

import verifydiff

project = "verifydiff"
author = "the verifydiff authors"
copyright = "the verifydiff authors, MIT licence"  # noqa: A001 - what Sphinx calls it
version = release = verifydiff.__version__

extensions = ["myst_parser", "sphinx_copybutton", "verifydiff.sphinx"]
exclude_patterns = ["_*"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

verifydiff_derivations = ["../derivations"]
verifydiff_pages = "reference"

html_theme = "furo"
html_title = "verifydiff"
html_static_path = ["_static", str(mathjax.fetched())]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
mathjax_path = mathjax.BUNDLE
mathjax3_config = {
    "options": {"enableMenu": False},
    "svg": {"fontCache": "global"},
    "tex": {"macros": {"E": r"\mathbb{E}"}},
}
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
pygments_dark_style = "github-dark"


def setup(app: Any) -> None:
    """Let the pictures be drawn that stand beside derivations."""
    app.connect("verifydiff-figures", plots.figures)
