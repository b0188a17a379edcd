"""The UNet of this package beside a PyTorch UNet of the same shape: ``python -m tests.benchmarks.unet PRESET``.

Both have the same weights. First it is measured that they compute the same, in float32 and in bfloat16; if they do not, nothing
is timed. Then it is measured what the device does at best, how long a step of training takes, as ``verifydiff train`` makes it, and
how long sampling takes, in one program or by a loop. Each part is printed and kept as it ends; see ``--help``.

On a CPU whose cores others use too, the threads of PyTorch wait for one another at every operation, which can take ten times as
long: there ``OMP_NUM_THREADS=1`` does it more justice.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # where `records` is, as pytest has it
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the memory of a GPU is shared with PyTorch
os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")  # and what JAX has taken it never gives back

from .command import main

sys.exit(main())
