"""Labelled mixtures: a perfect network is guided as the exact denoiser is, one that ignores its label is found out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest
from confirm_standins import BUDGET, TABLE
from jax.tree_util import Partial

from verifydiff.confirm import guidance
from verifydiff.confirm.model import as_model, exact
from verifydiff.oracles import DiagonalGaussian, GaussianMixture
from verifydiff.verdict import Status

MEANS = jnp.array([[1.0, 0.0, -1.0], [-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]])
LAW = GaussianMixture(jnp.array([0.2, 0.3, 0.5]), DiagonalGaussian(MEANS, jnp.full((3, 3), 0.4)), [0, 1, 1])


def told(law, share, x_t, abar_t, label):
    """The exact answer to a label; of a share less than one, mixed with the answer without it."""
    of_class = jnp.stack([law.given(y).eps(x_t, abar_t) for y in range(law.classes)])[label, jnp.arange(label.size)]
    return share * of_class + (1 - share) * law.eps(x_t, abar_t)


@pytest.mark.parametrize(("share", "status"), [(1.0, Status.PASS), (0.0, Status.FAIL)], ids=["perfect", "ignores its label"])
def test_a_network_is_guided_as_well_as_it_listens_to_its_label(share, status):
    labelled = Partial(told, LAW, jnp.asarray(share))
    seen = guidance.guidance(as_model(exact(LAW)), LAW, TABLE, BUDGET, jax.random.key(3), labelled)
    found = {finding.check: finding.status for finding in guidance.findings(seen, BUDGET)}
    assert found["classifier-free-means"] is status
    assert found["classifier-guidance"] is Status.PASS
    assert found["classifier-means"] is Status.PASS


def test_a_classifier_at_scale_one_is_the_class_itself():
    seen = guidance.guidance(as_model(exact(LAW)), LAW, TABLE, BUDGET, jax.random.key(3), Partial(told, LAW, jnp.asarray(1.0)))
    accuracy = {(one.way, one.strength): one.exact for one in seen}
    assert accuracy["classifier", 1.0] == pytest.approx(accuracy["classifier-free", 0.0], abs=0.1)
    assert accuracy["classifier", 3.0] > accuracy["classifier-free", 0.0]
