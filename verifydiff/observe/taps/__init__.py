"""Taps: the places where samplers draw their noise, one file a library."""

from .of_jax import jax_tap as jax_tap
from .of_numpy import numpy_tap as numpy_tap
from .of_torch import torch_tap as torch_tap
