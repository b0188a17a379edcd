r"""A form: a closed form with its source. The one place where a formula is written down.

A form prints as LaTeX and compiles to NumPy and JAX; a derivation proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from .quantities import in_levels


@dataclass(frozen=True, slots=True)
class Source:
    """Where a form was published.

    Attributes:
        work: authors and year, with the title where the year does not make it unique.
        place: equation, section or algorithm in that work.
        departure: in which way, if any, the form here is written otherwise than there.
    """

    work: str
    place: str
    departure: str = ""

    def __str__(self) -> str:
        return f"{self.work}, {self.place}" + (f" ({self.departure})" if self.departure else "")


@dataclass(frozen=True, slots=True)
class Form:
    """A closed form.

    Attributes:
        id: dotted name, topic first: ``ddpm.posterior_variance``.
        title: a few words.
        symbol: LaTeX of the left-hand side.
        expression: the right-hand side.
        source: where it was published.
        assuming: relations between letters, beyond their domains, without which it has no real value, such as a bound on
            what stands under a root. What is asked of the form is asked where they hold.
    """

    id: str
    title: str
    symbol: str
    expression: sympy.Expr
    source: Source
    assuming: tuple[sympy.Rel, ...] = ()

    def latex(self) -> str:
        """The whole statement as LaTeX, without dollar signs."""
        return f"{self.symbol} = {sympy.latex(self.expression)}"

    def numpy(self, *arguments: sympy.Symbol) -> Callable[..., Any]:
        """The form as a function over NumPy arrays; see :func:`compiled` for the arguments."""
        return compiled(self.expression, arguments, "numpy")

    def jax(self, *arguments: sympy.Symbol) -> Callable[..., Any]:
        """The form as a function over JAX arrays, for ``jit``, ``grad`` and ``vmap``."""
        return compiled(self.expression, arguments, "jax")


def compiled(expression: sympy.Expr, arguments: tuple[sympy.Symbol, ...], modules: str) -> Callable[..., Any]:
    """The expression as a function of ``arguments``, positional and in that order.

    Without arguments, the expression's own symbols serve, by name in alphabetical order. With arguments, quantities that
    are not among them are first written over abar_t and abar_s.

    Raises:
        ValueError: if a symbol of the expression is neither an argument nor written over the arguments.
    """
    if not arguments:
        arguments = tuple(sorted(expression.free_symbols, key=lambda symbol: symbol.name))
    elif not expression.free_symbols <= set(arguments):
        expression = in_levels(expression)
    missing = expression.free_symbols - set(arguments)
    if missing:
        raise ValueError(f"{', '.join(sorted(map(str, missing)))} must be among the arguments {list(map(str, arguments))}.")
    return sympy.lambdify(arguments, expression, modules)  # type: ignore[no-any-return]
