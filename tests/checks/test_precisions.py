"""Other precisions: what breaks in half precision alone fails, lost digits are a note; what breaks in double alone stays open."""

from dataclasses import replace

import numpy as np
import pytest

import verifydiff as vd
from verifydiff.observe.functions import function_target
from verifydiff.observe.resolve import resolve
from verifydiff.observe.running import HALF, Rounded
from verifydiff.verdict import Status

pytest.importorskip("torch", reason="what is looked at is what torch computes in bfloat16")

SCHEDULE = vd.Schedule.linear(40)
RIGHT = function_target(lambda denoise, x, seed: ddim(denoise, x), SCHEDULE)


def ddim(denoise, x, *, kind=None, breaks=None, promoted=False):
    """DDIM(0) over torch, in a type of its own."""
    import torch

    kind = kind or torch.float64
    x = torch.from_numpy(np.asarray(x)).to(kind)
    for t in reversed(range(40)):
        abar_t, abar_s = torch.tensor([SCHEDULE.abar[t + 1], SCHEDULE.abar[t]]).to(torch.float32 if promoted else torch.float64)
        told = Rounded.of(x.float().numpy(), HALF) if x.dtype == torch.bfloat16 else x.numpy()
        eps = torch.from_numpy(np.asarray(denoise(told, t))).to(x.dtype)
        if t == 7 and breaks == "raises":
            raise RuntimeError("not implemented for 'BFloat16'")
        x_0 = (x - (1 - abar_t).sqrt() * eps) / abar_t.sqrt()
        x = abar_s.sqrt() * x_0 + (1 - abar_s).sqrt() * eps
        if t == 7 and breaks == "overflows":
            x = x / 0.0
        if promoted:
            x = x * torch.ones(1, dtype=torch.float32)
    return Rounded.of(x.float().numpy(), HALF) if x.dtype == torch.bfloat16 else x.numpy()


def findings(*, single=None, **half):
    import torch

    def of(**options):
        return replace(RIGHT, sample=lambda denoise, x, seed: ddim(denoise, x, **options))

    target = replace(RIGHT, as_shipped=of(kind=torch.float32, breaks=single), in_half=of(kind=torch.bfloat16, **half))
    return [finding for finding in vd.check(target, family=vd.DDIM(0.0)).findings if finding.check == "half-precision"]


def test_lost_digits_are_a_note_with_their_size():
    (finding,) = findings()
    assert finding.status is Status.NOTE
    assert 1e-3 < finding.measured < 0.1
    assert "wider type" not in finding.message


@pytest.mark.parametrize(("breaks", "says"), [("raises", "not implemented for 'BFloat16'"), ("overflows", "not finite")])
def test_what_breaks_in_half_precision_alone_fails(breaks, says):
    (finding,) = findings(breaks=breaks)
    assert finding.status is Status.FAIL
    assert says in finding.message
    assert "bfloat16" in finding.message


@pytest.mark.parametrize("breaks", ["raises", "overflows"])
def test_what_breaks_in_single_precision_too_is_said_once(breaks):
    assert findings(breaks=breaks, single=breaks) == []


def test_states_that_grow_wider_on_the_way_are_told():
    (finding,) = findings(promoted=True)
    assert finding.status is Status.NOTE
    assert "wider type" in finding.message


def test_nothing_is_said_of_what_takes_no_half_precision():
    assert [f for f in vd.check(RIGHT, family=vd.DDIM(0.0)).findings if f.check == "half-precision"] == []


def test_a_scheduler_of_diffusers_is_run_on_states_in_bfloat16():
    pytest.importorskip("diffusers")
    (finding,) = [f for f in vd.check(resolve("diffusers:DDIMScheduler", steps=10)).findings if f.check == "half-precision"]
    assert finding.status is Status.NOTE
    assert 1e-3 < finding.measured < 0.1


@pytest.mark.parametrize(("shipped", "status"), [(None, Status.INCONCLUSIVE), ("raises", Status.FAIL)])
def test_what_breaks_in_double_precision_alone_is_left_open(shipped, status):
    """The libraries' tables come in single precision, where a rounded root of zero is zero."""
    import torch

    def of(**options):
        return replace(RIGHT, sample=lambda denoise, x, seed: ddim(denoise, x, **options))

    target = replace(of(breaks="raises"), as_shipped=of(kind=torch.float32, breaks=shipped))
    (finding,) = vd.check(target, family=vd.DDIM(0.0)).findings
    assert finding.status is status
    assert "not implemented" in finding.message
