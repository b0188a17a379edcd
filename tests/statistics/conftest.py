from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Draws that are named, not counted: seeded by the test's own name, so that no test changes another's."""
    return np.random.default_rng(crc32(request.node.name.encode()))
