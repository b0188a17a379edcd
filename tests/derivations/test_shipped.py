"""The shipped derivations: all proved, one for every form, and none that would also prove something else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from verifydiff import forms
from verifydiff.proof import load, prove
from verifydiff.proof.loading import shipped
from verifydiff.verdict import Proof

SHIPPED = {one.id: one for one in load([shipped()])}
MISPRINTS = {one.id: one for one in load([Path(__file__).with_name("misprints.py")])}
FORMS = forms.table()


@pytest.mark.parametrize("derivation", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_derivation_is_proved(derivation):
    proved = derivation.prove()
    assert proved.outcome is Proof.PROVED, proved.blame


def test_every_form_has_a_derivation():
    assert set(FORMS) <= {one.form.id for one in SHIPPED.values() if one.form}


MUTANTS = {
    "doubled": lambda expression: 2 * expression,
    "other sign": lambda expression: -expression,
    "shifted": lambda expression: expression + sympy.Rational(1, 10**9),
    "nearly": lambda expression: expression * (1 + sympy.Rational(1, 10**12)),
    "wrong level": lambda expression: expression.xreplace({forms.quantities.abar_t: forms.quantities.abar_s}),
    "lost bar": lambda expression: expression.xreplace({forms.quantities.abar_t: forms.quantities.alpha_t}),
}


MUTATED = {
    f"{one.id}, {name}": (one, mutant)
    for one in SHIPPED.values()
    if one.form
    for name, mutate in MUTANTS.items()
    if (mutant := mutate(one.form.expression)) != one.form.expression
}


@pytest.mark.parametrize(("derivation", "mutant"), MUTATED.values(), ids=MUTATED)
def test_no_derivation_proves_a_mutant_of_its_form(derivation, mutant):
    proved = replace(derivation, form=replace(derivation.form, expression=mutant)).prove()
    assert proved.outcome is Proof.REFUTED
    assert proved.blame[0].rule == "conclusion"


@pytest.mark.parametrize("derivation", MISPRINTS.values(), ids=MISPRINTS)
def test_a_misprint_is_refuted_with_a_counterexample(derivation):
    proved = derivation.prove()
    assert proved.outcome is Proof.REFUTED
    assert proved.counterexample.point
    assert proved.counterexample.reason


def test_there_are_misprints_enough():
    assert len(MISPRINTS) >= 15


@pytest.mark.parametrize("derivation", SHIPPED.values(), ids=SHIPPED)
def test_a_page_is_fit_to_be_read(derivation):
    proved = derivation.prove()
    assert proved.idea
    assert proved.source
    for step in proved.steps:
        assert step.because
        assert step.latex
        assert "undecided" not in {check.decision.outcome for check in step.checks}


def test_derivations_only_use_forms_and_proofs_and_never_print_or_assert():
    for file in shipped().glob("*.py"):
        text = file.read_text()
        assert text.startswith(('r"""', '"""')), file
        for word in (r"\bassert ", r"\bprint\(", r"\bimport derivations", r"\bfrom derivations"):
            assert not re.search(word, text), (file, word)


def test_the_whole_is_proved_in_one_go():
    proofs = prove()
    assert proofs.outcome is Proof.PROVED
    assert {one.id for one in proofs.claims} == set(SHIPPED)


def test_deciding_leaves_the_precision_of_flint_alone():
    from flint import ctx

    before = ctx.prec
    prove()
    MISPRINTS["misprint.beta_for_beta_tilde"].prove()
    assert ctx.prec == before
