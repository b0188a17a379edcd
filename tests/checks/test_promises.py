"""What a library promises besides its steps: right promises pass, broken ones fail by the check that asks for them."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from samplers import ABAR, BETAS, T
from solvers import FRAMES, RIGHT

import verifydiff as vd
from verifydiff.checks.promises import noising, rows
from verifydiff.observe import Target
from verifydiff.observe.frame import Frame
from verifydiff.observe.target import Noising
from verifydiff.verdict import Status

DOUBLE = 2.0**-53


def statuses(findings, check):
    return [finding.status for finding in findings if finding.check == check]


# -- noising ---------------------------------------------------------------------------------------------------------------


def closed_form(t):
    return np.sqrt(ABAR[int(t)]), np.sqrt(1 - ABAR[int(t)])


def mixes(mix, weights=closed_form, times=(0.0, 17.0, T - 1.0)):
    return replace(RIGHT["euler"].target(), noising=(Noising("add_noise", mix, weights, times),))


def add_noise(x0, eps, t):
    return np.sqrt(ABAR[int(t)]) * x0 + np.sqrt(1 - ABAR[int(t)]) * eps


def in_single_precision(x0, eps, t):
    return add_noise(x0.astype(np.float32), eps.astype(np.float32), t)


def velocity(t):
    signal, noise = closed_form(t)
    return -noise, signal


WRONG_MIXTURES = {
    "the weights swapped": lambda x0, eps, t: add_noise(eps, x0, t),
    "a variance for a deviation": lambda x0, eps, t: np.sqrt(ABAR[int(t)]) * x0 + (1 - ABAR[int(t)]) * eps,
    "one index late": lambda x0, eps, t: add_noise(x0, eps, max(0, t - 1)),
    "beta for abar": lambda x0, eps, t: np.sqrt(1 - BETAS[int(t)]) * x0 + np.sqrt(BETAS[int(t)]) * eps,
    "the noise of the first row for all": lambda x0, eps, t: (
        add_noise(x0, eps[:1], t) if len(eps) > 1 else add_noise(x0, 0 * eps, t)
    ),
    "not a number at the end": lambda x0, eps, t: add_noise(x0, eps, t) * (np.nan if t == T - 1 else 1),
    "one element": lambda x0, eps, t: add_noise(x0, eps, t) + 1e-9 * (np.arange(x0.size).reshape(x0.shape) == 1),
}


@pytest.mark.parametrize(
    ("mix", "weights", "unit"),
    [
        (add_noise, closed_form, DOUBLE),
        (in_single_precision, closed_form, 2.0**-24),
        (lambda x0, eps, t: closed_form(t)[0] * eps - closed_form(t)[1] * x0, velocity, DOUBLE),
    ],
    ids=["noising", "noising in single precision", "velocity"],
)
def test_right_mixtures_pass(mix, weights, unit):
    (finding,) = noising(mixes(mix, weights), unit)
    assert finding.status is Status.PASS
    assert finding.check == "round-trip"


@pytest.mark.parametrize("mix", WRONG_MIXTURES.values(), ids=WRONG_MIXTURES)
def test_wrong_mixtures_fail(mix):
    assert statuses(noising(mixes(mix), DOUBLE), "round-trip") == [Status.FAIL]


def test_a_mixture_in_single_precision_fails_where_double_was_had():
    assert statuses(noising(mixes(in_single_precision), DOUBLE), "round-trip") == [Status.FAIL]


def test_a_mixture_that_raises_fails_with_what_it_raised():
    def broken(x0, eps, t):
        raise IndexError("index 100 is out of bounds")

    (finding,) = noising(mixes(broken), DOUBLE)
    assert finding.status is Status.FAIL
    assert "IndexError: index 100 is out of bounds" in finding.message


def test_a_mixture_of_another_shape_fails():
    (finding,) = noising(mixes(lambda x0, eps, t: np.zeros((3, 5))), DOUBLE)
    assert finding.status is Status.FAIL


def test_what_mixes_its_arguments_in_place_spoils_nothing():
    def in_place(x0, eps, t):
        x0 *= np.sqrt(ABAR[int(t)])
        eps *= np.sqrt(1 - ABAR[int(t)])
        x0 += eps
        return x0

    assert statuses(noising(mixes(in_place), DOUBLE), "round-trip") == [Status.PASS]


# -- the way back ----------------------------------------------------------------------------------------------------------

RHO = np.array([0.05, 0.3, 1.0, 4.0, 20.0])
"""Of the way back; the sampler goes the same way down, and on to the data."""


def back(told=lambda rho: rho, last=RHO[-1], lose=1.0, name="the inverse"):
    """Euler's method upwards, in the variance-exploding frame: from the data's end of the flow at 0.05 to pure noise."""
    rho = np.append(RHO[:-1], last)

    def sample(denoise, x, seed):
        x = rho[0] * x
        for low, high in pairwise(rho):
            x = x + lose * (high - low) * (x - denoise(x, told(low))) / low
        return x

    prediction, frame = FRAMES["exploding"]
    return Target(name, sample, None, (2,), prediction=prediction, frame=frame, end=Frame.exploding(RHO[-1]))


def there_and(inverse):
    return replace(RIGHT["euler"].on([*RHO[::-1], 0.0]), inverse=inverse)


def round_trip(inverse):
    return [f for f in vd.check(there_and(inverse), converge=False).findings if f.check == "round-trip"]


def test_the_way_back_leads_to_where_the_sampler_starts():
    (finding,) = round_trip(back())
    assert finding.status is Status.PASS
    assert "the inverse leads back" in finding.message


WRONG_WAYS = {
    "one level short": back(last=RHO[-2] * 1.5),
    "a level too far": back(last=21.0),
    "steps one per cent short": back(lose=0.99),
}


@pytest.mark.parametrize("inverse", WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_a_way_that_leads_elsewhere_fails(inverse):
    (finding,) = round_trip(inverse)
    assert finding.status is Status.FAIL
    assert "where the sampler starts" in finding.message


def test_a_way_back_that_breaks_down_fails_by_name():
    def broken(denoise, x, seed):
        raise RuntimeError("no way")

    (finding,) = round_trip(replace(back(), sample=broken))
    assert finding.status is Status.FAIL
    assert finding.message.startswith("the inverse: ")
    assert "no way" in finding.message


def test_without_a_way_back_nothing_is_said_of_it():
    assert round_trip(None) == []


# -- rows ------------------------------------------------------------------------------------------------------------------


def row_seeded(normal):
    """A solver of the SDE whose rows have seeds; ``normal(seeds)(shape)`` draws for all of them."""
    sde = RIGHT["sde-dpm-1"]

    def seeded(denoise, x, seeds):
        draw = normal(seeds)
        return sde.loop(denoise, x, np.array([5.0, 1.0, 0.2, 0.0]), lambda: draw(x.shape))

    return replace(sde.target(), row_seeded=seeded)


def a_generator_for_each_row(seeds):
    sources = [np.random.default_rng(seed) for seed in seeds]
    return lambda shape: np.stack([source.standard_normal(shape[1:]) for source in sources])


def the_first_seed_for_all(seeds):
    source = np.random.default_rng(seeds[0])
    return source.standard_normal


def all_seeds_together(seeds):
    return np.random.default_rng(seeds).standard_normal


def the_row_number_added(seeds):
    return a_generator_for_each_row([seed + i for i, seed in enumerate(seeds)])


def the_rows_in_reverse(seeds):
    return a_generator_for_each_row(seeds[::-1])


def noise_contract(target):
    return list(rows(target, 0, time.monotonic() + 60))


def test_a_seed_for_each_row_makes_a_sample_its_own():
    (finding,) = noise_contract(row_seeded(a_generator_for_each_row))
    assert finding.status is Status.PASS
    assert finding.check == "noise-contract"


@pytest.mark.parametrize(
    "normal", [the_first_seed_for_all, all_seeds_together, the_row_number_added, the_rows_in_reverse], ids=lambda f: f.__name__
)
def test_rows_that_depend_on_their_batch_fail(normal):
    (finding,) = noise_contract(row_seeded(normal))
    assert finding.status is Status.FAIL
    assert "depends on its batch" in finding.message


def test_the_rows_of_one_batch_do_not_reach_into_each_other():
    target = row_seeded(a_generator_for_each_row)

    def centred(denoise, x, seeds):
        return target.row_seeded(denoise, x - x.mean(axis=0), seeds)

    assert statuses(noise_contract(replace(target, row_seeded=centred)), "noise-contract") == [Status.FAIL]


def test_a_batch_that_takes_other_steps_than_its_rows_fails():
    target = row_seeded(a_generator_for_each_row)

    def hurried(denoise, x, seeds):
        return target.row_seeded(denoise, x, seeds) if len(seeds) == 1 else denoise(x, 5.0)

    (finding,) = noise_contract(replace(target, row_seeded=hurried))
    assert finding.status is Status.FAIL


def test_seeds_that_are_refused_fail_by_name():
    def refused(denoise, x, seeds):
        raise ValueError("a list of generators is not understood")

    (finding,) = noise_contract(replace(RIGHT["sde-dpm-1"].target(), row_seeded=refused))
    assert finding.status is Status.FAIL
    assert "with a seed for each row" in finding.message


def test_a_sampler_without_seeds_for_rows_is_not_asked():
    assert noise_contract(RIGHT["sde-dpm-1"].target()) == []


def test_every_promise_is_asked_of_a_solver():
    target = replace(
        row_seeded(the_first_seed_for_all), noising=mixes(WRONG_MIXTURES["one element"]).noising, inverse=back(last=21.0)
    )
    failed = [(f.check, f.status) for f in vd.check(target, converge=False).findings if f.status is Status.FAIL]
    assert failed == [("round-trip", Status.FAIL), ("round-trip", Status.FAIL), ("noise-contract", Status.FAIL)]
