"""An equation that is split over several formulas is one statement, and nothing else is made into one."""

import pytest

from verifydiff.notes.documents import read_text, statements


def said(text):
    return [one.span.latex for one in statements(read_text(text))]


ONE = {
    "is": "where $A$ is $1 - b$.",
    "equals": "Here $A$ equals $1 - b$, and so on",
    "is equal to": "The variance $A$ is equal to $1 - b$",
    "is given by": "The mean $A$ is given by $1 - b$ where b is small",
    "becomes": "The mean $A$ becomes $1 - b$.",
    "can be written as": "$A$ can be written as $1 - b$.",
    "over a line": "where $A$ is\n$1 - b$.",
    "before a displayed one": "The mean $A$ is given by\n$$\n1 - b\n$$\n",
    "sign at the end": "$A =$ $1 - b$.",
    "sign at the start": "$A$ $= 1 - b$.",
    "sign and word": "$A$ is $= 1 - b$.",
    "Chinese 为": "其中 $A$ 为 $1 - b$。",
    "Chinese without spaces": "其中$A$为$1 - b$。",
    "Chinese 等于": "均值 $A$ 等于 $1 - b$，方差不变",
    "Chinese 是": "方差 $A$ 是 $1 - b$。",
    "Chinese 即": "$A$，即 $1 - b$。",
    "Chinese 则为": "$A$ 则为 $1 - b$。",
    "Chinese 有": "$A$ 有 $1 - b$。",
    "Chinese 定义为": "将噪声调度 $A$ 定义为 $1 - b$，其中 b 很小",
}


@pytest.mark.parametrize("text", ONE.values(), ids=ONE)
def test_two_formulas_with_a_word_of_equality_between_are_one(text):
    assert said(text) == ["A = 1 - b"]


def test_a_chain_is_one_statement():
    assert said("条件得分 $A$ 等于 $-b/2$，即 $-c/3$。") == ["A = -b/2 = -c/3"]
    assert said("so $A = -b/2$ $= -c/3$.") == ["A = -b/2", "= -c/3"]


def test_a_law_is_joined_by_its_own_sign():
    assert said(r"where $z$ is $\mathcal{N}(0, I)$.") == [r"z \sim \mathcal{N}(0, I)"]


TWO = {
    "condition": "When $A$ is $1 - b$, all is well",
    "condition in Chinese": "当 $A$ 为 $1 - b$ 时",
    "condition behind": r"$A$ is $1 - b$ if $c$ is large",
    "condition behind a comma": r"$A$ is $1 - b$, when $c$ is large",
    "limit": "$A$ is $1 - b$ in the limit",
    "supposition": "Let $A$ be such that, if $A$ is $1 - b$,",
    "goes on": "where $A$ is $1 - b$ times larger",
    "goes on with a hyphen": "where $A$ is $n/2$-dimensional",
    "goes on in Chinese": "其中 $A$ 为 $1 - b$ 的样本",
    "a name": "where $A$ is $b$",
    "a number": "where $A$ is $1$",
    "means": "Inserting $A$ gives $1 - b$",
    "means in Chinese": "由 $A$ 有 $1 - b$",
    "and": "$A$ and $1 - b$",
    "respectively": "$A$ is $1 - b$ respectively",
    "several": "$a$ and $A$ is $1 - b$",
    "what it is said of": "The variance of $A$ is $1 - b$.",
    "ratio": "the ratio of $a$ to $A$ is $1 - b$.",
    "given": "the variance given $A$ is $1 - b$.",
    "factor": "the factor multiplying $A$ is $1 - b$.",
    "said of in Chinese": "$A$ 的方差为 $1 - b$。",
    "given in Chinese": "给定 $A$ 为 $1 - b$。",
    "word that is more": "$A$ is not $1 - b$.",
    "far away": "$A$ is something else entirely. $1 - b$",
    "other paragraph": "$A$\n\nis what it is.\n\n$1 - b$",
}


@pytest.mark.parametrize("text", TWO.values(), ids=TWO)
def test_where_a_word_may_mislead_formulas_stay_apart(text):
    assert "=" not in "".join(said(text))


def test_statements_that_stand_by_themselves_are_not_joined():
    assert said("$a = 1 - b$, that is $c = 2 - d$.") == ["a = 1 - b", "c = 2 - d"]
    assert said("$a = 1 - b$ is $c - d$.") == ["a = 1 - b", "c - d"]
    assert said("$a$ is $c = d - 1$.") == ["a", "c = d - 1"]


def test_a_statement_has_the_words_around_it_and_the_line_of_its_first_formula():
    one, two = statements(read_text("Here\n$A$ is $1 - b$, where\n\n```\ncode\n```\n$c = d$ as `code` said."))
    assert (one.span.line, one.span.before, one.span.after, one.members) == (2, "Here", ", where", (0, 1))
    assert (two.span.line, two.span.before, two.span.after, two.members) == (7, ", where", "as `code` said.", (2,))
