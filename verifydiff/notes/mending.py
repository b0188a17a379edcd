r"""Which changes make a failing statement hold.

Every change of one place (:mod:`verifydiff.notes.amend`) is tried in numbers, in the ways in which the statement was read; the
first few that agree are proved, as the statement itself would have been.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import thread_time

from .amend import edits
from .edit import LEVELS, Edit, Statement, statement
from .introductions import Opinion
from .known import Known
from .page import Suggestion
from .process import CLOCKS
from .proofs import proved
from .rules import Link, backward, equal, renamed, told, turns_time
from .tree import Chain, letters
from .ways import UNWORKED, Grade, Setting, Tried, Way, attempt, letters_in, setting_of

MAX_SUGGESTIONS = 3
SECONDS = 1.5
MARGIN = 0.6  # by how much a correction may cost more than the cheapest and still be worth a look


def suggestions(
    source: str,
    chain: Chain | None,
    links: list[Link],
    place: int,
    opinions: list[Opinion],
    preferred: Sequence[str],
    known: Known,
) -> tuple[Suggestion, ...]:
    """At most three corrections of a link, the likeliest first."""
    if chain is None:
        return ()
    within = statement(source, chain.sides)
    links = [*links[:place], opinions[place].link or links[place], *links[place + 1 :]]
    named = any(one.base in LEVELS for one in letters_in((links[place].left, links[place].right)))
    ways, setting = _ways(opinions[place], preferred[0] if named else ""), setting_of(links[place])
    if known.clock:  # a correction keeps the page's own clock
        ways = [way for way in ways if way.convention not in CLOCKS or way.convention == known.clock]
    found: list[Suggestion] = []
    unworked = opinions[place].error is not None and getattr(opinions[place].error, "why", "") == UNWORKED
    deadline, enough = thread_time() + (SECONDS / 3 if unworked else SECONDS), float("inf")
    for edit, mended in _candidates(links, place, opinions, within):
        if len(found) >= MAX_SUGGESTIONS or thread_time() > deadline or edit.cost > enough:
            break
        tried = _agreeing(mended, ways, known, setting)
        if tried is not None and proved(tried, mended, known) is not False:
            one = suggestion_of(source, chain, edit)
            if one.latex not in {earlier.latex for earlier in found}:
                found.append(one)
                enough = min(enough, edit.cost + MARGIN)
    return tuple(found)


def barred(source: str, chain: Chain | None, convention: str) -> tuple[Suggestion, ...]:
    """The formula with a bar on every alpha, for a page where alpha is one factor."""
    if chain is None or convention != "ddim":
        return ()
    places = sorted(
        {(one.start, one.end) for side in chain.sides for one in letters(side) if one.base == "alpha" and not one.marks}
    )
    latex, marked, at = "", "", chain.start
    for start, end in places:
        text = source[start:end].replace(r"\alpha", r"\bar\alpha", 1)
        latex, marked = latex + source[at:start] + text, marked + source[at:start] + rf"\boxed{{{text}}}"
        at = end
    latex, marked = latex + source[at : chain.end], marked + source[at : chain.end]
    first = places[0][0] - chain.start if places else 0
    return (Suggestion(latex, first, len(latex), marked, "bar-lost", "every alpha with its bar"),) if places else ()


def _ways(opinion: Opinion, own: str) -> list[Way]:
    """The ways in which the link could be read on this page, each once."""
    rivals = {"ddpm", "ddim", "root"} - {own} if own in ("ddpm", "ddim", "root") else set()
    found: dict[tuple[object, ...], Way] = {}
    least = min((tried.broken for tried in opinion.ways if tried.grade is Grade.DIFFERS), default=0)
    for tried in opinion.ways:
        if tried.broken > least + 1 or tried.way.convention in rivals:
            continue
        unworked = tried.error is not None and tried.error.why == UNWORKED
        if unworked or (tried.grade is Grade.DIFFERS and (not tried.unknown or tried.way.rule is told)):
            way = tried.way
            found.setdefault((way.convention, way.rule, way.mode, way.tie, way.falling, way.flags), way)
    differing = {tried.way.rule for tried in opinion.ways if tried.grade is Grade.DIFFERS}
    specific = [way for way in found.values() if way.rule not in (equal, told, renamed) and way.rule in differing]
    if specific:
        return [*specific, *[way for way in found.values() if way.rule is equal and way.tie != "marginal"]]
    return [way for way in found.values() if way.rule is not renamed]


def _candidates(links: list[Link], place: int, opinions: list[Opinion], within: Statement) -> Iterator[tuple[Edit, Link]]:
    """Every change with the link as it then reads, the cheapest first."""
    link = links[place]
    found: list[tuple[float, int, Edit, Link]] = []
    left_first = place == 0 and len(links) > 1 and opinions[1].holds
    left_settled = place > 0 and (opinions[place - 1].holds or opinions[place].link is not None)
    if (turned := _turned(link, within)) is not None:
        found.append((turned.cost, 0, turned, replace(link, relation=OPPOSITE[link.relation])))
    for edit in edits(link.right, within):
        found.append((edit.cost + (1.5 if left_first else 0), len(found), edit, replace(link, right=edit.node)))
    for edit in edits(link.left, within) if not left_settled else ():
        found.append((edit.cost + (0 if left_first else 1.5), len(found), edit, replace(link, left=edit.node)))
    found.sort(key=lambda one: one[:2])
    for _, _, edit, mended in found:
        yield edit, mended


OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
ORDER = re.compile(r"\\(?:[lg](?:eq?(?:slant)?|t)|[lg]eqq)(?![a-zA-Z])|[<>≤≥]")
TURNED = {"<": ">", "≤": "≥", "l": "g"} | {">": "<", "≥": "≤", "g": "l"}


def _turned(link: Link, within: Statement) -> Edit | None:
    """The order the other way round."""
    between = within.source[link.left.end : link.right.start]
    sign = ORDER.search(between) if link.relation in OPPOSITE else None
    if sign is None:
        return None
    start, written = link.left.end + sign.start(), sign[0]
    text = written.replace(written[1], TURNED[written[1]], 1) if len(written) > 1 else TURNED[written]
    return Edit(link.right, start, start + len(written), text, "order-turned", "the opposite order", 0.9)


def _agreeing(link: Link, ways: Sequence[Way], known: Known, setting: Setting) -> Tried | None:
    """The first way in which a link agrees in numbers."""
    for way in ways:
        if way.rule is backward and not turns_time(link):  # a convention, not a correction
            continue
        for tried in attempt(way, link, known, setting):
            if tried.grade is Grade.AGREES and (not tried.unknown or way.rule is told):
                return tried
    return None


def suggestion_of(source: str, chain: Chain, edit: Edit) -> Suggestion:
    """The statement with a change, as it is shown."""
    begin, end = chain.start, chain.end
    before, after = source[begin : edit.start], source[edit.end : max(end, edit.end)]
    text = edit.text
    glue = "" if text.endswith(("}", ")")) or not after[:1].isalpha() else " "
    latex = f"{before}{text}{glue}{after}"
    shown = text.strip()
    marked = rf"{before}\boxed{{{shown}}}{after}" if shown else rf"{before}\boxed{{\,}}{after}"
    return Suggestion(latex, len(before), len(before) + len(text), marked, edit.slip, edit.description)
