"""The page that says what precision costs, made of its record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from pages import header, hundredths, percent, row, small

from verifydiff.confirm.budget import Resolutions
from verifydiff.network.data import data
from verifydiff.samplers import spaced
from verifydiff.schedule import Schedule

PAGE = Path(__file__).parents[3] / "docs" / "precision.md"
SHOWN = ("float32", "tf32", "tf32, cut off", "float16", "bfloat16")
LEVELS = (1, 30, 250, 500, 900, 999, 1000)
RESOLUTIONS = Resolutions()
TEMPLATE = Path(__file__).with_name("page.md")
"""The text, with ``<<name>>`` where a number or a table belongs."""


def page(record: dict[str, Any]) -> str:
    """The page, as Markdown."""
    made = (law, images, scores, first, states, network_scores, network_samples)
    told = words(record) | {table.__name__: "\n".join(table(record["results"])) for table in made}
    return re.sub("<<([a-z0-9_]+)>>", lambda place: told[place[1]], TEMPLATE.read_text(encoding="utf-8"))


def words(record: dict[str, Any]) -> dict[str, str]:
    """The numbers of the text."""
    found, network = record["results"], record["results"]["network"]
    samples, scores = found["samples"]["cosine"], found["score"]
    scaled = found["samples"]["scaled_linear"]
    own, half = network["samples"]["float32"], network["samples"]["bfloat16"]
    v, cut = samples["v, bfloat16"], samples["v, tf32, cut off"]
    middle = found["t"].index(500)
    ends = {name: Schedule.named(name, 1000).abar[-1] for name in found["samples"]}
    return {
        "v_moved": percent(largest(v, "moved")),
        "v_excess": small(largest(v)),
        "network_ratio": f"{min(own[at]['moved'] / v[at]['moved'] for at in own):.0f}",
        "v_cut_moved": percent(largest(cut, "moved")),
        "cut_share": f"{largest(cut, 'moved') / largest(v, 'moved'):.2g}",
        "same_share": f"{same_share(found['data']):.2g}",
        "eps_moved": f"{samples['eps, bfloat16']['10, 0']['moved']:.2g}",
        "eps_tf32_moved": f"{samples['eps, tf32']['10, 0']['moved']:.2g}",
        "eps_cut_moved": f"{samples['eps, tf32, cut off']['10, 0']['moved']:.2g}",
        "scaled_end": f"{ends['scaled_linear']:.2g}",
        "scaled_moved": percent(largest(scaled["eps, bfloat16"], "moved")),
        "cosine_end": times_ten(ends["cosine"]),
        "state_moved": percent(samples["v, float32, state bfloat16"]["1000, 0"]["moved"]),
        "state_moved_1": percent(samples["v, float32, state bfloat16"]["1000, 1"]["moved"]),
        "state_excess": percent(samples["v, float32, state bfloat16"]["1000, 0"]["excess"][0]),
        "confidence": f"{100 * (1 - found['rate']):g} %",
        "x0_score": f"{scores['x0, bfloat16']['score'][0]:.0f}",
        "x0_score_tf32": f"{scores['x0, tf32']['score'][0]:.0f}",
        "delta": percent(scores["eps, bfloat16"]["score"][-1]),
        "delta_tf32": percent(scores["eps, tf32"]["score"][-1]),
        "v_square": small(largest(v, "moved") ** 2),
        "weights_share": percent((scores["v, bfloat16 weights"]["score"][middle] / scores["v, bfloat16"]["score"][middle]) ** 2),
        "weights_moved": percent((samples["v, bfloat16 weights"]["1000, 0"]["moved"] / v["1000, 0"]["moved"]) ** 2),
        "cut_ratio": f"{scores['eps, tf32, cut off']['score'][middle] / scores['eps, tf32']['score'][middle]:.1f}",
        "x0_moved_0": percent(samples["x0, bfloat16"]["1000, 0"]["moved"]),
        "x0_moved_1": percent(samples["x0, bfloat16"]["1000, 1"]["moved"]),
        "preset": network["preset"],
        "prediction": network["prediction"],
        "step": str(network["step"]),
        "network_draws": f"{network['draws']:,}",
        "network_bfloat16": percent(max(network["moved"]["bfloat16"].values())),
        "network_off": percent(min(one["moved"] for one in own.values())),
        "network_change": small(max(abs(half[at]["excess"][0] - own[at]["excess"][0]) for at in own)),
        "data": f"{found['data'].partition(':')[2]} x {found['data'].partition(':')[2]} points",
        "noised": f"{found['noised']:,}",
        "draws": f"{found['draws']:,}",
        "float32_excess": small(max(largest(samples[f"{kind}, float32"]) for kind in ("x0", "v"))),
        "processor": record["machine"]["processor"],
        "jax": record["versions"]["jax"],
        "date": record["date"][:10],
        "seed": str(record["seed"]),
    }


def same_share(name: str) -> float:
    """How far images move, over the share that every v is off by, where that is the same for all: at eta = 0, with many steps."""
    spectrum = np.asarray(data(name).spectrum, np.float64)
    return float(sqrt((spectrum * (np.log(spectrum) / 2) ** 2).sum() / spectrum.sum()))


def law(found: dict[str, Any]) -> Iterator[str]:
    """Excess of the law, by prediction and precision."""
    cells = found["theory"]["cosine"]
    yield from header("S<br>eta", grid(cells))
    yield row("*theory's distance*", (f"*{small(one)}*" for one in cells.values()))
    for kind in NAMES:
        for precision in SHOWN:
            told = found["samples"]["cosine"][f"{kind}, {precision}"]
            yield row(f"{NAMES[kind]}, {precision}", (excess(told[at]["excess"], cells[at]) for at in cells))


def images(found: dict[str, Any]) -> Iterator[str]:
    """How far images move."""
    cells = found["theory"]["cosine"]
    yield from header("S<br>eta", grid(cells))
    for kind in NAMES:
        for precision in SHOWN:
            told = found["samples"]["cosine"][f"{kind}, {precision}"]
            yield row(f"{NAMES[kind]}, {precision}", (hundredths(told[at]["moved"]) for at in cells))


def scores(found: dict[str, Any]) -> Iterator[str]:
    """The score's error by level."""
    where = [found["t"].index(t) for t in LEVELS]
    yield from header("predicted, in", [f"t = {t:,}" for t in LEVELS])
    yield row("*$\\sqrt{\\bar\\alpha}$*", (f"*{small(sqrt(Schedule.cosine(1000).abar[t]))}*" for t in LEVELS))
    for kind in NAMES:
        for precision in SHOWN:
            told = found["score"][f"{kind}, {precision}"]["score"]
            yield row(f"{NAMES[kind]}, {precision}", (small(told[k]) for k in where))


def first(found: dict[str, Any]) -> Iterator[str]:
    """What the first step makes of an error of the noise, and how far images move."""
    table = Schedule.named("cosine", 1000).abar
    steps = sorted({int(at.split(",")[0]) for at in found["theory"]["cosine"]})
    factors = {S: coefficient(*spaced(table, S)[:2]) for S in steps}
    yield from header("", [f"S = {S:,}" for S in steps])
    yield row("the first step multiplies by", (f"{factors[S]:,.0f}" for S in steps))
    for name in ("bfloat16", "tf32"):
        delta, told = found["score"][f"eps, {name}"]["score"][-1], found["samples"]["cosine"][f"eps, {name}"]
        yield row(f"that times the error, {name}", (percent(factors[S] * delta) for S in steps))
        yield row(f"images move by, {name}", (percent(told[f"{S}, 0"]["moved"]) for S in steps))


def coefficient(abar_t: float, abar_s: float) -> float:
    """The size of that of the predicted noise in a step at eta = 0."""
    return abs(sqrt(1 - abar_s) - sqrt(abar_s * (1 - abar_t) / abar_t))


def states(found: dict[str, Any]) -> Iterator[str]:
    """What a state in bfloat16 costs."""
    cells = found["theory"]["cosine"]
    yield from header("S<br>eta", grid(cells))
    for model, state in (("float32", ""), ("float32", "bfloat16"), ("bfloat16", "bfloat16")):
        told = found["samples"]["cosine"][f"v, {model}" + (f", state {state}" if state else "")]
        yield row(f"{model}, {state or 'float32'}: excess", (excess(told[at]["excess"], cells[at]) for at in cells))
        yield row(f"{model}, {state or 'float32'}: moved, %", (hundredths(told[at]["moved"]) for at in cells))


def network_scores(found: dict[str, Any]) -> Iterator[str]:
    """The network's error of the score."""
    network, where = found["network"], [found["t"].index(t) for t in LEVELS]
    yield from header("error of the score", [f"t = {t:,}" for t in LEVELS])
    for name in ("float32", "bfloat16"):
        yield row(f"{name}, from the exact one", (small(network["score"][name]["score"][k]) for k in where))
    yield row("bfloat16, from its own in float32", (small(network["apart"]["bfloat16"]["score"][k]) for k in where))


def network_samples(found: dict[str, Any]) -> Iterator[str]:
    """The network's samples."""
    network = found["network"]
    yield from header("S<br>eta", grid(network["moved"]["float32"]))
    for name in ("float32", "bfloat16"):
        told = network["samples"][name].values()
        yield row(f"{name}: excess", ("{} ({} to {})".format(*map(small, one["excess"])) for one in told))
        yield row(f"{name}: from the image of the exact score", (percent(one["moved"]) for one in told))
    yield row("bfloat16: from its own image in float32", (percent(one) for one in network["moved"]["bfloat16"].values()))


NAMES = {"v": "v", "x0": "the data", "eps": "the noise"}


def grid(cells: Any) -> list[str]:
    """The columns of every S and eta."""
    return [f"{int(steps):,}<br>{eta}" for steps, eta in (at.split(", ") for at in cells)]


def excess(told: list[float] | None, theory: float) -> str:
    """The excess, in bold where it is surely more than counts as none; with one digit where it is far less."""
    if told is None:
        return "no number"
    allowed = max(RESOLUTIONS.frechet * theory, RESOLUTIONS.trace)
    value, low, high = told
    shown = small(value, 1 if abs(value) < RESOLUTIONS.trace / 10 else 2)
    return f"**{shown}**" if low > allowed or high < -allowed else shown


def largest(cells: dict[str, Any], what: str = "excess") -> float:
    """Over all S and eta, without its sign."""
    return max(abs(one["excess"][0] if what == "excess" else one[what]) for one in cells.values())


def times_ten(number: float) -> str:
    """Two digits and a power of ten, in TeX."""
    mantissa, _, exponent = f"{number:.1e}".partition("e")
    return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"
