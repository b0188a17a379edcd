"""Work shared out over processes: all of it is done, and a piece that hangs or kills costs nothing but itself."""

import multiprocessing
import os
import time
from contextlib import contextmanager

import pytest

from verifydiff.checks.workers import LostError, Workers

LIMIT = 0.5


def work(piece):
    """What the processes do: a word and a number."""
    what, value = piece
    if what == "hang":
        time.sleep(600)
    if what == "die":
        os._exit(value)
    if what == "wait":
        time.sleep(value)
    if what == "who":
        return os.getpid()
    return value * value


def workers(jobs=2, limit=30.0, ready=60.0):
    return Workers(work, jobs, limit, ready)


def squares(n):
    return [("square", i) for i in range(n)]


def children():
    return len(multiprocessing.active_children())


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = children()
    yield
    assert children() == before


@pytest.mark.parametrize(("jobs", "pieces"), [(1, 3), (2, 7), (4, 2), (2, 0)])
def test_every_piece_comes_once_with_its_result(jobs, pieces):
    assert sorted(workers(jobs).results(squares(pieces))) == [(i, i * i) for i in range(pieces)]


def test_a_process_is_used_again_and_is_not_this_one():
    came = [who for _, who in workers(1).results([("who", 0)] * 3)]
    assert len(set(came)) == 1
    assert os.getpid() not in came


def test_one_that_dies_is_told_with_its_exit_code_and_the_others_go_on():
    came = dict(workers(2).results([*squares(3), ("die", 7), *[("square", i) for i in range(4, 7)]]))
    assert isinstance(came[3], LostError)
    assert "exit code 7" in str(came[3])
    assert {i: result for i, result in came.items() if i != 3} == {i: i * i for i in (0, 1, 2, 4, 5, 6)}


def test_one_that_hangs_is_ended_in_time_and_a_fresh_process_goes_on():
    pieces = [("square", 0), ("hang", 0), ("square", 2), ("square", 3)]
    began, came = time.monotonic(), dict(Workers(work, 1, LIMIT, 60.0).results(pieces))
    assert isinstance(came[1], LostError)
    assert f"within {LIMIT:g} s" in str(came[1])
    assert {i: result for i, result in came.items() if i != 1} == {0: 0, 2: 4, 3: 9}
    assert time.monotonic() - began < 60


def test_one_that_hangs_is_ended_and_the_work_of_others_is_not():
    came = dict(Workers(work, 2, 3.0, 60.0).results([("square", 1), ("square", 2), ("hang", 0), ("wait", 1.0)]))
    assert isinstance(came[2], LostError)
    assert came[3] == 1.0 * 1.0


def test_every_process_dies_and_every_piece_is_told():
    came = dict(workers(2).results([("die", 3)] * 3))
    assert sorted(came) == [0, 1, 2]
    assert all(isinstance(lost, LostError) and "exit code 3" in str(lost) for lost in came.values())


def test_when_the_caller_stops_all_processes_are_ended():
    results = workers(2).results([("square", 1), ("hang", 0), ("hang", 0)])
    assert next(results) == (0, 1)
    before = children()
    assert before >= 2
    results.close()
    assert children() == before - 2


def test_an_interrupt_in_the_caller_ends_all_processes():
    def interrupted():
        for _ in workers(2).results([("square", 1), ("hang", 0)]):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert children() == 0


def test_time_that_a_caller_spends_on_a_result_is_not_charged_to_the_others():
    """A caller may be slow to take a result; a piece that was done meanwhile is not lost for that."""
    came = {}
    for i, result in Workers(work, 2, LIMIT, 60.0).results([("square", 0), ("square", 1), ("wait", 0.1), ("wait", 0.2)]):
        came[i] = result
        time.sleep(2 * LIMIT)
    assert came == {0: 0, 1: 1, 2: 0.1 * 0.1, 3: 0.2 * 0.2}


@contextmanager
def in_a_ready_place():
    os.environ["READY"] = "yes"
    yield


def ready(piece):
    return os.environ.get("READY")


def test_all_pieces_are_done_within_the_context_that_is_asked_for():
    assert dict(Workers(ready, 1, 30.0, within=in_a_ready_place).results([1, 2])) == {0: "yes", 1: "yes"}
    assert "READY" not in os.environ


def test_alike_pieces_go_to_one_process_one_after_the_other():
    pieces = [("who", k // 3) for k in range(12)]
    came = dict(Workers(work, 2, 30.0, alike=lambda before, piece: before == piece).results(pieces))
    assert [len({came[3 * k + i] for i in range(3)}) for k in range(4)] == [1, 1, 1, 1]


def test_of_alike_pieces_one_that_is_lost_costs_nothing_but_itself():
    pieces = [("square", 2), ("die", 7), ("square", 3)]
    came = dict(Workers(work, 1, 30.0, alike=lambda before, piece: True).results(pieces))
    assert (came[0], came[2]) == (4, 9)
    assert isinstance(came[1], LostError)


def test_processes_that_are_started_before_the_work_is_known_do_it():
    with workers(2) as started:
        assert children() >= 2
        assert dict(started.results(squares(3))) == {0: 0, 1: 1, 2: 4}


def test_processes_that_are_started_and_handed_nothing_are_ended():
    with pytest.raises(ZeroDivisionError), workers(2):
        _ = 1 / 0
