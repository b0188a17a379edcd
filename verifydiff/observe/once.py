"""What a process that judges one target after another makes but once.

Targets of a library that differ in their number of steps have the same tables, and on grids of our own they are one and the same
sampler. What is made of them, and seen of them, is kept while :func:`remembering` is open, and at no other time: code that is
changed in between, as a test changes a library's, must be seen as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

Made = TypeVar("Made")
MOST = 64
"""Things that are kept; of more, those that have not been asked for longest are forgotten."""

_kept: OrderedDict[Hashable, Any] | None = None


@contextmanager
def remembering() -> Iterator[None]:
    """Within, what is made once is kept; at the end of the outermost, all is forgotten."""
    global _kept
    before = _kept
    _kept = OrderedDict() if before is None else before
    try:
        yield
    finally:
        _kept = before


def once(key: Hashable | None, make: Callable[[], Made]) -> Made:
    """What ``make`` makes, or what it made when it was last asked for by this key. Without a key nothing is kept."""
    kept = _kept
    if kept is None or key is None:
        return make()
    if key not in kept:
        kept[key] = make()
        if len(kept) > MOST:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]  # type: ignore[no-any-return]


def key_of(value: Any) -> Hashable:
    """A key that two values share only if they are the same throughout, types and signs included: 1, 1.0 and True are three.

    Raises:
        TypeError: if the value, or a part of it, can be changed and is no list, dict or array of numbers.
    """
    if isinstance(value, dict):
        return dict, tuple((name, key_of(one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(key_of(one) for one in value)
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("an array of objects has no key.")
        return np.ndarray, value.dtype.str, value.shape, value.tobytes()
    hash(value)
    return type(value), value.hex() if isinstance(value, float) else value
