"""Settings and fixtures that all tests share."""

from __future__ import annotations

import gc
import os
import signal
from zlib import crc32

import numpy as np
import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]  # the plugin is tested on test runs of its own

# Without a deadline, since a first call may import or compile; in CI the same examples every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Read by the libraries when a test first imports them: nothing here imports them for tests that do not.
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # most programs here run for less time than LLVM would optimise them
os.environ.setdefault("HF_HUB_OFFLINE", "1")


# A run in the background can be deaf to Ctrl-C, and so would be all processes that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What is loaded and collected stays to the end: it is not gone through again and again for garbage, which takes a tenth of the
# time once torch, JAX and SymPy are there.
gc.set_threshold(20_000, 20, 20)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what has been made by now out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Draws that are named, not counted: seeded by the test's own name, so that no test changes another's."""
    return np.random.default_rng(crc32(request.node.name.encode()))
