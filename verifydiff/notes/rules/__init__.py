r"""What must hold for a statement to be right.

An equation between quantities owes one thing: that its two sides are equal. Other statements say something of a law, and owe what
makes the law so. With :math:`x_t = a_t x_0 + s_t e` and independent standard normal noises:

- a state written by a cleaner one, :math:`x_t = A x_j + \sum b_k \epsilon_k`, owes :math:`A a_j = a_t` and
  :math:`A^2 s_j^2 + \sum b_k^2 = s_t^2`;
- a sampler's step, :math:`x_s = w_0 x_0 + w_e e + \sum c_k z_k` once its prediction is written out, owes either the marginal,
  :math:`w_0 = a_s` and :math:`w_e^2 + \sum c_k^2 = s_s^2`, or the mean of the posterior and a noise that is in use there, or the
  weights of a discretised equation that is in use;
- a stochastic differential equation :math:`dx = D\,dt + G\,dw`, and a small step of one, owes
  :math:`D = f - \tfrac12 (g^2 \pm G^2) \nabla \log p`, with the sign of the time's direction;
- a guided prediction owes weights that sum to one and rise with the guidance;
- a loss owes that a perfect network has none.
"""

from __future__ import annotations

from .choices import fresh_noise as fresh_noise
from .choices import guided as guided
from .choices import scalings as scalings
from .choices import slope_of_noise as slope_of_noise
from .choices import told as told
from .differentials import backward as backward
from .differentials import brownian as brownian
from .differentials import coefficients as coefficients
from .differentials import differential as differential
from .differentials import integrated_rate as integrated_rate
from .differentials import is_continuous as is_continuous
from .differentials import moments as moments
from .differentials import turns_time as turns_time
from .equations import bounded as bounded
from .equations import equal as equal
from .equations import expanded as expanded
from .equations import ordered as ordered
from .equations import proportional as proportional
from .equations import renamed as renamed
from .increments import increments as increments
from .increments import steps_in_time as steps_in_time
from .laws import law as law
from .link import Link as Link
from .link import Owed as Owed
from .link import Rule as Rule
from .link import bare as bare
from .states import forward as forward
from .states import langevin as langevin
from .states import noiseless as noiseless
from .states import step as step
from .training import interpolated as interpolated
from .training import is_loss as is_loss
from .training import likelihood as likelihood
from .training import regression as regression

RULES: tuple[Rule, ...] = (
    equal,
    law,
    forward,
    step,
    proportional,
    ordered,
    bounded,
    fresh_noise,
    guided,
    differential,
    backward,
    coefficients,
    integrated_rate,
    moments,
    brownian,
    likelihood,
    interpolated,
    expanded,
    slope_of_noise,
    scalings,
    langevin,
    renamed,
)
