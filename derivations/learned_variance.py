r"""A learnt variance: interpolated between the two choices by their logarithms, and trained by the bound alone.

.. math:: \Sigma_\theta = \exp(f \log\beta_t + (1 - f) \log\tilde\beta_t), \qquad L_{\mathrm{hybrid}} = L_{\mathrm{simple}}
    + \lambda L_{\mathrm{vlb}}

(Nichol & Dhariwal 2021). The simple loss knows no variance; the bound teaches it, with the mean held, so that the gradient of the
mean stays that of the simple loss.
"""

from sympy import Integer, exp, log, sqrt

from verifydiff.forms import bound, ddpm, divergence, variance
from verifydiff.forms.bound import eps_hat, step_variance
from verifydiff.forms.divergence import log_var_p, log_var_q, mean_p, mean_q, var_q
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, PROPER_FRACTION, abar_s, abar_t, beta_t, eps
from verifydiff.forms.variance import NICHOL, share
from verifydiff.proof import derivation, letter

lam, held = letter("lam", r"\lambda", domain=POSITIVE), letter("held", r"\operatorname{sg}(\hat\epsilon)")
log_small, range_ = (
    letter("log_small", r"\log\tilde\beta_t"),
    letter("range", r"\log\beta_t - \log\tilde\beta_t", domain=NONNEGATIVE),
)


@derivation(variance.learned)
def learned(d):
    """The logarithm goes from the one choice to the other in a straight line, so the variance is a power of their ratio."""
    d.assume(abar_s < 1, "s >= 1: at s = 0 the smaller variance is 0 and has no logarithm")
    small, large = d.use(ddpm.posterior_variance), d.use(ddpm.large_variance)
    middle = sqrt(small * large)
    d.less(middle, (small + large) / 2, "half-way, the geometric mean is below the arithmetic one")
    d.misprint(share * large + (1 - share) * small, "the variances themselves are interpolated (huggingface/diffusers#2090)")
    d.misprint(share * log(large) + (1 - share) * log(small), "the exponential is left out: a logarithm is used as a variance")
    d.misprint(exp(share * log(small) + (1 - share) * log(large)), "the two ends have changed places")
    d.conclude(large * exp((1 - share) * log(small / large)))


@derivation(
    id="variance.learned_ends", title="the learnt variance goes from the smaller to the larger choice", source=f"{NICHOL}, eq. 15"
)
def ends(d):
    """The logarithm increases with f, since beta-tilde is at most beta; and so does the exponential."""
    d.assume(abar_s < 1, "s >= 1")
    form, small, large = d.use(variance.learned), d.use(ddpm.posterior_variance), d.use(ddpm.large_variance)
    d.equal(form.xreplace({share: Integer(0)}), small, "at f = 0")
    d.equal(form.xreplace({share: Integer(1)}), large, "at f = 1")
    d.at_most(small, large, "so the difference of the logarithms is not negative")
    one, other = (
        letter("alpha_t1", r"\alpha_{t-1}", domain=PROPER_FRACTION),
        letter("alpha_t2", r"\alpha_t", domain=PROPER_FRACTION),
    )
    d.misprint(
        1 - other, "over a stride, the upper end is taken to be the beta of the last single step (huggingface/diffusers#3006)",
        right=1 - one * other,
    )  # fmt: skip
    between = log_small + share * range_
    d.at_most(log_small, between, "the logarithm is at least that of the smaller one")
    d.at_most(between, log_small + range_, "and at most that of the larger one")


@derivation(variance.gradient)
def gradient(d):
    """The derivative of the divergence; it vanishes at the posterior's variance plus the squared error of the mean."""
    term = d.use(divergence.log_variances)
    slope = (1 - exp(log_var_q - log_var_p) - (mean_q - mean_p) ** 2 * exp(-log_var_p)) / 2
    d.derivative(term, log_var_p, slope, "along the logarithm of the variance")
    curve = (exp(log_var_q - log_var_p) + (mean_q - mean_p) ** 2 * exp(-log_var_p)) / 2
    d.derivative(slope, log_var_p, curve, "the second derivative is positive: the term is convex in the logarithm")
    d.less(0, curve, "so it has one minimum")
    found = slope.xreplace({log_var_q: log(var_q)})
    best = log(var_q + (mean_q - mean_p) ** 2)
    d.equal(found.xreplace({log_var_p: best}), 0, "at sigma^2 = beta-tilde + (mu - hat mu)^2, which is never below beta-tilde")
    d.misprint(
        (1 - exp(log_var_q - log_var_p)) / 2, "the error of the mean is left out: then the bound would always learn beta-tilde",
        right=slope,
    )  # fmt: skip
    d.conclude(found)


@derivation(id="bound.hybrid", title="the hybrid loss leaves the mean to the simple loss", source=f"{NICHOL}, sec. 3.1, eq. 16")
def hybrid(d):
    """With the prediction held (stop-gradient) in the bound, the slope along the prediction is that of the simple loss.

    Without it the slope would be multiplied by 1 + lambda w, which is positive: the best answer stays, its weight does not.
    """
    d.assume(abar_s < 1, "s >= 1")
    weight, constant = d.use(bound.eps_weight), d.use(bound.step_constant)
    simple = (eps - eps_hat) ** 2
    term = constant + weight * simple
    d.derivative(simple + lam * term, eps_hat, (1 + lam * weight) * (2 * (eps_hat - eps)), "with nothing held")
    d.less(0, 1 + lam * weight, "a positive factor, but one that depends on t and on the learnt variance")
    loss = simple + lam * term.xreplace({eps_hat: held})
    small = (1 - abar_s) / (1 - abar_t) * beta_t
    moment = small + 2 * step_variance * weight * (eps - held) ** 2
    d.derivative(
        loss, step_variance, lam * (1 - moment / step_variance) / (2 * step_variance), "the variance learns from the bound"
    )
    d.derivative(
        loss, eps_hat, 2 * (eps_hat - eps), "with the prediction held in the bound, the mean learns from the simple loss alone"
    )
