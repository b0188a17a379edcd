"""The decision: what is true is proved, what is false is refuted, and what is neither is undecided; never anything else."""

from __future__ import annotations

from time import thread_time

import pytest
import sympy
from sympy import Abs, Eq, I, Max, Piecewise, Rational, Symbol, cos, erf, exp, expand, floor, log, pi, sin, sqrt, symbols, tanh

from verifydiff.forms import ddim, ddpm, euler
from verifydiff.forms.quantities import Domain, Quantity, abar_s, abar_t, alpha_t, beta_t, eta, sigma_t, ve_s, ve_t
from verifydiff.proof import Claim, claim, decide
from verifydiff.proof.counterexample import search
from verifydiff.proof.decide import forget
from verifydiff.verdict import MisuseError, Proof

x, y = symbols("x y")
p, q = symbols("p q", positive=True)
n = Symbol("n", nonnegative=True)
m = Symbol("m", negative=True)
k = Symbol("k", integer=True)
unit = Quantity("unit", domain=Domain(0, 1, closed_below=True, closed_above=True))
UNITS = [Quantity(f"unit{i}", domain=Domain(0, 1, closed_below=True, closed_above=True)) for i in range(14)]
BOUND = sigma_t**2 <= 1 - abar_s


def outcome(lhs, relation, rhs, *assuming):
    forget()
    return decide(Claim(lhs, relation, rhs, tuple(claim(one) for one in assuming))).outcome


TRUE = {
    "root of a square, real": (sqrt(x**2), "==", Abs(x)),
    "root of a square, nonnegative": (sqrt(n**2), "==", n),
    "root of a product, positive": (sqrt(p * q), "==", sqrt(p) * sqrt(q)),
    "root of a product of two negatives": (sqrt((abar_t - 1) * (abar_s - 1)), "==", sqrt(1 - abar_t) * sqrt(1 - abar_s)),
    "root of a negative square": (sqrt(m**2 * p), "==", -m * sqrt(p)),
    "defined roots multiply": (sqrt(abar_t), "==", sqrt(alpha_t) * sqrt(abar_s)),
    "roots of numbers": (sqrt(Rational(1, 2)) * sqrt(3), "==", sqrt(6) / 2),
    "nested roots of a letter": (sqrt(1 - sqrt(abar_t)) * sqrt(1 + sqrt(abar_t)), "==", sqrt(1 - abar_t)),
    "nested roots under an assumption": (sqrt(1 - sqrt(p)) * sqrt(1 + sqrt(p)), "==", sqrt(1 - p), p < 1),
    "a square under the root": (sqrt(abar_s - 2 * sqrt(abar_s * p) + p), "==", Abs(sqrt(abar_s) - sqrt(p))),
    "denesting numbers": (sqrt(3 + 2 * sqrt(2)), "==", 1 + sqrt(2)),
    "denesting letters": (sqrt(p + q + 2 * sqrt(p * q)), "==", sqrt(p) + sqrt(q)),
    "denesting a difference": (sqrt(p + 1 - 2 * sqrt(p)), "==", Abs(sqrt(p) - 1)),
    "roots of many degrees": (p ** Rational(1, 6), "==", sqrt(p) / p ** Rational(1, 3)),
    "a fourth root of a square": ((x**2) ** Rational(1, 4), "==", sqrt(Abs(x))),
    "conjugates": (1 / (sqrt(p) + sqrt(q)), "==", (sqrt(p) - sqrt(q)) / (p - q)),
    "a high power": ((x + sqrt(p)) ** 9, "==", expand((x + sqrt(p)) ** 9)),
    "cancelled, where it may": ((x**2 - 1) / (x - 1), "==", x + 1),
    "absolute values multiply": (Abs(x * y), "==", Abs(x) * Abs(y)),
    "absolute value by the domain": (Abs(abar_t - 1), "==", 1 - abar_t),
    "logarithm of a product": (log(6 * pi * p / q), "==", log(2) + log(3) + log(pi) + log(p) - log(q)),
    "logarithm of a root": (log(sqrt(p * q)), "==", (log(p) + log(q)) / 2),
    "logarithm of a square": (log(x**2), "==", 2 * log(Abs(x))),
    "exponentials multiply": (exp(x) * exp(y), "==", exp(x + y)),
    "exponential of a sum first": (exp(x + y) / exp(y), "==", exp(x)),
    "exponential of a logarithm": (exp(log(p) / 2 + x), "==", sqrt(p) * exp(x)),
    "exponentials of many parts": (exp(x) * exp(173 * x / 210 + y), "==", exp(y) * exp(x) * exp(173 * x / 210)),
    "powers of a letter": (p**x * p**y, "==", p ** (x + y)),
    "a number to a letter": (4**x, "==", 2 ** (2 * x)),
    "closed end not reached by assumption": (0, "<", 1 - abar_s, abar_s < 1),
    "levels are ordered": (abar_t, "<", abar_s),
    "noise levels are ordered": (ve_s, "<", ve_t),
    "a root against its letter": (abar_s, "<=", sqrt(abar_s)),
    "two roots": (1 - sqrt(abar_t), "<=", sqrt(1 - abar_t)),
    "a radicand that is a sum of squares": (sqrt((x + y) ** 4 + 1) ** 2, "==", (x + y) ** 4 + 1),
    "a root of a sum of squares": (sqrt((x + abar_s) ** 2 + 1) * sqrt(4), "==", sqrt(4 * (x + abar_s) ** 2 + 4)),
    "a sum of squares": (2 * x * y, "<=", x**2 + y**2),
    "a discriminant": (0, "<", x**2 - x + 1),
    "a discriminant of the letter that tells most": (0, "<", p**2 + (q - x) ** 2),
    "a square may vanish": (0, "<=", x**2 - 2 * x + 1),
    "variances are ordered": (ddpm.posterior_variance.expression, "<=", beta_t),
    "eta stays in its bound": (ddim.sigma.expression**2, "<=", 1 - abar_s),
    "an assumption": (sigma_t, "<=", 1, BOUND),
    "an assumption about another level": (sigma_t**2, "<=", 1 - abar_t, BOUND),
    "unit interval, both ends closed": (unit * (1 - unit), "<=", Rational(1, 4)),
    "numbers": (log(2), "<", 1),
    "integers": (k, "<", k + 1),
    "an assumption that is true by definition": (0, "<", alpha_t, Claim(beta_t, "<=", 1 - alpha_t)),
    "an assumption about nothing": (0, "<", alpha_t, Claim(x, "<=", x)),
    "an exponential below one": (exp(-p), "<", 1),
    "what an exponential leaves": (0, "<", 1 - exp(-p)),
    "an exponential above one": (1, "<=", exp(n)),
    "an exponential of a fraction": (exp(-p / x**2), "<", 1),
    "a logarithm below zero": (log(abar_t), "<", 0),
    "a logarithm above zero": (0, "<", log(1 + p)),
    "a logarithm that may vanish": (log(abar_s), "<=", 0),
    "a reciprocal of a square": (0, "<", 1 / x**2),
    "a reciprocal that has no value at the end": (0, "<", 1 / (1 - abar_s)),
    "a cube of many bounded letters": (0, "<=", sum(UNITS) ** 3),
    "a product of many bounded letters": (sympy.Mul(*[1 + u**3 for u in UNITS[:9]]), "<=", 512),
    "a high power of a letter": (p ** (unit**10), "==", p ** (unit**10)),
}  # fmt: skip


@pytest.mark.parametrize("case", TRUE.values(), ids=TRUE)
def test_what_is_true_is_proved(case):
    assert outcome(*case) is Proof.PROVED


FALSE = {
    "root of a square, unknown sign": (sqrt(x**2), "==", x),
    "root of a square, sign changes": (sqrt((1 - 2 * abar_s) ** 2), "==", 1 - 2 * abar_s),
    "root of a product, unknown signs": (sqrt(x * y), "==", sqrt(x) * sqrt(y)),
    "root of a negative": (sqrt(abar_t - 1) + 1, "==", sqrt(abar_t - 1) + 1),
    "root of a negative on both sides": (sqrt(x), "==", sqrt(x)),
    "root of a negative far out": (sqrt(1000 - p), "==", sqrt(1000 - p)),
    "root of what the assumption would allow": (sqrt(1 - abar_s - sigma_t**2), "==", sqrt(1 - abar_s - sigma_t**2)),
    "nested root without the assumption": (sqrt(1 - sqrt(p)) * sqrt(1 + sqrt(p)), "==", sqrt(1 - p)),
    "logarithm of a negative": (log(x**2), "==", 2 * log(x)),
    "a denominator that is zero everywhere": (1 / ((x + 1) ** 2 - x**2 - 2 * x - 1), "==", 1),
    "a hidden denominator that is zero everywhere": (1 / (sqrt(x**2) - Abs(x)), "==", 1),
    "true at the first points": (x * (x - 1) * (x + 1) * (x - 2) * (x + 2) * (2 * x - 1) * (2 * x + 1), "==", 0),
    "right at one level only": (alpha_t, "==", Rational(1, 2)),
    "nearly": (pi, "==", Rational(355, 113)),
    "very nearly": (exp(pi * sqrt(163)), "==", 262537412640768744),
    "by a hair": (x, "==", x + Rational(1, 10**60)),
    "closed upper end": (0, "<", 1 - abar_s),
    "closed lower end": (0, "<", unit),
    "both ends": (0, "<", unit * (1 - unit)),
    "a square may vanish": (0, "<", x**2 - 2 * x + 1),
    "levels the wrong way": (abar_s, "<=", abar_t),
    "a parabola": (0, "<=", x**2 - x),
    "integers": (k, "<", 1),
    "a function that is evaluated only": (tanh(x), "==", x),
    "an extreme that is evaluated only": (Max(p, q), "==", p),
    "outside the assumption": (sigma_t**2, "<=", 1 - abar_s),
    "within the assumption": (sigma_t, "<=", 1 - abar_s, BOUND),
    "exponentials do not add": (exp(x) + exp(y), "==", exp(x + y)),
    "an exponential that may reach one": (exp(-n), "<", 1),
    "an exponential of any sign": (1, "<=", exp(x)),
    "a logarithm that may reach zero": (log(abar_s), "<", 0),
    "a logarithm of either sign": (0, "<=", log(p)),
    "a square over a square that both vanish": ((x - y) ** 2 / x**2, "<", 0),
    "a fraction whose numerator may vanish": (0, "<", (x - y) ** 2 / x**2),
    "a root beside nothing": (sqrt(abar_s**2 + 1) * sqrt(p), "<", 0),
    "reciprocal of a square": (1 / x**2, "<", 1),
}  # fmt: skip


@pytest.mark.parametrize("case", FALSE.values(), ids=FALSE)
def test_what_is_false_is_refuted(case):
    assert outcome(*case) is Proof.REFUTED


def test_a_sum_of_squares_that_can_vanish_is_not_called_positive():
    assert outcome(0, "<", x**2 + (q - p) ** 2) is not Proof.PROVED


UNDECIDED = {
    "sine and cosine": ((sin(x) ** 2 + cos(x) ** 2, "==", 1), "does not decide"),
    "a true statement about an error function": ((erf(-x), "==", -erf(x)), "x"),
    "floor": ((floor(p), "<=", p), "floor"),
    "piecewise": ((Piecewise((x, x > 0), (0, True)), "==", x), "Piecewise"),
    "complex": ((I * x, "==", x), "complex"),
    "a function nobody knows": ((sympy.Function("f")(x), "==", x), "f(x)"),
    "assumptions that contradict each other": ((x, "==", y, x < 0, x > 0), ""),
    "too many letters": ((sum(symbols("a:70")), "==", 0), ""),
}


@pytest.mark.parametrize(("case", "reason"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_is_neither_is_undecided_with_a_reason(case, reason):
    lhs, relation, rhs, *assuming = case
    decision = decide(Claim(lhs, relation, rhs, tuple(map(claim, assuming))))
    if reason == "" and decision.outcome is Proof.REFUTED:
        assert lhs != rhs  # a counterexample beats a reason
        return
    assert decision.outcome is Proof.UNDECIDED
    assert reason in decision.remains


MISUSE = {
    "a float": (lambda: Claim(x, "==", sympy.Float("0.5") * x), "float"),
    "a Python float": (lambda: Claim(0.5, "==", x), "float"),
    "infinity": (lambda: Claim(x, "<", sympy.oo), "infinity"),
    "nan": (lambda: Claim(sympy.nan, "==", x), "infinity or a nan"),
    "text": (lambda: Claim("x", "==", x), "no SymPy expression"),
    "a truth value": (lambda: claim(True), "relation"),
    "an assumption that is no list": (lambda: Claim(x, "<", 2, x < 1), "takes a list"),
    "an assumption to be added that is no list": (lambda: claim(x < 2, assuming=x < 1), "takes a list"),
    "a relation that does not exist": (lambda: Claim(x, ">", y), "one of"),
    "one name, two letters": (lambda: decide(Claim(x, "==", Symbol("x", positive=True))), "two different symbols are called x"),
    "one name, letter and definition": (lambda: decide(Claim(abar_t, "==", Symbol("abar_t"))), "symbols are called abar_t"),
}  # fmt: skip


@pytest.mark.parametrize(("act", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_told_in_one_line(act, message):
    with pytest.raises(MisuseError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_two_letters_of_one_name_do_not_spoil_the_next_claim():
    with pytest.raises(MisuseError):
        decide(Claim(x, "==", Symbol("x", positive=True)))
    assert decide(Claim(x + 0 * y, "==", x)).outcome is Proof.PROVED
    other = Symbol("x", positive=True)
    assert decide(Claim(sqrt(other) ** 4, "==", other**2)).outcome is Proof.PROVED


# -- conditions ----------------------------------------------------------------------------------------------------------


def conditions(lhs, rhs, *assuming):
    return {str(one): one.holds for one in decide(Claim(lhs, "==", rhs, tuple(map(claim, assuming)))).conditions}


def test_a_division_is_a_condition_and_says_whether_the_domains_see_to_it():
    assert conditions(1 / x, 1 / x) == {"x != 0": False}
    assert conditions(1 / p, 1 / p) == {"p != 0": True}
    assert conditions((1 - abar_s) ** 2 / (1 - abar_s), 1 - abar_s) == {}  # SymPy has cancelled before anyone could see
    assert conditions(1 / (1 - abar_s), 1 / (1 - abar_s)) == {"1 - abar_s != 0": False}
    assert conditions(1 / (1 - abar_s), 1 / (1 - abar_s), abar_s < 1) == {"1 - abar_s != 0": True}


def test_a_strict_inequality_holds_where_its_denominator_is_not_zero():
    decision = decide(Claim(0, "<", 1 / x**2))
    assert {str(one): one.holds for one in decision.conditions} == {"x != 0": False}


def test_the_logarithm_of_an_even_power_holds_where_the_base_is_not_zero():
    assert conditions(log(x**2), log(3 * x**2) - log(3)) == {"x != 0": False}
    assert conditions(log(sigma_t**2) + 1, log(sigma_t**2 * sympy.E))["sigma_t != 0"] is False
    assert all(conditions(log(abar_t**2), 2 * log(abar_t)).values())


def test_a_divisor_too_large_to_factor_is_a_condition_as_it_stands():
    assert conditions((x**100 + 2) / (x**100 + 1), 1 + 1 / (x**100 + 1)) == {"x**100 + 1 != 0": True}


def test_a_condition_prints_as_latex():
    condition = decide(Claim(1 / (1 - abar_s), "==", 1 / (1 - abar_s))).open_conditions[0]
    assert condition.latex() == r"1 - \bar\alpha_s \ne 0"


# -- counterexamples -----------------------------------------------------------------------------------------------------


def test_a_counterexample_is_a_schedule():
    found = decide(Claim(ddpm.posterior_variance.expression, "==", beta_t)).counterexample
    assert found is not None
    assert {str(symbol): str(value) for symbol, value in found.point.items()} == {"abar_s": "1/2", "alpha_t": "2/3"}
    assert {str(symbol): value for symbol, value in found.derived.items()} == {"abar_t": "1/3", "beta_t": "1/3"}
    assert (found.lhs, found.rhs, found.difference) == ("1/4", "1/3", "-1/12")


def test_a_counterexample_can_be_checked_by_hand():
    for lhs, relation, rhs, *assuming in FALSE.values():
        found = decide(Claim(lhs, relation, rhs, tuple(map(claim, assuming)))).counterexample
        if not found.difference:
            continue
        values = [sympy.N(_based(side).subs(found.point), 60) for side in (sympy.sympify(lhs), sympy.sympify(rhs))]
        gap = values[0] - values[1]
        assert {"==": gap != 0, "<=": gap > 0, "<": gap >= 0}[relation], (lhs, rhs, found)


def _based(expression):
    from verifydiff.forms.quantities import in_base_letters

    return in_base_letters(expression)


def test_a_counterexample_keeps_to_the_assumptions():
    found = decide(Claim(sigma_t, "<=", 1 - abar_s, (claim(BOUND),))).counterexample
    assert found.point[sigma_t] ** 2 <= 1 - found.point[abar_s] < found.point[sigma_t]


def test_a_counterexample_keeps_to_the_domain():
    even = Symbol("even", even=True, positive=True)
    found = decide(Claim(even, "==", 1)).counterexample
    assert found.point[even] % 2 == 0
    assert found.point[even] > 0


def test_the_root_of_a_negative_number_is_named_with_its_schedule():
    found = decide(Claim(sqrt(1 - abar_s / abar_t), "==", 0)).counterexample
    assert found.lhs == "undefined"
    assert "root of the negative number -1/2" in found.reason
    assert {str(symbol) for symbol in found.derived} == {"abar_t", "beta_t"}


def test_a_point_at_which_the_other_side_divides_by_zero_refutes_nothing():
    """At p = 2 the left side takes the root of -1, but the right side has no value there either."""
    found = decide(Claim(sqrt(1 - p), "==", (1 - p) / (p - 2))).counterexample
    assert found.point == {p: Rational(1, 2)}


def test_the_search_is_the_same_every_time():
    wrong = Claim(ddim.sigma.expression, "==", eta * sqrt(beta_t))
    assert search(wrong, 1e12).found == search(wrong, 1e12).found


def test_assumptions_may_be_relations_and_are_added_to_a_claim():
    assert Claim(x, "<", 2, [x < 1]) == Claim(x, "<", 2, (claim(x < 1),)) == claim(x < 2, assuming=[x < 1])
    assert claim(Claim(x, "<", 2, (y < 1,)), assuming=[x < 1]).assuming == (claim(y < 1), claim(x < 1))


def test_an_assumption_that_no_point_fulfils_proves_nothing():
    assert outcome(1 / p, "==", 1 / p, p > 3, p < 2) is Proof.UNDECIDED


# -- hostile -------------------------------------------------------------------------------------------------------------


def _long(shift):
    letters = symbols("u:6", positive=True)
    return sum(
        (7 * i + shift) * sympy.Mul(*[u ** ((i * (j + 3) + shift) % 9) for j, u in enumerate(letters)]) for i in range(1, 150)
    )


HOSTILE = {
    "a power of powers": ((1 + x + y + p + q) ** 300, (1 + x + y + p + q) ** 300),
    "a tower of roots": (sqrt(1 + sqrt(1 + sqrt(1 + sqrt(1 + sqrt(p))))), p),
    "a continued fraction": (1 / (1 + 1 / (1 + 1 / (1 + 1 / (1 + 1 / (1 + p))))), p),
    "a huge number": (sympy.Integer(7) ** 90000 * x, x),
    "a huge exponent": (x ** (10**12), x),
    "a root of a huge number": (sqrt(sympy.Integer(10) ** 90 + 7), x),
    "a huge exponent with a root": (p ** Rational(10**12 + 1, 2), p ** Rational(10**12 + 1, 2)),
    "a tower of powers": (((x**9999 + 1) ** 9999 + 1) ** 9999, x),
    "a root of a huge degree": (p ** (unit**10), 1 + p),
    "a root of two large primes": (sqrt(p * (10**28 + 331) * (10**27 + 103)), p),
    "common denominators of long sums": (sum(1 / _long(shift) for shift in range(3)), x),
    "many roots": (sum(sqrt(1 + Symbol(f"r{i}", positive=True)) for i in range(40)), 0),
    "a product of sums": (sympy.Mul(*[sum(Symbol(f"s{i}_{j}") for j in range(8)) for i in range(8)]), 1),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_what_is_hostile_ends_without_a_wrong_answer(case):
    lhs, rhs = case
    assert decide(Claim(lhs, "==", rhs), seconds=1.0).outcome is not Proof.PROVED or lhs == rhs


def test_a_sign_that_takes_too_long_ends_at_the_time_limit():
    many = sympy.Mul(*[1 - Symbol(f"free{i}", nonnegative=True) ** 2 * u**2 for i, u in enumerate(UNITS[:6])])
    began = thread_time()
    assert decide(Claim(0, "<=", many + 1), seconds=0.5).outcome is not Proof.PROVED
    assert thread_time() - began < 4


def test_what_is_nested_too_deeply_for_the_search_is_undecided():
    fraction, root = x, p
    for _ in range(150):
        fraction, root = sympy.Add(1, sympy.Pow(fraction, -1, evaluate=False), evaluate=False), sqrt(1 + root)
    assert outcome(fraction, "==", x) is Proof.UNDECIDED
    assert outcome(root, "==", p) is Proof.UNDECIDED


def test_what_is_nested_too_deeply_is_refused_or_undecided():
    deep = x
    for _ in range(250):
        deep = sympy.Add(1, sympy.Pow(deep, -1, evaluate=False), evaluate=False)
    try:
        decision = decide(Claim(deep, "==", x))
    except MisuseError:
        return
    assert decision.outcome is not Proof.PROVED


# -- what is known helps nobody ------------------------------------------------------------------------------------------


def test_decisions_do_not_depend_on_earlier_claims():
    cases = [*TRUE.values(), *FALSE.values()]
    alone = [outcome(*case) for case in cases]
    forget()
    together = [decide(Claim(a, r, b, tuple(map(claim, rest)))).outcome for a, r, b, *rest in reversed(cases)]
    assert alone == together[::-1]


def test_an_equality_is_no_assumption():
    decision = decide(Claim(x, "==", y, (claim(Eq(x, y)),)))
    assert decision.outcome is Proof.UNDECIDED


def test_euler_up_and_down_make_up_the_level():
    up, down = euler.sigma_up.expression, euler.sigma_down.expression
    assert outcome(up**2 + down**2, "==", ve_s**2) is Proof.PROVED
    assert outcome(up + down, "==", ve_s) is Proof.REFUTED


POWERS = {
    "one more than a symbolic power": (lambda c, u, n: (c ** (2 * n + 1), c * c ** (2 * n)), Proof.PROVED),
    "of a quotient": (lambda c, u, n: ((c / u) ** (2 * n + 1), c / u * (c / u) ** (2 * n)), Proof.PROVED),
    "in an exponential": (lambda c, u, n: (sympy.exp((n + 3) * sympy.log(c) - sympy.log(u)), c**3 / u * c**n), Proof.PROVED),
    "a half more": (lambda c, u, n: (c ** (n + sympy.Rational(1, 2)), sympy.sqrt(c) * c**n), Proof.PROVED),
    "the symbolic part forgotten": (lambda c, u, n: (c ** (2 * n + 1), c * c**n), Proof.REFUTED),
    "the one forgotten": (lambda c, u, n: (c ** (2 * n + 1), c ** (2 * n)), Proof.REFUTED),
}


@pytest.mark.parametrize(("make", "outcome"), POWERS.values(), ids=POWERS)
def test_a_symbolic_power_gives_up_its_rational_part(make, outcome):
    c, u, n = (Quantity(name, domain=Domain(lower=0)) for name in ("c", "u", "n"))
    lhs, rhs = make(c, u, n)
    assert decide(Claim(lhs, "==", rhs)).outcome is outcome


def test_one_letter_made_twice_is_one_letter():
    once, twice = (Quantity("c", domain=Domain(lower=0)) for _ in range(2))
    assert once == twice
    assert decide(Claim(sympy.sqrt(once) * twice**y, "==", once ** (y + Rational(1, 2)))).outcome is Proof.PROVED
    assert Quantity("c", domain=Domain(lower=0, closed_below=True)) != once


def test_a_side_whose_roots_cancel_is_shown_as_zero():
    """Its value is a ball around 0, of which no digit is certain."""
    forget()
    cancels = sqrt(abar_t) * sqrt(1 - abar_t) - sqrt(abar_t - abar_t**2)
    assert decide(Claim(cancels, "==", sqrt(abar_t))).counterexample.lhs == "0"
