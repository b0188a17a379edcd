"""The shipped derivations: all proved, one for every form, and none that would also prove something else."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import sympy

from verifydiff.forms import every_form
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, in_base_letters
from verifydiff.proof import decide, load, prove
from verifydiff.proof.loading import shipped
from verifydiff.verdict import Proof

SHIPPED = {one.id: one for one in load([shipped()])}
MISPRINTS = {one.id: one for one in load([Path(__file__).with_name("misprints.py")])}
PAGES = {name: one for name, one in SHIPPED.items() if one.form}


@cache
def proved(name):
    """The shipped derivation's page, written and judged once for all tests that read it."""
    return SHIPPED[name].prove()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_derivation_is_proved(name):
    assert proved(name).outcome is Proof.PROVED, proved(name).blame


def test_every_form_has_a_derivation():
    assert set(every_form()) <= {one.form.id for one in PAGES.values()}


MUTANTS = {
    "doubled": lambda expression: 2 * expression,
    "other sign": lambda expression: -expression,
    "shifted": lambda expression: expression + sympy.Rational(1, 10**9),
    "nearly": lambda expression: expression * (1 + sympy.Rational(1, 10**12)),
    "wrong level": lambda expression: expression.xreplace({abar_t: abar_s}),
    "lost bar": lambda expression: expression.xreplace({abar_t: alpha_t}),
}


MUTATED = {
    f"{name}, {what}": (name, mutant)
    for name, one in PAGES.items()
    for what, mutate in MUTANTS.items()
    if (mutant := mutate(one.form.expression)) != one.form.expression
}


@pytest.mark.parametrize(("name", "mutant"), MUTATED.values(), ids=MUTATED)
def test_no_derivation_proves_a_mutant_of_its_form(name, mutant):
    """What a page concludes with does not depend on the form, so it is derived once and held against each mutant."""
    conclusion = next(step for step in proved(name).steps if step.rule == "conclusion")
    claim = conclusion.checks[0].claim
    assert claim.rhs == PAGES[name].form.expression
    assert decide(replace(claim, rhs=mutant)).outcome is Proof.REFUTED


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_mutant_fails_at_its_conclusion(name):
    """The whole page anew, with a form that differs in the twelfth digit."""
    form = PAGES[name].form
    again = replace(PAGES[name], form=replace(form, expression=MUTANTS["nearly"](form.expression))).prove()
    assert again.outcome is Proof.REFUTED
    assert again.blame[0].rule == "conclusion"


@pytest.mark.parametrize("derivation", MISPRINTS.values(), ids=MISPRINTS)
def test_a_misprint_is_refuted_with_a_counterexample(derivation):
    refuted = derivation.prove()
    assert refuted.outcome is Proof.REFUTED
    assert refuted.counterexample.point
    assert refuted.counterexample.reason


def mistakes():
    for name in SHIPPED:
        for step in proved(name).steps:
            if step.rule == "misprint":
                yield name, step.checks[0]


def test_what_a_page_calls_a_mistake_fails_at_its_counterexample_in_sympy_too():
    seen = 0
    for name, check in mistakes():
        found = check.decision.counterexample
        values = {letter: sympy.Rational(value) for letter, value in found.point.items()}
        lhs, rhs = (in_base_letters(side).xreplace(values).evalf(30) for side in (check.claim.lhs, check.claim.rhs))
        real = lhs.is_real and rhs.is_real
        differs = {"==": lhs != rhs, "<=": real and lhs > rhs, "<": real and lhs >= rhs}[check.claim.relation]
        assert not real or (differs and abs(lhs - rhs) > sympy.Float("1e-20")), (name, check.statement)
        seen += 1
    assert seen >= 25


def test_there_are_misprints_enough():
    assert len(MISPRINTS) >= 15


@pytest.mark.parametrize("name", SHIPPED)
def test_a_page_is_fit_to_be_read(name):
    page = proved(name)
    assert page.idea
    assert page.source
    for step in page.steps:
        assert step.because
        assert step.latex
        assert "undecided" not in {check.decision.outcome for check in step.checks}


def test_derivations_only_use_forms_and_proofs_and_never_print_or_assert():
    for file in shipped().glob("*.py"):
        text = file.read_text()
        assert text.startswith(('r"""', '"""')), file
        for word in (r"\bassert ", r"\bprint\(", r"\bimport derivations", r"\bfrom derivations"):
            assert not re.search(word, text), (file, word)


def test_the_whole_is_proved_in_one_go_and_leaves_the_precision_of_flint_alone():
    from flint import ctx

    before = ctx.prec
    proofs = prove()
    assert proofs.outcome is Proof.PROVED
    assert {one.id for one in proofs.claims} == set(SHIPPED)
    MISPRINTS["misprint.beta_for_beta_tilde"].prove()
    assert ctx.prec == before
