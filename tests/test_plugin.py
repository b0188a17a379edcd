"""The decorator and the plugin, on test runs of their own: what passes, fails, skips, is recorded and is summed up."""

import json
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import pytest
from samplers import BETAS, ddim

import verifydiff as vd
from verifydiff import plugin
from verifydiff.checks.table import CHECKS
from verifydiff.observe import Target
from verifydiff.testing import parametrize_with_checks  # imported here, so that the runs below find it imported
from verifydiff.verdict import MisuseError

ROOT = Path(__file__).parent.parent

SAMPLERS = """
import os
import numpy as np

T, S = 1000, 30
abar = np.cumprod(1 - np.linspace(1e-4, 0.02, T))
runs = []


def right(denoise, x, seed):
    runs.append(seed)
    times = np.linspace(0, T - 1, S).round().astype(int)[::-1]
    for t, s in zip(times, [*times[1:], -1]):
        x = step(denoise(x, t), x, abar[t], abar[s] if s >= 0 else 1.0)
    return x


def wrong(denoise, x, seed):
    for t in np.linspace(0, T - 1, S).round().astype(int)[::-1]:
        x = step(denoise(x, t), x, abar[t], abar[t - T // S] if t >= T // S else 1.0)
    return x


def noisy(denoise, x, seed):
    rng = np.random.default_rng(seed)
    times = np.linspace(0, T - 1, S).round().astype(int)[::-1]
    for t, s in zip(times, [*times[1:], -1]):
        here, there = abar[t], abar[s] if s >= 0 else 1.0
        variance = (1 - there) / (1 - here) * (1 - here / there)
        x = step(denoise(x, t), x, here, there, variance) + np.sqrt(variance) * rng.standard_normal(x.shape)
    return x


def broken(denoise, x, seed):
    return denoise(x, T - 1)[:1]


def step(eps, x, here, there, variance=0.0):
    return np.sqrt(there) * (x - np.sqrt(1 - here) * eps) / np.sqrt(here) + np.sqrt(1 - there - variance) * eps
"""

TEST = """
import my_samplers
import verifydiff as vd
from verifydiff.checks import Allowed
from verifydiff.observe import resolve


@vd.parametrize_with_checks({arguments})
def test_my_sampler(check):
    check()
"""


@pytest.fixture(scope="module", autouse=True)
def all_is_imported():
    """What a run in this process imports first, it forgets; no library likes to be imported twice."""
    vd.check(ddim(0.5), schedule=vd.Schedule.from_betas(BETAS)).raise_if_failed()


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest, with the plugin of this checkout and no other, on a file that decorates with these arguments."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(my_samplers=SAMPLERS)

    def run(arguments, *options, more="", plugin=("-p", "verifydiff.plugin"), apart=False):
        pytester.makepyfile(test_it=TEST.format(arguments=arguments) + more)
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start(*plugin, "-p", "no:cacheprovider", *options)

    return run


def outcomes(result):
    """id of an item -> its outcome, of a run with -rA."""
    said = [line.split(" ", 1) for line in result.outlines if line.startswith(("PASSED test_it", "FAILED test_it"))]
    return {words.partition("[")[2].partition("]")[0]: outcome.lower() for outcome, words in said}


# -- the items ----------------------------------------------------------------------------------------------------------------


def test_the_items_are_known_without_running_the_sampler(run):
    result = run("lambda denoise, x, seed: 1 / 0", "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [f"test_it.py::test_my_sampler[{check}]" for check in CHECKS]


def test_samplers_with_names_have_items_with_names(run):
    result = run("{'mine': my_samplers.right, 'theirs': my_samplers.wrong}", "--collect-only", "-q")
    ids = [f"test_it.py::test_my_sampler[{name}-{check}]" for name in ("mine", "theirs") for check in CHECKS]
    assert [line for line in result.outlines if "::" in line] == ids


def test_a_right_sampler_fails_nothing_and_skips_what_says_nothing_of_it(run):
    result = run("my_samplers.right, family=vd.DDIM(eta=0.0), steps=30", "-rA")
    assert result.ret == 0
    asked = {"behaviour", "start", "time-grid", "affinity", "seed", "pairing", "coefficients", "noise-scale", "exact-moments"}
    assert outcomes(result) == dict.fromkeys(asked | {"point-mass", "method-bias"}, "passed")
    result.assert_outcomes(passed=11, skipped=len(CHECKS) - 11)
    result.stdout.fnmatch_lines_random(["SKIPPED*no step adds noise.", "SKIPPED*tables has nothing to say of this sampler."])


def test_a_wrong_sampler_fails_where_the_report_fails_and_says_which_slip(run):
    result = run("my_samplers.wrong, family=vd.DDIM(eta=0.0), steps=30", "-rA")
    failed = {check for check, outcome in outcomes(result).items() if outcome == "failed"}
    assert failed == {"pairing", "coefficients", "exact-moments"}
    result.stdout.fnmatch_lines(
        [
            "E*CheckFailed: pairing: 29 of 30 steps do not land on the level they should*",
            "E*asked: does each step land on the level of the next query?",
            "E*likeliest slip: stride-by-division: *",
        ]
    )


def test_a_failure_shows_the_users_line_and_none_of_ours(run):
    result = run("my_samplers.wrong", "-k", "pairing")
    text = result.stdout.str()
    assert ">       check()" in text
    assert "testing.py" not in text
    assert "verifydiff/checks" not in text
    assert "findings" not in text
    shown = text.partition("_ test_my_sampler[pairing] _")[2].partition("test_it.py:")[0]
    assert len(shown.splitlines()) < 12


def test_what_the_sampler_did_not_come_to_is_skipped(run):
    result = run("my_samplers.broken", "-rA")
    assert outcomes(result) == {"behaviour": "failed"}
    result.stdout.fnmatch_lines_random(["SKIPPED*not asked, since behaviour came first."])


def test_what_stays_inconclusive_fails(run):
    result = run("my_samplers.right, timeout=1e-9", "-rA")
    assert outcomes(result) == {"behaviour": "failed"}
    result.stdout.fnmatch_lines(["E*CheckFailed: behaviour (inconclusive): *"])


def test_a_sampler_is_judged_once_whatever_the_number_of_its_items(run):
    more = "\n\ndef test_runs():\n    print(f'runs: {len(my_samplers.runs)}')\n"
    all_of_them = run("my_samplers.right, steps=30", "-s", more=more)
    one = run("my_samplers.right, steps=30", "-s", "-k", "coefficients or runs", more=more)
    one.assert_outcomes(passed=2, deselected=len(CHECKS) - 1)
    runs = [int(result.stdout.str().partition("runs: ")[2].split()[0]) for result in (all_of_them, one)]
    assert runs[0] == runs[1] > 0


def test_each_decorated_test_has_a_report_of_its_own(run):
    more = "\n\n@vd.parametrize_with_checks(my_samplers.wrong)\ndef test_other(check):\n    check()\n"
    run("my_samplers.right", "-k", "pairing", more=more).assert_outcomes(passed=1, failed=1, deselected=2 * len(CHECKS) - 2)


def test_the_argument_is_the_check_itself(run):
    more = """

@vd.parametrize_with_checks(my_samplers.right, family=vd.DDIM(eta=0.0))
def test_what_it_is(check):
    if check.id == "noise-law":
        assert [finding.status for finding in check.findings] == ["not_applicable"]
        assert check.judgement.report.status == "pass"
        assert "normal?" in repr(check)
        check()
    assert str(check) == check.id
"""
    run("my_samplers.right", "-k", "what_it_is", more=more).assert_outcomes(
        passed=len(CHECKS) - 1, skipped=1, deselected=len(CHECKS)
    )


def test_other_parameters_go_along(run):
    more = """
import pytest

@pytest.mark.parametrize("twice", [1, 2])
@vd.parametrize_with_checks(my_samplers.right)
def test_both(check, twice):
    check()
"""
    run("my_samplers.right", "-k", "both and pairing", more=more).assert_outcomes(passed=2, deselected=3 * len(CHECKS) - 2)


@pytest.mark.skipif(not (find_spec("torch") and find_spec("diffusers")), reason="judging diffusers needs it and torch")
def test_a_target_of_an_adapter_is_a_sampler(run):
    """In a process of its own: what is imported while pytester is in use is forgotten, which torch does not survive."""
    result = run("resolve('diffusers:DDIMScheduler', steps=10)", "-rA", apart=True)
    assert result.ret == 0
    assert {"tables", "prediction-types", "precision"} <= set(outcomes(result))


# -- misuse -------------------------------------------------------------------------------------------------------------------


MISUSE = {
    "no function": (3, "a sampler is a function sample(denoise, x_init, seed), got int."),
    "no function in a dictionary": ({"mine": 3}, "a sampler is a function sample(denoise, x_init, seed), got 'mine' int."),
    "no sampler": ({}, "parametrize_with_checks was given no sampler: the dictionary is empty."),
    "no name": ({"": print}, "samplers are named by words, got ''."),
    "a number for a name": ({1: print}, "samplers are named by words, got 1."),
}


@pytest.mark.parametrize(("sample", "message"), MISUSE.values(), ids=MISUSE)
def test_what_is_no_sampler_is_told_when_it_is_decorated(sample, message):
    with pytest.raises(MisuseError) as caught:
        parametrize_with_checks(sample)
    assert str(caught.value) == message


def test_a_claim_that_makes_no_sense_is_told_in_one_line_by_the_items(run):
    result = run("my_samplers.right, steps=5000", "-k", "pairing or start")
    result.assert_outcomes(failed=2, deselected=len(CHECKS) - 2)
    result.stdout.fnmatch_lines(["E*MisuseError: `steps` must lie between 1 and the 1000 timesteps, got 5000."])
    assert "check.py" not in result.stdout.str()


def test_the_decorator_takes_what_check_takes():
    of_check, of_decorator = signature(vd.check).parameters, signature(parametrize_with_checks).parameters
    assert {name: p.default for name, p in of_check.items()} == {name: p.default for name, p in of_decorator.items()}


def test_without_pytest_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(MisuseError, match=r"pip install 'verifydiff\[pytest\]'"):
        parametrize_with_checks(print)


def test_a_finding_without_a_question_is_not_lost(run, monkeypatch):
    monkeypatch.setattr("verifydiff.testing.CHECKS", {check: asked for check, asked in CHECKS.items() if check != "seed"})
    result = run("my_samplers.right", "-k", "pairing")
    result.stdout.fnmatch_lines(["E*RuntimeError: verifydiff has no question for what it found: seed.*"])


# -- what the plugin adds -----------------------------------------------------------------------------------------------------


ALLOW = """
[[allow]]
check = "pairing"
reason = "golden sums depend on it"

[[allow]]
check = "coefficients"
target = "mine"
reason = "they follow"

[[allow]]
check = "seed"
reason = "it had none once"

[[allow]]
check = "start"
target = "somebody else's"
reason = "we know them"
"""


def test_the_summary_counts_checks_and_samplers_and_declares_the_rate(run):
    result = run("{'noisy': my_samplers.noisy, 'right': my_samplers.right}, steps=30")
    result.stdout.fnmatch_lines(
        [
            "*= verifydiff =*",
            "25 checks on 2 samplers",
            "declared false-alarm rate of all of them together: 1e-06",
        ]
    )
    assert "allowed" not in result.stdout.str()


def test_the_rates_of_several_reports_are_added(run):
    result = run("{name: my_samplers.noisy for name in 'abc'}, steps=30", "-k", "noise-law")
    result.stdout.fnmatch_lines(["3 checks on 3 samplers", "declared false-alarm rate of all of them together: 3e-06"])


def test_where_nothing_is_left_to_chance_the_rate_is_0(run):
    result = run("my_samplers.right", "-k", "pairing")
    result.stdout.fnmatch_lines(["1 check on 1 sampler", "declared*: 0 (nothing was left to chance)"])


def test_the_allow_file_of_the_project_holds_for_every_decorated_test(run, pytester):
    pytester.makeini("[pytest]\nverifydiff_allow = known/deviations.toml")
    pytester.mkdir("known").joinpath("deviations.toml").write_text(ALLOW)
    result = run("{'mine': my_samplers.wrong, 'right': my_samplers.right}, family=vd.DDIM(eta=0.0)", "-rA")
    failed = {check for check, outcome in outcomes(result).items() if outcome == "failed"}
    assert failed == {"mine-exact-moments"}
    assert outcomes(result)["mine-pairing"] == outcomes(result)["mine-allow"] == "passed"
    result.stdout.fnmatch_lines(
        [
            "allowed on purpose:",
            "  pairing: golden sums depend on it",
            "  coefficients of mine: they follow",
            "  seed: it had none once -- stale: it no longer fails",
            "  start of somebody else's: we know them -- no such sampler was judged",
        ]
    )


def test_what_the_decorator_allows_is_in_the_summary_too(run):
    result = run("my_samplers.wrong, allow=(Allowed('pairing', 'a reason'),)", "-k", "pairing")
    result.assert_outcomes(passed=1, deselected=len(CHECKS) - 1)
    result.stdout.fnmatch_lines(["allowed on purpose:", "  pairing: a reason"])


BAD_FILES = {
    "missing": (None, "verifydiff_allow: there is no file *allow.toml."),
    "no TOML": ("[[allow", "verifydiff_allow: *allow.toml cannot be read as TOML: *"),
    "no reason": ("[[allow]]\ncheck = 'seed'", "verifydiff_allow: *allow.toml, entry 1: reason is missing."),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_an_allow_file_that_cannot_be_read_is_one_line(run, pytester, content, message):
    pytester.makeini("[pytest]\nverifydiff_allow = allow.toml")
    if content is not None:
        pytester.path.joinpath("allow.toml").write_text(content)
    result = run("my_samplers.right")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stderr.str()


def test_the_junit_file_holds_the_numbers(run, pytester):
    run("my_samplers.wrong", "--junitxml=out.xml")
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "out.xml").iter("testcase")}
    assert set(cases) == {f"test_my_sampler[{check}]" for check in CHECKS}
    pairing = {p.get("name"): p.get("value") for p in cases["test_my_sampler[pairing]"].iter("property")}
    assert pairing["verifydiff.target"] == "wrong"
    assert pairing["verifydiff.status"] == "fail"
    assert float(pairing["verifydiff.measured"]) == pytest.approx(0.53972383, abs=1e-8)
    assert float(pairing["verifydiff.expected"]) == pytest.approx(0.54351886, abs=1e-8)
    assert float(pairing["verifydiff.tolerance"]) < 1e-9
    assert pairing["verifydiff.false_alarm"] == "0.0"
    assert "CheckFailed: pairing" in cases["test_my_sampler[pairing]"].find("failure").get("message")


def test_without_the_plugin_the_decorator_works_and_nothing_is_added(run, pytester):
    result = run("my_samplers.wrong", "--junitxml=out.xml", "-rA", plugin=())
    assert outcomes(result)["pairing"] == "failed"
    assert "= verifydiff =" not in result.stdout.str()
    assert not list(ET.parse(pytester.path / "out.xml").iter("property"))


def test_a_test_that_does_not_ask_is_not_counted(run, pytester):
    pytester.makepyfile(
        test_other="import verifydiff as vd\n\n@vd.parametrize_with_checks(print)\ndef test_nothing(check):\n    pass\n"
    )
    assert "verifydiff =" not in run("print", "test_other.py").stdout.str()


def test_properties_are_of_types_that_a_worker_can_send():
    """execnet, which xdist sends by, takes these types and none that is made from them."""
    check = next(check for check in parametrize_with_checks(ddim(0.5)).mark.args[1] if check.id == "coefficients")
    with pytest.raises(vd.CheckFailed):
        check()
    pairs = plugin._properties(check)
    values = [part for pair in pairs for value in pair for part in (value if isinstance(value, list) else [value])]
    assert len(values) >= 8
    assert {type(value) for value in values} <= {str, float, int, bool}


def test_workers_send_what_they_tally_to_the_controller():
    """What xdist does with the plugin, without xdist: the tallies cross as plain data, and a sampler counts once."""
    stash = pytest.Stash()
    tally = {"checks": ["pairing"], "false_alarm": 1e-6, "allowed": [["pairing", "", "why", True, False]]}
    other = {"checks": ["seed"], "false_alarm": 1e-6, "allowed": [["pairing", "", "why", True, True]]}
    for tallies in ({"a": tally}, {"a": {**tally, "checks": ["seed"]}, "b": other}, None):
        output = {} if tallies is None else {"workeroutput": {"verifydiff": json.loads(json.dumps(tallies))}}
        plugin.pytest_testnodedown(SimpleNamespace(config=SimpleNamespace(stash=stash), **output))
    assert plugin._summary(list(stash[plugin._TALLIES].values())) == [
        "3 checks on 2 samplers",
        "declared false-alarm rate of all of them together: 2e-06",
        "allowed on purpose:",
        "  pairing: why",
    ]


# -- a bystander --------------------------------------------------------------------------------------------------------------


def test_pytest_finds_the_plugin_by_its_entry_point():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"verifydiff": "verifydiff.plugin"}
    assert import_module(declared["verifydiff"]).pytest_terminal_summary


def test_a_bystander_gets_no_line_and_no_hook_that_looks_at_tests(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        """
        def test_nothing(request):
            import sys
            assert "verifydiff.plugin" in sys.modules
            assert not {"verifydiff.testing", "verifydiff.checks", "numpy"} & set(sys.modules)
            assert not request.config.pluginmanager.has_plugin("verifydiff-listener")
        """
    )
    result = pytester.runpytest_subprocess("-p", "verifydiff.plugin")
    result.assert_outcomes(passed=1)
    assert "verifydiff" not in result.stdout.str().replace(str(pytester.path), "")


def test_plain_unittest_needs_no_pytest(tmp_path):
    (tmp_path / "my_samplers.py").write_text(SAMPLERS)
    (tmp_path / "test_plain.py").write_text(
        """
import sys
import unittest

import my_samplers
import verifydiff as vd


class Samplers(unittest.TestCase):
    def test_right(self):
        vd.check(my_samplers.right, family=vd.DDIM(eta=0.0), steps=30).raise_if_failed()
        self.assertNotIn("pytest", sys.modules)

    def test_wrong(self):
        with self.assertRaisesRegex(AssertionError, "stride-by-division"):
            vd.check(my_samplers.wrong).raise_if_failed()
"""
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr


def test_targets_and_functions_are_what_a_dictionary_holds():
    target = Target("theirs", print, vd.Schedule.linear(10))
    mark = parametrize_with_checks({"a": target, "b": print}).mark
    assert len(mark.args[1]) == 2 * len(CHECKS)
