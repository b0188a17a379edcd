"""The page of what released libraries do, made from what the command says of them.

verifydiff check diffusers --jobs 2 --json diffusers.json        # and k_diffusion, azula
python -m tests.second_route diffusers.json k_diffusion.json azula.json
python -m tests.conformance diffusers.json k_diffusion.json azula.json > docs/conformance.md

The second command asks a second route about every failure, and keeps its answers in ``docs/second-route.json``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verifydiff.report.library import alone

BAD = ("fail",)
ANSWERS = Path(__file__).parents[1] / "docs" / "second-route.json"
HEAD = """\
# What released libraries do

Every sampler of three libraries, over the options that matter, judged by `verifydiff check`. This page is made from the JSON of
that command (`tests/conformance.py`), and shows for every sampler and every check that fails the smallest configuration that does.
What follows from a method (ten steps' bias, a grid that starts below T, a first order's error) is a note there and not listed here.

A failure says that the library departs from the closed form, from its own documentation or from what it claims, and not that nobody
has a reason for it: released models may depend on it.

**Two routes.** Beside every failure stands what a second route says, in every configuration that fails. It shares no code with
verifydiff: the library as it is shipped, in a plain loop of torch, the exact model of Gaussian data, and formulas by hand
(`tests/second_route`). Where 100 000 draws decide, what is off is off by more than six standard errors: chance does that twice in a
billion. Each route has to let pass what is right (`tests/test_second_route.py`). A failure that it does not confirm is marked, with
the reason. The same findings in words: [what it finds in diffusers](diffusers.md).
"""


def page(libraries: list[dict[str, Any]]) -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *(line for library in libraries for line in _library(library))]) + "\n"


def _library(library: dict[str, Any]) -> Iterator[str]:
    targets = library["targets"]
    second = json.loads(ANSWERS.read_text(encoding="utf-8")).get(library["library"], {"version": "", "answers": {}})
    answers = second["answers"] if second["version"] == library["version"] else {}
    counts = Counter(one["status"] for one in targets)
    command = f"verifydiff check {library['library']} --jobs 2"
    yield f"## {library['library']} {library['version']}\n"
    told = ", ".join(
        f"{counts[status]} {words}"
        for status, words in (("pass", "pass or are refused"), ("fail", "fail"), ("inconclusive", "undecided"))
    )
    yield f"`{command}`: {len(targets)} configurations, of which {told}.\n"
    yield "| sampler | configurations | pass | what fails |"
    yield "|---|--:|--:|---|"
    for name, reports in _by_sampler(targets).items():
        yield f"| {name} | {len(reports)} | {sum(one['status'] == 'pass' for one in reports)} | {_words(reports)} |"
    yield "\n### What fails, and how to see it\n"
    yield f"{_tally(answers)}\n"
    for name, reports in _by_sampler(targets).items():
        for check, (message, target, count) in _failures(reports).items():
            several = f" ({count} configurations)" if count > 1 else ""
            yield f"**{name}, {check}**{several}: {_cell(message)}\n"
            yield f"```sh\n{alone(target)}\n```\n"
            yield f"{_second(answers.get(f'{name}, {check}'), target)}\n"


def _tally(answers: dict[str, Any]) -> str:
    confirmed = [one["confirmed"] for one in answers.values()]
    some, every = (sum(one[key] for one in answers.values()) for key in ("in", "of"))
    both = f"{sum(confirmed)} of these {len(confirmed)}, and {some} of the {every} failures of all configurations"
    return f"A second route confirms {both}."


def _second(answer: dict[str, Any] | None, target: str) -> str:
    """What the second route says; nothing that it said of another configuration counts."""
    if answer is None or answer["target"] != target:
        return "No second route was asked."
    several = f" ({answer['in']} of {answer['of']} configurations)" if answer["of"] > 1 else ""
    mark = "✓ Confirmed" if answer["confirmed"] else "✗ **Not confirmed**"
    why = f" {_cell(answer['why'])}" if "why" in answer else ""
    return f"{mark}{several}: {_cell(answer['words'])}{why}"


def _by_sampler(targets: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in targets:
        found.setdefault(one["target"].partition(":")[2].partition(" ")[0], []).append(one)
    return found


def _words(reports: list[dict[str, Any]]) -> str:
    reasons = [one["findings"][0] for one in reports if one["findings"][0]["status"] == "not_applicable"]
    if len(reasons) == len(reports):
        return _cell(reasons[0]["message"])
    counts = Counter(check for one in reports for check in {f["check"] for f in one["findings"] if f["status"] in BAD})
    return ", ".join(f"{check} {count}" for check, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _failures(reports: list[dict[str, Any]]) -> dict[str, tuple[str, str, int]]:
    """check -> (message, target, how many), by the shortest configuration that fails it."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    for one in reports:
        seen: set[str] = set()
        for finding in one["findings"]:
            if finding["status"] in BAD and finding["check"] not in seen:
                seen.add(finding["check"])
                found.setdefault(finding["check"], []).append((len(one["target"]), one["target"], finding["message"]))
    return {check: (min(cases)[2], min(cases)[1], len(cases)) for check, cases in found.items()}


def _cell(text: str) -> str:
    """Text without the places of this machine, and with nothing that Markdown would take for its own."""
    plain = " ".join(word if "site-packages" not in word else f"({word.rsplit('/', 1)[-1]}" for word in text.split(" "))
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


if __name__ == "__main__":
    sys.stdout.write(page([json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]))
