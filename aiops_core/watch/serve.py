"""/healthz, /readyz and /metrics: how the run does, for those who ask over HTTP."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from aiops_core.errors import UserError
from aiops_core.watch.board import Board

_PATIENCE = 5.0
"""Seconds a client may take to say what it wants."""
_MOST = 128
"""Connections at the same time; more are closed at once."""
Answer = tuple[int, str, bytes]


def serve(
    address: str, board: Board, metrics: Callable[[], bytes] | None, logger: logging.Logger
) -> Callable[[], None]:
    """Answer at ``host:port``; return how to end it. Raise UserError for an address that cannot be had."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")

    class Handler(_Handler):
        pages: ClassVar[dict[str, Callable[[], Answer]]] = _pages(board, metrics)

    try:
        server = _Server((host, int(port)), Handler)
    except OSError as error:
        raise UserError(f"serve: {address}: {error.strerror or error}. Write another address") from None
    threading.Thread(target=server.serve_forever, name="serve", daemon=True).start()
    logger.info("health and metrics at http://%s:%d", host, server.server_address[1])

    def end() -> None:
        server.shutdown()
        server.server_close()

    return end


def _pages(board: Board, metrics: Callable[[], bytes] | None) -> dict[str, Callable[[], Answer]]:
    def health() -> Answer:
        return 200, "text/plain; charset=utf-8", b"ok\n"

    def readiness() -> Answer:
        said = {"ready": board.is_ready, "problems": board.problems}
        body = json.dumps(said, ensure_ascii=False, indent=2).encode()
        return 200 if board.is_ready else 503, "application/json", body + b"\n"

    def figures() -> Answer:
        if metrics is None:
            return 501, "text/plain; charset=utf-8", b"pip install 'aiops-core[metrics]' for metrics\n"
        return 200, "text/plain; version=0.0.4; charset=utf-8", metrics()

    return {"/healthz": health, "/readyz": readiness, "/metrics": figures}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = _MOST

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._room = threading.BoundedSemaphore(_MOST)
        super().__init__(address, handler)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, Callable[[], Answer]]] = {}
    timeout = _PATIENCE
    server_version = "aiops"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        status, kind, body = (
            page() if page is not None else (404, "text/plain; charset=utf-8", b"nothing here\n")
        )
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log no requests: probes come every few seconds."""
