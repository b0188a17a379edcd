"""Plots of the exponential integrators."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifydiff.forms import dpm

from .drawing import beside


@beside("phi_functions")
def phi_functions(axes: Any) -> None:
    """The phi functions: the weights of the prediction and of its derivatives; at h = 0 they are 1, 1/2 and 1/6."""
    h = np.linspace(0.01, 3, 200)
    for place, form in enumerate((dpm.phi_1, dpm.phi_2, dpm.phi_3), start=1):
        axes.plot(h, form.numpy(dpm.step)(h), label=rf"$\varphi_{place}$")
    axes.set_xlabel("h")


@beside("dpm_solver_multistep")
def weight_of_the_difference(axes: Any) -> None:
    """How DPM-Solver++(2M) weighs the difference of two predictions when the last step comes ever nearer to the data."""
    before = 0.5
    h = np.linspace(0.1, 12, 200)
    axes.plot(h, (1 - np.exp(-h)) * h / (2 * before), label=r"$(1 - e^{-h}) / (2 \rho)$")
    axes.plot(h, (h - 1 + np.exp(-h)) / before, label=r"$(h - 1 + e^{-h}) / (\rho h)$")
    axes.plot(h, 0 * h, label="first order")
    axes.set_xlabel(r"the last step h, after one of $h_{\mathrm{prev}} = 1/2$")
    axes.set_ylabel("weight of the difference")
