r"""Rescaled guidance: the deviation of the conditional prediction, given back.

Guidance makes predictions larger. Lin et al. multiply the guided one by the quotient of two deviations, each over the
coordinates of one sample, and mix with what it was:

.. math:: x_{\text{rescaled}} = x_{\text{cfg}}\, \frac{\sigma_{\text{pos}}}{\sigma_{\text{cfg}}}, \qquad
    x_{\text{final}} = \phi\, x_{\text{rescaled}} + (1 - \phi)\, x_{\text{cfg}} .
"""

from sympy import Integer, sqrt

from verifydiff.forms import forward, guidance
from verifydiff.forms.guidance import phi, std_c, std_g, x0_c
from verifydiff.forms.quantities import POSITIVE, abar_t, eps, x_0, x_t
from verifydiff.proof import derivation, letter

LIN = "Lin et al. 2024, sec. 3.4"
MIXED = "lucidrains/classifier-free-guidance-pytorch#2"
guided = letter("guided", r"x_{\text{cfg}}")
positive = letter("positive", r"x_{\text{pos}}")
factor = letter("factor", "k", domain=POSITIVE)


def mix(d):
    """The final prediction, as the two lines of the paper have it."""
    rescaled = d.given(r"x_{\text{rescaled}}", guided * std_c / std_g, "the deviation of the conditional prediction")
    return d.given(r"x_{\text{final}}", phi * rescaled + (1 - phi) * guided, "mixed with the guided prediction as it was")


@derivation(guidance.rescale_factor)
def rescale_factor(d):
    """Both parts of the mix are multiples of the guided prediction, so the mix is one, too."""
    final = mix(d)
    found = phi * std_c / std_g + (1 - phi)
    d.equal(final, found * guided, "one factor for all coordinates of a sample")
    d.derivative(final, guided, found, "its slope along the guided prediction")
    d.less(0, found, "positive: no prediction is turned round")
    d.conclude(found)
    d.misprint(phi * std_g / std_c + (1 - phi), "the quotient stands on its head")
    d.misprint((1 - phi) * std_c / std_g + phi, "phi and 1 - phi exchanged")
    d.misprint(
        phi * guided * std_c / std_g + (1 - phi) * positive,
        f"mixed with the conditional prediction: at phi = 0 no guidance is left at all ({MIXED})",
        right=final,
    )


@derivation(guidance.rescaled_deviation)
def rescaled_deviation(d):
    """A deviation is homogeneous: with mean m and mean square q over the coordinates, it is sqrt(q - m^2)."""
    mean, extra = letter("mean", "m"), letter("extra", r"q - m^2", domain=POSITIVE)
    times = d.use(guidance.rescale_factor)
    square = mean**2 + extra
    d.equal(sqrt(square - mean**2), sqrt(extra), "the deviation over the coordinates")
    d.equal(
        sqrt(factor**2 * square - (factor * mean) ** 2), factor * sqrt(extra), "all coordinates times k > 0: the deviation times k"
    )
    d.conclude(times * std_g, "so the deviation of the mix is the mix of the deviations")
    d.equal(times.xreplace({phi: Integer(1)}) * std_g, std_c, "phi = 1: that of the conditional prediction")
    d.equal(times.xreplace({phi: Integer(0)}) * std_g, std_g, "phi = 0: nothing is done")
    d.misprint(times.xreplace({phi: Integer(1)}) * mean, "that the mean is kept: it is scaled along", right=mean)


@derivation(id="guidance.rescale_what", title="which prediction is rescaled makes a difference", source=LIN)
def rescale_what(d):
    """Guidance does not care what the network predicts; rescaling does: a factor is no combination whose weights sum to one."""
    implied = d.use(forward.x0_from_eps)
    d.equal(
        implied.xreplace({eps: factor * eps}) - factor * implied, (1 - factor) * x_t / sqrt(abar_t),
        "the noise times k implies other data than the data times k: they differ by a multiple of the state",
    )  # fmt: skip
    d.equal(
        d.use(forward.eps_from_x0).xreplace({x_0: factor * x0_c}) - factor * d.use(forward.eps_from_x0).xreplace({x_0: x0_c}),
        (1 - factor) * x_t / sqrt(1 - abar_t),
        "and so the other way round; only k = 1 is free of it",
    )
    d.misprint(
        implied.xreplace({eps: factor * eps}), "one factor taken for the noise and for the data alike", right=factor * implied
    )
