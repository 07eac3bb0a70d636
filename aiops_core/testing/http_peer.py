"""A real HTTP server on loopback that answers as scripted and keeps what it was sent."""

from __future__ import annotations

import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: after ``delay`` seconds, ``pause`` seconds between bytes, or a broken connection."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    pause: float = 0.0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: header names in lower case, the body as raw bytes."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class HttpPeer:
    """Answer requests until the ``with`` block ends: the scripted replies, then ``usual``.

    ``reset`` breaks the connection after the request was read and kept. With ``tls`` the peer
    speaks HTTPS; ``ca_file`` is then what a client must trust (this needs trustme).
    """

    def __init__(
        self, replies: Iterable[Reply] = (), *, usual: Reply | None = None, tls: bool = False
    ) -> None:
        self.requests: list[Request] = []
        self._replies: Iterator[Reply] = iter(replies)
        self._usual = usual or Reply()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._folder = tempfile.TemporaryDirectory()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = self._tls_context().wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Address of the peer, without a slash at the end."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def script(self, *replies: Reply) -> None:
        """Answer with these too, after what was scripted before."""
        self._replies = chain(self._replies, replies)

    @property
    def ca_file(self) -> str:
        """Path of the certificate authority that signed the peer's certificate."""
        return str(Path(self._folder.name) / "ca.pem")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.socket.shutdown(socket.SHUT_RDWR)  # ends the wait for the next client at once
        self._thread.join(10)
        self._server.server_close()
        self._folder.cleanup()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._server.handle_request()

    def _tls_context(self) -> ssl.SSLContext:
        import trustme

        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def _next_reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return next(self._replies, self._usual)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = peer._next_reply(Request(self.command, self.path, headers, body))
                peer._closing.wait(min(reply.delay, _LONGEST_PAUSE))
                self.close_connection = True
                try:
                    _break(self.connection) if reply.reset else self._send(reply)
                except OSError:
                    return  # the client went away first

            def _send(self, reply: Reply) -> None:
                for piece in _bytes_of(reply):
                    self.wfile.write(piece)
                    self.wfile.flush()
                    if reply.pause and peer._closing.wait(reply.pause):
                        return

            def log_message(self, format: str, *args: object) -> None:
                """Keep tests quiet."""

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer

        return Handler


def _bytes_of(reply: Reply) -> Iterator[bytes]:
    fields = {"Content-Length": str(len(reply.body)), "Connection": "close", **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
    whole = "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body
    if not reply.pause:
        yield whole
        return
    yield from (whole[at : at + 1] for at in range(len(whole)))


def _break(connection: socket.socket) -> None:
    """Close with a reset instead of a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
