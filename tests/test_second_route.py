"""The second route accuses what is wrong, lets pass what is right, and what it said stands on the page."""

import importlib.util
import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="judging diffusers needs torch")
pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")

from second_route import parabolas
from second_route.asked import Asked
from second_route.opinion import Opinion
from second_route.routes import ROUTES
from second_route.why import WHY

WRONG = [
    ("behaviour", "DEISMultistepScheduler steps=13 beta_schedule=squaredcos_cap_v2 use_karras_sigmas=True"),
    ("behaviour", "DDPMScheduler steps=10 variance_type=fixed_large_log timestep_spacing=trailing"),
    ("clipping", "DDIMScheduler steps=10 clip_sample_range=2.0 timestep_spacing=trailing"),
    ("coefficients", "DDIMScheduler steps=13 timestep_spacing=trailing"),
    ("coefficients", "EulerDiscreteScheduler steps=10 interpolation_type=log_linear"),
    ("coefficients", "DPMSolverMultistepScheduler steps=20 solver_order=3"),
    ("coefficients", "DPMSolverMultistepScheduler steps=13 solver_order=3 use_karras_sigmas=True prediction_type=v_prediction"),
    ("coefficients", "DPMSolverMultistepScheduler steps=20 solver_order=3 algorithm_type=dpmsolver final_sigmas_type=sigma_min"),
    ("coefficients", "EDMDPMSolverMultistepScheduler steps=20 solver_order=3"),
    ("exact-moments", "CogVideoXDDIMScheduler steps=10 timestep_spacing=linspace"),
    ("exact-moments", "FlowMatchLCMScheduler steps=10 invert_sigmas=True use_exponential_sigmas=True"),
    ("identity", "DDIMParallelScheduler steps=10 set_alpha_to_one=False"),
    ("identity", "DDPMParallelScheduler steps=13 beta_schedule=sigmoid timestep_spacing=trailing"),
    ("last-step", "DDPMScheduler steps=10 beta_schedule=squaredcos_cap_v2 variance_type=fixed_large timestep_spacing=trailing"),
    ("noise-scale", "CogVideoXDDIMScheduler steps=10 eta=1.0"),
    ("order", "DPMSolverMultistepScheduler steps=20 solver_order=3"),
    ("order", "DPMSolverSinglestepScheduler steps=20 solver_order=3 algorithm_type=sde-dpmsolver++ solver_type=heun"),
    ("order", "EDMDPMSolverMultistepScheduler steps=20 solver_order=3"),
    ("pairing", "DDIMScheduler steps=50 timestep_spacing=linspace"),
    ("pairing", "PNDMScheduler steps=10 timestep_spacing=linspace"),
    ("pairing", "RePaintScheduler steps=13"),
    ("pairing", "IPNDMScheduler steps=10"),
    ("point-mass", "CogVideoXDPMScheduler steps=13 timestep_spacing=trailing"),
    ("precision", "DPMSolverMultistepScheduler steps=20 solver_type=heun final_sigmas_type=sigma_min use_karras_sigmas=True"),
    (
        "precision",
        "DDIMScheduler steps=10 eta=1.0 timestep_spacing=trailing rescale_betas_zero_snr=True prediction_type=v_prediction",
    ),
    ("prediction-types", "PNDMScheduler steps=10"),
    ("round-trip", "EulerDiscreteScheduler steps=10"),
    ("round-trip", "FlowMatchEulerDiscreteScheduler steps=10 invert_sigmas=True"),
    ("start", "KarrasVeScheduler steps=10"),
    ("tables", "EulerDiscreteScheduler steps=10 rescale_betas_zero_snr=True"),
    ("time-grid", "DPMSolverMultistepScheduler steps=13 beta_schedule=squaredcos_cap_v2 use_karras_sigmas=True"),
    ("told-time", "DPMSolverMultistepScheduler steps=13 use_exponential_sigmas=True"),
    ("told-time", "EulerDiscreteScheduler steps=10 interpolation_type=log_linear"),
]

RIGHT = [
    ("behaviour", "DEISMultistepScheduler steps=13"),
    ("behaviour", "DDPMScheduler steps=10 variance_type=fixed_small_log"),
    ("clipping", "DDIMScheduler steps=10 timestep_spacing=trailing"),
    ("coefficients", "DDIMScheduler steps=10 eta=0.5 timestep_spacing=trailing"),
    ("coefficients", "EulerDiscreteScheduler steps=10"),
    ("coefficients", "FlowMatchLCMScheduler steps=10"),
    ("exact-moments", "CogVideoXDDIMScheduler steps=10 timestep_spacing=trailing"),
    ("exact-moments", "DDIMScheduler steps=10 eta=0.5"),
    ("exact-moments", "DDPMScheduler steps=20 variance_type=fixed_large"),
    ("exact-moments", "EulerDiscreteScheduler steps=10"),
    ("exact-moments", "FlowMatchLCMScheduler steps=10 use_exponential_sigmas=True"),
    ("half-precision", "DDIMScheduler steps=10"),
    ("identity", "DDIMParallelScheduler steps=10"),
    ("identity", "DDPMParallelScheduler steps=10 timestep_spacing=trailing"),
    ("last-step", "DDPMScheduler steps=10 beta_schedule=squaredcos_cap_v2 variance_type=fixed_large"),
    ("noise-scale", "DDIMScheduler steps=10 eta=1.0 timestep_spacing=trailing"),
    ("noise-scale", "FlowMatchEulerDiscreteScheduler steps=10 stochastic_sampling=True"),
    ("order", "DPMSolverMultistepScheduler steps=20 solver_order=2"),
    ("order", "DPMSolverSinglestepScheduler steps=20 solver_order=3 algorithm_type=sde-dpmsolver++"),
    ("order", "EDMDPMSolverMultistepScheduler steps=20 solver_order=2"),
    ("pairing", "CogVideoXDPMScheduler steps=10 timestep_spacing=trailing"),
    ("pairing", "DDIMScheduler steps=20 eta=1.0"),
    ("pairing", "KarrasVeScheduler steps=10"),
    ("pairing", "PNDMScheduler steps=10"),
    ("pairing", "RePaintScheduler steps=10"),
    ("pairing", "SASolverScheduler steps=13"),
    ("point-mass", "CogVideoXDPMScheduler steps=10 timestep_spacing=trailing"),
    ("point-mass", "DDIMScheduler steps=10 set_alpha_to_one=False"),
    ("precision", "DPMSolverMultistepScheduler steps=20 solver_type=heun"),
    ("prediction-types", "UniPCMultistepScheduler steps=10"),
    ("round-trip", "DDIMScheduler steps=10"),
    ("round-trip", "FlowMatchEulerDiscreteScheduler steps=10"),
    ("start", "EulerDiscreteScheduler steps=10 timestep_spacing=trailing"),
    ("tables", "EulerDiscreteScheduler steps=10 beta_schedule=squaredcos_cap_v2"),
    ("time-grid", "DPMSolverMultistepScheduler steps=13 use_karras_sigmas=True"),
    ("told-time", "DPMSolverMultistepScheduler steps=13 use_karras_sigmas=True"),
    ("told-time", "EulerDiscreteScheduler steps=10"),
]


def opinion(check: str, words: str) -> Opinion:
    return ROUTES[check](Asked.read(f"diffusers:{words}"))


@pytest.mark.parametrize(("check", "words"), WRONG)
def test_the_second_route_accuses_what_is_wrong(check, words):
    assert opinion(check, words).departs


@pytest.mark.parametrize(("check", "words"), RIGHT)
def test_the_second_route_lets_pass_what_is_right(check, words):
    said = opinion(check, words)
    assert not said.departs, said.words


@pytest.mark.skipif(importlib.util.find_spec("k_diffusion") is None, reason="it needs k-diffusion")
def test_the_third_order_of_k_diffusion_is_two():
    assert ROUTES["order"](Asked.read("k_diffusion:sample_dpmpp_3m_sde eta=0.0")).departs
    assert not ROUTES["order"](Asked.read("k_diffusion:sample_dpmpp_2m_sde eta=0.0")).departs


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DEISMultistepScheduler", {"algorithm_type": "deis"}),
        ("UniPCMultistepScheduler", {"disable_corrector": list(range(20))}),
    ],
)
def test_parabolas_are_followed_by_solvers_of_third_order(name, options):
    """What is accused of others is not a property of the question: these two have the whole integral."""
    said = parabolas.multistep(Asked(name, 20, None, {"solver_order": 3, **options}))
    assert not said.departs, said.words


@pytest.mark.skipif(importlib.util.find_spec("k_diffusion") is None, reason="it needs k-diffusion")
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_parabola_of_k_diffusion_has_half_its_weight(eta):
    said = ROUTES["coefficients"](Asked.read(f"k_diffusion:sample_dpmpp_3m_sde eta={eta}"))
    assert said.departs
    assert "lack 0.5000 in the median" in said.words


@pytest.mark.skipif(importlib.util.find_spec("azula") is None, reason="it needs azula")
def test_the_second_order_of_azulas_reab_is_one():
    assert ROUTES["order"](Asked.read("azula:REABSampler")).departs
    assert not ROUTES["order"](Asked.read("azula:xEABSampler")).departs


KEPT = json.loads((Path(__file__).parents[1] / "docs" / "second-route.json").read_text(encoding="utf-8"))
ANSWERS = [(library, key, one) for library, kept in KEPT.items() for key, one in kept["answers"].items()]
EVERY = 7
"""One answer in so many is asked for anew."""


def version_of(library):
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def test_what_is_not_confirmed_everywhere_is_explained():
    assert {tuple(key.split(", ")) for _, key, one in ANSWERS if one["in"] < one["of"]} <= set(WHY)
    assert set(WHY) <= {tuple(key.split(", ")) for _, key, _ in ANSWERS}


@pytest.mark.parametrize(("library", "key", "answer"), ANSWERS[::EVERY], ids=[key for _, key, _ in ANSWERS[::EVERY]])
def test_what_stands_on_the_page_is_what_the_route_says(library, key, answer):
    if version_of(library) != KEPT[library]["version"]:
        pytest.skip(f"the page is about another version of {library}")
    said = ROUTES[key.split(", ")[1]](Asked.read(answer["target"]))
    assert said.departs is answer["confirmed"]


def test_every_failure_on_the_page_says_what_the_second_route_says():
    page = (Path(__file__).parents[1] / "docs" / "conformance.md").read_text(encoding="utf-8")
    failures = re.findall(r"^\*\*(\w+), ([\w-]+)\*\*.*?^(✓ Confirmed|✗ \*\*Not confirmed\*\*|No second route)", page, re.S | re.M)
    said = {f"{name}, {check}": mark.startswith("✓") for name, check, mark in failures}
    assert said == {key: one["confirmed"] for _, key, one in ANSWERS}
