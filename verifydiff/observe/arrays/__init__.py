"""The arrays that samplers work on: each as a sampler over NumPy arrays, which is what the probe runs."""

from .kind import Arrays as Arrays
from .kind import Kind as Kind
from .kind import uses as uses
