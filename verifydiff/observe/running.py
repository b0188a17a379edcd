"""One run of a sampler under a model of ours: every query, every draw and every answer on record."""

from __future__ import annotations

import contextlib
import inspect
import math
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..schedule import Array
from ..surroundings import ProcessExit, letting_interrupts_through, staying, unchanged
from .faults import OutOfTime, SamplerFault, one_line
from .frame import Frame
from .target import Prediction, Target

Answer = Callable[[int, Array, float], Array]
"""``answer(k, x, abar)``: what the data would be, for the k-th query; same shape as x."""

Noise = Callable[[int, tuple[int, ...]], Array]
"""``noise(i, shape)``: the i-th draw."""


HALF = 2.0**-8
"""Unit roundoff of bfloat16."""


class Rounded(np.ndarray[Any, np.dtype[np.float32]]):
    """Numbers of a type that NumPy does not have, in a wider one; ``unit`` is the unit roundoff of the type they came in."""

    unit: float = 2.0**-24

    @classmethod
    def of(cls, values: Any, unit: float) -> Rounded:
        """These values, which came in a type of that roundoff."""
        rounded = np.asarray(values, dtype=np.float32).view(cls)
        rounded.unit = unit
        return rounded


MAX_QUERIES_PER_TIMESTEP = 8
MOST_TIMES = 1000
"""Where there is no schedule, a sampler is believed to take no more steps than this."""
WHOLE = 1e-6
"""A time that lies nearer to an array index is that index, computed in floating point."""
LONGEST_ALARM = 1e8
"""Seconds; three years, and within what every system's clock can be set to."""


@dataclass
class Run:
    """What happened in one run.

    States are kept variance preserving, whatever frame the sampler keeps them in.

    Attributes:
        x: (N + 1, batch, d): the state at each query, and last what the sampler returned.
        times: (N,): the time told at each query.
        told: what the state holds by the told time, for each query; empty where times alone say nothing.
        meant: what the state holds as the sampler means it, for each query; by the told time where nothing else is said.
        answers: (N, batch, d): the prediction of x_0 that was given, whatever the sampler was told it in.
        x_init: (batch, d): what was handed over as x_T.
        draws: the standard normal draws in order, each of the state's shape.
        drawn_before: for each draw, the number of queries made before it.
        foreign_draws: draws whose shape does not fit the state.
        unit: unit roundoff of the coarsest floating type that the states came in.
        mutated: what the sampler changed in place that was not its own.
        finest: unit roundoff of the finest floating type that the states came in.
        unanswerable: the queries for noise, or for a velocity, at a level without noise.
    """

    x: Array
    times: Array
    answers: Array
    x_init: Array
    told: list[Frame] = field(default_factory=list)
    meant: list[Frame] = field(default_factory=list)
    draws: list[Array] = field(default_factory=list)
    drawn_before: list[int] = field(default_factory=list)
    foreign_draws: int = 0
    unit: float = 2.0**-53
    mutated: str = ""
    finest: float = 2.0**-53
    unanswerable: list[int] = field(default_factory=list)

    @property
    def levels(self) -> Array:
        """(N,): abar at each query, as the sampler means it."""
        return np.array([frame.level for frame in self.meant])

    @property
    def preserving(self) -> bool:
        """Whether the sampler hands its states over variance preserving."""
        return all(abs(frame.size - 1) < 1e-9 for frame in self.meant)

    def unexplained(self, p: Array, q: Array) -> Array:
        """What weights p and q of every step, each (N,), leave of it: its noise, (N, batch, d)."""
        return np.asarray(self.x[1:] - p[:, None, None] * self.x[:-1] - q[:, None, None] * self.answers)


def run(
    target: Target,
    answer: Answer,
    x_init: Array,
    seed: int,
    *,
    noise: Noise | None = None,
    deadline: float = float("inf"),
    keep: bool = True,
    without_noise: float = 0.0,
) -> Run:
    """Run the sampler once.

    Args:
        target: the sampler.
        answer: the data that the model claims to see behind each query.
        x_init: (batch, d), handed over as x_T.
        seed: handed over as it is.
        noise: replaces the sampler's standard normal draws where they can be reached; None leaves them as they are.
        deadline: the value of ``time.monotonic()`` at which the run is broken off.
        keep: whether states, answers and draws are kept; without, the run holds what was returned and the times.
        without_noise: what the model says the noise is where there is none.

    Raises:
        SamplerFault: if the sampler raises, never asks, asks or returns with another shape, or does not end.
        KeyboardInterrupt: if the user interrupts, even if the sampler swallows that.
    """
    recorder = _Recorder(target, answer, x_init, noise, deadline, keep, without_noise)
    given = x_init.reshape(recorder.outer).copy()
    with contextlib.ExitStack() as stack:
        stack.enter_context(unchanged(modules=not target.keeps_modules))
        for tap in target.taps:
            stack.enter_context(tap(recorder.draw))
        final = _call(lambda: recorder.state(target.sample(recorder.denoise, given, seed), "returned"), recorder, deadline)
    if not np.isfinite(final).all():
        raise SamplerFault("not-finite", f"the sampler returned {_share(final)} that are not finite.")
    if not np.array_equal(given, x_init.reshape(recorder.outer)):
        recorder.mutated = recorder.mutated or "its argument x_init"
    return recorder.finish(final)


def over_its_arrays(target: Target, once: Callable[[Target], Run]) -> tuple[Target, Run]:
    """The target over the first of its kinds of arrays over which it does not raise, and a run of it.

    Raises:
        SamplerFault: the one over the first of them, if it raises over all.
    """
    candidate, first = target, None
    while True:
        try:
            return candidate, once(candidate)
        except SamplerFault as fault:
            first = first or fault
            if fault.kind not in ("raises", "wrong-type") or candidate.otherwise is None:
                raise first from None
            candidate = candidate.otherwise


class _Recorder:
    """The model and the source of noise of one run."""

    def __init__(
        self,
        target: Target,
        answer: Answer,
        x_init: Array,
        noise: Noise | None,
        deadline: float,
        keep: bool,
        without_noise: float,
    ) -> None:
        self.target, self.answer, self.x_init, self.noise, self.deadline = target, answer, x_init, noise, deadline
        self.shape, self.outer = x_init.shape, (len(x_init), *target.shape)
        self.unit, self.finest = 2.0**-53, float("inf")
        self.keep, self.drawn = keep, 0
        self.without_noise, self.unanswerable = without_noise, list[int]()
        self.x: list[Array] = []
        self.times: list[float] = []
        self.answers: list[Array] = []
        self.told: list[Frame] = []
        self.meant: list[Frame] = []
        self.draws: list[Array] = []
        self.drawn_before: list[int] = []
        self.foreign_draws = 0
        self.mutated = ""
        self.fault: SamplerFault | None = None
        self.limit = MAX_QUERIES_PER_TIMESTEP * max(target.schedule.timesteps if target.schedule else MOST_TIMES, 8)
        self.framed = target.frame is not None
        self._handed: tuple[Array, Array] | None = None

    def denoise(self, x: Any, t: Any, at: Frame | None = None) -> Array:
        """The model: looks up what it is told, answers as it was set to."""
        try:
            return self._denoise(x, t, at)
        except SamplerFault as fault:
            self.fault = self.fault or fault  # kept, should the sampler swallow it
            raise

    def _denoise(self, x: Any, t: Any, at: Frame | None) -> Array:
        k = len(self.times)
        if time.monotonic() > self.deadline:
            self.strike()
        if k >= self.limit:
            raise SamplerFault(
                "never-ends",
                f"the sampler asked the model {self.limit} times without returning: it does not seem to end. "
                "(One that chooses its steps by its own errors has no grid, and cannot be judged.)",
            )
        self._watch_handed()
        state = self.state(x, f"asked the model (query {k}) with")
        if not np.isfinite(state).all():
            before = f" after the step from t = {self.times[-1]:g}" if self.times else ""
            raise SamplerFault("not-finite", f"query {k}{before} holds {_share(state)} that are not finite{self._hint()}.")
        time_told = self._as_index(_as_time(t, k))
        frame = self._frame(time_told, k, at)
        seen = state / frame.size if self.framed or at is not None else state
        x0 = np.asarray(self.answer(k, seen, frame.level), dtype=np.float64)
        self.times.append(time_told)
        self.meant.append(frame)
        if self.keep:
            self.x.append(seen)
            self.answers.append(x0)
        if frame.sigma == 0 and self.target.wording is None and self.target.prediction is not Prediction.SAMPLE:
            self.unanswerable.append(k)
        prediction = predict(self.target, state, seen, x0, frame, self.without_noise)
        return self._hand_over(prediction.reshape(self.outer).astype(_float_type(x)))

    def _as_index(self, told: float) -> float:
        """The time, taken for the array index that rounding alone keeps it from, where times are indices."""
        whole = self.target.schedule is not None and not self.target.fractional_times
        return float(round(told)) if whole and abs(told - round(told)) <= WHOLE else told

    def _frame(self, told: float, k: int, at: Frame | None) -> Frame:
        """What the state holds: as the sampler means it where it says so, else by the told time."""
        if self.target.schedule is None and self.target.frame is None:
            if at is None:
                raise SamplerFault("wrong-time", f"query {k} tells t = {told:g}, and nothing says what that stands for.")
            return at
        if self.target.schedule is not None and told < 0:
            last = self.target.schedule.timesteps - 1
            raise SamplerFault("time-out-of-range", f"query {k} tells t = {told:g}; the schedule's indices run over 0..{last}.")
        frame = self.target.frame_at(told)
        self.told.append(frame)
        return frame if at is None else at

    def strike(self) -> None:
        """The time is up."""
        self.fault = self.fault or _out_of_time(len(self.times))  # kept, should the sampler or its library swallow what follows
        raise OutOfTime

    def state(self, value: Any, did: str) -> Array:
        """What the sampler handed over as a state, as (batch, d) in float64; its own type is kept in mind."""
        state, unit = _as_state(value, self.outer, did)
        self.unit, self.finest = max(self.unit, unit), min(self.finest, unit)
        return state.reshape(self.shape)

    def _hint(self) -> str:
        if self.times and self.target.prediction is Prediction.EPSILON and self.meant[-1].alpha == 0:
            return ": abar is 0 there, and a predicted noise says nothing of the data"
        return ""

    def draw(self, shape: tuple[int, ...], natural: Callable[[], Any]) -> Any:
        """One standard normal draw of the sampler; a draw that holds several states at once counts as that many."""
        shape = tuple(int(n) for n in shape)
        leading = shape[: len(shape) - len(self.outer)]
        if shape[len(leading) :] != self.outer:
            self.foreign_draws += 1
            return natural()
        if self.noise is None:
            values = np.array(natural(), dtype=np.float64)
        else:
            natural()  # the generator moves on as it would have
            count = math.prod(leading)
            values = np.array([self.noise(self.drawn + i, self.shape) for i in range(count)], dtype=np.float64).reshape(shape)
        fresh = values.reshape(-1, *self.shape)
        self.drawn += len(fresh)
        if self.keep:
            self.draws.extend(fresh.copy())
            self.drawn_before.extend([len(self.times)] * len(fresh))
        return values

    def finish(self, final: Array) -> Run:
        if self.fault is not None:
            raise self.fault
        if not self.times:
            raise SamplerFault("never-asks", "the sampler returned without asking the model once.")
        self._watch_handed()
        return Run(
            np.array([*self.x, final / self.target.end.size]),
            np.array(self.times),
            np.array(self.answers),
            self.x_init,
            self.told,
            self.meant,
            self.draws,
            self.drawn_before,
            self.foreign_draws,
            self.unit,
            self.mutated,
            self.finest,
            self.unanswerable,
        )

    def _hand_over(self, prediction: Array) -> Array:
        self._handed = prediction, prediction.copy()
        return prediction

    def _watch_handed(self) -> None:
        if self._handed is None:
            return
        now, then = self._handed
        if now.shape != then.shape or not (now == then).all():
            self.mutated = self.mutated or "the model's prediction"


def predict(target: Target, asked: Array, x: Array, x0: Array, frame: Frame, without_noise: float = 0.0) -> Array:
    """What the target's model says at the state that says that the data is x0.

    Args:
        target: whose model it is.
        asked: (batch, d), the state as the model was asked about it.
        x: the same, variance preserving.
        x0: (batch, d).
        frame: what ``asked`` holds.
        without_noise: the noise that is seen where there is none, and no exact model says what it was.
    """
    if target.wording is not None:
        return np.asarray(target.wording(asked, x0, frame))
    if target.prediction is Prediction.SAMPLE:
        return x0.copy()
    kept = frame.preserving
    eps = (x - kept.alpha * x0) / kept.sigma if kept.sigma > 0 else np.full_like(x, without_noise)
    if target.prediction is Prediction.EPSILON:
        return np.asarray(eps)
    if target.prediction is Prediction.FLOW_PREDICTION:
        return np.asarray(eps - x0)
    return np.asarray(kept.alpha * eps - kept.sigma * x0)


def _call(sample: Callable[[], Array], recorder: _Recorder, deadline: float) -> Array:
    """What the sampler returns; everything that it raises is a fault of its own, but for the user's Ctrl-C."""
    with letting_interrupts_through():
        try:
            with staying(), _alarm(deadline, recorder.strike):
                return sample()
        except OutOfTime:
            raise recorder.fault or _out_of_time(len(recorder.times)) from None
        except ProcessExit as error:
            raise recorder.fault or _ended(error, len(recorder.times)) from None
        except SamplerFault:
            raise
        except BaseException as error:
            raise recorder.fault or _raised(error, len(recorder.times)) from None


def _out_of_time(asked: int) -> SamplerFault:
    return SamplerFault("out-of-time", f"the sampler did not return within the time limit; it had asked the model {asked} times.")


def _raised(error: BaseException, asked: int) -> SamplerFault:
    return SamplerFault("raises", f"the sampler raised {_when(asked)}: {type(error).__name__}: {one_line(error)}{_place(error)}")


def _ended(error: ProcessExit, asked: int) -> SamplerFault:
    return SamplerFault("exits", f"the sampler ended the process {_when(asked)}: {one_line(error)}{_place(error)}")


def _when(asked: int) -> str:
    return f"after {asked} model calls" if asked else "before it asked the model"


@contextlib.contextmanager
def _alarm(deadline: float, strike: Callable[[], None]) -> Iterator[None]:
    """Break off at the deadline, also where the sampler no longer asks the model (main thread only)."""
    left = deadline - time.monotonic()
    if left == float("inf") or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    before = signal.signal(signal.SIGALRM, lambda number, frame: strike())
    running, interval = signal.setitimer(signal.ITIMER_REAL, min(max(left, 1e-3), LONGEST_ALARM))
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if running:  # an alarm of the caller's own goes on
            signal.setitimer(signal.ITIMER_REAL, max(running - (time.monotonic() - began), 1e-3), interval)


def _as_state(value: Any, shape: tuple[int, ...], did: str) -> tuple[Array, float]:
    """The state in float64, and the unit roundoff of the type it came in."""
    if np.ma.is_masked(value):
        raise SamplerFault(
            "wrong-type", f"the sampler {did} a masked array with {np.count_nonzero(np.ma.getmaskarray(value))} entries hidden."
        )
    if value is None:
        raise SamplerFault("wrong-type", f"the sampler {did} None; the state has shape {shape}.")
    if inspect.iscoroutine(value):
        value.close()  # else Python warns that it was never awaited
        raise SamplerFault("wrong-type", f"the sampler {did} a coroutine: a sampler is a plain function, not an async one.")
    try:
        raw = np.asarray(value)
    except Exception as error:
        raise _no_numbers(value, did, error) from None
    if raw.shape != shape and raw.dtype.kind in "fiubc":
        raise SamplerFault("wrong-shape", f"the sampler {did} shape {raw.shape}; the state has shape {shape}.")
    if raw.dtype.kind == "c":
        if np.any(raw.imag != 0):
            raise SamplerFault("wrong-type", f"the sampler {did} complex numbers with an imaginary part; the state is real.")
        raw = raw.real
    try:
        state = raw.astype(np.float64)
    except Exception as error:
        raise _no_numbers(value, did, error) from None
    if state.shape != shape:
        raise SamplerFault("wrong-shape", f"the sampler {did} shape {state.shape}; the state has shape {shape}.")
    return state, value.unit if isinstance(value, Rounded) else _unit_roundoff(raw.dtype)


def _no_numbers(value: Any, did: str, error: Exception) -> SamplerFault:
    return SamplerFault("wrong-type", f"the sampler {did} {type(value).__name__}, not an array of numbers: {one_line(error)}")


def _unit_roundoff(kind: np.dtype[Any]) -> float:
    if kind.kind in "iub":
        return 2.0**-53  # whole numbers are exact
    if kind.kind == "f":
        return float(np.finfo(kind).eps) / 2
    return HALF if kind.itemsize == 2 else 2.0**-53  # bfloat16 is no type of NumPy's own


def _float_type(value: Any) -> Any:
    """The floating type of an array; float64 where it has none of NumPy's."""
    kind = getattr(value, "dtype", None)
    return kind if isinstance(kind, np.dtype) and kind.kind == "f" else np.dtype(np.float64)


def _as_time(value: Any, query: int) -> float:
    if type(value) is np.ndarray and value.ndim == 0 and value.dtype.kind in "fiu" and math.isfinite(one := float(value)):
        return one  # as nearly all tell it
    try:
        told = np.asarray(value, dtype=np.float64).ravel()
    except Exception:
        raise SamplerFault("wrong-time", f"query {query} tells a time that is no number: {type(value).__name__}.") from None
    if not told.size or not np.isfinite(told[0]) or (told != told[0]).any():
        told = np.unique(told)
        raise SamplerFault("wrong-time", f"query {query} must tell one finite time for the whole batch, got {_brief(told)}.")
    return float(told[0])


def _brief(values: Array) -> str:
    return f"{values.size} different ones" if values.size > 1 else str(values.tolist())


def _share(values: Array) -> str:
    return f"{np.count_nonzero(~np.isfinite(values))} of {values.size} numbers"


def _place(error: BaseException) -> str:
    """File and line where the error arose: the innermost of the sampler's own, and of a library that it called, if it was there."""
    ours = str(Path(__file__).parent.parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    own = [frame for frame in frames if "site-packages" not in frame.filename and not frame.filename.startswith(sys.base_prefix)]
    chosen = (own or frames)[-1:]
    inner = [frame for frame in frames[-1:] if frame not in chosen]
    return f" ({'; in '.join(f'{frame.filename}:{frame.lineno}' for frame in chosen + inner)})" if chosen else ""
