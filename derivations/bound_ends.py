r"""The two ends of the variational bound: :math:`L_T`, and :math:`L_0` for densities and for data with levels.

:math:`L_T = \operatorname{KL}(q(x_T \mid x_0) \,\|\, \mathcal{N}(0, I))` has nothing to train and is small where the schedule ends
in noise. :math:`L_0 = -\log p(x_0 \mid x_1)` is the last step. For data with levels, such as 0 to 255 scaled to [-1, 1], the
decoder is a probability (Ho et al. 2020, eq. 13): the Gaussian's mass between half a level below and half a level above, the two
outermost bins reaching to infinity. Data without levels, such as the latents of an autoencoder, have a density, and L_0 is that
of the Gaussian (asked in facebookresearch/DiT#52).
"""

from sympy import Integer, Rational, log, pi

from verifydiff.forms import bound, ddpm, divergence, forward
from verifydiff.forms.bound import eps_hat, step_variance, x0_hat
from verifydiff.forms.divergence import log_var_p, log_var_q, mean_p, mean_q, var_p, var_q
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, PROPER_FRACTION, UNIT, abar_t, eps, x_0, x_t
from verifydiff.proof import Gaussian, at, derivation, letter

HO = "Ho et al. 2020"
level = letter("abar_T", r"\bar\alpha_T", domain=PROPER_FRACTION)


@derivation(bound.prior_term)
def prior_term(d):
    """The divergence of the last marginal from the standard normal law that sampling starts from."""
    last = {mean_q: d.use(forward.mean), var_q: d.use(forward.variance), mean_p: Integer(0), var_p: Integer(1)}
    found = d.use(divergence.gaussian).xreplace(last)
    d.misprint((abar_t * x_0**2 - log(1 - abar_t)) / 2, "the variance is taken to be 1 where it is 1 - abar_T")
    logs = {mean_q: forward.mean.expression, log_var_q: 1 - abar_t, mean_p: Integer(0), log_var_p: Integer(0)}
    d.misprint(d.use(divergence.log_variances).xreplace(logs), "the variance is handed over as its logarithm (tqch/ddpm-torch#9)")
    d.conclude(found)


@derivation(id="bound.prior_term_small", title="L_T vanishes with the last signal level", source=f"{HO}, sec. 4")
def prior_term_small(d):
    """To first order it is half of abar_T times the square of the data: what is left is the mean, not the variance."""
    term = d.given("L_T", d.use(bound.prior_term).xreplace({abar_t: level}), "with t = T")
    d.equal(at(term, abar_T=0), 0, "with zero terminal signal there is nothing left")
    d.expand(term, level, level * x_0**2 / 2, 1, "-log(1 - a) = a + O(a^2) cancels against the variance that is missing")


@derivation(bound.first_term)
def first_term(d):
    """Minus the logarithm of a normal density."""
    decoder = Gaussian(x_0, x0_hat, step_variance)
    d.misprint((x_0 - x0_hat) ** 2 / (2 * step_variance), "the normaliser is dropped, though the variance is learnt")
    d.conclude(-decoder.log_density)


@derivation(id="bound.first_term_weight", title="the first term has the weight of all others", source=f"{HO}, sec. 3.4")
def first_term_weight(d):
    """At s = 0 the mean of the model's step is the predicted data, and its error is weighed as everywhere.

    The posterior has no spread here, so the variance cannot be beta-tilde: beta_1 is used, or a convention.
    """
    mean = at(d.use(ddpm.mean_from_eps), abar_s=1)
    implied = at(d.use(forward.x0_from_eps), abar_s=1)
    d.equal(mean, implied, "the mean of the last step is the prediction of x_0")
    noised = at(d.use(forward.noised), abar_s=1)
    d.equal(at(d.use(ddpm.posterior_variance), abar_s=1), 0, "and the posterior's variance is 0 there")
    guess = mean.xreplace({x_t: noised, eps: eps_hat})
    squared = d.use(bound.first_term).xreplace({x0_hat: guess})
    normaliser = log(2 * pi * step_variance) / 2
    d.equal(
        squared, normaliser + at(bound.eps_weight.expression, abar_s=1) * (eps - eps_hat) ** 2,
        "with x_1 written by its noise: the eps weight at s = 0, where abar_t = alpha_t",
    )  # fmt: skip


@derivation(id="bound.decoder_sums_to_one", title="the discrete decoder is a probability", source=f"{HO}, eq. 13")
def decoder(d):
    """The bins cut the line without gaps: their masses telescope, from 0 at minus infinity to 1 at infinity."""
    width, centre = letter("width", r"\delta", domain=POSITIVE), letter("centre", "x_k")
    d.equal(
        centre + width / 2, (centre + width) - width / 2, "each bin ends, half a spacing above its level, where the next begins"
    )
    d.misprint(
        centre + width / 3, "bins narrower than the spacing of the levels leave gaps, and lose mass", right=centre + width / 2
    )
    total, edge, later = letter("mass", "P_k"), letter("F_k", "F(b_k)", domain=UNIT), letter("F_next", "F(b_{k+1})", domain=UNIT)
    d.induction(
        term=total, first=Integer(0), then=total + (later - edge), closed=edge, at_first={edge: 0}, advanced={edge: later},
        because="F, the distribution function, is 0 at minus infinity, where the first bin starts, and 1 where the last ends",
    )  # fmt: skip


@derivation(
    id="bound.dequantisation",
    title="a density of dequantised data bounds the probability of the levels",
    source="Theis et al. 2016, sec. 3.1, for uniform noise; Ho et al. 2019 (Flow++) for any",
)
def dequantisation(d):
    """Noise u on a bin: the probability of the bin is at least what Jensen's inequality leaves, whatever the law of the noise.

    It is the variational bound again, with the noise for the latent variable.
    """
    q, p = d.law("q"), d.law("p")
    y, b = letter("y", "y"), letter("b", "b")
    gap = letter("gap", r"\operatorname{KL}(q(y | b) \| p(y | b))", domain=NONNEGATIVE)
    cost = letter("cost", r"\mathbb{E}_q \log\frac{q(y | b)}{p(y, b)}")
    noise = q(y, given=b)
    inner = d.gibbs(
        noise, p(y, given=b), [y], gap, "y is the data with noise, b the bin it lies in; the model's law of y within the bin"
    )
    spent = noise * log(noise / p(y, b))
    found = d.integrate(
        [(-log(p(b)), noise)], [(1, spent), (-1, inner)], [y], {spent: cost, inner: gap},
        "p(b) is the model's mass of the bin; for uniform noise on a bin of length 1, q(y | b) = 1",
    )  # fmt: skip
    d.at_most(found.rhs, cost, "so the continuous loss bounds the discrete one from above")


@derivation(bound.bits_per_dimension)
def bits_per_dimension(d):
    """Scaling K bins to a length R multiplies each coordinate by R / K; the density of all D is divided by its power.

    The bins are to fill that length, as for (x + u) / 128 - 1. With x / 127.5 - 1 the levels are 2/255 apart, so that R is 512/255.
    """
    dimension, levels, span, nats = bound.dimension, bound.levels, bound.span, bound.nats
    jacobian = letter("jacobian", r"\log\lvert\det\rvert")
    scale = d.given("a", span / levels, "y = a x + const with x in whole levels: a bin has the width R / K")
    whole = d.induction(
        term=jacobian, first=log(scale), then=jacobian + log(scale), closed=dimension * log(scale),
        at_first={dimension: 1}, advanced={dimension: dimension + 1}, because="coordinate by coordinate: p_x(x) = p_y(y) a^D",
    )  # fmt: skip
    loss = d.given(r"-\log p_x", nats - whole, "change of variables")
    bits = loss / (dimension * log(Integer(2)))
    images = {levels: Integer(256), span: Integer(2)}
    d.equal(
        bits.xreplace(images), nats / (dimension * log(Integer(2))) + 7, "256 levels on a length of 2: log2 128 = 7 bits are added"
    )
    d.equal(
        bits.xreplace({levels: Integer(256), span: Integer(1)}), nats / (dimension * log(Integer(2))) + 8, "and 8 on a length of 1"
    )
    d.misprint(nats / dimension + log(levels / span), "nats are reported as bits")
    d.misprint(nats / (dimension * log(Integer(2))), "the Jacobian of the scaling to [-1, 1] is left out")
    d.misprint(
        nats / (dimension * log(Integer(2))) + log(levels) / log(Integer(2)), "that of [0, 1] is used for [-1, 1]: a bit too many"
    )
    d.conclude(bits)


@derivation(
    id="bound.sampled_step",
    title="one step, drawn at random, stands for the sum if it is multiplied by their number",
    source="Nichol & Dhariwal 2021, sec. 3.3",
)
def sampled_step(d):
    """The mean of L_t / p_t over t drawn with probabilities p_t is the sum of all terms."""
    total, mean, steps = letter("sum", r"\sum L_k"), letter("mean", r"\mathbb{E}"), letter("T", "T", domain=POSITIVE)
    loss, chance = letter("L_k", "L_k"), letter("p_k", "p_k", domain=PROPER_FRACTION)
    d.misprint(
        total / steps,
        "the mean over t for the sum: a uniformly drawn term is to be multiplied by T (asked in openai/improved-diffusion#114)",
        right=total,
    )
    d.equal(loss / (1 / steps), steps * loss, "uniform draws, p = 1 / T: the weight is T")
    d.equal(steps / 1000 * loss, Rational(1, 1000) * (steps * loss), "so the factor T / 1000 in the code is lambda = 0.001 times T")
    d.induction(
        term=mean, first=Integer(0), then=mean + chance * (loss / chance), closed=total,
        at_first={total: 0}, advanced={total: total + loss}, because="the mean of L_t / p_t: each t adds p_t times L_t / p_t",
    )  # fmt: skip
