r"""Steps in sigma space: :math:`\bar x = x / \sqrt{\bar\alpha} = x_0 + \sigma\epsilon`, with :math:`\sigma^2 = 1/\bar\alpha - 1`.

``EulerDiscrete`` in the libraries is Euler's method on :math:`d\bar x / d\sigma = \epsilon` (Karras et al. 2022, eqs. 1, 3 and
algorithm 1); the ancestral variant goes down to ``sigma_down`` and adds noise of scale ``sigma_up``.
"""

from __future__ import annotations

from sympy import sqrt

from .form import Form, Source
from .quantities import REAL, Quantity, eps, ve_s, ve_t

KARRAS = "Karras et al. 2022"
KATHERINE = "Crowson, k-diffusion"

xbar_t = Quantity("xbar_t", r"\bar x_t", REAL, meaning="x_t / sqrt(abar_t)")

step = Form("euler.step", "Euler's step in sigma space", r"\bar x_s", xbar_t + (ve_s - ve_t) * eps, Source(KARRAS, "algorithm 1"))

sigma_up = Form(
    "euler.sigma_up", "fresh noise of the ancestral step", r"\sigma_{\mathrm{up}}",
    sqrt(ve_s**2 * (ve_t**2 - ve_s**2) / ve_t**2),
    Source(KATHERINE, "get_ancestral_step, eta = 1"),
)  # fmt: skip

sigma_down = Form(
    "euler.sigma_down", "level the ancestral step goes down to", r"\sigma_{\mathrm{down}}",
    sqrt(ve_s**2 - ve_s**2 * (ve_t**2 - ve_s**2) / ve_t**2),
    Source(KATHERINE, "get_ancestral_step, eta = 1"),
)  # fmt: skip
