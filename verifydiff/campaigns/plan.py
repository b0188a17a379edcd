r"""From names to a campaign: which sampler, on which data, judged by which law.

A sampler that is given the exact eps of Gaussian data, and whose steps are affine, ends in a Gaussian law that the oracle knows for
any number of steps (:func:`verifydiff.oracles.law_after`, whose algebra shares nothing with the sampler's): that is the claim,
and it leaves no room for a bias of the method. Elsewhere draws are compared with the law of the data, from which any method is off
by the bias of its finite number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

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
from .pairs import PAIRS, drawing_pairs, exact_eps
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
        sampler: one of :data:`SAMPLERS`.
        setting: what it is set to.
        name: of the data.
        oracle: the data.
        abar: (S + 1,), the levels, noisiest first, 1 at the end.
        seed: of all draws.
        resolution: how far off counts as equal.
        rates: of false alarms and misses.
        against: what draws are compared with; the law of the sampler where it is known, if nothing is said.
        label: sample the data of this class alone.
        pair: judge this step alone (0 is the first), by the joint law of the states on both its sides (:mod:`.pairs`).
    """

    sampler: str
    setting: Setting
    name: str
    oracle: Oracle
    abar: Array
    seed: int = 0
    resolution: float = 0.01
    rates: ErrorRates = field(default_factory=ErrorRates)
    against: Against | None = None
    label: int | None = None
    pair: int | None = None

    def campaign(self) -> Campaign:
        """The campaign.

        Raises:
            MisuseError: if there is no such sampler, class or step, or a law is asked for where it is not known.
        """
        if self.pair is not None:
            return self._of_pairs(self.pair)
        law, d = self._law, self._law.event_size
        chunks = max(1, NUMBERS // (chunk_size(d) * d))
        drawing = Draws(self._known.make(self.setting), exact_eps(law), self.abar, d, str(jnp.zeros(0).dtype))
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
            "data": f"{self.name} {_digest(*jax.tree.leaves(self.oracle))}",
            "class": self.label,
            "pair": self.pair,
            "levels": f"{self.abar.size - 1} steps {_digest(self.abar)}",
            "seed": self.seed,
            "against": self.compared_with,
            "resolution": self.resolution,
            "rates": f"{self.rates.false_alarm} {self.rates.miss}",
            "type": jnp.zeros(0).dtype,
        }
        return "\n".join(f"{name} {value}" for name, value in told.items())

    @property
    def _known(self) -> Known:
        if self.sampler not in SAMPLERS:
            raise MisuseError(f"no sampler is called {self.sampler[:60]!r}: give one of {', '.join(SAMPLERS)}.")
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
        exact = self._known.step is not None and isinstance(self._law, Gaussian)
        if self.against is Against.SAMPLER and not exact:
            raise self._unknown
        return self.against or (Against.SAMPLER if exact else Against.DATA)

    @property
    def _step(self) -> Step:
        """The sampler's step in the oracle's algebra."""
        if self._known.step is None:
            raise self._unknown
        return self._known.step(self.setting)

    @property
    def _unknown(self) -> MisuseError:
        return MisuseError(f"where {self.sampler} ends on {self.name} is not known in closed form: compare with the data.")

    def _of_pairs(self, k: int) -> Campaign:
        law = self._law
        if not isinstance(law, Gaussian):
            raise MisuseError(f"the joint law of a step is known for Gaussian data, and {self.name} is none.")
        if not 0 <= k < self.abar.size - 2:
            raise MisuseError(f"`pair` must be a step before the last, 0 to {self.abar.size - 3}, got {k}.")
        abar_t, abar_s = self.abar[k], self.abar[k + 1]
        if self.compared_with is Against.DATA:
            joint, against = joint_of_noising(law, abar_t, abar_s), "the joint law of the data, noised"
        else:
            joint = joint_of_step(law, abar_t, abar_s, self._step)
            against = f"the exact joint law of step {k} of {self.sampler}"
        draw = drawing_pairs(self._known.make(self.setting), law, self.abar[k:], jax.random.key(self.seed))
        return Campaign(draw, PAIRS, whitened(joint.mean, joint.covariance, against), self.resolution, self.rates)

    def _yardstick(self, law: Oracle) -> Yardstick:
        if self.compared_with is Against.DATA and isinstance(law, GaussianMixture):
            return scored(law, "the law of the data")
        if self.compared_with is Against.DATA:
            return whitened(law.mean, law.covariance_matrix, "the law of the data")
        end = law_after(law, self.abar, self._step, last_denoises=self._known.last_denoises)
        return whitened(end.mean, end.covariance_matrix, f"the exact law of {self.sampler} after {self.setting.steps} steps")


def _digest(*arrays: Any) -> str:
    parts = (np.ascontiguousarray(np.asarray(array, np.float64)).tobytes() for array in arrays)
    return sha256(b"".join(parts)).hexdigest()[:16]
