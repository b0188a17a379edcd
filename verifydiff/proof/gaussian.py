r"""Gaussian densities, one coordinate of them.

.. math:: \log \mathcal{N}(x \mid m, v) = -\frac{(x - m)^2}{2 v} - \frac{1}{2} \log(2 \pi v)

All coordinates of an isotropic Gaussian are alike and independent, so an identity for one coordinate, normaliser
included, is one for all. Densities are compared through their logarithms, pointwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from ..forms.quantities import REAL
from ..forms.typeset import typeset
from ..verdict import MisuseError
from .claim import exact, letters_of
from .tower import domain_of


@dataclass(frozen=True, slots=True)
class Gaussian:
    """The density of a normal variable.

    Attributes:
        of: the letter that is distributed.
        mean: its mean, which may depend on other letters but not on ``of``.
        variance: its variance, free of ``of``; that it is positive is checked where the density is used.

    Raises:
        MisuseError: if a part is no exact expression, or the mean or the variance depends on ``of``.
    """

    of: sympy.Symbol
    mean: sympy.Expr
    variance: sympy.Expr

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", exact(self.mean))
        object.__setattr__(self, "variance", exact(self.variance))
        if not isinstance(self.of, sympy.Symbol) or getattr(self.of, "definition", None) is not None:
            raise MisuseError(f"a Gaussian is the law of a letter without a definition, got {self.of!r}.")
        if self.of in self.letters:
            raise MisuseError(f"the mean and the variance of a Gaussian in {self.of} must not depend on {self.of}.")
        if domain_of(self.of) != REAL:
            raise MisuseError(f"a Gaussian lives on the whole line, and {self.of} lies in {domain_of(self.of)}.")

    @property
    def letters(self) -> set[sympy.Symbol]:
        """The letters that the mean and the variance rest on."""
        return letters_of(self.mean, self.variance)

    @property
    def log_density(self) -> sympy.Expr:
        """The logarithm of the density at ``of``, normaliser included."""
        return -((self.of - self.mean) ** 2) / (2 * self.variance) - sympy.log(2 * sympy.pi * self.variance) / 2

    @property
    def density(self) -> sympy.Expr:
        """The density at ``of``."""
        return sympy.exp(self.log_density)

    def at(self, values: dict[Any, Any]) -> Gaussian:
        """The same law with letters of its mean and variance replaced."""
        return Gaussian(self.of, self.mean.xreplace(values), self.variance.xreplace(values))

    def latex(self) -> str:
        """The density as LaTeX."""
        return rf"\mathcal{{N}}\left({typeset(self.of)} \mid {typeset(self.mean)},\ {typeset(self.variance)}\right)"

    def __str__(self) -> str:
        return f"N({self.of} | {self.mean}, {self.variance})"
