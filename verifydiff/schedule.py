r"""Noise schedules.

A schedule fixes the forward kernel

.. math:: q(x_t \mid x_0) = \mathcal{N}\bigl(x_t \mid \sqrt{\bar\alpha_t}\, x_0, (1 - \bar\alpha_t) I\bigr)

through the products :math:`\bar\alpha_0 = 1 > \bar\alpha_1 > \dots > \bar\alpha_T \ge 0` (Ho et al. 2020, eq. 4). The
paper's time runs over t = 1..T. Arrays in code hold one entry per noisy time and start at 0, so the *array index* i that
a network is asked about is the paper's t = i + 1, and index -1 is the data.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from .verdict import MisuseError

Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

NPY = b"\x93NUMPY"  # how a .npy file begins
MOST_TIMESTEPS = 1_000_000  # more are a slip of the finger


@dataclass(frozen=True, eq=False)
class Schedule:
    """The table of signal levels and what follows from it, in float64.

    Attributes:
        abar: shape (T + 1,), ``abar[t]`` for t = 0..T, with ``abar[0] == 1``, strictly decreasing and never negative.
        name: how reports call it.

    Raises:
        MisuseError: if the table is empty, not finite, not strictly decreasing from 1, or leaves [0, 1].
    """

    abar: Array
    name: str = "custom"

    def __post_init__(self) -> None:
        abar = _table("abar", self.abar)
        if abar.ndim != 1 or abar.size < 2:
            raise MisuseError(f"`abar` must be a table abar_0..abar_T with T >= 1, got shape {abar.shape}.")
        if not np.all(np.isfinite(abar)):
            raise MisuseError(f"`abar` must be finite, got {abar[~np.isfinite(abar)][0]} at t = {_first(~np.isfinite(abar))}.")
        if abar[0] != 1.0:
            raise MisuseError(
                f"`abar[0]` must be 1 (the data carry no noise), got {float(abar[0])!r}. A table that begins with the first noisy "
                "level lacks it: np.append(1.0, table)."
            )
        rising = np.concatenate([[False], np.diff(abar) >= 0])
        if rising.any():
            t = _first(rising)
            raise MisuseError(
                f"`abar` must decrease strictly in float64, got {float(abar[t])!r} after {float(abar[t - 1])!r} at t = {t}."
            )
        if abar[-1] < 0:
            raise MisuseError(f"`abar` must not be negative, got {abar[-1]:.6g} at t = {abar.size - 1}.")
        abar.setflags(write=False)
        object.__setattr__(self, "abar", abar)

    # -- the usual schedules ------------------------------------------------------------------------------------------

    @classmethod
    def from_betas(cls, betas: Any, name: str = "custom") -> Schedule:
        r"""The schedule :math:`\bar\alpha_t = \prod_{i \le t} (1 - \beta_i)` of a table beta_1..beta_T (Ho et al. 2020, sec. 2).

        A last beta of exactly 1 is allowed: it makes the terminal signal-to-noise ratio zero.
        """
        table = _table("betas", betas)
        if table.ndim != 1 or table.size == 0:
            raise MisuseError(f"`betas` must be a non-empty one-dimensional table, got shape {table.shape}.")
        wrong = ~((table > 0) & (table < 1))  # NaN is wrong too
        wrong[-1] &= table[-1] != 1
        if wrong.any():
            t = _first(wrong)
            raise MisuseError(
                f"`betas` must lie in (0, 1), got {table[t]:.6g} at array index {t}. At 0 a step adds no noise, at 1 the "
                "signal is gone and no step can bring it back."
            )
        return cls(np.concatenate([[1.0], np.cumprod(1.0 - table)]), name)

    @classmethod
    def linear(cls, timesteps: int, start: float = 1e-4, end: float = 0.02) -> Schedule:
        """Betas equally spaced from ``start`` to ``end`` (Ho et al. 2020, sec. 4)."""
        return cls.from_betas(np.linspace(start, end, _count(timesteps)), "linear")

    @classmethod
    def scaled_linear(cls, timesteps: int, start: float = 0.00085, end: float = 0.012) -> Schedule:
        """Square roots of the betas equally spaced, as latent diffusion models train with (Rombach et al. 2022, code)."""
        if not (start >= 0 and end >= 0):
            raise MisuseError(f"`start` and `end` must be betas, which have square roots, got {start} and {end}.")
        return cls.from_betas(np.linspace(start**0.5, end**0.5, _count(timesteps)) ** 2, "scaled_linear")

    @classmethod
    def cosine(cls, timesteps: int, offset: float = 0.008, max_beta: float = 0.999) -> Schedule:
        r""":math:`\bar\alpha_t = f(t)/f(0)`, :math:`f(t) = \cos^2\bigl(\tfrac{t/T + s}{1 + s}\tfrac{\pi}{2}\bigr)`, betas clipped
        at ``max_beta`` (Nichol & Dhariwal 2021, eq. 17).
        """
        T = _count(timesteps)
        t = np.arange(T + 1) / T
        f = np.cos((t + offset) / (1 + offset) * np.pi / 2) ** 2
        return cls.from_betas(np.minimum(1 - f[1:] / f[:-1], max_beta), "cosine")

    @classmethod
    def named(cls, name: str, timesteps: int) -> Schedule:
        """The schedule of that name, or of the ``.npy`` file of betas at that path."""
        makers: dict[str, Callable[[int], Schedule]] = {
            "linear": cls.linear,
            "scaled_linear": cls.scaled_linear,
            "cosine": cls.cosine,
        }
        if name in makers:
            return makers[name](timesteps)
        if name.endswith(".npy"):
            return cls.load(Path(name))
        raise MisuseError(f"no schedule is called {name!r}: give one of {', '.join(makers)}, or a .npy file of betas.")

    @classmethod
    def load(cls, path: Path) -> Schedule:
        """The schedule of a ``.npy`` file that holds a table of betas. Pickled arrays are refused."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise MisuseError(f"there is no file {path}.") from None
        except OSError as error:
            raise MisuseError(f"{path} cannot be read: {error.strerror or error}.") from None
        if not content.startswith(NPY):
            raise MisuseError(f"{path} is not a NumPy table: it does not begin as a .npy file does.")
        try:
            betas = np.load(BytesIO(content), allow_pickle=False)
        except Exception as error:  # NumPy parses the header as Python, and raises whatever that raises
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise MisuseError(f"{path} cannot be read as a NumPy table of betas: {reason[:200]}") from None
        return cls.from_betas(betas, path.name)

    def with_zero_terminal_snr(self) -> Schedule:
        r"""The schedule shifted and scaled in :math:`\sqrt{\bar\alpha}` so that :math:`\bar\alpha_T = 0` and
        :math:`\bar\alpha_1` stays (Lin et al. 2024, algorithm 1).
        """
        if self.timesteps == 1:
            raise MisuseError("a schedule of a single timestep cannot both keep abar_1 and end in 0.")
        root = np.sqrt(self.abar[1:])
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        return Schedule(np.concatenate([[1.0], root**2]), f"{self.name}, zero terminal SNR")

    # -- what follows from the table ----------------------------------------------------------------------------------

    @property
    def timesteps(self) -> int:
        """T, the number of noisy times."""
        return self.abar.size - 1

    @property
    def alphas(self) -> Array:
        """alpha_t = abar_t / abar_{t-1} for t = 1..T, shape (T,)."""
        return self.abar[1:] / self.abar[:-1]

    @property
    def betas(self) -> Array:
        """beta_t = 1 - alpha_t for t = 1..T, shape (T,)."""
        return 1.0 - self.alphas

    @property
    def posterior_variance(self) -> Array:
        """beta-tilde_t = (1 - abar_{t-1}) / (1 - abar_t) beta_t for t = 1..T, shape (T,) (Ho et al. 2020, eq. 7)."""
        return (1 - self.abar[:-1]) / (1 - self.abar[1:]) * self.betas

    @property
    def snr(self) -> Array:
        """abar_t / (1 - abar_t) for t = 1..T, shape (T,)."""
        return self.abar[1:] / (1 - self.abar[1:])

    def at(self, index: Any) -> Array:
        """abar at array indices (-1 is the data, T - 1 the noisiest level).

        Between two indices, sigma = sqrt((1 - abar) / abar) is interpolated linearly, which is how samplers in sigma
        space read a fractional time.
        """
        index = np.asarray(index, dtype=np.float64)
        if index.ndim == 0 and float(index).is_integer():  # as a sampler asks, once a step
            one: Array = self.abar[min(max(int(index) + 1, 0), self.timesteps)]
            return one
        whole = index == np.round(index)
        exact: Array = self.abar[np.clip(np.where(whole, index, 0).astype(int) + 1, 0, self.timesteps)]
        if whole.all():
            return exact
        with np.errstate(divide="ignore", invalid="ignore"):
            sigma = np.interp(index, np.arange(-1, self.timesteps), np.sqrt((1 - self.abar) / self.abar))
        return np.asarray(np.where(whole, exact, 1 / (1 + sigma**2)))


def grid(timesteps: int, steps: int, spacing: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The array indices at which a sampler of ``steps`` steps asks the model, noisiest first (Lin et al. 2024, table 2).

    Raises:
        MisuseError: if there are more steps than timesteps, fewer than one, or the spacing is unknown.
    """
    timesteps, steps = _count(timesteps), _count(steps, "steps")
    if steps > timesteps:
        raise MisuseError(f"`steps` must lie between 1 and the {timesteps} timesteps of the schedule, got {steps}.")
    if spacing == "leading":
        return (np.arange(steps) * (timesteps // steps))[::-1].astype(np.int64)
    if spacing == "trailing":
        return (np.round(np.arange(steps, 0, -1) * timesteps / steps) - 1).astype(np.int64)  # k T is exact, so are the ties
    if spacing == "linspace":
        return np.round(np.linspace(0, timesteps - 1, steps))[::-1].astype(np.int64)
    raise MisuseError(f"no spacing is called {spacing!r}: give trailing, leading or linspace.")


def refuse_no_schedule(schedule: Any) -> None:
    """Raise if something was given as a schedule that is none.

    Raises:
        MisuseError: if so, with how one is made.
    """
    if schedule is not None and not isinstance(schedule, Schedule):
        raise MisuseError(
            f"`schedule` must be a Schedule, got {type(schedule).__name__}: of betas Schedule.from_betas(betas) makes one, "
            "of products of alphas Schedule(np.append(1.0, alphas_cumprod))."
        )


def _first(mask: Any) -> int:
    return int(np.flatnonzero(mask)[0])


def _table(name: str, values: Any) -> Array:
    try:
        table = np.array(values)
        real = table.astype(np.float64) if table.dtype.kind in "fiuO" else None
    except (TypeError, ValueError):  # a ragged table, or things that are no numbers
        real = None
    if real is None:
        raise MisuseError(f"`{name}` must be a table of real numbers.")
    return real


def _count(number: Any, name: str = "timesteps") -> int:
    try:
        count = operator.index(number)
    except TypeError:
        raise MisuseError(f"`{name}` must be a whole number, got {number!r}.") from None
    if not 1 <= count <= MOST_TIMESTEPS:
        raise MisuseError(f"`{name}` must lie between 1 and {MOST_TIMESTEPS:,}, got {count}.")
    return count
