"""The closed forms, one file a topic: the table of what is true. Each is proved by a page of ``derivations/``."""

from . import ddim as ddim
from . import ddpm as ddpm
from . import deis as deis
from . import dpm as dpm
from . import euler as euler
from . import forward as forward
from . import laws as laws
from . import quantities as quantities
from . import score as score
from .form import Form as Form
from .form import Source as Source
from .table import is_shipped as is_shipped
from .table import table as table
