r"""DEIS (Zhang & Chen 2022): the exponential integrator by noise over signal,

.. math:: \rho = e^{-\lambda} = \sqrt{(1 - \bar\alpha) / \bar\alpha}.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import POSITIVE, REAL, Quantity, abar_s, abar_t, eps, ve_s, ve_t, x_t

ZHANG = "Zhang & Chen 2022 (DEIS)"

rho_noise = Quantity("rho_noise", r"\textstyle\int_t^s \hat\epsilon\, d\rho", REAL)
eps_before = Quantity("eps_before", r"\epsilon_{\mathrm{prev}}", REAL, meaning="the noise predicted one step earlier")
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
