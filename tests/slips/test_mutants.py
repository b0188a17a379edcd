"""Every form with every slip that has a place in it is refuted with a counterexample, or is known to be equivalent.

The decisions are the engine's; each counterexample is evaluated once more with mpmath, which shares no code with it.
"""

from dataclasses import replace

import mpmath
import pytest
import sympy
from mutation_table import PAGE, SLIPS, equivalents, judge, judged, key, page
from sympy import sqrt

from verifydiff.forms import Form, Source, every_form
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t, eps, sigma_t, x_0, x_t
from verifydiff.proof import Claim
from verifydiff.proof.claim import letters_of
from verifydiff.slips import CATALOGUE, mutants
from verifydiff.verdict import Proof

FORMS = every_form()
DIGITS = (50, 1000)


def value(expression, point):
    """The expression at a point, by mpmath."""
    if expression.is_Symbol:
        definition = getattr(expression, "definition", None)
        return value(point[expression] if definition is None else definition, point)
    if expression.is_Rational:
        return mpmath.mpf(int(expression.p)) / int(expression.q)
    if expression.is_NumberSymbol:
        return +getattr(mpmath, str(expression).lower())
    operation = OPERATIONS.get(type(expression)) or getattr(mpmath, type(expression).__name__)
    return operation(*(value(argument, point) for argument in expression.args))


OPERATIONS = {
    sympy.Add: lambda *terms: mpmath.fsum(terms),
    sympy.Mul: lambda *factors: mpmath.fprod(factors),
    sympy.Pow: mpmath.power,
    sympy.Max: max,
    sympy.Min: min,
    sympy.Abs: abs,
}


def number(expression, point):
    """The expression at a point; None where it divides by zero, takes the logarithm of zero, or compares what is not real."""
    try:
        found = value(expression, point)
    except (ZeroDivisionError, ValueError, TypeError):
        return None
    return found if mpmath.isfinite(found) else None


def differ(claim, point):
    """Whether the right side is a real number at the point, and the left one something else."""
    return any(_differ(claim, point, digits) for digits in DIGITS)


def _differ(claim, point, digits):
    with mpmath.workdps(digits):
        left, right = number(claim.lhs, point), number(claim.rhs, point)
        if right is None or mpmath.im(right) != 0:
            return False
        return left is None or bool(abs(left - right) > mpmath.mpf(10) ** (5 - digits) * (abs(left) + abs(right)))


HALF = sympy.Rational(1, 2)
LEVELS = {abar_s: HALF, alpha_t: HALF, sigma_t: HALF}

JUDGED = [
    ("they differ", sqrt(abar_t), abar_t, True),
    ("they differ in the fortieth digit", abar_t, abar_t * (1 + sympy.Rational(1, 10**40)), True),
    ("the left side has no real value", sqrt(alpha_t - 1), abar_t, True),
    ("the left side divides by zero", 1 / (1 - 2 * alpha_t), abar_t, True),
    ("they agree", abar_t, alpha_t * abar_s, False),
    ("they agree here only", alpha_t, abar_s, False),
    ("the form has no real value", abar_t, sqrt(1 - abar_s - 4 * sigma_t**2), False),
    ("the form divides by zero", abar_t, 1 / (1 - 2 * alpha_t), False),
]


@pytest.mark.parametrize(("lhs", "rhs", "expected"), [case[1:] for case in JUDGED], ids=[case[0] for case in JUDGED])
def test_the_other_arithmetic_does_not_nod_through_everything(lhs, rhs, expected):
    assert differ(Claim(lhs, "==", rhs), LEVELS) is expected


def report(form, survivors):
    return f"{form} = {FORMS[form].expression}\n" + "\n".join(map(str, survivors))


@pytest.mark.parametrize("form", FORMS)
def test_every_mutant_of_a_form_is_refuted_or_known_to_be_equivalent(form):
    undecided = [f"{one}: {one.decision.remains}" for one in judged(form) if one.decision.outcome is Proof.UNDECIDED]
    assert not undecided, report(form, undecided)
    proved = [one for one in judged(form) if one.decision.outcome is Proof.PROVED and key(form, one) not in equivalents()]
    assert not proved, "equivalent without a reason in equivalents.toml: " + report(form, proved)


@pytest.mark.parametrize("form", FORMS)
def test_every_counterexample_stands_up_to_another_arithmetic(form):
    refuted = [one for one in judged(form) if one.decision.outcome is Proof.REFUTED]
    wrong = [f"{one} {one.decision.counterexample}" for one in refuted if not stands_up(one)]
    assert not wrong, "(does the form lack an `assuming`, without which it has no real value?) " + report(form, wrong)


def stands_up(one):
    """Whether the two sides differ at the counterexample; where the mutant divides by zero everywhere, at any point."""
    letters = sorted(letters_of(one.claim.lhs, one.claim.rhs), key=lambda letter: letter.name)
    anywhere = {letter: sympy.Rational(1, 3 + place) for place, letter in enumerate(letters)}
    return differ(one.claim, one.decision.counterexample.point or anywhere)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_has_mutants_and_they_come_smallest_first_and_once(form):
    found = list(mutants(FORMS[form]))
    assert found == list(mutants(FORMS[form]))
    assert [one.cost for one in found] == sorted(one.cost for one in found)
    assert len({one.expression for one in found} | {FORMS[form].expression}) == len(found) + 1 > 1


def test_a_slip_that_changes_nothing_is_proved_to_change_nothing():
    distance = Form("trial.distance", "squared distance", "d", (x_t - x_0) ** 2 / (2 * beta_t), Source("this test", "here"))
    found = list(judge(distance))
    assert [one.mutant.slip.id for one in found if one.decision.outcome is Proof.PROVED] == ["indices-swapped"]
    assert all(stands_up(one) for one in found if one.decision.outcome is Proof.REFUTED)


def test_a_form_without_its_hypothesis_is_noticed():
    bare = Form("trial.root", "a root", "r", sqrt(1 - abar_s - sigma_t**2) * eps, Source("this test", "here"))
    whole = replace(bare, assuming=(sigma_t**2 <= 1 - abar_s,))
    assert not all(stands_up(one) for one in judge(bare))
    assert all(stands_up(one) for one in judge(whole))


def test_no_entry_of_the_equivalents_is_stale():
    proved = {key(form, one) for form in FORMS for one in judged(form) if one.decision.outcome is Proof.PROVED}
    assert set(equivalents()) <= proved
    assert all(equivalents().values())


def test_the_slips_of_samplers_and_of_formulas_have_names_of_their_own():
    ids = [slip.id for slip in (*CATALOGUE, *SLIPS)]
    assert len(set(ids)) == len(CATALOGUE) + sum(slip not in CATALOGUE for slip in SLIPS)


def test_the_page_says_what_the_code_yields():
    assert PAGE.read_text() == page(), "write it anew: python -m tests.slips.mutation_table"
