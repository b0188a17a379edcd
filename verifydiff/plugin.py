"""The pytest plugin: what checks found goes into the JUnit file, and what was declared and allowed into the summary.

To a run that has none of :func:`verifydiff.parametrize_with_checks` it is one light module and a hook after collection. The hook
that looks at every test is registered only where there is a check among them.

With pytest-xdist every worker judges a sampler once; what it tallies travels to the controller, which has the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .checks import Allowed
    from .testing import Check, Judgement

Tally = dict[str, Any]
"""Of one sampler, as plain data: its checks that were answered, its false-alarm rate, and what was allowed it."""

_TALLIES = pytest.StashKey[dict[str, Tally]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of the project's configuration file."""
    parser.addini("verifydiff_allow", "TOML file of known deviations, kept on purpose, for all of @parametrize_with_checks")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where there are checks among the tests, listen to them."""
    if "verifydiff.testing" not in sys.modules:
        return
    judgements: dict[Judgement, str] = {}
    for item in session.items:
        if check := _check_of(item):
            test = item.nodeid.removesuffix(f"[{item.callspec.id}]")  # type: ignore[attr-defined] # it has parameters
            judgements.setdefault(check.judgement, f"{test} {check.judgement.name}")
    if judgements:
        project = _allowed(session.config)
        for judgement in judgements:
            judgement.allowed = (*project, *judgement.allowed)
        session.config.pluginmanager.register(_Listener(judgements), "verifydiff-listener")


def _check_of(item: pytest.Item) -> Check | None:
    from .testing import Check

    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return next((value for value in parameters.values() if isinstance(value, Check)), None)


def _allowed(config: pytest.Config) -> tuple[Allowed, ...]:
    from .checks import load_allowed
    from .verdict import MisuseError

    name = config.getini("verifydiff_allow")
    if not name:
        return ()
    folder = config.inipath.parent if config.inipath is not None else config.rootpath
    try:
        return load_allowed(folder / name)
    except MisuseError as error:
        raise pytest.UsageError(f"verifydiff_allow: {error}") from None


class _Listener:
    """Notes what the checks of this process find."""

    def __init__(self, judgements: dict[Judgement, str]) -> None:
        self.judgements = judgements

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            check = _check_of(item)
            if check is not None and check.id in check.judgement.answered:
                item.user_properties += _properties(check)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        tallies = {key: _tally(judgement) for judgement, key in self.judgements.items() if judgement.answered}
        session.config.stash[_TALLIES] = tallies
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["verifydiff"] = tallies


def _properties(check: Check) -> list[tuple[str, object]]:
    """What a check found, as pytest hands it to the JUnit file."""
    report = check.judgement.report
    named: list[tuple[str, object]] = [("verifydiff.target", _exact(report.target))]
    for finding in report.to_json()["findings"]:
        if finding["check"] == check.id:
            numbers = ("status", "measured", "expected", "tolerance", "false_alarm")
            named += [(f"verifydiff.{key}", _exact(finding[key])) for key in numbers if finding[key] is not None]
    return named


def _exact(value: Any) -> Any:
    """Words as ``str`` itself: an enumeration's member is one too, and cannot leave a worker of xdist."""
    return str(value) if isinstance(value, str) else value


def _tally(judgement: Judgement) -> Tally:
    report = judgement.report
    allowed_here = {finding.check for finding in report.findings if finding.status == "allowed"}
    return {
        "checks": sorted(judgement.answered),
        "false_alarm": judgement.false_alarm,
        "allowed": [
            [entry.check, entry.target, entry.reason, entry.target in ("", report.target), entry.check in allowed_here]
            for entry in judgement.allowed
        ],
    }


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """With xdist: what a worker tallied, as it leaves. Two that judged the same sampler declared the same."""
    tallies = node.config.stash.setdefault(_TALLIES, {})
    for key, tally in getattr(node, "workeroutput", {}).get("verifydiff", {}).items():
        before = tallies.get(key, tally)
        tallies[key] = {**tally, "checks": sorted({*before["checks"], *tally["checks"]})}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How much was checked, the false-alarm rate of it all, and what was allowed."""
    tallies = config.stash.get(_TALLIES, {})
    if not tallies:
        return
    terminalreporter.section("verifydiff")
    for line in _summary(list(tallies.values())):
        terminalreporter.write_line(line)


def _summary(tallies: list[Tally]) -> list[str]:
    rate = sum(tally["false_alarm"] for tally in tallies)
    lines = [
        f"{_count(sum(len(tally['checks']) for tally in tallies), 'check')} on {_count(len(tallies), 'sampler')}",
        f"declared false-alarm rate of all of them together: {rate:g}{'' if rate else ' (nothing was left to chance)'}",
    ]
    entries: dict[tuple[str, str, str], list[bool]] = {}
    for check, target, reason, concerned, used in (entry for tally in tallies for entry in tally["allowed"]):
        seen = entries.setdefault((check, target, reason), [False, False])
        seen[0] |= concerned
        seen[1] |= concerned and used
    if entries:
        lines.append("allowed on purpose:")
    for (check, target, reason), (concerned, used) in entries.items():
        state = "" if used else " -- stale: it no longer fails" if concerned else " -- no such sampler was judged"
        lines.append(f"  {check}{f' of {target}' if target else ''}: {reason}{state}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
