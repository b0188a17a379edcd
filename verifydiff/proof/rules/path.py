r"""The fundamental theorem of calculus along a path.

What moves along a path, such as the state of an ordinary differential equation of which nothing is known but its slope,
changes between two ends by the integral of its slope. Its values at the ends are letters, and so is the integral.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from ...forms.quantities import REAL, in_base_letters
from ...verdict import MisuseError
from ..claim import Claim, exact, letters_of
from ..step import Check
from ..tower import domain_of
from ..writer import Writer, tex

Ends = Mapping[sympy.Symbol, Any]


class PathRules(Writer):
    """What a page can say of a path between two ends."""

    def travel(
        self, quantity: Any, along: sympy.Symbol, slope: Any, start: Ends, end: Ends, integral: sympy.Symbol, because: str
    ) -> Claim:
        """What the quantity gains from the start of a path to its end is the integral of its slope; returns that equation.

        .. code-block:: python

            d.depends(lam, {y: y * E}, "the equation")
            d.travel(log(y), lam, E, {lam: lam_t, y: y_t}, {lam: lam_s, y: y_s}, total, "integrate it")

        Args:
            quantity: what is followed; the slopes of its letters are those of ``depends``.
            along: the letter that runs.
            slope: the derivative of the quantity.
            start, end: the value of ``along``, and a letter for the value of whatever else moves in the quantity. One letter is
                one value: of the same thing, at the same place, wherever the page says it.
            integral: the letter that stands for the integral of the slope.
            because: the justification.

        Raises:
            MisuseError: if something that moves has no value at an end, or a letter already means something else.
        """
        quantity, slope = in_base_letters(exact(quantity)), in_base_letters(exact(slope))
        moving = {one for one in letters_of(quantity) if self._moves(one, along)}
        self._on_the_whole_line(along, *moving)
        values = [self._end(along, moving, place) for place in (start, end)]
        checks = self._smooth(quantity, self._slope(quantity, along), slope, moving | {along})
        for place in (start, end):
            checks += self._in_domain(along, exact(place[along]))
        constants = {one for one in letters_of(slope) if not self._moves(one, along)}
        at_ends = letters_of(*(value for place in values for value in place.values()))
        self._let_stand(integral, constants | at_ends)
        gained = quantity.xreplace(values[1]) - quantity.xreplace(values[0])
        result = Claim(gained, "==", integral)
        lower, upper = (exact(place[along]) for place in (start, end))
        self._write(
            "fundamental theorem", because, checks,
            lambda: f"{gained} = {integral} = int_{lower}^{upper} {slope} d{along}",
            lambda: rf"{tex(gained)} = {tex(integral)} = \int_{{{tex(lower)}}}^{{{tex(upper)}}} {tex(slope)}\,d{tex(along)}",
            "the quantity is differentiable along the path, and its slope is integrable there",
        )  # fmt: skip
        return result

    def _end(self, along: sympy.Symbol, moving: set[sympy.Symbol], place: Ends) -> dict[sympy.Symbol, sympy.Expr]:
        """The values at one end, each letter of them with one meaning on the whole page."""
        if along not in place or not moving <= set(place):
            missing = min({along, *moving} - set(place), key=str)
            raise MisuseError(f"{missing} moves along the path and has no value at an end of it.")
        where = exact(place[along])
        values = {along: where}
        if any(self._moves(one, along) for one in letters_of(where)):
            raise MisuseError(f"an end of the path must not move along {along}, got {where}.")
        for one in sorted(set(place) - {along}, key=str):
            value = place[one]
            if one not in moving:
                raise MisuseError(f"{one} does not move in the quantity, so that it has no values at the ends.")
            self._refuse_defined(value)
            meaning = one, along, where
            known = self._ends.get(value)
            if known is None and (self._has_a_meaning(value) or value in (moving | {along}) or meaning in self._ends.values()):
                raise MisuseError(f"{value} cannot stand for {one} at {along} = {where}: that, or {value}, has a name already.")
            if known not in (None, meaning) or domain_of(value) not in (domain_of(one), REAL):
                raise MisuseError(f"{value} cannot stand for {one} at {along} = {where}: it means something else.")
            self._ends[value] = meaning
            values[one] = value
        return values

    def _smooth(self, quantity: Any, derived: sympy.Expr, slope: Any, moving: set[sympy.Symbol]) -> list[Check]:
        """The quantity has the slope, and both have values all along the path."""
        checks = [self._decide("it has a value", quantity, "==", quantity), self._decide("its slope", derived, "==", slope)]
        left = [condition.expression for check in checks for condition in check.decision.open_conditions]
        return checks + [self._nonzero(one) for one in left if moving & letters_of(one)]

    def _let_stand(self, integral: sympy.Symbol, depends_on: set[sympy.Symbol]) -> None:
        self._refuse_defined(integral)
        if domain_of(integral) != REAL or integral in depends_on or self._has_a_meaning(integral):
            raise MisuseError(f"{integral} cannot stand for an integral: that takes a real letter without another meaning.")
        self._variables[integral] = frozenset(depends_on)
