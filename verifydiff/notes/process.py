r"""What a page may be about: noising processes, each with the letters its authors write.

Every process is :math:`x_t = a_t x_0 + s_t \epsilon` for some signal :math:`a_t` and noise :math:`s_t`, and a Markov chain:
:math:`x_t = a_{t|s} x_s + s_{t|s} n` with

.. math:: a_{t|s} = a_t / a_s, \qquad s_{t|s}^2 = s_t^2 - a_{t|s}^2 s_s^2 .

Times are whole numbers here, 0 the data. In letters only the times that a formula speaks of have letters of their own: the lowest
:math:`\bar\alpha_s` and the ratios above it, so that the levels fall by construction. The conventions:

- ``ddpm``: :math:`\beta_t`, :math:`\alpha_t = 1 - \beta_t`, :math:`\bar\alpha_t = \prod \alpha_i` (Ho et al. 2020);
- ``ddim``: :math:`\alpha_t` is what is :math:`\bar\alpha_t` there (Song et al. 2021);
- ``root``: :math:`\alpha_t` and :math:`\beta_t` are the roots of what they are in ``ddpm``, so that
  :math:`\alpha_t^2 + \beta_t^2 = 1`, and :math:`\bar\beta_t` is the noise;
- ``signal``: :math:`\alpha_t` and :math:`\sigma_t` are signal and noise (Kingma et al. 2021), with
  :math:`\alpha_t^2 + \sigma_t^2 = 1` (``signal-vp``) or without;
- ``ve``: no signal is lost, :math:`\sigma_t` is the noise (Song and Ermon 2019; Karras et al. 2022);
- ``vp-time``: the variance-preserving process in continuous time, :math:`\bar\alpha(t) = e^{-\int_0^t \beta}`;
- ``sub-vp``: the same signal with the noise :math:`1 - e^{-\int_0^t \beta}` (Song et al. 2021, SDE);
- ``ou`` and ``ou-2``: the same as ``vp-time`` with the rate :math:`\beta = 1` or 2, the Ornstein-Uhlenbeck process;
- ``flow``: the straight path, :math:`x_t = (1 - t) x_0 + t x_1`, where :math:`x_0` is the data;
- ``flow-up``: the same path where :math:`x_1` is the data, so that the signal is :math:`t`;
- ``signal-up``: :math:`x_t = \alpha_t x_1 + \sigma_t x_0` where :math:`x_1` is the data.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import cached_property

from .algebra import FRACTION, LEVEL, POSITIVE, Algebra, Value

CONVENTIONS = (
    "ddpm", "ddim", "root", "signal-vp", "signal", "ve", "vp-time", "sub-vp", "ou", "ou-2", "flow", "flow-up", "signal-up",
)  # fmt: skip
FLOWS = ("flow", "flow-up", "signal-up")
CLOCKS = frozenset({"flow", "flow-up"})
UPWARD = ("flow-up", "signal-up")
"""Where time runs from the noise to the data."""
RATES = {"ou": 1, "ou-2": 2}


class NoSuchLetterError(LookupError):
    """A convention has no such letter."""


class Process:
    """The levels of one convention.

    Args:
        convention: one of ``CONVENTIONS``.
        algebra: numbers or letters.
        rungs: in letters, the times that the formula speaks of.
        names: how each of these times is written.
    """

    def __init__(self, convention: str, algebra: Algebra, rungs: tuple[int, ...] = (), names: dict[int, str] | None = None) -> None:
        self.convention, self.algebra = convention, algebra
        self.rungs = tuple(sorted(rung for rung in set(rungs) if rung > 0))
        self.names = names or {}
        self.touched: set[int] = set()
        self.one = algebra.number(Fraction(1))
        self._known: dict[tuple[str, int], Value] = {}

    # -- levels ------------------------------------------------------------------------------------------------------------

    @cached_property
    def is_vp(self) -> bool:
        """Whether the variance is preserved."""
        return self.convention in ("ddpm", "ddim", "root", "signal-vp")

    @cached_property
    def forgets(self) -> bool:
        """Whether the signal falls exponentially along continuous time."""
        return self.convention in ("vp-time", "sub-vp", *RATES)

    def abar(self, i: int) -> Value:
        """The signal that is left at time i, in power."""
        self.touched.add(i)
        return self.one if i <= 0 else self._abar(i)

    def _abar(self, i: int) -> Value:
        known = self._known.get(("abar", i))
        if known is None:
            below = self._below(i)
            if below is None:
                known = self._level("abar", i, LEVEL if self._stands_alone(i) else FRACTION)
            else:
                known = self._abar(below) * self._level("alpha", i, FRACTION)
            self._known["abar", i] = known
        return known

    def _stands_alone(self, i: int) -> bool:
        return bool(self.rungs) and i != self.rungs[-1]

    def _below(self, i: int) -> int | None:
        if not self.rungs:
            return i - 1 if i > 1 else None
        lower = [rung for rung in self.rungs if rung < i]
        return lower[-1] if lower else None

    def ratio(self, i: int, j: int) -> Value:
        """abar_i / abar_j."""
        self.touched |= {i, j}
        if j <= 0:
            return self.abar(i)
        if i < j:
            return 1 / self.ratio(j, i)
        product = self.one
        while i > j:
            below = self._below(i)
            if below is None or below < j:
                return self._abar(i) / self._abar(j)
            product = product * self._level("alpha", i, FRACTION)
            i = below
        return product

    def _level(self, kind: str, i: int, domain: str) -> Value:
        mark = r"\bar\alpha" if kind == "abar" else r"\alpha"
        if not self.rungs:
            return self.algebra.letter(f"{kind}_{i}", "", domain)
        name = self.names.get(i, str(i))
        last_two = self.rungs[-2:] == (i - 1, i) or self.rungs[-2:] == (i, i + 1) or len(self.rungs) <= 2
        top = i == self.rungs[-1]
        plain = {("abar", False): "abar_s", ("alpha", True): "alpha_t", ("abar", True): "abar_t"}.get((kind, top))
        simple = plain if plain and len(self.rungs) <= 2 and last_two else f"{kind}_{_plain(name)}"
        return self.algebra.letter(simple, rf"{mark}_{{{name}}}", domain)

    def signal(self, i: int) -> Value:
        """a_i."""
        if self.is_vp:
            return self.algebra.sqrt(self.abar(i))
        if self.convention == "ve" or i <= 0:
            return self.one
        if self.forgets:
            return self.algebra.exp(-self._forgotten(i) / 2)
        if self.convention in ("flow", "flow-up"):
            return self.time(i) if self.convention == "flow-up" else 1 - self.time(i)
        return self._general("signal", i)

    def noise(self, i: int) -> Value:
        """s_i."""
        if self.is_vp:
            return self.algebra.sqrt(1 - self.abar(i))
        if i <= 0:
            return self.one * 0
        if self.convention in ("flow", "flow-up"):
            return self.time(i) if self.convention == "flow" else 1 - self.time(i)
        if self.convention == "sub-vp":
            return 1 - self.algebra.exp(-self._forgotten(i))
        if self.forgets:
            return self.algebra.sqrt(1 - self.algebra.exp(-self._forgotten(i)))
        return self._general("noise", i)

    def _forgotten(self, i: int) -> Value:
        """The integral of beta from 0 to t."""
        if self.convention in RATES:
            return RATES[self.convention] * self.time(i)
        self.touched.add(i)
        return self.algebra.letter("integral_beta", r"\int_0^t \beta", POSITIVE)

    def time(self, i: int) -> Value:
        """The time of the flow as a number between 0 and 1."""
        self.touched.add(i)
        return self.algebra.letter(f"time_{_plain(self.names.get(i, str(i)))}", self.names.get(i, "t"), FRACTION)

    def _general(self, kind: str, i: int) -> Value:
        self.touched.add(i)
        tex = r"\alpha" if kind == "signal" else r"\sigma"
        name = self.names.get(i, str(i))
        known = self._known.get((kind, i))
        if known is None:
            known = self.algebra.letter(f"{kind}_{_plain(name)}", rf"{tex}_{{{name}}}", POSITIVE)
            if not getattr(self.algebra, "symbolic", False):  # the noise rises, the signal falls
                known = known * 0.2 + (i if kind == "noise" else 12 - i)
            self._known[kind, i] = known
        return known

    def assumed(self) -> list[Value]:
        """What is positive, beyond the domains of the letters: the variance that each step adds."""
        if self.is_vp or self.forgets or self.convention in FLOWS:
            return []
        rungs = [rung for rung in self.rungs if rung > 0]
        return [self.added(high, low) for low, high in itertools.pairwise(rungs)]

    def carried(self, i: int, j: int) -> Value:
        """a_{i|j}."""
        if self.is_vp:
            return self.algebra.sqrt(self.ratio(i, j))
        return self.signal(i) / self.signal(j)

    def added(self, i: int, j: int) -> Value:
        """s_{i|j} squared: the variance that is added from j to i."""
        if self.is_vp:
            return 1 - self.ratio(i, j)
        return self.noise(i) ** 2 - self.carried(i, j) ** 2 * self.noise(j) ** 2

    # -- what is known of two times given the data ---------------------------------------------------------------------------

    def posterior_mean(self, i: int, j: int, x_i: Value, x_0: Value) -> Value:
        """The mean of q(x_j | x_i, x_0), j < i."""
        carried, added = self.carried(i, j), self.added(i, j)
        return (self.signal(j) * added * x_0 + carried * self.noise(j) ** 2 * x_i) / self.noise(i) ** 2

    def posterior_variance(self, i: int, j: int) -> Value:
        """The variance of q(x_j | x_i, x_0), j < i."""
        return self.noise(j) ** 2 / self.noise(i) ** 2 * self.added(i, j)

    # -- letters ---------------------------------------------------------------------------------------------------------------

    def alpha(self, i: int, by: int = 1) -> Value:
        """What the convention writes as alpha_i, of a step from ``by`` times before."""
        if self.convention == "ddpm":
            return self.ratio(i, i - by)
        if self.convention == "ddim":
            return self.abar(i)
        if self.convention == "root":
            return self.algebra.sqrt(self.ratio(i, i - by))
        if self.convention in ("signal", "signal-vp", *FLOWS) or self.forgets:
            return self.signal(i)
        raise NoSuchLetterError("alpha")

    def beta(self, i: int, by: int = 1) -> Value:
        """What the convention writes as beta_i, of a step from ``by`` times before."""
        if self.convention in ("ddpm", "ddim"):
            return 1 - self.ratio(i, i - by)
        if self.convention == "root":
            return self.algebra.sqrt(1 - self.ratio(i, i - by))
        raise NoSuchLetterError("beta")

    def product_beta(self, i: int) -> Value:
        """What the convention writes as beta-bar_i."""
        return self.noise(i) if self.convention == "root" else self.noise(i) ** 2

    def product(self, i: int) -> Value:
        """What the convention writes as alpha-bar_i."""
        if self.convention == "ddpm":
            return self.abar(i)
        if self.convention == "root":
            return self.signal(i)
        if self.forgets:
            return self.signal(i) ** 2
        raise NoSuchLetterError("abar")


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name).strip("_") or "t"
