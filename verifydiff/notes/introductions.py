r"""What is thought of a link, and whether it introduces a letter rather than claims something of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .known import Introduced, Known
from .process import FLOWS
from .proofs import counterexample
from .rules import Link, bare, equal, fresh_noise, likelihood, regression, scalings, slope_of_noise, told
from .said import is_time_like, name_of
from .tokens import NotUnderstoodError
from .tree import Call, Dots, Letter, Node, Number, Power, Range, Root, Sum, walk
from .ways import Grade, Tried, attempt, letters_in


@dataclass
class Opinion:
    """What is thought of a link.

    Attributes:
        holds, fails, defines: at most one of them is true; if none is, the link was not understood.
        convention: of the way in which it holds.
        reason: one sentence.
        counterexample: of a failing link.
        introduces: what stands on the left has this meaning from now on.
        doubtful: it would fail if it were certain that it was read rightly.
        error: where understanding ended.
        link: what was judged in place of the link, where a chain says the law of its head.
    """

    holds: bool = False
    fails: bool = False
    defines: bool = False
    doubtful: bool = False
    introduces: bool = False
    convention: str = ""
    reason: str = ""
    counterexample: dict[str, object] | None = None
    error: NotUnderstoodError | None = None
    link: Link | None = None
    ways: list[Tried] = field(default_factory=list)


def nothing_to_judge(link: Link, own: str = "ddpm") -> Opinion | None:
    """Relations that introduce, and values that are named, on a page of one's own convention."""
    if isinstance(bare(link.left), Dots) or isinstance(bare(link.right), Dots):
        return Opinion(reason="an ellipsis")
    if link.relation in ("in", "notin"):
        return Opinion(defines=True, reason="says where a letter lives")
    if link.relation == "->" and isinstance(bare(link.left), Letter):
        return Opinion(defines=True, reason="says where a letter goes")
    if link.relation in ("<", "<=", ">", ">=") and _bounds_a_choice(link):
        return Opinion(defines=True, reason="says how a letter is chosen")
    if link.relation in ("->", "<<", ">>", "!="):
        return Opinion(reason=f"a relation `{link.relation}` is not judged", error=None)
    if link.relation in ("<", "<=", ">", ">=") and _orders_a_choice(link, own):
        return Opinion(defines=True, reason="says how a letter is chosen")
    if _names_a_mean(link):
        return Opinion(defines=True, reason="names the mean of a law")
    if link.relation == "prop" and isinstance(bare(link.left), Call) and _is_tilted(link.left):
        return Opinion(defines=True, reason="defines a density")
    if link.relation == "~" and not is_normal(link.right):
        return Opinion(defines=True, reason="says how a letter is drawn")
    if link.is_equation and (_assigns(link) or _discretises(link) or _is_silenced(link)):
        return Opinion(defines=True, reason="gives a letter a value")
    if _is_index(link.left) and _has_only_indices(link.right):
        return Opinion(defines=True, reason="names the value of a letter")
    named = bare(link.left)
    if isinstance(named, Power) and isinstance(named.exponent, Number):  # sigma_t^2 = 0
        named = bare(named.base)
    if link.is_equation and _is_plain_number(link.right) and isinstance(named, (Letter, Call)) and _is_nameable(named):
        return Opinion(defines=True, reason="names the value of a letter")
    return None


def _assigns(link: Link) -> bool:
    """Whether a letter is given a value by itself: x = x + d says what comes next, not what is."""
    left = bare(link.left)
    is_state = link.relation == ":=" and isinstance(left, Letter) and left.base in ("x", "X", "z")
    return (
        (_is_bare(left) or is_state) and any(one == left for one in walk(link.right)) and not isinstance(bare(link.right), Letter)
    )


def _is_bare(node: Node) -> bool:
    return isinstance(node, Letter) and node.base in ("x", "X", "z", "t") and not (node.index or node.marks or node.upper)


def _discretises(link: Link) -> bool:
    """Whether a letter of the chain is given by the rate of the same name: beta_t = beta(t) dt."""
    left = bare(link.left)
    return (
        isinstance(left, Letter)
        and left.base in ("beta", "sigma", "alpha")
        and any(isinstance(one, Call) and one.function.base == left.base and not one.function.index for one in walk(link.right))
    )


def _is_silenced(link: Link) -> bool:
    """Whether a noise is set to zero, as in the last step of a sampler."""
    left, right = bare(link.left), bare(link.right)
    return isinstance(left, Letter) and left.base in ("z", "epsilon") and isinstance(right, Number) and right.value == 0


def _orders_a_choice(link: Link, own: str) -> bool:
    """Whether two values of one letter that may be chosen at will are ordered: beta_1 < beta_T."""
    left, right = bare(link.left), bare(link.right)
    if not isinstance(left, Letter) or not isinstance(right, Letter):
        return False
    return (
        left.base == right.base in ("beta", "sigma", "t", "tau", *(["alpha"] if own == "ddpm" else []))
        and not left.marks
        and not right.marks
        and left.index != right.index
    )


def _is_tilted(node: Node) -> bool:
    """Whether it is a density with a tilde, which is made of others at will."""
    call = bare(node)
    return isinstance(call, Call) and call.function.base in ("p", "q") and "tilde" in call.function.marks


def _bounds_a_choice(link: Link) -> bool:
    """Whether a letter that may be chosen at will is bounded by a number: w > 1, Delta t > 0."""
    left = bare(link.left)
    return (
        isinstance(left, Letter)
        and left.base in ("dt", "h", "w", "s", "eta", "epsilon", "gamma", "lambda", "omega", "k", "rho", "delta")
        and not (left.index or left.marks or left.upper)
        and _is_plain_number(link.right)
    )


def is_normal(node: Node) -> bool:
    """Whether it is written as a normal law."""
    node = bare(node)
    return isinstance(node, Call) and node.function.base in ("cal:N", "N")


def _names_a_mean(link: Link) -> bool:
    """Whether a density is normal around a plain mu, which is only a name."""
    left, right = bare(link.left), bare(link.right)
    if not isinstance(left, Call) or left.function.base not in ("p", "q") or not isinstance(right, Call) or not is_normal(right):
        return False
    mean = bare(right.arguments[-2]) if len(right.arguments) in (2, 3) else None
    return isinstance(mean, Letter) and mean.base == "mu" and not mean.marks and all(map(is_time_like, (*mean.index, *mean.upper)))


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
    is_bare = letter.base in ("x", "X") and not (letter.index or letter.marks or letter.upper) and left is letter
    if is_bare and not any(("bare data",) in one.way.flags for one in tried):
        return Opinion(defines=True, doubtful=True, reason="gives a bare letter a meaning", ways=[])
    unknown = [one for one in reads if any(name_of(held) == name for held in one.unknown)]
    free = [one for one in reads if any(key[0] == "free" and key[1] == name.replace("/", "_") for key in one.seen)]
    if not unknown and not free:
        return None
    if name in {name_of(one) for one in letters_in((link.right,))}:
        return None
    if (wrong := _mistold(link, reads)) is not None:
        return wrong
    specific = [
        one
        for one in tried
        if one.grade is Grade.DIFFERS and not one.unknown and (one.way.rule is not equal or one.way.convention in FLOWS)
    ]
    if specific:  # a name may be given to anything, but what it is usually given to is near
        example, _ = counterexample(most_telling(specific), link, Known())
        return Opinion(
            defines=True, doubtful=True, introduces=True, reason=f"introduces {name}", counterexample=example, ways=specific
        )
    return Opinion(defines=True, introduces=True, reason=f"introduces {name}", ways=tried)


def settles(link: Link, opinion: Opinion) -> bool:
    """Whether an opinion that holds gives a letter that may be chosen its one value: a weight, a level of noise."""
    if not opinion.ways:
        return False
    way = opinion.ways[-1].way
    if any(flag[0] == "lambda" for flag in way.flags):  # see kind_of_lambda
        return False
    return way.rule in (scalings, slope_of_noise, likelihood, regression) or (way.rule is fresh_noise and way.choice >= 2)


def kind_of_lambda(link: Link, opinion: Opinion) -> str:
    """Whether an equation that holds says that lambda is half the log-SNR, or the whole of it."""
    left = bare(link.left)
    if not opinion.holds or not opinion.ways or not isinstance(left, Letter) or name_of(left) != "lambda":
        return ""
    return next((str(flag[1]) for flag in opinion.ways[-1].way.flags if flag[0] == "lambda"), "")


def _mistold(link: Link, reads: list[Tried]) -> Opinion | None:
    """That a network on the right is given what is no state of the process."""
    found = [one for read in reads for one in attempt(replace(read.way, rule=told), link, Known())]
    if not found or any(one.grade is not Grade.DIFFERS for one in found):
        return None
    example, of = counterexample(found[0], link, Known())
    return Opinion(fails=True, reason=sentence(of or "what the network is given"), counterexample=example, ways=found)


FUNCTIONS = {"c", "lambda", "w", "f", "g", "B", "sigma", "beta", "alpha", "a", "b", "gamma", "mu", "h", "k", "eta", "s", "kappa"}
"""Letters that a page may introduce as functions; what else is called is a network or a density."""


def introduced(link: Link) -> tuple[str, Introduced] | None:
    """The name that a definition introduces, and what it stands for: of a square, its root."""
    left: Node = bare(link.left)
    body = link.right
    if link.relation not in ("=", ":="):
        return None
    if isinstance(left, Power) and isinstance(left.exponent, Number) and left.exponent.value == 2:
        left, body = bare(left.base), Root(body.start, body.end, body)
    arguments: tuple[Node, ...] = ()
    if isinstance(left, Call):
        if left.function.base not in FUNCTIONS or not all(_is_argument(one) for one in left.arguments):
            return None
        arguments, left = left.arguments, left.function
    if not isinstance(left, Letter):
        return None
    index = next((_index_base(one) for one in left.index if _index_base(one)), None)
    at = next((one for one in left.index if _is_fixed(one)), None) if index is None else None
    return name_of(left), Introduced(body, index, at, arguments)


def _is_argument(node: Node) -> bool:
    return isinstance(node, Letter) and not node.marks


def _index_base(node: Node) -> str | None:
    return node.base if isinstance(node, Letter) and node.base in ("t", "s", "i", "n", "k", "j") and not node.index else None


def _is_fixed(node: Node) -> bool:
    """Whether an index is one time and stands for no other: a number, the last, one before another."""
    return isinstance(node, (Number, Sum)) or (isinstance(node, Letter) and node.base in ("T", "N"))


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
