"""A network that is told labels is held to the law of each class, and an error of its answers to them is laid at its door."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest
from confirm_standins import BUDGET, TABLE
from jax.tree_util import Partial

from verifydiff.confirm import confirm, labels
from verifydiff.confirm.model import exact
from verifydiff.oracles import DiagonalGaussian, GaussianMixture
from verifydiff.verdict import Status

SPREAD = 0.3
LARGE = replace(BUDGET, noised=16384)


def mixture(classes):
    """So many classes far apart, a component each."""
    turns = 2 * jnp.pi * jnp.arange(classes) / classes
    means = 4 * jnp.stack([jnp.cos(turns), jnp.sin(turns)], axis=1)
    return GaussianMixture(jnp.full(classes, 1 / classes), DiagonalGaussian(means, jnp.full((classes, 2), SPREAD)), range(classes))


def of_class(law, x_t, abar_t, label):
    return jnp.stack([law.given(y).eps(x_t, abar_t) for y in range(law.classes)])[label, jnp.arange(label.size)]


def narrow(law, x_t, abar_t, label, share=0.5):
    """As if each class had only half its variance about its mean."""
    a = abar_t[:, None]
    return jnp.sqrt(1 - a) * (x_t - jnp.sqrt(a) * law.components.loc[label]) / (a * share * SPREAD + 1 - a)


def collapsed(law, x_t, abar_t, label):
    """As if each class were its mean alone."""
    return narrow(law, x_t, abar_t, label, share=0.0)


def another_beyond_the_fourth(law, x_t, abar_t, label):
    return of_class(law, x_t, abar_t, jnp.where(label > 3, 0, label))


def deaf(law, x_t, abar_t, label):
    return law.eps(x_t, abar_t)


def found(answer, law):
    seen = labels.of_classes(Partial(answer, law), law, TABLE, LARGE, jax.random.key(5), "eps")
    (finding,) = labels.findings(seen, LARGE)
    return finding


@pytest.mark.parametrize("classes", [3, 6])
def test_who_answers_each_label_as_its_class_asks_for_passes(classes):
    finding = found(of_class, mixture(classes))
    assert finding.status is Status.PASS
    assert finding.measured == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("answer", "classes", "which"),
    [(narrow, 3, {0, 1, 2}), (deaf, 3, {0, 1, 2}), (another_beyond_the_fourth, 6, {4, 5})],
    ids=["narrow", "deaf", "the fifth and the sixth as the first"],
)
def test_who_does_not_fails_by_the_class_that_is_furthest_off(answer, classes, which):
    finding = found(answer, mixture(classes))
    assert finding.status is Status.FAIL
    assert finding.details["class"] in which
    assert f"of {classes} is furthest above the floor of its own data" in finding.message


def test_an_error_without_bounds_near_the_data_does_not_pass():
    assert found(collapsed, mixture(3)).status is not Status.PASS


def test_without_labels_nothing_is_said():
    assert labels.findings((), LARGE) == []


@pytest.mark.parametrize("answer", [narrow, deaf], ids=lambda one: one.__name__)
def test_the_cause_is_the_network_and_its_labels(answer):
    law = mixture(2)
    seen = confirm(exact(law), law, TABLE, budget=LARGE, labelled=Partial(answer, law))
    assert seen.status is Status.FAIL
    assert [(cause.who, cause.what) for cause in seen.causes] == [("network", "labels")]
    assert seen.verdict == seen.SENTENCES.network
