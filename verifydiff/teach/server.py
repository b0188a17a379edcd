"""The page, served to this machine alone.

It listens on the loopback address and answers only who asks for it by that name: a page of another site that has its name resolved
to 127.0.0.1 is refused by its ``Host``, and one that posts from elsewhere by its ``Origin``. What is served is a fixed table of the
package's own files, so that no path leads anywhere else. Requests are short, and one formula is judged at a time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from .. import __version__
from ..verdict import MisuseError
from .answers import answer
from .exercises import Exercise, ExerciseSet, every
from .explorer import MissingError, explore
from .hints import hints_for, hints_for_formula
from .playing import play
from .typed import plain
from .verdicts import BusyError, checked_given, judged

LOOPBACK, NAMES = "127.0.0.1", ("127.0.0.1", "localhost")
MOST_BYTES, SECONDS, CONNECTIONS = 64 * 1024, 20, 48
HERE = Path(__file__).parent
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
HEADERS = {
    # the field for mathematics sets heights by style attributes; a style is no script, and loads nothing from elsewhere
    "Content-Security-Policy": "default-src 'self'; style-src-attr 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@cache
def files() -> dict[str, tuple[str, bytes]]:
    """Every file that is served, by its path: its type and what is in it."""
    found = {}
    for folder, prefix in ((HERE / "page", "/"), (HERE / "vendor", "/vendor/")):
        for path in sorted(folder.rglob("*")):
            if path.suffix in TYPES:
                found[prefix + path.relative_to(folder).as_posix()] = TYPES[path.suffix], path.read_bytes()
    return found | {"/": found["/index.html"]}


@dataclass(frozen=True)
class Desk:
    """What a page may ask for, by path: plain values in, plain values out."""

    sets: tuple[ExerciseSet, ...]

    def asked(self, path: str) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
        """What answers at a path."""
        return {
            "/api/exercises": self.exercises,
            "/api/judge": self.judge,
            "/api/answer": self.answer,
            "/api/hint": self.hint,
            "/api/play": self.play,
            "/api/explore": explore,
        }.get(path)

    def exercises(self, asked: dict[str, Any]) -> dict[str, Any]:
        """All sets."""
        return {"version": __version__, "sets": [one.shown() for one in self.sets]}

    def judge(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Any formula at all."""
        verdict = judged(plain(_text(asked, "latex")), checked_given(asked.get("given", [])))
        return verdict.as_json() | {"hints": len(hints_for_formula(verdict))}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """An answer to an exercise."""
        return answer(self._exercise(asked), asked).as_json()

    def hint(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One hint, of an exercise or of a formula, and how many there are."""
        if "exercise" in asked:
            hints = hints_for(self._exercise(asked), _texts(asked.get("lines", [])))
        else:
            hints = hints_for_formula(judged(plain(_text(asked, "latex")), checked_given(asked.get("given", []))))
        number = asked.get("number")
        if type(number) is not int or not 0 <= number < max(len(hints), 1):
            raise MisuseError(f"`number` must be from 0 to {len(hints) - 1}.")
        return {"hint": hints[number].as_json() if hints else None, "of": len(hints)}

    def play(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The two sides of a formula at a point."""
        verdict = judged(plain(_text(asked, "latex")), checked_given(asked.get("given", [])))
        return {"play": play(verdict, asked)}

    def _exercise(self, asked: dict[str, Any]) -> Exercise:
        found = next((one for one in every(self.sets) if one.id == asked.get("exercise")), None)
        if found is None:
            raise MisuseError("there is no such exercise.")
        return found


def _text(asked: dict[str, Any], name: str) -> str:
    if not isinstance(value := asked.get(name), str):
        raise MisuseError(f"`{name}` must be a text.")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise MisuseError("`lines` must be a list of texts.")
    return value


class Server(ThreadingHTTPServer):
    """The server.

    Args:
        sets: the exercises.
        port: the port; 0 for any that is free.

    Raises:
        MisuseError: if the port is taken, or may not be used.
    """

    daemon_threads = True
    request_queue_size = CONNECTIONS
    allow_reuse_address = sys.platform != "win32"  # where a port in use could be taken over

    def __init__(self, sets: Sequence[ExerciseSet], port: int) -> None:
        self.desk = Desk(tuple(sets))
        self.room = BoundedSemaphore(CONNECTIONS)
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise MisuseError(
                f"port {port} cannot be used: {error.strerror or error}. Another one: --port 0 takes any that is free."
            ) from None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    @property
    def hosts(self) -> set[str]:
        """The names by which it may be asked."""
        return {f"{name}:{self.server_address[1]}" for name in NAMES}

    def process_request(self, request: Any, client_address: Any) -> None:
        """A connection gets a thread while there is room."""
        if self.room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is nobody's concern."""


class _Refusal(Exception):  # noqa: N818 - an answer, not an accident
    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "verifydiff", ""
    timeout = SECONDS

    def do_GET(self) -> None:
        try:
            self._admit()
            self._send_file(self.path.partition("?")[0])
        except _Refusal as refusal:
            self._send(refusal.status, {"error": str(refusal)})

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        try:
            self._admit()
            status, told = self._answered(self._body())
        except _Refusal as refusal:
            self.close_connection = True  # what it has sent may not have been read
            status, told = refusal.status, {"error": str(refusal)}
        self._send(status, told)

    def _admit(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            raise _Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this server answers by its own name alone.")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in self.server.hosts}:
            raise _Refusal(HTTPStatus.FORBIDDEN, "this server answers its own page alone.")

    def _body(self) -> dict[str, Any]:
        if self.headers.get_content_type() != "application/json":
            raise _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "JSON is wanted.")
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise _Refusal(HTTPStatus.LENGTH_REQUIRED, "the length must be told.")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BYTES} bytes.")
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "this is not JSON.") from None
        if not isinstance(asked, dict):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "a JSON object is wanted.")
        return asked

    def _answered(self, asked: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
        answers = self.server.desk.asked(self.path)
        if answers is None:
            return HTTPStatus.NOT_FOUND, {"error": "there is nothing here."}
        try:
            return HTTPStatus.OK, answers(asked)
        except MisuseError as error:
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"error": str(error)}
        except MissingError as error:
            return HTTPStatus.NOT_IMPLEMENTED, {"error": str(error)}
        except BusyError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)}
        except Exception as error:  # the page goes on, whatever a formula does to the judge
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"the judge broke on it ({type(error).__name__})."}

    def _send_file(self, path: str) -> None:
        found = files().get(path)
        if found is None:
            raise _Refusal(HTTPStatus.NOT_FOUND, "there is nothing here.")
        self._send_bytes(HTTPStatus.OK, *found)

    def _send(self, status: HTTPStatus, told: dict[str, Any]) -> None:
        self._send_bytes(status, "application/json", json.dumps(told, ensure_ascii=True, allow_nan=False).encode())

    def _send_bytes(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the terminal belongs to who started it."""


def warm_up() -> None:
    """Judge one formula, so that the first learner does not wait for what is imported with it."""
    judged(r"\bar\alpha_t = \alpha_t \bar\alpha_{t-1}")
