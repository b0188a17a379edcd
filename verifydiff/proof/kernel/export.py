"""The lemmas of many pages, in files that can be read.

One lemma stands for all claims that say the same. Its name is made of the page's id and the step's number, and a comment
above it says which page, which step and why the step says it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ... import __version__
from ...verdict import Proof
from ..claim import Claim
from ..derivation import Proved
from .names import Names, comment
from .script import written
from .statement import NotAlgebraicError

LEMMAS_A_FILE = 30
SECONDS_A_SENTENCE = 60
EVERYTHING = "everything_above"
LIBRARY = "verifydiff"
SHOWN = 3
MODULES = ("Referee", "Reals", "Lra", "Psatz")  # that a file asks for by name


@dataclass(frozen=True, slots=True)
class Site:
    """Where a claim stands.

    Attributes:
        page: the id of the derivation.
        step: the number of the step, from 1; ``part`` that of the claim under it, 0 where it is the only one.
        because: the justification of the step, and what the claim is for.
        statement: the claim as text.
    """

    page: str
    step: int
    part: int
    because: str
    statement: str


@dataclass(slots=True)
class Lemma:
    """What is put to Coq.

    Attributes:
        name: of the lemma.
        statement, script: what it says, and what should prove it.
        sites: where it is claimed.
    """

    name: str
    statement: str
    script: str
    sites: list[Site] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The lemma with its comment."""
        first, *others = self.sites
        said = f"{first.page}, step {first.step}: {first.because}"
        if others:
            more = f", and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
            said += " | Also " + ", ".join(f"{one.page} step {one.step}" for one in others[:SHOWN]) + more
        script = "\n".join(f"  {line}" for line in self.script.splitlines())
        return f"{comment(said)}\nLemma {self.name} :\n  {self.statement}.\nProof.\n{script}\nQed.\n"


@dataclass(frozen=True, slots=True)
class Batch:
    """The lemmas of one file.

    Attributes:
        name: of the file, without its ending.
        lemmas: in order.
    """

    name: str
    lemmas: tuple[Lemma, ...]

    def source(self) -> tuple[str, list[int]]:
        """The file, and the line after which each lemma begins."""
        text, begins = _header(self.name), []
        for lemma in self.lemmas:
            begins.append(text.count("\n"))
            text += f"{lemma.text}\n"
        together = "".join(f"({lemma.name}, " for lemma in self.lemmas) + "I" + ")" * len(self.lemmas)
        return f"{text}Definition {EVERYTHING} := {together}.\nPrint Assumptions {EVERYTHING}.\n", begins


@dataclass(frozen=True, slots=True)
class Export:
    """What many pages claim, for Coq.

    Attributes:
        lemmas: what can be put to Coq.
        left_out: claims that cannot, with the reason.
    """

    lemmas: tuple[Lemma, ...]
    left_out: tuple[tuple[Site, str], ...]

    def batches(self) -> list[Batch]:
        """The lemmas in files: those of one family of pages together."""
        families: dict[str, list[Lemma]] = {}
        for lemma in self.lemmas:
            families.setdefault(lemma.sites[0].page.partition(".")[0], []).append(lemma)
        names, found = Names(MODULES), []
        for family, lemmas in families.items():
            parts = [tuple(lemmas[start : start + LEMMAS_A_FILE]) for start in range(0, len(lemmas), LEMMAS_A_FILE)]
            found += [
                Batch(names.new(f"{family}_{number}" if len(parts) > 1 else family), part) for number, part in enumerate(parts, 1)
            ]
        return found


def export(pages: Iterable[Proved]) -> Export:
    """The proved claims of the pages as lemmas, each once."""
    names, found, left_out = Names([EVERYTHING]), {}, []
    for site, claim in _claims(pages):
        try:
            statement, script = written(claim)
            text = statement.text
        except NotAlgebraicError as error:
            left_out.append((site, str(error)))
            continue
        except RecursionError:
            left_out.append((site, "it is nested too deeply to be written"))
            continue
        if text not in found:
            number = f"_{site.part}" if site.part else ""
            found[text] = Lemma(names.new(f"{site.page.replace('.', '_')}_{site.step}{number}"), text, script)
        found[text].sites.append(site)
    return Export(tuple(found.values()), tuple(left_out))


def _claims(pages: Iterable[Proved]) -> Iterator[tuple[Site, Claim]]:
    for page in pages:
        for number, step in enumerate(page.steps, 1):
            under = [(check, check.claim) for check in step.checks if check.claim is not None]
            for part, (check, claim) in enumerate(under, 1):
                if check.decision.outcome is Proof.PROVED and check.decision.counterexample is None:
                    because = f"{step.because} ({check.what})" if check.what else step.because
                    yield Site(page.id, number, part if len(under) > 1 else 0, because, check.statement), claim


def _header(name: str) -> str:
    said = (
        f"Written by verifydiff {__version__}: claims that its proof engine has proved, as lemmas over Coq's real numbers. "
        "Coq's division and square root are total, so that each lemma also says that what divides is not zero and what stands "
        "under a root is not negative. To check them: "
        f"coqc -R . {LIBRARY} Referee.v, then coqc -R . {LIBRARY} {name}.v"
    )
    return (
        f"{comment(said)}\n\nRequire Import Reals Lra Psatz.\nFrom {LIBRARY} Require Import Referee.\nOpen Scope R_scope.\n"
        f"Set Default Timeout {SECONDS_A_SENTENCE}.\n\n"
    )
