"""What code of a user's may do to the process it runs in, and how the process is given back.

A target is any code at all. It prints, it changes the folder, it may set NumPy to raise or close standard output. None of this
is a finding, and none of it may reach the report.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import is_
from typing import Any, NoReturn

leave = os._exit
"""Ends the process, also while :func:`staying` keeps code of others from that."""
SELDOM = 50_000
"""Objects made, and not gone, before garbage among the young ones is looked for; Python's own default is 700 to 2,000."""


@contextlib.contextmanager
def aside(*, modules: bool = True) -> Iterator[None]:
    """What is printed meanwhile goes to standard error, what warns goes nowhere, and the interpreter is given back.

    Of the import path and the loaded modules, what was lost comes back and what was added stays: a function may import later
    what its file made ready. The global generators and what PyTorch and JAX are set to are given back, too. A process that is
    forked off meanwhile ends here.

    Args:
        modules: whether lost modules are looked for, among the thousands that a large library loads.
    """
    import numpy as np  # here, since proving wants the rest of this file and no NumPy

    process, limit = os.getpid(), sys.getrecursionlimit()
    streams, path, entries = (sys.stdout, sys.stderr), sys.path, list(sys.path)
    loaded = dict(sys.modules) if modules else {}
    settings, generators = Settings.now(), _generators()
    sys.stdout = sys.stderr = _Outlet(sys.stderr)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        if os.getpid() != process:
            leave(1)
        sys.setrecursionlimit(limit)
        sys.stdout, sys.stderr = streams
        path[:] = [*sys.path, *(entry for entry in entries if entry not in sys.path)]
        sys.path = path
        if modules:
            _give_back_modules(loaded)
        settings.restore()
        for give_back in generators:
            give_back()


def _give_back_modules(before: dict[str, Any]) -> None:
    """Put the modules that are gone, or None, back.

    This ends every run, and there are thousands: that all stand where they stood is seen by one pass over the pointers.
    """
    now = sys.modules
    if list(now) != list(before) or not all(map(is_, now.values(), before.values())):
        now.update({name: module for name, module in before.items() if now.get(name) is None})


@dataclass(frozen=True)
class Settings:
    """What PyTorch and JAX are set to in this process, as far as it decides what a function computes.

    A module may set them when it is imported (``torch.set_default_dtype``, ``jax.config.update``), and its functions count on it.

    Attributes:
        torch: default type, whether gradients are recorded, whether algorithms must be deterministic; as torch begins where it
            is not loaded.
        jax: its configuration; None where it is not loaded.
    """

    torch: tuple[str, bool, bool] = ("float32", True, False)
    jax: dict[str, Any] | None = None

    @classmethod
    def now(cls) -> Settings:
        """The present settings."""
        torch, jax = _loaded("torch", "set_default_dtype"), _loaded("jax", "config")
        return cls(
            cls.torch
            if torch is None
            else (
                str(torch.get_default_dtype()).rpartition(".")[2],
                torch.is_grad_enabled(),
                torch.are_deterministic_algorithms_enabled(),
            ),
            None if jax is None else dict(jax.config.values),
        )

    def restore(self) -> None:
        """Set what has changed since back to these."""
        torch, jax, now = _loaded("torch", "set_default_dtype"), _loaded("jax", "config"), Settings.now()
        if torch is not None and now.torch != self.torch:
            kind, gradients, deterministic = self.torch
            torch.set_default_dtype(getattr(torch, kind))
            torch.set_grad_enabled(gradients)
            torch.use_deterministic_algorithms(deterministic)
        if jax is not None and self.jax is not None and now.jax is not None:
            for name, value in self.jax.items():
                if now.jax.get(name) is not value:
                    with contextlib.suppress(Exception):  # some can be set but once
                        jax.config.update(name, value)


def _loaded(library: str, whose: str) -> Any:
    """A library, if it has been imported, and to the end: ``whose`` is a name of its own."""
    module = sys.modules.get(library)
    return module if module is not None and hasattr(module, whose) else None


def _generators() -> list[Callable[[], None]]:
    """What sets the global generators of Python, NumPy and PyTorch back to where they are."""
    import numpy as np

    back: list[Callable[[], None]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
    ]
    if (torch := _loaded("torch", "set_default_dtype")) is not None:
        back.append(partial(torch.random.set_rng_state, torch.random.get_rng_state()))
        if torch.cuda.is_initialized():
            back.append(partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    return back


@contextlib.contextmanager
def unchanged(*, modules: bool = True) -> Iterator[None]:
    """As :func:`aside`, and the working folder and the handlers of Ctrl-C and of the alarm are given back, too."""
    folder = _folder()
    handlers = {number: signal.getsignal(number) for number in _signals()}
    with aside(modules=modules):
        try:
            yield
        finally:
            for number, handler in handlers.items():
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)
            if folder is not None and _folder() != folder:
                with contextlib.suppress(OSError):
                    os.chdir(folder)


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Garbage is looked for less often meanwhile.

    Importing PyTorch and diffusers makes a million objects and next to no garbage: a quarter of the time goes into looking for it.
    """
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def letting_interrupts_through() -> Iterator[None]:
    """A Ctrl-C of the user's reaches the caller, whatever the code within makes of it.

    A ``KeyboardInterrupt`` that no signal came before is the code's own, and an exception like any other.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    struck = False

    def strike(number: int, frame: Any) -> None:
        nonlocal struck
        struck = True
        before(number, frame)

    signal.signal(signal.SIGINT, strike)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if struck:
            raise KeyboardInterrupt


class ProcessExit(BaseException):
    """Code of a user's called ``os._exit``; not an ``Exception``, as little as the ``SystemExit`` of ``sys.exit`` is."""


@contextlib.contextmanager
def staying() -> Iterator[None]:
    """``os._exit`` raises meanwhile, also where it was taken from ``os`` in an earlier such time; what was forked off does end.

    Raises:
        ProcessExit: where the code within would have ended the process, whatever it made of the first one.
    """
    before, here = os._exit, _Stay(os.getpid(), [])
    os._exit = _exits
    _STAYS.append(here)
    try:
        yield
    finally:
        _STAYS.remove(here)
        os._exit = before
        if here.struck:
            raise here.struck[0]


@dataclass(frozen=True, eq=False)
class _Stay:
    process: int
    struck: list[ProcessExit]


_STAYS: list[_Stay] = []


def _exits(status: int) -> NoReturn:
    if not _STAYS or _STAYS[-1].process != os.getpid():
        leave(status)
    _STAYS[-1].struck.append(ProcessExit(f"os._exit({status!r})"))
    raise _STAYS[-1].struck[-1]


@contextlib.contextmanager
def standard_output_kept() -> Iterator[None]:
    """What is written to standard output meanwhile, by any road, goes to standard error; afterwards it is there again."""
    try:
        kept = os.dup(1)
    except OSError:  # there is none
        yield
        return
    _flush()
    _lead(2, to=1)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)
        if getattr(sys.stdout, "closed", False):
            sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115


class _Outlet:
    """A stream that goes where another goes; closing it closes nothing."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def close(self) -> None:
        """Leave the stream open: it is not the target's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]


def _lead(source: int, to: int) -> None:
    """Let the descriptor ``to`` go where ``source`` goes, or nowhere where that is closed."""
    try:
        os.dup2(source, to)
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), to)


def _signals() -> list[int]:
    if threading.current_thread() is not threading.main_thread():
        return []
    return [signal.SIGINT, *([signal.SIGALRM] if hasattr(signal, "SIGALRM") else [])]


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a string, that a target's patches of pathlib cannot change
    except OSError:
        return None
