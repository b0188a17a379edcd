r"""Denoising score matching and implicit score matching are explicit score matching, up to a constant.

A least-squares problem with a random target has the conditional mean of the target for its minimiser, and its losses are all
off by the same constant. Take the score of the kernel for the target: its conditional mean is the score of the noised data,
since a density may be differentiated under the integral. Nothing is asked of the data, and nothing of the model but that it
is a function of the noised state. One coordinate is written; the squared lengths are sums over coordinates.
"""

from sympy import Eq, log, sqrt

from verifydiff.forms import forward, score
from verifydiff.forms.quantities import POSITIVE, abar_s, abar_t, alpha_t, eps, x_0, x_t
from verifydiff.forms.score import score_t
from verifydiff.proof import claim, derivation, letter

x, y = letter("x", "x"), letter("y", r"\tilde x")
VINCENT = "Vincent 2011, sec. 4.2"

inner_loss = letter("D", r"\int q\,(s - k)^2")
J_denoising, J_explicit, J_implicit = (
    letter("J_D", r"J_{\mathrm{DSM}}(s)"), letter("J_E", r"J_{\mathrm{ESM}}(s)"), letter("J_I", r"J_{\mathrm{ISM}}(s)"),
)  # fmt: skip
constant = letter("C", "C")


@derivation(id="score.best_prediction", title="least squares finds the conditional mean", source="Bishop 2006, sec. 1.5.5")
def best_prediction(d):
    """For any joint law of x and y and any target g(x, y), the loss of f(y) is that of f against E[g | y], plus a constant.

    This is why a network trained on noise, data, velocity or flow velocity learns the conditional mean of it.
    """
    q = d.law("q")
    f, g = d.function("f", of=(y,), latex="f"), d.function("g", of=(x, y), latex="g")
    q_xy, q_y = q(x, y), q(y)
    mean, second = letter("M", r"\int q\,g"), letter("S", r"\int q\,g^2")
    inner = d.integrate(
        [(1, q_xy * (f - g) ** 2)], [(f**2, q_xy), (-2 * f, q_xy * g), (1, q_xy * g**2)], (x,),
        {q_xy * (f - g) ** 2: inner_loss, q_xy * g: mean, q_xy * g**2: second}, "over x, for held y: f(y) leaves the integral",
    )  # fmt: skip
    value = f**2 * q_y - 2 * f * mean + second
    d.solve([inner], {inner_loss: value}, "the loss at y, by the first two moments of the target")
    best = d.given(r"\mathbb{E}[g \mid y]", mean / q_y, "the conditional mean")
    against, rest = q_y * (f - best) ** 2, second - mean**2 / q_y
    d.equal(value, against + rest, "complete the square in f")
    d.derivative(rest, f, 0, "what is left does not know f: it is q(y) Var[g | y]")
    d.at_most(0, against, "the first part is never negative")
    d.equal(against.xreplace({f: best}), 0, "and vanishes for f = E[g | y], only there where q(y) > 0")
    d.misprint(against, "the loss against a random target does not go down to 0, as that against its mean does", value)
    total, of_mean = letter("J", r"\mathbb{E}(f - g)^2"), letter("J_best", r"\mathbb{E}(f - \mathbb{E}[g \mid y])^2")
    d.integrate(
        [(1, value)], [(1, against), (1, rest)], (y,),
        {value: total, against: of_mean, rest: letter("J_rest", r"\mathbb{E}\operatorname{Var}[g \mid y]")},
        "over y: the loss against the target is that against its conditional mean, plus what no f can get rid of",
    )  # fmt: skip


def scores(d, of_kernel, noised, clean):
    """The derivatives of q(x, y) and of its integral over x, with the score of the kernel and that of the marginal."""
    q = d.law("q")
    joint, data = q(clean, noised), q(clean)
    marginal, slope = letter("P", rf"q({noised.tex})", domain=POSITIVE), letter("P_rate", rf"\partial q({noised.tex})")
    d.depends(noised, {joint: joint * of_kernel}, "the derivative of a density is the density times its score")
    d.derivative(log(joint / data), noised, of_kernel, "the data's own density drops out: this is the score of the kernel")
    d.integrate([(1, joint)], [(1, joint)], (clean,), {joint: marginal}, "the density of the noised state")
    rate = d.under_integral(marginal, noised, slope, "a Gaussian kernel of positive variance is smooth, with bounded derivatives")
    return joint, rate, marginal, slope


@derivation(id="score.denoising_is_explicit", title="denoising score matching is explicit score matching", source=VINCENT)
def denoising_is_explicit(d):
    """The two losses differ by a constant that no model knows of, for any data, any smooth kernel and any model s."""
    s, k = d.function("s", of=(y,), latex="s"), d.function("k", of=(x, y), latex="k")
    joint, rate, marginal, slope = scores(d, k, y, x)
    of_marginal = d.derivative(log(marginal), y, slope / marginal, "the score of the noised data")
    denoising, explicit = joint * (s - k) ** 2, marginal * (s - of_marginal) ** 2
    fisher = letter("I", r"\int q\,k^2")
    inner = d.integrate(
        [(1, denoising)], [(s**2, joint), (-2 * s, rate), (1, joint * k**2)], (x,),
        {denoising: inner_loss, joint: marginal, rate: slope, joint * k**2: fisher},
        "over the data, for a held noised state: the cross term is s times the derivative of the marginal",
    )  # fmt: skip
    value = s**2 * marginal - 2 * s * slope + fisher
    d.solve([inner], {inner_loss: value}, "the loss at one noised state")
    rest = fisher - slope**2 / marginal
    d.equal(value, explicit + rest, "complete the square: the score of the noised data appears")
    d.derivative(rest, s, 0, "what is left does not know the model")
    d.integrate(
        [(1, value)], [(1, explicit), (1, rest)], (y,), {value: J_denoising, explicit: J_explicit, rest: constant},
        "over the noised state, where model and kernel have scores of finite mean square",
    )  # fmt: skip


@derivation(id="score.minimiser", title="the minimiser of denoising score matching is the score of the noised data", source=VINCENT)
def minimiser(d):
    """The score of the noised data is the conditional mean of the score of the kernel."""
    s, k = d.function("s", of=(y,), latex="s"), d.function("k", of=(x, y), latex="k")
    joint, rate, marginal, slope = scores(d, k, y, x)
    d.integrate([(1, joint * k)], [(1, rate)], (x,), {rate: slope}, "the mean of the kernel's score, times q")
    d.misprint(k, "the score of one kernel for that of the noised data: one draw for its mean", slope / marginal)
    explicit = marginal * (s - slope / marginal) ** 2
    d.at_most(0, explicit, "explicit score matching is never negative")
    d.equal(explicit.xreplace({s: slope / marginal}), 0, "and 0 for that score, only there where q > 0")
    d.given(r"\mathbb{E}[k \mid \tilde x]", slope / marginal, "the mean of the kernel's score, given the noised state")
    d.derivative(log(marginal), y, slope / marginal, "is the score of the noised data")


@derivation(score.optimal_eps)
def optimal_eps(d):
    """For a Gaussian kernel the kernel's score is the noise, scaled: so the best prediction of the noise is the score, scaled."""
    noise = d.use(forward.eps_from_x0)
    for one in (x_0, x_t):
        d.depends(one, {abar_s: 0, alpha_t: 0}, "the schedule knows nothing of the data")
    of_kernel = d.use(score.kernel_score).xreplace({eps: noise})
    joint, rate, marginal, slope = scores(d, of_kernel, x_t, x_0)
    moment = letter("M", r"\int q\,\epsilon")
    identity = d.integrate(
        [(1, joint * noise)], [(-sqrt(1 - abar_t), rate)], (x_0,), {joint * noise: moment, rate: slope},
        "the noise is minus its standard deviation times the kernel's score; integrated over the data",
    )  # fmt: skip
    d.solve([identity], {moment: -sqrt(1 - abar_t) * slope}, "the noise's moment")
    of_marginal = d.derivative(log(marginal), x_t, slope / marginal, "the score of the noised data")
    d.solve([claim(Eq(score_t, of_marginal))], {slope: score_t * marginal}, "so the slope of the marginal, by its score")
    mean = -sqrt(1 - abar_t) * slope / marginal
    d.conclude(mean.xreplace({slope: score_t * marginal}), "E[eps | x_t] = M / q(x_t)")
    d.misprint(-score_t, "the scale lost: the noise is the score times a standard deviation")
    d.misprint(-(1 - abar_t) * score_t, "the variance for the standard deviation")


@derivation(
    id="score.implicit_is_explicit",
    title="implicit score matching is explicit score matching",
    source="Hyvarinen 2005, theorem 1",
)
def implicit_is_explicit(d):
    """Integration by parts trades the unknown score for the derivative of the model.

    The density has to be differentiable, and density times model to vanish at infinity. In more dimensions s' is the
    divergence: coordinate i is integrated by parts along itself, then over the others.
    """
    p = d.law("p")(y)
    k, s = d.function("k", of=(y,), latex="k"), d.function("s", of=(y,), latex="s")
    s_rate = letter("s_rate", "s'")
    d.depends(y, {p: p * k, s: s_rate}, "density and model are differentiable; k is the score of the density")
    d.derivative(log(p), y, k, "the logarithmic derivative")
    parts = d.boundary(s * p, y, "density times model tends to 0 at both ends: Hyvarinen's condition")
    explicit, implicit, rest = p * (s - k) ** 2, p * (s**2 + 2 * s_rate), p * k**2
    d.equal(explicit, implicit - 2 * parts + rest, "the cross term is a part of the derivative of density times model")
    d.misprint(p * (s**2 + s_rate), "the factor 2 lost: it is s^2 + 2 s', or s^2 / 2 + s'", implicit)
    d.misprint(p * (s**2 - 2 * s_rate), "the sign lost in the integration by parts", implicit)
    d.derivative(rest, s, 0, "what is left does not know the model")
    d.integrate(
        [(1, explicit)], [(1, implicit), (-2, parts), (1, rest)], (y,),
        {explicit: J_explicit, implicit: J_implicit, rest: constant}, "J_ISM is E [s^2 + 2 s']: no score is left in it",
    )  # fmt: skip
