r"""The boundary condition of consistency models: at the cleanest level the model is the identity.

.. math:: f(x, \sigma) = c_{\mathrm{skip}}(\sigma)\,x + c_{\mathrm{out}}(\sigma)\,F(x, \sigma),
    \qquad f(x, \sigma_{\min}) = x \text{ for every } F

This fixes two values, :math:`c_{\mathrm{skip}}(\sigma_{\min}) = 1` and :math:`c_{\mathrm{out}}(\sigma_{\min}) = 0`, and
nothing else. The functions in use are those of Karras et al. 2022, moved so that they have these values.
"""

from sympy import Integer, sqrt

from verifydiff.forms import edm
from verifydiff.forms.edm import sigma, sigma_data, sigma_min
from verifydiff.proof import derivation, letter

x, F = letter("x", "x"), letter("F", "F")
skip, out = letter("skip", r"c_{\mathrm{skip}}"), letter("out", r"c_{\mathrm{out}}")
AT_MIN = {sigma: sigma_min}
SONG = "Song et al. 2023 (consistency models)"


@derivation(id="consistency.condition", title="what the boundary condition asks of c_skip and c_out", source=f"{SONG}, eq. 5")
def condition(d):
    """f = x whatever x and F are: compare coefficients."""
    values = d.match(skip * x + out * F, x, [x, F], "for every state and every network")
    d.solve(values, {skip: Integer(1), out: Integer(0)}, "c_skip = 1 and c_out = 0 at sigma_min, and no other values")


@derivation(edm.consistency_c_skip)
def c_skip(d):
    """The weight of Karras et al., of the distance to sigma_min in place of sigma."""
    moved = d.use(edm.c_skip).xreplace({sigma: sigma - sigma_min})
    d.equal(moved.xreplace(AT_MIN), 1, "1 at the cleanest level")
    d.conclude(moved)
    d.misprint(d.use(edm.c_skip), "sigma_min not taken off: huggingface/diffusers#6833")


@derivation(edm.consistency_c_out)
def c_out(d):
    """The scale of Karras et al., of which only the factor in front is moved, and not the root below it."""
    karras = d.use(edm.c_out)
    moved = d.given(r"c_{\mathrm{out}}", karras / sigma * (sigma - sigma_min), "sigma in front goes over to sigma - sigma_min")
    d.equal(moved.xreplace(AT_MIN), 0, "0 at the cleanest level")
    d.conclude(moved)
    d.misprint(karras, "sigma_min not taken off: huggingface/diffusers#6833")
    d.misprint((sigma - sigma_min) / sqrt(sigma**2 + sigma_data**2), "sigma_data lost: huggingface/diffusers#8547")


@derivation(id="consistency.boundary", title="the boundary condition holds for every network", source=f"{SONG}, eq. 5 and app. C")
def boundary(d):
    """At sigma_min the skip connection is all there is. The weights of Karras et al. themselves have this at sigma = 0 only."""
    f = d.use(edm.consistency_c_skip) * x + d.use(edm.consistency_c_out) * F
    karras = d.use(edm.c_skip) * x + d.use(edm.c_out) * F
    d.misprint(karras.xreplace(AT_MIN), "at sigma_min the weights of Karras et al. are not yet 1 and 0", x)
    d.equal(f.xreplace(AT_MIN), x, "f(x, sigma_min) = x")


@derivation(
    id="consistency.without_sigma_data",
    title="without sigma_data in c_out the boundary holds, but F has another meaning",
    source="Luo et al. 2023 (LCM), eq. 9 and their code",
)
def without_sigma_data(d):
    """The code of latent consistency models leaves sigma_data out of c_out, which huggingface/diffusers#8547 asks about.

    0 stays 0, so the boundary is not at stake. What changes is the scale of the network: F is on the scale of the data, where
    that of Karras et al. has unit variance.
    """
    bare = (sigma - sigma_min) / sqrt(sigma**2 + sigma_data**2)
    d.equal(bare.xreplace(AT_MIN), 0, "the boundary condition still holds")
    d.misprint(bare, "the two are not the same", d.use(edm.consistency_c_out))
    d.equal(bare * (sigma_data * F), d.use(edm.consistency_c_out) * F, "the same model, with sigma_data F in place of F")
