"""The named rules of a page, one kind a file: each checks its own hypotheses and says what it rests on."""

from .bounds import BoundRules as BoundRules
from .calculus import CalculusRules as CalculusRules
from .computation import ComputationRules as ComputationRules
from .dynamics import DynamicsRules as DynamicsRules
from .gaussian import GaussianRules as GaussianRules
from .induction import InductionRules as InductionRules
from .iterated import IteratedRules as IteratedRules
from .matrices import MatrixRules as MatrixRules
from .measure import MeasureRules as MeasureRules
from .path import PathRules as PathRules
from .spectral import SpectralRules as SpectralRules
