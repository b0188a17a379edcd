r"""The variational bound on the log-likelihood, for arbitrary densities.

The model is a joint density :math:`p(x_{0:T}) = p(x_T) \prod_{t=1}^T p(x_{t-1} \mid x_t)`. Whatever
:math:`q(x_{1:T} \mid x_0)` is,

.. math:: -\log p(x_0) = L - \operatorname{KL}(q(x_{1:T} \mid x_0) \,\|\, p(x_{1:T} \mid x_0)) \le L,
    \qquad L = \mathbb{E}_q\left[\log \frac{q(x_{1:T} \mid x_0)}{p(x_{0:T})}\right]

and if q is a Markov chain, Bayes' rule turns each of its factors round and the logarithms telescope:

.. math:: L = \underbrace{\operatorname{KL}(q(x_T \mid x_0) \,\|\, p(x_T))}_{L_T}
    + \sum_{t=2}^T \underbrace{\mathbb{E}_q \operatorname{KL}(q(x_{t-1} \mid x_t, x_0) \,\|\, p(x_{t-1} \mid x_t))}_{L_{t-1}}
    \underbrace{- \mathbb{E}_q \log p(x_0 \mid x_1)}_{L_0}

Nothing here is Gaussian. (A q that is defined by its factors :math:`q(x_{t-1} \mid x_t, x_0)`, as DDIM's, needs no Bayes.)
A letter may stand for a whole block of variables, such as h for :math:`x_{1:T}`. Expectations are over
:math:`q(x_{1:T} \mid x_0)`; that of a function of two of the variables is over the law of those two.
"""

from sympy import log

from verifydiff.forms.quantities import NONNEGATIVE, x_0, x_s, x_t
from verifydiff.proof import derivation, letter

HO, SOHL = "Ho et al. 2020", "Sohl-Dickstein et al. 2015"

h, x_1, x_last = letter("h", "x_{1:T}"), letter("x_1", "x_1"), letter("x_T", "x_T")
gap = letter("gap", r"\operatorname{KL}(q(x_{1:T} | x_0) \| p(x_{1:T} | x_0))", domain=NONNEGATIVE)
bound, posterior_bound = letter("bound", "L"), letter("bound_p", "L[p]")
total = letter("total", r"\sum_{k=2}^t \log\frac{q(x_{k-1} | x_k, x_0)}{p(x_{k-1} | x_k)}")
L_T = letter("L_T", "L_T", domain=NONNEGATIVE)
L_t = letter("L_t", "L_{t-1}", domain=NONNEGATIVE)
L_0 = letter("L_0", "L_0")


def evidence(d, q, p):
    """-log p(x_0) as the bound less the gap, integrated over the latent block."""
    latent, model = q(h, given=x_0), p(h, given=x_0)
    d.equal(p(h, given=x_0), p(h, x_0) / p(x_0), "Bayes: what the model itself says of the latent variables, given the data")
    integrand = d.gibbs(latent, model, [h], gap, "the gap is a divergence: not negative, and 0 only if the two densities agree")
    ratio = latent * log(latent / p(x_0, h))
    return d.integrate(
        [(-log(p(x_0)), latent)], [(1, ratio), (-1, integrand)], [h], {ratio: bound, integrand: gap},
        "log p(x_0) = log p(x_{0:T}) - log p(x_{1:T} | x_0), averaged over q; the left side does not depend on x_{1:T}",
    )  # fmt: skip


@derivation(id="bound.evidence", title="minus log p(x_0) is at most the bound", source=f"{HO}, eq. 3")
def is_a_bound(d):
    """The log-likelihood is the bound less a divergence."""
    q, p = d.law("q"), d.law("p")
    identity = evidence(d, q, p)
    d.at_most(identity.rhs, bound, "the divergence is not negative, so minus the log-likelihood is at most L")


@derivation(
    id="bound.equality", title="the bound is exact for the model's own posterior, and for no other q", source=f"{SOHL}, sec. 2.4"
)
def equality(d):
    """Where q is what the model says of the latent variables, the logarithm is a constant; elsewhere the gap is positive."""
    q, p = d.law("q"), d.law("p")
    evidence(d, q, p)
    model = p(h, given=x_0)
    ratio = model * log(model / p(x_0, h))
    d.integrate(
        [(1, ratio)], [(-log(p(x_0)), model)], [h], {ratio: posterior_bound},
        "conversely, with p(x_{1:T} | x_0) for q the bound is minus the log-likelihood itself",
    )  # fmt: skip


@derivation(id="bound.floor", title="the average bound: entropy of the data, plus two divergences", source=f"{SOHL}, sec. 2.4")
def floor(d):
    """Averaged over the data, the bound is their entropy and the divergence of the whole paths.

    That in turn is the divergence of the data themselves and the average gap (the chain rule): no model gets below the entropy.
    """
    q, p = d.law("q"), d.law("p")
    path = letter("KL_path", r"\operatorname{KL}(q(x_{0:T}) \| p(x_{0:T}))", domain=NONNEGATIVE)
    data = letter("KL_data", r"\operatorname{KL}(q(x_0) \| p(x_0))", domain=NONNEGATIVE)
    gaps, entropy, average = (
        letter("gaps", r"\mathbb{E}[\mathrm{gap}]"),
        letter("minus_H", "-H(q(x_0))"),
        letter("E_L", r"\mathbb{E}[L]"),
    )
    paths = d.gibbs(q(x_0, h), p(x_0, h), [x_0, h], path, "the divergence of the paths")
    inner = d.gibbs(q(h, given=x_0), p(h, given=x_0), [h], gap, "the gap at each x_0")
    d.gibbs(q(x_0), p(x_0), [x_0], data, "the divergence of the data from what the model makes of them")
    mean_gap = d.in_turn(q(x_0), inner, [h], [x_0], "the gap, averaged over the data", gap, gaps)
    kept = d.in_turn(log(q(x_0)) - log(p(x_0)), q(x_0, h), [h], [x_0], "x_{1:T} integrates out", outer_named=data)
    d.integrate(
        [(1, paths)], [(1, kept), (1, mean_gap)], [x_0, h], {paths: path}, "the chain rule: the logarithm of the joint ratio"
    )
    info = d.in_turn(log(q(x_0)), q(x_0, h), [h], [x_0], "minus the entropy of the data", outer_named=entropy)
    ratio = q(x_0, h) * log(q(h, given=x_0) / p(x_0, h))
    mean = d.integrate(
        [(1, ratio)], [(1, paths), (-1, info)], [x_0, h], {ratio: average, paths: path}, "q(x_{0:T}) = q(x_{1:T} | x_0) q(x_0)"
    )
    d.at_most(
        -entropy, mean.rhs, "so the average bound is at least the entropy of the data; equality asks for both divergences to be 0"
    )


def bayes(d, q):
    """A factor of the chain, turned round."""
    forward = q(x_t, given=(x_s, x_0))
    d.equal(
        forward, q(x_s, given=(x_t, x_0)) * q(x_t, given=x_0) / q(x_s, given=x_0),
        "Bayes, all of it given x_0; a Markov chain's q(x_t | x_s) is q(x_t | x_s, x_0)",
    )  # fmt: skip
    d.misprint(q(x_s, given=(x_t, x_0)), "the marginals are left out of Bayes' rule", right=forward)
    return forward


@derivation(id="bound.telescoping", title="the log-ratio along a path telescopes", source=f"{HO}, app. A, eqs. 17-21")
def telescoping(d):
    """By induction on the number of steps: the marginals that Bayes' rule brings in cancel, but for the last.

    With p(x_T) the term log q(x_T | x_0) becomes that of L_T.
    """
    q, p = d.law("q"), d.law("p")
    forward = bayes(d, q)
    path = letter("path", r"\log\frac{q(x_{1:t} | x_0)}{p(x_{0:t-1} | x_t)}")
    ratio = log(q(x_s, given=(x_t, x_0)) / p(x_s, given=x_t))
    d.induction(
        term=path,
        first=log(q(x_1, given=x_0) / p(x_0, given=x_1)),
        then=path + log(forward / p(x_s, given=x_t)),
        closed=log(q(x_s, given=x_0)) + total - log(p(x_0, given=x_1)),
        at_first={q(x_s, x_0): q(x_1, x_0), total: 0},
        advanced={q(x_s, x_0): q(x_t, x_0), total: total + ratio},
        because="both chains grow by a factor: q(x_t | x_s) on the way there, p(x_s | x_t) on the way back",
    )


@derivation(id="bound.terms", title="the bound is a sum of divergences", source=f"{HO}, eq. 5")
def terms(d):
    """The same induction under the expectation: each step adds a divergence of two laws of x_{t-1}."""
    q, p = d.law("q"), d.law("p")
    forward = bayes(d, q)
    pair, back = q(x_s, x_t, given=x_0), q(x_t, given=x_0) * p(x_s, given=x_t)
    step = d.gibbs(
        pair, back, [x_s, x_t], L_t, "E_q KL(q(x_s | x_t, x_0) || p(x_s | x_t)): the factor q(x_t | x_0) cancels in the ratio"
    )
    gain, before, after = (letter(name, tex) for name, tex in (("gain", "G_t"), ("S_s", "S_{t-1}"), ("S_t", "S_t")))
    d.misprint(back * (log(back) - log(pair)), "q and p have changed places in the divergence", right=step)
    named = {
        pair * log(forward / p(x_s, given=x_t)): gain,
        pair * log(q(x_s, given=x_0)): before,
        pair * log(q(x_t, given=x_0)): after,
    }
    added, left, right = named
    grown = d.integrate(
        [(1, added)], [(1, step), (1, right), (-1, left)], [x_s, x_t], {**named, step: L_t},
        "what a step adds on average, S being minus the entropy of q(x_t | x_0)",
    )  # fmt: skip
    d.solve([grown], {gain: L_t + after - before}, "so much a step adds")
    first, sum_ = letter("S_1", "S_1"), letter("sum", r"\sum_{k=2}^t L_{k-1}", domain=NONNEGATIVE)
    path = letter("path", r"\mathbb{E}\log\frac{q(x_{1:t} | x_0)}{p(x_{0:t-1} | x_t)}")
    d.induction(
        term=path, first=first + L_0, then=path + (L_t + after - before), closed=before + sum_ + L_0,
        at_first={before: first, sum_: 0}, advanced={before: after, sum_: sum_ + L_t},
        because="E log q(x_1 | x_0) - E log p(x_0 | x_1) at first; then both chains grow by a factor",
    )  # fmt: skip
    last = d.gibbs(q(x_last, given=x_0), p(x_last), [x_last], L_T, "the last term")
    end, prior = q(x_last, given=x_0) * log(q(x_last, given=x_0)), q(x_last, given=x_0) * log(p(x_last))
    S_T, cross = letter("S_T", "S_T"), letter("cross", r"\mathbb{E}\log p(x_T)")
    d.integrate([(1, last)], [(1, end), (-1, prior)], [x_last], {last: L_T, end: S_T, prior: cross}, "L_T = S_T - E log p(x_T)")
    d.equal(
        (S_T + sum_ + L_0 - cross).xreplace({S_T: L_T + cross}), L_T + sum_ + L_0,
        "p(x_{0:T}) has the factor p(x_T) besides: L = L_T + sum L_{t-1} + L_0, and all but L_0 are divergences",
    )  # fmt: skip
