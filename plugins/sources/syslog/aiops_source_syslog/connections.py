"""One TCP or TLS connection: its bytes become lines of its stream."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from aiops_source_syslog.framing import Frame, Framer
from aiops_source_syslog.inbox import Inbox
from aiops_source_syslog.messages import lines_of
from aiops_source_syslog.reports import Reports


class Host(Protocol):
    """What a connection needs from its server."""

    inbox: Inbox
    reports: Reports
    max_message: int

    def has_left(self, connection: Connection) -> None:
        """Learn that a connection is gone."""

    def pause(self) -> None:
        """Stop reading until the pipeline has caught up."""


class Connection(asyncio.Protocol):
    """Read one connection; ``transport`` is None before it is open (TLS: before the handshake)."""

    def __init__(self, host: Host, number: int, peer: str) -> None:
        self._host = host
        self._framer = Framer(host.max_message)
        self._peer = peer
        self._is_paused = False
        self.number = number
        self.stream = f"tcp/{number}"
        self.transport: asyncio.Transport | None = None
        self.heard = time.monotonic()
        self._begun: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport
        if self._host.inbox.is_full:
            self.pause()

    def data_received(self, data: bytes) -> None:
        """Hand over the messages that are complete now."""
        self.heard = time.monotonic()
        frames = self._framer.feed(data)
        for frame in frames:
            pass_on(self._host, self.stream, self._peer, frame)
        if frames or self._begun is None:
            self._begun = self.heard
        if not self._framer.is_waiting:
            self._begun = None
        if self._host.inbox.is_full:
            self._host.pause()

    def connection_lost(self, error: Exception | None) -> None:
        """Hand over what is left, and end the stream."""
        rest = self._framer.finish()
        if rest is not None:
            pass_on(self._host, self.stream, self._peer, rest)
        self._host.inbox.end(self.stream, self._peer)
        self._host.has_left(self)

    def is_stuck(self, seconds: float) -> bool:
        """Tell whether one message has been arriving for longer than this."""
        return not self._is_paused and self._begun is not None and time.monotonic() - self._begun > seconds

    def close(self) -> None:
        """Hang up at once."""
        if self.transport is not None:
            self.transport.abort()

    def pause(self) -> None:
        """Stop reading; the peer is then held back by TCP."""
        if not self._is_paused and self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on; the time spent waiting is nobody's delay."""
        if self._is_paused and self.transport is not None:
            self._is_paused = False
            self.heard = time.monotonic()
            self._begun = self.heard if self._framer.is_waiting else None
            self.transport.resume_reading()


def pass_on(host: Host, stream: str, peer: str, frame: Frame) -> None:
    """Put one frame into the inbox as whole lines, marked where something of it is missing."""
    if frame.is_lines:
        lines, is_short = frame.data.rstrip(b"\0").removeprefix(b"\xef\xbb\xbf") + b"\n", False
    else:
        lines, is_short = lines_of(frame.data, host.max_message)
    if not (frame.is_cut or is_short):
        host.inbox.put(stream, peer, lines)
        return
    size = {"original_bytes": str(frame.size)} if frame.size else {}
    host.inbox.put(stream, peer, lines, {"truncated": "true"} | size)
    host.reports.tell(
        f"{{count}} longer than {host.max_message} bytes or incomplete: only the beginning is read. "
        "See max_message.",
        "message",
    )
