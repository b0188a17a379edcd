"""In the user's own tests: one item of pytest for each check, all of them answered by one report.

.. code-block:: python

    @vd.parametrize_with_checks(sample, schedule=vd.Schedule.linear(1000), family=vd.DDIM(eta=0.0), steps=50)
    def test_my_sampler(check):
        check()

The items are known from the table of checks alone, before the sampler has run. It runs when the first of them asks, once a
process, and the others read what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from .checks import Allowed, CheckFailed, Report, check
from .checks.allow import apply_allowed
from .checks.check import RATES
from .checks.table import CHECKS
from .forms.claims import Claim
from .observe import Target
from .observe.sample_loops import has_loop
from .schedule import Schedule
from .verdict import Finding, MisuseError, Status

if TYPE_CHECKING:
    import pytest

Sampler = Callable[..., Any] | Target
BAD = (Status.FAIL, Status.INCONCLUSIVE)


def parametrize_with_checks(
    sample: Sampler | Mapping[str, Sampler],
    *,
    schedule: Schedule | None = None,
    family: Claim | None = None,
    steps: int | None = None,
    spacing: str | None = None,
    order: int | None = None,
    converge: bool = True,
    prediction: str | None = None,
    shape: tuple[int, ...] | None = None,
    arrays: str | None = None,
    seed: int = 0,
    timeout: float = 120.0,
    allow: tuple[Allowed, ...] = (),
) -> pytest.MarkDecorator:
    """A decorator for a test with the argument ``check``: pytest makes an item of it for every check.

    ``check()`` passes, fails with what was found and the likeliest slip, or skips where there is nothing to ask.

    Args:
        sample: a sampler or a target, as for :func:`verifydiff.check`; or several by name, which are told apart by it.
        schedule, family, steps, spacing, order, converge, prediction, shape, arrays, seed, timeout, allow: as for
            :func:`verifydiff.check`.

    Raises:
        MisuseError: if pytest is missing, or there is no sampler. Claims that make no sense are told by the items.
    """
    try:
        import pytest
    except ImportError:
        raise MisuseError(
            "parametrize_with_checks needs pytest, which is not installed: pip install 'verifydiff[pytest]'"
        ) from None

    claims = {
        "schedule": schedule,
        "family": family,
        "steps": steps,
        "spacing": spacing,
        "order": order,
        "converge": converge,
        "prediction": prediction,
        "shape": shape,
        "arrays": arrays,
        "seed": seed,
        "timeout": timeout,
    }
    judgements = [Judgement(name, one, claims, allow) for name, one in _named(sample).items()]
    checks = [Check(name, judgement) for judgement in judgements for name in CHECKS]
    return pytest.mark.parametrize("check", checks, ids=map(str, checks))


def _named(sample: Sampler | Mapping[str, Sampler]) -> dict[str, Sampler]:
    """Samplers by name; one alone needs none."""
    samplers = dict(sample) if isinstance(sample, Mapping) else {"": sample}
    if not samplers:
        raise MisuseError("parametrize_with_checks was given no sampler: the dictionary is empty.")
    for name, one in samplers.items():
        if not isinstance(name, str) or (isinstance(sample, Mapping) and not name):
            raise MisuseError(f"samplers are named by words, got {name!r}.")
        if not isinstance(one, Target) and not callable(one) and not has_loop(one):
            which = f" {name!r}" if name else ""
            raise MisuseError(f"a sampler is a function sample(denoise, x_init, seed), got{which} {type(one).__name__}.")
    return samplers


class Judgement:
    """A sampler beside what it claims, judged when a check first asks.

    Attributes:
        name: what tells it apart from others that share its test; empty where it is alone.
        allowed: known deviations that are kept on purpose; a later entry on the same check counts.
        answered: the ids of the checks that have asked, and to which there was an answer.
    """

    def __init__(self, name: str, sample: Sampler, claims: dict[str, Any], allowed: tuple[Allowed, ...]) -> None:
        self.name, self.sample, self.claims, self.allowed = name, sample, claims, tuple(allowed)
        self.answered: set[str] = set()
        self._report: Report | None = None
        self._judging = Lock()

    @property
    def report(self) -> Report:
        """What came out; the first call runs the sampler."""
        with self._judging:
            if self._report is None:
                self._report = self._judge()
        return self._report

    def _judge(self) -> Report:
        report = check(self.sample, **self.claims)
        if self.name and not isinstance(self.sample, Target):
            report = replace(report, target=self.name)
        report = apply_allowed(report, self.allowed)
        if unknown := {finding.check for finding in report.findings} - set(CHECKS):
            raise RuntimeError(f"verifydiff has no question for what it found: {', '.join(sorted(unknown))}. Please report this.")
        return report

    @property
    def false_alarm(self) -> float:
        """The declared probability that a right sampler fails: the budget of a whole report, where anything was left to chance."""
        return RATES.false_alarm if any(finding.false_alarm for finding in self.report.findings) else 0.0


@dataclass(frozen=True, eq=False)
class Check:
    """One check of one sampler; to call it is to ask.

    Attributes:
        id: of the table of checks.
        judgement: whose report has the answer.
    """

    id: str
    judgement: Judgement

    def __str__(self) -> str:
        return f"{self.judgement.name}-{self.id}" if self.judgement.name else self.id

    def __repr__(self) -> str:
        return f"<check {self}: {CHECKS[self.id]}>"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the report says to this question."""
        return tuple(finding for finding in self.judgement.report.findings if finding.check == self.id)

    def __call__(self) -> None:
        """Ask.

        Raises:
            CheckFailed: if the check failed or stayed inconclusive, with what was found and the slips that explain it.
            MisuseError: if the claims make no sense.
        """
        __tracebackhide__ = True  # what went wrong is the sampler's, and no line of this package shows it
        import pytest

        try:
            findings = self.findings
        except MisuseError as error:
            raise MisuseError(str(error)) from None
        if all(finding.status is Status.NOT_APPLICABLE for finding in findings):
            pytest.skip("; ".join(finding.message for finding in findings) or self._silent())
        self.judgement.answered.add(self.id)
        if any(finding.status in BAD for finding in findings):
            raise CheckFailed(self._told())

    def _told(self) -> str:
        report = self.judgement.report
        lines = [f"{finding.check}: {finding.message}" for finding in self.findings if finding.status is Status.FAIL]
        lines += [
            f"{finding.check} (inconclusive): {finding.message}"
            for finding in self.findings
            if finding.status is Status.INCONCLUSIVE
        ]
        lines.append(f"  asked: {CHECKS[self.id]}")
        words = ("likeliest slip", *["or as well"] * len(report.diagnosis))
        lines += [
            f"  {word}: {one.slip}: {one.description} (residual {one.residual:.1g})"
            for word, one in zip(words, report.diagnosis, strict=False)
        ]
        return "\n".join(lines)

    def _silent(self) -> str:
        report = self.judgement.report
        if report.identified_as == "not observed":
            return f"not asked, since {report.findings[0].check} came first."
        return f"{self.id} has nothing to say of this sampler."
