r"""Did you mean: the smallest slips that make a failing formula hold.

The mistakes are those of :mod:`verifydiff.slips`, undone on the tree as it is written: a lost bar is put back, an index moved, a
sign turned, a root taken. Each change is one piece of text in place of another, so that the corrected formula reads as the author
wrote it but for the change. A change is a correction only if the formula then holds; the smallest come first, those on the
right-hand side before those on the left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from .edit import LEVELS, TIMED, Edit, Statement, bracketed, edit_of, is_scalar, is_time, parse_one, read, statement
from .exchanges import condition_dropped, conditions, factors_exchanged, turned
from .tokens import NotUnderstoodError
from .tree import (
    Absolute,
    Applied,
    Call,
    Chain,
    Differential,
    Gradient,
    Group,
    Large,
    Letter,
    Mean,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Root,
    Sum,
    Term,
    children,
    walk,
    with_child,
)

MAX_EDITS = 700


def edits(node: Node, within: Statement) -> Iterator[Edit]:
    """Every change of one place of a tree, in the order in which it is written."""
    for count, edit in enumerate(_edits(node, None, within)):
        if count >= MAX_EDITS:
            return
        yield edit


def _edits(node: Node, parent: Node | None, within: Statement) -> Iterator[Edit]:
    yield from _here(node, parent, within)
    if isinstance(node, (Letter, Differential)):
        return
    for name, place, child in children(node):
        if _is_closed(node, name) or (name == "arguments" and is_time(child)):
            continue
        for edit in _edits(child, node, within):
            yield replace(edit, node=with_child(node, name, place, edit.node))


def _is_closed(node: Node, name: str) -> bool:
    """Whether nothing is changed there: what a function is called, what a gradient is along."""
    return name in ("function", "over", "along", "given") or (isinstance(node, Large) and name == "index")


def _here(node: Node, parent: Node | None, within: Statement) -> Iterator[Edit]:
    for maker in _MAKERS.get(type(node), ()):
        yield from maker(node, parent, within)
    if is_scalar(node):
        yield from _powers(node, parent, within)


# -- letters ------------------------------------------------------------


def _mark(node: Letter, parent: Node | None, within: Statement) -> Iterator[Edit]:
    text = within.text(node)
    bare = replace(node, marks=())
    if node.base == "alpha" and not node.marks and node.index:
        yield edit_of(node, replace(node, marks=("bar",)), _over("bar", node, within), "bar-lost", "alpha with its bar", 1)
    elif node.base == "alpha" and "bar" in node.marks:
        yield edit_of(node, bare, _without_mark(node, within), "bar-added", "alpha without its bar", 1)
    if node.base == "beta" and node.index and not node.marks:
        cost = 1 if within.bars_beta else 1.35
        yield edit_of(node, replace(node, marks=("bar",)), _over("bar", node, within), "bar-lost", "beta with its bar", cost)
    elif node.base == "beta" and node.marks == ("bar",):
        yield edit_of(node, bare, _without_mark(node, within), "bar-added", "beta without its bar", 1)
    if node.base in ("beta", "mu") and node.index != () and not node.marks:
        yield edit_of(
            node, replace(node, marks=("tilde",)), _over("tilde", node, within), "tilde-lost", f"{node.base} with its tilde", 1
        )
    elif node.base in ("beta", "mu") and "tilde" in node.marks:
        yield edit_of(node, bare, _without_mark(node, within), "tilde-added", f"{node.base} without its tilde", 1)
    if node.base in LEVELS and not node.marks and node.index:
        other = "beta" if node.base == "alpha" else "alpha"
        swapped = text.replace(rf"\{node.base}", rf"\{other}", 1)
        if swapped != text:
            cost = 1.25 if other in within.letters else 1.6
            yield edit_of(node, replace(node, base=other), swapped, "complement-missing", f"{other} for {node.base}", cost)


def _likeness(node: Letter, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """Another letter of the same name that the formula has: sigma_data for sigma."""
    for text, other in within.likes:
        if other.base == node.base and other != node and node.base == "sigma":
            yield edit_of(node, replace(other, start=node.start, end=node.end), text, "other-letter", f"the letter {text}", 1.6)


def _over(mark: str, node: Letter, within: Statement) -> str:
    text = within.text(node)
    name = rf"\{node.base}"
    return text.replace(name, rf"\{mark}{name}" if text.startswith(name) else rf"\{mark}{{{name}}}", 1)


def _without_mark(node: Letter, within: Statement) -> str:
    index = "".join(_script("_", one, within) for one in node.index)
    return rf"\{node.base}{index}"


def _script(sign: str, node: Node, within: Statement) -> str:
    text = within.text(node).strip()
    bare = text.startswith("{") and text.endswith("}")
    return f"{sign}{text}" if bare or len(text) == 1 else f"{sign}{{{text}}}"


def _indices(node: Letter, parent: Node | None, within: Statement) -> Iterator[Edit]:
    if node.base not in TIMED or not node.index or not is_time(node.index[0]):
        return
    own = node.index[0]
    for text, other in within.indices:
        if other == own or (node.base != "x" and isinstance(other, Number)):
            continue
        before, after = within.source[node.start : own.start], within.source[own.end : node.end]
        inner = text if before.endswith("{") or len(text) == 1 else f"{{{text}}}"
        new = replace(node, index=(other, *node.index[1:]))
        yield edit_of(node, new, f"{before}{inner}{after}", "other-index", f"the index {text}", 1.6 if text == "0" else 1.2)


def _counts(node: Letter, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """The neighbour of a numbered letter: abar_2 for abar_1."""
    own = node.index[0] if len(node.index) == 1 else None
    if not isinstance(own, Number) or node.base not in TIMED or own.value < 1:
        return
    for number in (own.value + 1, own.value - 1):
        if number >= 1:
            new = replace(node, index=(Number(own.start, own.end, number),))
            before, after = within.source[node.start : own.start], within.source[own.end : node.end]
            yield edit_of(node, new, f"{before}{number}{after}", "other-index", f"the index {number}", 0.95)


def _bounds(node: Large, parent: Node | None, within: Statement) -> Iterator[Edit]:
    for name in ("low", "high"):
        bound = getattr(node, name)
        if bound is None or node.kind == "int" or bound.start == bound.end:  # none of it, or nothing of it is written
            continue
        options = ["1", "2"] if isinstance(bound, Number) else [f"{within.text(bound)}-1", f"{within.text(bound)}+1"]
        if isinstance(bound, Sum):
            options = [within.text(bound.terms[0].body)]
        for text in options:
            try:
                new = parse_one(text)
            except NotUnderstoodError:
                continue
            if new != bound:
                plain = text if within.source[bound.start - 1 : bound.start] in ("{", "=") else f"{{{text}}}"
                yield Edit(
                    with_child(node, name, None, new), bound.start, bound.end, plain, "bound-off-by-one", f"the bound {text}", 1.5
                )
    if node.kind in ("sum", "prod"):
        other = "prod" if node.kind == "sum" else "sum"
        new_node = replace(node, kind=other)
        at = node.start + len(node.kind) + 1
        yield Edit(new_node, node.start, at, rf"\{other}", "sum-for-product", f"a {other}", 1.6)


def _vectors(node: Letter, parent: Node | None, within: Statement) -> Iterator[Edit]:
    if node.base == "x" and node.index and "epsilon" in within.letters:
        yield edit_of(node, Letter(node.start, node.end, "epsilon"), r"\epsilon", "other-vector", "the noise for the state", 2)
    if node.base == "epsilon" and not node.marks and not node.upper and "x" in within.letters:
        new = Letter(node.start, node.end, "x", (), (Number(0, 0, Fraction(0)),))
        yield edit_of(node, new, "x_0", "other-vector", "the data for the noise", 2)


# -- powers and complements ------------------------------------------------------------


def _powers(node: Node, parent: Node | None, within: Statement) -> Iterator[Edit]:
    text, factor = bracketed(node, within)
    raised = isinstance(parent, (Power, Norm))
    if isinstance(parent, Call) and parent.function.base not in ("cal:N", "N"):
        return
    if not isinstance(parent, (Root, Power)) and not isinstance(node, Group):
        cost = 1.3 if isinstance(node, Quotient) else 1.1
        yield edit_of(node, Root(node.start, node.end, node), rf"\sqrt{{{within.text(node)}}}", "root-lost", "a square root", cost)
    elif isinstance(node, Group) and not isinstance(parent, Root):
        body = node.body
        yield edit_of(node, Root(node.start, node.end, body), rf"\sqrt{{{within.text(body)}}}", "root-lost", "a square root", 1.1)
    if not raised and not isinstance(node, Quotient) and not isinstance(parent, Differential):
        two = Number(node.end, node.end, Fraction(2))
        cost = 1.05 if isinstance(parent, (Call, Product)) else 1.1
        yield edit_of(node, Power(node.start, node.end, factor, two), f"{text}^2", "square-lost", "a square", cost)
    if isinstance(node, Quotient) and not isinstance(parent, (Root, Power, Quotient)):
        one = Term(node.start, node.start, 1, Number(node.start, node.start, Fraction(1)))
        whole = Group(node.start, node.end, Sum(node.start, node.end, (one, Term(node.start, node.end, -1, node))))
        written = f"1 - {text}" if parent is None else f"(1 - {text})"
        yield edit_of(node, whole, written, "complement-missing", "one minus the ratio", 1.5)
    level = isinstance(node, Letter) and node.base in LEVELS
    if isinstance(node, Letter) and node.base == "alpha" and not node.marks and not raised:
        for text_of, index in within.indices:
            if node.index and index != node.index[0] and not isinstance(index, Number):
                like = replace(node, index=(index,))
                more = rf"\alpha_{{{text_of}}}"
                new = Product(node.start, node.end, (node, like))
                yield Edit(new, node.end, node.end, more, "factor-lost", f"a factor {more}", 2.2)
    if level and not raised:
        one = Term(node.start, node.start, 1, Number(node.start, node.start, Fraction(1)))
        complement = Sum(node.start, node.end, (one, Term(node.start, node.end, -1, node)))
        plain = isinstance(parent, (Root, Quotient)) or parent is None
        written = f"1 - {text}" if plain else f"(1 - {text})"
        yield edit_of(node, Group(node.start, node.end, complement), written, "complement-missing", "one minus the level", 1.3)


def _rest(node: Letter, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """One less a letter of the page's own, where a variance or what stands under a root is asked for: 1 - K for K."""
    times_identity = isinstance(parent, Product) and any(isinstance(one, Letter) and one.base == "I" for one in parent.factors)
    is_variance = isinstance(parent, Root) or (isinstance(parent, Call) and parent.function.base == "cal:N") or times_identity
    if is_variance and not is_scalar(node) and node.base not in ("x", "X", "z", "epsilon", "I", "mu", "p", "q"):
        one = Term(node.start, node.start, 1, Number(node.start, node.start, Fraction(1)))
        whole = Sum(node.start, node.end, (one, Term(node.start, node.end, -1, node)))
        text = f"(1 - {within.text(node)})" if times_identity else f"1 - {within.text(node)}"
        new = Group(node.start, node.end, whole) if times_identity else whole
        yield edit_of(node, new, text, "complement-missing", "one minus it", 1.6)


def _unpower(node: Power, parent: Node | None, within: Statement) -> Iterator[Edit]:
    if isinstance(node.exponent, Number):
        loose = isinstance(node.base, Group) and (isinstance(parent, Call) or isinstance(node.base.body, Letter))
        inner = node.base.body if loose and isinstance(node.base, Group) else node.base
        yield edit_of(node, inner, within.text(inner), "square-added", "no square", 1.1)
        return
    exponent, start = node.exponent, node.exponent.start
    if isinstance(exponent, Sum) and len(exponent.terms) == 1:
        body = exponent.terms[0].body
        new = with_child(node, "exponent", None, body)
        written = within.text(body)
    else:
        new = with_child(node, "exponent", None, Sum(start, exponent.end, (Term(start, exponent.end, -1, exponent),)))
        written = f"-{within.text(exponent)}"
    wrapped = written if within.source[start - 1 : start] == "{" else f"{{{written}}}"
    yield Edit(new, start, exponent.end, wrapped, "other-sign", "the other sign in the exponent", 1.15)


def _product_squared(node: Product, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """(a b)^2 for a b, above or below a line."""
    if isinstance(parent, (Quotient, Group)) and _is_weight(node):
        two, text = Number(node.end, node.end, Fraction(2)), within.text(node)
        if isinstance(parent, Quotient):
            group = Group(node.start, node.end, node)
            yield edit_of(node, Power(node.start, node.end, group, two), f"({text})^2", "square-lost", "a square", 1.2)


def _group_squared(node: Group, parent: Node | None, within: Statement) -> Iterator[Edit]:
    if isinstance(node.body, Product) and not isinstance(parent, (Power, Root)):
        two = Number(node.end, node.end, Fraction(2))
        yield edit_of(node, Power(node.start, node.end, node, two), f"{within.text(node)}^2", "square-lost", "a square", 1.1)


def _rate_squared(node: Differential, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """d sigma^2 for d sigma."""
    letter = node.of.function if isinstance(node.of, Call) else node.of
    if isinstance(letter, Letter) and letter.base in ("sigma", "alpha"):
        power = Power(node.of.start, node.of.end, node.of, Number(node.end, node.end, Fraction(2)))
        text, tail = within.source[node.start : letter.end], within.source[letter.end : node.end]
        yield edit_of(node, replace(node, of=power), f"{text}^2{tail}", "square-lost", "a square", 1.2)


def _logarithm(node: Large, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """A sum of logarithms for a sum."""
    if node.kind == "sum" and not isinstance(node.body, Applied):
        body = node.body if isinstance(node.body, Group) else Group(node.body.start, node.body.end, node.body)
        text = within.text(node.body) if isinstance(node.body, Group) else f"({within.text(node.body)})"
        new = replace(node, body=Applied(body.start, body.end, "log", (body,)))
        yield Edit(new, node.body.start, node.body.end, rf"\log {text}", "function-lost", "a logarithm", 1.9)


def _ones_cancelled(node: Quotient, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """(1 - a) / (1 - b) for a / b."""
    if not all(isinstance(part, Letter) and part.base in LEVELS for part in (node.above, node.below)):
        return
    whole = [_complement(part) for part in (node.above, node.below)]
    texts = [f"1 - {within.text(part)}" for part in (node.above, node.below)]
    written = rf"\frac{{{texts[0]}}}{{{texts[1]}}}" if not node.flat else f"({texts[0]})/({texts[1]})"
    new = replace(node, above=whole[0], below=whole[1])
    yield edit_of(node, new, written, "ones-cancelled", "one minus each", 1.9)


def _complement(node: Node) -> Sum:
    one = Term(node.start, node.start, 1, Number(node.start, node.start, Fraction(1)))
    return Sum(node.start, node.end, (one, Term(node.start, node.end, -1, node)))


def _unroot(node: Root, parent: Node | None, within: Statement) -> Iterator[Edit]:
    text, factor = bracketed(node.body, within)
    yield edit_of(node, factor, text, "root-added", "no square root", 1.1)


def _norm_squared(node: Norm, parent: Node | None, within: Statement) -> Iterator[Edit]:
    if not isinstance(parent, Power):
        two = Number(node.end, node.end, Fraction(2))
        yield edit_of(node, Power(node.start, node.end, node, two), f"{within.text(node)}^2", "square-lost", "a square", 1.1)


# -- sums and products ------------------------------------------------------------


def _signs(node: Sum, parent: Node | None, within: Statement) -> Iterator[Edit]:
    for place, term in enumerate(node.terms):
        body = within.text(term.body)
        flipped = replace(term, sign=-term.sign)
        written = f"+ {body}" if term.sign < 0 else f"- {body}"
        if place == 0:
            written = body if term.sign < 0 else f"-{body}"
        new = replace(node, terms=(*node.terms[:place], flipped, *node.terms[place + 1 :]))
        yield Edit(new, term.start, term.end, written, "other-sign", "the other sign", 1)


def _brackets(node: Sum, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """The signs of all summands but the first, as where a bracket was opened wrongly."""
    if len(node.terms) > 2:
        rest = tuple(replace(term, sign=-term.sign) for term in node.terms[1:])
        text = " ".join(f"{'+' if term.sign > 0 else '-'} {within.text(term.body)}" for term in rest)
        new = replace(node, terms=(node.terms[0], *rest))
        yield Edit(new, rest[0].start, node.end, text, "other-sign", "the other signs", 1.35)


def _minus(node: Node, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """A sign that is lost before the whole side."""
    if parent is None and not isinstance(node, Sum):
        new = Sum(node.start, node.end, (Term(node.start, node.end, -1, node),))
        yield Edit(new, node.start, node.start, "-", "other-sign", "the other sign", 1)


def _dropped_terms(node: Sum, parent: Node | None, within: Statement) -> Iterator[Edit]:
    if len(node.terms) < 2:
        return
    for place, term in enumerate(node.terms):
        rest = (*node.terms[:place], *node.terms[place + 1 :])
        if rest[0].sign < 0 and place == 0:
            if isinstance(term.body, Number) and len(rest) == 1:  # 1 - x for x
                body = rest[0].body
                yield edit_of(node, body, within.text(body), "complement-added", "the level, not one minus it", 1.3)
            continue
        new = rest[0].body if len(rest) == 1 else replace(node, terms=rest)
        start, end = (term.start, rest[0].body.start) if place == 0 else (term.start, term.end)
        yield Edit(new, start, end, "", "term-added", "without a term", 2.2)


def _added_terms(node: Node, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """A term that is lost: the fresh noise's variance under a root, the one of 1 + w."""
    if isinstance(parent, Root) and "sigma" in within.letters:
        index = next((text for text, _ in within.indices if text in ("t", "n", "k", "i")), "t")
        yield from _plus(node, rf"- \sigma_{index}^2", within, "term-lost", "less the variance of the fresh noise")
    if isinstance(node, Letter) and node.base in ("w", "s", "gamma", "SNR", "k", "t") and _stands_alone(node, parent):
        one = Number(node.start, node.start, Fraction(1))
        for sign in (1, -1):
            terms = (Term(node.start, node.end, 1, one), Term(node.start, node.end, sign, node))
            written = f"(1 {'+' if sign > 0 else '-'} {within.text(node)})"
            new = Group(node.start, node.end, Sum(node.start, node.end, terms))
            yield edit_of(node, new, written, "one-lost", "one more, or one less", 1.4)


def _stands_alone(node: Letter, parent: Node | None) -> bool:
    """Whether a weight is no summand; of times, only one that is a number."""
    return not isinstance(parent, (Sum, Term)) and (
        node.base != "t" or (not node.index and isinstance(parent, (Product, Quotient)))
    )


def _plus(node: Node, text: str, within: Statement, slip: str, description: str) -> Iterator[Edit]:
    whole = f"{within.text(node)} {text}"
    try:
        new = parse_one(whole)
    except NotUnderstoodError:
        return
    yield Edit(new, node.end, node.end, f" {text}", slip, description, 1.8)


def _terms(node: Node, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """A factor that is lost in front of a term, or one that is lost below it."""
    if isinstance(node, (Sum, Term, Number, Chain)) or not isinstance(parent, (Term, type(None), Group, Applied, Mean, Root)):
        return
    text = within.text(node)
    start = parse_one(r"\frac{1}{2}")
    for written, factor, cost in (
        (r"\frac{1}{2}", start, 1.6),
        ("2", Number(node.start, node.start, Fraction(2)), 1.7),
    ):
        factors = node.factors if isinstance(node, Product) else (node,)
        new = Product(node.start, node.end, (factor, *factors))
        yield Edit(new, node.start, node.start, f"{written} ", "number-lost", f"a factor {written}", cost)
    for written in _candidates(within):
        factor = parse_one(written)
        if text.startswith(written):
            continue
        factors = node.factors if isinstance(node, Product) else (node,)
        new = Product(node.start, node.end, (factor, *factors))
        yield Edit(new, node.start, node.start, f"{written} ", "factor-lost", f"a factor {written}", 2.4)
        inverse = rf"\frac{{1}}{{{written}}}"
        new = Product(node.start, node.end, (parse_one(inverse), *factors))
        yield Edit(new, node.start, node.start, f"{inverse} ", "division-lost", f"a division by {written}", 2.5)


def _candidates(within: Statement) -> list[str]:
    index = next((text for text, one in within.indices if isinstance(one, Letter)), "t")
    found = []
    if within.letters & {"alpha", "beta"}:
        found += [
            rf"\beta_{index}",
            rf"\alpha_{index}",
            rf"\sqrt{{\alpha_{index}}}",
            rf"\sqrt{{\bar\alpha_{index}}}",
            rf"\sqrt{{1-\bar\alpha_{index}}}",
            rf"\sqrt{{\bar\alpha_{{{index}-1}}}}",
            rf"\bar\alpha_{index}",
            rf"(1-\bar\alpha_{index})",
            rf"(1-\bar\alpha_{{{index}-1}})",
        ]
    if "sigma" in within.letters:
        found += [rf"\sigma_{index}", rf"\sigma_{index}^2"] if within.indices else [r"\sigma", r"\sigma^2"]
    found += [text for text, one in within.likes if one.index and not any(map(is_time, one.index))]
    if "eta" in within.letters:
        found.append(r"\eta")
    if "w" in within.letters:
        found.append("w")
    return [one for one in found if read(one) is not None]


def _products(node: Product, parent: Node | None, within: Statement) -> Iterator[Edit]:
    for place, factor in enumerate(node.factors):
        rest = (*node.factors[:place], *node.factors[place + 1 :])
        if not _is_weight(factor):
            continue
        new = rest[0] if len(rest) == 1 else replace(node, factors=rest)
        end = node.factors[place + 1].start if place + 1 < len(node.factors) else factor.end
        cost = 1.6 if not any(isinstance(one, Letter) for one in walk(factor)) else 2.3
        yield Edit(new, factor.start, end, "", "factor-added", "without a factor", cost)


def _is_weight(node: Node) -> bool:
    return not any(
        isinstance(one, Letter) and one.base in ("x", "epsilon", "z", "p", "q", "I") for one in walk(node)
    ) and not isinstance(node, Differential)


def _quotients(node: Quotient, parent: Node | None, within: Statement) -> Iterator[Edit]:
    above, below = within.text(node.above), within.text(node.below)
    written = rf"\frac{{{below}}}{{{above}}}" if not node.flat else f"{below}/{above}"
    if _is_weight(node.above) or all(isinstance(part, Call) for part in (node.above, node.below)):
        new = replace(node, above=node.below, below=node.above)
        yield edit_of(node, new, written, "upside-down", "the fraction upside down", 2)
    if not (isinstance(node.above, Number)):
        yield edit_of(node, node.above, above, "division-added", "without the division", 2.4)
    for name, part in (("above", node.above), ("below", node.below)):
        for factor in _candidates(within):
            factors = (
                part.factors
                if isinstance(part, Product)
                else (Group(part.start, part.end, part),)
                if isinstance(part, Sum)
                else (part,)
            )
            if isinstance(part, Number) and part.value == 1:
                factors = ()
            inner = parse_one(factor)
            new_part = Product(part.start, part.end, (inner, *factors)) if factors else inner
            text, _ = bracketed(part, within)
            if node.flat:
                continue
            slip = "factor-lost" if name == "above" else "division-lost"
            written = f"{factor} {text}" if factors else factor
            edited = with_child(node, name, None, new_part)
            yield Edit(edited, part.start, part.end, written, slip, f"{factor} {name} the line", 2.35)


def _numbers(node: Number, parent: Node | None, within: Statement) -> Iterator[Edit]:
    text = within.text(node)
    if isinstance(parent, Call) and node.value in (0, 1):
        other = 1 - node.value
        yield edit_of(node, Number(node.start, node.end, other), str(other), "number", f"{other} for {text}", 1.7)
    for number in (1, 2, 4):
        if node.value != number and isinstance(parent, (Quotient, Product, Sum, Term)) and node.value in (1, 2, 3, 4):
            yield edit_of(node, Number(node.start, node.end, Fraction(number)), str(number), "number", f"{number} for {text}", 1.7)
    if isinstance(parent, Power) and node is parent.exponent and node.value in (3, 4):
        yield edit_of(node, Number(node.start, node.end, Fraction(2)), "2", "number", f"2 for {text}", 1.3)
    if node.value == 2 and isinstance(parent, Product):
        half = parse_one(r"\frac{1}{2}")
        yield edit_of(node, half, r"\frac{1}{2}", "number-inverted", "a half for two", 1.7)


# -- calls ------------------------------------------------------------


def _told(node: Call, parent: Node | None, within: Statement) -> Iterator[Edit]:
    """The time that a network is told."""
    if node.function.base in ("cal:N", "p", "q"):
        return
    for place, argument in enumerate(node.arguments[1:], 1):
        if not is_time(argument):
            continue
        for text, other in within.indices:
            if other != argument and not isinstance(other, Number):
                new = replace(node, arguments=(*node.arguments[:place], other, *node.arguments[place + 1 :]))
                yield Edit(new, argument.start, argument.end, text, "other-index", f"the time {text}", 1.2)


Maker = Callable[[Any, Node | None, Statement], Iterator[Edit]]
"""What proposes changes of one kind of node, from its parent and the statement."""

_MAKERS: dict[type, tuple[Maker, ...]] = {
    Letter: (_minus, _mark, _indices, _counts, _rest, _likeness, _vectors, _added_terms, _terms),
    Power: (_minus, _unpower, _terms),
    Root: (_minus, _unroot, _terms),
    Norm: (_minus, _norm_squared),
    Sum: (_signs, _brackets, turned, _dropped_terms, _added_terms),
    Product: (_minus, _products, _product_squared, _terms),
    Quotient: (_minus, _quotients, _ones_cancelled, factors_exchanged, _terms),
    Number: (_numbers,),
    Call: (_minus, _told, conditions, condition_dropped, _terms),
    Large: (_minus, _bounds, _logarithm, _terms),
    Applied: (_minus, _terms),
    Group: (_minus, _group_squared, _terms),
    Differential: (_rate_squared,),
    Gradient: (_minus, _terms),
    Mean: (_minus, _terms),
}

__all__ = ["Absolute", "Edit", "Statement", "edits", "statement"]
