"""Two schedulers of diffusers share a key only if they are one sampler, and what is made of them is made once only then."""

from functools import wraps

import numpy as np
import pytest

pytest.importorskip("torch", reason="judging diffusers needs torch")
pytest.importorskip("diffusers", reason="judging diffusers needs diffusers")

from verifydiff.observe.diffusers.classes import scheduler_class
from verifydiff.observe.diffusers.entry import diffusers_target
from verifydiff.observe.diffusers.scheduler import Configuration
from verifydiff.observe.once import remembering
from verifydiff.observe.response import respond

MULTISTEP, SA, UNIPC = "DPMSolverMultistepScheduler", "SASolverScheduler", "UniPCMultistepScheduler"


def on_grid(name, n, **told):
    return diffusers_target(name, **told).on_log_grid(n)


@pytest.mark.parametrize("name", [MULTISTEP, SA, UNIPC, "HeunDiscreteScheduler", "FlowMatchEulerDiscreteScheduler"])
def test_on_a_grid_of_ours_the_steps_that_were_told_play_no_part(name):
    key = on_grid(name, 10, steps=20).key
    assert key is not None
    assert on_grid(name, 10, steps=13).key == key
    assert on_grid(name, 11, steps=20).key != key


def test_whatever_else_was_told_plays_its_part():
    config = {"solver_order": 3}
    told = [
        on_grid(MULTISTEP, 10, steps=20),
        on_grid(MULTISTEP, 10, steps=20, config=config),
        on_grid(MULTISTEP, 10, steps=20, config={**config, "prediction_type": "sample"}),
        on_grid(MULTISTEP, 10, steps=20, config={**config, "lower_order_final": False}),
        on_grid(MULTISTEP, 10, steps=20, config=config, shape=(4, 4)),
        diffusers_target(MULTISTEP, steps=20, config=config).on_uneven_grid(10),
        diffusers_target(MULTISTEP, steps=20, config=config).as_shipped.on_log_grid(10),
        on_grid(UNIPC, 10, steps=20, config=config),
    ]
    assert len({one.key for one in told}) == len(told)


def test_a_response_on_a_grid_of_ours_is_seen_once_and_on_the_scheduler_s_own_every_time():
    with remembering():
        first = respond(on_grid(SA, 10, steps=20))
        assert respond(on_grid(SA, 10, steps=13)) is first
        assert respond(on_grid(SA, 10, steps=13), seed=1) is not first
        own = diffusers_target(SA, steps=10)
        assert respond(own) is not respond(own)
    assert respond(on_grid(SA, 10, steps=20)) is not first


def test_what_is_kept_is_what_would_be_seen():
    with remembering():
        respond(on_grid(SA, 10, steps=20))
        kept = respond(on_grid(SA, 10, steps=13))
    fresh = respond(on_grid(SA, 10, steps=13))
    for name in ("start", "answers", "draws", "residual", "spread"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(fresh, name))


def counted(monkeypatch, cls):
    made, make = [], cls.__init__

    @wraps(make)
    def counting(self, *args, **options):
        made.append(options)
        make(self, *args, **options)

    monkeypatch.setattr(cls, "__init__", counting)
    return made


def test_tables_are_made_once_for_all_numbers_of_steps_and_not_for_other_options(monkeypatch):
    cls = scheduler_class(UNIPC)
    made = counted(monkeypatch, cls)
    options = {"solver_order": 2}
    with remembering():
        for steps in (10, 13):
            assert Configuration(cls, options, steps).make().timesteps.numel() == steps
        assert len(made) == 1
        Configuration(cls, {"solver_order": 3}, 10)
        Configuration(cls, options, 10, wide=False)
        assert len(made) == 3
    Configuration(cls, options, 10)
    assert len(made) == 4


def test_what_a_run_does_to_its_scheduler_reaches_no_other(monkeypatch):
    with remembering():
        one = Configuration(scheduler_class(UNIPC), {}, 10)
        worn = one.make()
        worn.sigmas.zero_()
        worn.model_outputs.append("left over")
        fresh = Configuration(scheduler_class(UNIPC), {}, 13).make()
        assert one.make().sigmas.any()
        assert fresh.sigmas.any()
        assert "left over" not in fresh.model_outputs + one.make().model_outputs
