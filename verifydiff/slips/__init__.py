"""The catalogue of mistakes: as operations on forms, on levels, and on noise."""

from .catalogue import CATALOGUE as CATALOGUE
from .catalogue import by_id as by_id
from .formula import FORMULA_SLIPS as FORMULA_SLIPS
from .formula import FormulaSlip as FormulaSlip
from .formula import Mutant as Mutant
from .formula import mutants as mutants
from .formula import mutated as mutated
from .multistep import MULTISTEP_SLIPS as MULTISTEP_SLIPS
from .multistep import MultistepSlip as MultistepSlip
from .multistep import mistaken as mistaken
from .slip import FormSlip as FormSlip
from .slip import Levels as Levels
from .slip import LevelSlip as LevelSlip
from .slip import NoiseSlip as NoiseSlip
from .slip import Slip as Slip
from .slip import slipped as slipped
