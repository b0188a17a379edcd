"""The pictures of the derivation reference and of other pages, one topic a file."""

from . import chain as chain
from . import dpm as dpm
from . import evidence as evidence
from . import guidance as guidance
from . import laws as laws
from . import precision as precision
from . import predictions as predictions
from . import sde as sde
from . import variance as variance
from .drawing import INK as INK
from .drawing import ON_PAGES as ON_PAGES
from .drawing import PICTURES as PICTURES
from .drawing import PLACE as PLACE
from .drawing import figures as figures
from .drawing import put_on_pages as put_on_pages
from .drawing import svg as svg
