"""Many draws of one sampler on one oracle, counted, tested and resumable."""

from __future__ import annotations

from .calibration import denoising_ranks as denoising_ranks
from .calibration import guided_ranks as guided_ranks
from .campaign import Campaign as Campaign
from .campaign import Count as Count
from .data import data as data
from .findings import Outcome as Outcome
from .layout import Layout as Layout
from .plan import SAMPLERS as SAMPLERS
from .plan import Against as Against
from .plan import Plan as Plan
from .plan import Setting as Setting
from .store import Store as Store
from .theirs import Theirs as Theirs
from .theirs import theirs as theirs
from .yardstick import Yardstick as Yardstick
from .yardstick import scored as scored
from .yardstick import whitened as whitened
