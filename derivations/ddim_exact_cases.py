r"""When a sampler of finitely many steps is exact: points, unit variance, and what is said of beta and beta-tilde.

Ho et al. 2020, sec. 3.2, call the two variances optimal for the two extreme data laws. So they are: DDIM of any eta, and with it
DDPM with beta-tilde, is exact for a point; DDPM with beta for normal data of unit variance, as long as its last step adds noise,
too. In code the last step is silent, and then a little is missing even there.
"""

from sympy import Integer, sqrt

from verifydiff.forms import ddim, ddpm, laws, variance
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    UNIT,
    abar_s,
    abar_t,
    alpha_t,
    beta_t,
    data_mean,
    data_variance,
    eta,
    sigma_t,
    x_t,
)
from verifydiff.proof import at, derivation, letter

V = letter("V", "V_t", domain=NONNEGATIVE)
level, following = letter("level", r"\bar\alpha", domain=UNIT), letter("following", r"\bar\alpha'", domain=UNIT)
D_t = laws.variance.expression
DDPM = ddim.sigma.expression.xreplace({eta: Integer(1)})
BOUND = "no more fresh noise than the marginal at s has"


@derivation(id="laws.point", title="data that are a point are recovered, by any eta in any number of steps", source="elementary")
def point(d):
    """The denoiser knows the point; every step keeps the marginals, and the last one forgets even a wrong start."""
    d.assume(sigma_t**2 <= 1 - abar_s, BOUND)
    d.equal(d.use(laws.denoiser).xreplace({data_variance: Integer(0)}), data_mean, "the denoiser says the point, whatever x_t")
    d.equal(
        d.use(laws.loss).xreplace({data_variance: Integer(0)}), 0, "no step loses variance: started right, all marginals are right"
    )
    held = d.use(laws.gain).xreplace({data_variance: Integer(0)})
    end = at(held.xreplace({sigma_t: Integer(0)}), abar_s=1)
    d.equal(end, 0, "the last step, onto the data, multiplies by 0: so the start does not matter at all")
    d.equal(at(d.use(laws.shift), abar_s=1, data_variance=0, sigma_t=0), data_mean, "and adds the point")


@derivation(id="laws.unit_variance_large", title="unit variance: DDPM with beta is exact", source="Ho et al. 2020, sec. 3.2")
def unit_variance_large(d):
    """The gain is sqrt(alpha), the fresh noise 1 - alpha: standard normal stays standard normal, at every step and any stride."""
    loss = d.use(laws.large_loss)
    d.equal(loss.xreplace({data_variance: Integer(1)}), 0, "no step loses or gains variance")
    scale = d.equal(d.use(ddim.sigma, at={eta: Integer(1)}), sqrt(d.use(ddpm.posterior_variance)), "DDPM's gain is that of eta = 1")
    gain = d.equal(
        d.use(laws.gain, at={data_variance: Integer(1), sigma_t: scale}), sqrt(alpha_t), "sqrt(alpha_t) at unit variance"
    )
    d.induction(
        V, Integer(1), gain**2 * V + beta_t, Integer(1), {}, {}, "one step after the other, the last one with its noise, too"
    )
    d.equal(gain**2, at(abar_t, abar_s=1), "if the last step is silent, the variance it ends with is abar_1, not 1")
    with d.suppose(data_variance < 1, "data that are spread less"):
        d.less(loss, 0, "every step leaves too much variance")
    with d.suppose(data_variance > 1, "data that are spread more"):
        d.less(0, loss, "every step leaves too little")
    d.misprint(gain**2 + DDPM**2, "beta-tilde in its place is not exact for unit variance", right=Integer(1))


@derivation(
    id="laws.unit_variance_small",
    title="unit variance: DDPM with beta-tilde loses in every step",
    source="Ho et al. 2020, sec. 3.2",
)
def unit_variance_small(d):
    r"""A step loses :math:`\bar\alpha_s \beta_t^2 / (1 - \bar\alpha_t)`, and eta = 0 loses something, too.

    What lies between loses more than eta = 0: the page on the loss has it rise with sigma.
    """
    unit = {data_variance: Integer(1)}
    scale = d.use(ddim.sigma, at={eta: Integer(1)})
    small = abar_s * beta_t**2 / (1 - abar_t)
    d.equal(d.use(laws.loss, at=unit | {sigma_t: scale}), small, "with eta = 1")
    d.less(0, small, "which is never 0")
    d.equal(small, beta_t - d.use(ddpm.posterior_variance), "just what beta-tilde is short of beta")
    d.equal(
        d.use(laws.noise_prediction).xreplace({**unit, data_mean: Integer(0)}),
        sqrt(1 - abar_t) * x_t,
        "the noise predicted is part of x_t",
    )
    sine = sqrt(abar_s) * sqrt(1 - abar_t) - sqrt(abar_t) * sqrt(1 - abar_s)
    still = d.use(laws.loss, at=unit | {sigma_t: 0})
    d.equal(still, sine**2, "eta = 0: the square of the sine of the turn")
    d.less(0, sine, "which is never 0")
    d.misprint(
        still,
        "deterministic DDIM is exact for standard normal data: it is not, though their flow stands still",
        right=Integer(0),
    )


@derivation(
    id="laws.right_variance",
    title="the variance that keeps the marginals of Gaussian data",
    source="Bao et al. 2022 (Analytic-DPM)",
)
def right_variance(d):
    r"""With DDPM's mean, :math:`\tilde\beta_t + k^2 \operatorname{Var}[x_0 \mid x_t]` is exact for every Gaussian, at any step.

    It lies between beta-tilde (a point) and beta (unit variance), and above beta for data that are spread more.
    """
    weight = d.equal(
        d.use(ddim.x_0_coefficient, at={sigma_t: DDPM}),
        sqrt(abar_s) * beta_t / (1 - abar_t),
        "the weight of x_0 in DDPM's mean",
    )
    right = d.given(
        r"\sigma_t^2",
        d.use(ddpm.posterior_variance) + weight**2 * d.use(laws.posterior_variance),
        "posterior, and what the denoiser leaves open",
    )
    gain = d.use(laws.gain, at={sigma_t: DDPM})
    d.equal(gain**2 * D_t + right, abar_s * data_variance + 1 - abar_s, "the marginal's variance at s")
    d.equal(right - beta_t, d.use(laws.large_loss), "it differs from beta by what beta is wrong by")
    d.equal(right, d.use(variance.gaussian_data), "it is the variance of q(x_s | x_t), whose page and bounds are elsewhere")
