"""A trained predictor laid over the theory of its data: what a perfect one would do, what this one does, what the sampler adds."""

from __future__ import annotations

from .budget import Budget as Budget
from .budget import Resolutions as Resolutions
from .confirmation import Confirmation as Confirmation
from .confirmation import confirm as confirm
from .confirmed import Cause as Cause
from .confirmed import Confirmed as Confirmed
from .loops import Stepwise as Stepwise
from .loops import Whole as Whole
