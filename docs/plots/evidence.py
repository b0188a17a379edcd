"""Plots of the networks on record: how far each is above the floor, and where its samples end."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .drawing import COLOURS, on_page

PREFIX = "network-"
RECORDS = sorted((Path(__file__).parents[1] / "records").glob(f"{PREFIX}*.json"))


def _measured(record: Path) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))["results"]["confirmation"]["measured"]
    return measured


def above_the_floor(record: Path, axes: Any) -> None:
    denoising = _measured(record)["denoising"]
    times = [one["t"] for one in denoising["bins"]]
    _with_intervals(axes, times, [one["excess"] for one in denoising["bins"]], 100, color=COLOURS[0])
    axes.axhline(100 * denoising["excess"]["value"], linestyle="--", color=COLOURS[1], label="averaged over the loss")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("t")
    axes.set_ylabel("loss over its floor, %")


def distance_by_steps(record: Path, axes: Any) -> None:
    sampling = _measured(record)["sampling"]
    etas, scale = [*dict.fromkeys(cell["eta"] for cell in sampling["cells"])], 1 / sampling["variance"]
    for k, eta in enumerate(etas):
        cells = [cell for cell in sampling["cells"] if cell["eta"] == eta]
        steps = np.array([cell["steps"] for cell in cells])
        axes.loglog(steps, [scale * cell["theory"]["value"] for cell in cells], "--", color=COLOURS[k])
        beside = steps * 1.06 ** (k - (len(etas) - 1) / 2)
        _with_intervals(axes, beside, [cell["network"] for cell in cells], scale, color=COLOURS[k], label=rf"$\eta = {eta:g}$")
    axes.set_xlabel("steps S")
    axes.set_ylabel("distance over variance")
    axes.legend(loc="lower left")


def _with_intervals(axes: Any, places: Any, told: list[dict[str, float]], scale: float, **how: Any) -> None:
    value, low, high = (scale * np.array([one[name] for one in told]) for name in ("value", "low", "high"))
    axes.errorbar(places, value, (value - low, high - value), fmt="o", markersize=4, linewidth=1.2, **how)


for _record in RECORDS:
    on_page(f"{_record.stem}.levels")(partial(above_the_floor, _record))
    on_page(f"{_record.stem}.distance")(partial(distance_by_steps, _record))
