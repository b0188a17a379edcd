"""What a UNet is said to do, a phrase a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.network import PRESETS, Size, UNet, parameters
from verifydiff.network.blocks import Attention, Residual
from verifydiff.network.layers import Convolution, GroupNorm, as_convolution, as_product, by_rows, folded, unfolded
from verifydiff.network.predictor import computing_in, predictions
from verifydiff.verdict import MisuseError

from tiny_network import Hollow  # isort: skip

SIZE = Size(4, (1, 2), attention=(1,), heads=2, padding="circular")
SIDE, CLASSES = 4, 3
ROUNDING = 1e-5  # of float32, through some twenty layers


@pytest.fixture(scope="module", autouse=True)
def compiled_as_users_compile_it():
    """Phrases that hold bit for bit are about the optimised program; tests are otherwise compiled without (tests/conftest.py)."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def rng():
    return np.random.default_rng(7)


def roused(network):
    """The same with every weight away from zero, so that nothing is silent."""
    draws = rng()
    return jax.tree.map(lambda leaf: leaf + jnp.asarray(draws.normal(0, 0.3, leaf.shape), leaf.dtype), network)


def fields(*shape):
    return jnp.asarray(rng().normal(size=(*shape, SIDE, SIDE)), jnp.float32)


LABELLED = roused(UNet(SIZE, 1, CLASSES, rng=rng()))
applied = jax.jit(lambda layer, *given: layer(*given))
answers = jax.jit(lambda network, x_t, abar, label: predictions(network, x_t, abar, label))


def asked(network, x_t, abar=0.5, label=CLASSES):
    """Eight questions in one, whatever their number, so that one program answers all."""
    n = len(x_t)
    x_t = jnp.concatenate([x_t, jnp.zeros((8 - n, SIDE, SIDE), jnp.float32)])
    abar, label = (jnp.asarray(np.resize(np.asarray(one), 8), kind) for one, kind in ((abar, jnp.float32), (label, jnp.int32)))
    return np.asarray(answers(network, x_t, abar, label))[:n]


def largest(difference):
    return float(np.max(np.abs(difference)))


def test_a_fresh_network_answers_zero_bit_for_bit():
    fresh = UNet(SIZE, 1, CLASSES, rng=rng())
    assert not asked(fresh, fields(5), [0, 0.1, 0.5, 0.9, 1], [0, 1, 2, 3, 0]).any()


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_a_fresh_residual_block_is_the_identity_bit_for_bit(padding):
    block, x = Residual(4, 4, 8, padding, rng=rng()), jnp.moveaxis(fields(4), 0, -1)
    assert (applied(block, x, jnp.ones(8, jnp.float32)) == x).all()


def test_a_fresh_attention_is_the_identity_bit_for_bit():
    x = jnp.moveaxis(fields(4), 0, -1)
    assert (applied(Attention(4, 2, rng=rng()), x) == x).all()


def test_attention_knows_no_positions():
    attention, x, order = roused(Attention(4, 2, rng=rng())), jnp.moveaxis(fields(4), 0, -1), rng().permutation(SIDE**2)

    def permuted(y):
        return y.reshape(-1, 4)[order].reshape(y.shape)

    found = applied(attention, x)
    assert largest(applied(attention, permuted(x)) - permuted(found)) < ROUNDING
    assert largest(found - x) > 0.1


def test_on_a_torus_it_moves_with_the_field_by_as_many_points_as_it_merges():
    x = fields(1)
    plain, by_two, by_one = asked(LABELLED, jnp.concatenate([x, jnp.roll(x, 2, (1, 2)), jnp.roll(x, 1, 1)]))
    assert largest(by_two - np.roll(plain, 2, (0, 1))) < ROUNDING * largest(plain) * 10
    assert largest(by_one - np.roll(plain, 1, 0)) > 0.01 * largest(plain)  # a halved grid begins at one point or at the next


def test_patches_are_cut_and_put_together_again():
    x = np.arange(4 * 6 * 2, dtype=np.float32).reshape(4, 6, 2)
    cut = folded(x, 2)
    assert cut.shape == (2, 3, 8)
    assert (cut[1, 2] == x[2:4, 4:6].ravel()).all()
    assert (unfolded(cut, 2) == x).all()


def test_with_patches_it_moves_with_the_field_by_patches_and_tells_their_points_apart():
    patched = roused(UNet(replace(SIZE, multipliers=(1,), attention=(), patch=2), 1, CLASSES, rng=rng()))
    x = fields(1)
    swapped = x.reshape(1, SIDE, 2, 2)[..., ::-1].reshape(x.shape)  # the points of every patch, left and right
    plain, by_patch, by_point, mirrored = asked(patched, jnp.concatenate([x, jnp.roll(x, 2, 1), jnp.roll(x, 1, 1), swapped]))
    assert largest(by_patch - np.roll(plain, 2, 0)) < ROUNDING * largest(plain) * 10
    assert largest(by_point - np.roll(plain, 1, 0)) > 0.01 * largest(plain)
    assert largest(mirrored - plain) > 0.01 * largest(plain)


def test_with_zeros_around_it_does_not():
    edged = roused(UNet(replace(SIZE, multipliers=(1,), attention=(), padding="zeros"), 1, CLASSES, rng=rng()))
    x = fields(1)
    plain, moved = asked(edged, jnp.concatenate([x, jnp.roll(x, 2, 1)]))
    assert largest(moved - np.roll(plain, 2, 0)) > 0.01 * largest(plain)


def test_the_skips_carry_what_the_coarse_grid_has_lost():
    severed = eqx.tree_at(lambda network: network.ascents[0].double, LABELLED, replace_fn=lambda c: jax.tree.map(jnp.zeros_like, c))
    one, other = asked(severed, fields(2))
    assert largest(one - other) > 0.1


def test_without_the_skips_it_is_lost():
    severed = eqx.tree_at(lambda network: network.ascents[0].double, LABELLED, replace_fn=lambda c: jax.tree.map(jnp.zeros_like, c))
    for stage in range(2):  # of the full grid: what comes from below has the first channels, what is kept the others
        severed = eqx.tree_at(lambda network, i=stage: network.ascents[1].stages[i].residual, severed, replace_fn=deaf_beside)
    one, other = asked(severed, fields(2))
    assert largest(one - other) == 0


def deaf_beside(block):
    """The block with all zero that what was kept on the way down meets: the norm's scale and shift, and the way around."""
    heard = (jnp.arange(block.norm_in.scale.size) < block.norm_in.scale.size - SIZE.width).astype(jnp.float32)
    norm = eqx.tree_at(lambda n: (n.scale, n.shift), block.norm_in, (block.norm_in.scale * heard, block.norm_in.shift * heard))
    return eqx.tree_at(lambda b: (b.norm_in, b.skip.weight), block, (norm, block.skip.weight * heard[:, None]))


def test_every_level_is_told_apart_and_the_ends_are_levels_too():
    levels = [0.0, 1e-4, 0.3, 0.300001, 0.7, 1 - 1e-4, 1.0]
    found = asked(LABELLED, jnp.repeat(fields(1), len(levels), axis=0), levels)
    assert np.isfinite(found).all()
    near, far = largest(found[3] - found[2]), min(largest(found[i] - found[j]) for i, j in ((0, 1), (1, 2), (3, 4), (4, 5)))
    assert near < 1e-3 * far


def test_every_label_is_told_apart_and_none_is_one_more():
    found = asked(LABELLED, jnp.repeat(fields(1), CLASSES + 1, axis=0), 0.5, list(range(CLASSES + 1)))
    assert min(largest(found[i] - found[j]) for i in range(CLASSES + 1) for j in range(i)) > 1e-3
    none = jax.jit(lambda network, x: network(x[..., None], jnp.float32(0.5))[..., 0])(LABELLED, fields(1)[0])
    assert largest(none - found[CLASSES]) < ROUNDING * largest(none) * 10


def test_a_label_is_refused_where_there_are_none():
    with pytest.raises(MisuseError, match="without labels"):
        jax.eval_shape(UNet(SIZE, 1, None, rng=rng()), fields(1)[0][..., None], jnp.float32(0.5), jnp.int32(0))


def test_a_grid_that_cannot_be_halved_is_refused():
    with pytest.raises(MisuseError, match=r"\(5, 5\) cannot be halved 1 times"):
        jax.eval_shape(UNet(SIZE, 1, None, rng=rng()), jnp.zeros((5, 5, 1), jnp.float32), jnp.float32(0.5))
    patched = UNet(replace(SIZE, patch=2), 1, None, rng=rng())
    with pytest.raises(MisuseError, match=r"\(6, 6\) cannot be cut into patches of 2 x 2 and halved 1 times"):
        jax.eval_shape(patched, jnp.zeros((6, 6, 1), jnp.float32), jnp.float32(0.5))


def test_in_bfloat16_it_computes_what_float32_does_to_rounding_and_answers_in_float32():
    x, network = fields(3), roused(UNet(replace(SIZE, multipliers=(1,), attention=()), 1, CLASSES, rng=rng()))
    exact, rounded = asked(network, x), asked(computing_in(jnp.bfloat16, network), x)
    assert rounded.dtype == np.float32
    assert 0 < largest(rounded - exact) < 0.1 * largest(exact)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_a_convolution_is_the_sum_over_its_neighbourhood(padding, stride):
    layer = roused(Convolution(2, 3, padding, rng=rng(), stride=stride))
    x = np.asarray(rng().normal(size=(4, 6, 2)), np.float32)
    wide, weight = np.pad(x, ((1, 1), (1, 1), (0, 0)), "wrap" if padding == "circular" else "constant"), np.asarray(layer.weight)
    by_hand = np.array(
        [[np.einsum("ijc,ijco->o", wide[r : r + 3, c : c + 3], weight) for c in range(0, 6, stride)] for r in range(0, 4, stride)]
    )
    assert largest(applied(layer, x) - (by_hand + np.asarray(layer.bias))) < ROUNDING
    for way in (as_product, by_rows, as_convolution):
        assert largest(jax.jit(way, static_argnums=2)(wide, weight, stride) - by_hand) < ROUNDING


def test_a_group_norm_leaves_each_group_with_mean_0_and_variance_1():
    x = 3 + 2 * jnp.moveaxis(fields(12), 0, -1)
    found = np.asarray(applied(GroupNorm(12), x)).reshape(SIDE**2, 4, 3)
    assert largest(found.mean(axis=(0, 2))) < ROUNDING
    assert largest(found.var(axis=(0, 2)) - 1) < 1e-4


def normed(x, gain=1.0, offset=0.0, groups=4):
    """The definition, in two passes and float64."""
    x = np.asarray(x, np.float64)
    grouped = x.reshape(-1, groups, x.shape[-1] // groups)
    mean, variance = (of(grouped, axis=(0, 2), keepdims=True) for of in (np.mean, np.var))
    return ((grouped - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape) * np.asarray(gain) + np.asarray(offset)


def far_off(x):
    return x + 1000


def with_an_outlier_where_it_is_measured_from(x):
    return x.at[0, 0].add(20)


def with_one_group_far_from_the_others(x):
    return x.at[..., :3].add(100)


@pytest.mark.parametrize(
    "change", [lambda x: x, far_off, with_an_outlier_where_it_is_measured_from, with_one_group_far_from_the_others]
)
def test_a_group_norm_is_its_definition_wherever_the_numbers_lie(change):
    x = change(jnp.moveaxis(fields(12), 0, -1))
    assert largest(applied(GroupNorm(12), x) - normed(x)) < 1e-4


def test_a_group_norm_of_equal_numbers_is_0_but_for_the_rounding_of_their_mean():
    assert largest(applied(GroupNorm(12), jnp.full((SIDE, SIDE, 12), 7.3, jnp.float32))) < 1e-3  # 7.3 eps / sqrt(1e-5)


def test_a_group_norm_scales_and_shifts_at_the_end():
    x, gain, offset = jnp.moveaxis(fields(12), 0, -1), np.linspace(0.5, 2, 12), np.linspace(-1, 1, 12)
    layer = GroupNorm(12)
    layer = eqx.tree_at(lambda one: (one.scale, one.shift), layer, (layer.scale * 3, layer.shift + 5))
    assert largest(applied(layer, x, gain, offset) - (normed(x, 3, 5) * gain + offset)) < ROUNDING


def test_the_derivatives_of_a_group_norm_are_those_of_its_definition_both_ways():
    x, tangent, cotangent = (jnp.asarray(rng().normal(size=(3, SIDE, SIDE, 12))[k]) for k in range(3))
    norm, h = GroupNorm(12), 1e-5
    by_differences = (normed(x + h * tangent) - normed(x - h * tangent)) / (2 * h)
    _, forward = jax.jvp(norm, (x,), (tangent,))
    (back,) = jax.vjp(norm, x)[1](cotangent)
    assert largest(forward - by_differences) < 1e-8
    assert float(jnp.sum(back * tangent)) == pytest.approx(float(np.sum(by_differences * np.asarray(cotangent))), rel=1e-7)


CLASSES_OF = {"field-8": None, "mixture-8": 4, "digits": 10, "mnist-28": 10, "fashion-28": 10}
LARGE = {"field-32": None, "mixture-32": 4, "fashion-28-large": 10}
PAGE = (Path(__file__).parents[2] / "docs" / "network.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "classes"), (CLASSES_OF | LARGE).items(), ids=CLASSES_OF | LARGE)
def test_a_preset_has_as_many_parameters_as_its_page_says(name, classes):
    network = jax.eval_shape(lambda: UNet(PRESETS[name].size, 1, classes, rng=Hollow()))
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    assert row.split("|")[3].strip() == f"{parameters(network):,}"
    assert (20e6 < parameters(network) < 60e6) == (name in LARGE)


def test_the_page_has_all_presets():
    assert {*CLASSES_OF, *LARGE} == set(PRESETS)
