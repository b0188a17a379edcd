"""The page of a confirmation: whose the error is, then the figures, theory as a line and what was measured as points with
intervals.
"""

from __future__ import annotations

from ...confirm import Confirmation
from .confirm_figures import bits, by_level, distances, guided, pictures, spectra
from .confirm_parts import lead, page_of
from .document import section
from .elements import element
from .findings import Questions
from .run import Run


def confirm_page(confirmation: Confirmation, run: Run, questions: Questions | None = None) -> str:
    """The page.

    Args:
        confirmation: what it tells of.
        run: how that came about.
        questions: what each check asks, by its id.
    """
    shown = [
        section("Samples", "samples", pictures(confirmation)),
        section("Network or sampler?", "distances", lead(DISTANCES), element("div", distances(confirmation), class_="plots")),
        section("The network by itself", "network", lead(NETWORK), element("div", by_level(confirmation), class_="plots")),
        section("Its Jacobian", "jacobian", lead(JACOBIAN), element("div", spectra(confirmation), class_="plots"))
        if confirmation.spectra
        else None,
        section("Guidance", "guidance", lead(GUIDANCE), element("div", guided(confirmation), class_="plots"))
        if confirmation.guided
        else None,
        section("Bits per dimension", "bits", lead(BITS), element("div", bits(confirmation), class_="plots")),
    ]
    return page_of(confirmation, shown, run, questions)


QUESTIONS = {
    "denoising-loss": "does the loss reach the floor that no network beats?",
    "loss-by-level": "does it in every part of the noise levels?",
    "labelled-loss": "told a label, does its loss reach the floor of that class?",
    "score-error": "is the score the exact one?",
    "jacobian-spectrum": "does the denoiser shrink each direction as the exact one does?",
    "sampler-map": "handed the exact denoiser, does the sampler lead starts where its equations say?",
    "sampler-noise": "does it add the noise that its equations say?",
    "samples-of-network": "drawn by the reference, does the network end where theory says?",
    "samples-of-sampler": "handed the exact denoiser, does the sampler end where theory says?",
    "samples-of-both": "together, do they?",
    "best-eta": "which eta wins at which number of steps?",
    "determinism": "one start, one image?",
    "flow-map": "at eta = 0, is a start led where the exact denoiser leads it?",
    "inversion": "does a start come back from its image?",
    "diversity": "at eta = 1, do the images of one start vary as they should?",
    "classifier-free-guidance": "does guidance reach the class as the exact denoiser does?",
    "classifier-guidance": "does guidance by the exact classifier?",
    "bits-by-bound": "how many bits more than a perfect network?",
    "bits-by-ode": "how many bits more, along the probability flow?",
    "bound-gap": "what does the bound cost anybody?",
}
"""What each statement answers."""
DISTANCES = (
    "Lines are where a perfect network ends, by theory, at that number of steps and that eta. Points were drawn from this network. "
    "Where they lie on the lines, what error there is is the sampler's grid; where they leave them, to either side, it is the "
    "network's, or a slip of the sampler."
)
NETWORK = (
    "No sampler has a part in this. The line is the loss that no network beats; points are the network's, with their intervals."
)
JACOBIAN = "The line is the exact spectrum of the denoiser's derivative, largest first; points are the network's there."
GUIDANCE = "The share of draws whose likeliest class, by the exact posterior, is the one they were guided to."
BITS = "What the network would need to tell a datum, and what anybody needs at least."
