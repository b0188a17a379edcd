"""How a form is proved: the decision procedure, the Gaussian calculus, derivations and the pages they write."""

from .claim import Claim as Claim
from .claim import Condition as Condition
from .claim import Counterexample as Counterexample
from .claim import Decision as Decision
from .claim import claim as claim
from .decide import decide as decide
from .derivation import Derivation as Derivation
from .derivation import Proved as Proved
from .derivation import derivation as derivation
from .gaussian import Gaussian as Gaussian
from .loading import load as load
from .page import Page as Page
from .page import Step as Step
from .page import at as at
from .page import letter as letter
from .proving import Proofs as Proofs
from .proving import prove as prove
from .rules.computation import levels as levels
