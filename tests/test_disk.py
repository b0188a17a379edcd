"""Files are read or refused in one line, and written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from verifydiff import disk
from verifydiff.disk import alone, read_json, replacing
from verifydiff.verdict import MisuseError

UNREADABLE = {
    "missing": (lambda path: None, "there is no file"),
    "folder": (lambda path: path.mkdir(), "cannot be read: Is a directory"),
    "cut short": (lambda path: path.write_text('{"a": 1'), "is no JSON"),
    "not UTF-8": (lambda path: path.write_bytes(b'"\xff"'), "is no JSON"),
    "deep": (lambda path: path.write_text("[" * 100_000), "is no JSON"),
}


@pytest.mark.parametrize(("make", "says"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_json_is_refused_in_one_line(tmp_path, make, says):
    make(path := tmp_path / "told.json")
    with pytest.raises(MisuseError, match=says) as error:
        read_json(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "a\nb"], ids=["long", "null byte", "of two lines"])
def test_a_name_that_no_file_has_is_refused_in_one_short_line(tmp_path, name):
    with pytest.raises(MisuseError) as error:
        read_json(tmp_path / name)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_that_is_too_large_is_not_taken_in(tmp_path, monkeypatch):
    (path := tmp_path / "told.json").write_text("[1, 2]")
    assert read_json(path) == [1, 2]
    monkeypatch.setattr(disk, "LARGEST_JSON", 5)
    with pytest.raises(MisuseError, match="larger than"):
        read_json(path)


def test_what_is_written_takes_the_place_of_the_last_and_may_be_read_as_the_umask_lets(tmp_path):
    (path := tmp_path / "told").write_text("before")
    mask = os.umask(0o027)
    try:
        with replacing(path) as file:
            file.write(b"after")
            assert path.read_text() == "before"
    finally:
        os.umask(mask)
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("a"), KeyboardInterrupt()], ids=repr)
def test_whatever_happens_meanwhile_the_last_one_stays_and_nothing_beside_it(tmp_path, error):
    (path := tmp_path / "told").write_text("before")
    kind = MisuseError if isinstance(error, OSError) else type(error)

    def written_half():
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(kind):
        written_half()
    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(MisuseError, match="cannot be written: No such file"), replacing(tmp_path / "none" / "told"):
        pass


def test_a_file_is_held_by_one_at_a_time_and_free_again_after_an_error(tmp_path):
    with alone(tmp_path / "held") as first, alone(tmp_path / "held") as second:
        assert (first, second) == (True, False)
    with pytest.raises(KeyError), alone(tmp_path / "held"):
        raise KeyError
    with alone(tmp_path / "held") as free:
        assert free


def test_who_waits_leaves_the_hold_as_it_was(tmp_path):
    with alone(tmp_path / "held"):
        for _ in range(2):
            with alone(tmp_path / "held") as free:
                assert not free


def test_where_nothing_can_be_held_it_goes_on(tmp_path, monkeypatch):
    with alone(tmp_path / "no folder" / "held") as free:
        assert free

    def unsupported(handle, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(disk.fcntl, "flock", unsupported)
    with alone(tmp_path / "held") as free:
        assert free
    monkeypatch.setattr(disk, "fcntl", None)
    with alone(tmp_path / "held") as free:
        assert free
