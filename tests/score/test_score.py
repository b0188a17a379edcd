"""verifydiff kills every mutant and names what was planted, and the page says what the code yields."""

import re

import numpy as np
import pytest
from mutants import EQUIVALENT, FAMILIES, Mutant, equivalent, mistaken, on_the_wrong_grid, over, population, right_by_equations
from samplers import ddim, trailing
from score.diagnosis import named_first, of_no_slip
from score.page import HEADS, KINDS, PAGE, Row, by_mistake, false_alarms, mistake_row, pairs
from score.ways import WAYS, calibrated, golden, judge, near, outcome, shape_and_finite

from verifydiff.verdict import Status

TEXT = PAGE.read_text()
ROW = re.compile(r"^\| (.+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (-|\d+ of \d+) \|$", re.MULTILINE)
EVERY = 8
"""One mistake in so many of the slips is computed anew; those by hand all are."""


def page_rows():
    rows = {}
    for title, mutants, *killed, named in ROW.findall(TEXT):
        pair = tuple(map(int, named.split(" of "))) if named != "-" else None
        rows[title] = Row(title, int(mutants), tuple(map(int, killed)), pair)
    return rows


ROWS = page_rows()
SAMPLED = [key for i, key in enumerate(by_mistake()) if key[0] not in ("equations", "levels") or i % EVERY == 0]


@pytest.mark.parametrize("key", SAMPLED, ids=["-".join(key) for key in SAMPLED])
def test_a_row_of_the_page_is_what_the_code_yields_and_verifydiff_kills_all(key):
    row = mistake_row(*key)
    assert ROWS.get(row.title) == row, "write the page anew: python -m tests.score"
    assert row.killed[list(WAYS).index("verifydiff")] == row.mutants


def test_every_mistake_has_its_row():
    titles = {
        f"{KINDS[kind]} | {f'`{mistake}`' if planted[0].from_catalogue else mistake}"
        for (kind, mistake), planted in by_mistake().items()
    }
    assert titles == {title for title in ROWS if " | " in title}


def test_the_sums_of_the_page_are_the_sums_of_its_rows():
    for kind in KINDS:
        if kind == "two slips":
            continue
        rows = [row for title, row in ROWS.items() if title.startswith(f"{KINDS[kind]} | ")]
        assert ROWS[KINDS[kind]] == summed(KINDS[kind], rows)
    assert ROWS["**all**"] == summed("**all**", [ROWS[KINDS[kind]] for kind in KINDS if kind != "two slips"])


def summed(title, rows):
    named = [row.named for row in rows if row.named]
    total = tuple(map(sum, zip(*named, strict=True))) if named else None
    return Row(title, sum(row.mutants for row in rows), tuple(map(sum, zip(*(row.killed for row in rows), strict=True))), total)


def test_the_page_says_that_verifydiff_kills_every_slip_and_names_nine_in_ten():
    at = list(WAYS).index("verifydiff")
    for kind in ("equations", "levels", "grid", "table", "query", "noise", "two slips"):
        assert ROWS[KINDS[kind]].killed[at] == ROWS[KINDS[kind]].mutants
    assert ROWS["**all**"].killed[at] == ROWS["**all**"].mutants
    first, planted = ROWS["**all**"].named
    assert first >= 0.9 * planted
    assert HEADS.count("|") == len(WAYS)


def test_nine_in_ten_slips_are_named_first():
    """On every seventh mutant, which no pattern of the catalogue follows; the page has the number over all."""
    planted = [mutant for mutant in mistaken() if mutant.from_catalogue][::7]
    assert sum(named_first(mutant) for mutant in planted) >= 0.9 * len(planted)


def test_two_slips_at_once_are_found():
    assert all(mutant.report.status is Status.FAIL for mutant in pairs()[:60])


def test_weights_that_no_slip_explains_are_not_named():
    for report in of_no_slip(20):
        assert report.status is Status.FAIL
        assert report.diagnosis == ()


def test_the_table_of_false_alarms_is_what_the_code_yields():
    assert [line for line in false_alarms() if line not in TEXT] == []


# -- the ways of testing are fair ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_right_code_passes_every_way(name):
    right = right_by_equations(name)
    mutant = Mutant(name, "none", "none", right, right, {"family": FAMILIES[name]})
    assert [way for way in WAYS if judge(way, mutant).killed] == []


@pytest.mark.parametrize("name", FAMILIES)
def test_right_code_passes_the_moments_whatever_the_seed(name):
    right = right_by_equations(name)
    assert all(near(outcome(right, seed), calibrated(right)) for seed in range(40))


def test_the_moments_are_the_datas_where_the_steps_suffice():
    assert calibrated(ddim(0.0, 100)) == (1.5, 0.5)
    assert calibrated(right_by_equations("ddim-1")) != (1.5, 0.5)


def test_the_golden_loop_is_the_public_one():
    """Their own start: entry (b, c, h, w) is (((c * 8 + h) * 8 + w) * 4 + b) / 768; and their model at t = 1 halves."""
    starts = []
    golden(lambda denoise, x, seed: (starts.append(x), denoise(x, 1))[1])
    cube = starts[0].reshape(4, 3, 8, 8)
    assert cube[2, 1, 5, 7] == (((1 * 8 + 5) * 8 + 7) * 4 + 2) / 768
    assert golden(lambda denoise, x, seed: denoise(x, 1)) == pytest.approx((767 / 4, 767 / 4 / 768))


def test_what_is_not_finite_or_of_another_shape_is_seen():
    for wrong in (lambda denoise, x, seed: x * np.nan, lambda denoise, x, seed: x[:1], lambda denoise, x, seed: x + np.inf):
        assert shape_and_finite(Mutant("", "", "", wrong, wrong)).killed


def test_what_raises_is_killed_by_all():
    (mutant,) = [one for one in on_the_wrong_grid() if one.mistake == "reaches index T"]
    assert all(judge(way, mutant).killed for way in WAYS)


# -- the population --------------------------------------------------------------------------------------------------------


def test_what_is_left_out_is_equivalent_and_nothing_else_is():
    assert {mutant.name for mutant in population() if equivalent(mutant)} == set(EQUIVALENT)


def test_names_are_unique():
    names = [mutant.name for mutant in (*population(), *pairs())]
    assert len(set(names)) == len(names) > 500


@pytest.mark.parametrize(
    ("name", "clean"),
    [("ddim-0", ddim(0.0, 13)), ("euler", ddim(0.0, 13)), ("ddim-0.3", None), ("ddpm", None)],
    ids=["ddim-0", "euler", "ddim-0.3", "ddpm"],
)
def test_the_equations_run_as_the_samplers_written_by_hand(name, clean):
    clean = clean or over(trailing(13), eta={"ddim-0.3": 0.3, "ddpm": 1.0}[name])
    start = np.random.default_rng(0).standard_normal((3, 4))

    def model(x, t):
        return np.cos(x) + 0.01 * np.reshape(t, (-1, 1))

    assert np.allclose(right_by_equations(name)(model, start, 7), clean(model, start, 7), rtol=1e-10)
