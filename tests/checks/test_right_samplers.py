"""Nothing right is called wrong."""

import numpy as np
import pytest
from samplers import ABAR, BETAS, RIGHT, T, ddim, ddpm, ddpm_by_x0, euler

import verifydiff as vd
from verifydiff.verdict import Status

SCHEDULE = vd.Schedule.from_betas(BETAS)
SEEDS = 200


def failures(report):
    return [(finding.check, finding.message) for finding in report.findings if finding.status in (Status.FAIL, Status.INCONCLUSIVE)]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_sampler_passes_with_two_hundred_seeds(name):
    """The declared rate is 1e-6 a run, so not one of these may fail (2,200 runs: a chance of 0.002 in all)."""
    for seed in range(SEEDS):
        assert failures(vd.check(RIGHT[name], schedule=SCHEDULE, seed=seed)) == [], f"seed {seed}"


@pytest.mark.parametrize(
    ("sample", "family", "says"),
    [
        (ddpm(), vd.DDPM(), "DDPM (small variance), which is DDIM(eta = 1)"),
        (ddpm("large"), vd.DDPM("large"), "DDPM (large variance)"),
        (ddim(0.0), vd.DDIM(0.0), "DDIM(eta = 0), which is Euler in sigma space"),
        (ddim(0.25), vd.DDIM(0.25), "DDIM(eta = 0.25)"),
        (ddim(1 / 3), vd.DDIM(1 / 3), "DDIM(eta = 0.333333)"),
        (ddpm_by_x0(7), vd.DDIM(1.0), "DDPM (small variance), which is DDIM(eta = 1)"),
        (euler(), vd.Euler(), "DDIM(eta = 0), which is Euler in sigma space"),
        (euler(ancestral=True), vd.EulerAncestral(), "DDPM (small variance), which is DDIM(eta = 1)"),
    ],
    ids=["ddpm", "ddpm-large", "ddim-0", "ddim-0.25", "ddim-1/3", "ddpm-strided", "euler", "euler-ancestral"],
)
def test_the_family_is_identified_and_the_claim_of_it_passes(sample, family, says):
    assert vd.check(sample, schedule=SCHEDULE).identified_as == says
    report = vd.check(sample, schedule=SCHEDULE, family=family)
    report.raise_if_failed()
    assert report.diagnosis == ()


def test_identities_hold_across_families():
    vd.check(ddim(1.0), schedule=SCHEDULE, family=vd.DDPM()).raise_if_failed()
    vd.check(euler(), schedule=SCHEDULE, family=vd.DDIM(0.0)).raise_if_failed()
    vd.check(euler(ancestral=True), schedule=SCHEDULE, family=vd.DDPM()).raise_if_failed()


def test_single_precision_is_a_note_with_its_size():
    report = vd.check(RIGHT["single-precision"], schedule=SCHEDULE)
    (note,) = [finding for finding in report.findings if finding.check == "precision"]
    assert note.status is Status.NOTE
    assert 1e-9 < note.measured < 1e-2


def test_clipping_is_a_note_with_its_range():
    report = vd.check(ddpm_by_x0(10, clip=0.9), schedule=SCHEDULE)
    (note,) = [finding for finding in report.findings if finding.check == "clipping"]
    assert note.status is Status.NOTE
    assert note.measured == pytest.approx([-0.9, 0.9])
    assert "not taken from the clipped" not in note.message


def test_states_of_any_shape_are_handed_over_in_that_shape():
    seen = set()

    def sample(denoise, x, seed):
        seen.add(x.shape[1:])
        return ddim(0.5)(denoise, x, seed)

    vd.check(sample, schedule=SCHEDULE, shape=(3, 2, 2)).raise_if_failed()
    assert seen == {(3, 2, 2)}


@pytest.mark.parametrize("prediction", ["sample", "v_prediction"])
def test_other_predictions_are_answered_in_their_own_terms(prediction):
    def sample(denoise, x, seed):
        for t in reversed(range(T)):
            there = ABAR[t - 1] if t else 1.0
            told = denoise(x, t)
            x0 = told if prediction == "sample" else np.sqrt(ABAR[t]) * x - np.sqrt(1 - ABAR[t]) * told
            eps = (x - np.sqrt(ABAR[t]) * x0) / np.sqrt(1 - ABAR[t])
            x = np.sqrt(there) * x0 + np.sqrt(1 - there) * eps
        return x

    vd.check(sample, schedule=SCHEDULE, prediction=prediction, family=vd.DDIM()).raise_if_failed()
    assert vd.check(sample, schedule=SCHEDULE, prediction="epsilon", family=vd.DDIM()).status is Status.FAIL


def test_noise_that_cannot_be_reached_is_judged_by_draws():
    import random

    def sample(denoise, x, seed):
        hidden = random.Random(seed)

        class Generator:
            def normal(self, mean, scale, shape):
                return np.array([hidden.gauss(0, 1) for _ in range(int(np.prod(shape)))]).reshape(shape)

        steps, times = 10, [99, 89, 79, 69, 59, 49, 39, 29, 19, 9]
        noise = Generator().normal(0, 1, (steps, *x.shape))
        for i, t in enumerate(times):
            here, there = ABAR[t], ABAR[times[i + 1]] if i + 1 < steps else 1.0
            sigma = 0.8 * np.sqrt((1 - there) / (1 - here) * (1 - here / there))
            eps = denoise(x, t)
            x = (
                np.sqrt(there / here) * (x - np.sqrt(1 - here) * eps)
                + np.sqrt(1 - there - sigma**2) * eps
                + scale * sigma * noise[i]
            )
        return x

    scale = 1.0
    report = vd.check(sample, schedule=SCHEDULE)
    report.raise_if_failed()
    assert report.identified_as == "DDIM(eta = 0.8)"
    (finding,) = [finding for finding in report.findings if finding.check == "noise-scale"]
    assert finding.false_alarm > 0
    scale = 1.1
    report = vd.check(sample, schedule=SCHEDULE)
    assert [finding.check for finding in report.findings if finding.status is Status.FAIL] == ["noise-scale"]
