"""todo"""
from collections.abc import Iterator
from typing import Any
def configurations(name: str) -> Iterator[dict[str, Any]]:
    """todo"""
    yield {}
