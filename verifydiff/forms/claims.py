"""What a sampler can claim to be: a family, known by the closed form of its step, or a solver, known by its order."""

from __future__ import annotations

from typing import Any

from ..verdict import MisuseError
from .families import DDIM, DDPM, Euler, EulerAncestral, Family, Renoise
from .solvers import ProbabilityFlow, ReverseSDE, Solver

Claim = Family | Solver


def refuse_no_claim(family: Any) -> None:
    """Raise if something was given as a claim that is none: a word, or what makes one and was not called.

    Raises:
        MisuseError: if so, with what a claim is.
    """
    if family is None or isinstance(family, Family | Solver):
        return
    given = repr(family)[:40] if isinstance(family, str) else str(getattr(family, "__name__", type(family).__name__))
    called = ", which has to be called" if callable(family) else ""
    raise MisuseError(f"`family` must be what vd.DDIM(0.5), vd.DDPM() or vd.ProbabilityFlow(2) makes, got {given}{called}.")


def named(name: str, eta: float | None = None, order: int | None = None) -> Claim:
    """The claim that ``--family`` calls by that name.

    Raises:
        ValueError: if there is none, or if an eta or an order is given to one that has none.
    """
    solvers = {"probability-flow": ProbabilityFlow, "reverse-sde": ReverseSDE}
    makers = {
        "ddpm": DDPM,
        "ddpm-large": lambda: DDPM("large"),
        "euler": Euler,
        "euler-ancestral": EulerAncestral,
        "renoise": Renoise,
    }
    if name not in ("ddim", *makers, *solvers):
        raise ValueError(f"no family is called {name!r}: give auto, {', '.join(['ddim', *makers, *solvers])}.")
    if eta is not None and name != "ddim":
        raise ValueError(f"the family {name} has no eta.")
    if order is not None and name not in solvers:
        raise ValueError(f"the family {name} has a closed form, by which it is judged; an order is for {' and '.join(solvers)}.")
    if name in solvers:
        return solvers[name](order)
    return DDIM(0.0 if eta is None else eta) if name == "ddim" else makers[name]()
