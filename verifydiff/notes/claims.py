r"""What words beside a formula claim of it: ":math:`\eta = 0` is deterministic", "当 :math:`\eta=1` 时退化为 DDPM".

DDIM's family, :math:`\sigma_t = \eta \sqrt{\tilde\beta_t}`, has no fresh noise at :math:`\eta = 0` (DDIM, a probability flow) and
the posterior's at :math:`\eta = 1` (DDPM, ancestral sampling). A claim is read in the clause that the formula begins, and nowhere
else; a clause that denies, compares or names both ends claims nothing here.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .introductions import Opinion
from .page import Suggestion
from .rules import Link, bare
from .tree import Letter, Node, Number

DETERMINISTIC = re.compile(
    r"determinis|no\s+(?:fresh\s+|added\s+|random\s+)?noise|noise[- ]?free|\bDDIM\b|probability[- ]flow|\bODE\b"
    r"|确定性|确定的|无噪声|没有随机|概率流",
    re.IGNORECASE,
)
STOCHASTIC = re.compile(r"\bDDPM\b|ancestral|stochastic|祖先采样|随机采样|随机的|随机性", re.IGNORECASE)
DENIED = re.compile(
    r"\bnot\b|n't\b|\bno\s+longer|\bunlike|\binstead|\brather|\bthan\b|\bversus\b|\bbetween\b|\bnor\b|\bless\b|\bmore\b|\bfrom\b|不|非|而不是|之间|从|相比"
    r"|区别",
    re.IGNORECASE,
)
CLAUSE = re.compile(r"^(?:[^.,;:!?()\[\]，。；：！？（）、]|\.(?=\d))*")
VERB = re.compile(
    r"^\s*(?:,\s*)?(?:(?:it|this|we|the\s+\w+(?:\s+\w+)?|which|one|that)\s+)?(?:also\s+|just\s+|simply\s+|exactly\s+|then\s+)?"
    r"(?:is|are|gives?|gets?|get|yields?|recovers?|corresponds?|becomes?|reduces?|means?|makes?|has|have|leads?|produces?|obtains?|for"
    r"|时|则|即|就|便|对应|得到|退化|是|为|恢复|变|等价)",
    re.IGNORECASE,
)
NAMED = re.compile(r"(\w[\w\s-]*?)\s*[(（]\s*(?:i\.e\.,?\s*|with\s+|即\s*)?$")


def claimed(link: Link, before: str, after: str) -> Opinion | None:
    """What the words around ``eta = 0``, ``eta = 1`` or ``sigma_t = 0`` claim of it; None if nothing."""
    number = _chosen(link)
    if number is None:
        return None
    said = _said_after(after)
    if said is None:
        said = _said_before(before)
    if said is None:
        return None
    is_eta = isinstance(bare(link.left), Letter) and getattr(bare(link.left), "base", "") == "eta"
    holds = (number == 0) == (said == "deterministic") if is_eta else number == 0 or said != "deterministic"
    if holds:
        return Opinion(holds=True, reason=f"the sampler is {said} there")
    actual = "deterministic" if number == 0 else "stochastic"
    return Opinion(fails=True, reason=f"the sampler is {actual} there, and the words say that it is {said}")


def mended(link: Link, source: str) -> tuple[Suggestion, ...]:
    """The other end of the family."""
    right = bare(link.right)
    start, end = right.start - link.left.start, right.end - link.left.start
    other = "0" if _chosen(link) != 0 else "1"
    head, tail = source[link.left.start : right.start], source[right.end : link.right.end]
    return (
        Suggestion(f"{head}{other}{tail}", start, end, rf"{head}\boxed{{{other}}}{tail}", "other-end", f"{other}, the other end"),
    )


def _chosen(link: Link) -> Fraction | None:
    """The number that eta, or the fresh noise, is set to."""
    left, right = bare(link.left), bare(link.right)
    if not link.is_equation or not _is_choice(left) or not isinstance(right, Number):
        return None
    return right.value if right.value in (0, 1) else None


def _is_choice(node: Node) -> bool:
    return isinstance(node, Letter) and not node.marks and (node.base == "eta" or (node.base == "sigma" and bool(node.index)))


def _said_after(after: str) -> str | None:
    if not VERB.match(after):
        return None
    match = CLAUSE.match(after.lstrip(" ,，"))
    return _kind(match[0] if match else "")


def _said_before(before: str) -> str | None:
    match = NAMED.search(before)
    return _kind(" ".join(match[1].split()[-2:])) if match else None


def _kind(clause: str) -> str | None:
    if DENIED.search(clause):
        return None
    one, other = DETERMINISTIC.search(clause), STOCHASTIC.search(clause)
    if bool(one) == bool(other):
        return None
    return "deterministic" if one else "stochastic"
