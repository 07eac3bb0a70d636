"""The agent's only way out: a socket file behind which the Messages API, and nothing else, is served.

The relay adds the key, so that the agent's process never has it.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

from aiops_analyzer_claude_cli.ledger import Failure, Ledger, Meter, error_text

_PATHS = frozenset({"/v1/messages", "/v1/messages/count_tokens"})
_LARGEST = 64 << 20
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What an upstream answers: its body in pieces, as they come."""

    status: int
    chunks: Iterable[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False
    """Whether the relay itself answers: then it is no failure of the API."""


class Unreachable(Exception):
    """Say why an upstream cannot be reached."""


Upstream: TypeAlias = Callable[[str, Mapping[str, str], bytes], Reply]
"""Called with path, headers (lower case) and body; raises Unreachable."""


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:  # Any: as the base class says
        """Keep quiet: an agent that was ended leaves broken connections."""


class Relay:
    """Pass calls on to ``upstream`` until the ``with`` block ends; ``ledger`` counts them."""

    def __init__(self, upstream: Upstream, ledger: Ledger) -> None:
        self.ledger = ledger
        self._upstream = upstream
        self._folder = tempfile.TemporaryDirectory(prefix="aiops-")  # short: so is a socket's path
        self.socket = Path(self._folder.name, "relay")
        self._server = _Server(str(self.socket), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def _answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if urlsplit(path).path not in _PATHS:
            return _error(404, "not_found_error", "only the Messages API is served here")
        if reason := _forbidden(body):
            return _error(403, "permission_error", reason)
        if not self.ledger.admit():
            return _error(403, "permission_error", "this session has used up its calls")
        try:
            return self._upstream(path, headers, body)
        except Unreachable as error:
            self.ledger.failed(Failure(0, str(error)))
            return _error(502, "api_error", "the API cannot be reached")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _PATIENCE

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                self._send(relay._answer(self.path, headers, self._body(headers)))

            def do_HEAD(self) -> None:
                self._send(Reply(200, ()))

            def _body(self, headers: Mapping[str, str]) -> bytes:
                length = headers.get("content-length", "")
                return self.rfile.read(int(length)) if length.isdecimal() and int(length) <= _LARGEST else b""

            def _send(self, reply: Reply) -> None:
                self.close_connection = True
                self.send_response_only(reply.status)
                for name, value in {**reply.headers, "Connection": "close"}.items():
                    self.send_header(name, value)
                self.end_headers()
                relay._pass_on(reply, self.path, self.wfile.write)

            def log_message(self, format: str, *args: Any) -> None:  # Any: as the base class says
                """Keep quiet: requests hold source code."""

        return Handler

    def _pass_on(self, reply: Reply, path: str, write: Callable[[bytes], Any]) -> None:  # Any: a length
        """Send the pieces on as they come, and read them on the way."""
        if reply.status >= 400:
            body = b"".join(reply.chunks)
            if not reply.is_own:
                wait = reply.headers.get("retry-after", "")
                seconds = float(wait) if wait.isdecimal() else 0.0
                self.ledger.failed(Failure(reply.status, error_text(body), seconds))
            write(body)
            return
        is_counted = urlsplit(path).path == "/v1/messages"
        meter = Meter(self.ledger, is_stream="event-stream" in reply.headers.get("content-type", ""))
        for chunk in reply.chunks:
            if is_counted:
                meter.feed(chunk)
            write(chunk)
        if is_counted:
            meter.close()


def _forbidden(body: bytes) -> str:
    """Return why a request is not passed on: it must be one for a message, without tools of the server."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return "the request is no JSON"
    if not isinstance(request, dict):
        return "the request is no object"
    if request.get("mcp_servers") or request.get("container"):
        return "the API's own tools and servers are not allowed"
    tools = request.get("tools") or []
    if not isinstance(tools, list) or any(
        not isinstance(tool, dict) or tool.get("type", "custom") != "custom" for tool in tools
    ):
        return "only tools of the agent itself are allowed"
    return ""


def _error(status: int, kind: str, message: str) -> Reply:
    body = json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    return Reply(status, (body,), headers, is_own=True)
