r"""Which drift belongs to a diffusion, so that an equation has the marginals of the process.

With the process :math:`dx = f\,dt + g\,dw` and its density :math:`p_t` an equation :math:`dx = D\,dt + G\,dw` has the same
marginals, by the equation of Fokker and Planck, if

.. math::

    D &= f - \tfrac12 (g^2 - G^2) \nabla \log p_t && \text{where time runs forward}, \\
    D &= f - \tfrac12 (g^2 + G^2) \nabla \log p_t && \text{where it runs in reverse, } dt < 0, \\
    D &= \tfrac12 (g^2 + G^2) \nabla \log p_t - f && \text{where its own time runs backward along that of the process.}

So noise :math:`G = g` goes with the whole score, none with half of it, :math:`G = \lambda g` with :math:`(1 + \lambda^2)/2` of it.
Where no process is spoken of, :math:`D = c \nabla \log p` leaves :math:`p` as it is if :math:`G^2 = 2 c` (Langevin).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from fractions import Fraction

from ..algebra import POSITIVE, REAL, Value
from ..process import FLOWS, RATES
from ..reading import Reading
from .link import Owed, vanishes


class Direction(Enum):
    """How the time of an equation runs along that of the process."""

    FORWARD = "forward"
    REVERSE = "reverse"
    BACKWARD = "backward"


def marginal_drift(
    drift: Value, diffusion: Value, directions: tuple[Direction, ...], reading: Reading, at: int
) -> Iterator[list[Owed]]:
    """What the drift of an equation with this diffusion owes at a time, for every process that is in use and every direction."""
    half = reading.number(Fraction(1, 2))
    score = reading.score(at)
    sign = Owed("the sign of the noise", 0 * diffusion, diffusion, "<=")
    for f, g_squared in _processes(reading, at, has_noise=not vanishes(diffusion)):
        for direction in directions:
            turned = -1 if direction is Direction.FORWARD else 1
            right = f - half * (g_squared + turned * diffusion**2) * score
            if direction is Direction.BACKWARD:
                yield [Owed("the drift, with time running backward", drift, -right), sign]
            else:
                yield [Owed("the drift", drift, right), sign]


def still(drift: Value, pushed: Value, diffusion: Value, reading: Reading) -> list[Owed]:
    """What leaves a density as it is: a drift along its score, ``pushed`` where the score is one and ``drift`` where it is none."""
    return [
        Owed("the drift without the score", drift, reading.number(0)),
        Owed("the variance of the noise", diffusion**2, 2 * pushed),
        Owed("the sign of the noise", 0 * diffusion, diffusion, "<="),
    ]


def exploding(drift: Value, pushed: Value, diffusion: Value, reading: Reading) -> list[Owed]:
    r"""The reverse of a process without a drift and with any noise: :math:`dx = -G^2 \nabla \log p\,dt + G\,dw`."""
    return [
        Owed("the drift without the score", drift, reading.number(0)),
        Owed("the weight of the score", pushed, -(diffusion**2)),
        Owed("the sign of the noise", 0 * diffusion, diffusion, "<="),
    ]


def speaks_of_a_process(reading: Reading) -> bool:
    """Whether a drift, a rate or a level of a process has been met."""
    return any(key[0] in ("drift", "rate", "integral") for key in reading.seen) or reading.process.convention in (*RATES, *FLOWS)


def _processes(reading: Reading, at: int, *, has_noise: bool) -> Iterator[tuple[Value, Value]]:
    """(f, g^2) of the processes that are in use: any, VP, sub-VP, VE, and the general scale of Karras et al."""
    x = reading.state(at)
    letters = {key[:2] for key in reading.seen}
    half = reading.number(Fraction(1, 2))
    if (rate := RATES.get(reading.process.convention)) is not None:
        yield -half * rate * x, reading.number(rate)
        return
    if ("drift", "f") in letters or ("drift", "g") in letters:
        yield reading.letter(("drift", "f"), "f", REAL), reading.letter(("drift", "g"), "g", POSITIVE) ** 2
        yield reading.letter(("drift", "f"), "f", REAL) * x, reading.letter(("drift", "g"), "g", POSITIVE) ** 2
        yield 0 * x, reading.letter(("drift", "g"), "g", POSITIVE) ** 2
    if ("rate", "beta") in letters:
        beta = reading.letter(("rate", "beta"), r"\beta", POSITIVE)
        yield -half * beta * x, beta
        if has_noise:  # which tells this rate from half of it
            yield -beta * x, 2 * beta
        whole = reading.letter(("integral", "beta"), r"\int\beta", POSITIVE)
        yield -half * beta * x, beta * (1 - reading.algebra.exp(-2 * whole))
    if ("rate", "sigma") in letters:
        rate = reading.letter(("rate", "sigma", ""), r"\dot\sigma", POSITIVE)
        key = next((key for key in reading.seen if key[0] == "free" and key[1] == "sigma"), None)
        level = reading.process.noise(at) if key is None else reading.letter(key, r"\sigma")
        yield 0 * x, 2 * level * rate
    elif reading.process.convention == "ve":  # the noise level is the time
        yield 0 * x, 2 * reading.process.noise(at)
