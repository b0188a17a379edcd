r"""Hypothesis strategies for what samplers are made of: schedules, time grids, eta, known data, and a scheduler's options.

.. code-block:: python

    @given(st.data())
    def test_any_grid(data):
        schedule = data.draw(schedules())
        times = data.draw(grids(schedule, covering=True))
        vd.check(my_sampler(schedule, times), schedule=schedule, family=vd.DDIM(eta=0.0)).raise_if_failed()

All that is drawn is valid, by the way it is made and not by filtering, so that no example is thrown away. A failure shrinks: to
few timesteps, few steps and the usual betas, and to no option of a scheduler but those that it takes. What varies here are
parameters; the seed of a check that draws noise does not, since every example would spend its false-alarm rate anew.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .schedule import Schedule, grid
from .verdict import MisuseError

try:
    from hypothesis import strategies as st
except ImportError:
    raise MisuseError("verifydiff.strategies needs hypothesis, which is not installed: pip install 'verifydiff[pytest]'") from None

MOST_TIMESTEPS = 4000
"""Of a schedule that is drawn: with the usual betas the level is 4e-18 there, and still falls in double precision."""
LEAST_BETA, MOST_BETA, TOTAL = 1e-4, 0.5, 40.0
r"""Betas lie in [1e-4, min(1/2, 40/T)]: every step adds noise that double precision sees, and :math:`\bar\alpha_T > 10^{-25}`."""
MOST_BETAS = 16
"""As many betas of a table are drawn; a longer table repeats them."""
MOST_ANY_TIMES = 64
"""Grids of any times at all have no more than these; more would leave little for the rest of a test."""
MOST_SIZE = 3.0
"""Of means of data, whose variance is of order 1."""


# -- schedules and grids -----------------------------------------------------------------------------------------------


def schedules(*, min_timesteps: int = 1, max_timesteps: int = 1000, zero_terminal_snr: bool = False) -> st.SearchStrategy[Schedule]:
    """Schedules: linear, scaled linear, cosine, and tables of any betas.

    Args:
        min_timesteps, max_timesteps: bounds of T.
        zero_terminal_snr: whether those whose last level is 0 are drawn as well (T >= 2).
    """
    _refuse_bounds("timesteps", min_timesteps, max_timesteps, MOST_TIMESTEPS)
    return _schedules(min_timesteps, max_timesteps, zero_terminal_snr)


@st.composite
def _schedules(draw: st.DrawFn, least: int, most: int, zero: bool) -> Schedule:
    T = draw(st.integers(least, most))
    ends = _betas(T)
    kinds = (
        st.just(T).map(Schedule.linear),
        st.just(T).map(Schedule.scaled_linear),
        st.just(T).map(Schedule.cosine),
        st.tuples(ends, ends).map(sorted).map(lambda pair: Schedule.linear(T, *pair)),
        st.tuples(ends, ends).map(sorted).map(lambda pair: Schedule.scaled_linear(T, *pair)),
        st.lists(ends, min_size=1, max_size=min(T, MOST_BETAS)).map(
            lambda betas: Schedule.from_betas(np.resize(betas, T), "table")
        ),
    )
    schedule = draw(st.one_of(kinds))
    return schedule.with_zero_terminal_snr() if zero and T > 1 and draw(st.booleans()) else schedule


def _betas(T: int) -> st.SearchStrategy[float]:
    return st.floats(LEAST_BETA, min(MOST_BETA, TOTAL / T))


def grids(
    schedule: Schedule | int, *, min_steps: int = 1, max_steps: int | None = None, covering: bool = False
) -> st.SearchStrategy[np.ndarray[Any, np.dtype[np.int64]]]:
    """Time grids: strictly falling array indices in 0..T-1, noisiest first.

    The usual spacings, with any number of steps, whether or not it divides T; and any times at all.

    Args:
        schedule: whose times they are, or T.
        min_steps, max_steps: bounds of the length; T is the most.
        covering: whether all of them begin at T - 1, as a sampler that is handed pure noise should; "leading" ones do not.
    """
    T = schedule if isinstance(schedule, int) else schedule.timesteps
    most = min(T, max_steps) if max_steps is not None else T
    _refuse_bounds("steps", min_steps, most, T)
    trailing = st.integers(min_steps, most).map(lambda steps: grid(T, steps, "trailing"))
    linspace = st.integers(min(max(min_steps, 2 if covering else 1), most), most).map(lambda steps: grid(T, steps, "linspace"))
    leading = st.integers(min_steps, most).map(lambda steps: grid(T, steps, "leading"))
    first = [T - 1] if covering else []
    others = st.sets(
        st.sampled_from(range(T - len(first))) if len(first) < T else st.nothing(),
        min_size=min_steps - len(first),
        max_size=min(most, max(MOST_ANY_TIMES, min_steps)) - len(first),
    )
    any_times = others.map(lambda times: np.array([*first, *sorted(times, reverse=True)], dtype=np.int64))
    kinds = [trailing, any_times] if covering and most == 1 else [trailing, linspace, any_times]
    return st.one_of(kinds if covering else [*kinds, leading])


def etas() -> st.SearchStrategy[float]:
    """The noise scale of DDIM, in [0, 1], both ends often."""
    return st.one_of(st.sampled_from((0.0, 1.0)), st.floats(0.0, 1.0, allow_subnormal=False))


# -- data with known answers -------------------------------------------------------------------------------------------


class Gaussian(NamedTuple):
    """Data N(mean, variance), in every coordinate; a variance of 0 is a point."""

    mean: float
    variance: float


@dataclass(frozen=True)
class Mixture:
    """Data of which a share ``weights[k]`` is ``components[k]``."""

    weights: tuple[float, ...]
    components: tuple[Gaussian, ...]

    @property
    def mean(self) -> float:
        """Of the whole."""
        return sum(weight * one.mean for weight, one in zip(self.weights, self.components, strict=True))

    @property
    def variance(self) -> float:
        """Of the whole: within the components, and between them."""
        return sum(
            weight * (one.variance + (one.mean - self.mean) ** 2) for weight, one in zip(self.weights, self.components, strict=True)
        )


def gaussians() -> st.SearchStrategy[Gaussian]:
    """Gaussian data; the variance is 0 (a point) or at least 1e-3."""
    means = st.floats(-MOST_SIZE, MOST_SIZE, allow_subnormal=False)
    return st.builds(Gaussian, means, st.one_of(st.just(0.0), st.just(1.0), st.floats(1e-3, 4.0)))


def mixtures(*, max_components: int = 4) -> st.SearchStrategy[Mixture]:
    """Mixtures of one to ``max_components`` Gaussians, each with a share that is not negligible."""
    _refuse_bounds("components", 1, max_components, 64)
    parts = st.lists(st.tuples(st.integers(1, 10), gaussians()), min_size=1, max_size=max_components)
    return parts.map(_mixture)


def _mixture(parts: list[tuple[int, Gaussian]]) -> Mixture:
    shares, components = zip(*parts, strict=True)
    return Mixture(tuple(share / sum(shares) for share in shares), components)


# -- options of a scheduler --------------------------------------------------------------------------------------------

DOCUMENTED: dict[str, tuple[Any, ...]] = {
    "beta_schedule": ("linear", "scaled_linear", "squaredcos_cap_v2"),
    "prediction_type": ("epsilon", "v_prediction"),
    "timestep_spacing": ("leading", "trailing", "linspace"),
    "interpolation_type": ("linear", "log_linear"),
    "solver_order": (1, 2, 3),
    "predictor_order": (1, 2, 3),
    "corrector_order": (1, 2, 3),
    "steps_offset": (0, 1),
}
"""The values of options whose annotation in the constructor does not list them."""
SWITCHES = (
    "clip_sample",
    "euler_at_final",
    "lower_order_final",
    "predict_x0",
    "rescale_betas_zero_snr",
    "set_alpha_to_one",
    "skip_prk_steps",
    "thresholding",
)
"""Options that are on or off, whatever the others are; thresholding takes states that are images."""
RANGES = {
    "clip_sample_range": (0.5, 10.0),
    "dynamic_thresholding_ratio": (0.5, 1.0),
    "sample_max_value": (1.0, 10.0),
    "rho": (1.0, 10.0),
    "sigma_data": (0.1, 2.0),
}
SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
"""Of these spacings of sigma a scheduler takes one at most."""
OF_FLOWS = ("flow_prediction", "trigflow")
"""Predictions in the frame of a flow, which take further options."""
LEARNED = ("learned", "learned_range")
"""Variances that a model predicts."""
TIMESTEPS = (100, 1000)
"""``num_train_timesteps`` lies in between, and is 1000 where nothing else is drawn."""


@dataclass(frozen=True)
class _Option:
    """One argument of a scheduler's constructor, read off its source.

    Attributes:
        name: what it is called.
        default: its default, where that is a constant.
        values: those that its annotation lists, ``Literal[...]``.
        required: whether it has no default.
    """

    name: str
    default: Any
    values: tuple[Any, ...]
    required: bool


def scheduler_configs(class_name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Options that a scheduler class of the installed diffusers offers, as keywords of its constructor.

    They are read off the source of its constructor, so that neither diffusers nor torch is imported: the options that the class
    has, and the values that it lists. Others are bounded to what the documentation says. An option that is not drawn has its
    default; a failure shrinks to the options that it takes, at best to ``{}``.

    The constructor and ``set_timesteps`` take whatever is drawn. Whether ``step`` then does what it should is for a test to say.

    Args:
        class_name: ``"DDIMScheduler"``, say.

    Raises:
        MisuseError: if diffusers is missing, has no such class, or the class cannot be made without options that nothing is
            known of.
    """
    options = {option.name: option for option in _options(class_name)}
    if required := [name for name, option in options.items() if option.required]:
        raise MisuseError(f"{class_name} cannot be made without {', '.join(required)}, of which no values are known here.")
    single = [_perhaps(name, values) for name, option in options.items() if (values := _values(option)) is not None]
    groups = st.tuples(*single, _beta_ends(options), _sigmas(options))
    return groups.map(lambda parts: _agreeing({key: value for part in parts for key, value in part.items()}, set(options)))


def _perhaps(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The option with one of these values, or without it: each option for itself, so that each can be left out in a failure."""
    return st.one_of(st.just({}), values.map(lambda value: {name: value}))


def _values(option: _Option) -> st.SearchStrategy[Any] | None:
    """The values of an option other than its default; None where it is left alone."""
    if option.name in SWITCHES and isinstance(option.default, bool):
        return st.just(not option.default)
    if option.name in RANGES and isinstance(option.default, float):
        return st.floats(*RANGES[option.name])
    if option.name == "num_train_timesteps" and option.default == TIMESTEPS[-1]:
        return st.integers(*TIMESTEPS)
    values = [
        value
        for value in option.values or DOCUMENTED.get(option.name, ())
        if value != option.default and value not in (*OF_FLOWS, *LEARNED) and type(value) is type(option.default)
    ]
    return st.sampled_from(values) if values else None


def _beta_ends(options: dict[str, _Option]) -> st.SearchStrategy[dict[str, Any]]:
    """Both ends of the betas, or neither."""
    if not {"beta_start", "beta_end"} <= set(options):
        return st.just({})
    pairs = st.tuples(st.floats(1e-4, 1e-3), st.floats(0.01, 0.04))
    return st.one_of(st.just({}), pairs.map(lambda pair: dict(zip(("beta_start", "beta_end"), pair, strict=True))))


def _sigmas(options: dict[str, _Option]) -> st.SearchStrategy[dict[str, Any]]:
    """One of the spacings of sigma, or none."""
    return st.sampled_from([{}, *({name: True} for name in SIGMAS if name in options)])


def _agreeing(config: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Solvers over the noise, not the data, have no last step onto sigma = 0: they end on the smallest sigma."""
    if config.get("algorithm_type") in ("dpmsolver", "sde-dpmsolver") and "final_sigmas_type" in known:
        return {**config, "final_sigmas_type": "sigma_min"}
    return config


@cache
def _options(class_name: str) -> tuple[_Option, ...]:
    try:
        found = importlib.util.find_spec("diffusers")
    except (ImportError, ValueError):
        found = None
    if found is None or not found.submodule_search_locations:
        raise MisuseError(
            f"the options of {class_name} need diffusers, which is not installed: pip install 'verifydiff[diffusers]'"
        )
    known: list[str] = []
    for path in sorted(Path(found.submodule_search_locations[0], "schedulers").rglob("scheduling_*.py")):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"^class (\w+)", text, re.MULTILINE)
        known += named
        if class_name in named:  # reading a file as Python takes twenty times as long
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef) and node.name == class_name:
                    return tuple(_constructor(node))
    raise MisuseError(
        f"diffusers has no scheduler {class_name!r}: give one of {', '.join(n for n in known if n.endswith('Scheduler'))}."
    )


def _constructor(node: ast.ClassDef) -> Iterator[_Option]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            arguments = part.args.args[1:]
            defaults = [None] * (len(arguments) - len(part.args.defaults)) + list(part.args.defaults)
            for argument, default in zip(arguments, defaults, strict=True):
                constant = default.value if isinstance(default, ast.Constant) else None
                yield _Option(argument.arg, constant, _listed(argument.annotation), required=default is None)


def _listed(annotation: ast.expr | None) -> tuple[Any, ...]:
    """The values of ``Literal[...]``."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name) and annotation.value.id == "Literal":
        listed = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return tuple(one.value for one in listed if isinstance(one, ast.Constant))
    return ()


def _refuse_bounds(what: str, least: int, most: int, limit: int) -> None:
    if not 1 <= least <= most <= limit:
        raise MisuseError(f"bounds of the {what} must be 1 <= least <= most <= {limit:,}, got {least} and {most}.")
