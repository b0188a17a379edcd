r"""Mistakes in methods that remember predictions: what becomes of the differences of them, and of the lengths of steps.

Each is an operation on the closed form of a step, over its own letters: the ratios of steps, the predictions of the steps before,
the divided differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import sympy

from ..forms.deis import rho_bend
from ..forms.dpm import bend, eps_bend, eps_slope, ratio, ratio_2, ratio_3, slope
from ..forms.flow import u_bend
from ..forms.multistep import KINDS, Corrected, Method, Multistep, spelled_out
from ..forms.unipc import bend_ahead, eps_bend_ahead

Change = Callable[[sympy.Expr], sympy.Expr]


@dataclass(frozen=True)
class MultistepSlip:
    """A mistake in a step that remembers predictions.

    Attributes:
        id: stable kebab-case name.
        description: a clause that completes "the sampler does as if ...".
        change: the form of the step with the mistake in it; the form itself where there is no place for it.
    """

    id: str
    description: str
    change: Change


@cache
def mistaken(method: Method, slip: MultistepSlip) -> Method | None:
    """The method with the mistake in it; steps at the ends may be right. None where the mistake has no place.

    In a method that corrects its states the mistake is in the predictor and in the corrector, wherever it has a place.
    """
    if isinstance(method, Multistep):
        return _mistaken_step(method, slip)
    parts = (method.predictor, method.before, method.corrector)
    mistakes = [_mistaken_step(part, slip) for part in parts]
    if mistakes == [None, None, None]:
        return None
    predictor, before, corrector = (mistake or part for mistake, part in zip(mistakes, parts, strict=True))
    lower = (mistaken(one, slip) for one in method.lower)
    return Corrected(method.title, predictor, before, corrector, (method, *method.lower, *(one for one in lower if one)))


@cache
def _mistaken_step(method: Multistep, slip: MultistepSlip) -> Multistep | None:
    right = method.mean.expression
    wrong = slip.change(right)
    if spelled_out(wrong) == spelled_out(right):
        return None
    lower = (_mistaken_step(one, slip) for one in method.lower)
    mean = replace(method.mean, expression=wrong)
    return replace(method, mean=mean, lower=(method, *method.lower, *(one for one in lower if one)))


def _the_ratios(become: Callable[[sympy.Expr], sympy.Expr]) -> Change:
    """Other ratios of steps, wherever they stand."""
    moved = {one: become(one) for one in (ratio, ratio_2, ratio_3)}
    return lambda step: spelled_out(step).xreplace(moved)


def _the_difference_times(factor: sympy.Expr) -> Change:
    """The earlier predictions moved, so that their differences from the present one are so many times what they are."""
    moved = {one: kind[0] + factor * (one - kind[0]) for kind in KINDS.values() for one in kind[1:]}
    return lambda step: spelled_out(step).xreplace(moved)


def _the_bend_times(factor: sympy.Expr) -> Change:
    """The last term of a step that follows a parabola; its slope stays what it is."""
    return lambda step: step.xreplace({one: factor * one for one in (bend, eps_bend, rho_bend, u_bend, bend_ahead, eps_bend_ahead)})


def _predictions(order: Callable[[int, int], int]) -> Change:
    """The remembered predictions in another order: at place j of m + 1 stands the one of another place."""

    def change(step: sympy.Expr) -> sympy.Expr:
        moved: dict[sympy.Symbol, sympy.Symbol] = {}
        for kind in KINDS.values():
            used = [one for one in kind if one in spelled_out(step).free_symbols]
            places = [order(j, len(used)) for j in range(len(used))]
            if max(places, default=0) >= len(kind):
                return step
            moved |= {one: kind[place] for one, place in zip(used, places, strict=True)}
        return spelled_out(step).xreplace(moved)

    return change


MULTISTEP_SLIPS = (
    MultistepSlip(
        "ratio-upside-down",
        "the step over the one before stands where the step before over this one belongs",
        _the_ratios(lambda one: 1 / one),
    ),
    MultistepSlip(
        "equal-steps-assumed",
        "the steps before are taken to be as long as this one",
        _the_ratios(lambda one: sympy.Integer(1)),  # along the noise that makes 3/2 and -1/2, which are a method: iPNDM
    ),
    MultistepSlip(
        "second-difference-halved",
        "the second divided difference, which is half of a second derivative, is weighed as if it were the whole",
        _the_bend_times(sympy.Rational(1, 2)),
    ),
    MultistepSlip(
        "second-difference-doubled",
        "the second divided difference is weighed twice",
        _the_bend_times(sympy.Integer(2)),
    ),
    MultistepSlip(
        "second-difference-reversed",
        "the second divided difference is subtracted where it is to be added, or the other way round",
        _the_bend_times(sympy.Integer(-1)),
    ),
    MultistepSlip(
        "slope-of-a-line",
        "the slope is that of the last two predictions, not that of the parabola through three",
        lambda step: step.xreplace({slope: slope.definition - ratio * bend, eps_slope: eps_slope.definition - ratio * eps_bend}),
    ),
    MultistepSlip(
        "older-ratio-over-the-step-before",
        "the older ratio is taken over the step before, not over this one",
        lambda step: spelled_out(step).xreplace({ratio_2: ratio_2 / ratio}),
    ),
    MultistepSlip(
        "difference-reversed",
        "the present prediction is subtracted from the one before, not the other way round",
        _the_difference_times(sympy.Integer(-1)),
    ),
    MultistepSlip(
        "difference-doubled",
        "the difference of the predictions counts twice: a factor 1/2 is lost",
        _the_difference_times(sympy.Integer(2)),
    ),
    MultistepSlip(
        "difference-halved",
        "the difference of the predictions counts half",
        _the_difference_times(sympy.Rational(1, 2)),
    ),
    MultistepSlip(
        "ratio-rooted",
        "the square root of the ratio of two steps stands in its place",
        _the_ratios(sympy.sqrt),
    ),
    MultistepSlip(
        "predictions-in-reverse",
        "the predictions are read in reverse: the oldest stands where the present one belongs",
        _predictions(lambda j, m: m - 1 - j),
    ),
    MultistepSlip(
        "remembered-in-reverse",
        "the remembered predictions are read in reverse, the oldest first",
        _predictions(lambda j, m: m - j if j else 0),
    ),
    MultistepSlip(
        "remembered-one-too-old",
        "each remembered prediction is one step older than it should be",
        _predictions(lambda j, m: j + 1 if j else 0),
    ),
)
"""In the order in which they are named where several explain the same numbers."""
