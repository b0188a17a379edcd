"""A trained predictor laid over the theory of its data: what a perfect one would do, what this one does, what the sampler adds."""

from __future__ import annotations

from .budget import Budget as Budget
from .budget import Resolutions as Resolutions
from .confirmation import Cause as Cause
from .confirmation import Confirmation as Confirmation
from .confirmation import confirm as confirm
from .loops import Stepwise as Stepwise
from .loops import Whole as Whole
from .plain import to_json as to_json
