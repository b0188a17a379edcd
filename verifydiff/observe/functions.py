"""A plain function ``sample(denoise, x_init, seed)`` as a target: over NumPy, PyTorch or JAX arrays."""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from inspect import unwrap
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ..schedule import Schedule, refuse_no_schedule
from ..surroundings import Settings
from ..verdict import MisuseError
from .arrays import Arrays, uses
from .refinable import refinable, takes_levels
from .target import Denoise, Prediction, Sample, Target


def function_target(
    sample: Callable[..., Any],
    schedule: Schedule,
    *,
    name: str | None = None,
    prediction: Prediction = Prediction.EPSILON,
    steps: int | None = None,
    shape: tuple[int, ...] = (4,),
    arrays: Arrays = Arrays.AUTO,
    settings: Settings | None = None,
) -> Target:
    """A plain ``sample(denoise, x_init, seed)`` as a target; one that takes its levels, too (:mod:`.refinable`).

    Args:
        sample: the function.
        schedule: the schedule it claims.
        name: how reports call it; its own name where nothing is said.
        prediction: what its model predicts.
        steps: how many steps it claims to take.
        shape: what one state looks like.
        arrays: the arrays it works on; found out where nothing is said.
        settings: what its module set PyTorch and JAX to, which is in force while it runs.

    Raises:
        MisuseError: if the library of the arrays is not installed, or the function is no sampler and makes a target.
    """
    from .taps import jax_tap, numpy_tap, torch_tap

    refuse_no_schedule(schedule)
    if makes_target(sample):
        raise MisuseError(
            f"{name or _name(sample)} is taken for a sampler sample(denoise, x_init, seed), but makes a Target: call it, and give "
            f"what it returns, as in `mine = {_name(sample).rpartition('.')[2]}(...)`."
        )
    if takes_levels(sample):
        told = {"name": name or _name(sample), "prediction": prediction, "shape": shape, "arrays": arrays, "settings": settings}
        return refinable(lambda one, table: function_target(one, table, **told), sample, schedule, steps)  # type: ignore[arg-type]
    namespace, kinds = namespace_of(sample), uses(sample, arrays)
    taps = (numpy_tap(namespace), torch_tap())
    one = Target(
        name=name or _name(sample),
        sample=sample,
        schedule=schedule,
        prediction=prediction,
        steps=steps,
        shape=shape,
    )
    target: Target | None = None
    for kind in reversed(kinds):
        note = () if kind == kinds[0] else (f"it raises when it is handed {kinds[0]}, and is judged over {kind}.",)
        target = replace(
            one,
            sample=_under(settings, kind.over(sample)),
            taps=(*taps, jax_tap(namespace)) if kind.library is Arrays.JAX else taps,
            notes=note,
            otherwise=target,
        )
    assert target is not None  # noqa: S101 - there is always a kind
    return target


def makes_target(function: Any) -> bool:
    """Whether a function of Python's makes a target, by what it says that it returns, or by the names that its code looks up."""
    reached, waiting = set(), [function]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, FunctionType) or one in reached:
            continue
        reached.add(one)
        if one.__annotations__.get("return") in (Target, "Target"):
            return True
        for value in _looked_up(one.__code__, one.__globals__):
            own = attribute_of(value, "__module__", None) == one.__module__
            if value is Target or (isinstance(value, FunctionType) and not own and value.__annotations__.get("return") == "Target"):
                return True
            if own:
                waiting.append(value)
    return False


def _looked_up(code: CodeType, namespace: dict[str, Any]) -> Iterator[Any]:
    """The values of the global names that a function's code looks up, and of names in modules among them."""
    for instruction in dis.get_instructions(code):
        value = namespace.get(instruction.argval) if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") else None
        if isinstance(value, ModuleType):
            yield from (vars(value)[name] for name in code.co_names if name in vars(value))
        elif value is not None:
            yield value
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _looked_up(constant, namespace)


def _name(sample: Callable[..., Any]) -> str:
    return str(attribute_of(sample, "__qualname__", type(sample).__name__))


def _under(settings: Settings | None, sample: Sample) -> Sample:
    """The sampler under settings of its own."""
    if settings is None:
        return sample

    def sampled(denoise: Denoise, x_init: Any, seed: int) -> Any:
        settings.restore()
        return sample(denoise, x_init, seed)

    return sampled


def namespace_of(sample: Callable[..., Any]) -> dict[str, Any]:
    """The globals of the module that a function, or the class of a callable object, was written in."""
    if isinstance(sample, partial):
        return namespace_of(sample.func)
    with suppress(Exception):  # an object may answer no questions
        sample = unwrap(sample)
    called = sample if isinstance(sample, FunctionType | MethodType) else vars(type(sample)).get("__call__")
    namespace = attribute_of(called, "__globals__", {})
    return namespace if isinstance(namespace, dict) else {}


def attribute_of(thing: Any, name: str, default: Any) -> Any:
    """``getattr`` of what may raise anything at all."""
    try:
        return getattr(thing, name, default)
    except Exception:
        return default
