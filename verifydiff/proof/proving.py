r"""Proving many derivations: the whole of what ``verifydiff prove`` reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..verdict import EXIT_FAILED, EXIT_OK, MisuseError, Proof
from .claim import Condition, Counterexample
from .derivation import Derivation, Proved
from .loading import place, read, refuse_unwritable, shipped, told
from .page import Check, Step, worst

Told = Callable[[int, int, Derivation], None]
Around = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Proofs:
    """The verdicts on many derivations.

    Attributes:
        claims: one verdict each, in order.
    """

    claims: tuple[Proved, ...]

    @property
    def outcome(self) -> Proof:
        """The worst outcome."""
        return worst([one.outcome for one in self.claims])

    @property
    def exit_code(self) -> int:
        """0 if all is proved, else 1."""
        return EXIT_OK if self.outcome is Proof.PROVED else EXIT_FAILED

    def as_json(self) -> dict[str, Any]:
        """The verdicts as plain values, in the shape that scripts rely on."""
        return {"status": str(self.outcome), "claims": [_claim(one) for one in self.claims]}


def prove(*what: Derivation | str | Path, tell: Told | None = None) -> Proofs:
    """Prove derivations, files or folders of them; without any, the shipped ones.

    Args:
        what: derivations, or paths.
        tell: called before each derivation with how many are done, how many there are, and which is next.

    Raises:
        MisuseError: if a path cannot be read, or a derivation raises.
    """
    return Proofs(tuple(_proved(_gathered(what), tell)))


def _gathered(what: Iterable[Derivation | str | Path]) -> list[tuple[Derivation, Around]]:
    things = list(what) or [shipped()]
    own: list[tuple[Derivation, Around]] = [(thing, nullcontext) for thing in things if isinstance(thing, Derivation)]
    files = read(thing for thing in things if not isinstance(thing, Derivation))
    return own + [(one, file.installed) for file in files for one in file.derivations]


def _proved(derivations: list[tuple[Derivation, Around]], tell: Told | None) -> Iterable[Proved]:
    for done, (one, around) in enumerate(derivations):
        if tell:
            tell(done, len(derivations), one)
        try:
            with around():
                proved = one.prove()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also what a file makes of its own
            raise MisuseError(told(error, one.file)) from error
        for words in (proved.idea, *(step.because for step in proved.steps)):
            refuse_unwritable(words, f"{place(one)}: what it says")
        yield proved


def _claim(proved: Proved) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": proved.id,
        "title": proved.title,
        "latex": proved.latex,
        "status": str(proved.outcome),
        "method": proved.method,
        "seconds": round(proved.seconds, 6),
        "source": proved.source,
        "where": proved.where,
        "steps": [_step(step) for step in proved.steps],
    }
    if proved.counterexample:
        plain["counterexample"] = _counterexample(proved.counterexample)
    return plain


def _step(step: Step) -> dict[str, Any]:
    return {
        "rule": step.rule,
        "statement": step.statement,
        "latex": step.latex,
        "because": step.because,
        "rests_on": step.rests_on,
        "status": str(step.outcome),
        "checks": [_check(check) for check in step.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    decision = check.decision
    return {
        "what": check.what,
        "statement": check.statement,
        "latex": check.latex,
        "status": str(decision.outcome),
        "method": decision.method,
        "conditions": [_condition(condition) for condition in decision.conditions],
        "remains": decision.remains,
    }


def _condition(condition: Condition) -> dict[str, Any]:
    return {"condition": str(condition), "latex": condition.latex(), "holds_by_the_domains": condition.holds}


def _counterexample(found: Counterexample) -> dict[str, Any]:
    return {
        "point": {str(symbol): str(value) for symbol, value in found.point.items()},
        "derived": {str(symbol): value for symbol, value in found.derived.items()},
        "lhs": found.lhs,
        "rhs": found.rhs,
        "difference": found.difference,
        "reason": found.reason,
    }
