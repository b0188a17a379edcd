"""The pictures of the derivation reference, one topic a file."""

from . import chain as chain
from . import dpm as dpm
from . import guidance as guidance
from . import laws as laws
from . import predictions as predictions
from . import sde as sde
from . import variance as variance
from .drawing import INK as INK
from .drawing import PICTURES as PICTURES
from .drawing import figures as figures
