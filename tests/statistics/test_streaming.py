"""Streaming moments against exact rational arithmetic, and the trees that merge them in a fixed order."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifydiff.statistics import Moments, MomentsTree, combine
from verifydiff.statistics import streaming as module
from verifydiff.verdict import MisuseError

KINDS = ("full", "diagonal")
PARTS = ("mean", "scatter", "third", "fourth")


def exactly(x: np.ndarray) -> dict[str, np.ndarray]:
    """The central sums in rational arithmetic, rounded once."""
    rows = [[Fraction(float(value)) for value in row] for row in x]
    n, d = x.shape
    mean = [sum(row[j] for row in rows) / n for j in range(d)]
    u = [[row[j] - mean[j] for j in range(d)] for row in rows]
    return {
        "mean": np.array([float(m) for m in mean]),
        "scatter": np.array([[float(sum(row[i] * row[j] for row in u)) for j in range(d)] for i in range(d)]),
        "third": np.array([float(sum(row[j] ** 3 for row in u)) for j in range(d)]),
        "fourth": np.array([float(sum(row[j] ** 4 for row in u)) for j in range(d)]),
    }


def in_batches(x: np.ndarray, cuts: list[int], covariance: str = "full") -> Moments:
    moments = Moments.empty(x.shape[1], covariance=covariance, order=4)
    for start, stop in pairwise(sorted({0, len(x), *cuts})):
        moments.update(x[start:stop])
    return moments


def assert_same(a: Moments, b: Moments) -> None:
    assert a.n == b.n
    for name in PARTS:
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


@pytest.mark.parametrize("centre", [0.0, 1.0, 1e6, -1e9])
@pytest.mark.parametrize("covariance", KINDS)
def test_any_batches_give_the_exact_sums_up_to_rounding_even_far_from_zero(
    centre: float, covariance: str, rng: np.random.Generator
) -> None:
    x = centre + rng.standard_normal((300, 3)) @ np.array([[1, 0.5, 0], [0, 2, 0.1], [0, 0, 0.3]])
    x[:, 2] += rng.standard_exponential(300)
    expected = exactly(x)
    if covariance == "diagonal":
        expected["scatter"] = np.diagonal(expected["scatter"])
    moments = in_batches(x, [1, 2, 17, 150, 299], covariance)
    scale = np.sqrt(np.trace(exactly(x)["scatter"]) / 300)
    u = np.finfo(float).eps
    for power, name in enumerate(PARTS, 1):
        unit = 1.0 if name == "mean" else 300.0
        # the draws' own digits: 300 roundings of sums, and the mean's rounding once for each power of the scale
        tolerance = unit * scale**power * (100 * u) + unit * power * abs(centre) * 20 * u * scale ** (power - 1)
        np.testing.assert_allclose(getattr(moments, name), expected[name], rtol=0, atol=tolerance)


@given(st.lists(st.integers(0, 60), max_size=6), st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
def test_the_split_into_batches_matters_no_more_than_rounding(cuts: list[int], covariance: str, seed: int) -> None:
    x = 3 + np.random.default_rng(seed).standard_normal((60, 2))
    whole, split = Moments.of(x, covariance=covariance, order=4), in_batches(x, cuts, covariance)
    for name in PARTS:
        np.testing.assert_allclose(getattr(split, name), getattr(whole, name), rtol=1e-11, atol=1e-11)


def test_merging_is_commutative_and_associative_up_to_rounding(rng: np.random.Generator) -> None:
    a, b, c = (Moments.of(i + rng.standard_normal((10 * i + 5, 2)), order=4) for i in range(3))
    for left, right in (((a + b) + c, a + (b + c)), (a + b, b + a)):
        for name in PARTS:
            np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol=1e-12)


def test_no_draws_are_the_neutral_element_and_operands_are_left_alone(rng: np.random.Generator) -> None:
    a, b = Moments.of(rng.standard_normal((5, 2)), order=4), Moments.empty(2, order=4)
    before = a.arrays()
    for total in (a + b, b + a):
        assert_same(total, a)
        total.update(rng.standard_normal((3, 2)))
    assert all(np.array_equal(before[name], part) for name, part in a.arrays().items())
    assert b.n == 0


def test_large_batches_are_summed_in_blocks(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1000, 3)).astype(np.float32)
    whole = Moments.of(x, order=4)
    monkeypatch.setattr(module, "BLOCK", 64)
    blocks = Moments.of(x, order=4)
    assert blocks.n == whole.n == 1000
    for name in PARTS:
        np.testing.assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-11)


def test_single_precision_is_summed_in_double() -> None:
    x = np.full((200_000, 1), 0.1, dtype=np.float32)
    moments = Moments.of(x)
    assert moments.mean[0] == pytest.approx(float(np.float32(0.1)), rel=1e-15)
    assert moments.scatter[0, 0] < 1e-20


def test_what_follows_from_the_sums_is_what_numpy_and_the_definitions_say(rng: np.random.Generator) -> None:
    x = rng.gamma(2.0, size=(500, 3))
    moments = Moments.of(x, order=4)
    np.testing.assert_allclose(moments.covariance, np.cov(x.T), rtol=1e-12)
    np.testing.assert_allclose(moments.variance, x.var(axis=0, ddof=1), rtol=1e-12)
    u = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(moments.skewness, (u**3).mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(moments.excess_kurtosis, (u**4).mean(axis=0) - 3, rtol=1e-10)
    np.testing.assert_allclose(moments.about(2.0), (x - 2).T @ (x - 2), rtol=1e-12)
    np.testing.assert_allclose(Moments.of(x, covariance="diagonal").about([1.0, 2, 3]), ((x - [1, 2, 3]) ** 2).sum(0), rtol=1e-12)


@pytest.mark.parametrize("covariance", KINDS)
@pytest.mark.parametrize("part", [slice(1, 3), slice(2), slice(2, None), slice(None)], ids=str)
def test_some_coordinates_alone_have_the_moments_of_their_own_draws(covariance: str, part: slice, rng: np.random.Generator) -> None:
    x = rng.standard_normal((50, 4)) + 3
    whole = Moments.of(x, covariance=covariance, order=4)
    cut, alone = whole.of_coordinates(part), Moments.of(x[:, part], covariance=covariance, order=4)
    assert cut.n == alone.n
    for name in PARTS:
        np.testing.assert_allclose(getattr(cut, name), getattr(alone, name), rtol=1e-12)
    cut.mean[:] = 0
    assert whole.mean.all()


def test_no_coordinate_has_no_moments(rng: np.random.Generator) -> None:
    with pytest.raises(MisuseError, match="at least one coordinate"):
        Moments.of(rng.standard_normal((5, 2))).of_coordinates(slice(2, None))


def test_a_coordinate_that_does_not_vary_has_no_skewness() -> None:
    moments = Moments.of(np.ones((4, 1)), order=4)
    assert np.isnan(moments.skewness[0])
    assert np.isnan(moments.excess_kurtosis[0])


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("covariance", KINDS)
@pytest.mark.parametrize("n", [0, 1, 7])
def test_what_is_saved_is_read_back_bit_for_bit(order: int, covariance: str, n: int, rng: np.random.Generator) -> None:
    moments = Moments.empty(3, covariance=covariance, order=order)
    if n:
        moments.update(rng.standard_normal((n, 3)))
    np.savez(file := io.BytesIO(), **moments.arrays())
    file.seek(0)
    assert_same(Moments.from_arrays(dict(np.load(file))), moments)


BATCHES = {
    "NaN": (np.array([[1.0, np.nan]]), "must be finite, got nan"),
    "infinity": (np.array([[1.0, 2.0], [np.inf, 0.0]]), "must be finite, got inf"),
    "integers": (np.ones((2, 2), dtype=int), "single or double precision, got int64"),
    "booleans": (np.ones((2, 2), dtype=bool), "single or double precision, got bool"),
    "half precision": (np.ones((2, 2), dtype=np.float16), "single or double precision, got float16"),
    "complex": (np.ones((2, 2), dtype=complex), "single or double precision, got complex128"),
    "one axis": (np.ones(2), r"the shape \(n, d\)"),
    "three axes": (np.ones((1, 2, 2)), r"the shape \(n, d\)"),
    "no draws": (np.ones((0, 2)), r"the shape \(n, d\)"),
    "another dimension": (np.ones((4, 3)), r"got \(2, full, 4\) and \(3, full, 4\)"),
    "overflow": (np.array([[1e200, 0.0], [-1e200, 0.0]]), "overflow"),
}


@pytest.mark.parametrize(("batch", "message"), BATCHES.values(), ids=BATCHES)
def test_a_batch_that_is_none_is_refused_and_nothing_of_it_is_counted(batch: np.ndarray, message: str) -> None:
    moments = Moments.of(np.array([[1.0, 2.0], [0.5, 4.0]]), order=4)
    before = moments.copy()
    with pytest.raises(MisuseError, match=message):
        moments.update(batch)
    assert_same(moments, before)


def test_what_is_not_finite_is_found_where_it_is_in_a_large_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 8)
    x = np.ones((100, 2))
    x[77, 1] = -np.inf
    with pytest.raises(MisuseError, match=r"got -inf at index \(77, 1\)"):
        Moments.of(x)


def test_what_was_handed_in_is_left_alone() -> None:
    for x in (np.arange(6.0)[:, None], np.asfortranarray(np.arange(6.0).reshape(3, 2))):
        before = x.copy()
        Moments.of(x, order=4)
        assert np.array_equal(x, before)


def foreign(change: Callable[[dict[str, np.ndarray]], object]) -> dict[str, np.ndarray]:
    arrays = Moments.of(np.array([[1.0, 2.0], [0.5, 4.0]]), order=3).arrays()
    change(arrays)
    return arrays


FOREIGN = {
    "nothing": (lambda a: a.clear(), "got nothing"),
    "no scatter": (lambda a: a.pop("scatter"), "moments are stored under"),
    "a stranger": (lambda a: a.update(weights=np.ones(2)), "moments are stored under"),
    "a fractional count": (lambda a: a.update(n=np.array(2.0)), "whole number"),
    "a negative count": (lambda a: a.update(n=np.array(-2)), "whole number"),
    "NaN": (lambda a: a.update(mean=np.array([np.nan, 0])), "must be finite"),
    "another shape": (lambda a: a.update(scatter=np.ones((2, 3))), "have the shapes"),
    "a negative variance": (lambda a: a.update(scatter=-a["scatter"]), "no moments of draws"),
    "a correlation beyond one": (lambda a: a.update(scatter=np.array([[1.0, 5], [5, 1]])), "no moments of draws"),
    "not symmetric": (lambda a: a.update(scatter=a["scatter"] + np.array([[0, 1], [0, 0]])), "no moments of draws"),
    "one draw that varies": (lambda a: a.update(n=np.array(1)), "1 draws do not vary"),
}


@pytest.mark.parametrize(("change", "message"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_saved_moments_is_refused(change: Callable[[dict[str, np.ndarray]], object], message: str) -> None:
    with pytest.raises(MisuseError, match=message):
        Moments.from_arrays(foreign(change))


MISUSES = {
    "dimension": (lambda: Moments.empty(0), "at least one coordinate"),
    "kind": (lambda: Moments.empty(1, covariance="none"), "'full' or 'diagonal'"),  # type: ignore[arg-type]
    "order": (lambda: Moments.empty(1, order=5), "2, 3 or 4"),
    "one draw": (lambda: Moments.of(np.ones((1, 1))).covariance, "at least two draws"),
    "not kept": (lambda: Moments.of(np.ones((2, 1))).skewness, "ask for `order=3`"),
    "centre": (lambda: Moments.of(np.ones((2, 2))).about(np.ones(3)), "got the shape"),
    "nothing to combine": (lambda: combine([]), "at least one part"),
    "nothing in the tree": (lambda: MomentsTree().total, "no block is counted"),
}


@pytest.mark.parametrize(("misuse", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_told(misuse: Callable[[], object], message: str) -> None:
    with pytest.raises(MisuseError, match=message):
        misuse()


# -- trees -----------------------------------------------------------------------------------------------------------------


def blocks(count: int, rng: np.random.Generator) -> list[Moments]:
    return [Moments.of(1e3 + rng.standard_normal((7 + i % 3, 2)), order=4) for i in range(count)]


def tree_of(parts: list[Moments], order: list[int]) -> MomentsTree:
    tree = MomentsTree()
    for block in order:
        tree.add(block, parts[block])
    return tree


@pytest.mark.parametrize("count", [1, 2, 13, 64, 77])
def test_any_order_any_layout_and_any_restart_give_the_same_numbers_to_the_last_bit(count: int, rng: np.random.Generator) -> None:
    parts = blocks(count, rng)
    expected = tree_of(parts, list(range(count))).total
    shuffled = tree_of(parts, rng.permutation(count).tolist())
    assert_same(shuffled.total, expected)
    owners = [tree_of(parts, list(range(host, count, 3))) for host in range(3)]
    resumed = MomentsTree.from_arrays(owners[0].arrays())
    for owner in owners[2:0:-1]:
        resumed.merge(owner)
    assert_same(resumed.total, expected)
    assert resumed.blocks == count
    assert all(block in resumed for block in range(count))
    assert count not in resumed


def test_the_order_would_matter_without_the_tree(rng: np.random.Generator) -> None:
    parts = blocks(64, rng)
    forwards, backwards = Moments.empty(2, order=4), Moments.empty(2, order=4)
    for part, mirrored in zip(parts, parts[::-1], strict=True):
        forwards.merge(part)
        backwards.merge(mirrored)
    assert not np.array_equal(forwards.scatter, backwards.scatter)


def test_blocks_in_order_leave_a_logarithm_of_nodes(rng: np.random.Generator) -> None:
    tree = MomentsTree()
    part = Moments.of(rng.standard_normal((3, 1)))
    for block in range(1000):
        tree.add(block, part)
        assert len(tree.nodes) <= 10
    assert tree.total.n == tree.n == 3000


def test_no_block_counts_twice(rng: np.random.Generator) -> None:
    parts = blocks(8, rng)
    tree = tree_of(parts, [0, 1, 2, 3, 6])
    for block in (0, 3, 6):
        with pytest.raises(MisuseError, match=f"block {block} is already counted"):
            tree.add(block, parts[block])
    for others in ([5, 2], [6, 7], [0, 1, 2, 3], [7, 6, 5, 4]):
        before = tree.total
        with pytest.raises(MisuseError, match="already counted"):
            tree.merge(tree_of(parts, others))
        assert_same(tree.total, before)
    tree.add(7, parts[7])
    assert tree.blocks == 6


@pytest.mark.parametrize("wrong", ["negative", "empty", "alien"])
def test_a_block_that_is_none_is_refused(wrong: str, rng: np.random.Generator) -> None:
    tree = tree_of(blocks(2, rng), [0, 1])
    block, moments = {
        "negative": (-1, Moments.of(np.ones((2, 2)), order=4)),
        "empty": (5, Moments.empty(2, order=4)),
        "alien": (5, Moments.of(np.ones((2, 3)), order=4)),
    }[wrong]
    with pytest.raises(MisuseError):
        tree.add(block, moments)
    if wrong == "alien":
        with pytest.raises(MisuseError, match="moments merge if"):
            tree.merge(MomentsTree({(0, block): moments}))
    assert tree.blocks == 2


CUT = {
    "no nodes": lambda a: a.pop("nodes"),
    "a node too few": lambda a: a.update(nodes=a["nodes"][:-1]),
    "a node twice": lambda a: a.update(nodes=a["nodes"][[0] * len(a["nodes"])]),
    "negative": lambda a: a.update(nodes=-1 - a["nodes"]),
    "moments too few": lambda a: a.update(mean=a["mean"][:-1]),
    "no moments": lambda a: [a.pop(name) for name in PARTS],
}


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT)
def test_a_truncated_tree_is_refused(cut: Callable[[dict[str, np.ndarray]], object], rng: np.random.Generator) -> None:
    arrays = tree_of(blocks(7, rng), [0, 1, 2, 4, 6]).arrays()
    cut(arrays)
    with pytest.raises(MisuseError):
        MomentsTree.from_arrays(arrays)
