# ruff: noqa: E501 - a formula stands on one line, as its author wrote it
"""What a page supposes and what its words claim is read, and a misprint of it is called wrong."""

import pytest

from verifydiff.notes.documents import read_text
from verifydiff.notes.page import Span, Standing
from verifydiff.notes.report import judge_document
from verifydiff.notes.statements import judge

HOLDS, FAILS = Standing.HOLDS, Standing.FAILS
DEFINITION, NOT_UNDERSTOOD = Standing.DEFINITION, Standing.NOT_UNDERSTOOD
DDPM = r"\bar\alpha_t = \prod_{s=1}^t \alpha_s"


def last(*latex: str) -> Standing:
    """What is said of the last formula of a page."""
    return judge([Span(line, text, display=True) for line, text in enumerate(latex, 1)])[-1].status


def told(page: str) -> list[Standing]:
    return [one.judged.status for one in judge_document(read_text(page)).verdicts]


CLAIMS = {
    "DDIM": ("$\\eta = 0$ is DDIM", "$\\eta = 1$ is DDIM"),
    "DDPM": ("and $\\eta = 1$ is the DDPM sampler.", "and $\\eta = 0$ is the DDPM sampler."),
    "deterministic": ("For $\\sigma_t = 0$ it becomes deterministic.", "For $\\sigma_t = 1$ it becomes deterministic."),
    "recovers": ("while $\\eta=1$ recovers ancestral sampling", "while $\\eta=0$ recovers ancestral sampling"),
    "in brackets": ("the deterministic sampler ($\\eta = 0$)", "the deterministic sampler ($\\eta = 1$)"),
    "Chinese 确定": ("当 $\\eta=0$ 时为确定性采样。", "当 $\\eta=1$ 时为确定性采样。"),
    "Chinese 退化": ("$\\eta=1$ 则退化为 DDPM。", "$\\eta=0$ 则退化为 DDPM。"),
}


@pytest.mark.parametrize(("right", "wrong"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_in_words_beside_its_formula_is_judged(right, wrong):
    assert told(right) == [HOLDS]
    assert told(wrong) == [FAILS]


@pytest.mark.parametrize(
    "page",
    [
        "$\\eta = 1$ is not deterministic",
        "$\\eta = 1$ is, unlike DDIM, noisy",
        "between $\\eta = 0$ and $\\eta = 1$, DDPM and DDIM are joined",
        "$\\eta = 1$ gives better samples than DDIM",
        "We set $\\eta = 1$. DDIM comes later.",
        "$\\eta=1$ 时不是确定性采样",
        "取 $\\eta=1$，与 DDIM 相比更好",
    ],
)
def test_words_that_deny_compare_or_speak_of_something_else_claim_nothing(page):
    assert FAILS not in told(page)


PAIRS = {
    "data law": (("x_0 \\sim \\mathcal{N}(m, s^2)",), r"x_t \sim \mathcal{N}(\sqrt{\bar\alpha_t} m, \bar\alpha_t s^2 + 1 - \bar\alpha_t)",
        r"x_t \sim \mathcal{N}(\sqrt{\bar\alpha_t} m, \bar\alpha_t s + 1 - \bar\alpha_t)"),
    "score of normal data": (("x_0 \\sim \\mathcal{N}(m, s^2 I)",), r"\nabla_{x_t}\log q(x_t) = -\frac{x_t - \sqrt{\bar\alpha_t} m}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}",
        r"\nabla_{x_t}\log q(x_t) = -\frac{x_t - \bar\alpha_t m}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}"),
    "posterior variance of normal data": (("x_0 \\sim \\mathcal{N}(m, s^2)",), r"\mathrm{Var}[x_0 | x_t] = \frac{s^2 (1 - \bar\alpha_t)}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}",
        r"\mathrm{Var}[x_0 | x_t] = \frac{s^2 \bar\alpha_t}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}"),
    "score of a bare letter": (("x \\sim \\mathcal{N}(\\mu, \\sigma^2 I)",), r"\nabla_x\log p(x) = -\frac{x-\mu}{\sigma^2}", r"\nabla_x\log p(x) = -\frac{x-\mu}{\sigma}"),
    "Ornstein-Uhlenbeck": (("dX = -\\frac12 X dt + dW",), r"\mathbb{E}[X_t|X_0] = e^{-t/2}X_0", r"\mathbb{E}[X_t|X_0] = e^{-t}X_0"),
    "increments": ((), r"W_t - W_s \sim \mathcal{N}(0, t - s)", r"W_t - W_s \sim \mathcal{N}(0, (t - s)^2)"),
    "Euler and Maruyama": ((), r"x_{t+\Delta t} = x_t + f(x_t,t)\Delta t + g(t)\sqrt{\Delta t}\,z", r"x_{t+\Delta t} = x_t + f(x_t,t)\Delta t + g(t)\Delta t\,z"),
    "to first order": ((), r"\sqrt{1 - \beta(t)\Delta t} \approx 1 - \frac12\beta(t)\Delta t", r"\sqrt{1 - \beta(t)\Delta t} \approx 1 - \beta(t)\Delta t"),
    "bound": ((), r"\log p(x) \ge \mathbb{E}_{q(z|x)}\left[\log\frac{p(x,z)}{q(z|x)}\right]", r"\log p(x) \le \mathbb{E}_{q(z|x)}\left[\log\frac{p(x,z)}{q(z|x)}\right]"),
    "bound decomposed": ((), r"\log p(x) = \mathbb{E}_{q_\phi(z|x)}\left[\log\frac{p(x,z)}{q_\phi(z|x)}\right] + D_{\mathrm{KL}}(q_\phi(z|x)\,\|\,p(z|x))",
        r"\log p(x) = \mathbb{E}_{q_\phi(z|x)}\left[\log\frac{p(x,z)}{q_\phi(z|x)}\right] - D_{\mathrm{KL}}(q_\phi(z|x)\,\|\,p(z|x))"),
    "first term": ((), r"L_0 = -\log p_\theta(x_0|x_1)", r"L_0 = \log p_\theta(x_0|x_1)"),
    "terms of the bound": ((), r"L_t = D_{KL}(q(x_t|x_{t+1},x_0) \| p_\theta(x_t|x_{t+1}))", r"L_t = D_{KL}(q(x_t|x_{t+1},x_0) \| p_\theta(x_{t+1}|x_t))"),
    "cases": ((DDPM,), r"\sigma_t^2 = \begin{cases} 0 & t = 1 \\ \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t & t > 1 \end{cases}",
        r"\sigma_t^2 = \begin{cases} 0 & t = 1 \\ \frac{1-\bar\alpha_t}{1-\bar\alpha_{t-1}}\beta_t & t > 1 \end{cases}"),
    "loss of flows": ((), r"L = \mathbb{E}\left\|v_\theta(x_t,t) - (x_1-x_0)\right\|^2", r"L = \mathbb{E}\left\|v_\theta(x_t,t) - (x_0-x_1)\right\|^2"),
    "interpolated variance": ((), r"\Sigma_\theta(x_t,t) = \exp(v\log\beta_t + (1-v)\log\tilde\beta_t)", r"\Sigma_\theta(x_t,t) = \exp(v\log\beta_t + (1+v)\log\tilde\beta_t)"),
    "Bayes": ((), r"p(x|y) \propto p(x) p(y|x)", r"p(x|y) \propto p(x) p(x|y)"),
    "weight of EDM": ((), r"\lambda(\sigma) = \frac{\sigma^2 + \sigma_{\text{data}}^2}{(\sigma\cdot\sigma_{\text{data}})^2}", r"\lambda(\sigma) = \frac{\sigma^2 + \sigma_{\text{data}}^2}{\sigma\cdot\sigma_{\text{data}}}"),
    "law without a density": ((), r"x_t | x_0 \sim \mathcal{N}(\sqrt{\bar\alpha_t}x_0, (1-\bar\alpha_t)I)", r"x_t | x_0 \sim \mathcal{N}(\bar\alpha_tx_0, (1-\bar\alpha_t)I)"),
    "z for the noise": ((DDPM,), r"x_0 = \frac{1}{\sqrt{\bar\alpha_t}}(x_t - \sqrt{1-\bar\alpha_t}z_t)", r"x_0 = \frac{1}{\sqrt{\bar\alpha_t}}(x_t - (1-\bar\alpha_t)z_t)"),
    "eta of a page": (("\\sigma_t^2 = \\eta^2\\tilde\\beta_t",), r"\sigma_t^2 = \eta^2\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t", r"\sigma_t^2 = \eta^3\tilde\beta_t"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "right", "wrong"), PAIRS.values(), ids=PAIRS)
def test_the_right_formula_is_not_called_wrong_and_its_misprint_is(before, right, wrong):
    assert last(*before, right) in (HOLDS, DEFINITION)
    assert last(*before, wrong) is FAILS


@pytest.mark.parametrize(
    "page",
    [
        "At a point $x_0$ with $x_t = \\sqrt{\\bar\\alpha_t} x_0$ the mean is simple.",
        "if $t > 1$, else $z = 0$",
        "Suppose $\\beta_t = \\bar\\alpha_t$.",
        "$$x \\gets x + \\epsilon \\nabla_x \\log p(x)$$",
        "where $\\beta_t = \\beta(t)\\Delta t$",
        "Either $\\sigma_t = \\sqrt{\\tilde\\beta_t}$ or $\\sigma_t = \\sqrt{\\beta_t}$.",
        "设 $x_{t-1} = k x_0 + m x_t + \\sigma \\epsilon$",
    ],
)
def test_suppositions_assignments_and_choices_are_no_mistakes(page):
    assert FAILS not in told(page)


def test_what_is_explained_behind_its_use_is_understood():
    page = r"$$x_t = \frac{\alpha_t}{\alpha_s}x_s - \sigma_t(e^{h} - 1)\epsilon_\theta(x_s, s), \quad h = \lambda_t - \lambda_s$$"
    assert told(rf"Let $\lambda_t = \log(\alpha_t/\sigma_t)$. {page}") == [HOLDS, HOLDS, DEFINITION]
    assert told(rf"Let $\lambda_t = \log(\alpha_t/\sigma_t)$. {page.replace('frac{', 'tfrac{', 1)}") == [HOLDS, HOLDS, DEFINITION]


SUGGESTED = {
    "sign": (r"\alpha_t := 1 + \beta_t", r"\alpha_t := 1 - \beta_t"),
    "order": (r"\tilde\beta_t \ge \beta_t", r"\tilde\beta_t \le \beta_t"),
    "ones": (r"\tilde\beta_t = \frac{\bar\alpha_{t-1}}{\bar\alpha_t}\beta_t", r"\tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\beta_t"),
    "logarithm": (r"\log\bar\alpha_t = \sum_{s=1}^t (1-\beta_s)", r"\log\bar\alpha_t = \sum_{s=1}^t \log (1-\beta_s)"),
    "densities": (r"q(x_s|x_t) = \frac{q(x_t|x_s)q(x_t)}{q(x_s)}", r"q(x_s|x_t) = \frac{q(x_t|x_s)q(x_s)}{q(x_t)}"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "right"), SUGGESTED.values(), ids=SUGGESTED)
def test_the_right_correction_stands_first(wrong, right):
    failing = judge([Span(1, DDPM, True), Span(2, wrong, True)])[-1]
    assert failing.status is FAILS
    assert failing.suggestion[0].latex == right
