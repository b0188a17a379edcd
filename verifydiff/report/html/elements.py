r"""HTML and SVG as values: an element escapes every text that it is given, so that nothing has to remember to.

A :class:`Markup` is text that is HTML already. Only :func:`element` and :func:`raw` make one; a plain ``str`` is text of anybody's,
and becomes its own picture: markup is escaped, and characters that would hide or reorder what stands around them are
written out as ``\u202e``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"br", "hr", "input", "meta", "wbr"})
"""Elements without an end tag."""

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_SUSPECT = re.compile(r"[^\x20-\x7e\n\t\u00a1-\u02ff\u0370-\u03ff\u2010-\u2027\u2030-\u205e\u2070-\u22ff\u2700-\u27bf]")
"""What has to be looked at one by one; most text has nothing of it."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | Iterable[Child] | None"
"""What stands in an element: markup, text, nothing, or several of these."""
Value = str | int | float | bool | None
"""Of an attribute; False and None leave it out, True gives it no value."""


def element(tag: str, *children: Child, **attributes: Value) -> Markup:
    """An element with its children. A trailing underscore of an attribute falls away (``class_``), others become hyphens."""
    if not _NAME.fullmatch(tag):
        raise ValueError(f"{tag!r} is no name of an element.")
    start = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    return Markup(start if tag in VOID else f"{start}{joined(children)}</{tag}>")


def joined(children: Child) -> Markup:
    """Several children side by side, without an element around them."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(escape(visible(children), quote=False))
    return Markup("".join(joined(child) for child in children))


def raw(html: str) -> Markup:
    """Markup from a text that is known to be HTML, a style sheet or a script. Never give it what comes from a target."""
    return Markup(html)


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an attribute.")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)), quote=True)}"'


def visible(text: str) -> str:
    """A text whose every character shows: controls, overrides of direction and halves of characters are written out."""
    return _SUSPECT.sub(lambda match: _shown(match[0]), text)


def cut(text: str, longest: int) -> str:
    """A text of no more than some characters; what is longer says that it was cut."""
    return text if len(text) <= longest else f"{text[:longest]} ... ({len(text):,} characters)"


def hides(character: str) -> bool:
    """Whether a character shows nothing of itself, or changes the order in which others show."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _shown(character: str) -> str:
    if not hides(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
