"""The pages keep to the code: every check and every slip has its line."""

import re
from pathlib import Path

from verifydiff.slips import CATALOGUE

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_every_slip_of_the_catalogue_has_its_row_and_every_row_its_slip():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \|", (DOCS / "slips.md").read_text(), re.MULTILINE)
    assert dict(rows) == {slip.id: slip.description for slip in CATALOGUE}


def test_every_check_has_its_row():
    rows = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (DOCS / "checks.md").read_text(), re.MULTILINE))
    sources = "".join(path.read_text() for path in (ROOT / "verifydiff" / "checks").glob("*.py"))
    made = set(re.findall(r'Finding\(\s*"([a-z0-9-]+)"', sources)) | {"time-grid", "behaviour"}
    assert rows == made - {"allow"}


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
