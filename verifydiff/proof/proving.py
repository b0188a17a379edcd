r"""Proving many derivations: the whole of what ``verifydiff prove`` reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..forms import Form, is_shipped
from ..verdict import EXIT_FAILED, EXIT_OK, MisuseError, Proof
from .claim import Condition, Counterexample, Decision, claim
from .derivation import Derivation, Proved
from .loading import place, read, refuse_unwritable, shipped, told
from .step import Check, Step, worst

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
    return Proofs(tuple(grounded(_proved(_gathered(what), tell))))


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


def grounded(claims: Iterable[Proved]) -> list[Proved]:
    """The verdicts, where a page that rests on an unproved form, or on itself, is undecided.

    A form counts as proved if a page of this run proves it, under no other hypotheses than its own, and rests on proved
    forms only; or if no page of this run is about it and it is one of the package's own.
    """
    claims = list(claims)
    here = {one.form for one in claims if one.form}
    proved: set[Form] = set()
    waiting = [one for one in claims if one.outcome is Proof.PROVED]

    def stands(form: Form) -> bool:
        return form in proved or (form not in here and is_shipped(form))

    while sound := [one for one in waiting if all(map(stands, one.uses))]:
        waiting = [one for one in waiting if one not in sound]
        proved |= {one.form for one in sound if one.form and set(one.assuming) <= set(map(claim, one.form.assuming))}
    return [_ungrounded(one, [form for form in one.uses if not stands(form)]) if one in waiting else one for one in claims]


def _ungrounded(proved: Proved, missing: list[Form]) -> Proved:
    steps = tuple(_unproved(step, missing) for step in proved.steps)
    return replace(proved, outcome=worst([step.outcome for step in steps]), steps=steps)


def _unproved(step: Step, missing: list[Form]) -> Step:
    if step.rule != "established" or not any(step.latex == form.latex() for form in missing):
        return step
    open_one = Decision(Proof.UNDECIDED, "not decided", remains="no page proves it, or only one that rests on this one")
    return replace(step, checks=(Check("", None, open_one),))


def _claim(proved: Proved) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": proved.id,
        "title": proved.title,
        "latex": proved.latex,
        "status": str(proved.outcome),
        "method": proved.method,
        "seconds": round(proved.seconds, 6),
        "source": proved.source,
        "uses": [form.id for form in proved.uses],
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
