"""Real images: copies of them are like them, what was not learnt is not, and a sampler is judged by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import jax.numpy as jnp
import numpy as np
import pytest
from confirm_standins import TABLE, BetaForBetaTilde, stepwise
from jax.tree_util import Partial
from rich.console import Console

from verifydiff.confirm import Budget, images
from verifydiff.confirm.image_confirmation import confirm_images
from verifydiff.network import data
from verifydiff.report import confirm as terminal
from verifydiff.report.html import this_run
from verifydiff.report.html.confirm_images import QUESTIONS, image_page
from verifydiff.verdict import Status

pytest.importorskip("sklearn")

DIGITS = data("digits")
BUDGET = Budget.quick(steps=(20,), draws=128, batch=64)
NONE = DIGITS.classes
CAUSES = {
    "copies": ((1.0, 1.0), None, set()),
    "a guess that has learnt nothing": ((0.0, 1.0), None, {"network"}),
    "one that ignores the label": ((1.0, 0.0), None, {"network"}),
    "a slip of the sampler": ((1.0, 1.0), BetaForBetaTilde, {"sampler"}),
    "both": ((0.0, 1.0), BetaForBetaTilde, {"network", "sampler"}),
}


def answer(known, labels, learnt, listens, x_t, abar_t, label):
    """The exact noise of the law that has the images learnt from and no others, of a label; or the guess of who knows none."""
    a, x = abar_t[:, None], x_t.reshape(len(x_t), -1)
    squares = jnp.sum(known**2, axis=1)[None]
    logits = (jnp.sqrt(a) * (x @ known.T) - a * squares / 2) / (1 - a)
    other = (labels[None] != label[:, None]) & (label != NONE)[:, None] & (listens > 0)
    weights = jnp.exp(logits - logits.max(axis=1, keepdims=True, where=~other, initial=-jnp.inf)) * ~other
    x_hat = weights @ known / weights.sum(axis=1, keepdims=True)
    right = (x - jnp.sqrt(a) * x_hat) / jnp.sqrt(1 - a)
    return (learnt * right + (1 - learnt) * jnp.sqrt(1 - a) * x).reshape(x_t.shape)


def network(learnt, listens):
    known = DIGITS.scaled(DIGITS.train).reshape(len(DIGITS.train), -1)
    return Partial(answer, known, jnp.asarray(DIGITS.train_labels, jnp.int32), jnp.float32(learnt), jnp.float32(listens))


def unlabelled(x_t, abar_t):
    raise AssertionError("with labels, none is one more label")


@pytest.fixture(scope="module")
def confirmed():
    return {
        name: confirm_images(
            unlabelled, DIGITS, TABLE, budget=BUDGET, labelled=network(*told), sampler=kind and stepwise(kind), name=name
        )
        for name, (told, kind, _) in CAUSES.items()
    }


@pytest.mark.parametrize("name", CAUSES)
def test_the_error_is_laid_at_the_right_door(confirmed, name):
    who, seen = CAUSES[name][2], confirmed[name]
    assert {cause.who for cause in seen.causes} == who
    assert seen.status is (Status.FAIL if who else Status.PASS)
    assert ("beta-for-beta-tilde" in {cause.what for cause in seen.causes}) == ("sampler" in who)


def status(seen, check):
    return next(finding.status for finding in seen.findings if finding.check == check)


def test_copies_are_like_real_images_and_told_to_be_copies(confirmed):
    seen = confirmed["copies"]
    assert seen.likeness.accuracy.value > 0.95
    assert seen.likeness.nearer > 0.99
    assert abs(seen.likeness.further.value) < 0.05


def test_who_ignores_the_label_hits_it_by_chance_and_has_all_else_right(confirmed):
    seen = confirmed["one that ignores the label"]
    assert seen.likeness.accuracy.value == pytest.approx(0.1, abs=0.1)
    assert status(seen, "class-accuracy") is Status.FAIL
    assert status(seen, "feature-distance") is not Status.FAIL


def test_what_has_learnt_nothing_is_told_from_real_images(confirmed):
    seen = confirmed["a guess that has learnt nothing"]
    assert seen.likeness.apart <= images.PERMUTED
    assert status(seen, "feature-distance") is Status.FAIL


def test_what_cannot_be_said_is_said(confirmed):
    assert all("nobody knows the law" in seen.findings[2].message for seen in confirmed.values())


def test_held_out_images_in_the_place_of_the_network_s_are_not_told_from_others():
    """The two halves of the images that were held out, by the same tests."""
    halves = replace(DIGITS, test=DIGITS.test[::2], test_labels=DIGITS.test_labels[::2])
    drawn = images.Drawn(np.zeros(0, int), np.zeros((0, 8, 8)), np.asarray(DIGITS.scaled(DIGITS.test[1::2])), halves)
    assert images._apart(drawn, BUDGET) > images.PERMUTED
    assert images._nearer(drawn) == pytest.approx(0.5, abs=0.15)


def test_images_that_are_no_numbers_fail(confirmed):
    seen = replace(confirmed["copies"].likeness, finite=False)
    assert [finding.status for finding in images.findings(seen, BUDGET)] == [Status.NOTE, Status.FAIL]


def test_a_proportion_lies_in_its_interval_as_often_as_declared(rng):
    """At a loud rate: of 2000 intervals at 5 %, at most 100 miss on average, 150 by five deviations."""
    missed = sum(not (one.low <= 0.9 <= one.high) for one in (images.proportion(rng.random(60) < 0.9, 0.05) for _ in range(2000)))
    assert missed <= 150


def test_json_and_page_and_terminal_tell_of_it(confirmed):
    for seen in confirmed.values():
        told = json.loads(json.dumps(seen.to_json(), allow_nan=False))
        assert told["status"] == seen.status.value
        assert "pictures" not in told["measured"]["likeness"]
        page = image_page(seen, this_run("verifydiff confirm RUN", seed=0, false_alarm=1e-6, seconds=1.0), QUESTIONS)
        assert seen.verdict.split(";")[0][1:] in page.replace("&#x27;", "'").replace("&#39;", "'")
        assert {finding.check for finding in seen.findings} <= set(QUESTIONS)
        out = StringIO()
        terminal.show(seen, Console(file=out, width=200))
        assert seen.verdict in " ".join(out.getvalue().split())
