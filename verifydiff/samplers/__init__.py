r"""Reference samplers in JAX, each written by hand as its equation reads.

.. code-block:: python

    levels = spaced(Schedule.linear(1000).abar, 50)
    x_0 = sample(DDIM(eta=0.0), eps, x_T, levels, key=jax.random.key(0))

A model is a function ``eps(x_t, abar_t) -> eps_hat``; levels are an array of abar, noisiest first, that ends on the data, at 1.
Nothing here shares code with the closed forms that samplers are judged by.
"""

from .classifier_free_guidance import classifier_free as classifier_free
from .classifier_guidance import GuidedStep as GuidedStep
from .classifier_guidance import classifier_guided as classifier_guided
from .ddim import DDIM as DDIM
from .ddpm import DDPM as DDPM
from .dpm_solver import DPMSolverPP2M as DPMSolverPP2M
from .draws import Draws as Draws
from .draws import chunk_size as chunk_size
from .draws import sample_many as sample_many
from .edm import EDM as EDM
from .euler import Euler as Euler
from .euler_maruyama import EulerMaruyama as EulerMaruyama
from .heun import Heun as Heun
from .levels import karras as karras
from .levels import log_uniform as log_uniform
from .levels import spaced as spaced
from .loop import sample as sample
from .loop import trajectory as trajectory
from .predictions import from_score as from_score
from .predictions import from_v as from_v
from .predictions import from_x0 as from_x0
from .predictor_corrector import PredictorCorrector as PredictorCorrector
from .reverse_diffusion import ReverseDiffusion as ReverseDiffusion
from .sampler import GaussianSampler as GaussianSampler
from .sampler import Kernel as Kernel
from .sampler import Model as Model
from .sampler import Sampler as Sampler
from .sampler import State as State
