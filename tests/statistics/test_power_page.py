"""The pages of the statistics are what the code yields: the table of draws needed, and the examples."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from pathlib import Path

import power_table as table
import pytest

from verifydiff.statistics import ErrorRates

TEXT = table.PAGE.read_text()
ROWS: dict[str, Callable[[], str]] = {
    **{name: lambda name=name: table.fixed_row(name) for name in table.FIXED},
    **{f"{k} directions": lambda k=k: table.directions_row(k) for k in table.DIRECTIONS},
    **{f"correlation {r}": lambda r=r: table.coupled_row(r) for r in table.CORRELATIONS},
    **{f"rate {alarm}": lambda alarm=alarm: table.rate_row(alarm) for alarm in table.ALARMS},
    "sprt": table.sprt_row,
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_of_the_page_is_what_the_code_yields(row: Callable[[], str]) -> None:
    assert row() in TEXT.splitlines(), "write the page anew: python -m tests.power_table"


def test_the_words_between_the_tables_are_those_of_the_code() -> None:
    for name in vars(table):
        if name == "INTRODUCTION" or name.endswith(("_TEXT", "_MEANING")):
            assert getattr(table, name) in TEXT, "write the page anew: python -m tests.power_table"


def multiples(start: str) -> list[float]:
    (row,) = (line for line in TEXT.splitlines() if line.startswith(start))
    return [float(cell) for cell in row.strip("| ").split(" | ")[2:]]


@pytest.mark.parametrize("kind", table.TESTS)
def test_the_sequential_tests_take_what_the_page_says(kind: str) -> None:
    bound = (table.bound_mean if kind == "mean" else table.bound_variance)(table.RESOLUTION)
    told = multiples(f"| {kind}, 1e-06 and 0.01")
    for off, multiple in zip(table.OFF, told, strict=True):
        if off not in (0.0, 0.5):
            assert table.average_draws(kind, table.RATES, off * table.RESOLUTION, 100) / bound == pytest.approx(
                multiple, rel=0.25, abs=0.02
            )


@pytest.mark.parametrize("rates", ["1e-06 and 0.01", "1e-06 and 1e-06", "0.05 and 0.05"])
@pytest.mark.parametrize("kind", table.TESTS)
def test_at_the_resolution_the_sequential_tests_take_at_most_seven_tenths_of_the_bound(kind: str, rates: str) -> None:
    assert multiples(f"| {kind}, {rates}")[table.OFF.index(1.0)] <= 0.7


@pytest.mark.parametrize("kind", table.TESTS)
def test_at_loud_rates_that_is_no_luck_of_the_runs_on_the_page(kind: str) -> None:
    rates = ErrorRates(0.05, 0.05)
    bound = (table.bound_mean if kind == "mean" else table.bound_variance)(table.RESOLUTION, rates)
    assert table.average_draws(kind, rates, table.RESOLUTION, 4000) / bound < 0.72  # with a standard error of 0.007


@pytest.mark.parametrize("name", ["exact two-sided (z, chi-squared)", "mean and variance together"])
def test_exact_tests_take_at_most_a_tenth_more_than_the_best(name: str) -> None:
    mean, variance = table.FIXED[name]
    assert all(mean(delta) <= 1.1 * table.bound_mean(delta) for delta in (0.3, 0.1, 0.03, 0.001))
    assert all(variance(rho) <= 1.1 * table.bound_variance(rho) for rho in (0.3, 0.1, 0.03, 0.001))


def test_the_bound_is_that_of_the_best_test() -> None:
    rates = ErrorRates(0.05, 0.05)
    assert table.bound_mean(0.1, rates) == 1083  # (1.645 + 1.645)^2 / 0.01
    n = table.bound_variance(0.5, rates)
    assert table.quantile_above(n, 0.05) <= 1.5 * table.quantile_below(n, 0.05)
    assert table.quantile_above(n - 1, 0.05) > 1.5 * table.quantile_below(n - 1, 0.05)


def test_the_power_of_a_permutation_test_is_that_of_the_page() -> None:
    (row,) = (line for line in TEXT.splitlines() if line.startswith("| energy distance"))
    n = int(row.split(" | ")[1].split()[0].replace(",", ""))
    assert table.power("energy distance", "mean", n, 40) > 0.75


def test_the_examples_of_the_page_print_what_it_says() -> None:
    page = Path(table.PAGE.parent / "statistics.md").read_text()
    blocks = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(blocks, {}, "statistics.md", None, 0)
    assert len(test.examples) > 30
    told: list[str] = []
    doctest.DocTestRunner().run(test, out=told.append)
    assert not told, "".join(told)
