"""What a sampler can do that ends an observation: the sampler's fault, told in one line."""

from __future__ import annotations


class SamplerFault(Exception):  # noqa: N818 - a fault of the sampler is a finding, not an error of ours
    """The sampler broke the contract ``sample(denoise, x_init, seed) -> x_0``.

    Attributes:
        kind: kebab-case name of the way in which it did. ``out-of-time`` is no proof of a fault: the time given was short.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def one_line(error: BaseException) -> str:
    """What an exception says, in one line of printable text, even if it cannot say anything."""
    try:
        lines = str(error).strip().splitlines()
    except BaseException as another:
        return f"(its message cannot be read: {type(another).__name__})"
    return "".join(c if c.isprintable() else "?" for c in lines[0][:300]) if lines else "(no message)"


class OutOfTime(BaseException):
    """The time limit struck while the sampler's code ran; not an ``Exception``, so that the sampler cannot swallow it."""
