"""One symmetric matrix, by its eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import sqrt

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, UNIT, abar_t, data_variance
from verifydiff.proof import Page, letter
from verifydiff.verdict import MisuseError, Proof

c = data_variance


def test_an_identity_between_functions_of_the_matrix_is_one_of_its_eigenvalue():
    page = Page()
    page.spectral("C", c, "why")
    page.equal(1 - abar_t * c / (abar_t * c + 1 - abar_t), (1 - abar_t) / (abar_t * c + 1 - abar_t), "Woodbury")
    page.equal(sqrt(c) ** 2, c, "the root of a matrix that has one")
    page.at_most(c / (1 + c), 1, "an order, too")
    assert {step.outcome for step in page.steps} == {Proof.PROVED}
    assert "eigenvector" in page.steps[0].rests_on


def test_what_fails_for_an_eigenvalue_is_refuted():
    page = Page()
    page.spectral("C", c, "why")
    page.equal(c**2, c, "a covariance is no projection")
    assert page.steps[-1].outcome is Proof.REFUTED


MISUSE = {
    "a letter between bounds": (lambda d: d.spectral("C", letter("u", domain=UNIT), "why"), "an eigenvalue is real"),
    "a letter that is not every eigenvalue": (lambda d: d.spectral("C", abar_t, "why"), "defined by other letters"),
    "no letter": (lambda d: d.spectral("C", c + 1, "why"), "a letter is needed"),
    "two matrices that need not commute": (
        lambda d: (d.spectral("C", c, "why"), d.spectral("D", letter("e", domain=NONNEGATIVE), "why")), "one such matrix"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_what_the_rule_does_not_apply_to_is_refused(write, message):
    with pytest.raises(MisuseError, match=message):
        write(Page())


def test_a_narrowed_letter_is_not_every_eigenvalue():
    page = Page()
    page.assume(c <= 1, "why")
    with pytest.raises(MisuseError, match="narrows"):
        page.spectral("C", c, "why")


def test_numbers_agree_with_matrices():
    """The reverse step's covariance of Gaussian data, matrix by matrix and eigenvalue by eigenvalue."""
    root = np.array([[1.0, 0.3, -0.2], [0.0, 0.5, 0.4], [0.1, 0.0, 2.0]])
    covariance, abar_s, alpha = root @ root.T, 0.6, 0.7
    v_s = abar_s * covariance + (1 - abar_s) * np.eye(3)
    v_t = alpha * v_s + (1 - alpha) * np.eye(3)
    step = v_s - alpha * v_s @ np.linalg.solve(v_t, v_s)
    eigenvalues = np.linalg.eigvalsh(covariance)
    closed = (1 - alpha) * (1 - abar_s + eigenvalues * abar_s) / (1 - alpha * abar_s + eigenvalues * alpha * abar_s)
    np.testing.assert_allclose(np.linalg.eigvalsh(step), closed, rtol=1e-12)


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
