r"""Derivations: a claim, and the page that derives it.

.. code-block:: python

    from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t
    from verifydiff.proof import derivation


    @derivation(title="variances add up", source="my notes, p. 3")
    def variances(d):
        d.equal(alpha_t * (1 - abar_s) + beta_t, 1 - abar_t, "since abar_t = alpha_t abar_s")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import overload

from ..forms import Form
from ..verdict import MisuseError, Proof
from .claim import Claim, Counterexample
from .page import Page
from .step import Check, Step, worst

Body = Callable[[Page], None]


@dataclass(frozen=True, slots=True)
class Proved:
    """The verdict on a derivation.

    Attributes:
        id, title, source: of the claim.
        form: the closed form that was to be proved, if there is one.
        outcome: the worst outcome of its steps.
        steps: the page.
        assuming: the hypotheses that were in force at its end.
        cases: the hypotheses of single cases that the page goes through.
        seconds: how long it took.
        idea: the docstring of the derivation.
        uses: the forms that the page takes as proved elsewhere.
        file: the file it stands in.
        about: the docstring of that file.
    """

    id: str
    title: str
    source: str
    form: Form | None
    outcome: Proof
    steps: tuple[Step, ...]
    seconds: float
    assuming: tuple[Claim, ...] = ()
    cases: tuple[Claim, ...] = ()
    idea: str = ""
    uses: tuple[Form, ...] = ()
    file: str = ""
    about: str = ""

    @property
    def where(self) -> list[str]:
        """Where the claim holds: its hypotheses, the cases of its page, and the conditions that the domains do not meet."""
        decisions = [check.decision for step in self.steps for check in step.checks]
        open_ones = [str(condition) for decision in decisions for condition in decision.open_conditions]
        cases = [f"{one} (a case of the page)" for one in self.cases]
        return list(dict.fromkeys([*map(str, self.assuming), *cases, *open_ones]))

    @property
    def latex(self) -> str:
        """What is claimed, as LaTeX: the form, or else the last step."""
        return self.form.latex() if self.form else self.steps[-1].latex

    @property
    def blame(self) -> tuple[Step, Check] | None:
        """The first step, and the check under it, with the worst outcome; None if all is proved."""
        for step in self.steps:
            for check in step.checks:
                if self.outcome is not Proof.PROVED and check.decision.outcome is self.outcome:
                    return step, check
        return None

    @property
    def counterexample(self) -> Counterexample | None:
        """Where the claim fails, if it was refuted."""
        return self.blame[1].decision.counterexample if self.blame else None

    @property
    def method(self) -> str:
        """How it was decided, in a few words."""
        if self.blame is None:
            rules = list(dict.fromkeys(step.rule for step in self.steps if step.rule not in _SILENT))
            count = f"{len(self.steps)} step{'s' * (len(self.steps) != 1)}"
            return f"{count}: {', '.join(rules)}" if rules else f"{count}, normal form"
        return self.blame[1].decision.method


_SILENT = ("algebra", "definition", "hypothesis", "established", "misprint", "matrix misprint", "conclusion")


@dataclass(frozen=True, slots=True)
class Derivation:
    """A claim and the function that derives it; made by :func:`derivation`.

    Attributes:
        body: the function that writes the page.
        id, title, source: of the claim.
        form: the closed form that it proves, if there is one.
    """

    body: Body
    id: str
    title: str
    source: str
    form: Form | None = None

    @property
    def file(self) -> str:
        """The file it stands in."""
        return self.body.__code__.co_filename

    def prove(self) -> Proved:
        """Write the page and judge it.

        Raises:
            MisuseError: if the page has no step, or does not conclude what it names. Whatever the body raises passes through.
        """
        began = perf_counter()
        page = Page(self.form)
        self.body(page)
        if not page.steps:
            raise MisuseError(f"the derivation {self.id} has no steps.")
        if self.form is not None and not page.concluded:
            raise MisuseError(f"the derivation {self.id} never concludes: end it with `d.conclude(...)`.")
        if self.form is None and not any(step.rule not in ("definition", "hypothesis", "established") for step in page.steps):
            raise MisuseError(f"the derivation {self.id} states nothing: it only defines and assumes.")
        outcome = worst([step.outcome for step in page.steps])
        idea = inspect.getdoc(self.body) or ""
        return Proved(
            self.id,
            self.title,
            self.source,
            self.form,
            outcome,
            tuple(page.steps),
            perf_counter() - began,
            page.assumed,
            tuple(page.supposed),
            idea,
            page.uses,
            self.file,
            inspect.cleandoc(self.body.__globals__.get("__doc__") or ""),
        )


_COLLECTED: list[list[Derivation]] = []


@contextmanager
def collecting() -> Iterator[list[Derivation]]:
    """Every derivation that is made while the context is open, so that none is lost for want of a name."""
    made: list[Derivation] = []
    _COLLECTED.append(made)
    try:
        yield made
    finally:
        _COLLECTED.pop()


@overload
def derivation(form: Body) -> Derivation: ...
@overload
def derivation(form: Form | None = None, *, id: str = "", title: str = "", source: str = "") -> Callable[[Body], Derivation]: ...


def derivation(
    form: Form | Body | None = None,
    *,
    id: str = "",  # noqa: A002 - what JSON and forms call it
    title: str = "",
    source: str = "",
) -> Derivation | Callable[[Body], Derivation]:
    """Make a derivation of a function that receives a :class:`Page` and writes its steps.

    Args:
        form: the closed form that the page arrives at; without, its last step is what it claims.
        id: how the claim is called; else that of the form, else ``file.function``.
        title: a few words; else those of the form, else the name of the function.
        source: where the claim was published; else that of the form.
    """
    if callable(form) and not isinstance(form, Form):
        return derivation()(form)
    if form is not None and not isinstance(form, Form):
        raise MisuseError(f"`derivation` takes a form, or nothing and keywords, got {form!r}.")

    def make(body: Body) -> Derivation:
        name = id or (form.id if form else f"{Path(body.__code__.co_filename).stem}.{body.__name__}")
        words = title or (form.title if form else body.__name__.replace("_", " "))
        made = Derivation(body, name, words, source or (str(form.source) if form else ""), form)
        if _COLLECTED:
            _COLLECTED[-1].append(made)
        return made

    return make
