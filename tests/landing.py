"""Where a sampler's steps lead while the model says one and the same: a test of an adapter's frames that fits any method."""

from __future__ import annotations

import numpy as np

from verifydiff.observe.response import Response


def landing(response: Response) -> tuple[np.ndarray, np.ndarray]:
    r"""How far the weights of the data, and of the noise, in every state are from those of its frame, (N + 1,) each.

    With :math:`\hat x_0 = m` throughout, a first state :math:`\alpha_0 m + \sigma_0 \epsilon` must lead to
    :math:`\alpha_k m + \sigma_k \epsilon` for all k. Noise that was drawn before the first query is part of :math:`\epsilon`.
    """
    kept = response.start / response.start[0]
    before = (response.draws[0] ** 2).sum()
    data = kept * response.alpha[0] + response.answers.sum(axis=1)
    noise = np.sqrt(kept**2 * (response.sigma[0] ** 2 - before) + (response.draws**2).sum(axis=1))
    return np.abs(data - response.alpha), np.abs(noise - response.sigma)
