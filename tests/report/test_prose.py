"""Words are taken apart as a reader would: formulas are found, and nothing else is taken for one."""

import pytest

from verifydiff.report.prose import blocks, first_sentence, inline, without_markup


def dollars(text):
    return "".join(f"${piece.text}$" if piece.kind == "math" else piece.text for piece in inline(text))


LINES = {
    "since abar_t = alpha_t abar_s": r"since $\bar\alpha_t = \alpha_t \bar\alpha_s$",
    "s >= 1: at s = 0 it is the point x_0": r"$s \ge 1$: at $s = 0$ it is the point $x_0$",
    "given x_s, x_t forgets x_0 (eq. 2)": r"given $x_s$, $x_t$ forgets $x_0$ (eq. 2)",
    "the factor of -x_s^2 / 2: precisions add": r"the factor of $-x_s^{2} / 2$: precisions add",
    "alpha_t (1 - abar_s) + beta_t = 1 - abar_t": r"$\alpha_t (1 - \bar\alpha_s) + \beta_t = 1 - \bar\alpha_t$",
    "the posterior q(x_s | x_t, x_0), and of": r"the posterior $q(x_s \mid x_t, x_0)$, and of",
    "E[x_0 | x_t] = M / p_t": r"$\mathbb{E}[x_0 \mid x_t] = M / p_t$",
    "divided by sqrt(1 - abar_t)": r"divided by $\sqrt{1 - \bar\alpha_t}$",
    "scale sigma_up": r"scale $\sigma_{\mathrm{up}}$",
    "a step of length 3 and a point": "a step of length 3 and a point",
    "ddpm.posterior_mean, eq. 7": "ddpm.posterior_mean, eq. 7",
    "an alphabet, a metal, betatron": "an alphabet, a metal, betatron",
    "it costs $5 or 6$ at most": "it costs $5 or 6$ at most",
    "x": "x",
    "": "",
    "(abar_t": r"($\bar\alpha_t$",
    "sqrt(": "sqrt(",
    "1 - ": "1 - ",
}


@pytest.mark.parametrize(("line", "shown"), LINES.items())
def test_formulas_are_found_in_words(line, shown):
    assert dollars(line) == shown


def test_markup_is_read():
    kinds = [piece.kind for piece in inline("a *b* **c** ``d`` :func:`e` :math:`f` $g$")]
    assert [kind for kind in kinds if kind != "text"] == ["emphasis", "strong", "code", "code", "math", "math"]


def test_nothing_is_lost_between_formulas():
    text = "say <b>abar_t</b> & beta_t; or not"
    assert without_markup(text) == "say <b>ᾱ_t</b> & β_t; or not"


def test_a_docstring_is_taken_apart_into_blocks():
    text = """First.

    .. math:: a = b

    .. math::

        c
        = d

    - one
      more
    - two

    Such as::

        x = 1

    Last."""
    found = blocks("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    assert [block.kind for block in found] == ["paragraph", "math", "math", "list", "paragraph", "code", "paragraph"]
    assert [block.text for block in found if block.kind == "math"] == ["a = b", "c = d"]
    assert len(found[3].lines) == 2
    assert found[5].text == "x = 1"


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("The posterior.\n\nMore.", "The posterior", "More."),
        ("The posterior (eq. 7). Then more.", "The posterior (eq. 7)", "Then more."),
        ("Ho et al. 2020. More", "Ho et al. 2020", "More"),
        ("No stop", "No stop", ""),
        ("", "", ""),
    ],
)
def test_the_first_sentence_is_the_title(text, title, rest):
    assert first_sentence(text) == (title, rest)
