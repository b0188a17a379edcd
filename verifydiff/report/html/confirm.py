"""The page of a confirmation: whose the error is, then the figures, theory as a line and what was measured as points with intervals."""

from __future__ import annotations

from ...confirm import Cause, Confirmation
from ...verdict import Status
from ..checks import MARK
from .confirm_figures import bits, by_level, distances, guided, pictures, spectra
from .document import document, section
from .elements import Child, Markup, element
from .findings import Questions, name, table
from .page import footer, provenance, verdict
from .run import Run


def confirm_page(confirmation: Confirmation, run: Run, questions: Questions | None = None) -> str:
    """The page.

    Args:
        confirmation: what it tells of.
        run: how that came about.
        questions: what each check asks, by its id.
    """
    statuses = [finding.status for finding in confirmation.findings]
    passed = statuses.count(Status.PASS)
    judged = sum(status in (Status.PASS, Status.FAIL, Status.INCONCLUSIVE) for status in statuses)
    return document(
        f"{MARK[confirmation.status]} {name(confirmation.name)}, confirmed by verifydiff",
        element(
            "header",
            element("h1", name(confirmation.name)),
            verdict(confirmation.status, f"{passed} of {judged} statements hold"),
            element("p", confirmation.verdict[0].upper() + confirmation.verdict[1:]),
            element("p", element("span", "trained on ", class_="quiet"), confirmation.data),
        ),
        element(
            "main",
            section("Whose the error is", "causes", [_cause(one) for one in confirmation.causes]) if confirmation.causes else None,
            section("Samples", "samples", pictures(confirmation)),
            section("Network or sampler?", "distances", _lead(DISTANCES), element("div", distances(confirmation), class_="plots")),
            section("The network by itself", "network", _lead(NETWORK), element("div", by_level(confirmation), class_="plots")),
            section("Its Jacobian", "jacobian", _lead(JACOBIAN), element("div", spectra(confirmation), class_="plots"))
            if confirmation.spectra
            else None,
            section("Guidance", "guidance", _lead(GUIDANCE), element("div", guided(confirmation), class_="plots"))
            if confirmation.guided
            else None,
            section("Bits per dimension", "bits", _lead(BITS), element("div", bits(confirmation), class_="plots")),
            section("All statements", "findings", table(confirmation.findings, "finding-", questions or {}, {})),
            section("How to see it again", "again", _left_out(confirmation), provenance(run)),
        ),
        footer(),
    )


DISTANCES = (
    "Lines are what theory gives for the exact score at that number of steps and that eta: no training goes below them. Points are what "
    "was drawn from the network. Where the points lie on the lines, the error is the sampler's grid; where they leave them, it is the "
    "network's, or a slip of the sampler."
)
NETWORK = (
    "No sampler has a part in this. The line is the loss that no network beats; points are the network's, with their intervals."
)
JACOBIAN = "The line is the exact spectrum of the denoiser's derivative, largest first; points are the network's along the same directions."
GUIDANCE = "The share of draws whose likeliest class, by the exact posterior, is the one they were guided to."
BITS = "What the network would need to tell a datum, and what anybody needs at least."


def _lead(text: str) -> Markup:
    return element("p", text, class_="lead")


def _cause(cause: Cause) -> Markup:
    called: Child = [element("b", cause.what, class_="check"), ": "] if cause.what else None
    return element("div", element("p", element("span", f"{cause.who} ", class_="quiet"), called, cause.description), class_="slips")


def _left_out(confirmation: Confirmation) -> Markup | None:
    left = confirmation.budget.left_out
    return element("p", f"Left out of this confirmation, for its budget: {left}.", class_="quiet") if left else None
