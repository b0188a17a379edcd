r"""The page on which a derivation writes its steps.

Each step is a statement with its justification. Algebra is decided; a named rule checks its own hypotheses and says
what it rests on. Nothing is taken on trust: a step counts only if everything under it is proved, and a page is worth as
much as its worst step.
"""

from __future__ import annotations

from typing import Any

import sympy

from ..forms.quantities import Quantity, in_base_letters
from ..verdict import MisuseError
from .claim import exact
from .rules import (
    BoundRules,
    ComputationRules,
    DynamicsRules,
    GaussianRules,
    InductionRules,
    IteratedRules,
    MatrixRules,
    PathRules,
    SpectralRules,
)
from .step import Check as Check
from .step import Step as Step
from .step import worst as worst


class Page(
    PathRules,
    DynamicsRules,
    IteratedRules,
    GaussianRules,
    InductionRules,
    SpectralRules,
    MatrixRules,
    BoundRules,
    ComputationRules,
):
    """What a derivation receives: each method writes one step.

    Args:
        form: the closed form that the page is to arrive at, if there is one.
    """


def at(expression: Any, **values: Any) -> sympy.Expr:
    """The expression over base letters, with letters replaced by name: ``at(variance, abar_s=1)``.

    Raises:
        MisuseError: if a name is not a letter of the expression.
    """
    expression = in_base_letters(exact(expression))
    letters = {symbol.name: symbol for symbol in expression.free_symbols}
    for name in values:
        if name not in letters:
            raise MisuseError(f"{expression} has no letter {name}.")
    return expression.xreplace({letters[name]: exact(value) for name, value in values.items()})


def letter(name: str, latex: str = "", **keywords: Any) -> Quantity:
    """A letter of one's own; see :class:`verifydiff.forms.quantities.Quantity` for the keywords."""
    return Quantity(name, latex, **keywords)
