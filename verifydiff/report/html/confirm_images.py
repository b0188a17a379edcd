"""The page of a confirmation on real images: made beside held out, the labels that were asked for, then every statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...statistics.evidence import Array as Numbers
from .axes import Linear, Rows
from .confirm_figures import SHADES, TOP, figure, labelled, picture
from .confirm_parts import lead, page_of
from .document import section
from .drawing import WIDTH, Panel, legend
from .elements import Markup, element
from .findings import Questions
from .run import Run

if TYPE_CHECKING:
    from ...confirm.image_confirmation import ImageConfirmation

QUESTIONS = {
    "no-known-law": "what can be said of real images?",
    "sampler-map": "handed the exact denoiser of a Gaussian, does the sampler lead starts where its equations say?",
    "sampler-noise": "does it add the noise that its equations say?",
    "images-finite": "are the network's images numbers?",
    "class-accuracy": "is the label that was asked for seen in the image?",
    "labels": "without a label, are there as many images of each as there should be?",
    "feature-distance": "are the features of the images those of real ones?",
    "two-samples": "can the images be told from real ones?",
    "copies": "are they copies of what was learnt from?",
}
"""What each statement answers."""
LIKENESS = (
    "Lines are what held-out images have, points the network's. Nobody knows the law of real images, so that no line says what a "
    "perfect network would do."
)
ROW = 21.0


def image_page(confirmation: ImageConfirmation, run: Run, questions: Questions | None = None) -> str:
    """The page.

    Args:
        confirmation: what it tells of.
        run: how that came about.
        questions: what each check asks, by its id.
    """
    shown = [
        section("Made, and held out", "images", gallery(confirmation)),
        section("Labels", "labels", lead(LIKENESS), element("div", labels(confirmation), class_="plots")),
    ]
    return page_of(confirmation, shown, run, questions)


def gallery(confirmation: ImageConfirmation) -> Markup:
    """A row for each label: on the left images made for it, on the right held-out ones."""
    made, held_out = (np.asarray(one, np.float64) for one in confirmation.likeness.pictures)
    if made.ndim != 4 or not made.size or not np.isfinite(made).all():
        return element("p", "There are no pictures to show.", class_="quiet")
    columns = made.shape[1] + held_out.shape[1] + 1
    unit = (WIDTH - 60) / (columns * (made.shape[3] + 1))
    side, parts = unit * (made.shape[2] + 1), []
    for label, (left, right) in enumerate(zip(made, held_out, strict=True)):
        parts.append(labelled(str(label), side * (label + 0.5)))
        for k, one in [*enumerate(left), *((len(left) + 1 + k, one) for k, one in enumerate(right))]:
            parts.append(picture(_shades(one), 60 + k * unit * (one.shape[1] + 1), side * label, unit))
    steps = confirmation.likeness.steps
    told = f"On the left images that the network made for each label in {steps} steps, on the right held-out ones."
    return figure(parts, side * len(made), told, told)


def labels(confirmation: ImageConfirmation) -> list[Markup]:
    """How often each label is seen where it was asked for, and how often where none was."""
    seen = confirmation.likeness
    made, real = seen.shares
    found = []
    if seen.by_label:
        expected = [seen.real_accuracy.value] * len(seen.by_label)
        found.append(_rows(expected, seen.by_label, 1.0, "share of images in which the classifier sees the label asked for"))
    if made:
        found.append(_rows(real, made, 1.2 * max(*made, *real), "share of images made without a label that have each"))
    return found


def _rows(expected: tuple[float, ...] | list[float], seen: tuple[float, ...], most: float, told: str) -> Markup:
    height = ROW * len(seen)
    panel = Panel(Linear(0.0, most, most=6), Rows(tuple(map(str, range(len(seen))))), TOP, height)
    parts = [
        panel.frame("", told),
        panel.crosses([(value, k) for k, value in enumerate(expected)], "other", 4.0),
        panel.dots([(value, k) for k, value in enumerate(seen)], "seen", 3.2),
        legend([("the network's", "seen", "dot"), ("real images", "other", "cross")]),
    ]
    return figure(parts, height + 84, told, told[0].upper() + told[1:] + ".")


def _shades(one: Numbers) -> Numbers:
    """From [-1, 1] to whole shades."""
    shades: Numbers = np.clip((one + 1) / 2 * SHADES, 0, SHADES - 1).astype(int)
    return shades
