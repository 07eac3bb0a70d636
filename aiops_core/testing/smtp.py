"""A real SMTP server on loopback, told what to answer; it needs aiosmtpd and trustme."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG = "hang"
"""An answer that never comes."""
RESET = "reset"
"""A connection that breaks instead of an answer; what was said until then is kept."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    user: str


@dataclass(slots=True)
class SmtpServer:
    """Take mail until the ``with`` block ends.

    ``security`` none, starttls (offered, and refused in clear when ``require_tls``) or tls from
    the first byte. ``users`` are names and passwords, ``tokens`` names and access tokens; with any, AUTH is
    required, by tokens only where there are some. ``ca_file`` is what a client must trust.
    """

    security: Literal["none", "starttls", "tls"] = "none"
    require_tls: bool = True
    users: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    certificate_for: str = "127.0.0.1"
    host: str = "127.0.0.1"
    port: int = 0
    messages: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    """Every EHLO, MAIL, RCPT, DATA and QUIT heard, with its address."""
    _replies: dict[str, Iterator[str]] = field(default_factory=dict)
    _folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)
    _started: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _stop: asyncio.Event | None = None
    _thread: threading.Thread | None = None

    @property
    def ca_file(self) -> str:
        """Path of the certificate authority that signed the server's certificate."""
        return str(Path(self._folder.name) / "ca.pem")

    def answer(self, command: str, replies: Iterable[str]) -> None:
        """Answer a command with these replies, one each time, then as usual again.

        ``command`` is ``EHLO``, ``AUTH``, ``MAIL``, ``RCPT a@example.org``, ``DATA`` or ``QUIT``; a
        reply is a line such as ``450 4.7.1 later``, ``HANG`` or ``RESET``.
        """
        self._replies[command] = iter(replies)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the SMTP server did not start within 10 seconds")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        self._folder.cleanup()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        context = self._tls_context() if self.security != "none" else None
        server = await self._loop.create_server(
            lambda: self._connection(context),
            self.host,
            self.port,
            ssl=context if self.security == "tls" else None,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()

    def _connection(self, context: ssl.SSLContext | None) -> SMTP:
        starttls = context if self.security == "starttls" else None
        return SMTP(
            _Handler(self),
            hostname="peer.example",
            loop=self._loop,
            tls_context=starttls,
            require_starttls=starttls is not None and self.require_tls,
            auth_required=bool(self.users or self.tokens),
            auth_exclude_mechanism=("LOGIN", "PLAIN") if self.tokens else ("XOAUTH2",),
            auth_require_tls=self.security == "starttls",
            authenticator=self._authenticate,
        )

    def _tls_context(self) -> ssl.SSLContext:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(self.certificate_for).configure_cert(context)
        return context

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object
    ) -> AuthResult:
        if reply := next(self._replies.get("AUTH", iter(())), ""):
            return AuthResult(success=False, handled=False, message=reply)
        if not isinstance(login, LoginPassword):
            return AuthResult(success=False, handled=False)
        name = login.login.decode()
        known = name in self.users and self.users[name] == login.password.decode()
        return AuthResult(success=known, handled=False, auth_data=name)

    async def _reply(self, server: SMTP, command: str, usual: str) -> str:
        self.commands.append(command)
        reply = next(self._replies.get(command, iter(())), usual)
        if reply == HANG and self._stop is not None:
            await self._stop.wait()
        if reply == RESET and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return reply


class _Handler:
    """Answer as the server was told, otherwise as servers do."""

    def __init__(self, peer: SmtpServer) -> None:
        self._peer = peer

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        reply = await self._peer._reply(server, "EHLO", "")
        return [reply] if reply else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._peer._reply(server, "MAIL", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = await self._peer._reply(server, f"RCPT {address}", "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        queued = f"250 OK queued as {len(self._peer.messages) + 1}"
        reply = await self._peer._reply(server, "DATA", queued)
        if reply == RESET or reply.startswith("250"):
            content = envelope.original_content or b""
            encrypted = session.ssl is not None or self._peer.security == "tls"
            user = session.auth_data if isinstance(session.auth_data, str) else ""
            sender, recipients = envelope.mail_from or "", tuple(envelope.rcpt_tos)
            self._peer.messages.append(Mail(sender, recipients, content, encrypted, user))
        return reply

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:
        login = b64decode(arguments[1]).decode()
        name, token = (field.partition("=")[2] for field in login.split("\x01")[:2])
        known = self._peer.tokens.get(name)
        if known is None or token != f"Bearer {known}":
            await server.challenge_auth('{"status":"401","schemes":"bearer"}')
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=name)

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._peer._reply(server, "QUIT", "221 Bye")
