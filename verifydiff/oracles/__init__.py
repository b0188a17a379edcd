"""Data with known answers, as NumPyro distributions and models.

A law of data knows what noise makes of it at any level abar, and what is known of the data and the noise then: score, denoiser,
expected noise, posterior, class posterior, the loss no model beats; for Gaussians also where the probability flow leads and the
law that a sampler ends in after S steps.
"""

from __future__ import annotations

from . import steps as steps
from .chains import joint_of_noising as joint_of_noising
from .chains import joint_of_step as joint_of_step
from .chains import law_after as law_after
from .field import GaussianField as GaussianField
from .frechet import frechet_distance as frechet_distance
from .frechet import frechet_distance_of_moments as frechet_distance_of_moments
from .gaussian import DiagonalGaussian as DiagonalGaussian
from .gaussian import FullGaussian as FullGaussian
from .gaussian import Gaussian as Gaussian
from .low_rank import LowRankGaussian as LowRankGaussian
from .matrix_form import eps_of_columns as eps_of_columns
from .mixture import GaussianMixture as GaussianMixture
from .models import forward_chain as forward_chain
from .models import forward_scan as forward_scan
from .models import noised as noised
from .models import reverse_chain as reverse_chain
from .models import reverse_scan as reverse_scan
from .oracle import Estimate as Estimate
from .oracle import Oracle as Oracle
