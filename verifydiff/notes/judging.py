r"""One link of a statement, judged: read in every way that the field reads it, and decided by the proof engine.

The ways are tried in numbers first, which costs microseconds each; the one that can be right is then read in letters and proved. A
link fails if it was understood and is refuted in every way. It is never called wrong because a letter has no meaning here, because
an expectation was not worked out, or because an approximation is one: then it fails only if a single slip makes it exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import thread_time
from typing import Any

from .algebra import Numbers
from .introductions import Opinion, introduces, most_telling, nothing_to_judge, sentence
from .known import Known
from .meanings import read
from .proofs import counterexample, proved
from .reading import Logs
from .rules import Link, backward, bare, bounded, equal, expanded, law, renamed, step, turns_time
from .said import is_time_like, name_of
from .tokens import NotUnderstoodError
from .tree import Call, Gradient, Large, Letter, Mean, Number, Power, Quotient, walk
from .ways import SECONDS, SEEDS, UNWORKED, Grade, Tried, Way, attempt, letters_in, reading_of, ways


def judge_link(link: Link, preferred: Sequence[str], defined: Known) -> Opinion:
    """What is thought of a link on a page that may be written in some conventions, its own first."""
    if (said := nothing_to_judge(link, preferred[0])) is not None:
        return said
    tried = []
    deadline = thread_time() + SECONDS
    for one in ways(link, preferred, defined):
        tried.append(one)
        if thread_time() > deadline:
            break
        if one.grade is Grade.AGREES:
            certain = proved(one, link, defined)
            if certain:
                is_turned = one.way.rule is backward and not turns_time(link)
                convention = "backward" if is_turned else "renamed" if one.way.rule is renamed else one.way.convention
                return Opinion(holds=True, convention=convention, reason=_why(one), ways=tried)
            if certain is None and _is_settled(one):
                return Opinion(reason="the two sides agree in numbers, but that they always do was not proved", ways=tried)
    return _against(tried, link, defined, preferred[0])


def _is_settled(tried: Tried) -> bool:
    return not tried.unknown


_WHY = {
    "law": "the law has this mean and this variance",
    "forward": "the two sides have the same law given the data",
    "step": "the step keeps the marginals, or has the mean of the posterior",
    "proportional": "the logarithms of the two sides have the same slope",
    "fresh_noise": "one of the noises that are in use",
    "guided": "the weights of the predictions sum to one",
    "differential": "the equation has the marginals of the process",
    "backward": "the equation has the marginals of the process",
    "coefficients": "the drift or the diffusion of the process",
    "increments": "the step is one of an equation that has the marginals of the process",
    "langevin": "Langevin dynamics leaves the density as it is",
    "bounded": "what lies between the two sides is a divergence, which is never negative",
    "expanded": "the two sides agree to first order",
    "interpolated": "the weights of the logarithms sum to one",
    "ordered": "the bound holds for every schedule",
}


def _why(tried: Tried) -> str:
    return _WHY.get(tried.way.rule.__name__, "the two sides are equal")


def _against(tried: list[Tried], link: Link, defined: Known, own: str) -> Opinion:
    certain = [one for one in tried if one.grade is Grade.DIFFERS and not one.unknown and not one.averaged]
    if (introducing := introduces(link, tried)) is not None:
        return introducing
    if link.relation in ("<", "<=", ">", ">="):
        return _against_order(link, tried, defined)
    if certain:
        best = most_telling([one for one in certain if one.way.convention == own] or certain)
        example, of = counterexample(best, link, defined)
        approximate = (link.relation == "~~" and best.way.rule is not expanded) or (
            _has_densities_left(certain) and not _is_of_densities(link)
        )
        named = any(one.base in ("alpha", "beta") for one in letters_in((link.left, link.right)))
        if best.way.rule is equal and _is_at_the_end(link):
            return Opinion(reason="it speaks of the last time alone, where the signal may be gone", ways=tried)
        if not approximate and any(_is_rigid(one, own if named else one.way.convention, defined) for one in certain):
            return Opinion(fails=True, reason=sentence(of), counterexample=example, ways=tried)
        reason = "an approximation, which is not judged" if approximate else "it may hold for letters that may be chosen"
        return Opinion(
            doubtful=True, defines=_gives_a_letter(link) and not approximate, reason=reason, counterexample=example, ways=tried
        )
    differing = [one for one in tried if one.grade is Grade.DIFFERS]
    if differing:
        held = sorted({name for one in differing for name in map(_shown, one.unknown)})
        if not held:
            example, _ = counterexample(differing[0], link, defined)
            return Opinion(doubtful=True, reason="an expectation is not worked out", counterexample=example, ways=tried)
        reason = f"nothing is known of {', '.join(held)}"
        left_open = link.relation in ("=", "~") and all(len(name) == 1 and name.islower() for name in held)
        return Opinion(doubtful=True, defines=_gives_a_letter(link) or left_open, reason=reason, ways=tried)
    error = next((one.error for one in tried if one.error is not None), None)
    if error is not None and error.why == UNWORKED:
        return Opinion(doubtful=True, reason=str(error), error=error, ways=tried, counterexample={})
    return Opinion(reason=str(error) if error else "a statement that is not judged", error=error, ways=tried)


def _is_at_the_end(link: Link) -> bool:
    """Whether the only times are the last one and that of the data: v_T = -x_0 where no signal is left."""
    indices = [index for one in letters_in((link.left, link.right)) for index in one.index if is_time_like(index)]
    ends = [one for one in indices if isinstance(one, Letter) and one.base in ("T", "N")]
    return bool(ends) and all(one in ends or (isinstance(one, Number) and one.value == 0) for one in indices)


def _is_rigid(tried: Tried, own: str, known: Known) -> bool:
    """Whether nothing in it may be chosen: schedule, states, noises and predictions of the page's convention."""
    free = [key for key in tried.seen if key[0] == "free"]
    chosen = {str(key[1]) for key in free if key[1] not in known.given or key[-1] not in ("", 0)}
    if chosen and not (tried.way.rule in (step, law) and chosen <= {"sigma", "Sigma_theta"}):
        return False
    if tried.way.convention == "vp-time":
        return not any(key[0] in ("d", "drift", "rate", "u") for key in tried.seen)
    return (
        tried.way.convention == own
        and own in ("ddpm", "ddim", "root", "signal-vp")
        and not any(key[0] in ("d", "drift", "rate", "u", "integral") for key in tried.seen)
        and not any(flag[0] == "lambda" for flag in tried.way.flags)
    )


def _gives_a_letter(link: Link) -> bool:
    """Whether a letter stands alone on the left, so that the link may say how it is chosen."""
    left = bare(link.left)
    if isinstance(left, Power):
        left = bare(left.base)
    if link.relation == "=" and isinstance(left, Quotient):
        held = {one.base for one in letters_in((left,))}
        return bool(held) and held <= {"mu", "sigma", "Sigma", "m", "v", "k", "A", "B", "a", "b"}
    letter = left.function if isinstance(left, Call) else left
    return link.is_equation and isinstance(letter, Letter) and letter.base not in ("x", "X", "z", "p", "q")


def _against_order(link: Link, tried: list[Tried], defined: Known) -> Opinion:
    """An order fails if the opposite one always holds; else it depends on the schedule."""
    below = next((one for one in tried if one.way.rule is bounded and one.grade is Grade.DIFFERS), None)
    if below is not None:
        return Opinion(fails=True, reason="what lies between the two sides is a divergence: the opposite order holds", ways=[below])
    if any(one.averaged or any(key[0] == "L" for key in one.seen) for one in tried):
        return Opinion(reason="an order of expectations or of densities is not worked out", ways=tried)
    turned = Link(link.right, "<=" if link.relation.startswith("<") else ">=", link.left)
    settled = [one for one in tried if not one.unknown and not any(key[0] == "free" for key in one.seen)]
    for way in (one.way for one in settled if one.grade is Grade.DIFFERS):
        for one in attempt(way, turned, defined):
            if one.grade is Grade.AGREES and proved(one, turned, defined):
                example, _ = counterexample(one, link, defined)
                return Opinion(fails=True, reason="the opposite order holds", counterexample=example, ways=tried)
    return Opinion(reason="it holds for some schedules and not for others, or is not worked out", ways=tried)


def _has_densities_left(certain: list[Tried]) -> bool:
    """Whether densities without a closed form are compared with closed forms."""
    return all(any(key[0] == "L" for key in one.seen) for one in certain)


def _is_of_densities(link: Link) -> bool:
    """Whether the link is between densities alone, and fails even where all variables are independent."""
    if link.relation != "=" or any(
        isinstance(one, (Mean, Gradient, Large)) for side in (link.left, link.right) for one in walk(side)
    ):
        return False
    reading = reading_of(Way("ddpm", equal), link, Numbers(SEEDS[0]), Known())
    try:
        one, other = read(link.left, reading), read(link.right, reading)
    except (NotUnderstoodError, ArithmeticError):
        return False
    if not (isinstance(one, Logs) and isinstance(other, Logs)) or one.scalar != 0 or other.scalar != 0:
        return False
    powers: dict[Any, Any] = {}
    for (measure, variables), power in one.plus(other, -1).parts.items():
        for variable in variables:
            powers[measure, variable] = powers.get((measure, variable), 0) + power
    return any(powers.values())


def _shown(letter: Letter) -> str:
    return name_of(letter)
