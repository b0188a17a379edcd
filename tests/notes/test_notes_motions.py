"""Equations in continuous time and small steps of them: is each held to the drift that its noise and its direction ask for?"""

import pytest

from verifydiff.notes.page import Span, Standing
from verifydiff.notes.parser import parse
from verifydiff.notes.statements import judge

HOLDS, FAILS = Standing.HOLDS, Standing.FAILS


def status(latex: str) -> Standing:
    (found,) = judge([Span(1, latex, display=True)])
    return found.status


SCORE = r"\nabla_x \log p_t(x_t)"
EQUATIONS = {
    "forward": (r"dx = f(x,t)\,dt + g(t)\,dw", HOLDS),
    "reverse": (r"dx = [f(x,t) - g(t)^2 \nabla_x \log p_t(x)]dt + g(t)\,d\bar w", HOLDS),
    "reverse without its bar": (r"dx = [f(x,t) - g(t)^2 \nabla_x \log p_t(x)]dt + g(t)\,dw", HOLDS),
    "half the score with all the noise": (r"dx = [f(x,t) - \frac12 g(t)^2 \nabla_x \log p_t(x)]dt + g(t)\,d\bar w", FAILS),
    "all the score with no noise": (r"dx = [f(x,t) - g(t)^2 \nabla_x \log p_t(x)]dt", FAILS),
    "any noise": (r"dx = [f(x,t) - \frac{1+\lambda^2}{2} g(t)^2 \nabla_x \log p_t(x)]dt + \lambda g(t)\,d\bar w", HOLDS),
    "any noise, not squared": (r"dx = [f(x,t) - \frac{1+\lambda}{2} g(t)^2 \nabla_x \log p_t(x)]dt + \lambda g(t)\,d\bar w", FAILS),
    "forward by a reversed motion": (
        r"dx = [f(x,t) - \frac{1-\lambda^2}{2} g(t)^2 \nabla_x \log p_t(x)]dt + \lambda g(t)\,d\bar w",
        FAILS,
    ),
    "forward with another noise": (
        r"dx = [f(x,t) - \frac{1-\lambda^2}{2} g(t)^2 \nabla_x \log p_t(x)]dt + \lambda g(t)\,dw",
        HOLDS,
    ),
    "its own time": (r"dx = [-f(x,t) + g(t)^2 \nabla_x \log p_t(x)]d\tau + g(t)\,d\bar w", HOLDS),
    "from the end": (r"dX_t = (X_t + 2\nabla\log p_{T-t}(X_t))dt + \sqrt2 dB_t", HOLDS),
    "from the end without noise": (r"\frac{dX_t}{dt} = X_t + \nabla\log p_{T-t}(X_t)", HOLDS),
    "from the end, half the score": (r"dX_t = (X_t + \nabla\log p_{T-t}(X_t))dt + \sqrt2 dB_t", FAILS),
    "twice the rate": (r"dx = -\beta(t) x\,dt + \sqrt{2\beta(t)}\,dw", HOLDS),
    "twice the rate without noise, which is a lost half": (r"\frac{dx}{dt} = -\beta(t)\left(x+\nabla_x\log p_t(x)\right)", FAILS),
    "sub-VP flow": (r"dx = [-\frac12 \beta(t) x - \frac12\beta(t)(1-e^{-2\int_0^t\beta(s)ds})\nabla_x\log p_t(x)] dt", HOLDS),
    "by the noise level": (r"dx = -\sigma\nabla_x\log p(x;\sigma)d\sigma", HOLDS),
    "Langevin": (r"dx = \nabla_x\log p(x) dt + \sqrt{2} dw", HOLDS),
    "Langevin, noise too small": (r"dx = \nabla_x\log p(x) dt + dw", FAILS),
    "drift by its level": (r"f(t) = \frac{d\log\alpha_t}{dt}", HOLDS),
    "diffusion by its levels": (r"g^2(t) = \frac{d\sigma_t^2}{dt} - 2\frac{d\log\alpha_t}{dt}\sigma_t^2", HOLDS),
    "diffusion by its levels, a lost two": (r"g^2(t) = \frac{d\sigma_t^2}{dt} - \frac{d\log\alpha_t}{dt}\sigma_t^2", FAILS),
    "diffusion by the logarithm": (r"g^2(t) = -2\sigma_t^2\frac{d\lambda_t}{dt}", HOLDS),
    "a drift that grows": (r"f(x,t) = \frac12\beta(t)x", FAILS),
    "a diffusion without its root": (r"g(t) = \beta(t)", FAILS),
}
STEPS = {
    "forward": (r"x_{t+\Delta t} = x_t + f(x_t,t)\Delta t + g(t)\sqrt{\Delta t}\,z", HOLDS),
    "forward by its difference": (r"x_{t+\Delta t} - x_t = f(x_t,t)\Delta t + g(t)\sqrt{\Delta t}\,z", HOLDS),
    "forward, noise by the step": (r"x_{t+\Delta t} = x_t + f(x_t,t)\Delta t + g(t)\Delta t\,z", FAILS),
    "reverse": (rf"x_{{t-\Delta t}} = x_t - f(x_t,t)\Delta t + g(t)^2 {SCORE}\Delta t + g(t)\sqrt{{\Delta t}}\,z", HOLDS),
    "reverse, half the score": (
        rf"x_{{t-\Delta t}} = x_t - f(x_t,t)\Delta t + \frac12 g(t)^2 {SCORE}\Delta t + g(t)\sqrt{{\Delta t}}\,z",
        FAILS,
    ),
    "flow": (rf"x_{{t-\Delta t}} = x_t - f(x_t,t)\Delta t + \frac12 g(t)^2 {SCORE}\Delta t", HOLDS),
    "flow, all the score": (rf"x_{{t-\Delta t}} = x_t - f(x_t,t)\Delta t + g(t)^2 {SCORE}\Delta t", FAILS),
    "any noise": (
        (
            r"x_{t-\Delta t} = x_t - f(x_t,t)\Delta t + \frac{1+\lambda^2}{2} g(t)^2 s_\theta(x_t,t)\Delta t"
            r" + \lambda g(t)\sqrt{\Delta t} z"
        ),
        HOLDS,
    ),
    "the drift with the wrong sign": (
        r"x_{t-\Delta t} = x_t + [f(x_t,t) - g(t)^2 s_\theta(x_t,t)]\Delta t + g(t)\sqrt{\Delta t}\,z",
        FAILS,
    ),
    "a negative step": (r"x_{t+\Delta t} = x_t + [f(x_t,t) - g(t)^2 s_\theta(x_t,t)]\Delta t + g(t)\sqrt{|\Delta t|}\,z_t", HOLDS),
    "a negative step under its root": (
        r"x_{t+\Delta t} = x_t + [f(x_t,t) - g(t)^2 s_\theta(x_t,t)]\Delta t + g(t)\sqrt{-\Delta t}\,z",
        HOLDS,
    ),
    "a negative step, half the score": (
        r"x_{t+\Delta t} = x_t + [f(x_t,t) - \frac12 g(t)^2 s_\theta(x_t,t)]\Delta t + g(t)\sqrt{|\Delta t|}\,z",
        FAILS,
    ),
    "a change": (r"\Delta x = [f(x,t) - g^2(t) s_\theta(x,t)]\Delta t + g(t)\sqrt{|\Delta t|}\,z_t", HOLDS),
    "a change with the wrong sign": (r"\Delta x = [f(x,t) + g^2(t) s_\theta(x,t)]\Delta t + g(t)\sqrt{|\Delta t|}\,z_t", FAILS),
    "h": (r"x_{t-h} = x_t - h f(x_t,t) + h g(t)^2 \nabla\log p_t(x_t) + \sqrt{h}\, g(t) z", HOLDS),
    "h, half the score": (r"x_{t-h} = x_t - h f(x_t,t) + \frac{h}{2} g(t)^2 \nabla\log p_t(x_t) + \sqrt{h}\, g(t) z", FAILS),
    "VP": (
        r"x_{t-\Delta t} = x_t + \beta(t)\left[\frac12 x_t + s_\theta(x_t,t)\right]\Delta t + \sqrt{\beta(t)\Delta t}\,z",
        HOLDS,
    ),
    "VP flow": (r"x_{t-\Delta t} = x_t + \frac{\beta(t)\Delta t}{2}\left(x_t + s_\theta(x_t,t)\right)", HOLDS),
    "VE": (
        r"x_{t-\Delta t} = x_t + \frac{d\sigma^2(t)}{dt}s_\theta(x_t,t)\Delta t + \sqrt{\frac{d\sigma^2(t)}{dt}\Delta t} z",
        HOLDS,
    ),
    "VE chain, flow": (r"x_{i} = x_{i+1} + \frac12(\sigma_{i+1}^2-\sigma_{i}^2)s_\theta(x_{i+1},\sigma_{i+1})", HOLDS),
    "VE chain, half the score with all the noise": (
        r"x_{i-1} = x_i + \frac12(\sigma_i^2-\sigma_{i-1}^2)s_\theta(x_i,\sigma_i) + \sqrt{\sigma_i^2-\sigma_{i-1}^2}z",
        FAILS,
    ),
    "reverse diffusion": (r"x_i = x_{i+1} - f_{i+1}(x_{i+1}) + g_{i+1}^2 s_\theta(x_{i+1},i+1) + g_{i+1}z_{i+1}", HOLDS),
    "reverse diffusion, half the score": (
        r"x_i = x_{i+1} - f_{i+1}(x_{i+1}) + \frac12 g_{i+1}^2 s_\theta(x_{i+1},i+1) + g_{i+1}z_{i+1}",
        FAILS,
    ),
    "Langevin": (r"x_{t+\Delta t} = x_t + \nabla_x\log p(x_t)\Delta t + \sqrt{2\Delta t} z", HOLDS),
    "Langevin, noise too small": (r"x_{t+\Delta t} = x_t + \nabla_x\log p(x_t)\Delta t + \sqrt{\Delta t} z", FAILS),
    "Langevin in its own time": (r"x_{k-1} = x_k + \epsilon\nabla_x\log p(x_k) + \sqrt{2\epsilon} z_k", HOLDS),
}


@pytest.mark.parametrize(("latex", "expected"), EQUATIONS.values(), ids=EQUATIONS)
def test_an_equation_has_the_drift_that_its_noise_asks_for(latex, expected):
    assert status(latex) is expected


@pytest.mark.parametrize(("latex", "expected"), STEPS.values(), ids=STEPS)
def test_a_small_step_has_the_drift_that_its_noise_and_its_direction_ask_for(latex, expected):
    assert status(latex) is expected


@pytest.mark.parametrize(
    "size",
    [r"\nabla_x\log p(x_t)\Delta t + \sqrt{2\Delta t} z", r"\frac12 g(t)^2\nabla_x\log p(x_t)\Delta t + g(t)\sqrt{\Delta t} z"],
)
def test_a_langevin_step_is_none_of_the_reverse_process(size):
    assert status(rf"x_{{t-\Delta t}} = x_t + {size}") is not HOLDS


def test_a_step_of_time_is_no_part_of_a_logarithm():
    assert parse(r"\log p(x) \Delta t") == parse(r"(\log p(x)) \Delta t") or parse(r"\log p(x) \Delta t") == parse(
        r"{\log p(x)} \Delta t"
    )
    assert parse(r"\nabla_x \log p(x) \Delta t") == parse(r"{\nabla_x \log p(x)} \Delta t")
    assert parse(r"\log p(x) p(y)") == parse(r"\log {p(x) p(y)}")


def test_a_letter_that_a_step_gives_anew_claims_nothing():
    assert status(r"x_i \leftarrow x_i + \epsilon_i s_\theta(x_i, i) + \sqrt{2\epsilon_i}z") is Standing.DEFINITION
