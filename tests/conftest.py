"""Settings that all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# Without a deadline, since a first call may import or compile; in CI the same examples every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
