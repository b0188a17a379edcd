"""The pictures of the site stand beside something, and are for the middle of a page."""

import importlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from verifydiff.proof import prove
from verifydiff.proof.loading import shipped

pytest.importorskip("matplotlib", reason="it draws the pictures")

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def plots(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("plots")


def test_every_picture_stands_beside_a_claim_or_a_file(plots):
    beside = {one.id for one in prove().claims} | {file.stem for file in shipped().glob("*.py")}
    assert set(plots.PICTURES) <= beside


def test_pictures_take_the_colour_of_the_words_and_share_no_ids(plots):
    drawn = [svg for name in plots.PICTURES for svg, _ in plots.figures(None, name)]
    drawn += [plots.svg(draw, name) for name, draw in plots.ON_PAGES.items()]
    ids = [element.get("id") for svg in drawn for element in ElementTree.fromstring(svg).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all("currentColor" in svg and plots.INK not in svg for svg in drawn)


def test_every_picture_that_a_page_names_is_drawn_there_and_stays_one_block_of_html(plots):
    named = [name for page in sorted(DOCS.glob("*.md")) for name in plots.PLACE.findall(page.read_text(encoding="utf-8"))]
    assert sorted(named) == sorted(plots.ON_PAGES)
    for name in named:
        source = [f"before\n\n<!-- picture: {name} -->\n\nafter"]
        plots.put_on_pages(None, "page", source)
        before, _, block, _, after = source[0].splitlines()
        assert (before, after) == ("before", "after")
        assert block.startswith('<div class="verifydiff-figure"><svg')
        assert block.endswith("</svg></div>")
