"""Fubini: integrals over two groups of letters, one after the other."""

from __future__ import annotations

import pytest
from sympy import Integer, sqrt

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, alpha_t, x_0, x_s, x_t
from verifydiff.proof import Gaussian, Page, letter
from verifydiff.verdict import MisuseError, Proof

m, c, both = letter("m"), letter("c"), letter("both")


def kernel(d):
    """A normal density of x_t given x_0, and data of which nothing is known."""
    return d.law("q")(x_0), d.normalised(Gaussian(x_t, sqrt(alpha_t) * x_0, 1))


def test_all_of_a_joint_density_is_one():
    page = Page()
    data, density = kernel(page)
    whole = page.in_turn(data, density, [x_t], [x_0], "why")
    found = page.integrate([(1, whole)], [(1, whole)], [x_0, x_t], {}, "why")
    assert found.rhs == 1
    assert page.steps[-1].outcome is Proof.PROVED


def test_the_order_of_integration_does_not_matter():
    """That the mean of x_t is sqrt(alpha) times that of x_0 is seen by the kernel, and said of names from the other order."""
    page = Page()
    data, density = kernel(page)
    joint = data * density
    by_parts = page.in_turn(data, page.boundary(density, x_t, "why"), [x_t], [x_0], "why")
    later = page.in_turn(x_t, joint, [x_0], [x_t], "why", letter("p", domain=POSITIVE), c)
    first = page.in_turn(Integer(1), x_0 * joint, [x_0], [x_t], "why", m, both)
    found = page.integrate([(1, later), (-sqrt(alpha_t), first)], [(-1, by_parts)], [x_0, x_t], {}, "why")
    assert (found.lhs, found.rhs) == (c - sqrt(alpha_t) * both, 0)
    assert page.steps[-1].outcome is Proof.PROVED


def test_what_does_not_follow_is_refuted():
    """A second moment is not a first one."""
    page = Page()
    data, density = kernel(page)
    one = page.in_turn(data, density, [x_t], [x_0], "why")
    page.integrate([(1, x_0**2 * data * density)], [(1, one)], [x_0, x_t], {x_0**2 * data * density: both}, "why")
    assert page.steps[-1].outcome is Proof.REFUTED


MISUSE = {
    "a coefficient of the inner letter": (lambda d, q, k: d.in_turn(x_t, k, [x_t], [x_0], "why"), "cannot leave the inner"),
    "a letter that is inner and outer": (lambda d, q, k: d.in_turn(q, k, [x_t], [x_t], "why"), "none in common"),
    "no outer letter": (lambda d, q, k: d.in_turn(q, k, [x_t], [], "why"), "none in common"),
    "an inner integral that is not known": (lambda d, q, k: d.in_turn(q, x_t**4 * k, [x_t], [x_0], "why"), "has no name"),
    "an outer integral that is not known": (lambda d, q, k: d.in_turn(x_0**2 * q, k, [x_t], [x_0], "why"), "has no name"),
    "a name that is not free": (
        lambda d, q, k: d.in_turn(q, k, [x_t], [x_0], "why", letter("n", domain=NONNEGATIVE)), "real, or positive"
    ),
    "a name of an inner letter": (lambda d, q, k: d.in_turn(q, x_t * k, [x_t], [x_0], "why", x_t), "meaning of its own"),
    "one name for two integrals": (lambda d, q, k: d.in_turn(x_0 * q, x_t * k, [x_t], [x_0], "why", m, m), "already stands"),
    "a definition": (lambda d, q, k: d.in_turn(q, k, [letter("b", definition=x_s)], [x_0], "why"), "defined by other letters"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_what_the_rule_does_not_apply_to_is_refused(write, message):
    page = Page()
    data, density = kernel(page)
    with pytest.raises(MisuseError, match=message):
        write(page, data, density)


def test_the_inner_integral_is_not_a_constant_of_the_outer_letter():
    """Its name depends on x_0, so that it cannot be taken out of an integral over x_0."""
    page = Page()
    data, density = kernel(page)
    page.in_turn(data, x_t * density, [x_t], [x_0], "why", m, c)
    with pytest.raises(MisuseError, match="cannot leave the integral"):
        page.integrate([(m, data)], [(m, data)], [x_0], {}, "why")


def test_an_integral_over_both_is_not_taken_for_one_over_a_single_letter():
    page = Page()
    data, density = kernel(page)
    whole = page.in_turn(data, density, [x_t], [x_0], "why")
    with pytest.raises(MisuseError, match="has no name"):
        page.integrate([(1, whole)], [(1, whole)], [x_0], {}, "why")


def test_what_has_no_value_has_no_integral():
    page = Page()
    data, density = kernel(page)
    page.in_turn(sqrt(x_0) * data, density, [x_t], [x_0], "why", outer_named=m)
    assert page.steps[-1].outcome is Proof.REFUTED


def test_a_hypothesis_that_narrows_a_letter_rules_it_out():
    page = Page()
    data, density = kernel(page)
    page.assume(x_0 > 0, "why")
    with pytest.raises(MisuseError, match="narrows"):
        page.in_turn(data, density, [x_t], [x_0], "why")


def test_a_positive_name_needs_a_positive_integrand():
    page = Page()
    data, density = kernel(page)
    page.in_turn(data, x_t * density, [x_t], [x_0], "why", letter("p", domain=POSITIVE), c)
    assert page.steps[-1].outcome is Proof.REFUTED
