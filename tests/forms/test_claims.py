"""What a sampler can claim, and by which name."""

import pytest

from verifydiff.forms.claims import named
from verifydiff.forms.families import DDIM, DDPM, Euler, EulerAncestral
from verifydiff.forms.solvers import ProbabilityFlow, ReverseSDE, Solver


@pytest.mark.parametrize(
    ("arguments", "claim"),
    [
        (("ddim",), DDIM(0.0)),
        (("ddim", 0.5), DDIM(0.5)),
        (("ddpm",), DDPM()),
        (("ddpm-large",), DDPM("large")),
        (("euler",), Euler()),
        (("euler-ancestral",), EulerAncestral()),
        (("probability-flow",), ProbabilityFlow()),
        (("probability-flow", None, 2), ProbabilityFlow(2)),
        (("reverse-sde", None, 1), ReverseSDE(1)),
    ],
    ids=lambda value: str(value) if isinstance(value, tuple) else "",
)
def test_a_name_makes_its_claim(arguments, claim):
    assert str(named(*arguments)) == str(claim)
    assert type(named(*arguments)) is type(claim)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dpm",), "no family is called 'dpm'"),
        (("ddpm", 0.5), "the family ddpm has no eta"),
        (("probability-flow", 0.5), "has no eta"),
        (("ddim", None, 2), "an order is for probability-flow and reverse-sde"),
        (("probability-flow", None, 0), "a whole number from 1 to 9, got 0"),
        (("reverse-sde", None, 10), "a whole number from 1 to 9, got 10"),
    ],
    ids=str,
)
def test_what_cannot_be_claimed_is_told_in_one_line(arguments, says):
    with pytest.raises(ValueError, match=says) as error:
        named(*arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("order", [0, -1, 10, 2.0, 1.5, True, "2"], ids=repr)
@pytest.mark.parametrize("make", [ProbabilityFlow, ReverseSDE])
def test_an_order_is_a_whole_number(make, order):
    with pytest.raises(ValueError, match="`order` must be a whole number"):
        make(order)


def test_a_solver_says_what_it_claims():
    assert str(ProbabilityFlow(3)) == "a solver of the probability flow of order 3"
    assert str(ReverseSDE()) == "a solver of the reverse SDE"
    assert (ProbabilityFlow(3).stochastic, ReverseSDE(1).stochastic) == (False, True)
    assert isinstance(ProbabilityFlow(), Solver)
