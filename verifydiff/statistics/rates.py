r"""Error rates, declared before a number is drawn.

A *false alarm* rejects what is right, a *miss* accepts what is wrong by the resolution. Where n checks share one budget
alpha, each gets alpha / n: by Boole's inequality

.. math:: P\Bigl(\bigcup_i A_i\Bigr) \le \sum_i P(A_i) \le n \cdot \frac{\alpha}{n} = \alpha,

however the checks depend on one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nextafter

from ..verdict import MisuseError


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often a verdict may be wrong.

    Attributes:
        false_alarm: the probability with which right input may be failed.
        miss: the probability with which input that is off by the resolution may be passed.

    Raises:
        MisuseError: if a rate is not a number strictly between 0 and 1/2.
    """

    false_alarm: float = 1e-6
    miss: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("false_alarm", "miss"):
            rate = getattr(self, name)
            if not 0 < rate < 0.5:  # NaN lands here too
                raise MisuseError(
                    f"`{name}` must lie strictly between 0 and 1/2, got {rate}. At 0 no number of draws suffices, at 1/2 a coin "
                    "would do."
                )

    def shared_among(self, checks: int) -> ErrorRates:
        """The rates each of so many checks may have, so that together they keep to these (Bonferroni).

        The sum over the checks never exceeds the budget, not even by rounding.
        """
        if checks < 1:
            raise MisuseError(f"a budget is shared among at least one check, got {checks}.")
        return ErrorRates(_share(self.false_alarm, checks), _share(self.miss, checks))


def _share(budget: float, checks: int) -> float:
    share = budget / checks
    return share if Fraction(share) * checks <= Fraction(budget) else nextafter(share, 0.0)
