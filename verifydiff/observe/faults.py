"""What a sampler can do that ends an observation: the sampler's fault, told in one line."""

from __future__ import annotations


class SamplerFault(Exception):  # noqa: N818 - a fault of the sampler is a finding, not an error of ours
    """The sampler broke the contract ``sample(denoise, x_init, seed) -> x_0``.

    Attributes:
        kind: kebab-case name of the way in which it did.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class OutOfTime(BaseException):
    """The time limit struck while the sampler's code ran; not an ``Exception``, so that the sampler cannot swallow it."""
