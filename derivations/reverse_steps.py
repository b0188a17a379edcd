r"""Three steps along the reverse VP SDE that agree to first order in beta.

Euler-Maruyama takes the drift at its word, reverse diffusion turns the discrete forward step round, the ancestral step inverts
it. With :math:`\nabla\log p = -\epsilon/\sqrt{1 - \bar\alpha_t}` they differ by multiples of :math:`\beta_t^2`: too little to
see in pictures at a thousand steps, and enough to tell them apart by their coefficients.
"""

from sympy import Integer, Rational, sqrt

from verifydiff.forms import ddpm, reverse_steps, score, sde
from verifydiff.forms.quantities import NONNEGATIVE, PROPER_FRACTION, abar_s, abar_t, alpha_t, beta_t, eps, x_t, z
from verifydiff.forms.reverse_steps import SONG_SDE as SONG
from verifydiff.forms.score import score_t
from verifydiff.forms.sde import beta, f, g
from verifydiff.proof import at, derivation, letter

h = letter("h", domain=NONNEGATIVE)
b = letter("b", r"\beta", domain=PROPER_FRACTION)
ONE, NONE = Integer(1), Integer(0)


def weights(step):
    """The weights of the state, of the score and of the noise: a step is linear in all three."""
    letters = (x_t, score_t, z)
    return [step.xreplace({one: ONE if one == chosen else NONE for one in letters}) for chosen in letters]


def by_noise(step):
    """The step over a predicted noise in place of the score."""
    return step.xreplace({score_t: score.kernel_score.expression})


@derivation(reverse_steps.euler_maruyama)
def euler_maruyama(d):
    """A step of length h backwards: the drift is subtracted, the noise has the variance beta h. beta_t stands for beta h."""
    drift = d.use(sde.reverse_drift).xreplace({f: -beta / 2 * x_t, g: sqrt(beta)})
    d.equal(drift, -beta / 2 * x_t - beta * score_t, "the reverse drift of VP")
    step = d.given("x_s", x_t - drift * h + sqrt(beta * h) * z, "backwards in time dt = -h, and an increment has the variance h")
    d.misprint(x_t - beta_t / 2 * x_t + beta_t * score_t + sqrt(beta_t) * z, "the drift of the forward process left as it was")
    d.misprint(x_t + beta_t / 2 * x_t + score_t + sqrt(beta_t) * z, "the score not multiplied by beta")
    d.misprint(x_t + beta_t / 2 * x_t + beta_t * score_t + beta_t * z, "beta for its root in front of the noise")
    d.misprint(x_t + beta_t * x_t + beta_t * score_t + sqrt(beta_t) * z, "the half lost in front of the state")
    d.conclude(step.xreplace({beta: beta_t, h: ONE}))


@derivation(reverse_steps.reverse_diffusion)
def reverse_diffusion(d):
    """The discrete forward step x + f + G z has f = (sqrt(1 - beta) - 1) x: backwards, f changes its sign."""
    move, G = d.given("f", (sqrt(1 - beta_t) - 1) * x_t, "what a step of DDPM does to the state"), sqrt(beta_t)
    d.equal(x_t + move, sqrt(alpha_t) * x_t, "the state is scaled by sqrt(alpha)")
    step = d.given("x_s", x_t - move + G**2 * score_t + G * z, "the reverse drift f - G^2 score, run backwards, and the same noise")
    d.misprint(x_t / sqrt(1 - beta_t) + beta_t * score_t + sqrt(beta_t) * z, "the forward step inverted: x / sqrt(1 - beta)")
    d.misprint(sqrt(1 - beta_t) * x_t + beta_t * score_t + sqrt(beta_t) * z, "the forward step not turned round")
    d.conclude(step)


@derivation(reverse_steps.ancestral)
def ancestral(d):
    """The mean of DDPM's reverse step, with the noise written by the score; the variance is the larger of the two choices."""
    mean = d.use(ddpm.mean_from_eps).xreplace({eps: -sqrt(1 - abar_t) * score_t})
    d.equal(d.use(score.kernel_score).xreplace({eps: -sqrt(1 - abar_t) * score_t}), score_t, "the score is -eps / sqrt(1 - abar_t)")
    d.misprint(x_t / sqrt(1 - beta_t) + beta_t * score_t + sqrt(beta_t) * z, "only the state divided by sqrt(1 - beta)")
    d.misprint((x_t + beta_t * score_t) / sqrt(abar_t) + sqrt(beta_t) * z, "divided by the root of all levels: a bar too many")
    d.misprint((x_t - beta_t * score_t) / sqrt(1 - beta_t) + sqrt(beta_t) * z, "the score taken for the noise: its sign")
    d.conclude(mean + sqrt(d.use(ddpm.large_variance)) * z)


def steps(d, *forms):
    """Weights of the steps, over a beta that goes to 0."""
    found = []
    for form in forms:
        d.use(form)
        found.append([one.xreplace({alpha_t: 1 - b}) for one in weights(form.expression.xreplace({beta_t: b}))])
    return found


@derivation(id="reverse.agree", title="the three steps agree to first order, and where they part", source=f"{SONG}, app. E")
def agree(d):
    """State: 1 + beta/2, then 0, 1/8, 3/8 of beta^2. Score: beta, then 0, 0, 1/2 of beta^2. The noise is the same."""
    euler, turned, inverted = steps(d, reverse_steps.euler_maruyama, reverse_steps.reverse_diffusion, reverse_steps.ancestral)
    d.equal(euler[0], 1 + b / 2, "Euler-Maruyama: the weight of the state")
    d.expand(turned[0], b, 1 + b / 2 + b**2 / 8, 2, "reverse diffusion: an eighth of beta^2 more")
    d.expand(inverted[0], b, 1 + b / 2 + 3 * b**2 / 8, 2, "ancestral: three eighths more")
    d.equal(turned[1], euler[1], "Euler-Maruyama and reverse diffusion: the score has the weight beta")
    d.expand(inverted[1], b, b + b**2 / 2, 2, "ancestral: half of beta^2 more")
    d.equal(turned[2], euler[2], "the fresh noise has the scale sqrt(beta)")
    d.equal(inverted[2], euler[2], "in all three")
    d.misprint(inverted[0] - turned[0], "the three taken for equal, not for equal to first order", right=0)


@derivation(id="reverse.order_among_them", title="the weights of the state are ordered for every beta", source=f"{SONG}, app. E")
def order_among_them(d):
    """Euler-Maruyama grows the state least, the ancestral step most: 1 + b/2 < 2 - sqrt(1 - b) < 1 / sqrt(1 - b)."""
    euler, turned, inverted = steps(d, reverse_steps.euler_maruyama, reverse_steps.reverse_diffusion, reverse_steps.ancestral)
    d.less(euler[0], turned[0], "a root lies below its tangent")
    d.less(turned[0], inverted[0], "r + 1/r > 2 for r = sqrt(1 - beta)")


@derivation(id="reverse.two_variances", title="beta and beta-tilde differ by beta^2", source="Ho et al. 2020, sec. 3.2")
def two_variances(d):
    """Both are variances of the ancestral step; they part near the data, where beta-tilde goes to none."""
    small, large = d.use(ddpm.posterior_variance), d.use(ddpm.large_variance)
    gap = d.equal(large - small, beta_t**2 * abar_s / (1 - abar_t), "the difference, exactly")
    d.equal(
        small / large, 1 - beta_t * abar_s / (1 - abar_t), "the ratio is 1 up to O(beta), as long as 1 - abar stays away from 0"
    )
    d.equal(at(gap, abar_s=1), beta_t, "at the last step, s = 0, it is not small: all of beta")
    d.misprint(small - large, "the two taken for equal", right=0)


@derivation(reverse_steps.flow_euler)
def flow_euler(d):
    """The velocity of the flow times -h, beta_t standing for beta h."""
    velocity = d.use(sde.flow_drift).xreplace({f: -beta / 2 * x_t, g: sqrt(beta)})
    step = d.given("x_s", x_t - h * velocity, "backwards in time dt = -h")
    d.misprint(x_t + beta_t / 2 * x_t + beta_t * score_t, "the half lost: Euler-Maruyama without its noise")
    d.misprint(x_t - beta_t / 2 * (x_t + score_t), "the step taken forwards in time")
    d.conclude(step.xreplace({beta: beta_t, h: ONE}))


@derivation(reverse_steps.flow)
def flow(d):
    """As reverse diffusion, with half of the score and no noise."""
    move = d.given("f", (sqrt(1 - beta_t) - 1) * x_t, "what a step of DDPM does to the state")
    step = d.given("x_s", x_t - move + beta_t / 2 * score_t, "the drift f - G^2/2 score of the flow, run backwards")
    d.misprint((2 - sqrt(1 - beta_t)) * x_t + beta_t * score_t, "the half lost: reverse diffusion without its noise")
    d.misprint(
        (x_t + beta_t / 2 * score_t) / sqrt(1 - beta_t),
        "half of the score put into the ancestral step: this is no step of the flow",
    )
    d.conclude(step)


@derivation(id="reverse.flow_agree", title="the two flow steps agree to first order", source=f"{SONG}, app. D.3")
def flow_agree(d):
    """They differ in the state alone, by an eighth of beta^2."""
    by_euler, turned = steps(d, reverse_steps.flow_euler, reverse_steps.flow)
    d.equal(turned[1], by_euler[1], "the score has half of beta in both")
    d.expand(turned[0] - by_euler[0], b, b**2 / 8, 2, "the state differs by an eighth of beta^2")
    d.equal(by_euler[2] + turned[2], 0, "there is no noise")


@derivation(id="reverse.as_noise", title="the steps over a predicted noise", source=f"{SONG}, app. E")
def as_noise(d):
    """x_s = a x_t + b eps + c z: the score's weight over minus the deviation. Only the ancestral step has DDPM's coefficients."""
    d.use(score.kernel_score)
    root = sqrt(1 - abar_t)
    for form, state, noise, fresh in (
        (reverse_steps.euler_maruyama, 1 + beta_t / 2, -beta_t / root, sqrt(beta_t)),
        (reverse_steps.reverse_diffusion, 2 - sqrt(alpha_t), -beta_t / root, sqrt(beta_t)),
        (reverse_steps.ancestral, 1 / sqrt(alpha_t), -beta_t / (sqrt(alpha_t) * root), sqrt(beta_t)),
        (reverse_steps.flow, 2 - sqrt(alpha_t), -beta_t / 2 / root, NONE),
        (reverse_steps.flow_euler, 1 + beta_t / 2, -beta_t / 2 / root, NONE),
    ):
        d.use(form)
        d.equal(by_noise(form.expression), state * x_t + noise * eps + fresh * z, form.title)
    told = by_noise(reverse_steps.euler_maruyama.expression)
    d.misprint(
        (1 + beta_t / 2) * x_t - beta_t / (1 - abar_t) * eps + sqrt(beta_t) * z,
        "the variance for its root under the noise",
        right=told,
    )
    d.misprint(
        (1 + beta_t / 2) * x_t - beta_t / sqrt(1 - abar_s) * eps + sqrt(beta_t) * z,
        "the level of the next time under the noise of this one", right=told,
    )  # fmt: skip
    d.misprint((1 + beta_t / 2) * x_t - beta_t * eps + sqrt(beta_t) * z, "the noise handed over as the score", right=told)


@derivation(id="reverse.last_noise", title="what the last fresh noise does", source=f"{SONG}, app. G")
def last_noise(d):
    """A last step with its noise ends sqrt(beta_1) away from its mean: with DDPM's first beta, 0.01 a coordinate."""
    d.use(reverse_steps.ancestral)
    step = reverse_steps.ancestral.expression
    d.equal(step - step.xreplace({z: NONE}), sqrt(beta_t) * z, "what the fresh noise adds, at the last step as at any other")
    d.equal(sqrt(beta_t).xreplace({beta_t: Rational(1, 10000)}), Rational(1, 100), "its scale for beta = 0.0001")
    d.misprint(step.xreplace({z: NONE}), "the noise of the last step taken for nothing: so it is for beta-tilde only", right=step)
