"""What a compiled program moves, read off its text."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest
from benchmarks.unet.predicted import Kernel, kernels, size

STEP = """\
HloModule jit_step, is_scheduled=true

%fused_add (param_0: f32[8,16]) -> f32[8,16] {
  %param_0 = f32[8,16]{1,0} parameter(0)
  ROOT %add = f32[8,16]{1,0} add(%param_0, %param_0)
}

%body (carried: (f32[8,16], bf16[16,4])) -> f32[8,4] {
  %carried = (f32[8,16]{1,0}, bf16[16,4]{1,0}) parameter(0)
  %x = f32[8,16]{1,0} get-tuple-element(%carried), index=0
  %w = bf16[16,4]{1,0} get-tuple-element(%carried), index=1
  %loop_add_fusion = f32[8,16]{1,0} fusion(%x, %x), kind=kLoop, calls=%fused_add, metadata={op_name="add"}
  %loop_slice_fusion = f32[1,16]{1,0} fusion(%loop_add_fusion), kind=kLoop, calls=%fused_slice
  %gemm = (f32[8,4]{1,0}, s8[33554432]{0}) custom-call(%loop_add_fusion, %w), custom_call_target="__cublas$lt$matmul"
  %conv = (bf16[8,4]{1,0}, u8[0]{0}) custom-call(%w), custom_call_target="__cudnn$convForward"
  ROOT %out = f32[8,4]{1,0} get-tuple-element(%gemm), index=0
}
"""


def test_each_kernel_moves_what_it_reads_and_what_it_writes():
    assert kernels(STEP) == [
        Kernel("loop_add_fusion", "fusion, loop", 2 * 8 * 16 * 4),  # what is read twice comes once
        Kernel("loop_slice_fusion", "fusion, loop", 2 * 16 * 4),  # of a slice only what is kept
        Kernel("gemm", "product", 8 * 4 * 4 + 8 * 16 * 4 + 16 * 4 * 2),  # without the room to work in
        Kernel("conv", "convolution", 8 * 4 * 2 + 16 * 4 * 2),
    ]


@pytest.mark.parametrize(("shape", "total"), [("f32[]", 4), ("(bf16[3,5]{1,0}, pred[7])", 37), ("u8[100]", 0), ("", 0)])
def test_sizes(shape, total):
    assert size(shape) == total


def test_a_program_that_was_compiled_here():
    x = jnp.ones((300, 400), jnp.float32)
    found = kernels(jax.jit(lambda x: jnp.sin(x) + 1).lower(x).compile().as_text())
    assert [one.moved for one in found] == [2 * x.nbytes]
