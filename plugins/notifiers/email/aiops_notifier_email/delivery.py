"""One mail handed to a server: encrypted unless told otherwise, and what each answer means."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aiops_core import AiopsError, RecipientResult, Retry, UserError, clean

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponseException

_FAREWELL = 1.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over, and how."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    context: ssl.SSLContext | None
    username: str
    password: str = field(repr=False)
    timeout: float
    token: str = field(default="", repr=False)
    """Access token to log in with instead of the password."""
    is_token_new: bool = True

    def __str__(self) -> str:
        return f"email to {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said about one recipient."""

    code: int
    text: str

    @property
    def is_deferred(self) -> bool:
        return 400 <= self.code < 500

    def result(self, recipient: str) -> RecipientResult:
        return RecipientResult(recipient, self.code < 300, f"{self.code} {_short(self.text)}")


def log_in(server: Server) -> str:
    """Connect, encrypt and log in as for a mail, and leave; return what was found, raise as ``deliver``."""
    from aiosmtplib import SMTPException

    try:
        asyncio.run(_log_in(server))
    except (SMTPException, OSError, ValueError) as error:
        raise _verdict(server, error) from error
    return f"{server}: " + (
        f"logged in as {server.username}" if server.username else "reached, no login is set"
    )


async def _log_in(server: Server) -> None:
    client = _client(server)
    try:
        async with asyncio.timeout(server.timeout):
            await client.connect()
        await _say_goodbye(client)
    finally:
        client.close()


def deliver(server: Server, sender: str, recipients: Sequence[str], raw: bytes) -> Mapping[str, Answer]:
    """Hand the mail over; return what the server said about each recipient.

    Raise Retry for what may pass and UserError for what will not.
    """
    from aiosmtplib import SMTPException

    try:
        return asyncio.run(_deliver(server, sender, recipients, raw))
    except (SMTPException, OSError, ValueError) as error:
        raise _verdict(server, error) from error


async def _deliver(
    server: Server, sender: str, recipients: Sequence[str], raw: bytes
) -> Mapping[str, Answer]:
    client = _client(server)
    try:
        async with asyncio.timeout(server.timeout):
            await client.connect()
            answers = await _hand_over(client, sender, recipients, raw)
        await _say_goodbye(client)
    finally:
        client.close()
    return answers


def _client(server: Server) -> SMTP:
    from aiosmtplib import SMTP

    return SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username or None,
        password=server.password or None,
        oauth_token_generator=_giving(server.token) if server.token else None,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=server.context,
        local_hostname=_own_name(),
        timeout=server.timeout,
    )


def _giving(token: str) -> Callable[[], Coroutine[None, None, str]]:
    async def give() -> str:
        return token

    return give


async def _hand_over(
    client: SMTP, sender: str, recipients: Sequence[str], raw: bytes
) -> Mapping[str, Answer]:
    from aiosmtplib import SMTPRecipientsRefused

    try:
        refused, text = await client.sendmail(sender, recipients, raw)
    except SMTPRecipientsRefused as error:
        return {each.recipient: Answer(each.code, each.message) for each in error.recipients}
    accepted = {recipient: Answer(250, text) for recipient in recipients if recipient not in refused}
    return accepted | {each: Answer(reply.code, reply.message) for each, reply in refused.items()}


async def _say_goodbye(client: SMTP) -> None:
    """End the session; what the server has taken stays taken, whatever happens here."""
    from aiosmtplib import SMTPException

    with contextlib.suppress(SMTPException, OSError):
        await client.quit(timeout=_FAREWELL)


def _verdict(server: Server, error: Exception) -> AiopsError:
    """Tell what may pass from what somebody has to change."""
    from aiosmtplib import SMTPResponseException

    tls = next((cause for cause in (error, error.__cause__) if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        return _tls_verdict(server, tls)
    if isinstance(error, SMTPResponseException):
        return _reply_verdict(server, error)
    if isinstance(error, TimeoutError):
        return Retry(f"{server}: no answer within {server.timeout:g} s.")
    if isinstance(error, OSError):
        return Retry(f"{server}: {_short(str(error))}.")
    if "STARTTLS" in str(error):
        return UserError(f"{server}: the server offers no STARTTLS. Write `security: tls`, or another port.")
    return UserError(f"{server}: {_short(str(error)).rstrip('.')}. Check security, username and addresses.")


def _reply_verdict(server: Server, error: SMTPResponseException) -> AiopsError:
    from aiosmtplib import SMTPAuthenticationError

    said = f"{error.code} {_short(error.message)}"
    if 400 <= error.code < 500:
        return Retry(f"{server}: not now ({said}).")
    if isinstance(error, SMTPAuthenticationError) and server.token:
        if not server.is_token_new:
            return Retry(f"{server}: the access token was refused ({said}). A new one is asked for.")
        return UserError(f"{server}: the access token was refused ({said}). Check username and oauth.")
    if isinstance(error, SMTPAuthenticationError):
        return UserError(f"{server}: the login was refused ({said}). Check username and password.")
    return UserError(f"{server}: the mail was refused ({said}). {_remedy(error.code)}")


def _tls_verdict(server: Server, error: ssl.SSLError) -> AiopsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        return UserError(
            f"{server}: the certificate cannot be trusted ({why}). Name its authority in `ca_file`."
        )
    if error.reason == "WRONG_VERSION_NUMBER":
        return UserError(
            f"{server}: the server speaks no TLS there. Write `security: starttls`, or another port."
        )
    return Retry(f"{server}: TLS failed ({error.reason or error}).")


def _remedy(code: int) -> str:
    return {
        530: "It asks for a login or for encryption: check username, password and security.",
        552: "It may be too large: lower `attach`.",
    }.get(code, "Ask whoever runs the server, or check sender and recipients.")


def _short(text: str) -> str:
    return clean(text, keep_newlines=False)[:200]


def _own_name() -> str:
    name = socket.gethostname()
    return name if name.isascii() and name.isprintable() and " " not in name and name else "localhost"
