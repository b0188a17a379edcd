"""A server for tests, and a client that says exactly what it is told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Thread
from typing import Any

from verifydiff.teach.server import LOOPBACK, Server


class Asking:
    """A client that says exactly what it is told to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.server_address[1]

    def __call__(self, path: str, asked: Any = None, **headers: str) -> tuple[int, Any]:
        """POST JSON to a place of the API; the status and what is told."""
        status, content, _ = self.raw("POST", f"/api/{path}", json.dumps(asked or {}).encode(), **headers)
        return status, json.loads(content)

    def raw(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Any request at all."""
        sent = {"Host": f"{LOOPBACK}:{self.port}", "Content-Length": str(len(body)), "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection(LOOPBACK, self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body if method == "POST" else None)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content, dict(response.headers)


def running(sets: Any) -> Iterator[Asking]:
    """A server of some exercises, and what asks it; it ends with the loop over it."""
    with Server(sets, 0) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Asking(server)
        finally:
            server.shutdown()
            thread.join()
