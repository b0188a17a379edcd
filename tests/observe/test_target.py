"""What a target, or a check, is told wrongly is said in one clear line."""

from types import SimpleNamespace

import numpy as np
import pytest

import verifydiff as vd
from verifydiff import observe
from verifydiff.observe import Frame, Prediction, Target
from verifydiff.observe.functions import function_target
from verifydiff.observe.taps import numpy_tap
from verifydiff.verdict import MisuseError

ABAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 100))
LINEAR = vd.Schedule.linear(100)


def one_step(denoise, x, seed):
    return (x - np.sqrt(1 - ABAR[-1]) * denoise(x, 99)) / np.sqrt(ABAR[-1])


def target(**told):
    return Target(**{"name": "mine", "sample": one_step, "schedule": LINEAR} | told)


WRONG = [
    ({"schedule": ABAR}, "`schedule` must be a Schedule, got ndarray: of betas Schedule.from_betas(betas) makes one"),
    ({"family": "ddim"}, "`family` must be what vd.DDIM(0.5), vd.DDPM() or vd.ProbabilityFlow(2) makes, got 'ddim'."),
    ({"family": vd.DDIM}, "got DDIM, which has to be called."),
    ({"family": 2}, "got int."),
    ({"prediction": "v"}, "no prediction is called 'v': give epsilon, sample, v_prediction, flow_prediction."),
    ({"sample": None}, "`sample` must be a function, got NoneType."),
    ({"frame": Frame(1.0, 0.0)}, "`frame` must be a function, got Frame."),
    ({"wording": "v"}, "`wording` must be a function, got str."),
    ({"on_log_grid": 20}, "`on_log_grid` must be a function, got int."),
    ({"end": 0.5}, "`end` must be a Frame, such as Frame(1.0, 0.0) for the data, got float."),
    ({"taps": numpy_tap({})}, "`taps` must be a tuple of taps, such as (torch_tap(),)."),
    ({"shape": (0,)}, "a state has 1 to"),
]


@pytest.mark.parametrize(("told", "says"), WRONG, ids=[says[:40] for _, says in WRONG])
def test_what_a_target_cannot_be_told_is_one_clear_line(told, says):
    with pytest.raises(MisuseError) as error:
        target(**told)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_prediction_may_be_called_by_its_word():
    assert target(prediction="sample").prediction is Prediction.SAMPLE


@pytest.mark.parametrize("sample", [one_step, target()], ids=["a function", "a target"])
@pytest.mark.parametrize("family", ["ddim", vd.DDPM])
def test_a_family_that_is_none_is_told_by_the_check(sample, family):
    with pytest.raises(MisuseError, match="`family` must be what"):
        vd.check(sample, family=family)


def test_a_schedule_that_is_none_is_told_by_functions_and_a_table_without_the_data_says_what_it_lacks():
    with pytest.raises(MisuseError, match="`schedule` must be a Schedule, got list"):
        vd.check(one_step, schedule=list(ABAR))
    with pytest.raises(MisuseError, match=r"must be 1 .* np.append\(1.0, table\)"):
        vd.Schedule(ABAR)


def by_name(steps, eta=0.0, family=None):
    return Target(name=f"{steps}, {eta}", sample=one_step, schedule=LINEAR, family=family)


def by_another(steps, eta, family):
    return [by_name(steps, eta, family)][0]


def by_module(steps, eta, family):
    return observe.Target(name=f"{steps}, {eta}", sample=one_step, schedule=LINEAR, family=family)


def by_annotation(steps, eta, family) -> "Target":
    raise NotImplementedError


def by_library(steps, eta, family):
    return function_target(one_step, LINEAR, steps=steps)


@pytest.mark.parametrize("factory", [by_name, by_another, by_module, by_annotation, by_library], ids=lambda one: one.__name__)
def test_what_makes_a_target_is_no_sampler(factory):
    with pytest.raises(MisuseError) as error:
        vd.check(factory)
    assert f"{factory.__name__} is taken for a sampler sample(denoise, x_init, seed), but makes a Target" in str(error.value)
    assert f"`mine = {factory.__name__}(...)`" in str(error.value)


def test_a_sampler_beside_what_makes_targets_is_one_still():
    library = SimpleNamespace(target=one_step)

    def sample(denoise, x, seed):
        return library.target(denoise, x, seed)  # the name of an attribute, and of a function of this module

    assert vd.check(sample, schedule=LINEAR).identified_as == vd.check(one_step, schedule=LINEAR).identified_as
