r"""Two scales of one process: the variance-preserving state and sigma space.

.. math:: x_t = \sqrt{\bar\alpha}\,x_0 + \sqrt{1 - \bar\alpha}\,\epsilon, \qquad
    \bar x = x_t / \sqrt{\bar\alpha} = x_0 + \sigma\epsilon

A level of one is a level of the other, one to one; scores change by the scale, since densities are densities. Each of the
usual predictions is a preconditioning in sigma space, and the velocity's is that of Karras et al. for data of unit variance.
"""

from sympy import Eq, Integer, log, sqrt

from verifydiff.forms import edm, forward, predictions
from verifydiff.forms import score as scores
from verifydiff.forms.edm import score, sigma, sigma_data
from verifydiff.forms.predictions import u
from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, abar_t, eps, v, ve_s, ve_t, x_0, x_t
from verifydiff.proof import claim, derivation, letter

level = letter("level", r"\bar\alpha", domain=PROPER_FRACTION)
xbar = letter("xbar", r"\bar x")
S, N = 1 / sqrt(1 + sigma**2), sigma / sqrt(1 + sigma**2)
IN_SIGMA = {abar_t: 1 / (1 + sigma**2)}


@derivation(edm.level)
def of_sigma(d):
    """sigma is the noise over the signal; solve for the level."""
    squared = d.given(r"\sigma^2", (1 - level) / level, "noise over signal, in power")
    d.equal(d.use(forward.noised).xreplace({abar_t: level}) / sqrt(level), x_0 + sqrt(squared) * eps, "x_t over its signal")
    d.solve([claim(Eq(level * (1 + sigma**2), 1))], {level: 1 / (1 + sigma**2)}, "sigma^2 abar = 1 - abar")
    d.conclude(1 / (1 + sigma**2))
    d.misprint(1 / (1 + sigma), "sigma for its square")
    d.misprint(1 - sigma**2, "the variance-preserving noise scale taken for sigma")


@derivation(edm.scale)
def scale(d):
    """The state is sigma space's, times the root of the level."""
    d.conclude(sqrt(d.use(edm.level)))
    d.misprint(d.use(edm.level), "the level for its root")


@derivation(edm.noise_scale)
def noise_scale(d):
    """The rest of the variance is noise."""
    d.equal(d.use(edm.scale) * sigma, sqrt(1 - d.use(edm.level)), "s sigma is what the noise is scaled by")
    d.conclude(sqrt(1 - d.use(edm.level)))


@derivation(
    id="frames.one_to_one", title="levels and sigmas are one to one, in opposite order", source="Karras et al. 2022, app. C.1"
)
def one_to_one(d):
    """There and back is the identity, and the noisier level has the larger sigma."""
    back = d.use(edm.level)
    d.equal(sqrt((1 - back) / back), sigma, "from sigma to the level and back")
    d.equal(back.xreplace({sigma: ve_t}), abar_t, "from the level to sigma and back")
    d.derivative(back, sigma, -2 * sigma / (1 + sigma**2) ** 2, "the slope of the level")
    d.less(-2 * sigma / (1 + sigma**2) ** 2, 0, "is negative: the level falls as sigma grows")
    d.misprint(ve_t, "noised on one scale where the sampler works on the other: huggingface/diffusers#253", sqrt(1 - abar_t))
    d.less(ve_s, ve_t, "the cleaner level has the smaller sigma")


@derivation(edm.score_of_scaled)
def score_of_scaled(d):
    """The density of x / s is that of x, at s x, times s a coordinate: by the chain rule its score is s times that of x."""
    p = d.function("p", of=(xbar,), latex=r"p(s\bar x)", domain=POSITIVE)
    slope = letter("p_rate", r"p'(s\bar x)")
    s = d.use(edm.scale)
    d.given(r"\bar p(\bar x)", s * p, "change of variables: the density at x = s x-bar, times s")
    d.depends(xbar, {p: slope * s, sigma: 0}, "the chain rule: x moves by s where x-bar moves by 1")
    d.derivative(log(s * p), xbar, s * slope / p, "the logarithmic derivative along x-bar")
    d.solve([claim(Eq(score, slope / p))], {slope: score * p}, "p' = p times the score over x")
    d.conclude((s * slope / p).xreplace({slope: score * p}))
    d.misprint(score, "the score of one scale taken for that of the other")
    d.misprint(score / s, "rescaled the wrong way")


@derivation(id="frames.denoiser", title="Tweedie's formula on both scales", source="Karras et al. 2022, eq. 3")
def denoiser(d):
    """In sigma space the denoiser is the state plus sigma^2 times the score; on the other scale it is divided by the signal."""
    mean = d.use(scores.tweedie_mean).xreplace(IN_SIGMA).xreplace({scores.score_t: score, x_t: S * xbar})
    d.misprint(xbar + sigma**2 * score, "the score of the other scale", mean)
    d.equal(xbar + sigma**2 * d.use(edm.score_of_scaled), mean, "D(x-bar; sigma) = x-bar + sigma^2 score = E[x_0 | x_t]")


@derivation(
    id="frames.range",
    title="a denoiser of pictures in [0, 1], asked for pictures in [-1, 1]",
    source="elementary, by Karras et al. 2022, eq. 3",
)
def of_the_range(d):
    """x = 2 y - 1 doubles the noise, too: ask at (x + 1) / 2 and sigma / 2, and bring the answer back.

    Both denoisers are conditional means, and Tweedie's formula says the same on either range.
    """
    s_y, sigma_y, y = letter("s_y", r"\nabla_y \log p"), sigma / 2, (xbar + 1) / 2
    d.equal(
        2 * (x_0 + sigma_y * eps) - 1,
        (2 * x_0 - 1) + sigma * eps,
        "noise of scale sigma / 2 in [0, 1] is of scale sigma in [-1, 1]",
    )
    of_y = d.given(r"D_y(y; \sigma / 2)", y + sigma_y**2 * s_y, "Tweedie's formula in [0, 1]")
    of_x = d.given(r"D(x; \sigma)", xbar + sigma**2 * (s_y / 2), "and in [-1, 1], where a score is half as large")
    d.misprint(xbar + sigma**2 * s_y, "the denoiser of one range asked on the other: deepinv/deepinv#736", of_x)
    d.equal(2 * of_y - 1, of_x, "D(x; sigma) = 2 D_y((x + 1) / 2; sigma / 2) - 1")


# -- each prediction as a preconditioning --------------------------------------------------------------------------------


def preconditioned(d, form, skip, out, network):
    """The data by what is predicted, read in sigma space, are skip x-bar + out times what the network says."""
    data = d.use(form).xreplace(IN_SIGMA).xreplace({x_t: S * xbar})
    d.equal(data, skip * xbar + out * network, "D = c_skip x-bar + c_out F, with x_t = x-bar / sqrt(1 + sigma^2)")


@derivation(id="frames.eps", title="noise prediction as a preconditioning", source="Karras et al. 2022, table 1 (VP, iDDPM)")
def of_eps(d):
    """c_skip = 1 and c_out = -sigma; the state has unit variance for data of unit variance."""
    d.use(edm.level)
    d.equal(d.use(edm.c_in).xreplace({sigma_data: Integer(1)}), S, "c_in: to go over to x_t")
    preconditioned(d, forward.x0_from_eps, Integer(1), -sigma, eps)


@derivation(id="frames.v", title="velocity prediction is the preconditioning of Karras et al.", source="Karras et al. 2022, eq. 7")
def of_v(d):
    """For data of unit variance their c_skip, c_out and c_in are those of the velocity, and F is minus the velocity."""
    one = {sigma_data: Integer(1)}
    d.equal(d.use(edm.c_in).xreplace(one), d.use(edm.scale), "c_in: to go over to x_t")
    d.equal(d.use(edm.c_skip).xreplace(one), d.use(edm.level), "c_skip is the level")
    d.equal(d.use(edm.c_out).xreplace(one), d.use(edm.noise_scale), "c_out is the noise's scale")
    d.equal(1 / d.use(edm.c_out).xreplace(one) ** 2, d.use(edm.loss_weight).xreplace(one), "and lambda the SNR + 1 of the velocity")
    skip, out = d.use(edm.c_skip).xreplace(one), d.use(edm.c_out).xreplace(one)
    data = skip * xbar - out * v
    d.misprint(sqrt(skip) * xbar - out * v, "the root of the level, over x-bar: right over x_t (huggingface/diffusers#7046)", data)
    preconditioned(d, forward.x0_from_v, skip, out, -v)


@derivation(id="frames.u", title="flow velocity prediction as a preconditioning", source="Liu et al. 2023 (rectified flow), eq. 1")
def of_u(d):
    """c_skip = 1 / (1 + sigma) and c_out = -sigma / (1 + sigma): never above 1, as the velocity's."""
    d.use(edm.level)
    d.less(sigma / (1 + sigma), 1, "errors are not amplified")
    preconditioned(d, predictions.x0_from_u, 1 / (1 + sigma), -sigma / (1 + sigma), u)
