"""One POST: a deadline for the whole of it, no redirect, and the beginning of what was answered."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import gaierror
from typing import Any
from urllib.parse import urlsplit

from aiops_core.errors import AiopsError, Retry, UserError
from aiops_core.posting.vetting import Network, vetted
from aiops_core.text.sanitising import clean

_READ = 64 * 1024
_WORDS = 200


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is posted, and where; the address may hold a secret."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"
    allowed: tuple[Network, ...] | None = None
    """Private networks it may go to; None: wherever its address leads."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, the beginning of the body, and what ``Retry-After`` said."""

    status: int
    body: bytes = b""
    retry_after: str = ""

    @property
    def words(self) -> str:
        """The first words of the body, cleaned, on one line."""
        return clean(self.body[:2_000].decode("utf-8", "replace"), keep_newlines=False)[:_WORDS]

    @property
    def fields(self) -> Mapping[str, Any]:  # Any: JSON of somebody else's shape
        """The body as a JSON object, empty when it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def as_json(value: object) -> bytes:
    """Return JSON in UTF-8, as short as it can be written."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def origin_of(url: str) -> str:
    """Return scheme, host and port: the part of an address that holds no secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def address_of(url: str) -> str:
    """Return the address when a secret may travel to it: https, or http to this machine; raise ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("no web address: write https://host/path")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("the secret in the address would travel in clear text: write https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a login in the address, which is never sent: leave it out")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("signs that no address has: write them percent-encoded")
    return url


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def http_reach(where: str, request: HttpRequest, *, context: ssl.SSLContext | None, timeout: float) -> str:
    """See that somebody answers at the host of a request, whatever it is; raise Retry or UserError else.

    Nothing of the address but its host is sent, for the rest of it may be a secret that has an effect.
    """
    url = request.url
    asked = HttpRequest(f"{origin_of(url)}/", b"", method="HEAD", allowed=request.allowed)
    answer = http_post(where, asked, context=context, timeout=timeout)
    if answer.status >= 500:
        raise Retry(f"{where}: answers {answer.status}.")
    return f"{origin_of(url)} answers"


def http_post(
    where: str, request: HttpRequest, *, context: ssl.SSLContext | None, timeout: float
) -> HttpAnswer:
    """Send the request and return the answer; raise Retry or UserError when there is none."""
    from httpx2 import HTTPError, InvalidURL

    for name in ("httpx2", "httpcore2"):  # they log whole addresses, tokens and all
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return asyncio.run(_post(where, request, context, timeout))
    except TimeoutError:
        raise Retry(f"{where}: no answer within {timeout:g} s.") from None
    except InvalidURL:
        raise UserError(f"{where}: no web address. Check the address.") from None
    except (HTTPError, gaierror, UnicodeError) as error:
        raise trouble_of(where, error) from None


async def _post(
    where: str, request: HttpRequest, context: ssl.SSLContext | None, timeout: float
) -> HttpAnswer:
    from httpx2 import URL, AsyncClient

    url, headers, extensions = URL(request.url), dict(request.headers), {}
    address = None
    if request.allowed is not None:
        async with asyncio.timeout(timeout):
            address = await vetted(where, request.url, request.allowed)
    if address is not None:  # the name is not looked up again: it may lead elsewhere then
        headers["Host"], extensions = url.netloc.decode("ascii"), {"sni_hostname": url.host}
        url = url.copy_with(host=address)
    async with (
        asyncio.timeout(timeout),
        AsyncClient(
            verify=context or _trust(url.scheme),
            follow_redirects=False,
            timeout=None,
            trust_env=address is None,
        ) as client,
        client.stream(
            request.method, url, content=request.body, headers=headers, extensions=extensions
        ) as response,
    ):
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= _READ:
                break
        return HttpAnswer(response.status_code, body[:_READ], response.headers.get("retry-after", ""))


def _trust(scheme: str) -> ssl.SSLContext:
    """Return whom to believe who a server is; without TLS nobody is asked, and reading all authorities takes long."""
    from httpx2 import create_ssl_context

    return create_ssl_context() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def trouble_of(where: str, error: Exception) -> AiopsError:
    """Return what a broken exchange means: a certificate nobody trusts stays, all else may pass."""
    cause: BaseException | None = error
    while cause is not None:
        why = getattr(cause, "verify_message", "").rstrip(".")  # aiohttp's own class has none
        if isinstance(cause, ssl.SSLCertVerificationError) and why:
            return UserError(
                f"{where}: the certificate cannot be trusted ({why}). Name its authority in `ca_file`."
            )
        cause = cause.__cause__ or cause.__context__
    reason = clean(str(error), keep_newlines=False)[:_WORDS] or type(error).__name__
    return Retry(f"{where}: {reason}.")
