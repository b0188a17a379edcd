"""Mutants of clean samplers: each makes one mistake, planted on purpose, and stands beside the right sampler that it was made from.

Those of the catalogue are run by evaluating the slipped equations one after the other on arrays, as a sampler would; the diagnosis
works from symbolic weights. The two share the catalogue and nothing else. The others are written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import sympy
from samplers import ABAR, BETAS, Sample, T, leading, trailing

import verifydiff as vd
from verifydiff.forms import quantities as q
from verifydiff.forms.solvers import ProbabilityFlow
from verifydiff.observe import Target
from verifydiff.observe.frame import Frame
from verifydiff.slips import CATALOGUE, FormSlip, LevelSlip, NoiseSlip
from verifydiff.slips.slip import Levels, alpha_of_s, alpha_of_t

SCHEDULE = vd.Schedule.from_betas(BETAS)
STEPS = 13
"""It does not divide T: strides differ, and what is right for one of them only is seen."""
FAMILIES = {
    "ddpm": vd.DDPM(),
    "ddpm-large": vd.DDPM("large"),
    "ddim-0": vd.DDIM(0.0),
    "ddim-0.3": vd.DDIM(0.3),
    "ddim": vd.DDIM(0.6),
    "ddim-1": vd.DDIM(1.0),
    "euler": vd.Euler(),
    "euler-ancestral": vd.EulerAncestral(),
}


@dataclass(frozen=True, eq=False)
class Mutant:
    """A sampler with a mistake.

    Attributes:
        name: unique.
        kind: the class of mistakes it belongs to.
        mistake: the id of the slip, or a name of its own kind.
        wrong: the sampler.
        right: the same without the mistake.
        claim: what it claims to be, as arguments of ``verifydiff.check``.
        target: the sampler as a target, where it is more than a plain function.
    """

    name: str
    kind: str
    mistake: str
    wrong: Sample
    right: Sample
    claim: dict[str, Any] = field(default_factory=dict)
    target: Target | None = None

    @property
    def from_catalogue(self) -> bool:
        """Whether the diagnosis has a name for it."""
        return self.mistake in {slip.id for slip in CATALOGUE}

    @cached_property
    def report(self) -> vd.Report:
        """What verifydiff says of it."""
        if self.target is not None:
            return vd.check(self.target, **self.claim)
        return vd.check(self.wrong, schedule=SCHEDULE, **self.claim)


# -- what the catalogue makes ----------------------------------------------------------------------------------------------


def trajectory(times: list[int], final: float = 1.0) -> Levels:
    """The levels of a sampler over these times."""
    start, end = np.array(times, dtype=float), np.array([*times[1:], -1], dtype=float)
    abar_t = np.array([ABAR[t] for t in times])
    abar_s = np.array([*abar_t[1:], final])
    return Levels(SCHEDULE, start, end, final, abar_t, abar_t, abar_s)


def by_equations(writing: Any, levels: Levels, *, silent: bool) -> Sample:
    """A sampler that computes the writing's equations in order, step by step."""
    symbols = [s for s, _ in writing.equations]
    inputs = [q.x_t, q.eps, q.z, q.abar_t, q.abar_s, q.alpha_t, q.beta_t, q.ve_t, q.ve_s, alpha_of_t, alpha_of_s]
    inputs += [s for s, _ in writing.variables]
    code = [sympy.lambdify([*inputs, *symbols[:i]], e, "numpy") for i, (_, e) in enumerate(writing.equations)]

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k in range(levels.steps):
            here, there = levels.abar_t[k], levels.abar_s[k]
            a, s = (levels.values[symbol][k] for symbol in (alpha_of_t, alpha_of_s))
            eps = denoise(x, levels.start[k])
            noise = rng.standard_normal(x.shape) * (not (silent and levels.end[k] < 0))
            alpha = here / there
            ve = [np.sqrt((1 - level) / level) for level in (here, there)]
            known = [x, eps, noise, here, there, alpha, 1 - alpha, *ve, a, s, *(value for _, value in writing.variables)]
            for equation in code:
                known.append(equation(*known))
            x = known[-1]
        return x

    return sample


@cache
def right_by_equations(name: str) -> Sample:
    """The family's sampler without a slip."""
    family = FAMILIES[name]
    return by_equations(family.writings[0], trajectory(trailing(STEPS)), silent=family.silent_end)


def slipped(name: str) -> Iterator[Mutant]:
    """A mutant for every place in which a slip of the equations or the levels can happen in a family."""
    levels, family = trajectory(trailing(STEPS)), FAMILIES[name]
    for slip in CATALOGUE:
        if isinstance(slip, FormSlip):
            made = [by_equations(writing, levels, silent=family.silent_end) for writing in slip.variants(family)]
            kind = "equations"
        elif isinstance(slip, LevelSlip):
            made = [by_equations(family.writings[0], fed, silent=family.silent_end) for fed in slip.shift(levels)]
            kind = "levels"
        else:
            continue
        for i, wrong in enumerate(made):
            yield Mutant(f"{name}-{slip.id}-{i}", kind, slip.id, wrong, right_by_equations(name), {"family": family})


def twice_slipped(count: int, seed: int) -> Iterator[Mutant]:
    """Random pairs of slips at once, both of the equations or one of the levels; without those that undo each other."""
    rng, names = np.random.default_rng(seed), list(FAMILIES)
    levels = trajectory(trailing(STEPS))
    forms = [slip for slip in CATALOGUE if isinstance(slip, FormSlip)]
    every = [slip for slip in CATALOGUE if not isinstance(slip, NoiseSlip)]
    made = 0
    while made < count:
        name = names[rng.integers(len(names))]
        family, first, second = FAMILIES[name], forms[rng.integers(len(forms))], every[rng.integers(len(every))]
        writings = list(first.variants(family))
        if not writings or first is second:
            continue
        writing, fed = writings[rng.integers(len(writings))], levels
        if isinstance(second, FormSlip):
            again = [
                one for one in second.rewrite(writing) if one.equations not in (writing.equations, family.writings[0].equations)
            ]
            if not again:
                continue
            writing = again[rng.integers(len(again))]
        else:
            shifts = list(second.shift(levels))
            if not shifts:
                continue
            fed = shifts[rng.integers(len(shifts))]
        wrong = by_equations(writing, fed, silent=family.silent_end)
        mistake = f"{first.id} and {second.id}"
        mutant = Mutant(f"{name}: {mistake} ({made})", "two slips", mistake, wrong, right_by_equations(name), {"family": family})
        if not equivalent(mutant):
            yield mutant
            made += 1


# -- grids, tables and queries, by hand -------------------------------------------------------------------------------------


def over(
    times: list[int], told: Callable[[int], Any] = lambda t: t, abar: np.ndarray = ABAR, last: float = 1.0, eta: float = 0.0
) -> Sample:
    """DDIM over any list of times and any table."""

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(times):
            here, there = abar[t], abar[times[k + 1]] if k + 1 < len(times) else last
            sigma = eta * np.sqrt((1 - there) / (1 - here) * (1 - here / there)) if eta else 0.0
            eps = denoise(x, told(t))
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            if eta and k + 1 < len(times):
                x = x + sigma * rng.standard_normal(x.shape)
        return x

    return sample


def linspace(steps: int) -> list[int]:
    return [round(t) for t in np.linspace(T - 1, 0, steps)]


def on_the_wrong_grid() -> Iterator[Mutant]:
    """Mistakes in the list of times."""
    right = trailing(STEPS)
    after = dict(zip(right, [*right[1:], 0], strict=True))
    wrong = {
        "reaches index T": over([t + 1 for t in right]),
        "one index too low": over([max(t - 1, 0) for t in right]),
        "truncated where it must be rounded": over([int(T * (STEPS - i) / STEPS) - 1 for i in range(STEPS)]),
        "one time twice": over([*right[:4], right[3], *right[4:]]),
        "one time twice, another left out": over([*right[:4], right[3], *right[5:]]),
        "every time twice": over([t for t in right for _ in range(2)]),
        "one step too many": over([*right, 0]),
        "noisiest time left out": over(right[1:]),
        "cleanest time left out": over(right[:-1]),
        "last stride taken twice": over([*right[:-1], right[-1] // 2]),
        "two times out of order": over([*right[:4], right[5], right[4], *right[6:]]),
        "times run upwards": over(right[::-1]),
        "leading where trailing is claimed": over(leading(STEPS)),
        "linspace where trailing is claimed": over(linspace(STEPS)),
        "stride by division": over([T - 1 - i * (T // STEPS) for i in range(STEPS)]),
        "told the time in [0, 1]": over(right, told=lambda t: t / T),
        "told the next time": over(right, told=lambda t: after[t]),
        "told 1-based times": over(right, told=lambda t: t + 1),
        "told how many steps are left": over(right, told=lambda t: STEPS - 1 - right.index(t)),
    }
    for mistake, sample in wrong.items():
        claim = {"family": vd.DDIM(), "steps": STEPS, "spacing": "trailing"}
        yield Mutant(f"grid: {mistake}", "grid", mistake, sample, over(right), claim)
    leading_claim = {"family": vd.DDIM(), "steps": STEPS, "spacing": "leading"}
    wrong = {
        "as many steps as the stride allows (15 for 13)": over(list(range(0, T, T // STEPS))[::-1]),
        "an offset of one": over([t + 1 for t in leading(STEPS)]),
        "trailing where leading is claimed": over(right),
    }
    for mistake, sample in wrong.items():
        yield Mutant(f"grid: {mistake}", "grid", mistake, sample, over(leading(STEPS)), leading_claim)


def by_the_wrong_table() -> Iterator[Mutant]:
    """Mistakes in the table of levels, with a right grid and right equations."""
    alphas, times = 1 - BETAS, trailing(STEPS)
    tables = {
        "endpoint-left-out": np.cumprod(1 - np.linspace(BETAS[0], BETAS[-1], T, endpoint=False)),
        "betas evenly spaced in their roots": np.cumprod(1 - np.linspace(BETAS[0] ** 0.5, BETAS[-1] ** 0.5, T) ** 2),
        "betas rounded to three digits": np.cumprod(1 - np.round(BETAS, 3)),
        "betas fall where they must rise": np.cumprod(alphas[::-1]),
        "sum-for-product": np.exp(-np.cumsum(BETAS)),
        "the sum of betas over one plus itself": 1 - np.cumsum(BETAS) / (1 + np.cumsum(BETAS)),
        "the table holds roots": np.sqrt(ABAR),
        "the table holds squares": ABAR**2,
        "a single beta for the product": alphas,
        "half precision": ABAR.astype(np.float16).astype(np.float64),
        "the first entry taken for the data": np.concatenate([[1 - 1e-9], ABAR[:-1]]),
        "the first entry lost": np.concatenate([ABAR[1:], ABAR[-1:] * alphas[-1]]),
        "clipped at a ten-thousandth": np.maximum(ABAR, 1e-4),
        "a stabiliser added": ABAR + 1e-5,
    }
    for mistake, abar in tables.items():
        yield Mutant(f"table: {mistake}", "table", mistake, over(times, abar=abar), over(times), {"family": vd.DDIM()})
    last = {"index-wraps": float(ABAR[-1]), "final-level-is-abar-1": float(ABAR[0])}
    for mistake, level in last.items():
        yield Mutant(f"table: {mistake}", "table", mistake, over(times, last=level), over(times), {"family": vd.DDIM()})


def euler_in_sigma_space(*, scaled_start: bool = True, scaled_query: bool = True) -> Sample:
    """Euler over the trailing grid, its states kept at x_0 + sigma eps."""
    times = trailing(STEPS)
    sigmas = [*np.sqrt((1 - ABAR[times]) / ABAR[times]), 0.0]

    def sample(denoise, x, seed):
        x = x * np.sqrt(1 + sigmas[0] ** 2) if scaled_start else x * 1.0
        for t, high, low in zip(times, sigmas, sigmas[1:], strict=False):
            x = x + (low - high) * denoise(x / np.sqrt(1 + high**2) if scaled_query else x, t)
        return x

    return sample


def asked_wrongly() -> Iterator[Mutant]:
    """Right steps, and a model that is asked about other states than they are taken from."""
    right, claim = euler_in_sigma_space(), {"family": vd.Euler()}
    yield Mutant("query: start not scaled", "query", "start not scaled", euler_in_sigma_space(scaled_start=False), right, claim)
    yield Mutant("query: not scaled for the model", "query", "not scaled", euler_in_sigma_space(scaled_query=False), right, claim)

    def asked_about_the_start(denoise, x, seed):
        first = x.copy()
        return over(trailing(STEPS))(lambda _, t: denoise(first, t), x, seed)

    wrong = asked_about_the_start
    yield Mutant(
        "query: always asked about x_T", "query", "always asked about x_T", wrong, over(trailing(STEPS)), {"family": vd.DDIM()}
    )


# -- noise -----------------------------------------------------------------------------------------------------------------


def noisy(draw: Callable[..., np.ndarray], power: float = 1.0, end: float = 0.0) -> Sample:
    """DDIM(1) on the leading grid whose noise is what ``draw(rng, k, shape)`` says; on the last step it has the scale ``end``."""
    times = leading(10)

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[k + 1]] if k + 1 < len(times) else 1.0
            sigma = np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            x = np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps) + np.sqrt(1 - there - sigma**2) * eps
            x = x + (sigma**power if k + 1 < len(times) else end) * draw(rng, k, x.shape)
        return x

    return sample


def normal(rng, k, shape):
    return rng.standard_normal(shape)


def stale(rng, k, shape):
    return np.random.default_rng(rng.bit_generator.seed_seq.entropy).standard_normal(shape)


def every_other_stale(rng, k, shape):
    return np.random.default_rng([rng.bit_generator.seed_seq.entropy, k // 2]).standard_normal(shape)


def shared_rows(rng, k, shape):
    return np.broadcast_to(rng.standard_normal((1, *shape[1:])), shape)


def shared_coordinates(rng, k, shape):
    return np.broadcast_to(rng.standard_normal((*shape[:-1], 1)), shape)


def uniform(rng, k, shape):
    return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)


def rademacher(rng, k, shape):
    return rng.choice([-1.0, 1.0], shape)


def shifted(rng, k, shape):
    return rng.standard_normal(shape) * np.sqrt(1 - 0.3**2) + 0.3


def positive(rng, k, shape):
    return rng.uniform(0, 1, shape)


def heavy_tailed(rng, k, shape):
    return rng.standard_t(5, shape) * np.sqrt(3 / 5)


def without_the_seed(rng, k, shape):
    return np.random.default_rng([0, k]).standard_normal(shape)


NOISES = [
    (stale, "stale-noise"),
    (every_other_stale, "stale-noise"),
    (shared_rows, "shared-noise"),
    (shared_coordinates, "repeated-coordinates"),
    (uniform, "noise-not-normal"),
    (rademacher, "noise-not-normal"),
]
"""How the noise is drawn, and the slip that the diagnosis names first."""


def of_the_wrong_noise() -> Iterator[Mutant]:
    """Mistakes in the noise, by hand."""
    right, claim = noisy(normal), {"family": vd.DDIM(1.0)}

    def one(mistake: str, wrong: Sample) -> Mutant:
        return Mutant(f"noise: {mistake}", "noise", mistake, wrong, right, claim)

    for draw, slip in NOISES:
        yield Mutant(f"noise: {draw.__name__.replace('_', ' ')}", "noise", slip, noisy(draw), right, claim)
    yield one("noise-at-the-end", noisy(normal, end=float(np.sqrt(BETAS[0]))))
    yield one("variance-as-deviation", noisy(normal, power=2.0))
    yield one("deviation-rooted-again", noisy(normal, power=0.5))
    yield one("noise with a mean", noisy(shifted))
    yield one("uniform on [0, 1]", noisy(positive))
    yield one("heavy tails", noisy(heavy_tailed))
    yield one("the seed has no say", noisy(without_the_seed))


# -- a multistep solver ----------------------------------------------------------------------------------------------------

Correction = Callable[[float, float], tuple[float, float]]
"""Of (h, h before): the weights of the two predictions in what is integrated."""


def two_m(h: float, before: float) -> tuple[float, float]:
    """DPM-Solver++(2M), Lu et al. 2022 (++), algorithm 2: (1 + 1/2r) of the present prediction, -1/2r of the one before."""
    r = before / h
    return 1 + 1 / (2 * r), -1 / (2 * r)


def multistep(
    levels: list[float], told: list[float], weights: Correction = two_m, step: Callable[[float], float] = lambda h: -np.expm1(-h)
) -> Sample:
    """DPM-Solver++(2M) down the levels, the last step onto the data of first order."""
    alpha, sigma = np.sqrt(levels), np.sqrt(1 - np.array(levels))
    half_log_snr = np.log(alpha / sigma)

    def sample(denoise, x, seed):
        earlier = None
        for k, t in enumerate(told):
            x0 = (x - sigma[k] * denoise(x, t)) / alpha[k]
            if k + 1 == len(told):
                return x0
            h, mixed = half_log_snr[k + 1] - half_log_snr[k], x0
            if k > 0:
                now, then = weights(h, half_log_snr[k] - half_log_snr[k - 1])
                mixed = now * x0 + then * earlier
            x, earlier = sigma[k + 1] / sigma[k] * x + alpha[k + 1] * step(h) * mixed, x0
        raise AssertionError

    return sample


def solver_target(make: Callable[[list[float], list[float]], Sample]) -> Target:
    """The solver on the leading grid, and the same on steps even and uneven in the logarithm of the noise over the signal."""
    times = leading(STEPS)

    def on(lengths: np.ndarray) -> Target:
        share = np.append(0.0, np.cumsum(lengths)) / lengths.sum()
        told = (np.log(20.0) + share * np.log(0.05 / 20.0)).tolist()
        return Target(
            "2M", make([1 / (1 + np.exp(2 * u)) for u in told], told), None, frame=lambda u: Frame.of_level(1 / (1 + np.exp(2 * u)))
        )

    return Target(
        "2M",
        make(ABAR[times].tolist(), times),
        SCHEDULE,
        on_log_grid=lambda n: on(np.ones(n)),
        on_uneven_grid=lambda n: on(1.0 + np.arange(n) % 2),
        corrects=False,
    )


def miscounted_solvers() -> Iterator[Mutant]:
    """Mistakes in the coefficients of a multistep solver."""
    wrong: dict[str, Callable[..., Sample]] = {
        "r upside down": partial(multistep, weights=lambda h, before: (1 + before / h / 2, -before / h / 2)),
        "1/2 lost": partial(multistep, weights=lambda h, before: (1 + h / before, -h / before)),
        "the correction's sign": partial(multistep, weights=lambda h, before: (1 - h / before / 2, h / before / 2)),
        "the 1 lost": partial(multistep, weights=lambda h, before: (h / before / 2, -h / before / 2)),
        "correction not subtracted": partial(multistep, weights=lambda h, before: (1 + h / before / 2, 0.0)),
        "predictions in the other order": partial(multistep, weights=lambda h, before: (-h / before / 2, 1 + h / before / 2)),
        "of first order": partial(multistep, weights=lambda h, before: (1.0, 0.0)),
        "h for exp": partial(multistep, step=lambda h: h),
        "expm1 with the sign of h": partial(multistep, step=np.expm1),
        "half a step": partial(multistep, step=lambda h: -np.expm1(-h / 2)),
    }
    times = leading(STEPS)
    levels = ABAR[times].tolist()
    for mistake, make in wrong.items():
        yield Mutant(
            f"2M: {mistake}",
            "multistep",
            mistake,
            make(levels, times),
            multistep(levels, times),
            {"family": ProbabilityFlow(2)},
            solver_target(make),
        )


@cache
def population() -> tuple[Mutant, ...]:
    """All mutants of one mistake, each class together."""
    everyone = [mutant for name in FAMILIES for mutant in slipped(name)]
    everyone.sort(key=lambda mutant: mutant.kind)
    for by_hand in (on_the_wrong_grid, by_the_wrong_table, asked_wrongly, of_the_wrong_noise, miscounted_solvers):
        everyone += by_hand()
    return tuple(everyone)


# -- mutants that are no mistake --------------------------------------------------------------------------------------------


def numbers(sample: Sample, seed: int) -> list[np.ndarray]:
    """All that can be seen of a sampler: its queries, the times that it tells, and what it returns."""
    seen = []

    def model(x, t):
        seen.extend([np.array(x), np.array(t, dtype=float).reshape(-1)[:1]])
        return np.sin(3 * x + 0.1 * np.reshape(t, (-1, 1)))

    with np.errstate(all="ignore"):
        seen.append(np.asarray(sample(model, np.random.default_rng(seed).standard_normal((3, 4)), seed)))
    return seen


def equivalent(mutant: Mutant) -> bool:
    """Whether the mutant does, number for number, what the right sampler does: then there is no mistake in it."""
    try:
        pairs = [(numbers(mutant.wrong, seed), numbers(mutant.right, seed)) for seed in (1, 2)]
    except (ArithmeticError, IndexError, ValueError):
        return False
    return all(
        len(wrong) == len(right) and all(np.allclose(w, r, rtol=1e-11, atol=1e-11) for w, r in zip(wrong, right, strict=True))
        for wrong, right in pairs
    )


AT_ETA_0 = {
    "beta-for-beta-tilde": [0],
    "variance-as-deviation": [0],
    "deviation-rooted-again": [0],
    "noise-left-out": [0],
    "variance-not-normalised": [0],
    "eta-scales-the-variance": [0],
    "eta-squared": [0],
    "eta-ignored": [0],
    "sigma-not-subtracted": [0],
    "sigma-added": [0],
    "sigma-not-squared": [0],
    "lost-bar-at-s": [0],
    "t-for-s": [0],
    "s-for-t": [1],
    "complement-lost": [1, 2],
    "lost-root": [2, 3],
    "square-for-root": [2, 3],
}
EQUIVALENT = {
    **{f"{name}-final-level-is-one-0": "the contract ends on the data anyway" for name in FAMILIES},
    **{f"ddim-1-{slip}-0": "every power of eta = 1 is 1" for slip in ("eta-scales-the-variance", "eta-squared")},
    "ddim-1-eta-ignored-1": "eta is 1",
    **{
        f"ddim-0-{slip}-{i}": "it is in the scale of the noise, and at eta = 0 there is none"
        for slip, at in AT_ETA_0.items()
        for i in at
    },
}
"""Mutants that do what the right sampler does, number for number, and why."""


@cache
def mistaken() -> tuple[Mutant, ...]:
    """All mutants that are mistakes: the population without those that come to the same numbers."""
    return tuple(mutant for mutant in population() if mutant.name not in EQUIVALENT)
