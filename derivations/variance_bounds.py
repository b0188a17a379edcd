r"""Is beta an upper bound? The best variance against the two common choices, by the variance c of the data.

The mean of :math:`x_0` given :math:`x_t` is at least as good an estimate as any affine one, whatever the data. The best affine
estimate knows the data by their variance c alone, and so bounds the best variance of the reverse step:

.. math:: \tilde\beta_t \le \sigma_t^{*2} \le \beta_t \frac{1 - \bar\alpha_s + c\,\bar\alpha_s}{1 - \bar\alpha_t + c\,\bar\alpha_t}
    < \frac{\beta_t}{\alpha_t}

with equality on the right for Gaussian data. For :math:`c \le 1` the bound is at most :math:`\beta_t`; for Gaussian data with
:math:`c > 1` the best variance is larger than :math:`\beta_t`. That :math:`\beta_t` and :math:`\tilde\beta_t` are bounds is said by
Ho et al. 2020 (sec. 3.2) of data of unit variance only, and in this form is true.
"""

from sympy import Integer, sqrt

from verifydiff.forms import forward, variance
from verifydiff.forms.quantities import (
    POSITIVE,
    UNIT,
    abar_s,
    abar_t,
    data_mean,
    data_variance,
    x_0,
    x_t,
)
from verifydiff.proof import Gaussian, derivation, letter

SOHL, HO = "Sohl-Dickstein et al. 2015", "Ho et al. 2020"
k = letter("k", "k")
A, V, c = sqrt(abar_t), 1 - abar_t, data_variance
v_s, v_t = 1 - abar_s + c * abar_s, 1 - abar_t + c * abar_t
part = letter("part", r"\rho", domain=UNIT)


@derivation(variance.linear_spread)
def linear_spread(d):
    """The error of m_0 + k (x_t - sqrt(abar_t) m_0) is a parabola in k."""
    error = d.given(
        r"\mathbb{E}(x_0 - g)^2", (1 - k * A) ** 2 * c + k**2 * V, "what is left of the data, and the noise that comes in"
    )
    best = A * c / v_t
    d.derivative(error, k, 2 * (k * v_t - A * c), "the slope of the parabola")
    d.equal(
        error,
        error.xreplace({k: best}) + v_t * (k - best) ** 2,
        "so the smallest error is at k = sqrt(abar_t) c / (1 - abar_t + c abar_t)",
    )
    d.misprint(c, "the data are left as spread as they were")
    d.conclude(error.xreplace({k: best}))


@derivation(
    id="variance.linear_bound",
    title="x_0 given x_t is spread at most as the best affine estimate errs",
    source="Kay 1993, sec. 12.3",
)
def linear_bound(d):
    """Whatever the data: over x_t first, the error knows their variance alone; over x_0 first, it is the spread and a square."""
    data = d.law("q")(x_0)
    kernel = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, d.use(forward.mean), d.use(forward.variance)), "the forward marginal")
    density = d.normalised(kernel)
    joint, guess = data * density, data_mean + k * (x_t - A * data_mean)
    once, twice = d.boundary(density, x_t, "normal"), d.boundary((x_t - A * x_0) * density, x_t, "normal, times a polynomial")
    C, error = letter("C", "c"), letter("error", r"\mathbb{E}(x_0 - g)^2")
    forward_order, both = ([x_t], [x_0]), [x_0, x_t]
    wide = d.in_turn((x_0 - data_mean) ** 2 * data, density, *forward_order, "x_t first: the variance of the data", outer_named=C)
    cross = d.in_turn((x_0 - data_mean) * data, once, *forward_order, "x_t first: the noise has mean 0")
    one, bend = (d.in_turn(data, part, *forward_order, "x_t first: the noise has variance 1 - abar_t") for part in (density, twice))
    whole = (x_0 - guess) ** 2 * joint
    found = d.integrate(
        [(1, whole)],
        [((1 - k * A) ** 2, wide), (2 * k * (1 - k * A) * V, cross), (k**2 * V, one), (-(k**2) * V, bend)], both, {whole: error},
        "x_0 - g = (1 - k sqrt(abar_t)) (x_0 - m_0) - k (x_t - sqrt(abar_t) x_0)",
    )  # fmt: skip
    P = letter("P", "p_t(x_t)", domain=POSITIVE)
    M, S = letter("M", r"\int x_0\, q"), letter("S", r"\int x_0^2 q")
    names = [letter(name) for name in ("I_0", "I_1", "I_2")]
    backward = [x_0], [x_t]
    pieces = [
        d.in_turn(coefficient, power * joint, *backward, "x_0 first, for held x_t", inner, outer)
        for coefficient, power, inner, outer in zip(
            (guess**2, guess, Integer(1)), (Integer(1), x_0, x_0**2), (P, M, S), names, strict=True
        )
    ]
    expanded = d.integrate(
        [(1, whole)],
        [(1, pieces[0]), (-2, pieces[1]), (1, pieces[2])],
        both,
        {whole: error},
        "the same integral in the other order",
    )
    left = letter("left", r"\mathbb{E}\operatorname{Var}[x_0 \mid x_t]")
    products = {guess**2 * P: names[0], guess * M: names[1], S: names[2]}
    bounded = d.integrate(
        [(1, S - M**2 / P)], [(1, guess**2 * P), (-2, guess * M), (1, S)], [x_t], {**products, S - M**2 / P: left},
        "given x_t, the variance of x_0 is at most the mean square around g: they differ by P (M / P - g)^2", relation="<=",
    )  # fmt: skip
    d.equal(bounded.rhs, expanded.rhs, "so the average spread is at most that integral, for every k")
    best = A * c / v_t
    d.equal(
        found.rhs.xreplace({C: c, k: best}),
        d.use(variance.linear_spread),
        "which at the best k is the error of the best affine estimate",
    )
