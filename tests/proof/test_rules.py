"""The named rules: each proves what is right, refutes what is wrong, and refuses what it is not about."""

from __future__ import annotations

import pytest
from sympy import Abs, Integer, Rational, exp, log, sqrt

from verifydiff.forms import Form, Source, ddpm, forward
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    POSITIVE,
    PROPER_FRACTION,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    eps,
    x_0,
    x_s,
    x_t,
)
from verifydiff.proof import Gaussian, derivation, letter, prove
from verifydiff.proof.page import Page, worst
from verifydiff.verdict import MisuseError, Proof

t, x, y, u, k, m, n = (letter(name) for name in "txyukmn")
h = letter("h", domain=POSITIVE)
b = letter("b", domain=PROPER_FRACTION)
B, beta, beta_rate = letter("B"), letter("beta", domain=POSITIVE), letter("beta_rate")


def outcome(page):
    return worst([step.outcome for step in page.steps])


# -- functions as letters with rates -------------------------------------------------------------------------------------


def test_a_declared_rate_is_followed_by_the_chain_rule():
    page = Page()
    page.depends(t, {B: beta, beta: beta_rate}, "B is the integral of beta")
    page.derivative(exp(-B / 2), t, -beta / 2 * exp(-B / 2), "the signal decays")
    page.derivative(beta * B, t, beta_rate * B + beta**2, "the product rule")
    assert outcome(page) is Proof.PROVED


def test_a_wrong_derivative_along_a_rate_is_refuted():
    page = Page()
    page.depends(t, {B: beta, beta: beta_rate}, "B is the integral of beta")
    page.derivative(exp(-B / 2), t, -beta * exp(-B / 2), "a half is lost")
    assert outcome(page) is Proof.REFUTED


def test_what_stands_in_a_rate_is_not_taken_for_a_constant():
    page = Page()
    page.depends(t, {B: beta}, "B is the integral of beta")
    with pytest.raises(MisuseError, match="beta depends on t, or may"):
        page.derivative(beta, t, 0, "it is constant?")
    page.depends(t, {beta: 0}, "it is indeed")
    page.derivative(beta, t, 0, "so it is constant")
    assert outcome(page) is Proof.PROVED


def test_a_derivative_along_one_letter_depends_on_whatever_the_function_does():
    page = Page()
    p, p_x = page.function("p", (x, t)), letter("p_x")
    page.depends(x, {p: p_x}, "smooth in x")
    with pytest.raises(MisuseError, match="p_x depends on t, or may"):
        page.derivative(p_x, t, 0, "it is constant?")
    with pytest.raises(MisuseError, match="p_x depends on x, or may"):
        page.derivative(p_x, x, 0, "it is constant?")
    with pytest.raises(MisuseError, match="cannot leave the integral"):
        page.integrate([(p_x, p)], [(p_x, p)], [t], {p: k}, "why")


def test_one_rate_a_letter():
    page = Page()
    page.depends(t, {B: beta}, "why")
    with pytest.raises(MisuseError, match="already"):
        page.depends(t, {B: 2 * beta}, "another")
    with pytest.raises(MisuseError, match="defined by other letters"):
        page.depends(t, {abar_t: beta}, "why")
    with pytest.raises(MisuseError, match="along itself"):
        page.depends(t, {t: 2}, "why")
    f = page.function("f", (x,))
    with pytest.raises(MisuseError, match="not to depend on t"):
        page.depends(t, {f: k}, "why")


# -- Taylor --------------------------------------------------------------------------------------------------------------


def test_an_expansion_is_proved_to_its_order_and_no_further():
    page = Page()
    page.expand(sqrt(1 - b), b, 1 - b / 2 - b**2 / 8, 2, "the binomial series")
    assert outcome(page) is Proof.PROVED
    page.expand(sqrt(1 - b), b, 1 - b / 2 - b**2 / 8, 3, "one order too many")
    assert outcome(page) is Proof.REFUTED


def test_an_expansion_around_another_point_and_with_exponentials():
    page = Page()
    page.expand(log(h), h, (h - 1) - (h - 1) ** 2 / 2, 2, "around 1", around=1)
    page.expand(exp(-h * u), h, 1 - h * u + h**2 * u**2 / 2, 2, "for held u")
    assert outcome(page) is Proof.PROVED


@pytest.mark.parametrize("function", [sqrt(h), h * sqrt(h), 1 / (1 + sqrt(h)), h ** Rational(7, 2)], ids=str)
def test_what_is_not_analytic_at_the_point_has_no_expansion(function):
    page = Page()
    try:
        page.expand(function, h, function.subs(h, 0), 0, "as if it were")
    except MisuseError:
        return
    assert outcome(page) is not Proof.PROVED


@pytest.mark.parametrize("function", [Abs(u), Abs(u) * u, 1 / u], ids=str)
def test_a_kink_or_a_pole_is_refused(function):
    with pytest.raises(MisuseError, match=r"analytic|no value"):
        Page().expand(function, u, 0, 0, "as if it were smooth")


def test_a_letter_that_depends_on_the_point_is_not_held():
    page = Page()
    page.depends(t, {B: beta, beta: 0}, "B is the integral of beta")
    with pytest.raises(MisuseError, match="B depends on t"):
        page.expand(B * t, t, 0, 0, "B is held?")


def test_a_taylor_polynomial_is_what_it_says():
    page = Page()
    assert page.taylor("F", [k, m, n], h, "F is smooth") == k + m * h + n * h**2 / 2


# -- integrals -----------------------------------------------------------------------------------------------------------


def test_an_integral_by_its_antiderivative():
    page = Page()
    assert page.integral(exp(-u), u, 0, h, -exp(-u), "phi_1") == 1 - exp(-h)
    assert outcome(page) is Proof.PROVED


def test_a_wrong_antiderivative_is_refuted():
    page = Page()
    page.integral(exp(-u), u, 0, h, exp(-u), "the sign is lost")
    assert outcome(page) is Proof.REFUTED


def test_an_integral_across_a_pole_is_not_proved():
    page = Page()
    page.integral(1 / u**2, u, -1, 1, -1 / u, "across 0")
    assert outcome(page) is not Proof.PROVED


def test_the_ends_lie_where_the_letter_may():
    page = Page()
    page.integral(1 / h, h, -2, -1, log(h), "where log has no value")
    assert outcome(page) is not Proof.PROVED


def test_an_integral_does_not_hold_what_moves():
    page = Page()
    page.depends(u, {k: m}, "k is a function of u")
    with pytest.raises(MisuseError, match="k depends on u"):
        page.integral(k, u, 0, 1, k * u, "as if constant")
    with pytest.raises(MisuseError, match="must not depend on u"):
        page.integral(1, u, 0, u, u, "an end moves")


# -- arbitrary laws ------------------------------------------------------------------------------------------------------


def guided(page):
    """The conditional noising process of classifier guidance."""
    q, guided = page.law("q"), page.law("h", r"\hat q")
    page.define(guided, (x_t, y, x_s), q(x_t, given=x_s) * guided(x_s, y), "the kernel forgets the label")
    return q, guided


def test_bayes_and_the_chain_rule_are_algebra():
    page = Page()
    q = page.law("q")
    page.equal(q(x, given=y), q(y, given=x) * q(x) / q(y), "Bayes")
    page.equal(q(x, y, given=t), q(x, given=(y, t)) * q(y, given=t), "chain rule")
    assert outcome(page) is Proof.PROVED
    page.equal(q(x, given=y), q(y, given=x), "transposed")
    assert outcome(page) is Proof.REFUTED


def test_marginalising_the_label_leaves_the_kernel():
    page = Page()
    q, h = guided(page)
    page.marginal(h, (x_t, x_s), (y,), "the label is integrated out")
    page.equal(h(x_t, given=x_s), q(x_t, given=x_s), "the kernel is the old one")
    page.equal(h(y, given=(x_s, x_t)), h(y, given=x_s), "the label forgets the noisier state")
    assert outcome(page) is Proof.PROVED
    page.equal(h(y, given=x_t), h(y, given=x_s), "it does not forget the cleaner one")
    assert outcome(page) is Proof.REFUTED


def test_independence_is_not_assumed():
    page = Page()
    q = page.law("q")
    page.equal(q(x, y), q(x) * q(y), "as if independent")
    assert outcome(page) is Proof.REFUTED


def test_a_joint_density_that_is_none_is_refuted():
    page = Page()
    q, r = page.law("q"), page.law("r")
    page.define(r, (x, y), 2 * q(x, y), "twice a density")
    assert outcome(page) is Proof.REFUTED


def test_a_joint_density_that_contradicts_its_own_marginal_is_refuted():
    page = Page()
    q, r = page.law("q"), page.law("r")
    page.define(r, (x, y), q(x, given=y) * r(y), "keeps r(y)")
    assert outcome(page) is Proof.PROVED
    other = page.law("o")
    page.define(other, (x, y), q(x, y) * other(x) / other(x), "keeps whatever")
    assert outcome(page) is Proof.PROVED
    third = page.law("third")
    page.define(third, (x, y), q(x) * q(y) * third(y) / q(y) * third(y) / third(y), "fine")
    assert outcome(page) is Proof.PROVED
    fourth = page.law("fourth")
    with pytest.raises(MisuseError, match="no name among the integrals"):
        page.define(fourth, (x, y), q(x, given=y) * fourth(y) ** 2, "not linear in a density")


def test_a_law_is_defined_once():
    page = Page()
    q, h = guided(page)
    with pytest.raises(MisuseError, match="already"):
        page.define(h, (x_t, x_s), q(x_t) * q(x_s), "another")
    with pytest.raises(MisuseError, match="already"):
        page.define(h, (x_t, x), q(x_t) * q(x), "an overlapping one")
    with pytest.raises(MisuseError, match="already"):
        page.law("q")


def test_a_function_of_the_variable_does_not_leave_the_integral():
    page = Page()
    q = page.law("q")
    f = page.function("f", (x,))
    with pytest.raises(MisuseError, match="cannot leave"):
        page.integrate([(f, q(x, y))], [(f, q(x, y))], [x], {}, "as if f were constant")
    with pytest.raises(MisuseError, match="no name among the integrals"):
        page.integrate([(1, f * q(x, y))], [(1, f * q(x, y))], [x], {}, "nothing is known of f")
    with pytest.raises(MisuseError, match="no name among the integrals"):
        page.integrate([(1, q(y))], [(1, q(y))], [x], {}, "a constant has no integral over the line")


def test_an_inequality_is_integrated():
    page = Page()
    q, f = page.law("q"), page.function("f", (x,))
    mean, square = letter("mean"), letter("square")
    known = page.integrate(
        [(2 * k, f * q(x)), (-(k**2), q(x))], [(1, f**2 * q(x))], [x], {f * q(x): mean, f**2 * q(x): square},
        "0 <= (f - k)^2 q", "<=",
    )  # fmt: skip
    assert str(known) == "-k**2 + 2*k*mean <= square"
    assert outcome(page) is Proof.PROVED


# -- Gaussian integrals, parts and Gibbs ---------------------------------------------------------------------------------


def test_the_moments_of_a_gaussian_by_parts():
    page = Page()
    v, mean, square = letter("v", domain=POSITIVE), letter("mean"), letter("square")
    density = page.normalised(Gaussian(x, m, v))
    slope = page.boundary(density, x, "the tails vanish")
    first = page.integrate([(1, x * density)], [(m, density), (-v, slope)], [x], {x * density: mean}, "Stein")
    page.solve([first], {mean: m}, "the mean")
    second_slope = page.boundary((x - m) * density, x, "the tails vanish")
    squared = (x - m) ** 2 * density
    second = page.integrate([(1, squared)], [(v, density), (-v, second_slope)], [x], {squared: square}, "Stein again")
    page.solve([second], {square: v}, "the variance")
    assert outcome(page) is Proof.PROVED


@pytest.mark.parametrize("function", [x, Integer(1) + x**2, exp(x), exp(-x), exp(x**2) * x, 1 / (1 + x**2)], ids=str)
def test_what_is_not_seen_to_vanish_at_the_ends_leaves_something_there(function):
    page = Page()
    try:
        page.boundary(function, x, "as if it vanished")
    except MisuseError:
        return
    assert outcome(page) is not Proof.PROVED


def test_differentiation_under_the_integral_names_the_integral_of_the_slope():
    page = Page()
    p = page.function("p", (y,), domain=POSITIVE)
    kernel = exp(-((x - y) ** 2) / 2)
    whole, slope = letter("whole", domain=POSITIVE), letter("slope")
    page.integrate([(1, kernel * p)], [(1, kernel * p)], [y], {kernel * p: whole}, "the convolution")
    with pytest.raises(MisuseError, match="whole depends on x, or may"):
        page.derivative(log(whole), x, 0, "as if constant")
    with pytest.raises(MisuseError, match="under_integral"):
        page.depends(x, {whole: 0}, "as if constant")
    assert page.under_integral(whole, x, slope, "the kernel is smooth").equals((y - x) * kernel * p)
    page.derivative(log(whole), x, slope / whole, "the score")
    assert outcome(page) is Proof.PROVED
    with pytest.raises(MisuseError, match="depends on x, or may"):
        page.derivative(slope, x, 0, "as if constant")


def test_gibbs_names_a_divergence_that_is_not_negative():
    page = Page()
    q, p = page.law("q"), page.law("p")
    gap = letter("gap", domain=NONNEGATIVE)
    integrand = page.gibbs(q(x, given=y), p(x, given=y), [x], gap, "for every y")
    assert integrand == q(x, given=y) * (log(q(x, given=y)) - log(p(x, given=y)))
    page.at_most(0, gap, "so it is")
    assert outcome(page) is Proof.PROVED


def test_gibbs_is_about_densities():
    page = Page()
    q, p = page.law("q"), page.law("p")
    page.gibbs(q(x), 2 * p(x), [x], letter("gap", domain=NONNEGATIVE), "the second is no density")
    assert outcome(page) is Proof.REFUTED
    with pytest.raises(MisuseError, match="no name among the integrals"):
        Page().gibbs(q(x) ** 2, p(x), [x], letter("gap", domain=NONNEGATIVE), "nor is the square of one")
    with pytest.raises(MisuseError, match="NONNEGATIVE"):
        page.gibbs(q(x), p(x), [x], letter("other"), "the letter may be negative")


# -- induction -----------------------------------------------------------------------------------------------------------


def test_the_sum_of_the_first_numbers():
    page = Page()
    page.induction(k, 1, k + n + 1, n * (n + 1) / 2, {n: 1}, {n: n + 1}, "one more number")
    assert outcome(page) is Proof.PROVED


@pytest.mark.parametrize(
    ("first", "then", "closed"),
    [(2, k + n + 1, n * (n + 1) / 2), (1, k + n, n * (n + 1) / 2), (1, k + n + 1, n**2 / 2 + Rational(1, 2))],
    ids=["wrong base", "wrong step", "right base, wrong form"],
)
def test_an_induction_with_a_wrong_base_or_step_is_refuted(first, then, closed):
    page = Page()
    page.induction(k, first, then, closed, {n: 1}, {n: n + 1}, "wrong")
    assert outcome(page) is Proof.REFUTED


def test_variances_add_up_over_every_step():
    page = Page()
    v = letter("v", domain=NONNEGATIVE)
    page.induction(v, 0, alpha_t * v + beta_t, 1 - abar_s, {abar_s: 1}, {abar_s: abar_t}, "scaled, plus fresh noise")
    assert outcome(page) is Proof.PROVED


def test_a_bound_by_induction():
    page = Page()
    v = letter("v", domain=NONNEGATIVE)
    page.induction(v, 0, alpha_t * v + beta_t / 2, 1 - abar_s, {abar_s: 1}, {abar_s: abar_t}, "less noise", "<=")
    assert outcome(page) is Proof.PROVED
    page.induction(u, 0, alpha_t * u + 2 * beta_t, 1 - abar_s, {abar_s: 1}, {abar_s: abar_t}, "more noise", "<=")
    assert outcome(page) is Proof.REFUTED


def test_an_induction_advances_what_its_closed_form_is_written_with():
    page = Page()
    with pytest.raises(MisuseError, match="does not use k"):
        page.induction(k, 1, n + 1, n, {n: 1}, {n: n + 1}, "no induction")
    with pytest.raises(MisuseError, match="without k"):
        page.induction(k, 1, k, k, {n: 1}, {n: n + 1}, "about itself")
    with pytest.raises(MisuseError, match="that advance"):
        page.induction(k, 1, k, Integer(1), {n: 1}, {n: n + 1}, "nothing advances")
    page.assume(n <= 5, "few")
    with pytest.raises(MisuseError, match="narrows"):
        page.induction(k, 1, k + n + 1, n * (n + 1) / 2, {n: 1}, {n: n + 1}, "only few")


# -- misprints, and what a page rests on ---------------------------------------------------------------------------------


def test_a_misprint_is_refuted_on_the_page():
    page = Page(ddpm.posterior_variance)
    page.misprint(beta_t, "beta for beta-tilde")
    (step,) = page.steps
    assert step.outcome is Proof.PROVED
    assert step.checks[0].decision.counterexample.point
    assert step.statement.startswith("not ")


def test_what_is_no_misprint_is_refused():
    page = Page()
    page.misprint(sqrt(abar_t) ** 2, "the same in other words", right=abar_t)
    assert outcome(page) is Proof.REFUTED
    page = Page()
    page.misprint(beta_t, "a bound that fails", right=ddpm.posterior_variance.expression, relation="<=")
    assert outcome(page) is Proof.PROVED
    with pytest.raises(MisuseError, match="give `right`"):
        page.misprint(beta_t, "of what?")


OWN = Form("own.form", "a form of one's own", "y", 1 - abar_t, Source("me", "here"))
OTHER = Form("other.form", "another", "z", 1 - abar_t, Source("me", "here"))


def test_a_page_rests_on_forms_that_are_proved():
    @derivation(title="rests on a shipped form", source="me")
    def shipped(d):
        d.equal(d.use(forward.variance), 1 - abar_t, "as proved")

    @derivation(title="rests on nothing", source="me")
    def unproved(d):
        d.equal(d.use(OWN), 1 - abar_t, "who says so?")

    proofs = prove(shipped, unproved)
    assert [one.outcome for one in proofs.claims] == [Proof.PROVED, Proof.UNDECIDED]
    assert proofs.claims[1].blame[0].rule == "established"
    assert "no page proves it" in proofs.claims[1].blame[1].decision.remains
    assert [form.id for form in proofs.claims[0].uses] == ["forward.variance"]


def test_a_form_changed_behind_the_back_of_its_page_is_not_the_shipped_one():
    forged = Form(
        **{**{name: getattr(forward.variance, name) for name in ("id", "title", "symbol", "source")}, "expression": abar_t}
    )

    @derivation(title="forged", source="me")
    def page(d):
        d.equal(d.use(forged), abar_t, "as if proved")

    assert prove(page).outcome is Proof.UNDECIDED


def test_pages_do_not_rest_on_each_other_in_a_circle():
    @derivation(OWN)
    def one(d):
        d.conclude(d.use(OTHER))

    @derivation(OTHER)
    def other(d):
        d.conclude(d.use(OWN))

    assert [claim.outcome for claim in prove(one, other).claims] == [Proof.UNDECIDED, Proof.UNDECIDED]

    @derivation(OTHER)
    def grounded(d):
        d.conclude(1 - abar_t)

    assert prove(one, grounded).outcome is Proof.PROVED


def test_a_page_on_what_was_refuted_stands_on_nothing():
    @derivation(OWN)
    def wrong(d):
        d.conclude(abar_t)

    @derivation(title="rests on it", source="me")
    def upon(d):
        d.equal(d.use(OWN), 1 - abar_t, "as proved")

    assert [claim.outcome for claim in prove(upon, wrong).claims] == [Proof.UNDECIDED, Proof.REFUTED]


def test_a_page_does_not_use_what_it_is_to_prove():
    page = Page(OWN)
    with pytest.raises(MisuseError, match="rest on what it is to prove"):
        page.use(OWN)
    with pytest.raises(MisuseError, match="takes a form"):
        page.use(eps)


def test_a_form_is_written_once_on_a_page():
    page = Page()
    page.use(forward.noised), page.use(forward.noised)
    assert [step.rule for step in page.steps] == ["established"]
    assert page.steps[0].latex == forward.noised.latex()
    assert x_0 in forward.noised.expression.free_symbols
