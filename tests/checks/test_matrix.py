"""A whole library: every target of it is judged, refused, lost or left out, and each says which."""

import importlib.metadata
import pickle
from dataclasses import replace

import numpy as np
import pytest
from solvers import RIGHT

from verifydiff.checks import matrix
from verifydiff.checks.allow import Allowed
from verifydiff.checks.matrix import Piece, check_library, judge, light
from verifydiff.checks.report import LibraryReport, Report
from verifydiff.checks.workers import LostError
from verifydiff.observe.libraries import LIBRARIES, Library
from verifydiff.observe.listed import Listed
from verifydiff.surroundings import unchanged
from verifydiff.verdict import Finding, MisuseError, Status

SAMPLERS = {
    "Euler": RIGHT["euler"].target(),
    "Heun": RIGHT["heun"].target(),
    "Wrong": RIGHT["euler"].mutant(size=0.5).target(),
}


def toy_target(name, **options):
    """As an adapter's: refuses what it does not know, stumbles over one option, and can hang or raise."""
    config = options.get("config") or {}
    if config.get("strange"):
        raise MisuseError("strange is no option of it.")
    if config.get("broken"):
        error = MisuseError("it raises IndexError.")
        error.clearly = False
        raise error
    if name == "Loud":

        def loud(denoise, x, seed):
            print("I am loud")
            return SAMPLERS["Euler"].sample(denoise, x, seed)

        return replace(SAMPLERS["Euler"], name="Loud", sample=loud)
    return replace(SAMPLERS[name], name=name)


LISTED = (
    Listed("toy", "Euler", method="euler"),
    Listed("toy", "Euler", {"strange": True}, method="euler"),
    Listed("toy", "Heun", {"broken": True}),
    Listed("toy", "Wrong", steps=8, method="euler"),
    Listed("toy", "Adaptive", reason="it has no grid"),
)


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(LIBRARIES, "toy", Library("toy", "numpy", toy_target, lambda: iter(LISTED)))


@pytest.fixture
def in_process(monkeypatch):
    """The pieces in this very process, in an order of their own; a piece in ``lost`` is lost."""

    class Here:
        lost: tuple[int, ...] = ()
        interrupted_after = 99
        seen = ()

        def __init__(self, function, jobs, limit, *, within, alike):
            self.function = function
            Here.jobs, Here.limit, Here.alike = jobs, limit, staticmethod(alike)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def results(self, pieces):
            Here.seen = pieces
            for count, i in enumerate(reversed(range(len(pieces)))):
                if count == Here.interrupted_after:
                    raise KeyboardInterrupt
                piece = pickle.loads(pickle.dumps(pieces[i]))
                if i in Here.lost:
                    yield i, LostError("its process ended with exit code 9")
                else:
                    with unchanged():
                        yield i, pickle.loads(pickle.dumps(self.function(piece)))

    monkeypatch.setattr(matrix, "Workers", Here)
    return Here


def piece(listed, **rest):
    return Piece(listed, **{"converge": False, "seed": 0, "timeout": 60.0, "allow": (), **rest})


def only(report, status):
    (finding,) = report.findings
    assert finding.status is status
    return finding.message


# -- one target ------------------------------------------------------------------------------------------------------------


def test_a_right_target_passes_by_its_listed_name(toy):
    report = judge(piece(LISTED[0]))
    assert report.status is Status.PASS
    assert report.target == "toy:Euler"
    assert report.identified_as == "a one-step method that adds no noise"


def test_options_that_are_refused_are_a_note(toy):
    report = judge(piece(LISTED[1]))
    assert only(report, Status.NOTE) == "the library refuses these options: strange is no option of it."
    assert report.target == "toy:Euler strange=True"


def test_options_that_are_stumbled_over_fail(toy):
    assert only(judge(piece(LISTED[2])), Status.FAIL) == "the library stumbles over these options: it raises IndexError."


def test_a_wrong_target_fails_and_an_allowed_failure_is_allowed(toy):
    report = judge(piece(LISTED[3]))
    assert {f.check for f in report.findings if f.status is Status.FAIL} == {"pairing", "point-mass"}
    allow = (Allowed("pairing", "the weights depend on it"), Allowed("point-mass", "so do these", "Wrong"))
    report = judge(piece(LISTED[3], allow=allow))
    assert {f.check for f in report.findings if f.status is Status.ALLOWED} == {"pairing", "point-mass"}
    assert report.status is Status.PASS


def test_what_cannot_be_judged_says_why(toy):
    assert only(judge(piece(LISTED[4])), Status.NOT_APPLICABLE) == "not judged: it has no grid."


def test_what_a_target_prints_does_not_reach_the_report(toy, capfd):
    assert judge(piece(Listed("toy", "Loud"))).status is Status.PASS
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("converge", [True, False])
def test_an_order_is_measured_where_it_is_asked(toy, converge):
    report = judge(piece(LISTED[0], converge=converge))
    assert ("order" in [finding.check for finding in report.findings]) is converge


def test_a_report_is_handed_over_as_plain_values(toy):
    report = judge(piece(LISTED[3], converge=True))
    assert pickle.loads(pickle.dumps(report)) == report
    details = Finding("order", Status.PASS, "", details={"plain": [1, {"a": (2.0, None)}], "not": np.zeros(2), "nor": [object()]})
    assert light(Report("x", "y", (details,))).findings[0].details == {"plain": [1, {"a": (2.0, None)}]}


# -- all of them -----------------------------------------------------------------------------------------------------------


def test_a_library_is_reported_in_its_own_order_whatever_order_it_was_done_in(toy, in_process):
    done = []
    report = check_library("toy", jobs=3, timeout=50.0, progress=lambda i, of, one: done.append((i, of, one.target)))
    assert isinstance(report, LibraryReport)
    assert [one.target for one in report.reports] == list(map(str, LISTED))
    assert done == [(i + 1, 5, str(listed)) for i, listed in enumerate(LISTED[::-1])]
    assert (report.library, report.version, report.missing) == ("toy", importlib.metadata.version("numpy"), 0)
    assert report.status is Status.FAIL
    assert in_process.jobs == 3
    assert in_process.limit > 50.0  # a target that keeps to its limit is not ended


def test_the_order_of_a_method_is_measured_once(toy, in_process):
    check_library("toy")
    assert [one.converge for one in in_process.seen] == [True, False, True, False, True]


def test_targets_that_differ_in_their_steps_alone_are_judged_by_one_process(toy, in_process):
    check_library("toy")
    ten, twenty = (piece(Listed("toy", "Euler", {"a": 1}, steps)) for steps in (10, 20))
    assert in_process.alike(ten, twenty)
    assert not in_process.alike(ten, piece(Listed("toy", "Euler", {"a": 2}, 20)))
    assert not in_process.alike(ten, piece(Listed("toy", "Heun", {"a": 1}, 20)))


def test_what_cannot_be_judged_does_not_stand_for_the_order_of_its_method(monkeypatch, in_process):
    listed = (Listed("toy", "Adaptive", reason="it has no grid", method="euler"), LISTED[0], LISTED[3])
    monkeypatch.setitem(LIBRARIES, "toy", Library("toy", "numpy", toy_target, lambda: iter(listed)))
    report = check_library("toy")
    assert [one.converge for one in in_process.seen][1:] == [True, False]
    assert ["order" in [finding.check for finding in one.findings] for one in report.reports] == [False, True, False]


@pytest.mark.parametrize("lost", [(), (0,)], ids=["refused", "lost"])
def test_where_the_first_configuration_of_a_method_does_not_run_the_order_is_measured_on_the_first_that_does(
    monkeypatch, in_process, lost
):
    first = LISTED[0] if lost else LISTED[1]
    listed = (first, LISTED[1], LISTED[3], Listed("toy", "Euler", steps=9, method="euler"))
    monkeypatch.setitem(LIBRARIES, "toy", Library("toy", "numpy", toy_target, lambda: iter(listed)))
    in_process.lost = lost
    done = []
    results = in_process.results

    def once_lost(self, pieces):
        yield from results(self, pieces)
        in_process.lost = ()

    monkeypatch.setattr(in_process, "results", once_lost)
    report = check_library("toy", progress=lambda i, of, one: done.append(one.target))
    assert ["order" in [finding.check for finding in one.findings] for one in report.reports] == [False, False, True, False]
    assert [one.listed for one in in_process.seen] == [listed[2]]
    assert len(done) == len(listed)


def test_a_target_whose_process_is_lost_is_inconclusive(toy, in_process):
    in_process.lost = (0,)
    report = check_library("toy", only=lambda listed: listed.name == "Euler")
    assert report.status is Status.INCONCLUSIVE
    assert only(report.reports[0], Status.INCONCLUSIVE) == "its process ended with exit code 9."
    assert report.reports[0].target == "toy:Euler"


def test_what_an_interrupt_left_undone_is_missing(toy, in_process):
    in_process.interrupted_after = 2
    report = check_library("toy", only=lambda listed: listed.name != "Wrong" and not listed.config)
    assert (report.missing, report.status) == (0, Status.PASS)
    in_process.interrupted_after = 1
    report = check_library("toy", only=lambda listed: listed.name != "Wrong" and not listed.config)
    assert [one.target for one in report.reports] == ["toy:Adaptive"]
    assert report.missing == 1
    assert report.status is Status.INCONCLUSIVE
    assert report.to_json()["missing"] == 1


def test_seed_and_allowed_deviations_reach_every_target(toy, in_process):
    allow = (Allowed("pairing", "on purpose"),)
    check_library("toy", seed=7, allow=allow)
    assert {(one.seed, one.allow) for one in in_process.seen} == {(7, allow)}


def test_only_what_is_asked_for_is_judged(toy, in_process):
    report = check_library("toy", only=lambda listed: listed.name == "Euler")
    assert [one.target for one in report.reports] == ["toy:Euler", "toy:Euler strange=True"]
    assert report.status is Status.PASS


def test_a_library_that_is_not_known_is_misuse():
    with pytest.raises(MisuseError, match=r"no library is called 'toys': give diffusers, k_diffusion, azula\."):
        check_library("toys")


def test_processes_of_their_own_come_to_the_same_as_this_one():
    """The real processes, on a real library, since a fresh process knows nothing of a toy."""
    pytest.importorskip("azula")
    report = check_library("azula", only=lambda listed: listed.name == "DDIMSampler" and not listed.config, jobs=2, timeout=60.0)
    here = [
        replace(judge(piece(listed, converge=True)), seconds=0.0)
        for listed in LIBRARIES["azula"].everything()
        if listed.name == "DDIMSampler" and not listed.config
    ]
    assert [replace(one, seconds=0.0) for one in report.reports] == here
    assert report.missing == 0
