r"""A term of the bound is a squared error: of the mean, of the noise, of the data.

For :math:`1 \le s < t` a term compares two Gaussians: :math:`q(x_s \mid x_t, x_0)`, with mean :math:`\mu(x_t, \epsilon)` and
variance :math:`\tilde\beta_t`, and the model's step, with mean :math:`\mu(x_t, \hat\epsilon)` and variance :math:`\sigma_t^2`.
Only the means know the prediction, and they are affine in it: in each coordinate

.. math:: L_{t-1} = C + \frac{(\mu - \hat\mu)^2}{2\sigma_t^2}
    = C + w_\epsilon (\epsilon - \hat\epsilon)^2 = C + w_{x_0} (x_0 - \hat x_0)^2

The last step, to s = 0, has a posterior without spread and is the term :math:`L_0`, on a page of its own. The *simple* loss
(Ho et al. 2020, eq. 14) is the one with :math:`w_\epsilon` replaced by 1: for a network that may answer each (x, t) by itself, the
best answer is the same, and what changes is which t a limited network cares for.
"""

from sympy import Integer, sqrt

from verifydiff.forms import bound, ddim, ddpm, divergence, forward
from verifydiff.forms.bound import eps_hat, step_variance, x0_hat
from verifydiff.forms.divergence import mean_p, mean_q, var_p, var_q
from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, abar_s, abar_t, alpha_t, beta_t, eps, eta, sigma_t, x_0, x_t
from verifydiff.proof import derivation, letter

HO = "Ho et al. 2020"
m, best, guess, spread = (
    letter("m", "m"),
    letter("best", r"\mathbb{E}[\epsilon \mid x_t]"),
    letter("guess", "e"),
    letter("spread", "V"),
)


def term(d, form, truth, prediction):
    """The divergence of the posterior from the model's step, both with the mean of the form."""
    d.assume(abar_s < 1, "s >= 1: the step to the data is the term L_0")
    mean = d.use(form)
    laws = {mean_q: mean, var_q: d.use(ddpm.posterior_variance), mean_p: mean.xreplace({truth: prediction}), var_p: step_variance}
    return d.use(divergence.gaussian).xreplace(laws), mean


@derivation(bound.step_constant)
def step_constant(d):
    """What is left of the divergence where the prediction is right; it vanishes where the variances agree."""
    divergent, _ = term(d, ddpm.mean_from_eps, eps, eps_hat)
    constant = divergent.xreplace({eps_hat: eps})
    d.equal(constant.xreplace({step_variance: ddpm.posterior_variance.expression}), 0, "with sigma^2 = beta-tilde nothing is left")
    d.misprint(0, "C is dropped from the bound, not only from the loss, though the variances differ")
    d.conclude(constant, "the divergence at hat eps = eps")


@derivation(bound.eps_weight)
def eps_weight(d):
    """The means differ by the error of the noise times beta / sqrt(alpha (1 - abar))."""
    divergent, mean = term(d, ddpm.mean_from_eps, eps, eps_hat)
    slope = d.derivative(mean, eps, -beta_t / (sqrt(alpha_t) * sqrt(1 - abar_t)), "the mean is affine in the noise")
    weight = slope**2 / (2 * step_variance)
    constant = divergent.xreplace({eps_hat: eps})
    d.equal(divergent, constant + weight * (eps - eps_hat) ** 2, "so its square stands over twice the variance")
    d.less(0, weight, "the weight is positive, whatever the schedule")
    d.misprint(beta_t / (2 * step_variance * alpha_t * (1 - abar_t)), "beta is not squared")
    d.misprint(beta_t**2 / (2 * step_variance * alpha_t * (1 - alpha_t)), "a lost bar", right=weight)
    d.misprint(beta_t**2 / (2 * step_variance**2 * alpha_t * (1 - abar_t)), "the variance is taken for a deviation, and squared")
    d.conclude(weight)


@derivation(bound.eps_weight_small)
def eps_weight_small(d):
    """The smaller variance, beta-tilde: then the constant vanishes, too."""
    d.assume(abar_s < 1, "s >= 1: at s = 0 the posterior has no spread, and the weight no value")
    d.conclude(d.use(bound.eps_weight).xreplace({step_variance: d.use(ddpm.posterior_variance)}))


@derivation(bound.eps_weight_large)
def eps_weight_large(d):
    """The larger variance, beta: it weighs errors less, and costs a constant."""
    d.assume(abar_s < 1, "s >= 1: the step to the data is the term L_0")
    found = d.use(bound.eps_weight).xreplace({step_variance: d.use(ddpm.large_variance)})
    d.less(found, d.use(bound.eps_weight_small), "a larger variance, a smaller weight")
    level, beta = letter("level", r"\bar\alpha", domain=PROPER_FRACTION), letter("beta", r"\beta", domain=PROPER_FRACTION)
    rising = beta / (2 * (1 - beta) * (1 - level))
    d.derivative(rising, level, rising / (1 - level), "for a held beta the weight grows with the signal that is left")
    d.less(0, rising / (1 - level), "so for a constant beta it is largest at small t, which the simple loss plays down")
    d.conclude(found)


@derivation(bound.x0_step_weight)
def x0_weight(d):
    """The means differ by the error of the data times their coefficient in the posterior mean."""
    divergent, mean = term(d, ddpm.posterior_mean, x_0, x0_hat)
    slope = d.derivative(mean, x_0, sqrt(abar_s) * beta_t / (1 - abar_t), "the mean is affine in the data")
    weight = slope**2 / (2 * step_variance)
    d.equal(divergent, divergent.xreplace({x0_hat: x_0}) + weight * (x_0 - x0_hat) ** 2, "its square over twice the variance")
    implied = d.use(forward.x0_from_eps)
    gap = implied - implied.xreplace({eps: eps_hat})
    d.equal(weight * gap**2, d.use(bound.eps_weight) * (eps - eps_hat) ** 2, "the same term as by the noise")
    d.misprint(bound.eps_weight.expression, "the weight of the loss in the noise is kept for that in the data")
    d.conclude(weight)


@derivation(bound.ddim_weight)
def ddim_weight(d):
    """For any chain of the DDIM family, with its variance for the model's step: all share the simple loss up to weights."""
    d.assume(sigma_t > 0, "with no fresh noise neither law has a density")
    d.assume(sigma_t**2 <= 1 - abar_s, "the bound on sigma")
    mean, slope = d.use(ddim.mean), d.use(ddim.x_0_coefficient)
    laws = {mean_q: mean, var_q: sigma_t**2, mean_p: mean.xreplace({x_0: x0_hat}), var_p: sigma_t**2}
    d.equal(
        mean - mean.xreplace({x_0: x0_hat}), slope * (x_0 - x0_hat), "the means differ by the error of the data times its weight"
    )
    error = (slope * (x_0 - x0_hat)) ** 2 / (2 * sigma_t**2)
    d.equal(d.use(divergence.gaussian).xreplace(laws), error, "equal variances: only the means are left")
    implied = d.use(forward.x0_from_eps)
    weight = slope**2 * (1 - abar_t) / abar_t / (2 * sigma_t**2)
    d.equal(
        error.xreplace({x_0: implied, x0_hat: implied.xreplace({eps: eps_hat})}), weight * (eps - eps_hat) ** 2,
        "the error of the data by that of the noise",
    )  # fmt: skip
    d.misprint(
        (1 - abar_t) / (2 * abar_t * sigma_t**2),
        "the data are compared in place of the means: the coefficient of x_0 in the mean is left out",
    )
    d.conclude(weight)


@derivation(
    id="bound.ddim_weight_at_ddpm", title="at eta = 1 the weight of the DDIM family is that of DDPM", source=f"{HO}, eq. 12"
)
def ddim_weight_at_ddpm(d):
    """Over any stride, with the composed alpha."""
    d.assume(abar_s < 1, "s >= 1")
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    d.equal(d.use(bound.ddim_weight, at={sigma_t: scale}), d.use(bound.eps_weight_small), "sigma^2 is beta-tilde")


@derivation(
    id="bound.simple_loss", title="the simple loss has the best answer of the bound, at every t", source=f"{HO}, sec. 3.4, eq. 14"
)
def simple_loss(d):
    """Over an arbitrary law of the noise given x_t, the mean square is smallest at the mean; a positive weight changes nothing."""
    q = d.law("q")
    law = q(eps, given=x_t)
    square = letter("square", r"\mathbb{E}[\epsilon^2 \mid x_t]")
    loss, weight = letter("loss", r"\ell(e)"), letter("weight", "w", domain=POSITIVE)
    found = d.integrate(
        [(1, (eps - guess) ** 2 * law)], [(1, eps**2 * law), (-2 * guess, eps * law), (guess**2, law)], [eps],
        {(eps - guess) ** 2 * law: loss, eps**2 * law: square, eps * law: best},
        "the loss at one x_t, averaged over the noise that may have led there; the answer e depends on x_t alone",
    )  # fmt: skip
    d.equal(found.rhs, (square - best**2) + (guess - best) ** 2, "the variance, which no answer changes, and a square")
    at_best = found.rhs.xreplace({guess: best})
    with d.suppose(abar_s < 1, "s >= 1; the term L_0 has a weight of the same shape"):
        d.less(0, d.use(bound.eps_weight), "the weight of the bound is positive; that of the simple loss is 1")
    d.at_most(weight * at_best, weight * found.rhs, "with any positive weight the best answer is E[eps | x_t]")
