"""Real schedulers of the installed diffusers: right where they are right, and each known mistake found with its slip."""

import json

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.observe.resolve import resolve
from verifydiff.verdict import MisuseError, Status

pytest.importorskip("torch", reason="judging diffusers needs torch")
pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")


def judged(name, **options):
    return vd.check(resolve(f"diffusers:{name}", **options))


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
    (DDIM, {"steps": 1}),
]


@pytest.mark.parametrize(("name", "options"), RIGHT, ids=lambda value: value if isinstance(value, str) else json.dumps(value))
def test_a_right_configuration_passes(name, options):
    assert failures(judged(name, **options)) == []


WRONG = [
    (DDIM, {"steps": 50, "spacing": "linspace"}, "pairing", "stride-by-division"),
    (DDIM, {"steps": 13, "spacing": "trailing"}, "pairing", "stride-by-division"),
    ("DDPMParallelScheduler", {"steps": 13, "spacing": "trailing"}, "identity", "stride-by-division"),
    ("DDIMParallelScheduler", {"steps": 20, "config": {"set_alpha_to_one": False}}, "identity", "final-level-is-one"),
    (DDPM, {"steps": 20, "config": {"variance_type": "fixed_large_log"}}, "behaviour", None),
    (DDIM, {"steps": 20, "spacing": "trailing", "config": {"rescale_betas_zero_snr": True}}, "behaviour", None),
    (EULER, {"steps": 20, "spacing": "trailing", "config": {"rescale_betas_zero_snr": True, **V}}, "tables", None),
    (DDIM, {"steps": 61, "spacing": "trailing"}, "time-grid", None),
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
        ("UniPCMultistepScheduler", {}, "no closed form here judges it yet"),
        (DDIM, {"steps": 2000}, "`steps` must lie between 1 and the 1000 timesteps"),
        (DDIM, {"config": {"colour": 1}}, "has no option 'colour'"),
        (DDPM, {"eta": 0.5}, "takes no eta"),
        (DDPM, {"config": {"variance_type": "learned"}}, "learned variance"),
        (DDIM, {"steps": 10, "config": {"beta_schedule": "cubic"}}, "cubic"),
        (DDIM, {"steps": 10, "spacing": "backwards"}, "backwards"),
    ],
)
def test_misuse_is_one_clear_line(name, options, says):
    with pytest.raises(MisuseError) as error:
        resolve(f"diffusers:{name}", **options)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
