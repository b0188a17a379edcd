"""The page in a real browser: what a learner sees when they type, click and slide.

A browser is wanted: `CHROMIUM` names one, or one stands on the path under a usual name. Without one, or without Playwright, these
tests are skipped, and say so; `.ci/browser` installs Debian's where it can.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator

import pytest
from asking_teach import running

from verifydiff.teach.exercises import Complete, Misprint, every, load

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: the page is not tried in a browser")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here: the page is not tried in a browser")

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WRONG_HEAD = 'x = <img src=x onerror="window.broken=1">'


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with playwright.sync_playwright() as started:
            chromium = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            yield chromium
            chromium.close()


def until(page, expression: str, argument: object = None) -> None:
    """Wait for something to be true on the page: asked from here, since the page's policy lets nobody evaluate strings in it."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


class Learner:
    """A page, with what went wrong on it."""

    def __init__(self, browser, asking, size=DESK, **context):
        self.context = browser.new_context(viewport=size, accept_downloads=True, **context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = f"http://127.0.0.1:{asking.port}/"

    def at(self, place: str):
        self.page.goto(self.address + place)
        self.page.wait_for_selector("main h1")
        return self.page

    def verdict(self, kind: str) -> str:
        found = self.page.wait_for_selector(f".verdict.{kind}:not(.waiting)")
        return found.inner_text()

    def write(self, latex: str) -> None:
        """By the source beside the field, as who pastes does."""
        self.page.evaluate("document.querySelector('.desk .latex').open = true")
        self.page.fill(".desk .source", latex)


@pytest.fixture
def learner(browser, asking, request) -> Iterator[Learner]:
    one = Learner(browser, asking, **getattr(request, "param", {}))
    yield one
    one.context.close()
    assert one.wrong == []
    assert all(url.startswith((one.address, "blob:")) for url in one.asked)


TYPED = {
    "x_t=1": r"x_{t}=1",
    "SNR(t)=abar_t/(1-abar_t)": r"SNR(t)=\frac{\bar{\alpha}_{t}}{(1-\bar{\alpha}_{t})}",
    "btilde_t=(1-abar_(t-1))/(1-abar_t)": r"\tilde{\beta}_{t}=\frac{(1-\bar{\alpha}_{t-1})}{(1-\bar{\alpha}_{t})}",
    "x_{t-1}": r"x_{t-1}",
    "abar_t-1 x_0": r"\bar{\alpha}_{t-1}x_0",
    "q(x_t|x_0)=NN(x_t;m,v)": r"q(x_{t}\mid x_0)=\mathcal{N}(x_{t};m,v)",
    "eps_theta(x_t,t)": r"\varepsilon_{\theta}(x_{t},t)",
    "grad_x log p(x)": r"\nabla_{x}\log p(x)",
    "x^2+1": "x^2+1",
}


def test_what_is_typed_comes_out_as_it_is_meant(learner):
    page = learner.at("#/formula")
    learner.verdict("fails")
    found = {}
    for keys in TYPED:
        typed(page, keys)
        found[keys] = page.evaluate("document.querySelector('math-field').value")
    assert found == TYPED


def typed(page, keys: str) -> None:
    page.click("math-field")
    page.wait_for_timeout(150)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.type(keys, delay=8)
    page.wait_for_timeout(60)


def test_a_misprint_fails_as_it_is_and_holds_when_it_is_mended_by_typing(learner):
    page = learner.at("#/exercise/posterior-variance")
    assert "fails" in learner.verdict("fails")
    typed(page, "btilde_t=(1-abar_t-1)/(1-abar_t)")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("beta_t", delay=8)
    assert "proved" in learner.verdict("holds")
    assert page.is_visible(".contents li.done[data-id=posterior-variance]")
    assert page.is_hidden(".hinting button")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("+1", delay=8)
    assert "fails" in learner.verdict("fails")
    assert page.is_visible(".hinting button")


def test_hints_come_one_at_a_time_and_the_answer_last(learner):
    page = learner.at("#/exercise/noised-sample")
    learner.verdict("fails")
    kinds = []
    for k in range(1, 5):
        page.click(".hinting button")
        until(page, f"document.querySelectorAll('.hints li').length === {k}")
        kinds.append(page.locator(".hints li").last.get_attribute("class"))
    assert kinds == ["say", "where", "slip", "answer"]
    assert page.locator(".hints .slip code").inner_text() == "bar-lost"
    assert page.is_hidden(".hinting button")


def test_every_shipped_formula_survives_the_field(learner, shipped, asking):
    """What MathLive makes of a formula is judged as the formula itself is, right ones and misprints."""
    page = learner.at("#/exercise/noised-sample")
    learner.verdict("fails")
    for exercise in every(shipped):
        if isinstance(exercise, Misprint):
            for latex, solved in ((exercise.right, True), (exercise.wrong, False)):
                typed = page.evaluate(
                    "latex => { const f = document.querySelector('math-field'); f.value = latex; return f.value; }", latex
                )
                assert asking("answer", {"exercise": exercise.id, "latex": typed})[1]["solved"] is solved, (exercise.id, typed)


def test_gaps_are_filled_in_where_they_stand(learner, shipped):
    exercise = next(one for one in every(shipped) if one.id == "back-to-the-data")
    assert isinstance(exercise, Complete)
    page = learner.at("#/exercise/back-to-the-data")
    until(page, "document.querySelector('math-field').getPrompts().length === 2")
    page.evaluate(
        """fillings => { const field = document.querySelector('math-field');
        fillings.forEach((one, k) => field.setPromptValue(`gap${k}`, one, {}));
        field.dispatchEvent(new Event('input')); }""",
        list(exercise.fillings),
    )
    assert "proved" in learner.verdict("holds")
    page.reload()
    assert "proved" in learner.verdict("holds")


def test_who_enters_a_field_with_gaps_types_into_the_first(learner):
    page = learner.at("#/exercise/ddim-deterministic")
    until(page, "document.querySelector('math-field').getPrompts().length === 1")
    page.focus("math-field")
    page.wait_for_timeout(300)
    page.keyboard.type("sqrt1-abar_t-1", delay=8)
    assert "proved" in learner.verdict("holds")


def test_a_derivation_is_walked_line_by_line(learner):
    page = learner.at("#/exercise/ddim-at-one")
    learner.write(r"\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \alpha_t")
    learner.verdict("fails")
    assert page.is_disabled("text=Take this line")
    learner.write(r"= \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} (1 - \alpha_t)")
    assert "nearer" in learner.verdict("holds")
    page.click("text=Take this line")
    until(page, "document.querySelectorAll('.sheet .row').length === 2")
    assert page.locator(".sheet .row >> nth=1").inner_text().count("=") == 1
    learner.write(r"\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t")
    page.wait_for_selector("text=That is the goal")
    page.click("text=Take this line")
    until(page, "document.querySelectorAll('.sheet .row').length === 3")
    assert page.is_hidden("math-field")
    page.click("text=Take back the last line")
    until(page, "document.querySelectorAll('.sheet .row').length === 2")
    assert page.is_visible("math-field")


def test_the_counterexample_can_be_turned_and_put_on_a_schedule(learner):
    page = learner.at("#/exercise/posterior-variance")
    page.wait_for_selector(".sides .fails")
    before = page.inner_text(".sides tbody")
    dial = page.locator(".board .knobs input[type=range]").first
    dial.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(page, "before => document.querySelector('.sides tbody').innerText !== before", before)
    page.select_option(".clock select", "cosine")
    page.wait_for_selector(".board svg.plot path.line.one")
    page.locator(".clock input[type=range]").focus()
    page.keyboard.press("End")
    until(page, "document.querySelector('.clock output').textContent === '1000'")


def test_any_formula_is_judged_and_markup_in_it_stays_text(learner):
    page = learner.at("#/formula")
    learner.verdict("fails")
    learner.write(r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \bar\alpha_t} \epsilon")
    learner.verdict("holds")
    for latex in (
        WRONG_HEAD,
        r"\href{javascript:window.broken=1}{x}",
        r"\htmlData{onclick=window.broken=1}{x} = 1",
        "<script>window.broken=1</script>",
    ):
        learner.write(latex)
        page.wait_for_timeout(600)
    assert page.evaluate("window.broken") is None
    assert page.locator("main img, main script, main a[href^=javascript]").count() == 0


def test_answers_are_kept_and_exported(learner, tmp_path):
    page = learner.at("#/exercise/score-sign")
    learner.verdict("fails")
    learner.write(r"\nabla_{x_t} \log q(x_t | x_0) = \frac{\epsilon}{1 - \bar\alpha_t}")
    until(page, "localStorage.getItem('verifydiff.teach.1').includes('fails')")
    learner.write(r"\nabla_{x_t} \log q(x_t | x_0) = -\frac{\epsilon}{\sqrt{1 - \bar\alpha_t}}")
    learner.verdict("holds")
    page.reload()
    learner.verdict("holds")
    with page.expect_download() as download:
        page.click("text=Export answers")
    download.value.save_as(tmp_path / "answers.json")
    told = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    assert [one["status"] for one in told["attempts"] if one["exercise"] == "score-sign"] == ["fails", "holds"]
    assert [one["id"] for one in told["exercises"] if one["solved"]] == ["score-sign"]
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Start over")
    until(page, "!document.querySelector('.contents li.done')")


def test_a_spoiled_storage_does_no_harm(learner):
    page = learner.at("#/exercises")
    for spoiled in ('"x"', "{", '{"solved": 3, "attempts": {}, "drafts": [], "lines": "x", "language": 4}', "null"):
        page.evaluate("spoiled => localStorage.setItem('verifydiff.teach.1', spoiled)", spoiled)
        page.reload()
        page.wait_for_selector("main h1")


def test_the_explorer_draws_what_is_set(learner):
    pytest.importorskip("numpyro")
    page = learner.at("#/explorer")
    page.wait_for_selector("svg.plot path.path", timeout=120_000)
    before = page.inner_text("output.big")
    page.locator("input[data-name=eta]").focus()
    page.keyboard.press("End")
    until(page, "before => document.querySelector('output.big').textContent !== before", before)
    assert page.locator("svg.plot").count() == 3
    assert page.locator("svg.plot path.path").count() == 36
    assert "NaN" not in page.content()


def test_it_speaks_chinese(learner):
    page = learner.at("#/exercise/noised-sample")
    page.click("text=中文")
    page.wait_for_selector("text=找出印错之处")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.reload()
    page.wait_for_selector("text=带噪样本")


@pytest.mark.parametrize(
    "learner", [{"size": PHONE}, {"size": PHONE, "color_scheme": "dark"}], ids=["phone", "dark"], indirect=True
)
def test_nothing_runs_over_the_edge_of_a_phone(learner):
    for place in ("exercise/posterior-mean", "exercise/mean-by-noise", "exercise/reverse-vp", "formula"):
        page = learner.at(f"#/{place}")
        page.wait_for_selector("math-field")
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], place


def test_everything_can_be_reached_by_the_keyboard_and_has_a_name(learner):
    page = learner.at("#/exercise/posterior-variance")
    page.wait_for_selector(".sides")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, select, textarea, math-field, summary')]
        .filter(one => one.offsetParent && !(one.getAttribute('aria-label') || one.innerText || one.labels?.length || one.title))
        .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert unnamed == []
    seen = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate("document.activeElement.closest('.board, .desk, .hinting, .contents, #top, .turn')?.className ?? ''")
        )
    assert {"desk", "board", "hinting", "turn"} <= seen


def test_markup_in_an_exercise_file_stays_text(browser, tmp_path):
    evil = "<img src=x onerror='window.broken=1'><script>window.broken=1</script>"
    (tmp_path / "a.toml").write_text(
        f'title = "{evil}"\nabout = "\\" onclick=\\"window.broken=1"\n[[exercise]]\nid = "a"\nkind = "misprint"\ntitle = "{evil}"\n'
        f'task = "{evil}"\nhints = ["{evil}"]\n'
        r"right = 'x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \bar\alpha_t} \epsilon'"
        "\n"
        r"misprint = 'x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1 - \alpha_t} \epsilon \text{<img src=x onerror=window.broken=1>}'"
        "\n",
        encoding="utf-8",
    )
    for asking in running(load(tmp_path)):
        learner = Learner(browser, asking)
        page = learner.at("#/exercises")
        page.click(".hinting button")
        page.wait_for_selector(".hints li")
        assert evil in page.inner_text("main h1")
        assert evil in page.inner_text(".hints")
        assert page.evaluate("window.broken") is None
        assert page.locator("main img, main script").count() == 0
        learner.context.close()
        assert learner.wrong == []
