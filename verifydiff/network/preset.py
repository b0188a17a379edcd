"""What is trained, on which data, how: the presets.

A preset fixes all that the weights follow from, beside the seed, the batch and the number of steps, which a command may choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..schedule import Schedule
from ..verdict import MisuseError

Prediction = Literal["eps", "x0", "v"]
Weighting = Literal["eps", "x0", "v", "min-snr"]
Padding = Literal["zeros", "circular"]


@dataclass(frozen=True)
class Size:
    """The shape of a UNet.

    Attributes:
        width: channels at the full resolution.
        multipliers: channels at each resolution, in widths; every resolution after the first has half the points of the one before.
        blocks: residual blocks at each resolution on the way down; there is one more on the way up.
        attention: the resolutions that attend, 0 being the full one.
        heads: of each attention.
        padding: what lies beyond the edge: ``zeros``, or the other side of a torus (``circular``).
        patch: so many points a side are the channels of one, on the way in, and again points on the way out.
    """

    width: int
    multipliers: tuple[int, ...]
    blocks: int = 1
    attention: tuple[int, ...] = ()
    heads: int = 1
    padding: Padding = "zeros"
    patch: int = 1


@dataclass(frozen=True)
class Preset:
    """A training, fixed.

    Attributes:
        name: what the command calls it.
        data: what is learnt, by name, see :mod:`verifydiff.network.data`.
        size: of the UNet.
        batch: draws for each step.
        steps: how many.
        rate: the highest learning rate.
        schedule: of the noise, by name.
        timesteps: T.
        prediction: what the network predicts.
        weighting: whose squared error is minimised, whatever is predicted.
        warmup: steps until the learning rate is at its highest.
        ema: how much of the average of the weights a step keeps.
        label_dropout: how often the label is withheld, where there are labels.
        every: after so many steps it is looked at.
    """

    name: str
    data: str
    size: Size
    batch: int
    steps: int
    rate: float
    schedule: str = "cosine"
    timesteps: int = 1000
    prediction: Prediction = "v"
    weighting: Weighting = "v"
    warmup: int = 50
    ema: float = 0.999
    label_dropout: float = 0.1
    every: int = 50

    @property
    def noising(self) -> Schedule:
        """The levels that the network is trained at."""
        return Schedule.named(self.schedule, self.timesteps)


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("field-8", "field:8", Size(16, (1, 2), attention=(1,), padding="circular"), 64, 300, 4e-3, ema=0.98),
        Preset(
            "mixture-8",
            "mixture:8",
            Size(32, (1, 2), attention=(1,), padding="circular"),
            64,
            2500,
            3e-3,
            ema=0.99,
            label_dropout=0.7,
        ),
        Preset("digits", "digits", Size(16, (1, 2), attention=(1,)), 64, 1000, 3e-3, ema=0.99),
        Preset("mnist-28", "mnist", Size(24, (1, 2), attention=(1,), patch=2), 64, 1000, 2e-3, ema=0.99),
        Preset("fashion-28", "fashion", Size(24, (1, 2), attention=(1,), patch=2), 64, 1000, 2e-3, ema=0.99),
        Preset("field-32", "field:32", Size(128, (1, 2, 2, 2), 2, (2, 3), 4, "circular"), 512, 20_000, 4e-4, warmup=500, every=250),
        Preset(
            "mixture-32", "mixture:32", Size(128, (1, 2, 2, 2), 2, (2, 3), 4, "circular"), 512, 20_000, 4e-4, warmup=500, every=250
        ),
        Preset("fashion-28-large", "fashion", Size(128, (1, 2, 2), 2, (1, 2), 4), 512, 20_000, 4e-4, warmup=500, every=250),
    )
}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        MisuseError: if there is none.
    """
    if name not in PRESETS:
        raise MisuseError(f"no preset is called {name[:60]!r}: give one of {', '.join(PRESETS)}.")
    return PRESETS[name]
