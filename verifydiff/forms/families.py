r"""Families of samplers: a step as the equations it is written in.

Every family here has steps

.. math:: x_s = a\,x_t + b\,\epsilon + c\,z = p\,x_t + q\,\hat x_0 + c\,z,

the first over the predicted noise, the second over the prediction of the data that it implies. A family may be written in
several ways that a derivation proves equal; people slip in each of them differently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import sympy
from sympy import sqrt

from . import ddim, ddpm, euler, forward
from .edm import CONSISTENCY
from .form import Source, compiled
from .quantities import NONNEGATIVE, REAL, Quantity, abar_s, abar_t, eps, eta, in_levels, sigma_t, ve_s, ve_t, x_0, x_s, x_t, z

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

x_hat = Quantity("x_hat", r"\hat x_0", REAL, meaning="the prediction of the data")
mean = Quantity("mean", r"\mu", REAL, meaning="x_s without its fresh noise")
variance = Quantity("variance", r"\sigma_t^2", NONNEGATIVE, meaning="variance of the fresh noise")
sigma_up = Quantity("sigma_up", r"\sigma_{\mathrm{up}}", NONNEGATIVE)
sigma_down = Quantity("sigma_down", r"\sigma_{\mathrm{down}}", NONNEGATIVE)
xbar_s = Quantity("xbar_s", r"\bar x_s", REAL)


@dataclass(frozen=True)
class Writing:
    """One way to write a step: equations in the order in which they are computed; the last one gives x_s.

    Attributes:
        equations: pairs (symbol, expression); an expression may use the symbols before it, x_t, eps and z.
        variables: the values of free parameters, such as eta.
    """

    equations: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    variables: tuple[tuple[sympy.Symbol, float], ...] = ()

    @cached_property
    def step(self) -> sympy.Expr:
        """x_s over x_t, eps, z and the levels."""
        known: dict[sympy.Symbol, sympy.Expr] = {}
        for symbol, expression in self.equations:
            known[symbol] = expression.xreplace(known)
        return in_levels(known[x_s])

    @cached_property
    def over_eps(self) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
        """(a, b, c): the weights of x_t, eps and z. The step is linear in all three, so its values at unit vectors are they."""
        return tuple(self.step.xreplace(_unit(symbol, (x_t, eps, z))) for symbol in (x_t, eps, z))

    @cached_property
    def over_x0(self) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
        """(p, q, c): the weights of x_t, x_0 and z, with eps = (x_t - sqrt(abar_t) x_0) / sqrt(1 - abar_t).

        Where the writing predicts the data first, that prediction is x_0 itself, and nothing divides by sqrt(abar_t): the
        weights hold at a terminal level of 0 too.
        """
        known: dict[sympy.Symbol, sympy.Expr] = {eps: forward.eps_from_x0.expression}
        for symbol, expression in self.equations:
            known[symbol] = x_0 if symbol == x_hat else expression.xreplace(known)
        step = in_levels(known[x_s])
        return tuple(step.xreplace(_unit(symbol, (x_t, x_0, z))) for symbol in (x_t, x_0, z))

    def cancellations(self, levels: dict[sympy.Symbol, Any]) -> list[list[tuple[Any, Any, Any]]]:
        """For each of (a, b, c), and each square root of a sum in it: its slope, the root, and the size of the sum's terms.

        The rounding of a sum that nearly cancels is that of its terms; these numbers say what it does to the weight.
        """
        values = {**levels, **dict(self.variables)}
        found = _cancellations(self, tuple(values))
        return [[tuple(part(*values.values()) for part in parts) for parts in weight] for weight in found]

    def evaluate(self, levels: dict[sympy.Symbol, Any], over: str = "x0") -> tuple[Any, Any, Any]:
        """The three weights as arrays, given arrays for abar_t, abar_s and whatever else the equations use.

        Args:
            levels: a value for every symbol.
            over: ``"x0"`` for (p, q, c), ``"eps"`` for (a, b, c).
        """
        values = {**levels, **dict(self.variables)}
        return tuple(weight(*values.values()) for weight in _compiled(self, over, tuple(values)))


@cache
def _compiled(writing: Writing, over: str, symbols: tuple[sympy.Symbol, ...]) -> tuple[Callable[..., Any], ...]:
    weights = writing.over_x0 if over == "x0" else writing.over_eps
    return tuple(compiled(weight, symbols, "numpy") for weight in weights)


@cache
def _cancellations(writing: Writing, symbols: tuple[sympy.Symbol, ...]) -> list[list[tuple[Callable[..., Any], ...]]]:
    found = []
    for weight in writing.over_eps:
        roots = sorted((r for r in weight.atoms(sympy.Pow) if r.exp == sympy.Rational(1, 2) and r.base.is_Add), key=str)
        parts = []
        for root in roots:
            stand_in = sympy.Dummy("root")
            slope = sympy.diff(weight.xreplace({root: stand_in}), stand_in).xreplace({stand_in: root})
            size = sum((sympy.Abs(term) for term in root.base.args), sympy.Integer(0))
            parts.append(tuple(compiled(one, symbols, "numpy") for one in (slope, root, size)))
        found.append(parts)
    return found


@dataclass(frozen=True)
class Family:
    """A family of samplers.

    Attributes:
        id: what ``--family`` calls it.
        title: what reports call it.
        writings: equal ways to write its step; the first is the one judged by.
        source: where it was published.
        silent_end: whether the step onto the data adds no noise by convention, whatever its formula gives there.
        eta: the noise scale relative to the posterior's, where the family has one.
        limit: a family of the same weights whose form holds at a level without signal too, where its own divides by 0.
    """

    id: str
    title: str
    writings: tuple[Writing, ...]
    source: Source
    silent_end: bool = False
    eta: float | None = None
    limit: Family | None = None

    def coefficients(self, start: ArrayLike, end: ArrayLike) -> tuple[Any, Any, Any]:
        """(p, q, c) of the steps from the levels ``start`` to the levels ``end``, each of shape (N,).

        ``x_s = p x_t + q x_0 + c z``. Where ``end`` is 1 and the family is silent there, c is 0.
        """
        import numpy as np

        start, end = np.broadcast_arrays(np.asarray(start, dtype=np.longdouble), np.asarray(end, dtype=np.longdouble))
        with np.errstate(divide="ignore", invalid="ignore"):
            p, q, c = (
                np.broadcast_to(w, start.shape).astype(np.float64) for w in self.writings[0].evaluate({abar_t: start, abar_s: end})
            )
        if self.silent_end:
            c = np.where(end == 1, 0.0, c)
        nowhere = (start == 1) & (end == 1)  # from the data to the data
        p, q, c = np.where(nowhere, 1.0, p), np.where(nowhere, 0.0, q), np.where(nowhere, 0.0, c)
        if self.limit is not None and (start == 0).any():
            p, q, c = (
                np.where(start == 0, there, own) for own, there in zip((p, q, c), self.limit.coefficients(start, end), strict=True)
            )
        return p, q, c

    def __str__(self) -> str:
        return self.title


def _unit(chosen: sympy.Symbol, among: tuple[sympy.Symbol, ...]) -> dict[sympy.Symbol, sympy.Expr]:
    return {symbol: sympy.Integer(symbol == chosen) for symbol in among}


_predict_x0 = (x_hat, forward.x0_from_eps.expression)


def DDPM(variance: str = "small") -> Family:  # noqa: N802 - it reads as the class of samplers that it makes
    """Ancestral sampling (Ho et al. 2020, algorithm 2) with the posterior's variance, or with beta (``"large"``).

    Raises:
        ValueError: if the variance is neither ``"small"`` nor ``"large"``.
    """
    if variance not in ("small", "large"):
        raise ValueError(f"`variance` must be 'small' (beta-tilde) or 'large' (beta), got {variance!r}.")
    form = ddpm.posterior_variance if variance == "small" else ddpm.large_variance
    spread = (_variance, form.expression)
    by_eps = Writing((spread, (mean, ddpm.mean_from_eps.expression), (x_s, mean + sqrt(_variance) * z)))
    by_x0 = Writing(
        (_predict_x0, spread, (mean, ddpm.posterior_mean.expression.xreplace({x_0: x_hat})), (x_s, mean + sqrt(_variance) * z))
    )
    return Family(
        "ddpm" if variance == "small" else "ddpm-large",
        f"DDPM ({variance} variance)",
        (by_x0, by_eps),
        Source(forward.HO, "algorithm 2, sec. 3.2"),
        silent_end=True,
        eta=1.0 if variance == "small" else None,
    )


_variance = variance  # the factory's argument has the field's name for the choice


def DDIM(eta: float = 0.0) -> Family:  # noqa: N802
    """The DDIM family (Song et al. 2021, eq. 12 with the sigma of eq. 16).

    Raises:
        ValueError: if eta leaves [0, 1]; beyond 1 the radicand 1 - abar_s - sigma^2 can turn negative.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"`eta` must lie in [0, 1], got {eta!r}. Beyond 1 the root of 1 - abar_s - sigma^2 can fail to be real.")
    direction = sqrt(1 - abar_s - sigma_t**2) * eps
    writing = Writing(
        (_predict_x0, (sigma_t, ddim.sigma.expression), (x_s, sqrt(abar_s) * x_hat + direction + sigma_t * z)),
        ((_eta, float(eta)),),
    )
    return Family("ddim", f"DDIM(eta = {eta:.6g})", (writing,), Source(ddim.SONG, "eqs. 12, 16"), eta=float(eta))


_eta = eta


def Euler() -> Family:  # noqa: N802
    """Euler's method in sigma space (Karras et al. 2022, algorithm 1); in these coordinates it is DDIM(0)."""
    writing = Writing(
        (
            (euler.xbar_t, x_t / sqrt(abar_t)),
            (xbar_s, euler.step.expression),
            (x_s, sqrt(abar_s) * xbar_s),
        )
    )
    return Family("euler", "Euler in sigma space", (writing,), Source(euler.KARRAS, "algorithm 1"), eta=0.0, limit=DDIM(0.0))


def EulerAncestral() -> Family:  # noqa: N802
    """Euler down to sigma_down and noise of scale sigma_up on top (k-diffusion); in these coordinates it is DDIM(1)."""
    writing = Writing(
        (
            (euler.xbar_t, x_t / sqrt(abar_t)),
            (sigma_up, euler.sigma_up.expression),
            (sigma_down, sqrt(ve_s**2 - sigma_up**2)),
            (xbar_s, euler.xbar_t + (sigma_down - ve_t) * eps + sigma_up * z),
            (x_s, sqrt(abar_s) * xbar_s),
        )
    )
    return Family(
        "euler-ancestral",
        "Euler ancestral in sigma space",
        (writing,),
        Source(euler.KATHERINE, "sample_euler_ancestral"),
        eta=1.0,
        limit=DDIM(1.0),
    )


def Renoise() -> Family:  # noqa: N802
    """Predict the data and noise them afresh: multistep sampling of a consistency model (Song et al. 2023, algorithm 1).

    Nothing is kept of the state: the weights are those of the forward process, and the last step ends on the prediction.
    """
    writing = Writing((_predict_x0, (x_s, sqrt(abar_s) * x_hat + sqrt(1 - abar_s) * z)))
    return Family("renoise", "the prediction of the data, noised afresh", (writing,), Source(CONSISTENCY, "algorithm 1"))
