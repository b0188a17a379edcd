"""The examples of the page are run, and come to what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["another's sampler", "one of ours"])
def test_an_example_passes_as_it_stands(example, capsys):
    exec(compile(example, "campaigns.md", "exec"), {"__name__": "page"})
    assert capsys.readouterr().out.startswith("pass")
