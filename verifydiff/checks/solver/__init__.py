"""Solvers, of any number of queries a step: judged by where their steps land and by the order in which they converge."""

from .case import SolverCase as SolverCase
from .findings import findings as findings
from .kind import kind as kind
from .multistep import explanations as explanations
