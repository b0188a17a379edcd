"""No mutant of a solver survives: the check that should kill it does, and a claim that is too high is one of them."""

from dataclasses import replace

import numpy as np
import pytest
from solvers import RIGHT, between

import verifydiff as vd
from verifydiff.verdict import Status


def found(report, check):
    return next(finding for finding in report.findings if finding.check == check)


def told(report, status=Status.FAIL):
    return [finding.check for finding in report.findings if finding.status is status]


def seeded_anew_at_every_draw(seed, shape):
    return lambda: np.random.default_rng(seed).standard_normal(shape)


def drawn_once_and_kept(seed, shape):
    z = np.random.default_rng(seed).standard_normal(shape)
    return lambda: z


def seedless(seed, shape):
    rng = np.random.default_rng()
    return lambda: rng.standard_normal(shape)


def of_one_seed_always(seed, shape):
    rng = np.random.default_rng(0)
    return lambda: rng.standard_normal(shape)


def half_of_it_from_the_last(seed, shape):
    rng, kept = np.random.default_rng(seed), [0.0]

    def normal():
        kept[0] = 0.6 * kept[0] + 0.8 * rng.standard_normal(shape)
        return kept[0]

    return normal


def first_row_for_all(seed, shape):
    rng = np.random.default_rng(seed)
    return lambda: rng.standard_normal(shape)[:1] + np.zeros(shape)


def one_row_drawn_for_all(seed, shape):
    rng = np.random.default_rng(seed)
    return lambda: np.repeat(rng.standard_normal((1, *shape[1:])), shape[0], axis=0)


def one_seed_for_every_row(seed, shape):
    rows = [np.random.default_rng(seed) for _ in range(shape[0])]
    return lambda: np.stack([rng.standard_normal(shape[1:]) for rng in rows])


def noise(source, of="sde-dpm-2m"):
    return replace(RIGHT[of], noise=source)


def claiming(name, order):
    return replace(RIGHT[name], order=order)


MUTANTS = {
    # -- levels that are missed
    "euler: a step of half the length": (RIGHT["euler"].mutant(size=0.5), "pairing"),
    "midpoint: another level told in the middle": (RIGHT["midpoint"].mutant(told=lambda middle: 0.9 * middle), "pairing"),
    "dpm-2s: another level told in the middle": (RIGHT["dpm-2s"].mutant(told=lambda middle: 0.9 * middle), "pairing"),
    "ab-3: weights that sum to 1.01": (RIGHT["ab-3"].mutant(weights=lambda w: [1.01 * w[0], *w[1:]]), "pairing"),
    "ab-3: one weight lost": (RIGHT["ab-3"].mutant(weights=lambda w: [w[0], w[1], 0.0]), "pairing"),
    "sde: the deviation of half a step": (RIGHT["sde-dpm-1"].mutant(variance=lambda h: -np.expm1(-h)), "pairing"),
    "sde: a variance for a deviation": (RIGHT["sde-dpm-2m"].mutant(variance=lambda h: np.expm1(-2 * h) ** 2), "pairing"),
    "ancestral: noise one per mille too loud": (RIGHT["midpoint-ancestral"].mutant(loud=1.001), "pairing"),
    "ancestral: no noise": (RIGHT["midpoint-ancestral"].mutant(loud=0.0), "pairing"),
    "euler-maruyama: noise too loud": (RIGHT["euler-maruyama"].mutant(loud=1.1), "pairing"),
    "euler-maruyama: the drift of the flow": (RIGHT["euler-maruyama"].mutant(score=0.5), "pairing"),
    "one draw for all steps": (noise(drawn_once_and_kept), "pairing"),
    # -- orders that are lost
    "heun: the far slope over the near level": (RIGHT["heun"].mutant(ahead=lambda high, low: high), "order"),
    "heun: the far query told the near level": (RIGHT["heun"].mutant(told=lambda high, low: high), "order"),
    "heun: 0.45 and 0.55": (RIGHT["heun"].mutant(half=0.55), "order"),
    "midpoint: not in the middle": (RIGHT["midpoint"].mutant(share=0.4), "order"),
    "ancestral: not in the middle": (RIGHT["midpoint-ancestral"].mutant(share=0.4), "order"),
    "dpm-2s: half a half step": (RIGHT["dpm-2s"].mutant(share=0.25), "order"),
    "dpm-2m: the correction subtracted": (RIGHT["dpm-2m"].mutant(sign=-1.0), "order"),
    "dpm-2m: its 1/2 lost": (RIGHT["dpm-2m"].mutant(half=1.0), "order"),
    "dpm-2m: half of the slope": (RIGHT["dpm-2m-heun"].mutant(ratio=lambda r: 2 * r), "order"),
    "dpm-2m: the prediction before the last": (RIGHT["dpm-2m"].mutant(stale=1), "order"),
    "dpm-2m: corrects every other step": (RIGHT["dpm-2m"].mutant(history=lambda k, of: k % 2), "order"),
    "deis-2: a slope too old": (RIGHT["deis-2"].mutant(stale=1), "order"),
    "ab-3: a slope too old": (RIGHT["ab-3"].mutant(stale=1), "order"),
    "ab-3: two weights swapped": (RIGHT["ab-3"].mutant(weights=lambda w: [w[0], w[2], w[1]]), "order"),
    "lms-4: weights of the third slope shifted": (
        RIGHT["lms-4"].mutant(weights=lambda w: [w[0], w[1] + 0.1 * w[2], 0.9 * w[2], w[3]]),
        "order",
    ),
    "ab-3: a tenth of the steps to start with": (
        RIGHT["ab-3"].mutant(starts=lambda k, of: 1 if k < of / 10 else min(3, k + 1)),
        "order",
    ),
    "ab-3: a tenth of the steps to end with": (
        RIGHT["ab-3"].mutant(starts=lambda k, of: 2 if k > 0.9 * of else min(3, k + 1)),
        "order",
    ),
    # -- the end
    "dpm-2m: an end of the second order": (RIGHT["dpm-2m"].mutant(to_the_end=True), "behaviour"),
    "sde: noise onto the data": (RIGHT["sde-dpm-1"].mutant(at_the_end=0.01), "last-step"),
    # -- the noise
    "a generator seeded anew at every draw": (noise(seeded_anew_at_every_draw), "noise-law"),
    "noise of no seed": (noise(seedless), "seed"),
    "noise of one seed always": (noise(of_one_seed_always), "seed"),
    "draws that are correlated": (noise(half_of_it_from_the_last), "pairing"),
    # -- claims
    "euler claims 2": (claiming("euler", 2), "order"),
    "dpm-2m claims 3": (claiming("dpm-2m", 3), "order"),
    "heun claims 3": (claiming("heun", 3), "order"),
    "ab-3 claims 4": (claiming("ab-3", 4), "order"),
    "lms-4 claims 5": (claiming("lms-4", 5), "order"),
    "sde claims 2": (claiming("sde-dpm-1", 2), "order"),
    "euler-maruyama claims 2": (claiming("euler-maruyama", 2), "order"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_no_mutant_survives(name):
    solver, check = MUTANTS[name]
    assert check in told(vd.check(solver.target()))


LEVELS = [name for name, (_, check) in MUTANTS.items() if check == "pairing"]


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_that_is_missed_needs_no_order_to_be_measured(name):
    solver, check = MUTANTS[name]
    assert check in told(vd.check(solver.target(), converge=False))


@pytest.mark.parametrize("source", [first_row_for_all, one_row_drawn_for_all, one_seed_for_every_row])
def test_noise_that_rows_share_does_not_pass(source):
    """The draws of single rows cannot be reached, so the noise is not what it seems; and no crash comes of it."""
    report = vd.check(noise(source).target(), converge=False)
    assert "noise-law" in [*told(report), *told(report, Status.INCONCLUSIVE)]
    assert report.status is not Status.PASS


@pytest.mark.parametrize(
    ("name", "lower"),
    [("heun", 1), ("dpm-2m", 1), ("midpoint-ancestral", 1), ("ab-3", 2)],
)
def test_a_higher_order_than_is_claimed_is_a_note(name, lower):
    report = vd.check(claiming(name, lower).target())
    assert told(report) == []
    order = found(report, "order")
    assert order.status is Status.NOTE
    assert "faster than" in order.message


@pytest.mark.parametrize("name", ["euler", "dpm-2m", "lms-4", "sde-dpm-1"])
def test_without_a_claim_of_an_order_a_solver_only_has_to_converge(name):
    assert found(vd.check(claiming(name, None).target()), "order").status is Status.PASS


def test_without_a_claim_of_an_order_one_that_does_not_converge_fails():
    wrong = replace(RIGHT["dpm-2s"].mutant(told=lambda middle: 0.9 * middle), order=None)
    assert "order" in told(vd.check(wrong.target()))


UNEVEN = {
    "dpm-2m: all steps taken for equal": (RIGHT["dpm-2m"].mutant(ratio=lambda r: 1.0), Status.FAIL),
    "dpm-2m-heun: all steps taken for equal": (RIGHT["dpm-2m-heun"].mutant(ratio=lambda r: 1.0), Status.FAIL),
    "sde-dpm-2m: all steps taken for equal": (RIGHT["sde-dpm-2m"].mutant(ratio=lambda r: 1.0), Status.FAIL),
    "dpm-2m: the root of the ratio": (RIGHT["dpm-2m"].mutant(ratio=np.sqrt), Status.FAIL),
    "dpm-2m: the ratio of steps upside down": (RIGHT["dpm-2m"].mutant(ratio=lambda r: 1 / r), Status.NOTE),
    "dpm-2m-heun: the ratio of steps upside down": (RIGHT["dpm-2m-heun"].mutant(ratio=lambda r: 1 / r), Status.NOTE),
}


@pytest.mark.parametrize("name", UNEVEN)
def test_a_wrong_length_of_steps_is_seen_on_steps_that_are_in_turn_short_and_long(name):
    """Upside down, the ratio makes a method that is one of the same order behind an offset: no failure, and a note that says so."""
    solver, status = UNEVEN[name]
    (finding,) = [f for f in vd.check(solver.target()).findings if "in turn short and twice as long" in f.message]
    assert (finding.check, finding.status) == ("order", status)


@pytest.mark.parametrize("name", UNEVEN)
def test_where_steps_are_even_it_is_not_seen(name):
    """Written down under what it cannot see: the ratio of even steps is 1."""
    solver = UNEVEN[name][0]
    even = solver.on(between(np.ones(8)))
    report = vd.check(replace(even, on_log_grid=solver.target().on_log_grid))
    assert told(report) == []
    assert found(report, "order").status is Status.PASS


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_solver_takes_uneven_steps_in_its_stride(name):
    report = vd.check(RIGHT[name].target())
    assert not [f for f in report.findings if "in turn short and twice as long" in f.message]


def test_one_that_breaks_down_on_uneven_steps_alone_fails():
    right = RIGHT["dpm-2m"]
    broken = right.mutant(ratio=lambda r: r if abs(r - 1) < 1e-6 else np.inf)  # first-order where steps change
    assert told(vd.check(replace(broken.target(), on_uneven_grid=right.target().on_uneven_grid))) == []
    wild = right.mutant(half=1e200)
    assert "order" in told(vd.check(replace(right.target(), on_uneven_grid=wild.target().on_uneven_grid)))
