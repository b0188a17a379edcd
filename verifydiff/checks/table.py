"""The table of the checks: every id that a finding can carry, and the question that it answers.

It is what a test run knows before any sampler has run. The order is that in which the questions are asked.
"""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "options": "does a library take the options that it is asked with?",
    "behaviour": "does it keep to `sample(denoise, x_init, seed) -> x_0`?",
    "start": "is the first query `x_init`?",
    "time-grid": "are the times array indices in 0..T-1, strictly falling, as many and as spaced as claimed?",
    "time-coverage": "does the grid start at the noisiest time?",
    "told-time": "is the model told the time of the level that it is asked at?",
    "tables": "are a library's stored tables finite, falling, and the schedule's?",
    "affinity": "is every step an affine map of the state and the present prediction?",
    "clipping": "what becomes of large predictions of the data?",
    "seed": "does the seed decide the noise?",
    "family": "without a claim: is it a known family?",
    "pairing": "does each step land on the level of the next query?",
    "coefficients": "are p and q the closed form's at every step?",
    "noise-scale": "is c the closed form's at every step?",
    "last-step": "is no noise added on the step onto the data?",
    "noise-law": "is the noise fresh at every step, independent over rows and coordinates, and normal?",
    "exact-moments": "does the whole trajectory end in the law the closed form ends in?",
    "point-mass": "do data without spread come out as they are?",
    "method-bias": "how far does the method itself end from the data?",
    "order": "does a solver converge in the order that it claims?",
    "consistency": "as its steps vanish, do a solver's coefficients become those of its equation?",
    "prediction-types": "does one denoiser told as noise, data and velocity give one sample?",
    "identity": "does a scheduler's second, batched step take the same step?",
    "round-trip": "are noising, the velocity and the way back those of the closed form?",
    "noise-contract": "is a sample the same whatever the batch it stands in?",
    "precision": "as shipped, in single precision, does rounding explain the difference?",
    "half-precision": "on states in bfloat16, does it run, and how far do they move?",
    "allow": "do the deviations that are allowed still occur?",
}
"""id -> question, in one line."""
