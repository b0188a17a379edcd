r"""Weights of the loss, from one prediction to another: SNR, truncated SNR, min-SNR.

At one :math:`x_t` the squared errors of the three predictions are multiples of each other,

.. math:: (\epsilon - \hat\epsilon)^2 = \operatorname{SNR}\,(x_0 - \hat x_0)^2, \qquad
    (v - \hat v)^2 = (\operatorname{SNR} + 1)\,(x_0 - \hat x_0)^2

so a weight w of the loss in the data is w / SNR for the loss in the noise, and w / (SNR + 1) for that in the velocity. Min-SNR
(Hang et al. 2023) takes :math:`w = \min(\operatorname{SNR}, \gamma)`; the two cases are proved one by one.
"""

from verifydiff.forms import bound, forward
from verifydiff.forms.bound import HANG, eps_hat, gamma, v_hat, x0_weight
from verifydiff.forms.quantities import abar_t, eps, snr_t, v
from verifydiff.proof import derivation


def noise_by_data(d):
    """The squared error of the noise by that of the data, at one x_t."""
    implied = d.use(forward.x0_from_eps)
    gap = implied - implied.xreplace({eps: eps_hat})
    d.equal(snr_t * gap**2, (eps - eps_hat) ** 2, "one x_t, two predictions of the noise, and of the data that they imply")
    return snr_t


def velocity_by_data(d):
    """The squared error of the velocity by that of the data, at one x_t."""
    implied = d.use(forward.x0_from_v)
    gap = implied - implied.xreplace({v: v_hat})
    d.equal((snr_t + 1) * gap**2, (v - v_hat) ** 2, "one x_t, two predictions of the velocity, and of the data that they imply")
    return snr_t + 1


@derivation(bound.eps_from_x0_weight)
def eps_weight(d):
    """Divide by SNR."""
    factor = noise_by_data(d)
    d.misprint(x0_weight * snr_t, "multiplied where it should be divided")
    d.misprint(x0_weight / (abar_t**2 / (1 - abar_t)), "the signal is squared twice: abar is a square already")
    d.conclude(x0_weight / factor)


@derivation(bound.v_from_x0_weight)
def v_weight(d):
    """Divide by SNR + 1."""
    factor = velocity_by_data(d)
    d.misprint(x0_weight / snr_t, "the velocity is given the divisor of the noise")
    d.misprint(x0_weight / snr_t + 1, "1 is added to the weight of the noise, not to its divisor (huggingface/diffusers#8466)")
    d.misprint(x0_weight * (1 + snr_t), "a squared factor taken out of the square once: multiplied where it should be divided")
    d.conclude(x0_weight / factor)


@derivation(
    id="min_snr.two_cases", title="min-SNR weights for the noise, the data and the velocity", source=f"{HANG}, sec. 3.4 and 4.2"
)
def two_cases(d):
    """Below gamma the plain loss in the noise; above it, one that falls as 1 / SNR. Both cases agree where they meet."""
    noise, velocity = d.use(bound.eps_from_x0_weight), d.use(bound.v_from_x0_weight)
    d.equal(
        noise.xreplace({x0_weight: snr_t}), noise.xreplace({x0_weight: gamma}).xreplace({gamma: snr_t}),
        "where SNR = gamma the two cases meet",
    )  # fmt: skip
    with d.suppose(snr_t <= gamma, "first case, much noise: min(SNR, gamma) = SNR"):
        d.equal(noise.xreplace({x0_weight: snr_t}), 1, "the noise has weight 1: the simple loss")
        d.equal(velocity.xreplace({x0_weight: snr_t}), abar_t, "and the velocity abar_t")
    with d.suppose(snr_t + 1 <= gamma, "well within the first case"):
        d.misprint(
            (snr_t + 1) / (snr_t + 1), "1 is added to SNR inside the minimum, too (huggingface/diffusers#5654, mended in #6307)",
            right=velocity.xreplace({x0_weight: snr_t}),
        )  # fmt: skip
    with d.suppose(gamma < snr_t, "second case, little noise: min(SNR, gamma) = gamma"):
        d.misprint(
            snr_t / snr_t, "max for min (lucidrains/recurrent-interface-network-pytorch#11): then the weight never falls",
            right=noise.xreplace({x0_weight: gamma}),
        )  # fmt: skip
        d.less(noise.xreplace({x0_weight: gamma}), 1, "the noise has a weight below 1")
        d.less(velocity.xreplace({x0_weight: gamma}), abar_t, "and the velocity one below abar_t")


@derivation(id="min_snr.implied_weights", title="what the plain losses weigh the data with", source="Salimans & Ho 2022, sec. 4")
def implied(d):
    """A loss of weight 1 in the noise is one of weight SNR in the data; in the velocity, of weight SNR + 1."""
    noise, velocity = noise_by_data(d), velocity_by_data(d)
    d.equal(noise / velocity, abar_t, "the loss in the noise weighs the velocity with abar_t")
    d.equal(1 / velocity, 1 - abar_t, "and the loss in the data weighs it with 1 - abar_t")
    d.equal(noise + 1, velocity, "the loss in the velocity is that in the noise and that in the data together")
