r"""Laws that a page supposes: of its data, :math:`x_0 \sim \mathcal{N}(\mu, s^2)`, and of letters that are drawn,
:math:`n \sim \mathcal{N}(0, \sigma^2)`; and words that make a formula a supposition rather than a claim.
"""

from __future__ import annotations

import re

from .introductions import Opinion, is_normal
from .known import Known
from .reading import STATES
from .rules import Link, bare, noiseless
from .said import name_of, text_of
from .tree import Applied, Call, Large, Letter, Node, Number, walk
from .ways import Grade, Way, attempt

NOISES = {"epsilon", "z", "xi"}
LAWS = {"p", "q", "N", "cal:N", "bb:E"}
CHECKED = {"epsilon", "xi", "x", "X"}
"""Letters whose law is known, and judged."""
IF = re.compile(
    r"(?:\b(?:when(?:ever)?|if|unless|suppose|supposing|assum(?:e|ing)|provided(?:\s+that)?|in\s+the\s+case|special\s+case)"
    r"|当|若|如果|假设|假如|假定)\s*(?:that|we\s+have|,|，)?\s*$",
    re.IGNORECASE,
)
"""Words that make what follows a supposition."""
WITH = re.compile(r"(?:\b(?:with|where|at|for|let|set(?:ting)?|take|taking|choosing|say)|令|取|设|在)\s*$", re.IGNORECASE)
"""Words that may."""


def supposed(link: Link, known: Known) -> Opinion | None:
    """That a link supposes a law, which is then remembered."""
    left = bare(link.left)
    if link.relation != "~" or not is_normal(link.right) or not isinstance(left, Letter):
        return None
    mean, variance = _parts(link.right)
    if mean is None or variance is None or any(_is_state(one) for node in (mean, variance) for one in walk(node)):
        return None
    if _is_data(left):
        if not _is_standard(mean, variance):
            known.suppose_data(mean, variance)
        return Opinion(defines=True, reason="supposes the law of the data")
    if left.base in CHECKED or (left.base == "z" and _is_zero(mean)):
        return None
    if _is_zero(mean):
        known.drawn[name_of(left)] = variance
    return Opinion(defines=True, reason="says how a letter is drawn")


def _parts(node: Node) -> tuple[Node | None, Node | None]:
    call = bare(node)
    if not isinstance(call, Call) or len(call.arguments) not in (2, 3):
        return None, None
    return call.arguments[-2], call.arguments[-1]


def _is_state(node: Node) -> bool:
    return isinstance(node, Letter) and node.base in STATES and bool(node.index)


def _is_data(letter: Letter) -> bool:
    indices = [*letter.index]
    zero = len(indices) == 1 and isinstance(indices[0], Number) and indices[0].value == 0
    return letter.base in STATES and not letter.marks and (zero or not indices)


def _is_zero(node: Node) -> bool:
    node = bare(node)
    return isinstance(node, Number) and node.value == 0


def _is_standard(mean: Node, variance: Node) -> bool:
    variance = bare(variance)
    one = isinstance(variance, Number) and variance.value == 1
    return _is_zero(mean) and (one or (isinstance(variance, Letter) and variance.base == "I"))


def drawn_from(link: Link) -> Link | None:
    r"""What is said of the state, where a law is set equal to how it is drawn: :math:`q(x_t \mid x_0) = a x_0 + s \epsilon`."""
    left = bare(link.left)
    if not isinstance(left, Call) or left.function.base not in ("p", "q") or link.relation not in ("=", ":="):
        return None
    of, inner = left.arguments[0], list(walk(link.right))
    drawn = any(isinstance(one, Letter) and one.base in NOISES for one in inner)
    lawful = any(isinstance(one, (Applied, Large)) or (isinstance(one, Letter) and one.base in LAWS) for one in inner)
    if not isinstance(of, Letter) or of.base not in ("x", "z") or not of.index or not drawn or lawful:
        return None
    return Link(of, link.relation, link.right)


def draws_anew(link: Link) -> bool:
    """Whether every noise is another letter: authors write one for several that are independent."""
    drawn = [one for one in walk(link.right) if isinstance(one, Letter) and one.base in NOISES]
    return len({(name_of(one), *map(text_of, one.index)) for one in drawn}) == len(drawn)


def names_a_state(link: Link) -> bool:
    """Whether a bare letter is said to be a state, or a state a bare letter: x_0 = x, x_T = z."""
    left, right = bare(link.left), bare(link.right)
    if not link.is_equation or not isinstance(left, Letter) or not isinstance(right, Letter):
        return False
    plain = [one for one in (left, right) if not one.index and not one.marks and not one.upper]
    return bool(plain) and {left.base, right.base} <= {"x", "X", "z", "y", "epsilon"} and "x" in (left.base.lower(), right.base)


def supposes_no_noise(link: Link, own: str) -> bool:
    """Whether a state is set to what is left of a cleaner one, as where a mean is looked at: x_t = sqrt(abar_t) x_0."""
    return any(one.grade is Grade.AGREES for one in attempt(Way(own, noiseless, tie="free"), link, Known()))
