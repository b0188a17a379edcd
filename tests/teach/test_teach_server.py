"""Does the server answer its own page, and nobody else?"""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from verifydiff.teach import server
from verifydiff.teach.server import LOOPBACK, MOST_BYTES, Server, files
from verifydiff.verdict import MisuseError

WRONG = r"x_t = \sqrt{\bar\alpha_t} x_0 + \sqrt{1-\alpha_t}\epsilon"


def test_the_page_is_served_with_what_it_needs(asking):
    status, content, headers = asking.raw("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"main.js" in content
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe-inline" not in headers["Content-Security-Policy"].replace("style-src-attr 'unsafe-inline'", "")
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not any(name.startswith("Access-Control") for name in headers)
    for path in files():
        assert asking.raw("GET", path)[0] == 200
    assert asking.raw("HEAD", "/main.js")[:2] == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py",
        "/../../../../../../etc/passwd",
        "/vendor/../../server.py",
        "/%2e%2e/server.py",
        "/..%2fserver.py",
        "/vendor/mathlive/..\\..\\server.py",
        "//etc/passwd",
        "/sets/1-noising.toml",
        "/vendor",
        "/main.js/",
        "/main.js%00.html",
        "http://example.org/",
    ],
)
def test_no_path_leads_anywhere_else(asking, path):
    assert asking.raw("GET", path)[0] == 404


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "localhost.example.org:{port}", "[::1]:{port}", ""])
def test_another_name_is_refused(asking, host):
    host = host.replace("{port}", str(asking.port))
    assert asking.raw("GET", "/", Host=host)[0] == 421
    assert asking("judge", {"latex": "x"}, Host=host)[0] == 421


def test_localhost_is_its_name_too(asking):
    assert asking.raw("GET", "/", Host=f"localhost:{asking.port}")[0] == 200


@pytest.mark.parametrize("origin", ["http://example.org", "null", "https://127.0.0.1:{port}", "http://127.0.0.1"])
def test_a_page_from_elsewhere_is_refused(asking, origin):
    assert asking("judge", {"latex": "x"}, Origin=origin.replace("{port}", str(asking.port)))[0] == 403


def test_its_own_page_is_not(asking):
    assert asking("judge", {"latex": WRONG}, Origin=f"http://{LOOPBACK}:{asking.port}")[0] == 200


REQUESTS = {
    "a form": (b"{}", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    "plain text": (b"{}", {"Content_Type": "text/plain"}, 415),
    "too long": (b"", {"Content_Length": str(MOST_BYTES + 1)}, 413),
    "far too long": (b"", {"Content_Length": "9" * 40}, 413),
    "no length": (b"", {"Content_Length": ""}, 411),
    "a negative length": (b"", {"Content_Length": "-1"}, 411),
    "in chunks": (b"{}", {"Transfer_Encoding": "chunked"}, 411),
    "no JSON": (b"{", {}, 400),
    "deep JSON": (b"[" * 60_000, {}, 400),
    "no object": (b"[]", {}, 400),
    "bytes": (b"\xff\x00", {}, 400),
}


@pytest.mark.parametrize(("body", "headers", "status"), REQUESTS.values(), ids=REQUESTS)
def test_a_wrong_request_is_refused_before_it_is_read(asking, body, headers, status):
    found, content, told = asking.raw("POST", "/api/judge", body, **headers)
    assert found == status
    assert told["Connection"] == "close"
    assert json.loads(content)["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_not_known(asking, method):
    assert asking.raw(method, "/")[0] == 501


def test_there_is_nothing_else_to_ask(asking):
    assert asking("nothing")[0] == 404
    assert asking("answer", {"exercise": "none", "latex": "x"})[0] == 422
    assert asking("answer", {"exercise": ["x"], "latex": "x"})[0] == 422
    assert asking("judge", {"latex": 3})[0] == 422
    assert asking("judge", {"latex": "x", "given": "x"})[0] == 422
    assert asking("judge", {"latex": "x" * 2001})[0] == 422
    assert asking("hint", {"latex": WRONG, "number": 9})[0] == 422
    assert asking("hint", {"exercise": "noised-sample", "number": 0, "lines": 3})[0] == 422


def test_a_formula_is_judged_and_its_hints_are_kept_back(asking):
    status, told = asking("judge", {"latex": WRONG})
    assert (status, told["status"], told["hints"]) == (200, "fails", 3)
    assert "boxed" not in json.dumps(told)
    assert told["counterexample"]["at"]
    kinds = [asking("hint", {"latex": WRONG, "number": k})[1]["hint"]["kind"] for k in range(3)]
    assert kinds == ["where", "slip", "answer"]


def test_an_exercise_is_answered(asking):
    asked = {"exercise": "noised-sample", "latex": WRONG}
    assert asking("answer", asked)[1]["solved"] is False
    assert asking("answer", asked | {"latex": WRONG.replace(r"1-\alpha_t", r"1-\bar\alpha_t")})[1]["solved"] is True
    assert asking("play", asked)[1]["play"]["rows"]
    sets = asking("exercises")[1]["sets"]
    assert sum(len(one["exercises"]) for one in sets) >= 12


HOSTILE = {
    "roots": r"x = " + r"\sqrt{" * 300 + "y" + "}" * 300,
    "braces": "{" * 1500,
    "powers": "x = 9^{9^{9^{9^{9}}}}",
    "factorials": r"x_t = \prod_{i=1}^{99999999} \prod_{j=1}^{99999999} \alpha_i",
    "python": r"x = __import__('os').system('true')",
    "files": r"\input{/etc/passwd} \write18{true}",
    "markup": "<script>alert(1)</script>",
    "control characters": "x\x00 = \u202e\ud800",
    "many equations": r"\begin{align} " + r"\beta_t &= \alpha_t \\ " * 80 + r"\end{align}",
    "sums": "x_t = " + r"+ \sqrt{\bar\alpha_t} x_0 \epsilon_\theta(x_t, t)" * 40,
}


@pytest.mark.parametrize("latex", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("place", ["judge", "play", "hint", "answer"])
def test_a_hostile_formula_is_answered_in_time(asking, latex, place):
    begun = time.monotonic()
    status, told = asking(place, {"latex": latex, "number": 0, **({"exercise": "noised-sample"} if place == "answer" else {})})
    assert status in (200, 422)
    assert told.get("status") != "holds"
    assert time.monotonic() - begun < 25


def test_many_ask_at_once_and_each_gets_its_own_answer(asking):
    right = WRONG.replace(r"1-\alpha_t", r"1-\bar\alpha_t")
    formulas = [rf"{one} + {k} - {k}" for k in range(12) for one in (WRONG, right)]
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda latex: asking("judge", {"latex": latex})[1]["status"], formulas))
    assert [one == "holds" for one in found] == [False, True] * 12


def test_who_sends_nothing_does_not_keep_others_waiting(asking):
    silent = [socket.create_connection((LOOPBACK, asking.port)) for _ in range(20)]
    try:
        assert asking.raw("GET", "/")[0] == 200
    finally:
        for one in silent:
            one.close()


def test_more_connections_than_there_is_room_for_are_closed(asking, monkeypatch):
    held = []
    try:
        while len(held) < server.CONNECTIONS + 5:
            held.append(socket.create_connection((LOOPBACK, asking.port)))
        held[-1].settimeout(10)
        assert held[-1].recv(1) == b""
    finally:
        for one in held:
            one.close()
    for _ in range(100):  # the room comes back
        try:
            assert asking.raw("GET", "/")[0] == 200
        except (ConnectionError, AssertionError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the room did not come back")


def test_a_judge_that_breaks_breaks_nothing_else(asking, monkeypatch):
    def broken(*_):
        raise KeyError("secret /home/someone")

    monkeypatch.setattr(server, "judged", broken)
    status, told = asking("judge", {"latex": WRONG})
    assert (status, told) == (500, {"error": "the judge broke on it (KeyError)."})
    monkeypatch.undo()
    assert asking("judge", {"latex": WRONG})[0] == 200


def test_it_listens_on_the_loopback_alone(asking):
    assert asking.server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_told(asking, shipped):
    with pytest.raises(MisuseError, match=f"port {asking.port} cannot be used: Address already in use"):
        Server(shipped, asking.port)
