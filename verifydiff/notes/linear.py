r"""Linear forms in the states and noises, :math:`\sum_k w_k X_k + r`: an expression is worked out once, and its weights
are known.

The weights are numbers or expressions; a form multiplies and divides by these. Anything else that is done to a form, such as a
product of two or a root, is not linear.
"""

from __future__ import annotations

from typing import Any

from .algebra import UndefinedError, Value

Key = tuple[Any, ...]


class NotLinearError(UndefinedError):
    """An expression is not linear in the states and noises."""

    def __init__(self) -> None:
        super().__init__("not linear in the states and noises")


class Linear:
    """A linear form.

    Attributes:
        weights: the weight of every vector, by its key.
        rest: what is left where all vectors vanish.
    """

    __slots__ = ("rest", "weights")

    def __init__(self, weights: dict[Key, Value], rest: Value) -> None:
        self.weights, self.rest = weights, rest

    def __add__(self, other: Any) -> Linear:
        if not isinstance(other, Linear):
            return Linear(self.weights, self.rest + other)
        weights = dict(self.weights)
        for key, weight in other.weights.items():
            weights[key] = weights[key] + weight if key in weights else weight
        return Linear(weights, self.rest + other.rest)

    __radd__ = __add__

    def __neg__(self) -> Linear:
        return Linear({key: -weight for key, weight in self.weights.items()}, -self.rest)

    def __sub__(self, other: Any) -> Linear:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Linear:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Linear:
        if isinstance(other, Linear):
            raise NotLinearError
        return Linear({key: weight * other for key, weight in self.weights.items()}, self.rest * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Linear:
        if isinstance(other, Linear):
            raise NotLinearError
        return Linear({key: weight / other for key, weight in self.weights.items()}, self.rest / other)

    def __rtruediv__(self, other: Any) -> Linear:
        raise NotLinearError

    def __pow__(self, exponent: Any) -> Linear:
        raise NotLinearError

    @property
    def real(self) -> float:
        """A form has no sign."""
        raise NotLinearError

    @property
    def imag(self) -> float:
        """A form has no imaginary part, and so no slope by a step along it."""
        raise NotLinearError

    @property
    def free_symbols(self) -> set[Any]:
        """A form is no expression."""
        raise NotLinearError
