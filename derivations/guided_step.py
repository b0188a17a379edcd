r"""A reverse step guided by a classifier, in any dimension.

The reverse step is :math:`\mathcal{N}(x \mid \mu, \Sigma)`, and it is weighed by a classifier of where it goes. With
:math:`g = \nabla \log p(y \mid x)` at :math:`x = \mu`, to first order

.. math:: \log p(y \mid x) \approx \log p(y \mid \mu) + g^\top (x - \mu),

the product is a Gaussian again, shifted by :math:`\Sigma g` and of the same covariance. Completing the square is algebra of
matrices: it holds for any n and any positive definite :math:`\Sigma`.
"""

from sympy import MatrixSymbol, Rational, Symbol

from verifydiff.forms.guidance import scale
from verifydiff.proof import derivation
from verifydiff.proof.matrices import INVERTIBLE, POSITIVE_DEFINITE, SYMMETRIC, quadratic

n = Symbol("n", integer=True, positive=True)
x, mu, g = (MatrixSymbol(name, n, 1) for name in ("x", "mu", "g"))
Sigma, H, R = (MatrixSymbol(name, n, n) for name in ("Sigma", "H", "R"))
HALF = Rational(1, 2)
STEP = -HALF * quadratic(Sigma.I, x - mu)
SLOPE = g.T * (x - mu)
BEND = HALF * quadratic(H, x - mu)
SQUARE = "complete the square in x - mu"


def letters(d):
    d.matrices("x mu g", (n, 1), "where the step goes, its mean without guidance, and the classifier's gradient at that mean")
    d.matrices("Sigma", (n, n), "the covariance of the step: any, not only a multiple of the identity", POSITIVE_DEFINITE)


@derivation(
    id="guidance.shifted", title="guidance shifts a reverse step by its covariance times the gradient",
    source="Dhariwal & Nichol 2021, eqs. 3 to 10 and alg. 1",
)  # fmt: skip
def shifted(d):
    """To first order, the classifier adds a linear term to the exponent. Exact for a classifier whose logarithm is linear."""
    letters(d)
    mean, _ = d.complete_the_square(STEP + SLOPE, x, mu + Sigma * g, Sigma, HALF * (g.T * Sigma * g), SQUARE)
    d.matrix_equal(mean - mu, Sigma * g, "so the mean moves along the covariance times the gradient; the covariance stays")
    d.matrix_misprint(mu + g, mean, "the covariance is forgotten: the shift is the bare gradient")
    d.matrix_misprint(mu - Sigma * g, mean, "the other sign: away from the label")
    d.matrix_misprint(mu + Sigma.I * g, mean, "the precision for the covariance")


@derivation(
    id="guidance.scaled", title="a scaled gradient is a power of the classifier, normalised over where the step goes",
    source="Dhariwal & Nichol 2021, sec. 4.3 and alg. 1",
)  # fmt: skip
def scaled(d):
    """The classifier to the power s has s times the logarithm, so s times the gradient."""
    letters(d)
    d.complete_the_square(STEP + scale * SLOPE, x, mu + scale * Sigma * g, Sigma, scale**2 / 2 * (g.T * Sigma * g), SQUARE)
    d.matrix_misprint(mu + scale**2 * Sigma * g, mu + scale * Sigma * g, "the scale is squared in the normaliser, not in the shift")


@derivation(
    id="guidance.noise", title="the noise of a guided step is scaled by a root of its covariance",
    source="Dhariwal & Nichol 2021, alg. 1",
)  # fmt: skip
def noise(d):
    """Any R with R R^T = Sigma will do: the shift needs the covariance, the noise its root."""
    d.matrices("x mu g", (n, 1), "where the step goes, its mean, the gradient")
    d.matrices("R", (n, n), "a root of the covariance", INVERTIBLE)
    covariance = R * R.T
    mean, _ = d.linear_image(x, mu + covariance * g, R, covariance, "the sampler draws z and returns mean + R z")
    d.matrix_equal(mean, mu + R * (R.T * g), "the shift applies the root twice")
    d.matrix_misprint(mu + R * g, mean, "a standard deviation in front of the gradient")
    d.matrix_misprint(covariance * covariance.T, covariance, "noise scaled by the covariance: the root is lost")


def bent(d):
    letters(d)
    d.matrices("H", (n, n), "the Hessian of the classifier's logarithm at mu", SYMMETRIC)
    return d.assume_matrix(
        Sigma.I - H, POSITIVE_DEFINITE, "the step is peaked more sharply than the classifier's logarithm bends up"
    )


@derivation(
    id="guidance.second_order", title="with the second order, guidance changes the covariance, too",
    source="Dhariwal & Nichol 2021, eq. 5",
)  # fmt: skip
def second_order(d):
    """Curvatures add: the precision of the step loses the Hessian of the classifier's logarithm."""
    precision = bent(d)
    covariance = precision.inverse()
    rest = HALF * (g.T * covariance * g)
    d.complete_the_square(STEP + SLOPE + BEND, x, mu + covariance * g, covariance, rest, SQUARE)
    d.matrix_misprint(Sigma - H, covariance, "the Hessian taken from the covariance instead of the precision")
    d.matrix_misprint(Sigma + H, covariance, "or added to it")


@derivation(
    id="guidance.what_is_dropped", title="what the first order drops is of second order in the covariance",
    source="Dhariwal & Nichol 2021, sec. 4.1",
)  # fmt: skip
def what_is_dropped(d):
    """Exactly: the covariance by Sigma H C, the mean by Sigma H C g, where C is the covariance of second order."""
    covariance = bent(d).inverse()
    d.matrix_equal(covariance - Sigma, Sigma * H * covariance, "multiply the two precisions out")
    d.matrix_equal(
        covariance, Sigma + Sigma * H * Sigma + Sigma * H * covariance * H * Sigma,
        "once more: the leading part is Sigma H Sigma, of second order in Sigma, and what is left is of third",
    )  # fmt: skip
    d.matrix_equal(
        (mu + covariance * g) - (mu + Sigma * g), Sigma * H * covariance * g, "the mean, by the same factor times the gradient"
    )
