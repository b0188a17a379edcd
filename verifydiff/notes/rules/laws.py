r"""Statements that a density or a letter is normal, with a mean and a variance."""

from __future__ import annotations

from collections.abc import Iterator

from ..densities import chain_law, conditional_law
from ..meanings import read, value
from ..reading import STATES, Density, Key, Normal, Reading
from ..tokens import NotUnderstoodError
from ..tree import Call, Letter, Node
from ..variables import named_states, variables
from .link import Link, Owed, bare, chosen_variances, state_time, weights
from .states import start_of


def law(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A density, or a letter, is normal with a mean and a variance."""
    if link.relation not in ("=", ":=", "~", "~~"):
        return
    right = read(link.right, reading)
    if isinstance(right, Density) and isinstance(bare(link.right), Call) and isinstance(read(link.left, reading), Normal):
        link = Link(link.right, link.relation, link.left)
        right = read(link.right, reading)
    if not isinstance(right, Normal):
        return
    left = bare(link.left)
    if isinstance(left, Call) and not _is_state_call(left):
        yield from _density_law(left, right, link, reading)
    elif isinstance(left, (Letter, Call)):
        yield from _letter_law(left, right, link, reading)


def _is_state_call(node: Call) -> bool:
    return node.function.base in STATES


def _density_law(left: Call, right: Normal, link: Link, reading: Reading) -> Iterator[list[Owed]]:
    found = read(left, reading)
    if not isinstance(found, Density):
        return
    own = conditional_law(left, found, reading)
    of = {key[1] for key in variables(left.arguments[0], reading) if key[0] == "x"}
    given = {name[1] for key in found.parts for name in key[1] if name[0] == "x"} - of
    if len(of) != 1:
        return
    (at,) = of
    named = [] if right.of is None else [Owed("the letter that is distributed", right.of, reading.state(at))]
    if given and max(given) > at:
        yield from _backward_law(at, given, own, right, link, named, reading)
    elif own is not None:
        yield [*named, *_as(right, own)]
    elif not given:
        yield from _prior(at, right, named, reading)


def _as(right: Normal, own: Normal) -> list[Owed]:
    return [Owed("the mean", right.mean, own.mean), Owed("the variance", right.variance, own.variance)]


def _backward_law(
    at: int, given: set[int], own: Normal | None, right: Normal, link: Link, named: list[Owed], reading: Reading
) -> Iterator[list[Owed]]:
    """A step backward: the posterior, or a kernel that keeps the marginals, or a network's step."""
    if own is not None and given >= {0} and 0 in given:
        yield [*named, *_as(right, own)]
    start = max(given)
    mean = _normal_parts(link.right)[0]
    found = weights(mean, reading)
    if any(key[0] == "free" and "sigma" not in str(key[1]) for key in reading.seen):
        return
    if start_of({**found, ("x", start): found.get(("x", start), reading.number(0))}, at) != start:
        return
    chosen = _free_keys(_normal_parts(link.right)[1], reading)
    reading.seen |= chosen
    zero, process = reading.number(0), reading.process
    on_state, on_data = found.get(("x", start), zero), found.get(("x", 0), zero)
    total = sum(
        (weight if key[0] == "E" else -weight / process.noise(start) for key, weight in found.items() if key and key[0] in "ES"),
        zero,
    )
    data, eps = on_state * process.signal(start) + on_data, on_state * process.noise(start) + total
    free = bool(chosen_variances(reading))
    if free or 0 not in given:
        yield [
            *named,
            Owed("the weight of x_0", data, process.signal(at)),
            Owed("the variance given x_0", eps**2 + right.variance, process.noise(at) ** 2),
            Owed("the sign of the predicted noise", zero, eps, "<="),
        ]
    if 0 in given:
        return
    posterior = [
        *named,
        Owed("the weight of x_0", data, process.posterior_mean(start, at, process.signal(start), reading.number(1))),
        Owed("the weight of the noise", eps, process.posterior_mean(start, at, process.noise(start), zero)),
    ]
    if free:
        yield from ([*posterior, Owed("the variance", right.variance, one)] for one in chosen_variances(reading))
        return
    for variance in (process.posterior_variance(start, at), process.added(start, at)):
        yield [*posterior, Owed("the variance", right.variance, variance)]


def _normal_parts(node: Node) -> tuple[Node, Node]:
    """The mean and the variance, as they are written."""
    call = bare(node)
    if not isinstance(call, Call) or len(call.arguments) not in (2, 3):
        raise NotUnderstoodError(r"\mathcal{N}", node.start, "a normal law has a mean and a variance")
    return call.arguments[-2], call.arguments[-1]


def _free_keys(node: Node, reading: Reading) -> set[Key]:
    before = set(reading.seen)
    reading.seen.clear()
    value(node, reading)
    found = set(reading.seen)
    reading.seen = before
    return found


def _prior(at: int, right: Normal, named: list[Owed], reading: Reading) -> Iterator[list[Owed]]:
    if reading.data is not None:
        mean, variance = reading.data_law(at)
        yield [*named, Owed("the mean", right.mean, mean), Owed("the variance", right.variance, variance)]
    if at >= reading.times.place["T"] or at == reading.main:
        yield [*named, Owed("the mean", right.mean, reading.number(0)), Owed("the variance", right.variance, reading.number(1))]


def _letter_law(left: Letter | Call, right: Normal, link: Link, reading: Reading) -> Iterator[list[Owed]]:
    letter = left.function if isinstance(left, Call) else left
    if letter.base in ("epsilon", "z", "xi") and not ({"hat", "tilde"} & set(letter.marks)) and right.of is None:
        yield [Owed("the mean", right.mean, reading.number(0)), Owed("the variance", right.variance, reading.number(1))]
        return
    at = state_time(left, reading)
    if at is None:
        return
    mean, _ = _normal_parts(link.right)
    given = {name[1] for name in named_states(mean, reading) if name[0] == "x"}
    if not given:
        yield from _prior(at, right, [], reading)
        return
    own = chain_law(at, given, reading)
    if max(given) > at:
        yield from _backward_law(at, given, own, right, link, [], reading)
    elif own is not None:
        yield _as(right, own)
