r"""The Kullback-Leibler divergence of two Gaussians, in one coordinate and in any number of them.

.. math:: \operatorname{KL}(q \,\|\, p) = \int q(x)\,(\log q(x) - \log p(x))\,dx

The difference of the logarithms is a parabola in x, so that only the first two moments of q are asked for. They come from
integration by parts: the derivatives of q and of (x - mean) q integrate to zero. For independent coordinates divergences add.
"""

from sympy import Integer, Rational, exp, log

from verifydiff.forms import divergence
from verifydiff.forms.divergence import (
    dimension,
    distance,
    log_det,
    log_var_p,
    log_var_q,
    mahalanobis,
    mean_p,
    mean_q,
    trace,
    var_p,
    var_q,
)
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE
from verifydiff.proof import Gaussian, derivation, letter

x = letter("x", "x")
x_1, x_2 = letter("x_1", "x_1"), letter("x_2", "x_2")
K, K_1, K_2 = letter("K", "K"), letter("K_1", "K_1", domain=NONNEGATIVE), letter("K_2", "K_2", domain=NONNEGATIVE)
KL = letter("KL", r"\operatorname{KL}(q \,\|\, p)", domain=NONNEGATIVE)


@derivation(divergence.gaussian)
def gaussian(d):
    """Write the integrand as q times a constant plus derivatives of what vanishes at both ends."""
    first, second = Gaussian(x, mean_q, var_q), Gaussian(x, mean_p, var_p)
    q, p = d.normalised(first), d.normalised(second)
    integrand = d.gibbs(q, p, [x], KL, "the divergence of two densities is not negative, and 0 only if they are the same")
    once = d.boundary(q, x, "a normal density vanishes at both ends")
    twice = d.boundary((x - mean_q) * q, x, "times a polynomial too")
    d.equal(once, -(x - mean_q) / var_q * q, "the first knows the mean: the integral of (x - mean) q is 0")
    d.equal(twice, q - (x - mean_q) ** 2 / var_q * q, "the second knows the variance: that of (x - mean)^2 q is the variance")
    gap = mean_q - mean_p
    constant = log(var_p / var_q) / 2 - Rational(1, 2) + (var_q + gap**2) / (2 * var_p)
    found = d.integrate(
        [(1, integrand)], [(constant, q), (-var_q * gap / var_p, once), (Rational(1, 2) - var_q / (2 * var_p), twice)], [x],
        {integrand: KL}, "(x - mu_p)^2 = (x - mu_q)^2 + 2 (x - mu_q)(mu_q - mu_p) + (mu_q - mu_p)^2",
    )  # fmt: skip
    d.misprint(
        (log(var_p / var_q) + (var_p + gap**2) / var_q - 1) / 2, "q and p have changed places: the divergence is not symmetric"
    )
    d.misprint(
        (log(var_p / var_q) / 2 + (var_q + gap**2) / var_p - 1) / 2,
        "half the logarithm twice: log of the deviations, not of the variances",
    )
    d.conclude(found.rhs)


@derivation(divergence.log_variances)
def log_variances(d):
    """What codes compute: variances by their logarithms, so that none can become negative."""
    logs = {var_q: exp(log_var_q), var_p: exp(log_var_p)}
    found = d.use(divergence.gaussian).xreplace(logs)
    d.misprint(
        found.xreplace({log_var_q: var_q}),
        "the variance is passed where its logarithm is asked for (tqch/ddpm-torch#9, in the L_T of its bits per dimension)",
        right=found.xreplace({log_var_q: log(var_q)}),
    )
    d.conclude(found)


@derivation(id="kl.independent", title="divergences of independent coordinates add", source="Cover & Thomas 2006, theorem 2.5.3")
def independent(d):
    """For product densities the logarithm of the ratio is a sum; all other coordinates integrate to one. Nothing is Gaussian."""
    q_1, q_2, p_1, p_2 = (d.law(name)(x) for name, x in (("q", x_1), ("r", x_2), ("p", x_1), ("o", x_2)))
    first = d.gibbs(q_1, p_1, [x_1], K_1, "the divergence of the first coordinate")
    second = d.gibbs(q_2, p_2, [x_2], K_2, "that of the second, or of all the others together")
    one = d.in_turn(q_2, first, [x_1], [x_2], "the first one, times a density that integrates to one", K_1)
    other = d.in_turn(q_1, second, [x_2], [x_1], "and the second one likewise", K_2)
    both = q_1 * q_2 * log(q_1 * q_2 / (p_1 * p_2))
    d.integrate([(1, both)], [(1, one), (1, other)], [x_1, x_2], {both: K}, "the logarithm of a product is a sum")


@derivation(divergence.isotropic)
def isotropic(d):
    """Coordinate by coordinate: the logarithms add up to D of them, the squares to the squared distance."""
    gap = letter("gap", r"\mu_{q,i} - \mu_{p,i}")
    coordinate = d.use(divergence.gaussian).xreplace({mean_q: gap + mean_p})
    d.misprint(
        divergence.isotropic.expression.xreplace({dimension: Integer(1)}),
        "the terms that do not depend on the means are counted once, not once a coordinate",
    )
    found = d.induction(
        term=K, first=coordinate, then=K + coordinate,
        closed=dimension / 2 * (log(var_p / var_q) + var_q / var_p - 1) + distance / (2 * var_p),
        at_first={dimension: 1, distance: gap**2}, advanced={dimension: dimension + 1, distance: distance + gap**2},
        because="independent coordinates: each adds its own divergence",
    )  # fmt: skip
    d.conclude(found)


@derivation(divergence.general)
def general(d):
    r"""Whiten with :math:`\Sigma_p^{-1/2}` and turn to the eigenvectors of what q's covariance has become: independent coordinates.

    A bijection changes both densities by one factor, and the divergence by none.
    """
    jacobian = letter("J", r"\lvert\det\Sigma_p^{-1/2}\rvert", domain=POSITIVE)
    before, other = letter("q_x", "q(x)", domain=POSITIVE), letter("p_x", "p(x)", domain=POSITIVE)
    d.equal(
        before / jacobian * (log(before / jacobian) - log(other / jacobian)) * jacobian, before * (log(before) - log(other)),
        "densities of the image y of x are q / J and p / J, and dy = J dx: the integrand is what it was",
    )  # fmt: skip
    eigenvalue = letter("eigenvalue", r"\lambda", domain=POSITIVE)
    d.spectral(
        r"\Sigma_p^{-1/2}\Sigma_q\Sigma_p^{-1/2}",
        eigenvalue,
        "the covariance of q after whitening, which has a density; that of p is the identity",
    )
    gap = letter("gap", r"m_i")
    whitened = {var_q: eigenvalue, var_p: Integer(1), mean_q: gap, mean_p: Integer(0)}
    coordinate = d.use(divergence.gaussian).xreplace(whitened)
    found = d.induction(
        term=K, first=coordinate, then=K + coordinate, closed=(trace - log_det + mahalanobis - dimension) / 2,
        at_first={dimension: 1, trace: eigenvalue, log_det: log(eigenvalue), mahalanobis: gap**2},
        advanced={
            dimension: dimension + 1, trace: trace + eigenvalue,
            log_det: log_det + log(eigenvalue), mahalanobis: mahalanobis + gap**2,
        },
        because="independent coordinates add; a trace is the sum of the eigenvalues, a log determinant that of their logarithms",
    )  # fmt: skip
    d.misprint((trace + log_det + mahalanobis - dimension) / 2, "the determinants are the other way up")
    d.conclude(found)
