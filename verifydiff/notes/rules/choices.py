r"""What authors choose: the fresh noise of a sampler, the weights of guidance, the scalings of a network."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..algebra import Value
from ..meanings import value
from ..reading import Key, Reading
from ..said import NETWORKS, Said
from ..times import NoTimeError
from ..tree import Call, Gradient, Letter, Node, Number, Power, Product, walk
from .link import Link, Owed, bare, weights


def fresh_noise(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The fresh noise that a sampler may choose: beta, the posterior's variance, DDIM's family; or a name for the noise level."""
    if not link.is_equation or reading.mode != "plain" or reading.process.convention not in ("ddpm", "ddim", "root"):
        return
    letter, squared = _sigma_of(link.left)
    if letter is None and _sigma_of(link.right)[0] is not None:
        link = Link(link.right, link.relation, link.left)
        letter, squared = _sigma_of(link.left)
    if letter is None:
        return
    said = Said(letter, (), reading)
    if said.labels - NETWORKS - {"large", "small"} or said.marks:
        return
    reading.seen.clear()
    found = value(link.right, reading)
    keys = set(reading.seen)
    if any(key[0] in ("x", "E", "S") for key in keys):
        return
    variance = found if squared else found**2
    at, before = said.at, _other_time(link.right, said.at, reading)
    process = reading.process
    family = process.posterior_variance(at, before)
    free = [key for key in keys if key[0] == "free" and len(key) == 3]
    sign = [] if squared else [Owed("the sign", 0 * found, found, "<=")]
    if any(key[1] == "eta" for key in free):
        eta = next(key for key in free if key[1] == "eta")
        yield [Owed("the variance", variance, reading.letter(eta, "") ** 2 * family), *sign]
        if squared and not reading.known.squares_eta:
            yield [Owed("the variance", variance, reading.letter(eta, "") * family)]
        return
    if free or any(key[0] == "u" for key in keys):
        return
    options = [family, process.added(at, before), process.noise(at) ** 2, process.noise(at) ** 2 / process.signal(at) ** 2]
    for option in options:
        yield [Owed("the variance", variance, option), *sign]


def _sigma_of(node: Node) -> tuple[Letter | None, bool]:
    node = bare(node)
    squared = False
    if isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.value == 2:
        node, squared = bare(node.base), True
    if isinstance(node, Product) and len(node.factors) == 2 and isinstance(node.factors[1], Letter) and node.factors[1].base == "I":
        return _sigma_of(node.factors[0])
    if isinstance(node, Call):
        letter: Node = node.function
        if (
            node.arguments
            and isinstance(node.arguments[0], (Letter, Number))
            and not node.function.index
            and node.function.base == "sigma"
        ):
            letter = Letter(
                node.start, node.end, node.function.base, node.function.marks, (node.arguments[0],), node.function.upper
            )
        node = letter
    if isinstance(node, Letter) and node.base in ("sigma", "Sigma") and (node.index or node.base == "Sigma"):
        return node, squared or node.base == "Sigma"
    return None, False


def _other_time(node: Node, at: int, reading: Reading) -> int:
    """The cleaner time that a choice of noise speaks of."""
    found = set()
    for one in walk(node):
        if isinstance(one, Letter):
            for index in one.index:
                try:
                    found.add(reading.times.of(index))
                except NoTimeError:
                    continue
    lower = [time for time in found if time < at]
    return max(lower) if lower else at - 1


def guided(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A guided prediction, score or mean."""
    if not link.is_equation or reading.mode != "plain":
        return
    found = weights(link.right, reading)
    given = {key[2] for key in found if key and key[0] in ("E", "S")}
    times = {key[1] for key in found if key and key[0] in ("E", "S")}
    chosen = any(key[0] == "free" for key in reading.seen)
    if (
        not any(given)
        or len(times) != 1
        or (_stands_known(link.left, reading) and not (chosen and isinstance(bare(link.left), Gradient)))
    ):
        return
    (at,) = times
    kind = "E" if any(key and key[0] == "E" for key in found) else "S"
    unit = _prediction(link.right, at, reading) if kind == "E" else {}
    scale = next((weight for key, weight in unit.items() if key and key[0] == "E"), reading.number(1))
    condition = next(one for one in sorted(given) if one)

    def share(values: dict[Key, Value], of: str) -> Value:
        noise = reading.process.noise(at)
        eps, score = values.get(("E", at, of), reading.number(0)), values.get(("S", at, of), reading.number(0))
        return (eps - score / noise) / scale if kind == "E" else score

    keys = sorted((key for key in reading.seen if key[0] == "free" and len(key) == 3), key=str)
    with reading.fixing(dict.fromkeys(keys, reading.number(3))):
        settled = share(weights(link.right, reading), condition)
    total = share(found, condition) + share(found, "")
    rest = found[()]
    owed = [Owed("the sum of the weights", total, reading.number(1)), Owed("what is left over", rest, reading.number(0))]
    states = {key for key in (*found, *unit) if key and key[0] == "x"} if unit else set()
    zero = reading.number(0)
    owed += [Owed("the weight of the state", found.get(key, zero), unit.get(key, zero)) for key in sorted(states, key=str)]
    owed.append(Owed("the weight of the prediction with the label", settled, _whole(settled, reading, bool(keys))))
    for key in keys:
        shares = []
        for number in (Fraction(3), Fraction(4)):
            with reading.fixing({key: reading.number(number)}):
                shares.append(share(weights(link.right, reading), condition))
        owed.append(Owed(f"how the guidance grows with {key[1]}", shares[0], shares[1], "<="))
    yield owed


def _prediction(node: Node, at: int, reading: Reading) -> dict[Key, Value]:
    """The weights of the first network that stands alone: of its noise, and of the state beside it."""
    for one in walk(node):
        if isinstance(one, Call) and one.function.base in ("epsilon", "x", "v", "u", "D"):
            seen = set(reading.seen)
            found = weights(one, reading)
            reading.seen = seen
            if any(key and key[:2] == ("E", at) for key in found):
                return found
    return {}


def _whole(settled: Value, reading: Reading, is_chosen: bool) -> Value:
    """The positive number that a weight comes to once what may be chosen is chosen: no level of the schedule is left in it."""
    if not is_chosen:
        return reading.number(1)
    if isinstance(settled, complex):
        return reading.number(max(Fraction(settled.real).limit_denominator(4), Fraction(0)))
    return settled if settled.is_Rational else reading.number(3)


def _stands_known(node: Node, reading: Reading) -> bool:
    """Whether the left side is more than a name for what is guided."""
    node = bare(node)
    letter = node.function if isinstance(node, Call) else node
    if isinstance(node, Gradient):
        return not any(
            isinstance(one, Letter) and (one.marks or one.index or one.upper) and one.base in ("p", "q") for one in walk(node)
        )
    return not isinstance(letter, Letter) or letter.base not in ("epsilon", "s", "v", "x", "D", "f", "F", "u", "mu")


def scalings(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The weight of the loss of Karras et al., and the scalings of consistency models, the identity at their last level."""
    left = bare(link.left)
    letter = left.function if isinstance(left, Call) else left
    if (
        not link.is_equation
        or not isinstance(letter, Letter)
        or letter.base not in ("lambda", "c")
        or reading.process.convention != "ve"
    ):
        return
    said = Said(letter, (), reading)
    found = value(link.right, reading)
    spread = next((key for key in reading.seen if key[0] == "free" and "data" in str(key[1])), None)
    if spread is None:
        return
    data, sigma = reading.letter(spread, ""), reading.process.noise(reading.main)
    last = next((key for key in reading.seen if key[0] == "noise" or (key[0] == "free" and "min" in str(key[1]))), None)
    if letter.base == "lambda":
        yield [Owed("the weight of the loss", found, (sigma**2 + data**2) / (sigma * data) ** 2)]
    elif last is not None:
        gap = sigma - reading.letter(last, "")
        root = reading.algebra.sqrt(sigma**2 + data**2)
        right = {"skip": data**2 / (gap**2 + data**2), "out": data * gap / root}
        for label in sorted(said.labels & set(right)):
            yield [Owed("the scaling", found, right[label])]


def slope_of_noise(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    r"""The slope that a sampler calls d, of the probability flow along the noise level: :math:`(x - D(x; \sigma)) / \sigma`."""
    left = bare(link.left)
    if not link.is_equation or not isinstance(left, Letter) or left.base != "d" or reading.process.convention != "ve":
        return
    if left.index and any(isinstance(one, Call) and one.function.base in ("D", "epsilon", "s") for one in walk(link.right)):
        yield [Owed("the slope", value(link.right, reading), reading.predicted_noise(Said(left, (), reading).at))]


def told(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """What stands on the right of a definition tells networks what they must be told."""
    if link.is_equation:
        value(link.right, reading)
        yield []
