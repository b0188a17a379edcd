"""The rules of dynamics: what they prove, what they refute, what they refuse, and that nothing false comes of them."""

from __future__ import annotations

import pytest
from sympy import Integer, exp, log, sqrt

from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, PROPER_FRACTION
from verifydiff.proof import Claim, Gaussian, Page, letter
from verifydiff.verdict import MisuseError, Proof

t, B, beta, a, g = (
    letter("t", domain=NONNEGATIVE),
    letter("B", domain=NONNEGATIVE),
    letter("beta", domain=POSITIVE),
    letter("a"),
    letter("g"),
)
x, y, m, k, u = letter("x"), letter("y"), letter("m"), letter("k"), letter("u", domain=NONNEGATIVE)
v = letter("v", domain=POSITIVE)
b = letter("b", domain=PROPER_FRACTION)
p = letter("p", domain=POSITIVE)
p_x, p_xx, p_t = letter("p_x"), letter("p_xx"), letter("p_t")
phi_x, phi_xx = letter("phi_x"), letter("phi_xx")


def decay(d, rate=None):
    d.depends(t, {B: beta, m: -beta * m if rate is None else rate}, "a mean that dies out")


def heat(d):
    """A Gaussian that spreads under noise of strength g, pulled in by a x."""
    d.depends(x, {a: 0, g: 0, m: 0, v: 0}, "functions of time")
    d.depends(t, {x: 0, m: a * m, v: 2 * a * v + g**2}, "the moments")
    return Gaussian(x, m, v).density


def last(write):
    page = Page()
    write(page)
    return page.steps[-1].outcome


# -- linear differential equations -------------------------------------------------------------------------------------------


def test_a_linear_equation_has_its_solution():
    page = Page()
    decay(page)
    assert page.solves(m, k * exp(-B), t, {B: 0}, k, "starts at k") == k * exp(-B)
    assert page.steps[-1].outcome is Proof.PROVED
    assert "B = 0" in page.steps[-1].rests_on


@pytest.mark.parametrize(
    ("closed", "first"),
    [(k * exp(-2 * B), k), (k * exp(-B), 2 * k), (k * exp(-B) + 1, k + 1), (Integer(0) * B + k, k)],
    ids=["rate", "first value", "a constant on top", "no motion"],
)
def test_what_does_not_solve_the_equation_is_refuted(closed, first):
    page = Page()
    decay(page)
    if B in closed.free_symbols:
        page.solves(m, closed, t, {B: 0}, first, "wrong")
    else:
        page.solves(m, closed, t, {}, first, "wrong")
    assert page.steps[-1].outcome is Proof.REFUTED


SOLVES_MISUSED = {
    "no rate": (lambda d: d.solves(y, k, t, {}, k, "why"), "no rate"),
    "not linear": (lambda d: (decay(d, m**2), d.solves(m, 1 / (1 - B), t, {B: 0}, 1, "why")), "not linear"),
    "fed by itself": (lambda d: (d.depends(t, {m: y, y: m}, "coupled"), d.solves(m, exp(t), t, {t: 0}, 1, "why")), "not linear"),
    "closed form with the function": (lambda d: (decay(d), d.solves(m, m, t, {}, m, "why")), "without m"),
    "no first time": (lambda d: (decay(d), d.solves(m, k * exp(-B), t, {}, k, "why")), "values of all letters that change"),
    "first value that changes": (
        lambda d: (decay(d), d.depends(t, {k: 1}, "k moves"), d.solves(m, exp(-B), t, {B: 0}, k, "why")), "values of all letters"
    ),
    "a hypothesis on time": (
        lambda d: (d.assume(B > 1, "late"), decay(d), d.solves(m, k * exp(-B), t, {B: 0}, k, "why")), "narrows"
    ),
    "twice": (
        lambda d: (decay(d), d.solves(m, k * exp(-B), t, {B: 0}, k, "once"), d.solves(m, exp(-B), t, {B: 0}, 1, "twice")), "already"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), SOLVES_MISUSED.values(), ids=SOLVES_MISUSED)
def test_solving_is_refused_where_it_does_not_apply(write, message):
    with pytest.raises(MisuseError, match=message):
        write(Page())


def test_a_first_time_outside_of_the_domain_is_refuted():
    page = Page()
    decay(page)
    page.solves(m, k * exp(-B) * exp(-1), t, {B: -1}, k, "before the beginning")
    assert page.steps[-1].outcome is Proof.REFUTED


def test_a_solution_that_leaves_the_reals_on_its_way_is_not_proved():
    """1 / (1 - B) has the right slope wherever it has a value; nothing carries it over B = 1."""
    page = Page()
    page.depends(t, {B: beta, m: beta * m / (1 - B)}, "an equation whose coefficient is not continuous")
    page.solves(m, 1 / (1 - B), t, {B: 0}, 1, "up to B = 1 only")
    assert page.steps[-1].outcome is not Proof.PROVED


# -- slopes that keep a sign -------------------------------------------------------------------------------------------------


def test_a_function_that_grows_stays_above_its_start():
    page = Page()
    assert page.grows(exp(u) - 1 - u, u, 0, "the slope is exp(u) - 1") == Claim(Integer(0), "<=", exp(u) - 1 - u)
    page.grows(-log(1 - b) - b, b, 0, "the slope is b / (1 - b)")
    assert [step.outcome for step in page.steps] == [Proof.PROVED, Proof.PROVED]


@pytest.mark.parametrize(
    "write",
    [
        lambda d: d.grows(u - u**2, u, 0, "it turns round"),
        lambda d: d.grows(-u, u, 0, "it falls"),
        lambda d: d.grows(u, u, 1, "u may be less than 1"),
        lambda d: d.grows(-1 / (u - 1), u, 0, "it jumps at 1, though its slope is positive"),
        lambda d: d.grows(b, b, -1, "outside of the domain"),
    ],
    ids=["turns", "falls", "start inside", "jumps", "start outside"],
)
def test_what_does_not_grow_from_there_on_is_not_proved(write):
    assert last(write) is not Proof.PROVED


def test_growing_is_refused_where_other_letters_move_or_a_hypothesis_narrows():
    page = Page()
    page.depends(u, {y: -1}, "y falls")
    with pytest.raises(MisuseError, match="must be held"):
        page.grows(u + y, u, 0, "why")
    page = Page()
    page.assume(u < 1, "small")
    with pytest.raises(MisuseError, match="narrows"):
        page.grows(u, u, 0, "why")


# -- densities that evolve ---------------------------------------------------------------------------------------------------


def test_a_gaussian_evolves_by_its_moments():
    page = Page()
    page.evolves(heat(page), t, {x: a * x}, g, "Fokker-Planck")
    assert page.steps[-1].outcome is Proof.PROVED


def test_its_reverse_needs_the_score():
    page = Page()
    density = heat(page)
    page.evolves(density, t, {x: a * x + g**2 * (x - m) / v}, g, "backwards", backwards=True)
    page.evolves(density, t, {x: a * x}, g, "backwards without the score", backwards=True)
    page.evolves(density, t, {x: a * x + g**2 * (x - m) / (2 * v)}, 0, "the flow")
    assert [step.outcome for step in page.steps[-3:]] == [Proof.PROVED, Proof.REFUTED, Proof.PROVED]


@pytest.mark.parametrize(
    ("drift", "noise"), [(a * x + 1, g), (-a * x, g), (a * x, 2 * g), (a * x, sqrt(2) * g)], ids=["shift", "sign", "noise", "half"]
)
def test_another_process_is_refuted(drift, noise):
    page = Page()
    page.evolves(heat(page), t, {x: drift}, noise, "wrong")
    assert page.steps[-1].outcome is Proof.REFUTED


def test_what_is_no_density_does_not_evolve():
    page = Page()
    page.evolves(-heat(page), t, {x: a * x}, g, "negative")
    assert page.steps[-1].outcome is Proof.REFUTED


def test_noise_that_depends_on_the_place_is_refused():
    page = Page()
    density = heat(page)
    with pytest.raises(MisuseError, match="must not depend on x"):
        page.evolves(density, t, {x: a * x}, g * x, "why")
    with pytest.raises(MisuseError, match="must not depend on t"):
        page.evolves(density, t, {t: a * x}, g, "why")


def test_a_drift_that_may_depend_on_the_place_is_not_held():
    page = Page()
    density = heat(page)
    page.depends(x, {k: y}, "k has a slope")
    page.depends(t, {k: 0, y: 0}, "at all times")
    page.evolves(density, t, {x: a * x + k}, g, "the divergence of k is missing from the rate")
    assert page.steps[-1].outcome is Proof.REFUTED


# -- Dynkin's formula and the fundamental lemma --------------------------------------------------------------------------------


def weak(d):
    """The Fokker-Planck equation of dx = f dt + g dW in one coordinate, as far as the fundamental lemma."""
    density, phi = d.function("p", of=(t, x), domain=POSITIVE), d.function("phi", of=(x,))
    f, f_x = d.function("f", of=(t, x)), letter("f_x")
    d.depends(t, {density: p_t}, "unknown")
    d.depends(x, {density: p_x, p_x: p_xx, phi: phi_x, phi_x: phi_xx, f: f_x}, "along x")
    E, E_t, R = letter("E"), letter("E_t"), letter("R")
    d.integrate([(1, phi * density)], [(1, phi * density)], [x], {phi * density: E}, "a mean")
    moved = d.under_integral(E, t, E_t, "the density changes")
    ito = d.dynkin(E, phi, density, t, {x: f}, g, "the process")
    ends = d.boundary(phi * f * density, x, "compact"), d.boundary(g**2 / 2 * (density * phi_x - phi * p_x), x, "compact")
    right = -(f * p_x + f_x * density) + g**2 / 2 * p_xx
    shown = d.integrate(
        [(1, phi * (p_t - right))],
        [(1, moved), (-1, ito), (1, ends[0]), (1, ends[1])],
        [x],
        {phi * (p_t - right): R, moved: E_t},
        "parts",
    )
    return shown, phi, right


def test_the_fokker_planck_equation_follows_from_dynkin():
    page = Page()
    shown, phi, right = weak(page)
    equation = page.weakly(shown, phi, "for every test function")
    assert {step.outcome for step in page.steps} == {Proof.PROVED}
    page.equal(equation.lhs, p_t - right, "the residual")
    assert page.steps[-1].outcome is Proof.PROVED


def test_the_fundamental_lemma_wants_what_was_shown():
    page = Page()
    shown, phi, _ = weak(page)
    with pytest.raises(MisuseError, match="what `integrate` has returned"):
        page.weakly(Claim(shown.lhs, "==", Integer(0)), phi, "claimed, not shown")


def test_the_fundamental_lemma_wants_an_arbitrary_test_function():
    page = Page()
    phi = page.function("phi", of=(x,))
    R = letter("R")
    page.depends(x, {phi: 2 * phi}, "an exponential, not an arbitrary function")
    shown = page.integrate([(1, phi * p)], [(1, phi * p)], [x], {phi * p: R}, "an integral")
    with pytest.raises(MisuseError, match="arbitrary"):
        page.weakly(shown, phi, "why")


def test_the_fundamental_lemma_wants_an_integral_that_is_zero():
    page = Page()
    phi, q = page.function("phi", of=(x,)), page.function("q", of=(x,))
    R, S = letter("R"), letter("S")
    shown = page.integrate([(1, phi * q)], [(2, phi * q / 2)], [x], {phi * q: R, phi * q / 2: S}, "an integral")
    page.weakly(shown, phi, "2 S is not 0")
    assert page.steps[-1].outcome is Proof.REFUTED


def test_the_fundamental_lemma_refuses_a_residual_with_the_test_function():
    page = Page()
    phi = page.function("phi", of=(x,))
    R = letter("R")
    page.depends(x, {phi: phi_x, phi_x: phi_xx}, "a test function")
    ends = page.boundary(phi**2, x, "compact support")
    shown = page.integrate([(1, phi * phi_x)], [(Integer(1) / 2, ends)], [x], {phi * phi_x: R}, "by parts")
    with pytest.raises(MisuseError, match="free of it"):
        page.weakly(shown, phi, "phi phi' integrates to 0 and phi' is not 0")


def test_dynkin_is_refused_where_the_density_is_known_to_move_otherwise():
    page = Page()
    density, phi = page.function("p", of=(t, x), domain=POSITIVE), page.function("phi", of=(x,))
    E, E_t = letter("E"), letter("E_t")
    page.depends(t, {density: p_x}, "transport to the left")
    page.depends(x, {density: p_x, phi: phi_x, phi_x: phi_xx}, "along x")
    page.integrate([(1, phi * density)], [(1, phi * density)], [x], {phi * density: E}, "a mean")
    page.under_integral(E, t, E_t, "the density changes")
    with pytest.raises(MisuseError, match="of which nothing is known"):
        page.dynkin(E, phi, density, t, {x: 0}, 1, "and noise at once")


def test_a_density_belongs_to_one_process():
    page = Page()
    weak(page)
    phi2, E2, E2_t = page.function("phi2", of=(x,)), letter("E2"), letter("E2_t")
    density = page.function("p", of=(t, x), domain=POSITIVE)
    page.depends(x, {phi2: letter("phi2_x"), letter("phi2_x"): letter("phi2_xx")}, "another test function")
    page.integrate([(1, phi2 * density)], [(1, phi2 * density)], [x], {phi2 * density: E2}, "a mean")
    page.under_integral(E2, t, E2_t, "the density changes")
    with pytest.raises(MisuseError, match="another process"):
        page.dynkin(E2, phi2, density, t, {x: 0}, 2 * g, "why")


def test_dynkin_wants_the_mean_of_the_test_function():
    page = Page()
    density, phi = page.function("p", of=(t, x), domain=POSITIVE), page.function("phi", of=(x,))
    page.depends(t, {density: p_t}, "unknown")
    with pytest.raises(MisuseError, match="must stand for the integral"):
        page.dynkin(letter("E"), phi, density, t, {x: 0}, g, "why")


def test_an_inner_integral_that_vanishes_makes_the_outer_one_vanish():
    page = Page()
    f, f_x, R = page.function("f", of=(x, y)), letter("f_x"), letter("R")
    page.depends(x, {f: f_x}, "along x")
    page.depends(y, {f: letter("f_y")}, "along y")
    ends = page.boundary(2 * f, x, "compact support")
    assert page.integrate([(1, f_x)], [(Integer(1) / 2, ends)], [x, y], {f_x: R}, "Fubini").rhs == 0
    with pytest.raises(MisuseError, match="no name"):
        page.integrate([(1, ends)], [(1, ends)], [y], {}, "another variable")
