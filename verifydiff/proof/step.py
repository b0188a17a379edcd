r"""Steps: what a derivation has written, and what was decided under it.

A step is a statement with its justification. It is worth as much as the worst of the checks under it; a page is worth as
much as its worst step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..verdict import Proof
from .claim import Claim, Decision

BY_DEFINITION = Decision(Proof.PROVED, "by definition")


Text = Callable[[], str]  # printing is slower than deciding, so it waits until somebody reads


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was decided under a step.

    Attributes:
        what: which hypothesis or which identity it is.
        claim: the statement; None for a definition.
        decision: what came out.
    """

    what: str
    claim: Claim | None
    decision: Decision

    @property
    def statement(self) -> str:
        """The statement as text."""
        return str(self.claim) if self.claim else ""

    @property
    def latex(self) -> str:
        """The statement as LaTeX, without dollar signs."""
        return self.claim.latex() if self.claim else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a derivation.

    Attributes:
        rule: the name of the rule, ``algebra`` where there is none.
        because: the justification in words.
        rests_on: the theorem that the rule applies, with what it asks for.
        checks: everything that was decided under it.
        seconds: how long that took.
    """

    rule: str
    because: str
    rests_on: str
    checks: tuple[Check, ...]
    seconds: float
    _statement: Text = field(repr=False, compare=False)
    _latex: Text = field(repr=False, compare=False)

    @property
    def statement(self) -> str:
        """What the step concludes, as text."""
        return self._statement()

    @property
    def latex(self) -> str:
        """What the step concludes, as LaTeX without dollar signs."""
        return self._latex()

    @property
    def outcome(self) -> Proof:
        """The worst outcome of its checks."""
        return worst([check.decision.outcome for check in self.checks])


def worst(outcomes: Sequence[Proof]) -> Proof:
    """Refuted before undecided before proved."""
    for outcome in (Proof.REFUTED, Proof.UNDECIDED):
        if outcome in outcomes:
            return outcome
    return Proof.PROVED
