"""Modules that code of others takes away come back; those that it brings stay."""

import gc
import os
import sys
from types import ModuleType

import pytest

from verifydiff.surroundings import SELDOM, ProcessExit, aside, leave, rare_collections, staying


@pytest.fixture
def loaded(monkeypatch):
    module = ModuleType("some_module_of_a_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.mark.parametrize("lost", ["removed", "barred"])
def test_a_module_that_is_lost_comes_back(loaded, lost):
    with aside():
        if lost == "removed":
            del sys.modules[loaded.__name__]
        else:
            sys.modules[loaded.__name__] = None
    assert sys.modules[loaded.__name__] is loaded


def test_a_module_that_is_replaced_or_added_stays(loaded, monkeypatch):
    monkeypatch.setitem(sys.modules, "another_module_of_a_test", None)  # for monkeypatch to take it away again
    other, added = ModuleType("other"), ModuleType("added")
    with aside():
        sys.modules[loaded.__name__] = other
        sys.modules["another_module_of_a_test"] = added
    assert sys.modules[loaded.__name__] is other
    assert sys.modules["another_module_of_a_test"] is added


def test_a_module_that_was_barred_before_stays_barred(monkeypatch):
    monkeypatch.setitem(sys.modules, "a_barred_module", None)
    with aside():
        pass
    assert sys.modules["a_barred_module"] is None


def test_where_nobody_looks_for_lost_modules_none_comes_back(loaded):
    with aside(modules=False):
        del sys.modules[loaded.__name__]
    assert loaded.__name__ not in sys.modules


def test_nothing_within_ends_the_process():
    with staying():
        taken = os._exit
    assert os._exit is leave
    with pytest.raises(ProcessExit, match=r"os\._exit\(3\)"), staying():
        taken(3)  # as by `from os import _exit`


def test_garbage_is_looked_for_less_often_and_then_as_before():
    before = gc.get_threshold()

    @rare_collections()
    def within():
        assert gc.isenabled()
        assert gc.get_threshold()[0] == SELDOM > before[0]
        raise KeyError

    with pytest.raises(KeyError):
        within()
    assert gc.get_threshold() == before
