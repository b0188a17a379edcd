r"""What must hold for a statement to be right.

An equation between quantities owes one thing: that its two sides are equal. Other statements say something of a law, and owe what
makes the law so. With :math:`x_t = a_t x_0 + s_t e` and independent standard normal noises:

- a state written by a cleaner one, :math:`x_t = A x_j + \sum b_k \epsilon_k`, owes :math:`A a_j = a_t` and
  :math:`A^2 s_j^2 + \sum b_k^2 = s_t^2`;
- a sampler's step, :math:`x_s = w_0 x_0 + w_e e + \sum c_k z_k` once its prediction is written out, owes either the marginal,
  :math:`w_0 = a_s` and :math:`w_e^2 + \sum c_k^2 = s_s^2`, or the mean of the posterior and a noise that is in use there, or the
  weights of a discretised equation that is in use;
- a stochastic differential equation :math:`dx = D\,dt + G\,dw` owes :math:`D = f - \tfrac12 (g^2 \pm G^2) \nabla \log p`;
- a guided prediction owes weights that sum to one and rise with the guidance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from .algebra import POSITIVE, REAL, Value
from .linear import Linear, NotLinearError
from .reading import STATES, Density, Key, Logs, Normal, Reading, read, value, variables
from .times import NoTimeError
from .tokens import NotUnderstoodError
from .tree import Call, Differential, Gradient, Group, Letter, Node, Number, Power, Product, Quotient, walk
from .vocabulary import NETWORKS, Said, conditional_law, divergence, is_divergence



@dataclass(frozen=True)
class Owed:
    """One thing that must hold: that two values are equal (``==``), or ordered (``<=``, ``<``)."""

    of: str
    left: Value
    right: Value
    relation: str = "=="


@dataclass(frozen=True)
class Link:
    """Two sides and what is said to hold between them."""

    left: Node
    relation: str
    right: Node

    @property
    def is_equation(self) -> bool:
        """Whether the two are said to be equal, at least nearly."""
        return self.relation in ("=", ":=", "~~")


Rule = Callable[[Link, Reading], Iterator[list[Owed]]]
"""Yields every set of things that would make the link right; nothing if the rule is not about such a link."""


def bare(node: Node) -> Node:
    """What a bracket holds."""
    while isinstance(node, Group):
        node = node.body
    return node


def state_time(node: Node, reading: Reading) -> int | None:
    """The time of a state that stands alone; None for anything else."""
    node = bare(node)
    letter = node.function if isinstance(node, Call) else node
    if not isinstance(letter, Letter) or letter.base not in ("x", "X", "z") or letter.marks:
        return None
    if letter.base == "z" and ("z is a state",) not in reading.fixed:
        return None
    if isinstance(node, Letter) and not node.index:
        return None
    try:
        names = variables(node, reading) if letter.base in STATES else frozenset({("x", reading.times.of(letter.index[0]))})
    except (NotUnderstoodError, NoTimeError):
        return None
    return next(iter(names))[1] if len(names) == 1 else None


# -- equations ------------------------------------------------------------


def equal(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The two sides are equal."""
    if not link.is_equation:
        return
    left, right = read(link.left, reading), read(link.right, reading)
    if isinstance(left, Normal) or isinstance(right, Normal):
        return
    if isinstance(left, Density) or isinstance(right, Density):
        one, other = (side if isinstance(side, Density) else _density_of(side, reading) for side in (left, right))
        gap = one.plus(other, -1)
        yield [Owed("the logarithms of the two sides", reading.flat(gap), reading.number(0))]
        return
    if isinstance(left, Logs) or isinstance(right, Logs):
        one, other = (side if isinstance(side, Logs) else Logs(side, {}) for side in (left, right))
        yield [Owed("the difference of the two sides", reading.flat(one.plus(other, -1)), reading.number(0))]
        return
    yield [Owed("the two sides", left, right)]


def _density_of(side: Value | Logs, reading: Reading) -> Density:
    if isinstance(side, Logs):
        raise NotUnderstoodError("log", 0, "a density and a logarithm of one")
    return Density(reading.algebra.log(side), {})


def ordered(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """One side is less than the other."""
    if link.relation in ("<", "<=", ">", ">="):
        left, right = value(link.left, reading), value(link.right, reading)
        if link.relation.startswith(">"):
            left, right = right, left
        yield [Owed("the two sides", left, right, link.relation.replace(">", "<"))]


def proportional(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Two densities are proportional in their first variable: their logarithms have one slope."""
    constant = link.is_equation and any(_is_constant(one) for side in (link.left, link.right) for one in walk(side))
    if link.relation != "prop" and not constant:
        return
    if constant:
        yield from _up_to_constant(link, reading)
        return
    left, right = read(link.left, reading), read(link.right, reading)
    if not isinstance(left, Density) or isinstance(right, Normal):
        return
    call = next((one for one in walk(link.left) if isinstance(one, Call)), None)
    if call is None:
        return
    other = right if isinstance(right, Density) else _density_of(right, reading)
    owed = []
    for name in sorted(variables(call.arguments[0], reading), key=str):
        one_slope = reading.slope_of(left, name, lambda: read(link.left, reading))  # type: ignore[arg-type,return-value]
        other_slope = reading.slope_of(other, name, lambda: _again(link.right, reading))
        owed.append(Owed("the slopes of the two logarithms", one_slope, other_slope))
    yield owed


def _is_constant(node: Node) -> bool:
    return isinstance(node, Letter) and node.base in ("C", "const", "constant") and not node.marks


def _up_to_constant(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Two logarithms of densities are equal but for what does not depend on their variable."""
    left = read(link.left, reading)
    call = next((one for one in walk(link.left) if isinstance(one, Call) and one.function.base in ("p", "q")), None)
    if call is None or not isinstance(left, Logs):
        return
    right = read(link.right, reading)
    if isinstance(right, Normal):
        return
    owed = []
    for name in sorted(variables(call.arguments[0], reading), key=str):
        one = reading.slope_of(left, name, lambda: read(link.left, reading))  # type: ignore[arg-type,return-value]
        logs = right if isinstance(right, Logs) else Logs(right, {})
        other = reading.slope_of(logs, name, lambda: read(link.right, reading))  # type: ignore[arg-type,return-value]
        owed.append(Owed("the slopes of the two logarithms", one, other))
    yield owed


def _again(node: Node, reading: Reading) -> Logs:
    found = read(node, reading)
    return found if isinstance(found, Density) else _density_of(found, reading)  # type: ignore[arg-type]


# -- linear forms ------------------------------------------------------------


def weights(node: Node, reading: Reading) -> dict[Key, Value]:
    """The weight of every vector in an expression that is linear in them; what is left over as that of ``()``.

    Raises:
        NotUnderstoodError: if it is not linear.
    """
    reading.seen.clear()
    reading.is_linear = True
    try:
        whole = value(node, reading)
    except NotLinearError:
        raise NotUnderstoodError(type(node).__name__.lower(), node.start, "not linear in the states and noises") from None
    finally:
        reading.is_linear = False
    if not isinstance(whole, Linear):
        return {(): whole}
    return {(): whole.rest, **whole.weights}


def _square(values: list[Value], reading: Reading) -> Value:
    return sum((one**2 for one in values), reading.number(0))


def _nothing(weight: Value) -> bool:
    return bool(abs(weight) < 1e-12) if isinstance(weight, complex) else bool(weight == 0)


# -- states in law ------------------------------------------------------------


def forward(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A state by a cleaner one and fresh noise."""
    if not link.is_equation or reading.tie != "free":
        return
    at = state_time(link.left, reading)
    if at is None:
        one, other = _law_of(link.left, reading), _law_of(link.right, reading)
        if one is not None and other is not None and (one[2] < 0) == (other[2] < 0):
            yield _same_law(one, other)
        return
    found = _law_of(link.right, reading)
    if found is None or not 0 <= found[2] < at:
        return
    process = reading.process
    own = (process.signal(at), process.noise(at) ** 2, at, [])
    yield _same_law(own, found)


_Law = tuple[Value, Value, int, list[Value]]


def _law_of(node: Node, reading: Reading) -> _Law | None:
    """(weight of the data, variance given the data, the time it starts from, weights of the noises), of A x_j + sum b_k eps_k."""
    try:
        found = weights(node, reading)
    except NotUnderstoodError:
        return None
    states = [key for key in found if key and key[0] == "x"]
    noises = [found[key] for key in found if key and key[0] == "noise"]
    if len(states) > 1 or not noises or len(states) + len(noises) + 1 != len(found) or not _nothing(found[()]):
        return None
    if not states:
        return reading.number(0), _square(noises, reading), -1, noises
    start = states[0][1]
    process, weight = reading.process, found[states[0]]
    variance = weight**2 * process.noise(start) ** 2 + _square(noises, reading)
    return weight * process.signal(start), variance, start, noises


def _same_law(one: _Law, other: _Law) -> list[Owed]:
    owed = [
        Owed("the weight of x_0", one[0], other[0]),
        Owed("the variance given x_0", one[1], other[1]),
    ]
    for noise in (*one[3], *other[3]):
        owed.append(Owed("the sign of the noise", 0 * noise, noise, "<="))
    return owed


def step(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A sampler's step, by its state, its prediction and fresh noise."""
    if not link.is_equation or reading.mode != "plain":
        return
    scaled = _scaled_state(link.left, reading)
    if scaled is None:
        return
    at, scale = scaled
    found = {key: weight / scale for key, weight in weights(link.right, reading).items()}
    start = _start(found, at)
    if start is None or not _nothing(found[()]):
        return
    yield from _steps(found, at, start, reading)


def _scaled_state(node: Node, reading: Reading) -> tuple[int, Value] | None:
    """The time of a state and what it is multiplied by."""
    at = state_time(node, reading)
    if at is not None:
        return at, reading.number(1)
    if not isinstance(bare(node), (Quotient, Product)):
        return None
    found = {key: weight for key, weight in weights(node, reading).items() if key}
    if len(found) != 1 or next(iter(found))[0] != "x":
        return None
    ((key, weight),) = found.items()
    return int(key[1]), weight


def _start(found: dict[Key, Value], at: int) -> int | None:
    """The noisier time that a step starts from, if it is one."""
    times = {key[1] for key in found if key and key[0] in ("x", "E", "S") and not (key[0] == "x" and key[1] == 0)}
    if len(times) == 1 and min(times) > at and at >= 0:
        return int(min(times))
    return None


def _steps(found: dict[Key, Value], at: int, start: int, reading: Reading) -> Iterator[list[Owed]]:
    process = reading.process
    zero = reading.number(0)
    signal, noise = process.signal(start), process.noise(start)
    on_state, on_data = found.get(("x", start), zero), found.get(("x", 0), zero)
    on_noise = sum((weight for key, weight in found.items() if key and key[0] == "E"), zero)
    on_score = sum((weight for key, weight in found.items() if key and key[0] == "S"), zero)
    fresh = [weight for key, weight in found.items() if key and key[0] == "noise" and not _nothing(weight)]
    total_noise = on_noise - on_score / noise
    data, eps = on_state * signal + on_data, on_state * noise + total_noise
    signs = [Owed("the sign of the fresh noise", zero, one, "<=") for one in fresh]
    marginal = [
        Owed("the weight of x_0", data, process.signal(at)),
        Owed("the variance given x_0", eps**2 + _square(fresh, reading), process.noise(at) ** 2),
        Owed("the sign of the predicted noise", zero, eps, "<="),
        *signs,
    ]
    yield marginal
    if at == 0:
        return
    mean = [
        Owed("the weight of x_0", data, process.posterior_mean(start, at, signal, reading.number(1))),
        Owed("the weight of the noise", eps, process.posterior_mean(start, at, noise, zero)),
        *signs,
    ]
    for spread in _spreads(fresh, at, start, reading):
        yield [*mean, *spread]
    if process.convention == "ddpm" and _nothing(on_data):
        yield from _discretised(on_state, -noise * total_noise, fresh, at, start, reading)


def _spreads(fresh: list[Value], at: int, start: int, reading: Reading) -> Iterator[list[Owed]]:
    """The noises that are in use with the mean of the posterior: none, one's own choice, or one of the two common ones."""
    variance = _square(fresh, reading)
    process = reading.process
    if not fresh or any(key[0] == "free" for key in reading.seen):
        yield []
        return
    yield [Owed("the variance of the fresh noise", variance, process.posterior_variance(start, at))]
    yield [Owed("the variance of the fresh noise", variance, process.added(start, at))]


def _discretised(
    on_state: Value, on_score: Value, fresh: list[Value], at: int, start: int, reading: Reading
) -> Iterator[list[Owed]]:
    """Steps of first order along the reverse process (Song et al. 2021, SDE, appendices D and E)."""
    beta = reading.process.added(start, at)
    one = reading.number(1)
    kept = 2 - reading.algebra.sqrt(1 - beta), one + beta / 2
    variance = _square(fresh, reading)
    for state in kept:
        for share, noise in ((one, beta), (one / 2, reading.number(0))):
            yield [
                Owed("the weight of the state", on_state, state),
                Owed("the weight of the score", on_score, share * beta),
                Owed("the variance of the fresh noise", variance, noise),
                *[Owed("the sign of the fresh noise", 0 * each, each, "<=") for each in fresh],
            ]


def langevin(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """Langevin dynamics: x + c score + sqrt(2 c) z."""
    if not link.is_equation or reading.mode != "plain":
        return
    left = bare(link.left)
    if not isinstance(left, Letter) or left.base not in ("x", "z"):
        return
    found = weights(link.right, reading)
    scores = [key for key in found if key and key[0] in ("S", "E")]
    noises = [key for key in found if key and key[0] == "noise"]
    states = [key for key in found if key and key[0] == "x" and not _nothing(found[key])]
    if len(scores) != 1 or len(noises) != 1 or len(states) != 1 or not _nothing(found[()]):
        return
    if scores[0][0] == "E" and ("score",) not in reading.fixed:
        on_score = -found[scores[0]] * reading.process.noise(scores[0][1])
    else:
        on_score = found[scores[0]]
    yield [
        Owed("the weight of the state", found[states[0]], reading.number(1)),
        Owed("the variance of the fresh noise", found[noises[0]] ** 2, 2 * on_score),
        Owed("the sign of the fresh noise", reading.number(0), found[noises[0]], "<="),
    ]


# -- normal laws ------------------------------------------------------------


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
    if _start({**found, ("x", start): found.get(("x", start), reading.number(0))}, at) != start:
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
    free = any(key[0] == "free" for key in reading.seen)
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
        yield posterior
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
    given = {name[1] for name in _states(mean, reading)}
    if not given:
        yield from _prior(at, right, [], reading)
        return
    from .vocabulary import _chain_law

    own = _chain_law(at, given, reading)
    if max(given) > at:
        yield from _backward_law(at, given, own, right, link, [], reading)
    elif own is not None:
        yield _as(right, own)


def _states(node: Node, reading: Reading) -> set[Key]:
    found: set[Key] = set()
    for one in walk(node):
        if isinstance(one, Letter) and one.base in STATES:
            try:
                found |= variables(one, reading)
            except NotUnderstoodError:
                continue
    return {key for key in found if key[0] == "x"}


# -- choices and guidance ------------------------------------------------------------


def fresh_noise(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The fresh noise that a sampler may choose: beta, the posterior's variance, DDIM's family; or a name for the noise level."""
    if not link.is_equation or reading.mode != "plain" or reading.process.convention not in ("ddpm", "ddim"):
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
        yield [Owed("the variance", variance, reading.letter(eta, "") * family), *sign]
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
    condition = next(one for one in sorted(given) if one)

    def share(values: dict[Key, Value], of: str) -> Value:
        noise = reading.process.noise(at)
        eps, score = values.get(("E", at, of), reading.number(0)), values.get(("S", at, of), reading.number(0))
        return eps - score / noise if kind == "E" else score

    keys = sorted((key for key in reading.seen if key[0] == "free" and len(key) == 3), key=str)
    with reading.fixing(dict.fromkeys(keys, reading.number(3))):
        settled = share(weights(link.right, reading), condition)
    total = share(found, condition) + share(found, "")
    rest = found[()]
    owed = [Owed("the sum of the weights", total, reading.number(1)), Owed("what is left over", rest, reading.number(0))]
    owed.append(Owed("the weight of the prediction with the label", settled, _whole(settled, reading, bool(keys))))
    for key in keys:
        shares = []
        for number in (Fraction(3), Fraction(4)):
            with reading.fixing({key: reading.number(number)}):
                shares.append(share(weights(link.right, reading), condition))
        owed.append(Owed(f"how the guidance grows with {key[1]}", shares[0], shares[1], "<="))
    yield owed


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


# -- differentials ------------------------------------------------------------


def differential(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """A stochastic differential equation, or the probability flow."""
    if not link.is_equation or ("continuous",) not in reading.fixed or reading.mode == "unified":
        return
    left = bare(link.left)
    by_time = isinstance(left, Quotient) and isinstance(left.above, Differential) and isinstance(left.below, Differential)
    top = left.above if by_time and isinstance(left, Quotient) else left
    if isinstance(left, Gradient) and _is_plain_state(left.body) and isinstance(left.along, Letter):
        by_time, top = True, Differential(0, 0, Letter(0, 0, "x"))
    if not isinstance(top, Differential) or not _is_plain_state(top.of):
        return
    drift, diffusion = _drift_and_diffusion(link.right, by_time, reading)
    if reading.process.convention == "flow":
        at = reading.main
        eps, data = reading.predicted_noise(at), reading.predicted_data(at)
        yield [Owed("the velocity", drift, reading.velocity(at, eps, data))]
        return
    yield from _equations(drift, diffusion, reading)


def _is_plain_state(node: Node) -> bool:
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and letter.base in ("x", "X", "y", "z") and not letter.marks


def _drift_and_diffusion(node: Node, by_time: bool, reading: Reading) -> tuple[Value, Value]:
    zero, one = reading.number(0), reading.number(1)
    if by_time:
        return value(node, reading), zero
    with reading.fixing({("d", "t"): one, ("d", "w"): zero}):
        drift = value(node, reading)
    with reading.fixing({("d", "t"): zero, ("d", "w"): one}):
        diffusion = value(node, reading)
    with reading.fixing({("d", "t"): one + one, ("d", "w"): one + one + one}):
        whole = value(node, reading)
    if isinstance(whole, complex) and abs(whole - 2 * drift - 3 * diffusion) > 1e-9 * (1 + abs(whole)):
        raise NotUnderstoodError("d", node.start, "not linear in dt and dw")
    return drift, diffusion


def _equations(drift: Value, diffusion: Value, reading: Reading) -> Iterator[list[Owed]]:
    half = reading.number(Fraction(1, 2))
    score = reading.score(reading.main)
    sign = Owed("the sign of the noise", 0 * diffusion, diffusion, "<=")
    for f, g_squared in _processes(reading):
        for direction in (1, -1):
            right = f - half * (g_squared - direction * diffusion**2) * score
            yield [Owed("the drift", drift, right), sign]
        if _nothing(diffusion):
            continue
        backward = half * (g_squared + diffusion**2) * score - f
        yield [Owed("the drift, with time running backward", drift, backward), sign]


def _processes(reading: Reading) -> Iterator[tuple[Value, Value]]:
    """(f, g^2) of the processes that are in use: any, VP, sub-VP, VE, and the general scale of Karras et al."""
    x = reading.state(reading.main)
    letters = {key[:2] for key in reading.seen}
    half = reading.number(Fraction(1, 2))
    if ("drift", "f") in letters or ("drift", "g") in letters:
        yield reading.letter(("drift", "f"), "f", REAL), reading.letter(("drift", "g"), "g", POSITIVE) ** 2
        yield reading.letter(("drift", "f"), "f", REAL) * x, reading.letter(("drift", "g"), "g", POSITIVE) ** 2
        yield 0 * x, reading.letter(("drift", "g"), "g", POSITIVE) ** 2
    if ("rate", "beta") in letters:
        beta = reading.letter(("rate", "beta"), r"\beta", POSITIVE)
        yield -half * beta * x, beta
        whole = reading.letter(("integral", "beta"), r"\int\beta", POSITIVE)
        yield -half * beta * x, beta * (1 - reading.algebra.exp(-2 * whole))
    if ("rate", "sigma") in letters:
        rate = reading.letter(("rate", "sigma", ""), r"\dot\sigma", POSITIVE)
        key = next((key for key in reading.seen if key[0] == "free" and key[1] == "sigma"), None)
        level = reading.process.noise(reading.main) if key is None else reading.letter(key, r"\sigma")
        yield 0 * x, 2 * level * rate
    elif reading.process.convention == "ve":  # the noise level is the time
        yield 0 * x, 2 * reading.process.noise(reading.main)


def is_continuous(link: Link) -> bool:
    """Whether the statement is about continuous time: something is differentiated or drifts."""
    return any(isinstance(one, Differential) for side in (link.left, link.right) for one in walk(side)) or any(
        isinstance(one, Gradient) and isinstance(one.along, Letter) and one.along.base == "t" for one in walk(link.left)
    )


def scalings(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """The weight of the loss of Karras et al., and the scalings of consistency models, which are the identity at their last level."""
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


def told(link: Link, reading: Reading) -> Iterator[list[Owed]]:
    """What stands on the right of a definition tells networks what they must be told."""
    if link.is_equation:
        value(link.right, reading)
        yield []


RULES: tuple[Rule, ...] = (equal, law, forward, step, proportional, ordered, fresh_noise, guided, differential, scalings, langevin)
