"""Numbers and tables as pages of the documentation have them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from typing import Any

NEARLY_ALL = 0.985
MINUS = "\N{MINUS SIGN}"


def header(corner: str, columns: Collection[str]) -> Iterator[str]:
    """The first two lines of a table."""
    yield row(corner, columns)
    yield "|---" * (1 + len(columns)) + "|"


def row(name: str, cells: Iterable[str]) -> str:
    """A line of a table."""
    return f"| {name} | {' | '.join(cells)} |"


def percent(share: float) -> str:
    """A share as it stands in a text."""
    return f"{hundredths(share)} %"


def hundredths(share: float | None) -> str:
    """In per cent: two digits, or three about 100 and from there on."""
    if share is None:
        return "no number"
    return f"{float(f'{100 * share:.3g}'):,.10g}" if share >= NEARLY_ALL else small(100 * share)


def small(number: float, digits: int = 2) -> str:
    """Two digits, below a thousandth with an exponent; the signs are such that no line ends after them."""
    mantissa, e, exponent = f"{number:.{digits}g}".partition("e")
    if number and abs(number) < 1e-3:
        mantissa, e, exponent = f"{number:.{digits - 1}e}".partition("e")
    return (mantissa + (f"e{int(exponent)}" if e else "")).replace("-", MINUS)


def shortened(value: Any, digits: int) -> Any:
    """Of a record, the same with numbers of so many significant digits; what is no finite number stays as it is."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else value
    if isinstance(value, dict):
        return {key: shortened(one, digits) for key, one in value.items()}
    return [shortened(one, digits) for one in value] if isinstance(value, list | tuple) else value
