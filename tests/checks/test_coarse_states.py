"""States, draws and tables in less than double precision: right ones are not called wrong, and wrong ones do not pass."""

import random

import numpy as np
import pytest
from samplers import ABAR, trailing
from solvers import RIGHT

from verifydiff import DDIM, check
from verifydiff.forms.solvers import ProbabilityFlow, ReverseSDE
from verifydiff.observe.running import Rounded
from verifydiff.schedule import Schedule
from verifydiff.verdict import Status

SCHEDULE = Schedule(np.append(1.0, ABAR), "of the test")
TIMES = trailing(20)


def bfloat16(x):
    """Rounded to eight binary places, in a type that NumPy has."""
    x = np.asarray(x, dtype=np.float32)
    whole = x.view(np.uint32).astype(np.uint64)
    return ((whole + 0x7FFF + (whole >> 16 & 1)) >> 16 << 16).astype(np.uint32).view(np.float32).reshape(x.shape)


def sampler(kept, *, eta, root=True, noise=1.0):
    """DDIM whose states are ``kept`` in a coarse type."""

    def sample(denoise, x, seed):
        rng, x = np.random.default_rng(seed), kept(x)
        for k, t in enumerate(TIMES):
            a, b = ABAR[t], ABAR[TIMES[k + 1]] if k + 1 < len(TIMES) else 1.0
            eps = denoise(x, t)
            spread = eta * np.sqrt((1 - b) / (1 - a) * (1 - a / b))
            rest = max(0.0, 1 - b - spread**2)
            x_0 = (x - np.sqrt(1 - a) * eps) / np.sqrt(a)
            x = kept(np.sqrt(b) * x_0 + (np.sqrt(rest) if root else rest) * eps + noise * spread * rng.standard_normal(x.shape))
        return x

    return sample


KEPT = {
    "float16": lambda x: np.asarray(x).astype(np.float16),
    "bfloat16": lambda x: Rounded.of(bfloat16(x), 2.0**-9),
    "float32": lambda x: np.asarray(x).astype(np.float32),
}


@pytest.mark.parametrize("eta", [0.0, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("claimed", [False, True], ids=["unclaimed", "claimed"])
@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_right_samplers_in_coarse_types_are_not_called_wrong(kept, claimed, eta):
    report = check(sampler(kept, eta=eta), schedule=SCHEDULE, family=DDIM(eta) if claimed else None)
    assert report.status in (Status.PASS, Status.INCONCLUSIVE), report


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("wrong", [{"root": False}, {"noise": 1.3}, {"noise": 0.0}], ids=["root", "loud", "silent"])
@pytest.mark.parametrize("claimed", [False, True], ids=["unclaimed", "claimed"])
def test_wrong_samplers_in_coarse_types_do_not_pass(kept, wrong, claimed):
    report = check(sampler(kept, eta=0.7, **wrong), schedule=SCHEDULE, family=DDIM(0.7) if claimed else None)
    assert report.status is (Status.FAIL if claimed else report.status), report
    assert report.status is not Status.PASS, report


# -- solvers -------------------------------------------------------------------------------------------------------------


def in_single(values):
    return np.asarray(values, dtype=np.float32).astype(np.float64)


@pytest.mark.parametrize("name", ["euler", "heun", "dpm-2m"])
def test_a_solver_with_tables_in_single_precision_is_right(name):
    from dataclasses import replace

    target = RIGHT[name].target()

    def sample(denoise, x, seed):
        return target.sample(lambda state, t, **at: denoise(state * (1 + 3e-8), t, **at), x, seed)

    report = check(replace(target, sample=sample), family=ProbabilityFlow(None))
    assert report.status is Status.PASS, report
    (found,) = (one for one in report.findings if one.check == "pairing")
    assert found.status is Status.NOTE
    assert "single precision" in found.message


def test_draws_in_single_precision_are_draws():
    def sample(denoise, x, seed):
        rng = np.random.default_rng(seed)
        for k, t in enumerate(TIMES):
            a, b = ABAR[t], ABAR[TIMES[k + 1]] if k + 1 < len(TIMES) else 1.0
            eps = denoise(x, t)
            spread = np.sqrt((1 - b) / (1 - a) * (1 - a / b))
            z = rng.standard_normal(x.shape).astype(np.float32).astype(np.float64)
            x = np.sqrt(b) * (x - np.sqrt(1 - a) * eps) / np.sqrt(a) + np.sqrt(max(0.0, 1 - b - spread**2)) * eps + spread * z
        return x

    report = check(sample, schedule=SCHEDULE, family=ReverseSDE(None))
    assert report.status is Status.PASS, report


def test_an_order_in_single_precision_is_measured_or_left_open():
    from dataclasses import replace

    whole = RIGHT["dpm-2m"].target()

    def single(target):
        def sample(denoise, x, seed):
            return target.sample(denoise, x.astype(np.float32), seed).astype(np.float32)

        return replace(target, sample=sample)

    target = replace(single(whole), on_log_grid=lambda n: single(whole.on_log_grid(n)), on_uneven_grid=None)
    for claimed in (2, 3):
        report = check(target, family=ProbabilityFlow(claimed))
        (found,) = (one for one in report.findings if one.check == "order")
        assert found.status in ((Status.PASS, Status.INCONCLUSIVE) if claimed == 2 else (Status.INCONCLUSIVE,))


# -- what single precision must not hide ---------------------------------------------------------------------------------

LEVELS = np.append(ABAR[TIMES], 1.0)


def changing(*, constant=0.0, hidden=0.0, loud=1.0):
    """Steps of an eta of each one's own, on states in single precision."""

    def sample(denoise, x, seed):
        rng, unseen, x = np.random.default_rng(seed), random.Random(seed), x.astype(np.float32)
        for k, t in enumerate(TIMES):
            a, b = LEVELS[k], LEVELS[k + 1]
            eps = denoise(x, t)
            spread = (0.3 + k / 40) * np.sqrt((1 - b) / (1 - a) * (1 - a / b))
            x = np.sqrt(b) * (x - np.sqrt(1 - a) * eps) / np.sqrt(a) + np.sqrt(1 - b - spread**2) * eps
            x = x + loud * spread * rng.standard_normal(x.shape) + constant
            x = (x + hidden * np.reshape([unseen.gauss(0, 1) for _ in range(x.size)], x.shape)).astype(np.float32)
        return x

    return sample


def two_m(ratio=lambda r: r):
    """DPM-Solver++(2M) on states, and by a table, in single precision."""
    table = LEVELS.astype(np.float32)

    def sample(denoise, x, seed):
        x, before, last = x.astype(np.float32), None, None
        for k, t in enumerate(TIMES):
            a, b = table[k], table[k + 1]
            x_0 = (x - np.sqrt(1 - a) * denoise(x, t)) / np.sqrt(a)
            h = np.float32(0.5) * (np.log(b / (1 - b)) - np.log(a / (1 - a))) if b < 1 else None
            used = x_0 if before is None or h is None else x_0 + (x_0 - before) * np.float32(0.5) * ratio(h / last)
            x = np.sqrt((1 - b) / (1 - a)) * x + (np.sqrt(b) - np.sqrt(a) * np.sqrt((1 - b) / (1 - a))) * used
            before, last = x_0, h
        return x

    return sample


def test_a_right_method_of_changing_eta_in_single_precision_passes():
    assert check(changing(), schedule=SCHEDULE).status is Status.PASS


@pytest.mark.parametrize("wrong", [{"constant": 0.01}, {"hidden": 0.03}, {"loud": 1.01}], ids=["constant", "hidden", "loud"])
def test_single_precision_hides_neither_constants_nor_noise_nor_its_scale(wrong):
    assert check(changing(**wrong), schedule=SCHEDULE).status is not Status.PASS


def test_a_method_is_known_by_its_weights_in_single_precision_and_so_is_a_mistake_in_it():
    right, wrong = (check(two_m(ratio), schedule=SCHEDULE) for ratio in (lambda r: r, lambda r: 1 / r))
    assert right.status is Status.PASS
    assert "DPM-Solver++(2M)" in right.identified_as
    assert wrong.status is Status.FAIL
    assert wrong.diagnosis[0].slip == "ratio-upside-down"
