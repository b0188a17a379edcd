r"""A stationary Gaussian random field on a periodic grid.

Its covariance depends on the distance alone, C(x, x') = c(x - x'), and is diagonal in a Fourier basis. The real one is
Hartley's, :math:`\operatorname{cas}\theta = \cos\theta + \sin\theta`:

.. math:: (Hx)_k = \frac{1}{\sqrt d} \sum_n x_n \operatorname{cas}(2\pi\, k \cdot n), \qquad H = H^\top = H^{-1}, \qquad
          C = H \operatorname{diag}(S)\, H

(k in cycles per length of the grid, along each axis over the number of its points). With :math:`S_k = S_{-k}`, the power
spectrum, C is stationary: :math:`c(n) = \frac1d \sum_k S_k \cos(2\pi\, k \cdot n)`, and every point has the variance c(0), the
mean of S. With the unitary discrete Fourier transform F, :math:`H = \operatorname{Re} F - \operatorname{Im} F`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpyro.distributions import constraints

from ..verdict import MisuseError
from .arguments import Shape, as_one_dtype, broadcast, finite, positive, real, sound
from .gaussian import SpectralGaussian


class GaussianField(SpectralGaussian):
    r"""A stationary Gaussian field; an event is a grid of any number of axes.

    Args:
        loc: the mean, (\*batch, \*grid), or a number.
        spectrum: the power spectrum S, (\*batch, \*grid), in the order of the discrete Fourier transform: positive, the same
            at k and -k.
        grid_dim: how many axes the grid has.
        validate_args: whether wrong values raise, where they are known; NumPyro's default if left out.

    Raises:
        MisuseError: for shapes that do not broadcast, dtypes other than float32 and float64, and spectra that are not positive
            or not symmetric to rounding.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"loc": constraints.dependent, "spectrum": constraints.dependent}
    reparametrized_params: ClassVar[list[str]] = ["loc", "spectrum"]

    def __init__(self, loc: Any, spectrum: Any, *, grid_dim: int = 2, validate_args: bool | None = None) -> None:
        loc, spectrum = as_one_dtype(loc=loc, spectrum=spectrum)
        if not 1 <= grid_dim <= spectrum.ndim:
            raise MisuseError(
                f"`spectrum` must have at least the {grid_dim} axes of the grid, and that at least one, got {spectrum.shape}."
            )
        shape = broadcast({"loc": loc.shape, "spectrum": spectrum.shape})
        split, validate = len(shape) - grid_dim, validate_args is not False
        spectrum = sound(spectrum, positive, "`spectrum` must be positive and finite", validate)
        rule = "`spectrum` must be the same at k and -k, or the field is not stationary"
        spectrum = sound(spectrum, partial(even, grid_dim, 64 * float(jnp.finfo(spectrum.dtype).eps)), rule, validate)
        self.loc, self.spectrum = jnp.broadcast_to(finite("loc", loc, validate), shape), jnp.broadcast_to(spectrum, shape)
        self._settle(shape[:split], shape[split:], validate_args)

    @classmethod
    def power_law(cls, grid: Shape, exponent: Any, variance: Any = 1.0, loc: Any = 0.0) -> Self:
        r"""A field with :math:`S_k \propto \max(|k|, 1)^{-\text{exponent}}`, k in cycles per length of the grid.

        Args:
            grid: the shape of an event.
            exponent: 0 is white noise; images have about 2 in two dimensions.
            variance: of every point.
            loc: the mean, a number or (\*grid).

        Raises:
            MisuseError: as for the class, or if the grid has no points.
        """
        if not grid or min(grid) < 1:
            raise MisuseError(f"`grid` must have at least one axis and one point along each, got {grid}.")
        exponent, variance = as_one_dtype(exponent=exponent, variance=variance)
        axes = (jnp.fft.fftfreq(n, 1 / n, dtype=exponent.dtype) for n in grid)
        k = jnp.sqrt(sum(axis**2 for axis in jnp.meshgrid(*axes, indexing="ij")))
        shape = jnp.maximum(k, 1) ** -exponent
        loc = real("loc", loc)
        return cls(loc, variance * shape / jnp.mean(shape), grid_dim=len(grid))

    def _variance(self) -> Array:
        return jnp.broadcast_to(jnp.mean(self.spectrum, axis=self._axes, keepdims=True), self.spectrum.shape)

    @property
    def autocovariance(self) -> Array:
        r"""(\*batch, \*grid): c(n), the covariance of points that lie n apart."""
        return jnp.fft.ifftn(self.spectrum, axes=self._axes).real

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-self.event_dim, 0))

    def _turned(self, x: Array) -> Array:
        transformed = jnp.fft.fftn(x, axes=self._axes, norm="ortho")
        return transformed.real - transformed.imag

    def _turned_back(self, y: Array) -> Array:
        return self._turned(y)


def even(grid_dim: int, rounding: float, spectrum: Any) -> Any:
    """Where S is the same at k and -k, in the order of the discrete Fourier transform, to rounding."""
    mirrored, numpy = spectrum, np if isinstance(spectrum, np.ndarray) else jnp
    for axis in range(spectrum.ndim - grid_dim, spectrum.ndim):
        mirrored = numpy.roll(numpy.flip(mirrored, axis), 1, axis)
    return abs(spectrum - mirrored) <= rounding * spectrum
