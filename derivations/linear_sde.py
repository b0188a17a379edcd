r"""The linear SDE dx = a(t) x dt + g(t) dW: its mean and variance obey two linear differential equations.

.. math:: m' = a\,m, \qquad v' = 2 a\,v + g^2

This holds for any density (from moments of the Fokker-Planck equation), and for a Gaussian it is all there is to it: the
Gaussian with this mean and this variance satisfies the Fokker-Planck equation at every point, and with no other.

One coordinate is written. Drift and noise act on each alike and do not mix them, so that each coordinate by itself is such a
process, and given x(0) they are independent.
"""

from sympy import Integer, exp

from verifydiff.forms.quantities import POSITIVE
from verifydiff.forms.sde import g, t
from verifydiff.proof import Gaussian, derivation, letter

SARKKA = "Särkkä & Solin 2019"

x = letter("x")
a = letter("a")
m, v = letter("m"), letter("v", domain=POSITIVE)
p_x, p_xx = letter("p_x", r"\partial_x p"), letter("p_xx", r"\partial_x^2 p")
N, M, S = letter("N", domain=POSITIVE), letter("M"), letter("S")
N_t, M_t, S_t = letter("N_t", "N'"), letter("M_t", "M'"), letter("S_t", "S'")


@derivation(id="sde.linear_moments", title="mean and variance of a linear SDE, for any density", source=f"{SARKKA}, sec. 5.5")
def linear_moments(d):
    """Multiply the Fokker-Planck equation by 1, x and x^2 and integrate by parts: three rates that close.

    Nothing else is known of the density; it need not be Gaussian.
    """
    p = d.function("p", of=(t, x), latex="p", domain=POSITIVE)
    d.depends(x, {p: p_x, p_x: p_xx, a: 0, g: 0}, "along x; drift rate and noise depend on time alone")
    d.depends(
        t, {p: -(a * p + a * x * p_x) + g**2 / 2 * p_xx, x: 0}, "the Fokker-Planck equation of dx = a x dt + g dW, at a held x"
    )
    named = {p: N, x * p: M, x**2 * p: S}
    d.integrate([(1, integrand) for integrand in named], [(1, integrand) for integrand in named], [x], named, "the moments")
    slopes = [
        d.under_integral(one, t, rate, f"p and its derivatives decay fast enough ({words})")
        for one, rate, words in ((N, N_t, "total mass"), (M, M_t, "first moment"), (S, S_t, "second moment"))
    ]
    ends = [
        d.boundary(a * x ** (k + 1) * p - g**2 / 2 * (x**k * p_x - slope * p), x, "nothing flows in or out at the ends")
        for k, slope in ((0, Integer(0)), (1, Integer(1)), (2, 2 * x))
    ]
    mass = d.integrate([(1, slopes[0])], [(-1, ends[0])], [x], {slopes[0]: N_t}, "no mass is lost")
    first = d.integrate([(1, slopes[1])], [(-1, ends[1]), (a, x * p)], [x], {slopes[1]: M_t, x * p: M}, "once by parts")
    second = d.integrate(
        [(1, slopes[2])], [(-1, ends[2]), (2 * a, x**2 * p), (g**2, p)], [x], {slopes[2]: S_t, x**2 * p: S, p: N}, "twice by parts"
    )
    rates = {N_t: mass.rhs, M_t: first.rhs, S_t: second.rhs}
    d.solve([mass, first, second], rates, "three rates that close")
    mean, variance = d.given("m", M / N, "the mean"), d.given("v", S / N - (M / N) ** 2, "the variance")
    mean_rate = d.derivative(mean, t, M_t / N - M * N_t / N**2, "the quotient rule")
    d.equal(mean_rate.xreplace(rates), a * mean, "m' = a m")
    variance_rate = S_t / N - S * N_t / N**2 - 2 * (M / N) * (M_t / N - M * N_t / N**2)
    d.derivative(variance, t, variance_rate, "the quotient rule")
    right = d.equal(variance_rate.xreplace(rates), 2 * a * variance + g**2, "v' = 2 a v + g^2")
    d.misprint(a * variance + g**2, "the variance shrunk by the drift once: that is the rate of a mean", right=right)
    d.misprint(2 * a * variance + g, "the strength of the noise for its square", right=right)


@derivation(id="sde.linear_gaussian", title="a Gaussian stays one under a linear SDE", source=f"{SARKKA}, sec. 6.1")
def linear_gaussian(d):
    """The normal density whose mean and variance obey the two equations satisfies the Fokker-Planck equation everywhere."""
    d.depends(x, {a: 0, g: 0, m: 0, v: 0}, "all of them depend on time alone")
    d.depends(t, {x: 0, m: a * m, v: 2 * a * v + g**2}, "mean and variance obey the equations of the moments")
    density = d.given("p", Gaussian(x, m, v), "a Gaussian at every time").density
    d.evolves(density, t, {x: a * x}, g, "so it is the density of x(t) if it is that of x(0)")


@derivation(id="sde.linear_only", title="and with no other mean and variance", source=f"{SARKKA}, sec. 6.1")
def linear_only(d):
    """Put a Gaussian with unknown rates into the Fokker-Planck equation and compare powers of x: both rates are forced."""
    u, r = letter("u", "m'"), letter("r", "v'")
    d.depends(t, {m: u, v: r, u: letter("u_t"), r: letter("r_t")}, "rates yet unknown")
    law = d.given("p", Gaussian(x, m, v), "a Gaussian at every time")
    score = -(x - m) / v
    d.derivative(law.log_density, x, score, "its logarithm along x")
    rate = d.derivative(
        law.log_density,
        t,
        (x - m) * u / v + (x - m) ** 2 * r / (2 * v**2) - r / (2 * v),
        "its logarithm along t, with the normaliser",
    )
    right = -(a + a * x * score) + g**2 / 2 * (score**2 - 1 / v)
    equations = d.match(rate, right, [x], "Fokker-Planck divided by p, for every x")
    d.solve(equations, {r: 2 * a * v + g**2, u: a * m}, "the powers of x determine both rates")


@derivation(id="sde.linear_solution", title="mean and variance of a linear SDE, in closed form", source=f"{SARKKA}, sec. 6.1")
def linear_solution(d):
    r"""With F the integral of a and G that of exp(-2F) g^2: m = exp(F) m_0 and v = exp(2F) (v_0 + G).

    From s to t it is the same with F and G counted from s: the kernel of a linear SDE is Gaussian for any s < t.
    """
    F, G, m_0, v_0 = letter("F"), letter("G"), letter("m_0"), letter("v_0", domain=POSITIVE)
    d.depends(t, {F: a, G: exp(-2 * F) * g**2}, "F and G are integrals from the first time on")
    mean, variance = letter("mean", "m"), letter("variance", "v")
    d.depends(t, {mean: a * mean, variance: 2 * a * variance + g**2}, "the equations of the moments")
    d.solves(mean, exp(F) * m_0, t, {F: 0}, m_0, "the drift stretches the mean")
    closed = d.solves(
        variance,
        exp(2 * F) * (v_0 + G),
        t,
        {F: 0, G: 0},
        v_0,
        "the drift stretches the deviation, so the variance twice; noise adds",
    )
    d.equal(closed.xreplace({g: 0, G: 0}), exp(F) ** 2 * v_0, "without noise the standard deviation is stretched like the mean")
