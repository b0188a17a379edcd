"""The Sphinx extension, on tiny projects: what it shows, what it warns of, and that nothing of a page becomes HTML."""

import io
import re
import textwrap
from html import unescape

import pytest

pytest.importorskip("sphinx", reason="the extension is for Sphinx")

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

NOTES = r'''
r"""My notes: why <b>beta_t</b> matters. More words, and :math:`\beta_t`.

.. math:: \beta_t = 1 - \alpha_t

.. raw:: html

    <script>alert(1)</script>
"""

from sympy import Integer

from verifydiff.forms import Form, ddpm
from verifydiff.forms.form import Source
from verifydiff.forms.quantities import abar_s, abar_t, alpha_t, beta_t
from verifydiff.proof import derivation

rest = Form("mine.rest", "what <i>is</i> left", "r", 1 - beta_t, Source("<script>me</script>", "p. 1"))
whole = Form("mine.whole", "the whole", "w", Integer(1) + 0 * beta_t, Source("me", "p. 2"))


@derivation(rest)
def proved(d):
    """An idea with <script>alert(2)</script>."""
    d.conclude(alpha_t, "by </p><script>alert(3)</script>")
    d.misprint(beta_t, "the letters have changed places <img src=x>")


@derivation(whole)
def used(d):
    d.conclude(d.use(rest) + beta_t)
'''

WRONG = """
from verifydiff.forms.quantities import abar_s, beta_t
from verifydiff.proof import derivation


@derivation(id="mine.wrong", title="a misprint")
def wrong(d):
    d.equal(beta_t, abar_s, "as the blog post has it")
"""


def build(folder, conf="", name="html", **files):
    """Build a project of these files; returns the warnings, and a function that reads a page."""
    source = folder / "docs"
    source.mkdir(exist_ok=True)
    (folder / "notes.py").write_text(NOTES)
    (folder / "wrong.py").write_text(WRONG)
    (source / "conf.py").write_text(f'extensions = ["verifydiff.sphinx"]\nhtml_theme = "basic"\nsuppress_warnings = []\n{conf}\n')
    for page, text in files.items():
        path = source / page.replace("__", ".")
        path.write_text(textwrap.dedent(text))
    warnings = io.StringIO()
    with patch_docutils(source), docutils_namespace():
        Sphinx(source, source, folder / "out", folder / "trees", name, status=None, warning=warnings, freshenv=True).build()
    told = re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue()).replace(str(folder), "")
    return told.splitlines(), lambda page: (folder / "out" / page).read_text()


TITLE = "Title\n=====\n\n"


def test_a_form_is_shown_with_its_source_and_verdict(tmp_path):
    warnings, page = build(tmp_path, index__rst=f"{TITLE}.. verifydiff-form:: ddpm.posterior_variance\n   :code:\n")
    html = page("index.html")
    assert warnings == []
    assert r"\tilde\beta_t = \frac{\beta_{t}" in unescape(html) or r"\tilde\beta_t = \frac{\beta_t" in unescape(html)
    assert "Ho et al. 2020, eq. 7" in html
    assert "✓ proved" in html
    assert "posterior_variance" in re.sub(r"<[^>]+>", "", html)


def test_a_file_of_derivations_is_shown_and_linked_and_stays_text(tmp_path):
    index = f"""{TITLE}See :verifydiff:claim:`mine.rest`.

.. verifydiff-forms::
.. verifydiff-graph::
.. verifydiff-pages::
"""
    conf = 'verifydiff_derivations = ["../notes.py"]\nverifydiff_pages = "made"'
    warnings, page = build(tmp_path, conf, index__rst=index)
    assert warnings == []
    made, front = page("made/notes.html"), page("index.html")
    for html in (made, front):
        assert "<script>alert" not in html
        assert "<script>me" not in html
        assert "<img src=x" not in html
        assert "<i>is</i>" not in html
        assert "<b>beta" not in html
    assert "alert(3)" in made
    assert 'id="claim-mine-rest"' in made
    assert 'href="#claim-mine-rest"' in made  # used by the other one
    assert "Who got this wrong" in made
    assert "the two sides differ by" in made
    assert front.count('href="made/notes.html#claim-mine-rest"') >= 3  # the role, the table, the graph
    assert 'data-from="mine.whole" data-to="mine.rest"' in front


def test_it_works_in_myst(tmp_path):
    pytest.importorskip("myst_parser", reason="the page is MyST")
    index = """\
        # Title

        ```{verifydiff-form} mine.rest
        :code:
        ```

        ```{verifydiff-derivation} ../notes.py
        ```
        """
    conf = 'extensions += ["myst_parser"]\nverifydiff_derivations = ["../notes.py"]'
    warnings, page = build(tmp_path, conf, index__md=index)
    assert warnings == []
    assert "def rest(" in re.sub(r"<[^>]+>", "", page("index.html"))
    assert "Who got this wrong" in page("index.html")


def test_what_is_not_proved_or_not_there_is_one_warning_with_its_place(tmp_path):
    (tmp_path / "empty.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    index = f"""{TITLE}.. verifydiff-derivation:: ../wrong.py

.. verifydiff-form:: ddpm.posterior_varianc

.. verifydiff-derivation:: nowhere/at_all.py

.. verifydiff-derivation:: ../empty.py

.. verifydiff-derivation:: ../broken.py

.. verifydiff-pages::

:verifydiff:claim:`no.such`
"""
    warnings, page = build(tmp_path, index__rst=index)
    expected = [
        r"/docs/index.rst:4: WARNING: .*mine.wrong is refuted: step 1, 'as the blog post has it', claims beta_t = abar_s; at .*",
        r"/docs/index.rst:6: WARNING: .*no derivation proves 'ddpm.posterior_varianc'; did you mean ddpm.posterior_variance\?.*",
        r"/docs/index.rst:8: WARNING: .*there is no file or folder nowhere/at_all.py.*",
        r"/docs/index.rst:10: WARNING: .*empty.py holds no derivations.*",
        r"/docs/index.rst:12: WARNING: .*broken.py:1: ZeroDivisionError.*",
        r"/docs/index.rst:14: WARNING: .*`verifydiff-pages` needs `verifydiff_pages`.*",
        r"/docs/index.rst:16: WARNING: no page shows a derivation of no.such.*",
    ]
    assert len(warnings) == len(expected)
    for told, pattern in zip(warnings, expected, strict=True):
        assert re.fullmatch(pattern, told)
    assert "✗ refuted" in page("index.html")


OTHER = """
from verifydiff.forms import Form
from verifydiff.forms.form import Source
from verifydiff.forms.quantities import alpha_t, beta_t
from verifydiff.proof import derivation

rest = Form("mine.rest", "what <i>is</i> left", "r", 1 - beta_t, Source("<script>me</script>", "p. 1"))


@derivation(id="other.upon", title="rests on the other file")
def upon(d):
    d.equal(d.use(rest), alpha_t, "as proved there")
"""

CIRCLE = """
from verifydiff.forms import Form
from verifydiff.forms.form import Source
from verifydiff.forms.quantities import beta_t
from verifydiff.proof import derivation

one, two = (Form(f"mine.{name}", name, name, beta_t, Source("me", "p. 1")) for name in ("one", "two"))


@derivation(one)
def first(d):
    d.conclude(d.use(two))


@derivation(two)
def second(d):
    d.conclude(d.use(one))
"""


def test_claims_that_rest_on_each_other_are_undecided_and_drawn(tmp_path):
    (tmp_path / "circle.py").write_text(CIRCLE)
    index = f"{TITLE}.. verifydiff-derivation:: ../circle.py\n\n.. verifydiff-graph::\n"
    warnings, page = build(tmp_path, 'verifydiff_derivations = ["../circle.py"]', index__rst=index)
    assert [re.search(r"mine\.\w+ is \w+", told)[0] for told in warnings] == ["mine.one is undecided", "mine.two is undecided"]
    assert page("index.html").count('class="verifydiff-edge"') == 1


def test_topics_divide_the_contents_and_colour_the_graphs(tmp_path):
    (tmp_path / "other.py").write_text(OTHER)
    conf = """
verifydiff_derivations = ["../notes.py", "../other.py"]
verifydiff_pages = "made"
verifydiff_topics = {"Mine": ["notes"], "Of others": ["other"]}
"""
    index = f"{TITLE}.. verifydiff-pages:: Mine\n\n.. verifydiff-pages:: Of others\n\n.. verifydiff-graph:: Of others\n"
    index += "\n.. verifydiff-graph::\n   :pages:\n"
    warnings, page = build(tmp_path, conf, index__rst=index)
    assert warnings == []
    topic, pages = re.findall(r"<svg.*?</svg>", page("index.html"), re.DOTALL)
    assert 'data-from="other.upon" data-to="mine.rest"' in topic
    assert "mine.whole" not in topic
    assert topic.count("verifydiff-aside") == 1
    assert 'data-from="other" data-to="notes"' in pages
    assert 'href="made/notes.html' in pages
    assert {"Mine", "Of others"} <= set(re.findall(r"<li[^>]*><a[^>]*>([^<]+)</a>", page("index.html")))


def test_a_topic_or_a_file_that_is_not_there_is_a_warning(tmp_path):
    conf = 'verifydiff_derivations = ["../notes.py"]\nverifydiff_pages = "made"\n'
    index = f"{TITLE}.. verifydiff-pages:: Nothing\n\n.. verifydiff-pages::\n"
    warnings, _ = build(tmp_path, f'{conf}verifydiff_topics = {{"Mine": ["notes"]}}', index__rst=index)
    assert [told for told in warnings if "has no topic 'Nothing'" in told and "index.rst:4" in told] == warnings
    warnings, _ = build(tmp_path, f'{conf}verifydiff_topics = {{"Mine": ["nots"]}}', index__rst=index)
    assert "names nots, and there is no such file" in warnings[0]


@pytest.mark.parametrize("builder", ["text", "latex"])
def test_other_formats_have_the_words_and_no_drawing(tmp_path, builder):
    index = f"{TITLE}.. verifydiff-derivation:: ../notes.py\n\n.. verifydiff-graph::\n"
    conf = 'verifydiff_derivations = ["../notes.py"]'
    warnings, page = build(tmp_path, conf, builder, index__rst=index)
    assert warnings == []
    assert "the letters have changed places" in page("index.txt" if builder == "text" else "projectnamenotset.tex").lower()


def test_a_page_whose_file_is_gone_is_removed_and_ones_own_stay(tmp_path):
    conf = 'verifydiff_derivations = ["../notes.py"]\nverifydiff_pages = "made"'
    index = f"{TITLE}.. verifydiff-pages::\n\n.. toctree::\n\n   made/own\n"
    made = tmp_path / "docs" / "made"
    made.mkdir(parents=True)
    (made / "own.rst").write_text("Own\n===\n")
    build(tmp_path, conf, index__rst=index)
    (made / "gone.rst").write_text((made / "notes.rst").read_text())
    warnings, _ = build(tmp_path, conf, index__rst=index)
    assert warnings == []
    assert sorted(path.name for path in made.iterdir()) == ["notes.rst", "own.rst"]
