r"""The laws of data that a campaign can be told by name, or by a file.

By name, with the number of dimensions, or the side of the grid, after a colon:

* ``gaussian:D``: a mean and a full covariance whose eigenvalues spread from 1/4 to 4;
* ``mixture:D``: eight round components of variance 1/20 with centres on a sphere of radius :math:`\sqrt D`, in four classes;
* ``field:N``: a random field on an N x N torus, its spectrum falling as :math:`1/k^2`, of variance 1.

By a JSON file, as ``{"kind": "mixture", "weights": [...], "means": [[...]], "variance": 0.1, "labels": [...]}``: see :data:`KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from ..disk import read_json
from ..oracles import DiagonalGaussian, FullGaussian, GaussianField, GaussianMixture, Oracle
from ..verdict import MisuseError

COMPONENTS, CLASSES, WIDTH = 8, 4, 0.05
LARGEST_DIMENSION = 4096


def data(name: str) -> Oracle:
    """The law of that name, or of the file at that path.

    Raises:
        MisuseError: if there is none, or what it says makes no law.
    """
    if name.endswith(".json"):
        return _of_file(Path(name))
    kind, _, size = name.partition(":")
    if kind not in NAMED:
        raise MisuseError(f"no data are called {name[:60]!r}: give {', '.join(f'{one}:N' for one in NAMED)}, or a .json file.")
    if not (size.isdecimal() and len(size) < 6 and 1 <= int(size) <= LARGEST_DIMENSION):
        raise MisuseError(f"{kind} takes a size from 1 to {LARGEST_DIMENSION} after a colon, as {kind}:2, got {name[:60]!r}.")
    return NAMED[kind](int(size))


def _gaussian(d: int) -> Oracle:
    rng = _named("gaussian")
    turn, _ = np.linalg.qr(rng.standard_normal((d, d)))
    spread = np.geomspace(0.25, 4.0, d) if d > 1 else np.ones(1) / 4
    return FullGaussian(rng.standard_normal(d), (turn * spread) @ turn.T)


def _mixture(d: int) -> Oracle:
    rng = _named("mixture")
    centres = rng.standard_normal((COMPONENTS, d))
    centres *= np.sqrt(d) / np.linalg.norm(centres, axis=1, keepdims=True)
    weights = np.arange(1, COMPONENTS + 1) / np.arange(1, COMPONENTS + 1).sum()
    return GaussianMixture.isotropic(weights, centres, WIDTH, labels=[k % CLASSES for k in range(COMPONENTS)])


def _field(side: int) -> Oracle:
    return GaussianField.power_law((side, side), 2.0)


NAMED: dict[str, Callable[[int], Oracle]] = {"gaussian": _gaussian, "mixture": _mixture, "field": _field}


def _named(name: str) -> np.random.Generator:
    return np.random.default_rng(crc32(name.encode()))


# -- files -----------------------------------------------------------------------------------------------------------------------


def _gaussian_of(told: Mapping[str, Any]) -> Oracle:
    mean = _numbers(told, "mean")
    if "covariance" in told:
        return FullGaussian(mean, _numbers(told, "covariance"))
    return DiagonalGaussian(mean, _numbers(told, "variance"))


def _mixture_of(told: Mapping[str, Any]) -> Oracle:
    weights, means, labels = _numbers(told, "weights"), _numbers(told, "means"), told.get("labels")
    if labels is not None and not (isinstance(labels, list) and all(type(one) is int for one in labels)):
        raise MisuseError("`labels` must be a list of whole numbers.")
    if "covariances" in told:
        return GaussianMixture(weights, FullGaussian(means, _numbers(told, "covariances")), labels)
    return GaussianMixture.isotropic(weights, means, _numbers(told, "variance"), labels)


def _field_of(told: Mapping[str, Any]) -> Oracle:
    grid = told.get("grid")
    if not (isinstance(grid, list) and grid and all(type(one) is int and 1 <= one <= LARGEST_DIMENSION for one in grid)):
        raise MisuseError(f"`grid` must be a list of sizes, as [16, 16], got {grid!r:.60}.")
    exponent, variance = (
        _numbers({name: told.get(name, default)}, name) for name, default in (("exponent", 2.0), ("variance", 1.0))
    )
    return GaussianField.power_law(tuple(grid), exponent, variance)


KINDS: dict[str, tuple[Callable[[Mapping[str, Any]], Oracle], set[str]]] = {
    "gaussian": (_gaussian_of, {"mean", "covariance", "variance"}),
    "mixture": (_mixture_of, {"weights", "means", "variance", "covariances", "labels"}),
    "field": (_field_of, {"grid", "exponent", "variance"}),
}
"""What a file may say, by its ``kind``: ``mean`` (d) with ``covariance`` (d, d) or ``variance`` (d or a number); ``weights`` (K)
and ``means`` (K, d) with ``covariances`` (K, d, d) or ``variance`` (a number or K), and ``labels`` (K); ``grid`` with
``exponent`` and ``variance``."""


def _of_file(path: Path) -> Oracle:
    told = read_json(path)
    kind = told.get("kind") if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise MisuseError(f"{path} must be an object with a `kind`, one of {', '.join(KINDS)}.")
    make, names = KINDS[kind]
    if unknown := sorted(set(told) - names - {"kind"}):
        raise MisuseError(f"{path}: a {kind} is not told by {unknown[0]!r}, but by {', '.join(sorted(names))}.")
    try:
        return make(told)
    except MisuseError as error:
        raise MisuseError(f"{path}: {error}") from None


def _numbers(told: Mapping[str, Any], name: str) -> Any:
    if name not in told:
        raise MisuseError(f"`{name}` is missing.")
    try:
        table = np.asarray(told[name])
    except ValueError:  # ragged
        table = np.asarray(None)
    if table.dtype.kind not in "fiu" or not np.isfinite(table).all():
        raise MisuseError(f"`{name}` must hold finite numbers, as many in every row.")
    return table.astype(np.float64)
