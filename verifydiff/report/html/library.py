"""A library's report: the matrix of targets by checks, and below it every target, both grouped by class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...checks import LibraryReport, Report
from ...verdict import Finding, Status
from ..checks import MARK, ORDER
from .document import section
from .elements import Child, Markup, cut, element
from .figures import figure
from .findings import KIND, LONGEST_MESSAGE, WORDS, Questions, card, diagnosis, in_order, mark, name, worst
from .run import Run

MOST_CARDS = 3
"""Failures of one class that are shown in full, one for each check."""
MOST_PLOTS = 60
"""Plots of one page, so that it stays one that a browser likes."""


@dataclass(frozen=True)
class Kind:
    """A class and its targets, each with its number in the library's report and what tells it from the others."""

    title: str
    number: int
    targets: tuple[tuple[int, str, Report], ...]

    @property
    def status(self) -> Status:
        """The worst of its targets'."""
        return worst(report.status for _, _, report in self.targets)


def split(target: str) -> tuple[str, str]:
    """Class and configuration of a target's name: ``diffusers:DDIMScheduler steps=50`` gives DDIMScheduler and steps=50."""
    match = re.match(r"(?:[\w.-]+:)?([\w.-]+)(?=$|[\s(\[{,])", target)
    if match is None:
        return target, ""
    rest = target[match.end() :].strip(" ,")
    return match[1], rest[1:-1] if rest[:1] + rest[-1:] in ("()", "[]", "{}") else rest


def grouped(report: LibraryReport) -> list[Kind]:
    """Classes in the order in which they first occur."""
    found: dict[str, list[tuple[int, str, Report]]] = {}
    for k, one in enumerate(report.reports):
        title, configuration = split(one.target)
        found.setdefault(title, []).append((k, configuration or "as it comes", one))
    return [Kind(title, number, tuple(targets)) for number, (title, targets) in enumerate(found.items())]


def checks(report: LibraryReport) -> list[str]:
    """The ids of all checks in their own order: one that a target lacks stands after the one that it follows elsewhere."""
    order: list[str] = []
    for one in report.reports:
        place = 0
        for finding in one.findings:
            if finding.check in order:
                place = max(place, order.index(finding.check) + 1)
            else:
                order.insert(place, finding.check)
                place += 1
    return order


# -- the matrix ----------------------------------------------------------------------------------------------------------


def matrix(report: LibraryReport, questions: Questions) -> list[Child]:
    """A row a target, a column a check, the targets of a class folded under a row of their own."""
    columns = checks(report)
    heads = [element("span", element("span", check), title=questions.get(check, check)) for check in columns]
    box = element(
        "div",
        element("div", element("span", "class, configurations", class_="who"), heads, class_="heads", aria_hidden="true"),
        [_fold(kind, columns) for kind in grouped(report)],
        class_="matrix",
        tabindex="0",
        role="region",
        aria_label="targets by checks",
    )
    return [_filters(report), box]


def _filters(report: LibraryReport) -> Markup:
    """Shown by the script that serves them."""
    options = [element("option", name(kind.title), value=kind.number) for kind in grouped(report)]
    return element(
        "p",
        element("label", element("input", type="checkbox", id="only-bad"), " only what did not pass"),
        element("label", "class ", element("select", element("option", "all", value=""), options, id="only-class")),
        id="filters",
        hidden=True,
    )


def _fold(kind: Kind, columns: list[str]) -> Markup:
    by_check: dict[str, list[Status]] = {}
    for _, _, report in kind.targets:
        for finding in report.findings:
            by_check.setdefault(finding.check, []).append(finding.status)
    cells = [_cell(worst(by_check[check])) if check in by_check else element("span", class_="cell") for check in columns]
    head = element("tr", element("th", "configuration", scope="col"), [element("th", check, scope="col") for check in columns])
    rows = [_line(k, configuration, report, columns) for k, configuration, report in kind.targets]
    who = [element("b", _breakable(name(kind.title))), element("span", f" {_tally(kind)}", class_="quiet")]
    return element(
        "details",
        element("summary", element("span", who, class_="who"), cells),
        element("table", element("thead", head, class_="unseen"), element("tbody", rows)),
        "\n",
        class_=f"kind {KIND[kind.status]}",
        data_class=kind.number,
    )


def _breakable(title: str) -> list[Child]:
    """A name in CamelCase that may be broken between its words."""
    words = re.split(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", title)
    return [words[0], *([element("wbr"), word] for word in words[1:])]


def _tally(kind: Kind) -> str:
    failed = sum(report.status is Status.FAIL for _, _, report in kind.targets)
    return f"{failed} of {len(kind.targets)} fail" if failed else f"{len(kind.targets)}"


def _cell(status: Status) -> Markup:
    return element("span", MARK[status], class_=f"cell {KIND[status]}", title=WORDS[status])


def _class(status: Status) -> str | None:
    """Of a cell; the commonest has none, since a page may have twenty thousand."""
    return None if status is Status.PASS else KIND[status]


def _line(k: int, configuration: str, report: Report, columns: list[str]) -> Markup:
    first: dict[str, tuple[int, Status]] = {}
    for number, finding in in_order(report.findings):
        first.setdefault(finding.check, (number, finding.status))
    cells = [
        element("td", element("a", MARK[first[check][1]], href=f"#t{k}f{first[check][0]}"), class_=_class(first[check][1]))
        if check in first
        else element("td")
        for check in columns
    ]
    who = element("th", element("a", name(configuration), href=f"#t{k}"), scope="row")
    return element("tr", who, cells, "\n", class_=KIND[report.status])


# -- target by target ----------------------------------------------------------------------------------------------------


def kinds(report: LibraryReport, run: Run, questions: Questions) -> list[Markup]:
    """Every class with its first failures in full, and every target with its findings in short."""
    room = iter(range(MOST_PLOTS))
    return [_kind(kind, run, questions, room) for kind in grouped(report)]


def _kind(kind: Kind, run: Run, questions: Questions, room: Iterator[int]) -> Markup:
    shown = list(_telling(kind, room))
    return element(
        "details",
        element(
            "summary", mark(kind.status), " ", element("b", name(kind.title)), element("span", f" {_tally(kind)}", class_="quiet")
        ),
        [card(finding, f"c{kind.number}f{k}", questions, _origin(*where)) for k, (where, finding) in enumerate(shown)],
        element(
            "div",
            [_target(*one, run) for one in sorted(kind.targets, key=lambda one: ORDER.index(one[2].status))],
            class_="targets",
        ),
        "\n",
        class_=f"kind {KIND[kind.status]}",
        id=f"c{kind.number}",
        data_class=kind.number,
        open=kind.status is Status.FAIL,
    )


def _telling(kind: Kind, room: Iterator[int]) -> Iterator[tuple[tuple[int, str], Finding]]:
    """The first failure of each check, those with a plot first; few of them."""
    first: dict[str, tuple[tuple[int, str], Finding]] = {}
    for k, configuration, report in kind.targets:
        for finding in report.findings:
            if finding.status is Status.FAIL:
                first.setdefault(finding.check, ((k, configuration), finding))
    drawn = sorted(first.values(), key=lambda one: figure(one[1]) is None)
    for one, _ in zip(drawn[:MOST_CARDS], room, strict=False):
        yield one


def _origin(k: int, configuration: str) -> Markup:
    return element("a", name(configuration), href=f"#t{k}", class_="origin")


def _target(k: int, configuration: str, report: Report, run: Run) -> Markup:
    bad = dict.fromkeys(f.check for f in report.findings if f.status in (Status.FAIL, Status.INCONCLUSIVE))
    command = run.commands.get(report.target)
    return element(
        "details",
        element("summary", mark(report.status), " ", element("span", name(configuration), class_="made"), _quiet(", ".join(bad))),
        element("p", _quiet("seen to be"), " ", name(report.identified_as)),
        [element("p", _quiet("it says"), " ", name(note)) for note in report.notes],
        element("ul", _items(k, report.findings), class_="short"),
        diagnosis(report),
        element("pre", element("code", command), class_="command") if command else None,
        "\n",
        class_=KIND[report.status],
        id=f"t{k}",
    )


def _quiet(text: str) -> Markup | None:
    return element("span", f" {text}", class_="quiet") if text else None


def _items(k: int, findings: tuple[Finding, ...]) -> Iterator[Markup]:
    """What did not simply pass, each with its message; what passed, by name in one line."""
    passed: list[Child] = []
    for number, finding in in_order(findings):
        if finding.status in (Status.PASS, Status.NOT_APPLICABLE):
            sign = "" if finding.status is Status.PASS else f"{MARK[finding.status]} "
            passed += [", " if passed else "", element("span", sign, finding.check, id=f"t{k}f{number}")]
        else:
            sign = element("b", f"{MARK[finding.status]} {finding.check}", class_=KIND[finding.status])
            yield element("li", sign, " ", cut(finding.message, LONGEST_MESSAGE), id=f"t{k}f{number}")
    if passed:
        yield element("li", element("b", f"{MARK[Status.PASS]} passed", class_=KIND[Status.PASS]), " ", passed)


def slips(report: LibraryReport) -> Markup | None:
    """The likeliest slips over all targets, those that explain most of them first."""
    found: dict[str, list[Kind]] = {}
    words: dict[str, str] = {}
    for kind in grouped(report):
        for _, _, one in kind.targets:
            if one.diagnosis and one.status is Status.FAIL:
                best = one.diagnosis[0]
                words[best.slip] = best.description
                found.setdefault(best.slip, []).append(kind)
    if not found:
        return None
    items = [
        element("li", element("b", slip, class_="check"), f": {words[slip]}", element("p", _where(found[slip]), class_="quiet"))
        for slip in sorted(found, key=lambda slip: -len(found[slip]))
    ]
    return section("Likeliest slips", "slips", element("ul", items, class_="slips"))


def _where(kinds: Iterable[Kind]) -> list[Child]:
    counted: dict[int, int] = {}
    titles: Mapping[int, str] = {kind.number: kind.title for kind in kinds}
    for kind in kinds:
        counted[kind.number] = counted.get(kind.number, 0) + 1
    links: list[Child] = []
    for number, times in counted.items():
        links += [", " if links else "", element("a", name(titles[number]), href=f"#c{number}"), f" ({times})"]
    return links
