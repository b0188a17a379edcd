r"""How good the first order of classifier guidance is, and where its gradient is taken.

Along the segment from :math:`\mu` to x, the logarithm of a classifier is a function of one number u in [0, 1]:
:math:`\varphi(u) = \log p(y \mid \mu + u (x - \mu))`, with :math:`\varphi'(0) = g^\top (x - \mu)` and
:math:`\varphi''(u) = (x - \mu)^\top H (x - \mu)`. If no eigenvalue of H exceeds M in size, :math:`|\varphi''| \le M r` with
:math:`r = |x - \mu|^2`. So whatever the dimension, the remainder is a matter of one variable.
"""

from sympy import Integer, log, sqrt

from verifydiff.forms import ddpm
from verifydiff.forms.guidance import scale
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, UNIT, abar_t, alpha_t, beta_t, eps, x_t
from verifydiff.forms.score import score_t
from verifydiff.proof import derivation, letter

GRADIENT = "openai/guided-diffusion#51 and #112: the paper takes the gradient at the mean, its code at x_t"

at_mean = letter("at_mean", r"\log p(y \mid \mu)")
linear = letter("linear", r"g^\top (x - \mu)")
curved = letter("curved", r"(x - \mu)^\top H_\xi (x - \mu)")
bound = letter("bound", "M", domain=NONNEGATIVE)
distance = letter("distance", r"|x - \mu|^2", domain=NONNEGATIVE)
spread = letter("spread", r"v", domain=POSITIVE)
slope, bend = letter("slope", "g"), letter("bend", "h")
step_size = letter("step_size", r"\beta", domain=UNIT)
slope_there = letter("slope_there", r"g_j(\mu)")
across = letter("across", r"(H_\xi (x_t - \mu))_j")
inside = letter("inside", r"f", domain=POSITIVE)


@derivation(id="guidance.remainder", title="what the first order leaves of a classifier", source="Dhariwal & Nichol 2021, eq. 5")
def remainder(d):
    """Taylor's theorem on the segment: the guided step is the shifted Gaussian times a factor whose logarithm is bounded."""
    value = d.lagrange(
        r"\log p(y \mid x)", [at_mean, linear], curved, 1,
        "the classifier has two continuous derivatives along the segment from mu to x",
    )  # fmt: skip
    d.assume(curved <= bound * distance, "no eigenvalue of the Hessian exceeds M")
    d.assume(-bound * distance <= curved, "nor falls below -M")
    left = value - at_mean - linear
    d.at_most(left, bound / 2 * distance, "the logarithm of the factor that is left is at most M |x - mu|^2 / 2")
    d.at_most(-bound / 2 * distance, left, "and at least minus that")
    d.equal(left.xreplace({curved: Integer(0)}), 0, "it is nothing for a classifier whose logarithm is linear")
    d.misprint(curved, "the half of Taylor's theorem is lost", right=left)


@derivation(
    id="guidance.small_steps", title="the first order is right for small steps",
    source="Dhariwal & Nichol 2021, sec. 4.1",
)  # fmt: skip
def small_steps(d):
    """Along an eigenvector of step and Hessian: in units of the step's deviation, what is kept is of order 1/2, the rest 3/2.

    Here v is the variance of the step along the direction, g the gradient and h the second derivative there.
    """
    d.assume(spread * bend < 1, "the step is peaked more sharply than the classifier's logarithm bends up")
    variance = d.given("C", 1 / (1 / spread - bend), "the variance of second order: curvatures add")
    d.equal(variance - spread, spread * bend * variance, "it differs from v by v h C")
    shift = d.given(r"C g / \sqrt{v}", variance * slope / sqrt(spread), "the shift, in units of the step's deviation")
    d.equal(
        shift - sqrt(spread) * slope, sqrt(spread) ** 3 * bend * slope / (1 - spread * bend),
        "the shift of first order is sqrt(v) g; what it leaves out is of order v^(3/2)",
    )  # fmt: skip
    small = letter("small", "v", domain=NONNEGATIVE)
    d.expand(
        small / (1 - small * bend), small, small + bend * small**2, 2, "for a small variance: v, then h v^2: the covariance stays"
    )


@derivation(
    id="guidance.where_the_gradient_is_taken", title="the gradient at the mean against that at x_t",
    source="Dhariwal & Nichol 2021, eq. 6 and alg. 1",
)  # fmt: skip
def where_the_gradient_is_taken(d):
    """The mean of a DDPM step is x_t up to the first order in beta, so the two gradients agree up to the first order, too.

    The shifts, Sigma times either, agree up to the second: what the first order of guidance drops anyway.
    """
    mean = d.use(ddpm.mean_from_eps)
    written = d.equal(
        mean.xreplace({eps: -sqrt(1 - abar_t) * score_t}), (x_t + beta_t * score_t) / sqrt(alpha_t), "the mean, by the score at x_t"
    )
    in_beta = (x_t + step_size * score_t) / sqrt(1 - step_size)
    d.equal(written, in_beta.xreplace({step_size: beta_t}), "as a function of beta, for a held state and score")
    d.expand(
        in_beta,
        step_size,
        x_t + step_size * (x_t / 2 + score_t),
        1,
        "the mean is x_t up to the first order: it moves by beta (x_t/2 + score)",
    )
    value = d.lagrange(
        r"\partial_j \log p(y \mid x_t)",
        [slope_there],
        across,
        1,
        "the mean value theorem from mu to x_t, coordinate by coordinate",
    )
    moved = letter("moved", r"|x_t - \mu|", domain=NONNEGATIVE)
    d.assume(across <= bound * moved, "no eigenvalue of the Hessian exceeds M in size")
    d.assume(-bound * moved <= across, "either way")
    d.at_most(
        (value - slope_there) ** 2, bound**2 * moved**2, "the gradients differ by at most M |x_t - mu|: of first order in beta"
    )
    d.given(r"\Sigma (g(x_t) - g(\mu))", beta_t * across, f"the shifts, for Sigma = beta: of second order. {GRADIENT}")
    d.misprint(x_t, "the mean taken for x_t, as the code does", right=written)


@derivation(
    id="guidance.temperature", title="a power of a classifier is not a classifier",
    source="Dhariwal & Nichol 2021, sec. 4.3",
)  # fmt: skip
def temperature(d):
    """Scaling the gradient by s raises the classifier to the power s, which is normalised over x, for the one label.

    Normalised over the labels it would be another classifier, and its gradient another one. Two labels show it, whose odds
    are any function f of x: the logarithm's slope is that of log f.
    """
    d.depends(x_t, {inside: inside * slope}, "f is any positive function of x, and g the slope of its logarithm")
    first = d.given(r"p(y \mid x)", inside / (1 + inside), "the classifier, with odds f to 1")
    g = d.derivative(log(first), x_t, slope / (1 + inside), "its gradient")
    d.derivative(scale * log(first), x_t, scale * g, "s times that is the gradient of its power s")
    power = inside**scale / (1 + inside**scale)
    d.equal(power, first**scale / (first**scale + (1 - first) ** scale), "the power, normalised over the two labels: odds f^s")
    sharp = d.derivative(log(power), x_t, scale * slope / (1 + inside**scale), "has the gradient s g / (1 + f^s)")
    d.misprint(scale * g, "the scaled gradient taken for that of a classifier of lower temperature", right=sharp)
    d.equal(sharp.xreplace({scale: Integer(1)}), g, "at s = 1 they are one")
