"""The probe: the model is the instrument. Any sampler asks a model and moves on; here the model answers as we choose."""

from .faults import SamplerFault as SamplerFault
from .frame import Frame as Frame
from .probe import Observation as Observation
from .probe import observe as observe
from .resolve import resolve as resolve
from .running import Run as Run
from .running import run as run
from .target import Prediction as Prediction
from .target import Target as Target
