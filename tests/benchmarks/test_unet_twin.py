"""The PyTorch UNet that the one in JAX is timed beside computes the same, and what measures them tells what it should."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("torch", reason="the twin is written in PyTorch")

import torch
from benchmarks.unet import command, ours, profile, rates, speed, tables, theirs, work
from benchmarks.unet import twin as twins
from benchmarks.unet.agreement import DisagreementError, agreement, apart, refuse
from benchmarks.unet.twin import channels_of, size_of, state_of, twin_of
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from verifydiff.network import PRESETS, Preset, Size, UNet, data
from verifydiff.network.data import classes, in_single
from verifydiff.network.objective import weight
from verifydiff.network.step import everywhere, examples, initial, loss, mesh, program, stream

ROUNDING = 1e-6  # of a softmax in float32, which JAX's attention has in float64 too
SIDE = 8
SHAPES = {
    "circular, labels, heads": (Size(16, (1, 2), attention=(1,), heads=2, padding="circular"), 3, 1),
    "zeros, three resolutions, patches": (Size(8, (2, 1, 3), attention=(0, 2), heads=2, patch=2), None, 1),
    "two blocks, patches of two channels": (Size(6, (1,), 2, (), 3, "circular", 2), 2, 2),
}
LABELLED = Preset("labelled", "mixture:8", Size(16, (1,), heads=2, padding="circular"), 8, 20, 3e-3, warmup=2, ema=0.9, every=5)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small networks take no longer on one, and are not held up where others want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(size, labels, channels=1):
    return speed.roused(UNet(size, channels, labels, rng=np.random.default_rng(0)), 1)


def in_double(network):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float64), network)


def asked(labels, channels, n=4):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, SIDE, SIDE, channels))
    return x, np.array([0.0, 0.2, 0.9, 1.0]), None if labels is None else np.arange(n) % (labels + 1)


def by_twin(twin, x, abar, label):
    answers = twin(torch.tensor(x).permute(0, 3, 1, 2), torch.tensor(abar), None if label is None else torch.tensor(label))
    return answers.permute(0, 2, 3, 1)


# -- it computes the same ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "labels", "channels"), SHAPES.values(), ids=SHAPES)
def test_in_float64_the_twin_answers_the_same(size, labels, channels):
    network = in_double(made(size, labels, channels))
    x, abar, label = asked(labels, channels)
    expected = jax.jit(jax.vmap(network, in_axes=(0, 0, None if label is None else 0)))(x, abar, label)
    assert apart(by_twin(twin_of(network), x, abar, label).detach().numpy(), np.asarray(expected)) < ROUNDING


def test_without_a_label_it_takes_that_for_none():
    twin = twin_of(in_double(made(*SHAPES["circular, labels, heads"])))
    x, abar, _ = asked(3, 1)
    assert torch.equal(by_twin(twin, x, abar, None), by_twin(twin, x, abar, np.full(4, 3)))


@pytest.mark.parametrize(("size", "labels", "channels"), SHAPES.values(), ids=SHAPES)
def test_its_shape_is_read_off_the_network(size, labels, channels):
    network = made(size, labels, channels)
    assert size_of(network) == size
    assert channels_of(network) == channels


@pytest.fixture(scope="module")
def network():
    """One with all that there is, but patches."""
    return made(*SHAPES["circular, labels, heads"])


@pytest.fixture(scope="module")
def batches():
    """Those of the first three steps of a training."""
    key, source, numbers = stream(np.uint32(0), "draws"), in_single(data(LABELLED.data)), jnp.arange(8, dtype=jnp.int32)
    drawn = jax.jit(lambda step: examples(LABELLED, source, jax.random.fold_in(key, step), numbers, 8))
    return [drawn(jnp.int32(step)) for step in range(3)]


def for_torch(batch):
    x_t, abar, label, target = (torch.tensor(np.asarray(one)) for one in batch)
    weights = torch.tensor(np.asarray(weight(LABELLED.prediction, LABELLED.weighting, batch.abar)))
    return theirs.Examples(x_t[:, None], abar, label, target[:, None], weights)


def test_gradients_of_the_loss_agree(batches):
    network = in_double(made(replace(LABELLED.size, multipliers=(1, 2)), 4))
    batch = jax.tree.map(lambda leaf: leaf.astype(jnp.float64) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf, batches[0])
    value, gradient = jax.jit(jax.value_and_grad(partial(loss, LABELLED, jnp.float64)))(network, batch)
    twin = twin_of(network)
    ours_value = theirs.loss(twin, for_torch(batch))
    ours_value.backward()
    assert ours_value.item() == pytest.approx(float(value), rel=ROUNDING)
    expected = state_of(gradient)
    assert {name for name, _ in twin.named_parameters()} == expected.keys()
    largest = max(float(one.norm()) for one in expected.values())
    for name, one in twin.named_parameters():
        assert float((one.grad - expected[name]).norm()) < ROUNDING * largest, name


def test_the_same_batches_train_to_the_same_weights_and_the_same_average(batches):
    """By the program that ``verifydiff train`` runs: clipping, a rising rate, Adam, the average."""
    network, source = made(LABELLED.size, 4), data(LABELLED.data)
    over = mesh(jax.devices()[:1])
    begun = initial(LABELLED, 4, LABELLED.steps, 0)._replace(network=network, average=network)
    run = program(LABELLED, LABELLED.steps, 8, over, jnp.float32)
    state, losses, norms = run(*(everywhere(one, over) for one in (begun, in_single(source))), np.uint32(0), np.int32(3))
    assert (norms[:3] > 1).any()
    task = speed.Task(LABELLED, source, network, network, 8, None, None)
    training = theirs.Training(task, theirs.Network(network, torch.device("cpu"), compiling=False))
    values = [float(training.learn(for_torch(batch))) for batch in batches]
    assert values == pytest.approx(np.asarray(losses)[:3].tolist(), rel=1e-4)
    started = twin_of(network).state_dict()
    for found, expected in (
        (training.network.module.state_dict(), state_of(state.network)),
        (dict(zip(started, training.average, strict=True)), state_of(state.average)),
    ):
        moved = torch.cat([(expected[name] - started[name]).ravel() for name in started])
        error = torch.cat([(expected[name] - found[name]).ravel() for name in started])
        assert float(error.norm()) < 1e-2 * float(moved.norm())
        assert float(moved.norm()) > 0


def test_in_float32_and_in_bfloat16_they_agree_to_rounding(network):
    found = agreement(network, twin_of(network), (SIDE, SIDE))
    assert found["float32"] < 1e-5
    assert found["bfloat16_apart"] < found["bfloat16_jax"] + found["bfloat16_torch"]


# -- a twin that does not is told apart --------------------------------------------------------------------------------------------


def other_padding(twin, network, monkeypatch):
    other = twins.UNet(replace(size_of(network), padding="zeros"), 1, network.classes)
    other.load_state_dict(state_of(network))
    return other.to(twin.enter.weight.dtype)


def one_group(twin, network, monkeypatch):
    for module in twin.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.num_groups = 1


def larger_eps(twin, network, monkeypatch):
    for module in twin.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.eps = 1e-3


def skips_in_front(twin, network, monkeypatch):
    def forward(self, h, beside, embedding):
        for stage, kept in zip(self.stages, beside, strict=True):
            h = stage(torch.cat([kept, h], dim=1), embedding)
        return h if self.smooth is None else self.smooth(functional.interpolate(h, scale_factor=2, mode="nearest"))

    monkeypatch.setattr(twins.Ascent, "forward", forward)


def no_one_in_the_scale(twin, network, monkeypatch):
    for module in twin.modules():
        if isinstance(module, twins.Residual):
            module.modulation.bias.data[: module.conv_in.out_channels] -= 1


def no_scale_of_the_logits(twin, network, monkeypatch):
    usual = functional.scaled_dot_product_attention
    monkeypatch.setattr(functional, "scaled_dot_product_attention", lambda *told: usual(*told, scale=1.0))


def one_head(twin, network, monkeypatch):
    for module in twin.modules():
        if isinstance(module, twins.Attention):
            module.heads = 1


def halved_from_the_next_point(twin, network, monkeypatch):
    halve = twin.descents[0].halve
    monkeypatch.setattr(halve, "forward", lambda x: type(halve).forward(halve, x.roll((-1, -1), (2, 3))))


def doubled_smoothly(twin, network, monkeypatch):
    usual = functional.interpolate
    monkeypatch.setattr(functional, "interpolate", lambda h, scale_factor, mode: usual(h, scale_factor=2, mode="bilinear"))


def another_label(twin, network, monkeypatch):
    twin.condition.labels.weight.data[[0, 1]] = twin.condition.labels.weight.data[[1, 0]]


def shorter_waves(twin, network, monkeypatch):
    twin.condition.turns *= 1.01


MISTAKES = (
    other_padding,
    one_group,
    larger_eps,
    skips_in_front,
    no_one_in_the_scale,
    no_scale_of_the_logits,
    one_head,
    halved_from_the_next_point,
    doubled_smoothly,
    another_label,
    shorter_waves,
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.__name__)
def test_a_twin_with_a_mistake_is_told_apart(network, monkeypatch, mistake):
    twin = twin_of(network)
    wrong = mistake(twin, network, monkeypatch) or twin
    with pytest.raises(DisagreementError, match="in float32 the two networks are"):
        agreement(network, wrong, (SIDE, SIDE))


def test_in_bfloat16_neither_may_be_far_off():
    found = {"float32": 1e-6, "bfloat16_jax": 4.0, "bfloat16_torch": 3.0, "bfloat16_apart": 5.0}
    refuse(found)
    worse = (("bfloat16_jax", 11.0, "more than"), ("bfloat16_torch", 11.0, "more than"), ("float32", np.nan, "in float32"))
    for name, number, words in worse:
        with pytest.raises(DisagreementError, match=words):
            refuse(found | {name: number})


# -- the work ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "labels", "channels"), SHAPES.values(), ids=SHAPES)
def test_the_work_is_what_pytorch_counts_but_for_gradients_that_nobody_asks_for(size, labels, channels):
    twin, (x, abar, label) = twin_of(in_double(made(size, labels, channels))), asked(labels, channels)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        answers = by_twin(twin, x, abar, label)
        one_way = counter.get_total_flops()
        answers.sum().backward()
        both_ways = counter.get_total_flops()
    grid, points = (SIDE, SIDE), (SIDE // size.patch) ** 2
    assert one_way == len(x) * work.forward(size, grid, channels)
    given = work.convolution(size.patch**2 * channels, size.width, points) + work.product(1, size.width, 4 * size.width)
    assert both_ways == len(x) * (work.training_step(size, grid, channels) - given)  # of the state and of the waves of the level


# -- the measurement ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setitem(PRESETS, LABELLED.name, LABELLED)  # whose program is compiled for another test, too
    monkeypatch.setattr(speed, "BLOCK", 0.01)
    monkeypatch.setattr(rates, "ON_CPU", rates.Scale(16, "float32", 1024, 1, 2))
    return ["labelled", "--rounds", "1", "--batch", "8", "--sampling-batch", "3", "--steps", "3"]


def recorded(place):
    return json.loads(place.read_text(encoding="utf-8"))["results"]


def test_the_whole_measurement_is_recorded_and_told(quick, tmp_path, capsys):
    place = tmp_path / "unet.json"
    assert command.main([*quick, "--profile", "--json", str(place)]) == command.OK
    found, told = recorded(place), capsys.readouterr().out
    assert found["agreement"]["float32"] < 1e-4
    assert found["rates"]["best"] > 0
    for name in ("training", "sampling_3"):
        part = found[name]
        for side in ("jax", "torch"):
            assert len(part[side]["seconds"]) == 2
            assert part[side]["utilisation"] > 0
            assert part[side]["events_per_second"] * part[side]["median"] == pytest.approx(part["batch"])
        assert part["torch_over_jax"]["rounds"] == [part["torch"]["seconds"][1] / part["jax"]["seconds"][1]]
        assert name in told
    assert found["sampling_3"]["ends_apart"] < 1e-2
    assert found["sampling_3"]["jax"]["program"] == {"trip_counts": [2], "asks_the_host": []}
    assert sum(row["share"] for row in found["profile"]["kinds"]) == pytest.approx(1)
    assert "summary: labelled" in told


def test_a_twin_with_a_mistake_stops_it_before_anything_is_timed(quick, tmp_path, capsys, monkeypatch):
    place = tmp_path / "unet.json"
    monkeypatch.setattr(functional, "silu", functional.relu)
    assert command.main([*quick, "--json", str(place)]) == command.FAILED
    found = recorded(place)
    assert "training" not in found
    assert "in float32" in found["agreement"]["failed"]
    (line,) = capsys.readouterr().err.splitlines()
    assert "nothing is timed: in float32 the two networks are" in line


def test_what_there_is_no_time_for_is_left_out_and_named(quick, tmp_path, capsys):
    place = tmp_path / "unet.json"
    assert command.main([*quick, "--seconds", "1e-9", "--json", str(place)]) == command.OK
    found = recorded(place)
    assert found["agreement"]["float32"] < 1e-4
    assert {found[name]["left_out"] for name in ("rates", "training", "sampling_3")} == {"0 s are left."}
    assert "left out: 0 s are left." in capsys.readouterr().out


def test_where_one_side_fails_the_other_is_measured(quick, tmp_path, capsys, monkeypatch):
    place = tmp_path / "unet.json"

    def broken(*_):
        raise RuntimeError("out of memory\nand more")

    monkeypatch.setattr(theirs, "loss", broken)
    assert command.main([*quick, "--json", str(place)]) == command.FAILED
    found = recorded(place)["training"]
    assert found["torch"] == {"failed": "RuntimeError: out of memory"}
    assert found["jax"]["median"] > 0


def test_one_side_alone_is_measured_alone(quick, tmp_path):
    place = tmp_path / "unet.json"
    assert command.main([*quick, "--only", "torch", "--json", str(place)]) == command.OK
    found = recorded(place)
    assert "jax" not in found["training"]
    assert found["training"]["torch"]["utilisation"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "PRESET"),
        (["none"], "no preset"),
        (["field-8", "--steps", "0"], "--steps must be"),
        (["field-8", "--steps", "1001"], "--steps must be"),
        (["field-8", "--rounds", "0"], "--rounds must lie"),
        (["field-8", "--seconds", "nan"], "--seconds must be"),
        (["field-8", "--only", "numpy"], "--only"),
    ],
)
def test_wrong_arguments_get_one_line(arguments, words, capsys):
    assert command.main(arguments) == command.MISUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_a_network_that_cannot_be_compiled_runs_eagerly_and_says_why(network, capsys):
    network = theirs.Network(network, torch.device("cpu"), compiling=False)
    network.facts["compiled"], tries = True, []

    def run():
        tries.append(network.facts["compiled"])
        if network.facts["compiled"]:
            raise RuntimeError("no compiler")

    network.first(run)
    assert tries == [True, False]
    assert network.facts["why_eager"] == "RuntimeError: no compiler"


def test_rounds_end_when_time_is_up_and_the_first_does_not_count_beside_others():
    lefts = iter([10.0, 10.0, 0.0])
    calls = []
    watch = SimpleNamespace(left=lambda: next(lefts))
    runs = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in ("jax", "torch")}
    failed, seconds = speed.take_turns(runs, 5, watch)
    assert failed == {}
    assert calls == ["jax", "torch"] * 3
    assert speed.ratio({name: {"seconds": one} for name, one in seconds.items()})["torch_over_jax"]["rounds"] == [4 / 3, 6 / 5]
    assert speed.counted([2.0]) == [2.0]


def test_a_side_that_fails_while_it_is_timed_is_told_and_the_other_goes_on(capsys):
    rounds = iter((1.0, 2.0))

    def failing():
        if (taken := next(rounds, None)) is None:
            raise MemoryError("no room")
        return taken

    failed, seconds = speed.take_turns({"jax": failing, "torch": lambda: 3.0}, 3, speed.Watch(float("inf")))
    assert failed == {"jax": {"failed": "MemoryError: no room"}}
    assert seconds == {"torch": [3.0] * 4}


def test_a_loop_that_asks_the_host_and_one_of_unknown_length_are_told():
    def asking(x):
        return jax.lax.fori_loop(0, 3, lambda i, x: jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), x.dtype), x), x)

    def searching(x):
        return jax.lax.while_loop(lambda x: x < 100, lambda x: x * x, x)

    one, other = (ours.loop(jax.jit(f).lower(jnp.float32(2)).compile().as_text()) for f in (asking, searching))
    assert any("callback" in name for name in one["asks_the_host"])
    assert other == {"trip_counts": [None], "asks_the_host": []}


@pytest.mark.parametrize("name", ["field-8", "mixture-8", "digits"])
def test_what_pytorch_draws_has_the_moments_of_what_is_learnt_from(name):
    torch.manual_seed(0)
    source, n = data(PRESETS[name].data), 4096
    x, label = theirs.drawing(source, torch.device("cpu"))(n)
    key = jax.random.key(1)
    if name == "digits":
        expected, labels = source.scaled(source.train), source.train_labels
    elif name == "mixture-8":
        expected, labels = source.sample_labelled(key, (n,))
    else:
        expected, labels = source.sample(key, (n,)), None
    x, expected = x[:, 0].numpy().astype(float), np.asarray(expected, float)
    assert x.shape[1:] == expected.shape[1:]
    assert np.abs(x.mean((0, 1, 2)) - expected.mean((0, 1, 2))).max() < 0.1
    beside, other = (np.mean(one[:, 1:] * one[:, :-1]) for one in (x, expected))
    assert beside == pytest.approx(other, rel=0.1)
    assert (label is None) == (labels is None)
    if label is not None:
        share, other = (np.bincount(np.asarray(one), minlength=classes(source)) / len(one) for one in (label, labels))
        assert np.abs(share - other).max() < 0.05
        for y in range(classes(source)):
            assert x[np.asarray(label) == y].mean() == pytest.approx(expected[np.asarray(labels) == y].mean(), abs=0.1)


def test_a_kernel_is_of_the_kind_that_its_name_says():
    kinds = {
        "sm90_xmma_fprop_implicit_gemm_bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x128x64": "convolution",
        "void cutlass__5x_cudnn::Kernel<cutlass_tensorop_bf16_s16816wgrad_optimized_bf16_128x128>": "convolution",
        "cudnn_generated_fort_native_sdpa_sm90_flash_fprop": "attention",
        "nvjet_tst_128x256_64x4_1x2_h_bz_coopA_NNT": "gemm",
        "gemm_fusion_dot_12": "gemm",
        "loop_add_fusion_3": "fusion",
        "input_reduce_fusion_7": "reduction",
        "loop_transpose_fusion": "copy",
        "MemcpyD2D": "copy",
        "void cudnn::engines_precompiled::nchwToNhwcKernel<float>": "copy",
        "rng_bit_generator": "other",
    }
    assert {name: profile.kind(name) for name in kinds} == kinds


def test_of_a_device_the_streams_are_summed_and_of_nested_events_each_alone():
    def event(name, start, duration):
        return SimpleNamespace(name=name, start_ns=start, duration_ns=duration)

    kernels = [event("loop_add_fusion", 0, 30), event("nvjet_x", 40, 60), event("loop_add_fusion", 100, 10)]
    lines = [SimpleNamespace(name="Stream #7(Compute)", events=kernels), SimpleNamespace(name="XLA Ops", events=kernels)]
    found = profile.told([SimpleNamespace(name="/device:GPU:0", lines=lines)])
    assert found["seconds"] == pytest.approx(100e-9)
    assert [(row["kind"], row["count"]) for row in found["kinds"]] == [("gemm", 1), ("fusion", 2)]
    assert sorted(profile.alone([event("outer", 0, 10), event("inner", 2, 3)])) == [("inner", 3), ("outer", 7)]
    assert "no plane" in profile.told([SimpleNamespace(name="/host:metadata", lines=[])])["missing"]
    assert tables.missing({"missing": "there is none."}) == "missing: there is none."
