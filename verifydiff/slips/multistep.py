r"""Mistakes in methods that remember one prediction: what becomes of the difference of two predictions.

Each is an operation on the closed form of a step, over its own letters: the ratio of two steps, the prediction of the step before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from ..forms.dpm import eps_before, ratio, x_before
from ..forms.quantities import eps, x_0


@dataclass(frozen=True)
class MultistepSlip:
    """A mistake in a step that remembers one prediction.

    Attributes:
        id: stable kebab-case name.
        description: a clause that completes "the sampler does as if ...".
        change: the form of the step with the mistake in it; the form itself where there is no place for it.
    """

    id: str
    description: str
    change: Callable[[sympy.Expr], sympy.Expr]


def _the_difference_times(factor: sympy.Expr) -> Callable[[sympy.Expr], sympy.Expr]:
    r"""The earlier prediction moved, so that its difference from the present one is so many times what it is."""
    moved = {x_before: x_0 + factor * (x_before - x_0), eps_before: eps + factor * (eps_before - eps)}
    return lambda step: step.xreplace(moved)


MULTISTEP_SLIPS = (
    MultistepSlip(
        "ratio-upside-down",
        "the step over the one before stands where the step before over this one belongs",
        lambda step: step.xreplace({ratio: 1 / ratio}),
    ),
    MultistepSlip(
        "equal-steps-assumed",
        "the step before is taken to be as long as this one",
        lambda step: step.xreplace({ratio: sympy.Integer(1)}),  # in DEIS that makes 3/2 and -1/2, which are a method: iPNDM
    ),
    MultistepSlip(
        "difference-reversed",
        "the present prediction is subtracted from the one before, not the other way round",
        _the_difference_times(sympy.Integer(-1)),
    ),
    MultistepSlip(
        "difference-doubled",
        "the difference of the two predictions counts twice: a factor 1/2 is lost",
        _the_difference_times(sympy.Integer(2)),
    ),
    MultistepSlip(
        "difference-halved",
        "the difference of the two predictions counts half",
        _the_difference_times(sympy.Rational(1, 2)),
    ),
    MultistepSlip(
        "ratio-rooted",
        "the square root of the ratio of two steps stands in its place",
        lambda step: step.xreplace({ratio: sympy.sqrt(ratio)}),
    ),
)
"""In the order in which they are named where several explain the same numbers."""
