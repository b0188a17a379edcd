r"""One DDIM step on Gaussian data with the exact denoiser: affine, with Gaussian noise.

.. math:: x_s - \sqrt{\bar\alpha_s}\, m_0 = g\, (x_t - \sqrt{\bar\alpha_t}\, m_0) + \sigma_t z

So a sampler keeps a Gaussian Gaussian, and its exact law is a matter of two recursions. Its means are right as soon as they
once are. Its variances are not: a step puts the mean of :math:`x_0` given :math:`x_t` where :math:`x_0` itself should stand,
and the variance of one given the other is lost. That holds for any data.
"""

from sympy import Eq, Integer, diff, sqrt

from verifydiff.forms import ddim, ddpm, laws
from verifydiff.forms.quantities import (
    POSITIVE,
    abar_s,
    abar_t,
    beta_t,
    data_mean,
    data_variance,
    eta,
    sigma_t,
    x_0,
    x_s,
    x_t,
)
from verifydiff.proof import Gaussian, at, claim, derivation, letter

D_s, D_t = abar_s * data_variance + 1 - abar_s, laws.variance.expression
g, b = letter("g", "g"), letter("b", "b")
M, V = letter("M", "M_t"), letter("V", "V_t", domain=POSITIVE)
STALE = sqrt(1 - abar_s - sigma_t**2)
BOUND = "no more fresh noise than the marginal at s has"


def step(d):
    """The mean of the step with the exact denoiser."""
    d.assume(sigma_t**2 <= 1 - abar_s, BOUND)
    return d.use(ddim.mean).xreplace({x_0: d.use(laws.denoiser)})


@derivation(laws.gain)
def gain(d):
    """The slope of the step: through the denoiser, and through the noise that is left."""
    mean = step(d)
    slope = d.derivative(mean, x_t, laws.gain.expression, "the step is affine in x_t")
    d.equal(at(slope, data_variance=0), STALE / sqrt(1 - abar_t), "a point: only the noise is carried on")
    d.misprint((sqrt(abar_s * abar_t) * data_variance + sqrt(1 - abar_s) * sqrt(1 - abar_t)) / D_t, "sigma not taken off the noise")
    d.misprint(sqrt(D_s / D_t), "the gain of the probability flow: that of infinitely many steps")
    d.conclude(diff(mean, x_t), "the derivative by x_t")


@derivation(laws.shift)
def shift(d):
    """The step keeps the means of the marginals: from sqrt(abar_t) m_0 to sqrt(abar_s) m_0."""
    mean = step(d)
    kept = d.equal(mean.xreplace({x_t: sqrt(abar_t) * data_mean}), sqrt(abar_s) * data_mean, "the mean of x_t goes to that of x_s")
    d.conclude(kept - d.use(laws.gain) * sqrt(abar_t) * data_mean, "so the shift is the rest")


@derivation(id="laws.step", title="the law of a step", source="elementary")
def law_of_step(d):
    """A Gaussian with mean M and variance V becomes one with mean g M + b and variance g^2 V + sigma^2."""
    before = d.given("p(x_t)", Gaussian(x_t, M, V), "what the sampler has at t")
    after = Gaussian(x_s, g * M + b, g**2 * V + sigma_t**2)
    with d.suppose(sigma_t > 0, "first case: there is fresh noise"):
        kernel = d.given(r"p(x_s \mid x_t)", Gaussian(x_s, g * x_t + b, sigma_t**2), "the step")
        backward = Gaussian(x_t, M + g * V / after.variance * (x_s - after.mean), V * sigma_t**2 / after.variance)
        d.marginalise(before, kernel, backward, after, "complete the square in x_t")
    with d.suppose(g > 0, "second case: there is none, and x_s is an image of x_t"):
        d.affine(before, g * x_t + b, x_s, after.at({sigma_t: Integer(0)}), "the step without noise")
    neither = {g: Integer(0), sigma_t: Integer(0)}
    d.equal(after.variance.xreplace(neither), 0, "third case: neither, and x_s is the point b")
    d.misprint(g * V + sigma_t**2, "the gain not squared", right=after.variance)


@derivation(laws.loss)
def loss(d):
    """By Lagrange's identity what is missing is a square: the step never has too much variance."""
    d.assume(sigma_t**2 <= 1 - abar_s, BOUND)
    missing = D_s - (d.use(laws.gain) ** 2 * d.use(laws.variance) + sigma_t**2)
    d.equal(D_s - sigma_t**2, abar_s * data_variance + STALE**2, "what the step has to keep, as a sum of two squares")
    weight = d.use(ddim.x_0_coefficient)
    d.equal(missing, weight**2 * d.use(laws.posterior_variance), "it is what the denoiser leaves open, by the weight of x_0")
    d.at_most(0, laws.loss.expression, "never negative")
    d.equal(at(laws.loss.expression, data_variance=0), 0, "nothing is lost along a direction in which the data are a point")
    d.less(0, d.use(ddim.x_0_coefficient, at={sigma_t: Integer(0)}), "without noise the weight of x_0 is positive, and it")
    with d.suppose(sigma_t**2 < 1 - abar_s, "more noise, more loss: let sigma move"):
        slope = d.derivative(weight, sigma_t, sigma_t * sqrt(abar_t) / (STALE * sqrt(1 - abar_t)), "the weight of x_0 by sigma")
        d.at_most(0, slope, "rises: a step with more fresh noise loses more")
    d.conclude(missing)


@derivation(id="laws.lost_by_any_data", title="what a step loses, for any data", source="elementary: the law of total variance")
def lost_by_any_data(d):
    r"""The true :math:`x_s` has :math:`k x_0 + m x_t`, the sampler :math:`k\, \mathbb{E}[x_0 \mid x_t] + m x_t`.

    Given :math:`x_t` the means agree, and the second moments differ by :math:`k^2 \operatorname{Var}[x_0 \mid x_t]`. Averaged over
    :math:`x_t`, so do the variances of :math:`x_s`, while the fresh noise is the same in both.
    """
    q = d.law("q")
    k, m = letter("k"), letter("m")
    mean, square, total = (
        letter("mean", r"\mathbb{E}[x_0 \mid x_t]"),
        letter("square", r"\mathbb{E}[x_0^2 \mid x_t]"),
        letter("total", "S"),
    )
    first = letter("first", r"\mathbb{E}[k x_0 + m x_t \mid x_t]")
    given = q(x_0, given=x_t)
    d.equal(given * q(x_t), q(x_0, x_t), "data and their noising, of whatever law")
    moments = {
        x_0**2 * given: square,
        x_0 * given: mean,
        (k * x_0 + m * x_t) ** 2 * given: total,
        (k * x_0 + m * x_t) * given: first,
    }
    linear = d.integrate(
        [(1, (k * x_0 + m * x_t) * given)], [(k, x_0 * given), (m * x_t, given)], [x_0],
        {o: moments[o] for o in moments if moments[o] in (first, mean)},
        "the first moment given x_t",
    )  # fmt: skip
    second = d.integrate(
        [(1, (k * x_0 + m * x_t) ** 2 * given)], [(k**2, x_0**2 * given), (2 * k * m * x_t, x_0 * given), (m**2 * x_t**2, given)],
        [x_0], {o: moments[o] for o in moments if moments[o] is not first}, "the second moment given x_t",
    )  # fmt: skip
    sampler = d.given(r"\mathbb{E}[x_s \mid x_t]", k * mean + m * x_t, "what the sampler has, without its fresh noise")
    d.solve([linear], {first: sampler}, "the true mean given x_t is the same")
    value = k**2 * square + 2 * k * m * x_t * mean + m**2 * x_t**2
    d.solve([second], {total: value}, "the true second moment")
    d.equal(value - sampler**2, k**2 * (square - mean**2), "is greater, by k^2 Var[x_0 | x_t]: what the sampler loses")


@derivation(laws.large_loss)
def large_loss(d):
    """DDPM with beta in place of beta-tilde adds more noise than the posterior has, and the two errors nearly cancel.

    For unit variance they do; where the data are spread less it has too much variance, where more too little.
    """
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    d.equal(scale**2, d.use(ddpm.posterior_variance), "eta = 1 is DDPM")
    posterior_gain = d.given("g", d.use(laws.gain, at={sigma_t: scale}), "its gain, whatever the variance that is added")
    excess = d.equal(beta_t - scale**2, abar_s * beta_t**2 / (1 - abar_t), "what the larger choice adds over the posterior")
    lost = d.equal(d.use(laws.loss, at={sigma_t: scale}), excess * data_variance / D_t, "what the step loses")
    d.equal(D_s - posterior_gain**2 * D_t - beta_t, lost - excess, "the two together")
    d.equal(at(laws.large_loss.expression, data_variance=1), 0, "unit variance: nothing is lost, in any step")
    d.misprint(abar_s * beta_t**2 * data_variance / D_t, "the loss with the posterior's variance")
    d.conclude(lost - excess)


@derivation(id="laws.forgetting", title="what a step keeps of an error in the variance", source="elementary")
def forgetting(d):
    r"""An error :math:`V_t - D_t` is multiplied by :math:`g^2`, and :math:`g^2 D_t = D_s - \sigma_t^2 - \text{loss}`.

    So fresh noise makes a sampler forget where it started, and lose more in every step: eta trades the one for the other.
    """
    d.assume(sigma_t**2 <= 1 - abar_s, BOUND)
    gain_, lost = d.use(laws.gain), d.use(laws.loss)
    d.equal(gain_**2 * V + sigma_t**2 - D_s, gain_**2 * (V - D_t) - lost, "the error at s: that at t times g^2, less the loss")
    d.equal(gain_**2 * D_t, D_s - sigma_t**2 - lost, "and relative to the marginals it is kept by 1 - (sigma^2 + loss) / D_s")
    d.at_most(gain_**2 * D_t, D_s, "never enlarged")
    condition = claim(Eq(gain_ * sqrt(abar_t) * data_mean + d.use(laws.shift), sqrt(abar_s) * data_mean))
    d.equal(condition.lhs, condition.rhs, "the mean's error, too, is multiplied by g, and nothing is added to it")
