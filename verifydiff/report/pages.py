"""Proofs as a page of documentation: nodes of docutils, which Sphinx turns into HTML or anything else.

What a derivation says ends in text nodes, formulas in mathematics nodes; nothing is passed on as markup of any output
format. How it looks is for a stylesheet to say: all classes start with ``verifydiff-``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes

from ..forms import Form
from ..forms.typeset import typeset
from ..proof import Condition, Counterexample, Proved, Step
from ..proof.claim import latex
from ..proof.page import Check
from ..verdict import Proof
from .code import numpy_source
from .prose import Block, Piece, blocks, first_sentence, inline, without_markup

MARK = {Proof.PROVED: "✓", Proof.REFUTED: "✗", Proof.UNDECIDED: "?"}
Link = Callable[[str, Sequence[nodes.Node]], nodes.Node]
"""Makes a reference to the page that proves the claim of that id, around the nodes that are shown for it."""


class folded(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801 - a node is named as docutils names its own
    """Content that is shown on request, all but its summary."""


class summary(nodes.Part, nodes.TextElement):  # type: ignore[misc]  # noqa: N801
    """The line that stays visible."""


@dataclass(frozen=True, slots=True)
class FileOfProofs:
    """A file of derivations with its verdicts.

    Attributes:
        path: where it lies.
        idea: the docstring of the file.
        claims: the verdicts, in the order of the file.
    """

    path: Path
    idea: str
    claims: tuple[Proved, ...]

    @property
    def title(self) -> str:
        """The first sentence of the file, or else its name, as plain text: navigation has no place for formulas."""
        return without_markup(first_sentence(self.idea)[0]) or self.path.stem.replace("_", " ")


def idea_of(path: Path) -> str:
    """The docstring of a file."""
    return ast.get_docstring(ast.parse(path.read_bytes())) or ""


# -- whole pages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page needs to know of the others.

    Attributes:
        link: makes a reference to a claim.
        known: every claim that is known, by id.
        used_by: the ids of the claims that rest on a claim.
        figures: the pictures that go with a derivation or a file, by its id or its name without ``.py``.
    """

    link: Link
    known: dict[str, Proved]
    used_by: dict[str, tuple[str, ...]]
    figures: Callable[[str], list[nodes.Node]]


def file_section(file: FileOfProofs, around: Surroundings) -> nodes.section:
    """A file as a section: its idea, its pictures, then a section each derivation, and who got it wrong."""
    section = nodes.section("", nodes.title("", file.title), ids=[nodes.make_id(f"page-{file.path.stem}")])
    section += prose(first_sentence(file.idea)[1])
    section += around.figures(file.path.stem)
    section += _contents(file.claims, around)
    for proved in file.claims:
        section += claim_section(proved, around, alone=False)
    if any(misprints(proved) for proved in file.claims):
        section += _who_got_this_wrong(file.claims, nodes.make_id(f"misprints-{file.path.stem}"), around)
    return section


def claim_section(proved: Proved, around: Surroundings, alone: bool = True) -> nodes.section:
    """A derivation as a section: what is claimed and on what it rests, the steps, the formula to copy."""
    section = _section(anchor(proved.id), proved.title)
    section["classes"].append("verifydiff-claim")
    section += statement(proved)
    section += prose(proved.idea)
    section += _rests_on(proved, around)
    if misprints(proved):
        section += nodes.paragraph("", "", _to_misprints(proved), classes=["verifydiff-rests-on"])
    section += around.figures(proved.id)
    section += _steps(proved, around)
    if proved.form is not None:
        section += to_copy(proved.form)
    if alone and misprints(proved):
        section += _who_got_this_wrong([proved], f"{_misprints_of(proved)}-all", around)
    return section


def anchor(claim_id: str) -> str:
    """Where on its page a claim stands."""
    return str(nodes.make_id(f"claim-{claim_id}"))


def misprints(proved: Proved) -> list[Step]:
    """The steps that tell of a formula that is wrong, and prove it wrong."""
    return [step for step in proved.steps if step.rule == "misprint"]


def _misprints_of(proved: Proved) -> str:
    return str(nodes.make_id(f"misprints-of-{proved.id}"))


def _to_misprints(proved: Proved) -> nodes.reference:
    count = len(misprints(proved))
    words = f"{count} mistakes that people make with it" if count > 1 else "a mistake that people make with it"
    return nodes.reference("", words, refid=_misprints_of(proved), internal=True)


def _section(id: str, title: str) -> nodes.section:  # noqa: A002
    return nodes.section("", nodes.title(title, "", *_sentence(title)), ids=[id])


def _contents(claims: Iterable[Proved], around: Surroundings) -> nodes.Node:
    """What the page proves, at a glance."""
    rows = []
    for one in claims:
        name = [around.link(one.id, words(one.title)), nodes.Text(" "), verdict(one.outcome)]
        rows.append([name, in_cell(one)])
    return table(("claim", "formula"), rows, "verifydiff-contents")


# -- the parts of a claim --------------------------------------------------------------------------------------------------


def statement(proved: Proved, title: Sequence[nodes.Node] = ()) -> nodes.container:
    """What is claimed, with verdict, source and where it holds."""
    box = _box("verifydiff-statement")
    if title:
        box += nodes.paragraph("", "", *title, classes=["verifydiff-title"])
    if (formula := formula_of(proved)) is not None:
        box += display(formula)
    facts = [verdict(proved.outcome), nodes.Text(" "), nodes.literal("", proved.id)]
    if proved.source:
        facts += [nodes.Text(" "), nodes.inline("", "", *_source(proved.source), classes=["verifydiff-source"])]
    box += nodes.paragraph("", "", *facts, classes=["verifydiff-facts"])
    for where, told in _where(proved):
        note = f" ({told})" if told else ""
        line = [nodes.Text("where "), nodes.math(where, where), nodes.Text(note)]
        box += nodes.paragraph("", "", *line, classes=["verifydiff-where"])
    return box


def _source(source: str) -> list[nodes.Node]:
    return [nodes.Text(source)]


def _where(proved: Proved) -> list[tuple[str, str]]:
    """Where the claim holds, as LaTeX with a word on why."""
    decisions = [check.decision for step in proved.steps for check in step.checks]
    found = [(one.latex(), "") for one in proved.assuming]
    found += [(one.latex(), "a case of the page") for one in proved.cases]
    found += [(one.latex(), "") for decision in decisions for one in decision.open_conditions]
    return list(dict.fromkeys(found))


def verdict(outcome: Proof) -> nodes.inline:
    """The outcome as a badge."""
    return nodes.inline("", f"{MARK[outcome]} {outcome}", classes=["verifydiff-badge", f"verifydiff-{outcome}"])


def formula_of(proved: Proved) -> str | None:
    """What is claimed as LaTeX; None where it is more than one formula, so that the title must say it."""
    stating = [step for step in proved.steps if step.rule not in ("definition", "hypothesis", "established", "misprint")]
    if proved.form is not None:
        return proved.form.latex()
    return stating[0].latex if len(stating) == 1 else None


def in_cell(proved: Proved) -> list[nodes.Node]:
    """What is claimed, for the cell of a table."""
    formula = formula_of(proved)
    tex = rf"\displaystyle {formula}"
    return [] if formula is None else [nodes.math(tex, tex)]


def _rests_on(proved: Proved, around: Surroundings) -> list[nodes.Node]:
    lines = []
    for label, ids in (("Rests on", uses(proved)), ("Used by", around.used_by.get(proved.id, ()))):
        if ids:
            line: list[nodes.Node] = [nodes.strong("", f"{label}: ")]
            for number, one in enumerate(ids):
                line += [nodes.Text(", ") if number else nodes.Text(""), around.link(one, words(_title(one, around)))]
            lines.append(nodes.paragraph("", "", *line, classes=["verifydiff-rests-on"]))
    return lines


def _title(claim: str, around: Surroundings) -> str:
    return around.known[claim].title if claim in around.known else claim


def uses(proved: Proved) -> tuple[str, ...]:
    """The ids of the claims that a proof takes as established."""
    return tuple(form.id for form in proved.uses)


def to_copy(form: Form) -> list[nodes.Node]:
    """The closed form as a NumPy function and as LaTeX."""
    parts: list[nodes.Node] = []
    source = numpy_source(form)
    if source is not None:
        parts += [_fold("As a NumPy function", _code(source, "python"))]
    return [*parts, _fold("As LaTeX", _code(form.latex(), "latex"))]


def _code(text: str, language: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language, classes=["verifydiff-code"])


# -- the steps -------------------------------------------------------------------------------------------------------------


def _steps(proved: Proved, around: Surroundings) -> nodes.enumerated_list:
    steps = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".", classes=["verifydiff-steps"])
    for step in (step for step in proved.steps if step.rule != "misprint"):  # those have a section of their own
        used = [form.id for form in proved.uses if step.rule == "established" and form.latex() == step.latex]
        steps += _step(step, around, used)
    return steps


def _step(step: Step, around: Surroundings, used: Sequence[str] = ()) -> nodes.list_item:
    item = nodes.list_item("", classes=["verifydiff-step", f"verifydiff-step-{step.outcome}"])
    label = [nodes.inline("", step.rule, classes=["verifydiff-rule"]), nodes.Text(" ")]
    links = [node for one in used for node in (nodes.Text(": "), around.link(one, words(_title(one, around))))]
    item += nodes.paragraph("", "", *label, *words(step.because), *links)
    item += display(step.latex)
    if step.rests_on and not used:
        line = [nodes.Text("rests on: "), *words(step.rests_on)]
        item += nodes.paragraph("", "", *line, classes=["verifydiff-rests"])
    item += _checks(step)
    return item


def _checks(step: Step) -> list[nodes.Node]:
    """How everything under the step was decided: in a line, or folded where there is much of it."""
    if all(check.claim is None for check in step.checks):
        return []
    (first, *more) = step.checks
    if not more and (first.claim is None or first.latex == step.latex or not first.what) and first.decision.outcome is Proof.PROVED:
        return [nodes.paragraph("", "", *_decided(first), classes=["verifydiff-decided"])]
    checks = nodes.bullet_list(classes=["verifydiff-checks"])
    for check in step.checks:
        checks += _check(check, step)
    count = f"{len(step.checks)} check{'s' * bool(more)}"
    if step.outcome is Proof.PROVED:
        return [_fold(f"{MARK[step.outcome]} {count}", checks)]
    return [checks]  # what is not proved is not folded away


def _check(check: Check, step: Step) -> nodes.list_item:
    what = [*words(check.what), nodes.Text(": ")] if check.what else []
    item = nodes.list_item("", nodes.paragraph("", "", *_mark(check), *what, *_decided(check, mark=False)))
    if check.claim is not None and check.latex != step.latex:
        item += display(check.latex)
    if check.decision.counterexample is not None:
        item += counterexample(check.decision.counterexample)
    elif check.decision.remains:
        item += nodes.paragraph("", "", nodes.Text("what remains: "), nodes.literal("", check.decision.remains))
    return item


def _decided(check: Check, mark: bool = True) -> list[nodes.Node]:
    """The method, and where the statement has a meaning."""
    decision = check.decision
    line = [*(_mark(check) if mark else []), nodes.Text(decision.method)]
    inside = [one for one in decision.conditions if one.holds]
    if inside:
        line += [nodes.Text("; by the domains "), *_list(inside)]
    if decision.open_conditions:
        line += [nodes.Text("; "), nodes.strong("", "holds where "), *_list(decision.open_conditions)]
    return line


def _mark(check: Check) -> list[nodes.Node]:
    outcome = check.decision.outcome
    return [nodes.inline("", MARK[outcome], classes=["verifydiff-mark", f"verifydiff-{outcome}"]), nodes.Text(" ")]


def _list(conditions: Iterable[Condition]) -> list[nodes.Node]:
    line: list[nodes.Node] = []
    for number, condition in enumerate(conditions):
        shown = condition.latex()
        line += [*([nodes.Text(", ")] if number else []), nodes.math(shown, shown)]
    return line


# -- what is wrong -----------------------------------------------------------------------------------------------------------


def _who_got_this_wrong(
    claims: Iterable[Proved],
    id: str,  # noqa: A002
    around: Surroundings,
) -> nodes.section:
    section = _section(id, "Who got this wrong")
    for proved in claims:
        if wrong := misprints(proved):
            title = nodes.inline("", "", *words(proved.title))
            link = around.link(proved.id, [title])
            section += nodes.paragraph("", "", link, ids=[_misprints_of(proved)], classes=["verifydiff-title"])
            section += [_misprint(step, proved.form) for step in wrong]
    return section


def _misprint(step: Step, form: Form | None) -> nodes.container:
    box = _box("verifydiff-misprint")
    box += nodes.paragraph("", "", *_sentence(step.because))
    box += _wrong(step, form)
    if step.outcome is not Proof.PROVED:
        box += _checks(step)
    return box


def _wrong(step: Step, form: Form | None) -> list[nodes.Node]:
    """The wrong formula, marked as such, beside the right one, and the numbers that tell them apart."""
    parts: list[nodes.Node] = []
    for check in step.checks:
        if check.claim is None:
            continue
        stated, pair = check.claim, _box("verifydiff-pair")
        if stated.relation != "==":
            pair += _side("✗ wrong", "refuted", stated.latex(), "verifydiff-struck")
        else:
            symbol = f"{form.symbol} = " if form is not None and stated.rhs == form.expression else ""
            pair += _side("✗ wrong", "refuted", symbol + latex(stated.lhs), "verifydiff-struck")
            pair += _side("✓ right", "proved", symbol + latex(stated.rhs))
        parts.append(pair)
        if check.decision.counterexample is not None:
            sides = ("wrong", "right") if stated.relation == "==" else ("left side", "right side")
            parts.append(counterexample(check.decision.counterexample, sides))
    return parts


def _side(label: str, outcome: str, tex: str, *classes: str) -> nodes.container:
    box = _box("verifydiff-side")
    box += nodes.paragraph("", "", nodes.inline("", label, classes=["verifydiff-badge", f"verifydiff-{outcome}"]))
    box += display(tex, *classes)
    return box


def counterexample(found: Counterexample, sides: tuple[str, str] = ("left side", "right side")) -> nodes.container:
    """The point at which a claim fails, and what the two sides come to there."""
    box = _box("verifydiff-counterexample")
    values = {**{symbol: str(value) for symbol, value in found.point.items()}, **found.derived}
    order = list(found.values)
    line: list[nodes.Node] = [nodes.Text("At " if values else "At every point")]
    for number, symbol in enumerate(sorted(values, key=lambda symbol: order.index(str(symbol)))):
        shown = f"{typeset(symbol)} = {_number(values[symbol])}"
        line += [*([nodes.Text(", ")] if number else []), nodes.math(shown, shown)]
    box += nodes.paragraph("", "", *line, nodes.Text(":"))
    both = []
    for side, value in zip(sides, (found.lhs, found.rhs), strict=True):
        both += [nodes.Text(f"{side} "), nodes.literal("", value), nodes.Text(", " if side == sides[0] else "; ")]
    box += nodes.paragraph("", "", *both, nodes.Text(f"{found.reason}."))
    return box


def _number(value: str) -> str:
    """A number as LaTeX; a fraction as one."""
    over, _, under = value.partition("/")
    return rf"\tfrac{{{over}}}{{{under}}}" if under.isdecimal() and over.lstrip("-").isdecimal() else value.replace("\\", "")


# -- words and boxes ---------------------------------------------------------------------------------------------------------


def prose(text: str) -> list[nodes.Node]:
    """A docstring as paragraphs, lists, formulas and code."""
    return [_block(block) for block in blocks(text)]


def _block(block: Block) -> nodes.Node:
    if block.kind == "math":
        return display(block.text)
    if block.kind == "code":
        return _code(block.text, "python")
    if block.kind == "list":
        return nodes.bullet_list(
            "", *(nodes.list_item("", nodes.paragraph("", "", *_pieces(line))) for line in block.lines), bullet="-"
        )
    return nodes.paragraph("", "", *_pieces(block.lines[0]))


def words(text: str) -> list[nodes.Node]:
    """A line of text, formulas in it set as such."""
    return _pieces(inline(text))


def _sentence(text: str) -> list[nodes.Node]:
    """A line of text that starts with a capital, unless it starts with a formula."""
    pieces = [*inline(text)]
    if pieces and pieces[0].kind == "text":
        pieces[0] = Piece("text", pieces[0].text[:1].upper() + pieces[0].text[1:])
    return _pieces(pieces)


def _pieces(pieces: Iterable[Piece]) -> list[nodes.Node]:
    make: dict[str, Callable[[str], nodes.Node]] = {
        "text": nodes.Text,
        "math": lambda text: nodes.math(text, text),
        "code": lambda text: nodes.literal("", text),
        "emphasis": lambda text: nodes.emphasis("", text),
        "strong": lambda text: nodes.strong("", text),
    }
    return [make[piece.kind](piece.text) for piece in pieces]


def display(tex: str, *classes: str) -> nodes.math_block:
    """A formula on a line of its own, for any renderer of Sphinx's."""
    return nodes.math_block(tex, tex, nowrap=False, number=None, label=None, classes=list(classes), **{"no-wrap": False})


def _box(*classes: str) -> nodes.container:
    return nodes.container("", classes=list(classes))


def _fold(line: str, *content: nodes.Node) -> folded:
    return folded("", summary("", line), *content, classes=["verifydiff-fold"])


def table(head: Sequence[str], rows: Iterable[Sequence[Sequence[nodes.Node]]], *classes: str) -> nodes.table:
    """A table of rows of cells, each of them inline nodes."""
    group = nodes.tgroup("", *(nodes.colspec("", colwidth=1) for _ in head), cols=len(head))
    group += nodes.thead("", _row([[nodes.Text(word)] for word in head]))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group, classes=["verifydiff-table", *classes])


def _row(cells: Iterable[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))
