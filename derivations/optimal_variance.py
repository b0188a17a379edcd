r"""The best variance of a Gaussian reverse step, for an arbitrary law of the data.

The average of :math:`-\log \mathcal{N}(x_s \mid \mu, \sigma^2)` under any law is smallest at that law's mean and variance. Given
:math:`x_t` the law of :math:`x_s` is :math:`q(x_s \mid x_t) = \int q(x_s \mid x_t, x_0)\, q(x_0 \mid x_t)\,dx_0`, and by the law of
total variance

.. math:: \operatorname{Var}[x_s \mid x_t] = \sigma_t^2 + k^2 \operatorname{Var}[x_0 \mid x_t]

where :math:`k x_0` is the share of :math:`x_0` in the mean of :math:`q(x_s \mid x_t, x_0)`, whose variance is :math:`\sigma_t^2`.
Of the data nothing is known but that they have a variance; one coordinate stands for all. The best variance that is the same for
all :math:`x_t`, or for all coordinates, is the average of theirs.
"""

from sympy import Integer, log, pi, sqrt

from verifydiff.forms import ddim, ddpm, divergence, forward, score, variance
from verifydiff.forms.bound import step_variance
from verifydiff.forms.divergence import mean_p, mean_q, var_p, var_q
from verifydiff.forms.quantities import abar_s, abar_t, eps, eta, sigma_t, x_0, x_s, x_t
from verifydiff.forms.score import score_t
from verifydiff.forms.variance import BAO, spread
from verifydiff.proof import Gaussian, derivation, letter

k, m = letter("k", "k"), letter("m", "m")
mu = letter("mu", r"\mu")
mean, second = letter("mean", r"\mathbb{E}[x_0 \mid x_t]"), letter("second", r"\mathbb{E}[x_0^2 \mid x_t]")
V = letter("V", r"\operatorname{Var}[x_0 \mid x_t]")


@derivation(
    id="variance.moment_matching", title="the best Gaussian has the mean and the variance of the law", source=f"{BAO}, lemma 1"
)
def moment_matching(d):
    """The average of minus the log density knows the law by two moments only; it exceeds its smallest value by a divergence."""
    q = d.law("q")(x_s)
    M, S, loss = letter("M", "M"), letter("S", "S"), letter("E_log_p", r"\mathbb{E}_q \log p")
    log_p = Gaussian(x_s, mu, step_variance).log_density
    found = d.integrate(
        [(-1, log_p * q)],
        [(log(2 * pi * step_variance) / 2 + (M - mu) ** 2 / (2 * step_variance), q), (1 / (2 * step_variance), (x_s - M) ** 2 * q),
         ((M - mu) / step_variance, x_s * q), (-(M - mu) * M / step_variance, q)],
        [x_s], {log_p * q: loss, (x_s - M) ** 2 * q: S, x_s * q: M},
        "(x - mu)^2 = (x - M)^2 + 2 (x - M)(M - mu) + (M - mu)^2; the law has the mean M and the variance S",
    )  # fmt: skip
    d.assume(S > 0, "a law with a density has a positive variance")
    best = log(2 * pi * S) / 2 + Integer(1) / 2
    excess = d.use(divergence.gaussian).xreplace({mean_q: M, var_q: S, mean_p: mu, var_p: step_variance})
    d.equal(
        found.rhs, best + excess, "the excess is the divergence of N(M, S) from N(mu, sigma^2): 0 exactly at mu = M, sigma^2 = S"
    )


def total_variance(d):
    """The mean square of x_s around any mu, given x_t, from the moments of x_0 given x_t."""
    q = d.law("q")
    posterior = q(x_0, given=x_t)
    named = {x_0 * posterior: mean, x_0**2 * posterior: second}
    with d.suppose(sigma_t > 0, "first case: q(x_s | x_t, x_0) has a density"):
        law = d.given(r"q(x_s \mid x_t, x_0)", Gaussian(x_s, k * x_0 + m * x_t, sigma_t**2), "a mean that is affine in x_0 and x_t")
        density = d.normalised(law)
        once, twice = d.boundary(density, x_s, "normal"), d.boundary((x_s - law.mean) * density, x_s, "normal, times a polynomial")
        both = [x_s], [x_0]
        one = d.in_turn(posterior, density, *both, "x_s is integrated out first, then x_0: all is one")
        linear = d.in_turn(x_0 * posterior, density, *both, "the mean of x_0 given x_t", outer_named=mean)
        square = d.in_turn(x_0**2 * posterior, density, *both, "the mean of its square", outer_named=second)
        cross = d.in_turn((law.mean - mu) * posterior, once, *both, "the noise of the step has mean 0")
        noise = d.in_turn(posterior, twice, *both, "and its variance, sigma_t^2, whatever x_0 is")
        whole, shift = (x_s - mu) ** 2 * density * posterior, m * x_t - mu
        found = d.integrate(
            [(1, whole)],
            [(k**2, square), (2 * k * shift, linear), (shift**2, one),
             (-2 * sigma_t**2, cross), (sigma_t**2, one), (-(sigma_t**2), noise)],
            [x_s, x_0], {whole: letter("around", r"\mathbb{E}[(x_s - \mu)^2 \mid x_t]")},
            "x_s - mu = (x_s - mean) + (mean - mu), squared and averaged over x_s, then over x_0",
        )  # fmt: skip
    held, shift = (k * x_0 + m * x_t - mu) ** 2 * posterior, m * x_t - mu
    named[held] = letter("held", r"\mathbb{E}[(x_s - \mu)^2 \mid x_t]")
    still = d.integrate(
        [(1, held)], [(k**2, x_0**2 * posterior), (2 * k * shift, x_0 * posterior), (shift**2, posterior)], [x_0], named,
        "second case, no fresh noise: x_s is the mean itself",
    )  # fmt: skip
    d.equal(found.rhs.xreplace({sigma_t: Integer(0)}), still.rhs, "which is the first case at sigma_t = 0")
    return found.rhs


@derivation(id="variance.total", title="the law of total variance for a step", source=f"{BAO}, app. A")
def total(d):
    """Around any mu: the variance of the step, that of its mean, and the square of what mu is off."""
    around = total_variance(d)
    moments = {second: V + mean**2}
    d.equal(
        around.xreplace(moments), sigma_t**2 + k**2 * V + (k * mean + m * x_t - mu) ** 2,
        "so the mean of x_s given x_t is k E[x_0 | x_t] + m x_t, and its variance is sigma_t^2 + k^2 Var[x_0 | x_t]",
    )  # fmt: skip


@derivation(variance.family)
def family(d):
    """The variance of x_s given x_t, averaged over x_t if one variance serves them all."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the bound on sigma")
    around = total_variance(d).xreplace({second: V + mean**2, mu: k * mean + m * x_t})
    q = d.law("r")
    d.equal(around, sigma_t**2 + k**2 * V, "around its own mean")
    level, slope = d.given("x_s", d.use(ddim.mean), "the chain"), d.use(ddim.x_0_coefficient)
    d.derivative(level, x_0, slope, "k is the coefficient of x_0")
    there = d.function("V_x", (x_t,), r"\operatorname{Var}[x_0 \mid x_t]")
    mass, average = there * q(x_t), letter("V_mean", r"\mathbb{E}\operatorname{Var}[x_0 \mid x_t]")
    total = (sigma_t**2 + slope**2 * there) * q(x_t)
    found = d.integrate(
        [(1, total)], [(sigma_t**2, q(x_t)), (slope**2, mass)], [x_t], {total: letter("S", "S"), mass: average},
        "the average loss depends on the average variance only: that of the step is the same at every x_t",
    )  # fmt: skip
    d.misprint(sigma_t**2, "the variance of q(x_s | x_t, x_0) is taken for that of q(x_s | x_t)")
    d.misprint(sigma_t**2 + slope * spread, "the coefficient of x_0 is not squared")
    d.conclude(found.rhs.xreplace({average: spread}))


@derivation(variance.optimal)
def optimal(d):
    """At eta = 1 the variance of the step is beta-tilde and k the coefficient of the posterior mean."""
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    found = d.use(variance.family, at={sigma_t: scale})
    small, mean_s = d.use(ddpm.posterior_variance), d.use(ddpm.posterior_mean)
    slope = mean_s.coeff(x_0)
    d.derivative(mean_s, x_0, slope, "the coefficient of x_0 in the posterior mean")
    d.at_most(small, small + slope**2 * spread, "never below beta-tilde")
    d.equal((small + slope**2 * spread).xreplace({spread: Integer(0)}), small, "and equal to it for data at one point")
    d.misprint(small, "beta-tilde is said to be the best variance; it is for data at one point only")
    d.misprint(d.use(ddpm.large_variance), "beta is said to be the best variance")
    d.conclude(found)


@derivation(
    id="variance.optimal_mean", title="the best mean is the posterior's, at the mean of x_0 given x_t", source=f"{BAO}, theorem 1"
)
def optimal_mean(d):
    """The posterior mean is affine in x_0, so its average is itself at the average; Tweedie's formula knows that by the score."""
    posterior = d.use(ddpm.posterior_mean)
    law = d.law("q")(x_0, given=x_t)
    average = letter("mean_s", r"\mathbb{E}[x_s \mid x_t]")
    rest = posterior.xreplace({x_0: Integer(0)})
    found = d.integrate(
        [(1, posterior * law)], [(posterior.coeff(x_0), x_0 * law), (rest, law)], [x_0],
        {posterior * law: average, x_0 * law: mean},
        "affine in x_0, averaged over x_0 given x_t",
    )  # fmt: skip
    noise = -sqrt(1 - abar_t) * score_t
    d.equal(
        d.use(forward.eps_from_x0).xreplace({x_0: d.use(score.tweedie_mean)}), noise, "the mean of the noise, by Tweedie's formula"
    )
    d.equal(
        found.rhs.xreplace({mean: score.tweedie_mean.expression}), d.use(ddpm.mean_from_eps).xreplace({eps: noise}),
        "so the sampler's step with the best prediction of the noise has the best mean",
    )  # fmt: skip


@derivation(
    id="variance.spread_grows", title="what is not known of x_0 grows with the noise", source="Cover & Thomas 2006, sec. 2.8"
)
def spread_grows(d):
    """For a Markov chain x_0, x_s, x_t no estimate from x_t is better than the mean of x_0 given x_s.

    With the mean of x_0 given x_t for g it says that the average variance given x_s is at most that given x_t.
    """
    q = d.law("q")
    posterior, later = q(x_0, given=x_s), q(x_s, x_t)
    best, guess = letter("f", r"\mathbb{E}[x_0 \mid x_s]"), d.function("g", (x_t,))
    both = [x_0], [x_s, x_t]
    near, far, mixed = letter("E_s", r"\mathbb{E}(x_0 - f(x_s))^2"), letter("E_t", r"\mathbb{E}(x_0 - g(x_t))^2"), letter("C", "C")
    local = letter("V_s", r"\operatorname{Var}[x_0 \mid x_s]")
    one = d.in_turn((best - guess) * later, x_0 * posterior, *both, "Markov: given x_s, x_0 forgets x_t", best, mixed)
    two = d.in_turn((best - guess) * best * later, posterior, *both, "x_0 - f averages to 0 given x_s", outer_named=mixed)
    kept = d.in_turn(later, (x_0 - best) ** 2 * posterior, *both, "the variance of x_0 given x_s, on average", local, near)
    whole = (x_0 - guess) ** 2 * posterior * later
    d.integrate(
        [(1, kept), (2, one), (-2, two)], [(1, whole)], [x_0, x_s, x_t], {whole: far},
        "x_0 - g = (x_0 - f) + (f - g), squared: the cross terms cancel, and (f - g)^2 is not negative", relation="<=",
    )  # fmt: skip
