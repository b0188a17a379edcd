r"""Clean solvers, written by hand as their papers write them, for the package to call right; and what makes mutants of them.

Their arithmetic shares no code with the package. A solver is a loop over levels :math:`\rho_0 > \rho_1 > \dots > \rho_N = 0` of
noise over signal, in the frame of its paper; it is told them from outside, so that it can be asked for steps of any size. What its
keyword arguments set is where people err; left alone, they are right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from verifydiff.forms.solvers import ProbabilityFlow, ReverseSDE
from verifydiff.observe import Target
from verifydiff.observe.frame import Frame
from verifydiff.observe.taps import numpy_tap
from verifydiff.observe.target import Prediction

HIGH, LOW = 20.0, 0.05
"""The levels between which orders are measured."""
Loop = Callable[..., Any]
"""``loop(denoise, x, rho, normal)``: ``x`` is pure noise of variance 1, ``normal()`` a fresh draw of its shape."""


def fresh(seed, shape):
    """Noise as it should be: a generator for the whole run."""
    rng = np.random.default_rng(seed)
    return lambda: rng.standard_normal(shape)


# -- variance exploding: x = x_0 + rho eps, the model predicts x_0 ---------------------------------------------------------


def euler(denoise, x, rho, normal, *, size=1.0):
    """Algorithm 1 of Karras et al. 2022 without its correction."""
    x = rho[0] * x
    for high, low in pairwise(rho):
        x = x + size * (low - high) * (x - denoise(x, high)) / high
    return x


def heun(denoise, x, rho, normal, *, ahead=lambda high, low: low, half=0.5, told=lambda high, low: low):
    """Algorithm 1 of Karras et al. 2022: the slope is averaged over both ends, but on the last step."""
    x = rho[0] * x
    for high, low in pairwise(rho):
        d = (x - denoise(x, high)) / high
        there = x + (low - high) * d
        if low > 0:
            d_there = (there - denoise(there, told(high, low))) / ahead(high, low)
            d = (1 - half) * d + half * d_there
        x = x + (low - high) * d
    return x


def midpoint(denoise, x, rho, normal, *, share=0.5, told=lambda middle: middle, ancestral=False, loud=1.0):
    """DPM-2, algorithm 2 of Karras et al. 2022 with its middle in the logarithm; ancestral, a step down and noise up."""
    x = rho[0] * x
    for high, low in pairwise(rho):
        up = np.sqrt(low**2 * (high**2 - low**2)) / high if ancestral else 0.0
        down = np.sqrt(low**2 - up**2)
        d = (x - denoise(x, high)) / high
        if down > 0:
            middle = high ** (1 - share) * down**share
            half_way = x + (middle - high) * d
            d = (half_way - denoise(half_way, told(middle))) / middle
        x = x + (down - high) * d
        if up > 0:
            x = x + loud * up * normal()
    return x


def adams(denoise, x, rho, normal, *, order, weights=lambda w: w, stale=0, starts=lambda k, of: k + 1):
    r"""Linear multistep in rho (DEIS, Zhang and Chen 2022, eq. 15; LMS): the polynomial through the last slopes is integrated.

    ``weights`` are of the slopes, latest first, for a step of any length; they sum to the step. ``starts`` of the k-th step of so
    many is the order that it can have.
    """
    x = rho[0] * x
    slopes: list[Any] = []
    for k, (high, low) in enumerate(pairwise(rho)):
        slopes.append((x - denoise(x, high)) / high)
        take = min(order, starts(k, len(rho) - 2)) if low > 0 else 1
        nodes = [rho[k - j] for j in range(take)]
        w = [lagrange(nodes, j, high, low) for j in range(take)]
        if take == order:
            w = weights(w)
        used = [slopes[max(0, k - (j + stale if j else 0))] for j in range(take)]
        x = x + sum(one * slope for one, slope in zip(w, used, strict=True))
    return x


def ipndm(denoise, x, rho, normal, *, order, weights=lambda w: w):
    """Eq. 12 of Liu et al. 2022 (PNDM) from the first step on, with what orders there are predictions for."""
    x = rho[0] * x
    slopes: list[Any] = []
    for high, low in pairwise(rho):
        slopes = [(x - denoise(x, high)) / high, *slopes][:order]
        table = ([1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24])
        w = weights(table[len(slopes) - 1])
        x = x + (low - high) * sum(one * slope for one, slope in zip(w, slopes, strict=True))
    return x


def exponential_adams(denoise, x, rho, normal, *, order, of="data", read=lambda kept: kept):
    """The polynomial in lambda through the last predictions in the exact solution of Lu et al. 2022; its integral by quadrature."""
    kept: list[Any] = []
    for k, (high, low) in enumerate(pairwise(rho)):
        told = denoise(x, high)
        if low == 0:
            return to_data(x, told, high)
        kept = [told if of == "noise" else to_data(x, told, high), *kept][:order]
        lam = -np.log(rho[: k + 2])
        points, weight = np.polynomial.legendre.leggauss(24)
        at = lam[k] + (1 + points) / 2 * (lam[k + 1] - lam[k])
        kernel = (np.exp(lam[k + 1] - at) if of == "noise" else np.exp(at - lam[k + 1])) * weight / 2 * (lam[k + 1] - lam[k])
        nodes = [lam[k - j] for j in range(len(kept))]
        w = [
            kernel @ np.prod([(at - other) / (one - other) for other in nodes if other != one] or [at**0], axis=0) for one in nodes
        ]
        gain = sum(one * prediction for one, prediction in zip(w, read(kept), strict=True))
        (alpha, sigma), (alpha_s, sigma_s) = preserving(high), preserving(low)
        x = alpha_s / alpha * x - sigma_s * gain if of == "noise" else sigma_s / sigma * x + alpha_s * gain
    raise AssertionError("it ends on the data")


def lagrange(nodes, j, start, stop):
    """The integral of the polynomial that is 1 at the j-th node and 0 at the others."""
    basis = Polynomial([1.0])
    for i, node in enumerate(nodes):
        if i != j:
            basis = basis * Polynomial([-node, 1.0]) / (nodes[j] - node)
    whole = basis.integ()
    return whole(stop) - whole(start)


# -- variance preserving: x = alpha x_0 + sigma eps, lambda = log(alpha / sigma) -------------------------------------------


def preserving(rho):
    """(alpha, sigma) of a level."""
    return 1 / np.sqrt(1 + rho**2), rho / np.sqrt(1 + rho**2)


def to_data(x, eps, rho):
    alpha, sigma = preserving(rho)
    return (x - sigma * eps) / alpha


def dpm_2m(
    denoise,
    x,
    rho,
    normal,
    *,
    sign=1.0,
    half=0.5,
    ratio=lambda r: r,
    kind="midpoint",
    stale=0,
    history=lambda k, of: True,
    to_the_end=False,
):
    """Algorithm 2 of Lu et al. 2022 (DPM-Solver++), first-order at either end; ``heun`` integrates the slope exactly."""
    before: list[Any] = []
    for k, (high, low) in enumerate(pairwise(rho)):
        data = to_data(x, denoise(x, high), high)
        if low == 0 and not to_the_end:
            return data
        (_, sigma), (alpha_s, sigma_s) = preserving(high), preserving(low)
        with np.errstate(all="ignore"):
            h, slope = np.log(high / low), 0.0
            if k > stale and history(k, len(rho) - 2):
                r = np.log(rho[k - 1] / high) / h
                slope = sign * (data - before[-1 - stale]) / ratio(r)
            whole = -alpha_s * np.expm1(-h)
            factor = half * whole if kind == "midpoint" else alpha_s * (np.expm1(-h) / h + 1)
            before.append(data)
            x = sigma_s / sigma * x + whole * data + factor * slope
    return x


def dpm_2m_noise(denoise, x, rho, normal, *, sign=1.0, half=0.5, ratio=lambda r: r, kind="midpoint", swapped=False, noisy=False):
    """The same by the noise (Lu et al. 2022, DPM-Solver, eq. 3.4); ``noisy`` is SDE-DPM-Solver-2M, whose noise counts twice."""
    twice = 2.0 if noisy else 1.0
    before = None
    for k, (high, low) in enumerate(pairwise(rho)):
        eps = denoise(x, high)
        if low == 0:
            return to_data(x, eps, high)
        (alpha, _), (alpha_s, sigma_s) = preserving(high), preserving(low)
        h, slope, latest = np.log(high / low), 0.0, eps
        if before is not None:
            latest, older = (before, eps) if swapped else (eps, before)
            slope = sign * (latest - older) / ratio(np.log(rho[k - 1] / high) / h)
        before = eps
        weight = half * np.expm1(h) if kind == "midpoint" else 2 * half * (np.expm1(h) / h - 1)
        x = alpha_s / alpha * x - twice * sigma_s * (np.expm1(h) * latest + weight * slope)
        if noisy:
            x = x + sigma_s * np.sqrt(np.expm1(2 * h)) * normal()
    raise AssertionError("it ends on the data")


def dpm_3m(
    denoise,
    x,
    rho,
    normal,
    *,
    of="data",
    bend=1.0,
    straight=False,
    ratios=lambda r, older: (r, older),
    read=lambda predictions: predictions,
    times=1.0,
):
    """The parabola through three predictions in the exact solution (Lu et al. 2022: DPM-Solver++, prop. 4.1; DPM-Solver, eq. 3.4).

    Its integral is summed by Gauss and Legendre's rule. ``of`` the data, of the noise, or of the data with fresh noise (``sde``).
    """
    kept: list[Any] = []
    for k, (high, low) in enumerate(pairwise(rho)):
        told = denoise(x, high)
        if low == 0:
            return to_data(x, told, high)
        kept = [told if of == "noise" else to_data(x, told, high), *kept][:4]
        (alpha, sigma), (alpha_s, sigma_s) = preserving(high), preserving(low)
        h = np.log(high / low)
        m = read(kept[: min(k, 2) + 1] if times == 1.0 else [kept[0], *(kept[0] + times * (one - kept[0]) for one in kept[1:3])])
        r, older = ratios(np.log(rho[k - 1] / high) / h if k else np.nan, np.log(rho[k - 2] / rho[k - 1]) / h if k > 1 else np.nan)
        first = (m[0] - m[1]) / r if k else 0.0
        second = (first - (m[1] - m[2]) / older) / (r + older) if k > 1 else 0.0
        slope = first if straight or k < 2 else first + r * second
        u, weight = np.polynomial.legendre.leggauss(24)
        u, weight = (1 + u) / 2, weight / 2
        kernel = {"data": h * np.exp(h * (u - 1)), "noise": h * np.exp(h * (1 - u)), "sde": 2 * h * np.exp(2 * h * (u - 1))}[of]
        gain = sum(weight @ (kernel * u**power) * one for power, one in enumerate((m[0], slope, bend * second)))
        if of == "noise":
            x = alpha_s / alpha * x - sigma_s * gain
        elif of == "data":
            x = sigma_s / sigma * x + alpha_s * gain
        else:
            x = sigma_s / sigma * np.exp(-h) * x + alpha_s * gain + sigma_s * np.sqrt(-np.expm1(-2 * h)) * normal()
    raise AssertionError("it ends on the data")


def unipc(denoise, x, rho, normal, *, order, by_noise=False, bh1=False, where=lambda r: r, to_the_end=False):
    """UniPC (Zhao et al. 2023) as its code has it: a linear system for the weights of every step."""
    kept: list[Any] = []
    corrected, taken, before = x, 0, x
    for k, (high, low) in enumerate(pairwise(rho)):
        told = denoise(x, high)
        kept = [told if by_noise else to_data(x, told, high), *kept][: order + 1]
        if k:
            corrected = _unified(before, kept, [rho[k - 1 - j] for j in range(taken)], high, taken, kept[0], by_noise, bh1, where)
        if low == 0:
            return to_data(corrected, kept[0], high) if by_noise else kept[0]
        left = len(rho) - 1 - k
        taken = min(order, k + 1) if to_the_end else min(order, k + 1, left)
        before = corrected
        x = _unified(before, [None, *kept], [rho[k - j] for j in range(taken)], low, taken, None, by_noise, bh1, where)
    raise AssertionError("it ends on the data")


def _unified(x, kept, nodes, low, order, ahead, by_noise, bh1, where):
    """From a corrected state along ``kept[1:]``, made at ``nodes``, and along the prediction at the end, if there is one."""
    high = nodes[0]
    (alpha, sigma), (alpha_s, sigma_s) = preserving(high), preserving(low)
    h = np.log(high / low)
    hh = h if by_noise else -h
    b_h = hh if bh1 else np.expm1(hh)
    places = [where(np.log(high / node) / h) for node in nodes[1:]]
    differences = [(kept[2 + j] - kept[1]) / place for j, place in enumerate(places)]
    if ahead is not None:
        places, differences = [*places, 1.0], [*differences, ahead - kept[1]]
    phi, factorial, sides = np.expm1(hh) / hh - 1, 1, []
    for i in range(1, len(places) + 1):
        sides.append(phi * factorial / b_h)
        factorial *= i + 1
        phi = phi / hh - 1 / factorial
    if len(places) == 1:
        weights = [0.5]
    else:
        weights = np.linalg.solve([[place**i for place in places] for i in range(len(places))], sides) if places else []
    gained = sum(weight * one for weight, one in zip(weights, differences, strict=True))
    if by_noise:
        return alpha_s / alpha * x - sigma_s * (np.expm1(hh) * kept[1] + b_h * gained)
    return sigma_s / sigma * x - alpha_s * (np.expm1(hh) * kept[1] + b_h * gained)


def dpm_2s(denoise, x, rho, normal, *, share=0.5, told=lambda middle: middle):
    """Algorithm 4 of Lu et al. 2022 (DPM-Solver-2): to the middle of lambda, and from there the whole way by the slope there."""
    for high, low in pairwise(rho):
        eps = denoise(x, high)
        if low == 0:
            return to_data(x, eps, high)
        middle = np.sqrt(high * low)
        (alpha, _), (alpha_m, sigma_m), (alpha_s, sigma_s) = (preserving(level) for level in (high, middle, low))
        h = np.log(high / low)
        half_way = alpha_m / alpha * x - sigma_m * np.expm1(share * h) * eps
        x = alpha_s / alpha * x - sigma_s * np.expm1(h) * denoise(half_way, told(middle))
    raise AssertionError("it ends on the data")


def sde_dpm(
    denoise,
    x,
    rho,
    normal,
    *,
    order=1,
    kind="midpoint",
    variance=lambda h: -np.expm1(-2 * h),
    at_the_end=0.0,
    ratio=lambda r: r,
):
    """SDE-DPM-Solver++ of Lu et al. 2022: the exponential integrator of the reverse SDE, at first order or with the one before."""
    before = None
    for k, (high, low) in enumerate(pairwise(rho)):
        data = to_data(x, denoise(x, high), high)
        if low == 0:
            return data + (at_the_end * normal() if at_the_end else 0.0)
        (_, sigma), (alpha_s, sigma_s) = preserving(high), preserving(low)
        h, d = np.log(high / low), data
        if order == 2 and before is not None:
            share = 0.5 if kind == "midpoint" else -1 / np.expm1(-2 * h) - 1 / (2 * h)
            d = data + share * (data - before) / ratio(np.log(rho[k - 1] / high) / h)
        before = data
        x = sigma_s / sigma * np.exp(-h) * x - alpha_s * np.expm1(-2 * h) * d + sigma_s * np.sqrt(variance(h)) * normal()
    raise AssertionError("it ends on the data")


def euler_maruyama(denoise, x, rho, normal, *, score=1.0, loud=1.0):
    """The reverse SDE of eq. 6 of Song et al. 2021 on their VP SDE, in steps of the integral of beta; E[x_0] is the last mean."""
    for high, low in pairwise(rho):
        eps = denoise(x, high)
        if low == 0:
            return to_data(x, eps, high)
        beta = np.log1p(high**2) - np.log1p(low**2)
        x = x + beta * (x / 2 - score * eps / preserving(high)[1]) + loud * np.sqrt(beta) * normal()
    raise AssertionError("it ends on the data")


# -- rectified flow: x = (1 - t) x_0 + t eps, the model predicts eps - x_0 -------------------------------------------------


def flow(denoise, x, rho, normal, *, order=1):
    """Euler's and Heun's methods along the velocity (Liu et al. 2022), from pure noise of the size that time has."""
    t = rho / (1 + rho)
    x = t[0] * x
    for here, there in pairwise(t):
        v = denoise(x, here)
        if order == 2 and there > 0:
            v = (v + denoise(x + (there - here) * v, there)) / 2
        x = x + (there - here) * v
    return x


def flow_adams(denoise, x, rho, normal, *, order, weights=lambda w: w):
    """Adams and Bashforth's methods along the velocity, on times of any distance."""
    t = rho / (1 + rho)
    x = t[0] * x
    kept: list[Any] = []
    for k, (here, there) in enumerate(pairwise(t)):
        kept = [denoise(x, here), *kept][:order]
        nodes = [t[k - j] - here for j in range(len(kept))]
        w = weights([lagrange(nodes, j, 0.0, there - here) for j in range(len(kept))])
        x = x + sum(one * v for one, v in zip(w, kept, strict=True))
    return x


# -- as targets ------------------------------------------------------------------------------------------------------------

FRAMES = {
    "exploding": (Prediction.SAMPLE, Frame.exploding),
    "preserving": (Prediction.EPSILON, lambda rho: Frame(*preserving(rho))),
    "flow": (Prediction.FLOW_PREDICTION, lambda t: Frame(1 - t, t)),
}
"""What the model predicts, and what a state holds at a told time."""


@dataclass(frozen=True)
class Solver:
    """A loop, and what it claims.

    Attributes:
        loop: the solver.
        frame: a key of ``FRAMES``.
        order: what it claims.
        stochastic: whether it adds noise.
        noise: ``noise(seed, shape)`` makes its ``normal``.
    """

    loop: Loop
    frame: str
    order: int | None = None
    stochastic: bool = False
    noise: Callable[..., Any] = fresh

    def on(self, rho) -> Target:
        """The solver on levels; the last is 0."""
        rho = np.asarray(rho, dtype=float)
        prediction, frame = FRAMES[self.frame]
        claim = ReverseSDE if self.stochastic else ProbabilityFlow

        def sample(denoise, x, seed):
            return self.loop(denoise, x, rho, self.noise(seed, x.shape))

        return Target(
            name="a solver",
            sample=sample,
            schedule=None,
            shape=(2,),
            taps=(numpy_tap(globals()),),
            family=claim(self.order),
            prediction=prediction,
            frame=frame,
        )

    def target(self, steps: int = 8) -> Target:
        """On that many steps, spaced as Karras et al. 2022, eq. 5 with an exponent of 3; and on finer ones."""
        return replace(
            self.on(uneven(steps)),
            on_log_grid=lambda n: self.on(between(np.ones(n))),
            on_uneven_grid=lambda n: self.on(between(1.0 + np.arange(n) % 2)),
        )

    def mutant(self, **slips) -> Solver:
        """The same solver with its arguments set to something wrong."""
        return replace(self, loop=partial(self.loop, **slips))


def between(lengths):
    """From the highest level to the lowest in steps of these lengths in log rho, up to a factor; and on to the data."""
    passed = np.append(0.0, np.cumsum(lengths)) / np.sum(lengths)
    return np.append(HIGH ** (1 - passed) * LOW**passed, 0.0)


def uneven(steps):
    return np.append(np.linspace(HIGH ** (1 / 3), LOW ** (1 / 3), steps) ** 3, 0.0)


RIGHT: dict[str, Solver] = {
    "euler": Solver(euler, "exploding", 1),
    "heun": Solver(heun, "exploding", 2),
    "midpoint": Solver(midpoint, "exploding", 2),
    "deis-2": Solver(partial(adams, order=2), "exploding", 2),
    "ab-3": Solver(partial(adams, order=3), "exploding", 3),
    "lms-4": Solver(partial(adams, order=4), "exploding", 4),
    "dpm-2m": Solver(dpm_2m, "preserving", 2),
    "dpm-2m-heun": Solver(partial(dpm_2m, kind="heun"), "preserving", 2),
    "dpm-2s": Solver(dpm_2s, "preserving", 2),
    "flow-euler": Solver(flow, "flow", 1),
    "flow-heun": Solver(partial(flow, order=2), "flow", 2),
    "midpoint-ancestral": Solver(partial(midpoint, ancestral=True), "exploding", 2, stochastic=True),
    "sde-dpm-1": Solver(sde_dpm, "preserving", 1, stochastic=True),
    "sde-dpm-2m": Solver(partial(sde_dpm, order=2), "preserving", 2, stochastic=True),
    "euler-maruyama": Solver(euler_maruyama, "preserving", 1, stochastic=True),
}
MULTISTEP: dict[str, Solver] = {
    "dpm-2m-noise": Solver(dpm_2m_noise, "preserving", 2),
    "dpm-2m-noise-heun": Solver(partial(dpm_2m_noise, kind="heun"), "preserving", 2),
    "dpm-3m": Solver(dpm_3m, "preserving", 3),
    "dpm-3m-noise": Solver(partial(dpm_3m, of="noise"), "preserving", 3),
    "exponential-adams-4": Solver(partial(exponential_adams, order=4), "preserving", 4),
    "exponential-adams-4-noise": Solver(partial(exponential_adams, order=4, of="noise"), "preserving", 4),
    "flow-adams-2": Solver(partial(flow_adams, order=2), "flow", 2),
    "flow-adams-3": Solver(partial(flow_adams, order=3), "flow", 3),
    "flow-adams-4": Solver(partial(flow_adams, order=4), "flow", 4),
    "unipc-1": Solver(partial(unipc, order=1), "preserving", 2),
    "unipc-2": Solver(partial(unipc, order=2), "preserving", 3),
    "unipc-2-bh1": Solver(partial(unipc, order=2, bh1=True), "preserving", 3),
    "unipc-2-noise": Solver(partial(unipc, order=2, by_noise=True), "preserving", 3),
    "unipc-3": Solver(partial(unipc, order=3), "preserving", 3),
    "unipc-3-noise-bh1": Solver(partial(unipc, order=3, by_noise=True, bh1=True), "preserving", 3),
    "ipndm-2": Solver(partial(ipndm, order=2), "exploding"),
    "ipndm-3": Solver(partial(ipndm, order=3), "exploding"),
    "ipndm-4": Solver(partial(ipndm, order=4), "exploding"),
    "sde-dpm-3m": Solver(partial(dpm_3m, of="sde"), "preserving", 2, stochastic=True),
    "sde-dpm-2m-heun": Solver(partial(sde_dpm, order=2, kind="heun"), "preserving", 2, stochastic=True),
    "sde-dpm-2m-noise": Solver(partial(dpm_2m_noise, noisy=True), "preserving", 2, stochastic=True),
    "sde-dpm-2m-noise-heun": Solver(partial(dpm_2m_noise, noisy=True, kind="heun"), "preserving", 2, stochastic=True),
}
"""More methods that remember predictions, right ones."""
