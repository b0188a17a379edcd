"""Real schedulers of the installed diffusers: right where they are right, and each known mistake found with its slip."""

import json

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.observe.resolve import resolve
from verifydiff.verdict import MisuseError, Status

pytest.importorskip("torch", reason="judging diffusers needs torch")
pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")


OF_ITS_OWN = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's, when it is called directly


def judged(name, **options):
    return vd.check(resolve(f"diffusers:{name}", **options))


ASIDE = {"EulerDiscreteScheduler": ["round-trip"]}
"""What a right configuration fails besides its steps: the velocity of Euler is that of another time (test_diffusers_findings)."""


def failures(report):
    return [finding.check for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


DDPM, DDIM = "DDPMScheduler", "DDIMScheduler"
EULER, ANCESTRAL = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"
V = {"prediction_type": "v_prediction"}

RIGHT = [
    *((name, {"steps": steps, "spacing": "leading"}) for name in (DDPM, DDIM, EULER, ANCESTRAL) for steps in (10, 50)),
    *((name, {"steps": 50, "spacing": "trailing"}) for name in (DDPM, DDIM, EULER, ANCESTRAL)),
    *((name, {"steps": steps, "spacing": "linspace"}) for name in (DDPM, EULER, ANCESTRAL) for steps in (7, 50)),
    *((name, {"steps": 13, "spacing": "leading"}) for name in (DDPM, DDIM, EULER, ANCESTRAL)),
    *(
        (name, {"steps": 20, "config": {"beta_schedule": kind}})
        for name in (DDPM, DDIM, EULER)
        for kind in ("scaled_linear", "squaredcos_cap_v2")
    ),
    *((name, {"steps": 20, "config": V}) for name in (DDPM, DDIM, EULER, ANCESTRAL)),
    *((name, {"steps": 20, "config": {"prediction_type": "sample"}}) for name in (DDPM, DDIM, EULER)),
    *((DDIM, {"steps": 20, "eta": eta}) for eta in (0.2, 1.0)),
    *((DDPM, {"steps": 20, "config": {"variance_type": kind}}) for kind in ("fixed_large", "fixed_small_log")),
    (DDIM, {"steps": 20, "config": {"set_alpha_to_one": False}}),
    (DDIM, {"steps": 20, "config": {"clip_sample": False, "steps_offset": 1}}),
    (DDIM, {"steps": 20, "spacing": "trailing", "config": {"rescale_betas_zero_snr": True, **V}}),
    (EULER, {"steps": 20, "config": {"use_karras_sigmas": True}}),
    (EULER, {"steps": 20, "config": {"final_sigmas_type": "sigma_min"}}),
    ("DDPMParallelScheduler", {"steps": 20}),
    ("DDIMParallelScheduler", {"steps": 20}),
    (DDIM, {"steps": 1, "spacing": "trailing"}),
    (DDPM, {"steps": 20, "config": {"beta_schedule": "sigmoid"}}),
    (DDIM, {"steps": 5, "config": {"thresholding": True}}),
    (DDIM, {"steps": 5, "shape": (3, 8, 8)}),
    *((DDIM, {"steps": 5, "config": {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": T}}) for T in (10, 20)),
    (EULER, {"steps": 10, "config": {"use_karras_sigmas": True, "interpolation_type": "log_linear"}}),
    (EULER, {"steps": 10, "config": {"use_exponential_sigmas": True, "interpolation_type": "log_linear"}}),
    (EULER, {"steps": 10, "config": {"timestep_type": "continuous"}}),
    *((EULER, {"steps": n, "config": {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True}}) for n in (2, 5)),
]


@pytest.mark.parametrize(("name", "options"), RIGHT, ids=lambda value: value if isinstance(value, str) else json.dumps(value))
def test_a_right_configuration_passes(name, options):
    assert failures(judged(name, **options)) == ASIDE.get(name, [])


WRONG = [
    (DDIM, {"steps": 50, "spacing": "linspace"}, "pairing", "stride-by-division"),
    (DDIM, {"steps": 13, "spacing": "trailing"}, "pairing", "stride-by-division"),
    ("DDPMParallelScheduler", {"steps": 13, "spacing": "trailing"}, "identity", "stride-by-division"),
    ("DDIMParallelScheduler", {"steps": 20, "config": {"set_alpha_to_one": False}}, "identity", "final-level-is-one"),
    (DDPM, {"steps": 20, "config": {"variance_type": "fixed_large_log"}}, "behaviour", None),
    (DDIM, {"steps": 20, "spacing": "trailing", "config": {"rescale_betas_zero_snr": True}}, "behaviour", None),
    (EULER, {"steps": 20, "spacing": "trailing", "config": {"rescale_betas_zero_snr": True, **V}}, "tables", None),
    (DDIM, {"steps": 61, "spacing": "trailing"}, "time-grid", None),
    (EULER, {"steps": 7, "config": {"interpolation_type": "log_linear"}}, "coefficients", None),
    (ANCESTRAL, {"steps": 3, "spacing": "trailing", "config": {"beta_schedule": "squaredcos_cap_v2"}}, "precision", None),
    (EULER, {"steps": 1000, "config": {"beta_schedule": "squaredcos_cap_v2", "use_beta_sigmas": True}}, "precision", None),
]


@pytest.mark.parametrize(("name", "options", "check", "slip"), WRONG, ids=lambda value: value if isinstance(value, str) else None)
def test_a_mistake_in_the_released_library_is_found_and_named(name, options, check, slip):
    report = judged(name, **options)
    assert check in failures(report)
    if slip is not None:
        assert report.diagnosis[0].slip == slip


def test_the_stride_of_ddim_is_wrong_by_a_second_route():
    """What `stride-by-division` says of DDIMScheduler, in plain torch: one step of its own, beside the formula."""
    import torch
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(timestep_spacing="linspace", clip_sample=False)
    scheduler.set_timesteps(50)
    t, following = scheduler.timesteps[1], scheduler.timesteps[2]
    x, eps = torch.ones(1, 4, dtype=torch.float64), torch.full((1, 4), 0.5, dtype=torch.float64)
    got = scheduler.step(eps, t, x).prev_sample

    def formula(s):
        here, there = (float(scheduler.alphas_cumprod[i]) for i in (t, s))
        return np.sqrt(there / here) * (1 - 0.5 * np.sqrt(1 - here)) + 0.5 * np.sqrt(1 - there)

    assert float(got[0, 0]) == pytest.approx(formula(t - 1000 // 50), rel=1e-5)
    assert float(got[0, 0]) != pytest.approx(formula(following), rel=1e-3)


@OF_ITS_OWN
def test_log_linear_sigmas_are_not_those_of_the_told_times_by_a_second_route():
    """In plain torch: the sigma of every step, beside the sigma of the time that the model is told."""
    from diffusers import EulerDiscreteScheduler

    scheduler = EulerDiscreteScheduler(interpolation_type="log_linear")
    scheduler.set_timesteps(7)
    abar = scheduler.alphas_cumprod.double().numpy()
    told = np.interp(scheduler.timesteps.numpy(), np.arange(1000), np.sqrt((1 - abar) / abar))
    used = scheduler.sigmas.double().numpy()
    assert used.size == 9  # for 7 steps: the last of them ends at the smallest sigma, not at 0
    assert used[7] > 0
    assert (np.abs(used[1:7] / told[1:] - 1) > 0.04).all()


@OF_ITS_OWN
def test_an_ancestral_step_from_a_huge_sigma_is_not_a_number_by_a_second_route():
    """In plain torch: sigma_up rounds to more than sigma_to, and sigma_down is the root of a negative number."""
    import torch
    from diffusers import EulerAncestralDiscreteScheduler

    scheduler = EulerAncestralDiscreteScheduler(beta_schedule="squaredcos_cap_v2", timestep_spacing="trailing")
    scheduler.set_timesteps(3)
    t, x = scheduler.timesteps[0], torch.ones(1, 1, 2, 2) * scheduler.init_noise_sigma
    scheduler.scale_model_input(x, t)
    assert scheduler.step(torch.ones(1, 1, 2, 2), t, x).prev_sample.isnan().all()
    high, low = scheduler.sigmas[:2].double()
    assert low**2 - low**2 * (high**2 - low**2) / high**2 > 0


@OF_ITS_OWN
def test_beta_sigmas_on_all_times_skip_the_first_and_run_off_the_end_by_a_second_route():
    """In plain torch: the first two times are one number in single precision, and the loop starts at the second."""
    import torch
    from diffusers import EulerDiscreteScheduler

    scheduler = EulerDiscreteScheduler(beta_schedule="squaredcos_cap_v2", use_beta_sigmas=True)
    scheduler.set_timesteps(1000)
    assert scheduler.timesteps[0] == scheduler.timesteps[1]
    x = torch.ones(1, 1, 2, 2) * scheduler.init_noise_sigma
    scheduler.scale_model_input(x, scheduler.timesteps[0])
    assert scheduler.step_index == 1


def test_what_a_scheduler_does_not_offer_is_a_note_and_no_failure():
    findings = judged(EULER, steps=10, config={"timestep_type": "continuous"}).findings
    (note,) = [finding for finding in findings if finding.check == "prediction-types" and finding.status is Status.NOTE]
    assert "v_prediction: timestep_type = continuous" in note.message


def test_unknown_keys_of_a_config_file_are_left_out_and_named_as_the_library_leaves_them_out(tmp_path):
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps({"_class_name": EULER, "skip_prk_steps": True, "clip_sample": False, "timestep_spacing": "leading"}))
    target = resolve(str(path), steps=10, spacing="trailing")  # what is asked for takes precedence over what is saved
    assert target.notes == (f"{EULER} knows no clip_sample, skip_prk_steps: left out, as diffusers does.",)
    assert failures(vd.check(target)) == ASIDE[EULER]
    with pytest.raises(MisuseError, match="has no option 'skip_prk_steps'"):
        resolve(str(path), steps=10, config={"skip_prk_steps": True})


def test_single_precision_of_the_tables_is_a_note_with_its_size():
    report = judged(DDIM, steps=50)
    notes = {finding.check: finding for finding in report.findings if finding.status is Status.NOTE}
    assert 1e-8 < notes["tables"].measured < 1e-5
    assert 1e-9 < notes["precision"].measured < 1e-2
    (weights,) = [finding for finding in report.findings if finding.check == "coefficients"]
    assert weights.measured < 1e-11


def test_the_adapter_leaves_the_library_as_it_was():
    import torch
    from diffusers.schedulers import scheduling_ddim

    before = (scheduling_ddim.torch, scheduling_ddim.np, scheduling_ddim.randn_tensor, torch.get_default_dtype())
    state = torch.random.get_rng_state()
    judged(DDIM, steps=5, eta=0.5)
    assert (scheduling_ddim.torch, scheduling_ddim.np, scheduling_ddim.randn_tensor, torch.get_default_dtype()) == before
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_planted_mistake_in_a_scheduler_is_found(monkeypatch):
    from diffusers import DDPMScheduler

    monkeypatch.setattr(DDPMScheduler, "_get_variance", lambda self, t, **_: 1 - self.alphas[t])
    report = judged(DDPM, steps=1000)
    assert failures(report) == ["noise-scale", "exact-moments"]
    assert report.diagnosis[0].slip == "beta-for-beta-tilde"


def test_a_config_file_is_judged_and_nothing_it_names_is_imported(tmp_path):
    path = tmp_path / "scheduler_config.json"
    path.write_text(
        json.dumps({"_class_name": DDIM, "_diffusers_version": "0.0", "beta_schedule": "scaled_linear", "clip_sample": False})
    )
    assert failures(vd.check(resolve(str(path), steps=10))) == []
    for content, says in [
        ('{"_class_name": "os.system"}', "diffusers has no scheduler 'os.system'"),
        ('{"_class_name": 3}', "names no scheduler"),
        ("[1, 2]", "names no scheduler"),
        ("{", "is no JSON"),
        (json.dumps({"_class_name": DDIM, "beta_start": "much"}), "refuses"),
    ]:
        path.write_text(content)
        with pytest.raises(MisuseError) as error:
            resolve(str(path), steps=10)
        assert says in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("NoSuchScheduler", {}, "diffusers has no scheduler 'NoSuchScheduler'"),
        ("AmusedScheduler", {}, "AmusedScheduler is not judged: it samples discrete tokens"),
        ("UniPCMultistepScheduler", {"config": {"prediction_type": "flow_prediction"}}, "it needs use_flow_sigmas"),
        ("SCMScheduler", {"steps": 10, "config": {"prediction_type": "epsilon"}}, "Unsupported parameterization"),
        ("PNDMScheduler", {"steps": 3}, "`steps` must lie between 4 and the 1000 timesteps"),
        ("ConsistencyDecoderScheduler", {"steps": 3}, "`steps` must lie between 2 and the 2 timesteps"),
        ("LCMScheduler", {"steps": 60}, "`steps` must lie between 1 and the 50 timesteps"),
        (DDIM, {"steps": 2000}, "`steps` must lie between 1 and the 1000 timesteps"),
        (DDIM, {"config": {"colour": 1}}, "has no option 'colour'"),
        (DDPM, {"eta": 0.5}, "takes no eta"),
        (DDPM, {"config": {"variance_type": "learned"}}, "learned variance"),
        (DDIM, {"steps": 10, "config": {"beta_schedule": "cubic"}}, "cubic"),
        (DDIM, {"steps": 10, "spacing": "backwards"}, "backwards"),
        (DDIM, {"steps": 10, "config": {"prediction_type": "foo"}}, "prediction_type must be one of"),
        (DDIM, {"steps": 10, "config": {"prediction_type": 3}}, "got 3"),
        (DDIM, {"steps": 10, "config": {"prediction_type": None}}, "got None"),
        (DDPM, {"steps": 10, "config": {"variance_type": None}}, "variance_type must be one of"),
        (EULER, {"steps": 10, "config": {"timestep_type": "x"}}, "timestep_type must be one of"),
        (EULER, {"steps": 10, "config": {"timestep_type": "continuous", **V}}, "only array indices are judged"),
        (ANCESTRAL, {"steps": 10, "config": {"prediction_type": "sample"}}, "not implemented"),
        (DDPM, {"config": {"num_train_timesteps": 10**9}}, "from 1 to 1,000,000"),
        (DDPM, {"config": {"num_train_timesteps": "many"}}, "a whole number"),
        (DDPM, {"config": {"trained_betas": [0.1, 0.2]}}, "a beta for each"),
        (DDIM, {"config": {"num_train_timesteps": 2, "trained_betas": [[0.1], [0.1, 0.2]]}}, "refuses"),
        (DDIM, {"config": {"self": 1}}, "has no option 'self'"),
        (DDIM, {"spacing": "trailing", "config": {"timestep_spacing": "leading"}}, "which one?"),
        (DDIM, {"prediction": "sample", "config": {"prediction_type": "epsilon"}}, "which one?"),
        (DDIM, {"schedule": vd.Schedule.linear(10), "config": {"trained_betas": [0.1] * 10}}, "which one?"),
        (DDIM, {"steps": 5, "shape": (4,), "config": {"thresholding": True}}, "diffusers takes images"),
        (DDIM, {"steps": 5, "shape": (99999, 99999)}, "a state has 1 to"),
    ],
)
def test_misuse_is_one_clear_line(name, options, says):
    with pytest.raises(MisuseError) as error:
        resolve(f"diffusers:{name}", **options)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_step_that_cannot_do_with_tensors_that_are_bare_is_taken_with_usual_ones(monkeypatch):
    import torch
    from diffusers import DDIMScheduler

    step, bare = DDIMScheduler.step, []

    def counting(self, model_output, *args, **options):
        bare.append(torch.is_inference_mode_enabled())
        _ = model_output._version  # RuntimeError: inference tensors do not track version counter
        return step(self, model_output, *args, **options)

    monkeypatch.setattr(DDIMScheduler, "step", counting)
    assert failures(judged(DDIM, steps=3)) == []
    assert bare.count(True) < 10 < bare.count(False)


@pytest.mark.parametrize("name", [DDIM, ANCESTRAL])
def test_a_step_finds_no_gradients_recorded_as_in_a_pipeline(name, monkeypatch):
    import torch
    from diffusers import schedulers

    cls = getattr(schedulers, name)
    step, recorded = cls.step, []

    def asking(self, *args, **options):
        recorded.append(torch.is_grad_enabled())
        return step(self, *args, **options)

    monkeypatch.setattr(cls, "step", asking)
    judged(name, steps=3)
    assert set(recorded) == {False}
