r"""Exercises, read from files that a teacher writes without code.

A file is a set: a title, what is given, and exercises of three kinds. *Find the misprint*: a formula with one slip in it, which may
be a form of the table with a slip of the catalogue, made on the spot. *Complete the formula*: what stands between ``[[`` and ``]]``
is left out. *Derive the next line*: from a start over some steps to a goal, each line equal to the one before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..notes.tree import Chain, Node
from ..verdict import MisuseError
from .lines import read

SHIPPED = Path(__file__).parent / "sets"
MOST_BYTES, MOST_EXERCISES, MOST_TEXT, MOST_FORMULA = 1_000_000, 500, 2000, 1000
OPEN, CLOSE = "[[", "]]"

Words = dict[str, str]
"""A text by language: ``en`` always, others as the file has them."""


@dataclass(frozen=True)
class Exercise:
    """What all exercises have.

    Attributes:
        id: unique in its folder.
        title, task: what it is called, and what is asked.
        given: formulas that hold before it.
        hints: the teacher's own, shown before those that are made.
    """

    id: str
    title: Words
    task: Words
    given: tuple[str, ...]
    hints: tuple[Words, ...]

    @cached_property
    def kind(self) -> str:
        """``misprint``, ``complete`` or ``derive``."""
        return type(self).__name__.lower()

    def shown(self) -> dict[str, Any]:
        """What a learner sees; no answer is in it."""
        return {"id": self.id, "kind": self.kind, "title": self.title, "task": self.task, "given": list(self.given)}


@dataclass(frozen=True)
class Misprint(Exercise):
    """A formula with a slip in it.

    Attributes:
        right: the formula as it is right.
        wrong: as it is printed.
        slip: the id of the mistake; empty where the catalogue has no name for it.
    """

    right: str
    wrong: str
    slip: str

    @cached_property
    def head(self) -> Node:
        """What the formula is about: its left side."""
        return read(self.right).sides[0]

    def shown(self) -> dict[str, Any]:  # noqa: D102
        return Exercise.shown(self) | {"shown": self.wrong}


@dataclass(frozen=True)
class Complete(Exercise):
    """A formula with gaps.

    Attributes:
        pieces: what stands before, between and after the gaps.
        fillings: what belongs in them; others that make the formula hold are as good.
    """

    pieces: tuple[str, ...]
    fillings: tuple[str, ...]

    def filled(self, fillings: Sequence[str]) -> str:
        """The formula with its gaps filled."""
        between = [f" {one} {piece}" for one, piece in zip(fillings, self.pieces[1:], strict=True)]
        return "".join([self.pieces[0], *between])

    @cached_property
    def right(self) -> str:
        """The whole formula."""
        return self.filled(self.fillings)

    def shown(self) -> dict[str, Any]:  # noqa: D102
        return Exercise.shown(self) | {"pieces": list(self.pieces)}


@dataclass(frozen=True)
class Step:
    """One line on the way, and what one does to get there."""

    say: Words
    line: str


@dataclass(frozen=True)
class Derive(Exercise):
    """A derivation.

    Attributes:
        head: the left side of every line, as LaTeX.
        start: the right side of the first line.
        steps: the lines between; the last is the goal.
    """

    head: str
    start: str
    steps: tuple[Step, ...]

    @property
    def goal(self) -> str:
        """The line to end with."""
        return self.steps[-1].line

    @cached_property
    def way(self) -> tuple[Node, ...]:
        """The lines from the start to the goal, read."""
        return tuple(read(one).sides[0] for one in (self.start, *(step.line for step in self.steps)))

    def shown(self) -> dict[str, Any]:  # noqa: D102
        return Exercise.shown(self) | {"head": self.head, "start": self.start, "goal": self.goal}


@dataclass(frozen=True)
class ExerciseSet:
    """A file of exercises."""

    name: str
    title: Words
    about: Words
    exercises: tuple[Exercise, ...]

    def shown(self) -> dict[str, Any]:
        """What a learner sees."""
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "exercises": [one.shown() for one in self.exercises],
        }


def load(folder: Path) -> tuple[ExerciseSet, ...]:
    """All sets of a folder, by file name.

    Raises:
        MisuseError: if there is no such folder, it has no ``.toml`` file, or one of them is no set of exercises; the message says
            which and why, on one line.
    """
    if not folder.is_dir():
        raise MisuseError(
            f"there is no folder {folder}." if not folder.exists() else f"{folder} is a file, not a folder of exercises."
        )
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise MisuseError(f"there is no exercise in {folder}: exercises are files that end in .toml.")
    sets = tuple(load_file(path) for path in paths)
    seen: dict[str, str] = {}
    for one in sets:
        for exercise in one.exercises:
            if exercise.id in seen:
                raise MisuseError(f"{one.name}: the id {exercise.id!r} is taken already, in {seen[exercise.id]}.")
            seen[exercise.id] = one.name
    return sets


def load_file(path: Path) -> ExerciseSet:
    """One set.

    Raises:
        MisuseError: as :func:`load`.
    """
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            raise MisuseError(f"{path.name} is larger than a megabyte.")
        plain = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise MisuseError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise MisuseError(f"{path} is not UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MisuseError(f"{path} is not TOML: {_one_line(error)}.") from None
    return _set(path.name, plain)


def _set(name: str, plain: dict[str, Any]) -> ExerciseSet:
    table = _Table(plain, name)
    title, about = table.words("title"), table.words("about", default="")
    given, exercises = table.formulas("given"), table.tables("exercise")
    table.end()
    if not exercises:
        raise MisuseError(f"{name}: there is no [[exercise]] in it.")
    if len(exercises) > MOST_EXERCISES:
        raise MisuseError(f"{name}: a file holds at most {MOST_EXERCISES} exercises.")
    made = [_exercise(_Table(one, f"{name}, exercise {k}"), given) for k, one in enumerate(exercises, 1)]
    return ExerciseSet(name, title, about, tuple(made))


def _exercise(table: _Table, given: tuple[str, ...]) -> Exercise:
    table.where = f"{table.where} ({(id_ := table.text('id'))})"
    if not id_.replace("-", "").isalnum() or not id_.isascii():
        raise table.wrong("an id is letters, digits and hyphens")
    kind = table.text("kind")
    if kind not in _KINDS:
        raise table.wrong(f"`kind` must be one of {', '.join(_KINDS)}, got {kind!r}")
    shared = {
        "id": id_,
        "title": table.words("title"),
        "task": table.words("task", default=_TASKS[kind]),
        "given": (*given, *table.formulas("given")),
        "hints": table.all_words("hints"),
    }
    made: Exercise = _KINDS[kind](table, shared)
    table.end()
    return made


_TASKS = {
    "misprint": {"en": "One thing in this formula is misprinted. Mend it.", "zh": "这个公式有一处印错了，请改正。"},
    "complete": {"en": "Fill in what is missing.", "zh": "请填空。"},
    "derive": {"en": "Lead the first line to the goal, one line at a time.", "zh": "从第一行出发，逐行推导到目标。"},
}


def _misprint(table: _Table, shared: dict[str, Any]) -> Misprint:
    slip, form = table.text("slip", default=""), table.text("form", default="")
    if form:
        right, wrong = _made(table, form, slip, table.number("place", default=1))
    else:
        right, wrong = table.formula("right"), table.formula("misprint")
    made = Misprint(**shared, right=right, wrong=wrong, slip=slip)
    for name, latex in (("right", right), ("misprint", wrong)):
        _statement(table, name, latex)
    if right == wrong:
        raise table.wrong("the misprint is the right formula")
    return made


def _made(table: _Table, id_: str, slip: str, place: int) -> tuple[str, str]:
    """A form of the table, and what a slip makes of it; the times s and t are a step apart, as in notes."""
    from ..forms import every_form
    from ..forms.typeset import typeset
    from ..slips import mutants

    form = every_form().get(id_)
    if form is None:
        raise table.wrong(f"no form is called {id_!r}; `verifydiff prove` lists what is proved of the forms")
    if not slip:
        raise table.wrong("a misprint that is made of a `form` needs its `slip`")
    made = [one.expression for one in mutants(form) if one.slip.id == slip]
    if not 1 <= place <= len(made):
        raise table.wrong(f"the slip {slip!r} can happen at {len(made)} places of {id_}, got place {place}")
    return _in_steps(form.latex()), _in_steps(f"{form.symbol} = {typeset(made[place - 1])}")


def _in_steps(latex: str) -> str:
    return latex.replace(r"\bar\alpha_s", r"\bar\alpha_{t-1}").replace("x_s", "x_{t-1}")


def _complete(table: _Table, shared: dict[str, Any]) -> Complete:
    text = table.formula("right")
    pieces, fillings = [], []
    rest = text
    while OPEN in rest:
        before, _, rest = rest.partition(OPEN)
        inside, closed, rest = rest.partition(CLOSE)
        if not closed or not inside.strip() or not is_balanced(inside):
            raise table.wrong("a gap is `[[`, what belongs there, and `]]`")
        pieces.append(before)
        fillings.append(inside.strip())
    if not fillings:
        raise table.wrong("`right` has no gap: put what is to be filled in between [[ and ]]")
    made = Complete(**shared, pieces=(*pieces, rest), fillings=tuple(fillings))
    _statement(table, "right", made.right)
    return made


def is_balanced(latex: str) -> bool:
    """Whether every brace that opens is closed again, and none before it was opened."""
    depth, escaped = 0, False
    for character in latex:
        if not escaped:
            depth += {"{": 1, "}": -1}.get(character, 0)
        escaped = character == "\\" and not escaped
        if depth < 0:
            return False
    return depth == 0


def _derive(table: _Table, shared: dict[str, Any]) -> Derive:
    start = _statement(table, "start", latex := table.formula("start"))
    if len(start.sides) != 2 or start.relations != ("=",):
        raise table.wrong("`start` must be one equation: what is derived, and the line to begin with")
    steps = []
    for one in table.tables("steps"):
        inner = _Table(one, f"{table.where}, a step")
        steps.append(Step(inner.words("say"), inner.formula("line")))
        inner.end()
    if not steps:
        raise table.wrong("it needs `steps`, each { say = ..., line = ... }; the last line is the goal")
    head, body = (latex[one.start : one.end].strip() for one in start.sides)
    made = Derive(**shared, head=head, start=body, steps=tuple(steps))
    for step in steps:
        chain = _read(table, "line", step.line)
        if chain.relations:
            raise table.wrong(f"a line is the right side alone, got {step.line!r}")
    return made


def _statement(table: _Table, name: str, latex: str) -> Chain:
    chain = _read(table, name, latex)
    if not chain.relations:
        raise table.wrong(f"`{name}` must be an equation, got {latex!r}")
    return chain


def _read(table: _Table, name: str, latex: str) -> Chain:
    try:
        return read(latex)
    except MisuseError as error:
        raise table.wrong(f"`{name}` is not understood: {error}") from None


_KINDS: dict[str, Any] = {"misprint": _misprint, "complete": _complete, "derive": _derive}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


class _Table:
    """A table of a file, of which every key must be asked for by the time it ends."""

    def __init__(self, plain: Any, where: str) -> None:
        self.where = where
        if not isinstance(plain, dict):
            raise self.wrong("a table with keys is wanted here")
        self._plain, self._asked = plain, set[str]()

    def wrong(self, why: str) -> MisuseError:
        """What is wrong, and where."""
        return MisuseError(f"{self.where}: {why}.")

    def _value(self, name: str) -> Any:
        self._asked.add(name)
        return self._plain.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A short text."""
        value = self._value(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip() or len(value) > MOST_TEXT:
            raise self.wrong(f"`{name}` must be a text" + (", and is missing" if value is None else ""))
        return value.strip()

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self._value(name)
        if value is not None and type(value) is not int:
            raise self.wrong(f"`{name}` must be a whole number")
        return default if value is None else value

    def words(self, name: str, default: str | Words | None = None) -> Words:
        """A text, with its translations: ``title`` and ``title_zh``."""
        if isinstance(default, dict) and name not in self._plain:
            return default
        found = {"en": self.text(name, default if isinstance(default, str) else None)}
        for key in self._plain:
            if key.startswith(f"{name}_"):
                found[key.removeprefix(f"{name}_")] = self.text(key)
        return found

    def all_words(self, name: str) -> tuple[Words, ...]:
        """A list of texts, with lists of their translations."""
        lists = {"en": self.texts(name)}
        for key in self._plain:
            if key.startswith(f"{name}_"):
                lists[key.removeprefix(f"{name}_")] = self.texts(key)
        if len({len(one) for one in lists.values()}) > 1:
            raise self.wrong(f"`{name}` and its translations must be equally many")
        return tuple({language: one[k] for language, one in lists.items()} for k in range(len(lists["en"])))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty if it is left out."""
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and len(one) <= MOST_TEXT for one in value):
            raise self.wrong(f"`{name}` must be a list of texts")
        return tuple(value)

    def formula(self, name: str) -> str:
        """A formula."""
        latex = self.text(name)
        if len(latex) > MOST_FORMULA:
            raise self.wrong(f"`{name}` must be a formula of at most {MOST_FORMULA} characters")
        return latex

    def formulas(self, name: str) -> tuple[str, ...]:
        """A list of formulas; empty if it is left out."""
        found = self.texts(name)
        for latex in found:
            _statement(self, name, latex)
        return found

    def tables(self, name: str) -> list[Any]:
        """A list of tables; empty if it is left out."""
        value = self._value(name)
        if value is not None and not isinstance(value, list):
            raise self.wrong(f"`{name}` must be a list of tables")
        return value or []

    def end(self) -> None:
        """Refuse what nobody has asked for."""
        if unknown := sorted(set(self._plain) - self._asked):
            raise self.wrong(f"nothing is known of `{unknown[0]}` here")


def every(sets: Sequence[ExerciseSet]) -> Iterator[Exercise]:
    """The exercises of all sets."""
    for one in sets:
        yield from one.exercises
