"""A confirmation judges what it is given now, says what surely fails, and tells mistakes of others in one line."""

from __future__ import annotations

import os
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from confirm_standins import BUDGET, LAW, TABLE, network

from verifydiff.confirm import Whole, confirm
from verifydiff.confirm.guarded import Guarded
from verifydiff.confirm.judging import Interval, gravest
from verifydiff.confirm.loops import REFERENCE, Stepwise
from verifydiff.confirm.model import ask, exact
from verifydiff.samplers import DDIM
from verifydiff.verdict import MisuseError, Status

from dataclasses import replace  # isort: skip

SMALL = replace(BUDGET, steps=(5,), etas=(0.0,), noised=512, draws=64, bins=2)
READ = {"scale": 1.0}


def scaled(x_t, abar_t):
    """A plain function that reads a number elsewhere."""
    return READ["scale"] * LAW.eps(x_t, abar_t)


def test_a_network_that_was_changed_is_judged_anew(monkeypatch):
    assert confirm(scaled, LAW, TABLE, budget=SMALL).status is not Status.FAIL
    monkeypatch.setitem(READ, "scale", 0.5)
    assert confirm(scaled, LAW, TABLE, budget=SMALL).status is Status.FAIL
    monkeypatch.setitem(READ, "scale", 1.0)
    assert confirm(scaled, LAW, TABLE, budget=SMALL).status is not Status.FAIL


def stretched(eps, x_T, abar, *, eta, key):
    return READ["scale"] * x_T


@pytest.mark.parametrize("draw", [Whole(stretched), Stepwise(lambda eta: Stretched(READ["scale"]))], ids=["a loop", "a class"])
def test_so_is_a_sampler(draw, monkeypatch):
    x_T = jnp.ones((2, 4, 4))

    def drawn():
        return np.asarray(Guarded(draw)(exact(LAW), x_T, TABLE[[-1, 50, 0]], eta=0.0, key=jax.random.key(0)))

    first = drawn()
    monkeypatch.setitem(READ, "scale", 3.0)
    assert not np.allclose(drawn(), first)


class Stretched(DDIM):
    def __init__(self, scale):
        super().__init__(0.0)
        self.scale = scale

    def kernel(self, x_t, eps_hat, abar_t, abar_s):
        mean, std = super().kernel(x_t, self.scale * eps_hat, abar_t, abar_s)
        return type(super().kernel(x_t, eps_hat, abar_t, abar_s))(mean, std)


def nothing(eps, x_T, abar, *, eta, key):
    return None


def one_row(eps, x_T, abar, *, eta, key):
    return x_T[:1]


def imaginary(eps, x_T, abar, *, eta, key):
    return x_T + 1j


def raising(eps, x_T, abar, *, eta, key):
    raise KeyError("no such level")


def exiting(eps, x_T, abar, *, eta, key):
    sys.exit(0)


def leaving(eps, x_T, abar, *, eta, key):
    os._exit(0)


def without_eta(eps, x_T, abar, *, key):
    return x_T


MISTAKES = {
    nothing: "the sampler returned NoneType, and no array",
    one_row: "the sampler returned float",
    imaginary: "the sampler returned complex",
    raising: "the sampler raised KeyError: 'no such level'",
    exiting: "the sampler ended the process: SystemExit 0",
    leaving: "the sampler ended the process: ProcessExit os._exit",
    without_eta: "the sampler raised TypeError",
}


@pytest.mark.parametrize(("sampler", "says"), MISTAKES.items(), ids=lambda one: getattr(one, "__name__", ""))
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "as it is"])
def test_a_mistake_of_a_sampler_is_told_in_one_line(sampler, says, compiled):
    guarded = Guarded(Whole(sampler) if compiled else sampler)
    with pytest.raises(MisuseError, match=says) as told:
        guarded(exact(LAW), jnp.ones((2, 4, 4)), TABLE[[-1, 0]], eta=0.0, key=jax.random.key(0))
    assert "\n" not in str(told.value)


def test_the_users_own_interrupt_comes_through():
    def interrupted(eps, x_T, abar, *, eta, key):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(interrupted)(exact(LAW), jnp.ones((2, 4, 4)), TABLE[[-1, 0]], eta=0.0, key=jax.random.key(0))


def test_a_right_sampler_is_left_as_it_is():
    x_T, key = jax.random.normal(jax.random.key(1), (4, 4, 4)), jax.random.key(2)
    levels = TABLE[np.linspace(0, TABLE.size - 1, 6).astype(int)[::-1]]
    found, right = (draw(exact(LAW), x_T, levels, eta=0.5, key=key) for draw in (Guarded(REFERENCE), REFERENCE))
    assert np.array_equal(np.asarray(found), np.asarray(right))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x, a: None, "answers a batch of shape .* with NoneType"),
        (lambda x, a: x[:1], "answers a batch of shape .* with one of shape"),
        (lambda x, a: jnp.float32(0), "with one of shape"),
        (lambda x, a: x + 1j, "answers with complex numbers"),
    ],
)
def test_what_is_no_answer_of_a_network_is_refused(answer, says):
    with pytest.raises(MisuseError, match=says):
        ask(answer, jnp.ones((2, 4, 4)), 0.5)


def test_a_table_that_ends_without_signal_is_refused_by_name():
    with pytest.raises(MisuseError, match="the last level has no signal"):
        confirm(network(), LAW, np.append(TABLE, 0.0), budget=SMALL)


def test_what_surely_fails_is_told_before_what_cannot_be():
    sure, wide, fine, nan = Interval(2.2, 2.1, 2.3), Interval(1.5, -3, 6), Interval(0, 0, 0), Interval(np.nan, np.nan, np.nan)
    assert gravest([fine, wide, sure], [1.0] * 3, [2.0] * 3) == 2
    assert gravest([fine, wide], [1.0] * 2, [2.0] * 2) == 1
    assert gravest([fine, nan, sure], [1.0] * 3, [2.0] * 3) == 1
    assert gravest([fine, Interval(1.5, 1.4, 1.6), Interval(1.2, 1.1, 1.3)], [1.0] * 3, [2.0] * 3) == 1
