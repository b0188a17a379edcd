"""The page that says how many draws each test needs: ``python -m tests.power_table`` writes ``docs/power.md`` anew."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from functools import cache
from math import ceil, log
from pathlib import Path

import numpy as np
import scipy
from scipy.special import bdtr, ndtr, ndtri

from verifydiff.statistics import (
    ErrorRates,
    Evidence,
    SequentialMean,
    SequentialVariance,
    compare_coupled_means,
    draws_needed_for_bounded_mean,
    draws_needed_for_directions,
    draws_needed_for_distribution_function,
    draws_needed_for_mean,
    draws_needed_for_variance,
    energy_distance,
    kernel_distance,
    projections,
)
from verifydiff.statistics.chi_squared import quantile_above, quantile_below
from verifydiff.statistics.decision import smallest
from verifydiff.statistics.sequential import Sequential

PAGE = Path(__file__).parent.parent / "docs" / "power.md"
RATES = ErrorRates(1e-6, 0.01)
SEED, RUNS = 20261128, 500
MEANS, VARIANCES = (0.1, 0.01), (0.1, 0.01)
CLIP = 4.0

# -- the bound, and tests with a number of draws fixed beforehand ----------------------------------------------------------


def bound_mean(delta: float, rates: ErrorRates = RATES) -> int:
    """Neyman and Pearson: the best test of N(0, 1) against N(delta, 1), one-sided."""
    return ceil(float((ndtri(rates.false_alarm) + ndtri(rates.miss)) / delta) ** 2)


def bound_variance(rho: float, rates: ErrorRates = RATES) -> int:
    """Neyman and Pearson: the best test of N(0, 1) against N(0, 1 + rho), one-sided."""
    return smallest(lambda n: quantile_above(n, rates.false_alarm) <= (1 + rho) * quantile_below(n, rates.miss))


def shared(by: int) -> ErrorRates:
    """False alarms shared by so many tests; the one that is off must be found with the whole power."""
    return ErrorRates(RATES.false_alarm / by, RATES.miss)


def distance_of_means(delta: float) -> float:
    """The largest distance of the distribution functions of N(0, 1) and N(delta, 1)."""
    return float(2 * ndtr(delta / 2) - 1)


def distance_of_variances(rho: float) -> float:
    """That of N(0, 1) and N(0, 1 + rho)."""
    x = (log(1 + rho) * (1 + rho) / rho) ** 0.5  # where the densities cross
    return float(ndtr(x) - ndtr(x / (1 + rho) ** 0.5))


def kolmogorov_smirnov(p: float, q: float) -> int:
    """Draws with which F_n is beyond Massart's threshold at the point of the largest distance: binomial with p, claimed q."""

    def enough(n: int) -> bool:
        beyond = q - (log(2 / RATES.false_alarm) / (2 * n)) ** 0.5
        return beyond > 0 and float(1 - bdtr(np.floor(n * beyond), n, p)) <= RATES.miss

    return smallest(enough)


def kolmogorov_smirnov_mean(delta: float) -> int:
    """For a mean: the densities cross half way."""
    return kolmogorov_smirnov(float(ndtr(-delta / 2)), float(ndtr(delta / 2)))


def kolmogorov_smirnov_variance(rho: float) -> int:
    """For a variance: they cross at x."""
    x = (log(1 + rho) * (1 + rho) / rho) ** 0.5
    return kolmogorov_smirnov(float(ndtr(x / (1 + rho) ** 0.5)), float(ndtr(x)))


FIXED: dict[str, tuple[Callable[[float], int], Callable[[float], int]]] = {
    "Neyman-Pearson bound": (bound_mean, bound_variance),
    "exact two-sided (z, chi-squared)": (
        lambda delta: draws_needed_for_mean(delta, RATES),
        lambda rho: draws_needed_for_variance(rho, RATES),
    ),
    "mean and variance together": (
        lambda delta: draws_needed_for_mean(delta, shared(2)),
        lambda rho: draws_needed_for_variance(rho, shared(2)),
    ),
    **{
        f"the largest of {k:,} coordinates or entries": (
            lambda delta, k=k: draws_needed_for_mean(delta, shared(k)),
            lambda rho, k=k: draws_needed_for_variance(rho, shared(k)),
        )
        for k in (5, 20, 2144)
    },
    "Kolmogorov-Smirnov, at the one point where the laws differ most": (kolmogorov_smirnov_mean, kolmogorov_smirnov_variance),
    "the same, for every law at that distance": (
        lambda delta: draws_needed_for_distribution_function(distance_of_means(delta), RATES),
        lambda rho: draws_needed_for_distribution_function(distance_of_variances(rho), RATES),
    ),
    "values clipped at 4, bounded whatever their law": (
        lambda delta: draws_needed_for_bounded_mean(delta / (2 * CLIP), RATES),
        lambda rho: draws_needed_for_bounded_mean(rho / CLIP**2, RATES),
    ),
}
DIRECTIONS = (1, 5, 20, 2144)


def fixed_row(name: str) -> str:
    """Draws, and how many times the bound, for each effect."""
    mean, variance = FIXED[name]
    cells = [cell(mean(delta), bound_mean(delta)) for delta in MEANS] + [
        cell(variance(rho), bound_variance(rho)) for rho in VARIANCES
    ]
    return f"| {name} | {' | '.join(cells)} |"


def directions_row(k: int) -> str:
    """The sum of squares over k directions, one of which is off."""
    return f"| {k:,} | {' | '.join(cell(draws_needed_for_directions(delta, k, RATES), bound_mean(delta)) for delta in MEANS)} |"


def cell(draws: int, bound: int) -> str:
    """The draws and the multiple of the bound."""
    return f"{draws:,} ({times(draws / bound)})"


def times(ratio: float) -> str:
    """A multiple with three digits, or two after the point."""
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}" if ratio >= 10 else f"{ratio:.2f}"


# -- sequential tests ------------------------------------------------------------------------------------------------------

RESOLUTION, EVERY = 0.1, 20
OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
TESTS: dict[str, type[Sequential]] = {"mean": SequentialMean, "variance": SequentialVariance}


@cache
def average_draws(kind: str, rates: ErrorRates, off: float, runs: int = RUNS) -> float:
    """Draws until the decision, on average over runs that look after every twenty draws; the package's own mixtures."""
    rng = np.random.default_rng([SEED, int(1000 * off)])
    test = TESTS[kind](RESOLUTION, rates)
    s, spent, going, n = np.zeros(runs), np.zeros(runs), np.arange(runs), 0
    while going.size:
        n += EVERY
        u = rng.standard_normal((going.size, EVERY))
        u = u + off if kind == "mean" else u * (1 + off) ** 0.5
        s = s + test.family.statistic(u).sum(axis=1)
        within = np.minimum(*(side.log_e(n, s) for side in test.off_resolution)) >= -log(rates.miss)
        decided = within | (test.off_claim.log_e(n, s) >= -log(rates.false_alarm))
        spent[going[decided]] = n
        going, s = going[~decided], s[~decided]
    return float(spent.mean())


@cache
def average_draws_of_sprt(off: float, runs: int = RUNS) -> float:
    """Wald's test of N(0, 1) against N(RESOLUTION, 1), one-sided, looked at after every twenty draws."""
    rng = np.random.default_rng([SEED, 1, int(1000 * off)])
    high, low = log((1 - RATES.miss) / RATES.false_alarm), log(RATES.miss / (1 - RATES.false_alarm))
    ratio, spent, going, n = np.zeros(runs), np.zeros(runs), np.arange(runs), 0
    while going.size:
        n += EVERY
        ratio = ratio + (RESOLUTION * (rng.standard_normal((going.size, EVERY)) + off) - RESOLUTION**2 / 2).sum(axis=1)
        decided = (ratio >= high) | (ratio <= low)
        spent[going[decided]] = n
        going, ratio = going[~decided], ratio[~decided]
    return float(spent.mean())


def sequential_row(kind: str, rates: ErrorRates) -> str:
    """Average draws over the bound at the resolution, at each effect."""
    bound = (bound_mean if kind == "mean" else bound_variance)(RESOLUTION, rates)
    cells = (times(average_draws(kind, rates, times_off * RESOLUTION) / bound) for times_off in OFF)
    return f"| {kind}, {rates.false_alarm:g} and {rates.miss:g} | {bound:,} | {' | '.join(cells)} |"


def sprt_row() -> str:
    """The same of Wald's one-sided test of one alternative."""
    bound = bound_mean(RESOLUTION)
    cells = (times(average_draws_of_sprt(times_off * RESOLUTION) / bound) if times_off != 0.5 else "-" for times_off in OFF)
    return f"| *SPRT of that one alternative, {RATES.false_alarm:g} and {RATES.miss:g}* | {bound:,} | {' | '.join(cells)} |"


SEQUENTIAL_RATES = (RATES, ErrorRates(1e-6, 1e-6), ErrorRates(0.05, 0.05))

# -- tests of laws without a formula ---------------------------------------------------------------------------------------

LOUD, POWER = 0.01, 0.9
BIG = {"mean": 0.5, "variance": 1.0}
PERMUTED: dict[str, Callable[..., Evidence]] = {
    "energy distance": energy_distance,
    "Gaussian kernel": kernel_distance,
    "20 projections": lambda x, y, **options: projections(x, y, 20, **options),
}


def two_sample_bound(kind: str) -> int:
    """The best one-sided test between two sets of n draws of N(0, I_2), one of which is off in one known coordinate."""
    z = float(ndtri(LOUD) + ndtri(1 - POWER))
    return ceil(2 * (z / BIG["mean"]) ** 2) if kind == "mean" else ceil(4 * (z / log(1 + BIG["variance"])) ** 2)


@cache
def power(name: str, kind: str, n: int, runs: int = 100) -> float:
    """How often it is found, with n draws each."""
    rng = np.random.default_rng([SEED, 2, n])
    found = 0
    for run in range(runs):
        x, y = rng.standard_normal((2, n, 2))
        y[:, 0] = y[:, 0] + BIG[kind] if kind == "mean" else y[:, 0] * (1 + BIG[kind]) ** 0.5
        found += PERMUTED[name](x, y, permutations=99, seed=run).rejects(LOUD)
    return found / runs


def draws_for_power(name: str, kind: str) -> int:
    """The n, out of a grid in steps of an eighth, where the power is first reached."""
    n = two_sample_bound(kind)
    while power(name, kind, round(n)) < POWER:
        n = ceil(n * 1.125)
    return n


def two_sample_row(name: str) -> str:
    """Draws and multiple for a mean and for a variance."""
    cells = (cell(draws_for_power(name, kind), two_sample_bound(kind)) for kind in TESTS)
    return f"| {name} | {' | '.join(cells)} |"


# -- shared noise ----------------------------------------------------------------------------------------------------------

CORRELATIONS = (0.0, 0.9, 0.99, 0.999, 0.9999)


def coupled_row(correlation: float) -> str:
    """Pairs, after a pilot of a hundred with the spread that it has on average, over the draws of a mean with known scale."""
    spread = (2 * (1 - correlation)) ** 0.5
    d = np.linspace(-1, 1, 100)
    d = d * spread / d.std(ddof=1)
    needed = compare_coupled_means(d, np.zeros(100), 1.0, 0.001, RATES).needed
    alone = draws_needed_for_mean(0.001, RATES)
    return f"| {correlation:g} | {needed:,} | {needed / alone:.2g} |"


# -- the price of a rate ---------------------------------------------------------------------------------------------------

ALARMS = (0.05, 1e-3, 1e-6, 1e-9, 1e-12)


def rate_row(alarm: float) -> str:
    """Draws for a mean off by a hundredth, over those at 1e-6."""
    needed = draws_needed_for_mean(0.01, ErrorRates(alarm, 0.01))
    return f"| {alarm:g} | {needed:,} | {needed / draws_needed_for_mean(0.01, RATES):.2f} |"


# -- the page --------------------------------------------------------------------------------------------------------------

INTRODUCTION = """\
# How many draws a test needs

Every number here is of the tests of `verifydiff.statistics` ([how to choose among them](statistics.md)) and is computed by
`python -m tests.power_table`; `tests/statistics/test_power_page.py` holds the page to the code. Effects are in units of the
standard deviation for a mean, and relative for a variance. False alarms at 1e-6 and a power of 0.99, unless said otherwise.
In brackets: how many times the bound of Neyman and Pearson, which is the best that *any* test of a fixed number of draws
can do against that one alternative, whose side and size it would have to know.
"""

FIXED_TEXT = """\
## A number of draws fixed beforehand

| | mean off by 0.1 | by 0.01 | variance off by 10 % | by 1 % |
|---|---|---|---|---|"""

FIXED_MEANING = """
- Not knowing the side costs 4 %, asking for mean *and* variance 8 %: there is no reason to ask less.
- Asking many questions costs little if the *largest* answer is judged, since each of k questions costs a factor k in the
  rate, and a factor in the rate costs few draws (last table).
- Kolmogorov and Smirnov's distance is the largest over all points, so that somewhat fewer draws do than are told here.
- What holds for every law costs dearly. If the law is known, transform it to a standard normal one and test that.
- An error of 1 % takes half a million draws for a mean and a million for a variance, an error of 1e-10 some 1e22: what can
  be known without draws, from coefficients or exact moments, should be.

The sum of squares over k directions, one of which is off, is the test to take where many are off a little, and not for
this:

| directions | mean off by 0.1 | by 0.01 |
|---|---|---|"""

SEQUENTIAL_TEXT = """
## Draws until it is clear

`SequentialMean` and `SequentialVariance` at a resolution of 0.1: the average number of draws until *equal* or *different*,
over the Neyman-Pearson bound at the resolution, by how far the draws are really off (in resolutions). 500 runs each that
look after every 20 draws; the standard error is 3 % of a number or less.

| rates of false alarm and miss | bound | equal: 0 | 0.5 | 1 | 2 | 4 | 8 |
|---|---|---|---|---|---|---|---|"""

SEQUENTIAL_MEANING = """
- At the resolution's own effect and the usual power of 0.99 it takes some 0.6 of the draws of the *best* fixed test, and far
  fewer for larger effects; at 1e-6 both ways a third. At rates of 5 % it is seven tenths, and hardly could be less: not knowing
  the side costs a factor two in the rate, and the SPRT of one side at half of 5 % would take two thirds.
- Half the resolution is the hardest: there either answer is right, and finding one takes about as long as the fixed test
  does.
- It may be looked at after every draw. Looking at the fixed test again and again multiplies its false alarms; the tests
  show it.
"""

TWO_SAMPLE_TEXT = """## Laws without a formula

Two sets of n draws in two dimensions, one of them off in one coordinate: a mean by 0.5, or twice the variance. False alarms
at 1 %, a power of 0.9, 99 permutations; 100 runs at each n, n in steps of an eighth: read the multiples to one digit. The
bound, to first order, knows the coordinate and the law.

| | mean | variance |
|---|---|---|"""

TWO_SAMPLE_MEANING = """
A p-value by permutation is never below 1 / (1 + B): at 1e-6 it takes a million permutations.
"""

COUPLED_TEXT = """## Samplers on shared noise

Pairs that tell two means apart that differ by 0.001, after a pilot of a hundred; over the draws that one sampler alone
takes against a known mean.

| correlation | pairs | multiple |
|---|---|---|"""

RATE_TEXT = """
## What a rate costs

A mean off by 0.01, power 0.99.

| false alarm | draws | over 1e-6 |
|---|---|---|"""

RATE_MEANING = """
A test that fails once in a million runs of right code costs three times the draws of one that fails every twentieth time.
Choose a tiny rate, and never run a failing one again.
"""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([INTRODUCTION, versions(), *_tables()])


def versions() -> str:
    """Of what the numbers depend on."""
    return f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}; seed {SEED}.\n"


def _tables() -> Iterator[str]:
    yield from (FIXED_TEXT, *map(fixed_row, FIXED), FIXED_MEANING, *map(directions_row, DIRECTIONS))
    rows = [sequential_row(kind, rates) for rates in SEQUENTIAL_RATES for kind in TESTS]
    yield from (SEQUENTIAL_TEXT, *rows, sprt_row(), SEQUENTIAL_MEANING)
    yield from (TWO_SAMPLE_TEXT, *map(two_sample_row, PERMUTED), TWO_SAMPLE_MEANING)
    yield from (COUPLED_TEXT, *map(coupled_row, CORRELATIONS), RATE_TEXT, *map(rate_row, ALARMS), RATE_MEANING)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
