"""Ways of writing that notes are full of: is each read as it is meant, and is a misprint in it still called wrong?"""

import pytest

from verifydiff.notes.page import Judged, Span, Standing
from verifydiff.notes.statements import judge

HOLDS, FAILS, NOTATION, DEFINITION = Standing.HOLDS, Standing.FAILS, Standing.NOTATION, Standing.DEFINITION
PAGE = Span(1, r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \bar\alpha_t} \epsilon", display=True)


def judged(latex: str, before: str = "") -> Judged:
    (found,) = judge([PAGE, Span(2, latex, display=True, before=before)])[1:]
    return found


MOVED = (
    r"x_{t-1} - x_t = \sqrt{\bar\alpha_{t-1}} \Big[ \Big(\frac{1}{\sqrt{\bar\alpha_t}} - \frac{1}{\sqrt{\bar\alpha_{t-1}}}\Big) x_t"
    r" - \Big(\sqrt{1/\bar\alpha_t - 1} - \sqrt{1/\bar\alpha_{t-1} - 1}\Big) \epsilon_\theta(x_t, t) \Big]"
)
INVERTED = (
    r"x_{t+1} - x_t = \sqrt{\bar\alpha_{t+1}} \Big[ \Big(\frac{1}{\sqrt{\bar\alpha_t}} - \frac{1}{\sqrt{\bar\alpha_{t+1}}}\Big) x_t"
    r" + \Big(\sqrt{1/\bar\alpha_{t+1} - 1} - \sqrt{1/\bar\alpha_t - 1}\Big) \epsilon_\theta(x_t, t) \Big]"
)
BY_NOISE = (
    r"\tilde\mu_t(x_t, \epsilon) = \frac{1}{\sqrt{\alpha_t}} \Big( x_t - \frac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}} \epsilon \Big)"
)
MERGED = (
    r"\bar z_{t-2} = \frac{\sqrt{\alpha_t (1-\alpha_{t-1})} z_{t-2} + \sqrt{1-\alpha_t} z_{t-1}}{\sqrt{1 - \alpha_t\alpha_{t-1}}}"
)
TELESCOPED = r"\log \frac{q(x_t|x_{t-1})}{q(x_t|x_0)} \cdot \frac{q(x_{t-1}|x_0)}{q(x_{t-1}|x_t,x_0)} = 0"
HABITS = {
    "a step by its difference": (MOVED, r"- 1} - \sqrt{1/\bar\alpha_{t-1}", r"- 1} - \sqrt{2/\bar\alpha_{t-1}"),
    "an inversion by its difference": (INVERTED, r"= \sqrt{\bar\alpha_{t+1}}", r"= \sqrt{\bar\alpha_t}"),
    "a posterior mean by the noise": (BY_NOISE, r"{\sqrt{1-\bar\alpha_t}}", r"{\sqrt{1-\alpha_t}}"),
    "a noise made of two, called z": (MERGED, r"\sqrt{1-\alpha_t} z", r"\sqrt{1-\alpha_{t-1}} z"),
    "thousands apart by a comma": (r"32 \times 32 \times 3 = 3,072", "3,072", "3,073"),
    "thousands apart by a tight comma": (r"1024^2 = 1{,}048{,}576", "576", "577"),
    "an index behind its root": (r"x_t = \sqrt\alpha_t x_{t-1} + \sqrt\beta_t \epsilon_t", r"\sqrt\beta_t", r"\beta_t"),
    "a product up to its bound": (r"\prod_{i=1}^t \alpha_i = \prod_{i=1}^t (1-\beta_i)", r"\beta_i)", r"\beta_{i-1})"),
    "a logarithm of two fractions": (TELESCOPED, "q(x_t|x_0)", "q(x_t|x_{t+1})"),
    "an upright identity": (r"q(x_t|x_0) = \mathcal{N}(\sqrt{\bar\alpha_t}x_0, (1-\bar\alpha_t)\text{I})", r"(1-\bar\a", r"(1-\a"),
    "brackets by name": (r"\tilde\beta_t = \lbrack 1-\bar\alpha_{t-1} \rbrack \beta_t / (1-\bar\alpha_t)", r"{t-1}", "{t}"),
    "sizes": (r"\alpha_t = {\large \frac{\bar\alpha_t}{\bar\alpha_{t-1}}}", r"{t-1}", "{t+1}"),
}


@pytest.mark.parametrize(("right", "kept", "lost"), HABITS.values(), ids=HABITS)
def test_what_is_right_holds_and_a_misprint_of_it_fails(right, kept, lost):
    assert judged(right).status is HOLDS
    assert right.count(kept) >= 1
    assert judged(right.replace(kept, lost, 1)).status in (FAILS, NOTATION)


def test_the_correction_of_a_moved_step_comes_first():
    failing = judged(INVERTED.replace(r"= \sqrt{\bar\alpha_{t+1}}", r"= \sqrt{\bar\alpha_t}"))
    assert failing.suggestion[0].latex == INVERTED


@pytest.mark.parametrize(
    ("latex", "status"),
    [
        (r"q(x_t|x_{t-1}) = \sqrt{1-\beta_t} x_{t-1} + \sqrt{\beta_t} \epsilon", NOTATION),
        (r"q(x_t|x_{t-1}) = \sqrt{1-\beta_t} x_{t-1} + \beta_t \epsilon", FAILS),
        (
            r"p(x_{t-1}|x_t) = \frac{1}{\sqrt{\alpha_t}}(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}} \epsilon_\theta) + \sigma_t z",
            NOTATION,
        ),
        (
            r"p(x_{t-1}|x_t) = (x_t - \frac{\alpha_t}{\sqrt{1-\bar\alpha_t}} \epsilon_\theta) / \sqrt{\alpha_t} + \sigma_t z",
            FAILS,
        ),
    ],
)
def test_a_law_set_equal_to_how_it_is_drawn_stands_as_the_draw_does(latex, status):
    assert judged(latex).status is status


def test_one_letter_for_two_noises_of_a_law_is_not_called_wrong():
    draw = r"\sqrt{\alpha_t}(\sqrt{\alpha_{t-1}} x_{t-2} + \sqrt{1-\alpha_{t-1}} \epsilon) + \sqrt{1-\alpha_t} \epsilon"
    latex = f"q(x_t|x_{{t-2}}) = {draw}"
    assert judged(latex).status is Standing.NOT_UNDERSTOOD


@pytest.mark.parametrize("before", ["", "What if we set", "令"])
def test_a_level_of_noise_that_is_set_to_zero_claims_nothing(before):
    assert judged(r"\sigma_t^2 = 0", before).status is DEFINITION


def test_a_letter_of_the_data_does_not_settle_the_letter_of_a_step():
    data, posterior = Span(2, r"x_0 \sim \mathcal{N}(\mu, 1)"), Span(3, r"q(x_{t-1}|x_t, x_0) = \mathcal{N}(\mu_t, \tilde\beta_t)")
    assert FAILS not in {one.status for one in judge([PAGE, data, posterior])}


def test_a_norm_after_a_factor_is_told_from_the_bars_between_two_laws():
    assert judged(r"L = \mathbb{E}[\tfrac{1}{2} ||\epsilon - \epsilon_\theta(x_t, t)||^2]").status is not Standing.NOT_UNDERSTOOD
    kept = r"L = D_{KL}(q(x_T|x_0) || p(x_T)) + \sum_{t>1} D_{KL}(q(x_{t-1}|x_t,x_0) || p_\theta(x_{t-1}|x_t))"
    assert judged(kept).status is DEFINITION


def test_arguments_are_parted_by_commas_though_three_digits_follow():
    assert judged(r"x_0 \sim \mathcal{N}(1,100)").status is DEFINITION
    assert judge([Span(1, r"f(1,100) = 2")])[0].status is not FAILS
    assert judged(r"16^2,128^2 > 1").status is not FAILS


def test_what_stands_behind_a_definition_from_the_left_is_introduced():
    found = judge([PAGE, Span(2, r"1 - \bar\alpha_t =: K_t"), Span(3, r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{K_t} \epsilon")])
    assert [one.status for one in found[1:]] == [DEFINITION, HOLDS]
