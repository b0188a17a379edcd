"""Campaigns that a process of its own can run: draws of N(m, C) in two dimensions, with room for mistakes."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from verifydiff.campaigns.campaign import Campaign
from verifydiff.campaigns.layout import Layout
from verifydiff.campaigns.store import Store
from verifydiff.campaigns.yardstick import whitened

MEAN, COVARIANCE = np.array([1.0, -2.0]), np.array([[1.0, 0.5], [0.5, 2.0]])
ROWS = 4096


def gaussian(seed=0, shift=0.0, stretch=1.0):
    """Draws of N(MEAN + shift, stretch**2 COVARIANCE)."""
    key = jax.random.key(seed)
    root = jnp.asarray(np.linalg.cholesky(COVARIANCE).T, jnp.float32) * stretch
    mean = jnp.asarray(MEAN + shift, jnp.float32)
    return lambda number: jax.random.normal(jax.random.fold_in(key, number), (ROWS, 2), jnp.float32) @ root + mean[None]


def campaign(draw=None, resolution=0.02, **rates):
    return Campaign(draw or gaussian(), ROWS, whitened(MEAN, COVARIANCE, "N(m, C)"), resolution, **rates)


def told(count):
    """What must not depend on the layout, to the last bit."""
    total = count.tree.total
    tests = {name: [test.n, str(test.decision), [float(one).hex() for one in test.sums]] for name, test in count.tests.items()}
    return {"draws": count.draws, "mean": [float(one).hex() for one in total.mean], "tests": tests}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int)
    parser.add_argument("--coordinator")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--process", type=int)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--draws", type=int)
    parser.add_argument("--slow", type=float, default=0.0)
    arguments = parser.parse_args()
    if arguments.coordinator:
        jax.distributed.initialize(arguments.coordinator, arguments.processes, arguments.process)
    devices = tuple(jax.devices())[: arguments.devices]
    store = Store(arguments.store, "campaign of tests") if arguments.store else None
    count = campaign().run(arguments.draws, Layout(devices), store, lambda count: time.sleep(arguments.slow), save_every=0.0)
    print(json.dumps(told(count)), flush=True)


if __name__ == "__main__":
    main()
