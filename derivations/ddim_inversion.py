r"""DDIM inversion: the deterministic step read upwards.

For held noise the step from t to s is an affine map of :math:`x_t` with an inverse: the same formula, with the two levels in
each other's place. A sampler has no held noise. Going down it asks the network at :math:`(x_t, t)`, going up at
:math:`(x_s, s)`, and what a round trip is off by is the difference of the two answers times the length of the step.
"""

from sympy import Eq, Integer, sqrt

from verifydiff.forms import ddim, forward, inversion
from verifydiff.forms.inversion import eps_s, eps_t
from verifydiff.forms.quantities import LEVEL, POSITIVE, abar_s, abar_t, eps, sigma_t, ve_s, ve_t, x_0, x_s, x_t
from verifydiff.proof import claim, derivation, letter

NO_NOISE = {sigma_t: Integer(0)}
SWAPPED = {abar_s: abar_t, abar_t: abar_s}
SONG = "Song et al. 2021 (DDIM), sec. 4.3"
abar_r = letter("abar_r", r"\bar\alpha_r", domain=LEVEL)
h = letter("h", "h", domain=POSITIVE)


@derivation(inversion.step)
def step(d):
    """Solve the deterministic step for the state that it came from, with the noise held."""
    down = d.use(ddim.step_mean, at=NO_NOISE)
    up = sqrt(abar_t) * (x_s - sqrt(1 - abar_s) * eps) / sqrt(abar_s) + sqrt(1 - abar_t) * eps
    d.solve([claim(Eq(x_s, down))], {x_t: up}, "affine in x_t with a slope that is not zero")
    d.conclude(up)
    d.misprint(down.xreplace({x_t: x_s}), "previous and next swapped: the step goes down again")
    d.misprint(
        sqrt(abar_s / abar_r) * (x_s - sqrt(1 - abar_r) * eps) + sqrt(1 - abar_s) * eps,
        "both levels one time too clean for the state and its noise: huggingface/diffusers#5832 (#5145 is the noise, asked for "
        "at another time than the state's)",
    )  # fmt: skip
    d.misprint(sqrt(abar_t / abar_s) * x_s + (sqrt(1 - abar_t) - sqrt(1 - abar_s)) * eps, "the old noise not scaled with the state")


@derivation(inversion.noise_weight)
def noise_weight(d):
    """The noise that x_t has, less what the scaled x_s brings along."""
    up = d.use(inversion.step)
    weight = up.xreplace({eps: Integer(1), x_s: Integer(0)})
    d.less(0, weight, "going up, noise is added")
    d.equal(weight / sqrt(abar_t), ve_t - ve_s, "in sigma space it is the length of the step")
    d.conclude(weight)


@derivation(id="inversion.same_formula", title="inversion is the same formula with the levels in each other's place", source=SONG)
def same_formula(d):
    """The step to a level only asks where it comes from and where it goes to, whichever is the noisier."""
    down, up = d.use(ddim.step_mean, at=NO_NOISE), d.use(inversion.step)
    d.misprint(down.xreplace({x_t: x_s}), "the states in each other's place, but not the levels", up)
    d.equal(down.xreplace({**SWAPPED, x_t: x_s}), up, "levels and states in each other's place")


@derivation(id="inversion.held_noise", title="for held noise the round trip is exact", source=SONG)
def held_noise(d):
    """Down and up, and up and down, is the identity; data and noise are kept all the while."""
    down, up = d.use(ddim.step_mean, at=NO_NOISE), d.use(inversion.step)
    noised = d.use(forward.noised)
    d.equal(up.xreplace({x_s: noised.xreplace({abar_t: abar_s})}), noised, "the state at s goes to the state at t, of one draw")
    d.equal(down.xreplace({x_t: up}), x_s, "up and down")
    d.equal(up.xreplace({x_s: down}), x_t, "down and up")


@derivation(inversion.round_trip)
def round_trip(d):
    """Down with the noise that is predicted at t, up with that which is predicted at s, one step each."""
    down, up = d.use(ddim.step_mean, at=NO_NOISE), d.use(inversion.step)
    there = down.xreplace({eps: eps_t})
    back = up.xreplace({eps: eps_s, x_s: there})
    off = d.equal(back - x_t, d.use(inversion.noise_weight) * (eps_s - eps_t), "all else cancels")
    d.equal(d.use(inversion.noise_weight) / sqrt(abar_t), ve_t - ve_s, "the weight in sigma space is the length of the step")
    d.conclude(off / sqrt(abar_t))
    d.misprint(Integer(0), "inversion taken for exact, though the network is asked at another point")


@derivation(id="inversion.second_order", title="a round trip is off by the square of the step", source=SONG)
def second_order(d):
    """Along a smooth path the two predictions differ by a multiple of the step's length: the round trip is off by its square.

    Over a whole trajectory, where the network is Lipschitz, that adds up to first order, as for Euler's method.
    """
    size = ve_t - h
    value, slope = letter("e", r"\hat\epsilon"), letter("e_rate", r"\frac{d\hat\epsilon}{d\sigma}")
    at_s = d.taylor(r"\hat\epsilon(\sigma(t) - h)", [value, slope], -h, "the prediction is smooth along the path")
    off = (ve_t - size) * (at_s - value)
    d.equal(d.use(inversion.round_trip).xreplace({ve_s: size, eps_s: at_s, eps_t: value}), off, "one step of length h in sigma")
    d.misprint(off, "taken to be of first order: off by the difference of the predictions itself", -h * slope)
    d.equal(off, -(h**2) * slope, "up to O(h^3), for what is left out of the prediction, times h")


@derivation(id="inversion.from_the_data", title="the first step up from the data is noising with a prediction", source=SONG)
def from_the_data(d):
    """At abar_s = 1 there is no noise to recognise: whatever the network says is put in, as if it had been drawn."""
    up = d.use(inversion.step, at={abar_s: 1})
    d.equal(sqrt(1 - abar_s).xreplace({abar_s: Integer(1)}) * eps, 0, "x_0 holds no noise that could be predicted from it")
    d.equal(up.xreplace({x_s: x_0}), d.use(forward.noised), "the forward marginal, with the prediction for the noise")
