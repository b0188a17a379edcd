r"""DEIS (Zhang & Chen 2022): the exponential integrator by noise over signal,

.. math:: \rho = e^{-\lambda} = \sqrt{(1 - \bar\alpha) / \bar\alpha}.
"""

from __future__ import annotations

from sympy import sqrt

from .dpm import eps_before
from .form import Form, Source
from .quantities import POSITIVE, REAL, Quantity, abar_s, abar_t, eps, ve_s, ve_t, x_t

ZHANG = "Zhang & Chen 2022 (DEIS)"
PNDM = "Liu et al. 2022 (PNDM)"

rho_noise = Quantity("rho_noise", r"\textstyle\int_t^s \hat\epsilon\, d\rho", REAL)
back = Quantity("back", r"\rho_{\mathrm{prev}} - \rho_t", POSITIVE, meaning="the step before, in noise over signal")

exact = Form(
    "deis.exact", "exact solution in noise over signal", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * rho_noise,
    Source(ZHANG, "sec. 4", "for the levels of this library"),
)  # fmt: skip

rho_ab = Form(
    "deis.rho_ab", "DEIS with a line in rho (rhoAB, order 2)", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t
    + sqrt(abar_s) * ((ve_s - ve_t) * eps + (ve_s - ve_t) ** 2 / (2 * back) * (eps_before - eps)),
    Source(ZHANG, "sec. 4, rhoAB-DEIS", "for the levels of this library"),
)  # fmt: skip

ab_2 = Form(
    "deis.ab_2", "DDIM along 3/2 and -1/2 of two predictions (iPNDM, order 2)", "x_s",
    sqrt(abar_s) / sqrt(abar_t) * x_t + sqrt(abar_s) * (ve_s - ve_t) * (3 * eps - eps_before) / 2,
    Source(PNDM, "eq. 12", "its order 2, in DDIM's step; the weights of Adams and Bashforth for equal steps in rho"),
)  # fmt: skip
