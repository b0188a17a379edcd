r"""Newton's form of the polynomial through the last predictions, along any coordinate.

With the present prediction at 0 and each older one a gap further on, the polynomial of the lowest degree is

.. math:: y[0] + y[0, 1]\,u + y[0, 1, 2]\,u (u - g_1) + y[0, 1, 2, 3]\,u (u - g_1)(u - g_1 - g_2)

with the divided differences :math:`y[\dots]`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Integer, Rational


def divided_differences(values: Sequence[Expr], gaps: Sequence[Expr]) -> list[Expr]:
    """The first, the second and so on, from the values at 0 and at every gap further on."""
    found, level = [], list(values)
    for order in range(1, len(values)):
        spans = [sum(gaps[j : j + order], Integer(0)) for j in range(len(level) - 1)]
        level = [(level[j + 1] - level[j]) / span for j, span in enumerate(spans)]
        found.append(level[0])
    return found


def integrals(end: Expr, gaps: Sequence[Expr]) -> list[Expr]:
    """What the present prediction and each divided difference is weighed with, where the polynomial is integrated from 0 on."""
    powers, found = [Integer(1)], []  # the coefficients of the product of u - node over the nodes so far
    node: Expr = Integer(0)
    for gap in (*gaps, Integer(0)):
        found.append(sum((one * end ** (k + 1) * Rational(1, k + 1) for k, one in enumerate(powers)), Integer(0)))
        powers = [up - node * own for up, own in zip([Integer(0), *powers], [*powers, Integer(0)], strict=True)]
        node = node + gap
    return found
