r"""The twenty maps between five predictions agree with each other, and with what is best to predict.

There and back is the identity, a detour makes no difference, and each map recovers what is wanted from every draw of data
and noise. For the best predictions, which are conditional expectations, nothing changes: an affine map goes through an
expectation.
"""

from sympy import Integer, sqrt

from verifydiff.forms import forward, predictions, score
from verifydiff.forms.predictions import u
from verifydiff.forms.quantities import abar_t, eps, v, x_0, x_t
from verifydiff.forms.score import score_t
from verifydiff.proof import derivation, letter

EACH = {x_0: "the data", eps: "the noise", v: "the velocity", score_t: "the score", u: "the flow velocity"}
MAPS = {
    (x_0, eps): forward.x0_from_eps, (x_0, v): forward.x0_from_v, (eps, x_0): forward.eps_from_x0, (eps, v): forward.eps_from_v,
    (x_0, score_t): score.tweedie_mean, (x_0, u): predictions.x0_from_u,
    (eps, score_t): predictions.eps_from_score, (eps, u): predictions.eps_from_u,
    (v, eps): predictions.v_from_eps, (v, x_0): predictions.v_from_x0,
    (v, score_t): predictions.v_from_score, (v, u): predictions.v_from_u,
    (score_t, eps): score.kernel_score, (score_t, x_0): predictions.score_from_x0,
    (score_t, v): predictions.score_from_v, (score_t, u): predictions.score_from_u,
    (u, eps): predictions.u_from_eps, (u, x_0): predictions.u_from_x0,
    (u, v): predictions.u_from_v, (u, score_t): predictions.u_from_score,
}  # fmt: skip
SOURCE = "Salimans & Ho 2022, sec. 4 and app. D"


def taken(d):
    """The maps as their pages prove them."""
    return {pair: d.use(form) for pair, form in MAPS.items()}


@derivation(id="predictions.recover", title="each map recovers what is wanted from every draw", source=SOURCE)
def recover(d):
    """Put a draw of data and noise in: every map gives what it is to give, whatever the data and the noise are."""
    maps = taken(d)
    drawn = {x_0: x_0, eps: eps, v: d.use(forward.velocity), u: d.use(predictions.flow_velocity), score_t: maps[score_t, eps]}
    noised = d.use(forward.noised)
    flat = {eps: sqrt(1 - abar_t) * eps}  # (1 - abar_t) eps for sqrt(1 - abar_t) eps
    d.misprint(
        maps[x_0, eps].xreplace({x_t: noised.xreplace(flat)}), "noised with the variance for the standard deviation: "
        "labmlai/annotated_deep_learning_paper_implementations#152, Ryota-Kawamura/How-Diffusion-Models-Work#1", x_0,
    )  # fmt: skip
    for (wanted, given), value in maps.items():
        put = value.xreplace({x_t: noised, given: drawn[given]})
        d.equal(put, drawn[wanted], f"{EACH[wanted]}, by {EACH[given]}, of a draw")


@derivation(id="predictions.there_and_back", title="there and back is the identity, for any two predictions", source=SOURCE)
def there_and_back(d):
    """The two maps between any two predictions undo each other, for every value of what is predicted and of x_t."""
    maps = taken(d)
    wrong = sqrt(abar_t) * x_t + sqrt(1 - abar_t) * v
    d.misprint(wrong, "the data as alpha x + sigma v: huggingface/diffusers#1421", maps[x_0, v])
    d.misprint(maps[v, eps].xreplace({eps: wrong}), "and with it nothing comes back", v)
    for wanted, given in MAPS:
        d.equal(maps[wanted, given].xreplace({given: maps[given, wanted]}), wanted, f"{EACH[wanted]}, by {EACH[given]} and back")


@derivation(id="predictions.detours", title="a detour over a third prediction makes no difference", source=SOURCE)
def detours(d):
    """Over any third prediction the map is the same: the maps are one change of variables, not twenty conventions."""
    maps = taken(d)
    for wanted, given in MAPS:
        for over in EACH:
            if over not in (wanted, given):
                detour = maps[wanted, over].xreplace({over: maps[over, given]})
                d.equal(detour, maps[wanted, given], f"{EACH[wanted]}, by {EACH[given]} over {EACH[over]}")


@derivation(
    id="predictions.best_ones_agree",
    title="the best predictions obey the maps too",
    source="Efron 2011, eq. 1.4, for the score; by linearity for the rest",
)
def best_ones_agree(d):
    """The best prediction of Y given x_t is E[Y | x_t]; if X = m Y + k, with m and k known from x_t, so are the best ones.

    Every map has this shape, so that whoever trains a network on one of the five has the best prediction of each.
    """
    y = letter("y")
    q = d.law("q")
    m, k = d.function("m", of=(x_t,)), d.function("k", of=(x_t,))
    best_y, best_x = letter("best_y", r"\mathbb{E}[Y; x_t]"), letter("best_x", r"\mathbb{E}[mY + k; x_t]")
    identity = d.integrate(
        [(1, (m * y + k) * q(y, x_t))], [(m, y * q(y, x_t)), (k, q(y, x_t))], (y,),
        {(m * y + k) * q(y, x_t): best_x, y * q(y, x_t): best_y}, "m and k are known from x_t and leave the integral over y",
    )  # fmt: skip
    d.solve([identity], {best_x: m * best_y + k * q(x_t)}, "the joint density integrates to the marginal one")
    for (wanted, given), value in taken(d).items():
        slope = value.xreplace({given: Integer(1)}) - value.xreplace({given: Integer(0)})
        rest = value.xreplace({given: Integer(0)})
        d.equal(value, slope * given + rest, f"{EACH[wanted]}, by {EACH[given]}, is affine in it")
    d.equal((m * best_y + k * q(x_t)) / q(x_t), m * (best_y / q(x_t)) + k, "divide by q(x_t): E[m Y + k | x_t] = m E[Y | x_t] + k")
