"""A second route to predictions, scores and frames: numbers by quadrature and by hand-written loops, nothing of the engine.

The closed forms are only evaluated. What they are compared with is integrated, solved or stepped through from definitions.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from verifydiff.forms import ddim, edm, flow, forward, inversion, mixture, predictions, score, terminal
from verifydiff.forms import quantities as q
from verifydiff.forms.predictions import u
from verifydiff.forms.score import score_t

LEVELS = (1e-4, 0.03, 0.3, 0.5, 0.9, 0.9999)
GRID, STEP = np.linspace(-12, 12, 3001, retstep=True)  # of the data
STATES, APART = np.linspace(-8, 8, 401, retstep=True)  # of what is noised
SMALL = 1e-4


def integral(values, step=STEP):
    """Over a grid; the trapezoidal rule converges faster than any power for what is smooth and vanishes at the ends."""
    return step * np.sum(values, axis=-1)


# -- predictions: two linear equations, solved ---------------------------------------------------------------------------


def rows(level):
    """The five predictions as rows over (x_0, eps)."""
    a, b = np.sqrt(level), np.sqrt(1 - level)
    return {q.x_0: (1, 0), q.eps: (0, 1), q.v: (-b, a), score_t: (0, -1 / b), u: (-1, 1)}


MAPS = {
    (wanted, given): form
    for wanted, given, form in [
        (q.x_0, q.eps, forward.x0_from_eps), (q.x_0, q.v, forward.x0_from_v), (q.x_0, score_t, score.tweedie_mean),
        (q.x_0, u, predictions.x0_from_u), (q.eps, q.x_0, forward.eps_from_x0), (q.eps, q.v, forward.eps_from_v),
        (q.eps, score_t, predictions.eps_from_score), (q.eps, u, predictions.eps_from_u), (q.v, q.eps, predictions.v_from_eps),
        (q.v, q.x_0, predictions.v_from_x0), (q.v, score_t, predictions.v_from_score), (q.v, u, predictions.v_from_u),
        (score_t, q.eps, score.kernel_score), (score_t, q.x_0, predictions.score_from_x0),
        (score_t, q.v, predictions.score_from_v), (score_t, u, predictions.score_from_u), (u, q.eps, predictions.u_from_eps),
        (u, q.x_0, predictions.u_from_x0), (u, q.v, predictions.u_from_v), (u, score_t, predictions.u_from_score),
    ]
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("pair", MAPS, ids=lambda pair: f"{pair[0].name} by {pair[1].name}")
def test_a_map_solves_two_linear_equations(pair, level):
    wanted, given = pair
    table, state = rows(level), (np.sqrt(level), np.sqrt(1 - level))
    by_solving = np.linalg.solve(np.array([state, table[given]]).T, np.array(table[wanted]))
    map_ = MAPS[pair].numpy(q.abar_t, q.x_t, given)
    by_form = [map_(level, 1.0, 0.0), map_(level, 0.0, 1.0)]
    np.testing.assert_allclose(by_form, by_solving, rtol=1e-9, atol=1e-9)


# -- scores: quadrature over data that are no Gaussian ---------------------------------------------------------------------

SHAPE = 0.3 * np.exp(-((GRID + 2) ** 2) / 0.5) + 0.2 * np.exp(-(np.abs(GRID - 1) ** 3)) + 0.1 / np.cosh(3 * (GRID - 2.5))
DATA = SHAPE / integral(SHAPE)


def noised(level, states=STATES):
    """The joint density over (x_t, x_0), and x_t without its signal."""
    gap = states[:, None] - np.sqrt(level) * GRID[None, :]
    return DATA[None, :] * np.exp(-(gap**2) / (2 * (1 - level))) / np.sqrt(2 * np.pi * (1 - level)), gap


def log_marginal(level, states):
    return np.log(integral(noised(level, states)[0]))


def slopes(function):
    """The first and second derivatives by central differences."""
    below, here, above = function(STATES - SMALL), function(STATES), function(STATES + SMALL)
    return (above - below) / (2 * SMALL), (above - 2 * here + below) / SMALL**2


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_the_best_predictions_are_known_from_the_score(level):
    joint, gap = noised(level)
    marginal = integral(joint)
    slope, hessian = slopes(lambda x: log_marginal(level, x))
    noise = integral(joint * gap / np.sqrt(1 - level)) / marginal
    mean = integral(joint * GRID) / marginal
    variance = integral(joint * GRID**2) / marginal - mean**2
    by_score = score.tweedie_mean.numpy(q.abar_t, q.x_t, score_t)(level, STATES, slope)
    by_hessian = score.tweedie_covariance.numpy(q.abar_t, score.hessian_t, score.delta)(level, hessian, 1.0)
    np.testing.assert_allclose(score.optimal_eps.numpy(q.abar_t, score_t)(level, slope), noise, atol=1e-6)
    np.testing.assert_allclose(by_score, mean, atol=1e-6)
    np.testing.assert_allclose(by_hessian, variance, atol=1e-5)


MODELS = {"a line": lambda x: -0.4 * x + 0.1, "a wave": lambda x: np.sin(2 * x) - 0.2 * x, "none": lambda x: 0 * x}
SLOPES = {"a line": lambda x: -0.4 + 0 * x, "a wave": lambda x: 2 * np.cos(2 * x) - 0.2, "none": lambda x: 0 * x}


def test_the_three_losses_differ_by_constants():
    level = 0.5
    joint, gap = noised(level)
    marginal, (slope, _) = integral(joint), slopes(lambda x: log_marginal(level, x))
    apart = []
    for name, model in MODELS.items():
        s = model(STATES)
        denoising = integral(integral(joint * (s[:, None] + gap / (1 - level)) ** 2), APART)
        explicit = integral(marginal * (s - slope) ** 2, APART)
        implicit = integral(marginal * (s**2 + 2 * SLOPES[name](STATES)), APART)
        apart.append((denoising - explicit, explicit - implicit))
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], (3, 2)), rtol=1e-6)
    assert apart[0][0] > 0.1


# -- mixtures: Bayes by quadrature -----------------------------------------------------------------------------------------

WEIGHTS, MEANS, VARIANCES = np.array([0.5, 0.2, 0.3]), np.array([-1.5, 0.3, 2.0]), np.array([0.2, 0.05, 0.6])


@pytest.mark.parametrize("level", [0.1, 0.6, 0.95])
@pytest.mark.parametrize("x", [-2.0, 0.1, 1.4])
def test_a_mixture_is_the_average_of_its_components(level, x):
    def density(y):
        prior = np.sum(WEIGHTS * np.exp(-((y - MEANS) ** 2) / (2 * VARIANCES)) / np.sqrt(VARIANCES))
        return prior * np.exp(-((x - np.sqrt(level) * y) ** 2) / (2 * (1 - level)))

    moments = [quad(lambda y, n=n: y**n * density(y), -12, 12, points=[-1.5, 0.3, 2.0], limit=200)[0] for n in range(3)]
    mean, variance = moments[1] / moments[0], moments[2] / moments[0] - (moments[1] / moments[0]) ** 2
    spread = mixture.component_variance.numpy(q.abar_t, mixture.c_k)(level, VARIANCES)
    centre = mixture.component_mean.numpy(q.abar_t, mixture.mu_k)(level, MEANS)
    share = WEIGHTS * np.exp(-((x - centre) ** 2) / (2 * spread)) / np.sqrt(spread)
    share /= share.sum()
    arguments = (q.abar_t, q.x_t, mixture.mu_k, mixture.c_k)
    means = mixture.component_denoiser.numpy(*arguments)(level, x, MEANS, VARIANCES)
    within = mixture.component_covariance.numpy(q.abar_t, mixture.c_k)(level, VARIANCES)
    scores = mixture.component_score.numpy(*arguments)(level, x, MEANS, VARIANCES)
    assert share @ means == pytest.approx(mean, rel=1e-7)
    assert share @ (within + means**2) - (share @ means) ** 2 == pytest.approx(variance, rel=1e-6)
    tweedie = score.tweedie_mean.numpy(q.abar_t, q.x_t, score_t)(level, x, share @ scores)
    assert tweedie == pytest.approx(mean, rel=1e-7)


# -- frames ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sigma", "sigma_data"), [(0.1, 0.5), (0.5, 0.5), (3.0, 0.7)])
def test_preconditioning_by_minimising_a_variance(sigma, sigma_data):
    """The data are uniform, so that nothing rests on their being normal."""
    y = np.linspace(-1, 1, 20001) * sigma_data * np.sqrt(3)
    second = np.mean(y[:-1] ** 2 + y[1:] ** 2 + y[:-1] * y[1:]) / 3

    def variance(c_skip):
        return (1 - c_skip) ** 2 * second + c_skip**2 * sigma**2

    best = minimize_scalar(variance, bounds=(0, 1), method="bounded", options={"xatol": 1e-10})
    arguments = (edm.sigma, edm.sigma_data)
    assert edm.c_skip.numpy(*arguments)(sigma, sigma_data) == pytest.approx(best.x, abs=1e-6)
    assert edm.c_out.numpy(*arguments)(sigma, sigma_data) == pytest.approx(np.sqrt(best.fun), rel=1e-9)
    assert edm.loss_weight.numpy(*arguments)(sigma, sigma_data) == pytest.approx(1 / best.fun, rel=1e-9)
    assert edm.c_in.numpy(*arguments)(sigma, sigma_data) ** -2 == pytest.approx(second + sigma**2, rel=1e-9)


def network(x, level):
    """Some nonlinear prediction of the noise, on the variance-preserving scale."""
    return np.tanh(x + 0.3) + 0.2 * np.cos(3 * level)


def test_euler_steps_of_a_flow_are_ddim_steps():
    times = np.linspace(0.99, 0.0, 12)
    levels = flow.level.numpy(flow.t)(times)
    scales = flow.scale.numpy(flow.t)(times)
    velocity = flow.velocity_from_eps.numpy(flow.t, flow.x, q.eps)
    step = ddim.step_mean.numpy(q.abar_s, q.abar_t, q.sigma_t, q.x_t, q.eps)
    straight, preserving = 1.7, 1.7 / scales[0]
    for now, later in zip(range(11), range(1, 12), strict=True):
        straight += (times[later] - times[now]) * velocity(times[now], straight, network(straight / scales[now], levels[now]))
        preserving = step(levels[later], levels[now], 0.0, preserving, network(preserving, levels[now]))
        assert straight == pytest.approx(preserving * scales[later], rel=1e-11)


def test_a_shift_of_times_multiplies_sigma():
    times = np.linspace(0.01, 0.99, 30)
    new = flow.shifted.numpy(flow.shift, flow.t)(3.0, times)
    np.testing.assert_allclose(new / (1 - new), 3 * times / (1 - times), rtol=1e-12)
    np.testing.assert_allclose(flow.shifted_by_exponential.numpy(flow.mu, flow.t)(np.log(3.0), times), new, rtol=1e-12)


def test_the_mean_velocity_carries_the_noised_data():
    """The continuity equation by finite differences: quadrature knows the densities at neighbouring times."""

    def at(time, states=STATES):
        gap = states[:, None] - (1 - time) * GRID[None, :]
        joint = DATA[None, :] * np.exp(-(gap**2) / (2 * time**2)) / np.sqrt(2 * np.pi) / time
        return integral(joint), integral(joint * (states[:, None] - GRID[None, :]) / time)

    in_time = (at(0.5 + SMALL)[0] - at(0.5 - SMALL)[0]) / (2 * SMALL)
    density, flux = at(0.5)
    np.testing.assert_allclose(in_time, -slopes(lambda x: at(0.5, x)[1])[0], atol=1e-6)
    score_at = slopes(lambda x: np.log(at(0.5, x)[0]))[0]
    by_score = flow.velocity_from_score.numpy(flow.t, flow.x, flow.score)(0.5, STATES, score_at)
    np.testing.assert_allclose(by_score, flux / density, atol=1e-5)


def test_a_round_trip_is_off_by_the_square_of_the_step():
    """Down with the prediction at one end, up with that at the other: halve the step and a quarter is left."""
    sigma_t, state = 1.3, 0.8
    errors = []
    for h in (0.02, 0.01, 0.005):
        level_t, level_s = 1 / (1 + sigma_t**2), 1 / (1 + (sigma_t - h) ** 2)
        down = ddim.step_mean.numpy(q.abar_s, q.abar_t, q.sigma_t, q.x_t, q.eps)
        up = inversion.step.numpy(q.abar_s, q.abar_t, q.x_s, q.eps)
        eps_t = network(state, level_t)
        lower = down(level_s, level_t, 0.0, state, eps_t)
        eps_s = network(lower, level_s)
        errors.append((up(level_s, level_t, lower, eps_s) - state) / np.sqrt(level_t))
        form = inversion.round_trip.numpy(q.abar_s, q.abar_t, inversion.eps_s, inversion.eps_t)
        assert errors[-1] == pytest.approx(form(level_s, level_t, eps_s, eps_t), rel=1e-6)
        assert up(level_s, level_t, lower, eps_t) == pytest.approx(state, rel=1e-12)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.03)


# -- the noisy end ------------------------------------------------------------------------------------------------------------


def test_rescaling_is_algorithm_1_of_lin_et_al():
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    roots = np.sqrt(np.cumprod(1 - betas))
    assert roots[-1] == pytest.approx(0.068265, abs=5e-7)  # Lin et al. 2024, eq. 10
    assert np.sqrt(1 - roots[-1] ** 2) == pytest.approx(0.997667, abs=5e-7)
    shifted = (roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])
    form = terminal.rescaled_root.numpy(terminal.root, terminal.last, terminal.kept)
    np.testing.assert_allclose(form(roots, roots[-1], roots[-1] / roots[0]), shifted, atol=1e-14)
    assert shifted[0] == pytest.approx(roots[0], rel=1e-14)
    assert shifted[-1] == 0.0


@pytest.mark.parametrize(("times", "steps"), [(1000, 10), (1000, 13), (1000, 1000), (50, 7), (1000, 3)])
def test_the_grids_by_counting(times, steps):
    stride, rest = divmod(times, steps)
    leading = np.arange(1, 1 + steps * stride, stride)
    assert len(leading) == steps
    gap = terminal.leading_gap.numpy(terminal.stride, terminal.rest)
    assert times - leading[-1] == gap(stride, rest)
    trailing = [times - i * times / steps for i in range(steps)]
    assert trailing[-1] == pytest.approx(terminal.trailing_last.numpy(terminal.times, terminal.steps)(times, steps), rel=1e-12)


def test_the_cosine_schedule_by_its_cosines():
    cosines = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2)
    levels = terminal.cosine_level.numpy(terminal.cos_0, terminal.cos_t)(cosines[0], cosines)
    betas = terminal.cosine_beta.numpy(terminal.cos_s, terminal.cos_t)(cosines[:-1], cosines[1:])
    np.testing.assert_allclose(np.cumprod(1 - betas), levels[1:], rtol=1e-9, atol=1e-30)
    clipped = np.prod(1 - np.minimum(betas, 0.999))
    assert clipped / (1 - clipped) == pytest.approx(2.428735e-09, rel=1e-3)  # Lin et al. 2024, table 1
