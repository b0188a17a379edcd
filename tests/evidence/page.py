"""The page of networks on record, made of their records."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from pages import header, hundredths, percent, row
from records import FOLDER, read

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
PREFIX = "network-"
HEAD = """\
# Networks on record

Each network below was trained by `verifydiff train` on data whose answers are known, and laid over theory by `verifydiff confirm`,
at all numbers of steps and all etas of a full confirmation. The page is made of their records, which lie in `docs/records` with
commit, versions, machine and seed (`python -m tests.evidence`). What has no record was not run.

Distances are Frechet distances to the data, over the variance of the data. Intervals are those of the confirmation: all of one
network's together are wrong at a rate of 1e-6. What each statement asks, and what counts as equal, is told with
[the confirmation](confirm.md).
"""
WHO = ("theory", "network")
WITHIN, UP_TO = 0.05, 250
"""Of theory's distance, at so many steps at most: where a network counts as near."""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *(line for record in kept() for line in network(record))])


def kept() -> list[dict[str, Any]]:
    """All records of networks, the smaller ones first."""
    found = [read(path.stem) for path in FOLDER.glob(f"{PREFIX}*.json")]
    return sorted(found, key=lambda record: record["results"]["training"]["parameters"])


def network(record: dict[str, Any]) -> Iterator[str]:
    """What is told of one of them."""
    training, found = record["results"]["training"], record["results"]["confirmation"]
    measured = found["measured"]
    yield f"## `{training['preset']}`\n"
    yield f"{origin(record)}\n"
    yield f"**What a perfect network would have done.** {perfect(measured)}\n"
    yield f"**What this one did.** {did(measured)}\n"
    yield f"<!-- picture: {PREFIX}{training['preset']}.levels -->\n"
    yield "*The loss over its floor, level by level, with intervals; the floor is what no network beats.*\n"
    yield f"**What the sampler adds.** {added(measured['sampling'])}\n"
    yield from distances(measured["sampling"])
    yield f"\n<!-- picture: {PREFIX}{training['preset']}.distance -->\n"
    yield f"*{caption(measured['sampling'])}*\n"
    yield f"**Where less noise (eta = 0 is none) stops winning.** {winning(measured['sampling'])}\n"
    if measured["guided"]:
        yield f"**Guided towards a class.** {guided(measured['guided'])}\n"
    yield from header("statement", ("", "in words"))
    for finding in found["findings"]:
        if finding["status"] != "not_applicable":
            yield row(f"`{finding['check']}`", (finding["status"], finding["message"].split(": not told from")[0].rstrip(".")))
    yield ""


def origin(record: dict[str, Any]) -> str:
    """Where the record comes from."""
    training, machine = record["results"]["training"], record["machine"]
    device = machine["device"] if machine["platform"] != "cpu" else f"{machine['cores']} cores of {machine['processor']}"
    size = f"{training['parameters']:,} parameters, {training['step']:,} steps of {training['plan']['batch']} examples"
    made = f"{record['date'][:10]}, JAX {record['versions']['jax']}, commit `{record['commit'][:9]}`, seed {record['seed']}"
    return f"{size} in {training['seconds']:,.0f} s, compiling aside, on {device}; {made}: `{record['command']}`."


def perfect(measured: dict[str, Any]) -> str:
    """Loss, bits and distances of the exact answers."""
    denoising, likelihood, sampling = (measured[name] for name in ("denoising", "likelihood", "sampling"))
    most = max(cell["steps"] for cell in sampling["cells"])
    ends = [cell["theory"]["value"] / sampling["variance"] for cell in sampling["cells"] if cell["steps"] == most]
    bound = "" if likelihood["bound"] is None else f", a perfect network's variational bound {likelihood['bound']:.4f}"
    loss = f"Its loss, of {denoising['prediction']} and averaged over the levels, is {denoising['floor']:.4f}, not zero."
    bits = f"The entropy of the data is {likelihood['entropy']:.4f} bits per dimension{bound}."
    far = f"After {most:,} steps it ends {percent(min(ends))} to {percent(max(ends))} from the data, depending on eta."
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
    bias = f"After {few} steps a perfect network would end this far from the data: {ends}. No network mends that bias."
    if any(cell["theory"]["high"] > cell["theory"]["low"] for cell in cells):
        bias += " Of a mixture theory has no closed form, and is estimated by draws with the exact score."
    judged = [within(cell) for cell in cells if cell["steps"] <= UP_TO]
    surely, beyond, open_ = (judged.count(one) for one in (True, False, None))
    counts = f"surely at {surely} of the {len(judged)} settings with S up to {UP_TO}, surely not at {beyond}, and {open_} are open"
    etas = dict.fromkeys(cell["eta"] for cell in cells)
    larger = ", ".join(f"{overtaken([cell for cell in cells if cell['eta'] == eta])} at eta = {eta:g}" for eta in etas)
    return f"{bias} Within 5 % of theory's distance this one ends {counts}. What it adds is surely more than that bias {larger}."


def within(cell: dict[str, Any]) -> bool | None:
    """Whether what the network adds is less than a twentieth of theory's distance; None where the intervals do not say."""
    low, high = (cell["excess"]["network"][end] for end in ("low", "high"))
    least, most = (WITHIN * max(0.0, cell["theory"][end]) for end in ("low", "high"))
    if -least <= low and high <= least:
        return True
    return False if low > most or high < -most else None


def overtaken(cells: list[dict[str, Any]]) -> str:
    """From which S on, to the largest, the network surely adds more than theory's distance itself; cells of one eta."""
    surely = [cell["excess"]["network"]["low"] > cell["theory"]["high"] for cell in cells]
    after = next((k for k in range(len(cells)) if all(surely[k:])), None)
    return "at no S" if after is None else f"from S = {cells[after]['steps']:,} on"


def distances(sampling: dict[str, Any]) -> Iterator[str]:
    """Theory beside what was measured, over S and eta, in per cent of the variance."""
    at = {(cell["steps"], cell["eta"]): cell for cell in sampling["cells"]}
    steps, etas = ([*dict.fromkeys(cell[name] for cell in sampling["cells"])] for name in ("steps", "eta"))
    yield from header("S", [f"{who}<br>eta = {eta:g}" for eta in etas for who in WHO])
    for S in steps:
        yield row(f"{S:,}", (around(at[S, eta][who], sampling) for eta in etas for who in WHO))


def caption(sampling: dict[str, Any]) -> str:
    """Of the picture of distances."""
    compared, every = sampling["coordinates"]
    leading = "" if compared == every else f" Of {every:,} coordinates the leading {compared} are compared."
    return (
        f"Dashed: theory, for the exact score. Points: this network, with intervals; what is not above zero is not shown.{leading}"
    )


def winning(sampling: dict[str, Any]) -> str:
    """Which etas are surely further off than the closest, by S: with the exact score, and with this network."""
    cells = sampling["cells"]
    steps = [*dict.fromkeys(cell["steps"] for cell in cells)]
    by_steps = [[cell for cell in cells if cell["steps"] == S] for S in steps]
    told = {
        who: "; ".join(f"{where} {words}" for words, where in runs(steps, [behind(row, who) for row in by_steps])) for who in WHO
    }
    return f"With the exact score, {told['theory']}. With this network, {told['network']}."


def behind(row: list[dict[str, Any]], who: str) -> str:
    """Of the cells of one S, those whose whole interval lies beyond that of the closest."""
    closest = min(row, key=lambda cell: cell[who]["value"])
    off = [cell["eta"] for cell in row if cell[who]["low"] > closest[who]["high"]]
    if not off:
        return "no two etas are told apart"
    if len(off) == len(row) - 1:
        return f"eta = {closest['eta']:g} comes closest"
    return f"eta = {' and '.join(f'{eta:g}' for eta in off)} {'ends' if len(off) == 1 else 'end'} further off than the closest"


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


def share(distance: dict[str, float], sampling: dict[str, Any]) -> str:
    """Over the variance of the data."""
    return percent(distance["value"] / sampling["variance"])


def around(distance: dict[str, float], sampling: dict[str, Any]) -> str:
    """In a table, with half the width of its interval where it is not exact."""
    value, half = (hundredths(one / sampling["variance"]) for one in (distance["value"], (distance["high"] - distance["low"]) / 2))
    return f"{value} ± {half}" if distance["high"] > distance["low"] else value


def interval(told: dict[str, float]) -> str:
    """A share with its interval."""
    return f"{percent(told['value'])} ({hundredths(told['low'])} to {hundredths(told['high'])})"


def bits(told: dict[str, float]) -> str:
    """With its interval."""
    return f"{told['value']:.3f} ({told['low']:.3f} to {told['high']:.3f})"
