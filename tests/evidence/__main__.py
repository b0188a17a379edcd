"""Networks on record: ``python -m tests.evidence PRESET`` trains one, lays it over theory, and writes what came out as a record.

python -m tests.evidence field-8
python -m tests.evidence field-32 --seconds 240      # stops training then; the same command goes on
python -m tests.evidence --page                      # makes docs/evidence.md of all records

The training is kept under ``runs``. A record holds the training and a confirmation at every number of steps and every eta of a full
one, with fewer draws of each.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # where `records` and `evidence` are, as pytest has it

import records
from evidence.page import PAGE, PREFIX, page
from pages import shortened

from verifydiff.network.data import data
from verifydiff.network.preset import preset
from verifydiff.oracles import Oracle
from verifydiff.verdict import MisuseError

DIGITS = 5
DRAWS, NOISED = 512, 16384
HISTORY = 40  # of the looks at a training, about so many are kept


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", help="what is trained")
    parser.add_argument("--run", type=Path, help="where the training is kept (default: runs/PRESET)")
    parser.add_argument("--seconds", type=float, help="of training; the same command goes on another time")
    parser.add_argument("--train-steps", type=int, help="of the training (default: the preset's)")
    parser.add_argument("--draws", type=int, default=DRAWS, help="for each number of steps and eta (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all draws (default: %(default)s)")
    parser.add_argument("--to", type=Path, help="the record (default: docs/records/network-PRESET.json)")
    parser.add_argument("--page", action="store_true", help="make the page of all records")
    told = parser.parse_args(arguments)
    try:
        return run(parser, told)
    except MisuseError as error:
        parser.error(str(error))


def run(parser: argparse.ArgumentParser, told: argparse.Namespace) -> int:
    """What was asked for."""
    if told.page:
        PAGE.write_text(page(), encoding="utf-8")
    elif told.preset is None:
        parser.error("give a preset, or --page.")
    elif (commit := records.commit()).endswith(records.CHANGED) or commit == records.UNKNOWN:
        parser.error("a record names the commit that made it: commit what has changed, or name the commit in GIT_COMMIT.")
    elif not isinstance(data(preset(told.preset).data), Oracle):
        parser.error(f"of the data of {told.preset} nobody knows the law: there is no theory to lay it over.")
    else:
        evidence(told)
    return 0


def evidence(told: argparse.Namespace) -> None:
    """Train until the preset's last step or until time is up; then, if it is trained, confirm it and write the record."""
    from rich.console import Console

    from verifydiff.network import train
    from verifydiff.report import training

    folder, console = told.run or Path("runs") / told.preset, Console(stderr=True, highlight=False)
    progress = training.Progress(console, told.preset, folder)
    trained = train(told.preset, folder, seconds=told.seconds, steps=told.train_steps, tell=progress)
    training.show(trained, console)
    if trained.step < trained.plan.steps:
        return
    confirmed = confirmation(folder, told.draws, told.seed, console)
    results = {"training": thinned(training.told(trained)), "confirmation": confirmed}
    where = told.to or records.FOLDER / f"{PREFIX}{told.preset}.json"
    records.write(records.record(f"{told.preset}, trained and laid over theory", shortened(results, DIGITS), seed=told.seed), where)
    console.print(f"{confirmed['verdict']}\nwritten to {where}", markup=False, soft_wrap=True)


def confirmation(folder: Path, draws: int, seed: int, console: Any) -> dict[str, Any]:
    """The confirmation as JSON has it."""
    from verifydiff.confirm import Budget
    from verifydiff.confirm.runs import confirm_run

    budget = Budget.full(draws=draws, batch=min(draws, 1024), noised=max(NOISED, draws), points=4, seed=seed)
    return confirm_run(folder, budget=budget, progress=lambda part: console.print(f"  {part} ...", markup=False)).to_json()


def thinned(told: dict[str, Any]) -> dict[str, Any]:
    """A training without its folder, whose history has about so many entries, among them the last."""
    history = told["history"]
    every = math.ceil(len(history) / HISTORY)
    kept = {name: value for name, value in told.items() if name != "folder"}
    return kept | {"history": history[::-1][:: max(1, every)][::-1]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
