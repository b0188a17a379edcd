"""What a piece of a formula is by its shape alone, which decides how what stands beside it is read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from .tree import Chain, Differential, Group, Letter, Listed, Node, Number, Product, Sum, walk
from .words import DENSITIES, GREEK, MODELS, NETWORKS, TIMED, TIMES


def items_of(node: Node) -> tuple[Node, ...]:
    """The members of a list; what is none is its only member."""
    return node.items if isinstance(node, Listed) else (node,)


def is_transpose(node: Node) -> bool:
    """Whether an exponent transposes: A^T."""
    return isinstance(node, Letter) and node.base in ("T", "top", "intercal", "mathsf") and not node.index


def is_label(node: Node) -> bool:
    r"""Whether a superscript only tells letters apart: x^{(i)}, x^{\text{cfg}}, eps^\theta."""
    if isinstance(node, (Group, Listed)):
        return True
    if isinstance(node, Letter):
        return node.base in MODELS or (len(node.base) > 1 and node.base not in GREEK)
    return False


def is_divergence(letter: Letter) -> bool:
    """Whether it is called a Kullback-Leibler divergence: D_{KL}."""
    return letter.base in ("D", "bb:D") and any(isinstance(one, Letter) and one.base == "KL" for one in letter.index)


def is_function(letter: Letter) -> bool:
    """Whether brackets behind it hold its arguments and no factor: a density, a network, what bears a model's index."""
    if letter.base in DENSITIES or letter.base in NETWORKS:
        return True
    hung = {one.base for one in (*letter.index, *letter.upper) for one in walk(one) if isinstance(one, Letter)}
    return bool(hung & MODELS)


def takes_time(letter: Letter, arguments: tuple[Node, ...]) -> bool:
    """Whether brackets behind a letter that may be a factor hold a time, or the state that it is a function of."""
    if letter.base not in TIMED and len(letter.base) == 1:
        return False
    first = arguments[0].base if isinstance(arguments[0], Letter) else ""
    if (letter.base, first) in (("sigma", "eta"), ("lambda", "sigma"), ("w", "sigma")):
        return True
    if any(is_time(one) for one in letter.index) and letter.base != "x":
        return (len(letter.base) > 1 and letter.base not in GREEK) or (
            (letter.marks != () or letter.base in ("psi", "phi", "u", "v"))
            and letter.base in ("mu", "epsilon", "x", "psi", "phi", "u", "v")
            and is_state(arguments[0])
        )
    return is_time(arguments[0]) or (letter.base in ("mu", "epsilon", "s", "v", "u", "x", "psi", "phi") and is_state(arguments[0]))


def is_state(node: Node) -> bool:
    """Whether it reads as a state: x, z, y."""
    return isinstance(node, Letter) and node.base in ("x", "z", "y", "X")


def is_time(node: Node) -> bool:
    """Whether it reads as a time: t, s - 1, 0, T."""
    if isinstance(node, Sum):
        bases = [term.body for term in node.terms]
        if len(bases) != 2 or not isinstance(bases[0], Letter) or bases[0].base not in TIMES:
            return False
        return isinstance(bases[1], Number) or (isinstance(bases[1], Letter) and bases[1].base in ("Delta", "dt"))
    if isinstance(node, Letter):
        return node.base in TIMES and not node.marks
    return isinstance(node, Number) and node.value in (0, 1)


def bounds_of(node: Node, high: Node | None) -> tuple[Node | None, Node | None, Node | None]:
    """The index and its bounds by what stands below a large sign, with what stands above it."""
    if isinstance(node, Chain) and len(node.sides) == 2 and node.relations[0] in ("=", ":="):
        return node.sides[0], node.sides[1], high
    if isinstance(node, Chain) and len(node.sides) == 2 and node.relations[0] == "<=":  # from the first on
        return node.sides[0], Number(node.start, node.start, Fraction(1)), node.sides[1]
    if isinstance(node, Chain) and len(node.sides) == 2 and node.relations[0] in (">", ">=") and high is None:  # up to the last
        first = node.sides[1]
        if isinstance(first, Number):
            value = first.value + (node.relations[0] == ">")
            return node.sides[0], Number(node.end, node.end, value), Letter(node.end, node.end, "T")
    if isinstance(node, Chain):
        return node.sides[0], None, high
    return None, node, high


def operator_of(above: Node, below: Node) -> tuple[Node, int] | None:
    """Along what a fraction such as d/dt takes a derivative; None if it is no operator."""
    if isinstance(above, Letter) and above.base == "d" and not above.index and isinstance(below, Differential):
        return below.of, 1
    return None


def without_differentials(body: Node) -> tuple[Node, tuple[Differential, ...]]:
    """The integrand, and what it is integrated over."""
    if isinstance(body, Differential):
        return Number(body.start, body.start, Fraction(1)), (body,)
    if isinstance(body, Sum) and len(body.terms) == 1:
        inner, over = without_differentials(body.terms[0].body)
        return replace(body, terms=(replace(body.terms[0], body=inner),)), over
    if not isinstance(body, Product):
        return body, ()
    over = tuple(one for one in body.factors if isinstance(one, Differential))
    rest = tuple(one for one in body.factors if not isinstance(one, Differential))
    if not rest:
        return Number(body.start, body.start, Fraction(1)), over
    return (rest[0] if len(rest) == 1 else replace(body, factors=rest)), over
