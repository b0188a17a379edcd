"""The HTML report: one page that needs nothing besides itself, in which nothing that a target says is taken for markup."""

import re
import sys
from dataclasses import replace

import pytest
from documents import FAILURES, PASSED, RUN, WEIGHTS, Document, assert_sound, report

from verifydiff.checks import Explanation, LibraryReport
from verifydiff.report.html import document, elements, library, page, this_run
from verifydiff.report.html.elements import element, visible
from verifydiff.verdict import Finding, Status

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "double quote": '" onmouseover="alert(1)',
    "single quote": "' onmouseover='alert(1)",
    "end of title": "</title></style></script><h1>",
    "entity": "&lt;b&gt; &amp;amp;",
    "override": "abc\u202egnp.exe\u202c\u2066\u200b",
    "controls": "a\x00b\x1b[31mc\x07\x85",
    "half a character": "a\ud800b",
    "long": "!" + "x" * 100_000,
}


def hostile_report(text, status=Status.FAIL):
    details = {**WEIGHTS, "weight": text, "failed": {text: 1e-9}}
    return report(
        Finding(text, status, text, text, [text, text], 1e-9, details=details),
        Finding("noise-law", status, text, 1e-9, None, 1e-9, details={"failed": {text: 1e-9}}),
        target=text,
        seen=text,
        diagnosis=(Explanation(text, text, 0.1, text), Explanation(text, text, 0.2, text)),
        notes=(text,),
    )


def hostile_pages(text):
    run = replace(RUN, command=text, date=text, versions={text: text}, commands={text: text})
    one = hostile_report(text)
    twin = replace(one, target=f"lib:A {text}")
    yield page(one, run, {text: text})
    yield page(LibraryReport(text, text, (one, twin, replace(one, target=f"lib:{text}"))), run, {text: text})


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_target_says_is_text_wherever_it_stands(text):
    plain = [sorted(tag for tag, _ in Document(one).elements) for one in hostile_pages("!xyz")]
    for one, right in zip(hostile_pages(text), plain, strict=True):
        document = assert_sound(one)
        assert sorted(tag for tag, _ in document.elements if tag != "wbr") == [tag for tag in right if tag != "wbr"]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", one)
        shown = visible(text[:100])
        assert shown in document.words


def test_what_is_long_is_cut_and_says_so():
    text = "x" * 1_000_000
    one = report(Finding("seed", Status.FAIL, text, text, [text] * 10), target=text, seen=text, notes=(text,))
    for text in (page(one, RUN), page(LibraryReport("lib", "1", (one,)), RUN)):
        assert len(text) < 50_000
        assert "(1,000,000 characters)" in text


def no_escape(monkeypatch):
    monkeypatch.setattr(elements, "escape", lambda text, quote=True: text)


def no_escape_of_quotes(monkeypatch):
    monkeypatch.setattr(elements, "escape", lambda text, quote=True: text.replace("&", "&amp;").replace("<", "&lt;"))


def no_pictures_of_controls(monkeypatch):
    monkeypatch.setattr(elements, "visible", lambda text: text)


def raw_message(monkeypatch):
    monkeypatch.setattr(
        "verifydiff.report.html.findings.message", lambda finding: elements.raw(f'<p class="message">{finding.message}</p>')
    )


def raw_name(monkeypatch):
    monkeypatch.setattr("verifydiff.report.html.library.name", lambda text: elements.raw(text[:160]))


def raw_title(monkeypatch):
    module = sys.modules["verifydiff.report.html.page"]  # the name of the package is that of its function
    monkeypatch.setattr(module, "document", lambda title, *body: document.document(elements.raw(title), *body))


MUTANTS = [no_escape, no_escape_of_quotes, no_pictures_of_controls, raw_message, raw_name, raw_title]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_dropped_escape_is_caught(monkeypatch, mutant):
    mutant(monkeypatch)
    caught = []
    for text in HOSTILE.values():
        try:
            test_what_a_target_says_is_text_wherever_it_stands(text)
        except (AssertionError, ValueError):
            caught.append(text)
    assert caught


def test_every_failure_stands_in_full_with_its_plot_and_every_finding_in_the_table():
    one = report(*FAILURES.values(), PASSED)
    document = assert_sound(page(one, RUN, {"order": "does its error shrink as claimed?"}))
    assert len(document.all("svg")) == len(document.all("article")) == len(FAILURES)
    assert [row["id"] for row in document.all("tr")[1:]] == [f"finding-{k}" for k in range(len(one.findings))]
    for finding in one.findings:
        assert finding.message in document.words
    for words in ("does its error shrink as claimed?", "lost-bar", "DDIM(eta = 0)", RUN.command, RUN.date, "1e-06", "1.5 s", "2.4"):
        assert words in document.words


def test_a_failure_with_nothing_to_draw_has_no_plot_and_is_still_told():
    document = assert_sound(page(report(Finding("behaviour", Status.FAIL, "it raised", "raised")), RUN))
    assert len(document.all("article")) == 1
    assert not document.all("svg")


def test_a_right_sampler_has_a_page_without_failures():
    document = assert_sound(page(report(diagnosis=()), RUN))
    assert "All is well" in document.words
    assert {"failures", "diagnosis"}.isdisjoint(document.ids)


def test_a_failure_that_no_slip_explains_says_so():
    assert "Nothing in the catalogue" in Document(page(report(FAILURES["order"], diagnosis=()), RUN)).words


# -- a library -----------------------------------------------------------------------------------------------------------

LIBRARY = LibraryReport(
    "lib",
    "1.2",
    (
        report(PASSED, *FAILURES.values(), target="lib:Alpha steps=10"),
        report(PASSED, FAILURES["grid"], target="lib:Alpha steps=20"),
        report(PASSED, Finding("clipping", Status.NOTE, "it clips"), target="lib:Beta"),
        report(Finding("seed", Status.INCONCLUSIVE, "cannot be told"), target="lib:Gamma(order=2)", diagnosis=()),
    ),
)


def test_every_cell_of_the_matrix_leads_to_its_finding_and_shows_its_sign():
    text = page(LIBRARY, RUN)
    document = assert_sound(text)
    lines = re.findall(r'<tr(?: class="\w")?><th scope="row">.*?</tr>', text, re.DOTALL)
    assert len(lines) == len(LIBRARY.reports)
    for k, (line, one) in enumerate(zip(lines, LIBRARY.reports, strict=True)):
        cells = dict(re.findall(r'<a href="#t\d+f(\d+)">(.)</a>', line))
        assert {int(number) for number in cells} == set(range(len(one.findings)))
        assert {f"t{k}f{number}" for number in cells} <= set(document.ids)
        for number, sign in cells.items():
            assert sign == {"pass": "✓", "fail": "✗", "note": "•", "inconclusive": "?"}[one.findings[int(number)].status]


def test_a_class_shows_a_few_failures_in_full_and_all_targets_in_short():
    document = assert_sound(page(LIBRARY, replace(RUN, commands={"lib:Beta": "verifydiff check lib:Beta"})))
    assert len(document.all("article")) == len(document.all("svg")) == library.MOST_CARDS
    for one in LIBRARY.reports:
        for finding in one.findings:
            assert finding.status is Status.PASS or finding.message in document.words
    assert "verifydiff check lib:Beta" in document.words


def test_the_page_is_complete_without_its_script():
    document = Document(page(LIBRARY, RUN))
    (filters,) = [attributes for _, attributes in document.elements if attributes.get("id") == "filters"]
    hidden = [attributes for _, attributes in document.elements if "hidden" in attributes]
    assert hidden == [filters]


@pytest.mark.parametrize(
    ("target", "title", "configuration"),
    [
        ("diffusers:DDIMScheduler", "DDIMScheduler", ""),
        ("diffusers:DDIMScheduler steps=50 a=[1, 2]", "DDIMScheduler", "steps=50 a=[1, 2]"),
        ("k-diffusion:sample_euler(steps=5)", "sample_euler", "steps=5"),
        ("DDIMScheduler, steps=5", "DDIMScheduler", "steps=5"),
        ("a path/with:colons:x", "a", "path/with:colons:x"),
        ("<script>", "<script>", ""),
        ("", "", ""),
    ],
)
def test_a_target_is_named_by_its_class_and_then_its_configuration(target, title, configuration):
    assert library.split(target) == (title, configuration)


def test_a_check_that_a_target_lacks_stands_after_the_one_it_follows_elsewhere():
    one = [Finding(check, Status.PASS, "") for check in "ace"]
    other = [Finding(check, Status.PASS, "") for check in "abcde"]
    assert library.checks(LibraryReport("", "", (report(*one), report(*other)))) == list("abcde")


def test_a_page_of_a_thousand_targets_stays_below_three_megabytes():
    passed = [Finding(f"check-number-{k}", Status.PASS, "it is as it should be") for k in range(14)]
    noted = [
        Finding(f"note-number-{k}", Status.NOTE, "a property of the method with its size, in one sentence " * 2) for k in range(3)
    ]
    weights = {**WEIGHTS, **{key: [0.001 * k for k in range(1000)] for key in ("times", "observed", "expected")}}
    fails = [replace(FAILURES["weights"], details=weights), FAILURES["law"]]
    reports = [
        report(*passed, *noted, *(fails if k % 4 == 0 else ()), target=f"lib:Scheduler{k // 20} steps={k} spacing=leading order=2")
        for k in range(1000)
    ]
    text = page(LibraryReport("lib", "1", tuple(reports)), RUN)
    assert_sound(text)
    assert len(text.encode()) < 3e6


def test_the_json_of_a_library_holds_its_targets():
    plain = LIBRARY.to_json()
    assert (plain["library"], plain["version"], plain["status"]) == ("lib", "1.2", "fail")
    assert plain["targets"] == [one.to_json() for one in LIBRARY.reports]


# -- elements ------------------------------------------------------------------------------------------------------------


def test_elements_nest_and_leave_out_what_is_none():
    assert element("p", "a < b", None, [element("b", "c"), "d"], class_="x", hidden=True, id=None, data_k=3) == (
        '<p class="x" hidden data-k="3">a &lt; b<b>c</b>d</p>'
    )


@pytest.mark.parametrize("name", ["a b", "p>", "", "1", 'x"'])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="is no name of an"):
        element(name)
    with pytest.raises(ValueError, match="is no name of an"):
        element("p", **{name: "x"})


def test_text_that_shows_is_left_as_it_is():
    assert visible("naïve Σ √ᾱ ✓ 日本\tx\n") == "naïve Σ √ᾱ ✓ 日本\tx\n"


def test_a_run_tells_the_versions_of_what_it_has_loaded_and_of_nothing_else():
    run = this_run("x", seed=0, false_alarm=1e-6, seconds=1.0, packages=["pytest", "no-such-package", "documents"])
    assert {"verifydiff", "Python", "numpy", "pytest"} <= set(run.versions)
    assert {"no-such-package", "documents"}.isdisjoint(run.versions)
