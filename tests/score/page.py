"""The mutation score, way by way and mistake by mistake, and the page that says so."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import sympy
from mutants import EQUIVALENT, SCHEDULE, Mutant, mistaken, twice_slipped
from samplers import Sample, ddim, ddpm, ddpm_by_x0, euler, leading, trailing

import verifydiff as vd
from verifydiff.verdict import Status

from .diagnosis import named_first, of_no_slip, why_not
from .ways import MEAN, SEED, SUM, WAYS, golden, judge, near, outcome

PAGE = Path(__file__).parents[2] / "docs" / "mutation-score.md"
PAIRS, PAIRS_SEED, CONTROLS = 200, 20261128, 50
KINDS = {
    "equations": "slips in the equations",
    "levels": "slips in the levels",
    "grid": "the list of times",
    "table": "the table of levels",
    "query": "what the model is asked",
    "noise": "the noise",
    "multistep": "coefficients of a multistep solver",
    "two slips": "two slips at once",
}


@dataclass(frozen=True)
class Row:
    """How mutants fare.

    Attributes:
        title: what they have in common.
        mutants: how many there are.
        killed: by each way of testing.
        named: how many of them the diagnosis names first; None where it has no name for them.
    """

    title: str
    mutants: int
    killed: tuple[int, ...]
    named: tuple[int, int] | None

    def __str__(self) -> str:
        named = f"{self.named[0]} of {self.named[1]}" if self.named else "-"
        return f"| {self.title} | {self.mutants} | {' | '.join(map(str, self.killed))} | {named} |"


def row(title: str, mutants: Iterable[Mutant]) -> Row:
    """The row of these mutants."""
    mutants = list(mutants)
    killed = tuple(sum(judge(way, mutant).killed for mutant in mutants) for way in WAYS)
    planted = [mutant for mutant in mutants if mutant.from_catalogue]
    named = (sum(named_first(mutant) for mutant in planted), len(planted)) if planted else None
    return Row(title, len(mutants), killed, named)


@cache
def by_mistake() -> dict[tuple[str, str], tuple[Mutant, ...]]:
    """The mutants of every mistake, by class and mistake."""
    found: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mistaken():
        found.setdefault((mutant.kind, mutant.mistake), []).append(mutant)
    return {key: tuple(mutants) for key, mutants in found.items()}


def mistake_row(kind: str, mistake: str) -> Row:
    """The row of one mistake."""
    title = f"`{mistake}`" if by_mistake()[kind, mistake][0].from_catalogue else mistake
    return row(f"{KINDS[kind]} | {title}", by_mistake()[kind, mistake])


@cache
def pairs() -> tuple[Mutant, ...]:
    """Two slips at once."""
    return tuple(twice_slipped(PAIRS, PAIRS_SEED))


# -- right code ------------------------------------------------------------------------------------------------------------

T = SCHEDULE.timesteps
SAME: dict[str, tuple[Sample, Sample]] = {
    "DDPM by eps, and by the posterior's weights": (ddpm(), ddpm_by_x0(T)),
    "DDPM, and DDIM(1)": (ddpm(), ddim(1.0, T)),
    "strided DDPM, and DDIM(1)": (ddpm_by_x0(10), ddim(1.0, 10, trailing)),
    "Euler ancestral, and DDIM(1)": (euler(ancestral=True), ddim(1.0, 10, leading)),
    "Euler, and DDIM(0)": (euler(), ddim(0.0, 10, leading)),
}
"""Two right samplers of one law each: only the order and the source of their draws, and roundings, tell them apart."""


def false_alarms() -> Iterator[str]:
    """What each way says of the second sampler when it was written with the first."""
    for title, (first, second) in SAME.items():
        (total, mean), (recorded, recorded_mean) = golden(second), golden(first)
        sums = abs(total - recorded) < SUM and abs(mean - recorded_mean) < MEAN
        drawn = near(outcome(second), outcome(first))
        passes = vd.check(second, schedule=SCHEDULE).status is Status.PASS
        words = ["passes" if well else "**fails**" for well in (sums, True, drawn, passes)]
        yield f"| {title} | {' | '.join(words)} |"


# -- the page --------------------------------------------------------------------------------------------------------------

INTRODUCTION = """\
# What other tests let live

Small clean samplers are mutated, one mistake at a time, and every mutant is put to four ways of testing a sampler. The *mutation
score* of a way is the share of the mutants that fail it.

- **Golden sums**, as the scheduler tests of diffusers have them: a full loop from a fixed start with a dummy model that returns
  `x * t / (t + 1)`; the sum of the absolute output is held to 1e-2 and its mean to 1e-3, against recorded numbers. The numbers
  come from the code that is under test when the test is written. So there are two columns: recorded from *right* code, as if
  somebody had had it; and from the code *as it is*, which is what a test of new code records. The second pins the mistake.
- **Shape and finite**: the output has the right shape, and no NaN and no infinity in it.
- **Moments within 10 %**: data N(1.5, 0.25), the exact denoiser, 4,000 draws of two coordinates. Mean and standard deviation have
  to be the data's; where the right sampler misses those itself, as a sampler of few steps does, its own. So this column presumes
  right code too.
- **verifydiff**: `verifydiff.check` with the claim that the sampler makes. It needs no right code.

The mutants of slips are made by every [slip](slips.md) of the catalogue, in every place where it can happen, in DDPM with both
variances, DDIM at eta = 0, 0.3, 0.6 and 1, Euler and Euler ancestral, over 13 steps of a table of 100. The others are written by
hand (`tests/mutants.py`). A mutant that comes to the same numbers as the right sampler is no mistake, and is left out.

This page is written by `python -m tests.score`; `tests/score/test_score.py` holds it to what the code yields.
"""

HEADS = "golden sums (right code) | golden sums (as it is) | shape and finite | moments | verifydiff | named first"


def page() -> str:
    """The page, as Markdown."""
    rows = {
        kind: row(KINDS[kind], (mutant for mutant in mistaken() if mutant.kind == kind)) for kind in KINDS if kind != "two slips"
    }
    alive = {way: [mutant for mutant in mistaken() if not judge(way, mutant).killed] for way in WAYS}
    return "\n".join(
        [
            INTRODUCTION,
            _versions(),
            "## The score\n",
            f"| mistakes in | mutants | {HEADS} |",
            "|---|---|---|---|---|---|---|---|",
            *map(str, rows.values()),
            str(row("**all**", mistaken())),
            str(row(KINDS["two slips"], pairs())),
            "\n## What the numbers say\n",
            *_meaning(rows["levels"]),
            "\n## Right code that fails\n",
            "Two samplers of one law, both right. The test is written with the first and put to the second.\n",
            "| | golden sums | shape and finite | moments | verifydiff |",
            "|---|---|---|---|---|",
            *false_alarms(),
            "\n## The diagnosis\n",
            *_diagnosis(),
            "\n## Survivors\n",
            SILENT,
            *_survivors("golden sums of right code", alive),
            *_survivors("moments within 10 %", alive),
            *_survivors("verifydiff", alive),
            "## By mistake\n",
            f"| mistake in | mistake | mutants | {HEADS} |",
            "|---|---|---|---|---|---|---|---|---|",
            *(str(mistake_row(*key)) for key in by_mistake()),
            "\n## Left out: the same numbers\n",
            *(f"- `{name}`: {reason}" for name, reason in EQUIVALENT.items()),
            "",
        ]
    )


def _versions() -> str:
    return (
        f"verifydiff {vd.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, SymPy {sympy.__version__}; seed "
        f"{SEED} for samplers and draws, {PAIRS_SEED} for the pairs of slips.\n"
    )


def _meaning(levels: Row) -> Iterator[str]:
    yield (
        "- Golden sums are sharp, if the code that they are recorded from is right. They cannot say whether it is: recorded from a "
        "mutant they let it live, unless it yields no numbers at all. And they are sums of one run: right code that draws from "
        "another generator fails them (below)."
    )
    yield "- What is finite and of the right shape can be anything. That test finds crashes and NaN."
    lived = levels.mutants - levels.killed[list(WAYS).index("moments within 10 %")]
    yield (
        "- Moments see what moves the law by a tenth. Of the slips in the levels, where the indices off by one are, "
        f"{lived / levels.mutants:.0%} do not."
    )
    yield "- verifydiff needs no numbers of right code: it compares with closed forms."


def _diagnosis() -> Iterator[str]:
    planted = [mutant for mutant in mistaken() if mutant.from_catalogue]
    unnamed = [mutant for mutant in planted if not named_first(mutant)]
    named = len(planted) - len(unnamed)
    guessed = sum(bool(report.diagnosis) for report in of_no_slip(CONTROLS))
    yield (
        f"Of {len(planted)} mutants with one slip of the catalogue, {named} have it named first, or level with slips that come to "
        f"the same numbers ({named / len(planted):.1%}). Of {CONTROLS} samplers whose weights are wrong by arbitrary factors, "
        f"all fail and {guessed} are given a name.\n"
    )
    yield "The others:\n"
    yield from (f"- `{mutant.name}`: {why_not(mutant)}" for mutant in unnamed)


SILENT = """\
Golden sums of the code as it is, and the test of shape and finiteness, let all live but the mutants that raise or yield no numbers;
those are the ones counted above. Of the others:
"""


def _survivors(way: str, alive: dict[str, list[Mutant]]) -> Iterator[str]:
    yield f"### {way[0].upper()}{way[1:]}: {len(alive[way])}\n"
    for mutant in alive[way]:
        why = judge(way, mutant).seen
        yield f"- `{mutant.name}`: {why}"
    yield ""
