"""The closed forms, one file a topic: the table of what is true. Each is proved by a page of ``derivations/``."""

from . import ddim as ddim
from . import ddpm as ddpm
from . import euler as euler
from . import forward as forward
from . import ode_steps as ode_steps
from . import quantities as quantities
from . import reverse_steps as reverse_steps
from . import score as score
from . import sde as sde
from .form import Form as Form
from .form import Source as Source
from .table import every_form as every_form
from .table import every_letter as every_letter
from .table import is_shipped as is_shipped
