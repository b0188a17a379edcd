r"""Equations that are split over several formulas: "the variance :math:`\sigma_t^2` is :math:`\beta_t`", "其中 A 为 B".

Two formulas that follow one another are one statement if neither states anything by itself and nothing stands between them but a
word that says they are equal, or if one of them ends, or the other begins, with the sign of a relation. A third may follow in the
same way. What they state is written with the sign between them, and judged in their place.

Words mislead: "when :math:`\eta` is 1" sets a condition, ":math:`z` is :math:`\mathcal{N}(0, I)`-distributed" goes on behind the
second formula, and ":math:`x_0` is :math:`d`-dimensional" equates nothing. Such pairs stay two formulas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..page import Span
from .document import Document, Found, Part

EQUALS = re.compile(
    r"""[\s,，]*(?:
        (?:(?:then|hence|simply|just|also|therefore|thus)\s+)?
        (?:is|equals|becomes|reads|that\s+is|i\.e\.|or\s+equivalently|
           is\s+(?:simply|just|exactly|then|therefore|thus|hence|also|equal\s+to|given\s+by|the\s+same\s+as)|
           is\s+defined\s+(?:as|by|to\s+be)|(?:can|may)\s+be\s+written\s+as)
      | (?:则|就|也|便|正好|恰好|恰|可|可以|应)?
        (?:为|是|等于|即|即为|即是|就是|化为|变为|记为|写为|写成|写作|定义为|表示为|化简为)
      | 则?有|则|亦即|也即|也就是
    )[\s:,，：]*""",
    re.VERBOSE | re.IGNORECASE,
)
"""What may stand between the two sides of an equation."""
NOTHING = re.compile(r"[\s,，:：]*")
NOT_A_SUBJECT = re.compile(
    r"""(?:\b(?:when(?:ever)?|if|for|unless|until|once|assume|suppose|let|set|case|both|and|or|with|from|by|
           of|to|in|on|at|given|over|under|per|than|between|against|through|within|into|about|like|as|before|after|
           without|except|\w+ing)
      | 当|若|如果|假设|假如|设|取|令|只要|除非|对于?|由|根据|将|把|代入|利用|用|和|与|及|或|、|给定|关于|除以|乘以|在)\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words before the first formula that make it a supposition, a means, one of several that share a verb, or what something is said
*of*: "the variance of :math:`x_t` is ..." says nothing of :math:`x_t` itself."""
CLAUSE_ENDS = re.compile(
    r"""(?!\s*[,，;；]?\s*(?:if|when(?:ever)?|provided|unless|as\s+long|in\s+the\s+limit|for\s+(?!all|any|every|each)|respectively|
           当|若|如果|只要|假设|分别))
    \s*(?:$|[.,;:!?)\]，。；：！？、）|]|[-–—]\s|
      (?:and|so|with|where|while|which|since|because|but|hence|thus|then|for\s+(?:all|any|every|each))\b
      |[其这则且而并故因由我将代再此以])""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a sentence may go on behind the second formula: without a condition, and without drawing it into something else."""
RELATION = re.compile(
    r"=|≈|∝|≤|≥|<|>|∼|\\(?:approx|equiv|propto|sim|simeq|cong|leq?|geq?|ll|gg|coloneqq|triangleq|doteq|in|to|mapsto|neq?|stackrel"
    r"|overset|(?:long)?rightarrow|(?:Left)?[Rr]ightarrow|iff|implies|subset)(?![a-zA-Z])"
)
LAW = re.compile(r"\s*(?:\\(?:mathcal|mathscr|cal|operatorname|mathrm)\s*\{?\s*N\b|N\s*\\?(?:left|big|Big)?\s*\()")
COMPOSED = re.compile(
    r"\\[dtc]?frac|\\sqrt|[-+/^]|\\(?:cdot|times|sum|prod|int|log|exp)(?![a-zA-Z])|[A-Za-z}]\s*\\[a-zA-Z]+|\d\s*\\?[a-zA-Z]"
)
"""What a side must hold, at least on the right, for a word to be enough: more than the name of something."""
LONGEST_CHAIN = 6


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing to judge.

    Attributes:
        span: as the judge reads it.
        part: the part of the document that it stands in, by its place in ``Document.parts``.
        members: the formulas that it is made of, by their places in ``Part.found``.
    """

    span: Span
    part: int
    members: tuple[int, ...]


def statements(document: Document) -> list[Statement]:
    """What a document states, in its order."""
    return [one for number, part in enumerate(document.parts) for one in _of_part(part, number)]


def _of_part(part: Part, number: int) -> Iterator[Statement]:
    words = list(_words(part))
    first = 0
    while first < len(part.found):
        latex, last = _joined(part.found, words, first)
        one = part.found[first]
        span = Span(one.line, latex, one.display, words[first], words[last + 1])
        yield Statement(span, number, tuple(range(first, last + 1)))
        first = last + 1


def _words(part: Part) -> Iterable[str]:
    """What is said before each formula, and behind the last one."""
    places = [0, *(place for one in part.found for place in (one.start, one.end)), len(part.text)]
    return (part.words(*places[k : k + 2]) for k in range(0, len(places), 2))


def _joined(found: tuple[Found, ...], words: list[str], first: int) -> tuple[str, int]:
    """The LaTeX of the statement that begins with a formula, and the last formula that is part of it."""
    latex, last = found[first].latex, first
    while last + 1 < len(found) and last - first < LONGEST_CHAIN:
        sign = _sign(latex, found[last + 1].latex, words[last + 1], chained=last > first)
        if sign is None or (last == first and NOT_A_SUBJECT.search(words[first])) or not CLAUSE_ENDS.match(words[last + 2]):
            break
        latex, last = f"{latex} {sign} {found[last + 1].latex}" if sign else f"{latex} {found[last + 1].latex}", last + 1
    return latex, last


def _sign(left: str, right: str, between: str, *, chained: bool) -> str | None:
    """What to write between two formulas that are one statement: nothing where a sign is there; None where they are two."""
    if "\\begin" in left or "\\begin" in right:
        return None
    ends, begins = _ends_with_relation(left), RELATION.match(right)
    if ends or begins:
        whole = not (ends and begins) and (NOTHING.fullmatch(between) or EQUALS.fullmatch(between))
        return "" if whole and not (begins and RELATION.search(left) and not chained) else None
    if RELATION.search(right) or (RELATION.search(left) and not chained) or not EQUALS.fullmatch(between):
        return None
    if LAW.match(right):
        return r"\sim"
    return "=" if COMPOSED.search(right) else None


def _ends_with_relation(latex: str) -> bool:
    return any(found.end() == len(latex) for found in RELATION.finditer(latex))
