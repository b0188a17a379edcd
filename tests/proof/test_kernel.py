"""The second referee: what is proved is checked by Coq's kernel, and what is wrong is refused by it, whoever says it is proved."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy
from sympy import Abs, Rational, Symbol, pi, sqrt

from verifydiff.cli import main
from verifydiff.forms.quantities import NONNEGATIVE, POSITIVE, UNIT, abar_s, abar_t, alpha_t, beta_t, eta, sigma_t, ve_s, ve_t
from verifydiff.proof import Claim, Decision, claim, decide, letter, prove
from verifydiff.proof.derivation import Proved
from verifydiff.proof.kernel import export, judge
from verifydiff.proof.kernel.names import Names, comment
from verifydiff.proof.kernel.script import written
from verifydiff.proof.kernel.statement import NotAlgebraicError
from verifydiff.proof.proving import Proofs
from verifydiff.proof.step import Check, Step
from verifydiff.verdict import Proof

SHIPPED = Path(__file__).parents[2] / "derivations"

needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="there is no coqc: Debian's package `coq` brings it")

x, y = sympy.symbols("x y", real=True)
h, c = letter("h", domain=POSITIVE), letter("c", domain=NONNEGATIVE)
u, w = letter("u", domain=UNIT), letter("w", domain=UNIT)
BY_FIAT = Decision(Proof.PROVED, "by fiat")


def equal(lhs, rhs, *assuming):
    return Claim(sympy.sympify(lhs), "==", sympy.sympify(rhs), assuming)


def forged(*claims, because="somebody says so"):
    """A page on which each claim counts as proved, whatever it is."""
    steps = [Step("algebra", because, "", (Check("", one, BY_FIAT),), 0.0, lambda one=one: str(one), lambda: "") for one in claims]
    return Proved("forged.page", "a title", "", None, Proof.PROVED, tuple(steps), 0.0)


def refused(*claims):
    """The claims that Coq refuses, by number."""
    referee = judge(Proofs((forged(*claims),)))
    assert len(referee.checked) + len(referee.failed) + len(referee.not_algebraic) == len(claims)
    return sorted(one.site.step - 1 for one in referee.failed)


# -- what is right -------------------------------------------------------------------------------------------------------

RIGHT = [
    equal(sqrt(abar_t) / sqrt(abar_s), sqrt(alpha_t)),
    equal(sqrt((1 - abar_s) / (1 - abar_t)) * sqrt(1 - abar_t), sqrt(1 - abar_s)),
    equal(sqrt(x**2), Abs(x)),
    equal(sqrt(3 + 2 * sqrt(2)), 1 + sqrt(2)),
    equal(sqrt(sqrt(abar_s)) ** 4, abar_s),
    equal(1 / (x - 1) - 1 / (x + 1), 2 / (x**2 - 1)),
    equal(sqrt(beta_t) ** 3, beta_t * sqrt(1 - alpha_t)),
    equal(sqrt((x + y) ** 2 + 1) ** 2, x**2 + 2 * x * y + y**2 + 1),
    equal(abar_t / abar_s, 1 - beta_t),
    equal(Rational(1, 3) * x + Rational(2, 3) * x, x),
    claim(sympy.Lt(ve_s, ve_t)),
    claim(sympy.Le(eta**2 * (1 - abar_s) * beta_t / (1 - abar_t), 1 - abar_s)),
    claim(sympy.Le(sigma_t, 1), [sympy.Le(sigma_t**2, 1 - abar_s)]),
    claim(sympy.Le(2 * x * y, x**2 + y**2)),
    claim(sympy.Lt(0, x**2 + x + 1)),
    claim(sympy.Lt(0, u + 1 - u * w)),
    claim(sympy.Le(sqrt(h * c), (h + c) / 2)),
    Claim(sqrt(2), "<", Rational(3, 2)),
    claim(sympy.Lt(0, x), [sympy.Lt(1, x)]),
]


@needs_coq
def test_what_the_engine_proves_is_checked():
    assert [str(one) for one in RIGHT if decide(one).outcome is not Proof.PROVED] == []
    referee = judge(Proofs((forged(*RIGHT),)))
    assert [(one.site.statement, one.message) for one in referee.failed] == []
    assert len(referee.checked) == len(RIGHT)


@needs_coq
@pytest.mark.parametrize("page", ["sigma_space", "ddpm_posterior"])
def test_every_algebraic_claim_of_a_shipped_page_is_checked(page):
    referee = judge(prove(SHIPPED / f"{page}.py"))
    assert [(one.site.page, one.site.step, one.message) for one in referee.failed] == []
    assert len(referee.checked) >= 10
    assert {why for _, why in referee.not_algebraic} <= {"it holds a logarithm", "it holds pi"}


# -- what is wrong -------------------------------------------------------------------------------------------------------

WRONG = {
    "a wrong coefficient": equal((x + y) ** 2, x**2 + 3 * x * y + y**2),
    "a lost bar": equal(alpha_t * (1 - abar_s) + beta_t, 1 - alpha_t),
    "the wrong sign of a root": equal(sqrt(x**2 - 2 * x + 1), x - 1),
    "the other branch": equal(sqrt(abar_t), -sqrt(abar_s) * sqrt(alpha_t)),
    "a variance for a standard deviation": equal(sqrt((1 - abar_s) / (1 - abar_t)), (1 - abar_s) / (1 - abar_t)),
    "an inequality that fails at the edge": claim(sympy.Lt(abar_s, 1)),
    "an inequality that fails at the other edge": claim(sympy.Lt(0, u * (1 - w) + 2 * u * w)),
    "an inequality that fails inside": claim(sympy.Le(u, u**2)),
    "an inequality that needs its hypothesis": claim(sympy.Le(sigma_t**2, 1 - abar_s)),
    "a square that may vanish": claim(sympy.Lt(0, (x - y) ** 2)),
    "a letter outside its domain": claim(sympy.Lt(0, x)),
    "no value: the root of a negative number is 0 in Coq": equal(sqrt(-1 - x**2), 0),
    "no value: a root of something that may be negative": equal(sqrt(x), sqrt(x)),
    "no value: 1/0 is a number in Coq": equal(x / (sqrt(h**2 + 2 * h + 1) - h - 1), x / (sqrt(h**2 + 2 * h + 1) - h - 1)),
    "no value behind a factor of 0": equal((sqrt(h**2 + 2 * h + 1) - h - 1) * sqrt(-1 - x**2), 0),
}  # fmt: skip


@needs_coq
def test_what_is_wrong_is_refused_even_if_the_page_says_that_it_is_proved():
    assert [name for name, one in WRONG.items() if decide(one).outcome is Proof.PROVED] == []
    right = RIGHT[:2]
    found = refused(right[0], *WRONG.values(), right[1])
    kept = [name for place, name in enumerate(WRONG, 1) if place not in found]
    assert kept == []
    assert len(found) == len(WRONG)  # and the right ones before and after them are checked


@needs_coq
def test_conditions_are_those_that_the_engine_leaves_open_and_not_those_that_a_decision_claims():
    mine = Decision(Proof.PROVED, "by fiat", lambda: decide(equal(1 / x, 1 / x)).conditions)
    false = equal(x, x + 1)
    step = Step("algebra", "no", "", (Check("", false, mine),), 0.0, str, str)
    referee = judge(Proofs((Proved("forged", "", "", None, Proof.PROVED, (step,), 0.0),)))
    assert len(referee.failed) == 1
    statement, _ = written(equal((x**2 - 1) / (x - 1), x + 1))
    assert "  x - 1 <> 0 ->" in statement.text.splitlines()


def test_of_no_point_at_all_nothing_is_claimed():
    never = equal(x, x + 1, claim(sympy.Lt(x, 0)), claim(sympy.Lt(1, x)))
    at_one_point = equal(1 / x, 1 / x, claim(sympy.Le(x, 0)), claim(sympy.Le(0, x)))
    found = export([forged(never, at_one_point)])
    assert found.lemmas == ()
    assert {why for _, why in found.left_out} == {"no point was found at which its hypotheses hold"}


def test_a_refutation_that_a_page_holds_is_not_put_to_coq(tmp_path):
    false = equal(x, x + 1)
    found = decide(false)
    turned = Decision(Proof.PROVED, found.method, counterexample=found.counterexample)
    step = Step("misprint", "people write this", "", (Check("refuted", false, turned),), 0.0, str, str)
    assert export([Proved("notes", "", "", None, Proof.PROVED, (step,), 0.0)]).lemmas == ()


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (equal(sympy.log(h), sympy.log(h)), "it holds a logarithm"),
        (equal(sympy.exp(x), sympy.exp(x)), "it holds an exponential"),
        (equal(sympy.E * x, x * sympy.E), "it holds an exponential"),
        (equal(pi * x, x * pi), "it holds pi"),
        (equal(h ** Rational(1, 3), h ** Rational(1, 3)), "it holds a root of degree 3"),
        (equal(h**x, h**x), "it holds a power whose exponent is no number"),
        (equal(x, x, claim(sympy.Lt(sympy.log(h), x))), "it holds a logarithm"),
    ],
)
def test_what_is_not_algebraic_is_said_to_be_so(one, why):
    with pytest.raises(NotAlgebraicError, match=re.escape(why)):
        written(one)


# -- how it reads --------------------------------------------------------------------------------------------------------


def test_the_statement_reads_as_a_person_would_write_it():
    statement, script = written(equal(sqrt((1 - abar_s) / (1 - abar_t)) * sqrt(1 - abar_t), sqrt(1 - abar_s)))
    assert statement.text.splitlines() == [
        "forall abar_s alpha_t : R,",
        "  0 < abar_s <= 1 -> 0 < alpha_t < 1 ->",
        "  let abar_t := abar_s * alpha_t in",
        "  1 - abar_t <> 0 /\\ 0 <= (1 - abar_s) / (1 - abar_t) /\\ 0 <= 1 - abar_t /\\ 0 <= 1 - abar_s /\\",
        "  sqrt ((1 - abar_s) / (1 - abar_t)) * sqrt (1 - abar_t) = sqrt (1 - abar_s)",
    ]
    assert "nra" not in script


def test_the_manual_shows_a_lemma_as_it_is_written():
    shown = re.search(r"```coq\n(.*?)```", (SHIPPED.parent / "docs" / "derivations.md").read_text(), re.DOTALL)[1]
    (lemma,) = [one for one in export(prove(SHIPPED / "ddpm_posterior.py").claims).lemmas if f"Lemma {one.name} :" in shown]
    assert shown.splitlines()[1:] == lemma.text.partition("Proof.")[0].splitlines()[-len(shown.splitlines()) + 1 :]


def test_equal_claims_are_one_lemma():
    found = export([forged(*[equal(x + x, 2 * y)] * 3)])
    assert len(found.lemmas) == 1
    assert len(found.lemmas[0].sites) == 3


HOSTILE = 'it ends *) Axiom no : False. (* here (*) "an open string \\ *)) and \N{GREEK SMALL LETTER ALPHA} \0 \x1b[31m\nPROOF'


def test_nothing_that_is_said_breaks_out_of_a_comment():
    text = comment(HOSTILE)
    assert text.isascii()
    assert (text.count("(*"), text.count("*)"), text.count('"')) == (1, 1, 0)
    assert text.startswith("(* ")
    assert text.endswith(" *)")


@needs_coq
def test_a_page_that_says_hostile_things_is_checked_as_any_other():
    one = forged(equal((x + 1) ** 2, x**2 + 2 * x + 1), equal(x, x + 1), because=HOSTILE)
    page = Proved('*) Axiom no : False. (*".;', HOSTILE, HOSTILE, None, Proof.PROVED, one.steps, 0.0)
    referee = judge(Proofs((page,)))
    assert (len(referee.checked), len(referee.failed)) == (1, 1)


@needs_coq
def test_letters_may_be_called_what_coq_calls_its_own_things(tmp_path):
    names = [
        "fun",
        "as",
        "in",
        "forall",
        "R",
        "sqrt",
        "Rabs",
        "IZR",
        "Rplus",
        "root_is",
        "not_zero",
        "ring",
        "w1",
        "H1",
        "D1",
        "Q1",
        "E1",
    ]
    names += ["\N{GREEK SMALL LETTER SIGMA}", "x'", "a b", "1st", "_", "x-y", "*)", '"', "x_2", "everything_above", "True", "False"]
    letters = [Symbol(name, positive=True) for name in names]
    total = sympy.Add(*letters)
    one = equal(sqrt(total) ** 2 * sqrt(1 + letters[5] ** 2) ** 2, sympy.expand(total * (1 + letters[5] ** 2)))
    assert refused(one) == []


def test_different_letters_never_share_a_name():
    letters = [Symbol("x"), Symbol("x", positive=True), Symbol("x_2"), Symbol("x 2"), Symbol("x-2")]
    statement, _ = written(equal(sympy.Add(*letters), 0))
    assert len(set(statement.names.values())) == len(letters)
    names = Names()
    assert len({names.new("in") for _ in range(3)} | {names.new("in_2")}) == 4


@needs_coq
def test_nothing_rests_on_more_than_the_axioms_of_the_reals(tmp_path):
    judge(Proofs((forged(*RIGHT[:4]),)), keep=tmp_path)
    sources = sorted(tmp_path.glob("*.v"))
    assert [file.name for file in sources] == ["Referee.v", "forged.v"]
    for file in sources:
        assert not re.search(r"\b(Axiom|Admitted|admit|Parameter|Conjecture|Hypothesis|Variable|Abort)\b", file.read_text())
        ran = subprocess.run(["coqc", "-R", ".", "verifydiff", file.name], cwd=tmp_path, capture_output=True, text=True, check=True)
    names = {line.partition(" ")[0].rpartition(".")[2] for line in ran.stdout.splitlines() if line[:1].strip()} - {"Axioms:"}
    assert names <= {"sig_not_dec", "sig_forall_dec", "functional_extensionality_dep"}


# -- the command ---------------------------------------------------------------------------------------------------------

NOTES = """
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t
from verifydiff.proof import derivation

@derivation(title="variances add up")
def variances(d):
    d.equal(alpha_t * (1 - abar_s) + beta_t, 1 - abar_t, "since abar_t = alpha_t abar_s")
"""


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.py"
    path.write_text(NOTES)
    return str(path)


@needs_coq
def test_the_command_says_what_was_checked(notes, capsys):
    assert main(["prove", notes, "--kernel", "coq"]) == 0
    assert re.search(r"^Coq \d\S*: 1 claim checked in \d+ s$", capsys.readouterr().out, re.MULTILINE)


@needs_coq
def test_json_says_it_only_when_asked(notes, tmp_path, capsys):
    assert main(["prove", notes, "--json", "-"]) == 0
    assert "kernel" not in json.loads(capsys.readouterr().out)["claims"][0]
    assert main(["prove", notes, "--json", "-", "--kernel", "coq"]) == 0
    found = json.loads(capsys.readouterr().out)["claims"][0]
    assert found["kernel"] == {"checked": 1, "not_algebraic": 0, "failed": []}


@needs_coq
def test_a_claim_that_coq_refuses_is_a_failure_of_the_command(notes, capsys, monkeypatch):
    monkeypatch.setattr("verifydiff.proof.writer.decide", lambda claim: BY_FIAT)
    Path(notes).write_text(NOTES.replace("1 - abar_t,", "1 - alpha_t,"))
    assert main(["prove", notes, "--kernel", "coq"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    for part in (
        "notes.variances",
        "step 1: since abar_t = alpha_t abar_s",
        "not a valid field equation",
        "1 refused, 0 claims checked",
    ):
        assert part in out, part


def test_without_coq_the_command_says_what_to_install(notes, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["prove", notes, "--kernel", "coq"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Debian's package `coq`" in captured.err


@pytest.mark.parametrize("script", ["exit 0", "echo 'The Coq Proof Assistant, version 8.16.1'"])
def test_a_program_that_only_calls_itself_coq_checks_nothing(notes, capsys, monkeypatch, tmp_path, script):
    fake = tmp_path / "coqc"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["prove", notes, "--kernel", "coq"]) == 2
    assert "claims checked" not in capsys.readouterr().out


def test_a_folder_without_a_kernel_is_a_mistake(notes, capsys):
    assert main(["prove", notes, "--kernel-out", "anywhere"]) == 2
    assert "--kernel coq" in capsys.readouterr().err


@needs_coq
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_proved(notes, capsys):
    assert main(["prove", notes, "--kernel", "coq", "--kernel-out", notes]) == 2
    assert capsys.readouterr().err.startswith("verifydiff: --kernel-out")
