"""Adapter for Hugging Face diffusers: every scheduler class of the installed library as a target.

The loop is the one of the library's own pipelines (:mod:`.loops`); what the model is asked about is told in two ways
(:mod:`.frames`); the algebra is judged on the library's own code run wide (:mod:`.precision`). Besides, the scheduler is run as it
is shipped, and the difference is what single precision costs.
"""

from .classes import NotApplicable as NotApplicable
from .classes import schedulers as schedulers
from .configurations import configurations as configurations
from .entry import diffusers_target as diffusers_target
from .listing import everything as everything
