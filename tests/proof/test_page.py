"""The rules of a page: each proves what is right, refutes what is wrong, and refuses what it does not apply to."""

from __future__ import annotations

import pytest
from sympy import Eq, Integer, Symbol, exp, pi, sin, sqrt

from verifydiff.forms import ddpm
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    POSITIVE,
    Domain,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    eps,
    sigma_t,
    x_0,
    x_s,
    x_t,
    z,
)
from verifydiff.proof import Gaussian, Page, at, claim, derivation, letter
from verifydiff.verdict import MisuseError, Proof

k, m, n = letter("k"), letter("m", domain=NONNEGATIVE), letter("n")
PRIOR = Gaussian(x_s, 0, 1)
KERNEL = Gaussian(x_t, sqrt(alpha_t) * x_s, beta_t)
MARGINAL = Gaussian(x_t, 0, 1)
POSTERIOR = Gaussian(x_s, sqrt(alpha_t) * x_t, beta_t)


def outcome(write, form=None):
    page = Page(form)
    write(page)
    return page.steps[-1].outcome


RIGHT = {
    "bayes": lambda d: d.bayes(KERNEL, PRIOR, MARGINAL, POSTERIOR, "why"),
    "marginalise": lambda d: d.marginalise(PRIOR, KERNEL, POSTERIOR, MARGINAL, "why"),
    "affine": lambda d: d.affine(Gaussian(z, 0, 1), 3 - 2 * z, x_t, Gaussian(x_t, 3, 4), "why"),
    "derivative": lambda d: d.derivative(exp(-(x_t**2) / 2), x_t, -x_t * exp(-(x_t**2) / 2), "why"),
    "integrate": lambda d: d.integrate([(2, x_0)], [(1, 2 * x_0)], [x_0], {x_0: k, 2 * x_0: n}, "why"),
    "match": lambda d: d.match(k * x_0 + m * abar_t * x_0, x_0, [x_0], "why"),
    "solve, linear": lambda d: d.solve([claim(Eq(2 * k + abar_t, 1))], {k: (1 - abar_t) / 2}, "why"),
    "solve, quadratic": lambda d: d.solve([claim(Eq(4 * m**2, 1 - abar_t))], {m: sqrt(1 - abar_t) / 2}, "why"),
    "solve, in turn": lambda d: d.solve([claim(Eq(k + m, 3)), claim(Eq(2 * m, 1))], {m: Integer(1) / 2, k: Integer(5) / 2}, "why"),
    "less": lambda d: d.less(abar_t, abar_s, "why"),
    "at most": lambda d: d.at_most(abar_s, 1, "why"),
    "equal": lambda d: d.equal(1 - beta_t, alpha_t, "why"),
}

WRONG = {
    "bayes, variance": lambda d: d.bayes(KERNEL, PRIOR, MARGINAL, Gaussian(x_s, sqrt(alpha_t) * x_t, 2 * beta_t), "why"),
    "bayes, mean": lambda d: d.bayes(KERNEL, PRIOR, MARGINAL, Gaussian(x_s, alpha_t * x_t, beta_t), "why"),
    "bayes, evidence": lambda d: d.bayes(KERNEL, PRIOR, Gaussian(x_t, 0, 2), POSTERIOR, "why"),
    "bayes, a variance that vanishes": lambda d: d.bayes(KERNEL, Gaussian(x_s, 0, 1 - abar_s), MARGINAL, POSTERIOR, "why"),
    "marginalise, marginal": lambda d: d.marginalise(PRIOR, KERNEL, POSTERIOR, Gaussian(x_t, 0, 1 + beta_t), "why"),
    "marginalise, conditional": lambda d: d.marginalise(PRIOR, KERNEL, Gaussian(x_s, 0, 1), MARGINAL, "why"),
    "affine, lost square": lambda d: d.affine(Gaussian(z, 0, 1), 3 - 2 * z, x_t, Gaussian(x_t, 3, 2), "why"),
    "affine, no bijection": lambda d: d.affine(
        Gaussian(z, 0, 1), 3 + 0 * z + sigma_t * z, x_t, Gaussian(x_t, 3, sigma_t**2), "why"
    ),
    "derivative, sign": lambda d: d.derivative(exp(-(x_t**2) / 2), x_t, x_t * exp(-(x_t**2) / 2), "why"),
    "integrate": lambda d: d.integrate([(1, x_0)], [(1, x_0**2)], [x_0], {x_0: k, x_0**2: n}, "why"),
    "solve, wrong": lambda d: d.solve([claim(Eq(2 * k, 1))], {k: Integer(1)}, "why"),
    "solve, negative root": lambda d: d.solve([claim(Eq(m**2, 1 - abar_t))], {m: -sqrt(1 - abar_t)}, "why"),
    "solve, a slope that vanishes": lambda d: d.solve([claim(Eq(sigma_t * k, sigma_t))], {k: Integer(1)}, "why"),
    "less": lambda d: d.less(abar_s, 1, "why"),
    "at most": lambda d: d.at_most(abar_s, abar_t, "why"),
    "equal": lambda d: d.equal(beta_t, alpha_t, "why"),
}

MISUSE = {
    "an assumption about no relation": (lambda d: d.assume(True, "why"), "relation"),
    "bayes, letters mixed up": (lambda d: d.bayes(PRIOR, KERNEL, MARGINAL, POSTERIOR, "why"), "laws of one letter"),
    "bayes, evidence that knows": (lambda d: d.bayes(KERNEL, PRIOR, KERNEL, POSTERIOR, "why"), "must not depend"),
    "marginalise, marginal that knows": (lambda d: d.marginalise(PRIOR, KERNEL, PRIOR, KERNEL, "why"), "must not depend"),
    "affine, of itself": (lambda d: d.affine(Gaussian(z, 0, 1), x_t + z, x_t, Gaussian(x_t, 0, 1), "why"), "itself"),
    "affine, a square": (lambda d: d.affine(Gaussian(z, 0, 1), z**2, x_t, Gaussian(x_t, 0, 1), "why"), "not affine"),
    "derivative along a definition": (lambda d: d.derivative(abar_t, abar_t, 0, "why"), "defined by other letters"),
    "a coefficient that cannot leave": (
        lambda d: d.integrate([(x_0, x_0)], [(1, x_0**2)], [x_0], {x_0: k, x_0**2: m}, "why"), "cannot leave the integral"
    ),
    "one name for two integrals": (
        lambda d: d.integrate([(1, 2 * x_0)], [(2, x_0)], [x_0], {x_0: k, 2 * x_0: k}, "why"), "already stands"
    ),
    "match, no polynomial": (lambda d: d.match(sin(x_0), x_0, [x_0], "why"), "no polynomial"),
    "solve, a sign left open": (lambda d: d.solve([claim(Eq(k**2, 4))], {k: Integer(2)}, "why"), "may be negative"),
    "solve, nothing to go on": (lambda d: d.solve([claim(Eq(m, 4))], {k: Integer(2)}, "why"), "no equation determines"),
    "a law of a definition": (lambda d: Gaussian(abar_t, 0, 1), "without a definition"),
    "a law that depends on itself": (lambda d: Gaussian(x_s, x_s / 2, 1), "must not depend"),
    "a law that depends on itself by a definition": (lambda d: Gaussian(abar_s, abar_t, 1), "must not depend"),
    "bayes, one letter for both": (
        lambda d: d.bayes(Gaussian(x_s, 5, 1), PRIOR, Gaussian(x_s, 5, 1), PRIOR, "why"), "must not depend"
    ),
    "marginalise, one letter for both": (
        lambda d: d.marginalise(PRIOR, Gaussian(x_s, 5, 1), Gaussian(x_s, 5, 1), PRIOR, "why"), "must not depend"
    ),
    "a law on half the line": (lambda d: Gaussian(letter("p", domain=POSITIVE), 0, 1), "whole line"),
    "an inequality to solve": (lambda d: d.solve([claim(k <= 1)], {k: Integer(1)}, "why"), "takes equations"),
    "an equation with a condition": (lambda d: d.solve([claim(Eq(k, 1), [x_t > 0])], {k: Integer(1)}, "why"), "takes equations"),
    "a name that is integrated over": (
        lambda d: d.integrate([(1, 2 * x_0)], [(2, x_0)], [x_0], {x_0: x_0, 2 * x_0: k}, "why"), "meaning of its own"
    ),
    "an integrand without a name": (lambda d: d.integrate([(1, 2 * x_0)], [(2, x_0)], [x_0], {x_0: k}, "why"), "has no name"),
    "a nonnegative integral": (
        lambda d: d.integrate([(1, 2 * x_0)], [(2, x_0)], [x_0], {x_0: m, 2 * x_0: k}, "why"), "real, or positive"
    ),
    "coefficients of what is no letter": (lambda d: d.match(sqrt(alpha_t), 1, [sqrt(alpha_t)], "why"), "along letters"),
    "a definition that breaks its word": (
        lambda d: d.equal(letter("q", domain=POSITIVE, definition=-alpha_t), 1, "why"), "does not show it"
    ),
    "no reason": (lambda d: d.equal(1, 1, " "), "justification"),
    "conclude without a form": (lambda d: d.conclude(1), "names none"),
    "a letter that is not there": (lambda d: at(alpha_t, abar_s=1), "has no letter abar_s"),
}  # fmt: skip


@pytest.mark.parametrize("write", RIGHT.values(), ids=RIGHT)
def test_a_rule_proves_what_is_right(write):
    assert outcome(write) is Proof.PROVED


@pytest.mark.parametrize("write", WRONG.values(), ids=WRONG)
def test_a_rule_refutes_what_is_wrong(write):
    assert outcome(write) is Proof.REFUTED


@pytest.mark.parametrize(("write", "message"), MISUSE.values(), ids=MISUSE)
def test_a_rule_refuses_what_it_does_not_apply_to(write, message):
    with pytest.raises(MisuseError, match=message):
        write(Page())


def test_a_form_is_concluded_once():
    page = Page(ddpm.large_variance)
    page.conclude(beta_t)
    with pytest.raises(MisuseError, match="once"):
        page.conclude(beta_t)


def test_a_case_ends_with_its_block():
    page = Page()
    with page.suppose(abar_s < 1, "s >= 1"):
        page.less(0, 1 - abar_s, "by the case")
    page.less(0, 1 - abar_s, "not any more")
    assert [step.outcome for step in page.steps] == [Proof.PROVED, Proof.PROVED, Proof.REFUTED]


def test_a_page_is_worth_its_worst_step():
    @derivation
    def page(d):
        d.equal(alpha_t, alpha_t, "right")
        d.equal(alpha_t, beta_t, "wrong")
        d.equal(sin(x_t), sin(x_t) + Symbol("y") * 0, "open")

    proved = page.prove()
    assert proved.outcome is Proof.REFUTED
    assert proved.blame[0].because == "wrong"
    assert proved.counterexample.values


def test_hypotheses_and_open_conditions_are_shown_with_the_claim():
    @derivation(source="notes")
    def page(d):
        d.assume(sigma_t**2 <= 1 - abar_s, "the bound")
        d.equal(x_t / eps * eps, x_t, "cancel")
        d.equal((1 - abar_s**2) / (1 - abar_s), 1 + abar_s, "cancel")

    assert page.prove().where == ["sigma_t**2 <= 1 - abar_s", "1 - abar_s != 0"]


def test_a_derivation_takes_its_words_from_its_form():
    @derivation(ddpm.large_variance)
    def page(d):
        d.conclude(beta_t)

    assert (page.id, page.title, page.source) == ("ddpm.large_variance", ddpm.large_variance.title, "Ho et al. 2020, sec. 3.2")
    assert page.prove().latex == ddpm.large_variance.latex()


def test_a_derivation_that_never_concludes_is_refused():
    @derivation(ddpm.large_variance)
    def page(d):
        d.equal(beta_t, beta_t, "right")

    with pytest.raises(MisuseError, match="never concludes"):
        page.prove()


def test_a_density_is_the_exponential_of_its_logarithm():
    page = Page()
    page.equal(Gaussian(x_t, 2, beta_t).density, exp(-((x_t - 2) ** 2) / (2 * beta_t)) / sqrt(2 * pi * beta_t), "by definition")
    assert page.steps[-1].outcome is Proof.PROVED


def test_the_root_gives_the_names_that_a_notebook_needs():
    import verifydiff as vd

    assert vd.derivation is derivation

    @vd.derivation(title="right")
    def page(d):
        d.equal(1 - beta_t, alpha_t, "by definition")

    proofs = vd.prove(page)
    assert isinstance(page, vd.Derivation)
    assert (proofs.outcome, proofs.exit_code) == (Proof.PROVED, 0)


def test_every_case_of_a_page_is_told_beside_its_claim():
    """Nothing checks that cases exhaust a page, so that none of them may be hidden."""

    @derivation
    def halved(d):
        with d.suppose(x_t > 0, "first case"):
            d.equal(sqrt(x_t**2), x_t, "the root is not negative")

    assert halved.prove().outcome is Proof.PROVED
    assert any("0 < x_t" in one for one in halved.prove().where)


def test_nothing_is_concluded_or_assumed_for_all_inside_a_case():
    page = Page(ddpm.large_variance)
    with page.suppose(abar_s < 1, "a case"):
        with pytest.raises(MisuseError, match="all cases"):
            page.conclude(beta_t)
        with pytest.raises(MisuseError, match="open another"):
            page.assume(x_t > 0, "why")
    assert page.assumed == ()


RULES_FOR_THE_WHOLE_LINE = {
    "bayes": (x_s > 0, lambda d: d.bayes(KERNEL, PRIOR, MARGINAL, POSTERIOR, "why")),
    "marginalise": (x_s > 0, lambda d: d.marginalise(PRIOR, KERNEL, POSTERIOR, MARGINAL, "why")),
    "affine": (z > 0, lambda d: d.affine(Gaussian(z, 0, 1), 3 - 2 * z, x_t, Gaussian(x_t, 3, 4), "why")),
    "integrate": (x_0 > 0, lambda d: d.integrate([(2, x_0)], [(1, 2 * x_0)], [x_0], {x_0: k, 2 * x_0: n}, "why")),
    "match": (x_0 > 0, lambda d: d.match(k * x_0, x_0, [x_0], "why")),
}


@pytest.mark.parametrize("rule", RULES_FOR_THE_WHOLE_LINE)
def test_a_rule_about_all_values_is_refused_where_a_hypothesis_narrows_them(rule):
    narrowing, write = RULES_FOR_THE_WHOLE_LINE[rule]
    page = Page()
    page.assume(narrowing, "why")
    with pytest.raises(MisuseError, match="narrows them"):
        write(page)


def test_a_solution_outside_of_its_domain_or_hypothesis_is_refuted():
    page = Page()
    page.solve(
        [claim(Eq(letter("fraction", domain=Domain(0, 1)), 2))], {letter("fraction", domain=Domain(0, 1)): Integer(2)}, "why"
    )
    assert page.steps[-1].outcome is Proof.REFUTED
    page = Page()
    page.assume(k > 5, "why")
    page.solve([claim(Eq(k, 1))], {k: Integer(1)}, "why")
    assert page.steps[-1].outcome is Proof.REFUTED


def test_an_integral_is_not_taken_for_a_constant_of_what_it_depends_on():
    page = Page()
    page.integrate([(1, x_0 * x_t)], [(x_t, x_0)], [x_0], {x_0 * x_t: k, x_0: n}, "why")
    with pytest.raises(MisuseError, match="depends on x_t"):
        page.derivative(k, x_t, 0, "why")


def test_what_has_no_value_has_no_derivative():
    page = Page()
    page.derivative(sqrt(-1 - x_t**2), x_s, 0, "why")
    assert page.steps[-1].outcome is Proof.REFUTED


@pytest.mark.parametrize("ends", [(5, 3), (0, 0), (0.5, 1), ("0", 1)])
def test_a_domain_without_room_or_with_odd_ends_is_refused(ends):
    with pytest.raises(MisuseError):
        letter("narrow", domain=Domain(*ends))
