"""What several processes must agree on: where a campaign goes on from, and what went wrong in the first of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from ..verdict import MisuseError

Arrays = dict[str, Any]

REFUSED = "refused"  # stands for the arrays where the first process has refused


def is_first() -> bool:
    """Whether this process writes files and speaks to the user."""
    return bool(jax.process_index() == 0)


def from_first(make: Callable[[], Arrays | None]) -> Arrays | None:
    """What the first process makes, on all of them.

    Raises:
        MisuseError: on all of them, if it does so on the first.
    """
    if jax.process_count() == 1:
        return make()
    arrays = _received(_sent(make) if is_first() else b"")
    if REFUSED in arrays:
        raise MisuseError(str(arrays[REFUSED]))
    return arrays or None


def _sent(make: Callable[[], Arrays | None]) -> bytes:
    try:
        arrays = make() or {}
    except MisuseError as error:
        arrays = {REFUSED: np.array(str(error))}
    content = BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return content.getvalue()


def _received(content: bytes) -> Arrays:
    length = int(multihost_utils.broadcast_one_to_all(np.int32(len(content))))
    room = np.frombuffer(content, np.uint8) if is_first() else np.zeros(length, np.uint8)
    with np.load(BytesIO(np.asarray(multihost_utils.broadcast_one_to_all(room)).tobytes()), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
