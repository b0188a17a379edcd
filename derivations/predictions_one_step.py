r"""A sampler's step is the same whichever is predicted, and what it is without fresh noise by each.

A step of the DDIM family goes from :math:`(x_t, x_0)` to :math:`x_s`. Written by the noise, the velocity, the score or the
flow velocity it is one and the same map. By the velocity it is a rotation: the pair (x, v) turns by the angle between the
levels. What a sampler must not do is to take one prediction for another.
"""

from sympy import Integer, sqrt

from verifydiff.forms import ddim, ddpm, forward, predictions, score
from verifydiff.forms.predictions import u
from verifydiff.forms.quantities import abar_s, abar_t, eps, sigma_t, v, x_0, x_t
from verifydiff.forms.score import score_t
from verifydiff.proof import derivation

NO_NOISE = {sigma_t: Integer(0)}
C_S, S_S, C_T, S_T = sqrt(abar_s), sqrt(1 - abar_s), sqrt(abar_t), sqrt(1 - abar_t)


@derivation(
    id="predictions.one_step",
    title="a step is the same whichever is predicted",
    source="Song et al. 2021 (DDIM), eq. 12; Salimans & Ho 2022, app. D",
)
def one_step(d):
    """The DDIM step at any scale of the fresh noise, and the DDPM step, by each of the five predictions."""
    d.assume(sigma_t**2 <= 1 - abar_s, "the root is real")
    by_data, by_noise = d.use(ddim.mean), d.use(ddim.step_mean)
    d.equal(by_noise.xreplace({eps: d.use(forward.eps_from_x0)}), by_data, "the noise, by the data")
    for known, data, noise in (
        ("the velocity", forward.x0_from_v, forward.eps_from_v),
        ("the score", score.tweedie_mean, predictions.eps_from_score),
        ("the flow velocity", predictions.x0_from_u, predictions.eps_from_u),
    ):
        put = by_noise.xreplace({eps: d.use(noise)})
        d.equal(by_data.xreplace({x_0: d.use(data)}), put, f"by {known}: over the data or over the noise")
    learnt = d.use(ddpm.posterior_mean).xreplace({x_0: d.use(forward.x0_from_v)})
    d.misprint(
        by_noise.xreplace({eps: x_0}), "the data, taken for the noise that was never computed from them: huggingface/diffusers"
        "#1486, #1788, #2094", by_data,
    )  # fmt: skip
    d.misprint(
        by_noise.xreplace({eps: v}), "the velocity taken for the noise: Stability-AI/stablediffusion#45",
        by_noise.xreplace({eps: d.use(forward.eps_from_v)}),
    )  # fmt: skip
    d.equal(d.use(ddpm.mean_from_eps).xreplace({eps: d.use(forward.eps_from_v)}), learnt, "and so for the mean of the DDPM step")
    d.equal(by_data.xreplace({x_0: d.use(forward.x0_from_eps)}), by_noise, "the data, by the noise")


@derivation(predictions.step_by_v)
def step_by_v(d):
    """Put the data and the noise that the velocity implies into the deterministic step; cosines and sines of sums appear."""
    step = d.use(ddim.mean, at=NO_NOISE)
    d.equal(C_T**2 + S_T**2, 1, "sqrt(abar) and sqrt(1 - abar) are cosine and sine of one angle")
    turned = step.xreplace({x_0: d.use(forward.x0_from_v)})
    d.conclude(turned, "x_s = cos(phi_s - phi_t) x_t + sin(phi_s - phi_t) v, by the addition theorems")
    noise = d.use(forward.eps_from_v)
    d.misprint(
        step.xreplace({x_0: (x_t - S_T * v) / C_T}),
        "the data recovered from v as if it were the noise: Stability-AI/stablediffusion#45",
    )
    d.misprint(C_S * (C_T * x_t + S_T * v) + S_S * noise, "x_0 = alpha x + sigma v: huggingface/diffusers#1421")


@derivation(id="predictions.rotation", title="without fresh noise the pair (x, v) is rotated", source="Salimans & Ho 2022, app. D")
def rotation(d):
    """For held data and noise the step takes (x_t, v_t) to (x_s, v_s) by a rotation: it keeps x^2 + v^2."""
    cosine = d.given(r"\cos\delta", C_S * C_T + S_S * S_T, "the angle between the levels")
    sine = d.given(r"\sin\delta", C_S * S_T - S_S * C_T, "which the step turns back")
    d.equal(cosine**2 + sine**2, 1, "they are cosine and sine of one angle")
    d.less(0, sine, "the angle lies above 0, since abar_t < abar_s")
    d.less(0, cosine, "and below a quarter turn")
    data, noise = d.use(forward.x0_from_v), d.use(forward.eps_from_v)
    d.equal(d.use(predictions.step_by_v), cosine * x_t - sine * v, "the step")
    d.equal(C_S * data + S_S * noise, cosine * x_t - sine * v, "it keeps data and noise")
    after = C_S * noise - S_S * data
    d.equal(after, sine * x_t + cosine * v, "the velocity at s, of the same data and noise")
    d.equal(d.use(predictions.step_by_v) ** 2 + after**2, x_t**2 + v**2, "so x^2 + v^2 is kept: it is x_0^2 + eps^2")


@derivation(predictions.step_by_score)
def step_by_score(d):
    """Put the noise that the score implies into the deterministic step."""
    step = d.use(ddim.step_mean, at=NO_NOISE)
    d.conclude(step.xreplace({eps: d.use(predictions.eps_from_score)}))
    d.misprint(step.xreplace({eps: -score_t}), "the score taken for minus the noise, without its scale")


@derivation(predictions.step_by_u)
def step_by_u(d):
    """Put the data and the noise that the flow velocity implies into the deterministic step."""
    step = d.use(ddim.mean, at=NO_NOISE)
    d.equal(step, C_S * x_0 + S_S * d.use(forward.eps_from_x0), "the step keeps data and noise")
    d.conclude(C_S * d.use(predictions.x0_from_u) + S_S * d.use(predictions.eps_from_u))
    d.misprint(x_t + (abar_s - abar_t) * u, "the flow's own Euler step, taken on the other scale of x and of time")
