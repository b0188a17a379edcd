r"""Three predictions of one thing: the data, the noise, the velocity.

Given :math:`x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon`, each determines the others:
:math:`(x_t, v)` is :math:`(x_0, \epsilon)` turned by an angle, :math:`\cos\phi = \sqrt{\bar\alpha_t}`.
"""

from sympy import Symbol, diff, sqrt

from verifydiff.forms import forward
from verifydiff.forms.quantities import abar_t, eps, v, x_0, x_t
from verifydiff.proof import derivation

NOISED = {x_t: forward.noised.expression}
TURNED = {x_t: forward.noised.expression, v: forward.velocity.expression}


def solves(d, form, wanted, given):
    """The form recovers what is wanted from x_t and what is given, and nothing else does."""
    d.equal(form.expression.xreplace(given), wanted, "put x_t in: what is wanted comes back, for all data and noise")


@derivation(forward.x0_from_eps)
def x0_from_eps(d):
    """Solve the forward map for the data."""
    solves(d, forward.x0_from_eps, x_0, NOISED)
    solution = (x_t - forward.noised.expression.coeff(eps) * eps) / forward.noised.expression.coeff(x_0)
    d.conclude(solution, "the forward map is linear in x_0 with a factor that is not zero")


@derivation(forward.eps_from_x0)
def eps_from_x0(d):
    """Solve the forward map for the noise."""
    solves(d, forward.eps_from_x0, eps, NOISED)
    solution = (x_t - forward.noised.expression.coeff(x_0) * x_0) / forward.noised.expression.coeff(eps)
    d.conclude(solution, "the forward map is linear in the noise with a factor that is not zero")


@derivation(forward.velocity)
def velocity(d):
    """The velocity is the derivative of x_t = cos(phi) x_0 + sin(phi) eps along the angle phi.

    On the unit circle the derivative of (c, s) along the angle is (-s, c).
    """
    c, s = Symbol("c", positive=True), Symbol("s", positive=True)
    x = c * x_0 + s * eps
    turned = d.given("v", -s * diff(x, c) + c * diff(x, s), "dc/dphi = -s and ds/dphi = c")
    d.equal(sqrt(abar_t) ** 2 + sqrt(1 - abar_t) ** 2, 1, "sqrt(abar_t) and sqrt(1 - abar_t) are cosine and sine of one angle")
    d.conclude(turned.subs({c: sqrt(abar_t), s: sqrt(1 - abar_t)}))
    d.misprint(sqrt(1 - abar_t) * x_0 - sqrt(abar_t) * eps, "the path gone through backwards: data and noise change signs")


@derivation(forward.x0_from_v)
def x0_from_v(d):
    """Turn back: the inverse of a rotation is its transpose."""
    solves(d, forward.x0_from_v, x_0, TURNED)
    d.conclude(sqrt(abar_t) * x_t - sqrt(1 - abar_t) * v, "the first row of the transpose")
    d.misprint(sqrt(abar_t) * x_t + sqrt(1 - abar_t) * v, "x_0 = alpha x + sigma v: huggingface/diffusers#1421")
    d.misprint((x_t - sqrt(1 - abar_t) * v) / sqrt(abar_t), "v read as if it were the noise: Stability-AI/stablediffusion#45")


@derivation(forward.eps_from_v)
def eps_from_v(d):
    """Turn back: the inverse of a rotation is its transpose."""
    solves(d, forward.eps_from_v, eps, TURNED)
    d.conclude(sqrt(1 - abar_t) * x_t + sqrt(abar_t) * v, "the second row of the transpose")
