r"""Preconditioning: unit variance at the input and at the target, and the least amplification of errors.

With :math:`x = y + n`, data y of variance :math:`\sigma_{\mathrm{data}}^2` and independent noise n of variance
:math:`\sigma^2`, the network F is trained on

.. math:: F_{\mathrm{target}} = \frac{y - c_{\mathrm{skip}}\,(y + n)}{c_{\mathrm{out}}}
    = \frac{(1 - c_{\mathrm{skip}})\,y - c_{\mathrm{skip}}\,n}{c_{\mathrm{out}}}

The three c and the weight of the loss follow from four wishes (Karras et al. 2022, app. B.6): input and target have unit
variance, an error of F is amplified as little as can be, and all levels weigh alike.
"""

from sympy import Eq, sqrt

from verifydiff.forms import edm
from verifydiff.forms.edm import a, b, sigma, sigma_data
from verifydiff.forms.quantities import NONNEGATIVE
from verifydiff.proof import Gaussian, claim, derivation, letter

y, n = letter("y", "y"), letter("n", "n")
c, skip = letter("c", r"c", domain=NONNEGATIVE), letter("skip", r"c_{\mathrm{skip}}")
weight = letter("weight", r"\lambda", domain=NONNEGATIVE)


@derivation(edm.blend_variance)
def blend_variance(d):
    """For any data density: the noise is integrated out first, and takes the cross term with it.

    The data are centred, which a variance never sees; the mean of normal noise is 0, and its square's is its variance.
    """
    g = d.normalised(Gaussian(n, 0, sigma**2))
    first = d.boundary(g, n, "the normal density vanishes at both ends")
    second = d.boundary(n * g, n, "and so does n times it")
    of_noise, total, size = letter("I", r"\int (a y + b n)^2 \mathcal{N}\,dn"), letter("T", "T"), letter("S", r"\int p\,y^2\,dy")
    over_noise = d.integrate(
        [(1, (a * y + b * n) ** 2 * g)], [(a**2 * y**2 + b**2 * sigma**2, g), (-2 * a * b * y * sigma**2, first),
        (-(b**2) * sigma**2, second)], (n,), {(a * y + b * n) ** 2 * g: of_noise},
        "n N and n^2 N by the slopes of N and of n N: the mean of the noise is 0, that of its square the variance",
    )  # fmt: skip
    density, inner = d.law("p")(y), over_noise.rhs
    over_data = d.integrate(
        [(1, density * inner)], [(a**2, density * y**2), (b**2 * sigma**2, density)], (y,),
        {density * inner: total, density * y**2: size}, "then the data: nothing is asked of their density",
    )  # fmt: skip
    d.given(r"\int p\,y^2\,dy", sigma_data**2, "the variance of the data, which are centred")
    d.conclude(over_data.rhs.xreplace({size: sigma_data**2}))
    d.misprint((a * sigma_data + b * sigma) ** 2, "standard deviations added where variances add")


@derivation(edm.c_in)
def c_in(d):
    """The input c_in (y + n) is to have unit variance."""
    variance = d.use(edm.blend_variance).xreplace({a: c, b: c})
    d.solve([claim(Eq(variance, 1))], {c: 1 / sqrt(sigma**2 + sigma_data**2)}, "c_in^2 (sigma^2 + sigma_data^2) = 1")
    d.conclude(1 / sqrt(sigma**2 + sigma_data**2))
    d.misprint(1 / (sigma + sigma_data), "standard deviations added where variances add")
    d.misprint(
        1 / sqrt(sigma**2 + 1), "sigma_data taken for 1, as networks for the variance-preserving scale have it whatever the data"
    )


def target_variance(d):
    """The variance of y - c_skip (y + n), the target before it is scaled, as a function of c_skip."""
    d.equal(y - skip * (y + n), (1 - skip) * y - skip * n, "what F has to add, sorted by data and noise")
    return d.use(edm.blend_variance).xreplace({a: 1 - skip, b: -skip})


@derivation(edm.c_skip)
def c_skip(d):
    """The least variance of the target, so that errors of F are amplified as little as can be."""
    variance = target_variance(d)
    slope = d.derivative(variance, skip, -2 * (1 - skip) * sigma_data**2 + 2 * skip * sigma**2, "a parabola in c_skip")
    best = sigma_data**2 / (sigma**2 + sigma_data**2)
    d.solve([claim(Eq(slope, 0))], {skip: best}, "whose slope vanishes once")
    least = variance.xreplace({skip: best})
    d.equal(variance - least, (sigma**2 + sigma_data**2) * (skip - best) ** 2, "complete the square")
    d.at_most(least, variance, "so it is the least value, and no other c_skip has it")
    d.conclude(best)
    d.misprint(sigma**2 / (sigma**2 + sigma_data**2), "data and noise swapped: 0 where there is no noise")


@derivation(edm.c_out)
def c_out(d):
    """The target is to have unit variance at the best c_skip."""
    least = target_variance(d).xreplace({skip: d.use(edm.c_skip)})
    d.equal(least, sigma**2 * sigma_data**2 / (sigma**2 + sigma_data**2), "the variance of the target: the parallel sum of the two")
    root = sigma * sigma_data / sqrt(sigma**2 + sigma_data**2)
    d.solve([claim(Eq(c**2, least))], {c: root}, "c_out^2 is that variance, and c_out is not negative")
    d.conclude(root)
    d.misprint(sigma / sqrt(sigma**2 + sigma_data**2), "sigma_data lost: huggingface/diffusers#8547")
    d.misprint(sigma * sigma_data / (sigma**2 + sigma_data**2), "the variance for the standard deviation below the line")


@derivation(edm.loss_weight)
def loss_weight(d):
    """An error e of F is c_out e of D: with lambda c_out^2 = 1 the loss on D is the plain loss on F."""
    amplified = d.use(edm.c_out) ** 2
    d.solve([claim(Eq(weight * amplified, 1))], {weight: 1 / amplified}, "all levels weigh alike")
    d.conclude(1 / amplified)
    d.misprint(1 / sigma**2, "the weight for predicting the noise: right for sigma_data beyond all bounds")


@derivation(id="edm.initial_loss", title="a network that says 0 has the loss 1 at every level", source="Karras et al. 2022, sec. 5")
def initial_loss(d):
    """With F = 0 the denoiser is c_skip x, and its weighted loss does not depend on the level."""
    error = d.use(edm.blend_variance).xreplace({a: d.use(edm.c_skip) - 1, b: d.use(edm.c_skip)})
    d.equal(skip * (y + n) - y, (skip - 1) * y + skip * n, "the error of c_skip x, sorted by data and noise")
    d.misprint(error, "the loss without its weight, which goes from 0 to sigma_data^2", 1)
    d.equal(d.use(edm.loss_weight) * error, 1, "its mean square, weighted")


@derivation(
    id="edm.error_amplification",
    title="errors are amplified less than by predicting data or noise",
    source="Karras et al. 2022, sec. 5",
)
def error_amplification(d):
    """c_out is below sigma, by which an error of the noise is amplified, and below sigma_data, the spread of the data."""
    scale = d.use(edm.c_out)
    d.less(0, scale, "c_out is positive")
    d.less(scale, sigma, "less than for c_skip = 1, where F is the noise, turned round")
    d.less(scale, sigma_data, "less than for c_skip = 0, where F is the data over sigma_data")
    d.equal(1 / scale**2, 1 / sigma**2 + 1 / sigma_data**2, "precisions add: c_out is below both, and near the smaller one")


@derivation(
    id="edm.gaussian_data",
    title="for centred normal data of variance sigma_data^2 the best F is 0",
    source="Karras et al. 2022, app. B.6; Bishop 2006, eq. 2.116",
)
def gaussian_data(d):
    """Then c_skip x is the denoiser: F learns only what is not normal about the data, or not alike in all directions."""
    x = letter("x", "x")
    prior = d.given("p(y)", Gaussian(y, 0, sigma_data**2), "centred normal data")
    kernel = d.given(r"p(x \mid y)", Gaussian(x, y, sigma**2), "noise of the level")
    evidence = Gaussian(x, 0, sigma**2 + sigma_data**2)
    after = Gaussian(y, d.use(edm.c_skip) * x, d.use(edm.c_out) ** 2)
    d.marginalise(prior, kernel, after, evidence, "variances add")
    d.bayes(kernel, prior, evidence, after, "the mean is c_skip x, and the variance c_out^2: what no denoiser can get rid of")
    d.equal(after.mean - d.use(edm.c_skip) * x, 0, "so there is nothing left for F to say")
