r"""Time reversed: the reverse SDE, the probability flow, and all that lies between, for an arbitrary density.

.. math:: dx_i = \left(f_i - \tfrac{1 + \lambda^2}{2}\, g^2\, \partial_i \log p\right) dt + \lambda g\,d\bar W_i, \qquad dt < 0

Nothing is known of the drift f and of the density p but that p is that of the forward process. The noise has the one strength
g(t) in every coordinate (if it depended on x, its divergence would appear as well). Two generic coordinates i, j stand for
all. A process has the density p at all times if p satisfies its Fokker-Planck equation and it starts from p.
"""

from sympy import Integer, Rational

from verifydiff.forms import sde
from verifydiff.forms.quantities import POSITIVE
from verifydiff.forms.score import score_t
from verifydiff.forms.sde import f, g, lam, t
from verifydiff.proof import derivation, letter

x_i, x_j = letter("x_i"), letter("x_j")
p = letter("p", domain=POSITIVE)
p_i, p_j, p_ii, p_jj = (letter(f"p_{k}", rf"\partial_{{{k}}} p") for k in ("i", "j", "ii", "jj"))
f_i, f_j = letter("f_i"), letter("f_j")
f_ii, f_jj = letter("f_ii", r"\partial_i f_i"), letter("f_jj", r"\partial_j f_j")
f_ij, f_ji = letter("f_ij", r"\partial_j f_i"), letter("f_ji", r"\partial_i f_j")
p_ij = letter("p_ij", r"\partial_i \partial_j p")
scores = {x_i: p_i / p, x_j: p_j / p}
ADDED = g**2 / 2 * (p_ii + p_jj)


def forward(d):
    """The forward process and its density: the Fokker-Planck equation is how p changes in time."""
    d.depends(x_i, {p: p_i, p_i: p_ii, p_j: p_ij, f_i: f_ii, f_j: f_ji, g: 0, x_j: 0, t: 0}, "along the coordinate i")
    d.depends(x_j, {p: p_j, p_j: p_jj, p_i: p_ij, f_j: f_jj, f_i: f_ij, g: 0, x_i: 0, t: 0}, "along the coordinate j")
    flux = f_i * p_i + f_ii * p + f_j * p_j + f_jj * p
    d.depends(t, {p: ADDED - flux, x_i: 0, x_j: 0}, "p is the density of the forward process: its Fokker-Planck equation")
    d.evolves(p, t, {x_i: f_i, x_j: f_j}, g, "which is what this says of dx = f dt + g dW")


def drifts(expression):
    """A drift in both coordinates, from its form in one."""
    return {x_i: expression.xreplace({f: f_i, score_t: scores[x_i]}), x_j: expression.xreplace({f: f_j, score_t: scores[x_j]})}


@derivation(sde.reverse_drift)
def reverse_drift(d):
    """Backwards in time, noise spreads p again; a drift along g^2 times the score takes it together twice as fast."""
    forward(d)
    d.derivative(p * scores[x_i], x_i, p_ii, "p times its score is the slope of p: the score's drift undoes what noise spreads")
    right = f - g**2 * score_t
    d.evolves(p, t, drifts(right), g, "run backwards with the same noise, it has the same density at every time", backwards=True)
    d.misprint(f + g**2 * score_t, "the score with the other sign: away from the data")
    d.misprint(-f + g**2 * score_t, "the drift in the reversed time T - t, where steps are positive, used with dt < 0", right=right)
    d.misprint(f - g * score_t, "g for g^2")
    d.misprint(f - g**2 * score_t / 2, "the drift of the probability flow, with the noise left on")
    d.conclude(right)


@derivation(sde.flow_drift)
def flow_drift(d):
    """Half of g^2 times the score moves mass just as the noise spreads it. Without noise, time may run either way."""
    forward(d)
    right = f - g**2 * score_t / 2
    d.evolves(p, t, drifts(right), 0, "the flow forwards")
    d.evolves(p, t, drifts(right), 0, "and the same flow backwards", backwards=True)
    d.misprint(f - g**2 * score_t, "the half lost: the drift of the reverse SDE without its noise")
    d.misprint(f + g**2 * score_t / 2, "the sign of the score")
    d.conclude(right)


@derivation(sde.family_drift)
def family_drift(d):
    """Noise of strength lambda g needs (1 + lambda^2) / 2 of the score. At 0 it is the flow, at 1 Anderson's reverse SDE."""
    forward(d)
    right = f - (1 + lam**2) / 2 * g**2 * score_t
    d.depends(x_i, {lam: 0}, "lambda may change with time, not with x")
    d.depends(x_j, {lam: 0}, "lambda may change with time, not with x")
    d.evolves(p, t, drifts(right), lam * g, "backwards, with noise of strength lambda g", backwards=True)
    d.equal(right.xreplace({lam: Integer(0)}), d.use(sde.flow_drift), "without noise, the probability flow")
    d.equal(right.xreplace({lam: Integer(1)}), d.use(sde.reverse_drift), "with the noise of the forward process, the reverse SDE")
    d.misprint(f - (1 + lam) / 2 * g**2 * score_t, "lambda for its square: right at both ends, and nowhere between")
    d.conclude(right)


@derivation(id="sde.forward_and_reverse", title="forward and reverse drift differ by g^2 times the score", source="Anderson 1982")
def forward_and_reverse(d):
    """They enclose the probability flow: it is half way between the two."""
    reverse, flow = d.use(sde.reverse_drift), d.use(sde.flow_drift)
    d.equal(f - reverse, g**2 * score_t, "the difference")
    d.equal((f + reverse) / 2, flow, "half way lies the flow")
    d.misprint(f - reverse, "the two drifts taken for opposite: that is so where the flow stands still", right=2 * f)


@derivation(id="sde.forward_family", title="forwards too, noise may be traded for drift", source="Karras et al. 2022, eq. 6")
def forward_family(d):
    """Forwards with noise of strength lambda g the drift is f - (1 - lambda^2) / 2 g^2 score: lambda = 1 needs no score at all."""
    forward(d)
    d.depends(x_i, {lam: 0}, "lambda may change with time, not with x")
    d.depends(x_j, {lam: 0}, "lambda may change with time, not with x")
    right = f - (1 - lam**2) / 2 * g**2 * score_t
    d.evolves(p, t, drifts(right), lam * g, "forwards, with noise of strength lambda g")
    d.equal(right.xreplace({lam: Integer(1)}), f, "the forward SDE: the only one of them that can be run without knowing p")
    d.equal(
        right - d.use(sde.family_drift),
        lam**2 * g**2 * score_t,
        "forward and backward members with one noise differ by its square, times the score",
    )
    d.misprint(right, "the forward drift used backwards", right=d.use(sde.family_drift))


@derivation(id="sde.conditional", title="the reverse SDE given a condition", source="Song et al. 2021 (SDE), eq. 14")
def conditional(d):
    r"""The condition y is fixed while x moves, so p(x | y) is a density like any other; its score is that of x plus that
    of y given x. p(y | x) is an arbitrary positive function of x here.
    """
    q = d.law("p")
    y = letter("y")
    prior, joint = q(x_i), q(x_i, y)
    posterior, likelihood = q(x_i, given=y), q(y, given=x_i)
    d.equal(posterior, likelihood * prior / q(y), "Bayes")
    s, c = letter("s", r"\partial_i \log p(x)"), letter("c", r"\partial_i \log p(y \mid x)")
    d.depends(x_i, {prior: s * prior, joint: (s + c) * joint, s: letter("s_i"), c: letter("c_i")}, "the slopes of both logarithms")
    d.derivative(likelihood, x_i, c * likelihood, "c is the slope of log p(y | x)")
    slope = d.derivative(posterior, x_i, (s + c) * posterior, "the evidence does not depend on x")
    told = d.equal(slope / posterior, s + c, "the score of the posterior is the sum")
    d.equal(d.use(sde.reverse_drift).xreplace({score_t: told}), f - g**2 * (s + c), "the reverse drift of the conditional density")
    d.misprint(s - c, "the gradient of the classifier with the other sign", right=told)
    d.misprint(s + Rational(1, 2) * c, "half of the classifier: that is no score of a posterior", right=told)
