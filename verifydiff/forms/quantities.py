r"""The letters of the field: symbols with their domains and definitions.

One notation is kept everywhere. A step leads from a noisier time t to a cleaner time s < t; for a sampler that visits
every time, s = t - 1. The base letters are :math:`\bar\alpha_s \in (0, 1]` (1 only for the data, s = 0) and the composed
:math:`\alpha_t = \bar\alpha_t / \bar\alpha_s \in (0, 1)`; :math:`\bar\alpha_t` and :math:`\beta_t` are *defined* by them,
so that :math:`\bar\alpha_t < \bar\alpha_s` holds by construction and every claim is general in s < t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import sqrt

from ..verdict import MisuseError


@dataclass(frozen=True, slots=True)
class Domain:
    """A real interval; an end is None where there is no bound.

    Attributes:
        lower, upper: whole ends.
        closed_below, closed_above: whether the end itself belongs to the domain.

    Raises:
        MisuseError: if an end is no whole number.
    """

    lower: int | None = None
    upper: int | None = None
    closed_below: bool = False
    closed_above: bool = False

    def __post_init__(self) -> None:
        for end in (self.lower, self.upper):
            if end is not None and type(end) is not int:
                raise MisuseError(
                    f"the ends of a domain are whole numbers, got {end!r}; scale the letter, or assume what narrows it."
                )

    def __str__(self) -> str:
        if self == REAL:
            return "real"
        low, high = ("-oo" if self.lower is None else self.lower), ("oo" if self.upper is None else self.upper)
        return f"{'[' if self.closed_below else '('}{low}, {high}{']' if self.closed_above else ')'}"


REAL = Domain()
POSITIVE = Domain(lower=0)
NONNEGATIVE = Domain(lower=0, closed_below=True)
PROPER_FRACTION = Domain(lower=0, upper=1)
LEVEL = Domain(lower=0, upper=1, closed_above=True)
UNIT = Domain(lower=0, upper=1, closed_below=True, closed_above=True)


class Quantity(sympy.Symbol):  # type: ignore[misc]  # SymPy carries no types
    """A SymPy symbol that knows its domain and, where it is not a base letter, its definition.

    Two quantities are the same symbol when name, domain and definition agree. A plain ``sympy.Symbol`` may stand beside
    quantities; its domain is then read off its assumptions (``positive``, ``nonnegative``, else real).

    Args:
        name: a Python identifier: the name of the argument in compiled functions.
        latex: how it prints.
        domain: the values it may take.
        definition: an expression in other quantities that it abbreviates.
        meaning: a few words for legends.

    Raises:
        MisuseError: if the domain has no room.
    """

    __slots__ = ("definition", "domain", "meaning", "tex")

    domain: Domain
    definition: sympy.Expr | None
    tex: str
    meaning: str

    def __new__(  # noqa: D102
        cls,
        name: str,
        latex: str = "",
        domain: Domain = REAL,
        definition: sympy.Expr | None = None,
        meaning: str = "",
    ) -> Quantity:
        if domain.lower is not None and domain.upper is not None and domain.lower >= domain.upper:
            raise MisuseError(f"{name} has no room: there is nothing between {domain.lower} and {domain.upper}.")
        assumptions: dict[str, bool] = {"real": True}
        if domain.lower is not None and domain.lower >= 0:
            assumptions = {"nonnegative": True} if domain.closed_below and domain.lower == 0 else {"positive": True}
        definition = None if definition is None else sympy.sympify(definition)
        self = sympy.Symbol.__xnew__(cls, name, **assumptions)
        self.domain, self.definition, self.tex, self.meaning = domain, definition, latex or name, meaning
        return self  # type: ignore[no-any-return]

    def _hashable_content(self) -> tuple[Any, ...]:
        # SymPy also sorts by this, so that letters of one name must compare: text first
        definition = sympy.Integer(0) if self.definition is None else self.definition
        return (self.name, str(self.domain), str(self.definition), definition, *sorted(self.assumptions0.items()))

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.name, self.tex, self.domain, self.definition, self.meaning), {}

    def _latex(self, printer: Any) -> str:
        return self.tex


# -- the levels of one step ---------------------------------------------------------------------------------------------

abar_s = Quantity("abar_s", r"\bar\alpha_s", LEVEL, meaning="signal level arrived at; 1 is the data")
alpha_t = Quantity("alpha_t", r"\alpha_t", PROPER_FRACTION, meaning="abar_t / abar_s: the signal kept from s to t")
abar_t = Quantity("abar_t", r"\bar\alpha_t", PROPER_FRACTION, alpha_t * abar_s, meaning="signal level started from")
beta_t = Quantity("beta_t", r"\beta_t", PROPER_FRACTION, 1 - alpha_t, meaning="variance added from s to t")

# -- the same levels in sigma space (Karras et al. 2022): x / sqrt(abar) = x_0 + sigma eps --------------------------------

ve_t = Quantity("ve_t", r"\sigma(t)", POSITIVE, sqrt((1 - abar_t) / abar_t), meaning="noise over signal at t")
ve_s = Quantity("ve_s", r"\sigma(s)", NONNEGATIVE, sqrt((1 - abar_s) / abar_s), meaning="noise over signal at s")

# -- signal over noise ----------------------------------------------------------------------------------------------------

snr_t = Quantity("snr_t", r"\operatorname{SNR}(t)", POSITIVE, abar_t / (1 - abar_t), meaning="signal over noise at t, in power")
snr_s = Quantity("snr_s", r"\operatorname{SNR}(s)", POSITIVE, abar_s / (1 - abar_s), meaning="signal over noise at s; s >= 1")

# -- what is known of the data ---------------------------------------------------------------------------------------------

data_mean = Quantity("data_mean", r"m_0", REAL, meaning="mean of the data along one direction")
data_variance = Quantity("data_variance", "c", NONNEGATIVE, meaning="variance of the data along one direction")

# -- the sampler's own choices -------------------------------------------------------------------------------------------

eta = Quantity("eta", r"\eta", UNIT, meaning="0 deterministic, 1 as DDPM")
sigma_t = Quantity("sigma_t", r"\sigma_t", NONNEGATIVE, meaning="standard deviation of the fresh noise; sigma_t**2 <= 1 - abar_s")

w = Quantity("w", "w", NONNEGATIVE, meaning="guidance weight; 0 is no guidance")

# -- vectors, one coordinate of them: every form here acts on each coordinate alike -----------------------------------------

x_0 = Quantity("x_0", r"x_0", meaning="the data")
x_s = Quantity("x_s", r"x_s", meaning="the cleaner state")
x_t = Quantity("x_t", r"x_t", meaning="the noisier state")
eps = Quantity("eps", r"\epsilon", meaning="the noise in x_t, or a network's prediction of it")
z = Quantity("z", r"z", meaning="fresh standard normal noise")
v = Quantity("v", r"v", meaning="velocity: sqrt(abar) eps - sqrt(1 - abar) x_0")


def in_base_letters(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every defined quantity replaced by its definition, down to the base letters."""
    while True:
        defined = {q: q.definition for q in expression.free_symbols if isinstance(q, Quantity) and q.definition is not None}
        if not defined:
            return expression
        expression = expression.xreplace(defined)


def in_levels(expression: sympy.Expr) -> sympy.Expr:
    """The expression over abar_t and abar_s: what a sampler's tables hold."""
    while True:
        defined = {q: q.definition for q in expression.free_symbols if q != abar_t and getattr(q, "definition", None) is not None}
        if not defined:
            return expression.xreplace({alpha_t: abar_t / abar_s})
        expression = expression.xreplace(defined)
