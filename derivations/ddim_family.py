r"""The DDIM family from undetermined coefficients.

We look for :math:`x_s = k x_0 + m x_t + \sigma z` with fresh noise z and :math:`m \ge 0` such that
:math:`q(x_s \mid x_0)` is the forward marginal again. Nothing is asked of the joint law of more than two times, so s < t
is arbitrary and one scale stays free: :math:`\sigma^2 \le 1 - \bar\alpha_s`.
"""

from sympy import Eq, Integer, sqrt

from verifydiff.forms import ddim, ddpm, forward
from verifydiff.forms.quantities import NONNEGATIVE, abar_s, abar_t, alpha_t, beta_t, eps, eta, sigma_t, x_0, x_s, x_t
from verifydiff.proof import Gaussian, at, claim, derivation, letter

k = letter("k")
m = letter("m", domain=NONNEGATIVE)


def marginal(d):
    """The law of x_s given x_0 under the ansatz, with and without fresh noise."""
    before = d.given(r"q(x_t \mid x_0)", Gaussian(x_t, sqrt(abar_t) * x_0, 1 - abar_t), "the marginal at t")
    spread = m**2 * (1 - abar_t) + sigma_t**2
    after = Gaussian(x_s, k * x_0 + m * sqrt(abar_t) * x_0, spread)
    with d.suppose(sigma_t > 0, "first case: there is fresh noise"):
        step = d.given(r"q(x_s \mid x_t, x_0)", Gaussian(x_s, k * x_0 + m * x_t, sigma_t**2), "the ansatz")
        backward = Gaussian(
            x_t, sqrt(abar_t) * x_0 + m * (1 - abar_t) / spread * (x_s - after.mean), (1 - abar_t) * sigma_t**2 / spread
        )
        d.marginalise(before, step, backward, after, "complete the square in x_t")
    with d.suppose(m > 0, "second case: there is none, and x_s is an image of x_t"):
        d.affine(before, k * x_0 + m * x_t, x_s, after.at({sigma_t: Integer(0)}), "the ansatz with sigma = 0")
    neither = {m: Integer(0), sigma_t: Integer(0)}
    d.equal(after.variance.xreplace(neither), 0, "third case: m = 0 and no noise, and x_s is the point k x_0")
    d.equal(after.mean.xreplace(neither), k * x_0, "with just that mean")
    return after


def solved(d):
    """The weights m and k that keep the marginal, for every noise scale within the bound."""
    d.assume(sigma_t**2 <= 1 - abar_s, "no more fresh noise than the marginal at s has noise at all")
    after = marginal(d)
    means = d.match(after.mean, sqrt(abar_s) * x_0, [x_0], "the mean of x_s is to be sqrt(abar_s) x_0 for every x_0")
    spread = claim(Eq(after.variance, 1 - abar_s))
    d_m = sqrt((1 - abar_s - sigma_t**2) / (1 - abar_t))
    d_k = sqrt(abar_s) - d_m * sqrt(abar_t)
    d.solve([spread, *means], {m: d_m, k: d_k}, "the variance is to be 1 - abar_s, which gives m; then the mean gives k")
    return d_k, d_m


@derivation(ddim.x_t_coefficient)
def x_t_coefficient(d):
    """The variance fixes m."""
    d.conclude(solved(d)[1])


@derivation(ddim.x_0_coefficient)
def x_0_coefficient(d):
    """The mean, given m, fixes k."""
    d.conclude(solved(d)[0])


@derivation(ddim.mean)
def mean(d):
    """The two weights, sorted by the noise that x_t and x_0 imply."""
    d.assume(sigma_t**2 <= 1 - abar_s, "no more fresh noise than the marginal at s has noise at all")
    d.conclude(d.use(ddim.x_0_coefficient) * x_0 + d.use(ddim.x_t_coefficient) * x_t)
    d.misprint(
        sqrt(abar_s) * x_0 + sqrt(1 - abar_s) * (x_t - sqrt(abar_t) * x_0) / sqrt(1 - abar_t),
        "the variance of the fresh noise is not taken from the stale noise, so that too much noise remains",
    )


@derivation(ddim.step_mean)
def step_mean(d):
    """The sampler knows a prediction of the noise in place of x_0."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the root is real")
    implied = {x_0: d.use(forward.x0_from_eps)}
    d.conclude(d.use(ddim.mean).xreplace(implied), "the mean with x_0 written by the noise")
    keeps, predicted = sqrt(1 - abar_s - sigma_t**2), forward.x0_from_eps.expression
    d.misprint(
        sqrt(abar_s) * predicted + sigma_t * eps,
        "sigma in place of the root in the direction: both noises get one coefficient (seen in a course, jsboige/CoursIA#16158)",
    )
    d.misprint(
        abar_s * predicted + keeps * eps, "abar_s without its root in front of the prediction: the DDIM paper's alpha is abar"
    )
    d.misprint(predicted + keeps * eps, "the prediction of x_0 is not scaled to the level at s")


@derivation(id="ddim.bound", title="sigma^2 is bounded by 1 - abar_s", source="Song et al. 2021 (DDIM), eq. 7")
def bound(d):
    """A marginal cannot have less noise than was added last. Conversely every scale within the bound has its weight m."""
    spread = d.given(r"1 - \bar\alpha_s", m**2 * (1 - abar_t) + sigma_t**2, "what the variance of x_s is to be, for some real m")
    d.equal(spread - sigma_t**2, m**2 * (1 - abar_t), "what x_t contributes to it")
    d.at_most(sigma_t**2, spread, "a square is not negative: sigma^2 is at most 1 - abar_s")
    with d.suppose(sigma_t**2 <= 1 - abar_s, "conversely, let sigma be within the bound"):
        weight = d.use(ddim.x_t_coefficient)
        d.equal(weight**2 * (1 - abar_t) + sigma_t**2, 1 - abar_s, "then the weight m is real and keeps the variance")


@derivation(ddim.sigma)
def sigma(d):
    """Scales between none and the DDPM posterior's, all within the bound."""
    d.at_most(ddim.sigma.expression**2, 1 - abar_s, "for eta in [0, 1] the family stays within the bound")
    d.equal(ddim.sigma.expression.xreplace({eta: Integer(0)}), 0, "eta = 0 is deterministic")
    d.conclude(eta * sqrt(d.use(ddpm.posterior_variance)), "eta times the standard deviation of the DDPM posterior")
    d.misprint(eta * sqrt(1 - abar_t), "the level at t in place of the variance of a step (jsboige/CoursIA#16158)")
    d.misprint(eta**2 * sqrt(ddpm.posterior_variance.expression), "eta squared: it scales the deviation, not the variance")
    d.misprint(
        eta * sqrt(beta_t),
        "the larger variance: near the data it exceeds the bound, and the root in the step is not real",
    )


@derivation(id="ddim.eta_one_is_ddpm", title="eta = 1 is DDPM, over any stride", source="Song et al. 2021 (DDIM), sec. 4.1")
def eta_one_is_ddpm(d):
    """Variance and mean of the step at eta = 1 are those of the composed posterior q(x_s | x_t, x_0), and of DDPM's step."""
    scale = d.use(ddim.sigma, at={eta: 1})
    d.equal(scale**2, d.use(ddpm.posterior_variance), "the fresh noise is that of the posterior")
    d.equal(
        d.use(ddim.mean, at={sigma_t: scale}), d.use(ddpm.posterior_mean),
        "the mean is that of the composed posterior, with alpha_t = abar_t / abar_s for any s < t",
    )  # fmt: skip
    d.equal(d.use(ddim.step_mean, at={sigma_t: scale}), d.use(ddpm.mean_from_eps), "and so is the sampler's step")
    d.misprint(
        scale**2, "DDIM at eta = 1 is DDPM with beta-tilde, and not with the larger variance beta", right=d.use(ddpm.large_variance)
    )


@derivation(id="ddim.one_to_one", title="sigma = 0 is one-to-one", source="Song et al. 2021 (DDIM), sec. 4.1")
def one_to_one(d):
    """Without fresh noise the step is an increasing affine map of x_t with an inverse, for held x_0 as for held noise.

    For a network, whose noise prediction depends on x_t, this alone says nothing: then the whole map counts.
    """
    d.assume(abar_s < 1, "s >= 1: the last step maps everything to x_0")
    step = d.given("x_s", d.use(ddim.mean, at={sigma_t: 0}), "the step at sigma = 0, for held x_0")
    d.derivative(step, x_t, sqrt((1 - abar_s) / (1 - abar_t)), "its slope")
    d.less(0, sqrt((1 - abar_s) / (1 - abar_t)), "which is positive: the map is increasing")
    back = d.given("x_t", sqrt(abar_t) * x_0 + sqrt((1 - abar_t) / (1 - abar_s)) * (x_s - sqrt(abar_s) * x_0), "its inverse")
    d.equal(step.xreplace({x_t: back}), x_s, "there and back")
    d.equal(back.xreplace({x_s: step}), x_t, "back and there")
    d.equal((step - sqrt(abar_s) * x_0) / sqrt(1 - abar_s), d.use(forward.eps_from_x0), "the noise is carried over unchanged")
    held = d.use(ddim.step_mean, at={sigma_t: 0})
    d.derivative(held, x_t, 1 / sqrt(alpha_t), "the slope for held noise")
    d.less(0, 1 / sqrt(alpha_t), "is positive too")
    d.equal(
        held.xreplace({x_t: sqrt(alpha_t) * x_s - sqrt(alpha_t) * sqrt(1 - abar_s) * eps + sqrt(1 - abar_t) * eps}),
        x_s,
        "with its inverse",
    )


@derivation(
    id="ddim.last_step", title="the last step, to s = 0, returns the prediction of x_0", source="Song et al. 2021 (DDIM), eq. 12"
)
def last_step(d):
    """At abar_s = 1 the bound leaves no fresh noise, and the update is the x_0 that the noise implies."""
    d.equal(at(d.use(ddim.sigma), abar_s=1), 0, "no fresh noise for any eta")
    prediction = at(d.use(forward.x0_from_eps), abar_s=1)
    update = d.use(ddim.step_mean, at={sigma_t: 0})
    d.equal(at(update, abar_s=1), prediction, "the update is the prediction")
    d.misprint(
        update,
        "the last step ends at the first entry of the table, abar_1 < 1, and leaves its noise (Stability-AI/stablediffusion#345)",
        right=forward.x0_from_eps.expression,
    )
