r"""The forward marginal by induction on t, and why alpha_t + beta_t = 1.

One step scales the signal and adds noise: :math:`x_t = \sqrt{\alpha_t}\, x_s + \sqrt{\beta_t}\, z`. If the marginal is
Gaussian at s, the joint of :math:`x_s` and :math:`x_t` is Gaussian in :math:`x_s` for every :math:`x_t`, and integrating
:math:`x_s` out leaves a Gaussian again. The first step starts from the data, where there is nothing to integrate.
"""

from sympy import sqrt

from verifydiff.forms import forward
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, abar_s, abar_t, alpha_t, beta_t, eps, x_0, x_s, x_t
from verifydiff.proof import Gaussian, at, derivation, letter

u = letter("u", "u")


def marginal(d):
    """The law of x_t given x_0, from that of x_s."""
    first = Gaussian(x_t, sqrt(alpha_t) * x_0, beta_t)
    d.equal(at(forward.mean.expression, abar_s=1), first.mean, "base, t = 1: x_s is the data, and abar_t = alpha_t")
    d.equal(at(forward.variance.expression, abar_s=1), first.variance, "base, t = 1: all variance is that of the one step")
    step = d.given(r"q(x_t \mid x_s)", Gaussian(x_t, sqrt(alpha_t) * x_s, beta_t), "one step of the chain (Ho et al. 2020, eq. 2)")
    before = d.given(r"q(x_s \mid x_0)", Gaussian(x_s, sqrt(abar_s) * x_0, 1 - abar_s), "induction: the claim holds at s")
    variance = alpha_t * (1 - abar_s) + beta_t
    after = Gaussian(x_t, sqrt(alpha_t) * sqrt(abar_s) * x_0, variance)
    gain = sqrt(alpha_t) * (1 - abar_s) / variance
    backward = Gaussian(x_s, sqrt(abar_s) * x_0 + gain * (x_t - after.mean), (1 - abar_s) * beta_t / variance)
    with d.suppose(abar_s < 1, "induction, t > 1: some noise has been added at s"):
        return d.marginalise(before, step, backward, after, "complete the square in x_s")


@derivation(forward.mean)
def mean(d):
    """Means multiply: each step scales by sqrt(alpha_t), and the product of the alphas is abar."""
    d.conclude(marginal(d).mean)
    d.misprint(abar_t * x_0, "abar without its root in front of the data")
    d.misprint(sqrt(alpha_t) * x_0, "a lost bar: the signal of the last step only")


@derivation(forward.variance)
def variance(d):
    """Variances add after scaling: alpha_t (1 - abar_s) + beta_t = 1 - abar_t, since beta_t = 1 - alpha_t."""
    d.conclude(marginal(d).variance)
    d.misprint(beta_t, "a lost bar: the variance of the last step only")
    d.misprint(
        1 - beta_t * (1 - abar_s),
        "the product of the betas where that of the alphas belongs, at t = 2 (LuChengTHU/dpm-solver#13, in a comment of the code)",
    )


@derivation(forward.noised)
def noised(d):
    """A Gaussian is an affine image of a standard one, so x_t can be written with its noise."""
    standard = d.given(r"p(\epsilon)", Gaussian(eps, 0, 1), "standard normal noise")
    image = sqrt(abar_t) * x_0 + sqrt(1 - abar_t) * eps
    d.affine(standard, image, x_t, Gaussian(x_t, d.use(forward.mean), d.use(forward.variance)), "x_t has the forward marginal")
    d.conclude(image)
    d.misprint(sqrt(abar_t) * x_0 + (1 - abar_t) * eps, "the noise is scaled by its variance, without the root")
    d.misprint(x_0 + sqrt(1 - abar_t) * eps, "the signal is not scaled: right in sigma space, wrong here")


@derivation(
    id="forward.composed_kernel",
    title="two steps are one with the product of their alphas",
    source="Song et al. 2021 (DDIM), sec. 4.2",
)
def composed_kernel(d):
    """Strided chains are chains: from r over s to t, alpha multiplies, so any s < t has alpha_t = abar_t / abar_s."""
    alpha_s = letter("alpha_s", r"\alpha_s", domain=alpha_t.domain)
    x_r = letter("x_r", "x_r")
    first = d.given(r"q(x_s \mid x_r)", Gaussian(x_s, sqrt(alpha_s) * x_r, 1 - alpha_s), "one step")
    second = d.given(r"q(x_t \mid x_s)", Gaussian(x_t, sqrt(alpha_t) * x_s, 1 - alpha_t), "the next step; it forgets x_r (Markov)")
    total = 1 - alpha_s * alpha_t
    given_next = Gaussian(
        x_s,
        sqrt(alpha_s) * x_r + sqrt(alpha_t) * (1 - alpha_s) / total * (x_t - sqrt(alpha_s * alpha_t) * x_r),
        (1 - alpha_s) * (1 - alpha_t) / total,
    )
    d.marginalise(
        first,
        second,
        given_next,
        Gaussian(x_t, sqrt(alpha_s * alpha_t) * x_r, total),
        "the same kernel with alpha = alpha_s alpha_t",
    )
    d.equal(abar_t / abar_s, alpha_t, "so over any stride the composed alpha is the quotient of the levels")


@derivation(id="forward.why_one", title="what if alpha_t + beta_t is not 1", source="Ho et al. 2020, sec. 2")
def why_one(d):
    """The excess of the variance over 1 - abar is multiplied by alpha and grows by alpha + beta - 1 at every step.

    It stays zero exactly if alpha + beta = 1; then data of unit variance keep it.
    """
    alpha, beta = letter("alpha", r"\alpha", domain=POSITIVE), letter("beta", r"\beta", domain=POSITIVE)
    var_s = letter("var_s", r"\operatorname{Var}_s", domain=POSITIVE)
    level = letter("level_s", r"\bar\alpha_s", domain=NONNEGATIVE)
    excess = letter("excess_s", r"\delta_s")
    before = d.given(r"q(x_s \mid x_0)", Gaussian(x_s, u, var_s), "any Gaussian at s")
    kernel = d.given(r"q(x_t \mid x_s)", Gaussian(x_t, sqrt(alpha) * x_s, beta), "a step whose alpha and beta are unrelated")
    after = alpha * var_s + beta
    given_next = Gaussian(x_s, u + sqrt(alpha) * var_s / after * (x_t - sqrt(alpha) * u), var_s * beta / after)
    d.marginalise(before, kernel, given_next, Gaussian(x_t, sqrt(alpha) * u, after), "variances add after scaling")
    d.equal(
        (alpha * (1 - level + excess) + beta) - (1 - alpha * level), alpha * excess + (alpha + beta - 1),
        "with Var_s = 1 - abar_s + delta_s and abar_t = alpha abar_s: the excess delta_t at t",
    )  # fmt: skip
    d.equal(
        (alpha * excess + (alpha + beta - 1)).subs({excess: 0, beta: 1 - alpha}),
        0,
        "no excess at s and alpha + beta = 1: none at t",
    )
    d.equal((alpha * 1 + beta) - 1, alpha + beta - 1, "data of unit variance leave it at the first step by alpha + beta - 1")
