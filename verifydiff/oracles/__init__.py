"""Data with known answers, as NumPyro distributions and models."""

from __future__ import annotations

from .field import GaussianField as GaussianField
from .gaussian import DiagonalGaussian as DiagonalGaussian
from .gaussian import FullGaussian as FullGaussian
from .gaussian import Gaussian as Gaussian
from .low_rank import LowRankGaussian as LowRankGaussian
from .mixture import GaussianMixture as GaussianMixture
from .oracle import Estimate as Estimate
from .oracle import Oracle as Oracle
