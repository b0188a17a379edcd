"""How much a confirmation may cost, and how finely it looks: fixed before a number is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..statistics import ErrorRates
from ..verdict import MisuseError

STEPS = (5, 10, 20, 50, 100, 250, 1000)
"""The numbers of steps of a full confirmation."""
ETAS = (0.0, 0.2, 0.5, 1.0)
BLOCKS = 32
"""Every estimate is a mean over so many blocks of draws, whose spread is its error."""
MOST = 10**7
"""More draws than this are a slip of the hand: a full confirmation takes 4,096 of each cell."""


@dataclass(frozen=True)
class Resolutions:
    """How far off counts as equal.

    Attributes:
        loss: of the loss over its floor, averaged over the levels.
        level: the same at any one level.
        score: root mean square of the error of the score over that of the score.
        spectrum: of the denoiser's eigenvalues, root mean square over root mean square.
        frechet: of the Frechet distance over the one that theory gives at the same steps and eta ...
        trace: ... or of the variance of the data, where that is more: at many steps theory's own distance falls to nothing.
        flow: of where a start is led at eta = 0, root mean square over that of the data.
        spread: of the variance of the draws from one start.
        accuracy: of the share of draws in the class they were guided to.
        bits: per dimension.
    """

    loss: float = 0.005
    level: float = 0.02
    score: float = 0.05
    spectrum: float = 0.05
    frechet: float = 0.05
    trace: float = 1e-3
    flow: float = 0.05
    spread: float = 0.05
    accuracy: float = 0.03
    bits: float = 0.02


LIMITS = Resolutions(
    loss=0.005, level=0.02, score=0.1, spectrum=0.3, frechet=0.25, trace=0.01, flow=0.3, spread=0.25, accuracy=0.1, bits=0.25
)
"""How far off a network may be and still count as trained. Its loss must reach the resolution: that is what a training is for, and
three seeds of ``field-8`` lie at 0.27 to 0.31 % over the floor. After 100 steps it lies at 0.7 %, after 30 at 3 %. The others
are at least twice what those seeds reach, with the width of the intervals."""


@dataclass(frozen=True)
class Budget:
    """What is drawn, and what is asked of it.

    Attributes:
        steps: numbers of steps S that are sampled.
        etas: of DDIM; 1 is DDPM.
        draws: of each cell of that grid, in multiples of :data:`BLOCKS`.
        batch: draws that are made at once.
        noised: data that are noised, over all levels.
        bins: parts that the levels are told in.
        directions: along which the Jacobian is taken, at most, at each of its levels.
        points: how often each, about.
        flow_steps: of the walk to the noise and back.
        ode_steps: of the probability-flow ODE.
        seed: of all draws.
        rates: of false alarms and misses, of the whole confirmation.
        resolutions: how far off counts as equal.
        limits: how far off a network fails; between the two its error is a note, with its size. An error of a known shape is no
            lack of training, and fails beyond the resolutions.

    Raises:
        MisuseError: if the draws make no whole blocks and batches, or are more than :data:`MOST`, or there are no steps or etas.
    """

    steps: tuple[int, ...] = (5, 10, 20, 50)
    etas: tuple[float, ...] = (0.0, 1.0)
    draws: int = 128
    batch: int = 64
    noised: int = 4096
    bins: int = 12
    directions: int = 64
    points: int = 4
    flow_steps: int = 20
    ode_steps: int = 32
    seed: int = 0
    rates: ErrorRates = field(default_factory=ErrorRates)
    resolutions: Resolutions = field(default_factory=Resolutions)
    limits: Resolutions = LIMITS

    def __post_init__(self) -> None:
        if not self.steps or min(self.steps) < 2:
            raise MisuseError(f"a confirmation samples with 2 steps or more, got {self.steps}.")
        if not self.etas or not all(0 <= eta <= 1 for eta in self.etas):
            raise MisuseError(f"`etas` must lie in [0, 1], got {self.etas}.")
        for name in ("draws", "batch", "noised"):
            count = getattr(self, name)
            if count < 2 * BLOCKS or count % BLOCKS:
                raise MisuseError(f"`{name}` must be a multiple of {BLOCKS} and at least {2 * BLOCKS}, got {count}.")
        for name in ("draws", "noised"):
            if getattr(self, name) > MOST:
                raise MisuseError(f"`{name}` must be at most {MOST:,}, got {getattr(self, name):,}.")
            if getattr(self, name) % self.batch:
                raise MisuseError(f"`{name}` must be whole batches of {self.batch}, got {getattr(self, name)}.")

    @classmethod
    def quick(cls, **changes: object) -> Budget:
        """Seconds on two cores."""
        return cls(**changes)  # type: ignore[arg-type]

    @classmethod
    def full(cls, **changes: object) -> Budget:
        """All numbers of steps and all etas."""
        told: dict[str, object] = {"steps": STEPS, "etas": ETAS, "draws": 4096, "batch": 1024, "noised": 65536, "points": 8}
        return cls(**{**told, "ode_steps": 100, "flow_steps": 100, **changes})  # type: ignore[arg-type]

    @property
    def questions(self) -> int:
        """At most so many intervals are judged: among them the declared rates are shared."""
        return 4 * len(self.steps) * len(self.etas) + 2 * self.bins + 100

    @property
    def rate(self) -> float:
        """Of false alarms, of one question."""
        return self.rates.shared_among(self.questions).false_alarm

    @property
    def left_out(self) -> str:
        """What a full confirmation looks at and this one does not, in words; empty where that is nothing."""
        parts = [("S", STEPS, self.steps), ("eta", ETAS, self.etas)]
        missing = [(name, [one for one in every if one not in some]) for name, every, some in parts]
        return "; ".join(f"{name} = {', '.join(f'{one:g}' for one in ones)}" for name, ones in missing if ones)
