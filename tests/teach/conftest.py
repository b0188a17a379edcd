"""The shipped exercises, served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asking_teach import Asking, running

from verifydiff.teach.exercises import SHIPPED, load


@pytest.fixture(scope="session")
def shipped():
    return load(SHIPPED)


@pytest.fixture(scope="session")
def asking(shipped) -> Iterator[Asking]:
    yield from running(shipped)
