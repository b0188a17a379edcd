"""What a step of training should take on a GPU that is not there: ``python -m tests.benchmarks.unet.predicted [PRESET]``.

XLA compiles for a GPU without one, where JAX is installed with its CUDA plugin (``pip install 'jax[cuda13]'``; packages for a GPU,
on a machine that needs none). Of the compiled step every kernel is taken with the bytes that it reads and writes. A kernel takes
about as long as its bytes need at the card's bandwidth or longer, a product as its operations need at the card's rate: the sums say
what a step would take if every kernel were as good as it can be, and the difference of two programs what a change of the code is
worth. It is an estimate: what stays in the cache between two kernels is faster, and XLA on the card itself tries kernels out, so
that its program is another. The two rates are round numbers of an H200, and the benchmark measures them anew.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BANDWIDTH, RATE = 4.3e12, 7.9e14
"""Bytes a second of a large copy, and operations a second of products in bfloat16, as one sees them on an H200."""
H200 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 4800000000000 l2_cache_size: 62914560 clock_rate_ghz: 1.98 device_memory_size: 149000000000
  shared_memory_per_block_optin: 232448 cuda_compute_capability { major: 9 }
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 12 } runtime_version { major: 13 }
device_description_str: "NVIDIA H200"
"""
FLAGS = "--xla_gpu_autotune_level=0 --xla_gpu_enable_triton_gemm=false"  # both would try kernels out

SIZES = {"pred": 1, "bf16": 2, "f16": 2, "f32": 4, "s32": 4, "u32": 4, "f64": 8, "c64": 8, "s64": 8, "u64": 8}
"""Bytes of a number; those of eight bits are the room that a library asks for to work in, and are no traffic."""
FREE = {"parameter", "tuple", "get-tuple-element", "bitcast", "constant", "after-all"}
PRODUCTS = ("convolution", "product")
SMALL = 4e6  # bytes, below which a kernel takes as long as it takes to start

HEADER = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*\{$")
INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)$")
ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")


@dataclass(frozen=True)
class Kernel:
    """One kernel of a compiled program.

    Attributes:
        name: as XLA calls it.
        kind: ``convolution``, ``product``, or how XLA has fused it.
        moved: bytes that it reads and writes.
    """

    name: str
    kind: str
    moved: int


def kernels(compiled: str) -> list[Kernel]:
    """The kernels of the longest computation that is no fusion's: of a training, those of its step."""
    fused = set(re.findall(r"calls=%([\w.\-]+)", compiled))
    longest = max((lines for name, lines in computations(compiled) if name not in fused), key=len)
    parsed = [found.groups() for line in longest if (found := INSTRUCTION.match(line))]
    shapes = {name: shape for name, shape, _, _ in parsed}
    return [
        Kernel(name, kind(operation, rest), moved(name, shape, rest, shapes))
        for name, shape, operation, rest in parsed
        if operation not in FREE
    ]


def computations(compiled: str) -> Iterator[tuple[str, list[str]]]:
    """The name and the lines of every computation."""
    name, lines = "", list[str]()
    for line in compiled.splitlines():
        if header := HEADER.match(line):
            name, lines = header[1], []
        elif line.startswith("}") and name:
            yield name, lines
            name = ""
        else:
            lines.append(line)


def kind(operation: str, rest: str) -> str:
    """What a kernel does, by what is called."""
    if target := re.search(r'custom_call_target="([^"]*)"', rest):
        return "convolution" if "conv" in target[1] else "product" if "cublas" in target[1] else target[1]
    fused = re.search(r"kind=k(\w+)", rest)
    return f"fusion, {fused[1].lower()}" if fused else operation


def moved(name: str, shape: str, rest: str, shapes: dict[str, str]) -> int:
    """Bytes of what is read and what is written; of a slice, only what is kept of it."""
    written = size(shape)
    if "slice_fusion" in name and written < SMALL:
        return 2 * written
    operands = re.findall(r"%([\w.\-]+)", rest.split("), ")[0])
    return written + sum(size(shapes.get(one, "")) for one in set(operands))


def size(shape: str) -> int:
    """Bytes of an array or of several."""
    total = 0
    for kind, sides in ARRAY.findall(shape):
        count = 1
        for side in filter(None, sides.split(",")):
            count *= int(side)
        total += count * SIZES.get(kind, 0)
    return total


def compiled(preset_name: str, batch: int | None) -> tuple[Any, int, int]:
    """A training's program, compiled for the card; the operations of a step; and its batch."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.experimental import topologies
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    from verifydiff.network import step
    from verifydiff.network.data import classes, data, in_single
    from verifydiff.network.preset import preset

    from . import work

    wanted = preset(preset_name)
    batch, source = batch or wanted.batch, in_single(data(wanted.data))
    try:
        card = topologies.get_topology_desc(platform="cuda", topology="1x1x1", target_config=H200)
    except NotImplementedError:
        raise SystemExit("JAX is here without its CUDA plugin: pip install 'jax[cuda13]' brings it.") from None
    over = Mesh(np.array(card.devices), (step.SHARES,))
    everywhere = NamedSharding(over, PartitionSpec())

    def shaped(tree: Any) -> Any:
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=everywhere), tree)

    state = jax.eval_shape(lambda: step.initial(wanted, classes(source), wanted.steps, 0))
    jax.default_backend = lambda: "gpu"  # by which layers choose their way
    lowered = step.program(wanted, wanted.steps, batch, over, jnp.bfloat16).lower(
        shaped(state), shaped(source), *(jax.ShapeDtypeStruct((), kind, sharding=everywhere) for kind in (np.uint32, np.int32))
    )
    return lowered.compile(), work.training_step(wanted.size, source.event_shape) * batch, batch


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.unet.predicted", description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", default="field-32")
    parser.add_argument("--batch", type=int)
    told = parser.parse_args(arguments)
    program, operations, batch = compiled(told.preset, told.batch)
    found, best = kernels(program.as_text()), operations / RATE
    print(f"{told.preset}, {batch} examples a step; products at {RATE:.2g} operations a second, the rest at {BANDWIDTH:.2g} bytes")
    for name in sorted({one.kind for one in found}):
        sizes = [one.moved for one in found if one.kind == name]
        print(f"  {name:20s} {len(sizes):5d} kernels {sum(sizes) / 1e9:8.2f} GB {1e3 * sum(sizes) / BANDWIDTH:7.2f} ms")
    other = sum(one.moved for one in found if one.kind not in PRODUCTS) / BANDWIDTH
    print(f"  {sum(one.moved < SMALL for one in found)} of {len(found)} kernels move less than {SMALL / 1e6:.0f} MB")
    print(f"{operations / 1e12:.1f} Tflop of products, {1e3 * best:.1f} ms, and {1e3 * other:.1f} ms of all else:")
    print(
        f"no faster than {1e3 * (best + other):.1f} ms a step, at most {100 * best / (best + other):.0f} % of the rate of products"
    )
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    os.environ.setdefault("XLA_FLAGS", FLAGS)
    os.environ.setdefault("JAX_SKIP_CUDA_CONSTRAINTS_CHECK", "1")  # there is no driver
    sys.exit(main(sys.argv[1:]))
