"""Sums of logarithms have the sign of the product less 1; where that is not so, no certificate is given."""

from __future__ import annotations

import pytest
from sympy import Rational, log

from verifydiff.forms.quantities import POSITIVE, PROPER_FRACTION, abar_s, abar_t, alpha_t, snr_s, snr_t
from verifydiff.proof import Claim, claim, decide, letter
from verifydiff.verdict import Proof

p, q = letter("p", domain=POSITIVE), letter("q", domain=PROPER_FRACTION)

TRUE = {
    "a step towards the data": claim(Claim(0, "<", log(snr_s / snr_t) / 2), [abar_s < 1]),
    "above 1": Claim(0, "<", log(1 + p)),
    "a fraction": Claim(log(q), "<", 0),
    "two of three": Claim(2 * log(q) / 3 - log(1 + p) / 5, "<", 0),
    "numbers": Claim(log(2) * 3, "<", log(9)),
    "at most": Claim(log(alpha_t) + log(abar_s), "<=", log(alpha_t)),
}
FALSE = {
    "the other way": Claim(log(1 + p), "<", 0),
    "no sign": Claim(log(p), "<", 0),
    "a step into the noise": claim(Claim(log(snr_s / snr_t), "<", 0), [abar_s < 1]),
    "numbers": Claim(log(9), "<", log(2) * 3),
    "a constant beside them": Claim(log(q), "<", -Rational(1, 2)),
}


@pytest.mark.parametrize("statement", TRUE.values(), ids=TRUE)
def test_true_ones_are_proved(statement):
    assert decide(statement).outcome is Proof.PROVED


@pytest.mark.parametrize("statement", FALSE.values(), ids=FALSE)
def test_false_ones_are_refuted(statement):
    assert decide(statement).outcome is Proof.REFUTED


def test_what_may_vanish_is_not_strict():
    assert decide(Claim(log(abar_t), "<", log(alpha_t))).outcome is not Proof.PROVED
