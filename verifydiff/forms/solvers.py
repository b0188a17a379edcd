r"""Solvers: methods that are known by what they converge to, and how fast.

A solver follows the probability flow

.. math:: \frac{dx}{d\sigma} = \frac{x - \mathbb{E}[x_0 \mid x]}{\sigma}

(in the variance-exploding frame; Karras et al. 2022, eq. 1 with sigma(t) = t), or the reverse SDE of the same marginals. Its
weights follow from its construction, and there are as many constructions as papers; what all of them claim is an order: on N
steps evenly spaced in the logarithm of the noise over the signal, the error falls as :math:`N^{-p}`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .euler import KARRAS
from .form import Source


@dataclass(frozen=True)
class Solver:
    """What a solver claims.

    Attributes:
        id: what ``--family`` calls it.
        title: what reports call it.
        source: where the equation that it solves was published.
        order: the order of convergence it claims; None where it claims none, and only has to converge.
        stochastic: whether it adds fresh noise; its order is then that of its law, the weak one.
    """

    id: str
    title: str
    source: Source
    order: int | None = None
    stochastic: bool = False

    def __str__(self) -> str:
        return self.title


def ProbabilityFlow(order: int | None = None) -> Solver:  # noqa: N802 - it reads as the class of samplers that it makes
    """A solver of the probability flow, of that order.

    Raises:
        ValueError: if the order is no positive whole number.
    """
    return Solver("probability-flow", f"a solver of the probability flow{_of(order)}", Source(KARRAS, "eq. 1"), _order(order))


def ReverseSDE(order: int | None = None) -> Solver:  # noqa: N802
    """A solver of the reverse SDE, of that weak order.

    Raises:
        ValueError: if the order is no positive whole number.
    """
    title = f"a solver of the reverse SDE{_of(order)}"
    return Solver("reverse-sde", title, Source("Song et al. 2021 (SDE)", "eq. 6"), _order(order), stochastic=True)


def _order(order: int | None) -> int | None:
    if order is not None and not (isinstance(order, int) and not isinstance(order, bool) and 1 <= order <= 9):
        raise ValueError(f"`order` must be a whole number from 1 to 9, got {order!r}.")
    return order


def _of(order: int | None) -> str:
    return "" if order is None else f" of order {order}"
