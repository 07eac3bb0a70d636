"""The syslog source: its settings, and the component."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping

from pydantic import Field, field_validator, model_validator

from aiops_core import (
    Claim,
    Config,
    LogBatch,
    Position,
    Signal,
    Size,
    Source,
    UserError,
    port_claims,
    server_context,
)
from aiops_source_syslog.addresses import Address, Bound, bind, parse_address, probe
from aiops_source_syslog.inbox import Inbox, Piece
from aiops_source_syslog.reports import Reports
from aiops_source_syslog.server import Server

_WAIT = 0.1


class SyslogConfig(Config):
    """Where messages are taken, and how much of them."""

    listen: list[str] = Field(default=["udp://127.0.0.1:5514", "tcp://127.0.0.1:5514"], min_length=1)
    """Addresses to listen on: ``udp://``, ``tcp://`` or ``tls://``, a host and a port. The default
    takes messages of this machine only; ``udp://0.0.0.0:514`` takes those of every host that
    reaches it. Ports below 1024 need the right to use them."""
    certificate: str = ""
    """PEM file with the certificate for ``tls://`` and what it is signed by; relative to the
    pipeline file."""
    key: str = ""
    """PEM file with the private key of the certificate; empty when it stands in the same file."""
    client_ca: str = ""
    """PEM file with the authorities whose clients may connect to ``tls://``; empty: every client."""
    max_message: Size = Field(default=256 * 1024, ge=1024, le=16 * 1024 * 1024)
    """Longest message in bytes; of longer ones the beginning is read."""
    connections: int = Field(default=256, ge=1, le=10_000)
    """Most TCP and TLS connections at the same time."""

    @field_validator("listen")
    @classmethod
    def _check_listen(cls, listen: list[str]) -> list[str]:
        for text in listen:
            parse_address(text)
        return listen

    @model_validator(mode="after")
    def _check_certificate(self) -> SyslogConfig:
        if any(text.startswith("tls://") for text in self.listen) and not self.certificate:
            raise ValueError(
                "a tls:// address needs a certificate: set certificate, and key unless it is in it"
            )
        return self


class SyslogSource(Source[SyslogConfig]):
    """Take syslog messages over UDP, TCP and TLS."""

    resumes = False
    _bound: tuple[Bound, ...] = ()
    _inbox: Inbox | None = None

    @property
    def checks_senders(self) -> bool:
        """Whether every message comes over TLS from a client with a certificate."""
        return bool(self.config.client_ca) and all(text.startswith("tls://") for text in self.config.listen)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses in use; a port 0 of the settings has become a real one."""
        return tuple(one.address for one in self._bound)

    def claims(self) -> list[Claim]:
        """Its ports, over TCP also those it takes TLS on."""
        listen = [parse_address(text) for text in self.config.listen]
        return [
            claim
            for one in listen
            for claim in port_claims("UDP" if one.transport == "udp" else "TCP", one.host, one.port)
        ]

    def check(self) -> None:
        """Open the certificates."""
        self._tls()

    def probe(self) -> str:
        """Look whether the addresses are this machine's, and may be listened on."""
        self._tls()
        return ", ".join(probe(parse_address(text)) for text in self.config.listen)

    def start(self) -> None:
        """Bind the addresses, so that what cannot be had is told before anything runs."""
        if self.context.once or self._bound:
            return
        self._tls()
        bound: list[Bound] = []
        try:
            bound += (bind(parse_address(text)) for text in self.config.listen)
        except UserError:
            for one in bound:
                one.socket.close()
            raise
        self._bound = tuple(bound)

    def stop(self) -> None:
        """Wake the reader, and let go of addresses nobody serves."""
        if self._inbox is not None:
            self._inbox.close()
        else:
            self._release()

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        if self.context.once:
            self.context.logger.warning(
                "%s: takes what is sent while it listens, so a run with --once reads nothing here. "
                "Run without --once.",
                self.context.name,
            )
            return
        self.start()
        inbox = self._inbox = Inbox()
        server = Server(
            self._bound,
            inbox,
            Reports(self.context),
            tls=self._tls(),
            max_message=self.config.max_message,
            connections=self.config.connections,
        )
        server.start()
        try:
            yield from self._follow(server, inbox, self.context.stopping)
        finally:
            server.stop()
            self._inbox = None
            self._release()

    def _follow(self, server: Server, inbox: Inbox, stopping: threading.Event) -> Iterator[Signal]:
        self.context.state.setdefault("received", 0)
        offsets: dict[str, int] = {}
        while not (stopping.is_set() or inbox.is_closed):
            for piece in inbox.take(_WAIT):
                yield self._batch(piece, offsets)
        server.stop()  # senders count on what was received
        for piece in inbox.take(0):
            yield self._batch(piece, offsets)
        if server.failure is not None:
            raise server.failure

    def _batch(self, piece: Piece, offsets: dict[str, int]) -> LogBatch:
        """Count a stream on from where it was; a new one starts above all that was ever received.

        Names of streams are used again, and no two events may stand at the same place of one.
        """
        start = offsets.pop(piece.stream, self.context.state["received"])
        end = start + len(piece.data)
        self.context.state["received"] += len(piece.data)
        if not piece.ended:
            offsets[piece.stream] = end
        return LogBatch(
            piece.stream,
            bytes(piece.data),
            ((0, {"received": start}), (len(piece.data), {"received": end})),
            offset=start,
            attributes={"peer": piece.peer, **piece.marks},
            byte_counter="received",
            ended=piece.ended,
            read_at=self.context.clock(),
        )

    def _tls(self) -> ssl.SSLContext | None:
        config = self.config
        if not config.certificate:
            return None
        context = server_context(self.context.directory, config.certificate, config.key, config.client_ca)
        # Senders of syslog do not read. One that hangs up on unread tickets resets the connection, and what
        # it sent last is then gone.
        context.num_tickets = 0
        return context

    def _release(self) -> None:
        bound, self._bound = self._bound, ()
        for one in bound:
            one.socket.close()
