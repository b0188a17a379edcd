"""Names and comments that Coq reads as they were meant.

A letter keeps its name unless Coq has a use for it; what is not a letter, digit or underscore is written by its code point.
No two letters ever share a name. A comment holds whatever a page says, and nothing that a page says can end it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PRELUDE = Path(__file__).with_name("Referee.v")

_WORDS = """
    _ Axiom CoFixpoint Definition Fixpoint Hypothesis Parameter Prop SProp Set Theorem Type Variable as at by cofix do else end
    exists exists2 fix for forall fun if in lazymatch let ltac match multimatch return then using where with
    R R0 R1 IZR INR Rplus Rmult Ropp Rinv Rminus Rdiv Rlt Rle Rgt Rge sqrt Rabs pow True False I eq ex and or not conj nat Z N
    Rle_or_lt Rle_refl Rlt_le apply assert assumption destruct exact field first intros lra nra
    refine reflexivity rewrite ring subst timeout try
"""  # of Coq's language, of what a statement is made of, and of what a script says


@cache
def reserved() -> frozenset[str]:
    """What no letter may be called: the words of Coq, and the lemmas and tactics that a proof here leans on."""
    leant_on = re.findall(r"^(?:Lemma|Ltac|with) +(\w+)", PRELUDE.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset([*leant_on, *_WORDS.split()])


class Names:
    """Coq names, each given once.

    Args:
        taken: names that are not to be given.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def new(self, wanted: str) -> str:
        """A name like the one wanted."""
        plain = "".join(one if one.isascii() and (one.isalnum() or one == "_") else f"_u{ord(one):x}_" for one in wanted)
        if not plain[:1].isalpha():
            plain = f"x{plain}"
        name, number = plain, 1
        while name in self._taken or name in reserved():
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        return name

    def counted(self, stem: str) -> str:
        """The next free name of a series, such as w1, w2, ..."""
        number = 1
        while f"{stem}{number}" in self._taken or f"{stem}{number}" in reserved():
            number += 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"


def comment(words: str, width: int = 110) -> str:
    """The words as a comment of Coq, whatever they hold.

    Coq's comments nest, and read strings inside: brackets with stars are pulled apart, quotes are doubled strokes, and what
    is not printable ASCII is written by its code point.
    """
    plain = " ".join(words.split()).encode("ascii", "backslashreplace").decode()
    plain = "".join(one if one.isprintable() else " " for one in plain)
    plain = re.sub(r"(?<=\()(?=\*)|(?<=\*)(?=\))", " ", plain).replace('"', "''")
    lines = textwrap.wrap(plain, width - 6, break_on_hyphens=False) or [""]
    return "(* " + "\n   ".join(lines) + " *)"
