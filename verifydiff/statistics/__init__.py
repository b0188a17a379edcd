"""Statistics with declared error rates: exact tests for standard normal draws, and decisions that know how many draws they need.

Nothing here is asymptotic and nothing knows of diffusion. A p-value is either exact or a proved upper bound, so that a
test at level alpha raises a false alarm with probability at most alpha, at 1e-9 as well as at 5 %.
"""

from __future__ import annotations

from .battery import standard_normal_battery as standard_normal_battery
from .coincidence import coincidence as coincidence
from .decision import Comparison as Comparison
from .decision import Decision as Decision
from .decision import compare_mean as compare_mean
from .decision import compare_variance as compare_variance
from .decision import draws_needed_for_mean as draws_needed_for_mean
from .decision import draws_needed_for_variance as draws_needed_for_variance
from .evidence import Evidence as Evidence
from .independence import independence as independence
from .moments import unit_variance as unit_variance
from .moments import zero_mean as zero_mean
from .rates import ErrorRates as ErrorRates
from .sequential import SequentialMean as SequentialMean
from .sequential import SequentialVariance as SequentialVariance
from .shape import extremes as extremes
from .shape import kolmogorov_smirnov as kolmogorov_smirnov
from .shape import tails as tails
from .streaming import Moments as Moments
from .streaming import combine as combine
from .tree import MomentsTree as MomentsTree
