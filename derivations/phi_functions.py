r"""The phi functions of the exponential integrators.

.. math:: \varphi_k(h) = \int_0^1 e^{(1 - \delta) h} \frac{\delta^{k - 1}}{(k - 1)!}\, d\delta, \qquad
   \varphi_{k + 1}(h) = \frac{\varphi_k(h) - 1 / k!}{h}

They weigh the derivatives of the noise prediction in a step; with -h in place of h those of the data prediction. Code
calls other things by these names: ``phi_1 = expm1(h)`` is :math:`h \varphi_1(h)`.
"""

from sympy import Integer, Rational, exp

from verifydiff.forms import dpm
from verifydiff.forms.dpm import step
from verifydiff.forms.quantities import UNIT
from verifydiff.proof import derivation, letter

delta = letter("delta", r"\delta", domain=UNIT)
decay = exp((1 - delta) * step)
weight_1, weight_2, weight_3 = dpm.phi_1.expression, dpm.phi_2.expression, dpm.phi_3.expression


@derivation(dpm.phi_1)
def phi_1(d):
    """The weight of a prediction that is held over the step."""
    value = d.integral(decay, delta, 0, 1, -decay / step, "the definition, k = 1")
    d.expand(step * weight_1, step, step, 1, "at h = 0 it tends to 1")
    d.misprint(exp(step) - 1, "expm1(h) under the name phi_1: h times it")
    d.conclude(value)


@derivation(dpm.phi_2)
def phi_2(d):
    """The weight of the first derivative."""
    value = d.integral(delta * decay, delta, 0, 1, -decay * (delta / step + 1 / step**2), "the definition, k = 2")
    d.equal((d.use(dpm.phi_1) - 1) / step, value, "the recursion, k = 1")
    d.expand(step**2 * weight_2, step, step**2 / 2, 2, "at h = 0 it tends to 1/2")
    d.misprint((exp(step) - 1) / step - 1, "phi_1 - 1: h times it, as the solvers write it")
    d.conclude(value)


@derivation(dpm.phi_3)
def phi_3(d):
    """The weight of the second derivative."""
    inner = -decay * (delta**2 / (2 * step) + delta / step**2 + 1 / step**3)
    value = d.integral(delta**2 / 2 * decay, delta, 0, 1, inner, "the definition, k = 3")
    d.equal((d.use(dpm.phi_2) - Rational(1, 2)) / step, value, "the recursion, k = 2")
    d.expand(step**3 * weight_3, step, step**3 / 6, 3, "at h = 0 it tends to 1/6")
    d.misprint((weight_2 - 1) / step, "1 for 1/2! in the recursion")
    d.conclude(value)


@derivation(id="dpm.weights", title="the phi functions are the weights of a step", source="Lu et al. 2022 (DPM-Solver), app. B")
def weights(d):
    r"""Over a step, :math:`e^{\lambda_s} \int e^{-\lambda} (\lambda - \lambda_t)^k / k!\, d\lambda = h^{k + 1} \varphi_{k + 1}(h)`.

    For the data the sign of h turns around, and that of every second weight.
    """
    u = letter("u", domain=step.domain)
    moments = {0: 1, 1: u, 2: u**2 / 2}
    for k, phi in enumerate((dpm.phi_1, dpm.phi_2, dpm.phi_3)):
        moment = Integer(1) * moments[k]
        slopes = [moment.diff(u, j) for j in range(k + 1)]
        noise = d.integral(exp(step - u) * moment, u, 0, step, -exp(step - u) * sum(slopes), f"the noise prediction, k = {k}")
        d.equal(noise, step ** (k + 1) * d.use(phi), f"e^(lambda_s - lambda) with lambda = lambda_t + u, k = {k}")
        signed = sum((-1) ** j * one for j, one in enumerate(slopes))
        data = d.integral(exp(u - step) * moment, u, 0, step, exp(u - step) * signed, f"the data prediction, k = {k}")
        d.equal(data, step ** (k + 1) * phi.expression.xreplace({step: -step}), f"the same function at -h, k = {k}")


@derivation(
    id="dpm.phi_in_code", title="a phi_1 that is an expm1 already", source="Lu et al. 2022 (DPM-Solver), algorithms 1 and 2"
)
def phi_in_code(d):
    """It was reported as a mistake that the solvers' code has phi_1 where the paper has e^h - 1. It is none: one name, two things.

    With ``phi_1 = expm1(h)`` and ``phi_2 = phi_1 / h - 1`` the two say the same; to subtract 1 once more would be the mistake.
    """
    code_1 = d.given(r"\texttt{phi\_1}", exp(step) - 1, "what the code calls phi_1: an expm1")
    code_2 = d.given(r"\texttt{phi\_2}", code_1 / step - 1, "what the code calls phi_2")
    d.equal(code_1, step * d.use(dpm.phi_1), "it is h times the first phi function")
    d.equal(code_2, step * d.use(dpm.phi_2), "it is h times the second phi function")
    d.misprint(code_1 - 1, "one subtracted twice: then a step of no length would move", right=step * weight_1)
    d.equal((exp(step) - 2).xreplace({step: Integer(0)}), -1, "namely by the whole noise")
