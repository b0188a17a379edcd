"""What is made once is what would be made anew: kept under all that it depends on, and forgotten in time."""

from copy import deepcopy

import numpy as np
import pytest

from verifydiff.observe import once as module
from verifydiff.observe.once import key_of, once, remembering


def counting():
    made = []

    def make():
        made.append(object())
        return made[-1]

    return make, made


def test_nothing_is_kept_where_nobody_remembers():
    make, made = counting()
    assert once("a", make) is not once("a", make)
    assert len(made) == 2


def test_what_has_no_key_is_made_every_time():
    make, made = counting()
    with remembering():
        assert once(None, make) is not once(None, make)
    assert len(made) == 2


def test_what_has_one_is_made_once_and_forgotten_at_the_end_of_the_outermost():
    make, made = counting()
    with remembering():
        first = once("a", make)
        with remembering():
            assert once("a", make) is first
        assert once("a", make) is first
        assert once("b", make) is not first
    with remembering():
        assert once("a", make) is not first
    assert len(made) == 3


def test_an_error_is_not_kept():
    def stumbling():
        raise ZeroDivisionError

    with remembering():
        with pytest.raises(ZeroDivisionError):
            once("a", stumbling)
        assert once("a", lambda: 7) == 7


def test_what_was_not_asked_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    make, made = counting()
    with remembering():
        first = once("a", make)
        once("b", make)
        assert once("a", make) is first
        once("c", make)
        assert once("a", make) is first
        once("b", make)
    assert len(made) == 4


VALUES = [
    None, True, 1, 1.0, "1", -0.0, 0.0, 0, False, [], (), {}, [1], [1.0], (1,), [[1]], {"a": 1}, {"a": True}, {"b": 1},
    np.zeros(2), np.zeros(2, dtype=np.float32), np.zeros((2, 1)), np.array([0.0, 1.0]), np.array([0.0, -0.0]), len, max,
]  # fmt: skip


def test_two_values_share_a_key_only_if_they_are_the_same_throughout():
    keys = [key_of(value) for value in VALUES]
    assert len(set(keys)) == len(VALUES)


def test_equal_values_share_a_key_whoever_made_them():
    for value in ([1, {"a": (2.0, None)}], {"betas": np.linspace(0, 1, 5)}, "word"):
        assert key_of(value) == key_of(deepcopy(value))


@pytest.mark.parametrize("value", [{1, 2}, [bytearray(b"a")], {"a": np.array([object()])}])
def test_what_can_be_changed_has_none(value):
    with pytest.raises(TypeError):
        key_of(value)
