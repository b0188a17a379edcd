"""Every kind of node that is read, put together: who works out a formula takes :func:`read` and :func:`value` from here."""

from __future__ import annotations

from . import arithmetic as arithmetic
from . import integrals as integrals
from . import means as means
from . import slopes as slopes
from . import vocabulary as vocabulary
from .walk import read as read
from .walk import value as value
