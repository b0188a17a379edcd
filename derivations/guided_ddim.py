r"""Guidance of the noise: classifier guidance for DDIM, and what it does to a DDPM step.

DDIM has no noise to shift. Its step knows a prediction of the noise only, and that is a score:
:math:`\epsilon = -\sqrt{1 - \bar\alpha_t}\, \nabla \log p(x_t)`. The score of state and label together is that of the state
plus the gradient of a classifier of the *noised* state.
"""

from sympy import Integer, log, sqrt

from verifydiff.forms import ddim, ddpm, forward, guidance, score
from verifydiff.forms.guidance import gradient
from verifydiff.forms.quantities import (
    NONNEGATIVE,
    POSITIVE,
    abar_s,
    abar_t,
    beta_t,
    eps,
    sigma_t,
    x_0,
    x_t,
)
from verifydiff.forms.score import score_t
from verifydiff.proof import derivation, letter

DHARIWAL = "Dhariwal & Nichol 2021"
density = letter("density", "p(x_t)", domain=POSITIVE)
classifier = letter("classifier", r"p(y \mid x_t)", domain=POSITIVE)
labels = letter("labels", "p(y)", domain=POSITIVE)


def joint_score(d):
    """The score of the state given its label, by that of the state and the classifier's gradient."""
    rates = {density: density * score_t, classifier: classifier * gradient, labels: Integer(0)}
    d.depends(x_t, rates, "score and gradient are the slopes of the two logarithms; how frequent a label is depends on no state")
    given_label = d.given(r"p(x_t \mid y)", density * classifier / labels, "Bayes")
    return d.derivative(log(given_label), x_t, score_t + gradient, "the logarithm of a product, and a constant")


@derivation(
    id="guidance.joint_score", title="guided, the score gains the gradient of a classifier", source=f"{DHARIWAL}, eqs. 11 to 13"
)
def score_gains(d):
    """Bayes' rule under the logarithm; the frequency of the label drops out."""
    joint_score(d)
    d.misprint(score_t - gradient, "the other sign: away from the label", right=score_t + gradient)
    d.misprint(
        score_t + gradient * classifier,
        "the gradient of the probability in place of that of its logarithm",
        right=score_t + gradient,
    )


@derivation(guidance.eps_by_classifier)
def eps_by_classifier(d):
    """The noise is the score times minus the deviation of the noise; so is its shift."""
    predicted = -sqrt(1 - abar_t) * score_t
    d.equal(
        d.use(forward.eps_from_x0).xreplace({x_0: d.use(score.tweedie_mean)}), predicted,
        "what the best prediction of x_0 (Tweedie) implies for the noise: minus its deviation times the score",
    )  # fmt: skip
    guided = d.equal(-sqrt(1 - abar_t) * joint_score(d), predicted - sqrt(1 - abar_t) * gradient, "the same with the label")
    d.conclude(guided.xreplace({score_t: -eps / sqrt(1 - abar_t)}), "where eps is what the network predicts without the label")
    d.misprint(eps - sqrt(abar_t) * gradient, "sqrt(abar_t) for sqrt(1 - abar_t)")
    d.misprint(eps - (1 - abar_t) * gradient, "the root is lost, as in a DDIM coefficient of mathpluscode/ImgX-DiffSeg#4")
    d.misprint(eps + sqrt(1 - abar_t) * gradient, "the other sign: away from the label")


@derivation(guidance.shift_by_step)
def shift_by_step(d):
    """The mean of a DDPM step is linear in the noise."""
    mean, guided = d.use(ddpm.mean_from_eps), d.use(guidance.eps_by_classifier)
    d.conclude(mean.xreplace({eps: guided}) - mean, "put the guided noise in")
    d.misprint(beta_t * gradient, "the covariance times the gradient, as for a step of variance beta: equal to first order only")
    d.misprint(sqrt(beta_t) * gradient, "a deviation in front of the gradient")


@derivation(
    id="guidance.two_algorithms", title="guiding the mean and guiding the noise agree for small steps",
    source=f"{DHARIWAL}, alg. 1 and alg. 2",
)  # fmt: skip
def two_algorithms(d):
    """Algorithm 1 adds Sigma g to the mean; the guided noise of algorithm 2 moves the same mean by beta g / sqrt(alpha).

    For Sigma = beta the two differ from the second order on. For Sigma = beta-tilde
    the factor (1 - abar_s) / (1 - abar_t) comes on top, which near the data is far from 1.
    """
    beta = letter("beta", r"\beta", domain=NONNEGATIVE)
    moved = d.use(guidance.shift_by_step)
    d.assume(beta < 1, "a step keeps some signal")
    d.equal(moved, (beta / sqrt(1 - beta) * gradient).xreplace({beta: beta_t}), "as a function of beta")
    d.expand(beta / sqrt(1 - beta), beta, beta + beta**2 / 2, 2, "beta, then beta^2 / 2")
    large, small = d.use(ddpm.large_variance), d.use(ddpm.posterior_variance)
    d.less(large, moved / gradient, "guiding the noise moves the mean a little further than Sigma = beta")
    d.at_most(small, moved / gradient, "and so than Sigma = beta-tilde, the variance of the posterior")


@derivation(
    id="guidance.ddim_shift", title="how far guidance of the noise moves a DDIM step",
    source=f"{DHARIWAL}, alg. 2",
)  # fmt: skip
def ddim_shift(d):
    """The deterministic step is linear in the noise, too. The predicted data move towards the label, the noise away from it."""
    step = d.use(ddim.step_mean, at={sigma_t: Integer(0)})
    guided = d.use(guidance.eps_by_classifier)
    moved = step.xreplace({eps: guided}) - step
    d.equal(
        moved, (sqrt((1 - abar_t) * abar_s / abar_t) - sqrt(1 - abar_s)) * sqrt(1 - abar_t) * gradient,
        "the data move by (1 - abar_t) / sqrt(abar_t) g, scaled to s; the noise that is put back takes some of it away",
    )  # fmt: skip
    d.less(0, sqrt((1 - abar_t) * abar_s / abar_t) - sqrt(1 - abar_s), "what is left points to the label")
