r"""Where a sampler lands, and the law in which it ends, against recursions of two numbers by hand.

With one and the same data m a state at a level must be :math:`\alpha m + \sigma\epsilon`. On data N(m, v) the exact model is
affine, so the mean and the variance of a step :math:`x_s = p\,x_t + q\,\hat x_0 + c\,z` follow from those before it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .asked import Asked, quiet
from .driving import DRAWS, POINT, SPREAD, Drive, Law, answer, kind_of, normals
from .levels import SIGMA_SPACE, final, is_flow, told
from .opinion import Opinion, Z

ROUNDING = 2e-3
"""Of single precision, and of its tables; 1 - abar is off by 2e-4 at the first levels."""


def _off(x: Any, mean: float, sd: float, noisy: bool) -> tuple[float, str]:
    """By how many allowances the mean or the standard deviation of x is off: Z standard errors with fresh noise, and rounding."""
    got = x.double().flatten()
    if not torch.isfinite(got).all():
        return math.inf, "no number"
    n, seen = got.numel(), (float(got.mean()), float(got.std()))
    error = (Z * sd / math.sqrt(n), Z * sd / math.sqrt(2 * n)) if noisy else (0.0, 0.0)
    off = [abs(a - b) / (e + ROUNDING * max(1.0, abs(b))) for a, b, e in zip(seen, (mean, sd), error, strict=True)]
    return max(off), f"mean {seen[0]:.5g} and deviation {seen[1]:.4g}, which should be {mean:.5g} and {sd:.4g}"


def landing(asked: Asked) -> Opinion:
    """Data that are 0.9 everywhere, and -0.9 on the same noise: is every state at the level that its time tells?

    Half the difference is what a state holds of the data, and half the sum its noise. (DDPM of large variance keeps no level of
    noise by design, and is not to be asked this.)
    """
    if asked.name == "KarrasVeScheduler":
        return churned(asked)
    plus, minus, other = (
        Drive(asked, law, normals(), seed=seed) for law, seed in ((POINT, 1), (Law(-POINT.m, 0.0), 1), (POINT, 2))
    )
    noisy = not torch.equal(plus.end, other.end) or not torch.equal(plus.queries[-1].x, other.queries[-1].x)
    levels = [(f"query {k}, t = {q.t:.6g}", q.alpha, q.sigma) for k, q in enumerate(plus.queries)]
    levels.append(("what is returned", *_end(plus.scheduler)))
    pairs = zip([*(q.x for q in plus.queries), plus.end], [*(q.x for q in minus.queries), minus.end], strict=True)
    seen = []
    for (where, alpha, sigma), (a, b) in zip(levels, pairs, strict=True):
        data, noise = (a - b) / 2, (a + b) / 2
        off = max(_off(data, alpha * POINT.m, 0.0, False)[0], _off(noise, 0.0, sigma, noisy)[0])
        held = f"holds {float(data.mean()) / POINT.m:.5g} of the data and noise of {float(noise.std()):.4g}"
        seen.append((off, f"{where}, {held}, which should be {alpha:.5g} and {sigma:.4g}"))
    worst, words = max(seen, key=lambda one: one[0])
    return Opinion(worst > 1, f"{sum(off > 1 for off, _ in seen)} of {len(seen)} states miss their level; the worst, {words}.")


def churned(asked: Asked) -> Opinion:
    """Algorithm 2 of Karras et al. 2022 on data that are 0.9 everywhere: it adds S_noise times the noise that keeps the level.

    There an Euler step and its correction are exact, and scale the noise by the ratio of the two levels.
    """
    run = Drive(asked, POINT, normals())
    config, schedule = run.scheduler.config, [float(value) for value in run.scheduler.schedule]
    variance, right = schedule[int(run.scheduler.timesteps[0])] ** 2, []
    for t in map(int, run.scheduler.timesteps):
        sigma, following = schedule[t], schedule[t - 1] if t else 0.0
        churn = min(config.s_churn / len(schedule), 2**0.5 - 1) if config.s_min <= sigma <= config.s_max else 0.0
        raised = sigma * (1 + churn)
        variance += config.s_noise**2 * (raised**2 - sigma**2)
        right.append(math.sqrt(variance))
        variance *= (following / raised) ** 2
        right += [math.sqrt(variance)] if t else []
    off = [_off(q.x / sd, POINT.m / sd, 1.0, noisy=True) for q, sd in zip(run.queries, right, strict=True)]
    wide = max(sd / q.sigma - 1 for q, sd in zip(run.queries, right, strict=True))
    words = f"the noise is wider than the told level by up to {wide:.2g}, as S_noise = {config.s_noise:g} of its algorithm asks for"
    return Opinion(
        max(off)[0] > 1, f"{words}; beside that algorithm it is {'off' if max(off)[0] > 1 else 'right'} within {DRAWS} draws."
    )


def _end(scheduler: Any) -> tuple[float, float]:
    """(alpha, sigma) of what is returned: the data, or the level that the scheduler says that it ends at."""
    name, sigmas = type(scheduler).__name__, getattr(scheduler, "sigmas", None)
    if isinstance(sigmas, torch.Tensor) and name not in SIGMA_SPACE and not name.startswith("FlowMatch"):
        last = float(sigmas[-1])
        return (1 - last, last) if is_flow(scheduler) else (1 / math.hypot(1, last), last / math.hypot(1, last))
    level = final(scheduler)
    return math.sqrt(level), math.sqrt(1 - level)


def point_mass(asked: Asked) -> Opinion:
    """Data that are 0.9 everywhere: do they come out as 0.9?"""
    alpha, sigma = _end(asked.make())
    end = Drive(asked, POINT, normals(), pipeline=sigma == 0).end  # what noise is left at the end depends on where it starts
    off, words = _off(end, alpha * POINT.m, sigma, noisy=True)
    return Opinion(off > 1, f"data that are 0.9 everywhere end in {words}.")


def exact_moments(asked: Asked) -> Opinion:
    """Data N(0.3, 0.01) from pure noise: do they end in the law in which the method ends?"""
    run, again = (Drive(asked, SPREAD, normals(), pipeline=True, seed=seed) for seed in (1, 2))
    mean, variance = _recursion(run)
    off, words = _off(run.end, mean, math.sqrt(variance), not torch.equal(run.end, again.end))
    return Opinion(off > 1, f"data N(0.3, 0.01) end in {words} ({method(asked)} over the told times).")


def _recursion(run: Drive) -> tuple[float, float]:
    """The mean and the variance of the right method on the grid that the model was told."""
    sigma_space = type(run.scheduler).__name__ in SIGMA_SPACE
    mean, variance = 0.0, float(run.scheduler.init_noise_sigma) ** 2 if sigma_space else 1.0
    for (alpha, sigma), following in _steps(run.scheduler):
        p, q, c = weights(run.scheduler, (alpha, sigma), following, run.asked.eta or 0.0)
        gain = alpha * SPREAD.v / (alpha**2 * SPREAD.v + sigma**2)
        scale = alpha if sigma_space else 1.0  # from the state to what the model is handed
        mean = p * mean + q * (SPREAD.m + gain * (scale * mean - alpha * SPREAD.m))
        variance = (p + q * gain * scale) ** 2 * variance + c**2
    return mean, variance


def _steps(scheduler: Any) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """(alpha, sigma) at the beginning and at the end of every step, by the told times."""
    return _ending([told(scheduler, t) for t in scheduler.timesteps], scheduler)


def _own_level(scheduler: Any, k: int) -> tuple[float, float]:
    """That of the k-th step: by the told time, or in sigma space by the sigma that the step is computed with."""
    if type(scheduler).__name__ not in SIGMA_SPACE:
        return told(scheduler, scheduler.timesteps[k])
    sigma = float(scheduler.sigmas[k])
    return 1 / math.hypot(1, sigma), sigma / math.hypot(1, sigma)


def _ending(levels: list[tuple[float, float]], scheduler: Any) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    level = final(scheduler)
    return list(zip(levels, [*levels[1:], (math.sqrt(level), math.sqrt(1 - level))], strict=True))


def method(asked: Asked) -> str:
    """The name of the method that is expected."""
    scheduler = asked.make()
    name, config = asked.name, scheduler.config
    if name.startswith("DDPM"):
        return "DDPM of large variance" if "large" in config.variance_type else "DDPM"
    if name in SIGMA_SPACE:
        return "Euler in sigma"
    if config.get("stochastic_sampling") or name == "FlowMatchLCMScheduler":
        return "the predicted data, noised again"
    return f"DDIM(eta = {asked.eta or 0:g})"


def weights(scheduler: Any, here: tuple[float, float], there: tuple[float, float], eta: float) -> tuple[float, float, float]:
    """(p, q, c) of the right step: eqs. 7 of Ho et al. 2020, 12 and 16 of Song et al. 2021a, Euler's, or noising anew."""
    (alpha_t, sigma_t), (alpha_s, sigma_s) = here, there
    name, config = type(scheduler).__name__, scheduler.config
    if name in SIGMA_SPACE:
        p = (sigma_s / alpha_s) / (sigma_t / alpha_t)
        return p, 1 - p, 0.0
    if config.get("stochastic_sampling") or name == "FlowMatchLCMScheduler":
        return 0.0, alpha_s, sigma_s
    alpha = (alpha_t / alpha_s) ** 2  # of the step
    small = sigma_s / sigma_t * math.sqrt(1 - alpha)
    c = small if name.startswith("DDPM") else eta * small
    p = math.sqrt(max(sigma_s**2 - c**2, 0.0)) / sigma_t
    if name.startswith("DDPM") and "large" in config.variance_type and sigma_s > 0:
        c = math.sqrt(1 - alpha)
    return p, alpha_s - p * alpha_t, c


def coefficients(asked: Asked) -> Opinion:
    """One step at a time, on a state and on data of size 1e-4 and on nothing, with the same noise: what each is worth."""
    worst, words, count = 0.0, "", 0
    scheduler = asked.make()
    steps = _ending([_own_level(scheduler, k) for k in range(len(scheduler.timesteps))], scheduler)
    for k, (here, there) in enumerate(steps):
        seen = [a - one_step(asked, k, 0.0, 0.0)[0] for a in (one_step(asked, k, 1.0, 0.0)[0], one_step(asked, k, 0.0, 1.0)[0])]
        p, q, _ = weights(scheduler, here, there, asked.eta or 0.0)
        for what, got, right in zip(("state", "predicted data"), seen, (p, q), strict=True):
            off = abs(float(got) - right)
            count += off > ROUNDING * max(1.0, abs(right))
            if off > worst:
                worst, words = (
                    off,
                    f"step {k} of {len(steps)} weighs the {what} by {float(got):.5g}, {method(asked)} by {right:.5g}",
                )
    return Opinion(count > 0, f"{count} weights are off; {words}.")


SMALL = 1e-4


def one_step(asked: Asked, k: int, state: float, data: float, rows: int = 1, dtype: Any = torch.float64) -> Any:
    """What a fresh scheduler makes at its k-th time of a state and predicted data, over their scale."""
    scheduler = asked.make()
    t = scheduler.timesteps[k]
    alpha, sigma = _own_level(scheduler, k)
    x, x_0 = (torch.full((rows, 1, 1, 1), SMALL * value, dtype=dtype) for value in (state, data))
    handed = x * alpha if asked.name in SIGMA_SPACE else x
    told_as = answer(kind_of(scheduler), handed, x_0, alpha, sigma, bool(scheduler.config.get("invert_sigmas")))
    given = asked.given(scheduler, 1)
    if asked.name == "CogVideoXDPMScheduler":
        before = scheduler.timesteps[k - 1] if k else None
        return quiet(scheduler.step, told_as, x_0 if k else None, t, before, x, **given)[0] / SMALL
    if asked.name in SIGMA_SPACE:
        scheduler.scale_model_input(x, t)
    return quiet(scheduler.step, told_as, t, x, **given).prev_sample / SMALL


def noise_scale(asked: Asked) -> Opinion:
    """One step at a time, of nothing, 100 000 times: how wide is what comes out?"""
    scheduler, worst, words, count = asked.make(), 0.0, "", 0
    steps = _steps(scheduler)
    for k, (here, there) in enumerate(steps):
        got = float(one_step(asked, k, 0.0, 0.0, DRAWS).std()) * SMALL
        right = weights(scheduler, here, there, asked.eta or 0.0)[2]
        off = abs(got - right) / (Z * right / math.sqrt(2 * DRAWS) + ROUNDING)
        count += off > 1
        if off > worst:
            worst, words = off, f"step {k} adds noise of scale {got:.5g}, {method(asked)} of {right:.5g}"
    return Opinion(count > 0, f"{count} of {len(steps)} steps; {words}.")


def last_step(asked: Asked) -> Opinion:
    """The last step onto the data, of nothing, 100 000 times: is it all the same?"""
    got = float(one_step(asked, len(asked.make().timesteps) - 1, 0.0, 0.0, DRAWS).std()) * SMALL
    return Opinion(got > ROUNDING, f"the last step adds noise of scale {got:.4g}, where none belongs.")


def start(asked: Asked) -> Opinion:
    """Is x_T as wide as the level of the first query?"""
    scheduler = asked.make()
    if asked.name != "KarrasVeScheduler":
        alpha, sigma = told(scheduler, scheduler.timesteps[0])
        wide, right = float(scheduler.init_noise_sigma), sigma / (alpha if asked.name in SIGMA_SPACE else 1.0)
    else:
        wide, right = float(scheduler.init_noise_sigma), float(scheduler.schedule[scheduler.timesteps[0]])
    return Opinion(abs(wide / right - 1) > 0.01, f"it starts from noise of scale {wide:g}, and its first level is {right:g}.")


def prediction_types(asked: Asked) -> Opinion:
    """One model of data that are 0.9 everywhere, told as noise and as a velocity: one sample?"""
    kinds = ("epsilon", "v_prediction")
    ends = {kind: Drive(asked.other(prediction_type=kind), POINT, normals(256), pipeline=True).end.double() for kind in kinds}
    off = float((ends[kinds[0]] - ends[kinds[1]]).abs().max())
    return Opinion(off > ROUNDING, f"told as noise and as a velocity, one model gives samples that differ by {off:.3g}.")


def clipping(asked: Asked) -> Opinion:
    """Large predictions at a single step: is what comes out that of the prediction cut to [-1, 1], the noise being as predicted?"""
    scheduler, worst, words = asked.make(), 0.0, ""
    for k, t in enumerate(scheduler.timesteps):
        alpha, _ = told(scheduler, t)
        x_0 = np.linspace(-8, 8, 17)
        nothing = float(one_step(asked, k, 0.0, 0.0))  # the noise, where there is any
        out = np.array([float(one_step(asked, k, 0.0, value / SMALL) - nothing) * SMALL for value in x_0])
        inside = [float(one_step(asked, k, *unit) - nothing) for unit in ((0.0, 1.0), (1.0, 0.0))]  # q, p
        landed = inside[1] * alpha + inside[0]  # sqrt(abar) of where this step lands, right or wrong
        right = inside[0] * x_0 + landed * (np.clip(x_0, -1, 1) - x_0)
        off = float(np.abs(out - right).max())
        if off >= worst:
            worst, words = off, f"step {k}: off by up to {off:.2g} of outputs up to {np.abs(out).max():.3g}"
    return Opinion(worst > ROUNDING * 8, f"against the prediction cut to [-1, 1] with the noise as it was predicted, {words}.")
