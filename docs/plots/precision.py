"""Plots of what precision costs, of the record that its page is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from verifydiff.schedule import Schedule

from .drawing import COLOURS, on_page

RECORD = Path(__file__).parents[1] / "records" / "precision-cpu.json"
NAMES = {"v": "v", "x0": "the data", "eps": "the noise"}
DASHES = {"bfloat16": "-", "tf32": "--"}


def _found() -> Any:
    return json.loads(RECORD.read_text(encoding="utf-8"))["results"]


@on_page("precision.data")
def data_by_level(axes: Any) -> None:
    found = _found()
    sigma = np.sqrt(1 / Schedule.cosine(1000).snr[np.array(found["t"]) - 1])
    axes.loglog(sigma, found["network"]["score"]["float32"]["data"], ":", color=COLOURS[4], label="a network, float32")
    for colour, (kind, name) in zip(COLOURS, NAMES.items(), strict=False):
        for precision, dash in DASHES.items():
            axes.loglog(sigma, found["score"][f"{kind}, {precision}"]["data"], dash, color=colour, label=f"{name}, {precision}")
    axes.set_xlabel(r"noise over signal $\sigma$")
    axes.set_ylabel("error of the data")
    _legend_beside(axes)


@on_page("precision.moved")
def moved_by_steps(axes: Any) -> None:
    found = _found()
    samples = found["samples"]["cosine"]
    rows = [
        (f"{name}, {precision}", f"{kind}, {precision}", colour, dash)
        for colour, (kind, name) in zip(COLOURS, NAMES.items(), strict=False)
        for precision, dash in DASHES.items()
    ]
    rows.append(("v, float32", "v, float32", COLOURS[4], "-"))
    rows.append(("v; state bfloat16", "v, float32, state bfloat16", COLOURS[3], "-"))
    for label, row, colour, dash in rows:
        told = {int(at.split(", ")[0]): one["moved"] for at, one in samples[row].items() if at.endswith(", 0")}
        axes.loglog(list(told), list(told.values()), dash, marker="o", markersize=4, color=colour, label=label)
    axes.set_xlabel("steps S")
    axes.set_ylabel("distance over norm")
    _legend_beside(axes)


def _legend_beside(axes: Any) -> None:
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
