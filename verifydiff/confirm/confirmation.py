"""The confirmation of a trained predictor: everything measured, every statement, and whose the error is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jax import Array

from ..oracles import GaussianMixture, Oracle
from ..schedule import Schedule
from ..verdict import Finding, MisuseError, Status
from . import denoising, flow, guidance, jacobian, labels, likelihood, sampling
from .budget import Budget
from .confirmed import Cause, Confirmed, Progress, Sentences, of_sampler
from .denoising import Denoising
from .flow import Flow
from .guarded import Guarded
from .guidance import Guided
from .implementation import Implementation, at, implementation
from .jacobian import Spectrum
from .likelihood import Likelihood
from .loops import REFERENCE, Draw
from .model import as_model, named
from .sampling import Sampling

OF_NETWORK = frozenset(
    {"denoising-loss", "loss-by-level", "score-error", "jacobian-spectrum", "samples-of-network", "bits-by-bound", "bits-by-ode"}
)
"""Findings that no sampler under test has a part in, and that no label has."""
OF_LABELS = frozenset({"labelled-loss", "classifier-free-guidance", "classifier-free-means"})
"""Findings of a network that is told labels; the last two are the sampler's where that is off by itself."""
OF_BOTH = frozenset({"flow-map", "diversity", "classifier-guidance", "classifier-means"})
"""Findings that are the network's where the sampler is right by itself."""


@dataclass(frozen=True, kw_only=True)
class Confirmation(Confirmed):
    """Of a network whose data have known answers.

    Attributes:
        denoising, spectra, sampling, flow, guided, classes, likelihood, sampler: what was measured.
    """

    denoising: Denoising
    spectra: tuple[Spectrum, ...]
    sampling: Sampling
    flow: Flow
    guided: tuple[Guided, ...]
    classes: tuple[Denoising, ...]
    likelihood: Likelihood
    sampler: Implementation

    SENTENCES = Sentences(
        both="both are off: the network by itself, and the sampler by itself.",
        network="the network is off; the sampler does what its equations say.",
        sampler="the sampler is off; the network is as good as was asked for.",
        neither="network and sampler are each as good as was asked for, and yet their samples are off: see the findings.",
        unsure="nothing is seen to be off, but the budget is too small to be sure.",
    )
    MEASURED = ("denoising", "spectra", "sampling", "flow", "guided", "classes", "likelihood")

    @property
    def praise(self) -> str:
        """With how many errors of the network are no fault, and yet seen."""
        if self.imperfect:
            told = f"{len(self.imperfect)} of its errors can be seen, and are notes with their size"
            return f"the sampler does what its equations say, and the network is trained: {told}."
        return "network and sampler do what a perfect network with a right sampler does, within what was asked for."

    @property
    def left_out(self) -> str:
        """Numbers of steps and etas that are not in the budget."""
        return self.budget.left_out

    @property
    def imperfect(self) -> tuple[Finding, ...]:
        """Notes of errors of the network that are no fault."""
        return tuple(one for one in self.findings if one.status is Status.NOTE and one.tolerance is not None)


def confirm(
    eps: Any,
    data: Oracle,
    levels: Any,
    *,
    budget: Budget | None = None,
    key: Array | None = None,
    prediction: str = "eps",
    labelled: Any = None,
    sampler: Draw | None = None,
    name: str = "network",
    progress: Progress | None = None,
) -> Confirmation:
    r"""Lay a predictor over the theory of its data.

    Args:
        eps: ``eps(x_t, abar_t) -> eps_hat`` over batches (n, \*event) with levels (n,); best a tree of arrays.
        data: the law of the data; a Gaussian or a mixture.
        levels: (T + 1,), the table abar_0 = 1 > ... > abar_T.
        budget: how much may be drawn; :meth:`Budget.quick` if left out.
        key: of all draws; that of the budget's seed if left out.
        prediction: what the network's own loss is over: ``eps``, ``x0`` or ``v``.
        labelled: ``labelled(x_t, abar_t, label)``, if the network takes labels (n,).
        sampler: the sampler in question (:data:`Draw`); the reference, if left out.
        name: how reports call it.
        progress: told what is being measured.

    Raises:
        MisuseError: if the levels are no such table or end without signal, the prediction is unknown, the data are no oracle, the
            network answers in another shape, or the sampler raises or returns no such batch.
    """
    budget, began = budget or Budget.quick(), time.monotonic()
    key = jax.random.key(budget.seed) if key is None else key
    _refuse(eps, data, prediction)
    table, model = _table(levels), as_model(eps)
    labelled, sampler = (None if labelled is None else as_model(labelled)), (None if sampler is None else Guarded(sampler))
    told, seconds = progress or (lambda part: None), {}

    def timed(part: str, function: Callable[..., Any], *arguments: Any) -> Any:
        told(part)
        start = time.monotonic()
        result = function(*arguments)
        seconds[part] = time.monotonic() - start
        return result

    given = (model, data, table, budget)
    by_itself = timed("loss and score", denoising.denoising, *given, named(key, "denoising"), prediction)
    spectra = timed("Jacobian", jacobian.spectra, *given, named(key, "jacobian"))
    implemented = timed(
        "sampler",
        implementation,
        sampler or REFERENCE,
        table,
        data.event_shape,
        named(key, "sampler"),
        budget.rates,
        at(budget.steps, budget.etas),
    )
    samples = timed("samples", sampling.sampling, *given, named(key, "sampling"), sampler)
    walked = timed("inversion", flow.flow, *given, named(key, "flow"), sampler)
    guided: tuple[Guided, ...] = ()
    classes: tuple[Denoising, ...] = ()
    if isinstance(data, GaussianMixture) and data.classes > 1:
        guided = timed("guidance", guidance.guidance, *given, named(key, "guidance"), labelled, sampler)
        if labelled is not None:
            classes = timed("labels", labels.of_classes, labelled, data, table, budget, named(key, "labels"), prediction)
    bits = timed("likelihood", likelihood.likelihood, *given, named(key, "likelihood"), by_itself.weighted)
    if by_itself.shapes:  # a mistake, and no lack of training
        budget = replace(budget, limits=budget.resolutions)
    found = [
        *denoising.findings(by_itself, budget),
        *jacobian.findings(spectra, budget),
        *implemented.findings,
        *sampling.findings(samples, budget),
        *flow.findings(walked, budget),
        *(guidance.findings(guided, budget) or [guidance.not_labelled()]),
        *labels.findings(classes, budget),
        *likelihood.findings(bits, budget),
    ]
    seconds["all"] = time.monotonic() - began
    whose = causes(found, by_itself, implemented)
    return Confirmation(
        name=name,
        data=_words(data),
        budget=budget,
        findings=tuple(found),
        causes=whose,
        denoising=by_itself,
        spectra=spectra,
        sampling=samples,
        flow=walked,
        guided=guided,
        classes=classes,
        likelihood=bits,
        sampler=implemented,
        seconds=seconds,
    )


def causes(findings: list[Finding], by_itself: Denoising, sampler: Implementation) -> tuple[Cause, ...]:
    """Whose the errors are: what fails with the exact denoiser is the sampler's, what fails without the sampler the network's."""
    failed = {finding.check for finding in findings if finding.status is Status.FAIL}
    found = of_sampler(failed, sampler)
    if failed & OF_NETWORK or (failed & OF_BOTH and not found):
        found += [_shape(name, left) for name, left in by_itself.shapes.items()] or [
            Cause("network", "", "its answers are off by no known shape: it is trained too little, or too small")
        ]
    if "labelled-loss" in failed or (failed & OF_LABELS and not found):
        found.append(Cause("network", "labels", "told a label, it does not answer what that class of data asks for"))
    return tuple(found)


def _shape(name: str, left: float) -> Cause:
    rest = f"which explains all but {100 * left:.2g} % of its error"
    if name.startswith("told"):
        return Cause("network", "told-another-time", f"it answers as if it were told the time t {name[4]} {name[5:]}, {rest}")
    factor = name.removeprefix("scaled by ")
    return Cause("network", "scaled", f"its answers are the exact ones times {factor}, {rest}")


def _table(levels: Any) -> Any:
    table = Schedule(np.asarray(levels, np.float64)).abar
    if table[-1] == 0:
        raise MisuseError("the last level has no signal, abar_T = 0: samplers here divide by its root. Leave it out.")
    return table


def _refuse(eps: Any, data: Any, prediction: str) -> None:
    if not isinstance(data, Oracle):
        raise MisuseError(f"`data` must be a law of verifydiff.oracles, whose score is known, got {type(data).__name__}.")
    if data.batch_shape:
        raise MisuseError(f"`data` must be one law, without a batch, got batch shape {data.batch_shape}.")
    if prediction not in ("eps", "x0", "v"):
        raise MisuseError(f"`prediction` must be eps, x0 or v, got {prediction!r}.")
    if not callable(eps):
        raise MisuseError(f"`eps` must be a function eps(x_t, abar_t), got {type(eps).__name__}.")


def _words(data: Oracle) -> str:
    shape = " x ".join(map(str, data.event_shape))
    if isinstance(data, GaussianMixture):
        return f"a mixture of {len(data.labels)} components in {data.classes} classes over {shape}"
    return f"{type(data).__name__} over {shape}"
