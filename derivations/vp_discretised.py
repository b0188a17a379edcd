r"""DDPM is the VP SDE, taken in steps: how far apart the two are.

DDPM keeps :math:`\sqrt{1 - \beta_i}` of the signal in a step, the SDE :math:`\exp(-\frac12\int\beta)`. With
:math:`\beta_i = \beta(t_i) h` the two differ by :math:`O(h^2)` in a step, and by O(h) over a fixed time. The same holds of
Euler-Maruyama, the explicit step :math:`x + f h + g\sqrt{h} z`, with another leading term.
"""

from sympy import Rational, exp, log, sqrt

from verifydiff.forms import sde
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, UNIT
from verifydiff.proof import derivation, letter

SONG = sde.SONG_SDE

h = letter("h", domain=NONNEGATIVE)
b, b_1 = letter("b", r"\beta", domain=POSITIVE), letter("b_1", r"\dot\beta")


@derivation(id="vp.step_signal", title="signal kept in a step: DDPM, the SDE, Euler-Maruyama", source=f"{SONG}, app. B")
def step_signal(d):
    """Three factors that agree to first order; the leading differences are beta^2/4, /8 and -/8 times h^2."""
    ddpm, exact, euler = sqrt(1 - b * h), exp(-b * h / 2), 1 - b * h / 2
    d.expand(ddpm, h, 1 - b * h / 2 - b**2 * h**2 / 8, 2, "DDPM: the root of 1 - beta h")
    d.expand(exact, h, 1 - b * h / 2 + b**2 * h**2 / 8, 2, "the SDE, for a constant beta over the step")
    d.equal(1 - b * h / 2, euler, "Euler-Maruyama: the terms of first order, and no more")
    squares = d.equal(
        b**2 * h**2 / 8 - (-(b**2) * h**2 / 8), b**2 * h**2 / 4, "the SDE keeps more than DDPM, by beta^2 h^2 / 4 + O(h^3)"
    )
    d.equal(squares / 2, b**2 * h**2 / 8, "Euler-Maruyama lies half way between, to this order")
    d.misprint(1 - b * h, "the half lost: the factor of the power for that of the amplitude", right=ddpm)


@derivation(id="vp.step_level", title="DDPM's level falls below that of the SDE, in every step", source=f"{SONG}, app. B")
def step_level(d):
    """1 - b is at most exp(-b): a step of DDPM keeps at most as much signal as the SDE over the same integral of beta."""
    c = letter("c", r"\beta h", domain=NONNEGATIVE)
    d.derivative(exp(-c) + c - 1, c, 1 - exp(-c), "the difference has a slope that is not negative")
    d.grows(exp(-c) + c - 1, c, 0, "so it stays above its value at c = 0, which is 0")
    d.equal((exp(-c) + c - 1).xreplace({c: Rational(0)}), 0, "hence 1 - c <= exp(-c) for every c >= 0")
    d.expand(exp(-c) - (1 - c), c, c**2 / 2, 2, "and the levels differ by c^2 / 2 in a step, and O(c^3)")


@derivation(id="vp.step_noise", title="noise added in a step: DDPM, the SDE, Euler-Maruyama", source=f"{SONG}, app. B")
def step_noise(d):
    """DDPM and Euler-Maruyama add beta h, the SDE 1 - exp(-beta h): less, by beta^2 h^2 / 2."""
    exact = 1 - exp(-b * h)
    d.expand(exact, h, b * h - b**2 * h**2 / 2, 2, "the SDE, for a constant beta over the step")
    d.expand(b * h - exact, h, b**2 * h**2 / 2, 2, "DDPM and Euler-Maruyama add more")
    d.equal((1 - b * h) + b * h, 1, "DDPM keeps data of unit variance, as the SDE does")
    d.equal((1 - b * h / 2) ** 2 + b * h, 1 + b**2 * h**2 / 4, "Euler-Maruyama does not: beta^2 h^2 / 4 is left over in each step")
    d.misprint(b * h**2, "the step squared in the variance: sqrt(beta) h z added in place of sqrt(beta h) z", right=exact)


@derivation(id="vp.varying_beta", title="where in the step beta is taken", source=f"{SONG}, app. B")
def varying_beta(d):
    """A smooth beta taken at the end of the step overshoots its integral by half its rise; together with the step's own error:

    log alpha of DDPM minus that of the SDE is -(beta^2 + beta') h^2 / 2 + O(h^3).
    """
    u = letter("u", domain=NONNEGATIVE)
    smooth = d.taylor(r"\beta(s + u)", [b, b_1], u, "beta is smooth; b is its value at the start s of the step")
    d.integral(smooth, u, 0, h, b * u + b_1 * u**2 / 2, "its integral over the step, up to O(h^3)")
    integral = b * h + b_1 * h**2 / 2
    at_end = smooth.xreplace({u: h})
    d.expand(at_end * h - integral, h, b_1 * h**2 / 2, 2, "beta at the end of the step, times the step")
    d.expand(log(1 - at_end * h), h, -b * h - (b_1 + b**2 / 2) * h**2, 2, "log alpha of DDPM")
    gap = d.expand(
        log(1 - at_end * h) + integral, h, -(b**2 + b_1) * h**2 / 2, 2, "minus that of the SDE, which is minus the integral"
    )
    d.misprint(-(b**2) * h**2 / 2, "the rise of beta forgotten: right for a constant beta only", right=gap)


@derivation(id="vp.global_order", title="over a fixed time DDPM's levels differ from the SDE's by O(h)", source=f"{SONG}, app. B")
def global_order(d):
    """If one step errs by at most C h^2, n steps err by at most n C h^2 = T C h: an error is never magnified on the way.

    One step multiplies the level by 1 - beta h <= 1, so that what was wrong before shrinks.
    """
    error, n, C = letter("error", "e_n", domain=NONNEGATIVE), letter("n", domain=NONNEGATIVE), letter("C", domain=NONNEGATIVE)
    r, E, factor, a = (
        letter(name, latex, domain=UNIT) for name, latex in (("r", "r"), ("E", "E"), ("factor", r"1 - \beta h"), ("a", "a"))
    )
    d.equal(
        factor * a - r * E, factor * (a - E) + (factor - r) * E,
        "levels a of DDPM and E of the SDE, which keeps r: the old error, shrunk, and the step's own, times a level at most 1",
    )  # fmt: skip
    bound = d.induction(
        error,
        0,
        factor * error + C * h**2,
        n * C * h**2,
        {n: 0},
        {n: n + 1},
        "the old error shrinks, a new one of C h^2 comes",
        "<=",
    )
    T = letter("T", domain=POSITIVE)
    d.equal(bound.xreplace({n: T / h}), T * C * h, "in T / h steps: first order in the step")
    d.misprint(C * h**2, "the error of a step taken for that of the whole", right=bound)


@derivation(id="vp.global_leading", title="the leading term of that difference, for a constant beta", source=f"{SONG}, app. B")
def global_leading(d):
    """The logarithms add up: T / h steps of log(1 - beta h) + beta h. Half of beta^2 T h is lost, and no more to first order."""
    T = letter("T", domain=POSITIVE)
    per_step = d.expand(
        log(1 - b * h) + b * h, h, -(b**2) * h**2 / 2 - b**3 * h**3 / 3, 3, "log alpha of DDPM minus that of the SDE, in a step"
    )
    total = d.given(r"\log\bar\alpha - (-\beta T)", T / h * per_step, "T / h equal steps")
    d.equal(total, -(b**2) * T * h / 2 - b**3 * T * h**2 / 3, "first order in h")
    d.equal(b**2 * T * h / 2, b * T * (b * h) / 2, "as a fraction of beta T it is half the beta of one step")
