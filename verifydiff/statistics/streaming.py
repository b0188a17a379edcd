r"""Moments of draws that come in batches, or on several devices, and are never kept.

Of n vectors in :math:`\mathbb{R}^d` with mean m are kept the count, the mean and the central sums

.. math:: M_2 = \sum_i (x_i - m)(x_i - m)^\top, \qquad M_3 = \sum_i (x_i - m)^3, \qquad M_4 = \sum_i (x_i - m)^4,

the last two coordinate by coordinate. Those of two sets a and b follow from the sets' own, with :math:`\delta = m_b - m_a`,
n = n_a + n_b (Chan, Golub & LeVeque 1979; Pebay 2008 for the third and fourth):

.. math:: m &= m_a + \delta\, n_b / n, \\
          M_2 &= M_{2,a} + M_{2,b} + \delta\delta^\top n_a n_b / n, \\
          M_3 &= M_{3,a} + M_{3,b} + \delta^3 n_a n_b (n_a - n_b) / n^2 + 3\delta\,(n_a M_{2,b} - n_b M_{2,a}) / n, \\
          M_4 &= M_{4,a} + M_{4,b} + \delta^4 n_a n_b (n_a^2 - n_a n_b + n_b^2) / n^3
                 + 6\delta^2 (n_a^2 M_{2,b} + n_b^2 M_{2,a}) / n^2 + 4\delta\,(n_a M_{3,b} - n_b M_{3,a}) / n.

Nothing is ever squared before its mean is taken off, so no digits cancel. In exact arithmetic merging is associative and
commutative; in floating point it is so up to rounding. Where the same numbers are wanted whatever the layout,
:class:`.MomentsTree` fixes the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..verdict import MisuseError
from .evidence import Array, draws, floats

BLOCK = 1 << 17  # numbers that are widened to float64 at once: 1 MiB, which stays in the cache
NAMES = ("mean", "scatter", "third", "fourth")

Covariance = Literal["full", "diagonal"]


@dataclass(eq=False, slots=True)
class Moments:
    """Count, mean and central sums of draws in R^d. Made by :meth:`empty`, :meth:`of` or :meth:`from_arrays`.

    Attributes:
        n: how many draws.
        mean: (d,); zeros if there are none.
        scatter: the sum of products of deviations, (d, d); or only of their squares, (d,).
        third: the sum of the cubes of the deviations, (d,), if it is kept.
        fourth: that of their fourth powers, (d,), if it is kept.
    """

    n: int
    mean: Array
    scatter: Array
    third: Array | None = None
    fourth: Array | None = None

    @classmethod
    def empty(cls, d: int, *, covariance: Covariance = "full", order: int = 2) -> Moments:
        """Those of no draws in R^d; ``order`` 3 or 4 keeps higher moments of each coordinate.

        Raises:
            MisuseError: if d < 1, or there is no such kind or order.
        """
        if d < 1:
            raise MisuseError(f"draws have at least one coordinate, got d = {d}.")
        if covariance not in ("full", "diagonal"):
            raise MisuseError(f"`covariance` is 'full' or 'diagonal', got {covariance!r}.")
        if order not in (2, 3, 4):
            raise MisuseError(f"`order` is 2, 3 or 4, got {order}.")
        scatter = np.zeros((d, d) if covariance == "full" else d)
        return cls(0, np.zeros(d), scatter, np.zeros(d) if order > 2 else None, np.zeros(d) if order > 3 else None)

    @classmethod
    def of(cls, batch: Any, *, covariance: Covariance = "full", order: int = 2) -> Moments:
        """Those of a batch of shape (n, d), float32 or float64; summed in float64, block by block.

        Raises:
            MisuseError: if it is no such array, holds integers or half precision or a number that is not finite, or is so
                large that its moments overflow.
        """
        array = floats(batch)
        if array.ndim != 2 or 0 in array.shape:
            raise MisuseError(f"a batch has the shape (n, d) with n and d at least 1, got {array.shape}.")
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            whole = combine([_of_block(block, covariance, order) for block in _blocks(array)])
        if not all(np.isfinite(part).all() for part in whole._parts()):
            draws(array)  # says which is not finite
            raise MisuseError("the draws are so large that their moments overflow.")
        return whole

    def update(self, batch: Any) -> None:
        """Take in the draws of a batch of shape (n, d). If it is refused, nothing of it is taken."""
        self.merge(Moments.of(batch, covariance=self.kind, order=self.order))

    def merge(self, other: Moments) -> None:
        """Take in the draws of another. They must be others than those already here."""
        merged = self + other
        self.n, self.mean, self.scatter, self.third, self.fourth = merged.n, *(getattr(merged, name) for name in NAMES)

    def __add__(self, other: Moments) -> Moments:
        self.check_alike(other)
        if not (self.n and other.n):
            return (self if self.n else other).copy()
        return _merged(self, other)

    def copy(self) -> Moments:
        """Another with the same numbers."""
        return Moments(self.n, *(None if part is None else part.copy() for part in map(self.__getattribute__, NAMES)))  # type: ignore[arg-type]

    def of_coordinates(self, part: slice) -> Moments:
        """Those of some coordinates alone.

        Raises:
            MisuseError: if it is none of them.
        """
        if not self.mean[part].size:
            raise MisuseError(f"draws have at least one coordinate, and {part} leaves none of {self.d}.")
        scatter = self.scatter[part, part] if self.kind == "full" else self.scatter[part]
        third, fourth = (None if higher is None else higher[part].copy() for higher in (self.third, self.fourth))
        return Moments(self.n, self.mean[part].copy(), scatter.copy(), third, fourth)

    @property
    def d(self) -> int:
        """How many coordinates a draw has."""
        return int(self.mean.size)

    @property
    def kind(self) -> Covariance:
        """Whether the full covariance is kept or its diagonal."""
        return "full" if self.scatter.ndim == 2 else "diagonal"

    @property
    def order(self) -> int:
        """The highest moment that is kept."""
        return 4 if self.fourth is not None else 3 if self.third is not None else 2

    @property
    def covariance(self) -> Array:
        """The unbiased covariance, (d, d); or the variances, (d,), if only those are kept.

        Raises:
            MisuseError: with fewer than two draws.
        """
        if self.n < 2:
            raise MisuseError(f"a covariance takes at least two draws, got {self.n}.")
        return self.scatter / (self.n - 1)

    @property
    def variance(self) -> Array:
        """The unbiased variances, (d,)."""
        return _diagonal(self.covariance)

    @property
    def skewness(self) -> Array:
        """The third standardised moment of each coordinate, (d,): 0 for a Gaussian. NaN where nothing varies."""
        return _ratio(np.sqrt(self.n) * self._kept("third"), _diagonal(self.scatter) ** 1.5)

    @property
    def excess_kurtosis(self) -> Array:
        """The fourth standardised moment of each coordinate less 3, (d,): 0 for a Gaussian. NaN where nothing varies."""
        return _ratio(self.n * self._kept("fourth"), _diagonal(self.scatter) ** 2) - 3

    def about(self, centre: Any) -> Array:
        """The scatter about a given centre, (d,) or a number, instead of about the mean."""
        shift = self.mean - _centre(centre, self.d)
        return self.scatter + self.n * (np.outer(shift, shift) if self.kind == "full" else shift**2)

    def arrays(self) -> dict[str, Array]:
        """All that is known, as arrays for ``numpy.savez``; :meth:`from_arrays` reads it back bit for bit."""
        parts = {name: part for name in NAMES if (part := getattr(self, name)) is not None}
        return {"n": np.array(self.n, dtype=np.int64), **parts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Moments:
        """What :meth:`arrays` gave, or sums made elsewhere (on a device) under the same names.

        Raises:
            MisuseError: if something is missing, of the wrong shape, not finite, or no scatter of real draws.
        """
        names = ("n", *NAMES[: max(2, len(arrays) - 1)])
        if set(arrays) != set(names):
            raise MisuseError(
                f"moments are stored under {', '.join(('n', *NAMES))}, got {', '.join(map(str, arrays)) or 'nothing'}."
            )
        count = np.asarray(arrays["n"])
        if count.shape != () or count.dtype.kind not in "iu" or count < 0:
            raise MisuseError(f"`n` must be a whole number, not negative, got {arrays['n']!r}.")
        found = cls(int(count), *(draws(arrays[name]) for name in names[1:]))
        found._check_sane()
        return found

    def _parts(self) -> tuple[Array, ...]:
        return tuple(part for name in NAMES if (part := getattr(self, name)) is not None)

    def _kept(self, name: str) -> Array:
        if (part := getattr(self, name)) is None:
            raise MisuseError(f"the {name} moment was not kept: ask for `order={NAMES.index(name) + 1}`.")
        return np.asarray(part)

    def check_alike(self, other: Moments) -> None:
        """Refuse another of another dimension, kind or order."""
        mine, theirs = ((one.d, one.kind, one.order) for one in (self, other))
        if mine != theirs:
            raise MisuseError("moments merge if d, kind and order agree, got ({}, {}, {}) and ({}, {}, {}).".format(*mine, *theirs))

    def _check_sane(self) -> None:
        d = self.d
        shapes = [part.shape for part in self._parts()]
        if self.mean.ndim != 1 or shapes[1] not in ((d,), (d, d)) or any(shape != (d,) for shape in shapes[2:]):
            raise MisuseError(f"moments in R^d have the shapes (d,), (d, d) or (d,), and (d,), got {shapes}.")
        if (_diagonal(self.scatter) < 0).any() or (self.kind == "full" and not _is_scatter(self.scatter)):
            raise MisuseError("a scatter is symmetric and its diagonal bounds the rest: these are no moments of draws.")
        if self.n < 2 and any(part.any() for part in self._parts()[1 if self.n else 0 :]):
            raise MisuseError(f"{self.n} draws do not vary: these are no moments of draws.")


def combine(parts: Sequence[Moments]) -> Moments:
    """All parts together: neighbours two by two, then their neighbours, so that rounding grows with the log of their number.

    The same parts in the same order give the same numbers.
    """
    if not parts:
        raise MisuseError("there must be at least one part to combine.")
    while len(parts) > 1:
        parts = [parts[i] + parts[i + 1] if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    return parts[0]


def _blocks(array: Any) -> Iterator[Any]:
    rows = max(1, BLOCK // array.shape[1])
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


def _of_block(block: Any, covariance: Covariance, order: int) -> Moments:
    """Two passes, and a third for what rounding left of the mean; by coordinates, since long rows are summed fast and pairwise."""
    found = Moments.empty(block.shape[1], covariance=covariance, order=order)
    u = np.array(block.T, dtype=np.float64, order="C")
    found.n, found.mean = u.shape[1], u.mean(axis=1)
    u -= found.mean[:, None]
    found.mean += (rest := u.mean(axis=1))
    u -= rest[:, None]
    found.scatter = u @ u.T if covariance == "full" else np.einsum("ij,ij->i", u, u)
    if order > 2:
        squares = u**2
        found.third = np.einsum("ij,ij->i", squares, u)
        found.fourth = np.einsum("ij,ij->i", squares, squares) if order > 3 else None
    return found


def _merged(a: Moments, b: Moments) -> Moments:
    n, delta = a.n + b.n, b.mean - a.mean
    fa, fb = a.n / n, b.n / n  # everything below is written in the shares, which cannot overflow
    both = n * fa * fb
    mean = a.mean + delta * fb if a.n >= b.n else b.mean - delta * fa
    scatter = a.scatter + b.scatter + both * (np.outer(delta, delta) if a.kind == "full" else delta**2)
    if a.third is None or b.third is None:
        return Moments(n, mean, scatter)
    sa, sb = _diagonal(a.scatter), _diagonal(b.scatter)
    third = a.third + b.third + both * (fa - fb) * delta**3 + 3 * delta * (fa * sb - fb * sa)
    if a.fourth is None or b.fourth is None:
        return Moments(n, mean, scatter, third)
    fourth = a.fourth + b.fourth + both * (fa**2 - fa * fb + fb**2) * delta**4
    fourth += 6 * delta**2 * (fa**2 * sb + fb**2 * sa) + 4 * delta * (fa * b.third - fb * a.third)
    return Moments(n, mean, scatter, third, fourth)


def _centre(centre: Any, d: int) -> Array:
    array = np.asarray(centre, dtype=np.float64)
    if array.shape not in ((), (d,)) or not np.isfinite(array).all():
        raise MisuseError(f"a centre in R^{d} is a finite number or {d} of them, got the shape {array.shape}.")
    return array


def _is_scatter(scatter: Array) -> bool:
    """Symmetric, and by Cauchy and Schwarz no entry larger than the diagonal allows, but for rounding."""
    root = np.sqrt(np.diagonal(scatter))
    slack = 1e-9 * float(np.abs(scatter).max())
    return bool(np.abs(scatter - scatter.T).max() <= slack and (np.abs(scatter) <= np.outer(root, root) + slack).all())


def _diagonal(scatter: Array) -> Array:
    return np.diagonal(scatter) if scatter.ndim == 2 else scatter


def _ratio(numerator: Array, denominator: Array) -> Array:
    return np.divide(numerator, denominator, out=np.full_like(denominator, np.nan), where=denominator > 0)
