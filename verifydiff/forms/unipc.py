r"""UniPC (Zhao et al. 2023): a predictor that remembers predictions, and a corrector that asks no more of the model.

The corrector does a step over again once the model was asked at its end: it follows the polynomial through the predictions behind
*and* that one. Its states are never asked about; the model sees the predicted ones. :math:`B(h)` is a choice: :math:`e^h - 1`
(``bh2`` in the libraries) or h (``bh1``), with :math:`-h` for h by the data. From the second order of the corrector on, and the
third of the predictor, it drops out.
"""

from __future__ import annotations

from sympy import Expr, exp, sqrt

from .dpm import LEVELS, eps_before, eps_bend, first_data, first_noise, h, ratio, ratio_2, x_before
from .dpm import bend as x_bend
from .form import Form, Source
from .quantities import REAL, Quantity, abar_s, eps, x_0

ZHAO = "Zhao et al. 2023 (UniPC)"

x_after = Quantity("x_after", r"\hat x_s", REAL, meaning="the data predicted at the end of the step")
eps_after = Quantity("eps_after", r"\epsilon_s", REAL, meaning="the noise predicted at the end of the step")


def _parabola(letter: str, now: Expr, before: Expr, after: Expr) -> tuple[Quantity, Quantity]:
    """Slope at t and half of the second derivative of the parabola through the one before, the present one and that at the end."""
    name = "" if letter == "D" else "eps_"
    behind = (now - before) / ratio
    second = Quantity(
        f"{name}bend_ahead", f"{letter}_2^+", REAL, (after - now - behind) / (1 + ratio), meaning="as D_2, with the end of the step"
    )
    first = Quantity(f"{name}slope_ahead", f"{letter}_1^+", REAL, behind + ratio * second, meaning="its slope at t, by h")
    return first, second


def _cubic(letter: str, parabola: tuple[Quantity, Quantity], older: Quantity) -> tuple[Quantity, Quantity, Quantity]:
    """The coefficients of the cubic that goes through one more prediction."""
    name, (slope, bend) = "" if letter == "D" else "eps_", parabola
    third = Quantity(
        f"{name}twist_ahead", f"{letter}_3^+", REAL, (bend - older) / (1 + ratio + ratio_2), meaning="the third divided difference"
    )
    second = Quantity(f"{name}bend_of_cubic", f"{letter}_2^*", REAL, bend + (ratio - 1) * third, meaning="of the cubic")
    first = Quantity(f"{name}slope_of_cubic", f"{letter}_1^*", REAL, slope - ratio * third, meaning="of the cubic, at t")
    return first, second, third


slope_ahead, bend_ahead = _parabola("D", x_0, x_before, x_after)
eps_slope_ahead, eps_bend_ahead = _parabola("E", eps, eps_before, eps_after)
slope_of_cubic, bend_of_cubic, twist_ahead = _cubic("D", (slope_ahead, bend_ahead), x_bend)
eps_slope_of_cubic, eps_bend_of_cubic, eps_twist_ahead = _cubic("E", (eps_slope_ahead, eps_bend_ahead), eps_bend)

_signal, _noise = sqrt(abar_s), sqrt(1 - abar_s)
_x_1 = (exp(-h) - 1) / h + 1
_x_2 = 1 - 2 * _x_1 / h
_x_3 = 1 - 3 * _x_2 / h
_eps_1 = (exp(h) - 1) / h - 1
_eps_2 = 2 * _eps_1 / h - 1
_eps_3 = 3 * _eps_2 / h - 1
"""Of the powers of the part of the step that is gone, the integrals against what the exact solution weighs them with."""


def _form(id: str, title: str, expression: Expr, place: str) -> Form:  # noqa: A002 - what forms call it
    return Form(f"unipc.{id}", title, "x_s", expression, Source(ZHAO, place, LEVELS), assuming=(abar_s < 1,))


predictor_bh1 = _form(
    "predictor_bh1", "UniP-2 with B(h) = h", first_data.expression + _signal * h / 2 * (x_0 - x_before) / ratio, "corollary 3.2"
)
corrector_1 = _form(
    "corrector_1",
    "UniC-1 with B(h) = e^h - 1",
    first_data.expression + _signal * (1 - exp(-h)) / 2 * (x_after - x_0),
    "theorem 3.1",
)
corrector_1_bh1 = _form(
    "corrector_1_bh1", "UniC-1 with B(h) = h", first_data.expression + _signal * h / 2 * (x_after - x_0), "theorem 3.1"
)
corrector_2 = _form(
    "corrector_2", "UniC-2", first_data.expression + _signal * (_x_1 * slope_ahead + _x_2 * bend_ahead), "theorem 3.1"
)
corrector_3 = _form(
    "corrector_3", "UniC-3",
    first_data.expression + _signal * (_x_1 * slope_of_cubic + _x_2 * bend_of_cubic + _x_3 * twist_ahead), "theorem 3.1",
)  # fmt: skip

noise_predictor_bh1 = _form(
    "noise_predictor_bh1", "UniP-2 with B(h) = h, by the noise",
    first_noise.expression - _noise * h / 2 * (eps - eps_before) / ratio, "corollary 3.2",
)  # fmt: skip
noise_corrector_1 = _form(
    "noise_corrector_1", "UniC-1 with B(h) = e^h - 1, by the noise",
    first_noise.expression - _noise * (exp(h) - 1) / 2 * (eps_after - eps), "theorem 3.1",
)  # fmt: skip
noise_corrector_1_bh1 = _form(
    "noise_corrector_1_bh1", "UniC-1 with B(h) = h, by the noise",
    first_noise.expression - _noise * h / 2 * (eps_after - eps), "theorem 3.1",
)  # fmt: skip
noise_corrector_2 = _form(
    "noise_corrector_2", "UniC-2 by the noise",
    first_noise.expression - _noise * (_eps_1 * eps_slope_ahead + _eps_2 * eps_bend_ahead), "theorem 3.1",
)  # fmt: skip
noise_corrector_3 = _form(
    "noise_corrector_3", "UniC-3 by the noise",
    first_noise.expression
    - _noise * (_eps_1 * eps_slope_of_cubic + _eps_2 * eps_bend_of_cubic + _eps_3 * eps_twist_ahead), "theorem 3.1",
)  # fmt: skip
