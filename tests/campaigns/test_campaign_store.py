"""What is no whole state of this very campaign is refused, and left as it is."""

from __future__ import annotations

import numpy as np
import pytest

from verifydiff.campaigns.store import Store
from verifydiff.verdict import MisuseError

from targets import campaign, gaussian  # isort: skip

WHO = "sampler ddpm\nseed 1"


def saved(path, identity=WHO, **arrays):
    store = Store(path, identity)
    store.save(arrays or {"n": np.arange(1000)})
    return store


def test_what_was_saved_is_there_again(tmp_path):
    store = saved(tmp_path / "count.npz", n=np.arange(3), sums=np.array([0.1, 1e-300]))
    loaded = store.load()
    assert set(loaded) == {"n", "sums"}
    np.testing.assert_array_equal(loaded["sums"], [0.1, 1e-300])


def test_without_a_file_there_is_nothing(tmp_path):
    assert Store(tmp_path / "count.npz", WHO).load() is None


BROKEN = {
    "truncated": lambda whole: whole[: len(whole) // 2],
    "without its end": lambda whole: whole[:-1],
    "one bit flipped": lambda whole: whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
    "empty": lambda whole: b"",
    "text": lambda whole: b"not a campaign",
    "a single array": lambda whole: b"\x93NUMPY\x01\x00",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_is_not_whole_is_refused_and_kept(tmp_path, broken):
    path = tmp_path / "count.npz"
    store = saved(path)
    path.write_bytes(content := broken(path.read_bytes()))
    with pytest.raises(MisuseError, match="no whole state"):
        store.load()
    assert path.read_bytes() == content


def test_the_file_of_another_campaign_is_refused_with_the_difference(tmp_path):
    saved(tmp_path / "count.npz", "sampler ddpm\nseed 2")
    with pytest.raises(MisuseError, match="another campaign \\(seed 2, not 1\\)"):
        Store(tmp_path / "count.npz", WHO).load()


def test_arrays_of_somebody_else_are_refused(tmp_path):
    np.savez(tmp_path / "count.npz", weights=np.ones(3))
    with pytest.raises(MisuseError, match="no state of a campaign"):
        Store(tmp_path / "count.npz", WHO).load()


def test_pickled_objects_are_not_read(tmp_path):
    np.savez(tmp_path / "count.npz", campaign=np.array(WHO), n=np.array([object()]), allow_pickle=True)
    with pytest.raises(MisuseError, match="no whole state"):
        Store(tmp_path / "count.npz", WHO).load()


def test_a_failed_save_keeps_the_last_one(tmp_path):
    store = saved(tmp_path / "count.npz", n=np.arange(3))
    with pytest.raises(ValueError, match=r"."):
        store.save({"n": np.array([object()])})
    np.testing.assert_array_equal(store.load()["n"], np.arange(3))
    assert [one.name for one in tmp_path.iterdir()] == ["count.npz"]


def test_a_closed_folder_is_one_line(tmp_path):
    with pytest.raises(MisuseError, match="cannot be written"):
        saved(tmp_path / "missing" / "count.npz")


LIES = {
    "fewer tested than counted": lambda arrays: arrays | {"mean/n": arrays["mean/n"] - 1},
    "the second half alone": lambda arrays: arrays | {"tree/nodes": arrays["tree/nodes"] + [0, 1]},
    "no tree": lambda arrays: {name: one for name, one in arrays.items() if not name.startswith("tree")},
    "another resolution": lambda arrays: arrays | {"mean/claim": arrays["mean/claim"] * 2},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_state_that_does_not_hang_together_is_refused(tmp_path, lie):
    store = Store(tmp_path / "count.npz", WHO)
    campaign().run(8192, store=store)
    store.save(lie(store.load()))
    with pytest.raises(MisuseError):
        campaign().run(16384, store=store)


def test_what_is_decided_stays_decided(tmp_path):
    store = Store(tmp_path / "count.npz", WHO)
    first = campaign(gaussian(shift=1.0)).run(store=store)
    again = campaign(gaussian(shift=1.0)).run(store=store)
    assert first.draws == again.draws
    assert again.decided
