"""The strategies: whatever is drawn is valid, what matters is among it, and a planted mistake shrinks to its smallest case."""

import importlib.util
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import verifydiff as vd
from verifydiff.schedule import grid
from verifydiff.strategies import etas, gaussians, grids, mixtures, scheduler_configs, schedules
from verifydiff.verdict import MisuseError

SPACINGS = ("trailing", "leading", "linspace")
QUIETLY = settings(database=None, deadline=None, max_examples=1000)


def smallest(strategy, condition=lambda _: True):
    return find(strategy, condition, settings=QUIETLY)


def is_drawn(strategy, condition):
    try:
        smallest(strategy, condition)
    except NoSuchExample:
        return False
    return True


# -- schedules ----------------------------------------------------------------------------------------------------------------


@given(st.data())
def test_a_schedule_falls_and_keeps_to_its_bounds(data):
    least = data.draw(st.integers(1, 4000))
    most = data.draw(st.integers(least, 4000))
    schedule = data.draw(schedules(min_timesteps=least, max_timesteps=most))
    assert least <= schedule.timesteps <= most
    assert schedule.abar[0] == 1
    assert (np.diff(schedule.abar) < 0).all()
    assert schedule.abar[-1] > 1e-45


@given(schedules(zero_terminal_snr=True))
def test_a_schedule_may_end_in_nothing_but_noise(schedule):
    assert (np.diff(schedule.abar) < 0).all()
    assert schedule.abar[-1] >= 0


KINDS = {
    "linear": lambda s: s.name == "linear",
    "linear, other ends": lambda s: s.name == "linear" and s.betas[0] > 2e-4,
    "scaled linear": lambda s: s.name == "scaled_linear",
    "cosine": lambda s: s.name == "cosine",
    "a table that rises and falls": lambda s: s.name == "table" and len(set(np.sign(np.diff(s.betas).round(9)))) > 1,
    "one step": lambda s: s.timesteps == 1,
    "many steps": lambda s: s.timesteps > 500,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_schedule_is_drawn(kind):
    assert is_drawn(schedules(), kind)


def test_a_terminal_level_of_0_is_drawn_where_it_is_asked_for_and_only_there():
    assert is_drawn(schedules(zero_terminal_snr=True), lambda s: s.abar[-1] == 0)
    assert not is_drawn(schedules(), lambda s: s.abar[-1] == 0)


def test_a_schedule_shrinks_to_the_usual_one_of_a_single_step():
    schedule = smallest(schedules())
    assert (schedule.name, schedule.timesteps) == ("linear", 1)
    assert smallest(schedules(), lambda s: s.timesteps >= 7).timesteps == 7


# -- grids --------------------------------------------------------------------------------------------------------------------


@given(st.data())
def test_a_grid_falls_strictly_within_the_schedule(data):
    T = data.draw(st.integers(1, 1000))
    least = data.draw(st.integers(1, T))
    most = data.draw(st.one_of(st.none(), st.integers(least, T + 5)))
    covering = data.draw(st.booleans())
    times = data.draw(grids(T, min_steps=least, max_steps=most, covering=covering))
    assert times.dtype == np.int64
    assert least <= times.size <= min(T, most or T)
    assert times.max() < T
    assert times.min() >= 0
    assert (np.diff(times) < 0).all()
    assert times[0] == T - 1 or not covering


GRIDS = {
    **{
        f"{spacing} spacing": lambda times, spacing=spacing: np.array_equal(times, grid(100, times.size, spacing))
        for spacing in SPACINGS
    },
    "steps that divide T": lambda times: times.size > 1 and 100 % times.size == 0,
    "steps that do not": lambda times: 100 % times.size != 0,
    "one step": lambda times: times.size == 1,
    "all steps": lambda times: times.size == 100,
    "no spacing": lambda times: times.size > 5 and not any(np.array_equal(times, grid(100, times.size, name)) for name in SPACINGS),
}


@pytest.mark.parametrize("covering", [False, True], ids=["any", "covering"])
@pytest.mark.parametrize("kind", GRIDS)
def test_every_kind_of_grid_is_drawn(kind, covering):
    if kind == "leading spacing" and covering:
        assert not is_drawn(grids(100, covering=True), lambda times: GRIDS[kind](times) and times.size < 100)
    else:
        assert is_drawn(grids(vd.Schedule.linear(100), covering=covering), GRIDS[kind])


@pytest.mark.parametrize("covering", [False, True], ids=["any", "covering"])
def test_a_grid_shrinks_to_one_step_from_the_noisiest_time(covering):
    assert smallest(grids(100, covering=covering)).tolist() == [99]


# -- eta and data -------------------------------------------------------------------------------------------------------------


@given(etas())
def test_eta_lies_between_0_and_1(eta):
    assert 0 <= eta <= 1


@given(gaussians(), mixtures())
def test_data_have_a_mean_and_a_variance(gaussian, mixture):
    assert math.isfinite(gaussian.mean)
    assert 0 <= gaussian.variance <= 4
    assert math.isclose(sum(mixture.weights), 1)
    assert len(mixture.weights) == len(mixture.components)
    assert all(weight > 0.02 for weight in mixture.weights)


@given(mixtures(max_components=3), st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_the_moments_of_a_mixture_are_those_of_its_parts(mixture, seed):
    """By the second route: E x and E x^2 of the whole."""
    second = sum(w * (c.variance + c.mean**2) for w, c in zip(mixture.weights, mixture.components, strict=True))
    assert mixture.mean == pytest.approx(sum(w * c.mean for w, c in zip(mixture.weights, mixture.components, strict=True)))
    assert mixture.variance == pytest.approx(second - mixture.mean**2, abs=1e-12)


DRAWN = {
    "eta = 0": (etas(), lambda eta: eta == 0),
    "eta = 1": (etas(), lambda eta: eta == 1),
    "eta in between": (etas(), lambda eta: 0.1 < eta < 0.9),
    "a point": (gaussians(), lambda one: one.variance == 0 and one.mean != 0),
    "a Gaussian": (gaussians(), lambda one: one.variance not in (0, 1)),
    "one component": (mixtures(), lambda one: len(one.components) == 1),
    "four components": (mixtures(), lambda one: len(one.components) == 4),
    "points among others": (mixtures(), lambda one: {c.variance > 0 for c in one.components} == {False, True}),
}


@pytest.mark.parametrize(("strategy", "kind"), DRAWN.values(), ids=DRAWN)
def test_every_kind_of_data_is_drawn(strategy, kind):
    assert is_drawn(strategy, kind)


def test_data_shrink_to_a_point_at_0():
    assert smallest(gaussians()) == (0, 0)
    assert smallest(mixtures()).components == ((0, 0),)


# -- a property of samplers ---------------------------------------------------------------------------------------------------


def ddim(schedule, times, eta=0.0, stride=None):
    """DDIM on a grid; with a stride, each step goes down by it and not to the next time."""
    abar = np.append(schedule.abar[1:], 1.0)  # the last one is that of index -1, the data

    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for t, following in zip(times, [*times[1:], -1], strict=True):
            here, there = abar[t], abar[following if stride is None else max(t - stride, -1)]
            eps = denoise(x, t)
            variance = eta**2 * (1 - there) / (1 - here) * (1 - here / there)
            x_0 = (x - np.sqrt(1 - here) * eps) / np.sqrt(here)
            x = np.sqrt(there) * x_0 + np.sqrt(1 - there - variance) * eps + np.sqrt(variance) * rng.standard_normal(x.shape)
        return x

    return sample


SCHEDULES_AND_GRIDS = schedules(max_timesteps=50).flatmap(lambda s: st.tuples(st.just(s), grids(s, covering=True)))


@given(SCHEDULES_AND_GRIDS, etas())
def test_a_right_sampler_is_right_on_whatever_is_drawn(drawn, eta):
    schedule, times = drawn
    vd.check(ddim(schedule, times, eta), schedule=schedule, family=vd.DDIM(eta), steps=times.size).raise_if_failed()


def test_a_stride_by_division_shrinks_to_the_smallest_number_that_does_not_divide():
    def goes_wrong(drawn):
        schedule, times = drawn
        wrong = ddim(schedule, times, stride=schedule.timesteps // times.size)
        return vd.check(wrong, schedule=schedule, family=vd.DDIM(0.0)).status == "fail"

    schedule, times = smallest(SCHEDULES_AND_GRIDS, goes_wrong)
    assert (schedule.name, schedule.timesteps, times.tolist()) == ("linear", 3, [2, 1])
    report = vd.check(ddim(schedule, times, stride=1), schedule=schedule, family=vd.DDIM(0.0))
    assert "pairing" in [finding.check for finding in report.findings if finding.status == "fail"]


# -- options of schedulers ----------------------------------------------------------------------------------------------------

HERE = pytest.mark.skipif(importlib.util.find_spec("diffusers") is None, reason="the options are read off diffusers")
SCHEDULERS = (
    "CMStochasticIterativeScheduler",
    "CosineDPMSolverMultistepScheduler",
    "DDIMScheduler",
    "DDIMInverseScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverMultistepInverseScheduler",
    "DPMSolverSDEScheduler",
    "DPMSolverSinglestepScheduler",
    "EDMDPMSolverMultistepScheduler",
    "EDMEulerScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "FlowMatchEulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "SASolverScheduler",
    "TCDScheduler",
    "UnCLIPScheduler",
    "UniPCMultistepScheduler",
)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # the library's, of its own options
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors])
@given(data=st.data())
def test_the_library_takes_every_configuration(name, data):
    pytest.importorskip("torch", reason="a scheduler of diffusers needs torch")
    diffusers = pytest.importorskip("diffusers", reason="the options are read off diffusers")
    scheduler = getattr(diffusers, name)(**data.draw(scheduler_configs(name)))
    scheduler.set_timesteps(10)
    assert len(scheduler.timesteps) > 0


OPTIONS = {
    "nothing": (lambda config: True, {}),
    "one that its annotation lists": (
        lambda config: config.get("timestep_spacing") == "linspace",
        {"timestep_spacing": "linspace"},
    ),
    "one that the documentation lists": (
        lambda config: config.get("beta_schedule") == "squaredcos_cap_v2",
        {"beta_schedule": "squaredcos_cap_v2"},
    ),
    "a switch": (lambda config: "set_alpha_to_one" in config, {"set_alpha_to_one": False}),
    "a number": (lambda config: config.get("num_train_timesteps", 1000) < 1000, {"num_train_timesteps": 100}),
    "two at once": (
        lambda config: "thresholding" in config and config.get("prediction_type", "epsilon") != "epsilon",
        {"thresholding": True, "prediction_type": "sample"},
    ),
    "both ends of the betas": (lambda config: "beta_start" in config, {"beta_start": 0.001, "beta_end": 0.01}),
}


@HERE
@pytest.mark.parametrize(("condition", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_a_configuration_shrinks_to_the_options_that_matter(condition, expected):
    found = smallest(scheduler_configs("DDIMScheduler"), condition)
    assert found.keys() == expected.keys()
    assert {key: found[key] for key in found if not key.startswith("beta_")} == {
        key: value for key, value in expected.items() if not key.startswith("beta_")
    }


@HERE
def test_of_spacings_of_sigma_there_is_one_at_most():
    several = scheduler_configs("DPMSolverMultistepScheduler")
    assert not is_drawn(several, lambda config: sum(name.endswith(("_sigmas", "_lambdas")) for name in config) > 1)
    assert is_drawn(several, lambda config: config.get("use_lu_lambdas"))
    assert is_drawn(several, lambda config: config.get("solver_order") == 3)


@HERE
def test_what_a_model_would_have_to_learn_is_not_drawn():
    assert is_drawn(scheduler_configs("DDPMScheduler"), lambda config: config.get("variance_type") == "fixed_large")
    assert not is_drawn(scheduler_configs("DDPMScheduler"), lambda config: "learned" in config.get("variance_type", ""))


def test_a_mistake_in_a_released_scheduler_shrinks_to_one_option():
    """DDIM's step leads to t - T // S; with 7 steps of 1000 that is the next time for one spacing of three."""
    pytest.importorskip("torch", reason="a scheduler of diffusers needs torch")
    diffusers = pytest.importorskip("diffusers", reason="the options are read off diffusers")

    def leads_elsewhere(config):
        scheduler = diffusers.DDIMScheduler(**config)
        scheduler.set_timesteps(7)
        t, following = scheduler.timesteps[:2].tolist()
        return following != t - scheduler.config.num_train_timesteps // 7

    found = smallest(scheduler_configs("DDIMScheduler"), leads_elsewhere)
    assert found in ({"timestep_spacing": "trailing"}, {"timestep_spacing": "linspace"})


@HERE
def test_reading_the_options_imports_neither_torch_nor_diffusers():
    code = """
import sys
from verifydiff.strategies import scheduler_configs
scheduler_configs("DDIMScheduler")
print({"torch", "diffusers", "sympy", "jax"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout == "set()\n"


# -- misuse -------------------------------------------------------------------------------------------------------------------

MISUSE = {
    "no timestep": (
        lambda: schedules(min_timesteps=0),
        "bounds of the timesteps must be 1 <= least <= most <= 4,000, got 0 and 1000.",
    ),
    "too many": (
        lambda: schedules(max_timesteps=5000),
        "bounds of the timesteps must be 1 <= least <= most <= 4,000, got 1 and 5000.",
    ),
    "more steps than T": (lambda: grids(5, min_steps=6), "bounds of the steps must be 1 <= least <= most <= 5, got 6 and 5."),
    "no component": (lambda: mixtures(max_components=0), "bounds of the components must be 1 <= least <= most <= 64, got 1 and 0."),
}


@pytest.mark.parametrize(("make", "message"), MISUSE.values(), ids=MISUSE)
def test_bounds_that_leave_nothing_are_told_in_one_line(make, message):
    with pytest.raises(MisuseError) as caught:
        make()
    assert str(caught.value) == message


@HERE
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("DDIMSchedulre", "diffusers has no scheduler 'DDIMSchedulre': give one of .*DDIMScheduler"),
        ("AmusedScheduler", "AmusedScheduler cannot be made without mask_token_id, of which no values are known here."),
    ],
)
def test_a_class_that_is_not_there_or_needs_more_is_told_in_one_line(name, message):
    with pytest.raises(MisuseError, match=message):
        scheduler_configs(name)


def test_without_diffusers_one_line_says_so(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MisuseError, match=r"pip install 'verifydiff\[diffusers\]'"):
        scheduler_configs("SomeScheduler")


def test_without_hypothesis_one_line_says_so():
    code = "import sys; sys.modules['hypothesis'] = None\nimport verifydiff.strategies"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=600)
    assert done.stderr.splitlines()[-1] == (
        "verifydiff.verdict.MisuseError: verifydiff.strategies needs hypothesis, which is not installed: "
        "pip install 'verifydiff[pytest]'"
    )
