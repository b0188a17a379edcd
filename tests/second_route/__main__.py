"""Asks a second route about every failure that ``verifydiff check`` lists of a library, and keeps the answers.

verifydiff check diffusers --jobs 2 --json diffusers.json                                  # and k_diffusion, azula
python -m tests.second_route diffusers.json k_diffusion.json azula.json                    # writes docs/second-route.json

Every configuration in which a check fails is asked about, not the smallest alone. The routes share no code with the package: torch,
NumPy, the library as it is shipped, and formulas by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .asked import Asked
from .routes import ROUTES
from .why import WHY

KEPT = Path(__file__).parents[2] / "docs" / "second-route.json"
BAD = ("fail",)


def answers(library: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sampler and check -> the answer at the smallest configuration, in how many of how many it departs, and where it does not."""
    found: dict[tuple[str, str], list[tuple[int, str, bool, str]]] = {}
    for one in library["targets"]:
        for check in sorted({finding["check"] for finding in one["findings"] if finding["status"] in BAD}):
            asked = Asked.read(one["target"])
            departs, words = _opinion(check, asked)
            found.setdefault((asked.name, check), []).append((len(one["target"]), one["target"], departs, words))
    return {f"{name}, {check}": _answer(sorted(cases), WHY.get((name, check))) for (name, check), cases in found.items()}


def _opinion(check: str, asked: Asked) -> tuple[bool, str]:
    if check not in ROUTES:
        return False, "there is no second route for this check."
    opinion = ROUTES[check](asked)
    return opinion.departs, opinion.words


def _answer(cases: list[tuple[int, str, bool, str]], why: str | None) -> dict[str, Any]:
    _, target, departs, words = cases[0]
    others = [name for _, name, one, _ in cases if not one]
    told = {"target": target, "confirmed": departs, "words": words, **({"why": why} if why else {})}
    return {**told, "in": len(cases) - len(others), "of": len(cases), "not_in": others}


if __name__ == "__main__":
    libraries = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    kept = {library["library"]: {"version": library["version"], "answers": answers(library)} for library in libraries}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {KEPT}")
