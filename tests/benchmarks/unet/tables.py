"""What is printed: a few lines for each part, and a summary in the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SIDES = {"jax": "JAX", "torch": "PyTorch"}


def part(name: str, found: dict[str, Any]) -> str:
    """A part, with its name above."""
    shown = {"agreement": agreement, "rates": rates, "profile": profile}.get(name, timed)
    if (reason := missing(found)) is not None:
        return f"\n{name}: {reason}"
    return "\n".join([f"\n{name}", *(f"  {line}" for line in shown(found))])


def missing(found: dict[str, Any]) -> str | None:
    """Why there is nothing to tell, if there is not."""
    return next((f"{word.replace('_', ' ')}: {found[word]}" for word in ("failed", "left_out", "missing") if word in found), None)


def agreement(found: dict[str, float]) -> list[str]:
    """Both precisions."""
    one, two, apart = (found[f"bfloat16_{what}"] for what in ("jax", "torch", "apart"))
    return [
        f"float32: {found['float32']:.1e} apart",
        f"bfloat16: JAX {one:.2f} and PyTorch {two:.2f} times 2^-8 from float32, {apart:.2f} apart",
    ]


def rates(found: dict[str, Any]) -> list[str]:
    """A line for each side."""
    return [
        f"{SIDES[name]:8s}{one['products'] / 1e12:9.3f} TFLOP/s, products of {one['side']} x {one['side']} in {one['dtype']}; "
        f"{one['copies'] / 1e9:8.1f} GB/s, copies"
        for name, one in found.items()
        if name in SIDES
    ]


def timed(found: dict[str, Any]) -> list[str]:
    """A line for each side, and the ratio."""
    lines = []
    for name, called in SIDES.items():
        if (one := found.get(name)) is None:
            continue
        if (reason := missing(one)) is not None:
            lines.append(f"{called:8s}{reason}")
            continue
        lines.append(f"{called:8s}{pace(one)}; {one['compile_seconds']:.1f} s to compile, {memory(one)}{remarks(one)}")
    if "torch_over_jax" in found:
        ratios = found["torch_over_jax"]["rounds"]
        lines.append(
            f"PyTorch takes {found['torch_over_jax']['median']:.2f} times as long as JAX, "
            f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds"
        )
    return lines


def pace(one: dict[str, Any]) -> str:
    """How fast it is."""
    share = "" if one["utilisation"] is None else f" ({100 * one['utilisation']:.1f} % of products)"
    return (
        f"{one['median']:9.4f} s, {one['events_per_second']:10.1f} events/s, {one['flops_per_second'] / 1e12:8.3f} TFLOP/s{share}"
    )


def memory(one: dict[str, Any]) -> str:
    """What it takes, as far as that is known."""
    known = next(((one[f"{how}_bytes"], how) for how in ("peak", "planned") if one.get(f"{how}_bytes") is not None), None)
    return "memory unknown" if known is None else f"{known[0] / 2**30:.2f} GiB {known[1]}"


def remarks(one: dict[str, Any]) -> str:
    """On how it was compiled."""
    if "program" in one:
        asks, trips = one["program"]["asks_the_host"], one["program"]["trip_counts"]
        return f"; loops of {trips} rounds, the host is asked {'by ' + ', '.join(asks) if asks else 'nothing'}"
    if "compiled" not in one:
        return ""
    return "; compiled" if one["compiled"] else f"; eager{': ' + one['why_eager'] if 'why_eager' in one else ''}"


def profile(found: dict[str, Any]) -> list[str]:
    """By kind, and then the largest."""
    kinds = [f"{row['kind']:12s}{line(row)}" for row in found["kinds"]]
    largest = [f"{line(row)}  {row['kind']:12s}{row['name'][:80]}" for row in found["largest"]]
    return [f"{found['steps']} steps, {found['seconds']:.4f} s on {found['plane']}", *kinds, "the largest:", *largest]


def line(row: dict[str, Any]) -> str:
    """A row of a profile."""
    return f"{100 * row['share']:6.1f} % {1e3 * row['seconds']:10.3f} ms {row['count']:7d}"


def summary(results: dict[str, Any]) -> str:
    """A line for each part that was timed."""
    gflop = results["flops"]["forward"] / 1e9
    rows = [f"\nsummary: {results['preset']}, {results['parameters']:,} parameters, {gflop:.3f} GFLOP a pass"]
    for name, found in results.items():
        if name != "training" and not name.startswith("sampling_"):
            continue
        if (reason := missing(found)) is not None:
            rows.append(f"  {name:16s}{reason}")
            continue
        sides = [
            f"{called} {found[side]['events_per_second']:.1f}" for side, called in SIDES.items() if "median" in found.get(side, {})
        ]
        ratio = f"; ratio {found['torch_over_jax']['median']:.2f}" if "torch_over_jax" in found else ""
        rows.append(f"  {name:16s}{', '.join(sides)} events/s at a batch of {found['batch']}{ratio}")
    return "\n".join(rows)


def leaves(found: Any) -> Iterator[dict[str, Any]]:
    """All that is told by name, at any depth."""
    if isinstance(found, dict):
        yield found
        for one in found.values():
            yield from leaves(one)
