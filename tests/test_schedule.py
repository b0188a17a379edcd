"""Schedules against first principles: exact rational arithmetic, the published numbers, and the forward process itself."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import cos, inf, nan, pi, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifydiff.schedule import Schedule, grid
from verifydiff.verdict import MisuseError

EPS = np.finfo(np.float64).eps

tables_of_betas = st.lists(st.floats(1e-6, 0.999), min_size=1, max_size=50)
counts = st.integers(1, 400)


def exact_abar(betas: list[float]) -> list[Fraction]:
    """The products of (1 - beta) in rational arithmetic."""
    abar = [Fraction(1)]
    for beta in betas:
        abar.append(abar[-1] * (1 - Fraction(beta)))
    return abar


# -- what follows from the betas -----------------------------------------------------------------------------------------


@given(tables_of_betas)
def test_abar_is_the_product_to_within_rounding(betas: list[float]) -> None:
    schedule = Schedule.from_betas(betas)
    exact = exact_abar(betas)
    assert schedule.timesteps == len(betas)
    assert schedule.abar[0] == 1
    for t, abar in enumerate(exact):
        assert abs(Fraction(schedule.abar[t]) - abar) <= 2 * max(t, 1) * Fraction(EPS) * abar


@given(tables_of_betas)
def test_betas_and_alphas_are_those_that_went_in(betas: list[float]) -> None:
    schedule = Schedule.from_betas(betas)
    assert schedule.betas == pytest.approx(np.array(betas), abs=2 * EPS)
    assert schedule.alphas + schedule.betas == pytest.approx(np.ones(len(betas)), abs=EPS)
    assert schedule.alphas.shape == schedule.betas.shape == schedule.snr.shape == schedule.posterior_variance.shape


@given(tables_of_betas)
def test_the_posterior_variance_is_that_of_bayes_rule(betas: list[float]) -> None:
    """Precisions add: 1 / var(x_{t-1} | x_t, x_0) = 1 / var(x_{t-1} | x_0) + alpha_t / beta_t."""
    schedule, abar = Schedule.from_betas(betas), exact_abar(betas)
    assert schedule.posterior_variance[0] == 0
    for t in range(2, len(betas) + 1):
        beta = Fraction(betas[t - 1])
        exact = 1 / (1 / (1 - abar[t - 1]) + (1 - beta) / beta)
        # 1 - abar and 1 - alpha lose what abar and alpha round away; nothing else does
        lost = 8 * t * EPS * (1 / float(beta) + 1 / float(1 - abar[t - 1]))
        assert schedule.posterior_variance[t - 1] == pytest.approx(float(exact), rel=lost)


@given(tables_of_betas)
def test_the_forward_chain_of_unit_variance_data_keeps_unit_variance(betas: list[float]) -> None:
    schedule = Schedule.from_betas(betas)
    variance = 1.0
    for alpha, beta in zip(schedule.alphas, schedule.betas, strict=True):
        variance = alpha * variance + beta
    assert variance == pytest.approx(1, abs=4 * EPS * len(betas))


@given(tables_of_betas)
def test_the_signal_to_noise_ratio_falls(betas: list[float]) -> None:
    schedule = Schedule.from_betas(betas)
    assert np.all(np.diff(schedule.snr) < 0)
    assert schedule.snr * (1 - schedule.abar[1:]) == pytest.approx(schedule.abar[1:], rel=4 * EPS)


def test_a_last_beta_of_one_ends_without_signal() -> None:
    schedule = Schedule.from_betas([0.1, 0.5, 1.0])
    assert schedule.abar[-1] == 0 == schedule.snr[-1]
    assert schedule.betas[-1] == 1
    assert schedule.posterior_variance[-1] == pytest.approx(1 - 0.45)


# -- the usual schedules -------------------------------------------------------------------------------------------------


def test_the_linear_schedule_is_that_of_ho_et_al() -> None:
    schedule = Schedule.linear(1000)
    step = (Decimal("0.02") - Decimal("0.0001")) / 999
    exact = prod((1 - (Decimal("0.0001") + step * i) for i in range(1000)), start=Decimal(1))
    assert schedule.abar[-1] == pytest.approx(float(exact), rel=1e-12)
    assert schedule.betas[[0, -1]] == pytest.approx([1e-4, 0.02], abs=2 * EPS)
    assert np.diff(schedule.betas) == pytest.approx(np.full(999, float(step)), abs=8 * EPS)


def test_the_scaled_linear_schedule_is_linear_in_the_root() -> None:
    schedule = Schedule.scaled_linear(1000)
    assert schedule.betas[[0, -1]] == pytest.approx([0.00085, 0.012], abs=4 * EPS)
    assert np.diff(schedule.betas, 0)[1] == pytest.approx((0.00085**0.5 + (0.012**0.5 - 0.00085**0.5) / 999) ** 2, abs=4 * EPS)
    assert np.ptp(np.diff(np.sqrt(schedule.betas))) < 1e-12


@pytest.mark.parametrize("T", [2, 10, 1000])
def test_the_cosine_schedule_is_eq_17_of_nichol_and_dhariwal_until_it_is_clipped(T: int) -> None:
    schedule = Schedule.cosine(T)

    def f(t: int) -> float:
        return cos((t / T + 0.008) / 1.008 * pi / 2) ** 2

    exact = np.array([f(t) / f(0) for t in range(T)])
    assert schedule.abar[:T] == pytest.approx(exact, rel=4 * T * EPS)
    assert schedule.betas[-1] == pytest.approx(0.999, abs=2 * EPS)  # f(T) = 0: the last beta would be 1


@pytest.mark.parametrize("name", ["linear", "scaled_linear", "cosine"])
def test_a_schedule_is_found_by_its_name(name: str) -> None:
    schedule = Schedule.named(name, 100)
    assert schedule.name == name
    assert np.array_equal(schedule.abar, getattr(Schedule, name)(100).abar)


@pytest.mark.parametrize("name", ["linear", "scaled_linear", "cosine"])
@given(T=counts)
def test_any_number_of_timesteps_makes_a_schedule(name: str, T: int) -> None:
    assert Schedule.named(name, T).timesteps == T


def test_a_schedule_without_signal_at_the_end_keeps_its_first_level() -> None:
    schedule = Schedule.linear(1000)
    shifted = schedule.with_zero_terminal_snr()
    assert shifted.abar[-1] == 0
    assert shifted.abar[1] == pytest.approx(schedule.abar[1], rel=4 * EPS)
    ratio = np.diff(np.sqrt(shifted.abar[1:])) / np.diff(np.sqrt(schedule.abar[1:]))
    assert ratio == pytest.approx(np.full(999, ratio[0]), rel=1e-9)  # an affine map of the root
    with pytest.raises(MisuseError, match="a single timestep"):
        Schedule.linear(1).with_zero_terminal_snr()


# -- between the entries -------------------------------------------------------------------------------------------------


def test_minus_one_is_the_data_and_the_last_index_the_noisiest_level() -> None:
    schedule = Schedule.linear(10)
    assert schedule.at(-1) == 1
    assert schedule.at(9) == schedule.abar[10]
    assert np.array_equal(schedule.at([0, 4, 9]), schedule.abar[[1, 5, 10]])
    assert np.array_equal(schedule.at(np.arange(-1, 10)), schedule.abar)
    assert schedule.at([]).shape == (0,)


def test_between_two_indices_sigma_is_linear() -> None:
    schedule = Schedule.linear(10)
    sigma = np.sqrt((1 - schedule.abar) / schedule.abar)
    abar = schedule.at([3.25, 3])
    assert (1 - abar[0]) / abar[0] == pytest.approx((0.75 * sigma[4] + 0.25 * sigma[5]) ** 2, rel=1e-12)
    assert abar[1] == schedule.abar[4], "a whole index beside a fractional one is still exact"


def test_beside_a_level_without_signal_sigma_is_infinite() -> None:
    schedule = Schedule.from_betas([0.1, 1.0])
    assert np.array_equal(schedule.at([-1, 0, 0.5, 1]), [1, 0.9, 0, 0])


def test_the_table_cannot_be_changed_nor_changes_with_what_was_handed_in() -> None:
    table = np.array([1.0, 0.5, 0.25])
    schedule = Schedule(table)
    table[1] = 0.9
    assert schedule.abar[1] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        schedule.abar[1] = 0.9


def test_float32_tables_are_taken_as_the_numbers_they_are() -> None:
    betas = np.linspace(1e-4, 0.02, 10, dtype=np.float32)
    schedule = Schedule.from_betas(betas)
    assert schedule.abar.dtype == np.float64
    assert Fraction(schedule.abar[1]) == pytest.approx(1 - Fraction(float(betas[0])), abs=EPS)


# -- misuse --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("betas", "complaint"),
    [
        ([], r"non-empty one-dimensional table, got shape \(0,\)"),
        (0.1, r"one-dimensional table, got shape \(\)"),
        ([[0.1, 0.2]], r"one-dimensional table, got shape \(1, 2\)"),
        ([0.1, 0.0], r"must lie in \(0, 1\), got 0 at array index 1"),
        ([0.1, 1.0, 0.2], r"must lie in \(0, 1\), got 1 at array index 1"),
        ([-0.1], r"got -0.1 at array index 0"),
        ([0.1, 1.5], r"got 1.5 at array index 1"),
        ([0.1, nan], r"got nan at array index 1"),
        ([inf, 0.1], r"got inf at array index 0"),
        (["a"], "`betas` must be a table of real numbers"),
        (["0.1"], "`betas` must be a table of real numbers"),
        ([0.1 + 0j], "`betas` must be a table of real numbers"),
        ([[0.1], [0.2, 0.3]], "`betas` must be a table of real numbers"),
        (None, r"one-dimensional table, got shape \(\)"),
        ([1e-17], "decrease strictly in float64, got 1.0 after 1.0 at t = 1"),
        ([0.5] * 2000, "decrease strictly in float64, got 0.0 after 0.0 at t = 1076"),
    ],
)
def test_betas_that_are_none_are_refused(betas: Any, complaint: str) -> None:
    with pytest.raises(MisuseError, match=complaint):
        Schedule.from_betas(betas)


@pytest.mark.parametrize(
    ("abar", "complaint"),
    [
        ([1.0], r"a table abar_0..abar_T with T >= 1, got shape \(1,\)"),
        ([], r"got shape \(0,\)"),
        ([[1.0, 0.5]], r"got shape \(1, 2\)"),
        ([0.99, 0.5], r"`abar\[0\]` must be 1 \(the data carry no noise\), got 0.99"),
        ([1.0, 0.5, 0.5], r"must decrease strictly in float64, got 0.5 after 0.5 at t = 2"),
        ([1.0, 0.5, 0.6], r"got 0.6 after 0.5 at t = 2"),
        ([1.0, 0.5, -0.1], r"must not be negative, got -0.1 at t = 2"),
        ([1.0, nan, 0.1], r"must be finite, got nan at t = 1"),
        ([1.0, -inf], r"must be finite, got -inf at t = 1"),
        (["a", "b"], "`abar` must be a table of real numbers"),
        ([1.0 + 0j, 0.5], "`abar` must be a table of real numbers"),
    ],
)
def test_tables_that_are_none_are_refused(abar: Any, complaint: str) -> None:
    with pytest.raises(MisuseError, match=complaint):
        Schedule(abar)


@pytest.mark.parametrize("make", [Schedule.linear, Schedule.scaled_linear, Schedule.cosine])
@pytest.mark.parametrize(
    ("timesteps", "complaint"),
    [
        (0, "`timesteps` must lie between 1 and 1,000,000, got 0"),
        (-5, "got -5"),
        (10**12, "got 1000000000000"),
        (10.5, "`timesteps` must be a whole number, got 10.5"),
        ("10", "`timesteps` must be a whole number, got '10'"),
    ],
)
def test_a_number_of_timesteps_that_is_none_is_refused(make: Any, timesteps: Any, complaint: str) -> None:
    with pytest.raises(MisuseError, match=complaint):
        make(timesteps)


def test_ends_that_are_no_betas_are_refused() -> None:
    with pytest.raises(MisuseError, match="got 2 at array index 1"):
        Schedule.linear(2, end=2.0)
    with pytest.raises(MisuseError, match="have square roots, got -1 and"):
        Schedule.scaled_linear(10, -1, 0.1)
    with pytest.raises(MisuseError, match="have square roots, got nan"):
        Schedule.scaled_linear(10, nan)


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(MisuseError, match=r"'lineer': give one of linear, scaled_linear, cosine, or a .npy file"):
        Schedule.named("lineer", 10)


# -- files ---------------------------------------------------------------------------------------------------------------


def test_a_file_of_betas_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.npy"
    np.save(path, np.linspace(1e-4, 0.02, 100))
    schedule = Schedule.named(str(path), 1000)
    assert schedule.name == "mine.npy"
    assert schedule.timesteps == 100, "the file says how many timesteps there are"
    assert np.array_equal(schedule.abar, Schedule.linear(100).abar)


FILES: dict[str, tuple[Any, str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is not a NumPy table"),
    "text": (lambda path: path.write_text("0.1 0.2"), "is not a NumPy table: it does not begin as a .npy file does"),
    "zip": (lambda path: path.write_bytes(b"PK\x03\x04"), "is not a NumPy table"),
    "folder": (lambda path: path.mkdir(), "cannot be read: Is a directory"),
    "missing": (lambda path: None, "there is no file"),
    "cut-short": (lambda path: (np.save(path, np.ones(100)), path.write_bytes(path.read_bytes()[:200])), "cannot be read as"),
    "header-only": (lambda path: path.write_bytes(b"\x93NUMPY"), "cannot be read as"),
    "pickled": (lambda path: np.save(path, np.array([{}]), allow_pickle=True), "Object arrays cannot be loaded"),
    "strings": (lambda path: np.save(path, np.array(["a"])), "must be a table of real numbers"),
    "matrix": (lambda path: np.save(path, np.full((2, 2), 0.1)), r"got shape \(2, 2\)"),
    "not-betas": (lambda path: np.save(path, np.array([0.1, 7.0])), "got 7 at array index 1"),
}


@pytest.mark.parametrize(("make", "complaint"), FILES.values(), ids=FILES)
def test_a_file_that_holds_no_betas_is_refused_in_one_line(make: Any, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "betas.npy"
    make(path)
    with pytest.raises(MisuseError, match=complaint) as refusal:
        Schedule.load(path)
    assert "\n" not in str(refusal.value)


# -- the grid ------------------------------------------------------------------------------------------------------------

FIVE_OF_A_THOUSAND = {  # array indices, noisiest first, by hand
    "leading": [800, 600, 400, 200, 0],
    "linspace": [999, 749, 500, 250, 0],  # 999, 749.25, 499.5, 249.75, 0, the half to its even neighbour
    "trailing": [999, 799, 599, 399, 199],
}


@pytest.mark.parametrize(("spacing", "indices"), FIVE_OF_A_THOUSAND.items(), ids=FIVE_OF_A_THOUSAND)
def test_five_of_a_thousand_steps(spacing: str, indices: list[int]) -> None:
    assert grid(1000, 5, spacing).tolist() == indices


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@given(T=counts, data=st.data())
def test_a_grid_falls_strictly_within_the_schedule(spacing: str, T: int, data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, T))
    indices = grid(T, steps, spacing)
    assert indices.shape == (steps,)
    assert indices.dtype == np.int64
    assert np.all(np.diff(indices) < 0)
    assert indices[-1] >= 0
    assert indices[0] <= T - 1


@given(T=counts, data=st.data())
def test_each_spacing_has_its_ends(T: int, data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, T))
    assert grid(T, steps, "trailing")[0] == T - 1, "trailing starts at the noisiest level"
    assert grid(T, steps, "leading")[-1] == 0, "leading ends at the cleanest"
    assert grid(T, steps, "linspace")[-1] == 0
    assert steps == 1 or grid(T, steps, "linspace")[0] == T - 1, "linspace has both"


@given(T=counts, data=st.data())
def test_trailing_rounds_the_exact_fractions_to_even(T: int, data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, T))
    assert grid(T, steps, "trailing").tolist() == [round(Fraction(k * T, steps)) - 1 for k in range(steps, 0, -1)]


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_as_many_steps_as_timesteps_visit_each_once(spacing: str) -> None:
    assert np.array_equal(grid(100, 100, spacing), np.arange(99, -1, -1))


@pytest.mark.parametrize(
    ("steps", "spacing", "complaint"),
    [
        (0, "leading", "`steps` must lie between 1 and"),
        (-1, "leading", "got -1"),
        (1001, "leading", "`steps` must lie between 1 and the 1000 timesteps of the schedule, got 1001"),
        (2.5, "leading", "`steps` must be a whole number, got 2.5"),
        (50, "trialing", "no spacing is called 'trialing': give trailing, leading or linspace"),
    ],
)
def test_a_grid_that_is_none_is_refused(steps: Any, spacing: str, complaint: str) -> None:
    with pytest.raises(MisuseError, match=complaint):
        grid(1000, steps, spacing)
