"""Statistics with declared error rates: exact and bounded tests, and decisions that know how many draws they need.

Nothing here is asymptotic and nothing knows of diffusion. A p-value is either exact or a proved upper bound, so that a
test at level alpha raises a false alarm with probability at most alpha, at 1e-9 as well as at 5 %.
"""

from __future__ import annotations

from .battery import standard_normal_battery as standard_normal_battery
from .bounded import bounded_mean as bounded_mean
from .bounded import draws_needed_for_bounded_mean as draws_needed_for_bounded_mean
from .calibration import calibration as calibration
from .calibration import ranks as ranks
from .coincidence import coincidence as coincidence
from .coupled import compare_coupled_means as compare_coupled_means
from .coupled import coupled_variances as coupled_variances
from .decision import Comparison as Comparison
from .decision import Decision as Decision
from .decision import compare_mean as compare_mean
from .decision import compare_variance as compare_variance
from .decision import draws_needed_for_mean as draws_needed_for_mean
from .decision import draws_needed_for_variance as draws_needed_for_variance
from .evidence import Evidence as Evidence
from .gaussian import directions as directions
from .gaussian import gaussian_battery as gaussian_battery
from .gaussian import whiten as whiten
from .gaussian_decision import GaussianComparison as GaussianComparison
from .gaussian_decision import compare_gaussian as compare_gaussian
from .gaussian_decision import draws_needed_for_gaussian as draws_needed_for_gaussian
from .independence import independence as independence
from .joint import joint_agreement as joint_agreement
from .joint import joint_battery as joint_battery
from .joint import stacked as stacked
from .moments import unit_variance as unit_variance
from .moments import zero_mean as zero_mean
from .planning import draws_needed_for_directions as draws_needed_for_directions
from .planning import draws_needed_for_distribution_function as draws_needed_for_distribution_function
from .rates import ErrorRates as ErrorRates
from .sequential import SequentialMean as SequentialMean
from .sequential import SequentialVariance as SequentialVariance
from .shape import extremes as extremes
from .shape import kolmogorov_smirnov as kolmogorov_smirnov
from .shape import tails as tails
from .streaming import Moments as Moments
from .streaming import combine as combine
from .tree import MomentsTree as MomentsTree
from .two_sample import energy_distance as energy_distance
from .two_sample import kernel_distance as kernel_distance
from .two_sample import permutations_needed as permutations_needed
from .two_sample import projections as projections
from .uniformity import cumulative_counts as cumulative_counts
from .uniformity import distribution_function as distribution_function
