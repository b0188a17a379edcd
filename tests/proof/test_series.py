"""Taylor coefficients by the arithmetic of series: compared with SymPy's derivatives, which share nothing with it."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, exp, log, sqrt

from verifydiff.proof import letter
from verifydiff.proof.series import coefficients
from verifydiff.verdict import MisuseError

u, k = letter("u"), letter("k")

FUNCTIONS = [
    u**3 - k * u + 2,
    exp(k * u) * (1 + u) ** 2,
    exp(u**2 - u) / (2 + u),
    log(1 + k**2 + u) ** 2,
    sqrt(3 + u) * (5 - u) ** Rational(-3, 2),
    (1 + u) ** (k + u),
    (2 + u) ** -3 + k,
    sympy.Integer(7) * k,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
@pytest.mark.parametrize("point", [sympy.Integer(0), Rational(1, 3), k**2])
def test_coefficients_are_derivatives_over_factorials(function, point):
    values = {k: Rational(2, 7)}
    found = coefficients(function, u, point, 4)
    assert len(found) == 5
    for order, one in enumerate(found):
        derivative = function.diff(u, order) if order else function
        expected = (derivative / sympy.factorial(order)).xreplace({u: point}).xreplace(values)
        assert abs(sympy.N(one.xreplace(values) - expected, 30)) < 1e-20


@pytest.mark.parametrize("function", [1 / u, log(u), sqrt(u), u**k])
def test_no_value_at_the_point_is_refused(function):
    with pytest.raises(MisuseError, match="no value at the point"):
        coefficients(function, u, sympy.Integer(0), 2)


def test_what_is_not_elementary_is_refused():
    with pytest.raises(MisuseError, match="not known to be analytic"):
        coefficients(sympy.Abs(u), u, sympy.Integer(1), 2)
