"""A forge's API as a real server on loopback: what every stub of one shares.

``fail`` and ``hang`` let single requests go wrong, before or after they are carried out; ``watch``
hears of every request ``before`` and ``after``; True hangs up. What no real server would accept or
answer is kept in ``violations``, which a test must find empty.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

Json = Any  # JSON of somebody else's shape, judged by the stub


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    headers: Mapping[str, str]
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    """The query again, for names that come more than once."""


@dataclass
class Answer:
    """What the server says; a body of text goes out as HTML."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """An answer to give instead, ``times`` times; ``after``: the request is carried out first."""

    method: str
    path: str
    answer: Answer | None
    after: bool = False
    times: int = 1

    def hits(self, asked: Asked) -> bool:
        """Say whether this request is to go wrong."""
        return self.times > 0 and asked.method == self.method and bool(re.search(self.path, asked.path))


class ApiStub(ABC):
    """The server; use as a context manager. With ``tls`` clients must trust ``ca_file``."""

    def __init__(self, *, prefix: str = "", tls: bool = False) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._folder = tempfile.TemporaryDirectory()
        if tls:
            self._server.socket = tls_context(self.ca_file).wrap_socket(self._server.socket, server_side=True)
        self.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self.prefix = prefix
        self.faults: list[Fault] = []
        self.requests: list[Asked] = []
        self.violations: list[str] = []
        self.watch: Callable[[Asked, str], bool] = lambda asked, when: False
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.base_url + self.prefix

    @property
    def ca_file(self) -> str:
        """The authority that signed its certificate."""
        return str(Path(self._folder.name) / "ca.pem")

    @abstractmethod
    def carried_out(self, asked: Asked) -> Answer:
        """Do what is asked."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._server.socket.shutdown(socket.SHUT_RDWR)  # ends the wait for the next client at once
        self._thread.join()
        self._server.server_close()
        self._folder.cleanup()

    def count(self, method: str, path: str) -> int:
        """Return how many requests of that kind came in."""
        return sum(1 for asked in self.requests if asked.method == method and re.search(path, asked.path))

    def fail(
        self,
        method: str,
        path: str,
        status: int,
        body: Json,
        *,
        after: bool = False,
        times: int = 1,
        **headers: str,
    ) -> None:
        """Let the next such request fail."""
        answer = Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        self.faults.append(Fault(method, path, answer, after=after, times=times))

    def hang(self, method: str, path: str, *, after: bool = False) -> None:
        """Leave the next such request without an answer until the server ends."""
        self.faults.append(Fault(method, path, None, after=after))

    def answer(self, asked: Asked) -> Answer | None:
        """Answer one request; None hangs up without a word."""
        with self._lock:
            self.requests.append(asked)
            if self.watch(asked, "before"):
                return None
            fault = next((fault for fault in self.faults if fault.hits(asked)), None)
            answer = self.carried_out(asked) if fault is None or fault.after else None
            if self.watch(asked, "after"):
                return None
            if fault is None:
                return answer
            fault.times -= 1
        if fault.answer is None:
            self._released.wait(10)
        return fault.answer

    def _serve(self) -> None:
        while not self._released.is_set():
            self._server.handle_request()


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Return a context for 127.0.0.1; its authority is written to ``ca_file`` (this needs trustme)."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):  # a client that went away
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it came


def _handler(api: ApiStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # no waiting for a delayed acknowledgement

        def _serve(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                self.command,
                address.path.removeprefix(api.prefix),
                dict(parse_qsl(address.query, keep_blank_values=True)),
                json.loads(body) if body else None,
                {name.lower(): value for name, value in self.headers.items()},
                parse_qs(address.query, keep_blank_values=True),
            )
            self._send(api.answer(asked))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def _send(self, answer: Answer | None) -> None:
            if answer is None:
                self.close_connection = True
                return
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            kind = "text/html" if isinstance(answer.body, str) else "application/json"
            self.send_response(answer.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler
