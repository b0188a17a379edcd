"""Guidance, judged without a draw: by the derived law of a guided step, and by data where the guided law is known."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from verifydiff.forms import guidance as forms
from verifydiff.samplers import (
    DDIM,
    DDPM,
    EDM,
    EulerMaruyama,
    GuidedStep,
    Heun,
    ReverseDiffusion,
    classifier_free,
    classifier_guided,
    log_uniform,
    sample,
)
from verifydiff.verdict import MisuseError

KEY = random.key(0)


def gaussian(mean, variance):
    """The exact model of data N(mean, variance)."""
    return lambda x, a: jnp.sqrt(1 - a) * (x - jnp.sqrt(a) * mean) / (a * variance + 1 - a)


# -- the guided step: a labelled mixture, whose classifier is no linear one ------------------------------------------------

MEANS = np.array([[-1.0, 0.5], [2.0, 1.0], [0.3, -1.5]])
VARIANCES = np.array([0.3, 0.7, 0.2])
WEIGHTS = np.array([0.2, 0.5, 0.3])


def log_class(x, a, label):
    """log p(y | x_t), up to nothing."""
    spread = a * VARIANCES + 1 - a
    apart = ((x[..., None, :] - jnp.sqrt(a) * MEANS) ** 2).sum(-1)
    log_joint = jnp.log(WEIGHTS) - jnp.log(spread) - apart / (2 * spread)
    return (log_joint - jax.nn.logsumexp(log_joint, axis=-1, keepdims=True))[..., label]


def gradient(x, a):
    return jax.grad(lambda x: log_class(x, a, 1).sum())(x)


def difference(x, a, h=1e-6):
    """The gradient again, by differences, one state."""
    steps = h * np.eye(2)
    return np.array([float(log_class(x + s, a, 1) - log_class(x - s, a, 1)) / (2 * h) for s in steps])


A_T, A_S = 0.4, 0.55
X = np.array([0.7, -0.4])
EPS_HAT = np.array([0.3, 1.1])


@pytest.mark.parametrize("scale", [1.0, 3.5])
@pytest.mark.parametrize("at", ["mean", "state"])
@pytest.mark.parametrize("sampler", [DDPM(), DDPM("large"), DDIM(0.6), EulerMaruyama(), ReverseDiffusion()], ids=str)
def test_the_guided_step_is_shifted_by_its_covariance_times_the_gradient(sampler, at, scale):
    mean, std = sampler.kernel(jnp.array(X), jnp.array(EPS_HAT), jnp.array(A_T), jnp.array(A_S))
    g = difference(np.asarray(mean), A_S) if at == "mean" else difference(X, A_T)
    guided = GuidedStep(sampler, gradient, scale, at)
    found = guided.kernel(jnp.array(X), jnp.array(EPS_HAT), jnp.array(A_T), jnp.array(A_S))
    np.testing.assert_allclose(found.mean, np.asarray(mean) + scale * float(std) ** 2 * g, rtol=0, atol=1e-8)
    assert float(found.std) == float(std)


def test_the_two_places_differ_and_so_do_the_two_levels():
    at_mean, at_state = (GuidedStep(DDPM(), gradient, at=at) for at in ("mean", "state"))
    one, other = (g.kernel(jnp.array(X), jnp.array(EPS_HAT), jnp.array(A_T), jnp.array(A_S)).mean for g in (at_mean, at_state))
    assert np.abs(one - other).max() > 1e-2
    mean = DDPM().kernel(jnp.array(X), jnp.array(EPS_HAT), jnp.array(A_T), jnp.array(A_S)).mean
    assert np.abs(difference(np.asarray(mean), A_S) - difference(np.asarray(mean), A_T)).max() > 1e-2


def test_a_draw_of_the_guided_step_has_its_law():
    guided = GuidedStep(DDPM(), gradient, 2.0)
    init = guided.init(jnp.array(X), jnp.array([A_T, A_S, 1.0]))
    drawn = guided.step(lambda x, a: jnp.array(EPS_HAT), init, jnp.array(A_T), jnp.array(A_S), key=KEY).x
    mean, std = guided.kernel(jnp.array(X), jnp.array(EPS_HAT), jnp.array(A_T), jnp.array(A_S))
    np.testing.assert_allclose((drawn - mean) / std, random.normal(KEY, (2,)), atol=1e-12)


def test_guiding_the_noise_of_a_ddpm_step_is_not_guiding_its_mean():
    """They differ by sqrt(alpha) beta against beta-tilde: the closed form of the first."""
    eps = lambda x, a: jnp.array(EPS_HAT)  # noqa: E731
    x, t, s = jnp.array(X), jnp.array(A_T), jnp.array(A_S)
    shifted = DDPM().kernel(x, classifier_guided(eps, gradient)(x, t), t, s).mean - DDPM().kernel(x, eps(x, t), t, s).mean
    alpha_t = A_T / A_S
    expected = forms.shift_by_step.numpy(forms.beta_t, forms.alpha_t, forms.gradient)(1 - alpha_t, alpha_t, difference(X, A_T))
    np.testing.assert_allclose(shifted, expected, atol=1e-8)


# -- the law at the end, of data along one direction -----------------------------------------------------------------------


def flow_map(sampler, eps, levels):
    """(A, b) of x_0 = A x_T + b, for a sampler without noise on a model that is affine."""
    at = jnp.array([0.0, 1.0])
    b, end = np.asarray(jax.jit(lambda x: sample(sampler, eps, x, levels, key=KEY))(at))
    return end - b, b


@partial(jax.jit, static_argnums=(0, 1))
def law(sampler, eps, levels):
    """The mean and variance of x_0, from N(0, 1), for a sampler of Gaussian steps on a model that is affine."""
    at = jnp.array([0.0, 1.0])

    def down(both, step):
        mean, variance = both
        m, std = sampler.kernel(at, eps(at, step[0]), *step)
        slope = m[1] - m[0]
        return (m[0] + slope * mean, slope**2 * variance + std**2), None

    (mean, variance), _ = jax.lax.scan(down, (jnp.zeros(()), jnp.ones(())), (levels[:-2], levels[1:-1]))
    end = sampler.last(eps, sampler.init(at, levels), levels[-2], key=KEY).x
    return end[0] + (end[1] - end[0]) * mean, (end[1] - end[0]) ** 2 * variance


M, V, U = 0.4, 0.7, 1.3
"""Data N(M, V), and a classifier p(y | x_0) proportional to exp(U x_0): given the label they are N(M + V U, V)."""


def tilt(x, a):
    """At x_t the classifier is E[exp(U x_0) | x_t], and its logarithm is linear again."""
    return jnp.full_like(x, U) * jnp.sqrt(a) * V / (a * V + 1 - a)


@pytest.mark.parametrize("sampler", [DDIM(), DDIM(0.5), DDPM(), Heun(), EDM(churn=4.0)], ids=str)
def test_an_exponential_tilt_by_guided_noise_is_sampled_as_if_it_were_the_data(sampler):
    levels, x_T = log_uniform(12), random.normal(KEY, (5,))
    guided = sample(sampler, classifier_guided(gaussian(M, V), tilt), x_T, levels, key=KEY)
    told = sample(sampler, gaussian(M + V * U, V), x_T, levels, key=KEY)
    np.testing.assert_allclose(guided, told, atol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_a_scale_tilts_by_as_much_more(scale):
    levels, x_T = log_uniform(12), random.normal(KEY, (5,))
    guided = sample(DDIM(), classifier_guided(gaussian(M, V), tilt, scale=scale), x_T, levels, key=KEY)
    np.testing.assert_allclose(guided, sample(DDIM(), gaussian(M + scale * V * U, V), x_T, levels, key=KEY), atol=1e-10)


@pytest.mark.parametrize("at", ["mean", "state"])
@pytest.mark.parametrize("sampler", [DDPM(), DDPM("large"), EulerMaruyama()], ids=str)
def test_guided_steps_end_in_the_tilted_law_as_they_grow_smaller(sampler, at):
    """At first order: half the steps, twice the error."""
    guided, model = GuidedStep(sampler, tilt, at=at), gaussian(M, V)
    coarse, fine = (float(law(guided, model, log_uniform(steps, 1e-3, 1e3))[0]) - (M + V * U) for steps in (200, 400))
    assert abs(fine) < 0.06
    assert np.log2(coarse / fine) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("wrong", [lambda x, a: -tilt(x, a), lambda x, a: tilt(x, a) / jnp.sqrt(a)], ids=["sign", "lost root"])
def test_a_wrong_gradient_ends_elsewhere(wrong):
    levels = log_uniform(200, 1e-3, 1e3)
    _, b = flow_map(Heun(), classifier_guided(gaussian(M, V), wrong), levels)
    assert abs(b - (M + V * U)) > 0.1


# -- without a classifier: x and y jointly Gaussian ------------------------------------------------------------------------

VAR_U, NOISE, LABEL = 1.5, 0.5, 1.2
"""x ~ N(0, VAR_U), y = x + N(0, NOISE)."""
VAR_C = VAR_U * NOISE / (VAR_U + NOISE)
MEAN_C = VAR_U / (VAR_U + NOISE) * LABEL
KNOWN = {forms.var_u: VAR_U, forms.var_c: VAR_C, forms.mean_u: 0.0, forms.mean_c: MEAN_C}


def closed(form, weight):
    return float(form.expression.subs({**KNOWN, forms.w: weight}))


def by_w(weight):
    return classifier_free(gaussian(MEAN_C, VAR_C), gaussian(0.0, VAR_U), weight=weight)


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_the_guided_flow_ends_in_its_own_variance_not_in_the_tilted_one(weight):
    variances = [flow_map(Heun(), by_w(weight), log_uniform(steps, 1e-4, 1e4))[0] ** 2 for steps in (300, 600)]
    coarse, fine = np.array(variances) / closed(forms.ode_variance, weight) - 1
    assert abs(fine) < 1e-3
    assert np.log2(coarse / fine) == pytest.approx(2, abs=0.1)
    gap = closed(forms.ode_variance, weight) / closed(forms.tilted_variance, weight)
    assert gap == pytest.approx(1) if weight == 0 else gap < 0.9


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_the_guided_sde_ends_in_its_own_law_not_in_the_tilted_one(weight):
    exact, model = np.array([closed(forms.sde_mean, weight), closed(forms.sde_variance, weight)]), by_w(weight)
    coarse, fine = (np.array(law(DDPM(), model, log_uniform(steps, 1e-3, 1e3))) - exact for steps in (400, 800))
    assert (np.abs(fine) < 0.01).all()
    assert np.log2(coarse / fine) == pytest.approx([1, 1], abs=0.2)
    assert abs(closed(forms.sde_mean, weight) - closed(forms.tilted_mean, weight)) > 0.02
    assert abs(closed(forms.sde_variance, weight) - closed(forms.tilted_variance, weight)) > 0.02


def test_guidance_by_scale_in_place_of_weight_ends_elsewhere():
    A, _ = flow_map(Heun(), by_w(3.0), log_uniform(300, 1e-4, 1e4))
    assert 0.7 * closed(forms.ode_variance, 2.0) > A**2


# -- bad input -------------------------------------------------------------------------------------------------------------

BAD = {
    "elsewhere": (lambda: GuidedStep(DDPM(), gradient, at="mu"), "`at` must be 'mean' or 'state'"),
    "no Gaussian steps": (lambda: GuidedStep(Heun(), gradient), "guide its model"),
    "no scale": (lambda: GuidedStep(DDPM(), gradient, "2"), "`scale` must be a number"),
    "NaN": (lambda: GuidedStep(DDPM(), gradient, float("nan")), "`scale` must lie"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_bad_guidance_is_refused(make, message):
    with pytest.raises(MisuseError, match=message):
        make()
