"""The confirmation of a network that was trained on real images: how like them its images are, and what its sampler is worth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jax

from ..network import Images
from ..schedule import Schedule
from ..verdict import Status
from . import images
from .budget import Budget
from .confirmed import Cause, Confirmed, Progress, Sentences, of_sampler
from .guarded import Guarded
from .images import Likeness
from .implementation import at, implementation
from .loops import REFERENCE, Draw
from .model import as_model, named

OF_NETWORK = frozenset({"class-accuracy", "labels", "feature-distance", "images-finite"})
"""Findings that the sampler under test has a part in only where it is off by itself."""


@dataclass(frozen=True, kw_only=True)
class ImageConfirmation(Confirmed):
    """Of a network that was trained on real images.

    Attributes:
        likeness: what was measured.
    """

    likeness: Likeness

    SENTENCES = Sentences(
        both="both are off: the network's images are unlike real ones by the reference, too, and the sampler is off by itself.",
        network="the network's images are unlike real ones; the sampler does what its equations say.",
        sampler="the sampler is off; by the reference the network's images are like real ones.",
        neither="network and sampler are each as good as was asked for, and yet something is off: see the findings.",
        unsure="nothing is seen to be off, but there are too few images to be sure.",
    )
    MEASURED = ("likeness",)

    @property
    def praise(self) -> str:
        """It says no more than was asked."""
        return "the sampler does what its equations say, and the network's images are like real ones, as far as was asked."


def confirm_images(
    eps: Any,
    data: Images,
    levels: Any,
    *,
    budget: Budget | None = None,
    labelled: Any = None,
    sampler: Draw | None = None,
    name: str = "network",
    progress: Progress | None = None,
) -> ImageConfirmation:
    """Lay a network's images over real ones that it has not seen. They are drawn by the reference; a sampler is judged by itself.

    Args:
        eps: the network without a label, ``eps(x_t, abar_t)``, best a tree of arrays.
        data: what it was trained on.
        levels: (T + 1,), the table abar_0 = 1 > ... > abar_T.
        budget: how much may be drawn; :meth:`Budget.quick` if left out.
        labelled: ``labelled(x_t, abar_t, label)``, if the network takes labels.
        sampler: the sampler in question; the reference, if left out.
        name: how reports call it.
        progress: told what is being measured.

    Raises:
        MisuseError: if the levels are no such table, the sampler raises or returns no such batch, or scikit-learn is not installed.
    """
    budget, began = budget or Budget.quick(), time.monotonic()
    key, table = jax.random.key(budget.seed), Schedule(levels).abar
    tell = progress or (lambda part: None)
    tell("sampler")
    in_question, settings = (REFERENCE if sampler is None else Guarded(sampler)), at(budget.steps, budget.etas)
    by_itself = implementation(in_question, table, data.event_shape, named(key, "sampler"), budget.rates, settings)
    after = time.monotonic()
    tell("images")
    like = images.likeness(as_model(eps), labelled, data, table, budget, named(key, "images"))
    found = [*by_itself.findings, *images.findings(like, budget)]
    failed = {finding.check for finding in found if finding.status is Status.FAIL}
    causes = of_sampler(failed, by_itself)
    if failed & OF_NETWORK:
        causes.append(Cause("network", "", "its images are unlike real ones: it is trained too little, or too small"))
    ended = time.monotonic()
    seconds = {"sampler": after - began, "images": ended - after, "all": ended - began}
    return ImageConfirmation(
        name=name,
        data=_words(data),
        budget=budget,
        findings=tuple(found),
        causes=tuple(causes),
        likeness=like,
        seconds=seconds,
    )


def _words(data: Images) -> str:
    shape = " x ".join(map(str, data.event_shape))
    return f"{len(data.train):,} images of {shape} in {data.classes} classes, with {len(data.test):,} held out"
