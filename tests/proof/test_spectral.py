"""Functions of one symmetric matrix, by its eigenvalues."""

from __future__ import annotations

import pytest

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, UNIT, abar_t
from verifydiff.proof import Page, letter
from verifydiff.verdict import MisuseError, Proof


@pytest.mark.parametrize(("domain", "kind"), [(POSITIVE, "positive definite"), (NONNEGATIVE, "semidefinite"), (None, "symmetric")])
def test_an_eigenvalue_stands_for_the_matrix(domain, kind):
    d, c = Page(), letter("c", domain=domain) if domain else letter("c")
    assert d.spectral("C", c, "why") == c
    assert kind in d.steps[-1].rests_on
    d.equal((c + 1) ** 2, c**2 + 2 * c + 1, "an identity between functions of it")
    assert d.steps[-1].outcome is Proof.PROVED


def test_what_holds_for_one_eigenvalue_only_is_refuted():
    d, c = Page(), letter("c", domain=POSITIVE)
    d.spectral("C", c, "why")
    d.equal(c**2, 1, "a matrix whose square is the identity")
    assert d.steps[-1].outcome is Proof.REFUTED


def test_an_eigenvalue_is_a_letter_of_its_own():
    d, c = Page(), letter("c", domain=POSITIVE)
    with pytest.raises(MisuseError, match="defined by other letters"):
        d.spectral("C", abar_t, "why")
    with pytest.raises(MisuseError, match="an eigenvalue is"):
        d.spectral("C", letter("u", domain=UNIT), "why")
    d.assume(c < 1, "narrowed")
    with pytest.raises(MisuseError, match="all values"):
        d.spectral("C", c, "why")
