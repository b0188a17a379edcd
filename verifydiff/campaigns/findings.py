"""What a campaign has found, as findings: one for each question, and one for draws that are not finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..statistics import Decision
from ..statistics.sequential import Sequential
from ..verdict import Finding, Status, overall
from .blocks import WALSH
from .campaign import Count
from .plan import Against, Plan

OCTILES = tuple("".join("+" if sign > 0 else "-" for sign in signs) for signs in WALSH)
MEASURED = {
    "mean": "mean, in standard deviations,",
    "variance": "variance over the claimed one",
    "shape": "share of the octiles marked + less 1/2, in halves,",
    "fractions": "share less the claimed one, in halves,",
}


@dataclass(frozen=True)
class Outcome:
    """A campaign that has come to its end.

    Attributes:
        plan: what was asked.
        count: what was counted.
    """

    plan: Plan
    count: Count

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each question; and the bias of the method, where it is known, which no draw decides."""
        return (*self._judged, *self._bias)

    @property
    def _judged(self) -> tuple[Finding, ...]:
        if self.count.broken is not None:
            block = self.count.broken
            message = block.fault or f"{block.broken} draws of block {block.number} are not finite; nothing else is judged."
            return (Finding("finite", Status.FAIL, message),)
        return tuple(self._finding(name, test) for name, test in self.count.tests.items())

    @property
    def status(self) -> Status:
        """Of the whole; a note if a question is left that only a bias of the method may answer."""
        found = [finding.status for finding in self._judged]
        return Status.NOTE if overall(found) is Status.PASS and Status.NOTE in found else overall(found)

    @property
    def biased(self) -> bool:
        """Whether a difference may be the bias of the method: nothing better than the law of the data was known."""
        return self.plan.against is None and self.plan.compared_with is Against.DATA

    def to_json(self) -> dict[str, Any]:
        """Plain values, as the command writes them."""
        return {
            "campaign": dict(line.split(" ", 1) for line in self.plan.identity.splitlines()),
            "against": self.count.yardstick.against,
            "draws": self.count.draws,
            "status": self.status.value,
            "findings": [finding.to_json() for finding in self.findings],
        }

    @property
    def _bias(self) -> tuple[Finding, ...]:
        if (bias := self.plan.bias) is None:
            return ()
        mean, variance = bias
        message = f"a right {self.plan.sampler} ends {mean:.4g} standard deviations off the mean of the data, and in {variance:.5g}"
        return (Finding("bias", Status.NOTE, f"{message} of their variance.", [mean, variance], [0.0, 1.0]),)

    def _finding(self, name: str, test: Sequential) -> Finding:
        claim = test.family.claim
        off = test.estimate - claim
        worst = int(np.argmax(np.abs(off))) if test.n else 0
        low, high = (float(bound[worst]) for bound in test.interval)
        measured = float(test.estimate[worst]) if test.n else None
        return Finding(
            name,
            self._status(test.decision),
            self._message(name, test, worst, low, high),
            measured=measured,
            expected=claim,
            tolerance=test.resolution,
            false_alarm=test.rates.false_alarm,
        )

    def _status(self, decision: Decision) -> Status:
        if decision is Decision.DIFFERENT:
            return Status.NOTE if self.biased else Status.FAIL
        return Status.PASS if decision is Decision.EQUAL else Status.INCONCLUSIVE

    def _message(self, name: str, test: Sequential, worst: int, low: float, high: float) -> str:
        if not test.n:
            return "no draw was made."
        what, names = MEASURED[name], self._names(name)
        which = f", the worst of {test.d}" if test.d > 1 else ""
        seen = f"{names[worst]}{which}: {what} {test.estimate[worst]:.5g}, surely within [{low:.4g}, {high:.4g}]"
        if test.decision is Decision.EQUAL:
            return f"equal within {test.resolution:g}; {seen}."
        if test.decision is Decision.DIFFERENT:
            return f"different; {seen}."
        needed = test.draws_expected()
        return f"not enough draws to say: {test.n:,} of some {needed:,.0f}; {seen}."

    def _names(self, name: str) -> tuple[str, ...]:
        """What the coordinates of a test are."""
        names = self.count.yardstick.names
        if name == "fractions":
            return names[self.count.yardstick.normal :]
        return tuple(f"{one}, {octiles}" for one in names for octiles in OCTILES) if name == "shape" else names
