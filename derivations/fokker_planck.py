r"""The Fokker-Planck equation, from one small step to the density.

.. math:: dx_i = f_i\,dt + g\,dW_i \quad\Longrightarrow\quad
   \partial_t p = -\sum_i \partial_i (f_i p) + \tfrac12 g^2 \sum_i \partial_i^2 p

The test function :math:`\phi` and the density p are arbitrary. Two generic coordinates i, j stand for all; the noise has the
one strength g(t) in each, and the coordinates of the Brownian motion are independent, so no mixed derivative appears.
"""

from sympy import Rational, sqrt

from verifydiff.forms.quantities import POSITIVE, z
from verifydiff.forms.sde import g, t
from verifydiff.proof import Gaussian, derivation, letter

SONG = "Song et al. 2021 (SDE)"

x_i, x_j = letter("x_i"), letter("x_j")
p_i, p_j, p_ii, p_jj = (letter(f"p_{k}", rf"\partial_{{{k}}} p") for k in ("i", "j", "ii", "jj"))
p_t = letter("p_t", r"\partial_t p")
phi_i, phi_j, phi_ii, phi_jj = (letter(f"phi_{k}", rf"\partial_{{{k}}} \phi") for k in ("i", "j", "ii", "jj"))
f_ii, f_jj = letter("f_ii", r"\partial_i f_i"), letter("f_jj", r"\partial_j f_j")
h = letter("h", domain=POSITIVE)
HALF = Rational(1, 2)


@derivation(
    id="sde.generator", title="one small step moves the mean of a function by the generator", source="Øksendal 2003, sec. 7.3"
)
def generator(d):
    r"""Ito's formula in the mean, from Taylor's theorem: E phi(x + f h + g sqrt(h) z) = phi + h (f phi' + g^2/2 phi'') + O(h^2).

    The term of second order counts because (sqrt(h) z)^2 has the mean h: this is where the 1/2 comes from.
    """
    f, F0, F1, F2, F3 = (
        letter("f"),
        letter("phi", r"\phi"),
        letter("phi_1", r"\phi'"),
        letter("phi_2", r"\phi''"),
        letter("phi_3", r"\phi'''"),
    )
    r, density = sqrt(h), d.normalised(Gaussian(z, 0, 1), "the noise of the step is standard normal")
    step = d.given("dx", f * h + g * r * z, "one step of Euler-Maruyama")
    near = d.taylor(r"\phi(x + dx)", [F0, F1, F2, F3], step, "phi has bounded derivatives; what is left out is O(h^2) in the mean")
    odd = d.boundary(density, z, "the density vanishes at both ends")
    second = d.boundary(z * density, z, "times z it does, too")
    third = d.boundary(z**2 * density, z, "and times z^2")
    m1, m2, m3 = letter("E_1", r"\mathbb{E} z"), letter("E_2", r"\mathbb{E} z^2"), letter("E_3", r"\mathbb{E} z^3")
    moments = {z * density: m1, z**2 * density: m2, z**3 * density: m3}
    one = d.integrate([(1, z * density)], [(-1, odd)], [z], moments, "by parts: the first moment")
    two = d.integrate([(1, z**2 * density)], [(1, density), (-1, second)], [z], moments, "by parts: the second")
    three = d.integrate([(1, z**3 * density)], [(2, z * density), (-1, third)], [z], moments, "by parts: the third")
    values = {m1: one.rhs, m2: two.rhs, m3: three.rhs.xreplace({m1: one.rhs})}
    powers = [near.expand().coeff(z, k) for k in range(4)]
    mean, whole = letter("E_phi", r"\mathbb{E}\phi"), near * density
    averaged = d.integrate(
        [(1, whole)], [(powers[0], density), *((powers[k], z**k * density) for k in (1, 2, 3))], [z], {whole: mean, **moments},
        "the mean of the polynomial, moment by moment",
    )  # fmt: skip
    after = d.equal(
        averaged.rhs.xreplace(values),
        F0 + h * (f * F1 + g**2 / 2 * F2) + h**2 * (f**2 / 2 * F2 + f * g**2 / 2 * F3) + h**3 * f**3 / 6 * F3,
        "odd moments vanish and E z^2 = 1; of the fourth derivative h^2 g^4 / 8 would be left, of the same order as what follows",
    )
    d.expand(after, h, F0 + h * (f * F1 + g**2 / 2 * F2), 1, "the rate of the mean is f phi' + g^2/2 phi''")
    d.misprint(f * F1, "the term of second order left out, as in ordinary calculus", right=f * F1 + g**2 / 2 * F2)
    d.misprint(f * F1 + g**2 * F2, "the half of Taylor's theorem lost", right=f * F1 + g**2 / 2 * F2)


@derivation(
    id="sde.fokker_planck", title="the Fokker-Planck equation, for an arbitrary drift and density", source=f"{SONG}, app. D.1"
)
def fokker_planck(d):
    """The mean of a test function changes by the generator; by parts, the derivatives move over to the density."""
    over = (x_i, x_j)
    p, phi = d.function("p", of=(t, *over), latex="p", domain=POSITIVE), d.function("phi", of=over, latex=r"\phi")
    f_i, f_j = d.function("f_i", of=(t, *over), latex="f_i"), d.function("f_j", of=(t, *over), latex="f_j")
    d.depends(t, {p: p_t}, "the density changes in time; the test function is none of time")
    d.depends(x_i, {p: p_i, p_i: p_ii, phi: phi_i, phi_i: phi_ii, f_i: f_ii}, "along the coordinate i")
    d.depends(x_j, {p: p_j, p_j: p_jj, phi: phi_j, phi_j: phi_jj, f_j: f_jj}, "along the coordinate j")
    E, E_t = letter("E", r"\mathbb{E}\phi"), letter("E_t", r"\frac{d}{dt}\mathbb{E}\phi")
    d.integrate([(1, phi * p)], [(1, phi * p)], over, {phi * p: E}, "the mean of a test function of compact support")
    moved = d.under_integral(E, t, E_t, "the test function is held, the density changes")
    ito = d.dynkin(E, phi, p, t, {x_i: f_i, x_j: f_j}, g, "p is the density of x(t)")
    parts = [d.boundary(phi * drift * p, x, "phi has compact support") for x, drift in ((x_i, f_i), (x_j, f_j))]
    parts += [
        d.boundary(g**2 / 2 * (p * slope - phi * along), x, "phi has compact support, and so has its slope")
        for x, slope, along in ((x_i, phi_i, p_i), (x_j, phi_j, p_j))
    ]
    flux = (f_i * p_i + f_ii * p) + (f_j * p_j + f_jj * p)
    residual = p_t + flux - g**2 / 2 * (p_ii + p_jj)
    R = letter("R")
    shown = d.integrate(
        [(1, phi * residual)], [(1, moved), (-1, ito), *((1, part) for part in parts)], over, {phi * residual: R, moved: E_t},
        "phi times the residual is the difference of the two rates, but for what vanishes at the ends",
    )  # fmt: skip
    equation = d.weakly(shown, phi, "this holds for every test function")
    right = g**2 / 2 * (p_ii + p_jj) - flux
    d.solve([equation], {p_t: right}, "the Fokker-Planck equation")
    d.equal(
        right, -(d_product(f_i, p, f_ii, p_i) + d_product(f_j, p, f_jj, p_j)) + g**2 / 2 * (p_ii + p_jj),
        "minus the divergence of f p, plus half g^2 times the Laplacian",
    )  # fmt: skip
    d.misprint(right + 2 * flux, "the drift with the other sign: that of dx = -f dt + g dW", right=right)
    d.misprint(right + g**2 / 2 * (p_ii + p_jj), "the half lost in front of the Laplacian", right=right)
    d.misprint(right + f_ii * p + f_jj * p, "f taken out of the derivative, as if it were constant", right=right)


def d_product(a, b, a_slope, b_slope):
    """The slope of a product."""
    return a_slope * b + a * b_slope
