"""What letters mean: by what the page has said of them, in which direction its time runs, and whose mistake a mistake is."""

import pytest

from verifydiff.notes.page import Judged, Span, Standing
from verifydiff.notes.statements import judge

HOLDS, FAILS, DEFINITION = Standing.HOLDS, Standing.FAILS, Standing.DEFINITION


def page(*formulas: str) -> list[Judged]:
    return judge([Span(line, latex, display=True) for line, latex in enumerate(formulas, 1)])


def statuses(*formulas: str) -> list[Standing]:
    return [one.status for one in page(*formulas)]


FIRST = r"c_1 = \beta_t\sqrt{\bar\alpha_{t-1}}/(1-\bar\alpha_t)"
SECOND = r"c_2 = (1-\bar\alpha_{t-1})\sqrt{\alpha_t}/(1-\bar\alpha_t)"
MEAN = r"\tilde\mu_t(x_t, x_0) = c_1 x_0 + c_2 x_t"


def test_right_definitions_stand_with_what_they_make():
    assert statuses(FIRST, SECOND, MEAN) == [DEFINITION, DEFINITION, HOLDS]


@pytest.mark.parametrize(
    ("place", "kept", "lost"), [(0, r"\sqrt{\bar\alpha_{t-1}}", r"\bar\alpha_{t-1}"), (1, r"\alpha_t}", r"\bar\alpha_t}")]
)
def test_a_misprinted_definition_is_blamed_and_not_what_it_leads_astray(place, kept, lost):
    written = [FIRST, SECOND, MEAN]
    right = written[place]
    written[place] = right.replace(kept, lost, 1)
    found = page(*written)
    assert [one.status for one in found] == [FAILS if at == place else DEFINITION for at in range(2)] + [HOLDS]
    assert found[place].suggestion[0].latex == right


def test_a_formula_that_a_change_of_its_own_mends_keeps_the_blame():
    assert statuses(FIRST, SECOND, MEAN.replace("+", "-")) == [DEFINITION, DEFINITION, FAILS]


NAMED = [
    ([r"h = \lambda_t-\lambda_s", r"h_i = \lambda_{t_i}-\lambda_{t_{i-1}}"], [DEFINITION, DEFINITION]),
    ([r"w_t = \min(\mathrm{SNR}(t), \gamma)", r"w_t = \min(\mathrm{SNR}(t), \gamma)/\mathrm{SNR}(t)"], [DEFINITION, DEFINITION]),
    (
        [
            r"\sigma_t = \sqrt{\frac{1-\bar\alpha_t}{\bar\alpha_t}}",
            r"\bar x = x_t/\sqrt{\bar\alpha_t}",
            r"\bar x_{t-1} = \bar x_t + (\sigma_{t-1} - \sigma_t)\,\epsilon_\theta",
        ],
        [HOLDS, DEFINITION, HOLDS],
    ),
    ([r"\sigma_t = \sqrt{(1-\bar\alpha_t)/\bar\alpha_t}", r"D(x;\sigma) = x - \sigma\,\epsilon_\theta"], [HOLDS, HOLDS]),
    ([r"\sigma_t = \sqrt{(1-\bar\alpha_t)/\bar\alpha_t}", r"D(x;\sigma) = x - \sigma^2\epsilon_\theta"], [HOLDS, FAILS]),
    (
        [r"\lambda_t = \log\frac{\alpha_t}{\sigma_t}", r"\lambda_t = \frac12\log\frac{\bar\alpha_t}{1-\bar\alpha_t}"],
        [HOLDS, HOLDS],
    ),
]


@pytest.mark.parametrize(("written", "expected"), NAMED, ids=["index", "weight", "time", "convention", "square", "lambda"])
def test_a_letter_means_what_the_page_says_where_it_says_it(written, expected):
    assert statuses(*written) == expected


def test_a_step_by_half_the_log_snr_is_read_with_what_its_letter_stands_for():
    step = r"x_t = \frac{\sigma_t}{\sigma_s}x_s - \alpha_t\left(e^{-h}-1\right)x_\theta(x_s,s)"
    assert statuses(r"h = \lambda_t-\lambda_s", step) == [DEFINITION, HOLDS]
    assert statuses(r"h = \lambda_t-\lambda_s", step.replace(r"- \alpha", r"+ \alpha"))[1] is FAILS


FLOWS = {
    "field": r"u_t(x) = \mathbb{E}[x_1 - x_0 \mid x_t = x]",
    "field by the score": r"u_t(x) = \frac{1}{t}x + \frac{1-t}{t}\nabla_x\log p_t(x)",
    "score by the field": r"\nabla_x\log p_t(x) = \frac{t\,u_t(x) - x}{1-t}",
    "any levels": r"u_t(x \mid x_1) = \frac{\dot\sigma_t}{\sigma_t}\big(x - \alpha_t x_1\big) + \dot\alpha_t x_1",
    "conditional path": r"p_t(x \mid x_1) = \mathcal{N}(x;\, t x_1,\, (1-t)^2 I)",
    "with noise": r"dX_t = \left[u_t(X_t) + \frac{\epsilon^2}{2}\nabla\log p_t(X_t)\right]dt + \epsilon\,dW_t",
    "a step": r"x_{t+h} = x_t + h\,v_\theta(x_t,t)",
    "guided": r"\tilde v_\theta(x_t,t,c) = (1-w)\,v_\theta(x_t,t,\varnothing) + w\,v_\theta(x_t,t,c)",
}
MISPRINTS = [
    (r"\frac{1-t}{t}\nabla", r"\frac{t}{1-t}\nabla"),
    (r"t\,u_t(x) - x", r"t\,u_t(x) + x"),
    (r"+ \dot\alpha_t x_1", r"- \dot\alpha_t x_1"),
    (r"(1-t)^2 I", r"(1-t) I"),
    (r"\frac{\epsilon^2}{2}", r"\epsilon^2"),
    (r"x_t + h", r"x_t - h"),
    (r"(1-w)\,v", r"(1+w)\,v"),
]


@pytest.mark.parametrize("latex", FLOWS.values(), ids=FLOWS)
def test_a_flow_from_the_noise_to_the_data_is_read(latex):
    assert statuses(latex) == [HOLDS]


@pytest.mark.parametrize(("kept", "lost"), MISPRINTS)
def test_a_misprint_of_a_flow_is_called_wrong(kept, lost):
    (latex,) = [one for one in FLOWS.values() if kept in one]
    assert statuses(latex.replace(kept, lost, 1)) == [FAILS]


def test_the_clock_of_a_flow_is_the_one_that_the_page_keeps():
    assert statuses(r"z_t = (1-t)x_0 + t\epsilon", r"\lambda_t = \log\frac{(1-t)^2}{t^2}") == [HOLDS, HOLDS]
    assert statuses(r"z_t = (1-t)x_0 + t\epsilon", r"\lambda_t = \log\frac{t^2}{(1-t)^2}") == [HOLDS, FAILS]


RATE = r"\beta(t) = \beta_{min} + t(\beta_{max}-\beta_{min})"
SUMS = [
    ([RATE, r"\int_0^t\beta(s)ds = \beta_{min}t + \frac12t^2(\beta_{max}-\beta_{min})"], HOLDS),
    ([RATE, r"\int_0^t\beta(s)ds = \beta_{min}t + t^2(\beta_{max}-\beta_{min})"], FAILS),
    ([r"\frac{d\mu}{dt} = -\frac12\beta(t)\mu"], HOLDS),
    ([r"\frac{d\mu}{dt} = \frac12\beta(t)\mu"], FAILS),
    (
        [r"\text{Var}(\sqrt{\bar\alpha_t}x_0 + \sqrt{1-\bar\alpha_t}\epsilon) = \bar\alpha_t\text{Var}(x_0) + 1 - \bar\alpha_t"],
        HOLDS,
    ),
    ([r"\text{Var}(\sqrt{\bar\alpha_t}x_0 + \sqrt{1-\bar\alpha_t}\epsilon) = \bar\alpha_t\text{Var}(x_0) + \bar\alpha_t"], FAILS),
    ([r"\mathrm{Var}[x_t] = (1-\beta_t)\mathrm{Var}[x_{t-1}] + \beta_t"], HOLDS),
    ([r"\mathrm{Var}[x_t] = (1-\beta_t)\mathrm{Var}[x_{t-1}] + \beta_t^2"], FAILS),
    ([r"KL(p,q)=\log\frac{\sigma_2}{\sigma_1}+\frac{\sigma_1^2+(\mu_1-\mu_2)^2}{2\sigma_2^2}-\frac12"], HOLDS),
    ([r"D_{KL}(p\|q)=\log\frac{\sigma_q}{\sigma_p}+\frac{\sigma_p^2+(\mu_p-\mu_q)^2}{2\sigma_q^2}-\frac12"], HOLDS),
    ([r"D_{KL}(p\|q)=\log\frac{\sigma_q}{\sigma_p}+\frac{\sigma_p^2-(\mu_p-\mu_q)^2}{2\sigma_q^2}-\frac12"], FAILS),
]


@pytest.mark.parametrize(("written", "expected"), SUMS)
def test_integrals_moments_variances_and_divergences_are_worked_out(written, expected):
    assert statuses(*written)[-1] is expected


def test_levels_that_are_chosen_may_fall_and_their_products_do():
    state = r"x_t = \sqrt{\bar\alpha_t}x_0 + \sqrt{1-\bar\alpha_t}\epsilon"
    assert statuses(state, r"\alpha_1 > \alpha_2 > \dots > \alpha_T")[1] is DEFINITION
    found = page(state, r"\bar\alpha_1 > \bar\alpha_1")[1]
    assert found.status is FAILS
    assert found.suggestion[0].latex == r"\bar\alpha_1 > \bar\alpha_2"


@pytest.mark.parametrize("latex", [r"\Delta t > 0", r"N \to \infty", r"\tilde p(x_t|y) \propto p(x_t)p(y|x_t)^s"])
def test_a_choice_and_a_limit_claim_nothing(latex):
    assert statuses(latex) == [DEFINITION]
