r"""The Frechet distance of two Gaussians: the least mean square distance of a coupling (Dowson & Landau 1982).

.. math:: d^2 = \min_{x \sim p_1,\, y \sim p_2} \mathbb{E} |x - y|^2

No coupling is better than a straight line through the means, by a square that is left over; and the line is one. The bound
needs the first two moments only, whatever the laws. For covariances that commute the coordinates are those of their common
eigenvectors; what image papers call FID is this distance between Gaussians fitted to features.
"""

from sympy import Integer, Rational, sqrt

from verifydiff.forms import laws
from verifydiff.forms.laws import m_1, m_2, v_1, v_2
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, data_variance
from verifydiff.proof import Gaussian, derivation, letter

x, y = letter("x"), letter("y")
s_1, s_2 = letter("s_1", r"\sigma_1", domain=POSITIVE), letter("s_2", r"\sigma_2", domain=POSITIVE)
V_1, V_2 = letter("V_1", r"\mathbb{E}(x - m_1)^2"), letter("V_2", r"\mathbb{E}(y - m_2)^2")
CROSS, COST = letter("cross", r"\mathbb{E}(x - m_1)(y - m_2)"), letter("cost", r"\mathbb{E}(x - y)^2")
M_1, M_2 = letter("M_1", r"\mathbb{E}(x - m_1)"), letter("M_2", r"\mathbb{E}(y - m_2)")
LEFT = letter("left", r"\mathbb{E}(\sigma_2 (x - m_1) - \sigma_1 (y - m_2))^2")


@derivation(
    id="laws.frechet_bound",
    title="no coupling is below the Frechet distance of its first two moments",
    source="Dowson & Landau 1982; Gelbrich 1990",
)
def frechet_bound(d):
    r"""For any joint law of x and y with means :math:`m_i` and deviations :math:`\sigma_i`, in one coordinate.

    The cost exceeds the distance by the mean of :math:`(\sigma_2 (x - m_1) - \sigma_1 (y - m_2))^2 / (\sigma_1 \sigma_2)`. For a
    coupling without a density the same identities are integrated against its measure.
    """
    q = d.law("q")(x, y)
    u, v = x - m_1, y - m_2
    named = {u**2 * q: V_1, v**2 * q: V_2, u * q: M_1, v * q: M_2, u * v * q: CROSS}
    cost = d.integrate(
        [(1, (x - y) ** 2 * q)],
        [(1, u**2 * q), (1, v**2 * q), (-2, u * v * q), (2 * (m_1 - m_2), u * q), (-2 * (m_1 - m_2), v * q), ((m_1 - m_2) ** 2, q)],
        (x, y), {**named, (x - y) ** 2 * q: COST}, "the cost, about the means",
    )  # fmt: skip
    left = d.integrate(
        [(1, (s_2 * u - s_1 * v) ** 2 * q)], [(s_2**2, u**2 * q), (s_1**2, v**2 * q), (-2 * s_1 * s_2, u * v * q)],
        (x, y), {(s_2 * u - s_1 * v) ** 2 * q: LEFT} | {o: named[o] for o in (u**2 * q, v**2 * q, u * v * q)},
        "the square that is left over",
    )  # fmt: skip
    d.integrate(
        [], [(1, (s_2 * u - s_1 * v) ** 2 * q)], (x, y), {(s_2 * u - s_1 * v) ** 2 * q: LEFT}, "a square is not negative", "<="
    )
    moments = {M_1: Integer(0), M_2: Integer(0), V_1: s_1**2, V_2: s_2**2}
    d.given(r"\mathbb{E}(x - m_1), \mathbb{E}(y - m_2)", Integer(0), "what m_1 and m_2 are")
    d.given(r"\mathbb{E}(x - m_1)^2", s_1**2, "what sigma_1 is; and sigma_2 likewise")
    distance = (m_1 - m_2) ** 2 + (s_1 - s_2) ** 2
    d.equal(
        cost.rhs.xreplace(moments),
        distance + left.rhs.xreplace(moments) / (s_1 * s_2),
        "cost = distance + left over / (sigma_1 sigma_2)",
    )
    d.misprint(s_1**2 + s_2**2 - s_1 * s_2, "the 2 before the mixed term lost", right=(s_1 - s_2) ** 2)


@derivation(laws.frechet)
def frechet(d):
    """The line through the means with the quotient of the deviations for a slope carries the one law to the other."""
    slope = s_2 / s_1
    first, second = Gaussian(x, m_1, s_1**2), Gaussian(y, m_2, s_2**2)
    d.affine(d.given("p_1", first, "the first law"), m_2 + slope * (x - m_1), y, second, "the line carries it to the second")
    gap = d.given("x - y", m_1 - m_2 + (1 - slope) * (x - m_1), "what is between a point and its image")
    d.equal(gap, x - (m_2 + slope * (x - m_1)), "it is affine in x")
    cost = d.equal(
        (m_1 - m_2) ** 2 + (1 - slope) ** 2 * s_1**2, (m_1 - m_2) ** 2 + (s_1 - s_2) ** 2, "squared mean plus variance of the gap"
    )
    d.equal(s_2 * (x - m_1) - s_1 * slope * (x - m_1), 0, "and what is left over beyond the bound is 0: no coupling is better")
    roots = {s_1: sqrt(v_1), s_2: sqrt(v_2)}
    d.misprint((m_1 - m_2) ** 2 + (v_1 - v_2) ** 2, "the variances for the deviations")
    d.misprint((m_1 - m_2) ** 2 + v_1 + v_2 - 2 * v_1 * v_2, "the root of the mixed term lost")
    d.conclude(cost.xreplace(roots), "also where one of the laws is a point: then there is one coupling only")


@derivation(id="laws.frechet_of_points", title="against a point", source="elementary")
def frechet_of_points(d):
    """A point has one coupling with any law, whose cost is the mean square distance."""
    distance = d.use(laws.frechet).xreplace({v_2: Integer(0)})
    d.equal(distance, (m_1 - m_2) ** 2 + v_1, "bias squared plus variance")


@derivation(id="laws.frechet_commuting", title="the trace formula, for covariances that commute", source="Dowson & Landau 1982")
def frechet_commuting(d):
    r"""With :math:`C_2 = f(C_1)` the trace of :math:`C_1 + C_2 - 2 (C_1^{1/2} C_2 C_1^{1/2})^{1/2}` is a sum over eigenvalues.

    In the coordinates of the eigenvectors the cost of any coupling is the sum of the costs of its coordinates, each bounded by
    its own distance, and the lines for all coordinates together are one coupling. All the laws of the DDIM family on Gaussian
    data are of this kind.
    """
    c = d.spectral("C_1", data_variance, "the other covariance is a function of it, so that both are diagonal in its eigenvectors")
    f = letter("f", "f(c)", domain=NONNEGATIVE)
    trace = d.given(
        r"\text{one term of the trace}",
        c + f - 2 * (sqrt(c) * f * sqrt(c)) ** Rational(1, 2),
        "the formula for matrices, at an eigenvalue",
    )
    d.equal(
        trace, d.use(laws.frechet).xreplace({m_1: Integer(0), m_2: Integer(0), v_1: c, v_2: f}), "is the distance in one coordinate"
    )
    d.equal((sqrt(c) - sqrt(f)) ** 2, c + f - 2 * sqrt(c * f), "for commuting matrices also tr (C_1^(1/2) - C_2^(1/2))^2")
    d.misprint(c + f - 2 * c * f, "the matrix root lost", right=trace)
