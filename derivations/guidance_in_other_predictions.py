r"""Guidance of the data, of the velocity, of a whole step: all one.

What a network may predict are affine functions of one another, at a held :math:`x_t`. An affine function of a combination
whose weights sum to one is the same combination of its values, so that it does not matter what is guided. Where a function
is not affine, clipping for instance, it does.
"""

from sympy import Integer, Max, Min, sqrt

from verifydiff.forms import ddim, ddpm, forward, guidance
from verifydiff.forms.guidance import eps_c, eps_u, scale, v_c, v_u, x0_c, x0_u
from verifydiff.forms.quantities import abar_s, abar_t, eps, sigma_t, v, w, x_0, x_t
from verifydiff.proof import derivation, letter

offset, slope = letter("offset", "a"), letter("slope", "b")


@derivation(id="guidance.affine", title="guidance commutes with what is affine", source="Ho & Salimans 2022, eq. 6")
def affine(d):
    """The weights 1 + w and -w sum to one, so the offset of an affine map is counted once."""

    def mapped(prediction):
        return offset + slope * prediction

    guided = d.use(guidance.eps_guided)
    d.equal((1 + w) + (-w), 1, "the weights sum to one")
    d.equal(mapped(guided), (1 + w) * mapped(eps_c) - w * mapped(eps_u), "guide, then map; or map, then guide")
    d.misprint(
        mapped(scale * eps_c - w * eps_u), "weights that do not sum to one: the offset is counted s - w times",
        right=scale * mapped(eps_c) - w * mapped(eps_u),
    )  # fmt: skip


@derivation(guidance.x0_guided)
def x0_guided(d):
    """Two predictions of the data imply two of the noise; guide these; read the data off."""
    implied = d.use(forward.eps_from_x0)
    guided = d.use(guidance.eps_guided).xreplace({eps_c: implied.xreplace({x_0: x0_c}), eps_u: implied.xreplace({x_0: x0_u})})
    d.conclude(d.use(forward.x0_from_eps).xreplace({eps: guided}), "the state drops out: its weights sum to one")
    d.misprint(
        (1 + w) * x0_u - w * x0_c,
        "the difference turned round, as between noise and score: data and noise are guided with the same weights",
    )


@derivation(guidance.v_guided)
def v_guided(d):
    """The same for the velocity."""
    implied = d.use(forward.eps_from_v)
    guided = d.use(guidance.eps_guided).xreplace({eps_c: implied.xreplace({v: v_c}), eps_u: implied.xreplace({v: v_u})})
    data = d.use(forward.x0_from_eps).xreplace({eps: guided})
    d.conclude(sqrt(abar_t) * guided - sqrt(1 - abar_t) * data, "the velocity of the guided noise and the guided data")


@derivation(
    id="guidance.of_steps", title="guiding a step of the sampler is guiding the prediction", source="Ho & Salimans 2022, alg. 2"
)
def of_steps(d):
    """The means of DDPM and of all DDIM steps are affine in the prediction of the noise, at a held state."""
    d.assume(sigma_t**2 <= 1 - abar_s, "no more fresh noise than the marginal at s has noise at all")
    guided = d.use(guidance.eps_guided)
    for form, name in ((ddpm.mean_from_eps, "DDPM"), (ddim.step_mean, "DDIM, for every scale of fresh noise")):
        step = d.use(form)
        apart = (1 + w) * step.xreplace({eps: eps_c}) - w * step.xreplace({eps: eps_u})
        d.equal(step.xreplace({eps: guided}), apart, f"{name}: one step of the guided noise, or two steps combined")


@derivation(
    id="guidance.clipping", title="guidance does not commute with clipping",
    source="Saharia et al. 2022 (Imagen), sec. 2.3",
)  # fmt: skip
def clipping(d):
    """Guided predictions leave the range of the data; clipping each of the two first leaves them outside, and clips elsewhere."""

    def clipped(prediction):
        return Max(-1, Min(1, prediction))

    guided = d.use(guidance.x0_guided)
    inside = {x0_c: Integer(1), x0_u: Integer(0)}
    d.equal(guided.xreplace(inside), 1 + w, "predictions of 1 and 0, both in the range, are guided to 1 + w: outside of it")
    d.at_most(1, guided.xreplace(inside), "so what comes last has to be the clipping")
    d.misprint((1 + w) * clipped(x0_c) - w * clipped(x0_u), "the two predictions clipped, then guided", right=clipped(guided))
    d.equal(
        d.use(forward.eps_from_x0).xreplace({x_0: Integer(1)}), (x_t - sqrt(abar_t)) / sqrt(1 - abar_t),
        "after clipping, here to 1, the noise has to be read off anew (lucidrains/denoising-diffusion-pytorch#84)",
    )  # fmt: skip
