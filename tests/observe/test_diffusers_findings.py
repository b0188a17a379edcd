"""What was found wrong in released schedulers, by a second route: plain torch, the library as it is shipped, nothing of the probe.

The data are exactly 0.4 everywhere, and the model is the exact one for them: whatever its order, a solver has to return 0.4.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="judging diffusers needs torch")
schedulers = pytest.importorskip("diffusers.schedulers", reason="judging diffusers needs diffusers")

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, when it is called directly
DATA = 0.4


def noise():
    return torch.randn(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))


def end(name, steps=10, **options):
    """What a scheduler over array indices makes of the exact model."""
    scheduler = getattr(schedulers, name)(**options)
    scheduler.set_timesteps(steps)
    x = noise() * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        abar = scheduler.alphas_cumprod[int(t)]
        eps = (x - abar.sqrt() * DATA) / (1 - abar).sqrt()
        v = abar.sqrt() * eps - (1 - abar).sqrt() * DATA
        prediction = v if options.get("prediction_type") == "v_prediction" else eps
        x = scheduler.step(prediction, t, x).prev_sample
    return x


RIGHT = [
    ("PNDMScheduler", {"set_alpha_to_one": True}),
    ("UniPCMultistepScheduler", {}),
    ("DPMSolverMultistepScheduler", {"prediction_type": "v_prediction"}),
]


@pytest.mark.parametrize(("name", "options"), RIGHT)
def test_the_second_route_returns_the_data_where_the_library_is_right(name, options):
    assert torch.allclose(end(name, **options), torch.tensor(DATA), atol=1e-5)


@pytest.mark.parametrize("skip", [False, True])
def test_pndm_mixes_velocities_of_different_times(skip):
    off = end("PNDMScheduler", set_alpha_to_one=True, prediction_type="v_prediction", skip_prk_steps=skip) - DATA
    assert off.abs().min() > 5e-3


def test_pndm_strides_past_the_times_of_linspace():
    assert (end("PNDMScheduler", set_alpha_to_one=True, timestep_spacing="linspace") - DATA).abs().max() > 0.02


@pytest.mark.parametrize("options", [{"solver_type": "bh1"}, {"predict_x0": False}])
def test_unipc_ends_in_no_number(options):
    assert end("UniPCMultistepScheduler", **options).isnan().all()


@pytest.mark.parametrize("options", [{"solver_type": "heun"}, {"solver_order": 3}])
def test_a_sigma_that_stands_twice_ends_dpm_solver_in_no_number(options):
    common = {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}
    assert end("DPMSolverMultistepScheduler", 20, **common, **options).isnan().all()
    assert end("DPMSolverMultistepScheduler", 10, **common, **options).isfinite().all()  # the last steps are of lower order there


RUNS_OFF = [
    ("DEISMultistepScheduler", IndexError),
    ("UniPCMultistepScheduler", AssertionError),
    ("SASolverScheduler", AssertionError),
]


@pytest.mark.parametrize(("name", "error"), RUNS_OFF)
def test_rounded_times_collide_and_the_loop_runs_off_the_end(name, error):
    options = {"use_karras_sigmas": True, "beta_schedule": "squaredcos_cap_v2"}
    scheduler = getattr(schedulers, name)(**options)
    scheduler.set_timesteps(10)
    assert scheduler.timesteps[0] == scheduler.timesteps[1]
    with pytest.raises(error):
        end(name, **options)


NO_BRANCH = [
    (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver", "solver_order": 3, "final_sigmas_type": "sigma_min"},
        UnboundLocalError,
    ),
    (
        "DPMSolverSinglestepScheduler",
        {"algorithm_type": "dpmsolver", "thresholding": True, "final_sigmas_type": "sigma_min"},
        RuntimeError,
    ),
    ("SASolverScheduler", {"algorithm_type": "noise_prediction", "thresholding": True}, RuntimeError),
]


@pytest.mark.parametrize(("name", "options", "error"), NO_BRANCH)
def test_options_that_are_taken_and_then_stumbled_over(name, options, error):
    with pytest.raises(error):
        end(name, **options)


def test_ipndm_does_not_hear_its_first_prediction():
    def after(v):
        scheduler = schedulers.IPNDMScheduler()
        scheduler.set_timesteps(10)
        return scheduler.step(torch.full((1, 1, 2, 2), v), scheduler.timesteps[0], noise()).prev_sample, scheduler.alphas[1]

    (zero, alpha), (five, _) = after(0.0), after(-5.0)  # where there is no signal, v is minus the data
    assert torch.equal(zero, five)
    assert alpha * 5 > 1  # by so much they should differ


def test_the_velocity_of_euler_is_that_of_another_time():
    scheduler = schedulers.EulerDiscreteScheduler()
    scheduler.set_timesteps(10)
    got = scheduler.get_velocity(torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), scheduler.timesteps[:1])
    sigma = (1 - scheduler.alphas_cumprod).sqrt()
    assert scheduler.timesteps[0] == 999
    assert float(got.squeeze()) == pytest.approx(-float(sigma[0]))
    assert float(sigma[999]) > 0.999


def test_karras_ve_takes_variances_for_standard_deviations():
    from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler

    scheduler = KarrasVeScheduler()
    scheduler.set_timesteps(10)
    assert scheduler.init_noise_sigma == 100
    assert float(scheduler.schedule[scheduler.timesteps[0]]) == pytest.approx(100**2)


def test_repaint_undoes_a_step_with_the_betas_of_another():
    scheduler = schedulers.RePaintScheduler()
    scheduler.set_timesteps(20)
    stride, t = 50, 100
    step_led_from, to = scheduler.alphas_cumprod[t], scheduler.alphas_cumprod[t - stride]
    state = scheduler.undo_step(torch.ones(1, 1, 200, 200), torch.tensor(t), torch.Generator().manual_seed(0))
    kept = float(state.mean())
    used = float(torch.prod(1 - scheduler.betas[t : t + stride]).sqrt())
    assert kept == pytest.approx(used, abs=6 * 0.5 / 200)
    assert abs(used - float((step_led_from / to).sqrt())) > 0.02


def test_consistency_over_inverted_sigmas_takes_the_noise_for_the_data():
    def end_of(name, **options):
        scheduler = getattr(schedulers, name)(invert_sigmas=True, **options)
        scheduler.set_timesteps(4)
        x = noise()
        for sigma, t in zip(scheduler.sigmas, scheduler.timesteps, strict=False):  # sigma is the share of the data
            x = scheduler.step(DATA - (x - sigma * DATA) / (1 - sigma), t, x).prev_sample
        return x

    assert torch.allclose(end_of("FlowMatchEulerDiscreteScheduler"), torch.tensor(DATA), atol=1e-6)
    assert (end_of("FlowMatchLCMScheduler") - DATA).abs().max() > 0.1


def test_a_flow_with_karras_sigmas_works_with_less_than_no_data():
    scheduler = schedulers.DPMSolverMultistepScheduler(
        use_flow_sigmas=True, use_karras_sigmas=True, prediction_type="flow_prediction"
    )
    scheduler.set_timesteps(10)
    assert 1 - scheduler.sigmas[0] < -100


def test_times_are_cut_and_not_rounded():
    scheduler = schedulers.DPMSolverMultistepScheduler(use_exponential_sigmas=True)
    scheduler.set_timesteps(10)
    table = np.log((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod) / 2
    meant = np.interp(np.log(scheduler.sigmas[:-1]), table, np.arange(1000))
    off = scheduler.timesteps.numpy() - meant
    assert off.max() < 0.01
    assert off.min() < -0.9


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_cogvideox_has_an_eta_that_it_does_not_use(eta):
    def after(seed):
        scheduler = schedulers.CogVideoXDDIMScheduler()
        scheduler.set_timesteps(10)
        generator = torch.Generator().manual_seed(seed)
        return scheduler.step(noise(), scheduler.timesteps[0], noise(), eta=eta, generator=generator).prev_sample

    assert torch.equal(after(0), after(1))


def last_step(m, steps, solver_order, algorithm):
    """One step of a multistep solver whose predictions are m(lambda), beside the exact integral over that m.

    The solver of the probability flow adds the integral of exp(lambda) m to ``x_s / sigma_s``; that of the reverse SDE,
    its noise set to 0, has the integral of ``2 exp(2 lambda - lambda_t) m`` on top of ``exp(-h) x_s / sigma_s``.

    Returns:
        (the error of the step, alpha_t, h, the second difference of the last three predictions).
    """
    from scipy.integrate import quad

    ratio = np.geomspace(0.1, 10, steps + 1)
    abar = 1 / (1 + ratio**2)
    scheduler = schedulers.DPMSolverMultistepScheduler(
        trained_betas=(1 - abar / np.append(1.0, abar[:-1])).tolist(),
        num_train_timesteps=steps + 1,
        solver_order=solver_order,
        algorithm_type=algorithm,
        prediction_type="sample",
        final_sigmas_type="sigma_min",
    )
    scheduler.set_timesteps(steps)
    sigmas = scheduler.sigmas.double().numpy()
    lambdas, alphas = -np.log(sigmas), 1 / np.sqrt(1 + sigmas**2)
    x = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    for k, t in enumerate(scheduler.timesteps):
        before, prediction = float(x), torch.full((1, 1, 1, 1), m(lambdas[k]), dtype=torch.float64)
        noiseless = {"variance_noise": torch.zeros(1, 1, 1, 1)} if algorithm.startswith("sde") else {}
        x = scheduler.step(prediction, t, x, **noiseless).prev_sample
    here, there, h = lambdas[k], lambdas[k + 1], lambdas[k + 1] - lambdas[k]
    sigma_s, sigma_t = sigmas[k] * alphas[k], sigmas[k + 1] * alphas[k + 1]
    if algorithm.startswith("sde"):
        exact = np.exp(-h) * before / sigma_s + quad(lambda u: 2 * np.exp(2 * u - there) * m(u), here, there)[0]
    else:
        exact = before / sigma_s + quad(lambda u: np.exp(u) * m(u), here, there)[0]
    second = m(lambdas[k]) - 2 * m(lambdas[k - 1]) + m(lambdas[k - 2])
    return float(x) - sigma_t * exact, alphas[k + 1], h, second


def test_the_third_order_dpm_solver_weighs_the_second_derivative_by_half():
    """Of the term phi_3 times h^2 m'' the library takes the half, D2 being the half of h^2 m'': so its order is 2."""
    assert abs(last_step(lambda u: u, 30, 3, "dpmsolver++")[0]) < 2e-6  # linear predictions are integrated exactly
    error, alpha, h, second = last_step(lambda u: u**2, 30, 3, "dpmsolver++")
    phi_3 = (np.exp(-h) - 1 + h) / h**2 - 0.5
    missing = -alpha * phi_3 * second / 2
    assert abs(error) > 1e-4
    assert error == pytest.approx(-missing, rel=0.02)


def test_the_third_order_sde_dpm_solver_has_a_sign_that_makes_it_inconsistent():
    """The weight of D2 must vanish with h; (1 - exp(-2 h) - 2 h) / (2 h)^2 - 1/2 tends to -1."""
    assert abs(last_step(lambda u: u, 30, 3, "sde-dpmsolver++")[0]) < 2e-6
    for steps in (30, 60):
        error, alpha, h, second = last_step(lambda u: u**2, steps, 3, "sde-dpmsolver++")
        assert error / (alpha * second / 2) == pytest.approx(-1.0, abs=2 * h)
