"""What is asked of an observation, and the slip that explains a wrong answer."""

from .allow import Allowed as Allowed
from .allow import load_allowed as load_allowed
from .case import Contract as Contract
from .check import check as check
from .diagnosis import Explanation as Explanation
from .report import CheckFailed as CheckFailed
from .report import LibraryReport as LibraryReport
from .report import Report as Report
