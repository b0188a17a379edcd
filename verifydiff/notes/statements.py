r"""From the spans of a page to judged statements.

A page is a sequence of spans of mathematics with the words between them. Every span that states something is judged once for each
statement in it: a chain :math:`a = b = c` is one statement and stands as its weakest link does, each line of an ``align`` that
stands alone is another. A span that only names something, such as :math:`x_t`, states nothing and is passed over; one that begins
with a relation goes on with the last side of the one before it; what words join is joined before (:mod:`.documents.joining`).

What a page says early holds for what it says later: a symbol that it introduces is remembered. Its convention is read off its
formulas together: where :math:`\bar\alpha` is written, :math:`\alpha` is one factor; where it is not, the convention under which
most formulas hold is the page's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .blame import Case, settled
from .claims import claimed, mended
from .introductions import Opinion, introduced, kind_of_lambda, settles
from .judging import judge_link
from .known import Known
from .mending import barred, suggestions
from .page import Judged, Span, Standing
from .parser import parse
from .process import CLOCKS, CONVENTIONS, RATES
from .rules import Link, bare, is_loss
from .said import name_of
from .suppositions import IF, WITH, drawn_from, draws_anew, names_a_state, supposed, supposes_no_noise
from .tokens import NotUnderstoodError
from .tree import Call, Chain, Dots, Letter, Node, Power, walk
from .ways import agrees, letters_in

VOTERS = 30
SHORTENED = {"term-added", "factor-added", "division-added"}
"""Changes that cut off what does not fit, and so explain nothing where a letter may have another meaning."""
REGIVEN = {"lambda", "w", "omega", "gamma", "kappa"}
"""Weights, which a page gives anew for every loss."""
BROKEN = "the reader broke on it"


@dataclass
class Piece:
    """One statement of the page.

    Attributes:
        span: where it begins.
        source: the text that its positions refer to.
        chain: its sides and relations.
        error: why it could not be read.
        opinions: of its links.
    """

    span: Span
    source: str
    chain: Chain | None
    error: NotUnderstoodError | None = None
    opinions: list[Opinion] = field(default_factory=list)

    @property
    def latex(self) -> str:
        """The statement as it is written."""
        if self.chain is None:
            return self.source
        return self.source[self.chain.start : self.chain.end].strip()

    @property
    def words(self) -> tuple[str, str]:
        """The words before and after it, where it begins and ends its span."""
        start, end = (0, 0) if self.chain is None else (self.chain.start, self.chain.end)
        before = "" if self.source[:start].strip() else self.span.before
        return before, "" if self.source[end:].strip(" .,;") else self.span.after

    @property
    def line(self) -> int:
        """The line of the page on which it begins."""
        start = 0 if self.chain is None else self.chain.start
        return self.span.line + self.source.count("\n", 0, start)


def judge(spans: Sequence[Span]) -> list[Judged]:
    """Judge every statement of a page, in the order of the page.

    Args:
        spans: the mathematics of the page, in its order.
    """
    pieces = list(_pieces(spans))
    preferred = _convention(pieces)
    known = Known(is_latent=_is_latent(pieces), squares_eta=_squares_eta(pieces))
    found = [one for piece in pieces for one in _judged(piece, preferred, known)]
    found = [_once_more(piece, one, preferred, known) for piece, one in zip(pieces, found, strict=True)]
    return settled(
        [Case(piece.source, piece.chain, _links(piece), one) for piece, one in zip(pieces, found, strict=True)], preferred, known
    )


def _once_more(piece: Piece, judged: Judged, preferred: Sequence[str], known: Known) -> Judged:
    """What was not understood, read again with what the page says behind it: a letter may be explained after its use."""
    if judged.status is not Standing.NOT_UNDERSTOOD or piece.chain is None or not _may_hold(piece, preferred, known):
        return judged
    (again,) = _judged(piece, preferred, known)
    return again if again.status is Standing.HOLDS else judged


def _may_hold(piece: Piece, preferred: Sequence[str], known: Known) -> bool:
    """Whether nothing speaks against a statement with what the page says in the end; corrections are not looked for."""
    links = _links(piece)
    try:
        opinions = [_weighed(piece, links, place, preferred, known) for place in range(len(links))]
    except Exception:  # told where the formula itself was judged
        return False
    return any(one.holds for one in opinions) and not any(one.fails or one.doubtful for one in opinions)


# -- pieces ------------------------------------------------------------


def _pieces(spans: Sequence[Span]) -> Iterator[Piece]:
    last: Piece | None = None
    for span in spans:
        for piece in _read(span):
            if piece.chain is not None and _begins_with_relation(piece.chain):
                piece = _continued(piece, last) or piece
            if piece.error is not None or (piece.chain is not None and piece.chain.relations):
                yield piece
            if piece.chain is not None:
                last = piece


def _read(span: Span) -> list[Piece]:
    source = span.latex
    try:
        chains = parse(source)
    except NotUnderstoodError as error:
        return [Piece(span, source, None, error)] if _says_something(source) else []
    found = [Piece(span, source, chain) for chain in chains]
    stating = [piece for piece in found if piece.chain is not None and piece.chain.relations]
    return [piece for piece in found if piece not in stating or len(stating) == 1 or not _is_condition(piece)]


def _is_latent(pieces: Sequence[Piece]) -> bool:
    """Whether the states of the page are z_t, and its data a bare x."""
    held = [{one.base for one in letters_in(piece.chain.sides) if one.index and not one.marks} for piece in pieces if piece.chain]
    latent, plain = sum("z" in one and "x" not in one for one in held), sum("x" in one for one in held)
    return latent >= 2 and latent >= plain


def _squares_eta(pieces: Sequence[Piece]) -> bool:
    """Whether eta scales a deviation in more formulas than a variance."""
    votes = 0
    for chain in [piece.chain for piece in pieces if piece.chain is not None and piece.chain.relations]:
        head, *sides = chain.sides
        for side in sides:
            if any(one.base == "eta" for one in letters_in((side,))) and any(one.base == "sigma" for one in letters_in((head,))):
                votes += 1 if _is_square(head) == any(_is_square(one) for one in walk(side)) else -1
    return votes > 0


def _is_square(node: Node) -> bool:
    """Whether it is the square of eta or sigma."""
    return (
        isinstance(node, Power)
        and isinstance(node.base, (Letter, Call))
        and any(one.base in ("eta", "sigma") for one in letters_in((node.base,)))
    )


def _says_something(source: str) -> bool:
    """Whether what could not be read may state something; a price or a stray letter does not."""
    return len(source) > 200 or any(sign in source for sign in ("=", "\\", "<", ">")) or not source.isprintable()


def _is_condition(piece: Piece) -> bool:
    """A side remark such as t = 1, ..., T or t > 1."""
    chain = piece.chain
    if chain is None:
        return False
    held = letters_in(chain.sides)
    return all(one.base in ("t", "s", "i", "n", "k", "j", "T", "N", "S") and not one.index for one in held)


def _begins_with_relation(chain: Chain) -> bool:
    return bool(chain.relations) and isinstance(chain.sides[0], Dots) and chain.sides[0].start == chain.sides[0].end


def _continued(piece: Piece, last: Piece | None) -> Piece | None:
    """A span that begins with a relation goes on with the last side of what stands before it."""
    if last is None or last.chain is None or piece.chain is None:
        return None
    tail = last.source[last.chain.sides[-1].start : last.chain.sides[-1].end]
    source = f"{tail} {piece.source[piece.chain.start : piece.chain.end]}"
    try:
        chains = parse(source)
    except NotUnderstoodError:
        return None
    return Piece(piece.span, source, chains[0]) if len(chains) == 1 else None


# -- the page's convention ------------------------------------------------------------


def _convention(pieces: Sequence[Piece]) -> list[str]:
    """The conventions of the page, its own first; those that it does not keep come after None of its own hold."""
    held = [letter for piece in pieces if piece.chain is not None for letter in letters_in(piece.chain.sides)]
    barred = any(one.base == "alpha" and "bar" in one.marks for one in held)
    if not any(one.base in ("alpha", "beta") for one in held):
        return list(CONVENTIONS)
    votes = dict.fromkeys(("ddpm", "root") if barred else ("ddpm", "ddim", "root", "signal-vp", "signal"), 0)
    links = [link for piece in pieces for link in _links(piece) if link.is_equation or link.relation == "~"]
    for link in [one for one in links if any(letter.base in ("alpha", "beta") for letter in letters_in((one.left, one.right)))][
        :VOTERS
    ]:
        for convention in votes:
            votes[convention] += _agrees(link, convention)
    usual = next(iter(votes))
    best = max(votes, key=lambda one: votes[one])
    if best == "root" and votes[best] < votes[usual] + 2:  # rare, and a lost root or two on another page looks like it
        best = usual
    return [best, *(one for one in CONVENTIONS if one != best)]


def _agrees(link: Link, convention: str) -> bool:
    try:
        return agrees(link, convention)
    except Exception:  # told where the formula itself is judged
        return False


def _links(piece: Piece) -> list[Link]:
    """The links of a chain; over an ellipsis, its neighbours are linked."""
    chain = piece.chain
    if chain is None:
        return []
    found: list[Link] = []
    left: Node | None = chain.sides[0]
    over: list[str] = []
    for relation, side in zip(chain.relations, chain.sides[1:], strict=True):
        over.append(relation)
        if isinstance(side, Dots):
            continue
        if left is not None and not isinstance(left, Dots):
            found += [_linked(left, one, side, chain.sides[0]) for one in dict.fromkeys(over)]
        left, over = side, []
    return found


def _linked(left: Node, relation: str, right: Node, head: Node) -> Link:
    """The link of two sides; what is defined by the other stands first."""
    return Link(right, ":=", left, head) if relation == "=:" else Link(left, relation, right, head)


# -- judging ------------------------------------------------------------


def _judged(piece: Piece, preferred: Sequence[str], known: Known) -> Iterator[Judged]:
    if piece.chain is None:
        yield Judged(piece.span, piece.line, piece.latex, Standing.NOT_UNDERSTOOD, str(piece.error))
        return
    links = _links(piece)
    if not links and piece.chain.relations[-1] == "~":
        yield Judged(piece.span, piece.line, piece.latex, Standing.DEFINITION, "says how letters are drawn")
        return
    if not links:
        yield Judged(piece.span, piece.line, piece.latex, Standing.NOT_UNDERSTOOD, "an ellipsis stands in place of a side")
        return
    try:
        if (claim := claimed(links[0], *piece.words)) is not None and len(links) == 1:
            yield _claim(piece, links[0], claim)
            return
        opinions = [_weighed(piece, links, place, preferred, known) for place in range(len(links))]
        standing = _standing(piece, links, opinions, preferred, known)
        if standing.status is not Standing.FAILS:
            _remember(links, opinions, known)
        yield standing
    except Exception as error:  # the rest of the page is judged, whatever a formula does to the reader
        reason = f"{BROKEN} ({type(error).__name__})"
        yield Judged(piece.span, piece.line, piece.latex, Standing.NOT_UNDERSTOOD, reason)


def _claim(piece: Piece, link: Link, claim: Opinion) -> Judged:
    status = Standing.HOLDS if claim.holds else Standing.FAILS
    found = () if claim.holds else mended(link, piece.source)
    return Judged(piece.span, piece.line, piece.latex, status, claim.reason, None, found)


def _weighed(piece: Piece, links: list[Link], place: int, preferred: Sequence[str], known: Known) -> Opinion:
    """The opinion of a link, and what the page makes of it: a supposition claims nothing, a letter may be given another value."""
    link, before = links[place], piece.words[0]
    opinion = _opinion(links, place, preferred, known)
    if place or not (opinion.fails or opinion.doubtful or opinion.error):
        return opinion
    if (IF.search(before) or WITH.search(before)) and supposes_no_noise(link, preferred[0]):
        return Opinion(defines=True, reason="supposes a state without its noise")
    name = _introduced_before(link, known)
    if name and is_loss(link.left):  # a loss is given anew whenever a constant or a weight is dropped
        return replace(opinion, fails=False, doubtful=True, defines=True, introduces=True, reason="gives a loss anew")
    if name == "lambda" and link.is_equation:
        rest = replace(known, letters={key: one for key, one in known.letters.items() if key != name})
        if (anew := _opinion(links, place, preferred, rest)).holds:
            return anew
    if name in REGIVEN and link.is_equation:  # half the log-SNR in one section, the whole of it in another
        return Opinion(defines=True, introduces=True, reason="gives the letter another value")
    if opinion.fails and (name or IF.search(before)):
        return replace(
            opinion,
            fails=False,
            doubtful=True,
            defines=bool(name),
            introduces=bool(name),
            reason="the page gave the letter another value",
        )
    return opinion


def _introduced_before(link: Link, known: Known) -> str:
    """The name of what stands on the left, if the page has introduced it."""
    left = bare(link.left)
    letter = left.function if isinstance(left, Call) else left
    if not isinstance(letter, Letter) or not (said := known.letters.get(name_of(letter))):
        return ""
    is_indexed = any(one.index is not None or one.at is not None for one in said)
    return "" if bool(letter.index) and not is_indexed and not said[0].arguments else name_of(letter)


def _opinion(links: list[Link], place: int, preferred: Sequence[str], known: Known) -> Opinion:
    link = links[place]
    if (opinion := supposed(link, known)) is not None:
        return opinion
    if names_a_state(link):
        return Opinion(defines=True, reason="names a state")
    if (state := drawn_from(link)) is not None:
        head = judge_link(state, preferred, known)
        settled = head.holds or (head.fails and draws_anew(state))
        return replace(head, link=state) if settled else Opinion(reason="how a state is drawn is not worked out")
    opinion = judge_link(link, preferred, known)
    if (
        place
        and not opinion.holds
        and (link.is_equation or link.relation == "~")
        and links[0].is_equation
        and _is_state(links[0].left)
    ):
        whole = Link(links[0].left, link.relation, link.right)
        head = judge_link(whole, preferred, known)
        if head.holds or (head.fails and not opinion.fails):
            return replace(head, link=whole)
    return opinion


def _remember(links: list[Link], opinions: list[Opinion], known: Known) -> None:
    """What a formula that does not fail has introduced."""
    for link, opinion in zip(links, opinions, strict=True):
        if (opinion.introduces or (opinion.holds and settles(link, opinion))) and (said := introduced(link)) is not None:
            known.introduce(*said)
        if opinion.defines and (said := introduced(link)) is not None and said[0] == "beta" and said[1].arguments:
            known.schedules["beta"] = said[1]
        if kind := kind_of_lambda(link, opinion):
            known.halves = kind
            known.letters.pop("lambda", None)
        if opinion.holds and opinion.convention in CLOCKS and not _agrees(link, *(CLOCKS - {opinion.convention})):
            known.clock = opinion.convention
        if opinion.holds and opinion.convention in RATES:
            known.rate = opinion.convention


def _standing(piece: Piece, links: list[Link], opinions: list[Opinion], preferred: Sequence[str], known: Known) -> Judged:
    line, latex, span = piece.line, piece.latex, piece.span
    for place, opinion in enumerate(opinions):
        if opinion.fails or opinion.doubtful:
            found = suggestions(piece.source, piece.chain, links, place, opinions, preferred, known)
            if opinion.doubtful and opinion.defines:
                found = tuple(one for one in found if one.slip not in SHORTENED)
            if opinion.fails or (
                found and opinion.counterexample is not None and links[place].relation in ("=", ":=", "~", "~~", "prop")
            ):
                reason = _at(
                    place, links, opinion.reason if opinion.fails else "the two sides differ, and a single change mends it"
                )
                return Judged(span, line, latex, Standing.FAILS, reason, opinion.counterexample, found)
    for place, opinion in enumerate(opinions):
        if place and links[place].is_order and not opinion.fails and _is_number(links[place].right):
            continue  # a condition that ends a chain: h = a - b > 0
        if not (opinion.holds or opinion.defines):
            return Judged(span, line, latex, Standing.NOT_UNDERSTOOD, _at(place, links, opinion.reason))
    own = preferred[0]
    named = any(letter.base in ("alpha", "beta") for link in links for letter in letters_in((link.left, link.right)))
    foreign = next((one for one in opinions if one.holds and named and _is_foreign(one.convention, own)), None)
    if foreign is not None and (failing := _own_failure(piece, links, opinions, foreign, preferred, known)) is not None:
        return failing
    if foreign is not None:
        reason = f"it holds where {_WORDS[foreign.convention]}, which this page does not keep"
        return Judged(span, line, latex, Standing.NOTATION, reason, None, barred(piece.source, piece.chain, foreign.convention))
    if any(link.relation == "~" and _is_law_of_density(link) for link in links) or any(_equates_law(link) for link in links):
        return Judged(span, line, latex, Standing.NOTATION, "it holds, but a law and what has it are not equal")
    if any(one.holds for one in opinions):
        return Judged(span, line, latex, Standing.HOLDS, next(one.reason for one in opinions if one.holds))
    return Judged(span, line, latex, Standing.DEFINITION, opinions[0].reason)


def _own_failure(
    piece: Piece, links: list[Link], opinions: list[Opinion], foreign: Opinion, preferred: Sequence[str], known: Known
) -> Judged | None:
    """A formula that holds where letters are roots, but that one lost root explains better."""
    if foreign.convention != "root":
        return None
    place = opinions.index(foreign)
    usual = [one for one in preferred if one != "root"]
    opinion = judge_link(links[place], usual, known)
    seen = [*opinions[:place], opinion, *opinions[place + 1 :]]
    found = suggestions(piece.source, piece.chain, links, place, seen, usual, known)
    if not found or not opinion.fails:
        return None
    reason = _at(place, links, f"{opinion.reason}; it would hold where {_WORDS['root']}")
    return Judged(piece.span, piece.line, piece.latex, Standing.FAILS, reason, opinion.counterexample, found)


def _is_number(node: Node) -> bool:
    return not letters_in((node,))


def _is_state(node: Node) -> bool:
    """Whether it is a state, of which the links of a chain say the law."""
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and letter.base in ("x", "z", "X")


def _at(place: int, links: list[Link], reason: str) -> str:
    return reason if len(links) == 1 else f"link {place + 1} of {len(links)}: {reason}"


_WORDS = {
    "ddpm": "alpha_t is 1 - beta_t",
    "ddim": "alpha_t is the whole product (abar_t)",
    "renamed": "alpha_t names the signal that is left",
    "backward": "time runs backward along the equation",
    "root": "alpha_t and beta_t are square roots, alpha_t^2 + beta_t^2 = 1",
}


def _is_foreign(convention: str, own: str) -> bool:
    return convention in _WORDS and own in _WORDS and convention != own


def _is_law_of_density(link: Link) -> bool:
    if not isinstance(link.left, Call) or link.left.function.start == link.left.function.end:
        return False
    return link.left.function.base in ("p", "q")


def _equates_law(link: Link) -> bool:
    if drawn_from(link) is not None:
        return True
    right: Any = link.right
    is_law = isinstance(right, Call) and right.function.base == "cal:N" and len(right.arguments) == 2
    return link.relation in ("=", ":=") and is_law and isinstance(link.left, Letter)
