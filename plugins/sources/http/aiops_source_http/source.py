"""The http source: its settings, and the component."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import Field, SecretStr, field_validator, model_validator

from aiops_core import Claim, Config, Duration, Position, Signal, Size, Source, port_claims, server_context
from aiops_source_http.addresses import Address, bind, parse_address, probe
from aiops_source_http.intake import STREAM, Intake
from aiops_source_http.reports import Reports
from aiops_source_http.server import Server

_WAIT = 0.1


class HttpConfig(Config):
    """Where requests are taken, from whom, and how much of them."""

    listen: str = "127.0.0.1:4318"
    """Host and port to listen on. The default takes requests of this machine only;
    ``0.0.0.0:4318`` takes those of every host that reaches it."""
    token: SecretStr | None = None
    """Bearer token every request must show; without one, whoever reaches the port may write."""
    certificate: str = ""
    """PEM file with the certificate for HTTPS and what it is signed by; relative to the pipeline
    file. Empty: plain HTTP."""
    key: str = ""
    """PEM file with the private key of the certificate; empty when it stands in the same file."""
    client_ca: str = ""
    """PEM file with the authorities whose clients may connect; empty: every client."""
    max_body: Size = Field(default=10 * 1024 * 1024, ge=1024, le=1024 * 1024 * 1024)
    """Longest body of one request in bytes, before and after unpacking."""
    backlog: Size = Field(default=64 * 1024 * 1024, ge=1024)
    """Bytes of requests that may wait for the disk at the same time; beyond it senders are told to
    come back later."""
    timeout: Duration = timedelta(seconds=30)
    """Longest time the body of one request may take to arrive."""
    connections: int = Field(default=256, ge=1, le=10_000)
    """Most connections at the same time."""

    @field_validator("listen")
    @classmethod
    def _check_listen(cls, listen: str) -> str:
        parse_address(listen)
        return listen

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None:
            text = token.get_secret_value()
            if not text or not text.isascii() or not text.isprintable() or " " in text:
                raise ValueError("no bearer token: use letters, digits and -._~+/= only")
        return token

    @model_validator(mode="after")
    def _check_together(self) -> HttpConfig:
        if self.client_ca and not self.certificate:
            raise ValueError("client_ca works over HTTPS only: set certificate, and key unless it is in it")
        if self.backlog < self.max_body:
            raise ValueError("backlog is smaller than max_body: one request of the longest size must fit")
        return self


class HttpSource(Source[HttpConfig]):
    """Take log records over HTTP: OTLP, NDJSON, plain lines."""

    _bound: socket.socket | None = None
    _server: Server | None = None
    _intake: Intake | None = None
    _is_stopped = False

    @property
    def checks_senders(self) -> bool:
        """Whether requests must show a token or come with a client's certificate."""
        return self.config.token is not None or bool(self.config.client_ca)

    @property
    def address(self) -> Address | None:
        """The address in use, a port 0 of the settings become a real one; None when none is."""
        if self._bound is None or self._bound.fileno() < 0:
            return None
        return Address(parse_address(self.config.listen).host, self._bound.getsockname()[1])

    def claims(self) -> tuple[Claim, ...]:
        """Its port."""
        address = parse_address(self.config.listen)
        return port_claims("TCP", address.host, address.port)

    def check(self) -> None:
        """Open the certificates."""
        self._tls()

    def probe(self) -> str:
        """Look whether the address is this machine's, and may be listened on."""
        self._tls()
        return probe(parse_address(self.config.listen))

    def start(self) -> None:
        """Bind the address, so that what cannot be had is told before anything runs."""
        self._is_stopped = False
        if not self.context.once and self._bound is None:
            self._bind()

    def _bind(self) -> None:
        self._tls()
        address = parse_address(self.config.listen)
        self._bound = bind(address)
        if not address.is_loopback and self.config.token is None and not self.config.client_ca:
            self.context.logger.warning(
                "%s: whoever reaches %s may write log records. Set token or client_ca.",
                self.context.name,
                address,
            )

    def stop(self) -> None:
        """Answer what still waits, and let go of the address."""
        self._is_stopped = True
        if self._intake is not None:
            self._intake.close()
        self._end()

    def committed(self, stream: str, position: Position) -> None:
        """Answer the requests whose lines are on disk now."""
        if stream == STREAM and self._intake is not None:
            self._intake.committed(position)

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        if self.context.once:
            self.context.logger.warning(
                "%s: takes what is sent while it listens, so a run with --once reads nothing here. "
                "Run without --once.",
                self.context.name,
            )
            return
        if self._server is not None:  # asked again while the last commit was awaited
            self._end()
        if self._bound is None:
            self._bind()
        intake = self._intake = Intake(positions)
        server = self._server = self._serve(intake)
        try:
            yield from self._follow(server, intake)
        finally:
            server.drain()
            awaits_commit = self.context.stopping.is_set() and not self._is_stopped
            if not awaits_commit:
                self._end()

    def _follow(self, server: Server, intake: Intake) -> Iterator[Signal]:
        while not (self.context.stopping.is_set() or intake.is_closed):
            batch = intake.take(_WAIT, self.context.clock)
            if batch is not None:
                yield batch
        if server.failure is not None:
            raise server.failure

    def _serve(self, intake: Intake) -> Server:
        if self._bound is None:
            raise AssertionError("start() binds the address")
        token = self.config.token
        server = Server(
            self._bound,
            intake,
            Reports(self.context.logger, self.context.name),
            tls=self._tls(),
            token=token.get_secret_value() if token is not None else "",
            max_body=self.config.max_body,
            backlog=self.config.backlog,
            timeout=self.config.timeout.total_seconds(),
            connections=self.config.connections,
        )
        server.start()
        return server

    def _tls(self) -> ssl.SSLContext | None:
        if not self.config.certificate:
            return None
        return server_context(
            self.context.directory, self.config.certificate, self.config.key, self.config.client_ca
        )

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.close()
