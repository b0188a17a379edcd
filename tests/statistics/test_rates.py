from __future__ import annotations

from fractions import Fraction
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifydiff.statistics import ErrorRates
from verifydiff.verdict import MisuseError

rates = st.floats(min_value=1e-300, max_value=0.5, exclude_max=True)


@given(rates, rates, st.integers(1, 10**6))
def test_the_shares_never_exceed_the_budget_not_even_by_rounding(false_alarm: float, miss: float, checks: int) -> None:
    share = ErrorRates(false_alarm, miss).shared_among(checks)
    assert Fraction(share.false_alarm) * checks <= Fraction(false_alarm)
    assert Fraction(share.miss) * checks <= Fraction(miss)
    assert share.false_alarm * checks == pytest.approx(false_alarm, rel=1e-12)


def test_the_default_is_one_in_a_million_both_ways() -> None:
    assert ErrorRates() == ErrorRates(false_alarm=1e-6, miss=1e-6)


@pytest.mark.parametrize("wrong", [0, 1, 0.5, -1e-6, nan, 2])
@pytest.mark.parametrize("name", ["false_alarm", "miss"])
def test_a_rate_that_is_none_is_refused_by_name(name: str, wrong: float) -> None:
    with pytest.raises(MisuseError, match=f"`{name}` must lie strictly between 0 and 1/2, got {wrong}"):
        ErrorRates(**{name: wrong})


@pytest.mark.parametrize("checks", [0, -1])
def test_a_budget_is_not_shared_among_nobody(checks: int) -> None:
    with pytest.raises(MisuseError, match="at least one check"):
        ErrorRates().shared_among(checks)
