"""Where the time of training goes, kernel by kernel, as JAX's profiler sees it.

On a GPU the plane of the device is read: every stream's kernels, copies and all. A CPU has no such plane; there the operations that
the program ran on the threads of the host are taken, each without those that ran within it.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jax

DEVICE, HOST = "/device:GPU:0", "/host:CPU"
STREAM = "Stream"  # what the lines of kernels begin with; others tell the same time again, by operation or by module
LARGEST = 20
KINDS = (
    ("attention", r"sdpa|fmha|flash"),
    ("gemm", r"gemm_fusion|^dot"),
    ("reduction", r"^(input|loop|wrapped|triton).*reduce|^(\w*_)?reduce"),
    ("copy", r"^(memcpy|memset)|copy|transpose|nchwtonhwc|nhwctonchw"),
    ("fusion", r"^(loop|input|wrapped|triton|fusion)|fusion"),
    ("convolution", r"conv|fprop|dgrad|wgrad|winograd"),
    ("gemm", r"gemm|cutlass|xmma|nvjet|cublas|splitk|sm\d\d"),
    ("convolution", r"cudnn"),
    ("reduction", r"reduce"),
)
"""What a name says of a kernel; the first that fits holds. XLA names its own kernels by what they do, others by who wrote them."""


def profile(training: Any, steps: int) -> dict[str, Any]:
    """Of so many steps: the time by kind and by name, and what the twenty largest are; or why there is none."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    training.steps(1)
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=options):
            training.steps(steps)
        written = sorted(Path(folder).rglob("*.xplane.pb"))
        if not written:
            return {"steps": steps, "missing": "the profiler wrote nothing."}
        planes = list(jax.profiler.ProfileData.from_file(str(written[0])).planes)
        return {"steps": steps, **told(planes)}


def told(planes: Iterable[Any]) -> dict[str, Any]:
    """The plane of the device, or else that of the host."""
    by_name = {plane.name: plane for plane in planes}
    found, plane = {}, DEVICE
    if DEVICE in by_name:
        found = summed(event for line in by_name[DEVICE].lines if line.name.startswith(STREAM) for event in alone(line.events))
    elif jax.default_backend() == "cpu" and HOST in by_name:
        plane = HOST
        found = summed(event for line in by_name[HOST].lines for event in alone(filter(of_program, line.events)))
    if not found:
        return {"missing": f"there is no plane {DEVICE} with kernels; planes: {', '.join(by_name)}."}
    return {"plane": plane, **shares(found)}


def of_program(event: Any) -> bool:
    """Whether it is an operation of the compiled program."""
    return any(name == "hlo_op" for name, _ in event.stats)


def alone(events: Iterable[Any]) -> Iterator[tuple[str, float]]:
    """Names and nanoseconds of the events of one line, each without those within it."""
    open_: list[list[Any]] = []  # name, end, nanoseconds
    for event in sorted(events, key=lambda one: (one.start_ns, -one.duration_ns)):
        while open_ and open_[-1][1] <= event.start_ns:
            name, _, nanoseconds = open_.pop()
            yield name, nanoseconds
        if open_:
            open_[-1][2] -= event.duration_ns
        open_.append([event.name, event.start_ns + event.duration_ns, event.duration_ns])
    for name, _, nanoseconds in open_:
        yield name, nanoseconds


def summed(events: Iterable[tuple[str, float]]) -> dict[str, tuple[float, int]]:
    """Seconds and how often, by name."""
    seconds: dict[str, float] = defaultdict(float)
    count: dict[str, int] = defaultdict(int)
    for name, nanoseconds in events:
        seconds[name] += nanoseconds * 1e-9
        count[name] += 1
    return {name: (seconds[name], count[name]) for name in seconds}


def shares(found: dict[str, tuple[float, int]]) -> dict[str, Any]:
    """The total, each kind's part of it, and the largest."""
    total = sum(seconds for seconds, _ in found.values())
    kinds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    for name, (seconds, count) in found.items():
        kinds[kind(name)][0] += seconds
        kinds[kind(name)][1] += count
    rows = [{"kind": one, "seconds": s, "count": n, "share": s / total} for one, (s, n) in kinds.items()]
    largest = sorted(found.items(), key=lambda item: -item[1][0])[:LARGEST]
    return {
        "seconds": total,
        "kinds": sorted(rows, key=lambda row: -row["seconds"]),
        "largest": [{"name": name, "kind": kind(name), "seconds": s, "count": n, "share": s / total} for name, (s, n) in largest],
    }


def kind(name: str) -> str:
    """By its name."""
    return next((one for one, pattern in KINDS if re.search(pattern, name.lower())), "other")
