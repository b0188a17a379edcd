r"""One link of a statement, judged: read in every way that the field reads it, and decided by the proof engine.

The ways are tried in numbers first, which costs microseconds each; the one that can be right is then read in letters and proved. A
link fails if it was understood and is refuted in every way. It is never called wrong because a letter has no meaning here, because
an expectation was not worked out, or because an approximation is one: then it fails only if a single slip makes it exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from time import monotonic
from typing import Any

from .algebra import Letters, Numbers, UndefinedError
from .process import Process
from .reading import MODES, Logs, Reading, read
from .rules import RULES, Link, Owed, Rule, bare, differential, fresh_noise, is_continuous, law, scalings, step, told
from .times import Times
from .tokens import NotUnderstoodError
from .tree import Call, Differential, Dots, Gradient, Large, Letter, Mean, Node, Number, Power, Product, Span, children, walk
from .vocabulary import NETWORKS, name_of

SEEDS = (11, 23)
TOLERANCE, SECONDS = 1e-8, 1.0
UNWORKED = "an integral that is not worked out"
Definitions = dict[str, Any]


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


@dataclass
class Opinion:
    """What is thought of a link.

    Attributes:
        holds, fails, defines: at most one of them is true; if none is, the link was not understood.
        convention: of the way in which it holds.
        reason: one sentence.
        counterexample: of a failing link.
        doubtful: it would fail if it were certain that it was read rightly.
        error: where understanding ended.
    """

    holds: bool = False
    fails: bool = False
    defines: bool = False
    doubtful: bool = False
    convention: str = ""
    reason: str = ""
    counterexample: dict[str, object] | None = None
    error: NotUnderstoodError | None = None
    ways: list[Tried] = field(default_factory=list)


# -- the ways ------------------------------------------------------------


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
            if not (isinstance(node, Call) and name in ("arguments", "function") and node.function.base != "cal:N"):
                if name not in ("index", "low", "high", "over", "along", "given"):
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


# -- in numbers ------------------------------------------------------------


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
            broken = sum(not _agree(one) for one in (*owed, *_debts(reading)))
            found.append(_graded(way, choice, broken, reading))
    except NotUnderstoodError as error:
        found.append(Tried(way, Grade.UNREAD, error=error, unknown=tuple(reading.unknown.values()), seen=frozenset(reading.seen)))
    except (UndefinedError, ZeroDivisionError, OverflowError, ValueError) as error:
        found.append(_undefined(way, reading, error))
    return found


def _undefined(way: Way, reading: Reading, error: Exception) -> Tried:
    """A formula of levels alone that takes the root of a negative number is wrong; with letters that may be chosen it is not read."""
    chosen = reading.unknown or any(key[0] == "u" or (key[0] == "free" and key[1] != "eta") for key in reading.seen)
    judged = isinstance(error, UndefinedError) and way.rule in (RULES[0], fresh_noise)
    grade = Grade.DIFFERS if judged and not chosen else Grade.UNREAD
    wrong = NotUnderstoodError("the formula", 0, str(error))
    touched = tuple(sorted(reading.process.touched))
    return Tried(way, grade, 1, error=wrong, touched=touched, seen=frozenset(reading.seen))


def _debts(reading: Reading) -> list[Owed]:
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


def _agree(owed: Owed) -> bool:
    left, right = complex(owed.left), complex(owed.right)
    scale = 1 + abs(left) + abs(right)
    if owed.relation == "==":
        return abs(left - right) < TOLERANCE * scale
    gap = (right - left).real
    return gap > -TOLERANCE * scale if owed.relation == "<=" else gap > 0


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
    equal, _, forward, _, proportional, langevin = (*RULES[:5], RULES[-1])
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


# -- in letters ------------------------------------------------------------


def in_letters(tried: Tried, link: Link, defined: Definitions) -> tuple[list[Owed], Letters]:
    """What a way owes, as expressions."""
    algebra = Letters()
    reading = reading_of(tried.way, link, algebra, defined, tried.touched)
    for choice, owed in enumerate(tried.way.rule(link, reading)):
        if choice == tried.way.choice:
            algebra.positive = reading.process.assumed()
            return [*owed, *_debts(reading)], algebra
    raise NotUnderstoodError("the formula", 0, "what it owes changes with the letters")


def proved(tried: Tried, link: Link, defined: Definitions) -> bool | None:
    """Whether the engine proves what a way owes; None if it cannot say."""
    from ..proof import decide
    from ..verdict import Proof

    try:
        owed, algebra = in_letters(tried, link, defined)
        outcomes = [decide(_claim(one, algebra), seconds=1.0).outcome for one in owed]
    except (NotUnderstoodError, UndefinedError, ValueError, TypeError):
        return None
    if all(outcome is Proof.PROVED for outcome in outcomes):
        return True
    return False if Proof.REFUTED in outcomes else None


def _claim(owed: Owed, algebra: Letters) -> Any:
    from sympy import Ge, Gt, S, sympify

    from ..proof import Claim

    left, right = sympify(owed.left), sympify(owed.right)
    letters = left.free_symbols | right.free_symbols
    assumed = [Ge(one, 0) for one in algebra.radicands if one.free_symbols & letters]
    assumed += [Gt(one, 0) for one in algebra.positive if one.free_symbols & letters]
    return Claim(left, owed.relation, right, tuple(one for one in assumed if one not in (S.true, S.false)))


def counterexample(tried: Tried, link: Link, defined: Definitions) -> tuple[dict[str, object] | None, str]:
    """A point at which a way fails, found by the engine, and what is compared there."""
    from ..proof import decide

    try:
        owed, algebra = in_letters(tried, link, defined)
    except (NotUnderstoodError, UndefinedError, ValueError, TypeError):
        return _numeric(tried, link, defined)
    for one in owed:
        try:
            decision = decide(_claim(one, algebra), seconds=1.0)
        except (ValueError, TypeError):
            continue
        if (found := decision.counterexample) is not None:
            at = {str(getattr(letter, "tex", letter)): str(number) for letter, number in found.point.items()}
            at.update(_levels(found.point))
            return {"at": at, "left": found.lhs, "right": found.rhs, "of": one.of}, one.of
    return _numeric(tried, link, defined)


def _levels(point: dict[Any, Any]) -> dict[str, str]:
    """abar_t, which the engine builds from its ratio."""
    by_name = {letter.name: (letter, number) for letter, number in point.items()}
    if "abar_s" in by_name and "alpha_t" in by_name:
        ratio = by_name["alpha_t"]
        index = ratio[0].tex.removeprefix(r"\alpha")
        return {rf"\bar\alpha{index}": str(ratio[1] * by_name["abar_s"][1])}
    return {}


def _numeric(tried: Tried, link: Link, defined: Definitions) -> tuple[dict[str, object] | None, str]:
    reading = reading_of(tried.way, link, Numbers(SEEDS[0]), defined)
    try:
        for choice, owed in enumerate(tried.way.rule(link, reading)):
            if choice == tried.way.choice:
                for one in (*owed, *_debts(reading)):
                    if not _agree(one):
                        sides = [f"{complex(side).real:.6g}" for side in (one.left, one.right)]
                        return {"at": {}, "left": sides[0], "right": sides[1], "of": one.of}, one.of
    except (NotUnderstoodError, ArithmeticError, ValueError):
        return None, ""
    return None, ""


# -- the opinion ------------------------------------------------------------


def agrees(link: Link, convention: str) -> bool:
    """Whether a link agrees in numbers under a convention."""
    return any(tried.grade is Grade.AGREES for tried in ways(link, (convention,), {}))


def judge_link(link: Link, preferred: Sequence[str], defined: Definitions) -> Opinion:
    """What is thought of a link on a page that may be written in some conventions, its own first."""
    if (said := _nothing_to_judge(link)) is not None:
        return said
    tried = []
    deadline = monotonic() + SECONDS
    for one in ways(link, preferred, defined):
        tried.append(one)
        if monotonic() > deadline:
            break
        if one.grade is Grade.AGREES:
            certain = proved(one, link, defined)
            if certain:
                return Opinion(holds=True, convention=one.way.convention, reason=_why(one), ways=tried)
            if certain is None and _is_settled(one):
                return Opinion(reason="the two sides agree in numbers, but that they always do was not proved", ways=tried)
    return _against(tried, link, defined, preferred[0])


def _is_settled(tried: Tried) -> bool:
    return not tried.unknown


def _is_empty(owed: list[Owed]) -> bool:
    """Whether both sides vanish, as an error of a prediction does where it is taken for the truth: that says nothing."""
    return (
        bool(owed) and all(abs(complex(side)) < 1e-12 for side in (owed[0].left, owed[0].right)) and owed[0].of == "the two sides"
    )


_WHY = {
    "law": "the law has this mean and this variance",
    "forward": "the two sides have the same law given the data",
    "step": "the step keeps the marginals, or has the mean of the posterior",
    "proportional": "the logarithms of the two sides have the same slope",
    "fresh_noise": "one of the noises that are in use",
    "guided": "the weights of the predictions sum to one",
    "differential": "the equation has the marginals of the process",
    "langevin": "Langevin dynamics leaves the density as it is",
    "ordered": "the bound holds for every schedule",
}


def _why(tried: Tried) -> str:
    return _WHY.get(tried.way.rule.__name__, "the two sides are equal")


def _against(tried: list[Tried], link: Link, defined: Definitions, own: str) -> Opinion:
    certain = [one for one in tried if one.grade is Grade.DIFFERS and not one.unknown and not one.averaged]
    if (introducing := _introduces(link, tried)) is not None:
        return introducing
    if link.relation in ("<", "<=", ">", ">="):
        return _against_order(link, tried, defined)
    if certain:
        best = _most_telling([one for one in certain if one.way.convention == own] or certain)
        example, of = counterexample(best, link, defined)
        approximate = link.relation == "~~" or (_has_densities_left(certain) and not _is_of_densities(link))
        if not approximate and any(_is_rigid(one, own) for one in certain):
            return Opinion(fails=True, reason=_sentence(of), counterexample=example, ways=tried)
        reason = "an approximation, which is not judged" if approximate else "it may hold for letters that may be chosen"
        return Opinion(
            doubtful=True, defines=_gives_a_letter(link) and not approximate, reason=reason, counterexample=example, ways=tried
        )
    differing = [one for one in tried if one.grade is Grade.DIFFERS]
    if differing:
        held = sorted({name for one in differing for name in map(_shown, one.unknown)})
        if not held:
            example, _ = counterexample(differing[0], link, defined)
            return Opinion(doubtful=True, reason="an expectation is not worked out", counterexample=example, ways=tried)
        reason = f"nothing is known of {', '.join(held)}"
        return Opinion(doubtful=True, defines=_gives_a_letter(link), reason=reason, ways=tried)
    error = next((one.error for one in tried if one.error is not None), None)
    if error is not None and error.why == UNWORKED:
        return Opinion(doubtful=True, reason=str(error), error=error, ways=tried, counterexample={})
    return Opinion(reason=str(error) if error else "a statement that is not judged", error=error, ways=tried)


def _is_rigid(tried: Tried, own: str) -> bool:
    """Whether nothing in it may be chosen: schedule, states, noises and predictions of the page's convention."""
    chosen = {str(key[1]) for key in tried.seen if key[0] == "free"}
    if chosen and not (tried.way.rule in (step, law) and chosen <= {"sigma", "Sigma_theta"}):
        return False
    return (
        tried.way.convention == own
        and own in ("ddpm", "ddim", "root", "signal-vp")
        and not any(key[0] in ("d", "drift", "rate", "u") for key in tried.seen)
    )


def _gives_a_letter(link: Link) -> bool:
    """Whether a letter stands alone on the left, so that the link may say how it is chosen."""
    left = bare(link.left)
    if isinstance(left, Power):
        left = bare(left.base)
    letter = left.function if isinstance(left, Call) else left
    return link.is_equation and isinstance(letter, Letter) and letter.base not in ("x", "X", "z", "p", "q")


def _against_order(link: Link, tried: list[Tried], defined: Definitions) -> Opinion:
    """An order fails if the opposite one always holds; else it depends on the schedule."""
    if any(one.averaged or any(key[0] == "L" for key in one.seen) for one in tried):
        return Opinion(reason="an order of expectations or of densities is not worked out", ways=tried)
    turned = Link(link.right, "<=" if link.relation.startswith("<") else ">=", link.left)
    for way in (one.way for one in tried if one.grade is Grade.DIFFERS and not one.unknown):
        for one in attempt(way, turned, defined):
            if one.grade is Grade.AGREES and proved(one, turned, defined):
                example, _ = counterexample(one, link, defined)
                return Opinion(fails=True, reason="the opposite order holds", counterexample=example, ways=tried)
    return Opinion(reason="it holds for some schedules and not for others, or is not worked out", ways=tried)


def _most_telling(certain: list[Tried]) -> Tried:
    """The way that says best what is wrong: about this kind of statement, as it is written, with the least that is broken."""
    return min(certain, key=lambda one: (one.way.mode != "plain", one.way.rule is RULES[0], one.way.tie != "marginal", one.broken))


def _has_densities_left(certain: list[Tried]) -> bool:
    """Whether densities without a closed form are compared with closed forms."""
    return all(any(key[0] == "L" for key in one.seen) for one in certain)


def _is_of_densities(link: Link) -> bool:
    """Whether the link is between densities alone, and fails even where all variables are independent."""
    if link.relation != "=" or any(
        isinstance(one, (Mean, Gradient, Large)) for side in (link.left, link.right) for one in walk(side)
    ):
        return False
    reading = reading_of(Way("ddpm", RULES[0]), link, Numbers(SEEDS[0]), {})
    try:
        one, other = read(link.left, reading), read(link.right, reading)
    except (NotUnderstoodError, ArithmeticError):
        return False
    if not (isinstance(one, Logs) and isinstance(other, Logs)) or one.scalar != 0 or other.scalar != 0:
        return False
    powers: dict[Any, Any] = {}
    for (measure, variables), power in one.plus(other, -1).parts.items():
        for variable in variables:
            powers[measure, variable] = powers.get((measure, variable), 0) + power
    return any(powers.values())


def _sentence(of: str) -> str:
    if of == "the two sides":
        return "the two sides differ"
    return f"{of} is not what it must be" if not of.endswith("sides") else f"{of} differ"


def _shown(letter: Letter) -> str:
    return name_of(letter)


# -- introductions ------------------------------------------------------------


def _nothing_to_judge(link: Link) -> Opinion | None:
    """Relations that introduce, and values that are named."""
    if isinstance(bare(link.left), Dots) or isinstance(bare(link.right), Dots):
        return Opinion(reason="an ellipsis")
    if link.relation in ("in", "notin"):
        return Opinion(defines=True, reason="says where a letter lives")
    if link.relation in ("->", "<<", ">>", "!="):
        return Opinion(reason=f"a relation `{link.relation}` is not judged", error=None)
    if link.relation == "~" and not _is_normal(link.right):
        return Opinion(defines=True, reason="says how a letter is drawn")
    if _is_index(link.left) and _has_only_indices(link.right):
        return Opinion(defines=True, reason="names the value of a letter")
    if (
        link.is_equation
        and _is_plain_number(link.right)
        and isinstance(bare(link.left), (Letter, Call))
        and _is_nameable(bare(link.left))
    ):
        return Opinion(defines=True, reason="names the value of a letter")
    return None


def _is_normal(node: Node) -> bool:
    node = bare(node)
    return isinstance(node, Call) and node.function.base in ("cal:N", "N")


def _is_index(node: Node) -> bool:
    node = bare(node)
    return (
        isinstance(node, Letter)
        and node.base in ("t", "s", "i", "n", "k", "j", "T", "N", "tau", "S", "d", "h", "r")
        and not node.marks
    )


def _has_only_indices(node: Node) -> bool:
    return all(isinstance(one, (Dots, Span)) or not isinstance(one, Letter) or _is_index(one) for one in walk(node))


def _is_plain_number(node: Node) -> bool:
    return not any(isinstance(one, Letter) for one in walk(node))


def _is_nameable(node: Node) -> bool:
    """Whether a number may be given to it: a letter of a schedule or a weight, but no state and nothing with a known value there."""
    letter = node.function if isinstance(node, Call) else node
    if not isinstance(letter, Letter) or letter.base in ("x", "z", "epsilon", "mu"):
        return False
    if letter.base == "alpha" and "bar" in letter.marks:
        return not any(isinstance(one, Number) and one.value == 0 for one in letter.index)
    return True


def _introduces(link: Link, tried: list[Tried]) -> Opinion | None:
    """Whether the link introduces what stands on its left."""
    if not link.is_equation:
        return None
    left = bare(link.left)
    letter = left.function if isinstance(left, Call) else left
    if not isinstance(letter, Letter):
        return None
    reads = [one for one in tried if one.way.rule is RULES[0] and one.way.mode == "plain" and one.way.tie == "marginal"]
    name = name_of(letter)
    unknown = [one for one in reads if any(name_of(held) == name for held in one.unknown)]
    free = [one for one in reads if any(key[0] == "free" and key[1] == name.replace("/", "_") for key in one.seen)]
    if not unknown and not free:
        return None
    if name in {name_of(one) for one in letters_in((link.right,))}:
        return None
    if (wrong := _mistold(link, reads)) is not None:
        return wrong
    specific = [one for one in tried if one.grade is Grade.DIFFERS and one.way.rule is not RULES[0] and not one.unknown]
    if specific:  # a name may be given to anything, but what it is usually given to is near
        example, _ = counterexample(_most_telling(specific), link, {})
        return Opinion(defines=True, doubtful=True, reason=f"introduces {name}", counterexample=example, ways=specific)
    return Opinion(defines=True, reason=f"introduces {name}", ways=tried)


def _mistold(link: Link, reads: list[Tried]) -> Opinion | None:
    """That a network on the right is given what is no state of the process."""
    found = [one for read in reads for one in attempt(replace(read.way, rule=told), link, {})]
    if not found or any(one.grade is not Grade.DIFFERS for one in found):
        return None
    example, of = counterexample(found[0], link, {})
    return Opinion(fails=True, reason=_sentence(of or "what the network is given"), counterexample=example, ways=found)


def introduced(link: Link) -> tuple[str, Any] | None:
    """The name that a definition introduces, and what it stands for."""
    left = bare(link.left)
    if isinstance(left, Product) or not isinstance(left, Letter) or link.relation not in ("=", ":="):
        return None
    index = next((_index_base(one) for one in left.index if _index_base(one)), None)
    return name_of(left), (index, link.right)


def _index_base(node: Node) -> str | None:
    return node.base if isinstance(node, Letter) and node.base in ("t", "s", "i", "n", "k", "j") and not node.index else None
