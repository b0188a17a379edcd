r"""The walk over a formula: every kind of node is worked out from what its parts come to.

The kinds are spread over several modules, each of which says with :func:`reads` which kinds it knows; ``meanings`` puts them
together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from .algebra import TooLargeError, UndefinedError, Value
from .process import NoSuchLetterError
from .reading import Density, Logs, Normal, Reading, log_normal, refused
from .tokens import NotUnderstoodError
from .tree import Node

NO_SUCH_LETTER = "the convention has no such letter"

_KINDS: dict[type[Node], Callable[[Any, Reading], Any]] = {}
Walker = TypeVar("Walker", bound=Callable[..., Any])


def reads(*kinds: type[Node]) -> Callable[[Walker], Walker]:
    """Say that a function reads these kinds of nodes."""

    def known(walker: Walker) -> Walker:
        _KINDS.update(dict.fromkeys(kinds, walker))
        return walker

    return known


def read(node: Node, reading: Reading) -> Value | Logs | Normal:
    """What a node says.

    Raises:
        NotUnderstoodError: if it says nothing that is known here.
        UndefinedError: if it has no value.
        TooLargeError: if its value is not worked out.
    """
    walker = _KINDS.get(type(node))
    if walker is None:
        raise refused(node)
    try:
        return walker(node, reading)
    except ZeroDivisionError:
        raise UndefinedError("a division by zero") from None
    except OverflowError:
        raise TooLargeError("a number outgrows the limits on size") from None
    except NoSuchLetterError as missing:
        raise NotUnderstoodError(str(missing), node.start, NO_SUCH_LETTER) from None


def value(node: Node, reading: Reading) -> Value:
    """What a node says, as a plain value."""
    found = read(node, reading)
    if isinstance(found, Density):
        return reading.algebra.exp(reading.flat(found))
    if isinstance(found, Logs):
        return reading.flat(found)
    if isinstance(found, Normal):
        raise refused(node, "a law stands where a value is expected")
    return found


def as_density(found: Any, reading: Reading) -> Any:
    """A normal law as the density of what it is of; anything else as it is."""
    if isinstance(found, Normal):
        if found.of is None:
            raise NotUnderstoodError(r"\mathcal{N}", 0, "the density of what is not named")
        return Density(log_normal(reading, found.of, found), {})
    return found


def added_up(total: Any, found: Any, sign: int, reading: Reading) -> Any:
    """A total with one more summand, values and logarithms of densities alike."""
    if total is None and sign > 0:
        return found
    if isinstance(found, Logs) or isinstance(total, Logs):
        zero = Logs(reading.number(0), {})
        one = total if isinstance(total, Logs) else replace(zero, scalar=reading.number(0) if total is None else total)
        other = found if isinstance(found, Logs) else replace(zero, scalar=found)
        return one.plus(other, sign)
    if total is None:
        return -found
    return total + found if sign > 0 else total - found
