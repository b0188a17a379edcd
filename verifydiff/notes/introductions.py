r"""What is thought of a link, and whether it introduces a letter rather than claims something of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .proofs import counterexample
from .rules import Link, bare, equal, told
from .said import name_of
from .tokens import NotUnderstoodError
from .tree import Call, Dots, Letter, Node, Number, Product, Range, walk
from .ways import Grade, Tried, attempt, letters_in


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


def nothing_to_judge(link: Link) -> Opinion | None:
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
    return all(isinstance(one, (Dots, Range)) or not isinstance(one, Letter) or _is_index(one) for one in walk(node))


def _is_plain_number(node: Node) -> bool:
    return not any(isinstance(one, Letter) for one in walk(node))


def _is_nameable(node: Node) -> bool:
    """Whether a number may be given to it: a letter of a schedule or a weight, but no state."""
    letter = node.function if isinstance(node, Call) else node
    if not isinstance(letter, Letter) or letter.base in ("x", "z", "epsilon", "mu"):
        return False
    if letter.base == "alpha" and "bar" in letter.marks:
        return not any(isinstance(one, Number) and one.value == 0 for one in letter.index)
    return True


def introduces(link: Link, tried: list[Tried]) -> Opinion | None:
    """Whether the link introduces what stands on its left."""
    if not link.is_equation:
        return None
    left = bare(link.left)
    letter = left.function if isinstance(left, Call) else left
    if not isinstance(letter, Letter):
        return None
    reads = [one for one in tried if one.way.rule is equal and one.way.mode == "plain" and one.way.tie == "marginal"]
    name = name_of(letter)
    unknown = [one for one in reads if any(name_of(held) == name for held in one.unknown)]
    free = [one for one in reads if any(key[0] == "free" and key[1] == name.replace("/", "_") for key in one.seen)]
    if not unknown and not free:
        return None
    if name in {name_of(one) for one in letters_in((link.right,))}:
        return None
    if (wrong := _mistold(link, reads)) is not None:
        return wrong
    specific = [one for one in tried if one.grade is Grade.DIFFERS and one.way.rule is not equal and not one.unknown]
    if specific:  # a name may be given to anything, but what it is usually given to is near
        example, _ = counterexample(most_telling(specific), link, {})
        return Opinion(defines=True, doubtful=True, reason=f"introduces {name}", counterexample=example, ways=specific)
    return Opinion(defines=True, reason=f"introduces {name}", ways=tried)


def _mistold(link: Link, reads: list[Tried]) -> Opinion | None:
    """That a network on the right is given what is no state of the process."""
    found = [one for read in reads for one in attempt(replace(read.way, rule=told), link, {})]
    if not found or any(one.grade is not Grade.DIFFERS for one in found):
        return None
    example, of = counterexample(found[0], link, {})
    return Opinion(fails=True, reason=sentence(of or "what the network is given"), counterexample=example, ways=found)


def introduced(link: Link) -> tuple[str, Any] | None:
    """The name that a definition introduces, and what it stands for."""
    left = bare(link.left)
    if isinstance(left, Product) or not isinstance(left, Letter) or link.relation not in ("=", ":="):
        return None
    index = next((_index_base(one) for one in left.index if _index_base(one)), None)
    return name_of(left), (index, link.right)


def _index_base(node: Node) -> str | None:
    return node.base if isinstance(node, Letter) and node.base in ("t", "s", "i", "n", "k", "j") and not node.index else None


def sentence(of: str) -> str:
    """What is wrong, in words."""
    if not of:
        return "it has no value"
    if of == "the two sides":
        return "the two sides differ"
    return f"{of} is not what it must be" if not of.endswith("sides") else f"{of} differ"


def most_telling(certain: list[Tried]) -> Tried:
    """The way that says best what is wrong."""
    return min(certain, key=lambda one: (one.way.mode != "plain", one.way.rule is equal, one.way.tie != "marginal", one.broken))
