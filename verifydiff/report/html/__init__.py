"""A report as one HTML page that needs nothing besides itself: no network, no font, no image, and no script to be read."""

from .page import page as page
from .run import Run as Run
from .run import this_run as this_run
