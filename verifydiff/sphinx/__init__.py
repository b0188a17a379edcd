"""A Sphinx extension: formulas and derivations in a documentation of one's own, proved whenever it is built.

.. code-block:: python

    # conf.py
    extensions = ["verifydiff.sphinx"]
    verifydiff_derivations = ["notes/"]  # one's own derivations, beside the shipped ones; from the folder of conf.py
    verifydiff_pages = "reference"  # if set: a page is made of each file of them, in that folder of the source
    verifydiff_topics = {"Guidance": ["guided_step", "guided_ddim"]}  # if set: the files by topic, for contents and colours

Directives, in reStructuredText and in MyST:

``verifydiff-form:: ddpm.posterior_variance``
    The formula with its source and verdict. With ``:code:`` as a NumPy function, too.
``verifydiff-derivation:: ddpm.posterior_variance`` or ``:: notes/mine.py``
    Every step of a derivation, or of each derivation of a file.
``verifydiff-forms::``
    All claims, as a table.
``verifydiff-graph::``, or ``:: Guidance``
    Which of them rests on which, as a drawing: of all, or of a topic and what it rests on. With ``:pages:`` page by page.
``verifydiff-pages::``, or ``:: Guidance``
    A table of contents of the pages that were made: of all, or of a topic.

The role ``:verifydiff:claim:`ddpm.posterior_variance``` links to where a claim is shown. What is refuted or stays undecided is
a warning, so that ``sphinx-build -W`` fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from .. import __version__
from ..report.pages import folded, summary
from .directives import DIRECTIVES
from .domain import VerifydiffDomain, proved_documents
from .drawing import as_paragraph, close, graph, neither, open_folded, open_summary, visit_graph
from .making import make_library, make_pages

STATIC = Path(__file__).parent / "static"


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.add_config_value("verifydiff_derivations", [], "env", frozenset({list, tuple}))
    app.add_config_value("verifydiff_pages", "", "env", frozenset({str}))
    app.add_config_value("verifydiff_topics", {}, "env", frozenset({dict}))
    app.add_event("verifydiff-figures")
    app.add_domain(VerifydiffDomain)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    elsewhere = dict.fromkeys(("latex", "text", "man", "texinfo"), (neither, neither))
    app.add_node(folded, html=(open_folded, close("details")), **elsewhere)
    app.add_node(summary, html=(open_summary, close("summary")), **dict.fromkeys(elsewhere, as_paragraph))
    app.add_node(graph, html=(visit_graph, neither), **elsewhere)
    app.add_css_file("verifydiff.css")
    app.add_js_file("verifydiff.js", loading_method="defer")
    app.connect("config-inited", lambda _, config: config.html_static_path.append(str(STATIC)))
    app.connect("builder-inited", make_library)
    app.connect("builder-inited", make_pages, priority=600)
    app.connect("env-get-outdated", proved_documents)
    return {"version": __version__, "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
