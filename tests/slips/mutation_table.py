"""Every form of the table with every slip that has a place in it: what came out, and the page that says so.

Run from the root of the repository to write ``docs/mutations.md`` anew::

    python -m tests.slips.mutation_table
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from verifydiff.forms import Form, every_form
from verifydiff.proof import Claim, Decision, decide
from verifydiff.slips import CATALOGUE, FORMULA_SLIPS, FormSlip, Mutant, mutants
from verifydiff.verdict import Proof

PAGE = Path(__file__).parents[2] / "docs" / "mutations.md"
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
SLIPS = [*(slip for slip in CATALOGUE if isinstance(slip, FormSlip)), *FORMULA_SLIPS]


@dataclass(frozen=True)
class Judged:
    """A mutant of a form, and the engine's decision on "this mutant equals the form"."""

    mutant: Mutant
    claim: Claim
    decision: Decision

    def __str__(self):
        return f"{self.mutant.slip.id}: {self.mutant.expression}"


@cache
def judged(form: str) -> tuple[Judged, ...]:
    """All mutants of the form of that id."""
    return tuple(judge(every_form()[form]))


def judge(form: Form) -> Iterator[Judged]:
    """Ask the engine about every mutant of a form, under the form's own hypotheses."""
    for mutant in mutants(form):
        claim = Claim(mutant.expression, "==", form.expression, form.assuming)
        yield Judged(mutant, claim, decide(claim))


@cache
def equivalents() -> dict[tuple[str, str, str], str]:
    """The reasons why (form, slip, mutant) is no mistake."""
    entries = tomllib.loads(EQUIVALENTS.read_text()).get("equivalent", [])
    return {(one["form"], one["slip"], one["mutant"]): one["reason"] for one in entries}


def key(form: str, one: Judged) -> tuple[str, str, str]:
    """How the table of equivalents calls a mutant."""
    return form, one.mutant.slip.id, str(one.mutant.expression)


INTRODUCTION = """\
# What the proofs would catch

A proof is worth what it would refuse. Here every closed form is mutated with every [slip](slips.md) that has a place in it, one at
a time, and the engine is asked whether the mutant equals the form, for all values of the letters. Either it says no and shows a
point at which the two differ, which is then evaluated once more with other arithmetic; or the mutant is the same function, written
otherwise, and is listed below with the reason.

This page is written by `python -m tests.slips.mutation_table`; `tests/slips/test_mutants.py` holds it to what the code yields.
"""


def page() -> str:
    """The page, as Markdown."""
    rows, slips, same = [], Counter(), []
    for form in every_form():
        found = judged(form)
        slips.update(one.mutant.slip.id for one in found)
        proved = [one for one in found if one.decision.outcome is Proof.PROVED]
        refuted = sum(one.decision.outcome is Proof.REFUTED for one in found)
        rows.append((form, len(found), refuted, len(proved)))
        same += [(form, one) for one in proved]
    total = ("all", *(sum(row[column] for row in rows) for column in (1, 2, 3)))
    return "\n".join(
        [
            INTRODUCTION,
            f"{len(rows)} forms, {total[1]} mutants, {total[2]} refuted, {total[3]} equivalent.\n",
            "## By form\n",
            "| form | mutants | refuted | equivalent |",
            "|---|---|---|---|",
            *(f"| `{row[0]}` | {row[1]} | {row[2]} | {row[3]} |" for row in rows),
            "\n## Truly equivalent\n",
            *(_reason(form, one) for form, one in same or [("", None)]),
            "\n## By slip\n",
            "| slip | mutants |",
            "|---|---|",
            *(f"| `{slip.id}` | {slips[slip.id]} |" for slip in SLIPS if slips[slip.id]),
            "",
        ]
    )


def _reason(form: str, one: Judged | None) -> str:
    if one is None:
        return "None: every mutant of every form is another function."
    reason = equivalents().get(key(form, one), "No reason is given.")
    return f"- `{form}`, `{one.mutant.slip.id}`: `{one.mutant.expression}`. {reason}"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
