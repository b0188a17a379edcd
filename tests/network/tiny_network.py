"""A preset that trains in no time, and its training, which the tests of this folder share."""

from __future__ import annotations

from verifydiff.network import Preset, Size

TINY = Preset("tiny", "field:4", Size(4, (1,), padding="circular"), 8, 20, 3e-3, timesteps=16, warmup=2, ema=0.9, every=5)
