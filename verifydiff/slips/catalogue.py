r"""The catalogue.

Order matters where two slips predict the same numbers: the more telling one stands first. Nearly all were seen in public code;
the pages of the documentation name the threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from operator import methodcaller

import numpy as np
import sympy
from sympy import sqrt

from ..forms import ddpm
from ..forms.families import Writing, mean, sigma_down, sigma_up, variance, x_hat, xbar_s
from ..forms.quantities import abar_s, abar_t, alpha_t, beta_t, eps, eta, sigma_t, ve_s, ve_t, x_s, x_t, z
from ..schedule import Array, Schedule
from ..verdict import MisuseError
from .slip import FormSlip, Levels, LevelSlip, NoiseSlip, Slip, alpha_of_s, alpha_of_t

Rewrite = Callable[[Writing], Iterator[Writing]]

# -- ways to rewrite equations -------------------------------------------------------------------------------------------


def edited(writing: Writing, symbol: sympy.Symbol, edit: Callable[[sympy.Expr], sympy.Expr]) -> Writing:
    """The writing with one equation's right-hand side edited."""
    return replace(writing, equations=tuple((s, edit(e) if s == symbol else e) for s, e in writing.equations))


def substituted(old: sympy.Expr, new: sympy.Expr, *only: sympy.Symbol) -> Rewrite:
    """``old`` becomes ``new`` in one equation at a time (of those that define the symbols ``only``, if any are given)."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        for symbol, expression in writing.equations:
            if expression.has(old) and (not only or symbol in only):
                yield edited(writing, symbol, lambda e: e.xreplace({old: new}))

    return rewrite


def substituted_everywhere(changes: dict[sympy.Symbol, sympy.Expr]) -> Rewrite:
    """All changes in all equations at once."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        yield replace(writing, equations=tuple((s, e.xreplace(changes)) for s, e in writing.equations))

    return rewrite


def defined_as(symbol: sympy.Symbol, wrong: sympy.Expr, right: sympy.Expr | None = None) -> Rewrite:
    """The equation of ``symbol`` becomes ``symbol = wrong`` (only where it reads ``right``, if that is given)."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        expression = dict(writing.equations).get(symbol)
        if expression is not None and (right is None or expression == right):
            yield edited(writing, symbol, lambda _: wrong)

    return rewrite


def noise_weight(change: Callable[[sympy.Expr], sympy.Expr]) -> Rewrite:
    """The factor of z is changed, wherever z stands."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        for symbol, expression in writing.equations:
            weight = expression.coeff(z)
            if weight != 0:
                yield edited(writing, symbol, partial(_with_noise_weight, change(weight)))

    return rewrite


def _with_noise_weight(weight: sympy.Expr, expression: sympy.Expr) -> sympy.Expr:
    return expression.xreplace({z: sympy.Integer(0)}) + weight * z


def each_root(change: Callable[[sympy.Expr], sympy.Expr]) -> Rewrite:
    """One square root at a time: ``sqrt(u)`` becomes ``change(u)``, wherever it stands in one equation."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        for symbol, expression in writing.equations:
            radicands = {power.base for power in expression.atoms(sympy.Pow) if abs(power.exp) == sympy.Rational(1, 2)}
            for radicand in sorted(radicands, key=sympy.default_sort_key):
                changes = {sqrt(radicand): change(radicand), 1 / sqrt(radicand): 1 / change(radicand)}
                yield edited(writing, symbol, methodcaller("xreplace", changes))

    return rewrite


def both(*rewrites: Rewrite) -> Rewrite:
    """Any of several rewrites."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        for one in rewrites:
            yield from one(writing)

    return rewrite


def _swapped_weights(writing: Writing) -> Iterator[Writing]:
    expression = dict(writing.equations).get(mean)
    if expression is not None and expression.has(x_hat):
        yield edited(writing, mean, lambda e: e.xreplace({x_hat: x_t, x_t: x_hat}))


def _of_velocity(writing: Writing) -> Iterator[Writing]:
    """A velocity of the wrong sign: where the step predicts the data, where it uses the noise, or in all places.

    Over the velocity the noise is sqrt(1 - abar_t) x_t + sqrt(abar_t) v, so that it becomes 2 sqrt(1 - abar_t) x_t less itself.
    """
    taken = {eps: 2 * sqrt(1 - abar_t) * x_t - eps}
    places = [symbol for symbol, expression in writing.equations if expression.has(eps)]
    if x_s in dict(writing.equations):
        for symbol in places:
            yield edited(writing, symbol, lambda e: e.xreplace(taken))
        if len(places) > 1:
            yield from substituted_everywhere(taken)(writing)


def _divided_out(divisor: sympy.Expr, symbol: sympy.Symbol) -> Rewrite:
    """The equation of ``symbol`` has lost a division by ``divisor``."""

    def rewrite(writing: Writing) -> Iterator[Writing]:
        if dict(writing.equations).get(symbol, sympy.Integer(0)).has(1 / divisor):
            yield edited(writing, symbol, lambda e: e * divisor)

    return rewrite


# -- ways to get the levels wrong ----------------------------------------------------------------------------------------


Shift = Callable[[Levels], Iterator[Levels]]


def _end_at(index: Callable[[Levels], Array]) -> Shift:
    """The steps lead to other indices than the next query's; the last one too, or else to the end it should."""

    def shift(levels: Levels) -> Iterator[Levels]:
        wrong = index(levels)
        ends = np.where(wrong < 0, levels.final, levels.at(wrong))
        yield levels.fed(levels.abar_t, np.where(levels.end < 0, levels.abar_s, ends))
        yield levels.fed(levels.abar_t, ends)

    return shift


def _shifted(by: int) -> Shift:
    """The equations work at other times than the model is told; the data stay the data."""

    def shift(levels: Levels) -> Iterator[Levels]:
        end = np.where(levels.end < 0, levels.abar_s, levels.at(np.maximum(levels.end + by, -1)))
        yield levels.fed(levels.at(np.maximum(levels.start + by, 0)), end)

    return shift


def _start_shifted(by: int) -> Shift:
    def shift(levels: Levels) -> Iterator[Levels]:
        yield levels.fed(levels.at(np.maximum(levels.start + by, 0)), levels.abar_s)

    return shift


def _last_end(level: Callable[[Levels], float]) -> Shift:
    def shift(levels: Levels) -> Iterator[Levels]:
        yield levels.fed(levels.abar_t, np.where(levels.end < 0, level(levels), levels.abar_s))

    return shift


def _table(make: Callable[[Schedule], Schedule | None]) -> Shift:
    """The levels come from another table at the same indices."""

    def shift(levels: Levels) -> Iterator[Levels]:
        try:
            schedule = make(levels.schedule)
        except MisuseError:
            return
        if schedule is not None and not np.allclose(schedule.abar, levels.schedule.abar, rtol=1e-9, atol=0):
            other = replace(levels, schedule=schedule)
            yield levels.fed(other.at(levels.start), np.where(levels.end < 0, levels.abar_s, other.at(levels.end)))

    return shift


def _of_betas(schedule: Schedule) -> Schedule:
    return Schedule(np.concatenate([[1.0], np.cumprod(schedule.betas)]))


def _one_late(schedule: Schedule) -> Schedule | None:
    return Schedule(np.concatenate([[1.0], schedule.abar[:-1] * (1 - 1e-15)])) if schedule.timesteps > 1 else None


def _endpoint_left_out(schedule: Schedule) -> Schedule:
    betas = schedule.betas
    return Schedule.from_betas(np.linspace(betas[0], betas[-1], betas.size, endpoint=False))


def _exp_of_sum(schedule: Schedule) -> Schedule:
    return Schedule(np.exp(-np.cumsum(np.append(0.0, schedule.betas))))


def _cosine_unsquared(schedule: Schedule) -> Schedule:
    t = np.arange(schedule.timesteps + 1) / schedule.timesteps
    f = np.cos((t + 0.008) / 1.008 * np.pi / 2)
    return Schedule.from_betas(np.clip(1 - f[1:] / f[:-1], 1e-12, 0.999))


# -- the catalogue -------------------------------------------------------------------------------------------------------

_tilde, _large = ddpm.posterior_variance.expression, ddpm.large_variance.expression
_ratio, _step_variance = sqrt((1 - abar_s) / (1 - abar_t)), sqrt(1 - abar_t / abar_s)

CATALOGUE: tuple[Slip, ...] = (
    # the variance and the scale of the noise
    FormSlip(
        "beta-for-beta-tilde",
        "the variance of every step equals beta_t, not beta-tilde_t = (1 - abar_s) / (1 - abar_t) beta_t",
        both(defined_as(variance, _large, _tilde), defined_as(sigma_t, eta * _step_variance)),
    ),
    FormSlip(
        "beta-tilde-for-beta", "the variance of every step equals beta-tilde_t, not beta_t", defined_as(variance, _tilde, _large)
    ),
    FormSlip(
        "variance-as-deviation", "the noise is scaled by its variance, not by the square root of it", noise_weight(lambda w: w**2)
    ),
    FormSlip("deviation-rooted-again", "the noise is scaled by the square root of its standard deviation", noise_weight(sqrt)),
    FormSlip("noise-left-out", "no noise is added where the family adds some", noise_weight(lambda _: sympy.Integer(0))),
    FormSlip("noise-unscaled", "the noise is added with weight 1", noise_weight(lambda _: sympy.Integer(1))),
    FormSlip(
        "variance-not-normalised",
        "the posterior variance is not divided by 1 - abar_t",
        both(
            defined_as(variance, (1 - abar_s) * beta_t, _tilde),
            defined_as(sigma_t, eta * sqrt(1 - abar_s) * _step_variance),
        ),
    ),
    FormSlip(
        "variance-upside-down",
        "the posterior variance has (1 - abar_t) / (1 - abar_s) in place of its inverse",
        both(
            defined_as(variance, (1 - abar_t) / (1 - abar_s) * beta_t, _tilde), defined_as(sigma_t, eta / _ratio * _step_variance)
        ),
    ),
    # the eta family
    FormSlip(
        "eta-scales-the-variance", "eta scales the variance of the noise, not its standard deviation", substituted(eta, sqrt(eta))
    ),
    FormSlip("eta-squared", "eta enters the standard deviation squared", substituted(eta, eta**2)),
    FormSlip(
        "eta-ignored",
        "eta is taken for 0 or for 1, whatever it is",
        both(substituted(eta, sympy.Integer(0), sigma_t), substituted(eta, sympy.Integer(1), sigma_t)),
    ),
    FormSlip(
        "sigma-not-subtracted",
        "the direction keeps the weight sqrt(1 - abar_s): the variance of the fresh noise is not subtracted",
        both(
            substituted(sqrt(1 - abar_s - sigma_t**2), sqrt(1 - abar_s), x_s),
            defined_as(sigma_down, ve_s),
        ),
    ),
    FormSlip(
        "sigma-added",
        "the variance of the fresh noise is added to 1 - abar_s where it must be subtracted",
        both(
            substituted(sqrt(1 - abar_s - sigma_t**2), sqrt(1 - abar_s + sigma_t**2), x_s),
            defined_as(sigma_down, sqrt(ve_s**2 + sigma_up**2)),
        ),
    ),
    FormSlip(
        "sigma-not-squared",
        "sigma_t, not sigma_t squared, is subtracted under the root",
        both(
            substituted(sqrt(1 - abar_s - sigma_t**2), sqrt(1 - abar_s - sigma_t), x_s),
            defined_as(sigma_down, sqrt(ve_s**2 - sigma_up)),
        ),
    ),
    FormSlip(
        "direction-without-root",
        "the direction is weighted by 1 - abar_s - sigma_t^2, not by its square root",
        substituted(sqrt(1 - abar_s - sigma_t**2), 1 - abar_s - sigma_t**2, x_s),
    ),
    # signs and places
    FormSlip("sign-of-eps", "the predicted noise enters with the wrong sign", substituted(eps, -eps)),
    FormSlip(
        "sign-of-v",
        "the predicted velocity v enters with the wrong sign: x_0 is sqrt(abar_t) x_t + sqrt(1 - abar_t) v, or the noise is "
        "sqrt(1 - abar_t) x_t - sqrt(abar_t) v, or both",
        _of_velocity,
    ),
    FormSlip("swapped-posterior-weights", "the weights of x_0 and x_t in the posterior mean have changed places", _swapped_weights),
    FormSlip(
        "noise-read-as-velocity",
        "the predicted noise is read as a velocity: x_0 is sqrt(abar_t) x_t - sqrt(1 - abar_t) eps",
        defined_as(x_hat, sqrt(abar_t) * x_t - sqrt(1 - abar_t) * eps),
    ),
    FormSlip("noise-read-as-data", "the predicted noise is read as the data", defined_as(x_hat, eps)),
    FormSlip("x0-not-rescaled", "the prediction of x_0 is not divided by sqrt(abar_t)", _divided_out(sqrt(abar_t), x_hat)),
    FormSlip("mean-not-rescaled", "the mean is not divided by sqrt(alpha_t)", _divided_out(sqrt(alpha_t), mean)),
    FormSlip(
        "ancestral-noise-not-compensated",
        "the ancestral step goes down to sigma(s) and adds its noise on top",
        defined_as(sigma_down, ve_s),
    ),
    FormSlip(
        "step-in-sigma-unscaled", "the step in sigma space lacks the change of sigma", substituted(ve_s - ve_t, -ve_t, xbar_s)
    ),
    # bars, roots and indices within a formula
    FormSlip("lost-bar", "alphas[t] stands where the product abar_t belongs", substituted(abar_t, alpha_of_t), by_table=True),
    FormSlip("lost-bar-at-s", "alphas[s] stands where the product abar_s belongs", substituted(abar_s, alpha_of_s), by_table=True),
    FormSlip(
        "lost-bar-everywhere",
        "alphas stand where their cumulative products belong, in every place",
        substituted_everywhere({abar_t: alpha_of_t, abar_s: alpha_of_s}),
        by_table=True,
    ),
    FormSlip(
        "one-step-alpha-on-a-stride",
        "alphas[t] and betas[t] of a single step stand where a stride needs abar_t / abar_s",
        both(
            substituted_everywhere({alpha_t: alpha_of_t, beta_t: 1 - alpha_of_t}),
            substituted(alpha_t, alpha_of_t),
            substituted(beta_t, 1 - alpha_of_t),
            substituted(abar_t / abar_s, alpha_of_t),
        ),
        by_table=True,
    ),
    FormSlip("t-for-s", "abar_t stands where abar_s belongs", substituted(abar_s, abar_t)),
    FormSlip("s-for-t", "abar_s stands where abar_t belongs", substituted(abar_t, abar_s)),
    FormSlip("alpha-for-beta", "alpha_t stands where beta_t = 1 - alpha_t belongs", substituted(beta_t, alpha_t)),
    FormSlip("beta-for-alpha", "beta_t stands where alpha_t = 1 - beta_t belongs", substituted(alpha_t, beta_t)),
    FormSlip(
        "complement-lost",
        "a level stands where one minus the level belongs",
        both(substituted(1 - abar_t, abar_t), substituted(1 - abar_s, abar_s)),
    ),
    FormSlip("lost-root", "a square root is missing", each_root(lambda u: u)),
    FormSlip("square-for-root", "a square stands where a square root belongs", each_root(lambda u: u**2)),
    # the levels fed to right equations
    LevelSlip(
        "stride-by-division",
        "a step leads to t - T // S, not to the next entry of the list of times",
        _end_at(lambda v: v.start - v.schedule.timesteps // v.steps),
    ),
    LevelSlip(
        "previous-is-t-minus-one",
        "a step leads to t - 1, not to the next entry of the list of times",
        _end_at(lambda v: v.start - 1),
    ),
    LevelSlip("end-one-early", "a step leads one index below the next entry of the list of times", _end_at(lambda v: v.end - 1)),
    LevelSlip("end-one-late", "a step leads one index above the next entry of the list of times", _end_at(lambda v: v.end + 1)),
    LevelSlip(
        "an-entry-skipped",
        "a step leads to the entry after the next of the list of times",
        _end_at(lambda v: np.append(v.end[1:], -1)),
        by_table=False,
    ),
    LevelSlip("time-told-one-late", "the model is told t + 1 where the step starts from t", _shifted(-1)),
    LevelSlip("time-told-one-early", "the model is told t - 1 where the step starts from t", _shifted(+1)),
    LevelSlip("start-one-early", "a step starts from the level of t - 1", _start_shifted(-1)),
    LevelSlip("start-one-late", "a step starts from the level of t + 1", _start_shifted(+1)),
    LevelSlip(
        "final-level-is-abar-1",
        "the last step ends at abar_1, the first entry of the table, not on the data",
        _last_end(lambda v: float(v.schedule.abar[1])),
    ),
    LevelSlip(
        "index-wraps",
        "the last step ends at the last entry of the table, which index -1 stands for, not on the data",
        _last_end(lambda v: float(v.schedule.abar[-1])),
    ),
    LevelSlip(
        "final-level-is-one",
        "the last step ends on the data, not at the level it was told",
        _last_end(lambda _: 1.0),
        by_table=False,
    ),
    LevelSlip("products-of-betas", "the levels are cumulative products of beta, not of 1 - beta", _table(_of_betas)),
    LevelSlip("table-one-late", "the table of levels starts with a 1: every level is that of the time before", _table(_one_late)),
    LevelSlip("endpoint-left-out", "betas are spaced up to the last one without reaching it", _table(_endpoint_left_out)),
    LevelSlip("sum-for-product", "the levels are exp of minus the sum of betas, not the product of 1 - beta", _table(_exp_of_sum)),
    LevelSlip("cosine-unsquared", "the levels follow a cosine that was not squared", _table(_cosine_unsquared)),
    LevelSlip("linear-schedule", "the levels are those of the linear schedule", _table(lambda s: Schedule.linear(s.timesteps))),
    LevelSlip(
        "scaled-linear-schedule",
        "the levels are those of the scaled linear schedule",
        _table(lambda s: Schedule.scaled_linear(s.timesteps)),
    ),
    LevelSlip("cosine-schedule", "the levels are those of the cosine schedule", _table(lambda s: Schedule.cosine(s.timesteps))),
    # the noise
    NoiseSlip("noise-at-the-end", "noise is added on the step onto the data", "last-step"),
    NoiseSlip("stale-noise", "one draw of noise serves several steps", "fresh"),
    NoiseSlip("shared-noise", "one draw of noise serves several rows of the batch", "rows"),
    NoiseSlip("repeated-coordinates", "one draw of noise serves several coordinates", "coordinates"),
    NoiseSlip("noise-not-normal", "the noise has the right scale and is not normally distributed", "normal"),
    NoiseSlip("noise-not-centred", "the noise has a mean", "centred"),
)


def by_id(name: str) -> Slip:
    """The slip of that name.

    Raises:
        KeyError: if there is none.
    """
    return {slip.id: slip for slip in CATALOGUE}[name]
