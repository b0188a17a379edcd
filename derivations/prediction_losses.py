r"""What a squared error of one prediction weighs in that of another.

Let the truth be :math:`x_0` and a network say :math:`\hat x_0` of the same :math:`x_t`. What it says of the noise, the
velocity, the score differs from the truth in proportion, by a factor that only the signal over noise knows. So the losses
are one loss with different weights over the levels, and a weight for one of them has to be converted before it is put on
another.
"""

from sympy import sqrt

from verifydiff.forms import forward, predictions
from verifydiff.forms.quantities import abar_t, eps, snr_t, x_0
from verifydiff.proof import derivation, letter

x_hat = letter("x_hat", r"\hat x_0")
eps_hat = letter("eps_hat", r"\hat\epsilon")
A, B = sqrt(abar_t), sqrt(1 - abar_t)


def squared_factor(d, by, known, guess, factor):
    """The square of the factor by which what is said is wrong, where what it is said by is wrong by 1."""
    said = d.use(by)
    d.equal(said - said.xreplace({known: guess}), factor * (known - guess), "x_t drops out of the error, the rest is linear")
    return factor**2


@derivation(predictions.eps_weight)
def eps_weight(d):
    """The noise is wrong by -sqrt(abar_t) / sqrt(1 - abar_t) where the data are wrong by 1."""
    d.conclude(squared_factor(d, forward.eps_from_x0, x_0, x_hat, -A / B))
    d.misprint(sqrt(snr_t), "the factor of the error for that of its square")
    d.misprint(1 / snr_t, "the quotient upside down")


@derivation(predictions.v_weight)
def v_weight(d):
    """The velocity is wrong by -1 / sqrt(1 - abar_t) where the data are wrong by 1: SNR + 1."""
    d.conclude(squared_factor(d, predictions.v_from_x0, x_0, x_hat, -1 / B))
    d.misprint(snr_t, "the weight of the noise taken for that of the velocity")


@derivation(predictions.score_weight)
def score_weight(d):
    """The score is wrong by sqrt(abar_t) / (1 - abar_t) where the data are wrong by 1."""
    d.conclude(squared_factor(d, predictions.score_from_x0, x_0, x_hat, A / B**2))
    d.misprint(snr_t, "that of the noise: a loss on the score without its weight 1 - abar_t")


@derivation(predictions.u_weight)
def u_weight(d):
    """The flow velocity is wrong by -(sqrt(abar_t) + sqrt(1 - abar_t)) / sqrt(1 - abar_t) where the data are wrong by 1."""
    d.conclude(squared_factor(d, predictions.u_from_x0, x_0, x_hat, -(A + B) / B))
    d.misprint(1 + snr_t, "that of the velocity v, which lives on the other scale")


@derivation(predictions.eps_weight_of_u)
def eps_weight_of_u(d):
    """The flow velocity is wrong by 1 + sqrt(1 - abar_t) / sqrt(abar_t) where the noise is wrong by 1."""
    d.equal(d.use(predictions.u_weight) / d.use(predictions.eps_weight), (1 + 1 / sqrt(snr_t)) ** 2, "over the loss of the data")
    d.conclude(squared_factor(d, predictions.u_from_eps, eps, eps_hat, (A + B) / A))


@derivation(
    id="predictions.score_loss_weight",
    title="the score's loss, weighted by the variance, is that of the noise",
    source="Song et al. 2021 (SDE), eq. 7; Ho et al. 2020, eq. 14",
)
def score_loss_weight(d):
    """With the weight 1 - abar_t on each level, denoising score matching is Ho's simple loss."""
    d.misprint(
        d.use(predictions.score_weight), "no weight: levels near the data dominate without bound", d.use(predictions.eps_weight)
    )
    d.equal((1 - abar_t) * d.use(predictions.score_weight), d.use(predictions.eps_weight), "the variance of the kernel as weight")
