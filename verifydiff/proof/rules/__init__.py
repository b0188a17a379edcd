"""The named rules of a page, one kind a file: each checks its own hypotheses and says what it rests on."""

from .calculus import CalculusRules as CalculusRules
from .computation import ComputationRules as ComputationRules
from .gaussian import GaussianRules as GaussianRules
from .induction import InductionRules as InductionRules
from .measure import MeasureRules as MeasureRules
from .path import PathRules as PathRules
from .spectral import SpectralRules as SpectralRules
