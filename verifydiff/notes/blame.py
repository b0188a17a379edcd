r"""Whose mistake it is: a formula that fails by what the page has said of its letters, or what the page has said.

:math:`\tilde\mu_t = c_1 x_0 + c_2 x_t` fails if a misprint stands in :math:`c_1 = \dots`, and is right nevertheless. Where no
change of the formula mends it, and a single change of one of the definitions that it uses does, the definition is the misprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import thread_time

from .amend import edits
from .edit import Edit, statement
from .introductions import introduced
from .judging import judge_link
from .known import Introduced, Known
from .mending import MARGIN, MAX_SUGGESTIONS, SECONDS, suggestion_of
from .page import Judged, Standing, Suggestion
from .proofs import proved
from .rules import Link
from .said import name_of
from .tree import Chain
from .ways import Grade, Setting, Way, attempt, letters_in, setting_of


@dataclass
class Case:
    """A statement of the page with its links, and what came of it."""

    source: str
    chain: Chain | None
    links: Sequence[Link]
    judged: Judged


def settled(cases: Sequence[Case], preferred: Sequence[str], known: Known) -> list[Judged]:
    """What came of the statements of a page, with the blame where it belongs."""
    found = [case.judged for case in cases]
    for place, case in enumerate(cases):
        if found[place].status is not Standing.FAILS or found[place].suggestion or len(case.links) != 1:
            continue
        if not case.links[0].is_equation:
            continue
        for earlier in _defining(cases[:place], case.links[0], found):
            mended = _mended(cases[earlier], case.links[0], preferred, known)
            if mended:
                guilty = found[earlier]
                reason = f"what line {found[place].line} says with it is right once a single change mends it"
                found[earlier] = replace(
                    guilty,
                    status=Standing.FAILS,
                    reason=reason,
                    counterexample=found[place].counterexample,
                    suggestion=mended,
                )
                found[place] = replace(
                    found[place],
                    status=Standing.HOLDS,
                    reason=f"it holds once line {guilty.line} is mended",
                    counterexample=None,
                )
                break
    return found


def _defining(cases: Sequence[Case], link: Link, found: Sequence[Judged]) -> Iterator[int]:
    """The definitions that a link uses, by their places, the nearest first."""
    names = {name_of(one) for one in letters_in((link.right,))}
    for place in reversed(range(len(cases))):
        case = cases[place]
        if found[place].status is Standing.DEFINITION and len(case.links) == 1:
            said = introduced(case.links[0])
            if said is not None and said[0] in names:
                yield place


def _mended(case: Case, link: Link, preferred: Sequence[str], known: Known) -> tuple[Suggestion, ...]:
    """At most three changes of a definition with which a link holds, the likeliest first."""
    if case.chain is None:
        return ()
    tried = judge_link(link, preferred, known).ways
    ways = list(dict.fromkeys(one.way for one in tried if one.grade is Grade.DIFFERS and not one.unknown))
    setting, deadline, enough = setting_of(link), thread_time() + SECONDS, float("inf")
    found: list[Suggestion] = []
    for edit in sorted(edits(case.links[0].right, statement(case.source, case.chain.sides)), key=lambda one: one.cost):
        if len(found) >= MAX_SUGGESTIONS or thread_time() > deadline or edit.cost > enough:
            break
        learned = _learned(case.links[0], edit, known)
        if learned is not None and _holds(link, ways, learned, setting):
            one = suggestion_of(case.source, case.chain, edit)
            if one.latex not in {earlier.latex for earlier in found}:
                found.append(one)
                enough = min(enough, edit.cost + MARGIN)
    return tuple(found)


def _learned(definition: Link, edit: Edit, known: Known) -> Known | None:
    """What is known of the page if a definition reads otherwise."""
    said = introduced(replace(definition, right=edit.node))
    if said is None:
        return None
    name, meaning = said
    rest: tuple[Introduced, ...] = tuple(
        one for one in known.letters.get(name, ()) if (one.at, one.arguments) != (meaning.at, meaning.arguments)
    )
    return replace(known, letters={**known.letters, name: (meaning, *rest)})


def _holds(link: Link, ways: Sequence[Way], known: Known, setting: Setting) -> bool:
    for way in ways:
        for tried in attempt(way, link, known, setting):
            if tried.grade is Grade.AGREES and not tried.unknown and proved(tried, link, known):
                return True
    return False
