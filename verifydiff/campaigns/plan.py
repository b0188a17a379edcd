r"""From names to a campaign: which sampler, on which data, judged by which law.

A sampler that is given the exact eps of Gaussian data, and whose steps are affine, ends in a Gaussian law that the oracle knows for
any number of steps (:func:`verifydiff.oracles.law_after`, whose algebra shares nothing with the sampler's): that is the claim,
and it leaves no room for a bias of the method. Elsewhere draws are compared with the law of the data, from which any method is off
by the bias of its finite number of steps.

The draws may be those of another's sampler (:mod:`.theirs`), judged by the law of the family that it claims to be, at the levels at
which it is seen to ask its model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgError, eigh

from ..observe.target import Target
from ..oracles import GaussianMixture, Oracle, joint_of_noising, joint_of_step, law_after, steps
from ..oracles.chains import Step
from ..oracles.gaussian import Gaussian
from ..samplers import (
    DDIM,
    DDPM,
    EDM,
    DPMSolverPP2M,
    Draws,
    Euler,
    EulerMaruyama,
    Heun,
    PredictorCorrector,
    ReverseDiffusion,
    Sampler,
    chunk_size,
)
from ..statistics import ErrorRates
from ..statistics.evidence import Array
from ..verdict import MisuseError
from .campaign import Campaign
from .hosted import Hosted
from .pairs import PAIRS, drawing_pairs, exact_eps
from .theirs import Theirs
from .yardstick import Yardstick, scored, whitened

NUMBERS = 2**17
"""In one block, at least: enough for a round to be worth its dispatch."""


class Against(StrEnum):
    """What draws are compared with."""

    SAMPLER = "sampler"
    DATA = "data"


@dataclass(frozen=True)
class Setting:
    """What a sampler can be set to, beside its levels.

    Attributes:
        steps: S, how many it takes.
        eta: of DDIM.
        churn: S_churn of EDM.
    """

    steps: int
    eta: float = 0.0
    churn: float = 0.0

    @property
    def gamma(self) -> float:
        """What EDM's churn comes to in each step (Karras et al. 2022, algorithm 2)."""
        return min(self.churn / self.steps, sqrt(2) - 1)


@dataclass(frozen=True)
class Known:
    """A sampler and the oracle's step for it.

    Attributes:
        make: the sampler.
        step: the same step in the oracle's own algebra; None where it is not affine.
        last_denoises: whether the step onto the data is the denoiser's answer to the state, or a step like the others.
    """

    make: Callable[[Setting], Sampler]
    step: Callable[[Setting], Step] | None
    last_denoises: bool = True


SAMPLERS: dict[str, Known] = {
    "ddpm": Known(lambda told: DDPM(), lambda told: steps.ddpm("small")),
    "ddpm-large": Known(lambda told: DDPM("large"), lambda told: steps.ddpm("large")),
    "ddim": Known(lambda told: DDIM(told.eta), lambda told: steps.ddim(told.eta)),
    "euler": Known(lambda told: Euler(), lambda told: steps.ddim(0.0)),
    "heun": Known(lambda told: Heun(), lambda told: steps.edm()),
    "euler-maruyama": Known(lambda told: EulerMaruyama(), lambda told: steps.euler_maruyama),
    "reverse-diffusion": Known(lambda told: ReverseDiffusion(), lambda told: steps.reverse_diffusion),
    "predictor-corrector": Known(lambda told: PredictorCorrector(), None),
    "dpm-solver++2m": Known(lambda told: DPMSolverPP2M(), lambda told: steps.dpm_solver_pp_2m),
    "edm": Known(lambda told: EDM(told.churn), lambda told: steps.edm(told.gamma), last_denoises=False),
}


@dataclass(frozen=True)
class Plan:
    """A campaign, by what a user says.

    Attributes:
        sampler: one of :data:`SAMPLERS`; None if another's sampler claims to be none of them.
        setting: what it is set to.
        name: of the data.
        oracle: the data.
        abar: (S + 1,), the levels, noisiest first, 1 at the end; None for a sampler that chooses its own.
        seed: of all draws.
        resolution: how far off counts as equal.
        rates: of false alarms and misses.
        against: what draws are compared with; the law of the sampler where it is known, if nothing is said.
        label: sample the data of this class alone.
        pair: judge this step alone (0 is the first), by the joint law of the states on both its sides (:mod:`.pairs`).
        theirs: draws are made by this sampler; by ours, without one.
    """

    sampler: str | None
    setting: Setting
    name: str
    oracle: Oracle
    abar: Array | None
    seed: int = 0
    resolution: float = 0.01
    rates: ErrorRates = field(default_factory=ErrorRates)
    against: Against | None = None
    label: int | None = None
    pair: int | None = None
    theirs: Theirs | None = None

    @property
    def title(self) -> str:
        """Whose draws, and as what they are judged."""
        if self.theirs is None:
            return f"{self.sampler}, {self.levels.size - 1} steps, on {self.name}"
        claim = f" as {self.sampler}" if self.sampler is not None else ""
        return f"{self.theirs.name}{claim}, {self.levels.size - 1} steps, on {self.name}"

    @property
    def levels(self) -> Array:
        """(S + 1,), where the sampler asks its model, and where it ends."""
        if self._hosted is not None:
            return self._hosted.levels
        if self.abar is None:
            raise MisuseError("a sampler in JAX is told its levels: `abar` is missing.")
        return self.abar

    def campaign(self) -> Campaign:
        """The campaign.

        Raises:
            MisuseError: if there is no such sampler, class or step, or a law is asked for where it is not known.
        """
        if self.pair is not None:
            return self._of_pairs(self.pair)
        law, d = self._law, self._law.event_size
        if self._hosted is not None:
            return Campaign(self._hosted, self._hosted.rows, self._yardstick(law), self.resolution, self.rates)
        chunks = max(1, NUMBERS // (chunk_size(d) * d))
        drawing = Draws(self._traced, exact_eps(law), self.levels, d, str(jnp.zeros(0).dtype))
        key = jax.random.key(self.seed)

        def block(number: Any) -> Any:
            each = jax.lax.map(lambda index: drawing.chunk(index, key=key), number * chunks + jnp.arange(chunks, dtype=jnp.uint32))
            return each.reshape(-1, d)

        return Campaign(block, chunks * chunk_size(d), self._yardstick(law), self.resolution, self.rates)

    @property
    def identity(self) -> str:
        """All that the draws, and what is counted of them, follow from."""
        told = {
            "sampler": f"{self.sampler} {self.setting}",
            "code": "ours" if self.theirs is None else f"{self.theirs.name} {self.theirs.version}",
            "data": f"{self.name} {_digest(*jax.tree.leaves(self.oracle))}",
            "class": self.label,
            "pair": self.pair,
            "levels": f"{self.levels.size - 1} steps {_digest(self.levels)}",
            "seed": self.seed,
            "against": self.compared_with,
            "resolution": self.resolution,
            "rates": f"{self.rates.false_alarm} {self.rates.miss}",
            "type": jnp.zeros(0).dtype,
        }
        return "\n".join(f"{name} {value}" for name, value in told.items())

    @property
    def bias(self) -> tuple[float, float] | None:
        """How far the exact law of the sampler is off that of the data, whatever is drawn; None where it is not known.

        The mean, in standard deviations of the data, and the variance over that of the data, where it is off the most.
        """
        if self.pair is not None or self.compared_with is not Against.SAMPLER:
            return None
        law, end = self._law, self._end
        C, shift = np.asarray(law.covariance_matrix, np.float64), np.asarray(end.mean - law.mean, np.float64).ravel()
        try:
            off = np.sqrt(shift @ np.linalg.solve(C, shift))
            ratios = eigh(np.asarray(end.covariance_matrix, np.float64), C, eigvals_only=True)
        except LinAlgError:
            return None  # data without spread in some direction
        return float(off), float(ratios[np.argmax(np.abs(np.log(np.maximum(ratios, 1e-300))))])

    @property
    def _known(self) -> Known:
        if self.sampler not in SAMPLERS:
            raise MisuseError(f"no sampler is called {str(self.sampler)[:60]!r}: give one of {', '.join(SAMPLERS)}.")
        return SAMPLERS[self.sampler]

    @property
    def _law(self) -> Oracle:
        """The data that are sampled."""
        if self.label is None:
            return self.oracle
        if not isinstance(self.oracle, GaussianMixture):
            raise MisuseError(f"{self.name} has no classes to choose one of.")
        return self.oracle.given(self.label)

    @property
    def compared_with(self) -> Against:
        """What draws are compared with.

        Raises:
            MisuseError: if the law of the sampler is asked for where it is not known.
        """
        nameless = self.sampler is None and self.theirs is not None
        exact = not nameless and self._known.step is not None and isinstance(self._law, Gaussian)
        if self.against is Against.SAMPLER and not exact:
            raise self._unknown
        return self.against or (Against.SAMPLER if exact else Against.DATA)

    @property
    def _step(self) -> Step:
        """The sampler's step in the oracle's algebra."""
        if self._known.step is None:
            raise self._unknown
        if self._hosted is not None and self.setting.churn:
            raise MisuseError("with churn a sampler asks at levels of more noise, and those that it steps between are not seen.")
        return self._known.step(replace(self.setting, steps=self.levels.size - 1))

    @property
    def _unknown(self) -> MisuseError:
        whose = self.sampler or "a sampler that names no family"
        return MisuseError(f"where {whose} ends on {self.name} is not known in closed form: compare with the data.")

    def _of_pairs(self, k: int) -> Campaign:
        law, levels = self._law, self.levels
        if self._hosted is not None:
            raise MisuseError("a step alone is judged of samplers in JAX, which have a `step`.")
        if not isinstance(law, Gaussian):
            raise MisuseError(f"the joint law of a step is known for Gaussian data, and {self.name} is none.")
        if not 0 <= k < levels.size - 2:
            raise MisuseError(f"`pair` must be a step before the last, 0 to {levels.size - 3}, got {k}.")
        abar_t, abar_s = levels[k], levels[k + 1]
        if self.compared_with is Against.DATA:
            joint, against = joint_of_noising(law, abar_t, abar_s), "the joint law of the data, noised"
        else:
            joint = joint_of_step(law, abar_t, abar_s, self._step)
            against = f"the exact joint law of step {k} of {self.sampler}"
        draw = drawing_pairs(self._traced, law, levels[k:], jax.random.key(self.seed))
        return Campaign(draw, PAIRS, whitened(joint.mean, joint.covariance, against), self.resolution, self.rates)

    def _yardstick(self, law: Oracle) -> Yardstick:
        if self.compared_with is Against.DATA and isinstance(law, GaussianMixture):
            return scored(law, "the law of the data")
        if self.compared_with is Against.DATA:
            return whitened(law.mean, law.covariance_matrix, "the law of the data")
        against = f"the exact law of {self.sampler} after {self.levels.size - 1} steps"
        return whitened(self._end.mean, self._end.covariance_matrix, against)

    @cached_property
    def _end(self) -> Gaussian:
        """The exact law in which the named sampler ends."""
        start = 1.0 if self._hosted is None else self._hosted.start
        return law_after(self._law, self.levels, self._step, start=start, last_denoises=self._known.last_denoises)

    @cached_property
    def _hosted(self) -> Hosted | None:
        """The draws, where they are made on the host."""
        if self.theirs is None or not isinstance(self.theirs.runs, Target):
            return None
        return Hosted(self.theirs.runs, self._law, self.seed)

    @property
    def _traced(self) -> Sampler:
        """The sampler, where it is one in JAX."""
        if self.theirs is not None and isinstance(self.theirs.runs, Sampler):
            return self.theirs.runs
        return self._known.make(self.setting)


def _digest(*arrays: Any) -> str:
    parts = (np.ascontiguousarray(np.asarray(array, np.float64)).tobytes() for array in arrays)
    return sha256(b"".join(parts)).hexdigest()[:16]
