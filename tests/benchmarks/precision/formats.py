r"""Formats of numbers, each as a rounding of float32, and the precisions that a model may compute in.

A format is emulated: a number of float32 is rounded to the nearest that the format has, ties to even, and stays in float32. A
product of two such numbers is exact in float32 (tf32, float16 and bfloat16 have at most 11 significant bits). So a matrix product
of rounded operands in full float32 is what a unit computes that multiplies in the format and accumulates in float32, but for the
order of its sums. ``lax.reduce_precision`` rounds and is never undone; of a conversion there and back a compiler may leave nothing.
A unit for tf32 that is given numbers of float32 may leave out their last bits rather than round, so both are looked at.

=========  =============  ==================  =====================================
format     explicit bits  largest rel. error  what is rounded
=========  =============  ==================  =====================================
tf32       10             2^-11; cut 2^-10    operands of matrix products alone
float16    10             2^-11, above 6e-5   weights, activations and the answer
bfloat16   7              2^-8                weights, activations and the answer
=========  =============  ==================  =====================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

Rounding = Callable[[Array], Array]
Product = Callable[[Array, Array], Array]

SMALLEST_NORMAL, SPACING = 2.0**-14, 2.0**-24
"""Of float16: below the first its numbers are the multiples of the second."""


def plain(x: Array) -> Array:
    """No rounding."""
    return x


def tf32(x: Array) -> Array:
    """To ten explicit bits, with the exponents of float32."""
    return lax.reduce_precision(x, 8, 10)


def tf32_cut(x: Array) -> Array:
    """The ten explicit bits that are there, and the rest left out: towards zero."""
    return lax.bitcast_convert_type(lax.bitcast_convert_type(x, jnp.uint32) & jnp.uint32(0xFFFFE000), jnp.float32)


def bfloat16(x: Array) -> Array:
    """To seven explicit bits, with the exponents of float32."""
    return lax.reduce_precision(x, 8, 7)


def float16(x: Array) -> Array:
    """To ten explicit bits with exponents from -14 to 15, to multiples of 2^-24 below, and to infinity beyond 65,504."""
    return jnp.where(jnp.abs(x) < SMALLEST_NORMAL, jnp.round(x / SPACING) * SPACING, lax.reduce_precision(x, 5, 10))


def highest(a: Array, b: Array) -> Array:
    """A matrix product in the full precision of its operands."""
    return jnp.matmul(a, b, precision="highest")


def by_hardware_tf32(a: Array, b: Array) -> Array:
    """A matrix product by the accelerator's own tf32."""
    return jnp.matmul(a, b, precision=lax.DotAlgorithmPreset.TF32_TF32_F32)


def by_hardware_bfloat16(a: Array, b: Array) -> Array:
    """A matrix product of bfloat16 by the accelerator's own unit, accumulated in float32."""
    return jnp.matmul(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16), preferred_element_type=jnp.float32)


@dataclass(frozen=True)
class Precision:
    """What a model computes in.

    Attributes:
        name: how records call it.
        weight: what becomes of matrices of weights.
        gain: what becomes of weights that multiply number by number, outside of matrix products.
        operand: what becomes of an activation where it enters a matrix product.
        kept: what becomes of every result, the answer among them.
        product: the matrix product.
        dtype: of all arrays, and of the state.
    """

    name: str
    weight: Rounding = plain
    gain: Rounding = plain
    operand: Rounding = plain
    kept: Rounding = plain
    product: Product = highest
    dtype: Any = jnp.float32


EXACT = Precision("float64", dtype=jnp.float64)
FLOAT32 = Precision("float32")
TF32 = Precision("tf32", weight=tf32, operand=tf32)
TF32_CUT = Precision("tf32, cut off", weight=tf32_cut, operand=tf32_cut)
FLOAT16 = Precision("float16", weight=float16, gain=float16, operand=float16, kept=float16)
BFLOAT16 = Precision("bfloat16", weight=bfloat16, gain=bfloat16, operand=bfloat16, kept=bfloat16)
BFLOAT16_WEIGHTS = Precision("bfloat16 weights", weight=bfloat16, gain=bfloat16)
EMULATED = (FLOAT32, TF32, TF32_CUT, FLOAT16, BFLOAT16, BFLOAT16_WEIGHTS)
BY_HARDWARE = (
    Precision("tf32, by the hardware", product=by_hardware_tf32),
    replace(BFLOAT16, name="bfloat16, by the hardware", product=by_hardware_bfloat16),
)
"""Besides, on a GPU: told next to their emulations."""


def precisions() -> tuple[Precision, ...]:
    """Those that this machine can tell of."""
    return EMULATED + (BY_HARDWARE if jax.default_backend() == "gpu" else ())
