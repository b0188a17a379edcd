"""The product of options that a class is judged over.

What defines the solver (its algorithm, its order, its type) is taken in full; of all else every pair of values occurs, since what
goes wrong mostly takes two options. Values come from the annotations of the constructor where these list them, and from here where
they do not. Each is run on a number of steps that divides T = 1000 and on one that does not.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

from .classes import scheduler_class
from .kinds import kind_of
from .options import literals, options_of

STEPS = (10, 13)
"""The one divides the thousand timesteps, the other does not."""
MORE_STEPS = (20, 13)
"""Where the last steps are of lower order when there are less than 15: one number on either side."""
SOLVER = ("algorithm_type", "solver_order", "solver_type", "predictor_order", "corrector_order", "predict_x0", "skip_prk_steps",
          "scheduler_type", "stochastic_sampling")  # fmt: skip
"""Options that define the solver."""
SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")
"""Options of which one at most chooses the sigmas, but for a flow's, which may be spaced by another."""
UNLISTED: dict[str, tuple[Any, ...]] = {
    "algorithm_type": ("data_prediction", "noise_prediction"),
    "beta_schedule": ("linear", "scaled_linear", "squaredcos_cap_v2"),
    "clip_sample": (True, False),
    "corrector_order": (1, 2, 3),
    "disable_corrector": ([], [0]),
    "eta": (0.0, 1.0),
    "euler_at_final": (False, True),
    "interpolation_type": ("linear", "log_linear"),
    "invert_sigmas": (False, True),
    "lambda_min_clipped": (-float("inf"), -5.1),
    "lower_order_final": (True, False),
    "predict_x0": (True, False),
    "prediction_type": ("epsilon", "v_prediction", "sample"),
    "predictor_order": (1, 2, 3),
    "rescale_betas_zero_snr": (False, True),
    "s_churn": (80, 0),
    "scaler": (1.0, 0.5, 2.0),
    "scheduler_type": ("unipc", "euler"),
    "set_alpha_to_one": (True, False),
    "shift": (1.0, 3.0),
    "shift_terminal": (None, 0.1),
    "skip_prk_steps": (False, True),
    "snr_shift_scale": (3.0, 1.0),
    "solver_order": (1, 2, 3),
    "solver_type": ("bh1", "bh2"),
    "steps_offset": (0, 1),
    "stochastic_sampling": (False, True),
    "thresholding": (False, True),
    "timestep_spacing": ("linspace", "leading", "trailing"),
    "use_dynamic_shifting": (False, True),
}
"""Values of options whose annotations list none."""
LEFT_OUT = ("variance_type", "time_shift_type", "upscale_mode")
"""Options that change nothing but with others: a learned variance, a shift that is off, a size that stays."""
ONLY_VALUES = {("HeliosScheduler", "prediction_type"): ("flow_prediction",), ("SCMScheduler", "prediction_type"): ("trigflow",),
               ("HeliosDMDScheduler", "prediction_type"): ("flow_prediction",)}  # fmt: skip

Row = dict[str, Any]


def configurations(name: str) -> Iterator[dict[str, Any]]:
    """Arguments ``steps``, ``config`` and ``eta`` of :func:`~verifydiff.observe.diffusers.diffusers_target`, one after the other.

    Raises:
        MisuseError: if there is no such class, or it cannot be judged.
    """
    cls = scheduler_class(name)
    defaults = {key: value for key, value in options_of(cls).items() if value is not inspect.Parameter.empty}
    kind = kind_of(name)
    steps: tuple[int, ...] = MORE_STEPS if "lower_order_final" in defaults else STEPS
    if isinstance(kind.most, int):
        steps = (kind.most,)
    if isinstance(kind.steps, int) and kind.steps < min(steps):
        steps = (kind.steps, kind.steps + 1)
    seen: list[tuple[Row, Any]] = []
    for row in rows(axes(name, cls)):
        eta = row.pop("step's eta", None)
        config = {key: value for key, value in consistent(row, defaults).items() if value != defaults.get(key)}
        if (config, eta) in seen:
            continue
        seen.append((config, eta))
        for number in steps:
            yield {"steps": number, "config": config, **({} if eta is None else {"eta": eta})}


def axes(name: str, cls: type) -> tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]:
    """The options that define the solver, and all others, each with its values, the default first."""
    known, listed = options_of(cls), literals(cls)
    defining: dict[str, tuple[Any, ...]] = {}
    others: dict[str, tuple[Any, ...]] = {}
    for key, default in known.items():
        if key in SIGMAS or (key in LEFT_OUT and not _listed_variances(key, listed)):
            continue
        values = ONLY_VALUES.get((name, key)) or listed.get(key) or UNLISTED.get(key)
        if values is None:
            continue
        usable = [
            value for value in (default, *values) if not str(value).startswith("learned") and value is not inspect.Parameter.empty
        ]
        (defining if key in SOLVER else others)[key] = tuple(_unique(usable))
    if chosen := [key for key in SIGMAS if key in known]:
        others["sigmas"] = _sigma_choices(chosen, flows=bool(known.get("use_flow_sigmas")))
    step = getattr(cls, "step", None)
    if step is not None and "eta" in inspect.signature(step).parameters:
        others["step's eta"] = (None, 1.0) if name != "TCDScheduler" else (None, 0.0, 1.0)
    return defining, others


def _listed_variances(key: str, listed: Mapping[str, tuple[Any, ...]]) -> bool:
    return key == "variance_type" and any(str(value).startswith("fixed") for value in listed.get(key, ()))


def _sigma_choices(keys: list[str], *, flows: bool) -> tuple[tuple[str, ...], ...]:
    """Which of the options are switched on: none, each alone, and a flow's sigmas spaced as Karras et al. do."""
    if flows:
        return ((),)
    both = ("use_flow_sigmas", "use_karras_sigmas")
    return ((), *((key,) for key in keys), *([both] if all(key in keys for key in both) else []))


def _unique(values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if value not in kept or any(type(value) is not type(one) for one in kept if one == value):
            kept.append(value)
    return kept


def rows(split: tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]) -> Iterator[Row]:
    """Every solver with all else as it is by default; then every pair of values of all else, the solvers taking turns."""
    defining, others = split
    solvers = [dict(zip(defining, values, strict=True)) for values in product(*defining.values())]
    plain = {key: values[0] for key, values in others.items()}
    for solver in solvers:
        yield {**solver, **plain}
        if _infinite_at_the_end(solver) and "sigma_min" in others.get("final_sigmas_type", ()):
            yield {**solver, **plain, "final_sigmas_type": "sigma_min"}
    for k, row in enumerate(pairwise(others)):
        solver = solvers[k % len(solvers)]
        yield {
            **solver,
            **row,
            **({"final_sigmas_type": "sigma_min"} if _infinite_at_the_end(solver) and "final_sigmas_type" in row else {}),
        }


def _infinite_at_the_end(solver: Row) -> bool:
    """Whether the step onto the data multiplies by an infinite logarithm: what else goes wrong is seen on grids that end before."""
    return solver.get("predict_x0") is False or solver.get("solver_type") == "bh1"


def pairwise(values_of: Mapping[str, tuple[Any, ...]]) -> Iterator[Row]:
    """Rows in which every pair of values of two options occurs, found greedily."""
    keys = list(values_of)
    sizes = {key: range(len(values)) for key, values in values_of.items()}
    left = {((a, i), (b, j)) for a, b in combinations(keys, 2) for i in sizes[a] for j in sizes[b]}
    while left:
        row: dict[str, int] = dict(min(left, key=lambda pair: [(keys.index(key), i) for key, i in pair]))
        for key in keys:
            if key not in row:
                row[key] = max(sizes[key], key=lambda i: (sum(_pair(keys, (key, i), one) in left for one in row.items()), -i))
        left -= {_pair(keys, one, other) for one, other in combinations(row.items(), 2)}
        yield {key: values_of[key][row[key]] for key in keys}


def _pair(keys: list[str], one: tuple[str, int], other: tuple[str, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    return (one, other) if keys.index(one[0]) < keys.index(other[0]) else (other, one)


def consistent(row: Row, defaults: Mapping[str, Any]) -> Row:
    """The row as options, those of them changed that mean nothing together."""
    config = {key: value for key, value in row.items() if key != "sigmas"}
    for key in row.get("sigmas", ()):
        config[key] = True
    flows = config.get("use_flow_sigmas", defaults.get("use_flow_sigmas", "beta_schedule" not in defaults))
    if flows and "use_flow_sigmas" in defaults and "beta_schedule" in defaults:
        config["prediction_type"] = "flow_prediction"
        for key in ("rescale_betas_zero_snr", "thresholding"):
            if key in config:
                config[key] = False
    if not flows:
        if config.get("prediction_type") == "flow_prediction":
            config["prediction_type"] = "epsilon"
        for key in ("use_dynamic_shifting", "shift_terminal", "flow_shift"):
            config.pop(key, None)
    if config.get("rescale_betas_zero_snr") and config.get("prediction_type") == "epsilon":
        config["prediction_type"] = "v_prediction"  # where no signal is left, the noise says nothing of the data
    if config.get("timestep_type") == "continuous" and config.get("prediction_type") == "v_prediction":
        config["prediction_type"] = "epsilon"
        config["rescale_betas_zero_snr"] = False
    if str(config.get("algorithm_type")).endswith("dpmsolver") and "final_sigmas_type" in defaults:
        config["final_sigmas_type"] = "sigma_min"  # the noise cannot be extrapolated onto the data
    if config.get("timestep_spacing") not in ("leading", None):
        config.pop("steps_offset", None)
    if config.get("use_dynamic_shifting"):
        config.pop("shift", None)
    return config
