"""A git server over HTTP on loopback, with or without a token: ``git http-backend`` behind it."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from aiops_core.testing.api_stub import tls_context

Auth = Literal["basic", "bearer"]


class GitHttpServer:
    """Serve the bare repositories under ``root`` for as long as the ``with`` block lasts.

    With a ``token`` every request must carry it, as the password of Basic or as Bearer. A
    request without it is answered 401, one with another token 403. ``requests`` holds method
    and path of what came, ``fail_with`` answers everything with that status.
    """

    def __init__(self, root: Path, *, token: str = "", auth: Auth = "basic", tls: bool = False) -> None:
        self.root = root
        self.token = token
        self.auth: Auth = auth
        self.requests: list[str] = []
        self.fail_with = 0
        self.redirect_to = ""
        self._is_closing = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._folder = tempfile.TemporaryDirectory()
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls_context(self.ca_file).wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing = True
        self._server.socket.shutdown(socket.SHUT_RDWR)  # ends the wait for the next client at once
        self._thread.join()
        self._server.server_close()
        self._folder.cleanup()

    def _serve(self) -> None:
        while not self._is_closing:
            self._server.handle_request()

    @property
    def address(self) -> str:
        """The server's address, ``http://127.0.0.1:port``, or https."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ca_file(self) -> str:
        """The authority that signed its certificate."""
        return str(Path(self._folder.name) / "ca.pem")

    def url(self, name: str) -> str:
        """Return the address of the repository ``name`` under the root."""
        return f"{self.address}/{name}"

    def refusal(self, header: str) -> int:
        """Return 0 for a request that may pass, else the status that turns it away."""
        if self.fail_with:
            return self.fail_with
        if not self.token:
            return 0
        if not header:
            return 401
        return 0 if self._opens(header) else 403

    def _opens(self, header: str) -> bool:
        if self.auth == "bearer":
            return header == f"Bearer {self.token}"
        kind, _, pair = header.partition(" ")
        return kind == "Basic" and base64.b64decode(pair).decode().partition(":")[2] == self.token


def _handler(owner: GitHttpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(_body(self))

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

        def _serve(self, body: bytes) -> None:
            owner.requests.append(f"{self.command} {self.path}")
            if owner.redirect_to:
                self.send_response(301)
                self.send_header("Location", owner.redirect_to + self.path)
                self.end_headers()
                return
            if status := owner.refusal(self.headers.get("Authorization", "")):
                self.send_response(status)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            _answer(self, _backend(owner.root, self, body))

    return Handler


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", "0")))
    body = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def _backend(root: Path, request: BaseHTTPRequestHandler, body: bytes) -> bytes:
    parts = urlsplit(request.path)
    env = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "REQUEST_METHOD": request.command,
        "REMOTE_USER": "tester",  # lets http-backend serve pushes
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
    }
    return subprocess.run(
        ["git", "http-backend"], env=env, input=body, capture_output=True, check=True
    ).stdout


def _answer(request: BaseHTTPRequestHandler, answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = [line.partition(": ")[::2] for line in head.decode().split("\r\n")]
    status = next((value for name, value in headers if name == "Status"), "200 OK")
    request.send_response(int(status.split()[0]))
    for name, value in headers:
        if name != "Status":
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
