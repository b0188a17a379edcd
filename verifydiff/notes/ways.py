r"""The ways to read a link, and what comes of each in numbers, which costs microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Any

from .algebra import Numbers, UndefinedError
from .densities import is_divergence
from .known import Known
from .meanings import value
from .process import RATES, Process
from .reading import MODES, Reading
from .rules import (
    RULES,
    Link,
    Owed,
    Rule,
    bare,
    differential,
    equal,
    forward,
    fresh_noise,
    increments,
    is_continuous,
    langevin,
    law,
    proportional,
    regression,
    scalings,
    step,
    steps_in_time,
)
from .said import is_learned, name_of
from .times import LETTERS, Times, is_nested
from .tokens import NotUnderstoodError
from .tree import (
    Applied,
    Call,
    Differential,
    Gradient,
    Large,
    Letter,
    Mean,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Root,
    children,
    walk,
)
from .words import STEPS

SEEDS = (11, 23)

TOLERANCE, SECONDS = 1e-8, 1.0

UNWORKED = "an integral that is not worked out"


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


def conventions(link: Link, known: Known) -> list[str]:
    """The conventions that a link may be written in, by the letters it uses and by what the page has introduced them with."""
    held = _with_introduced(_with_introduced(letters_in((link.left, link.right)), known), known)
    bases = {one.base for one in held if "tilde" not in one.marks or one.base in ("alpha", "beta")}
    barred = any(one.base == "alpha" and "bar" in one.marks for one in held)
    if (barred or "beta" in bases) and not _integrates_beta(link):
        usual = ["ddpm", "root"] if barred else ["ddpm", "ddim", "root"] if "alpha" in bases else ["ddpm", "root"]
        own = {one.base for one in letters_in((link.left, link.right))}
        return [*usual, "ve"] if "D" in own and not own & {"alpha", "beta"} else usual  # a denoiser is of one level
    found = ["ddpm"]
    if _integrates_beta(link):
        return ["vp-time", "sub-vp", "ddpm"]
    if "alpha" in bases:
        found.append("ddim")
        if bases & {"sigma", "lambda", "SNR"} or any(one.base == "alpha" and len(one.index) > 1 for one in held):
            found += ["signal-vp", "signal"]
    elif "sigma" in bases or "D" in bases or "c" in bases:
        found += ["ve", "signal-vp"]
    dotted = any(one.base in ("alpha", "sigma") and "dot" in one.marks for one in held)
    if "sigma" in bases and "alpha" in bases and (dotted or any(one.base == "x" and _is_one(one) for one in held)):
        found += ["signal-up"]
    if is_continuous(link):
        found += ["flow", "flow-up", *RATES]
        if any(one.base in ("f", "g") for one in letters_in((link.left,))):  # a drift or a diffusion by its levels
            found += ["signal-vp", "signal"]
    if any(_has_time_in_exponent(side) for side in (link.left, link.right)):
        found += [*RATES]
    if any(one.base in ("W", "w", "B") and one.index for one in held) or any(one.base == "dt" for one in held):
        found += ["flow", "flow-up"]
    if any(isinstance(one, Letter) and one.base == "t" for one in _scalars(link)):
        found += ["flow", "flow-up", "ve"]
    elif any(one.base == "x" and _is_one(one) for one in held) or bases & {"v", "u"}:
        found += ["flow", "flow-up"]
    return list(dict.fromkeys(found))


def _with_introduced(held: list[Letter], known: Known) -> list[Letter]:
    """Letters, and those of what the page has introduced them with."""
    names = {name_of(one) for one in held}
    return held + [one for name in names for said in known.letters.get(name, ()) for one in letters_in((said.body,))]


def _has_time_in_exponent(side: Node) -> bool:
    exponents = [
        one.exponent for one in walk(side) if isinstance(one, Power) and isinstance(one.base, Letter) and one.base.base == "e"
    ]
    exponents += [one.arguments[0] for one in walk(side) if isinstance(one, Applied) and one.name == "exp"]
    return any(isinstance(one, Letter) and one.base == "t" and not one.index for inner in exponents for one in walk(inner))


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


def _flags(link: Link, known: Known) -> list[tuple[tuple[Any, ...], ...]]:
    """The ways in which letters are used here, each with those that exclude one another."""
    held = letters_in((link.left, link.right))
    flags: list[tuple[Any, ...]] = []
    if is_continuous(link) or any(one.base == "dt" for one in held) or steps_in_time(link):
        flags.append(("continuous",))
    indexed = {one.base for one in held if one.index and not one.marks}
    bare = any(one.base == "x" and not one.marks and not one.index for one in held)
    merged = any(one.base == "z" and "bar" in one.marks for one in held) and not known.is_latent  # a noise made of several
    moved = bare and any(one.base == "dt" for one in held)  # x by a small step, whose noise is z_t
    if _is_latent_by_data(link, held):
        flags.append(("z is a state",))
    elif "x" not in indexed and not merged and not moved and ("z" in indexed or (known.is_latent and bare)):
        flags += [("z is a state",), ("bare data",)]
    if bare and any(one.base == "x" and "tilde" in one.marks and not one.index for one in held):
        flags.append(("tilde is noisy",))
    networks = [one for one in held if one.base == "epsilon" and is_learned(one)]
    if networks and all(set(one.marks) & {"bar", "tilde"} for one in networks):
        flags.append(("guided alone",))
    if _steps_by_epsilon(link):
        flags.append(("epsilon is a step",))
    if (pair := _named_laws(link, held)) is not None:
        flags.append(("laws", pair))
    variants: list[tuple[tuple[Any, ...], ...]] = [tuple(flags)]
    if any(one.base == "lambda" for one in _with_introduced(held, known)) and _takes_logarithms(link):
        is_own = isinstance(link.left, Letter) and link.left.base == "lambda"
        kinds = [known.halves] if known.halves and not is_own else ["half", "whole"]
        variants = [(*flags, ("lambda", kind)) for kind in kinds]
    if bare and not is_continuous(link) and not flags and not indexed & {"x", "z"}:
        variants += [(*one, ("bare data",)) for one in variants]
    if "x" in indexed and any(one.base == "z" for one in held) and not any(one.base == "epsilon" for one in held):
        variants += [(*one, ("z is the noise",)) for one in variants]
    if any(isinstance(one, Mean) and one.kind == "Var" and not one.given for side in (link.left, link.right) for one in walk(side)):
        variants += [(*one, ("unit data",)) for one in variants]
    if _has_two_noises(link, held):
        variants += [(*one, ("noise is predicted",)) for one in variants]
    if any(one.base in ("alpha", "beta") and "bar" not in one.marks and any(map(is_nested, one.index)) for one in held):
        variants += [(*one, ("strided",)) for one in variants]
    return variants


def _is_latent_by_data(link: Link, held: list[Letter]) -> bool:
    """Whether z_t is a state whose data are x_0: no x stands at another time than an end."""
    ends = all(isinstance(index, Number) for one in held if one.base == "x" for index in one.index)
    timed = any(one.base == "z" and not one.marks and one.index and not isinstance(one.index[0], Number) for one in held)
    indexed = any(one.base == "x" and one.index for one in held)
    drawn = any(one.base == "epsilon" for one in held) or any(
        isinstance(one, Call) and one.function.base in "vu" for one in walk(link.right)
    )
    return ends and timed and indexed and drawn


def _named_laws(link: Link, held: list[Letter]) -> tuple[Node, Node] | None:
    """The labels of the means and deviations of two laws whose divergence is taken and that are no more than letters."""
    call = next((one for one in walk(link.left) if isinstance(one, Call) and is_divergence(one.function)), None)
    laws = call.arguments if call is not None else ()
    if len(laws) != 2 or not all(isinstance(one, Letter) and not one.index and one.base in "pqPQ" for one in laws):
        return None
    labels = [
        {index for one in held if one.base == base and not one.marks and len(one.index) == 1 for index in one.index}
        for base in ("mu", "sigma")
    ]
    ordered = [tuple(laws), (Number(0, 0, Fraction(1)), Number(0, 0, Fraction(2)))]
    return next(((one, other) for one, other in ordered if all({one, other} <= found for found in labels)), None)


def _has_two_noises(link: Link, held: list[Letter]) -> bool:
    """Whether a state is written by another, the noise that is in it, and a fresh one."""
    noises = {(one.base, one.marks, one.index) for one in held if one.base in ("epsilon", "z") and not one.upper}
    return len(noises) > 1 and isinstance(bare(link.left), Letter) and any(one.base == "epsilon" and one.index for one in held)


def _takes_logarithms(link: Link) -> bool:
    """Whether a logarithm or an exponential is there, so that lambda may be one of signal over noise."""
    return any(
        (isinstance(one, Applied) and one.name in ("log", "ln", "exp", "expm"))
        or (isinstance(one, Power) and isinstance(one.base, Letter) and one.base.base == "e")
        or (isinstance(one, Letter) and one.base in ("SNR", "snr", "logSNR", "sigmoid"))
        or (isinstance(one, Differential) and isinstance(one.of, Letter) and one.of.base == "lambda")
        for side in (link.left, link.right)
        for one in walk(side)
    )


def _steps_by_epsilon(link: Link) -> bool:
    """Whether epsilon is a number here: under a root, or before a score."""
    for side in (link.left, link.right):
        for one in walk(side):
            if isinstance(one, Root) and any(_is_plain_epsilon(inner) for inner in walk(one.body)):
                return not any(isinstance(inner, Call) and inner.function.base == "epsilon" for inner in walk(one.body))
            if isinstance(one, Product) and any(map(_is_plain_epsilon, one.factors)) and any(map(_is_score, one.factors)):
                return True
    return False


def _is_plain_epsilon(node: Node) -> bool:
    return isinstance(node, Letter) and node.base == "epsilon" and not node.marks and not node.index


def _is_score(node: Node) -> bool:
    return isinstance(node, Gradient) or (isinstance(node, Call) and node.function.base == "s")


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
    if (pair := _told_later(link)) is not None and set(pair) <= set(times.place):
        one, other = pair
        if times.place[one] > times.place[other]:  # what a network is told is the noisier time
            times.place[one], times.place[other] = times.place[other], times.place[one]
    held = letters_in((link.left, link.right))
    densities = {one.base for one in held if one.base in ("p", "q")}
    learned = {one.base for one in held if one.base in ("p", "q") and is_learned(one)}
    own = {one.base for one in held if one.base in ("p", "q") and not is_learned(one)}
    apart = len(densities) > 1 and (len(own) > 1 or "q" in learned)  # an encoder is not the law that it approximates
    return Setting(times.place, times.stride, names_of(times), apart, frozenset(learned & {"p"}))


def _told_later(link: Link) -> tuple[str, str] | None:
    """The letters of a state's time on the left and of the one time that networks are told on the right, if they differ."""
    left = _state_within(link.left)
    if not isinstance(left, Letter) or len(left.index) != 1 or not _is_plain(left.index[0]):
        return None
    networks = [one for one in walk(link.right) if isinstance(one, Call) and is_learned(one.function)]
    told = {
        part.base
        for call in networks
        for one in call.arguments
        for part in walk(one)
        if isinstance(part, Letter) and _is_time(part)
    }
    own = left.index[0]
    if len(told) != 1 or not isinstance(own, Letter) or own.base in told:
        return None
    return own.base, told.pop()


def _state_within(node: Node) -> Node:
    """The one state of a side, such as that of x_t / alpha_t."""
    node = bare(node)
    held = [one for one in walk(node) if isinstance(one, Letter) and one.base in ("x", "z")]
    return held[0] if len(held) == 1 and isinstance(node, (Letter, Quotient, Product)) else node


def _is_plain(node: Node) -> bool:
    return isinstance(node, Letter) and not node.index and not node.marks


def _is_time(letter: Letter) -> bool:
    return letter.base in LETTERS and not letter.index and not letter.marks


def reading_of(
    way: Way, link: Link, algebra: Any, defined: Known, rungs: tuple[int, ...] = (), setting: Setting | None = None
) -> Reading:
    """A reading of a link in one way."""
    setting = setting or setting_of(link)
    times = Times.placed(setting.places, setting.stride, way.falling)
    times.names = setting.names
    process = Process(way.convention, algebra, rungs, setting.names)
    fixed: dict[tuple[Any, ...], Any] = {}
    for flag in way.flags:
        fixed[flag[:1]] = flag[1] if len(flag) > 1 else True
    reading = Reading(process, times, way.mode, way.tie, setting.apart, setting.learned, fixed=fixed, known=defined)
    if defined.data is not None:
        with suppress(NotUnderstoodError, ArithmeticError):
            reading.data = value(defined.data[0], reading), value(defined.data[1], reading)
    return reading


NUMBERS = {seed: Numbers(seed) for seed in SEEDS}


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


def attempt(way: Way, link: Link, defined: Known, setting: Setting | None = None) -> list[Tried]:
    """What comes of a way in numbers: once for each set of things that would make the link right."""
    grades: dict[int, list[Tried]] = {}
    for seed in SEEDS:
        found = _at_point(way, link, defined, seed, setting)
        for tried in found:
            grades.setdefault(tried.way.choice, []).append(tried)
        if all(tried.grade < Grade.DOUBTFUL for tried in found):
            return found
    return [min(tries, key=lambda one: one.grade) for tries in grades.values()]


def _at_point(way: Way, link: Link, defined: Known, seed: int, setting: Setting | None) -> list[Tried]:
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
    if any(key[0] not in ("x", "free") for key in reading.seen):
        judged = False
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


def ways(link: Link, preferred: Sequence[str], defined: Known) -> Iterator[Tried]:
    """Every way in which the link can be read, in numbers; fuller readings only where they can make a difference."""
    usable = [one for one in conventions(link, defined) if one in preferred and _is_open(one, defined)]
    if defined.clock and not _names_an_end(link):
        usable = [one for one in usable if one not in ("flow", "flow-up") or one == defined.clock]
    setting = setting_of(link)
    usable.sort(key=lambda one: preferred.index(one) if one in preferred else len(preferred))
    for convention in usable:
        for flags in _flags(link, defined):
            yield from _one_convention(convention, flags, link, defined, setting)


def _is_known(node: Node, known: Known) -> bool:
    """Whether the page has introduced what stands there."""
    node = bare(node)
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and name_of(letter) in known.letters


def _names_an_end(link: Link) -> bool:
    """Whether a link says itself which end of a path the data are: by x_0, x_1 or a noise."""
    return any(
        one.base == "epsilon" or (one.base in ("x", "X") and len(one.index) == 1 and isinstance(one.index[0], Number))
        for one in letters_in((link.left, link.right))
    )


def _is_open(convention: str, known: Known) -> bool:
    """Whether a page may be in a convention: of the Ornstein-Uhlenbeck processes, only in the one that it speaks of."""
    return not known.rate or convention == known.rate or convention not in RATES


def _one_convention(
    convention: str, flags: tuple[tuple[Any, ...], ...], link: Link, defined: Known, setting: Setting
) -> Iterator[Tried]:
    seen: set[tuple[Any, ...]] = set()
    for rule in RULES:
        for tried in attempt(Way(convention, rule, flags=flags), link, defined, setting):
            seen |= tried.seen
            yield tried
    modes: tuple[str, ...] = MODES[1:] if any(key[0] in ("model", "score") for key in seen) else ()
    if defined.data is None:
        modes = modes[:-1]
    drawn = {"epsilon", "z", "xi", "Z", *defined.drawn}
    noises = any(one.base in drawn for one in letters_in((link.left, link.right)))
    if is_continuous(link) and any(key[0] == "model" for key in seen):
        yield from attempt(Way(convention, differential, "optimal", flags=flags), link, defined, setting)
    rules = (equal, law, proportional) if _is_known(link.left, defined) else (equal, law, proportional, regression)
    for mode in modes:
        for rule in rules:
            yield from attempt(Way(convention, rule, mode, flags=flags), link, defined, setting)
    stepping = any(one.base in STEPS for one in letters_in((link.left, link.right))) or steps_in_time(link)
    if stepping and not noises:
        yield from attempt(Way(convention, increments, tie="free", flags=flags), link, defined, setting)
    if stepping and any(key[0] == "model" for key in seen):
        yield from attempt(Way(convention, increments, "optimal", "free", flags=flags), link, defined, setting)
    if noises:
        yield from attempt(Way(convention, equal, tie="transition", flags=flags), link, defined, setting)
        for rule in (forward, step, langevin, scalings, increments):
            yield from attempt(Way(convention, rule, tie="free", flags=flags), link, defined, setting)
    if any(key[0] in ("x", "model") and isinstance(key[1], int) and _is_told_before(key, link) for key in seen):
        yield from attempt(Way(convention, step, falling=True, flags=flags), link, defined, setting)
        yield from attempt(Way(convention, law, falling=True, flags=flags), link, defined, setting)


def _is_told_before(key: tuple[Any, ...], link: Link) -> bool:
    """Whether the next number may be the cleaner time: a state stands at the next one, or a network is told the one before."""
    left = _state_within(link.left)
    nested = isinstance(left, Letter) and len(left.index) == 1 and is_nested(left.index[0])
    return (key[0] == "x" and key[1] > 5) or (nested and key[0] == "model" and 0 < key[1] < 5)


def agrees(link: Link, convention: str) -> bool:
    """Whether a link agrees in numbers under a convention."""
    return any(tried.grade is Grade.AGREES for tried in ways(link, (convention,), Known()))
