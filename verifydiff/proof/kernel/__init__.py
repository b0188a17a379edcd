"""A second referee: proved claims as lemmas of Coq, checked by its kernel."""

from .coq import Coq as Coq
from .coq import find as find
from .export import export as export
from .judging import Referee as Referee
from .judging import folder as folder
from .judging import judge as judge
