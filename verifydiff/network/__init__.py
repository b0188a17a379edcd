"""A UNet that predicts the noise, the data it learns from and its training: what no algebra can check, laid over what is known."""

from __future__ import annotations

from .checkpoint import Record as Record
from .data import data as data
from .excess import best as best
from .excess import mean_floor as mean_floor
from .images import Images as Images
from .preset import PRESETS as PRESETS
from .preset import Preset as Preset
from .preset import Size as Size
from .preset import preset as preset
from .run import Run as Run
from .run import load as load
from .training import DivergedError as DivergedError
from .training import train as train
from .unet import UNet as UNet
from .unet import parameters as parameters
