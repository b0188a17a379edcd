"""The page of networks on record, made of their records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from records import FOLDER

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
PREFIX = "network-"
FIRST = ("field-8", "mixture-8", "field-32", "mixture-32", "fashion-28-large")
HEAD = """\
# Networks on record

Each network below was trained by `verifydiff train` on data whose answers are known, and laid over theory by `verifydiff confirm`,
at all numbers of steps and all etas of a full confirmation. The page is made of their records, which lie in `docs/records` with
commit, versions, machine and seed (`python -m tests.evidence`). What has no record was not run: no preset for a GPU has been
trained yet.

Distances are Frechet distances to the data, over the variance of the data. What each statement asks, and what counts as equal, is
told with [the confirmation](confirm.md).
"""
WITHIN, UP_TO = 0.05, 250
"""Of theory's distance, at so many steps at most: where a network counts as near."""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *(line for record in kept() for line in network(record))])


def kept() -> list[dict[str, Any]]:
    """All records of networks, the smaller ones first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob(f"{PREFIX}*.json")]
    return sorted(found, key=lambda record: FIRST.index(record["results"]["training"]["preset"]))


def network(record: dict[str, Any]) -> Iterator[str]:
    """What is told of one of them."""
    training, found = record["results"]["training"], record["results"]["confirmation"]
    measured = found["measured"]
    yield f"## `{training['preset']}`\n"
    yield f"{origin(record)}\n"
    yield f"**What a perfect network would have done.** {perfect(measured)}\n"
    yield f"**What this one did.** {did(measured)}\n"
    yield f"<!-- picture: {PREFIX}{training['preset']}.levels -->\n"
    yield "*The loss over its floor, level by level, with intervals; the floor is what no network beats there.*\n"
    yield f"**What the sampler adds.** {added(measured['sampling'])}\n"
    yield from distances(measured["sampling"])
    yield f"\n<!-- picture: {PREFIX}{training['preset']}.distance -->\n"
    yield "*Dashed: theory, for the exact score. Points: this network, with intervals.*\n"
    yield f"**Where less noise stops winning.** {winning(measured['sampling'])}\n"
    if measured["guided"]:
        yield f"**Guided towards a class.** {guided(measured['guided'])}\n"
    yield "| statement | | in words |"
    yield "|---|---|---|"
    for finding in found["findings"]:
        if finding["status"] != "not_applicable":
            yield f"| `{finding['check']}` | {finding['status']} | {finding['message'].split(': not told from')[0].rstrip('.')} |"
    yield ""


def origin(record: dict[str, Any]) -> str:
    """Where the record comes from."""
    training, machine = record["results"]["training"], record["machine"]
    device = machine["device"] if machine["platform"] != "cpu" else f"{machine['cores']} cores of {machine['processor']}"
    size = f"{training['parameters']:,} parameters, {training['step']:,} steps of {training['plan']['batch']} examples"
    made = f"{record['date'][:10]}, JAX {record['versions']['jax']}, commit `{record['commit'][:9]}`, seed {record['seed']}"
    return f"{size} in {training['seconds']:,.0f} s on {device}; {made}: `{record['command']}`."


def perfect(measured: dict[str, Any]) -> str:
    """Loss, bits and distances of the exact answers."""
    denoising, likelihood, sampling = (measured[name] for name in ("denoising", "likelihood", "sampling"))
    most = max(cell["steps"] for cell in sampling["cells"])
    ends = [cell["theory"]["value"] / sampling["variance"] for cell in sampling["cells"] if cell["steps"] == most]
    bound = "" if likelihood["bound"] is None else f", its own variational bound {likelihood['bound']:.4f}"
    loss = f"Its loss, of {denoising['prediction']} and averaged over the levels, is {denoising['floor']:.4f}, not zero."
    bits = f"The entropy of the data is {likelihood['entropy']:.4f} bits per dimension{bound}."
    far = f"By {most:,} steps it ends {percent(min(ends))} to {percent(max(ends))} from the data, depending on eta."
    return f"{loss} {bits} {far}"


def did(measured: dict[str, Any]) -> str:
    """The network by itself."""
    denoising, likelihood = measured["denoising"], measured["likelihood"]
    worst = max(denoising["bins"], key=lambda one: one["excess"]["value"])
    where = f"at the level where it is worst, about t = {worst['t']:.0f}"
    loss = f"Its loss lies {interval(denoising['excess'])} above that floor, and {interval(worst['excess'])} {where}."
    score = f"Its score is off by {interval(denoising['score'])}."
    by = [
        f"{bits(likelihood[f'{one}_excess'])} by the {name}" for one, name in (("bound", "bound"), ("ode", "probability-flow ODE"))
    ]
    return f"{loss} {score} It takes more bits per dimension than a perfect network: {' and '.join(by)}."


def added(sampling: dict[str, Any]) -> str:
    """Theory's own distance, and what the network adds to it."""
    cells = sampling["cells"]
    few = min(cell["steps"] for cell in cells)
    ends = "; ".join(f"{share(cell['theory'], sampling)} at eta = {cell['eta']:g}" for cell in cells if cell["steps"] == few)
    bias = f"By {few} steps a perfect network would end this far from the data: {ends}. No network mends this bias of so few steps."
    judged = [cell for cell in cells if cell["steps"] <= UP_TO]
    near = sum(abs(of_network(cell)) <= WITHIN * cell["theory"]["value"] for cell in judged)
    within = f"At {near} of the {len(judged)} settings with S up to {UP_TO} this one ends within 5 % of theory's distance."
    etas = [*dict.fromkeys(cell["eta"] for cell in cells)]
    larger = [f"{overtaken(cells, eta)} at eta = {eta:g}" for eta in etas]
    return f"{bias} {within} What the network adds outgrows the bias of the steps {', '.join(larger)}."


def overtaken(cells: list[dict[str, Any]], eta: float) -> str:
    """From which S on the network's error is larger than the bias of the steps."""
    beyond = [cell["steps"] for cell in cells if cell["eta"] == eta and of_network(cell) > cell["theory"]["value"]]
    return f"from S = {min(beyond):,} on" if beyond else "at no S"


def of_network(cell: dict[str, Any]) -> float:
    """What the network adds to theory's distance; less than nothing where it comes nearer to the data."""
    return float(cell["excess"]["network"]["value"])


def distances(sampling: dict[str, Any]) -> Iterator[str]:
    """Theory beside what was measured, over S and eta."""
    at = {(cell["steps"], cell["eta"]): cell for cell in sampling["cells"]}
    steps, etas = ([*dict.fromkeys(cell[name] for cell in sampling["cells"])] for name in ("steps", "eta"))
    yield "| S | " + " | ".join(f"eta = {eta:g}: theory | network" for eta in etas) + " |"
    yield "|--:|" + "--:|" * 2 * len(etas)
    for S in steps:
        cells = [at[S, eta] for eta in etas]
        told = (f"{share(cell['theory'], sampling)} | {share(cell['network'], sampling, spread=True)}" for cell in cells)
        yield f"| {S:,} | " + " | ".join(told) + " |"


def winning(sampling: dict[str, Any]) -> str:
    """The eta that comes closest by theory, and those that as measured are surely further off than the closest, by S."""
    cells = sampling["cells"]
    steps = [*dict.fromkeys(cell["steps"] for cell in cells)]
    by_steps = [[cell for cell in cells if cell["steps"] == S] for S in steps]
    exact = [f"eta = {min(row, key=lambda cell: cell['theory']['value'])['eta']:g}" for row in by_steps]
    theory = ", ".join(f"{words} {where}" for words, where in runs(steps, exact))
    measured = "; ".join(f"{where} {words}" for words, where in runs(steps, [behind(row) for row in by_steps]))
    return f"With the exact score the data come closest with {theory}. With this network, {measured}."


def behind(row: list[dict[str, Any]]) -> str:
    """Of the cells of one S, those whose whole interval lies beyond that of the closest."""
    closest = min(row, key=lambda cell: cell["network"]["value"])
    off = [f"{cell['eta']:g}" for cell in row if cell["network"]["low"] > closest["network"]["high"]]
    if not off:
        return "no two etas are told apart"
    return f"eta = {' and '.join(off)} {'ends' if len(off) == 1 else 'end'} surely further off than the closest"


def runs(steps: list[int], words: list[str]) -> Iterator[tuple[str, str]]:
    """What is said of which S, those of which the same is said together."""
    for said, together in groupby(zip(steps, words, strict=True), key=itemgetter(1)):
        several = [S for S, _ in together]
        if len(several) == len(steps):
            yield said, "at every S"
        else:
            yield said, f"at S = {several[0]:,}" + (f" to {several[-1]:,}" if len(several) > 1 else "")


def guided(ways: list[dict[str, Any]]) -> str:
    """How often a guided draw is in its class, beside the exact denoiser's."""
    told = (
        f"{one['way']}, {'scale' if one['way'] == 'classifier' else 'weight'} {one['strength']:g}: {percent(one['accuracy'])} "
        f"({percent(one['exact'])} with the exact denoiser)"
        for one in ways
    )
    return f"The share of draws that end in the class they were guided to: {'; '.join(told)}."


def share(distance: dict[str, float], sampling: dict[str, Any], spread: bool = False) -> str:
    """Over the variance of the data; with half the width of its interval if asked."""
    value, half = (100 * one / sampling["variance"] for one in (distance["value"], (distance["high"] - distance["low"]) / 2))
    return f"{value:.2g} ± {half:.1g} %" if spread else percent(value / 100)


def interval(told: dict[str, float]) -> str:
    """A share with its interval."""
    return f"{percent(told['value'])} ({100 * told['low']:.2g} to {100 * told['high']:.2g})"


def bits(told: dict[str, float]) -> str:
    """With its interval."""
    return f"{told['value']:.3f} ({told['low']:.3f} to {told['high']:.3f})"


def percent(number: float) -> str:
    """Two digits, or all before the point."""
    hundred = 100 * number
    return f"{hundred:.0f} %" if abs(hundred) >= 99.5 else f"{hundred:.2g} %"
