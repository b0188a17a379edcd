r"""The ways to read a link, and what comes of each in numbers, which costs microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .algebra import Numbers, UndefinedError
from .process import Process
from .reading import MODES, Reading
from .rules import (
    RULES,
    Link,
    Owed,
    Rule,
    differential,
    equal,
    forward,
    fresh_noise,
    is_continuous,
    langevin,
    law,
    proportional,
    scalings,
    step,
)
from .said import NETWORKS
from .times import Times
from .tokens import NotUnderstoodError
from .tree import Call, Differential, Large, Letter, Node, Number, children, walk

SEEDS = (11, 23)

TOLERANCE, SECONDS = 1e-8, 1.0

UNWORKED = "an integral that is not worked out"

Definitions = dict[str, tuple[str | None, Node]]


@dataclass(frozen=True)
class Way:
    """One way to read a link."""

    convention: str
    rule: Rule
    mode: str = "plain"
    tie: str = "marginal"
    falling: bool = False
    flags: tuple[tuple[Any, ...], ...] = ()
    choice: int = 0


class Grade(IntEnum):
    """How a way came out, best last."""

    UNREAD = 0
    DIFFERS = 1
    DOUBTFUL = 2
    AGREES = 3


@dataclass
class Tried:
    """A way and what came of it in numbers."""

    way: Way
    grade: Grade
    broken: int = 0
    unknown: tuple[Letter, ...] = ()
    averaged: bool = False
    error: NotUnderstoodError | None = None
    touched: tuple[int, ...] = ()
    seen: frozenset[tuple[Any, ...]] = frozenset()


def letters_in(nodes: Sequence[Node]) -> list[Letter]:
    """All letters of some formulas."""
    return [one for node in nodes for one in walk(node) if isinstance(one, Letter)]


def conventions(link: Link) -> list[str]:
    """The conventions that a link may be written in, by the letters it uses."""
    held = letters_in((link.left, link.right))
    bases = {one.base for one in held if "tilde" not in one.marks or one.base in ("alpha", "beta")}
    barred = any(one.base == "alpha" and "bar" in one.marks for one in held)
    if (barred or "beta" in bases) and not _integrates_beta(link):
        return ["ddpm", "root"] if barred else ["ddpm", "ddim", "root"] if "alpha" in bases else ["ddpm", "root"]
    found = ["ddpm"]
    if _integrates_beta(link):
        return ["vp-time", "ddpm"]
    if "alpha" in bases:
        found.append("ddim")
        if bases & {"sigma", "lambda", "SNR"} or any(one.base == "alpha" and len(one.index) > 1 for one in held):
            found += ["signal-vp", "signal"]
    elif "sigma" in bases or "D" in bases or "c" in bases:
        found += ["ve", "signal-vp"]
    if is_continuous(link):
        found += ["flow"]
    if any(isinstance(one, Letter) and one.base == "t" for one in _scalars(link)):
        found += ["flow", "ve"]
    elif any(one.base == "x" and _is_one(one) for one in held) or bases & {"v", "u"}:
        found.append("flow")
    return list(dict.fromkeys(found))


def _integrates_beta(link: Link) -> bool:
    return any(
        isinstance(one, Large) and one.kind == "int" and any(inner.base == "beta" for inner in letters_in((one.body,)))
        for side in (link.left, link.right)
        for one in walk(side)
    )


def _is_one(letter: Letter) -> bool:
    return len(letter.index) == 1 and isinstance(letter.index[0], Number) and letter.index[0].value == 1


def _scalars(link: Link) -> Iterator[Node]:
    """The nodes that are no index and no argument of a network."""

    def inner(node: Node) -> Iterator[Node]:
        yield node
        if isinstance(node, (Letter, Differential)):
            return
        for name, _, child in children(node):
            told = isinstance(node, Call) and name in ("arguments", "function") and node.function.base != "cal:N"
            if not told and name not in ("index", "low", "high", "over", "along", "given"):
                yield from inner(child)

    for side in (link.left, link.right):
        yield from inner(side)


def _flags(link: Link) -> list[tuple[tuple[Any, ...], ...]]:
    held = letters_in((link.left, link.right))
    flags: list[tuple[Any, ...]] = []
    if is_continuous(link):
        flags.append(("continuous",))
    indexed = {one.base for one in held if one.index and not one.marks}
    if "z" in indexed and "x" not in indexed:
        flags += [("z is a state",), ("bare data",)]
    tilded = any(one.base == "x" and "tilde" in one.marks and not one.index for one in held)
    if tilded and any(one.base == "x" and not one.marks and not one.index for one in held):
        flags.append(("tilde is noisy",))
    if any(one.base == "lambda" for one in held):
        return [(*flags, ("lambda", "half")), (*flags, ("lambda", "whole"))]
    return [tuple(flags)]


@dataclass(frozen=True)
class Setting:
    """What all ways to read a link have in common, and all its corrections: the times of its indices and its measures."""

    places: dict[str, int]
    stride: int
    names: dict[int, str]
    apart: bool
    learned: frozenset[str]


def setting_of(link: Link) -> Setting:
    """The setting of a link."""
    times = Times((link.left, link.right))
    held = letters_in((link.left, link.right))
    densities = {one.base for one in held if one.base in ("p", "q")}
    learned = {one.base for one in held if one.base in ("p", "q") and _is_learned(one)}
    own = {one.base for one in held if one.base in ("p", "q") and not _is_learned(one)}
    apart = len(densities) > 1 and len(own) > 1
    return Setting(times.place, times.stride, names_of(times), apart, frozenset(learned & {"p"}))


def reading_of(
    way: Way, link: Link, algebra: Any, defined: Definitions, rungs: tuple[int, ...] = (), setting: Setting | None = None
) -> Reading:
    """A reading of a link in one way."""
    setting = setting or setting_of(link)
    times = Times.placed(setting.places, setting.stride, way.falling)
    times.names = setting.names
    process = Process(way.convention, algebra, rungs, setting.names)
    fixed: dict[tuple[Any, ...], Any] = {}
    for flag in way.flags:
        fixed[flag[:1]] = flag[1] if len(flag) > 1 else True
    return Reading(process, times, way.mode, way.tie, setting.apart, setting.learned, fixed=fixed, defined=defined)


NUMBERS = {seed: Numbers(seed) for seed in SEEDS}


def _is_learned(letter: Letter) -> bool:
    return any(isinstance(part, Letter) and part.base in NETWORKS for one in (*letter.index, *letter.upper) for part in walk(one))


def names_of(times: Times) -> dict[int, str]:
    """How times are written: by the letters of the formula and what is added to them."""
    names = {0: "0"}
    for letter, place in sorted(times.place.items(), key=lambda one: one[1]):
        if place in names and letter in ("T", "N"):
            continue
        written = letter if len(letter) == 1 else rf"\{letter}"
        for offset in (-2, -1, 1, 2, 0):
            if place + offset > 0:
                shift = f"{offset:+d}" if offset else ""
                names.setdefault(place + offset, written + shift) if offset else names.update({place: written})
    return names


def attempt(way: Way, link: Link, defined: Definitions, setting: Setting | None = None) -> list[Tried]:
    """What comes of a way in numbers: once for each set of things that would make the link right."""
    grades: dict[int, list[Tried]] = {}
    for seed in SEEDS:
        found = _at_point(way, link, defined, seed, setting)
        for tried in found:
            grades.setdefault(tried.way.choice, []).append(tried)
        if all(tried.grade < Grade.DOUBTFUL for tried in found):
            return found
    return [min(tries, key=lambda one: one.grade) for tries in grades.values()]


def _at_point(way: Way, link: Link, defined: Definitions, seed: int, setting: Setting | None) -> list[Tried]:
    reading = reading_of(way, link, NUMBERS[seed], defined, setting=setting)
    found: list[Tried] = []
    try:
        for choice, owed in enumerate(way.rule(link, reading)):
            if way.mode != "plain" and _is_empty(owed):
                continue
            broken = sum(not agree(one) for one in (*owed, *debts(reading)))
            found.append(_graded(way, choice, broken, reading))
    except NotUnderstoodError as error:
        found.append(Tried(way, Grade.UNREAD, error=error, unknown=tuple(reading.unknown.values()), seen=frozenset(reading.seen)))
    except (ArithmeticError, ValueError) as error:
        found.append(_undefined(way, reading, error))
    return found


def _undefined(way: Way, reading: Reading, error: Exception) -> Tried:
    """A formula of levels alone that takes the root of a negative number is wrong; with free letters it is not read."""
    chosen = reading.unknown or any(key[0] == "u" or (key[0] == "free" and key[1] != "eta") for key in reading.seen)
    judged = isinstance(error, UndefinedError) and way.rule in (equal, fresh_noise)
    grade = Grade.DIFFERS if judged and not chosen else Grade.UNREAD
    wrong = NotUnderstoodError("the formula", 0, str(error))
    touched = tuple(sorted(reading.process.touched))
    return Tried(way, grade, 1, error=wrong, touched=touched, seen=frozenset(reading.seen))


def debts(reading: Reading) -> list[Owed]:
    """What a reading owes beside its rule."""
    return [Owed(of, left, right) for of, left, right in reading.owed]


def _graded(way: Way, choice: int, broken: int, reading: Reading) -> Tried:
    grade = Grade.DIFFERS if broken else Grade.AGREES
    unknown = tuple(reading.unknown.values())
    return Tried(
        Way(way.convention, way.rule, way.mode, way.tie, way.falling, way.flags, choice),
        grade,
        broken,
        unknown,
        reading.averaged,
        touched=tuple(sorted(reading.process.touched)),
        seen=frozenset(reading.seen),
    )


def agree(owed: Owed) -> bool:
    """Whether what is owed holds in numbers."""
    left, right = complex(owed.left), complex(owed.right)
    scale = 1 + abs(left) + abs(right)
    if owed.relation == "==":
        return abs(left - right) < TOLERANCE * scale
    gap = (right - left).real
    return gap > -TOLERANCE * scale if owed.relation == "<=" else gap > 0


def _is_empty(owed: list[Owed]) -> bool:
    """Whether both sides vanish, as an error of a prediction does where it is taken for the truth: that says nothing."""
    return (
        bool(owed) and all(abs(complex(side)) < 1e-12 for side in (owed[0].left, owed[0].right)) and owed[0].of == "the two sides"
    )


def ways(link: Link, preferred: Sequence[str], defined: Definitions) -> Iterator[Tried]:
    """Every way in which the link can be read, in numbers; fuller readings only where they can make a difference."""
    usable = [one for one in conventions(link) if one in preferred]
    setting = setting_of(link)
    usable.sort(key=lambda one: preferred.index(one) if one in preferred else len(preferred))
    for convention in usable:
        for flags in _flags(link):
            yield from _one_convention(convention, flags, link, defined, setting)


def _one_convention(
    convention: str, flags: tuple[tuple[Any, ...], ...], link: Link, defined: Definitions, setting: Setting
) -> Iterator[Tried]:
    seen: set[tuple[Any, ...]] = set()
    for rule in RULES:
        for tried in attempt(Way(convention, rule, flags=flags), link, defined, setting):
            seen |= tried.seen
            yield tried
    modes = MODES[1:] if any(key[0] in ("model", "score") for key in seen) else ()
    noises = any(one.base in ("epsilon", "z", "xi") for one in letters_in((link.left, link.right)))
    if is_continuous(link) and any(key[0] == "model" for key in seen):
        yield from attempt(Way(convention, differential, "optimal", flags=flags), link, defined, setting)
    for mode in modes:
        for rule in (equal, law, proportional):
            yield from attempt(Way(convention, rule, mode, flags=flags), link, defined, setting)
    if noises:
        yield from attempt(Way(convention, equal, tie="transition", flags=flags), link, defined, setting)
        for rule in (forward, step, langevin, scalings):
            yield from attempt(Way(convention, rule, tie="free", flags=flags), link, defined, setting)
    if any(key[0] == "x" and isinstance(key[1], int) and key[1] > 5 for key in seen):
        yield from attempt(Way(convention, step, falling=True, flags=flags), link, defined, setting)
        yield from attempt(Way(convention, law, falling=True, flags=flags), link, defined, setting)


def agrees(link: Link, convention: str) -> bool:
    """Whether a link agrees in numbers under a convention."""
    return any(tried.grade is Grade.AGREES for tried in ways(link, (convention,), {}))
