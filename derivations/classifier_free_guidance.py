r"""Guidance without a classifier.

Two predictions, with the label and without, are two scores; by Bayes their difference is the gradient of a classifier that
nobody has trained. Following that one w times more than the label itself asks for is

.. math:: \tilde\epsilon = (1 + w)\, \epsilon_c - w\, \epsilon_u .

The weight w counts from no guidance at 0; the scale s = 1 + w counts from no guidance at 1. Both circulate under the one letter w
and under the one name guidance_scale.
"""

from sympy import Integer, log, sqrt

from verifydiff.forms import guidance
from verifydiff.forms.guidance import eps_c, eps_u, gradient, scale, score_c, score_u
from verifydiff.forms.quantities import POSITIVE, abar_t, w, x_t
from verifydiff.proof import Claim, derivation, letter

CONVENTION = "lucidrains/denoising-diffusion-pytorch#155 and #207 ask: both conventions are right, each with its own letter"
given_label = letter("given_label", r"p(x_t \mid y)", domain=POSITIVE)
density = letter("density", "p(x_t)", domain=POSITIVE)
labels = letter("labels", "p(y)", domain=POSITIVE)
negative = letter("negative", r"p(x_t \mid y_-)", domain=POSITIVE)
score_n = letter("score_n", r"\nabla \log p(x_t \mid y_-)")
BY_NOISE = {score_c: -eps_c / sqrt(1 - abar_t), score_u: -eps_u / sqrt(1 - abar_t)}


def scores(d):
    """The two densities of the noised state, each with its score."""
    rates = {given_label: given_label * score_c, density: density * score_u, labels: Integer(0)}
    d.depends(x_t, rates, "the scores are the slopes of the logarithms; how frequent a label is depends on no state")


@derivation(guidance.implicit_gradient)
def implicit_gradient(d):
    """Bayes' rule, read backwards: two generative models make a classifier."""
    scores(d)
    classifier = d.given(r"p(y \mid x_t)", given_label * labels / density, "Bayes")
    slope = d.derivative(log(classifier), x_t, score_c - score_u, "the frequency of the label drops out")
    d.conclude(slope.xreplace(BY_NOISE), "each score is minus the noise over its deviation")
    d.misprint((eps_c - eps_u) / sqrt(1 - abar_t), "the other sign: scores and noise point opposite ways")
    d.misprint(-(eps_c - eps_u) / sqrt(abar_t), "sqrt(abar_t) for sqrt(1 - abar_t)")
    d.misprint(-(eps_c - eps_u), "not divided by the deviation of the noise")


@derivation(guidance.score_guided)
def score_guided(d):
    """The score of p(x_t | y) p(y | x_t)^w, with the implicit classifier; its normaliser is no matter of x_t.

    Where it can be normalised, this is at every noise level the score of *some* density. That these densities are the noised
    versions of one law of data is not said, and is false: see the page on tilting.
    """
    scores(d)
    classifier = given_label * labels / density
    tilted = d.given(r"p(x_t \mid y)\, p(y \mid x_t)^w", given_label * classifier**w, "the label counts 1 + w times")
    slope = d.derivative(log(tilted), x_t, score_c + w * (score_c - score_u), "the logarithm of a product")
    joint = density * classifier ** (1 + w)
    other = d.derivative(log(joint), x_t, score_u + (1 + w) * (score_c - score_u), "or p(x_t) p(y | x_t)^(1+w)")
    d.equal(other, slope, "which is the same density, up to its normaliser")
    d.conclude(slope)
    d.misprint(score_c + (1 + w) * (score_c - score_u), "the label counted once too often: w and 1 + w mixed up")
    d.misprint(score_u + w * (score_c - score_u), f"the weight of one convention in the formula of the other; {CONVENTION}")


@derivation(guidance.eps_guided)
def eps_guided(d):
    """The guided score, as noise."""
    guided = d.use(guidance.score_guided)
    shifted = eps_c - sqrt(1 - abar_t) * w * gradient
    d.equal(
        -sqrt(1 - abar_t) * guided.xreplace(BY_NOISE), (1 + w) * eps_c - w * eps_u, "noise is minus its deviation times the score"
    )
    implied = shifted.xreplace({gradient: d.use(guidance.implicit_gradient)})
    d.conclude(implied, "or: classifier guidance of the conditional model, by the implicit classifier, to the power w")
    d.misprint((1 + w) * eps_c + w * eps_u, "the other sign at the unconditional prediction")
    d.misprint((1 + w) * eps_u - w * eps_c, "the two predictions exchanged: a batch stacked in the other order")
    d.misprint(w * eps_c - (1 + w) * eps_u, "the two weights exchanged")
    d.misprint(w * eps_c - w * eps_u, "weights that sum to 0: the difference alone is no prediction of the noise")


@derivation(guidance.eps_scaled)
def eps_scaled(d):
    """The other convention: start from the unconditional prediction, and go s times the way to the conditional one."""
    counted = w + 1
    d.equal(
        eps_u + counted * (eps_c - eps_u), d.use(guidance.eps_guided), "with s = 1 + w it is Ho & Salimans' formula, for every w"
    )
    other = letter("other", "w")
    d.solve([Claim(scale, "==", 1 + other)], {other: scale - 1}, "and back")
    d.conclude(d.use(guidance.eps_guided).xreplace({w: scale - 1}), "w = s - 1 put in")
    d.misprint(
        scale * eps_c + (scale - 1) * eps_u,
        "the sign of the second weight: s - 1 for 1 - s (labmlai/annotated_deep_learning_paper_implementations#177)",
    )
    d.misprint((1 + scale) * eps_c - scale * eps_u, "the scale put in as if it were the weight: guidance by one too much")
    d.misprint(eps_c + scale * (eps_c - eps_u), "started from the conditional prediction: by one too much again")


@derivation(id="guidance.conventions", title="where the two conventions begin", source="Ho & Salimans 2022, eq. 6; Imagen, eq. 2")
def conventions(d):
    """The special values: no guidance, no label, and what a negative weight does."""
    by_weight, by_scale = d.use(guidance.eps_guided), d.use(guidance.eps_scaled)
    d.equal(by_weight.xreplace({w: Integer(0)}), eps_c, "w = 0: the conditional model, no guidance")
    d.equal(by_scale.xreplace({scale: Integer(1)}), eps_c, "s = 1 is the same")
    d.equal(by_scale.xreplace({scale: Integer(0)}), eps_u, "s = 0, that is w = -1: the unconditional model")
    d.equal(
        by_weight,
        eps_c + w * (eps_c - eps_u),
        "three ways to write it: from the conditional prediction on, away from the unconditional one",
    )
    d.equal(by_weight, eps_u + (1 + w) * (eps_c - eps_u), "or from the unconditional one on")
    d.misprint(by_weight.xreplace({w: scale}), "a default carried from one convention to the other: 7.5 is not 7.5", right=by_scale)


@derivation(
    id="guidance.negative_prompt", title="a negative prompt takes the place of no prompt",
    source="Liu et al. 2022 (composable diffusion); pipelines' negative_prompt",
)  # fmt: skip
def negative_prompt(d):
    """Whatever takes the place of the unconditional model is divided out: p_+ (p_+ / p_-)^w, up to a normaliser."""
    rates = {given_label: given_label * score_c, negative: negative * score_n}
    d.depends(x_t, rates, "the scores with the prompt and with the negative one")
    product = d.given(r"\tilde p", given_label * (given_label / negative) ** w, "towards the one, away from the other")
    slope = d.derivative(log(product), x_t, (1 + w) * score_c - w * score_n, "the same combination of the two scores")
    d.equal(
        slope, d.use(guidance.score_guided).xreplace({score_u: score_n}), "the negative prompt in place of the unconditional model"
    )
    d.equal(slope.xreplace({w: Integer(0)}), score_c, "without guidance, w = 0, a negative prompt does nothing at all")
    with_density = score_u + (1 + w) * (score_c - score_n)
    d.misprint(with_density, "the unconditional model moved along the difference: three models, another density", right=slope)


@derivation(
    id="guidance.two_conditions", title="two conditions, each with a scale of its own",
    source="Brooks et al. 2023 (InstructPix2Pix), sec. 3.2",
)  # fmt: skip
def two_conditions(d):
    """The chain rule: p(x) p(a | x)^s p(b | x, a)^r. Three models, whose weights sum to one."""
    first, both = letter("first", r"p(x_t \mid a)", domain=POSITIVE), letter("both", r"p(x_t \mid a, b)", domain=POSITIVE)
    score_a, score_ab = letter("score_a", r"\nabla \log p(x_t \mid a)"), letter("score_ab", r"\nabla \log p(x_t \mid a, b)")
    second = letter("second", "r", domain=scale.domain)
    d.depends(x_t, {density: density * score_u, first: first * score_a, both: both * score_ab}, "three scores")
    tilted = d.given(
        r"\tilde p",
        density * (first / density) ** scale * (both / first) ** second,
        "p(a | x) and p(b | x, a), by Bayes, up to constants",
    )
    slope = d.derivative(
        log(tilted), x_t, score_u + scale * (score_a - score_u) + second * (score_ab - score_a), "one difference a condition"
    )
    d.equal(slope.xreplace({second: scale}), score_u + scale * (score_ab - score_u), "equal scales: one condition made of both")
    d.equal(slope.xreplace({second: Integer(1), scale: Integer(1)}), score_ab, "scales of 1: the conditional model")
    d.misprint(
        score_u + scale * (score_a - score_u) + second * (score_ab - score_u),
        "both differences taken from the unconditional model: the first condition is counted twice", right=slope,
    )  # fmt: skip
