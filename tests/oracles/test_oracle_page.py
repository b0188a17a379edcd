"""The page of the oracles does what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import jax

PAGE = Path(__file__).parents[2] / "docs" / "oracles.md"


def test_the_examples_run_and_print_what_the_page_shows():
    names, printed = {}, []
    with jax.enable_x64(False), jax.numpy_rank_promotion("allow"):  # as a reader has it
        for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(block, names)
            printed.append(out.getvalue())
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert printed[1] == shown
