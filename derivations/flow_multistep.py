r"""Adams and Bashforth's methods along the velocity of a flow: the polynomial through the last velocities, integrated over time.

The state moves with its velocity, :math:`x_s = x_t + \int_t^s u\, dt`, and nothing is to be undone before. Times need not be even.
"""

from sympy import Integer

from verifydiff.forms import flow
from verifydiff.forms.flow import s, t, u_before, u_bend, u_earlier, u_earliest, u_slope, u_twist, x
from verifydiff.forms.predictions import u
from verifydiff.proof import derivation, letter

tau, along = letter("tau", "t"), letter("along", "v")
moving, velocity = letter("moving", "x"), letter("velocity", "u")
gained = letter("gained", r"\textstyle\int_t^s u\, dt")
reached = letter("reached", "x_s")


def followed(d, order):
    """The polynomial through the last velocities, checked at each of them; its integral in the exact solution."""
    d.depends(tau, {moving: velocity}, "the state moves with its velocity")
    moved = d.travel(moving, tau, velocity, {tau: t, moving: x}, {tau: s, moving: reached}, gained, "from t to s")
    d.solve([moved], {reached: x + gained}, "the exact solution")
    gaps, node = flow.GAPS, Integer(0)
    path, product, inner = u, along, u * along
    nodes = [node]
    for difference, gap in zip((u_slope, u_bend, u_twist)[: order - 1], gaps, strict=False):
        path, node = path + difference * product, node + gap
        inner += difference * product.expand().integrate(along)
        product *= along - node
        nodes.append(node)
    for place, prediction in zip(nodes, (u, u_before, u_earlier, u_earliest), strict=False):
        d.equal(path.xreplace({along: place}), prediction, "it goes through the velocity that was predicted there")
    value = d.integral(path, along, 0, s - t, inner, "the polynomial, integrated")
    return (x + gained).xreplace({gained: value})


@derivation(flow.ab_2)
def ab_2(d):
    """The line through two velocities."""
    d.misprint(x + (s - t) * (3 * u - u_before) / 2, "3/2 and -1/2, the weights of equal steps, where the steps are not equal")
    d.conclude(followed(d, 2), "along the line")


@derivation(flow.ab_3)
def ab_3(d):
    """The parabola through three."""
    d.conclude(followed(d, 3), "along the parabola")


@derivation(flow.ab_4)
def ab_4(d):
    """The cubic through four."""
    d.conclude(followed(d, 4), "along the cubic")
