r"""The field's letters: what an author means by :math:`\tilde\beta_t`, :math:`\epsilon_\theta(x_t, t)` or :math:`c_{\text{skip}}`.

A letter that stands here has one meaning under one convention, or none there; what does not stand here is unknown, unless the page
has introduced it. Weights that anybody may choose (:math:`\eta`, :math:`w`, the fresh noise :math:`\sigma_t`) are *free*: they are
known, but nothing about them can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .algebra import POSITIVE, REAL, SMALL, Value
from .densities import DENSITIES, density, divergence, is_divergence, normal
from .known import Introduced
from .process import FLOWS, RATES, UPWARD, NoSuchLetterError
from .reading import STATES, Logs, Normal, Reading, refused
from .said import NETWORKS, Said, name_of, text_of
from .times import LETTERS, NoTimeError, is_nested
from .tokens import NotUnderstoodError
from .tree import Call, Letter, Node, walk
from .walk import NO_SUCH_LETTER, reads, value
from .words import words

COUNTED = words("h r k c")
"""Letters that may stand for one thing alone and for another with a number."""

CONSTANTS = words("C const constant")

WEIGHTS = words("dt eta w gamma omega k zeta rho delta Delta h r kappa tau")


@reads(Letter)
def _letter(letter: Letter, reading: Reading) -> Value:
    return meaning(letter, (), reading)


def meaning(letter: Letter, arguments: tuple[Node, ...], reading: Reading) -> Value:
    """What a letter stands for.

    Raises:
        NotUnderstoodError: if the convention has no such letter.
    """
    said = Said(letter, arguments, reading)
    if (found := _introduced(said)) is not None:
        return found
    maker = _MAKERS.get(letter.base)
    if maker is not None:
        try:
            made = maker(said)
        except NoSuchLetterError:
            raise NotUnderstoodError(letter.base, letter.start, NO_SUCH_LETTER) from None
        if made is not None:
            return made
    return unknown(said)


def _introduced(said: Said) -> Value | None:
    """What the page has introduced."""
    name = name_of(said.letter)
    reading = said.reading
    if name in reading.known.drawn:
        return reading.algebra.sqrt(value(reading.known.drawn[name], reading)) * reading.letter(("noise", name), name)
    held = next((one for one in reading.known.letters.get(name, ()) if _is_meant(one, said)), None)
    if held is None:
        return None
    before, known, main = dict(reading.times.bound), reading.known, reading.times.main
    reading.known = replace(known, letters={key: one for key, one in known.letters.items() if key != name})
    try:
        index = held.index if held.index is not None or held.at is not None else _only_time(held.body)
        if index is not None and said.time is not None:
            reading.times.bound[index] = said.time
        elif said.time is not None and said.time > 0:
            reading.times.main = said.time
        return value(held.body, reading)
    except NotUnderstoodError as missing:
        if missing.why != NO_SUCH_LETTER:
            raise
        return None  # said in another convention, of which this one knows nothing
    finally:
        reading.times.bound, reading.times.main = before, main
        reading.known = known


def _only_time(body: Node) -> str | None:
    """The one letter that the times of a body are written with: of what is introduced without its time, x / sqrt(abar_t)."""
    found = {
        index.base
        for one in walk(body)
        if isinstance(one, Letter)
        for index in one.index
        if isinstance(index, Letter) and index.base in LETTERS and not index.index
    }
    return found.pop() if len(found) == 1 else None


def _is_meant(one: Introduced, said: Said) -> bool:
    """Whether what was introduced is what stands here: of one time at that time, a function of the same arguments."""
    if one.arguments and said.arguments and list(map(_named, one.arguments)) != list(map(_named, said.arguments)):
        return False
    if one.index not in (None, "t", "s") and not one.arguments and (said.time is None or said.arguments):
        return False  # h_i was introduced, and h and h(t) are other letters
    if one.index is None and one.at is None and said.time is not None and said.letter.base in COUNTED:
        return False  # and the other way round
    if one.at is None:
        return True
    try:
        return said.time is not None and said.reading.times.of(one.at) == said.time
    except NoTimeError:
        return False


def _named(argument: Node) -> object:
    """An argument but for its time."""
    return argument.base if isinstance(argument, Letter) and not argument.marks else argument


def unknown(said: Said) -> Value:
    """A letter that nothing is known of."""
    letter, reading = said.letter, said.reading
    if letter.base in reading.known.given or letter.base in CONSTANTS:
        return free(said, REAL)
    reading.unknown.setdefault(name_of(letter), letter)
    inner = "_".join(text_of(one) for one in said.states)
    return reading.letter(("u", name_of(letter), said.time if said.time is not None else "", inner), letter.base, POSITIVE)


def free(said: Said, domain: str = POSITIVE) -> Value:
    """A weight that anybody may choose."""
    at = said.at if said.is_network else "" if said.time is None else said.time
    name = name_of(said.letter)
    if said.letter.base in ("sigma", "Sigma", "eta", "dt") and "data" not in said.labels:
        domain = SMALL
    return said.reading.letter(("free", name.replace("/", "_"), at), _tex(said), domain)


def _tex(said: Said) -> str:
    if said.letter.base == "dt":
        return r"\Delta t"
    base = said.letter.base if len(said.letter.base) == 1 else rf"\{said.letter.base}"
    index = ",".join(
        [*sorted(said.labels), *([] if said.time is None else [said.reading.times.names.get(said.time, str(said.time))])]
    )
    return f"{base}_{{{index}}}" if index else base


def _alpha(said: Said) -> Value | None:
    process, at = said.reading.process, said.at
    if "bar" in said.marks:
        return process.product(at)
    if said.later is not None and said.time is not None and len(said.labels) == 1 and not said.marks:  # alpha_{t|s}
        if process.convention == "ddim":
            raise NoSuchLetterError("alpha")
        carried = process.carried(said.time, said.later)
        return carried if process.convention in ("signal", "signal-vp", "signal-up") else carried**2
    if said.marks == {"dot"} and not said.labels:
        return said.reading.rate("alpha")
    if said.marks or said.labels:
        return None
    if said.time is None and process.convention not in ("signal", "signal-vp", "signal-up"):
        raise NoSuchLetterError("alpha")
    return process.alpha(at, _stride(said))


def _beta(said: Said) -> Value | None:
    process, at = said.reading.process, said.at
    if said.labels or said.marks - {"tilde", "bar"}:
        return free(said)
    if "tilde" in said.marks:
        return process.posterior_variance(at, at - _stride(said))
    if "bar" in said.marks:
        return process.product_beta(at)
    if said.time is None or _continuous(said.reading):
        return said.reading.letter(("rate", "beta"), r"\beta", POSITIVE)
    return process.beta(at, _stride(said))


def _continuous(reading: Reading) -> bool:
    return ("continuous",) in reading.fixed


def _stride(said: Said) -> int:
    """How many times a step leads over: as many as lie between two of a list of times, if its letter names that step."""
    strided = ("strided",) in said.reading.fixed and any(is_nested(one) for one in said.letter.index)
    return said.reading.times.stride if strided else 1


def _sigma(said: Said) -> Value | None:
    reading, process, at = said.reading, said.reading.process, said.at
    if "dot" in said.marks:
        return reading.rate("sigma")
    if "tilde" in said.marks or said.labels & {"q", "Q"}:
        upper, lower = said.span or (at, at - 1)
        return reading.algebra.sqrt(process.posterior_variance(upper, lower))
    if said.later is not None and said.time is not None and len(said.labels) == 1 and not said.marks:  # sigma_{t|s}
        return reading.algebra.sqrt(process.added(said.time, said.later))
    if said.marks or "data" in said.labels or said.labels - NETWORKS:
        return free(said)
    if process.convention in ("signal", "signal-vp", "signal-up", "ve") and not said.labels:
        return process.noise(at)
    return free(said)


def _variance_letter(said: Said) -> Value | None:
    if "q" in said.labels:
        return said.reading.process.posterior_variance(said.at, said.at - 1)
    if said.is_network:
        said.owe_state()
    return free(said)


def _state(said: Said) -> Value | None:
    reading = said.reading
    if "tilde" in said.marks and ("tilde is noisy",) in reading.fixed and said.time is None:
        return reading.state(reading.main)
    if reading.process.convention in FLOWS and "hat" in said.marks and not said.states and said.time in (0, 1):
        return _end(said)
    if said.is_network or said.marks & {"hat"} or ("tilde" in said.marks and (said.time == 0 or said.states)):
        if said.time in (None, 0) or said.states or said.is_network:
            return _data(said)
        return None
    if said.marks - {"prime"} or said.labels:
        return None
    if reading.process.convention in FLOWS and said.time in (0, 1):
        is_data = (said.time == 1) == (reading.process.convention in UPWARD)
        return reading.state(0) if is_data else reading.eps(reading.main)
    if said.time is None:
        if ("bare data",) in reading.fixed or ("tilde is noisy",) in reading.fixed:
            return reading.state(0)
        return reading.state(reading.main)
    return reading.state(said.time)


def _end(said: Said) -> Value:
    """What is predicted of the two ends of a flow."""
    is_data = (said.time == 1) == (said.reading.process.convention in UPWARD)
    at = said.reading.main
    return said.reading.predicted_data(at) if is_data else said.reading.predicted_noise(at)


def _data(said: Said) -> Value:
    at = said.at if said.at > 0 else said.reading.main
    said.time = at
    said.owe_state()
    return said.reading.predicted_data(at, said.given)


def _noise(said: Said) -> Value | None:
    reading = said.reading
    if ("epsilon is a step",) in reading.fixed and not (said.is_network or said.states):
        return free(said)
    if said.is_network or said.states or said.given or (said.marks & {"hat"} and "tilde" not in said.marks):
        if said.marks & {"tilde", "bar"} and not (("guided alone",) in reading.fixed and not said.given):
            return unknown(said)
        said.owe_state()
        return reading.predicted_noise(said.at if said.at > 0 else reading.main, said.given)
    if ("noise is predicted",) in reading.fixed and said.time and not said.marks and not said.labels:
        return reading.predicted_noise(said.time)
    if said.labels & {"c", "cond", "y"}:
        return reading.predicted_noise(said.at, "y")
    if said.labels & {"u", "uncond", "empty"}:
        return reading.predicted_noise(said.at, "")
    if "tilde" in said.marks:
        return unknown(said)
    if reading.tie == "free" or said.marks or said.labels:
        suffix = "" if said.time is None else f"_{said.time}"
        return reading.letter(
            ("noise", "epsilon" + "".join(sorted(said.marks)) + "".join(sorted(said.labels)) + suffix), r"\epsilon"
        )
    at = said.time if said.time else reading.main
    return reading.eps(at) if reading.tie == "marginal" else reading.transition_noise(at)


def _fresh(said: Said) -> Value | None:
    if ("z is the noise",) in said.reading.fixed and said.letter.base == "z":
        return _noise(said)
    if said.marks - {"prime", "bar", "tilde"} or said.states or said.is_network:
        return None
    if said.time is not None and ("z is a state",) in said.reading.fixed:
        return said.reading.state(said.time)
    hung = "".join([*sorted(said.marks), *sorted(said.labels), *([] if said.time is None else [f"_{said.time}"])])
    return said.reading.letter(("noise", f"z{hung}"), "z")


def _mean_letter(said: Said) -> Value | None:
    reading, at = said.reading, said.at
    if said.is_network or "hat" in said.marks:
        said.owe_state()
        return reading.process.posterior_mean(at, at - 1, reading.state(at), reading.predicted_data(at, said.given))
    if "tilde" in said.marks or said.labels & {"q", "Q"} or len(said.states) == 2:
        lower = said.lower if said.lower is not None and len(said.states) == 2 else at - 1
        given = [value(one, reading) for one in said.states]
        x_t = given[0] if given else reading.state(at)
        x_0 = given[1] if len(given) == 2 else reading.state(0)
        if len(given) == 2 and _is_noise(said.states[1]):  # the data that this noise implies
            x_0 = (x_t - reading.process.noise(at) * x_0) / reading.process.signal(at)
        return reading.process.posterior_mean(at, lower, x_t, x_0)
    return None if said.states else free(said, REAL)


def _is_noise(node: Node) -> bool:
    """Whether an argument is a noise, true or predicted."""
    letter = node.function if isinstance(node, Call) else node
    return isinstance(letter, Letter) and letter.base == "epsilon"


def _score(said: Said) -> Value | None:
    if said.is_network:
        said.owe_state()
        return -said.reading.predicted_noise(said.at, said.given) / said.reading.process.noise(said.at)
    if not said.states and said.time is None and said.letter.base in said.reading.times.place:
        return _time_letter(said) or free(said)  # where s is a time
    return None if said.states or said.given else free(said)


def _velocity(said: Said) -> Value | None:
    reading, at = said.reading, said.at
    if said.is_network or "hat" in said.marks:
        said.owe_state()
        return reading.velocity(at, reading.predicted_noise(at, said.given), reading.predicted_data(at, said.given))
    if said.marks or said.labels:
        return None
    if len(said.states) == 1 and reading.process.convention in FLOWS:  # the field, a mean over what leads there
        return reading.velocity(at, reading.predicted_noise(at, said.given), reading.predicted_data(at, said.given))
    return reading.velocity(at, reading.eps(at), reading.state(0))


def _denoiser(said: Said) -> Value | None:
    if said.labels - NETWORKS or said.marks or not (said.states or said.is_network):
        return None
    return said.reading.predicted_data(said.at, said.given)


def _snr(said: Said) -> Value:
    process, at = said.reading.process, said.at
    found = process.signal(at) ** 2 / process.noise(at) ** 2
    return said.reading.algebra.log(found) if said.letter.base == "logSNR" else found


def _log_snr(said: Said) -> Value | None:
    """lambda_t: half the logarithm of the signal over the noise, or the whole of it, or a weight."""
    reading, process, at = said.reading, said.reading.process, said.at
    kind = reading.fixed.get(("lambda",))
    if said.marks or said.labels or kind is None or said.time is None:
        return free(said)
    found = reading.algebra.log(process.signal(at) / process.noise(at))
    return found if kind == "half" else 2 * found


def _preconditioning(said: Said) -> Value | None:
    """The scalings of Karras et al.: c_skip, c_out, c_in, c_noise."""
    reading = said.reading
    if not said.labels & {"skip", "out", "in", "noise"}:
        return free(said) if not said.labels and not said.states else None
    sigma, data = _edm_letters(said)
    whole = sigma**2 + data**2
    if "skip" in said.labels:
        return data**2 / whole
    if "out" in said.labels:
        return sigma * data / reading.algebra.sqrt(whole)
    return 1 / reading.algebra.sqrt(whole) if "in" in said.labels else reading.algebra.log(sigma) / 4


def _edm_letters(said: Said) -> tuple[Value, Value]:
    sigma = _sigma(Said(Letter(0, 0, "sigma"), (), said.reading))
    data = free(Said(Letter(0, 0, "sigma", (), (Letter(0, 0, "data"),)), (), said.reading))
    return sigma, data


def _identity(said: Said) -> Value:
    return said.reading.number(1)


def _time_letter(said: Said) -> Value | None:
    """A time as a number: in the straight path, and where the noise level is the time."""
    reading = said.reading
    if (moment := reading.fixed.get(("clock", said.letter.base))) is not None:
        return moment
    if said.marks or said.labels or reading.process.convention not in ("flow", "flow-up", "ve", *RATES):
        return None
    try:
        at = reading.times.of(said.letter)
    except NoTimeError:
        return None
    if reading.process.convention == "ve":
        return reading.process.noise(at)
    return reading.process.time(at)


def _drift(said: Said) -> Value | None:
    if said.is_network and said.letter.upper:
        return _data(said)
    if _continuous(said.reading) and not said.labels and not said.marks:
        base = said.letter.base.lower()
        return said.reading.letter(("drift", base), base, POSITIVE if base == "g" else REAL)
    return None


def _weight(said: Said) -> Value | None:
    return free(said)


def _circle(said: Said) -> Value:
    return said.reading.letter(("pi",), r"\pi", POSITIVE)


def _dimension(said: Said) -> Value | None:
    return said.reading.number(1) if not said.letter.index and not said.marks else None


_MAKERS: dict[str, Callable[[Said], Value | None]] = {
    "alpha": _alpha,
    "beta": _beta,
    "sigma": _sigma,
    "Sigma": _variance_letter,
    "x": _state,
    "X": _state,
    "epsilon": _noise,
    "z": _fresh,
    "Z": _fresh,
    "xi": _fresh,
    "mu": _mean_letter,
    "s": _score,
    "v": _velocity,
    "u": _velocity,
    "D": _denoiser,
    "SNR": _snr,
    "snr": _snr,
    "logSNR": _snr,
    "lambda": _log_snr,
    "c": _preconditioning,
    "I": _identity,
    "t": _time_letter,
    "f": _drift,
    "g": _drift,
    "G": _drift,
    "pi": _circle,
    "d": _dimension,
    **dict.fromkeys(WEIGHTS - {"tau"}, _weight),
}


@reads(Call)
def called(node: Call, reading: Reading) -> Value | Logs | Normal:
    """What a function of its arguments says."""
    function = node.function
    if function.base == "cal:N" or (function.base == "N" and len(node.arguments) >= 2 and not function.index):
        return normal(node, reading)
    if (function.base in DENSITIES or (function.base == "f" and "|" in node.marks)) and not function.marks:
        return density(node, reading)
    if is_divergence(function):
        return divergence(node, reading)
    if function.base in STATES and not function.marks and len(node.arguments) == 1:
        return meaning(replace(function, index=(*function.index, node.arguments[0])), (), reading)
    if function.base == "sigmoid" and len(node.arguments) == 1:
        return 1 / (1 + reading.algebra.exp(-value(node.arguments[0], reading)))
    if function.base in ("Var", "var", "Cov"):
        raise refused(node, "a variance in that notation")
    return meaning(function, node.arguments, reading)
