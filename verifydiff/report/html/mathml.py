r"""Formulas as MathML, which a browser renders without script, font or network.

latex2mathml translates. Its own text is not safe to use: what stands in ``\text`` comes out as markup, and ``\href``, ``\style``
and ``\class`` as attributes. So its tree is copied: elements and attributes that are known, and every text escaped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import Any

from .elements import Child, Markup, cut, element

LONGEST, DEEPEST = 3000, 40
"""Characters of a formula, and braces within braces, beyond which it is shown as it is written."""
ELEMENTS = frozenset({
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mover", "munder", "munderover"),
    *("msub", "msup", "msubsup", "mmultiscripts", "mprescripts", "none", "mtable", "mtr", "mtd", "mpadded", "mphantom", "menclose"),
})  # fmt: skip
ATTRIBUTES = frozenset({
    *("accent", "accentunder", "columnalign", "columnspacing", "display", "displaystyle", "fence", "form", "height", "depth"),
    *("largeop", "linebreak", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "rowspacing"),
    *("rspace", "scriptlevel", "separator", "stretchy", "symmetric", "width"),
})  # fmt: skip
_VALUE = re.compile(r"[A-Za-z0-9.% -]{1,40}")
_INVISIBLE = dict.fromkeys(map(ord, "\u2061\u2062\u2063\u2064"))
_LEFT_OUT = re.compile(r"\\(?:label|tag\*?)\s*\{[^{}]*\}|\\(?:nonumber|notag)(?![a-zA-Z])|(?<!\\)%[^\n]*")


def formula(latex: str, *, display: bool = False) -> Markup:
    """A formula as MathML; what cannot be translated stands as it is written."""
    return _translated(latex, display) or element("code", cut(latex, LONGEST), class_="untranslated")


@lru_cache(maxsize=4096)
def _translated(latex: str, display: bool) -> Markup | None:
    from latex2mathml.converter import convert_to_element

    if len(latex) > LONGEST or not _is_shallow(latex):
        return None
    try:
        tree = convert_to_element(_LEFT_OUT.sub("", latex), display="block" if display else "inline")
        return _copied(tree)
    except Exception:  # whatever another's translator stumbles over, the source can be shown
        return None


def _is_shallow(latex: str) -> bool:
    depth = 0
    for character in latex:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth > DEEPEST:
            return False
    return len(re.findall(r"\\(?:left|begin)(?![a-zA-Z])", latex)) <= DEEPEST


def _copied(node: Any) -> Markup:
    """The element with what is known of it; an unknown one stands as a row of what it holds."""
    tag = node.tag if node.tag in ELEMENTS else "mrow"
    attributes = {name: value for name, value in node.attrib.items() if name in ATTRIBUTES and _VALUE.fullmatch(value)}
    children: list[Child] = [_text(node.text)]
    for child in node:
        children += [_copied(child), _text(child.tail)]
    if tag == "menclose":
        return element("mrow", children, class_="boxed")  # no browser draws the box of an enclosure by itself
    return element(tag, children, **attributes)


def _text(text: str | None) -> str | None:
    """A text without the references that the translator writes; nothing in it is markup afterwards, since it is escaped."""
    return None if text is None else unescape(text).translate(_INVISIBLE)
