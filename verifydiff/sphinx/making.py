"""What is made before a build reads its sources: the library of proofs, and a page for each file of derivations."""

from __future__ import annotations

import os
from pathlib import Path
from weakref import WeakKeyDictionary

from sphinx.application import Sphinx
from sphinx.events import EventManager
from sphinx.util import logging

from ..verdict import MisuseError
from .library import Library

_LIBRARIES: WeakKeyDictionary[EventManager, Library] = WeakKeyDictionary()
"""The proofs of each build in this process."""

logger = logging.getLogger(__name__)

MADE = ".. Made by verifydiff.sphinx from a file of derivations, and made anew by every build.\n\n"


def make_library(app: Sphinx) -> None:
    """Let the proofs be at hand for the whole build."""
    roots = [Path(app.confdir, root) for root in app.config.verifydiff_derivations]
    _LIBRARIES[app.events] = Library(roots)


def library(events: EventManager) -> Library:
    """The proofs of the build that sends these events."""
    return _LIBRARIES[events]


def make_pages(app: Sphinx) -> None:
    """Write a page for each file of derivations, and remove those whose file is gone."""
    if not app.config.verifydiff_pages:
        return
    folder = Path(app.srcdir, app.config.verifydiff_pages)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        files = library(app.events).files
    except MisuseError as error:
        logger.warning("verifydiff: %s", error, location=str(Path(app.confdir, "conf.py")), type="verifydiff", subtype="misuse")
        return
    pages = {folder / f"{file.path.stem}.rst": os.path.relpath(file.path, folder) for file in files}
    for page in folder.glob("*.rst"):
        if page not in pages and page.read_text(encoding="utf-8").startswith(MADE):
            page.unlink()
    for page, target in pages.items():
        text = f"{MADE}.. verifydiff-derivation:: {Path(target).as_posix()}\n"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
