"""The page around a report: head, style and script. It says itself that it may load nothing, and its script is known by hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from .elements import Child, Markup, element, raw

HERE = Path(__file__).parent


def document(title: str, *body: Child) -> str:
    """A whole page."""
    style, script = _text("style.css"), _text("script.js")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", raw(style)),
    )
    page = element("html", head, "\n", element("body", body, element("script", raw(script))), lang="en")
    return f"<!doctype html>\n{page}\n"


def section(title: str, id_: str, *children: Child) -> Markup:
    """A part of the page under its heading."""
    return element("section", element("h2", title), *children, "\n", id=id_)


@cache
def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
