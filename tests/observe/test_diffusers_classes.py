"""Every scheduler class of the installed diffusers as a target: found, run wide, and read at the right level."""

import json

import numpy as np
import pytest

from verifydiff.observe.diffusers import NotApplicable, configurations, diffusers_target, schedulers
from verifydiff.observe.diffusers.configurations import pairwise
from verifydiff.observe.diffusers.options import Refused, literals, options_of
from verifydiff.observe.response import respond
from verifydiff.verdict import MisuseError

pytest.importorskip("torch", reason="judging diffusers needs torch")
pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")

FOUND = schedulers()
APPLICABLE = [name for name, found in FOUND.items() if not isinstance(found, NotApplicable)]
BROWNIAN = ["CosineDPMSolverMultistepScheduler", "DPMSolverSDEScheduler"]
needs_torchsde = pytest.mark.skipif(BROWNIAN[0] not in APPLICABLE, reason="a Brownian tree needs torchsde")
STEPS = {"ConsistencyDecoderScheduler": 2, "SCMScheduler": 2, "PiflowScheduler": 4, "HeliosDMDScheduler": 4}
"""Where ten steps are not what a class takes."""
CONFIG = {
    "DDIMInverseScheduler": {"set_alpha_to_one": False},  # from the data themselves, which hold no noise, nothing can land
}
MEAN_ALONE = {
    "CMStochasticIterativeScheduler": "its data are those of the level sigma_min, whose noise it leaves out",
    "DDPMWuerstchenScheduler": "its last step adds no noise, and leads to abar = 0.9999",
    "ScoreSdeVeScheduler": "the reverse diffusion step is of first order in the variance",
}
NOT_EXACT = {
    "ScoreSdeVpScheduler": "Euler-Maruyama steps are of first order",
    "IPNDMScheduler": "it loses the prediction of its first query, where the weight of the data is 0",
}
COARSE = {"LTXEulerAncestralRFScheduler": 1e-10, "KarrasVeScheduler": 1e-11}
"""The one adds 1e-12 to what it divides by; the states of the other hold 10,000 times as much noise as data."""


def target(name, **options):
    options = {"steps": STEPS.get(name, 10), "config": CONFIG.get(name), **options}
    return diffusers_target(name, **options)


def landed(response):
    """What every state holds of the data and of the variance of the noise, while all predictions are one and the same data."""
    kept = response.start / response.start[0]
    data = kept * response.alpha[0] + response.answers.sum(axis=1)
    return data, (kept * response.sigma[0]) ** 2 + (response.draws**2).sum(axis=1)


@pytest.fixture(scope="module", params=APPLICABLE)
def observed(request):
    return request.param, respond(target(request.param))


def test_every_class_is_found_and_none_is_skipped_silently():
    import diffusers.schedulers

    offered = {name for name in dir(diffusers.schedulers) if name.endswith("Scheduler")}
    assert offered <= set(FOUND)
    assert {"KarrasVeScheduler", "ScoreSdeVpScheduler"} <= set(APPLICABLE)
    assert len(APPLICABLE) >= 43
    reasons = [found.reason for found in FOUND.values() if isinstance(found, NotApplicable)]
    assert all(reason and "\n" not in reason for reason in reasons)
    assert {name for name in FOUND if name not in APPLICABLE} >= {
        "AmusedScheduler",
        "VQDiffusionScheduler",
        "RFD4ProteinaScheduler",
    }


def test_states_are_affine_in_double_precision_and_nothing_is_hidden(observed):
    name, response = observed
    assert response.unit == 2.0**-53
    assert response.residual.max() < 1e-9, name
    assert not response.hidden
    assert np.isfinite(response.answers).all()


def test_constant_predictions_land_on_the_level_that_every_query_is_meant_at(observed):
    name, response = observed
    data, variance = landed(response)
    within = COARSE.get(name, 1e-12)
    off_data, off_variance = np.abs(data - response.alpha).max(), np.abs(variance - response.sigma**2).max()
    if name in NOT_EXACT:
        assert off_data > 1e-4
    elif name in MEAN_ALONE:
        assert off_data < within
        assert off_variance > 1e-7
    else:
        assert (off_data < within, off_variance < within) == (True, True), (off_data, off_variance)


@pytest.mark.parametrize("name", ["ScoreSdeVeScheduler", "ScoreSdeVpScheduler"])
def test_what_is_not_exact_is_so_in_the_limit(name):
    def off(steps):
        response = respond(target(name, steps=steps))
        (data, variance), queries = landed(response), slice(response.queries)
        off_variance = np.abs(variance[queries] / response.sigma[queries] ** 2 - 1)
        return max(np.abs(data - response.alpha)[queries].max(), off_variance.max())

    errors = [off(steps) for steps in (100, 200, 400)]
    assert errors[0] > 1.5 * errors[1] > 1.5**2 * errors[2]


TOLD_APART = {"DDIMInverseScheduler", "DPMSolverSDEScheduler", "KDPM2DiscreteScheduler", "ScoreSdeVeScheduler"}
"""Which tell the time of the step's end, times interpolated another way, or sigmas of another table."""


def test_the_told_times_stand_for_the_levels_that_are_meant(observed):
    name, response = observed
    told, meant = ([frame.preserving for frame in frames] for frames in (response.run.told, response.run.meant))
    off = max(abs(one.alpha - other.alpha) + abs(one.sigma - other.sigma) for one, other in zip(told, meant, strict=True))
    assert (off > 1e-12) == (name in TOLD_APART), off


def test_what_a_class_ends_on_is_told():
    assert target("DDIMScheduler").end.sigma == 0
    assert target("DDIMScheduler", config={"set_alpha_to_one": False}).end.level == pytest.approx(0.9999)
    assert target("EulerDiscreteScheduler", config={"final_sigmas_type": "sigma_min"}).end.alpha == 1
    assert target("TCDScheduler").end.level < 1
    assert any("abar = 0.9999" in note for note in target("DDPMWuerstchenScheduler").notes)


WITH_OPTIONS = [
    ("DPMSolverMultistepScheduler", {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"}),
    ("DPMSolverMultistepScheduler", {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}),
    ("DPMSolverMultistepScheduler", {"use_lu_lambdas": True, "solver_type": "heun"}),
    ("DPMSolverSinglestepScheduler", {"solver_order": 3, "lower_order_final": True}),
    ("UniPCMultistepScheduler", {"solver_order": 3, "prediction_type": "v_prediction"}),
    ("UniPCMultistepScheduler", {"use_flow_sigmas": True, "use_karras_sigmas": True, "prediction_type": "flow_prediction"}),
    ("SASolverScheduler", {"predictor_order": 3, "corrector_order": 3}),
    ("DEISMultistepScheduler", {"solver_order": 3, "use_karras_sigmas": True}),
    ("EDMDPMSolverMultistepScheduler", {"prediction_type": "v_prediction", "sigma_schedule": "exponential"}),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, "use_dynamic_shifting": True}),
    ("FlowMatchEulerDiscreteScheduler", {"invert_sigmas": True}),
    ("FlowMatchEulerDiscreteScheduler", {"stochastic_sampling": True}),
    ("HeunDiscreteScheduler", {"beta_schedule": "exp"}),
    ("DDPMScheduler", {"beta_schedule": "laplace"}),
    ("CogVideoXDDIMScheduler", {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "snr_shift_scale": 2.0}),
    ("LTXEulerAncestralRFScheduler", {"eta": 0.0}),
    ("KarrasVeScheduler", {"s_churn": 0}),
    ("PNDMScheduler", {"skip_prk_steps": True, "steps_offset": 1}),
]


@pytest.mark.parametrize(("name", "config"), WITH_OPTIONS, ids=lambda value: value if isinstance(value, str) else json.dumps(value))
def test_options_land_too(name, config):
    response = respond(target(name, config=config))
    data, variance = landed(response)
    assert np.abs(data - response.alpha).max() < 1e-10
    assert np.abs(variance - response.sigma**2).max() < 1e-10


def test_the_library_as_it_is_shipped_is_single_precision():
    response = respond(target("FlowMatchEulerDiscreteScheduler").as_shipped)
    assert response.residual.max() > 1e-9


# -- noise -------------------------------------------------------------------------------------------------------------------


def test_increments_of_the_path_are_normalised_as_the_librarys_sampler_does():
    import torch

    from verifydiff.observe.diffusers.noise import BrownianNoise

    drawn = []

    def draw(shape, natural):
        drawn.append(np.asarray(natural()))
        return drawn[-1]

    noise = BrownianNoise(draw, torch.zeros(3, 2), 0.1, 10.0, seed=4)
    down = noise(torch.tensor(8.0), torch.tensor(2.0))
    assert drawn[0].shape == (3, 2)
    np.testing.assert_allclose(down.numpy(), drawn[0], rtol=1e-6)  # W(2) - W(8), over the root of 6
    half = noise(torch.tensor(8.0), torch.tensor(4.0))
    np.testing.assert_allclose(half.numpy(), np.sqrt(4 / 6) * drawn[0] + np.sqrt(2 / 6) * drawn[1], rtol=1e-6)
    assert torch.equal(noise(torch.tensor(2.0), torch.tensor(8.0)), -down)


@needs_torchsde
@pytest.mark.parametrize("name", BROWNIAN)
def test_the_librarys_brownian_tree_has_the_scale_that_the_path_has(name):
    """With no tap open the library draws from its own tree: the states have the variance that the weights say."""
    one = target(name, steps=4)
    response = respond(one)
    rows = 4000
    x = np.zeros((rows, *one.shape))
    returned = []

    def denoise(state, t, at=None):
        returned.append(np.asarray(state) / at.size)
        return np.asarray(
            one.wording(returned[-1] * at.size, 0 * returned[-1], at) if one.wording else returned[-1] / at.preserving.sigma
        )

    one.sample(denoise, x, 3)
    for k, state in enumerate(returned[1:], start=1):
        expected = (response.draws[k] ** 2).sum()
        assert np.var(state) == pytest.approx(expected, rel=6 * np.sqrt(2 / state.size))


SEEDED = ["DDPMScheduler", "CogVideoXDPMScheduler", "LCMScheduler", pytest.param(BROWNIAN[0], marks=needs_torchsde)]


@pytest.mark.parametrize("name", SEEDED)
def test_with_a_seed_for_each_row_a_sample_stands_alone(name):
    one = target(name)
    x = np.random.default_rng(0).standard_normal((3, *one.shape))

    def denoise(state, t, at=None):
        return np.full(np.shape(state), 0.2)

    together = one.row_seeded(denoise, x, [5, 6, 7])
    alone = np.concatenate([one.row_seeded(denoise, x[i : i + 1], [5 + i]) for i in range(3)])
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-12)
    assert not np.allclose(together, one.row_seeded(denoise, x, [5, 5, 5]))


@needs_torchsde
def test_torchs_own_generator_and_the_taps_are_given_back():
    import torch
    from diffusers.schedulers import scheduling_dpmsolver_sde as module

    before = (module.torch, module.np, module.BrownianTreeNoiseSampler, torch.Tensor.float, torch.get_default_dtype())
    state = torch.random.get_rng_state()
    respond(target("DPMSolverSDEScheduler", steps=4))
    after = (module.torch, module.np, module.BrownianTreeNoiseSampler, torch.Tensor.float, torch.get_default_dtype())
    assert after == before
    assert torch.equal(torch.random.get_rng_state(), state)


# -- grids, mixtures, the way back ---------------------------------------------------------------------------------------------

NO_GRID = {
    "CMStochasticIterativeScheduler", "ConsistencyDecoderScheduler", "FlowMatchLCMScheduler", "HeliosDMDScheduler", "LCMScheduler",
    "PiflowScheduler", "RePaintScheduler", "SCMScheduler", "TCDScheduler", "UnCLIPScheduler",
}  # fmt: skip
OTHERWISE = {
    "DDIMInverseScheduler", "DPMSolverMultistepInverseScheduler", "FlowMatchHeunDiscreteScheduler", "KarrasVeScheduler",
    "ScoreSdeVpScheduler",
}  # fmt: skip
"""Classes whose ever finer steps are not even in the logarithm, or do not lead from the one end to the other."""


@pytest.mark.parametrize("name", APPLICABLE)
def test_solvers_take_steps_that_are_even_in_the_logarithm_of_their_noise(name):
    on_log_grid = target(name).on_log_grid
    assert (on_log_grid is None) == (name in NO_GRID)
    assert bool(target(name).unrefined) == (on_log_grid is None)
    if on_log_grid is None or name in OTHERWISE:
        return
    for steps in (16, 32):
        response = respond(on_log_grid(steps))
        ratio = response.sigma[:-1] / response.alpha[:-1]
        assert ratio[0] == pytest.approx(50, rel=1e-9)
        assert ratio[-1] == pytest.approx(0.02, rel=1e-9)
        levels = np.unique(np.round(np.log(ratio), 9))
        spacing = np.log(2500) / (steps - 1)
        parts = np.diff(levels) / spacing
        assert np.abs(parts * 2 - np.round(parts * 2)).max() < 1e-6  # a stage may stand half-way
        assert levels.size >= steps


WRONG_MIXTURES = {("EulerDiscreteScheduler", "get_velocity")}
"""The levels are looked up at the index of the step and not at the time."""


@pytest.mark.parametrize("name", APPLICABLE)
def test_mixtures_of_data_and_noise_are_those_of_the_level(name):
    one = target(name)
    rng = np.random.default_rng(0)
    x0, eps = rng.uniform(-1, 1, (2, 2, *one.shape))
    for way in one.noising:
        assert way.times
        off = 0.0
        for time in way.times:
            signal, noise = way.weights(time)
            off = max(off, np.abs(way.mix(x0.copy(), eps.copy(), time) - signal * x0 - noise * eps).max() / max(1, abs(noise)))
        assert (off > 1e-12) == ((name, way.name) in WRONG_MIXTURES), (way.name, off)


def test_most_classes_offer_a_mixture():
    assert sum(bool(target(name).noising) for name in APPLICABLE) >= 30


INVERSES = [
    ("DDIMScheduler", {"set_alpha_to_one": False}),
    ("DPMSolverMultistepScheduler", {"final_sigmas_type": "sigma_min"}),
    ("DPMSolverMultistepScheduler", {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True, "solver_order": 3}),
]


@pytest.mark.parametrize(("name", "config"), INVERSES)
@pytest.mark.parametrize("steps", [10, 13])
def test_the_way_back_leads_to_where_the_sampler_starts(name, config, steps):
    there = target(name, config=config, steps=steps)
    back = respond(there.inverse)
    data, variance = landed(back)
    start = respond(there).frames[0].preserving
    assert data[-1] == pytest.approx(start.alpha, abs=1e-11)
    assert np.sqrt(variance[-1]) == pytest.approx(start.sigma, abs=1e-11)


def test_from_the_data_themselves_there_is_no_way_back():
    assert target("DDIMScheduler").inverse is None
    assert target("DDIMScheduler", config={"set_alpha_to_one": False}, eta=0.5).inverse is None


# -- options -------------------------------------------------------------------------------------------------------------------


def test_in_pairwise_rows_every_pair_of_values_occurs():
    axes = {"a": (1, 2, 3), "b": ("x", "y"), "c": (None, True), "d": (0.0, 0.5, 1.0, 2.0)}
    rows = list(pairwise(axes))
    for one in axes:
        for other in axes:
            if one < other:
                assert {(row[one], row[other]) for row in rows} == {(i, j) for i in axes[one] for j in axes[other]}
    assert len(rows) <= 16


def test_the_product_of_options_is_large_and_holds_every_listed_value():
    total = 0
    for name in APPLICABLE:
        rows = list(configurations(name))
        total += len(rows)
        assert rows[0]["config"] == {}
        defaults, listed = options_of(FOUND[name]), literals(FOUND[name])
        for key, values in listed.items():
            if key in ("variance_type", "time_shift_type", "upscale_mode") or name in ("HeliosScheduler", "HeliosDMDScheduler"):
                continue
            seen = {row["config"].get(key, defaults[key]) for row in rows}
            assert set(values) <= seen, (name, key)
    assert 600 <= total <= 1300


def test_what_the_library_refuses_clearly_is_told_from_what_it_stumbles_over():
    with pytest.raises(Refused) as clearly:
        target("DPMSolverMultistepScheduler", config={"algorithm_type": "dpmsolver"})
    assert clearly.value.clearly
    with pytest.raises(Refused) as stumbled:
        target("DDIMScheduler", config={"beta_start": "much"})
    assert not stumbled.value.clearly


def test_a_class_that_nobody_has_seen_is_tried_as_what_it_is_built_like(monkeypatch):
    import diffusers.schedulers
    from diffusers import DDIMScheduler, SchedulerMixin

    new = type("BrandNewScheduler", (DDIMScheduler,), {"__module__": DDIMScheduler.__module__})
    strange = type(
        "StrangeScheduler", (SchedulerMixin,), {"__module__": DDIMScheduler.__module__, "__init__": lambda self, colour: None}
    )
    monkeypatch.setattr(diffusers.schedulers, "BrandNewScheduler", new, raising=False)
    monkeypatch.setattr(diffusers.schedulers, "StrangeScheduler", strange, raising=False)
    assert {"BrandNewScheduler", "StrangeScheduler"} <= set(schedulers())
    response = respond(target("BrandNewScheduler"))
    assert response.target.family is None
    assert np.abs(landed(response)[0] - response.alpha).max() < 1e-12
    with pytest.raises(MisuseError, match="StrangeScheduler needs colour"):
        target("StrangeScheduler")


def test_a_class_whose_dependency_is_missing_says_so(monkeypatch):
    import diffusers.schedulers

    stand_in = type("NeedyScheduler", (), {"__module__": "diffusers.utils.dummy_needy_objects", "_backends": ["torch", "needy"]})
    monkeypatch.setattr(diffusers.schedulers, "NeedyScheduler", stand_in, raising=False)
    assert schedulers()["NeedyScheduler"] == NotApplicable("it needs torch and needy, of which something is not installed")
