"""The steps that samplers are judged by: proved equal where they must be, and evaluated right."""

import numpy as np
import pytest
import sympy

import verifydiff as vd
from verifydiff.forms import families, quantities
from verifydiff.proof import Claim, decide
from verifydiff.verdict import Proof

ETA = families.Writing(vd.DDIM(0.0).writings[0].equations)


def proved(one, other):
    return decide(Claim(one, "==", other)).outcome is Proof.PROVED


def at_eta(weights, value):
    return [weight.xreplace({quantities.eta: sympy.Integer(value)}) for weight in weights]


@pytest.mark.parametrize("variance", ["small", "large"])
def test_all_writings_of_ddpm_are_one_step(variance):
    first, *others = vd.DDPM(variance).writings
    for other in others:
        assert all(proved(a, b) for a, b in zip(first.over_eps, other.over_eps, strict=True))
        assert all(proved(a, b) for a, b in zip(first.over_x0, other.over_x0, strict=True))


def test_ddim_at_eta_1_is_ddpm_and_the_ancestral_euler_step_over_any_stride():
    ddim, ddpm, euler = ETA.over_eps, vd.DDPM().writings[0].over_eps, vd.EulerAncestral().writings[0].over_eps
    assert all(proved(a, b) for a, b in zip(at_eta(ddim, 1), ddpm, strict=True))
    assert all(proved(a, b) for a, b in zip(at_eta(ddim, 1), euler, strict=True))


def test_ddim_at_eta_0_is_euler_in_sigma_space():
    assert all(proved(a, b) for a, b in zip(at_eta(ETA.over_eps, 0), vd.Euler().writings[0].over_eps, strict=True))


def test_the_weights_over_x0_are_those_over_eps_with_the_noise_written_by_the_data():
    for family in (vd.DDPM(), vd.DDPM("large"), vd.DDIM(0.5), vd.Euler(), vd.EulerAncestral(), families.Renoise()):
        for writing in family.writings:
            a, b, c = writing.over_eps
            p, q, noise = writing.over_x0
            implied = 1 / sympy.sqrt(1 - quantities.abar_t)
            assert proved(p, a + b * implied)
            assert proved(q, -b * implied * sympy.sqrt(quantities.abar_t))
            assert proved(noise, c)


def test_coefficients_against_the_papers_numbers_written_by_hand():
    start, end = np.array([0.3, 0.6]), np.array([0.6, 1.0])
    alpha = start / end
    p, q, c = vd.DDPM().coefficients(start, end)
    np.testing.assert_allclose(p, np.sqrt(alpha) * (1 - end) / (1 - start), rtol=1e-14)
    np.testing.assert_allclose(q, np.sqrt(end) * (1 - alpha) / (1 - start), rtol=1e-14)
    np.testing.assert_allclose(c**2, (1 - end) / (1 - start) * (1 - alpha), rtol=1e-14)
    assert vd.DDPM("large").coefficients(start, end)[2].tolist() == [np.sqrt(1 - 0.5), 0.0]


def test_noising_afresh_keeps_nothing_of_the_state():
    start, end = np.array([0.0, 0.3, 0.6]), np.array([0.3, 0.6, 1.0])
    p, q, c = families.Renoise().coefficients(start, end)
    assert p.tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(q, np.sqrt(end), rtol=1e-15)
    np.testing.assert_allclose(c, np.sqrt(1 - end), rtol=1e-15)


def test_weights_are_finite_at_a_terminal_level_of_zero():
    for family in (vd.DDPM(), vd.DDIM(0.3)):
        assert np.isfinite(family.coefficients([0.0, 0.4], [0.4, 1.0])).all()


@pytest.mark.parametrize(
    "make", [lambda: vd.DDIM(-0.1), lambda: vd.DDIM(1.5), lambda: vd.DDIM(float("nan")), lambda: vd.DDPM("tiny")]
)
def test_families_that_do_not_exist_are_refused(make):
    with pytest.raises(ValueError, match="must"):
        make()
