r"""A frame: what the state that a model is asked about holds,

.. math:: x = \alpha\,x_0 + \sigma\,\epsilon.

Libraries keep their states in different scales: variance preserving, :math:`\alpha^2 + \sigma^2 = 1`; variance exploding,
:math:`\alpha = 1`; flow matching, :math:`\alpha + \sigma = 1`; what EDM's network is handed, :math:`\alpha = c_{\mathrm{in}}`. They
differ by a factor alone, :math:`x = \sqrt{\alpha^2 + \sigma^2}\; x^{\mathrm{VP}}`, and so everything here is kept variance
preserving.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """The weights of the data and of the noise in a state.

    Attributes:
        alpha: weight of the data, not negative.
        sigma: weight of the noise, not negative; not both are 0.

    Raises:
        ValueError: if they are no such numbers.
    """

    alpha: float
    sigma: float

    def __post_init__(self) -> None:
        if not (0 <= self.alpha < math.inf and 0 <= self.sigma < math.inf and self.alpha + self.sigma > 0):
            raise ValueError(f"no state holds {self.alpha!r} of the data and {self.sigma!r} of the noise.")

    @classmethod
    def of_level(cls, abar: float) -> Frame:
        """The variance-preserving frame of the level abar."""
        return cls(math.sqrt(abar), math.sqrt(1 - abar))

    @classmethod
    def exploding(cls, sigma: float) -> Frame:
        """The variance-exploding frame: the data untouched, and noise of that scale on top."""
        return cls(1.0, sigma)

    @property
    def size(self) -> float:
        """What the state is, over the variance-preserving one; 1 up to rounding is 1, so that nothing is rounded twice."""
        size = math.hypot(self.alpha, self.sigma)
        return 1.0 if abs(size - 1) < 2.0**-51 else size

    @property
    def preserving(self) -> Frame:
        """The variance-preserving frame of the same signal over noise."""
        return Frame(self.alpha / self.size, self.sigma / self.size)

    @property
    def level(self) -> float:
        """abar, the part of the data in the variance of unit data."""
        return self.alpha**2 / (self.alpha**2 + self.sigma**2)

    @property
    def noise_over_signal(self) -> float:
        """sigma / alpha: the noise scale over the data; infinite where no data are left."""
        return self.sigma / self.alpha if self.alpha else math.inf


DATA = Frame(1.0, 0.0)
"""What the data hold."""
