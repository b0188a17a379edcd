r"""The sampler by itself, no network in sight: a sampler that is handed the exact denoiser of a Gaussian is an affine map.

For a Gaussian with independent coordinates :math:`\mathcal{N}(\mu_k, \lambda_k)`, made for this purpose with all of them
different and no mean 0, the exact denoiser is affine, and a right step :math:`x_s = p\,x_t + q\,\hat x_0(x_t) + c\,z` gives

.. math:: x_0 = A_k\, x_T + b_k + \sqrt{V_k}\,\xi, \qquad \xi \sim \mathcal{N}(0, 1),

with A, b and V by recursion over the steps. p, q and c come from the proved forms, not from the sampler's code. A is read off
the sampler by differentiating through it at a held key, where all noise drops out: exact to rounding, whatever generator it
uses. b and V are exact where it draws nothing, and else tested by draws from one start, by the exact tests of
:func:`.gaussian_battery`; that these draws are normal and independent, number by number and row by row, by those of :mod:`.noise`.

**In which precision?** It is asked in float64, and may answer in another. What is off by no more than single precision rounds is no
failure, and is said.

**Which slip is it?** Every slip of the catalogue predicts p, q and c of every step, so A, b and V; one that the sampler's A
equals and its draws do not reject is named. Here a network may also have been told the time that the step leads to, which the
catalogue of single steps has no word for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..forms.families import DDIM, DDPM, Family
from ..forms.quantities import abar_s, abar_t
from ..oracles import DiagonalGaussian
from ..schedule import Schedule
from ..slips import CATALOGUE, Levels, NoiseSlip, by_id, slipped
from ..slips.slip import alpha_of_s, alpha_of_t
from ..statistics import ErrorRates, Moments, gaussian_battery
from ..statistics.evidence import Array as Numbers
from ..verdict import Finding, Status
from .loops import Draw
from .model import named
from .noise import SINGLE, TESTS, Flaw, flaws, with_two_keys
from .theory import Push, pushed

PROBES = ((10, 0.0), (10, 0.5), (10, 1.0), (25, 1.0), (2, 1.0))
"""S and eta at which a sampler is always looked at; of two steps only the first draws."""
OF_MOMENTS = 5
"""Tests of :func:`.gaussian_battery`."""
DRAWS = 2048
EXACT = 1e-7
"""Rounding of a few dozen steps in float64, relative; slips move A by 1e-3 and more."""
ROUNDINGS = 64 * SINGLE
"""The same in float32, where a single step does not ask for more."""
NUMBERS = 2**24
"""A probe draws about as many, at most."""
EXPLAINED = 4
"""Of the settings beyond those at which a sampler is always looked at, slips are sought at so many at most, the shortest."""


@dataclass(frozen=True)
class Response:
    """What a sampler makes of a start, and what it should.

    Attributes:
        steps: S.
        eta: of DDIM.
        slope: A, (d,).
        bent: how far it is from affine: the most that a start moved by 1 is led elsewhere than A says.
        grain: the precision that the images show: the spacing of numbers near 1.
        images: (n, d), draws from one start.
        start: that start, (d,).
    """

    steps: int
    eta: float
    slope: Numbers
    bent: float
    grain: float
    images: Numbers
    start: Numbers


@dataclass(frozen=True)
class Slipped:
    """A slip that reproduces what a sampler did.

    Attributes:
        slip: its id.
        description: what is done in place of what.
        residual: how far its A and b are from the sampler's, relative.
    """

    slip: str
    description: str
    residual: float


@dataclass(frozen=True)
class Implementation:
    """What the sampler is worth by itself.

    Attributes:
        findings: one for the map and one for the noise.
        slips: that explain what failed, best first.
    """

    findings: tuple[Finding, ...]
    slips: tuple[Slipped, ...]


def implementation(
    draw: Draw,
    table: Numbers,
    event_shape: tuple[int, ...],
    key: Array,
    rates: ErrorRates,
    settings: tuple[tuple[int, float], ...] = PROBES,
) -> Implementation:
    """Judge a sampler.

    Args:
        draw: the sampler.
        table: abar_0 = 1 > ... > abar_T.
        event_shape: of one state.
        key: of the draws.
        rates: of all its tests together.
        settings: S and eta at which it is looked at; slips are sought at the first of them, :data:`PROBES` being as many.
    """
    schedule = Schedule(table)
    probes = list(dict.fromkeys((S, float(eta)) for S, eta in settings if table.size > S)) or [(table.size - 1, 1.0)]
    with jax.enable_x64(True):
        judged = [
            _judged(schedule, respond(draw, schedule, S, eta, event_shape, named(key, f"probe {S} {eta}"))) for S, eta in probes
        ]
        drawing = next((one for one in judged if one.draws), None)
        again = None if drawing is None else _judged(schedule, _with_another_key(draw, schedule, drawing.seen, event_shape, key))
    tests = (OF_MOMENTS + TESTS) * len(probes) + 1
    alone = rates.shared_among(tests).false_alarm
    keys = () if drawing is None or again is None else ((with_two_keys(drawing.noise, again.noise), drawing.seen),)
    found = (_map(judged), _noise(judged, keys, alone, tests))
    off = [one for one in judged if one.residual > one.allowed or one.p_value <= alone]
    slips: tuple[Slipped, ...] = ()
    if off:
        always = [one for one in judged if (one.seen.steps, one.seen.eta) in PROBES] or judged
        beyond = sorted((one for one in off if one not in always), key=lambda one: one.seen.steps)
        slips = tuple(explanations(schedule, always + beyond[:EXPLAINED], alone))
    return Implementation(found, slips)


def at(steps: tuple[int, ...], etas: tuple[float, ...]) -> tuple[tuple[int, float], ...]:
    """The settings at which a sampler is looked at that is asked for these numbers of steps and these etas."""
    return (*PROBES, *product(steps, etas))


@dataclass(frozen=True, eq=False)
class Judged:
    """A response beside what is right.

    Attributes:
        seen: what the sampler made of the start.
        right: what it should.
        residual: how far A is off, and where nothing is drawn, b too; relative to the largest.
        allowed: what its precision rounds away of that.
        straight: how far from affine rounding may make it.
        p_value: the least of the tests of mean and variance.
    """

    seen: Response
    right: Push
    residual: float
    allowed: float
    straight: float
    p_value: float

    @property
    def draws(self) -> bool:
        """Whether there is noise."""
        return bool(self.right.variance.any())

    @property
    def noise(self) -> Numbers:
        """(n, d): the draws over their scale."""
        noise: Numbers = (self.seen.images - self.right.slope * self.seen.start - self.right.shift) / np.sqrt(self.right.variance)
        return noise


def _judged(schedule: Schedule, response: Response) -> Judged:
    told, ends = _ends(schedule, response.steps)
    mu, lam = data(response.start.size)
    p, q, c = families(response.eta)[0].coefficients(told, ends)
    right = pushed(p, q, c, told, mu, lam)
    of_slope, of_image = _rounded(p, q, told, mu, lam)
    largest = max(np.abs(response.slope).max(), np.abs(response.images).max() * EXACT)
    allowed, straight = ROUNDINGS, 1e-4 * largest
    if response.grain >= SINGLE:
        image = np.abs(right.slope * response.start + right.shift).max()
        allowed = max(allowed, SINGLE * max(of_slope / np.abs(right.slope).max(), of_image / image))
        straight += 2 * of_image * response.grain
    return Judged(response, right, _residual(response, right), float(allowed), float(straight), _rejects(response, right))


def _rounded(p: Numbers, q: Numbers, told: Numbers, mu: Numbers, lam: Numbers) -> tuple[float, float]:
    """What rounding every step once may move A and an image by, in units of the spacing of numbers near 1; generously."""
    slope, of_slope, of_image = np.ones(mu.size), np.zeros(mu.size), np.zeros(mu.size)
    for p_k, q_k, abar in zip(p, q, told, strict=True):
        turn = p_k + q_k * np.sqrt(abar) * lam / (abar * lam + 1 - abar)
        each = np.abs(p_k) + np.abs(q_k) / np.sqrt(abar)  # the noise is taken off before what is left is made large
        of_slope = np.abs(turn) * of_slope + 16 * each * np.abs(slope)
        of_image = np.abs(turn) * of_image + each * (3 + np.abs(mu))
        slope = turn * slope
    return float(of_slope.max()), float(of_image.max())


def data(d: int) -> tuple[Numbers, Numbers]:
    """mu and lambda of the Gaussian: no two alike."""
    signs = 1.0 - 2.0 * (np.arange(d) % 2)
    return signs * np.linspace(0.3, 1.5, d), np.geomspace(0.05, 4.0, d)


def respond(draw: Draw, schedule: Schedule, S: int, eta: float, event_shape: tuple[int, ...], key: Array) -> Response:
    """What the sampler does with this Gaussian, in float64."""
    d = int(np.prod(event_shape))
    mu, lam = data(d)
    law = DiagonalGaussian(jnp.asarray(mu), jnp.asarray(lam))
    model = jax.tree_util.Partial(_answer, law)
    levels = np.append(schedule.abar[_times(schedule, S)], 1.0)
    start = jax.random.normal(key, event_shape, jnp.float64)
    most = max(16, min(DRAWS, 2**20 // d, NUMBERS // (d * S)))
    rows = 2 ** (most.bit_length() - 1)  # few sizes, few programs
    x_T = jnp.broadcast_to(start, (rows, *event_shape))

    def run(x: Array) -> Array:
        return draw(model, x, levels, eta=eta, key=key)

    images, slopes = jax.jvp(run, (x_T,), (jnp.ones_like(x_T),))
    moved, _ = jax.jvp(run, (x_T + 1.0,), (jnp.ones_like(x_T),))  # by the same compiled program
    slope, drawn = np.asarray(slopes, np.float64), np.asarray(images, np.float64)
    bent = np.nan_to_num(np.abs(np.asarray(moved, np.float64) - drawn - slope).max(), nan=np.inf)
    return Response(
        S, eta, slope[0].ravel(), float(bent), _grain(drawn), drawn.reshape(rows, d), np.asarray(start, np.float64).ravel()
    )


def _grain(images: Numbers) -> float:
    """The spacing near 1 of the numbers of the coarsest type that holds all of these."""
    with np.errstate(over="ignore", invalid="ignore"):
        for kind in (np.float16, np.float32):
            if np.array_equal(images.astype(kind), images):
                return float(np.finfo(kind).eps)
    return float(np.finfo(np.float64).eps)


def families(eta: float) -> list[Family]:
    """What a sampler of this eta may have been written as."""
    return [DDIM(eta), DDPM("small")] if eta == 1 else [DDIM(eta)]


def explanations(schedule: Schedule, judged: list[Judged], rate: float, most: int = 3) -> list[Slipped]:
    """The slips that reproduce every response, or else every one that is not as it should be; best first."""
    fits = [_fitting(schedule, one.seen, rate, one.allowed) for one in judged]
    shared = set.intersection(*(set(fit) for fit in fits)) - {""}
    if not shared:  # a slip of one eta alone, where others are right
        wrong = [fit for fit in fits if "" not in fit]
        shared = set.intersection(*(set(fit) for fit in wrong)) if wrong else set()
    told = {slip: max(fit[slip].residual for fit in fits if slip in fit) for slip in shared}
    first = next(fit for fit in fits if shared <= set(fit)) if shared else {}
    ranked = sorted(shared, key=lambda slip: (max(told[slip], 1e-9), list(first).index(slip)))
    return [Slipped(slip, first[slip].description, told[slip]) for slip in ranked[:most]]


def _fitting(schedule: Schedule, response: Response, rate: float, allowed: float) -> dict[str, Slipped]:
    """All slips that this response does not contradict; "" is none at all."""
    found: dict[str, Slipped] = {}
    for slip, description, push in _candidates(schedule, response):
        residual = _residual(response, push)
        if residual < allowed and slip not in found and _rejects(response, push) > rate:
            found[slip] = Slipped(slip, description, residual)
    return found


def _candidates(schedule: Schedule, response: Response) -> Iterator[tuple[str, str, Push]]:
    told, ends = _ends(schedule, response.steps)
    mu, lam = data(response.start.size)
    index = np.append(_times(schedule, response.steps) - 1.0, -1.0)
    levels = [kind(schedule, index[:-1], index[1:], 1.0, told, told, ends) for kind in (Levels, Composed)]
    for family in families(response.eta):
        p, q, c = family.coefficients(told, ends)
        yield "", "", pushed(p, q, c, told, mu, lam)
        yield from _of_strides(p, q, c, told, ends, mu, lam)
        for slip, at in product(CATALOGUE, levels):
            if not isinstance(slip, NoiseSlip):
                for weights in slipped(slip, family, at):
                    if all(np.isfinite(weight).all() for weight in weights):
                        yield slip.id, slip.description, pushed(*weights, told, mu, lam)


def _of_strides(
    p: Numbers, q: Numbers, c: Numbers, told: Numbers, ends: Numbers, mu: Numbers, lam: Numbers
) -> Iterator[tuple[str, str, Push]]:
    """What the catalogue of single steps has no word for, or not for every family."""
    a, b = p + q / np.sqrt(told), -q * np.sqrt(1 - told) / np.sqrt(told)
    late = np.append(ends[:-1], told[-1])  # no network answers at abar = 1: some tell it the last level again, some the data's
    for asked in (late, ends):
        yield (
            "time-told-of-the-next-step",
            "the network is told the time that the step leads to",
            _over_eps(a, b, c, asked, mu, lam),
        )
    large = c * np.sqrt((1 - told) / np.where(ends < 1, 1 - ends, np.inf))
    yield by_id("beta-for-beta-tilde").id, by_id("beta-for-beta-tilde").description, pushed(p, q, large, told, mu, lam)


class Composed(Levels):
    """Levels whose alphas are those of whole strides, as a sampler has them that computes them from its own levels."""

    @cached_property
    def values(self) -> dict[Any, Numbers]:
        """A value for every letter."""
        alphas = self.abar_t / self.abar_s
        return {abar_t: self.abar_t, abar_s: self.abar_s, alpha_of_t: alphas, alpha_of_s: np.append(alphas[1:], 1.0)}


def _over_eps(a: Numbers, b: Numbers, c: Numbers, told: Numbers, mu: Numbers, lam: Numbers) -> Push:
    """As :func:`pushed`, for steps a x + b eps + c z whose model is asked at these levels; at abar = 1 it answers 0."""
    noise = np.where(told < 1, np.sqrt(1 - told), 1.0)
    p = np.where(told < 1, a + b / noise, a)
    q = np.where(told < 1, -b * np.sqrt(told) / noise, 0.0)
    return pushed(p, q, c, told, mu, lam)


def _map(judged: list[Judged]) -> Finding:
    bent = max(judged, key=lambda one: one.seen.bent / one.straight)
    if not bent.seen.bent <= bent.straight:
        message = (
            f"with an affine denoiser the sampler is no affine map (S = {bent.seen.steps}, eta = {bent.seen.eta:g}): "
            "it clips, or thresholds."
        )
        return Finding("sampler-map", Status.FAIL, message, measured=bent.seen.bent, expected=0.0, tolerance=bent.straight)
    worst = max(judged, key=lambda one: one.residual / one.allowed)
    good = worst.residual <= worst.allowed
    single = good and max(one.residual for one in judged) >= EXACT
    words = "takes starts where the closed form does" if good else "does not take starts where the closed form does"
    rounds = " It computes in single precision, or no better: what it is off by is no more than that rounds." if single else ""
    return Finding(
        "sampler-map",
        Status.PASS if good else Status.FAIL,
        f"handed the exact denoiser, the sampler {words}: off by {worst.residual:.2g} at S = {worst.seen.steps}, "
        f"eta = {worst.seen.eta:g}, the worst of {len(judged)} settings.{rounds}",
        measured=worst.residual,
        expected=0.0,
        tolerance=worst.allowed if single or not good else EXACT,
    )


def _noise(judged: list[Judged], keys: tuple[tuple[Flaw, Response], ...], rate: float, tests: int) -> Finding:
    worst = min(judged, key=lambda one: one.p_value)
    ratio = _spread(worst.seen, worst.right)
    where = f"S = {worst.seen.steps}, eta = {worst.seen.eta:g}"
    told = f"draws from one start have {ratio:.4g} times the variance that the noise of the closed form gives ({where})"
    message = f"{told}, the least likely of {len(judged)} settings, p = {worst.p_value:.2g}."
    good = worst.p_value > rate
    if good:  # of noise of another mean or scale, nothing finer can be asked
        every = [*((flaw, one.seen) for one in judged for flaw in _flaws(one)), *keys]
        seen = sorted(((flaw, at) for flaw, at in every if flaw.p_value <= rate), key=lambda pair: pair[0].p_value)
        if seen:
            good = False
            first = {flaw.words.partition(" (")[0]: (flaw, at) for flaw, at in reversed(seen)}
            parts = [f"{flaw.words}, at S = {at.steps}, eta = {at.eta:g}, p = {flaw.p_value:.2g}" for flaw, at in first.values()]
            message = f"draws from one start have the variance that they should, and yet {'; '.join(parts)}."
        elif every:
            message += " They are normal, and independent between rows and within them."
    return Finding(
        "sampler-noise",
        Status.PASS if good else Status.FAIL,
        message,
        measured=ratio,
        expected=1.0,
        false_alarm=rate * tests,
    )


def _flaws(one: Judged) -> tuple[Flaw, ...]:
    """What is off with the draws themselves, where there are any."""
    if not one.draws:
        return ()
    return flaws(one.noise, float((np.abs(one.seen.images).max(axis=0) / np.sqrt(one.right.variance)).max()))


def _with_another_key(draw: Draw, schedule: Schedule, seen: Response, event_shape: tuple[int, ...], key: Array) -> Response:
    """The same setting once more, with nothing of the key that it had."""
    return respond(draw, schedule, seen.steps, seen.eta, event_shape, named(key, "another key"))


def _residual(response: Response, push: Push) -> float:
    """How far A is off, and where nothing is drawn, b too; relative to the largest."""
    off = np.abs(response.slope - push.slope).max() / np.abs(push.slope).max()
    if not push.variance.any():
        image = push.slope * response.start + push.shift
        off = max(off, np.abs(response.images - image).max() / np.abs(image).max())
    return float(off) if np.isfinite(off) else np.inf


def _rejects(response: Response, push: Push) -> float:
    """The least p-value of the draws from one start, times the number of tests; where nothing is drawn, 1 or 0."""
    image = push.slope * response.start + push.shift
    if not push.variance.any():
        alike = ROUNDINGS if response.grain >= SINGLE else EXACT
        return 1.0 if np.ptp(response.images, axis=0).max() <= alike * np.abs(image).max() else 0.0
    if not (push.variance > 0).all() or not np.isfinite(push.variance).all() or not np.isfinite(response.images).all():
        return 0.0
    battery = gaussian_battery(Moments.of(response.images, covariance="diagonal"), image, push.variance)
    return float(min(evidence.p_value for evidence in battery))


def _spread(response: Response, push: Push) -> float:
    total = float(push.variance.sum())
    seen = float(response.images.var(axis=0, ddof=1).sum())
    return seen / total if total else (np.inf if seen else 1.0)


def _answer(law: DiagonalGaussian, x_t: Array, abar_t: Array) -> Array:
    return law.eps(x_t.reshape(x_t.shape[0], -1), abar_t).reshape(x_t.shape)


def _times(schedule: Schedule, S: int) -> Any:
    """Trailing times, noisiest first, as the paper counts them."""
    return np.round(np.arange(S, 0, -1) * schedule.timesteps / S).astype(int)


def _ends(schedule: Schedule, S: int) -> tuple[Numbers, Numbers]:
    """The level where each step begins, and where it ends."""
    levels = np.append(schedule.abar[_times(schedule, S)], 1.0)
    return levels[:-1], levels[1:]
