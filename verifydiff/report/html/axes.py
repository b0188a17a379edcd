"""Axes: where a number lies between two ends, and which numbers are written beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PLAIN = (-3, 4)
"""Powers of ten between which ticks are written out; beyond, the power is the axis's own, and stands once."""


@dataclass(frozen=True)
class Tick:
    """A number that is marked on an axis, and how it is written; an empty label is a mark alone."""

    value: float
    label: str


class Axis(Protocol):
    """Numbers along a line, from ``low`` at 0 to ``high`` at 1."""

    @property
    def low(self) -> float:
        """The number at the start."""
        ...

    @property
    def high(self) -> float:
        """The number at the end."""
        ...

    @property
    def power(self) -> str:
        """The power of ten that all labels are to be multiplied by, as it is written; empty where it is one."""
        ...

    def at(self, value: float) -> float:
        """Where a number lies, from 0 to 1."""
        ...

    def ticks(self) -> list[Tick]:
        """The marked numbers."""
        ...


@dataclass(frozen=True)
class Linear:
    """Equal distances for equal differences."""

    low: float
    high: float
    most: int = 6

    @classmethod
    def around(cls, values: Sequence[float], most: int = 6, margin: float = 0.06, least: float = 1e-3) -> Linear:
        """An axis that holds all the values, and no finer than a share ``least`` of the largest: rounding is no landscape."""
        low, high = min(values), max(values)
        room = max(margin * (high - low), least * max(abs(low), abs(high))) or 1.0
        return cls(low - room, high + room, most)

    @classmethod
    def symmetric(cls, values: Sequence[float], most: int = 4) -> Linear:
        """An axis with 0 in its middle."""
        end = 1.15 * max(map(abs, values)) or 1.0
        return cls(-end, end, most)

    def at(self, value: float) -> float:
        """Where a number lies, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[Tick]:
        """Multiples of 1, 2 or 5 times a power of ten."""
        step = _round_step((self.high - self.low) / self.most)
        unit = 10.0**self._exponent
        digits = max(0, -math.floor(math.log10(step / unit) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [Tick(k * step, _minus(f"{k * step / unit:.{digits}f}" if k else "0")) for k in range(first, last + 1)]

    @property
    def power(self) -> str:
        """As ``×10⁻³``, where the numbers are small or large."""
        return f"×10{_superscript(self._exponent)}" if self._exponent else ""

    @property
    def _exponent(self) -> int:
        exponent = math.floor(math.log10(max(abs(self.low), abs(self.high))))
        return 0 if PLAIN[0] < exponent <= PLAIN[1] else exponent


@dataclass(frozen=True)
class Log:
    """Equal distances for equal ratios; all numbers are positive."""

    low: float
    high: float
    marks: tuple[float, ...] = ()
    most: int = 6
    power: str = ""

    @classmethod
    def around(cls, values: Sequence[float], marks: Sequence[float] = (), most: int = 6) -> Log:
        """An axis that holds all the values with some room; ``marks`` are labelled in place of the powers of ten."""
        room = max((max(values) / min(values)) ** 0.08, 1.25)
        return cls(min(values) / room, max(values) * room, tuple(marks), most)

    def at(self, value: float) -> float:
        """Where a number lies, from 0 to 1."""
        return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))

    def ticks(self) -> list[Tick]:
        """The marks that were asked for, or powers of ten, every so many where they are many."""
        if self.marks:
            return [Tick(value, f"{value:g}") for value in sorted(set(self.marks))]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        if last - first < 1:
            return self._within_a_decade(math.floor(math.log10(self.low)))
        every = -(-(last - first + 1) // self.most)
        return [Tick(10.0**k, f"10{_superscript(k)}") for k in range(first, last + 1) if k % every == 0]

    def _within_a_decade(self, exponent: int) -> list[Tick]:
        values = [(m, k) for k in (exponent, exponent + 1) for m in (1, 2, 5) if self.low <= m * 10.0**k <= self.high]
        return [Tick(m * 10.0**k, f"{m}·10{_superscript(k)}" if m > 1 else f"10{_superscript(k)}") for m, k in values]


@dataclass(frozen=True)
class Rows:
    """Names in rows, from the top down; row k is the number k."""

    names: tuple[str, ...]
    power: str = ""

    @property
    def low(self) -> float:
        """The lower edge of the last row."""
        return len(self.names) - 0.5

    @property
    def high(self) -> float:
        """The upper edge of the first row."""
        return -0.5

    def at(self, value: float) -> float:
        """Where a row lies, from 0 to 1."""
        return 1 - (value + 0.5) / len(self.names)

    def ticks(self) -> list[Tick]:
        """All the names."""
        return [Tick(float(k), name) for k, name in enumerate(self.names)]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(m for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")
