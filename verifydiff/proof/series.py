r"""Taylor coefficients of elementary functions, by the arithmetic of truncated series.

With :math:`f = \sum_k f_k u^k`, a product has the coefficients :math:`\sum_j f_j g_{k - j}`, and what solves a differential
equation of first order has a recursion: of :math:`c = e^f` it is :math:`k c_k = \sum_j j f_j c_{k - j}`.
"""

from __future__ import annotations

from typing import Any

import sympy

from ..verdict import MisuseError

Series = list[Any]


def coefficients(function: sympy.Expr, of: sympy.Symbol, point: sympy.Expr, order: int) -> Series:
    """The Taylor coefficients of orders 0 to ``order`` at the point.

    Raises:
        MisuseError: if the function has no value there as it is written, or is not elementary.
    """
    return _Walk(of, point, order)(function)


class _Walk:
    """One function's series, each part of it once."""

    def __init__(self, of: sympy.Symbol, point: sympy.Expr, order: int) -> None:
        self.of, self.order = of, order
        self._known: dict[sympy.Expr, Series] = {of: self._padded(point, sympy.Integer(1))}

    def __call__(self, part: sympy.Expr) -> Series:
        found = self._known.get(part)
        if found is None:
            found = self._known[part] = self._series(part) if part.has(self.of) else self._padded(part)
        return found

    def _series(self, part: sympy.Expr) -> Series:
        match part:
            case sympy.Add():
                return [sympy.Add(*terms) for terms in zip(*map(self, part.args), strict=True)]
            case sympy.Mul():
                first, *others = map(self, part.args)
                for other in others:
                    first = self._product(first, other)
                return first
            case sympy.exp():
                return self._exponential(self(part.args[0]))
            case sympy.log():
                return self._logarithm(self(part.args[0]), part)
            case sympy.Pow() if not part.exp.has(self.of):
                return self._power(self(part.base), part.exp, part)
            case sympy.Pow():
                return self(sympy.exp(part.exp * sympy.log(part.base)))
        raise MisuseError(f"{part} is not known to be analytic.")

    def _padded(self, *leading: sympy.Expr) -> Series:
        return [*leading, *[sympy.Integer(0)] * (self.order + 1 - len(leading))][: self.order + 1]

    def _product(self, left: Series, right: Series) -> Series:
        return [sympy.Add(*(left[j] * right[k - j] for j in range(k + 1))) for k in range(self.order + 1)]

    def _exponential(self, inside: Series) -> Series:
        found = [sympy.exp(inside[0])]
        for k in range(1, self.order + 1):
            found.append(sympy.Add(*(j * inside[j] * found[k - j] for j in range(1, k + 1))) / k)
        return found

    def _logarithm(self, inside: Series, part: sympy.Expr) -> Series:
        self._refuse_zero(inside[0], part)
        found = [sympy.log(inside[0])]
        for k in range(1, self.order + 1):
            rest = sympy.Add(*(j * found[j] * inside[k - j] for j in range(1, k))) / k
            found.append((inside[k] - rest) / inside[0])
        return found

    def _power(self, inside: Series, exponent: sympy.Expr, part: sympy.Expr) -> Series:
        if exponent.is_Integer and exponent > 0:
            found = inside
            for _ in range(int(exponent) - 1):
                found = self._product(found, inside)
            return found
        self._refuse_zero(inside[0], part)
        found = [inside[0] ** exponent]
        for k in range(1, self.order + 1):
            rest = sympy.Add(*((exponent * j - (k - j)) * inside[j] * found[k - j] for j in range(1, k + 1)))
            found.append(rest / (k * inside[0]))
        return found

    def _refuse_zero(self, value: sympy.Expr, part: sympy.Expr) -> None:
        if value == 0:
            raise MisuseError(f"{part} has no value at the point as it is written; simplify it first.")
